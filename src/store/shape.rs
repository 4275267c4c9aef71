//! Rows as the store hands them out. How they lie on disk is the store's own business.

use std::fmt;

use crate::base::{
    Actor, CustomerId, Day, Digest, Instant, OrgId, PersonKey, PoolId, ProductId, RequestId, RunId, SourceId, TextArena,
    Version,
};
use crate::license::{Claim, ClaimChange, Compliance, Entry, Names};
use crate::plan::Notice;
use crate::roster::Scope;

/// Why a run is made. Goes to the trail, never into what the run does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The nightly schedule, for a local date (R95).
    Nightly(Day),
    /// An admin asked (R96).
    SameDay(Asked),
    /// A package arrived in a drop folder.
    Drop,
    /// A local date began: starts and ends of that date act, and no source is read (R132).
    Dates(Day),
    /// Somebody undoes a run (R126).
    Revert(RunId, Actor),
    /// A file of people was uploaded by hand (R133).
    Import(Actor),
}

/// What an admin asked for (R96).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who.
    pub by: Actor,
    /// Read this source only; the others stand as they were last taken in. `None`: all of them.
    pub source: Option<SourceId>,
    /// Whoever is absent from a source that is read counts as gone at once (R131).
    pub confirm_absences: bool,
    /// Only these people are taken in; everybody else stays as last taken in. `None`: everybody.
    pub scope: Option<Scope>,
}

impl Asked {
    /// All sources, and nothing special.
    pub fn by(actor: Actor) -> Self {
        Self { by: actor, source: None, confirm_absences: false, scope: None }
    }
}

impl Trigger {
    /// The trigger's word.
    pub fn word(&self) -> &'static str {
        match self {
            Trigger::Nightly(_) => "nightly",
            Trigger::SameDay(_) => "same_day",
            Trigger::Drop => "drop",
            Trigger::Dates(_) => "dates",
            Trigger::Revert(..) => "revert",
            Trigger::Import(_) => "import",
        }
    }

    /// Whether a run for this trigger does all that `other` asks for, so that a wish for `other` may join it (R97).
    pub fn covers(&self, other: &Trigger) -> bool {
        let asked = |trigger: &Trigger| match trigger {
            Trigger::SameDay(Asked { by: _, source, confirm_absences, scope }) => {
                (source.clone(), *confirm_absences, scope.clone())
            }
            Trigger::Nightly(_) | Trigger::Drop | Trigger::Dates(_) | Trigger::Revert(..) | Trigger::Import(_) => {
                (None, false, None)
            }
        };
        let reads = |trigger: &Trigger| !matches!(trigger, Trigger::Dates(_));
        let ((source, confirms, scope), (wanted, confirm, narrow)) = (asked(self), asked(other));
        // A run that reads may fail with its source, and dates must act all the same: the two kinds never stand in
        // for each other.
        reads(self) == reads(other)
            && (source.is_none() || source == wanted)
            && (confirms || !confirm)
            && (scope.is_none() || scope == narrow)
    }

    /// The only people whom its run takes in.
    pub fn scope(&self) -> Option<&Scope> {
        if let Trigger::SameDay(asked) = self { asked.scope.as_ref() } else { None }
    }

    /// The local date for which the schedule made it; a date is scheduled once.
    pub fn scheduled_day(&self) -> Option<Day> {
        match self {
            Trigger::Nightly(day) | Trigger::Dates(day) => Some(*day),
            Trigger::SameDay(_) | Trigger::Drop | Trigger::Revert(..) | Trigger::Import(_) => None,
        }
    }

    /// In whose name the run acts.
    pub fn actor(&self) -> Actor {
        match self {
            Trigger::SameDay(asked) => asked.by.clone(),
            Trigger::Revert(_, actor) | Trigger::Import(actor) => actor.clone(),
            Trigger::Nightly(_) | Trigger::Drop | Trigger::Dates(_) => Actor::system(),
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
    /// When it was over.
    pub ended: Option<Instant>,
}

/// A wish for a same-day run, on its way to the store (R96, R98).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SameDayWish {
    /// What for.
    pub asked: Asked,
    /// The customer's local date.
    pub day: Day,
    /// The end of that date.
    pub deadline: Instant,
    /// How many wishes the customer has on a date.
    pub day_max: u32,
}

/// What became of a wish for a same-day run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SameDayTaken {
    /// How many wishes of that date were taken, this one among them.
    pub used: u32,
    /// Its request; `None`: refused, all wishes of the date are used.
    pub place: Option<RequestPlace>,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestPlace {
    /// The request.
    pub request: RequestId,
    /// It was in line already, and this wish joined it (R97).
    pub joined: bool,
    /// Its place among all that are in line, from 1.
    pub position: u32,
}

/// A wish for a same-day run that nobody looked at since it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SameDayRow {
    /// Its number.
    pub number: u64,
    /// The request it made or joined.
    pub request: RequestId,
    /// When it was made.
    pub at: Instant,
    /// By when it is to be done.
    pub deadline: Instant,
    /// When its request was over; `None`: it is not.
    pub ended: Option<Instant>,
}

impl SameDayRow {
    /// Whether it is or was not over by its deadline.
    pub fn is_late(&self, now: Instant) -> bool {
        self.ended.unwrap_or(now) > self.deadline || (self.ended.is_none() && now == self.deadline)
    }
}

/// A dated window in which a source is not read (R108).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Which source.
    pub source: SourceId,
    /// From when on.
    pub from: Instant,
    /// From when on it is read again.
    pub to: Instant,
    /// Why; no personal data.
    pub reason: String,
}

impl Pause {
    /// Whether the source is not read at `at`.
    pub fn covers(&self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }
}

/// The last look at a source that is asked over the network: whatever it says, nothing of the books rests on this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLook {
    /// Which source.
    pub source: SourceId,
    /// The package of the books that the cursor goes on from; with other books it means nothing.
    pub package: Digest,
    /// Where the next read may start; `None`: at the beginning.
    pub cursor: Option<String>,
    /// When everything was last read (R106).
    pub full_at: Instant,
    /// When it was last looked at, also if nothing had changed.
    pub at: Instant,
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
    /// Its name: a digest of all it says.
    pub digest: Digest,
    /// The snapshot whose difference from it is kept; `None`: it is kept whole.
    pub base: Option<Digest>,
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
    pub pool: PoolId,
    /// Its home org.
    pub home: OrgId,
    /// Its reasons.
    pub reasons: String,
    /// Why it was released.
    pub because: crate::license::Because,
    /// In which run.
    pub run: Option<RunId>,
}

/// How a pool stood when it was last looked at (R145, R150, R152).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Its status.
    pub status: Compliance,
    /// Few seats were left.
    pub near: bool,
    /// Somebody waited.
    pub waiting: bool,
}

/// A pool that does not stand as it did, and what to tell of it; the instant is added to the notices' keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchChange {
    /// Which pool.
    pub pool: PoolId,
    /// As it stood; the change is left out if that is no longer so.
    pub before: Option<Watch>,
    /// As it stands.
    pub after: Watch,
    /// What to tell.
    pub notices: Vec<Notice>,
}

/// A log-in of a person: nobody's birth date, address or anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityRow {
    /// The person key.
    pub person: String,
    /// Into which product; `None`: into all.
    pub product: Option<ProductId>,
    /// When last.
    pub at: Instant,
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
