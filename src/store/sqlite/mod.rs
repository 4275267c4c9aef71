//! The store of record for one machine: one SQLite file in WAL mode, one writer, readers that never wait for it.

mod alerts;
mod archive;
mod audit;
mod backup;
mod books;
mod chunks;
mod claims;
mod clock;
mod commit;
mod connect;
mod entries;
mod fault;
mod first;
mod first_beside;
mod glance;
mod lease;
mod looks;
mod on_time;
mod outages;
mod plans;
mod process;
mod purged;
mod report_rows;
mod requests;
mod rest;
mod reuse;
mod runs;
mod schema;
mod snapshots;
mod store;
mod tokens;
mod watch;

pub use store::SqliteStore;
