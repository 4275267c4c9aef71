//! The books of a pool: how many claims in which state, why it is below zero, and the open episode.

use std::collections::BTreeMap;

use crate::base::{Balance, Day, EpisodeId, Instant, OrgId, PersonKey, PoolId, Seats, SourceId};
use crate::license::claim::ClaimState;

/// Claims of a pool by state (R31).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateCounts([u32; 6]);

impl StateCounts {
    /// How many claims are in a state.
    pub fn of(&self, state: ClaimState) -> Seats {
        Seats(self.0[state as usize])
    }

    /// Sets the count of a state.
    pub fn set(&mut self, state: ClaimState, count: Seats) {
        self.0[state as usize] = count.0;
    }

    /// How many claims there are.
    pub fn all(&self) -> u32 {
        self.0.iter().sum()
    }

    /// One claim leaves a state.
    pub fn leave(&mut self, state: ClaimState) {
        self.0[state as usize] = self.0[state as usize].saturating_sub(1);
    }

    /// One claim enters a state. Released claims are not counted: they are gone.
    pub fn enter(&mut self, state: ClaimState) {
        if state != ClaimState::Released {
            self.0[state as usize] += 1;
        }
    }

    /// Those of other claims are counted, too.
    pub fn add(&mut self, more: &Self) {
        self.0.iter_mut().zip(more.0).for_each(|(own, more)| *own += more);
    }

    /// Claims in a consuming state (I1).
    #[inline]
    pub fn used(&self) -> Seats {
        // Asked for each seat that is given.
        const COUNTS: [u32; 6] = {
            let mut counts = [0; 6];
            let mut at = 0;
            while at < ClaimState::ALL.len() {
                counts[ClaimState::ALL[at] as usize] = ClaimState::ALL[at].consumes() as u32;
                at += 1;
            }
            counts
        };
        Seats(self.0.iter().zip(COUNTS).map(|(claims, counts)| claims * counts).sum())
    }
}

/// Why seats are below zero (R49).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Sync seated people in a full pool.
    SyncOverdraw,
    /// People were added before the purchase was recorded.
    StaleAllowance,
    /// The allowance was lowered or ran out.
    AllowanceReduced,
    /// Allowed in writing.
    AgreedExcess,
    /// Was allowed in writing, and that ended.
    AgreedExcessEnded,
    /// An operator insisted.
    ManualOverride,
}

impl Cause {
    /// All causes.
    pub const ALL: [Cause; 6] = [
        Cause::SyncOverdraw,
        Cause::StaleAllowance,
        Cause::AllowanceReduced,
        Cause::AgreedExcess,
        Cause::AgreedExcessEnded,
        Cause::ManualOverride,
    ];

    /// The cause's word.
    pub fn word(self) -> &'static str {
        match self {
            Cause::SyncOverdraw => "sync_overdraw",
            Cause::StaleAllowance => "stale_allowance",
            Cause::AllowanceReduced => "allowance_reduced",
            Cause::AgreedExcess => "agreed_excess",
            Cause::AgreedExcessEnded => "agreed_excess_ended",
            Cause::ManualOverride => "manual_override",
        }
    }
}

/// Seats below zero by cause; sums to the size of the negative balance, always (R49).
pub type Causes = BTreeMap<Cause, u32>;

/// The ratio of used to effective allowance (R58).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// used ≤ effective allowance.
    Within,
    /// Up to 105 %.
    Minor,
    /// Above 105 % and up to 106 % (R59).
    Gap,
    /// Above 106 %.
    Major,
}

impl Band {
    /// All bands.
    pub const ALL: [Band; 4] = [Band::Within, Band::Minor, Band::Gap, Band::Major];

    /// The band's word.
    pub fn word(self) -> &'static str {
        match self {
            Band::Within => "within",
            Band::Minor => "minor",
            Band::Gap => "gap",
            Band::Major => "major",
        }
    }
}

/// What a pool's allowance was at an instant. `None` in `allowance` means unlimited (R19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Purchased seats (R16); never below 0.
    pub seats: Option<Seats>,
    /// Agreed excess on top (R17).
    pub agreed: Seats,
}

