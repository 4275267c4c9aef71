//! From settings to the service: opens the store, builds customers and their sources, sets the clock.

use std::sync::Arc;

use crate::base::{Actor, Instant};
use crate::clock::{Clock, SetClock, SystemClock};
use crate::roster::IntakePolicy;
use crate::service::{Customer, Feed, Service};
use crate::settings::{self, CustomerSettings, Settings, SourceKind, StoreKind};
use crate::source::{self, CsvSourceSettings, DropKind, RosterSource, open_source};
use crate::store::{self, StoreChoice, StoreError};

/// The service that these settings describe, at a set time or at the machine's.
///
/// # Errors
/// When the store cannot be opened.
pub fn service(settings: &Settings, as_of: Option<Instant>) -> Result<Service, StoreError> {
    let StoreKind::Sqlite = settings.store.kind;
    let store = store::open(&StoreChoice::Sqlite { path: settings.store.path.clone() })?;
    let clock: Arc<dyn Clock> = match as_of {
        Some(instant) => Arc::new(SetClock::at(instant)),
        None => Arc::new(SystemClock),
    };
    Ok(Service::new(store, clock, customers(settings)))
}

/// The customers of the settings, in their order. Reaches no source.
pub fn customers(settings: &Settings) -> Vec<Customer> {
    settings.customers.iter().map(customer).collect()
}

fn customer(settings: &CustomerSettings) -> Customer {
    // When and in whose name is filled in by the run that writes them down.
    let (unrecorded, nobody) = (Instant::default(), Actor::system());
    Customer {
        name: settings.name.clone(),
        policy: settings.policy.clone(),
        sources: settings.sources.iter().map(feed).collect(),
        grants: settings.grants.iter().map(|grant| grant.recorded(unrecorded, nobody.clone())).collect(),
        agreed: settings.agreed.iter().map(|agreed| agreed.recorded(unrecorded, nobody.clone())).collect(),
        bad_percent_max: settings.bad_percent_max,
        nightly: settings.nightly.clone(),
        catchup_window_hours: settings.catchup_window_hours,
        stale_after_hours: settings.stale_after_hours,
    }
}

fn feed(settings: &settings::SourceSettings) -> Feed {
    let SourceKind::OneRosterCsv = settings.kind;
    let kind = if settings.drop { DropKind::Drop } else { DropKind::Package };
    let csv = CsvSourceSettings {
        bulk_with_status: match settings.bulk_with_status {
            settings::BulkWithStatus::Strict => source::BulkWithStatus::Strict,
            settings::BulkWithStatus::Delta => source::BulkWithStatus::Delta,
            settings::BulkWithStatus::Full => source::BulkWithStatus::Full,
        },
        lenient: settings.lenient,
        courses_optional: settings.courses_optional,
        keep_metadata: settings.keep_metadata.clone(),
        settle_secs: u64::from(settings.settle_secs),
        ..CsvSourceSettings::new(settings.id.clone(), &settings.path, kind)
    };
    let source: Arc<dyn RosterSource> = Arc::from(open_source(source::SourceSettings::OneRosterCsv(csv)));
    let intake = IntakePolicy { lenient: settings.lenient, courses_optional: settings.courses_optional };
    Feed { source, intake, watched: settings.drop }
}
