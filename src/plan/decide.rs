//! Decisions by hand: assign, deny, transfer, accept, buy. They pass the same admission and the same contest as a run,
//! and fill the queue in the same commit (R37, R38, R43, R47, R57).

use std::collections::BTreeMap;

use crate::base::{ClaimId, GrantId, Instant, OrgId, PersonKey, PoolId, Text, TextArena};
use crate::license::{
    Because, Channel, Claim, ClaimChange, ClaimState, Entry, Gate, Grant, Names, Pin, PinKind, Room, SeatAnswer, Wait,
    accepted, admit, overlapping_terms,
};
use crate::plan::action::Notice;
use crate::plan::catalog::Catalog;
use crate::plan::contest::{Contender, Contest, Dependent, play};
use crate::plan::decision::{Answer, Decided, Decision, Desk};
use crate::plan::demand::{Demand, PlanError};
use crate::plan::desk::pools_at_desk;
use crate::plan::pins::pins_in_force;
use crate::plan::planner::with_retired_pools;
use crate::plan::pools::{PoolWork, close};
use crate::plan::purchase::{purchases, shortfall_ahead, voided};
use crate::plan::reuse::reuse;
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
    // A grant counts from the moment it is decided: the books of this commit already include it.
    let mut standing = desk.standing.clone();
    match decision {
        Decision::Grant(grant) => standing.grants.push(grant.clone()),
        Decision::AgreedExcess(agreed) => standing.agreed.push(agreed.clone()),
        Decision::Term { term, grants } => {
            standing.chain.retain(|known| known.id != term.id);
            standing.chain.push(term.clone());
            standing.grants.extend(grants.iter().cloned());
        }
        _ => {}
    }
    at_work(&Desk { standing: &standing, ..*desk }, |mut work| {
        let answer = work.decide(decision);
        (answer.clone(), work.finish(&answer, Some(decision)))
    })
}

/// Fills the queue (R43) and closes the books of these pools after what time gave and took: allowances that began or
/// ended, tiers that were taken.
///
/// # Errors
/// Orgs that the settings name and the roster does not know.
pub fn refill(desk: &Desk<'_>, pools: &[PoolId]) -> Result<Decided, PlanError> {
    at_work(desk, |mut work| {
        work.pools.iter_mut().filter(|work| pools.contains(&work.pool.id)).for_each(PoolWork::touch);
        work.finish(&Answer::Done, None)
    })
}

fn at_work<T>(desk: &Desk<'_>, then: impl FnOnce(Work<'_>) -> T) -> Result<T, PlanError> {
    let tree = OrgTree::new(desk.roster);
    let today = desk.policy.calendar.day_of(desk.now);
    let demand = Demand::new(desk.policy, desk.roster, &tree, today).map_err(PlanError)?;
    let extended = with_retired_pools(desk.policy, desk.standing);
    let desk = &Desk { policy: extended.as_ref(), ..*desk };
    let mut names = desk.standing.book.names.clone();
    for pool in &desk.policy.pools {
        names.pool(&pool.id);
    }
    let ways = Ways::new(desk.policy, desk.roster, &tree);
    let catalog = Catalog::new(desk.policy, &names);
    let pools = pools_at_desk(desk, &names, &ways);
    Ok(then(Work {
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
    }))
}

