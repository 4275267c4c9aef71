//! What an episode's clock wrote down: stages, notices that were due, upgrades and what kept them from happening (R74).
//!
//! Facts are only ever added. Each has the instant from which it holds, which does not depend on when anybody looked
//! (R68), and the instant at which it was written down.

use crate::base::{Actor, Day, EpisodeId, GrantId, Instant, PoolId, Seats};
use crate::license::books::Outcome;
use crate::license::clauses::Clauses;
use crate::license::stage::{Stage, StageWhy};
use crate::license::tier::{Charge, Quote};

/// Something was late if it was written down so long after it held.
const LATE_MILLIS: i64 = 3_600_000;

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockFact {
    /// The pool.
    pub pool: PoolId,
    /// The episode; `None` for what concerns the pool as such.
    pub episode: Option<EpisodeId>,
    /// From when on it holds.
    pub at: Instant,
    /// When it was written down.
    pub recorded: Instant,
    /// In whose name.
    pub by: Actor,
    /// What.
    pub step: ClockStep,
}

impl ClockFact {
    /// Whether it was written down late: nobody looked when it came to hold (R68).
    pub fn is_late(&self) -> bool {
        self.recorded.0.saturating_sub(self.at.0) >= LATE_MILLIS
    }

    /// The key of the notice that told it.
    pub fn notice(&self) -> Option<&str> {
        match &self.step {
            ClockStep::Stage(stage) => stage.notice.as_deref(),
            ClockStep::GapEntered { notice }
            | ClockStep::CureEnded { notice }
            | ClockStep::Withheld { notice, .. }
            | ClockStep::Upgraded { notice, .. }
            | ClockStep::Settled(Settled { notice, .. })
            | ClockStep::Voided { notice } => Some(notice),
            ClockStep::Continues { .. }
            | ClockStep::Approved { .. }
            | ClockStep::Frozen { .. }
            | ClockStep::Unfrozen { .. } => None,
        }
    }

    /// Whether it says that its overage is void (R53).
    pub fn says_void(&self) -> bool {
        match &self.step {
            ClockStep::Settled(settled) => settled.outcome == Outcome::Void,
            step => matches!(step, ClockStep::Voided { .. }),
        }
    }
}

/// What a fact says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClockStep {
    /// The episode goes on with the clock of an earlier one (R62).
    Continues {
        /// Which.
        of: EpisodeId,
        /// Day 0 of that clock.
        day0: Day,
    },
    /// A stage began.
    Stage(StageFact),
    /// The gap was entered where the clauses only warn of it (R59).
    GapEntered {
        /// The key of the notice.
        notice: String,
    },
    /// The cure deadline of the minor notice passed while the stage was still minor (R65).
    CureEnded {
        /// The key of the notice.
        notice: String,
    },
    /// The cure window ended, and an interlock keeps the upgrade from happening (R69).
    Withheld {
        /// Of which major stage of the episode, from 1.
        round: u32,
        /// What keeps it; told once each.
        reasons: Vec<Interlock>,
        /// What would be taken.
        offer: Option<Quote>,
        /// The key of the notice.
        notice: String,
    },
    /// An operator approved the upgrade (R70).
    Approved {
        /// Of which major stage.
        round: u32,
        /// Why.
        reason: String,
    },
    /// The next tier was taken (R67).
    Upgraded {
        /// At the end of which major stage's window.
        round: u32,
        /// The grant.
        grant: GrantId,
        /// Allowance before.
        from: Seats,
        /// Allowance after.
        to: Seats,
        /// What it costs; `None` where the ladder does not say.
        charge: Option<Charge>,
        /// The key of the notice.
        notice: String,
    },
    /// The episode closed; by what its clock ran is kept with it.
    Settled(Settled),
    /// A closed episode became void: it would not have existed (R53). Its notices are superseded.
    Voided {
        /// The key of the notice.
        notice: String,
    },
    /// An operator froze billing: nothing is upgraded by itself (R69).
    Frozen {
        /// Why.
        reason: String,
    },
    /// Billing goes on.
    Unfrozen {
        /// Why.
        reason: String,
    },
}

/// A stage that began, and what was told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageFact {
    /// Which.
    pub stage: Stage,
    /// Why.
    pub why: StageWhy,
    /// The how manieth of its kind in the episode, from 1.
    pub round: u32,
    /// The key of its notice; `None`: this stage was told of before (R151).
    pub notice: Option<String>,
    /// The deadline to cure, where it is known.
    pub deadline: Option<Instant>,
    /// The upgrade on offer (R79).
    pub offer: Option<Quote>,
}

