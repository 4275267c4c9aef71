//! Floor 4: where rosters come from.

mod api;

pub use api::{Package, RosterSource, Seen, SourceError};
