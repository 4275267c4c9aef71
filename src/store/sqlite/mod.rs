//! The store of record for one machine: one SQLite file in WAL mode, one writer, readers that never wait for it.

mod backup;
mod connect;
mod holders;
mod lease;
mod restore;
mod schema;
mod store;

pub use restore::Restoring;
pub use store::SqliteStore;
