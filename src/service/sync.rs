//! One run for one customer: pull, normalize, stage, diff, guard, plan, and then commit. A dry run is the first half.

use std::sync::Arc;

use crate::base::{Actor, ErrorChain, Instant, PersonKey, RunId};
use crate::license::{AgreedExcess, Entry, Grant, allowance_in, phase_at};
use crate::plan::{Flaw, Plan, PoolOutlook, Standing, applied, carried_grants, check, fit};
use crate::service::behind::Behind;
use crate::service::core::{Customer, Service};
use crate::service::draft::{Draft, Drafting, Seeds, outcome, tally};
use crate::service::error::ServiceError;
use crate::service::hints::hints;
use crate::service::pulled::{Pulled, behind_of};
use crate::service::renew::traces_of;
use crate::service::rosters::Wanted;
use crate::service::scope::known;
use crate::service::turns::Turn;
use crate::service::unusable::unusable;
use crate::store::{Batch, FindingRow, Receipt, RunRow, RunState, SourceLook, StoreError, Trigger};

/// How often a run plans anew when somebody else commits in between (R113).
const TRIES_MAX: u32 = 20;

/// Where a run is, for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading a source.
    Reading,
    /// Comparing, judging, planning.
    Planning,
    /// Writing.
    Committing,
}

/// Told about the phases of a run.
pub type Watch<'w> = &'w (dyn Fn(Phase) + Sync);

/// A run that was planned: its row, its plan and what it rests on.
pub struct Planned {
    /// The run as stored.
    pub run: RunRow,
    /// The plan; `None` if there was nothing to plan from.
    pub plan: Option<Arc<Plan>>,
}

impl Service {
    /// Plans and, unless a guard stops everything, commits: the one code path of nightly, same-day and drop.
    ///
    /// # Errors
    /// When nothing could be found out at all. A run that failed for a reason an operator can act on is a row with
    /// state `failed`, not an error.
    pub fn sync(&self, customer: &Customer, trigger: &Trigger, watch: Watch<'_>) -> Result<RunRow, ServiceError> {
        self.sync_in(&self.turns.wait(customer.id()), customer, trigger, watch)
    }

    /// The same for whoever has the turn.
    pub(crate) fn sync_in(
        &self,
        _: &Turn<'_>,
        customer: &Customer,
        trigger: &Trigger,
        watch: Watch<'_>,
    ) -> Result<RunRow, ServiceError> {
        if let Some(failed) = self.settle(customer)? {
            return Ok(failed);
        }
        let planned = self.run(customer, trigger, true, watch)?;
        self.remind(customer)?;
        self.tell_troubles(customer)?;
        self.tell_recoveries(customer)?;
        Ok(planned.run)
    }

    /// The first half: everything up to the plan, which is kept and can be applied later. Changes no seat.
    ///
    /// # Errors
    /// As [`Service::sync`].
    pub fn plan_sync(&self, customer: &Customer, trigger: &Trigger, watch: Watch<'_>) -> Result<Planned, ServiceError> {
        let _turn = self.turns.wait(customer.id());
        self.run(customer, trigger, false, watch)
    }

    /// The same, unless somebody else reads the customer's sources now.
    ///
    /// # Errors
    /// [`ServiceError::UnderWay`] if somebody does; else as [`Service::sync`].
    pub fn plan_now(&self, customer: &Customer, trigger: &Trigger) -> Result<Planned, ServiceError> {
        let turn = self.turns.try_take(customer.id());
        let _turn = turn.ok_or_else(|| ServiceError::UnderWay { customer: customer.id().clone() })?;
        self.run(customer, trigger, false, &|_| ())
    }

