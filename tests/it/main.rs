//! One binary for all integration tests.

mod cli;
#[path = "../../benches/night/data.rs"]
mod data;
mod import;
#[path = "../../benches/night/measure.rs"]
mod measure;
mod night;
mod store_contract;
mod store_sqlite;
mod tables;
mod world;
