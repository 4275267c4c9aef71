//! Undoing a run (R126, I15): what it did to claims and to people who were missing is taken back, as far as nothing
//! changed since.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rosterd::base::Instant;

use crate::sim::auditor::books::{Auditor, Claim, HoldState, Missing, Pin, State};

/// Whose claim, in which pool: before and after. `None` is "not open".
type Change = ((String, usize), Option<Claim>, Option<Claim>);

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Claims by number.
    claims: BTreeMap<u64, Change>,
    /// When claims that it brought back had been released before (R130).
    released: BTreeMap<u64, Instant>,
    /// When the claims that it released were.
    gone: BTreeMap<u64, Instant>,
    missing: BTreeMap<String, (Option<Missing>, Option<Missing>)>,
    /// Used, bought and agreed before it, by pool.
    pools: Vec<(u32, Option<(u32, u32)>)>,
    /// So many people were deleted for good before it.
    purged: usize,
}

/// What came of undoing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undoing {
    Done,
    /// Some of it changed since, or does not fit any more.
    InPart,
    /// A guard tripped: nothing was done.
    Held,
}

/// What undoing leaves to the end.
#[derive(Default)]
struct Work {
    /// Claims that had no seat after the run and had one before it: number, whose, what.
    back: Vec<(u64, (String, usize), Claim)>,
    people: BTreeSet<String>,
    /// Pools in which somebody gave up a seat or a place in the queue, and in which somebody waits again.
    freed: BTreeSet<usize>,
    put_back: BTreeSet<usize>,
    in_part: bool,
}

impl Auditor {
    fn by_number(&self) -> BTreeMap<u64, ((String, usize), Claim)> {
        self.claims.iter().map(|(key, claim)| (claim.number, (key.clone(), claim.clone()))).collect()
    }

    /// Notes when claims were released that were open before.
    pub fn note_released(&mut self, before: &Auditor, now: Instant) {
        let open: BTreeSet<u64> = self.claims.values().map(|claim| claim.number).collect();
        for claim in before.claims.values().filter(|claim| !open.contains(&claim.number)) {
            self.released.entry(claim.number).or_insert(now);
        }
        self.released.retain(|number, _| !open.contains(number));
    }

    /// What was done since `before`, to be undone later.
    pub fn done_since(&self, before: &Auditor) -> Arc<Done> {
        let (was, is) = (before.by_number(), self.by_number());
        let mut done = Done { purged: before.purged.len(), ..Done::default() };
        for number in was.keys().chain(is.keys()) {
            let (old, new) = (was.get(number), is.get(number));
            if old != new {
                let key = new.or(old).expect("one").0.clone();
                let only = |found: Option<&((String, usize), Claim)>| found.map(|(_, claim)| claim.clone());
                done.claims.insert(*number, (key, only(old), only(new)));
                done.released.extend(before.released.get(number).map(|at| (*number, *at)));
                done.gone.extend(self.released.get(number).map(|at| (*number, *at)));
            }
        }
        for person in before.missing.keys().chain(self.missing.keys()) {
            let (old, new) = (before.missing.get(person), self.missing.get(person));
            if old != new {
                done.missing.insert(person.clone(), (old.cloned(), new.cloned()));
            }
        }
        done.pools = (0..self.closed.len()).map(|pool| (before.used(pool), before.closed[pool].allowance)).collect();
        Arc::new(done)
    }

    /// Takes back what a run did. `alone`: nothing was written since, and the books become what they were.
    pub fn undo(&mut self, done: &Done, alone: bool, now: Instant) -> Undoing {
        self.pass_time(now);
        let before = self.clone();
        let mut work = Work::default();
        self.take_back(done, now, &mut work);
        let place = |pool: usize| self.order().iter().position(|product| *product == self.product_of(pool));
        let mut back = std::mem::take(&mut work.back);
        back.sort_by_key(|(_, (person, pool), claim)| (place(*pool), -claim.priority, claim.since, person.clone()));
        for (number, key, claim) in back {
            self.seat_again(number, &key, claim, done, now, &mut work);
        }
        self.settle_dependents(now, &mut work);
        if !alone {
            self.give_freed(&before, now, &work);
        }
        self.missing_again(done);
        if self.costs_too_many(&before, now) {
            *self = before;
            return Undoing::Held;
        }
        let open = self.hold.as_ref().is_some_and(|hold| hold.state == HoldState::Open);
        let held_back: Vec<u32> = (0..self.closed.len()).map(|pool| if open { self.held_in(pool) } else { 0 }).collect();
        self.close(now, &held_back);
        self.note_released(&before, now);
        if work.in_part { Undoing::InPart } else { Undoing::Done }
    }

