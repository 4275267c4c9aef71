//! Floor 4: pages of pulls under way, so that a pull goes on after a crash. What may not be lost lies in the store.

mod pages;

pub use pages::{Spool, SpoolError};
