//! The guards: what turns a plan, or part of it, into a hold (R114, R115, R119).

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
    pub org: Option<crate::base::OrgId>,
    /// The collection, where the guard looks at one.
    pub collection: Option<crate::roster::Collection>,
    /// People in scope before.
    pub base: u32,
    /// How many of them would go.
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
}

impl GuardKind {
    /// The guard's word.
    pub fn word(self) -> &'static str {
        match self {
            GuardKind::Empty => "empty",
            GuardKind::Removal => "removal",
            GuardKind::OrgRemoval => "org_removal",
        }
    }
}

impl Verdict {
    /// Whether nothing tripped.
    pub fn proceeds(&self) -> bool {
        self.trips.is_empty()
    }
}