    /// The second half: commits the plan of a run that was planned, if the books still are where they were.
    ///
    /// # Errors
    /// [`ServiceError::Stale`] if they are not, [`ServiceError::Unknown`] if there is no such plan,
    /// [`ServiceError::TokenWanted`] if it is of a file of people (R134).
    pub fn apply_plan(&self, run: RunId, actor: &Actor) -> Result<RunRow, ServiceError> {
        let unknown = |what| ServiceError::Unknown { what, id: run.to_string(), hint: None };
        let mut row = self.store.run(run)?.ok_or_else(|| unknown("run"))?;
        let customer = self.customer(row.customer.as_str())?;
        if matches!(row.trigger, Trigger::Import(_)) {
            return Err(ServiceError::TokenWanted { run });
        }
        // What time did to the books in between is another plan, too.
        self.settled(customer)?;
        self.catch_up(customer, self.now())?;
        let id = row.plan.ok_or_else(|| unknown("a plan of run"))?;
        let plan = self.store.plan(customer.id(), &id)?.ok_or_else(|| unknown("a plan of run"))?;
        let now = self.store.version(customer.id())?;
        if row.state != RunState::Planned || now != plan.parent {
            return Err(ServiceError::Stale { run, planned: plan.parent, now });
        }
        let standing = self.store.standing(customer.id())?;
        let at = self.acts_at(&standing, self.now());
        if self.time_passed(customer, &plan, &standing, at) {
            return Err(ServiceError::Stale { run, planned: plan.parent, now });
        }
        self.distrust(customer, &plan, &standing, &[])?;
        let undoes = if let Trigger::Revert(of, _) = &row.trigger { Some(*of) } else { None };
        let verb = if undoes.is_some() { "revert" } else { "sync" };
        let made = plan.at;
        let plan = applied(&plan, &customer.policy, at);
        match self.commit(&plan, run, actor, at, verb) {
            Ok(receipt) => row.version = receipt.map(|r| r.version),
            Err(StoreError::VersionMoved { planned, now, .. }) => return Err(ServiceError::Stale { run, planned, now }),
            Err(StoreError::SnapshotGone { .. }) => return Err(ServiceError::Stale { run, planned: plan.parent, now }),
            Err(error) => return Err(error.into()),
        }
        row.state = outcome(&plan, row.tally.findings > 0, false);
        row.ended = Some(self.now());
        let log_ins = self.store.planned_activity(run).and_then(|log_ins| match log_ins.as_slice() {
            [] => Ok(0),
            log_ins => self.store.put_activity(customer.id(), log_ins, made),
        });
        let beside = [
            ("note the log-ins", log_ins.map(drop)),
            // The next run clears away.
            ("clear old snapshots away", self.clear_away(customer.id(), Some(run))),
        ];
        told_beside(&mut row, beside);
        if let Some(of) = undoes {
            // Whoever applies a revert has looked at it: what its guard said is approved.
            row.state = if plan.withheld.is_empty() { RunState::Succeeded } else { RunState::SucceededWithErrors };
            self.mark_reverted(of, run)?;
        }
        self.store.save_run(&row)?;
        // The commit stands, whatever comes of looking at the pools; the next run looks again.
        let _ = self.watch_pools(customer, self.now());
        Ok(row)
    }

    /// Whether time changed what a plan rests on: a local date, or an allowance that starts or ends.
    fn time_passed(&self, customer: &Customer, plan: &Plan, standing: &Standing, at: Instant) -> bool {
        let (mut grants, mut agreed) = (standing.grants.clone(), standing.agreed.clone());
        for entry in &plan.entries {
            match entry {
                Entry::Granted(grant) => grants.push(grant.clone()),
                Entry::ExcessAgreed(excess) => agreed.push(excess.clone()),
                _ => {}
            }
        }
        let mut chain = standing.chain.clone();
        for term in plan.entries.iter().filter_map(|entry| if let Entry::Term(term) = entry { Some(term) } else { None }) {
            chain.retain(|known| known.id != term.id);
            chain.push(term.clone());
        }
        let moved = |outlook: &PoolOutlook| {
            let pool = customer.policy.pools.iter().find(|p| p.id == outlook.pool);
            pool.is_some_and(|pool| {
                let (then, now) = (phase_at(&chain, pool, plan.at), phase_at(&chain, pool, at));
                let date = |at| pool.calendar.day_of(at);
                then != now || date(plan.at) != date(at) || allowance_in(&now, pool, &grants, &agreed, at) != outlook.allowance
            })
        };
        customer.day_of(at) != customer.day_of(plan.at) || plan.pools.iter().any(moved)
    }

    fn run(&self, customer: &Customer, trigger: &Trigger, commit: bool, watch: Watch<'_>) -> Result<Planned, ServiceError> {
        let done = self.recorded(customer, trigger, &mut |row| self.try_run(customer, row, row.began, commit, watch));
        customer.done_reading();
        done
    }

