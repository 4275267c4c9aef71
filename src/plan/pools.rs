//! A pool while a plan is being made: what it holds, what it may still give, and its books at the end.

use std::collections::BTreeMap;

use crate::base::{Balance, EpisodeId, Instant, OrgId, PoolId, Seats};
use crate::license::{
    Allowance, Band, Cause, Causes, ClaimState, Draws, Entry, Episode, Gate, Names, Observation, Outcome, Phase, Pool,
    PoolBooks, PoolIx, PoolTerms, Room, Situation, StateCounts, TermState, allowance_at, allowance_in, band, changes_between,
    leading_cause, reconsider, step,
};
use crate::plan::action::{Notice, NoticeKind, PoolOutlook};
use crate::plan::input::{Policy, Standing};
use crate::plan::license_year::YearGate;
use crate::plan::overage::{notice, timeline};

/// One pool of the policy at work.
pub struct PoolWork<'a> {
    /// Its definition.
    pub pool: &'a Pool,
    /// Its position in the names.
    pub ix: PoolIx,
    /// Claims by state now, as the plan stands.
    pub counts: StateCounts,
    /// What it has at this instant.
    pub allowance: Allowance,
    before: StateCounts,
    freed: StateCounts,
    standing: &'a Standing,
    books: Option<&'a PoolBooks>,
    draws: Draws,
    released: u32,
    seated: u32,
    /// A claim of it changed its state: its books are written with that commit, whatever they come to.
    touched: bool,
    /// Consuming claims of people whose removal a guard holds, as the newest run left it.
    pub held_back: u32,
    /// For so many business days an overage made by them alone does not count (R123).
    provisional_days_max: u32,
    /// Seats given because an operator insisted.
    pub overridden: u32,
    /// Where it is in its chain of terms.
    pub phase: Phase,
    /// Who new to its license year still gets a seat; `None`: everybody.
    pub year: Option<YearGate<'a>>,
}

/// What a pool holds before anything is freed.
#[derive(Clone)]
pub struct Stock {
    /// Claims by state.
    pub counts: StateCounts,
    /// Seats in use by people of each reservation.
    pub reserved: Vec<Seats>,
    /// Seats in use by all others.
    pub direct: Seats,
    /// For each reservation the nearest one above it.
    parents: Vec<Option<usize>>,
}

impl Stock {
    /// Of a pool that holds nothing yet.
    pub fn empty(parents: Vec<Option<usize>>) -> Self {
        Self { counts: StateCounts::default(), reserved: vec![Seats(0); parents.len()], direct: Seats(0), parents }
    }

    /// So many more seats in use, of the reservation `nearest` or of the open part.
    pub fn take(&mut self, nearest: Option<u16>, seats: u32) {
        match nearest {
            Some(at) => self.reserved[usize::from(at)].0 += seats,
            None => self.direct.0 += seats,
        }
    }

    /// What was counted of other claims of the pool.
    pub fn join(&mut self, more: &Self) {
        let Self { counts, reserved, direct, parents: _ } = more;
        self.counts.add(counts);
        self.reserved.iter_mut().zip(reserved).for_each(|(own, more)| own.0 += more.0);
        self.direct.0 += direct.0;
    }
}

/// What the pools' books come to at the end of a plan.
#[derive(Debug, Default)]
pub struct Closing {
    /// Pool by pool.
    pub outlooks: Vec<PoolOutlook>,
    /// Definitions, books and episodes to write down.
    pub entries: Vec<Entry>,
    /// What to tell.
    pub notices: Vec<Notice>,
    /// What to tell of overages, each under its own key.
    told: Vec<Notice>,
}

