//! Rows as the store hands them out. How they lie on disk is the store's own business.

use std::fmt;

use crate::base::{Actor, CustomerId, Day, Digest, Instant, PersonKey, RequestId, RunId, SourceId, TextArena, Version};
use crate::license::{Claim, ClaimChange, Entry, Names};

/// Why a run is made. Goes to the trail, never into what the run does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The nightly schedule, for a local date (R95).
    Nightly(Day),
    /// An admin asked (R96).
    SameDay(Actor),
    /// A package arrived in a drop folder.
    Drop,
    /// A file of people was uploaded by hand (R133).
    Import(Actor),
}

impl Trigger {
    /// The trigger's word.
    pub fn word(&self) -> &'static str {
        match self {
            Trigger::Nightly(_) => "nightly",
            Trigger::SameDay(_) => "same_day",
            Trigger::Drop => "drop",
            Trigger::Import(_) => "import",
        }
    }

    /// In whose name the run acts.
    pub fn actor(&self) -> Actor {
        match self {
            Trigger::SameDay(actor) | Trigger::Import(actor) => actor.clone(),
            Trigger::Nightly(_) | Trigger::Drop => Actor::system(),
        }
    }
}

/// States of a run (R109).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    /// Reading its sources.
    Fetching,
    /// Working out the plan.
    Planning,
    /// Planned on request; nothing was changed (a dry run ends here).
    Planned,
    /// A guard wants a decision; what it does not cover was done.
    Held,
    /// Writing.
    Committing,
    /// All done.
    Succeeded,
    /// Done, but somebody or something was left out.
    SucceededWithErrors,
    /// Nothing was changed.
    Failed,
    /// Stopped before it changed anything.
    Cancelled,
    /// Undone later.
    Reverted,
}

impl RunState {
    /// All states.
    pub const ALL: [RunState; 10] = [
        RunState::Fetching,
        RunState::Planning,
        RunState::Planned,
        RunState::Held,
        RunState::Committing,
        RunState::Succeeded,
        RunState::SucceededWithErrors,
        RunState::Failed,
        RunState::Cancelled,
        RunState::Reverted,
    ];

    /// The state's word.
    pub fn word(self) -> &'static str {
        match self {
            RunState::Fetching => "fetching",
            RunState::Planning => "planning",
            RunState::Planned => "planned",
            RunState::Held => "held",
            RunState::Committing => "committing",
            RunState::Succeeded => "succeeded",
            RunState::SucceededWithErrors => "succeeded_with_errors",
            RunState::Failed => "failed",
            RunState::Cancelled => "cancelled",
            RunState::Reverted => "reverted",
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its number.
    pub run: RunId,
    /// Whose.
    pub customer: CustomerId,
    /// Why.
    pub trigger: Trigger,
    /// How far it is or how it ended.
    pub state: RunState,
    /// When it began.
    pub began: Instant,
    /// When it ended.
    pub ended: Option<Instant>,
    /// The packages it took in: `source:name`, sorted by source.
    pub packages: Vec<String>,
    /// Its plan.
    pub plan: Option<Digest>,
    /// The version it committed.
    pub version: Option<Version>,
    /// Claims changed, people withheld, findings.
    pub tally: RunTally,
    /// One line that an operator can act on.
    pub message: String,
    /// Digests of packages it rejected, with their source.
    pub rejected: Vec<(SourceId, Digest)>,
}

/// A run in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunTally {
    /// Active people in the roster.
    pub people: u64,
    /// Claims seated.
    pub seated: u64,
    /// Claims released.
    pub released: u64,
    /// Claims that wait after the run.
    pub waiting: u64,
    /// Other changes of claims.
    pub changed: u64,
    /// Things withheld.
    pub withheld: u64,
    /// Findings.
    pub findings: u64,
}

/// States of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// In line.
    Queued,
    /// Taken.
    Running,
    /// Over.
    Done,
}

/// A wish for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    /// Its number.
    pub request: RequestId,
    /// For whom.
    pub customer: CustomerId,
    /// Why.
    pub trigger: Trigger,
    /// When.
    pub at: Instant,
    /// How far it is.
    pub state: RequestState,
    /// The run it led to.
    pub run: Option<RunId>,
}

/// A finding of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRow {
    /// Its number in the run, from 1.
    pub number: u64,
    /// The source it is about.
    pub source: SourceId,
    /// `package`, `file`, `row`, `graph` or `warning`.
    pub level: String,
    /// The rule broken.
    pub rule: String,
    /// File or endpoint.
    pub file: String,
    /// Line or record number.
    pub row: u64,
    /// The record's id.
    pub record: String,
    /// The field.
    pub field: String,
    /// What was found and expected.
    pub detail: String,
}

/// A snapshot's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRow {
    /// Its name: the digest of its packed bytes.
    pub digest: Digest,
    /// Whose.
    pub customer: CustomerId,
    /// From which source.
    pub source: SourceId,
    /// When it was staged.
    pub at: Instant,
    /// Packed bytes before compression.
    pub bytes: u64,
    /// Active people in it.
    pub people: u64,
    /// Enrollments in it.
    pub enrollments: u64,
}

/// One commit as the trail keeps it.
#[derive(Clone, Debug)]
pub struct AuditCommit {
    /// The version it made.
    pub version: Version,
    /// When.
    pub at: Instant,
    /// By whom.
    pub actor: String,
    /// In which run.
    pub run: Option<RunId>,
    /// From which plan.
    pub plan: Option<Digest>,
    /// What was done.
    pub verb: String,
    /// The words behind positions as of this version.
    pub names: Names,
    /// The keys of the people in `changes`.
    pub people: TextArena,
    /// Changes of claims.
    pub changes: Vec<ClaimChange>,
    /// Everything else.
    pub entries: Vec<Entry>,
    /// The hash before.
    pub parent_hash: Digest,
    /// Its own hash: over the hash before and all of the above, as stored.
    pub hash: Digest,
    /// What the hash comes to when computed again from what is stored.
    pub hash_again: Digest,
}

/// A released claim with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleasedClaim {
    /// Whose.
    pub person: PersonKey,
    /// The claim.
    pub claim: Claim,
    /// Its pool.
    pub pool: crate::base::PoolId,
    /// Its home org.
    pub home: crate::base::OrgId,
    /// Its reasons.
    pub reasons: String,
    /// Why it was released.
    pub because: crate::license::Because,
    /// In which run.
    pub run: Option<RunId>,
}

/// A notice as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRow {
    /// Whose.
    pub customer: CustomerId,
    /// One per fact.
    pub key: String,
    /// What kind.
    pub kind: String,
    /// When.
    pub at: Instant,
    /// The message.
    pub text: String,
}

/// Which process is the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonMark {
    /// Process id.
    pub pid: u32,
    /// Machine.
    pub host: String,
    /// Since when.
    pub since: Instant,
}
