//! Leaving: who comes back before the purge gets back what was theirs, and who is purged is named by no snapshot that is
//! kept (R130).

use std::collections::BTreeMap;

use crate::base::{CustomerId, Day, Digest, Instant, PersonKey};
use crate::license::{Because, Claim, Entry, SourceMark};
use crate::plan::{Plan, PlanInput, Standing, nameless, purge_day};
use crate::roster::{Roster, without_people};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;

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
        let mut former = BTreeMap::new();
        for absence in &standing.absences {
            let key = absence.person.as_str();
            let Some(removed_at) = absence.removed_at else { continue };
            if roster.find_person(key).is_none_or(|at| roster.person(at).ended) {
                continue;
            }
            let claims: Vec<Claim> = self
                .store
                .released(customer, Some(key))?
                .into_iter()
                .filter(|released| {
                    let removal = matches!(released.because, Because::EndedInSource | Because::AbsenceConfirmed);
                    removal && released.claim.changed == removed_at
                })
                .map(|released| released.claim)
                .collect();
            former.insert(key.to_owned(), claims);
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
            Some(rest) => self.stage_roster(customer, &mark.source, &rest, None, now).map(Some),
            None => Ok(None),
        }
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
    let active_before =
        |key: &str| before.is_some_and(|before| before.find_person(key).is_some_and(|at| !before.person(at).ended));
    let rest = without_people(&roster, |person| {
        let key = roster.text(person.key);
        person.ended && !person.quarantined && !active_before(key) && !tombstone(key)
    });
    let rest = rest.map_err(|error| ServiceError::snapshot(customer.id(), &error))?;
    Ok(rest.unwrap_or(roster))
}

/// Whether a plan deletes somebody for good.
pub(crate) fn purges(plan: &Plan) -> bool {
    plan.entries.iter().any(|entry| matches!(entry, Entry::Purged { .. }))
}
