//! Decisions by hand (R9, R32, R37, R38, R43, R47): each fills the queue in the same commit.

use std::collections::BTreeSet;

use rosterd::base::{Day, Instant};

use crate::sim::auditor::books::{Auditor, Claim, Pin, State};
use crate::sim::auditor::seats::{Hangs, Want};

/// A decision.
#[derive(Clone, Debug)]
pub enum Decision {
    Assign { person: String, pool: usize, until: Day, insist: bool },
    Deny { person: String, pool: usize, until: Day },
    Unpin { person: String, pool: usize },
    Transfer { give: String, take: String, pool: usize },
    Accept { person: String, pool: usize },
    Buy { id: String, pool: usize, seats: i64, from: Instant, to: Instant },
    Agree { id: String, pool: usize, seats: u32, from: Instant, to: Instant },
}

/// What it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Done,
    AlreadySo,
    Exhausted,
    NotServed,
    NeedsAccess,
    NoClaim,
    Unknown,
}

impl Auditor {
    pub fn decide(&mut self, decision: &Decision, now: Instant) -> Said {
        self.pass_time(now);
        let before = self.clone();
        let said = self.decided(decision, now);
        self.note_released(&before, now);
        said
    }

    fn decided(&mut self, decision: &Decision, now: Instant) -> Said {
        match decision {
            Decision::Assign { person, pool, until, insist } => self.assign(person, *pool, *until, *insist, now),
            Decision::Deny { person, pool, until } => self.deny(person, *pool, *until, now),
            Decision::Unpin { person, pool } => match self.pins.remove(&(person.clone(), *pool)) {
                Some(_) => self.write(Said::Done),
                None => Said::AlreadySo,
            },
            Decision::Transfer { give, take, pool } => self.transfer(give, take, *pool, now),
            Decision::Accept { person, pool } => self.accept(person, *pool, now),
            Decision::Buy { id: _, pool, seats, from, to } => {
                self.grants.push((*pool, *seats, *from, *to));
                self.fill(None, 0, now);
                self.look_back(*pool, *from, now);
                Said::Done
            }
            Decision::Agree { id: _, pool, seats, from, to } => {
                self.agreed.push((*pool, i64::from(*seats), *from, *to));
                self.fill(None, 0, now);
                Said::Done
            }
        }
    }

    fn write(&mut self, said: Said) -> Said {
        self.begun = true;
        said
    }

    /// What is free goes to whoever waits (R43). `lost`: somebody gave up a seat of a pool.
    pub fn fill(&mut self, lost: Option<(&str, usize)>, no_more_held: u32, now: Instant) {
        let today = self.today(now);
        let mut hangs = Vec::new();
        if let Some((person, pool)) = lost {
            let product = self.product_of(pool);
            let mut shaken = BTreeSet::from([product]);
            for product in self.order() {
                if self.required(product).is_some_and(|required| shaken.contains(&required)) {
                    shaken.insert(product);
                    let pools = self.pools_of(product).into_iter().filter(|&pool| self.sits(person, pool));
                    hangs.extend(pools.map(|pool| Hangs { person: person.to_owned(), product, pool }));
                }
            }
        }
        let mut wants = Vec::new();
        for ((person, pool), claim) in self.claims.iter().filter(|(_, claim)| claim.state == State::Waiting) {
            let Some(known) = self.active(person) else { continue };
            let product = self.product_of(*pool);
            let way = self.way(person, known, product, &claim.home, today);
            if way.is_empty() {
                continue;
            }
            wants.push(Want {
                person: person.clone(),
                product,
                priority: claim.priority,
                reasons: claim.reasons.clone(),
                since: claim.since,
                home: claim.home.clone(),
                way,
                by_hand: true,
                waits_in: Some(*pool),
                former: None,
            });
        }
        self.contest(wants, &hangs, now);
        let mut held_back: Vec<u32> = self.closed.iter().map(|closed| closed.held_back).collect();
        if let Some((_, pool)) = lost {
            held_back[pool] = held_back[pool].saturating_sub(no_more_held);
        }
        self.close(now, &held_back);
        self.begun = true;
    }

    fn is_held(&self, person: &str) -> u32 {
        u32::from(self.missing.get(person).is_some_and(|missing| missing.held))
    }

