//! Packages built in code, read into a recorder.

mod ahead;
mod build;
mod damage;
mod drops;
mod packages;
mod reread;
mod rows;
mod unsafe_zips;
