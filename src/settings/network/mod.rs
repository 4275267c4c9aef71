//! The keys of a `[[customer.source]]` that is asked over the network, and what they come to.

mod files;
mod hr;
mod keys;
mod people;

pub use keys::{KINDS, NetworkShape, hr_source, network, of_classlink, of_clever, oneroster, read_settings};

pub use files::{FileSource, Given, delimited, fetch, is_drop, work};
