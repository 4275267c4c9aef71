//! Undoing a committed run: the inverse plan, made, kept and committed like any other (R126).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::{Actor, Instant, PersonKey, RunId, Version};
use crate::license::{Absence, Because, Claim, ClaimState, Entry, PoolBooks};
use crate::plan::{Plan, RevertInput, Undone, Withheld, check, revert, trip_text};
use crate::service::core::{Customer, Service};
use crate::service::draft::{outcome, tally};
use crate::service::error::ServiceError;
use crate::store::{RunRow, RunState, StoreError, Trigger};

/// How often a revert is worked out anew when somebody else commits in between.
const TRIES_MAX: u32 = 20;

/// What a revert came to.
#[derive(Debug)]
pub enum RevertAnswer {
    /// It was planned; its run tells whether it was committed, too.
    Planned {
        /// The run that undoes.
        run: Box<RunRow>,
        /// Its plan.
        plan: Arc<Plan>,
    },
    /// The run to be undone committed nothing.
    NothingCommitted(RunState),
    /// It is undone already.
    AlreadyReverted,
}

/// What the trail says of a run.
#[derive(Default)]
struct History {
    undone: Undone,
    /// What of it stays: grants, agreements, pins.
    stays: Vec<String>,
}

impl Service {
    /// Undoes a committed run; with `commit` unset only plans it, to be looked at and applied. If a guard trips nothing is
    /// committed either: `apply` of a plan that was looked at is the approval.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such run; when the books, the trail or the roster cannot be read.
    pub fn revert(&self, of: RunId, actor: &Actor, commit: bool) -> Result<RevertAnswer, ServiceError> {
        let unknown = || ServiceError::Unknown { what: "run", id: of.to_string(), hint: None };
        let undone = self.store.run(of)?.ok_or_else(unknown)?;
        let customer = self.customer(undone.customer.as_str())?;
        let version = match (undone.state, undone.version) {
            (RunState::Reverted, _) => return Ok(RevertAnswer::AlreadyReverted),
            (state, None) => return Ok(RevertAnswer::NothingCommitted(state)),
            (_, Some(version)) => version,
        };
        if commit {
            self.settled(customer)?;
        }
        let trigger = Trigger::Revert(of, actor.clone());
        let (row, done) = self.row_and_plan(customer, &trigger, &mut |row| {
            row.state = RunState::Planning;
            let began = row.began;
            self.try_revert(customer, version, row, actor, commit, began).map(Some)
        })?;
        // Where nothing was left to undo, the run is undone as well.
        if matches!(row.state, RunState::Succeeded | RunState::SucceededWithErrors) {
            self.mark_reverted(of, row.run)?;
        }
        let plan = done?.ok_or(ServiceError::BrokeOff)?;
        Ok(RevertAnswer::Planned { run: Box::new(row), plan })
    }

    /// Notes on a run that it was undone, and by which.
    pub(crate) fn mark_reverted(&self, of: RunId, by: RunId) -> Result<(), ServiceError> {
        if let Some(mut row) = self.store.run(of)? {
            row.state = RunState::Reverted;
            let noted = format!("undone by run {by}");
            row.message = if row.message.is_empty() { noted } else { format!("{}; {noted}", row.message) };
            self.store.save_run(&row)?;
        }
        Ok(())
    }

