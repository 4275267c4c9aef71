//! Terms of pools: recorded, corrected, and acted on at their true instants, however late somebody looks (R87 to R93).

use crate::base::{Actor, CustomerId, Day, GrantId, Instant, PoolId, Seats, Version};
use crate::license::{
    Grant, GrantKind, Phase, Pool, RenewalBasis, Term, TermState, chain_of, grace_end, last_day, overlapping_terms, phase_at,
    term_corrections, term_grant,
};
use crate::plan::{Answer, Decision, Renewal, Standing, phase_due, reminders, renewals};
use crate::service::core::{Customer, Service};
use crate::service::decisions::DecisionDone;
use crate::service::draft::Seeds;
use crate::service::error::ServiceError;
use crate::service::writing::TRIES_MAX;
use crate::store::{RunRow, RunState, StoreError, Trigger};

/// A term that somebody wants recorded.
#[derive(Clone, Debug)]
pub struct TermWish {
    /// Its pool.
    pub pool: PoolId,
    /// Its id; `None`: the pool's and the first day.
    pub id: Option<String>,
    /// Its first day where the pool is; `None`: as the basis says.
    pub from: Option<Day>,
    /// The first day no longer in it.
    pub to: Day,
    /// How many seats; `None`: what ends with the term before it carries over.
    pub seats: Option<Seats>,
    /// Where it starts if `from` says nothing; `None`: as the settings say.
    pub basis: Option<RenewalBasis>,
    /// The order or letter it rests on.
    pub reference: String,
}

/// What is to change in a recorded term. What is `None` stays.
#[derive(Clone, Debug)]
pub struct TermFix {
    /// The term.
    pub id: GrantId,
    /// Its first day.
    pub from: Option<Day>,
    /// The first day no longer in it; its own first day: it is withdrawn.
    pub to: Option<Day>,
    /// How many seats it brings.
    pub seats: Option<Seats>,
    /// The letter this rests on.
    pub reference: String,
}

/// What came of recording a term.
#[derive(Debug)]
pub struct TermDone {
    /// The term as it is from now on.
    pub term: Term,
    /// The decision.
    pub decided: DecisionDone,
    /// The run that did at once what the term means for seats; `None` if there was nothing to do it with, or if it could not
    /// be made: then it is asked for, and `rosterd runs` says what was in its way.
    pub run: Option<RunRow>,
}

/// Where a pool is in its terms, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermView {
    /// Its phase now.
    pub phase: Phase,
    /// The last day of the term that runs, or ended last.
    pub last_day: Option<Day>,
    /// The last day on which people have access if nothing is recorded.
    pub access_until: Option<Day>,
    /// The term that follows.
    pub next: Option<GrantId>,
    /// It ends without a successor, and that within `renewal.upcoming_days`, or it has ended (R88).
    pub renewal_due: bool,
}

impl TermView {
    /// Of a pool at an instant; `None` if it has no terms.
    pub fn of(pool: &Pool, chain: &[Term], now: Instant) -> Option<Self> {
        let terms = chain_of(chain, &pool.id);
        let phase = phase_at(chain, pool, now);
        if phase.state == TermState::Unbound {
            return None;
        }
        let next = terms.iter().find(|term| now < term.from).map(|term| term.id.clone());
        let ended = phase.term.as_ref().map(|_| last_day(pool, phase.term_end));
        let access_until = ended.map(|_| last_day(pool, grace_end(pool, phase.term_end)));
        let upcoming = i32::try_from(pool.renewal.upcoming_days).unwrap_or(i32::MAX);
        let near = ended.is_some_and(|last| last <= pool.calendar.day_of(now).plus(upcoming));
        Some(Self { renewal_due: next.is_none() && near, phase, last_day: ended, access_until, next })
    }
}

impl Service {
    /// Does what time did to terms since somebody last looked, change by change and each as of its own instant. Returns the
    /// run that failed, if one did: nothing can be decided on books that lag behind.
    ///
    /// # Errors
    /// When the books cannot be read or written.
    pub fn settle(&self, customer: &Customer) -> Result<Option<RunRow>, ServiceError> {
        let mut settled = None;
        loop {
            let standing = self.store.standing_light(customer.id())?;
            // Before the first roster nobody has a seat.
            let due = phase_due(&customer.policy, &standing, self.now()).filter(|_| !standing.sources.is_empty());
            let Some(due) = due.filter(|_| settled != Some(standing.version)) else { return Ok(None) };
            settled = Some(standing.version);
            let run = self.dates_run(customer, due)?;
            if run.state == RunState::Failed {
                return Ok(Some(run));
            }
        }
    }

    /// The same before a decision, which is refused if the books cannot be brought to where time is.
    pub(crate) fn settled(&self, customer: &Customer) -> Result<(), ServiceError> {
        match self.settle(customer)? {
            None => Ok(()),
            Some(failed) => Err(ServiceError::Settings { customer: customer.id().clone(), why: failed.message }),
        }
    }

