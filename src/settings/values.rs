//! Checked settings: what the rest of the program gets to see. Plain values, nothing left to go wrong.

use std::path::PathBuf;

use crate::base::{Actor, CustomerId, GrantId, Instant, PoolId, Seats, SourceId};
use crate::license::{AgreedExcess, Grant, GrantKind};
use crate::plan::Policy;
use crate::telemetry::LogSettings;

/// Everything.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the books are kept.
    pub store: StoreSettings,
    /// How the daemon works.
    pub daemon: DaemonSettings,
    /// What is logged, and how.
    pub log: LogSettings,
    /// The customers, in the order of the file.
    pub customers: Vec<CustomerSettings>,
}

impl Settings {
    /// A customer by id.
    pub fn customer(&self, id: &str) -> Option<&CustomerSettings> {
        self.customers.iter().find(|customer| customer.id.as_str() == id)
    }
}

/// The kinds of stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// One SQLite file.
    Sqlite,
}

/// Where the books are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// In which kind of store.
    pub kind: StoreKind,
    /// The database file.
    pub path: PathBuf,
}

/// How the daemon works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonSettings {
    /// How many customers are worked on at the same time.
    pub workers: u32,
    /// How often drop folders are looked at, in seconds.
    pub drop_poll_secs: u32,
    /// How long a stop waits for runs to end, in seconds.
    pub stop_secs_max: u32,
}

/// One customer.
#[derive(Clone, Debug)]
pub struct CustomerSettings {
    /// Its id.
    pub id: CustomerId,
    /// Its name, for people.
    pub name: String,
    /// When it is synced: a cron pattern of five fields in the zone of `policy.calendar`. `None`: on request only (R95).
    pub nightly: Option<String>,
    /// What plans depend on.
    pub policy: Policy,
    /// Its feeds.
    pub sources: Vec<SourceSettings>,
    /// What was bought, as far as the settings say it.
    pub grants: Vec<GrantSettings>,
    /// What was agreed in writing beyond it.
    pub agreed: Vec<AgreedSettings>,
    /// A collection with more bad records than this is held, in percent (R105).
    pub bad_percent_max: u32,
    /// A scheduled run missed by less than so many hours is made up for (R100).
    pub catchup_window_hours: u32,
    /// A snapshot older than so many hours is stale (R148).
    pub stale_after_hours: u32,
}

/// The kinds of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// OneRoster CSV packages in a folder.
    OneRosterCsv,
}

/// What to make of a status in a file that says it is complete (oneroster-csv §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkWithStatus {
    /// Refuse each such row.
    Strict,
    /// Apply the file as changes.
    Delta,
    /// Trust that the file is complete, and apply the removals as well.
    Full,
}

/// One roster feed of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSettings {
    /// Its id.
    pub id: SourceId,
    /// What it is.
    pub kind: SourceKind,
    /// Where it lies.
    pub path: PathBuf,
    /// A folder into which packages are dropped, not one package that is replaced in place.
    pub drop: bool,
    /// A package counts as complete when it has not changed for so long, in seconds.
    pub settle_secs: u32,
    /// What to make of a status in a complete file.
    pub bulk_with_status: BulkWithStatus,
    /// Take well-known deviations from the standard with a warning.
    pub lenient: bool,
    /// A package without courses is taken.
    pub courses_optional: bool,
    /// Columns of vendor data to keep, for rules.
    pub keep_metadata: Vec<String>,
}

/// The words of `on_full`, without the percentage that one of them needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFullWord {
    /// `overdraw`.
    Overdraw,
    /// `wait`.
    Wait,
    /// `overdraw_up_to`.
    OverdrawUpTo,
}

/// A grant that the settings state. Whoever writes it into the books says when and in whose name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantSettings {
    /// Its id, unique in the customer.
    pub id: GrantId,
    /// The pool.
    pub pool: PoolId,
    /// Seats added; negative: removed.
    pub seats: i64,
    /// In force from here …
    pub from: Instant,
    /// … to before here.
    pub to: Instant,
    /// Why.
    pub kind: GrantKind,
    /// The order or letter it rests on.
    pub reference: String,
}

impl GrantSettings {
    /// The grant, as written down at an instant by somebody.
    pub fn recorded(&self, recorded: Instant, by: Actor) -> Grant {
        let GrantSettings { id, pool, seats, from, to, kind, reference } = self.clone();
        Grant { id, pool, seats, from, to, recorded, by, kind, reference }
    }
}

/// An agreed excess that the settings state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedSettings {
    /// Its id, unique in the customer.
    pub id: GrantId,
    /// The pool.
    pub pool: PoolId,
    /// How many.
    pub seats: Seats,
    /// In force from here …
    pub from: Instant,
    /// … to before here.
    pub to: Instant,
    /// The written agreement.
    pub reference: String,
}

impl AgreedSettings {
    /// The agreed excess, as written down at an instant by somebody.
    pub fn recorded(&self, recorded: Instant, by: Actor) -> AgreedExcess {
        let AgreedSettings { id, pool, seats, from, to, reference } = self.clone();
        AgreedExcess { id, pool, seats, from, to, recorded, by, reference }
    }
}
