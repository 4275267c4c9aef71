//! What the guards say: what turns a plan, or part of it, into a hold (R114 to R119, R125).

use crate::base::OrgId;
use crate::plan::limits::GuardLimits;
use crate::roster::Collection;

/// What the guards say of a run's changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What tripped; empty: proceed.
    pub trips: Vec<Trip>,
}

/// One guard that tripped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trip {
    /// Which guard.
    pub guard: GuardKind,
    /// The org whose people are covered; `None`: all of the customer's.
    pub org: Option<OrgId>,
    /// The collection, where the guard looks at one.
    pub collection: Option<Collection>,
    /// People in scope before.
    pub base: u32,
    /// How many would go; of growth and change: come, change.
    pub removed: u32,
    /// The limit that was passed, in percent of the base; 0 where it is not a share.
    pub limit_percent: u32,
}

/// The guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GuardKind {
    /// A collection that had records has none (R114).
    Empty,
    /// Too many of a source's people would go (R115).
    Removal,
    /// Too many of one org's people would go (R115).
    OrgRemoval,
    /// Too many went over the last days, this run's among them (R116).
    Rolling,
    /// Too many would come (R117).
    Growth,
    /// Too many would change (R118).
    Change,
    /// Those who go and those who come are the same people under other keys (R118).
    IdentityFlip,
    /// The first snapshot of a source (R125).
    Bootstrap,
    /// The source still removes, or adds, people whom a decision kept as they are (R120).
    Excepted,
}

impl GuardKind {
    /// All guards.
    pub const ALL: [GuardKind; 9] = [
        GuardKind::Empty,
        GuardKind::Removal,
        GuardKind::OrgRemoval,
        GuardKind::Rolling,
        GuardKind::Growth,
        GuardKind::Change,
        GuardKind::IdentityFlip,
        GuardKind::Bootstrap,
        GuardKind::Excepted,
    ];

    /// The guard's word.
    pub fn word(self) -> &'static str {
        match self {
            GuardKind::Empty => "empty",
            GuardKind::Removal => "removal",
            GuardKind::OrgRemoval => "org_removal",
            GuardKind::Rolling => "rolling",
            GuardKind::Growth => "growth",
            GuardKind::Change => "change",
            GuardKind::IdentityFlip => "identity_flip",
            GuardKind::Bootstrap => "bootstrap",
            GuardKind::Excepted => "excepted",
        }
    }
}

impl Verdict {
    /// Whether nothing tripped.
    pub fn proceeds(&self) -> bool {
        self.trips.is_empty()
    }

    /// Whether nothing of the new snapshot may be applied: a collection came back empty, shrank or changed beyond the
    /// limit (it cannot be held person by person), a source is new, or the settings say so.
    pub fn stops_all(&self, limits: &GuardLimits) -> bool {
        let whole = |trip: &Trip| trip.collection.is_some() || trip.guard == GuardKind::Bootstrap;
        self.trips.iter().any(whole) || (!self.proceeds() && limits.trip_stops_all)
    }
}
