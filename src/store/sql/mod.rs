//! The store in SQL, once for SQLite and PostgreSQL: statements are written in what both understand, and one thin layer
//! (`value`, `transaction`, `many`, `pg`) knows the difference.

mod alerts;
mod archive;
mod audit;
mod books;
mod chunks;
mod claims;
mod clock;
mod commit;
mod copy;
mod door;
mod entries;
mod fault;
mod first;
mod first_beside;
mod glance;
mod looks;
mod many;
mod on_time;
mod outages;
mod pg;
mod plans;
mod process;
mod purged;
mod report_rows;
mod requests;
mod rest;
mod reuse;
mod runs;
mod snapshots;
mod store;
mod tokens;
mod told;
mod transaction;
mod value;
mod watch;

pub use copy::{copy, tables};
pub use door::Door;
pub use fault::Fault;
pub use first::FIRST;
pub use first_beside::BESIDE;
pub use pg::{Node, PgSession};
pub use store::SqlStore;
pub use told::is_away;
pub use transaction::{Row, Transaction};
pub use value::Value;
