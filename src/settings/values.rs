//! Checked settings: what the rest of the program gets to see. Plain values, nothing left to go wrong.

use std::path::PathBuf;

use crate::base::{CustomerId, QuietHours, SourceId};
use crate::license::{AgreedExcess, Grant, Term};
use crate::notify::ChannelSettings;
use crate::plan::Policy;
use crate::roster::MatchBy;
use crate::service::{Archiving, ByHandPolicy, OutboxPolicy, ReportPolicy};
use crate::settings::http::HttpSettings;
use crate::settings::problem::Problem;
use crate::source::SourceSettings;
use crate::store::{Pause, PostgresChoice, StoreChoice};
use crate::telemetry::LogSettings;

/// Everything.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the books are kept.
    pub store: StoreSettings,
    /// `[spool]`.
    pub spool: SpoolSettings,
    /// How the daemon works.
    pub daemon: DaemonSettings,
    /// The HTTP door.
    pub http: HttpSettings,
    /// Where old content of trails goes; `None`: it stays.
    pub archiving: Option<Archiving>,
    /// What is logged, and how.
    pub log: LogSettings,
    /// How often and how long notices are tried to be delivered.
    pub outbox: OutboxPolicy,
    /// Who is told of notices: the channels of all customers, then each customer's own.
    pub channels: Vec<ChannelSettings>,
    /// The customers, in the order of the file.
    pub customers: Vec<CustomerSettings>,
    /// Secrets that this process cannot have, such as credentials that only the daemon gets. Who needs one fails.
    pub secrets_absent: Vec<Problem>,
    /// What works and is better done in another way.
    pub advice: Vec<Problem>,
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
    /// A PostgreSQL database.
    Postgres,
}

/// Where the books are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// In which kind of store.
    pub kind: StoreKind,
    /// SQLite: the database file.
    pub path: PathBuf,
    /// PostgreSQL: how it is reached.
    pub postgres: Option<PostgresChoice>,
}

impl StoreSettings {
    /// Which store to open.
    pub fn choice(&self) -> StoreChoice {
        match &self.postgres {
            Some(postgres) => StoreChoice::Postgres(postgres.clone()),
            None => StoreChoice::Sqlite { path: self.path.clone() },
        }
    }
}

/// So many connections to a database server workers and whatever else a daemon does may need at once.
pub(in crate::settings) fn connections_min(workers: u32) -> u32 {
    workers.saturating_mul(2).saturating_add(4)
}

impl Settings {
    /// So many questions over HTTP may be worked on at once: where each needs a connection, what others leave of them.
    pub fn questions_max(&self) -> u32 {
        let left = |choice: &PostgresChoice| choice.connections_max.saturating_sub(connections_min(self.daemon.workers));
        self.store.postgres.as_ref().map_or(u32::MAX, left).max(2)
    }
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
    /// By what people of several sources are known to be one; empty: by equal keys.
    pub same_person: Vec<MatchBy>,
    /// What was bought, as far as the settings say it.
    /// `recorded` and `by` mean nothing yet: the run that writes them down fills them in.
    pub grants: Vec<Grant>,
    /// What was agreed in writing beyond it.
    /// `recorded` and `by` mean nothing yet.
    pub agreed: Vec<AgreedExcess>,
    /// Its pools' terms. `recorded` and `by` mean nothing yet.
    pub terms: Vec<Term>,
    /// A collection with more bad records than this is held, in percent (R105).
    pub bad_percent_max: u32,
    /// A scheduled run missed by less than so many hours is made up for (R100).
    pub catchup_window_hours: u32,
    /// A snapshot older than so many hours is stale (R148).
    pub stale_after_hours: u32,
    /// How many same-day runs may be asked for on a local date (R98).
    pub same_day_max: u32,
    /// A request that takes longer than so many seconds is told (R107).
    pub latency_target_secs: u32,
    /// `sync.full_every_days` (R106).
    pub full_every_days: u32,
    /// Windows in which a source is not read (R108).
    pub pauses: Vec<Pause>,
    /// Local times in which a source is not asked.
    pub quiet: Vec<(SourceId, QuietHours)>,
    /// People made by hand.
    pub by_hand: ByHandPolicy,
    /// What reports and alerts go by.
    pub reports: ReportPolicy,
}

/// `[spool]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolSettings {
    /// The folder for pages of reads under way.
    pub path: PathBuf,
    /// Bytes of one read's pages at most, packed.
    pub bytes_max: u64,
}

/// The kinds of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// OneRoster CSV packages in a folder.
    OneRosterCsv,
    /// OneRoster over REST.
    OneRosterRest,
    /// ClassLink.
    ClassLink,
    /// Clever.
    Clever,
    /// Delimited files of people.
    Delimited,
    /// SCIM 2.0.
    Scim,
    /// BambooHR.
    BambooHr,
    /// A Workday report.
    Workday,
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
