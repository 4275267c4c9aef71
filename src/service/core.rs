//! The service: what all doors share. It owns the store, the clock and the customers; it knows no door.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::{CustomerId, Day, Digest, Digester, Instant, PersonKey, PoolId, QuietHours, SourceId, most_similar};
use crate::clock::{Clock, SetClock};
use crate::license::{ActivityLimits, AgreedExcess, Grant, Pool, Term};
use crate::plan::{Policy, Standing};
use crate::roster::{IntakePolicy, MatchBy};
use crate::service::dues::Dues;
use crate::service::error::ServiceError;
use crate::service::seen::Courses;
use crate::service::turns::Turns;
use crate::service::unsaved::Unsaved;
use crate::source::RosterSource;
use crate::store::{Pause, SharedStore};

/// The source of people made by hand (R133). Every customer has it; no configured source may take its id.
pub const MANUAL_SOURCE: &str = "manual";

/// What the settings say of people made by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHandPolicy {
    /// `protected`: people whom no file by hand removes (R134).
    pub protected: Vec<PersonKey>,
    /// `admission.coupled_create_manual`: nobody is created while a product with `auto_assign` is exhausted (R52).
    pub coupled_create: bool,
}

impl Default for ByHandPolicy {
    fn default() -> Self {
        Self { protected: Vec::new(), coupled_create: true }
    }
}

/// A customer as the settings describe it.
pub struct Customer {
    /// Its display name.
    pub name: String,
    /// What planning needs: id, products, pools, rules, limits.
    pub policy: Policy,
    /// Its roster feeds.
    pub sources: Vec<Feed>,
    /// By what people of several sources are known to be one: `identity.match`. Empty: by equal keys.
    pub same_person: Vec<MatchBy>,
    /// Grants written in the settings; recorded once, at the next run. `recorded` and `by` are filled in then.
    pub grants: Vec<Grant>,
    /// Agreed excesses written in the settings; the same.
    pub agreed: Vec<AgreedExcess>,
    /// Terms written in the settings; the same. Corrections are recorded by hand.
    pub terms: Vec<Term>,
    /// `validation.max_bad_percent` (R105).
    pub bad_percent_max: u32,
    /// The nightly schedule: a cron expression in the zone of the policy's calendar; `None`: none.
    pub nightly: Option<String>,
    /// A scheduled run missed by less than so many hours is made up for (R100).
    pub catchup_window_hours: u32,
    /// A snapshot older than so many hours is marked as stale (R148).
    pub stale_after_hours: u32,
    /// A live source is read in full at least every so many days: `sync.full_every_days` (R106).
    pub full_every_days: u32,
    /// How many same-day runs may be asked for on a local date: `same_day.max_per_day` (R98).
    pub same_day_max: u32,
    /// A request that takes longer than so many seconds is told: `latency.target_secs` (R107).
    pub latency_target_secs: u32,
    /// Windows of the settings in which a source is not read (R108).
    pub pauses: Vec<Pause>,
    /// Local times in which a source is not asked, and its failures are no alarm; a source may have several.
    pub quiet: Vec<(SourceId, QuietHours)>,
    /// People made by hand.
    pub by_hand: ByHandPolicy,
    /// What reports and alerts go by.
    pub reports: ReportPolicy,
}

/// What reports and alerts go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportPolicy {
    /// Which log-ins are recent, and which seats inactive (R144).
    pub activity: ActivityLimits,
    /// Alert when few seats are left (R152).
    pub near_limit: bool,
    /// An overage is told of again after so many business days: `alerts.remind_business_days` (R151); 0: never.
    pub remind_business_days: u32,
    /// A nightly sync that was not done so many hours after its time is told: `alerts.sync_overdue_hours`; 0: never.
    pub sync_overdue_hours: u32,
}

impl Default for ReportPolicy {
    fn default() -> Self {
        Self { activity: ActivityLimits::STANDARD, near_limit: true, remind_business_days: 5, sync_overdue_hours: 12 }
    }
}

/// A source with what its intake needs to know.
pub struct Feed {
    /// The source.
    pub source: Arc<dyn RosterSource>,
    /// How lenient its intake is.
    pub intake: IntakePolicy,
    /// New packages are taken as they arrive, without waiting for the night.
    pub watched: bool,
    /// The attribute that tells when a person last logged in (R144).
    pub activity_column: Option<String>,
}

impl Customer {
    /// Its id.
    pub fn id(&self) -> &CustomerId {
        &self.policy.customer
    }