    /// Seats somebody by hand. What they have, or wait for, in another pool of the product is over (R39).
    fn sit(&mut self, person: &str, pool: usize, home: String, since: Instant, now: Instant) {
        let product = self.product_of(pool);
        let state = if self.setup.products[product].invites { State::Pending } else { State::Active };
        for other in self.pools_of(product).into_iter().filter(|&other| other != pool) {
            self.claims.remove(&(person.to_owned(), other));
        }
        let waited = self.claims.remove(&(person.to_owned(), pool));
        let number = waited.as_ref().map_or_else(|| self.new_number(), |claim| claim.number);
        let priority = waited.map_or(0, |claim| claim.priority);
        let reasons = "pin".to_owned();
        self.by_hand.insert(number);
        let claim = Claim { number, state, since, home, priority, reasons, wants_access: false, changed: now };
        self.claims.insert((person.to_owned(), pool), claim);
    }

    fn assign(&mut self, person: &str, pool: usize, until: Day, insist: bool, now: Instant) -> Said {
        let key = (person.to_owned(), pool);
        if self.sits(person, pool) {
            if self.pins.get(&key).is_none_or(|(pin, _)| *pin != Pin::Assign) {
                self.pins.insert(key, (Pin::Assign, until));
            }
            return self.write(Said::AlreadySo);
        }
        let Some(known) = self.active(person) else { return Said::Unknown };
        let product = self.product_of(pool);
        if self.required(product).is_some_and(|required| !self.holds(person, required)) {
            return Said::NeedsAccess;
        }
        let home = self.home(known, product);
        if !insist && !self.may_draw(pool, known, &home) {
            return self.write(Said::NotServed);
        }
        if !insist && !self.is_free(pool, &home, false, now) {
            return self.write(Said::Exhausted);
        }
        // Who comes from another pool of the product keeps the place in line.
        let others = self.pools_of(product).into_iter().filter(|&other| self.sits(person, other));
        let moves = others.filter_map(|other| self.claims.get(&(person.to_owned(), other))).map(|claim| claim.since).min();
        let since = self.claims.get(&key).map(|claim| claim.since).or(moves).unwrap_or(now);
        self.pins.insert(key, (Pin::Assign, until));
        self.sit(person, pool, home, since, now);
        self.fill(None, 0, now);
        Said::Done
    }

    fn deny(&mut self, person: &str, pool: usize, until: Day, now: Instant) -> Said {
        let key = (person.to_owned(), pool);
        self.pins.insert(key.clone(), (Pin::Deny, until));
        let sat = self.claims.remove(&key).is_some_and(|claim| claim.state != State::Waiting);
        self.fill(sat.then_some((person, pool)), self.is_held(person), now);
        Said::Done
    }

    fn transfer(&mut self, give: &str, take: &str, pool: usize, now: Instant) -> Said {
        if !self.sits(give, pool) {
            return Said::NoClaim;
        }
        if self.sits(take, pool) {
            return Said::AlreadySo;
        }
        let Some(known) = self.active(take) else { return Said::Unknown };
        let product = self.product_of(pool);
        if self.required(product).is_some_and(|required| !self.holds(take, required)) {
            return Said::NeedsAccess;
        }
        let home = self.home(known, product);
        if !self.may_draw(pool, known, &home) {
            return self.write(Said::NotServed);
        }
        let from = (give.to_owned(), pool);
        let seat = self.claims.remove(&from).expect("it is there");
        // A seat that stays in its part of the pool is the same seat; into another part it must fit (R20).
        let part = |org: &str| self.setup.pools[pool].reserved.is_some_and(|(reserved, _)| reserved == org);
        if part(&home) != part(&seat.home) && !self.is_free(pool, &home, false, now) {
            self.claims.insert(from, seat);
            return self.write(Said::Exhausted);
        }
        self.pins.insert(from, (Pin::Deny, Day::MAX));
        self.pins.insert((take.to_owned(), pool), (Pin::Assign, Day::MAX));
        self.sit(take, pool, home, now, now);
        self.fill(Some((give, pool)), self.is_held(give), now);
        Said::Done
    }

    fn accept(&mut self, person: &str, pool: usize, now: Instant) -> Said {
        match self.claims.get_mut(&(person.to_owned(), pool)) {
            Some(claim) if claim.state == State::Pending => (claim.state, claim.changed) = (State::Active, now),
            Some(claim) if claim.state == State::Active => return Said::AlreadySo,
            _ => return Said::NoClaim,
        }
        self.fill(None, 0, now);
        Said::Done
    }
}
