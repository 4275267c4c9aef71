//! What a run comes to before it is committed: rosters compared, guards asked, a plan made and looked at twice.

use crate::base::{CustomerId, Digest, Instant, PersonKey, SourceId};
use crate::license::{Absence, AgreedExcess, Because, ClaimState, Grant, SourceMark};
use crate::plan::{Case, Judgment, Plan, PlanInput, Standing, Verdict, check, judge, plan, trip_text};
use crate::roster::{Level, Roster, RosterDelta, diff};
use crate::service::core::{Customer, MANUAL_SOURCE};
use crate::service::error::ServiceError;
use crate::service::rosters::{Pulled, united, united_of};
use crate::store::{RunState, RunTally};

/// A plan with the things the service needs to commit it.
pub(crate) struct Draft {
    pub(crate) plan: Plan,
    pub(crate) people: u64,
    pub(crate) state: RunState,
    pub(crate) message: String,
    pub(crate) packages: Vec<String>,
    /// Packages that a guard keeps out as a whole; they are not offered again until they change.
    pub(crate) kept_out: Vec<(SourceId, Digest)>,
}

/// Grants and agreements of the settings that are recorded with this run.
#[derive(Default)]
pub(crate) struct Seeds {
    pub(crate) grants: Vec<Grant>,
    pub(crate) agreed: Vec<AgreedExcess>,
}

/// The rosters of a run, kept over repeated planning.
pub(crate) struct Drafting {
    before: Roster,
    after: Option<Roster>,
    delta: RosterDelta,
    fresh: Vec<SourceMark>,
    repeated: Vec<SourceMark>,
    conflicts: Vec<(PersonKey, PersonKey)>,
    by_hand: Vec<PersonKey>,
    alone: Option<Alone>,
    row_findings: bool,
    trouble: bool,
}

/// One source that the guards look at by itself: what others deliver neither hides nor causes a trip (R115).
pub(crate) struct Alone {
    /// Which source.
    pub(crate) source: SourceId,
    /// Its roster before.
    pub(crate) before: Roster,
    /// What changed since then, in the scope that is judged.
    pub(crate) delta: RosterDelta,
}