impl Allowance {
    /// Allowance + agreed excess; `None` means unlimited.
    pub fn effective(self) -> Option<Seats> {
        self.seats.map(|s| Seats(s.0.saturating_add(self.agreed.0)))
    }

    /// allowance − used; `None` means unlimited.
    pub fn balance(self, used: Seats) -> Option<Balance> {
        self.seats.map(|s| Balance::of(s, used))
    }
}

/// The books of one pool as of the customer's newest commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolBooks {
    /// Claims by state.
    pub counts: StateCounts,
    /// The allowance when the books were last written.
    pub allowance: Allowance,
    /// Causes of the seats below zero.
    pub causes: Causes,
    /// The band.
    pub band: Band,
    /// The open episode.
    pub episode: Option<Episode>,
    /// Seats in use that an open hold would free if it were approved (R123).
    pub held_back: Seats,
    /// Since when the pool is over only because of them: no episode yet (R123).
    pub provisional: Option<Instant>,
}

/// How an episode ended (R74).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// People left.
    Cured,
    /// The next tier was taken.
    Upgraded,
    /// Seats were bought or agreed.
    AllowanceRaised,
    /// It would not have existed had the purchase been recorded in time (R53).
    Void,
    /// The term ended (R94).
    TermEnded,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Outcome; 5] =
        [Outcome::Cured, Outcome::Upgraded, Outcome::AllowanceRaised, Outcome::Void, Outcome::TermEnded];

    /// The outcome's word.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Cured => "cured",
            Outcome::Upgraded => "upgraded",
            Outcome::AllowanceRaised => "allowance_raised",
            Outcome::Void => "void",
            Outcome::TermEnded => "term_ended",
        }
    }
}

/// One point of an episode: what was so from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Since when.
    pub at: Instant,
    /// Used.
    pub used: Seats,
    /// Effective allowance.
    pub effective: Seats,
    /// The band.
    pub band: Band,
}

/// A maximal period during which used > effective allowance (R60, R74). Stages, clocks and notices join it later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// Its id.
    pub id: EpisodeId,
    /// Its pool.
    pub pool: PoolId,
    /// When it opened.
    pub opened: Instant,
    /// The local date it opened: day 0 of its clock (R61).
    pub opened_day: Day,
    /// Why it opened: the largest cause at that moment.
    pub cause: Cause,
    /// The most that was used while it was open.
    pub peak: Seats,
    /// Each change of used, allowance or band, in order; the first is the opening.
    pub samples: Vec<Sample>,
    /// When it closed.
    pub closed: Option<Instant>,
    /// How.
    pub outcome: Option<Outcome>,
}

/// Somebody who is missing, or ended but kept back by a guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Who.
    pub person: PersonKey,
    /// The source that used to deliver the person and no longer does.
    pub source: SourceId,
    /// The person's home org when last seen; whose guard counts the removal.
    pub org: Option<OrgId>,
    /// In how many consecutive complete snapshots of that source (R131).
    pub count: u32,
    /// First seen missing.
    pub since: Day,
    /// Ended explicitly, not merely missing.
    pub ended: bool,
    /// A guard holds the removal (R119); it counts again when the next snapshot is judged.
    pub held: bool,
    /// Removed: the seats are free; kept so that the return is recognized (R130).
    pub removed: bool,
    /// When it was removed; the purge is counted from here (R130). `None` while not removed.
    pub removed_at: Option<Instant>,
}

/// What was last taken in from a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceMark {
    /// The source.
    pub source: SourceId,
    /// Digest of the package or pull.
    pub package: crate::base::Digest,
    /// How many bytes the package had; 0 where that is not known.
    pub bytes: u64,
    /// Digest of the snapshot it led to.
    pub snapshot: crate::base::Digest,
    /// When it was read.
    pub at: Instant,
    /// Its name, for people: a file name or a cursor.
    pub name: String,
    /// Some people in the snapshot are as a later package has them: they were taken in by themselves (R96). The next run
    /// of the whole reads that package as if nobody had looked at it.
    pub amended: bool,
}

impl SourceMark {
    /// Whether the snapshot is what a package with this digest says, and nothing else.
    pub fn is_of(&self, package: &crate::base::Digest) -> bool {
        !self.amended && self.package == *package
    }
}
