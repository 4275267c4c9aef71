//! One binary for all integration tests.

mod store_contract;
mod store_sqlite;
mod tables;
mod world;