impl Drafting {
    pub(crate) fn new(customer: &CustomerId, pulls: Vec<Pulled>) -> Result<Self, ServiceError> {
        let trouble = pulls.iter().any(|p| p.error.is_some());
        let row_findings = pulls.iter().any(|p| p.findings.kept.iter().any(|f| matches!(f.level, Level::Row | Level::Graph)));
        let by_hand = only_by_hand(&pulls);
        let (mut olds, mut news, mut fresh, mut conflicts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let repeated: Vec<SourceMark> = pulls.iter().filter_map(|p| p.repeated.clone()).collect();
        let any_fresh = pulls.iter().any(|p| p.fresh.is_some());
        let only_fresh = pulls.iter().filter(|p| p.fresh.is_some()).count() == 1;
        let mut lone: Option<(SourceId, usize, Option<usize>)> = None;
        for pulled in pulls {
            match pulled.fresh {
                Some(read) => {
                    conflicts.extend(
                        read.conflicts
                            .iter()
                            .map(|(known, new)| (PersonKey::from(known.as_str()), PersonKey::from(new.as_str()))),
                    );
                    let before = pulled.before.is_some().then_some(olds.len());
                    lone = only_fresh.then_some((pulled.source, news.len(), before));
                    fresh.push(read.mark);
                    news.push(read.roster);
                    olds.extend(pulled.before);
                }
                None => {
                    if any_fresh {
                        news.extend(pulled.before.clone());
                    }
                    olds.extend(pulled.before);
                }
            }
        }
        // With several sources the guards look at the one that was read; with one source it is all there is.
        let lone = lone.filter(|_| news.len() > 1).map(|(source, new, old)| {
            let nothing = Roster::default();
            let delta = diff(old.map_or(&nothing, |old| &olds[old]), &news[new]);
            (source, old, delta)
        });
        let (before, alone) = match lone {
            None => (united(customer, olds)?, None),
            Some((source, old, delta)) => {
                let all = united_of(customer, &olds.iter().collect::<Vec<_>>())?;
                let before = old.map_or_else(Roster::default, |old| olds.swap_remove(old));
                (all, Some(Alone { source, before, delta }))
            }
        };
        let after = if fresh.is_empty() { None } else { Some(united(customer, news)?) };
        let delta = after.as_ref().map_or_else(RosterDelta::default, |after| diff(&before, after));
        Ok(Self { before, after, delta, fresh, repeated, conflicts, by_hand, alone, row_findings, trouble })
    }

    /// Lets the guards look at one source alone, in the scope that its delta tells.
    pub(crate) fn judged_alone(self, alone: Alone) -> Self {
        Self { alone: Some(alone), ..self }
    }

    fn judgment(&self, customer: &Customer, standing: &Standing) -> Judgment {
        let limits = customer.policy.limits;
        let absences = &standing.absences;
        let waiting = |others_than: Option<&SourceId>| {
            let held = absences.iter().filter(|a| a.held && others_than.is_none_or(|source| a.source != *source));
            held.map(|a| a.person.clone()).collect::<Vec<_>>()
        };
        match (&self.after, &self.alone) {
            // Nothing new was read: what a guard holds stays held.
            (None, _) => Judgment { verdict: Verdict::default(), held: waiting(None) },
            (Some(after), None) => judge(&Case { before: &self.before, after, delta: &self.delta, absences, limits }),
            (Some(after), Some(Alone { source, before, delta })) => {
                let own: Vec<Absence> = absences.iter().filter(|a| a.source == *source).cloned().collect();
                let mut judgment = judge(&Case { before, after, delta, absences: &own, limits });
                judgment.held.extend(waiting(Some(source)));
                judgment.held.sort_unstable();
                judgment.held.dedup();
                judgment
            }
        }
    }

    pub(crate) fn draft(
        &mut self,
        customer: &Customer,
        standing: (Standing, Seeds),
        now: Instant,
    ) -> Result<Draft, ServiceError> {
        let (standing, seeds) = standing;
        let policy = &customer.policy;
        let judgment = self.judgment(customer, &standing);
        // A snapshot that is held as a whole is not taken in: time passes, the roster stays.
        let stopped = judgment.verdict.stops_all(&policy.limits);
        let nothing = RosterDelta::default();
        let taken = if stopped { None } else { self.after.as_ref() };
        let held: Vec<PersonKey> = if stopped {
            standing.absences.iter().filter(|a| a.held).map(|a| a.person.clone()).collect()
        } else {
            judgment.held
        };
        let input = PlanInput {
            now,
            today: policy.calendar.day_of(now),
            policy,
            standing: &standing,
            roster: taken.unwrap_or(&self.before),
            before: &self.before,
            delta: if stopped { &nothing } else { &self.delta },
            fresh: if stopped { &[] } else { &self.fresh },
            repeated: &self.repeated,
            verdict: &judgment.verdict,
            held: &held,
            by_hand: &self.by_hand,
            conflicts: if stopped { &[] } else { &self.conflicts },
            new_grants: &seeds.grants,
            new_agreed: &seeds.agreed,
        };
        let plan = plan(&input).map_err(|cause| ServiceError::Plan { customer: policy.customer.clone(), cause })?;
        let flaws = check(&plan, &standing, &held);
        if !flaws.is_empty() {
            return Err(ServiceError::Flawed { customer: policy.customer.clone(), flaws });
        }
        let people = input.roster.people.iter().filter(|p| !p.ended).count() as u64;
        let state = outcome(&plan, self.row_findings, self.trouble);
        let message = message(&plan, stopped);
        let packages = self.fresh.iter().chain(&self.repeated).map(|mark| format!("{}:{}", mark.source, mark.name)).collect();
        let kept_out = self.fresh.iter().filter(|_| stopped).map(|mark| (mark.source.clone(), mark.package)).collect();
        Ok(Draft { plan, people, state, message, packages, kept_out })
    }
}

/// People whom nothing but a file by hand delivers, sorted; those of the file that is taken in and of the one before.
fn only_by_hand(pulls: &[Pulled]) -> Vec<PersonKey> {
    fn rosters(pulled: &Pulled) -> impl Iterator<Item = &Roster> {
        pulled.fresh.iter().map(|fresh| &fresh.roster).chain(&pulled.before)
    }
    let (manual, others): (Vec<&Pulled>, Vec<&Pulled>) = pulls.iter().partition(|p| p.source.as_str() == MANUAL_SOURCE);
    let delivered = |key: &str| {
        let newest = others.iter().filter_map(|pulled| rosters(pulled).next());
        newest.into_iter().any(|roster| roster.find_person(key).is_some_and(|at| !roster.person(at).ended))
    };
    let mut keys = Vec::new();
    for roster in manual.into_iter().flat_map(rosters) {
        let alive = roster.people.iter().filter(|person| !person.ended).map(|person| roster.text(person.key));
        keys.extend(alive.filter(|key| !delivered(key)).map(PersonKey::from));
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// How a run ends (R109): success is never claimed when somebody who ought to have a seat has none.
pub(crate) fn outcome(plan: &Plan, findings: bool, trouble: bool) -> RunState {
    if !plan.verdict.proceeds() {
        return RunState::Held;
    }
    let unserved = plan.withheld.iter().any(|w| {
        matches!(
            w.because,
            Because::PoolFull | Because::NeedsAccess | Because::NoPool | Because::Quarantined | Because::IdentityConflict
        )
    });
    if unserved || findings || trouble { RunState::SucceededWithErrors } else { RunState::Succeeded }
}

pub(crate) fn tally(plan: &Plan, people: u64, findings: u64) -> RunTally {
    let mut tally = RunTally { people, findings, withheld: plan.withheld.len() as u64, ..RunTally::default() };
    for change in &plan.changes {
        let was = change.before.as_deref().is_some_and(|b| b.state.consumes());
        match (was, change.after.state.consumes()) {
            (false, true) => tally.seated += 1,
            (true, false) => tally.released += 1,
            (true, true) | (false, false) => tally.changed += 1,
        }
    }
    tally.waiting = plan.pools.iter().map(|p| u64::from(p.after.of(ClaimState::Waiting).0)).sum();
    tally
}

/// One line that an operator can act on.
fn message(plan: &Plan, stopped: bool) -> String {
    let mut parts: Vec<String> = plan.verdict.trips.iter().map(|trip| format!("held by guard {}", trip_text(trip))).collect();
    if stopped {
        parts.push("nothing of the new snapshot was taken in".to_owned());
    }
    for pool in plan.pools.iter().filter(|p| p.balance.is_some_and(|b| b.0 < 0)) {
        parts.push(format!("pool {} at {}", pool.pool, pool.balance.unwrap_or_default()));
    }
    parts.join("; ")
}
