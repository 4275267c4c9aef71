//! From settings to a source: the one place that knows all kinds of sources.

use crate::source::api::RosterSource;
use crate::source::csv::{CsvSource, CsvSourceSettings};
use crate::source::http::Network;

/// The settings of one source, of whatever kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSettings {
    /// OneRoster CSV packages.
    OneRosterCsv(CsvSourceSettings),
}

/// Makes the source; what asks an upstream goes through `network`. Nothing is reached yet.
pub fn open_source(settings: SourceSettings, _network: &Network) -> Box<dyn RosterSource> {
    match settings {
        SourceSettings::OneRosterCsv(settings) => Box::new(CsvSource::new(settings)),
    }
}
