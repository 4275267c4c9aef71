//! The store of record for one machine: one SQLite file in WAL mode, one writer, readers that never wait for it.

mod backup;
mod connect;
mod lease;
mod schema;
mod store;

pub use store::SqliteStore;
