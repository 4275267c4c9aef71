//! Floor 4: where rosters come from.

mod api;
mod csv;
mod open;

pub use api::{Package, RosterSource, Seen, SourceError};
pub use csv::{BulkWithStatus, CsvBounds, CsvSource, CsvSourceSettings, CsvVersion, DropKind};
pub use open::{SourceSettings, open_source};