impl<'a> Work<'a> {
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
            Decision::Term { term, grants } => {
                let standing = self.desk.standing;
                if self.pool_at(&term.pool).is_none() {
                    return Answer::UnknownPool;
                }
                let known = |id: &GrantId| standing.grants.iter().filter(|g| g.id == *id).count() > 1;
                if grants.iter().any(|grant| known(&grant.id)) || standing.agreed.iter().any(|a| a.id == term.id) {
                    return Answer::GrantTaken;
                }
                if let Some((one, other)) = overlapping_terms(&standing.chain, &term.pool) {
                    return Answer::TermOverlaps(if one == term.id { other } else { one });
                }
                self.entries.push(Entry::Term(term.clone()));
                self.entries.extend(grants.iter().cloned().map(Entry::Granted));
                Answer::Done
            }
        }
    }

    fn pool_at(&self, pool: &PoolId) -> Option<usize> {
        self.desk.policy.pools.iter().position(|p| p.id == *pool)
    }

    fn claim_in(&self, person: &PersonKey, at: usize) -> Option<Claim> {
        let ix = self.pools[at].ix;
        self.desk.standing.book.claims_of(person.as_str()).iter().find(|c| c.pool == ix).copied()
    }

    fn lacks_required(&self, person: &str, product: u16) -> bool {
        self.catalog.requires[usize::from(product)].is_some_and(|required| !self.holds(person, required))
    }

    /// Whether the person holds a seat that gives the product, as the decision stands.
    fn holds(&self, person: &str, product: u16) -> bool {
        let freed = |c: &Claim| self.frees.iter().any(|change| change.after.id == c.id);
        let held = |c: &Claim| c.state.consumes() && self.catalog.gives(c.pool, product);
        let given = |change: &ClaimChange| self.people.get(change.person) == person && held(&change.after);
        self.desk.standing.book.claims_of(person).iter().any(|c| held(c) && !freed(c)) || self.seats.iter().any(given)
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
        let Some(person) = self.desk.roster.active(pin.person.as_str()) else { return Answer::UnknownPerson };
        let Some(product) = self.catalog.product(self.pools[at].ix) else { return Answer::UnknownPool };
        if self.lacks_required(pin.person.as_str(), product) {
            return Answer::NeedsAccess;
        }
        let Some(home) = self.demand.home(person, product) else { return Answer::UnknownPerson };
        if !insist && !self.ways.serves(at, home, person) {
            return self.refuse(pin, "not_served", Answer::NotServed);
        }
        let nearest = self.ways.nearest(at, home).map(usize::from);
        let room = self.pools[at].room(pin.person.as_str(), nearest);
        match admit(Channel::Manual, insist, &room, self.pools[at].pool.on_full) {
            SeatAnswer::PoolExhausted { effective, used } => {
                return self.refuse(pin, "pool_exhausted", Answer::PoolExhausted { effective, used });
            }
            SeatAnswer::OutOfTerm(state) => return self.refuse(pin, "out_of_term", Answer::OutOfTerm(state)),
            SeatAnswer::ReuseExceeded => return self.refuse(pin, "reuse_exceeded", Answer::ReuseExceeded),
            SeatAnswer::Seat | SeatAnswer::Queue => {}
        }
        if !(Room { gate: Gate::Open, ..room }).is_free() {
            self.pools[at].overridden += 1;
        }
        self.entries.push(Entry::Pinned(pin.clone()));
        let home = self.names.org(&OrgId::from(self.desk.roster.text(self.desk.roster.org(home).id)));
        // Who comes from another pool of the product keeps the place in line (R39).
        let claims = self.desk.standing.book.claims_of(pin.person.as_str()).iter();
        let moves =
            claims.filter(|c| c.state.consumes() && self.catalog.product(c.pool) == Some(product)).map(|c| c.since).min();
        let since = existing.map(|claim| claim.since).or(moves).unwrap_or(self.desk.now);
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
        self.pools[at].takes(person.as_str());
        self.pools[at].shift(existing.map(|c| (c.state, None)), Some((state, nearest)));
        let reasons = self.names.reasons_ix("pin");
        let text = self.text(person);
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
        self.seats.push(ClaimChange { person: text, because, before: existing.map(Box::new), after });
        // Whoever is served has, and waits for, no other seat of the same product (R39).
        for claim in self.desk.standing.book.claims_of(person.as_str()) {
            let other = self.catalog.pool(claim.pool).filter(|&other| other != at);
            if let Some(other) = other.filter(|_| self.catalog.product(claim.pool) == Some(product)) {
                self.free(person, other, *claim, Because::PoolMoved);
            }
        }
    }

    /// Writes a refusal down.
    fn refuse(&mut self, pin: &Pin, word: &str, answer: Answer) -> Answer {
        let (person, pool) = (pin.person.clone(), pin.pool.clone());
        self.entries.push(Entry::Refused { person, pool, answer: word.to_owned() });
        answer
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
        let Some(person) = self.desk.roster.active(take.person.as_str()) else { return Answer::UnknownPerson };
        let product = self.catalog.product(self.pools[at].ix).unwrap_or_default();
        if self.lacks_required(take.person.as_str(), product) {
            return Answer::NeedsAccess;
        }
        let Some(home) = self.demand.home(person, product) else { return Answer::UnknownPerson };
        if !self.ways.serves(at, home, person) {
            return self.refuse(take, "not_served", Answer::NotServed);
        }
        let nearest = self.ways.nearest(at, home).map(usize::from);
        // Whoever takes a seat over is new in the pool (R91).
        if let Gate::NoNew(state) = self.pools[at].room(take.person.as_str(), nearest).gate {
            return self.refuse(take, "out_of_term", Answer::OutOfTerm(state));
        }
        self.free(&give.person, at, seat, Because::Transferred);
        // A seat that stays in its part of the pool is the same seat; into another part it must fit (R20, R57). To somebody
        // new to the year it goes once more (R85).
        let room = self.pools[at].room(take.person.as_str(), nearest);
        let is_asked = nearest != self.nearest_of(at, &seat) || room.gate == Gate::YearFull;
        let refused = match admit(Channel::Manual, false, &room, self.pools[at].pool.on_full) {
            SeatAnswer::PoolExhausted { effective, used } => {
                Some((Answer::PoolExhausted { effective, used }, "pool_exhausted"))
            }
            SeatAnswer::ReuseExceeded => Some((Answer::ReuseExceeded, "reuse_exceeded")),
            SeatAnswer::Seat | SeatAnswer::Queue | SeatAnswer::OutOfTerm(_) => None,
        };
        if let Some((answer, word)) = refused.filter(|_| is_asked) {
            self.frees.clear();
            self.dependents.clear();
            return self.refuse(take, word, answer);
        }
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
        if claim.state.consumes() {
            self.pools[at].leaves(person.as_str());
        }
        self.pools[at].shift(Some((claim.state, nearest)), None);
        let absences = &self.desk.standing.absences;
        let absence = absences.binary_search_by(|a| a.person.cmp(person)).ok().map(|found| &absences[found]);
        if claim.state.consumes() && absence.is_some_and(|absence| absence.held) {
            self.pools[at].held_back = self.pools[at].held_back.saturating_sub(1);
        }
        let after = Claim { state: ClaimState::Released, wait: Wait::Nothing, changed: self.desk.now, ..claim };
        let text = self.text(person);
        self.frees.push(ClaimChange { person: text, because, before: Some(Box::new(claim)), after });
        let Some(freed) = self.catalog.product(claim.pool).filter(|_| claim.state.consumes()) else { return };
        let given = std::iter::once(freed).chain(self.catalog.members[usize::from(freed)].iter().copied());
        let lost: Vec<u16> = given.filter(|&product| !self.holds(person.as_str(), product)).collect();
        self.shake(person, text, lost);
    }

    /// Seats that hang on a lost one, directly or not, fall back to waiting for it (R12).
    fn shake(&mut self, person: &PersonKey, text: Text, mut lost: Vec<u16>) {
        let claims = self.desk.standing.book.claims_of(person.as_str());
        for product in self.catalog.order.clone() {
            if !self.catalog.requires[usize::from(product)].is_some_and(|required| lost.contains(&required)) {
                continue;
            }
            for claim in claims.iter().filter(|c| c.state.consumes() && self.catalog.product(c.pool) == Some(product)) {
                let Some(at) = self.catalog.pool(claim.pool) else { continue };
                let nearest = self.nearest_of(at, claim).and_then(|n| u16::try_from(n).ok());
                let (before, after, because) = (*claim, *claim, Because::NeedsAccess);
                self.dependents.push(Dependent { person: text, product, before, after, because, nearest });
                lost.push(product);
            }
        }
    }

    fn text(&mut self, person: &PersonKey) -> Text {
        self.people.push(person.as_str()).unwrap_or_default()
    }

    /// Fills the queue with what was freed or bought, and closes the books.
    fn finish(mut self, answer: &Answer, decision: Option<&Decision>) -> Decided {
        // A term only says how long; the run that follows does what it means for seats, and closes the books.
        let seatless = matches!(decision, Some(Decision::Unpin { .. } | Decision::Term { .. }));
        let touched = (*answer == Answer::Done && !seatless) || !self.frees.is_empty();
        let Desk { policy, standing, episodes, now, .. } = *self.desk;
        let mut bought = match decision {
            _ if *answer != Answer::Done => Vec::new(),
            Some(Decision::Grant(grant)) => purchases(std::slice::from_ref(grant), &[]),
            Some(Decision::Term { term, grants }) => purchases(grants, std::slice::from_ref(term)),
            _ => Vec::new(),
        };
        bought.iter_mut().for_each(|purchase| purchase.run_follows = seatless);
        let (past, mut told) = voided(&bought, policy, standing, episodes, now);
        let ahead = |pools: &[PoolWork<'_>]| -> Vec<Notice> {
            bought.iter().filter_map(|purchase| shortfall_ahead(purchase, pools, standing, now)).collect()
        };
        if !touched {
            told.extend(ahead(&self.pools));
            self.entries.extend(past);
            return Decided {
                notices: told,
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
        for mut change in self.seats.into_iter().chain(played.seats).chain(played.entered) {
            if change.before.is_none() {
                change.after.id = ClaimId(next);
                next += 1;
            }
            changes.push(change);
        }
        told.extend(ahead(&self.pools));
        let closing = close(&self.pools, self.desk.policy, self.desk.standing, self.desk.now);
        let (words, desk) = ((&self.names, &self.people), self.desk);
        let (counted, crossed) = reuse(&self.pools, desk.standing, words, &changes, desk.now, false);
        self.entries.extend(closing.entries.into_iter().chain(counted).chain(past));
        let notices = closing.notices.into_iter().chain(crossed).chain(told).collect();
        Decided { names: self.names, people: self.people, changes, entries: self.entries, notices, pools: closing.outlooks }
    }

    /// Everybody who waits and is there, each with the whole way to a seat (R20, R43). The people decided about do not
    /// queue for what was just taken from them.
    fn queue(&mut self) -> Contest {
        let desk = self.desk;
        let book = &desk.standing.book;
        // Pins as they are once the decision is written.
        let pinned = |entry: &Entry| if let Entry::Pinned(pin) = entry { Some(pin.clone()) } else { None };
        let new: Vec<Pin> = self.entries.iter().filter_map(pinned).collect();
        let replaced = |old: &&Pin| new.iter().any(|pin| pin.person == old.person && pin.pool == old.pool);
        let mut pins: Vec<&Pin> = desk.standing.pins.iter().filter(|old| !replaced(old)).chain(&new).collect();
        pins.sort_by(|a, b| (&a.person, &a.pool).cmp(&(&b.person, &b.pool)));
        let pins = pins_in_force(desk.policy, pins, desk.now);
        let mut contest = Contest::default();
        let changes = self.frees.iter().chain(&self.seats);
        let mut decided: BTreeMap<String, Vec<ClaimId>> = BTreeMap::new();
        for change in changes {
            decided.entry(self.people.get(change.person).to_owned()).or_default().push(change.after.id);
        }
        for at in 0..book.people.len() {
            let key = book.key(at);
            let Some(person) = desk.roster.active(key) else { continue };
            let audience = self.ways.audience_of(person);
            let mine = decided.get(key);
            let mut text = None;
            for claim in book.claims_at(at).iter().filter(|c| c.state == ClaimState::Waiting) {
                if mine.is_some_and(|ids| ids.contains(&claim.id)) {
                    continue;
                }
                let Some(product) = self.catalog.product(claim.pool) else { continue };
                let Some(home) = desk.roster.find_org(self.names.home_of(claim).as_str()) else { continue };
                let way = self.ways.pinned_way(product, home, audience, pins.get(key).map_or(&[], Vec::as_slice));
                if self.ways.lists[usize::try_from(way.0).unwrap_or_default()].is_empty() {
                    continue;
                }
                // Of the people decided about the books tell all claims; of the others, what they wait for.
                let has_required = match mine {
                    Some(_) => self.catalog.requires[usize::from(product)].is_none_or(|required| {
                        let hangs = |d: &Dependent| self.people.get(d.person) == key && d.product == required;
                        self.holds(key, required) && !self.dependents.iter().any(hangs)
                    }),
                    None => claim.wait != Wait::Access,
                };
                let person = *text.get_or_insert_with(|| self.people.push(key).unwrap_or_default());
                let contender = Contender {
                    person,
                    product,
                    priority: claim.priority,
                    since: claim.since,
                    home: claim.home,
                    reasons: claim.reasons,
                    way,
                    existing: Some(Box::new(*claim)),
                    as_held: false,
                    has_required,
                    former: None,
                    because: Because::SeatFreed,
                    channel: Channel::Manual,
                };
                contest.enter(contender, &self.people);
            }
        }
        contest.dependents = std::mem::take(&mut self.dependents);
        contest.ways = std::mem::take(&mut self.ways.lists);
        contest
    }
}
