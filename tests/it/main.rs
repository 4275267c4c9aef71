//! One binary for all integration tests.

mod cli;
mod clocks;
mod daemon;
#[path = "../../benches/night/data.rs"]
mod data;
mod demo;
mod holds;
mod hostile;
mod import;
mod leaving;
#[path = "../../benches/night/measure.rs"]
mod measure;
mod model;
mod night;
mod on_time;
mod props;
mod race;
mod revert;
mod store_contract;
mod store_sqlite;
mod story;
mod tables;
mod world;
