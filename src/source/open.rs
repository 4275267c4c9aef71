//! From settings to a source: the one place that knows all kinds of sources.

use std::path::Path;
use std::sync::Arc;

use crate::base::SourceId;
use crate::roster::IntakePolicy;
use crate::source::api::{RosterSource, SourceError};
use crate::source::classlink::{ClassLinkSettings, ClassLinkSource};
use crate::source::clever::{CleverSettings, CleverSource};
use crate::source::csv::{CsvSource, CsvSourceSettings, DropKind};
use crate::source::delimited::{DelimitedSettings, DelimitedSource, Dialect};
use crate::source::fetch::{FetchSettings, Fetched, Pattern, Reader};
use crate::source::hr::{HrSettings, HrSource};
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
    /// Delimited files of people.
    Delimited(Box<DelimitedSettings>),
    /// The same, fetched from another machine.
    DelimitedFetched(Box<FetchSettings>, Box<DelimitedSettings>),
    /// OneRoster over REST.
    OneRosterRest(Box<RestSettings>),
    /// A district of ClassLink.
    ClassLink(Box<ClassLinkSettings>),
    /// A district of Clever.
    Clever(Box<CleverSettings>),
    /// An HR system: SCIM, BambooHR, Workday.
    Hr(Box<HrSettings>),
}

impl SourceSettings {
    /// How lenient the intake of its rows is.
    pub fn intake(&self) -> IntakePolicy {
        match self {
            SourceSettings::OneRosterCsv(csv) | SourceSettings::OneRosterFetched(_, csv) => {
                IntakePolicy { lenient: csv.lenient, courses_optional: csv.courses_optional }
            }
            SourceSettings::Delimited(_) | SourceSettings::DelimitedFetched(..) => IntakePolicy::default(),
            SourceSettings::OneRosterRest(rest) => {
                IntakePolicy { lenient: rest.read.lenient, courses_optional: rest.read.courses_optional }
            }
            SourceSettings::ClassLink(classlink) => {
                IntakePolicy { lenient: classlink.read.lenient, courses_optional: classlink.read.courses_optional }
            }
            SourceSettings::Clever(_) => IntakePolicy { lenient: false, courses_optional: true },
            // There are no classes, and no second rows of a person.
            SourceSettings::Hr(_) => IntakePolicy::default(),
        }
    }

    /// The attribute that tells when a person last logged in, where files bring one.
    pub fn activity_column(&self) -> Option<&str> {
        match self {
            SourceSettings::OneRosterCsv(csv) | SourceSettings::OneRosterFetched(_, csv) => csv.activity_column.as_deref(),
            SourceSettings::Delimited(_) | SourceSettings::DelimitedFetched(..) => None,
            SourceSettings::OneRosterRest(_)
            | SourceSettings::ClassLink(_)
            | SourceSettings::Clever(_)
            | SourceSettings::Hr(_) => None,
        }
    }

    /// Its id.
    pub fn id(&self) -> &SourceId {
        match self {
            SourceSettings::OneRosterCsv(csv) | SourceSettings::OneRosterFetched(_, csv) => &csv.id,
            SourceSettings::Delimited(files) | SourceSettings::DelimitedFetched(_, files) => &files.id,
            SourceSettings::OneRosterRest(rest) => &rest.id,
            SourceSettings::ClassLink(classlink) => &classlink.id,
            SourceSettings::Clever(clever) => &clever.id,
            SourceSettings::Hr(hr) => &hr.id,
        }
    }

    /// How rows of its files are written; `None` where they are OneRoster packages or pages.
    pub fn dialect(&self) -> Option<Dialect> {
        match self {
            SourceSettings::Delimited(files) | SourceSettings::DelimitedFetched(_, files) => Some(files.dialect),
            SourceSettings::OneRosterCsv(_) | SourceSettings::OneRosterFetched(..) => None,
            SourceSettings::OneRosterRest(_)
            | SourceSettings::ClassLink(_)
            | SourceSettings::Clever(_)
            | SourceSettings::Hr(_) => None,
        }
    }

    /// The same, with files on their way in this folder and taken at first sight: for a look beside the daemon's.
    #[must_use]
    pub fn aside(mut self, work: &Path) -> Self {
        match &mut self {
            SourceSettings::OneRosterFetched(fetch, _) | SourceSettings::DelimitedFetched(fetch, _) => {
                work.clone_into(&mut fetch.work);
            }
            SourceSettings::OneRosterCsv(csv) => csv.settle_secs = 0,
            SourceSettings::Delimited(files) => files.settle_secs = 0,
            SourceSettings::OneRosterRest(_)
            | SourceSettings::ClassLink(_)
            | SourceSettings::Clever(_)
            | SourceSettings::Hr(_) => {}
        }
        self
    }

    /// Whether packages arrive by themselves and are taken when they do.
    pub fn is_watched(&self) -> bool {
        match self {
            SourceSettings::OneRosterCsv(csv) => csv.kind == DropKind::Drop,
            SourceSettings::Delimited(files) => files.pattern.is_some(),
            SourceSettings::OneRosterFetched(..) | SourceSettings::DelimitedFetched(..) => false,
            SourceSettings::OneRosterRest(_)
            | SourceSettings::ClassLink(_)
            | SourceSettings::Clever(_)
            | SourceSettings::Hr(_) => false,
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
        SourceSettings::Delimited(settings) => Box::new(DelimitedSource::new(*settings, network.pace().clone())),
        SourceSettings::DelimitedFetched(fetch, settings) => {
            // What was fetched is at rest, and under names that sort.
            let here = |path| {
                let pattern = settings.pattern.as_ref().and_then(|_| Pattern::parse("*").ok());
                let settings =
                    DelimitedSettings { path, pattern, settle_secs: 0, marker: false, age_hours_max: None, ..*settings };
                DelimitedSource::new(settings, network.pace().clone())
            };
            Box::new(Fetched::new(*fetch, network, here))
        }
        SourceSettings::OneRosterRest(settings) => Box::new(RestSource::new(*settings, network, pages.clone())),
        SourceSettings::ClassLink(settings) => Box::new(ClassLinkSource::new(*settings, network, pages.clone())),
        SourceSettings::Clever(settings) => Box::new(CleverSource::new(*settings, network, pages.clone())),
        SourceSettings::Hr(settings) => Box::new(HrSource::new(*settings, network, pages.clone())),
    }
}

impl Reader for CsvSource {
    fn look(&self, name: &str, head: &[u8]) -> Result<String, SourceError> {
        self.look_at(head).map_err(|why| SourceError::Unusable { upstream: name.to_owned(), why: why.to_owned() })
    }
}