    fn try_revert(
        &self,
        customer: &Customer,
        version: Version,
        row: &mut RunRow,
        actor: &Actor,
        commit: bool,
        now: Instant,
    ) -> Result<Plan, ServiceError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            if commit {
                self.catch_up(customer, now)?;
            }
            let standing = self.store.standing(customer.id())?;
            let now = self.acts_at(&standing, now);
            let History { undone, stays } = self.history(customer, version)?;
            let roster = self.roster(customer, &standing)?;
            let released = self.released_now(customer, &undone)?;
            let policy = &customer.policy;
            let input = RevertInput { now, policy, standing: &standing, roster: &roster, undone: &undone, released: &released };
            let plan = revert(&input);
            let flaws = check(&plan, &standing, &[]);
            if !flaws.is_empty() {
                return Err(ServiceError::Flawed { customer: customer.id().clone(), flaws });
            }
            let changed = |w: &&Withheld| matches!(w.because, Because::ChangedSince | Because::HeldByGuard);
            let left = plan.withheld.iter().filter(changed).count();
            row.tally = tally(&plan, roster.people.iter().filter(|p| !p.ended).count() as u64, 0);
            row.message = message(&plan, left, &stays);
            row.plan = Some(plan.id);
            row.state = RunState::Planned;
            self.store.save_plan(&plan)?;
            if !commit {
                return Ok(plan);
            }
            if !plan.verdict.proceeds() {
                row.state = RunState::Held;
                return Ok(plan);
            }
            row.state = RunState::Committing;
            self.store.save_run(row)?;
            match self.commit(&plan, row.run, actor, now, "revert") {
                Ok(receipt) => {
                    row.version = receipt.map(|receipt| receipt.version);
                    row.state = outcome(&plan, left > 0, false);
                    return Ok(plan);
                }
                Err(StoreError::VersionMoved { .. }) if attempt < TRIES_MAX => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What a version did, and what was so before it, folded from the trail.
    fn history(&self, customer: &Customer, version: Version) -> Result<History, ServiceError> {
        let mut absences: BTreeMap<PersonKey, Absence> = BTreeMap::new();
        let mut books: BTreeMap<crate::base::PoolId, PoolBooks> = BTreeMap::new();
        let mut history = History::default();
        self.store.audit(customer.id(), Version(0), &mut |commit| {
            let this = commit.version == version;
            if this {
                history.undone.books_before = std::mem::take(&mut books);
            }
            for entry in &commit.entries {
                let changed = match entry {
                    Entry::Absent(absence) => Some((absence.person.clone(), Some(absence.clone()))),
                    Entry::Returned(person) => Some((person.clone(), None)),
                    Entry::Purged { person, reason: _ } => {
                        if commit.version >= version {
                            history.undone.purged.insert(person.clone());
                        }
                        Some((person.clone(), None))
                    }
                    Entry::Pool { pool, books: now } => {
                        books.insert(pool.clone(), now.clone());
                        None
                    }
                    Entry::Granted(grant) if this => {
                        history.stays.push(format!("grant {}", grant.id));
                        None
                    }
                    Entry::Term(term) if this => {
                        history.stays.push(format!("term {}", term.id));
                        None
                    }
                    Entry::ExcessAgreed(agreed) if this => {
                        history.stays.push(format!("agreed excess {}", agreed.id));
                        None
                    }
                    Entry::Pinned(pin) if this => {
                        history.stays.push(format!("the pin of {} on {}", pin.person, pin.pool));
                        None
                    }
                    Entry::Unpinned { person, pool } if this => {
                        history.stays.push(format!("the lifted pin of {person} on {pool}"));
                        None
                    }
                    _ => None,
                };
                let Some((person, after)) = changed else { continue };
                let before = absences.get(&person).cloned();
                match &after {
                    Some(absence) => absences.insert(person.clone(), absence.clone()),
                    None => absences.remove(&person),
                };
                if this {
                    let first = history.undone.absences.get(&person).map_or(before, |(first, _)| first.clone());
                    history.undone.absences.insert(person, (first, after));
                }
            }
            if this {
                history.undone.version = version;
                history.undone.people = commit.people;
                history.undone.changes = commit.changes;
            }
            Ok::<(), StoreError>(())
        })?;
        Ok(history)
    }

    /// The claims that are released now of everybody from whom the run released something.
    fn released_now(&self, customer: &Customer, undone: &Undone) -> Result<BTreeMap<String, Vec<Claim>>, ServiceError> {
        let released = undone.changes.iter().filter(|change| change.after.state == ClaimState::Released);
        let people: BTreeSet<&str> = released.map(|change| undone.people.get(change.person)).collect();
        let mut all = BTreeMap::new();
        for person in people {
            let (_, open) = self.store.claims_of(customer.id(), person)?;
            let mut newest: BTreeMap<u64, Claim> = BTreeMap::new();
            for released in self.store.released(customer.id(), Some(person))? {
                newest.insert(released.claim.id.0, released.claim);
            }
            let gone = newest.into_values().filter(|claim| open.iter().all(|open| open.id != claim.id));
            all.insert(person.to_owned(), gone.collect());
        }
        Ok(all)
    }
}

/// One line that an operator can act on.
fn message(plan: &Plan, left: usize, stays: &[String]) -> String {
    let mut parts: Vec<String> = plan.verdict.trips.iter().map(|trip| format!("held by guard {}", trip_text(trip))).collect();
    if left > 0 {
        parts.push(format!("left alone, as changed or held since: {left}"));
    }
    if !stays.is_empty() {
        parts.push(format!("not undone: {}", stays.join(", ")));
    }
    if plan.changes.is_empty() && plan.absences.is_empty() {
        parts.push("nothing is left to undo".to_owned());
    } else {
        parts.push(
            "the roster stays as it is: the next run does the same again unless the source is corrected first".to_owned(),
        );
    }
    parts.join("; ")
}
