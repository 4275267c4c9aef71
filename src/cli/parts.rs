//! From settings to the service: opens the store, builds customers and their sources, sets the clock.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::base::parts::both;
use crate::base::{Instant, most_similar};
use crate::clock::{Clock, SetClock, SystemClock};
use crate::notify;
use crate::notify::Notifier;
use crate::service::{Customer, Feed, Outbox, Service, ServiceError, SpoolPages, StoredLimits, StoredOutages};
use crate::settings::{CustomerSettings, Settings};
use crate::source::{Network, Pace, PageStore, SourceSettings, open_source};
use crate::store::{self, Opening, SharedStore, StoreError};

/// The service that these settings describe, at a set time or at the machine's. It takes the customers out of the settings.
///
/// # Errors
/// When the store cannot be opened.
pub fn service(settings: &mut Settings, as_of: Option<Instant>, opening: Opening) -> Result<Service, StoreError> {
    let network = network();
    let own = std::mem::take(&mut settings.customers);
    let pages = pages(settings);
    let customers = || own.into_iter().map(|own| customer(own, &network, &pages)).collect();
    let (store, customers) = both(|| store(settings, opening), customers);
    let store = store?;
    network.keep_outages(Arc::new(StoredOutages::new(store.clone())));
    network.share_limits(Arc::new(StoredLimits::new(store.clone())));
    let service = Service::new(store, clock(as_of), customers).archiving(settings.archiving.clone());
    Ok(if as_of.is_some() { service.looking_back() } else { service })
}

/// The outbox of these settings. Reaches nobody.
pub fn outbox(settings: &Settings, service: Arc<Service>) -> Outbox {
    Outbox::new(service, channels(settings), settings.outbox)
}

/// The channels of the settings, in their order. Reaches nobody.
pub fn channels(settings: &Settings) -> Vec<Notifier> {
    notify::open(settings.channels.clone(), Duration::from_secs(settings.outbox.timeout_secs.into()))
}

/// A clock that was set, or the machine's.
pub fn clock(as_of: Option<Instant>) -> Arc<dyn Clock> {
    match as_of {
        Some(instant) => Arc::new(SetClock::at(instant)),
        None => Arc::new(SystemClock),
    }
}

/// A customer of the settings, without its books.
///
/// # Errors
/// [`ServiceError::Unknown`] with a suggestion.
pub fn customer_settings<'s>(settings: &'s Settings, id: &str) -> Result<&'s CustomerSettings, ServiceError> {
    settings.customer(id).ok_or_else(|| ServiceError::Unknown {
        what: "customer",
        id: id.to_owned(),
        hint: most_similar(id, settings.customers.iter().map(|customer| customer.id.as_str())),
    })
}

/// A source of a customer, or all of them.
///
/// # Errors
/// [`ServiceError::Unknown`] with a suggestion.
pub fn source_settings<'s>(customer: &'s CustomerSettings, id: Option<&str>) -> Result<Vec<&'s SourceSettings>, ServiceError> {
    let Some(id) = id else { return Ok(customer.sources.iter().collect()) };
    let found = customer.sources.iter().find(|source| source.id().as_str() == id);
    found.map(|source| vec![source]).ok_or_else(|| ServiceError::Unknown {
        what: "source",
        id: id.to_owned(),
        hint: most_similar(id, customer.sources.iter().map(|source| source.id().as_str())),
    })
}

/// Makes a folder that nobody else may look into, and that was not there.
///
/// # Errors
/// When it is there, or cannot be made.
pub fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// The store that these settings name.
///
/// # Errors
/// When it cannot be opened.
pub fn store(settings: &Settings, opening: Opening) -> Result<SharedStore, StoreError> {
    store::open(&settings.store.choice(), opening)
}

/// The way out to upstreams, one for all: what is shared with an upstream is shared by its customers.
pub fn network() -> Network {
    Network::new(Pace::machine(|| SystemClock.now()))
}

/// The customers of the settings, in their order, by themselves. Reaches no source.
pub fn customers(settings: &Settings) -> Vec<Customer> {
    customers_on(settings, &network())
}

/// The customers of the settings, in their order. Reaches no source.
pub fn customers_on(settings: &Settings, network: &Network) -> Vec<Customer> {
    let pages = pages(settings);
    settings.customers.iter().map(|own| customer(own.clone(), network, &pages)).collect()
}

fn pages(settings: &Settings) -> Arc<dyn PageStore> {
    Arc::new(SpoolPages::new(settings.spool.path.clone(), settings.spool.bytes_max))
}

fn customer(settings: CustomerSettings, network: &Network, pages: &Arc<dyn PageStore>) -> Customer {
    let feeds = settings.sources.into_iter().map(|source| feed(source, network, pages));
    Customer {
        name: settings.name,
        policy: settings.policy,
        sources: feeds.collect(),
        same_person: settings.same_person,
        grants: settings.grants,
        agreed: settings.agreed,
        terms: settings.terms,
        bad_percent_max: settings.bad_percent_max,
        nightly: settings.nightly,
        catchup_window_hours: settings.catchup_window_hours,
        stale_after_hours: settings.stale_after_hours,
        full_every_days: settings.full_every_days,
        same_day_max: settings.same_day_max,
        latency_target_secs: settings.latency_target_secs,
        pauses: settings.pauses,
        quiet: settings.quiet,
        by_hand: settings.by_hand,
        reports: settings.reports,
    }
}

fn feed(settings: SourceSettings, network: &Network, pages: &Arc<dyn PageStore>) -> Feed {
    let activity_column = settings.activity_column().map(str::to_owned);
    let (intake, watched) = (settings.intake(), settings.is_watched());
    Feed { source: Arc::from(open_source(settings, network, pages)), intake, watched, activity_column }
}
