//! What a run would do, what it will not do, and why: a value, immutable, named by its digest.

use crate::base::{
    Balance, CustomerId, Digest, Instant, PersonKey, PoolId, ProductId, Seats, SourceId, Text, TextArena, Version,
};
use crate::license::{Absence, Allowance, Band, Because, Causes, ClaimChange, Entry, Names, SourceMark, StateCounts};

/// The exact list of changes a run would make (R110, R112).
#[derive(Clone, Debug)]
pub struct Plan {
    /// Digest of snapshots, parent version, settings and everything below (R113).
    pub id: Digest,
    /// Whose.
    pub customer: CustomerId,
    /// The version it was made on; a commit on any other is refused (R113).
    pub parent: Version,
    /// When it was made.
    pub at: Instant,
    /// The snapshots it takes in.
    pub snapshots: Vec<SourceMark>,
    /// The words behind the claims' positions: the parent's, possibly with more at the end.
    pub names: Names,
    /// The keys of the people in `changes` and `withheld`.
    pub people: TextArena,
    /// Changes of claims, frees before seats (R55), by person within each.
    pub changes: Vec<ClaimChange>,
    /// What was asked for and is not done.
    pub withheld: Vec<Withheld>,
    /// Changes of who is missing.
    pub absences: Vec<AbsenceChange>,
    /// Each pool that has demand, claims or changes, by id.
    pub pools: Vec<PoolOutlook>,
    /// Everything else that the commit writes down: definitions, grants, episodes, pool books.
    pub entries: Vec<Entry>,
    /// What would be told.
    pub notices: Vec<Notice>,
    /// What the guards said.
    pub verdict: crate::plan::guard::Verdict,
}

/// A change of who is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AbsenceChange {
    /// Missing, kept back or removed.
    Absent(Absence),
    /// Back.
    Returned(PersonKey),
    /// Removed long enough ago: deleted for good (R130).
    Purged(PersonKey),
}

/// Something the rules ask for that the plan does not do; the half of a plan that operators read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// Who, in [`Plan::people`].
    pub person: Text,
    /// Which product; position in the policy's products. `None`: everything of the person.
    pub product: Option<u16>,
    /// Which pool, where one was chosen.
    pub pool: Option<crate::license::PoolIx>,
    /// Why.
    pub because: Because,
}

/// A pool before and after (R112).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolOutlook {
    /// Which.
    pub pool: PoolId,
    /// Of which product.
    pub product: ProductId,
    /// Allowance before.
    pub allowance_before: Allowance,
    /// Allowance after; differs when a grant starts or ends.
    pub allowance: Allowance,
    /// Claims by state before.
    pub before: StateCounts,
    /// Claims by state after.
    pub after: StateCounts,
    /// Balance before; `None` for unlimited.
    pub balance_before: Option<Balance>,
    /// Balance after.
    pub balance: Option<Balance>,
    /// Balance if removals that a guard holds were approved (R123).
    pub balance_if_approved: Option<Balance>,
    /// Band before.
    pub band_before: Band,
    /// Band after.
    pub band: Band,
    /// Causes of the seats below zero after.
    pub causes: Causes,
    /// Claims released.
    pub released: Seats,
    /// Claims seated.
    pub seated: Seats,
}

/// A dated message; written in the same commit as the fact it tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One per fact: `(kind, subject, what happened)`; a second one with the same key is not written (R151).
    pub key: String,
    /// What kind.
    pub kind: NoticeKind,
    /// The pool it is about.
    pub pool: Option<PoolId>,
    /// The source it is about.
    pub source: Option<SourceId>,
    /// The message: numbers and ids, no names of people.
    pub text: String,
}

/// Kinds of notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// A pool went below zero (R50).
    NegativeBalance,
    /// A pool is back at zero or above.
    BalanceRestored,
    /// A grant recorded now will leave too few seats on its date (R54).
    ShortfallAhead,
    /// A run was held by a guard (R122).
    HoldOpened,
    /// A hold was decided, ran out, or went away (R151).
    HoldClosed,
    /// Runs that read the sources fail (R151).
    RunFailed,
    /// After some that failed a run did its work again (R151).
    RunRecovered,
    /// A same-day run was not over by its deadline (R96).
    SameDayMissed,
    /// A request took longer than its target (R107).
    AssignmentDelay,
    /// An overage is in its minor stage, with the deadline to cure it (R64).
    OverageMinor,
    /// It was not cured in time; the upgrade is proposed (R65).
    OverageOverdue,
    /// It is major; the cure window begins (R66).
    OverageMajor,
    /// It is above the minor band, where the clauses only warn of that (R59).
    OverageGap,
    /// The deadline of the minor notice passed (R65).
    CureEnded,
    /// An upgrade is due, and an interlock keeps it from happening (R69).
    UpgradeWithheld,
    /// An upgrade is due and awaits an operator's approval (R70).
    UpgradeProposed,
    /// The next tier was taken (R67).
    Upgraded,
    /// An overage is over.
    OverageClosed,
    /// A closed overage would not have existed; its notices are superseded (R53).
    OverageVoid,
    /// A term without a successor ends in some days (R89).
    RenewalDue,
    /// A term ended without a successor; grace began (R90).
    TermEnded,
    /// Grace ends in some days.
    GraceEnds,
    /// Grace is over: claims are suspended (R93).
    Suspended,
    /// A pool has a term again: suspended claims are back (R93).
    Reinstated,
    /// A term follows one of whose end it was told (R151).
    Renewed,
    /// A renewal said nothing of seats, and a tier upgrade carried over (R80).
    RenewalCarriedOver,
    /// Seats went from person to person more often than the stricter reading allows (R83).
    ReuseWarning,
    /// Seats went from person to person more often than is allowed (R83).
    ReuseExceeded,
    /// A pool stands otherwise with its contract (R145).
    ComplianceChanged,
    /// Few seats of a pool are left (R152).
    NearLimit,
    /// Somebody waits for a pool for which nobody waited before (R150).
    PeopleWait,
    /// More seats were asked for (R155).
    SeatsRequested,
    /// The upstream of a source failed again and again and is left alone for some time.
    SourceDown,
    /// A source does not let us read any more.
    SourceDisconnected,
    /// A source of which one of these was told was read again.
    SourceBack,
    /// An overage goes on in a stage that was told of (R151).
    OverageReminder,
    /// No run did its work since a night that was due hours ago.
    SyncOverdue,
    /// One did, after that was told.
    SyncResumed,
}

