//! Decisions by hand: assign, deny, transfer, accept, buy. They pass the same admission and the same contest as a run,
//! and fill the queue in the same commit (R37, R38, R43, R47, R57).

use crate::base::{ClaimId, Instant, OrgId, PersonKey, PoolId, Seats, Text, TextArena};
use crate::license::{
    Because, Channel, Claim, ClaimChange, ClaimState, Draws, Entry, Grant, Names, Pin, PinKind, SeatAnswer, Wait, accepted,
    admit, allowance_at, changes_between, reconsider,
};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::catalog::Catalog;
use crate::plan::contest::{Candidate, Contender, Contest, Dependent, Way, play};
use crate::plan::decision::{Answer, Decided, Decision, Desk};
use crate::plan::demand::Demand;
use crate::plan::planner::{PlanError, with_retired_pools};
use crate::plan::pools::{PoolWork, allowance_now, close};
use crate::plan::ways::Ways;
use crate::roster::OrgTree;

struct Work<'a> {
    desk: &'a Desk<'a>,
    catalog: Catalog,
    ways: Ways<'a>,
    demand: Demand<'a>,
    pools: Vec<PoolWork<'a>>,
    names: Names,
    people: TextArena,
    frees: Vec<ClaimChange>,
    seats: Vec<ClaimChange>,
    dependents: Vec<Dependent>,
    entries: Vec<Entry>,
}

/// Works out a decision. A refusal of a manual assignment comes with its entry for the trail (T20).
///
/// # Errors
/// Orgs that the settings name and the roster does not know.
pub fn decide(desk: &Desk<'_>, decision: &Decision) -> Result<(Answer, Decided), PlanError> {
    let tree = OrgTree::new(desk.roster);
    let today = desk.policy.calendar.day_of(desk.now);
    let demand = Demand::new(desk.policy, desk.roster, &tree, today).map_err(PlanError)?;
    // A grant counts from the moment it is decided: the books of this commit already include it.
    let mut standing = desk.standing.clone();
    match decision {
        Decision::Grant(grant) => standing.grants.push(grant.clone()),
        Decision::AgreedExcess(agreed) => standing.agreed.push(agreed.clone()),
        _ => {}
    }
    let extended = with_retired_pools(desk.policy, &standing);
    let desk = &Desk { standing: &standing, policy: extended.as_ref(), ..*desk };
    let mut names = standing.book.names.clone();
    for pool in &desk.policy.pools {
        names.pool(&pool.id);
    }
    let ways = Ways::new(desk.policy, desk.roster, &tree);
    let catalog = Catalog::new(desk.policy, &names);
    let pools = pools_at_desk(desk, &names, &ways);
    let mut work = Work {
        desk,
        catalog,
        ways,
        demand,
        pools,
        names,
        people: TextArena::default(),
        frees: Vec::new(),
        seats: Vec::new(),
        dependents: Vec::new(),
        entries: Vec::new(),
    };
    let answer = work.decide(decision);
    Ok((answer.clone(), work.finish(&answer, decision)))
}

fn pools_at_desk<'a>(desk: &Desk<'a>, names: &Names, ways: &Ways<'_>) -> Vec<PoolWork<'a>> {
    let mut works = Vec::new();
    for (at, pool) in desk.policy.pools.iter().enumerate() {
        let allowance = allowance_now(pool, desk.standing, desk.now);
        let mut reserved = vec![Seats(0); pool.reservations.len()];
        let mut direct = Seats(0);
        for (_, org, used) in desk.used_by_org.iter().filter(|(id, _, _)| *id == pool.id) {
            match ways.nearest_by_name(at, org) {
                Some(reservation) => reserved[usize::from(reservation)].0 += used,
                None => direct.0 += used,
            }
        }
        let draws = Draws::new(&pool.reservations, &ways.reservation_parents(at), &reserved, direct, allowance.effective());
        let counts = desk.standing.pools.get(&pool.id).map(|b| b.counts).unwrap_or_default();
        let Some(ix) = names.find_pool(&pool.id) else { continue };
        let mut work = PoolWork::new(pool, ix, desk.standing, counts, allowance, draws);
        // Whether seats are held back is as the newest run left it.
        work.held_back = desk.standing.pools.get(&pool.id).map_or(0, |books| books.held_back.0);
        work.provisional_days_max = desk.policy.limits.provisional_business_days_max;
        works.push(work);
    }
    works
}

