//! One binary for all integration tests.

mod cli;
mod daemon;
#[path = "../../benches/night/data.rs"]
mod data;
mod demo;
mod hostile;
mod import;
#[path = "../../benches/night/measure.rs"]
mod measure;
mod model;
mod night;
mod props;
mod store_contract;
mod store_sqlite;
mod story;
mod tables;
mod world;
