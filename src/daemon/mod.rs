//! Floor 7: the daemon. It writes requests when nights are due or packages arrive, and takes them one by one.

mod drops;
mod due;
mod run;
mod schedule;
mod stop;
mod worker;

pub use run::{DaemonOptions, ServeError, serve};
