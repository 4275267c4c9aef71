//! What a run comes to before it is committed: rosters compared, guards asked, a plan made and looked at twice.

use crate::base::{CustomerId, Digest, Instant, PersonKey, SourceId};
use crate::license::{AgreedExcess, Because, ClaimState, Grant, SourceMark};
use crate::plan::{Case, Judgment, Plan, PlanInput, Policy, Standing, Verdict, check, judge, plan, trip_text};
use crate::roster::{Level, Roster, RosterDelta, diff};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::pauses::RunTerms;
use crate::service::rosters::{Pulled, united};
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
    row_findings: bool,
    trouble: bool,
    /// Sources whose absences count at once (R131).
    confirmed: Vec<SourceId>,
}

impl Drafting {
    pub(crate) fn new(customer: &CustomerId, pulls: Vec<Pulled>, terms: &RunTerms) -> Result<Self, ServiceError> {
        let complete = pulls.iter().filter(|p| p.error.is_none() && terms.reads(&p.source));
        let confirmed = complete.filter(|_| terms.confirms_absences()).map(|p| p.source.clone()).collect();
        let trouble = pulls.iter().any(|p| p.error.is_some());
        let row_findings = pulls.iter().any(|p| p.findings.kept.iter().any(|f| matches!(f.level, Level::Row | Level::Graph)));
        let (mut olds, mut news, mut fresh, mut conflicts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let repeated: Vec<SourceMark> = pulls.iter().filter_map(|p| p.repeated.clone()).collect();
        let any_fresh = pulls.iter().any(|p| p.fresh.is_some());
        for pulled in pulls {
            match pulled.fresh {
                Some(read) => {
                    conflicts.extend(
                        read.conflicts
                            .iter()
                            .map(|(known, new)| (PersonKey::from(known.as_str()), PersonKey::from(new.as_str()))),
                    );
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
        let before = united(customer, olds)?;
        let after = if fresh.is_empty() { None } else { Some(united(customer, news)?) };
        let delta = after.as_ref().map_or_else(RosterDelta::default, |after| diff(&before, after));
        Ok(Self { before, after, delta, fresh, repeated, conflicts, row_findings, trouble, confirmed })
    }

    pub(crate) fn draft(
        &mut self,
        service: &Service,
        customer: &Customer,
        policy: &Policy,
        standing: (Standing, Seeds),
        now: Instant,
    ) -> Result<Draft, ServiceError> {
        let (standing, seeds) = standing;
        let judgment = match &self.after {
            Some(after) => judge(&Case {
                before: &self.before,
                after,
                delta: &self.delta,
                absences: &standing.absences,
                limits: policy.limits,
            }),
            // Nothing new was read: what a guard holds stays held.
            None => Judgment {
                verdict: Verdict::default(),
                held: standing.absences.iter().filter(|a| a.held).map(|a| a.person.clone()).collect(),
            },
        };
        // A snapshot that is held as a whole is not taken in: time passes, the roster stays.
        let stopped = judgment.verdict.stops_all(&policy.limits);
        let nothing = RosterDelta::default();
        let taken = if stopped { None } else { self.after.as_ref() };
        let held: Vec<PersonKey> = if stopped {
            standing.absences.iter().filter(|a| a.held).map(|a| a.person.clone()).collect()
        } else {
            judgment.held
        };
        let former = service.former(customer.id(), &standing, taken.unwrap_or(&self.before))?;
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
            remade: &[],
            former: &former,
            verdict: &judgment.verdict,
            held: &held,
            conflicts: if stopped { &[] } else { &self.conflicts },
            confirmed: if stopped { &[] } else { &self.confirmed },
            new_grants: &seeds.grants,
            new_agreed: &seeds.agreed,
        };
        let marks = service.remake(customer, &input)?;
        let input = PlanInput { fresh: &marks.fresh, repeated: &marks.repeated, remade: &marks.remade, ..input };
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