    /// A run that reads nothing, as of an instant.
    fn dates_run(&self, customer: &Customer, at: Instant) -> Result<RunRow, ServiceError> {
        // It writes down where pools are in their terms: that one was made longer is seen before that alone.
        self.tell_renewals(customer, &self.store.standing_light(customer.id())?)?;
        let trigger = Trigger::Dates(customer.day_of(at));
        let planned = self.recorded(customer, &trigger, &mut |row| self.try_run(customer, row, at, true, &|_| ()))?;
        Ok(planned.run)
    }

    /// What a tick does about terms: tells what ends soon, and says whether they ask for a run now, as far as the newest run
    /// did not just fail of it. Where nothing is due it rests until something is.
    pub(crate) fn terms_tick(&self, customer: &Customer, version: Version, now: Instant) -> Result<bool, ServiceError> {
        const RETRY_MILLIS: i64 = 3_600_000;
        // Without books no term was recorded.
        if version.0 == 0 || self.term_dues.rests(customer.id(), version, now) {
            return Ok(false);
        }
        self.remind(customer)?;
        let standing = self.store.standing_light(customer.id())?;
        let next = phase_due(&customer.policy, &standing, Instant::MAX).unwrap_or(Instant::MAX);
        if standing.sources.is_empty() || next > now {
            // Reminders come with a pool's dates.
            let days = customer.policy.pools.iter().map(|pool| pool.calendar.end_of(pool.calendar.day_of(now)));
            let next = if next > now { next } else { Instant::MAX };
            self.term_dues.set(customer.id(), standing.version, days.fold(next, Instant::min));
            return Ok(false);
        }
        let newest = self.store.runs(Some(customer.id()), 1)?;
        Ok(!newest.iter().any(|run| run.state == RunState::Failed && now.0 - run.began.0 < RETRY_MILLIS))
    }

