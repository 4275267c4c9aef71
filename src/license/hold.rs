//! Holds: what guards keep from being done until a person decides, and the history the rolling guard looks back on.

use crate::base::{Actor, Day, Digest, Instant, PersonKey, RunId, SourceId};

/// So many days of [`GuardDay`]s are kept behind the newest; the longest window looks back on fewer.
pub const GUARD_DAYS_KEPT: i32 = 62;

/// One hold; at most the newest of a customer is open. Named by the run that opened it (R119 to R122).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The run that opened it.
    pub run: RunId,
    /// The plan it was opened with; what a decision is bound to (R120).
    pub plan: Digest,
    /// When it, or the hold whose place it took, opened.
    pub opened: Instant,
    /// Until when it can be decided, and until when an approval works.
    pub deadline: Instant,
    /// What tripped, a sentence each; then what may be behind it, by the ways of the sources' vendors.
    pub trips: Vec<String>,
    /// Whose removal waits, sorted; of a hold of whole packages: who would go with them.
    pub removals: Vec<PersonKey>,
    /// New people who get no seats, sorted.
    pub additions: Vec<PersonKey>,
    /// Packages of which nothing is taken in: source, digest, name.
    pub packages: Vec<(SourceId, (Digest, String))>,
    /// A collection came back empty; approving must say so (R114).
    pub empty: bool,
    /// How far it is.
    pub state: HoldState,
    /// Who decided.
    pub by: Option<Actor>,
    /// When it was decided or closed.
    pub at: Option<Instant>,
    /// People whom a decision, of this hold or an earlier one, keeps as they are, sorted.
    pub exceptions: Vec<PersonKey>,
    /// The run that did what was approved: an approval works once.
    pub used: Option<RunId>,
    /// The last local date on which it was told of (R122).
    pub told: Day,
}

/// States of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldState {
    /// Nobody has decided yet.
    Open,
    /// All of it was approved.
    Approved,
    /// It was approved but for some people.
    PartlyApproved,
    /// The people stay as they are.
    Rejected,
    /// The deadline passed: the people stay, an approval that was not used works no more.
    Expired,
    /// A newer snapshot has nothing left to hold (R121).
    ResolvedAtSource,
    /// A newer snapshot brought more: a newer hold stands in its place (R121).
    Superseded,
}

impl HoldState {
    /// All states.
    pub const ALL: [HoldState; 7] = [
        HoldState::Open,
        HoldState::Approved,
        HoldState::PartlyApproved,
        HoldState::Rejected,
        HoldState::Expired,
        HoldState::ResolvedAtSource,
        HoldState::Superseded,
    ];

    /// The state's word.
    pub fn word(self) -> &'static str {
        match self {
            HoldState::Open => "open",
            HoldState::Approved => "approved",
            HoldState::PartlyApproved => "partly_approved",
            HoldState::Rejected => "rejected",
            HoldState::Expired => "expired",
            HoldState::ResolvedAtSource => "resolved_at_source",
            HoldState::Superseded => "superseded",
        }
    }

    /// Whether somebody said yes.
    pub fn is_approved(self) -> bool {
        matches!(self, HoldState::Approved | HoldState::PartlyApproved)
    }
}

impl Hold {
    /// Whether it can be decided at an instant.
    pub fn is_open(&self, now: Instant) -> bool {
        self.state == HoldState::Open && now < self.deadline
    }

    /// Whether it is approved, and the approval was neither used nor ran out (R120).
    pub fn approval_works(&self, now: Instant) -> bool {
        self.state.is_approved() && self.used.is_none() && now < self.deadline
    }

    /// Whether it waits for a decision, or for a run that does what was approved.
    pub fn waits(&self) -> bool {
        self.state == HoldState::Open || (self.state.is_approved() && self.used.is_none())
    }

    /// Whether nobody decided in time, or what was approved was not done in time.
    pub fn is_late(&self, now: Instant) -> bool {
        self.waits() && now >= self.deadline
    }

    /// Whether a person is to stay by decision.
    pub fn is_excepted(&self, person: &PersonKey) -> bool {
        self.exceptions.binary_search(person).is_ok()
    }

    /// New people who get no seats while this is the newest hold, sorted.
    pub fn withheld(&self) -> Vec<PersonKey> {
        match self.state {
            HoldState::ResolvedAtSource => Vec::new(),
            state if state.is_approved() && self.used.is_some() => {
                self.additions.iter().filter(|person| self.is_excepted(person)).cloned().collect()
            }
            _ => self.additions.clone(),
        }
    }
}

/// Removals of one local date that passed the guards without a decision; the rolling guard adds them up (R116).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardDay {
    /// The source whose snapshot led to them.
    pub source: SourceId,
    /// The date.
    pub day: Day,
    /// People before the first of them.
    pub base: u32,
    /// How many were removed, counted at first sight.
    pub removed: u32,
}
