//! One binary for all integration tests.

mod cli;
#[path = "../../benches/night/data.rs"]
mod data;
mod hostile;
#[path = "../../benches/night/measure.rs"]
mod measure;
mod model;
mod night;
mod props;
mod store_contract;
mod store_sqlite;
mod tables;
mod world;