    /// Tells of terms and grace that end soon, and of overages that go on, each reminder once (R89, R151).
    ///
    /// # Errors
    /// When the books cannot be read or written.
    pub fn remind(&self, customer: &Customer) -> Result<(), ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        for notice in reminders(&customer.policy, &standing, self.now(), customer.reports.remind_business_days) {
            if !self.store.has_notice(customer.id(), &notice.key)? {
                self.note(customer, &Actor::system(), "remind", &[notice])?;
            }
        }
        self.tell_renewals(customer, &standing)
    }

    /// Tells of terms that follow one of whose end it was told, once (R151).
    fn tell_renewals(&self, customer: &Customer, standing: &Standing) -> Result<(), ServiceError> {
        for Renewal { notice, told } in renewals(&customer.policy, standing, self.now()) {
            if self.store.has_notice(customer.id(), &notice.key)? {
                continue;
            }
            for key in told {
                if self.store.has_notice(customer.id(), &key)? {
                    self.note(customer, &Actor::system(), "renewal_told", &[notice])?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Records the next term of a pool, and does at once what it means for seats (R92, R93).
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such pool; when the books cannot be read or written.
    pub fn renew(&self, customer: &Customer, actor: &Actor, wish: &TermWish) -> Result<TermDone, ServiceError> {
        self.renew_on(customer, actor, wish, None)
    }

    /// The same; with a version only on books of that version.
    ///
    /// # Errors
    /// As [`Service::renew`], and [`StoreError::VersionMoved`] if the books are not, or no longer, of that version.
    pub fn renew_on(
        &self,
        customer: &Customer,
        actor: &Actor,
        wish: &TermWish,
        version: Option<Version>,
    ) -> Result<TermDone, ServiceError> {
        anew(version, || self.try_renew(customer, actor, wish, version))
    }

    fn try_renew(
        &self,
        customer: &Customer,
        actor: &Actor,
        wish: &TermWish,
        version: Option<Version>,
    ) -> Result<TermDone, ServiceError> {
        self.settled(customer)?;
        let pool = customer.pool(&wish.pool)?;
        let standing = self.standing_light_with_seeds(customer)?;
        seen(customer, &standing, version)?;
        let now = self.now();
        let from = match wish.from {
            Some(day) => pool.calendar.start_of(day),
            None => renewal_start(pool, &standing.chain, wish.basis.unwrap_or(pool.renewal.basis), now),
        };
        let id = match &wish.id {
            Some(id) => id.clone(),
            None => format!("{}-{}", pool.id, pool.calendar.day_of(from)),
        };
        let term = Term {
            id: GrantId::new(id),
            pool: pool.id.clone(),
            from,
            to: pool.calendar.start_of(wish.to),
            seats: wish.seats,
            recorded: now,
            by: actor.clone(),
            reference: wish.reference.clone(),
        };
        if term.to <= term.from {
            return Ok(TermDone { term, decided: DecisionDone::refused(Answer::TermEndsFirst), run: None });
        }
        let known = |id: &GrantId| standing.grants.iter().any(|grant| grant.id == *id);
        if known(&term.id) || standing.chain.iter().any(|other| other.id == term.id) {
            return Ok(TermDone { term, decided: DecisionDone::refused(Answer::GrantTaken), run: None });
        }
        let first = chain_of(&standing.chain, &pool.id).iter().all(|other| term.from < other.from);
        let kind = if first { GrantKind::Purchase } else { GrantKind::Renewal };
        let grants = term_grant(&term, kind).into_iter().collect();
        self.record((customer, actor), &standing, term, grants)
    }

    /// Corrects a recorded term: the trail keeps what it was (R18).
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if the pool has no such term; when the books cannot be read or written.
    pub fn correct_term(
        &self,
        customer: &Customer,
        actor: &Actor,
        pool: &PoolId,
        fix: &TermFix,
    ) -> Result<TermDone, ServiceError> {
        self.correct_term_on(customer, actor, (pool, fix), None)
    }

    /// The same; with a version only on books of that version.
    ///
    /// # Errors
    /// As [`Service::correct_term`], and [`StoreError::VersionMoved`] if the books are not, or no longer, of that version.
    pub fn correct_term_on(
        &self,
        customer: &Customer,
        actor: &Actor,
        fix: (&PoolId, &TermFix),
        version: Option<Version>,
    ) -> Result<TermDone, ServiceError> {
        anew(version, || self.try_correct_term(customer, actor, fix, version))
    }

    fn try_correct_term(
        &self,
        customer: &Customer,
        actor: &Actor,
        (pool, fix): (&PoolId, &TermFix),
        version: Option<Version>,
    ) -> Result<TermDone, ServiceError> {
        self.settled(customer)?;
        let pool = customer.pool(pool)?;
        let standing = self.store.standing_light(customer.id())?;
        seen(customer, &standing, version)?;
        let unknown = || ServiceError::Unknown {
            what: "term",
            id: fix.id.to_string(),
            hint: crate::base::most_similar(fix.id.as_str(), standing.chain.iter().map(|term| term.id.as_str())),
        };
        let old = standing.chain.iter().find(|term| term.pool == pool.id && term.id == fix.id).ok_or_else(unknown)?;
        let first = standing.grants.iter().find(|grant| grant.id == old.id);
        let had = old.seats.or_else(|| first.and_then(|grant| u32::try_from(grant.seats).ok().map(Seats)));
        let start = |day: Option<Day>, old: Instant| day.map_or(old, |day| pool.calendar.start_of(day));
        let term = Term {
            from: start(fix.from, old.from),
            to: start(fix.to, old.to),
            seats: fix.seats.or(old.seats),
            recorded: self.now(),
            by: actor.clone(),
            reference: fix.reference.clone(),
            ..old.clone()
        };
        if term.to < term.from {
            return Ok(TermDone { term, decided: DecisionDone::refused(Answer::TermEndsFirst), run: None });
        }
        let grants = term_corrections((old, had.unwrap_or_default()), &term, &standing.grants);
        self.record((customer, actor), &standing, term, grants)
    }

    /// What it adds to or takes from the books was worked out on these.
    fn record(
        &self,
        (customer, actor): (&Customer, &Actor),
        standing: &Standing,
        term: Term,
        grants: Vec<Grant>,
    ) -> Result<TermDone, ServiceError> {
        let decision = Decision::Term { term: term.clone(), grants };
        let decided = self.decide_on(customer, actor, &decision, Some(standing.version))?;
        let runs = decided.answer == Answer::Done && !standing.sources.is_empty();
        let run = match runs.then(|| self.dates_run(customer, self.now())) {
            Some(Ok(run)) => Some(run),
            // The term stands, whatever comes of it: a worker makes the run when it can be made.
            Some(Err(_)) => {
                let _ = self.request_sync(customer, &Trigger::Dates(customer.day_of(self.now())));
                None
            }
            None => None,
        };
        if decided.answer == Answer::Done {
            // The term stands, whatever comes of it: the next tick tells what is not told here.
            let _ = self.store.standing_light(customer.id()).map(|standing| self.tell_renewals(customer, &standing));
        }
        Ok(TermDone { term, decided, run })
    }

    /// Terms of these customers that end, or have ended, without a successor, the first to end first (R88); `all`: every pool
    /// that has terms.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn renewals(&self, customers: &[&Customer], all: bool) -> Result<Vec<(CustomerId, PoolId, TermView)>, ServiceError> {
        let mut rows = Vec::new();
        for customer in customers {
            let views = self.term_views(customer)?;
            let wanted = views.into_iter().filter(|(_, view)| all || view.renewal_due);
            rows.extend(wanted.map(|(pool, view)| (customer.id().clone(), pool, view)));
        }
        rows.sort_by(|(a, ap, av), (b, bp, bv)| (av.phase.term_end, a, ap).cmp(&(bv.phase.term_end, b, bp)));
        Ok(rows)
    }

    /// The terms of all pools in the order of the settings, each pool's in their own.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn term_views(&self, customer: &Customer) -> Result<Vec<(PoolId, TermView)>, ServiceError> {
        self.as_of(customer, None, |books| {
            let view = |pool: &Pool| TermView::of(pool, &books.standing.chain, books.at).map(|view| (pool.id.clone(), view));
            Ok(customer.policy.pools.iter().filter_map(view).collect())
        })
    }

    /// Terms of the settings that were never recorded, with the grants they bring. One that was recorded from the settings
    /// is corrected by hand, so that the trail tells who did.
    pub(crate) fn seed_terms(
        &self,
        customer: &Customer,
        standing: &Standing,
        seeds: &mut Seeds,
        now: Instant,
    ) -> Result<(), ServiceError> {
        let by = Actor::operator("settings");
        let settings = |why: String| ServiceError::Settings { customer: customer.id().clone(), why };
        for term in &customer.terms {
            match standing.chain.iter().find(|known| known.id == term.id) {
                Some(known) if known.by != by => {}
                Some(known)
                    if (&known.pool, known.from, known.to, known.seats) == (&term.pool, term.from, term.to, term.seats) => {}
                Some(known) => {
                    return Err(settings(format!(
                        "term {} was recorded on {} with other dates or seats; put the old values back and correct it with `rosterd pool correct-term`",
                        term.id, known.recorded
                    )));
                }
                None => {
                    let term = Term { recorded: now, by: by.clone(), ..term.clone() };
                    let first = customer
                        .terms
                        .iter()
                        .chain(&standing.chain)
                        .all(|other| other.pool != term.pool || other.id == term.id || term.from < other.from);
                    let kind = if first { GrantKind::Purchase } else { GrantKind::Renewal };
                    seeds.grants.extend(term_grant(&term, kind));
                    seeds.terms.push(term);
                }
            }
        }
        let all: Vec<Term> = standing.chain.iter().chain(&seeds.terms).cloned().collect();
        let overlap = customer.policy.pools.iter().find_map(|pool| overlapping_terms(&all, &pool.id));
        match overlap {
            Some((one, other)) => Err(settings(format!("terms {one} and {other} overlap; terms of a pool follow one another"))),
            None => Ok(()),
        }
    }

    /// The standing without claims, and with terms of the settings that no run has recorded yet.
    pub(crate) fn standing_light_with_seeds(&self, customer: &Customer) -> Result<Standing, ServiceError> {
        let mut standing = self.store.standing_light(customer.id())?;
        customer.add_terms(&mut standing);
        Ok(standing)
    }
}

impl Customer {
    /// Adds the terms of the settings that no run has recorded yet.
    pub(crate) fn add_terms(&self, standing: &mut Standing) {
        let known = |id: &GrantId| standing.chain.iter().any(|term| term.id == *id);
        let new: Vec<Term> = self.terms.iter().filter(|term| !known(&term.id)).cloned().collect();
        standing.chain.extend(new);
    }
}

/// Works a term out, and anew whenever somebody else commits in between, unless it is meant for books of one version.
fn anew(version: Option<Version>, work: impl Fn() -> Result<TermDone, ServiceError>) -> Result<TermDone, ServiceError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match work() {
            Err(ServiceError::Store(StoreError::VersionMoved { .. })) if version.is_none() && tries < TRIES_MAX => {}
            done => return done,
        }
    }
}

/// Whether the books are of the version they are meant to be.
fn seen(customer: &Customer, standing: &Standing, version: Option<Version>) -> Result<(), ServiceError> {
    match version.filter(|version| *version != standing.version) {
        Some(planned) => {
            let (customer, now) = (customer.id().clone(), standing.version);
            Err(StoreError::VersionMoved { customer, planned, now }.into())
        }
        None => Ok(()),
    }
}

/// Where a renewal starts that does not say so itself (R92): where the term before it ended, or today.
fn renewal_start(pool: &Pool, chain: &[Term], basis: RenewalBasis, now: Instant) -> Instant {
    let today = pool.calendar.start_of(pool.calendar.day_of(now));
    let Some(last) = chain_of(chain, &pool.id).last().map(|term| term.to) else { return today };
    let lapsed = grace_end(pool, last) <= now;
    match basis {
        RenewalBasis::Expiry => last,
        RenewalBasis::ActivationIfLapsed if !lapsed => last,
        // A renewal recorded ahead is activated when its time has come.
        RenewalBasis::Activation | RenewalBasis::ActivationIfLapsed => today.max(last),
    }
}
