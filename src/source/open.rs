//! From settings to a source: the one place that knows all kinds of sources.

use std::sync::Arc;

use crate::roster::IntakePolicy;
use crate::source::api::RosterSource;
use crate::source::classlink::{ClassLinkSettings, ClassLinkSource};
use crate::source::clever::{CleverSettings, CleverSource};
use crate::source::csv::{CsvSource, CsvSourceSettings, DropKind};
use crate::source::hr::{HrSettings, HrSource};
use crate::source::http::Network;
use crate::source::oneroster::{RestSettings, RestSource};
use crate::source::shelf::PageStore;

/// The settings of one source, of whatever kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSettings {
    /// OneRoster CSV packages.
    OneRosterCsv(CsvSourceSettings),
    /// OneRoster over REST.
    OneRosterRest(Box<RestSettings>),
    /// An HR system: SCIM, BambooHR, Workday.
    Hr(Box<HrSettings>),
    /// A district of ClassLink.
    ClassLink(Box<ClassLinkSettings>),
    /// A district of Clever.
    Clever(Box<CleverSettings>),
}

impl SourceSettings {
    /// How lenient the intake of its rows is.
    pub fn intake(&self) -> IntakePolicy {
        match self {
            SourceSettings::OneRosterCsv(csv) => IntakePolicy { lenient: csv.lenient, courses_optional: csv.courses_optional },
            SourceSettings::OneRosterRest(rest) => {
                IntakePolicy { lenient: rest.read.lenient, courses_optional: rest.read.courses_optional }
            }
            // There are no classes, and no second rows of a person.
            SourceSettings::Hr(_) => IntakePolicy::default(),
            SourceSettings::ClassLink(classlink) => {
                IntakePolicy { lenient: classlink.read.lenient, courses_optional: classlink.read.courses_optional }
            }
            SourceSettings::Clever(_) => IntakePolicy { lenient: false, courses_optional: true },
        }
    }

    /// The attribute that tells when a person last logged in, where files bring one.
    pub fn activity_column(&self) -> Option<&str> {
        match self {
            SourceSettings::OneRosterCsv(csv) => csv.activity_column.as_deref(),
            SourceSettings::OneRosterRest(_)
            | SourceSettings::ClassLink(_)
            | SourceSettings::Clever(_)
            | SourceSettings::Hr(_) => None,
        }
    }

    /// Whether packages arrive by themselves and are taken when they do.
    pub fn is_watched(&self) -> bool {
        match self {
            SourceSettings::OneRosterCsv(csv) => csv.kind == DropKind::Drop,
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
        SourceSettings::OneRosterRest(settings) => Box::new(RestSource::new(*settings, network, pages.clone())),
        SourceSettings::Hr(settings) => Box::new(HrSource::new(*settings, network, pages.clone())),
        SourceSettings::ClassLink(settings) => Box::new(ClassLinkSource::new(*settings, network, pages.clone())),
        SourceSettings::Clever(settings) => Box::new(CleverSource::new(*settings, network, pages.clone())),
    }
}
