//! Floor 7: the daemon. It asks once a minute what is due, writes requests when packages arrive, and takes them one by one.

mod arrivals;
mod drops;
mod outbox;
mod run;
mod schedule;
mod stop;
mod worker;

pub use outbox::deliver;
pub use run::{Beside, DaemonOptions, ServeError, host, serve};