impl Work<'_> {
    fn decide(&mut self, decision: &Decision) -> Answer {
        match decision {
            Decision::Pin { pin, insist } => match pin.kind {
                PinKind::Assign => self.assign(pin, *insist),
                PinKind::Deny => self.deny(pin),
            },
            Decision::Unpin { person, pool } => {
                let pinned = self.desk.standing.pins.iter().any(|p| p.person == *person && p.pool == *pool);
                if !pinned {
                    return Answer::AlreadySo;
                }
                self.entries.push(Entry::Unpinned { person: person.clone(), pool: pool.clone() });
                Answer::Done
            }
            Decision::Transfer { give, take } => self.transfer(give, take),
            Decision::Accept { person, pool } => self.accept(person, pool),
            Decision::Grant(grant) => {
                let same = |g: &&Grant| g.id == grant.id;
                match self.desk.standing.grants.iter().filter(same).count() {
                    1 => {
                        self.entries.push(Entry::Granted(grant.clone()));
                        self.pool_at(&grant.pool).map_or(Answer::UnknownPool, |_| Answer::Done)
                    }
                    _ => Answer::GrantTaken,
                }
            }
            Decision::AgreedExcess(agreed) => match self.desk.standing.agreed.iter().filter(|a| a.id == agreed.id).count() {
                1 => {
                    self.entries.push(Entry::ExcessAgreed(agreed.clone()));
                    self.pool_at(&agreed.pool).map_or(Answer::UnknownPool, |_| Answer::Done)
                }
                _ => Answer::GrantTaken,
            },
        }
    }

    fn pool_at(&self, pool: &PoolId) -> Option<usize> {
        self.desk.policy.pools.iter().position(|p| p.id == *pool)
    }

    fn claim_in(&self, person: &PersonKey, at: usize) -> Option<Claim> {
        let ix = self.pools[at].ix;
        self.desk.standing.book.claims_of(person.as_str()).iter().find(|c| c.pool == ix).copied()
    }

    fn assign(&mut self, pin: &Pin, insist: bool) -> Answer {
        let Some(at) = self.pool_at(&pin.pool) else { return Answer::UnknownPool };
        let existing = self.claim_in(&pin.person, at);
        if existing.is_some_and(|claim| claim.state.consumes()) {
            let pinned =
                self.desk.standing.pins.iter().any(|p| p.person == pin.person && p.pool == pin.pool && p.kind == pin.kind);
            if !pinned {
                self.entries.push(Entry::Pinned(pin.clone()));
            }
            return Answer::AlreadySo;
        }
        let Some(person_ix) = self.desk.roster.find_person(pin.person.as_str()) else { return Answer::UnknownPerson };
        let person = self.desk.roster.person(person_ix);
        let Some(product) = self.catalog.product(self.pools[at].ix) else { return Answer::UnknownPool };
        if let Some(required) = self.catalog.requires[usize::from(product)] {
            let claims = self.desk.standing.book.claims_of(pin.person.as_str());
            if !claims.iter().any(|c| c.state.consumes() && self.catalog.product(c.pool) == Some(required)) {
                return Answer::NeedsAccess;
            }
        }
        let Some(home) = self.demand.home(person, product) else { return Answer::UnknownPerson };
        let nearest = self.ways.nearest(at, home).map(usize::from);
        let room = self.pools[at].room(nearest);
        match admit(Channel::Manual, insist, &room, self.pools[at].pool.on_full) {
            SeatAnswer::PoolExhausted { effective, used } => {
                self.entries.push(Entry::Refused {
                    person: pin.person.clone(),
                    pool: pin.pool.clone(),
                    answer: "pool_exhausted".to_owned(),
                });
                return Answer::PoolExhausted { effective, used };
            }
            SeatAnswer::Seat | SeatAnswer::Queue => {}
        }
        if !self.pools[at].has_seat(nearest) {
            self.pools[at].overridden += 1;
        }
        self.entries.push(Entry::Pinned(pin.clone()));
        let home = self.names.org(&OrgId::from(self.desk.roster.text(self.desk.roster.org(home).id)));
        let since = existing.map_or(self.desk.now, |claim| claim.since);
        self.seat(&pin.person, at, existing, home, since, nearest, Because::Pinned);
        Answer::Done
    }

    #[expect(clippy::too_many_arguments, reason = "each is another fact of one claim")]
    fn seat(
        &mut self,
        person: &PersonKey,
        at: usize,
        existing: Option<Claim>,
        home: crate::license::OrgNameIx,
        since: Instant,
        nearest: Option<usize>,
        because: Because,
    ) {
        let product = self.catalog.product(self.pools[at].ix).unwrap_or_default();
        let pending = self.desk.policy.products[usize::from(product)].needs_acceptance;
        let state = if pending { ClaimState::Pending } else { ClaimState::Active };
        self.pools[at].shift(existing.map(|c| (c.state, None)), Some((state, nearest)));
        let reasons = self.names.reasons_ix("pin");
        let person = self.text(person);
        let after = Claim {
            id: existing.map_or(ClaimId(0), |c| c.id),
            since,
            changed: self.desk.now,
            home,
            reasons,
            priority: existing.map_or(0, |c| c.priority),
            pool: self.pools[at].ix,
            state,
            channel: Channel::Manual,
            wait: Wait::Nothing,
        };
        self.seats.push(ClaimChange { person, because, before: existing.map(Box::new), after });
    }

    fn deny(&mut self, pin: &Pin) -> Answer {
        let Some(at) = self.pool_at(&pin.pool) else { return Answer::UnknownPool };
        self.entries.push(Entry::Pinned(pin.clone()));
        if let Some(claim) = self.claim_in(&pin.person, at) {
            self.free(&pin.person, at, claim, Because::Denied);
        }
        Answer::Done
    }

    fn transfer(&mut self, give: &Pin, take: &Pin) -> Answer {
        let Some(at) = self.pool_at(&give.pool) else { return Answer::UnknownPool };
        let Some(seat) = self.claim_in(&give.person, at).filter(|c| c.state.consumes()) else { return Answer::NoClaim };
        let existing = self.claim_in(&take.person, at);
        if existing.is_some_and(|c| c.state.consumes()) {
            return Answer::AlreadySo;
        }
        let Some(person) = self.desk.roster.find_person(take.person.as_str()) else { return Answer::UnknownPerson };
        let product = self.catalog.product(self.pools[at].ix).unwrap_or_default();
        let Some(home) = self.demand.home(self.desk.roster.person(person), product) else { return Answer::UnknownPerson };
        let nearest = self.ways.nearest(at, home).map(usize::from);
        self.free(&give.person, at, seat, Because::Transferred);
        let home = self.names.org(&OrgId::from(self.desk.roster.text(self.desk.roster.org(home).id)));
        self.seat(&take.person, at, existing, home, self.desk.now, nearest, Because::Transferred);
        self.entries.extend([Entry::Pinned(give.clone()), Entry::Pinned(take.clone())]);
        Answer::Done
    }

    fn accept(&mut self, person: &PersonKey, pool: &PoolId) -> Answer {
        let Some(at) = self.pool_at(pool) else { return Answer::UnknownPool };
        let Some(claim) = self.claim_in(person, at) else { return Answer::NoClaim };
        let state = accepted(claim.state);
        if state == claim.state {
            return if state == ClaimState::Active { Answer::AlreadySo } else { Answer::NoClaim };
        }
        let nearest = self.nearest_of(at, &claim);
        self.pools[at].shift(Some((claim.state, nearest)), Some((state, nearest)));
        let after = Claim { state, changed: self.desk.now, ..claim };
        let person = self.text(person);
        self.seats.push(ClaimChange { person, because: Because::Accepted, before: Some(Box::new(claim)), after });
        Answer::Done
    }

    fn nearest_of(&self, at: usize, claim: &Claim) -> Option<usize> {
        self.ways.nearest_by_name(at, self.names.home_of(claim)).map(usize::from)
    }

    fn free(&mut self, person: &PersonKey, at: usize, claim: Claim, because: Because) {
        let nearest = self.nearest_of(at, &claim);
        self.pools[at].shift(Some((claim.state, nearest)), None);
        let absences = &self.desk.standing.absences;
        let absence = absences.binary_search_by(|a| a.person.cmp(person)).ok().map(|found| &absences[found]);
        if claim.state.consumes() && absence.is_some_and(|absence| absence.held) {
            self.pools[at].held_back = self.pools[at].held_back.saturating_sub(1);
        }
        let after = Claim { state: ClaimState::Released, wait: Wait::Nothing, changed: self.desk.now, ..claim };
        let text = self.text(person);
        self.frees.push(ClaimChange { person: text, because, before: Some(Box::new(claim)), after });
        // Seats that hang on this one fall back to waiting for it (R12).
        let freed = self.catalog.product(claim.pool);
        for other in
            self.desk.standing.book.claims_of(person.as_str()).iter().filter(|c| c.state.consumes() && c.id != claim.id)
        {
            let Some(product) = self.catalog.product(other.pool) else { continue };
            let Some(other_at) = self.catalog.pool(other.pool) else { continue };
            if freed.is_some() && self.catalog.requires[usize::from(product)] == freed {
                let nearest = self.nearest_of(other_at, other).and_then(|n| u16::try_from(n).ok());
                self.dependents.push(Dependent {
                    person: text,
                    product,
                    before: *other,
                    after: *other,
                    because: Because::NeedsAccess,
                    nearest,
                });
            }
        }
    }

    fn text(&mut self, person: &PersonKey) -> Text {
        self.people.push(person.as_str()).unwrap_or_default()
    }

    /// Fills the queue with what was freed or bought, and closes the books.
    fn finish(mut self, answer: &Answer, decision: &Decision) -> Decided {
        let changes_seats = *answer == Answer::Done && !matches!(decision, Decision::Unpin { .. });
        let touched = changes_seats || !self.frees.is_empty();
        if !touched {
            return Decided {
                names: self.desk.standing.book.names.clone(),
                entries: if *answer == Answer::UnknownPool { Vec::new() } else { self.entries },
                ..Decided::default()
            };
        }
        self.pools.iter_mut().for_each(PoolWork::frees_done);
        let contest = self.queue();
        let played = play(contest, &self.desk.policy.products, &self.catalog, &mut self.pools, &self.people, self.desk.now);
        let mut changes = self.frees;
        changes.extend(played.frees);
        let mut next = self.desk.standing.next_claim.0;
        for mut change in self.seats.into_iter().chain(played.seats) {
            if change.before.is_none() {
                change.after.id = ClaimId(next);
                next += 1;
            }
            changes.push(change);
        }
        let closing = close(&self.pools, self.desk.policy, self.desk.standing, self.desk.now);
        self.entries.extend(closing.entries);
        let mut notices = closing.notices;
        if let Decision::Grant(grant) = decision {
            self.entries.extend(voided(self.desk, grant));
            notices.extend(shortfall_ahead(self.desk, grant, &self.pools));
        }
        Decided { names: self.names, people: self.people, changes, entries: self.entries, notices, pools: closing.outlooks }
    }

    /// Everybody who waits, each for the pool the claim waits in. The people decided about do not queue for what was
    /// just taken from them.
    fn queue(&mut self) -> Contest {
        let book = &self.desk.standing.book;
        let mut contest = Contest { dependents: std::mem::take(&mut self.dependents), ..Contest::default() };
        let decided: Vec<Claim> =
            self.frees.iter().chain(&self.seats).filter_map(|change| change.before.as_deref().copied()).collect();
        let missing = |key: &str| self.desk.standing.absences.binary_search_by(|a| a.person.as_str().cmp(key)).is_ok();
        for at in 0..book.people.len() {
            // Somebody who is missing keeps what they have and gets nothing more.
            if missing(book.key(at)) {
                continue;
            }
            let mut text = None;
            for claim in book.claims_at(at).iter().filter(|c| c.state == ClaimState::Waiting && !decided.contains(c)) {
                let Some(pool) = self.catalog.pool(claim.pool) else { continue };
                let Some(product) = self.catalog.product(claim.pool) else { continue };
                let nearest = self.nearest_of(pool, claim).and_then(|n| u16::try_from(n).ok());
                let person = *text.get_or_insert_with(|| self.people.push(book.key(at)).unwrap_or_default());
                contest.ways.push(vec![Candidate { pool: pool as u16, nearest, reserved_only: false }]);
                contest.contenders.push(Contender {
                    person,
                    product,
                    priority: claim.priority,
                    since: claim.since,
                    home: claim.home,
                    reasons: claim.reasons,
                    way: Way((contest.ways.len() - 1) as u32),
                    existing: Some(Box::new(*claim)),
                    has_required: claim.wait != Wait::Access,
                    because: Because::SeatFreed,
                    channel: Channel::Manual,
                });
            }
        }
        contest
    }
}

