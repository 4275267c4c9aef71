//! Deciding holds: shown first, then approved, approved but for some, or rejected (R120). A decision is one commit of
//! its own; what was approved is then done by an ordinary run that knows of it, planned anew on the books as they are.

use crate::base::{Actor, Digest, Instant, PersonKey, RequestId, RunId};
use crate::license::{Entry, Hold, HoldState};
use crate::plan::{Plan, Sight, Standing, next_holds, resolution};
use crate::service::core::{Customer, Service};
use crate::service::draft::Drafting;
use crate::service::error::ServiceError;
use crate::service::pulled::Pulled;
use crate::service::rosters::Wanted;
use crate::service::sync::Watch;
use crate::service::writing::Writing;
use crate::store::{Asked, RunRow, StoreError, Trigger};

/// The answer to a decision. Everything but `Done` changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldAnswer {
    /// Written down.
    Done,
    /// It is decided, resolved or superseded already: a decision works once.
    NotOpen(HoldState),
    /// The deadline passed.
    Expired,
    /// A collection came back empty: the approval must say that this is right (R114).
    NeedsAllowEmpty,
    /// An exception names somebody whom the hold does not cover.
    NotCovered(PersonKey),
}

/// A decision and what came of it.
#[derive(Clone, Debug)]
pub struct HoldDone {
    /// The answer.
    pub answer: HoldAnswer,
    /// The hold as it is now.
    pub hold: Hold,
    /// The run that did what was approved.
    pub run: Option<RunRow>,
    /// Where a run was under way: the request whose run does it next.
    pub request: Option<RequestId>,
}

impl HoldDone {
    fn of(answer: HoldAnswer, hold: Hold) -> Self {
        Self { answer, hold, run: None, request: None }
    }
}

