//! One binary for all integration tests.

mod abandoned;
mod access;
mod again;
mod cli;
mod clocks;
mod clocks_doors;
mod daemon;
#[path = "../../benches/night/data.rs"]
mod data;
mod demo;
mod disk;
mod entitlement;
mod explain;
mod fake_hr;
mod fake_http;
mod fake_oneroster;
mod fake_sftp;
mod holds;
mod hostile;
mod identity;
mod import;
mod invariants;
mod latency;
mod leaving;
mod looks;
#[path = "../../benches/night/measure.rs"]
mod measure;
mod model;
mod net_delimited;
mod net_files;
mod net_hr;
mod net_http;
mod net_oneroster;
mod net_pull;
mod night;
mod on_time;
mod operating;
mod props;
mod race;
mod report_forms;
mod reports;
mod resume;
mod reuse;
mod revert;
mod scope;
mod setbacks;
#[path = "../sim/mod.rs"]
mod sim;
mod store_contract;
mod store_sqlite;
mod story;
mod tables;
mod terms;
mod world;