/// Closed episodes that a late purchase explains away (R53, T13).
fn voided(desk: &Desk<'_>, grant: &Grant) -> Vec<Entry> {
    let Some(pool) = desk.policy.pools.iter().find(|p| p.id == grant.pool) else { return Vec::new() };
    let (grants, agreed) = (&desk.standing.grants, &desk.standing.agreed);
    desk.episodes
        .iter()
        .filter(|e| e.pool == grant.pool && e.closed.is_some_and(|closed| grant.from < closed))
        .filter_map(|e| {
            let changes = changes_between(pool, grants, agreed, e.opened, e.closed.unwrap_or(desk.now));
            reconsider(e, desk.now, &changes, |at| allowance_at(pool, grants, agreed, at).effective())
        })
        .map(Entry::Episode)
        .collect()
}

/// A grant recorded today that leaves too few seats from a later date on is told today (R54).
fn shortfall_ahead(desk: &Desk<'_>, grant: &Grant, pools: &[PoolWork<'_>]) -> Option<Notice> {
    let work = pools.iter().find(|w| w.pool.id == grant.pool)?;
    let (grants, agreed) = (&desk.standing.grants, &desk.standing.agreed);
    let used = work.counts.used();
    let at = changes_between(work.pool, grants, agreed, desk.now, Instant::MAX)
        .into_iter()
        .find(|&at| at < Instant::MAX && allowance_at(work.pool, grants, agreed, at).effective().is_some_and(|e| e < used))?;
    let effective = allowance_at(work.pool, grants, agreed, at).effective().unwrap_or_default();
    Some(Notice {
        key: format!("shortfall_ahead/{}/{}", grant.pool, grant.id),
        kind: NoticeKind::ShortfallAhead,
        pool: Some(grant.pool.clone()),
        source: None,
        text: format!(
            "Pool {} will have {effective} seats from {} on; {used} are used today: {} too few.",
            grant.pool,
            work.pool.calendar.day_of(at),
            used.0 - effective.0
        ),
    })
}