/// By what a closed episode's clock ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// How it ended.
    pub outcome: Outcome,
    /// Day 0 of the clock.
    pub day0: Day,
    /// The date it closed.
    pub day: Day,
    /// Business days elapsed by then; 0 of a void one.
    pub elapsed: u32,
    /// The time zone.
    pub zone: String,
    /// Weekdays that were no business days; 0 is Monday.
    pub weekend: Vec<u16>,
    /// Holidays from day 0 to the end.
    pub holidays: Vec<Day>,
    /// The clauses.
    pub clauses: Clauses,
    /// The key of the notice.
    pub notice: String,
}

/// What keeps an upgrade from happening (R69, R70).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interlock {
    /// There is no higher tier.
    NoHigherTier,
    /// No channel confirmed the delivery of the major notice.
    Undelivered,
    /// The newest complete snapshot is too old.
    StaleSnapshot,
    /// Somebody has to decide a hold first.
    OpenHold,
    /// An overage of the customer is provisional (R123).
    Provisional,
    /// An operator froze billing.
    BillingFrozen,
    /// The clauses want an operator's approval.
    AwaitsApproval,
}

impl Interlock {
    /// All of them.
    pub const ALL: [Interlock; 7] = [
        Interlock::NoHigherTier,
        Interlock::Undelivered,
        Interlock::StaleSnapshot,
        Interlock::OpenHold,
        Interlock::Provisional,
        Interlock::BillingFrozen,
        Interlock::AwaitsApproval,
    ];

    /// The interlock's word.
    pub fn word(self) -> &'static str {
        match self {
            Interlock::NoHigherTier => "no_higher_tier",
            Interlock::Undelivered => "undelivered",
            Interlock::StaleSnapshot => "stale_snapshot",
            Interlock::OpenHold => "open_hold",
            Interlock::Provisional => "provisional_overage",
            Interlock::BillingFrozen => "billing_frozen",
            Interlock::AwaitsApproval => "awaits_approval",
        }
    }
}

/// That a notice arrived (R153). What a channel refused is no delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The notice.
    pub key: String,
    /// The episode whose notice it is.
    pub episode: Option<EpisodeId>,
    /// By which channel: `phone`, `mail`, `webhook` …
    pub channel: String,
    /// When it arrived.
    pub at: Instant,
    /// When that was written down.
    pub recorded: Instant,
    /// By whom.
    pub by: Actor,
}

/// The facts of one episode, read.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a>(pub &'a [ClockFact]);

impl<'a> Facts<'a> {
    /// The stages, in order.
    pub fn stages(self) -> impl DoubleEndedIterator<Item = (&'a ClockFact, &'a StageFact)> {
        self.0.iter().filter_map(|fact| match &fact.step {
            ClockStep::Stage(stage) => Some((fact, stage)),
            _ => None,
        })
    }

    /// How often a stage began.
    pub fn rounds(self, stage: Stage) -> u32 {
        u32::try_from(self.stages().filter(|(_, fact)| fact.stage == stage).count()).unwrap_or(u32::MAX)
    }

    /// The episode that it goes on from, and day 0 of that clock (R62).
    pub fn continues(self) -> Option<(EpisodeId, Day)> {
        self.0.iter().find_map(|fact| match &fact.step {
            ClockStep::Continues { of, day0 } => Some((*of, *day0)),
            _ => None,
        })
    }

    /// The newest upgrade, if no stage began since.
    pub fn upgraded_last(self) -> Option<Instant> {
        let newest = self.0.iter().rev().find(|fact| matches!(fact.step, ClockStep::Stage(_) | ClockStep::Upgraded { .. }))?;
        matches!(newest.step, ClockStep::Upgraded { .. }).then_some(newest.at)
    }

    /// The reasons told so far why the upgrade of a round was withheld.
    pub fn withheld(self, wanted: u32) -> Vec<Interlock> {
        let told = self.0.iter().filter_map(|fact| match &fact.step {
            ClockStep::Withheld { round, reasons, .. } if *round == wanted => Some(reasons),
            _ => None,
        });
        told.flatten().copied().collect()
    }

    /// Whether an operator approved the upgrade of a round.
    pub fn is_approved(self, wanted: u32) -> bool {
        self.0.iter().any(|fact| matches!(&fact.step, ClockStep::Approved { round, .. } if *round == wanted))
    }

    /// Whether a fact of some kind is there.
    pub fn any(self, is: impl Fn(&ClockStep) -> bool) -> bool {
        self.0.iter().any(|fact| is(&fact.step))
    }
}

/// Whether billing is frozen, by the facts of a pool.
pub fn is_frozen<'a>(facts: impl IntoIterator<Item = &'a ClockFact>, pool: &PoolId) -> bool {
    let mut frozen = false;
    for fact in facts.into_iter().filter(|fact| fact.pool == *pool) {
        match fact.step {
            ClockStep::Frozen { .. } => frozen = true,
            ClockStep::Unfrozen { .. } => frozen = false,
            _ => {}
        }
    }
    frozen
}