impl Service {
    /// The holds of a customer, newest first.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn holds(&self, customer: &Customer) -> Result<Vec<Hold>, ServiceError> {
        Ok(self.store.holds(customer.id())?)
    }

    /// The hold that a run opened, and whose it is.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is none.
    pub fn hold(&self, run: RunId) -> Result<(&Customer, Hold), ServiceError> {
        let unknown = || ServiceError::Unknown { what: "hold of run", id: run.to_string(), hint: None };
        let row = self.store.run(run)?.ok_or_else(unknown)?;
        let customer = self.customer(row.customer.as_str())?;
        let hold = self.store.holds(customer.id())?.into_iter().find(|hold| hold.run == run).ok_or_else(unknown)?;
        Ok((customer, hold))
    }

    /// What approving an open hold as a whole would do now, as a plan; changes nothing. `None`: it is not open, or its
    /// packages are not to be had now: gone, or of a source that is down or paused.
    ///
    /// # Errors
    /// [`ServiceError::UnderWay`] if packages must be read for it while a run of the customer reads; when books, snapshots or
    /// sources cannot be read.
    pub fn hold_preview(&self, customer: &Customer, hold: &Hold) -> Result<Option<Plan>, ServiceError> {
        let now = self.now();
        if !hold.is_open(now) {
            return Ok(None);
        }
        if hold.packages.is_empty() {
            return self.if_approved(customer, hold, now);
        }
        let turn = self.turns.try_take(customer.id());
        let _turn = turn.ok_or_else(|| ServiceError::UnderWay { customer: customer.id().clone() })?;
        let plan = self.if_approved(customer, hold, now);
        customer.done_reading();
        plan
    }

    fn if_approved(&self, customer: &Customer, hold: &Hold, now: Instant) -> Result<Option<Plan>, ServiceError> {
        let approved = Hold { state: HoldState::Approved, at: Some(now), exceptions: Vec::new(), ..hold.clone() };
        let (mut standing, seeds) = self.standing_with_seeds(customer, now)?;
        standing.hold = Some(approved);
        let terms = self.terms(customer, &Trigger::Drop, &standing, now)?;
        let mut pulls: Vec<Pulled> = Vec::new();
        for feed in &customer.sources {
            let pulled = if hold.packages.is_empty() || !terms.reads(feed.source.id()) {
                self.stored(customer, feed.source.id(), &standing)?
            } else {
                self.pull(customer, feed, &standing, (&pulls, Wanted::Whole), now)?
            };
            pulls.push(pulled);
        }
        pulls.extend(self.by_hand(customer, &standing)?);
        let taken = |pulled: &Pulled| pulled.fresh.as_ref().map(|fresh| fresh.mark.package);
        let held = |digest: Digest| hold.packages.iter().any(|(_, (held, _))| *held == digest);
        let here: Vec<Digest> = pulls.iter().filter_map(taken).collect();
        if !hold.packages.iter().all(|(_, (held, _))| here.contains(held)) {
            return Ok(None);
        }
        // What arrived since then is not looked at.
        pulls.iter_mut().filter(|pulled| taken(pulled).is_some_and(|digest| !held(digest))).for_each(|p| p.fresh = None);
        let mut drafting = Drafting::new(customer.id(), pulls, &terms)?;
        let draft = drafting.draft(self, customer, (standing, seeds), hold.run)?;
        Ok(Some(draft.plan))
    }

    /// Approves a hold, but for the people in `exceptions`, and does what was approved. While a run of the customer is under
    /// way the next one does it (R99), which is asked for. If a source is down, the approval waits for the next run until its
    /// deadline.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such hold; when the books cannot be read or written.
    pub fn approve_hold(
        &self,
        run: RunId,
        actor: &Actor,
        exceptions: &[PersonKey],
        allow_empty: bool,
        watch: Watch<'_>,
    ) -> Result<HoldDone, ServiceError> {
        let mut exceptions = exceptions.to_vec();
        exceptions.sort_unstable();
        exceptions.dedup();
        let state = if exceptions.is_empty() { HoldState::Approved } else { HoldState::PartlyApproved };
        let (customer, _) = self.hold(run)?;
        let limits = customer.policy.limits_on(customer.day_of(self.now()));
        let ttl = i64::from(limits.approval_ttl_hours) * 3_600_000;
        let (_, answer, hold) = self.decide_hold(run, actor, "hold_approve", |hold, now| {
            let covered = |person: &&PersonKey| {
                hold.removals.binary_search(person).is_err() && hold.additions.binary_search(person).is_err()
            };
            if let Some(stranger) = exceptions.iter().find(covered) {
                return Err(HoldAnswer::NotCovered(stranger.clone()));
            }
            if hold.empty && !allow_empty {
                return Err(HoldAnswer::NeedsAllowEmpty);
            }
            let deadline = Instant(now.0.saturating_add(ttl));
            Ok(Hold { state, exceptions: exceptions.clone(), deadline, ..hold.clone() })
        })?;
        if answer != HoldAnswer::Done {
            return Ok(HoldDone::of(answer, hold));
        }
        let trigger = Trigger::SameDay(Asked::by(actor.clone()));
        let turn = if self.works_on(customer)? { None } else { self.turns.try_take(customer.id()) };
        let Some(turn) = turn else {
            let (request, _) = self.request_sync(customer, &trigger)?;
            return Ok(HoldDone { request: Some(request), ..HoldDone::of(answer, hold) });
        };
        let row = self.sync_in(&turn, customer, &trigger, watch)?;
        let (_, hold) = self.hold(run)?;
        Ok(HoldDone { run: Some(row), ..HoldDone::of(answer, hold) })
    }

    /// Whether a daemon that lives works on a request of the customer.
    fn works_on(&self, customer: &Customer) -> Result<bool, StoreError> {
        Ok(self.store.daemon()?.is_some() && self.is_running(customer)?)
    }

    /// Rejects a hold: the people stay as they are, and nothing of held packages is taken in. The same removals in the
    /// next snapshot open a new hold.
    ///
    /// # Errors
    /// As [`Service::approve_hold`].
    pub fn reject_hold(&self, run: RunId, actor: &Actor) -> Result<HoldDone, ServiceError> {
        let rejected = |hold: &Hold, _| Ok(Hold { state: HoldState::Rejected, ..hold.clone() });
        let (_, answer, hold) = self.decide_hold(run, actor, "hold_reject", rejected)?;
        Ok(HoldDone::of(answer, hold))
    }

    /// Looks after the newest hold between packages: tells of it once a business day, and closes it when its deadline
    /// passed. A run does the same on its way; this is for when there is none. Returns whether anything was written.
    ///
    /// # Errors
    /// When the books cannot be read or written.
    pub fn sweep_hold(&self, customer: &Customer) -> Result<bool, ServiceError> {
        let (told, _) = self.write(customer, &Actor::system(), &|standing, now| {
            let Some(hold) = &standing.hold else { return Ok((false, None)) };
            let calendar = &customer.policy.calendar;
            let newest = Some(hold);
            let (holds, notices) =
                next_holds(&Sight { run: hold.run, now, calendar, ttl_hours: 0, newest, used: false, judged: None });
            if holds.is_empty() && notices.is_empty() {
                return Ok((false, None));
            }
            let entries = holds.into_iter().map(Entry::Hold).collect();
            Ok((true, Some(Writing { verb: "hold_sweep", plan: None, entries, notices })))
        })?;
        Ok(told)
    }

    /// Writes a decision on the newest hold, in the name of whoever decided.
    fn decide_hold(
        &self,
        run: RunId,
        actor: &Actor,
        verb: &'static str,
        decided: impl Fn(&Hold, Instant) -> Result<Hold, HoldAnswer>,
    ) -> Result<(&Customer, HoldAnswer, Hold), ServiceError> {
        let (customer, _) = self.hold(run)?;
        self.settled(customer)?;
        let ((answer, hold), _) = self.write(customer, actor, &|standing, now| {
            let (_, hold) = self.hold(run)?;
            if hold.state != HoldState::Open || standing.hold.as_ref().is_none_or(|newest| newest.run != run) {
                return Ok(((HoldAnswer::NotOpen(hold.state), hold), None));
            }
            if !hold.is_open(now) {
                return Ok(((HoldAnswer::Expired, hold), None));
            }
            Ok(match decided(&hold, now) {
                Ok(next) => {
                    let next = Hold { by: Some(actor.clone()), at: Some(now), ..next };
                    let (plan, entries) = (Some(hold.plan), vec![Entry::Hold(next.clone())]);
                    let notices = vec![resolution(&next)];
                    ((HoldAnswer::Done, next), Some(Writing { verb, plan, entries, notices }))
                }
                Err(answer) => ((answer, hold), None),
            })
        })?;
        Ok((customer, answer, hold))
    }

    /// Whether a package was held as a whole and is approved now.
    pub(crate) fn is_approved(&self, standing: &Standing, package: &Digest) -> bool {
        let approved = standing.hold.as_ref().filter(|hold| hold.approval_works(self.now()));
        approved.is_some_and(|hold| hold.packages.iter().any(|(_, (digest, _))| digest == package))
    }
}
