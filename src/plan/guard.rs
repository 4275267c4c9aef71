//! The guards: what turns a plan, or part of it, into a hold (R114, R115, R119).

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{OrgId, PersonKey};
use crate::license::Absence;
use crate::plan::limits::GuardLimits;
use crate::roster::{Collection, PersonIx, Roster, RosterDelta};

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

/// What the guards look at.
pub struct Case<'a> {
    /// The roster the books rest on; positions in `delta` are its.
    pub before: &'a Roster,
    /// The roster to reach: who is back in it is no removal any more (R121).
    pub after: &'a Roster,
    /// What changed.
    pub delta: &'a RosterDelta,
    /// Who is missing already; held ones count again.
    pub absences: &'a [Absence],
    /// The thresholds.
    pub limits: GuardLimits,
}

/// A verdict with the people it covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgment {
    /// What tripped.
    pub verdict: Verdict,
    /// Whose removal waits, sorted.
    pub held: Vec<PersonKey>,
}

impl Verdict {
    /// Whether nothing of the new snapshot may be applied: a collection came back empty or shrank beyond the limit
    /// (a shrunken collection cannot be held person by person), or the settings say so.
    pub fn stops_all(&self, limits: &GuardLimits) -> bool {
        self.trips.iter().any(|trip| trip.collection.is_some()) || (!self.proceeds() && limits.trip_stops_all)
    }
}

/// Judges the removals of a run at first sight (R115): people ended explicitly, people newly absent, and people whose
/// removal was held before.
pub fn judge(case: &Case<'_>) -> Judgment {
    let Case { before, after, delta, absences, limits } = case;
    let mut trips = Vec::new();
    for (collection, &(had, has)) in Collection::ALL.into_iter().zip(&delta.collections) {
        let trip = |guard, limit_percent| Trip {
            guard,
            org: None,
            collection: Some(collection),
            base: had,
            removed: had.saturating_sub(has),
            limit_percent,
        };
        if has == 0 && (had > 0 || collection == Collection::People) {
            trips.push(trip(GuardKind::Empty, 0));
        } else if collection != Collection::People
            && passes_limit(had.saturating_sub(has).into(), had.into(), limits.removal_percent, limits.removal_min)
        {
            trips.push(trip(GuardKind::Removal, limits.removal_percent));
        }
    }

    let key = |at: &PersonIx| PersonKey::from(before.text(before.person(*at).key));
    let count = |people: &BTreeSet<PersonKey>| u32::try_from(people.len()).unwrap_or(u32::MAX);
    let back = |key: &PersonKey| after.find_person(key.as_str()).is_some_and(|at| !after.person(at).ended);
    let waiting: Vec<&Absence> = absences.iter().filter(|a| a.held && !back(&a.person)).collect();
    let newly = delta.ended.iter().map(|(was, _)| was).chain(&delta.absent);
    let mut removals: BTreeSet<PersonKey> = newly.map(key).collect();
    let known = count(&removals);
    removals.extend(waiting.iter().map(|a| a.person.clone()));
    let removed = count(&removals);
    let base = delta.base + (removed - known);
    if passes_limit(removed.into(), base.into(), limits.removal_percent, limits.removal_min) {
        trips.push(Trip {
            guard: GuardKind::Removal,
            org: None,
            collection: None,
            base,
            removed,
            limit_percent: limits.removal_percent,
        });
        return Judgment { verdict: Verdict { trips }, held: removals.into_iter().collect() };
    }
    let mut by_org: BTreeMap<&str, (u32, BTreeSet<PersonKey>)> = BTreeMap::new();
    for org in &delta.orgs {
        by_org.insert(&org.org, (org.base, org.removed_people.iter().map(key).collect()));
    }
    for absence in waiting {
        if let Some(org) = &absence.org {
            let (base, gone) = by_org.entry(org.as_str()).or_default();
            *base += u32::from(gone.insert(absence.person.clone()));
        }
    }
    let mut held = BTreeSet::new();
    for (org, (base, gone)) in by_org {
        let removed = count(&gone);
        if base >= limits.org_base_min
            && passes_limit(removed.into(), base.into(), limits.org_removal_percent, limits.removal_min)
        {
            trips.push(Trip {
                guard: GuardKind::OrgRemoval,
                org: Some(OrgId::from(org)),
                collection: None,
                base,
                removed,
                limit_percent: limits.org_removal_percent,
            });
            held.extend(gone);
        }
    }
    Judgment { verdict: Verdict { trips }, held: held.into_iter().collect() }
}

/// `removed · 100 > percent · base` and `removed > min` (R115).
pub fn passes_limit(removed: u64, base: u64, percent: u32, min: u32) -> bool {
    removed * 100 > u64::from(percent) * base && removed > u64::from(min)
}