    pub(crate) fn try_run(
        &self,
        customer: &Customer,
        row: &mut RunRow,
        now: Instant,
        commit: bool,
        watch: Watch<'_>,
    ) -> Result<Option<Plan>, ServiceError> {
        let (mut left, mut turns) = (TRIES_MAX, 0);
        loop {
            turns += 1;
            // What was planned too late to be committed is none of its doings.
            (row.rejected, row.message, row.plan) = Default::default();
            match self.read_and_plan(customer, row, (now, commit), watch, &mut left) {
                // Somebody else took something in meanwhile: what was read is compared with books that are gone. Or somebody
                // was forgotten: what was read is not kept any more.
                Err(ServiceError::Store(StoreError::VersionMoved { .. } | StoreError::SnapshotGone { .. }))
                    if left > 0 && turns < TRIES_MAX => {}
                done => return done,
            }
        }
    }

    /// `left`: so often it may still be planned anew, here and by the caller together.
    fn read_and_plan(
        &self,
        customer: &Customer,
        row: &mut RunRow,
        (now, commit): (Instant, bool),
        watch: Watch<'_>,
        left: &mut u32,
    ) -> Result<Option<Plan>, ServiceError> {
        row.state = RunState::Fetching;
        watch(Phase::Reading);
        let light = self.store.standing_light(customer.id())?;
        let terms = self.terms(customer, &row.trigger, &light, now)?;
        if commit && self.nothing_to_do(customer, row, &terms, now)? {
            return Ok(None);
        }
        let mut pulls: Vec<Pulled> = Vec::new();
        for feed in &customer.sources {
            let pulled = match terms.scope().filter(|_| terms.reads(feed.source.id())) {
                Some(scope) => self.pull_people(customer, feed, &light, (scope, &terms), now)?,
                None if terms.reads(feed.source.id()) => self.pull(customer, feed, &light, (&pulls, Wanted::Compared), now)?,
                None => self.stored(customer, feed.source.id(), &light)?,
            };
            pulls.push(pulled);
        }
        pulls.extend(self.by_hand(customer, &light)?);
        let mut behind = behind_of(&mut pulls);
        self.note_findings(row, &pulls, &behind)?;
        if let Some(scope) = terms.scope() {
            known(scope, &pulls)?;
        }
        let unusable = unusable(customer, &mut pulls, row);
        // A dry run turns nothing away, nor does a look at some people: the real run looks at it again.
        let turns_away = commit && terms.scope().is_none();
        if !turns_away {
            row.rejected.clear();
        }
        let mut told = terms.told();
        told.extend(pulls.iter().flat_map(|pulled| &pulled.narrowed).flat_map(|narrowed| narrowed.told.iter().cloned()));
        told.extend(pulls.iter_mut().flat_map(|pulled| std::mem::take(&mut pulled.told)));
        if let Some(reason) = unusable {
            told.push(reason.1);
            behind.finish()?;
            if commit {
                self.sweep_hold(customer)?;
            }
            row.state = reason.0;
            row.message = told.join("; ");
            return Ok(None);
        }
        told.extend(Some(std::mem::take(&mut row.message)).filter(|trouble| !trouble.is_empty()));
        let looks: Vec<SourceLook> = pulls.iter().filter_map(|pulled| pulled.look.clone()).collect();
        row.state = RunState::Planning;
        let planning = row.clone();
        behind.write(&self.store, move |store| store.save_run(&planning))?;
        watch(Phase::Planning);
        let log_ins: Vec<_> = pulls.iter_mut().flat_map(|pulled| std::mem::take(&mut pulled.activity)).collect();
        let mut traces = traces_of(&mut pulls);
        if commit {
            self.catch_up(customer, now)?;
        }
        let mut drafts = Drafting::new(customer.id(), pulls, &terms)?;
        drafts.behind = behind;
        drafts.thin(customer.id(), &light)?;
        drafts.lean(self, customer.id(), &customer.policy, &light, customer.day_of(self.acts_at(&light, now)))?;
        let mut is_first = true;
        while *left > 0 {
            *left -= 1;
            if commit && !std::mem::take(&mut is_first) {
                self.catch_up(customer, now)?;
            }
            let standing = self.standing_with_seeds(customer, now)?;
            let now = standing.1.at;
            if standing.0.sources != light.sources {
                let (customer, planned, now) = (customer.id().clone(), light.version, standing.0.version);
                return Err(StoreError::VersionMoved { customer, planned, now }.into());
            }
            let draft = drafts.draft(self, customer, standing, row.run)?;
            drafts.behind.finish()?;
            let Draft { plan, people, state, message, packages, kept_out } = draft;
            row.tally = tally(&plan, people, row.tally.findings);
            row.packages = packages;
            let hints = hints(customer, |source| terms.reads(source), &plan, state == RunState::Held);
            let said = message.clone();
            let message = Some(message).filter(|message| !message.is_empty());
            row.message = told.iter().cloned().chain(message).chain(hints).collect::<Vec<_>>().join("; ");
            row.plan = Some(plan.id);
            // A package that is held is not taken in, nor are its log-ins.
            let taken = !log_ins.is_empty() && !plan.snapshots.is_empty();
            if !commit {
                self.store.save_plan(&plan)?;
                if taken {
                    self.store.plan_activity(customer.id(), row.run, &log_ins)?;
                }
                row.state = RunState::Planned;
                return Ok(Some(plan));
            }
            row.state = RunState::Committing;
            self.store.save_planned(&plan, row)?;
            watch(Phase::Committing);
            match self.commit(&plan, row.run, &row.trigger.actor(), now, "sync") {
                Ok(receipt) => {
                    row.version = receipt.map(|r| r.version);
                    row.state = state;
                    // Not before: a package without its hold would be offered to nobody any more (R101).
                    if turns_away {
                        row.rejected.extend(kept_out);
                    }
                    let looked = self.note_looks(customer, &looks, &row.rejected);
                    let noted = if taken { self.store.put_activity(customer.id(), &log_ins, now).map(drop) } else { Ok(()) };
                    let pruned = self.clear_away(customer.id(), Some(row.run));
                    // Not before: a purge takes all traces with it.
                    let kept = self.keep_traces(customer, &plan, (&mut traces, drafts.needs()));
                    let version = row.version.unwrap_or(plan.parent);
                    let rests =
                        if told.is_empty() { self.note_rest(customer, row, (&plan, version, said), &terms) } else { Ok(()) };
                    // The commit stands; to call this run failed would say that nothing was changed.
                    let beside = [
                        ("note when sources were read", looked),
                        ("note the log-ins", noted),
                        ("clear old snapshots away", pruned),
                        ("keep what the next read is to know", kept),
                        ("note that nothing is left to be done", rests),
                    ];
                    told_beside(row, beside);
                    return Ok(Some(plan));
                }
                Err(StoreError::VersionMoved { .. }) if *left > 0 => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// The standing, with grants of the settings that were never recorded: what a plan begun at `now` is made from. It is
    /// made as of the newest commit if that came later (R60, R68).
    pub(crate) fn standing_with_seeds(&self, customer: &Customer, now: Instant) -> Result<(Standing, Seeds), ServiceError> {
        self.seeded(customer, self.store.standing(customer.id())?, now)
    }

    /// A standing with grants of the settings that were never recorded.
    pub(crate) fn seeded(
        &self,
        customer: &Customer,
        mut standing: Standing,
        now: Instant,
    ) -> Result<(Standing, Seeds), ServiceError> {
        let now = self.acts_at(&standing, now);
        let mut seeds = Seeds { at: now, ..Seeds::default() };
        for grant in &customer.grants {
            match standing.grants.iter().find(|g| g.id == grant.id) {
                Some(known)
                    if known.pool == grant.pool
                        && known.seats == grant.seats
                        && known.from == grant.from
                        && known.to == grant.to => {}
                Some(known) => {
                    return Err(ServiceError::Settings {
                        customer: customer.id().clone(),
                        why: format!(
                            "grant {} was recorded on {} with {} seats in pool {}; grants are never edited: put the old values back and add another grant",
                            grant.id, known.recorded, known.seats, known.pool
                        ),
                    });
                }
                None => seeds.grants.push(Grant { recorded: now, by: Actor::operator("settings"), ..grant.clone() }),
            }
        }
        for agreed in &customer.agreed {
            match standing.agreed.iter().find(|a| a.id == agreed.id) {
                Some(known)
                    if known.pool == agreed.pool
                        && known.seats == agreed.seats
                        && known.from == agreed.from
                        && known.to == agreed.to => {}
                Some(known) => {
                    return Err(ServiceError::Settings {
                        customer: customer.id().clone(),
                        why: format!(
                            "agreed excess {} was recorded on {} with {} seats in pool {}; what was agreed is never edited: put the old values back and add another agreed excess",
                            known.id, known.recorded, known.seats, known.pool
                        ),
                    });
                }
                None => seeds.agreed.push(AgreedExcess { recorded: now, by: Actor::operator("settings"), ..agreed.clone() }),
            }
        }
        self.seed_terms(customer, &standing, &mut seeds, now)?;
        standing.grants.extend(seeds.grants.iter().cloned());
        standing.agreed.extend(seeds.agreed.iter().cloned());
        standing.chain.extend(seeds.terms.iter().cloned());
        let carried = carried_grants(&customer.policy, &standing, now);
        standing.grants.extend(carried.iter().cloned());
        seeds.grants.extend(carried);
        Ok((standing, seeds))
    }

    /// Whether a run could use the settings of a customer: they contradict nothing that was recorded, and the newest
    /// roster knows the orgs they name. Reads no source; says whether there was a roster to compare with.
    ///
    /// # Errors
    /// [`ServiceError::Settings`] or [`ServiceError::Plan`] if it could not; otherwise when the store cannot be read.
    pub fn fits(&self, customer: &Customer) -> Result<bool, ServiceError> {
        let now = self.now();
        let (standing, _) = self.standing_with_seeds(customer, now)?;
        if standing.sources.is_empty() {
            return Ok(false);
        }
        let roster = self.roster(customer, &standing)?;
        fit(&customer.policy, &roster, customer.day_of(now))
            .map_err(|cause| ServiceError::Plan { customer: customer.id().clone(), cause })?;
        Ok(true)
    }

    pub(crate) fn commit(
        &self,
        plan: &Plan,
        run: RunId,
        actor: &Actor,
        at: Instant,
        verb: &'static str,
    ) -> Result<Option<Receipt>, StoreError> {
        if plan.is_empty() {
            return Ok(None);
        }
        let words = (&plan.names, &plan.people, plan.changes.as_slice());
        let customer = self.customers().iter().find(|customer| *customer.id() == plan.customer);
        let notices = customer.map(|customer| self.with_candidates(customer, &plan.notices, words));
        let batch = Batch {
            customer: &plan.customer,
            parent: plan.parent,
            at,
            actor: actor.clone(),
            run: Some(run),
            plan: Some(plan.id),
            verb,
            names: &plan.names,
            people: &plan.people,
            changes: &plan.changes,
            entries: &plan.entries,
            notices: notices.as_deref().unwrap_or(&plan.notices),
        };
        Ok(Some(self.store.commit(&batch)?))
    }

    fn distrust(&self, customer: &Customer, plan: &Plan, standing: &Standing, held: &[PersonKey]) -> Result<(), ServiceError> {
        let flaws: Vec<Flaw> = check(plan, standing, held);
        if flaws.is_empty() { Ok(()) } else { Err(ServiceError::Flawed { customer: customer.id().clone(), flaws }) }
    }

    pub(crate) fn note_findings(&self, row: &mut RunRow, pulls: &[Pulled], behind: &Behind) -> Result<(), ServiceError> {
        row.tally.findings = pulls.iter().map(|pulled| pulled.findings.total()).sum();
        let mut rows = Vec::new();
        for pulled in pulls {
            for finding in &pulled.findings.kept {
                rows.push(FindingRow {
                    number: rows.len() as u64 + 1,
                    source: pulled.source.clone(),
                    level: finding.level.word().to_owned(),
                    rule: finding.rule.to_owned(),
                    file: finding.file.clone(),
                    row: finding.row,
                    record: finding.record.clone(),
                    field: finding.field.clone(),
                    detail: finding.detail.clone(),
                });
            }
        }
        if !rows.is_empty() {
            let run = row.run;
            behind.write(&self.store, move |store| store.save_findings(run, &rows))?;
        }
        Ok(())
    }
}

/// What did not work beside a commit that stands; to call its run failed would say that nothing was changed.
pub(crate) fn told_beside<const N: usize>(row: &mut RunRow, beside: [(&str, Result<(), StoreError>); N]) {
    for (what, done) in beside {
        if let Err(error) = done {
            add(&mut row.message, &format!("could not {what}: {}", ErrorChain(&error)));
        }
    }
}

/// Adds something to what an operator should know.
pub(crate) fn add(message: &mut String, more: &str) {
    if !message.is_empty() {
        message.push_str("; ");
    }
    message.push_str(more);
}
