//! From settings to a source: the one place that knows all kinds of sources.

use std::sync::Arc;

use crate::roster::IntakePolicy;
use crate::source::api::{RosterSource, SourceError};
use crate::source::csv::{CsvSource, CsvSourceSettings, DropKind};
use crate::source::fetch::{FetchSettings, Fetched, Reader};
use crate::source::http::Network;
use crate::source::oneroster::{RestSettings, RestSource};
use crate::source::shelf::PageStore;

/// The settings of one source, of whatever kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSettings {
    /// OneRoster CSV packages.
    OneRosterCsv(CsvSourceSettings),
    /// The same, fetched from another machine.
    OneRosterFetched(Box<FetchSettings>, CsvSourceSettings),
    /// OneRoster over REST.
    OneRosterRest(Box<RestSettings>),
}

impl SourceSettings {
    /// How lenient the intake of its rows is.
    pub fn intake(&self) -> IntakePolicy {
        match self {
            SourceSettings::OneRosterCsv(csv) | SourceSettings::OneRosterFetched(_, csv) => IntakePolicy { lenient: csv.lenient, courses_optional: csv.courses_optional },
            SourceSettings::OneRosterRest(rest) => {
                IntakePolicy { lenient: rest.read.lenient, courses_optional: rest.read.courses_optional }
            }
        }
    }

    /// The attribute that tells when a person last logged in, where files bring one.
    pub fn activity_column(&self) -> Option<&str> {
        match self {
            SourceSettings::OneRosterCsv(csv) | SourceSettings::OneRosterFetched(_, csv) => csv.activity_column.as_deref(),
            SourceSettings::OneRosterRest(_) => None,
        }
    }

    /// Whether packages arrive by themselves and are taken when they do.
    pub fn is_watched(&self) -> bool {
        match self {
            SourceSettings::OneRosterCsv(csv) => csv.kind == DropKind::Drop,
            SourceSettings::OneRosterFetched(..) | SourceSettings::OneRosterRest(_) => false,
        }
    }
}

/// Makes the source; what asks an upstream goes through `network` and keeps its pages in `pages`. Nothing is reached yet.
pub fn open_source(settings: SourceSettings, network: &Network, pages: &Arc<dyn PageStore>) -> Box<dyn RosterSource> {
    match settings {
        SourceSettings::OneRosterCsv(settings) => Box::new(CsvSource::new(settings)),
        SourceSettings::OneRosterFetched(fetch, settings) => {
            // What was fetched is at rest.
            let here = |path| CsvSource::new(CsvSourceSettings { path, settle_secs: 0, ..settings });
            Box::new(Fetched::new(*fetch, network, here))
        }
        SourceSettings::OneRosterRest(settings) => Box::new(RestSource::new(*settings, network, pages.clone())),
    }
}

impl Reader for CsvSource {
    fn look(&self, name: &str, head: &[u8]) -> Result<String, SourceError> {
        self.look_at(head).map_err(|why| SourceError::Unusable { upstream: name.to_owned(), why: why.to_owned() })
    }
}
