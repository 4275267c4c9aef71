//! All integration tests in one binary.

mod tables;
mod world;