impl NoticeKind {
    /// All kinds.
    pub const ALL: [NoticeKind; 38] = [
        NoticeKind::NegativeBalance,
        NoticeKind::BalanceRestored,
        NoticeKind::ShortfallAhead,
        NoticeKind::HoldOpened,
        NoticeKind::RunFailed,
        NoticeKind::SameDayMissed,
        NoticeKind::AssignmentDelay,
        NoticeKind::HoldClosed,
        NoticeKind::RunRecovered,
        NoticeKind::OverageMinor,
        NoticeKind::OverageOverdue,
        NoticeKind::OverageMajor,
        NoticeKind::OverageGap,
        NoticeKind::CureEnded,
        NoticeKind::UpgradeWithheld,
        NoticeKind::UpgradeProposed,
        NoticeKind::Upgraded,
        NoticeKind::OverageClosed,
        NoticeKind::OverageVoid,
        NoticeKind::RenewalDue,
        NoticeKind::TermEnded,
        NoticeKind::GraceEnds,
        NoticeKind::Suspended,
        NoticeKind::Reinstated,
        NoticeKind::Renewed,
        NoticeKind::RenewalCarriedOver,
        NoticeKind::ReuseWarning,
        NoticeKind::ReuseExceeded,
        NoticeKind::ComplianceChanged,
        NoticeKind::NearLimit,
        NoticeKind::SeatsRequested,
        NoticeKind::SourceDown,
        NoticeKind::SourceDisconnected,
        NoticeKind::SourceBack,
        NoticeKind::OverageReminder,
        NoticeKind::PeopleWait,
        NoticeKind::SyncOverdue,
        NoticeKind::SyncResumed,
    ];

    /// The kind's word.
    pub fn word(self) -> &'static str {
        match self {
            NoticeKind::NegativeBalance => "negative_balance",
            NoticeKind::BalanceRestored => "balance_restored",
            NoticeKind::ShortfallAhead => "shortfall_ahead",
            NoticeKind::HoldOpened => "hold_opened",
            NoticeKind::HoldClosed => "hold_closed",
            NoticeKind::RunFailed => "run_failed",
            NoticeKind::RunRecovered => "run_recovered",
            NoticeKind::SameDayMissed => "same_day_missed",
            NoticeKind::AssignmentDelay => "assignment_delay",
            NoticeKind::OverageMinor => "overage_minor",
            NoticeKind::OverageOverdue => "overage_overdue",
            NoticeKind::OverageMajor => "overage_major",
            NoticeKind::OverageGap => "overage_gap",
            NoticeKind::CureEnded => "overage_cure_ended",
            NoticeKind::UpgradeWithheld => "upgrade_withheld",
            NoticeKind::UpgradeProposed => "upgrade_proposed",
            NoticeKind::Upgraded => "overage_upgraded",
            NoticeKind::OverageClosed => "overage_closed",
            NoticeKind::OverageVoid => "overage_void",
            NoticeKind::RenewalDue => "renewal_due",
            NoticeKind::TermEnded => "term_ended",
            NoticeKind::GraceEnds => "grace_ends",
            NoticeKind::Suspended => "suspended",
            NoticeKind::Reinstated => "reinstated",
            NoticeKind::Renewed => "renewed",
            NoticeKind::RenewalCarriedOver => "renewal_carried_over",
            NoticeKind::ReuseWarning => "reuse_warning",
            NoticeKind::ReuseExceeded => "reuse_exceeded",
            NoticeKind::ComplianceChanged => "compliance_changed",
            NoticeKind::NearLimit => "near_limit",
            NoticeKind::PeopleWait => "people_wait",
            NoticeKind::SeatsRequested => "seats_requested",
            NoticeKind::SourceDown => "source_down",
            NoticeKind::SourceDisconnected => "source_disconnected",
            NoticeKind::SourceBack => "source_back",
            NoticeKind::OverageReminder => "overage_reminder",
            NoticeKind::SyncOverdue => "sync_overdue",
            NoticeKind::SyncResumed => "sync_resumed",
        }
    }
}
