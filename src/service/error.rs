//! What can go wrong in a use case, and which exit code or status it deserves.

use crate::base::{CustomerId, Instant, RunId, Version};
use crate::plan::{Flaw, PlanError};
use crate::source::SourceError;
use crate::store::StoreError;

/// Why a use case could not be done. Refusals are not errors: they are answers.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The store could not answer.
    #[error("use the store")]
    Store(#[from] StoreError),
    /// A source could not be read.
    #[error("read source {source_id}")]
    Source {
        /// Which.
        source_id: crate::base::SourceId,
        /// Why.
        #[source]
        cause: SourceError,
    },
    /// The settings and the roster do not fit.
    #[error("plan for {customer}")]
    Plan {
        /// Whose.
        customer: CustomerId,
        /// Why.
        #[source]
        cause: PlanError,
    },
    /// A plan failed its check: a bug. Nothing was changed.
    #[error("trust the plan for {customer}: {}", .flaws.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Flawed {
        /// Whose.
        customer: CustomerId,
        /// What is wrong with it.
        flaws: Vec<Flaw>,
    },
    /// A stored snapshot cannot be read back.
    #[error("read a stored snapshot of {customer}: {why}")]
    Snapshot {
        /// Whose.
        customer: CustomerId,
        /// Why.
        why: String,
    },
    /// Rows that lay on the disk while a source was read cannot be had back.
    #[error(
        "read the sources of {customer}: rows that were put on the disk meanwhile cannot be read back; the next run reads them again"
    )]
    RowsLost {
        /// Whose.
        customer: CustomerId,
    },
    /// The trail contradicts itself: `rosterd audit verify` tells more.
    #[error("follow the trail of {customer}: {why}")]
    Trail {
        /// Whose.
        customer: CustomerId,
        /// How it shows.
        why: String,
    },
    /// A question about a past instant needs a roster that is no longer kept. The books of that instant are.
    #[error(
        "look at the people of {customer} as of {at}: that roster is no longer kept; claims, balances and reports of orgs are"
    )]
    RosterGone {
        /// Whose.
        customer: CustomerId,
        /// The instant asked about.
        at: Instant,
    },
    /// The plan was made on another version.
    #[error("apply run {run}: it was planned on version {planned}, the books are at {now} (plan again)")]
    Stale {
        /// The run.
        run: RunId,
        /// Its version.
        planned: Version,
        /// The version now.
        now: Version,
    },
    /// The plan previews a file of people, and is confirmed with the file and its token (R134).
    #[error("apply run {run}: it previews a file of people, which is confirmed by sending it again with its token")]
    TokenWanted {
        /// The run.
        run: RunId,
    },
    /// A run of the customer reads its sources now; nobody else may.
    #[error("read the sources of {customer}: a run of it is under way; ask again when it is over")]
    UnderWay {
        /// Whose.
        customer: CustomerId,
    },
    /// The program broke off in the middle: a bug.
    #[error("come to its end: it broke off (this is a bug; the log says where)")]
    BrokeOff,
    /// The machine gives no random bytes.
    #[error("make a token: no random bytes are to be had")]
    Random {
        /// Why.
        #[source]
        cause: getrandom::Error,
    },
    /// There is no such thing.
    #[error("find {what} {id}{}", .hint.as_ref().map(|h| format!("; did you mean {h}?")).unwrap_or_default())]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        id: String,
        /// Something similar.
        hint: Option<String>,
    },
    /// The settings contradict what was recorded.
    #[error("accept the settings of {customer}: {why}")]
    Settings {
        /// Whose.
        customer: CustomerId,
        /// Why.
        why: String,
    },
}

/// Kinds of errors, for exit codes and statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The caller named something that does not exist.
    Unknown,
    /// The plan is out of date.
    PlanStale,
    /// A run is under way.
    UnderWay,
    /// A source is down or delivered something unusable.
    SourceDown,
    /// The settings are wrong.
    BadSettings,
    /// The store is not to be had right now.
    StoreDown,
    /// What is stored cannot be read back.
    Damaged,
    /// Our fault.
    Bug,
}

impl ServiceError {
    /// A stored snapshot that cannot be read back, or that cannot be written.
    pub(crate) fn snapshot(customer: &CustomerId, why: &dyn std::error::Error) -> Self {
        ServiceError::Snapshot { customer: customer.clone(), why: why.to_string() }
    }

    /// Whether it passes without anybody changing what was asked for: the store is full, read-only or
    /// busy, its disk fails, or others wrote to the books all the time.
    pub fn passes(&self) -> bool {
        let ServiceError::Store(error) = self else { return false };
        match error {
            StoreError::DiskFull { .. }
            | StoreError::ReadOnly { .. }
            | StoreError::Disk { .. }
            | StoreError::Busy { .. }
            | StoreError::Away { .. }
            | StoreError::RunClosed { .. }
            | StoreError::RequestLost { .. }
            | StoreError::SchemaNewer { .. }
            | StoreError::VersionMoved { .. }
            | StoreError::SnapshotGone { .. } => true,
            StoreError::DaemonRunning { .. }
            | StoreError::Absent { .. }
            | StoreError::Occupied { .. }
            | StoreError::SchemaOlder { .. }
            | StoreError::OlderNodes { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Backup { .. }
            | StoreError::Restore { .. }
            | StoreError::InUse { .. }
            | StoreError::Archive { .. }
            | StoreError::Database { .. } => false,
        }
    }

    /// Which kind it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            ServiceError::Store(StoreError::Corrupt { .. }) | ServiceError::Snapshot { .. } => ErrorKind::Damaged,
            ServiceError::Store(
                StoreError::VersionMoved { .. }
                | StoreError::SnapshotGone { .. }
                | StoreError::DaemonRunning { .. }
                | StoreError::DiskFull { .. }
                | StoreError::ReadOnly { .. }
                | StoreError::Busy { .. }
                | StoreError::Away { .. }
                | StoreError::RunClosed { .. }
                | StoreError::RequestLost { .. }
                | StoreError::Absent { .. }
                | StoreError::Occupied { .. }
                | StoreError::SchemaOlder { .. }
                | StoreError::SchemaNewer { .. }
                | StoreError::OlderNodes { .. }
                | StoreError::Backup { .. }
                | StoreError::Restore { .. }
                | StoreError::InUse { .. }
                | StoreError::Archive { .. }
                | StoreError::Disk { .. }
                | StoreError::Database { .. },
            ) => ErrorKind::StoreDown,
            ServiceError::Source { .. } | ServiceError::RowsLost { .. } => ErrorKind::SourceDown,
            ServiceError::Plan { .. } | ServiceError::Settings { .. } => ErrorKind::BadSettings,
            ServiceError::Flawed { .. } | ServiceError::Trail { .. } | ServiceError::BrokeOff | ServiceError::Random { .. } => {
                ErrorKind::Bug
            }
            ServiceError::Stale { .. } | ServiceError::TokenWanted { .. } => ErrorKind::PlanStale,
            ServiceError::UnderWay { .. } => ErrorKind::UnderWay,
            ServiceError::Unknown { .. } | ServiceError::RosterGone { .. } => ErrorKind::Unknown,
        }
    }
}