    /// A digest of what a plan depends on beside books, roster and time, the program among it. A policy that was never digested
    /// is like no other.
    pub(crate) fn settings(&self) -> Option<Digest> {
        let policy = self.policy.digest;
        let mut digester = Digester::new("rest");
        digester.field(env!("CARGO_PKG_VERSION").as_bytes()).field(&policy.0);
        (policy != Digest::default()).then(|| digester.finish())
    }

    /// Its local date at an instant.
    pub fn day_of(&self, at: Instant) -> Day {
        self.policy.calendar.day_of(at)
    }

    /// When a source was last taken in. What is made by hand says nothing of how old the rest is.
    pub fn newest_snapshot(&self, standing: &Standing) -> Option<Instant> {
        let by_hand_only = self.sources.is_empty();
        let told = standing.sources.values().filter(|mark| by_hand_only || mark.source.as_str() != MANUAL_SOURCE);
        told.map(|mark| mark.at).max()
    }

    /// Whoever read its sources is done: nothing of it is kept on this machine.
    pub(crate) fn done_reading(&self) {
        self.sources.iter().for_each(|feed| feed.source.done());
    }

    /// One of its pools.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] with a suggestion.
    pub fn pool(&self, id: &PoolId) -> Result<&Pool, ServiceError> {
        self.policy.pools.iter().find(|p| p.id == *id).ok_or_else(|| ServiceError::Unknown {
            what: "pool",
            id: id.to_string(),
            hint: most_similar(id.as_str(), self.policy.pools.iter().map(|p| p.id.as_str())),
        })
    }
}

/// Where old content of trails goes, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archiving {
    /// The folder.
    pub folder: PathBuf,
    /// So many days stay in the store.
    pub keep_days: u32,
}

/// The one layer all doors share. All calls block.
pub struct Service {
    pub(crate) store: SharedStore,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) unsaved: Unsaved,
    /// Its clock was set: what lies after it is not told.
    pub(crate) looks_back: bool,
    pub(crate) dues: Dues,
    pub(crate) term_dues: Dues,
    /// `None`: trails stay whole in the store.
    pub(crate) archiving: Option<Archiving>,
    /// Who reads whose sources now.
    pub(crate) turns: Turns,
    pub(crate) courses: Courses,
    customers: Arc<[Customer]>,
}

impl Service {
    /// Puts the parts together.
    pub fn new(store: SharedStore, clock: Arc<dyn Clock>, customers: Vec<Customer>) -> Self {
        Self {
            store,
            clock,
            unsaved: Unsaved::default(),
            dues: Dues::default(),
            term_dues: Dues::default(),
            turns: Turns::default(),
            courses: Courses::default(),
            looks_back: false,
            archiving: None,
            customers: customers.into(),
        }
    }

    /// The same for somebody who set the clock: questions are answered as of that instant, also if it has passed.
    #[must_use]
    pub fn looking_back(self) -> Self {
        Self { looks_back: true, ..self }
    }

    /// The same books and customers for one question of somebody who takes another instant for now. It answers and writes
    /// nothing: what it would remember of its work is forgotten with it.
    #[must_use]
    pub fn looking_from(&self, at: Instant) -> Self {
        let archiving = self.archiving.clone();
        let customers = Arc::clone(&self.customers);
        let none = Self::new(self.store.clone(), Arc::new(SetClock::at(at)), Vec::new()).archiving(archiving).looking_back();
        Self { customers, ..none }
    }

    /// The same, with old content of trails going to files (R160).
    #[must_use]
    pub fn archiving(self, archiving: Option<Archiving>) -> Self {
        Self { archiving, ..self }
    }

    /// The end of a process that has its answer: the store is closed, customers are left to the end and not taken apart one by one.
    pub fn leave(self) {
        std::mem::forget(Arc::clone(&self.customers));
    }

    /// The store, for doors that only read rows.
    pub fn store(&self) -> &SharedStore {
        &self.store
    }

    /// Now, as this service's clock has it.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The configured customers, in the order of the settings.
    pub fn customers(&self) -> &[Customer] {
        &self.customers
    }

    /// One customer.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] with a suggestion.
    pub fn customer(&self, id: &str) -> Result<&Customer, ServiceError> {
        self.customers.iter().find(|c| c.id().as_str() == id).ok_or_else(|| ServiceError::Unknown {
            what: "customer",
            id: id.to_owned(),
            hint: most_similar(id, self.customers.iter().map(|c| c.id().as_str())),
        })
    }
}