impl<'a> PoolWork<'a> {
    /// The pool at a position of the policy as the books say, in a phase; `None`: the names do not have it.
    pub fn new(
        (policy, at): (&'a Policy, usize),
        standing: &'a Standing,
        names: &Names,
        (phase, stock): (Phase, &Stock),
        now: Instant,
    ) -> Option<Self> {
        let pool = &policy.pools[at];
        let ix = names.find_pool(&pool.id)?;
        let allowance = allowance_in(&phase, pool, &standing.grants, &standing.agreed, now);
        let Stock { counts, reserved, direct, parents } = stock;
        let draws = Draws::new(&pool.reservations, parents, reserved, *direct, allowance.effective());
        let books = standing.pools.get(&pool.id);
        Some(Self {
            pool,
            ix,
            counts: *counts,
            allowance,
            before: *counts,
            freed: *counts,
            standing,
            books,
            draws,
            released: 0,
            seated: 0,
            touched: false,
            held_back: books.map_or(0, |books| books.held_back.0),
            provisional_days_max: policy.limits.provisional_business_days_max,
            overridden: 0,
            phase,
            year: None,
        })
    }

    /// What the admission is told of a person (R57). `nearest` is the reservation that the person draws from.
    pub fn room(&self, person: &str, nearest: Option<usize>) -> Room {
        let used = self.counts.used();
        let year = self.year.as_ref().map_or(Gate::Open, |year| year.gate(person, used, self.bought()));
        let gate = match self.phase.gate(&self.pool.renewal) {
            Gate::Open => year,
            shut => shut,
        };
        Room { used, effective: self.allowance.effective(), draw_free: self.draws.free_for(nearest), gate }
    }

    /// A person lost a seat of it.
    pub fn leaves(&mut self, person: &str) {
        self.year.iter_mut().for_each(|year| year.leaves(person));
    }

    /// A person is about to take a seat of it.
    pub fn takes(&mut self, person: &str) {
        if self.year.is_none() {
            return;
        }
        let (used, bought) = (self.counts.used(), self.bought());
        self.year.iter_mut().for_each(|year| year.takes(person, used, bought));
    }

    fn bought(&self) -> Seats {
        self.allowance.seats.unwrap_or_default()
    }

    /// The same for somebody whose claim is suspended, and who is not new (R91, R93).
    pub fn room_again(&self, person: &str, nearest: Option<usize>) -> Room {
        let room = self.room(person, nearest);
        Room { gate: if room.gate == Gate::Shut { Gate::Shut } else { Gate::Open }, ..room }
    }

    /// Whether term and grace are over (R93).
    pub fn is_shut(&self) -> bool {
        self.phase.gate(&self.pool.renewal) == Gate::Shut
    }

    /// Whether there is a seat without going over.
    pub fn has_seat(&self, person: &str, nearest: Option<usize>) -> bool {
        self.room(person, nearest).is_free()
    }

    /// Whether the reservation that the person draws from has a seat of its own (R20).
    pub fn has_reserved_seat(&self, nearest: Option<usize>) -> bool {
        nearest.is_some_and(|at| self.draws.reserved_free(at) > Seats(0))
    }

    /// A claim moves from one state to another; `None` is "not there".
    pub fn shift(&mut self, from: Option<(ClaimState, Option<usize>)>, to: Option<(ClaimState, Option<usize>)>) {
        self.touched = true;
        let consumed = from.filter(|(state, _)| state.consumes());
        let consumes = to.filter(|(state, _)| state.consumes());
        if let Some((state, _)) = from {
            self.counts.leave(state);
        }
        if let Some((state, _)) = to {
            self.counts.enter(state);
        }
        match (consumed, consumes) {
            (Some((_, nearest)), None) => {
                self.draws.give_back(nearest);
                self.released += 1;
            }
            (None, Some((_, nearest))) => {
                self.draws.take(nearest);
                self.seated += 1;
            }
            (Some((_, was)), Some((_, is))) if was != is => {
                self.draws.give_back(was);
                self.draws.take(is);
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// Its books are to be written, whatever they come to.
    pub fn touch(&mut self) {
        self.touched = true;
    }

    /// Frees are over, seats begin: what is below zero from here on was seated over the limit (R55).
    pub fn frees_done(&mut self) {
        self.freed = self.counts;
    }

    fn effective(&self) -> Option<Seats> {
        self.allowance.effective()
    }

    /// The pool's books after the plan, and what they say to the outside.
    fn close(&self, at: Instant, next_episode: &mut EpisodeId, out: &mut Closing) {
        let used_before = self.before.used();
        let used = self.counts.used();
        let unwritten = Causes::new();
        let allowance_before = self.books.map_or(self.allowance, |b| b.allowance);
        let situation = |used, allowance| Situation { used, allowance };
        let mut causes = step(
            self.books.map_or(&unwritten, |b| &b.causes),
            situation(used_before, allowance_before),
            situation(used_before, self.allowance),
            Cause::SyncOverdraw,
        );
        // Seats an operator insisted on were given before the frees were counted.
        let freed = Seats(self.freed.used().0.saturating_sub(self.overridden));
        causes = step(&causes, situation(used_before, self.allowance), situation(freed, self.allowance), Cause::SyncOverdraw);
        let by_sync = Seats(used.0.saturating_sub(self.overridden).max(freed.0.min(used.0)));
        causes = step(&causes, situation(freed, self.allowance), situation(by_sync, self.allowance), Cause::SyncOverdraw);
        causes = step(&causes, situation(by_sync, self.allowance), situation(used, self.allowance), Cause::ManualOverride);
        let band_now = band(used, self.effective(), &self.pool.overage);
        let band_before = self.books.map_or(Band::Within, |b| b.band);

        // An overage that exists only because a guard holds removals back opens no episode for some days; after them, or
        // when somebody decides that the people stay, it opens as of when it began (R123).
        // An episode ends with its term; where the next one is still exceeded, a new one opens (R94). Grace opens none: the
        // seats were bought for the term that is over.
        let Standing { grants, agreed, .. } = self.standing;
        let mut line = timeline(self.pool, self.standing, (grants, agreed), &self.phase, at);
        let ended = self.term_ended(at);
        if let Some(ended) = ended.clone() {
            line.run_to(ended.closed.unwrap_or(at).plus_millis(-1));
            line.end(ended);
        }
        let open = self.books.and_then(|b| b.episode.as_ref()).filter(|_| ended.is_none());
        let in_grace = self.phase.state == TermState::InGrace;
        let held_back = Seats(self.held_back.min(used.0));
        let if_approved = Seats(used.0 - held_back.0);
        let over = self.effective().is_some_and(|e| used > e);
        let began = self.books.and_then(|b| b.provisional).filter(|_| over && open.is_none()).map_or(at, |since| since.min(at));
        let provisional = open.is_none()
            && !in_grace
            && over
            && held_back > Seats(0)
            && self.effective().is_some_and(|e| if_approved <= e)
            && self.business_days(began, at) <= self.provisional_days_max;
        let rests = in_grace && open.is_none();
        if !provisional && !rests {
            if let Some(void) = open.and_then(|open| self.undone_by_late_purchase(open, at)) {
                line.end(void);
            }
            // A clock that was set back opens none inside of the one before.
            let before = self.standing.overage_ended.get(&self.pool.id).filter(|_| line.episode.is_none());
            let seen = before.map_or(began, |before| began.max(*before));
            let observation = Observation {
                pool: self.pool.id.clone(),
                at: seen,
                day: self.pool.calendar.day_of(seen),
                used,
                effective: self.effective(),
                band: band_now,
                cause: leading_cause(&causes).unwrap_or(Cause::SyncOverdraw),
            };
            line.observe(&observation, next_episode);
        }
        out.told.extend(line.told.iter().filter_map(|told| notice(self.pool, told)));
        out.entries.append(&mut line.entries);
        let episode = line.episode.clone();

        let balance = self.allowance.balance(used);
        let balance_before = allowance_before.balance(used_before);
        if balance != balance_before || self.before != self.counts || band_before != band_now {
            self.tell(balance_before, balance, &causes, out);
        }
        let books = PoolBooks {
            counts: self.counts,
            allowance: self.allowance,
            causes: causes.clone(),
            band: band_now,
            episode,
            held_back,
            provisional: provisional.then_some(began),
        };
        if self.touched || self.books != Some(&books) {
            out.entries.push(Entry::Pool { pool: self.pool.id.clone(), books });
        }
        out.outlooks.push(PoolOutlook {
            pool: self.pool.id.clone(),
            product: self.pool.product.clone(),
            allowance_before,
            allowance: self.allowance,
            before: self.before,
            after: self.counts,
            balance_before,
            balance,
            balance_if_approved: self.allowance.balance(if_approved),
            band_before,
            band: band_now,
            causes,
            released: Seats(self.released),
            seated: Seats(self.seated),
        });
    }

    /// Business days strictly after the date of `from` and up to that of `to` (R61).
    fn business_days(&self, from: Instant, to: Instant) -> u32 {
        let calendar = &self.pool.calendar;
        calendar.business_days_between(calendar.day_of(from), calendar.day_of(to))
    }

    /// The open episode as the end of its term closes it (R94).
    fn term_ended(&self, at: Instant) -> Option<Episode> {
        let open = self.books.and_then(|b| b.episode.as_ref())?;
        let before = self.standing.phases.get(&self.pool.id).filter(|before| before.state == TermState::Current)?;
        if (before.state, &before.term) == (self.phase.state, &self.phase.term) {
            return None;
        }
        let last = open.samples.last().map_or(open.opened, |last| last.at);
        let closed = before.term_end.min(at).max(last);
        Some(Episode { closed: Some(closed), outcome: Some(Outcome::TermEnded), ..open.clone() })
    }

    /// The open episode as `void`, if what is recorded by now explains it away (R53).
    fn undone_by_late_purchase(&self, open: &Episode, at: Instant) -> Option<Episode> {
        let Standing { grants, agreed, .. } = self.standing;
        let changes = changes_between(self.pool, grants, agreed, open.opened, at);
        reconsider(open, at, &changes, |at| allowance_at(self.pool, grants, agreed, at).effective())
    }

    /// A negative balance is told when it begins and when it ends (R50); the key names the version it began at.
    fn tell(&self, before: Option<Balance>, after: Option<Balance>, causes: &Causes, out: &mut Closing) {
        let was = before.is_some_and(|b| b.0 < 0);
        let is = after.is_some_and(|b| b.0 < 0);
        let Some(after) = after else { return };
        let pool = &self.pool.id;
        if is && !was {
            let why: Vec<String> = causes.iter().map(|(cause, count)| format!("{count} {}", cause.word())).collect();
            out.notices.push(Notice {
                key: format!("negative_balance/{pool}"),
                kind: NoticeKind::NegativeBalance,
                pool: Some(pool.clone()),
                source: None,
                text: format!(
                    "Pool {pool} is at {after}: {} seats used, {} bought ({}).",
                    self.counts.used(),
                    self.allowance.seats.unwrap_or_default(),
                    why.join(", ")
                ),
            });
        } else if was && !is {
            out.notices.push(Notice {
                key: format!("balance_restored/{pool}"),
                kind: NoticeKind::BalanceRestored,
                pool: Some(pool.clone()),
                source: None,
                text: format!("Pool {pool} is back at {after}."),
            });
        }
    }
}

/// Closes all pools: definitions first, then books and episodes, in the order of the pools' ids. Keys of notices get
/// the new version at their end, so that each fact is told once and the next one again (R151).
pub fn close(pools: &[PoolWork<'_>], policy: &Policy, standing: &Standing, at: Instant) -> Closing {
    let mut out = Closing::default();
    let mut next_episode = standing.next_episode;
    let mut by_id: BTreeMap<&PoolId, &PoolWork<'_>> = BTreeMap::new();
    for work in pools {
        by_id.insert(&work.pool.id, work);
    }
    for pool in &policy.pools {
        let terms = PoolTerms {
            pool: pool.id.clone(),
            product: pool.product.clone(),
            unlimited: pool.unlimited,
            overage: pool.overage,
            owner: pool.owner.clone(),
            reservations: pool.reservations.clone(),
        };
        if standing.terms.get(&pool.id) != Some(&terms) {
            out.entries.push(Entry::PoolDefined(terms));
        }
    }
    // A pool that is gone from the settings serves nobody; what it had in use is freed by this plan or a later one.
    let kept = |terms: &PoolTerms| policy.pools.iter().any(|pool| pool.id == terms.pool);
    for terms in standing.terms.values().filter(|terms| !kept(terms) && !terms.owner.as_str().is_empty()) {
        out.entries.push(Entry::PoolDefined(PoolTerms { owner: OrgId::from(""), reservations: Vec::new(), ..terms.clone() }));
    }
    for work in by_id.values() {
        work.close(at, &mut next_episode, &mut out);
    }
    for notice in &mut out.notices {
        notice.key = format!("{}/{}", notice.key, standing.version.0 + 1);
    }
    out.notices.append(&mut out.told);
    out
}
