//! All integration tests, in one binary.

#[path = "../../benches/night/data.rs"]
mod data;
#[path = "../../benches/night/measure.rs"]
mod measure;
mod night;
