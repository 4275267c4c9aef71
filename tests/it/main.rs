//! One binary for all integration tests.

mod cli;
mod daemon;
#[path = "../../benches/night/data.rs"]
mod data;
mod demo;
#[path = "../../benches/night/measure.rs"]
mod measure;
mod night;
mod store_contract;
mod store_sqlite;
mod story;
mod tables;
mod world;
