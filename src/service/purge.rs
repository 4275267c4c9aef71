//! Leaving: who comes back before the purge gets back what was theirs, and who is purged is named by no snapshot that is
//! kept (R130).

use std::collections::BTreeMap;

use crate::base::{CustomerId, Day, Digest, Instant, PersonKey, RunId};
use crate::license::{Because, Claim, SourceMark};
use crate::plan::{PlanInput, Standing, nameless, purge_day};
use crate::roster::{Roster, without_people};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::store::StoreError;

/// Snapshots of so many runs are kept beside those the books rest on: they are large. Each night has two runs, one for
/// the date and one that reads.
const SNAPSHOT_RUNS_KEPT: u32 = 6;
/// Plans of so many runs are kept, for questions.
const PLAN_RUNS_KEPT: u32 = 60;

/// The marks a run writes down, with the snapshots that are made again for it.
pub(crate) struct Marks {
    pub(crate) fresh: Vec<SourceMark>,
    pub(crate) amended: Vec<SourceMark>,
    pub(crate) repeated: Vec<SourceMark>,
    pub(crate) remade: Vec<SourceMark>,
}

impl Service {
    /// The claims that their removal released, of everybody removed who is an active person of `roster` again.
    pub(crate) fn former(
        &self,
        customer: &CustomerId,
        standing: &Standing,
        roster: &Roster,
    ) -> Result<BTreeMap<String, Vec<Claim>>, ServiceError> {
        let back = standing.absences.iter().filter_map(|absence| {
            let key = absence.person.as_str();
            absence.removed_at.filter(|_| roster.active(key).is_some()).map(|removed_at| (key, removed_at))
        });
        let back: BTreeMap<&str, Instant> = back.collect();
        let mut former: BTreeMap<String, Vec<Claim>> = back.keys().map(|key| ((*key).to_owned(), Vec::new())).collect();
        if back.is_empty() {
            return Ok(former);
        }
        for released in self.store.released_of(customer, &back.keys().copied().collect::<Vec<_>>())? {
            let key = released.person.as_str();
            let removal = matches!(released.because, Because::EndedInSource | Because::AbsenceConfirmed);
            if removal && back.get(key) == Some(&released.claim.changed) {
                // Removed twice at one instant, it is what it was the second time.
                let claims = former.entry(key.to_owned()).or_default();
                claims.retain(|claim| claim.id != released.claim.id);
                claims.push(released.claim);
            }
        }
        Ok(former)
    }

    /// Makes the snapshots that a plan from `input` would rest on again where they name people they must not name any
    /// longer, and says so in the marks.
    pub(crate) fn remake(&self, customer: &Customer, input: &PlanInput<'_>) -> Result<Marks, ServiceError> {
        let mut marks = Marks {
            fresh: input.fresh.to_vec(),
            amended: input.amended.to_vec(),
            repeated: input.repeated.to_vec(),
            remade: Vec::new(),
        };
        let nameless = nameless(input);
        if nameless.is_empty() {
            return Ok(marks);
        }
        let standing = input.standing.sources.values();
        let moved = || marks.fresh.iter().chain(&marks.amended).chain(&marks.repeated);
        let stay = standing.filter(|mark| moved().all(|m| m.source != mark.source));
        let stay: Vec<SourceMark> = stay.cloned().collect();
        for mark in marks.fresh.iter_mut().chain(&mut marks.amended).chain(&mut marks.repeated) {
            if let Some(snapshot) = self.snapshot_without(customer.id(), mark, &nameless, input.now)? {
                mark.snapshot = snapshot;
            }
        }
        for mark in stay {
            if let Some(snapshot) = self.snapshot_without(customer.id(), &mark, &nameless, input.now)? {
                marks.remade.push(SourceMark { snapshot, ..mark });
            }
        }
        Ok(marks)
    }

    /// Stages the snapshot of a mark again without these people (sorted); `None` if none of them is in it.
    pub(crate) fn snapshot_without(
        &self,
        customer: &CustomerId,
        mark: &SourceMark,
        people: &[PersonKey],
        now: Instant,
    ) -> Result<Option<Digest>, ServiceError> {
        let roster = self.snapshot(customer, &mark.snapshot)?;
        let goes = |key: &str| people.binary_search_by(|person| person.as_str().cmp(key)).is_ok();
        let rest = without_people(&roster, |person| goes(roster.text(person.key)));
        match rest.map_err(|error| ServiceError::snapshot(customer, &error))? {
            // Alone: what it would stand on names them.
            Some(rest) => self.stage_roster(customer, &mark.source, &rest, None, now).map(|name| Some(name.digest)),
            None => Ok(None),
        }
    }

    /// Drops what nobody asks for any more, after a commit of `run`.
    pub(crate) fn clear_away(&self, customer: &CustomerId, run: Option<RunId>) -> Result<(), StoreError> {
        self.drop_purged(customer, run)?;
        self.store.prune(customer, SNAPSHOT_RUNS_KEPT, PLAN_RUNS_KEPT)?;
        Ok(())
    }

    /// Drops snapshots that name people who are deleted for good, as far as no run under way may rest on them (R130).
    pub(crate) fn drop_purged(&self, customer: &CustomerId, run: Option<RunId>) -> Result<(), StoreError> {
        // A run whose process died protects nothing.
        self.store.close_orphans(self.now(), false)?;
        if self.store.names_purged(customer)? {
            self.stand_alone(customer)?;
            self.store.drop_snapshots(customer, run)?;
        }
        Ok(())
    }
}

/// What was read, without people who ended and of whom the books know nothing: never seen active, or deleted for good.
/// They would otherwise come back with every package that still tells of their end (R130).
pub(crate) fn without_strangers(
    customer: &Customer,
    standing: &Standing,
    before: Option<&Roster>,
    roster: Roster,
    today: Day,
) -> Result<Roster, ServiceError> {
    let tombstone = |key: &str| {
        let found = standing.absences.binary_search_by(|absence| absence.person.as_str().cmp(key)).ok();
        let purged_on = found.and_then(|at| standing.absences[at].removed_at).and_then(|at| purge_day(&customer.policy, at));
        found.is_some() && purged_on.is_none_or(|day| today < day)
    };
    let active_before = |key: &str| before.is_some_and(|before| before.active(key).is_some());
    let rest = without_people(&roster, |person| {
        let is_strange = |key| !active_before(key) && !tombstone(key);
        person.ended && !person.quarantined && is_strange(roster.text(person.key))
    });
    let rest = rest.map_err(|error| ServiceError::snapshot(customer.id(), &error))?;
    Ok(rest.unwrap_or(roster))
}