    /// Seats of people whose removal waits.
    pub fn held_in(&self, pool: usize) -> u32 {
        let held = |person: &str| self.missing.get(person).is_some_and(|missing| missing.held);
        let seats = self.claims.iter().filter(|((_, p), claim)| *p == pool && claim.state != State::Waiting);
        seats.filter(|((person, _), _)| held(person)).count() as u32
    }

    /// Everything but seats that come back; what changed since stays as it is.
    fn take_back(&mut self, done: &Done, now: Instant, work: &mut Work) {
        let withheld = self.hold.as_ref().map(|hold| hold.withheld()).unwrap_or_default();
        work.people = done.claims.values().map(|((person, _), ..)| person.clone()).collect();
        // What it seated goes before what it took comes back: both may be in one pool.
        let (gone, open): (Vec<_>, Vec<_>) = done.claims.iter().partition(|(_, (_, _, after))| after.is_none());
        let mut promised: BTreeSet<(String, usize)> = BTreeSet::new();
        for (&number, (key, before, after)) in open.into_iter().chain(gone) {
            let is_as_left = match after {
                Some(after) => self.claims.get(key) == Some(after),
                None => self.released.get(&number) == done.gone.get(&number),
            };
            let comes_back = after.is_none();
            let purged = self.purged[done.purged..].contains(&key.0);
            let taken = self.claims.contains_key(key) || promised.contains(key);
            // Who was kept out since then stays out (R9).
            let denied = self.pin(&key.0, key.1, self.today(now)) == Some(Pin::Deny);
            if !is_as_left || (comes_back && (purged || taken || denied || withheld.contains(&key.0))) {
                work.in_part = true;
                continue;
            }
            let sat = after.as_ref().is_some_and(|claim| claim.state != State::Waiting);
            let Some(before) = before else {
                self.claims.remove(key);
                self.released.insert(number, done.released.get(&number).copied().unwrap_or(now));
                work.freed.insert(key.1);
                continue;
            };
            if before.state != State::Waiting && !sat {
                promised.insert(key.clone());
                work.back.push((number, key.clone(), before.clone()));
                continue;
            }
            if before.state == State::Waiting {
                work.freed.insert(key.1);
                if sat {
                    work.put_back.insert(key.1);
                }
            }
            self.claims.insert(key.clone(), before.clone());
        }
    }

    /// Somebody gets a seat back: as full as it was is never too full (R40), else admission decides.
    fn seat_again(&mut self, number: u64, key: &(String, usize), claim: Claim, done: &Done, now: Instant, work: &mut Work) {
        let (person, pool) = (&key.0, key.1);
        let ready = self.required(self.product_of(pool)).is_none_or(|required| self.holds(person, required));
        let (used, then) = done.pools[pool];
        let allowance = self.effective(pool, now);
        let as_it_was =
            self.used(pool) < used && allowance.is_none_or(|now| then.is_some_and(|(bought, agreed)| now >= bought + agreed));
        let admitted =
            self.is_free(pool, &claim.home, false, now) || (!self.by_hand.contains(&number) && self.may_go_over(pool, now));
        if ready && (admitted || as_it_was) {
            self.released.remove(&number);
            self.claims.insert(key.clone(), claim);
            return;
        }
        work.in_part = true;
        if self.claims.get(key).is_some_and(|waits| waits.wants_access != ready) {
            return;
        }
        self.released.remove(&number);
        work.freed.insert(pool);
        let waits = Claim { state: State::Waiting, wants_access: !ready, changed: now, ..claim };
        self.claims.insert(key.clone(), waits);
    }

    /// A seat whose product requires one that is gone waits for it (R12).
    fn settle_dependents(&mut self, now: Instant, work: &mut Work) {
        for person in &work.people {
            for product in self.order() {
                let lacks = self.required(product).is_some_and(|required| !self.holds(person, required));
                for pool in self.pools_of(product).into_iter().filter(|_| lacks) {
                    if let Some(claim) = self.claims.get_mut(&(person.clone(), pool)).filter(|c| c.state != State::Waiting) {
                        (claim.state, claim.wants_access, claim.changed) = (State::Waiting, true, now);
                        work.freed.insert(pool);
                    }
                }
            }
        }
    }

    /// Seats that appeared go to whoever waits for them and is there (R43), but for pools in which the undone run had given
    /// somebody a seat out of the queue.
    fn give_freed(&mut self, before: &Auditor, now: Instant, work: &Work) {
        let mut waiting: Vec<(i32, Instant, String, usize)> = Vec::new();
        for ((person, pool), claim) in &before.claims {
            let unchanged = self.claims.get(&(person.clone(), *pool)) == Some(claim);
            let waits = claim.state == State::Waiting && !claim.wants_access && self.active(person).is_some();
            if waits && unchanged && work.freed.contains(pool) && !work.put_back.contains(pool) {
                waiting.push((-claim.priority, claim.since, person.clone(), *pool));
            }
        }
        waiting.sort();
        for (_, _, person, pool) in waiting {
            let product = self.product_of(pool);
            let key = (person, pool);
            let home = self.claims[&key].home.clone();
            let ready = self.required(product).is_none_or(|required| self.holds(&key.0, required));
            if ready && self.is_free(pool, &home, false, now) {
                let state = if self.setup.products[product].invites { State::Pending } else { State::Active };
                let claim = self.claims.get_mut(&key).expect("it is there");
                (claim.state, claim.changed) = (state, now);
            }
        }
    }

    /// Who was missing is so again; whoever the run saw missing for the first time stays noted, one count less. What an open
    /// hold covers stays held.
    fn missing_again(&mut self, done: &Done) {
        let open = self.hold.as_ref().filter(|hold| hold.state == HoldState::Open);
        let covered = open.map(|hold| hold.removals.clone()).unwrap_or_default();
        for (person, (before, after)) in &done.missing {
            if self.missing.get(person) != after.as_ref() || self.purged[done.purged..].contains(person) {
                continue;
            }
            let first = |after: &Missing| Missing {
                count: after.count.saturating_sub(1),
                held: false,
                removed: None,
                left: Vec::new(),
                ..after.clone()
            };
            let Some(mut again) = before.clone().or_else(|| after.as_ref().map(first)) else { continue };
            again.held |= again.removed.is_none() && covered.contains(person);
            self.missing.insert(person.clone(), again);
        }
    }

    /// The removal guard over the people who would have fewer seats (R115, R126).
    fn costs_too_many(&self, before: &Auditor, now: Instant) -> bool {
        let seats = |auditor: &Auditor, person: &str| {
            auditor.claims.iter().filter(|((p, _), claim)| p == person && claim.state != State::Waiting).count()
        };
        let mut first: BTreeMap<&String, &Claim> = BTreeMap::new();
        for ((person, _), claim) in before.claims.iter().filter(|(_, claim)| claim.state != State::Waiting) {
            first.entry(person).or_insert(claim);
        }
        let (mut all, mut by_org) = ((0, 0), BTreeMap::<&String, (u32, u32)>::new());
        for (person, claim) in first {
            let loses = u32::from(seats(self, person) < seats(before, person));
            let org = by_org.entry(&claim.home).or_default();
            all = (all.0 + 1, all.1 + loses);
            *org = (org.0 + 1, org.1 + loses);
        }
        self.removes_too_many(all, by_org.into_values().collect(), now)
    }
}
