//! Who ought to have what, and who gets the seats there are (R12, R20 to R28, R33 to R44, R48).

use std::collections::{BTreeMap, BTreeSet};

use rosterd::base::{Day, Instant};

use crate::sim::auditor::books::{Auditor, Claim, Known, Pin, State};
use crate::sim::auditor::importing::is_by_hand;
use crate::sim::facts::{Ask, Audience, Full, Model, school_of};

/// Somebody who wants a seat of a product.
#[derive(Clone, Debug)]
pub struct Want {
    pub person: String,
    pub product: usize,
    pub priority: i32,
    pub reasons: String,
    pub since: Instant,
    pub home: String,
    /// Pools, nearest first; `true`: only what is reserved there.
    pub way: Vec<(usize, bool)>,
    /// Nobody goes over the limit by hand (R47).
    pub by_hand: bool,
    /// Where the person waits already.
    pub waits_in: Option<usize>,
    /// What a removal had released of the product: pool and number (R130).
    pub former: Option<(usize, u64)>,
}

/// A seat that stays only with the product it requires (R12).
#[derive(Clone, Debug)]
pub struct Hangs {
    pub person: String,
    pub product: usize,
    pub pool: usize,
}

impl Auditor {
    /// Live on a day (R25): the last day is one of them.
    fn live(known: &Known, today: Day) -> impl Iterator<Item = &str> {
        known
            .classes
            .values()
            .filter(move |e| !e.ended && e.first.is_none_or(|day| day <= today) && e.last.is_none_or(|day| today <= day))
            .map(|e| e.class.as_str())
    }

    /// Whether a rule asks, and the orgs through which it does.
    fn asks(ask: Ask, known: &Known) -> Option<BTreeSet<String>> {
        let orgs: BTreeSet<String> = match ask {
            Ask::Everyone => return Some(BTreeSet::new()),
            Ask::Role(word) => known.roles.values().filter(|(role, _)| role == word).map(|(_, org)| org.clone()).collect(),
            Ask::Class => known.classes.values().filter(|e| !e.ended).map(|e| school_of(&e.class).to_owned()).collect(),
        };
        (!orgs.is_empty()).then_some(orgs)
    }

    /// The smallest path: `d` is above all others.
    fn smallest(orgs: impl IntoIterator<Item = String>) -> Option<String> {
        orgs.into_iter().min_by_key(|org| (org != "d", org.clone()))
    }

    /// R21.
    pub fn home(&self, known: &Known, product: usize) -> String {
        if let Some(primary) = &known.primary {
            return primary.clone();
        }
        let id = self.setup.products[product].id;
        let rules = self.setup.rules.iter().filter(|rule| rule.product == id);
        Self::smallest(rules.filter_map(|rule| Self::asks(rule.ask, known)).flatten())
            .or_else(|| Self::smallest(known.roles.values().map(|(_, org)| org.clone())))
            .or_else(|| Self::smallest(known.classes.values().map(|e| school_of(&e.class).to_owned())))
            .unwrap_or_else(|| "d".to_owned())
    }

    /// With which priority a product is demanded; `None`: it is not (R22 to R28).
    fn demanded(&self, known: &Known, product: usize, today: Day) -> Option<i32> {
        let definition = &self.setup.products[product];
        let rules: Vec<_> = self.setup.rules.iter().filter(|rule| rule.product == definition.id).collect();
        let asking = rules.iter().filter(|rule| Self::asks(rule.ask, known).is_some()).map(|rule| rule.priority).max();
        let for_all = definition.auto_assign || (definition.model == Model::ActiveUser && rules.is_empty());
        match definition.model {
            Model::ActiveUser if Self::live(known, today).next().is_none() => None,
            Model::Role if known.locked => None,
            _ => asking.or(for_all.then_some(0)),
        }
    }

    /// What asks for a product: rules, the product itself, a pin (R24).
    fn reasons(&self, known: &Known, product: usize, pinned: bool) -> String {
        let id = self.setup.products[product].id;
        let asking = self.setup.rules.iter().filter(|rule| rule.product == id && Self::asks(rule.ask, known).is_some());
        let mut words: Vec<String> = asking.map(|rule| format!("rule:{}", rule.id)).collect();
        if words.is_empty() && !pinned {
            words.push("auto_assign".to_owned());
        }
        words.extend(pinned.then(|| "pin".to_owned()));
        words.sort();
        words.join(" ")
    }

    pub fn pin(&self, person: &str, pool: usize, today: Day) -> Option<Pin> {
        self.pins.get(&(person.to_owned(), pool)).filter(|(_, until)| today <= *until).map(|(pin, _)| *pin)
    }

    fn pinned_to(&self, person: &str, product: usize, today: Day) -> Option<usize> {
        let pools = self.pools_of(product).into_iter();
        let pinned = pools.filter(|&pool| self.pin(person, pool, today) == Some(Pin::Assign));
        pinned.min_by_key(|&pool| self.setup.pools[pool].id)
    }

    fn serves(&self, pool: usize, known: &Known) -> bool {
        let student = !known.roles.is_empty() && known.roles.values().all(|(role, _)| role == "student");
        match self.setup.pools[pool].audience {
            Audience::Any => true,
            Audience::Student => student,
            Audience::Educator => !student,
        }
    }

    /// Whether a pool is for people of a home, and for this one (R13, R20).
    pub fn may_draw(&self, pool: usize, known: &Known, home: &str) -> bool {
        self.serves(pool, known) && [home, "d"].contains(&self.setup.pools[pool].owner)
    }

    /// Pools a person may draw from: of the home org, what is reserved for it, what is open above it (R20).
    pub fn way(&self, person: &str, known: &Known, product: usize, home: &str, today: Day) -> Vec<(usize, bool)> {
        if let Some(pool) = self.pinned_to(person, product, today) {
            return vec![(pool, false)];
        }
        let pools: Vec<usize> = self.pools_of(product).into_iter().filter(|&pool| self.serves(pool, known)).collect();
        let owned = |org: &str| pools.iter().copied().filter(|&p| self.setup.pools[p].owner == org).collect::<Vec<_>>();
        let mut way: Vec<(usize, bool)> = owned(home).into_iter().map(|pool| (pool, false)).collect();
        if home != "d" {
            let above = owned("d");
            let reserved = |pool: &usize| self.setup.pools[*pool].reserved.is_some_and(|(org, _)| org == home);
            way.extend(above.iter().copied().filter(reserved).map(|pool| (pool, true)));
            way.extend(above.into_iter().map(|pool| (pool, false)));
        }
        way.retain(|(pool, _)| self.pin(person, *pool, today) != Some(Pin::Deny));
        way
    }

    /// Whether there is a seat of a pool for somebody of an org without going over, and without what is set aside for
    /// another org.
    pub fn is_free(&self, pool: usize, home: &str, only_reserved: bool, now: Instant) -> bool {
        let Some(effective) = self.effective(pool, now) else { return true };
        if self.used(pool) >= effective {
            return false;
        }
        let Some((org, reserved)) = self.setup.pools[pool].reserved else { return !only_reserved };
        let here = |claim: &Claim| claim.home == org;
        let seated = || self.claims.iter().filter(|((_, p), claim)| *p == pool && claim.state != State::Waiting);
        let inside = seated().filter(|(_, claim)| here(claim)).count() as u32;
        if home == org && inside < reserved {
            return true;
        }
        let outside = seated().count() as u32 - inside.min(reserved);
        !only_reserved && outside < effective.saturating_sub(reserved)
    }

    pub fn may_go_over(&self, pool: usize, now: Instant) -> bool {
        match self.setup.pools[pool].full {
            Full::Overdraw => true,
            Full::Wait => false,
            Full::UpTo(percent) => self.effective(pool, now).is_none_or(|e| (self.used(pool) + 1) * 100 <= percent * e),
        }
    }

    /// Products, each after the one it requires.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = Vec::new();
        while order.len() < self.setup.products.len() {
            let ready = |p: &usize| !order.contains(p) && self.required(*p).is_none_or(|r| order.contains(&r));
            let next: Vec<usize> = (0..self.setup.products.len()).filter(ready).collect();
            order.extend(next);
        }
        order
    }

    /// Gives everybody who is here what they ought to have, as far as there is any.
    pub fn reconcile(&mut self, now: Instant, withheld: &BTreeSet<String>, former: &BTreeMap<String, Vec<(usize, u64)>>) {
        let here = self.known.iter().filter(|(key, known)| !known.ended && !withheld.contains(*key));
        let here: Vec<(String, Known)> = here.map(|(key, known)| (key.clone(), known.clone())).collect();
        let (mut wants, mut hangs) = (Vec::new(), Vec::new());
        for (person, known) in &here {
            let mut sure = BTreeSet::new();
            for product in self.order() {
                self.consider(person, known, product, now, former, &mut sure, &mut wants, &mut hangs);
            }
        }
        self.contest(wants, &hangs, now);
    }

    /// What becomes of one person's claims of one product before anybody competes.
    #[expect(clippy::too_many_arguments, reason = "each is another fact of one person")]
    fn consider(
        &mut self,
        person: &str,
        known: &Known,
        product: usize,
        now: Instant,
        former: &BTreeMap<String, Vec<(usize, u64)>>,
        sure: &mut BTreeSet<usize>,
        wants: &mut Vec<Want>,
        hangs: &mut Vec<Hangs>,
    ) {
        let today = self.today(now);
        let key = |pool: usize| (person.to_owned(), pool);
        let mine: Vec<usize> =
            self.pools_of(product).into_iter().filter(|&pool| self.claims.contains_key(&key(pool))).collect();
        let pinned = self.pinned_to(person, product, today).is_some();
        let Some(priority) = self.demanded(known, product, today).or(pinned.then_some(0)) else {
            let named = self.setup.products[product].model == Model::Named;
            for pool in mine {
                let denied = self.pin(person, pool, today) == Some(Pin::Deny);
                if self.sits(person, pool) && (known.unsure || (named && !denied)) {
                    sure.insert(product);
                    let claim = self.claims.get_mut(&key(pool)).expect("it is there");
                    if !known.unsure && claim.state == State::Active {
                        // Out of all teams: the seat stays the person's (R33, R34).
                        (claim.state, claim.changed) = (State::Held, now);
                    }
                } else if !known.unsure {
                    self.claims.remove(&key(pool));
                }
            }
            return;
        };
        let home = self.home(known, product);
        let way = self.way(person, known, product, &home, today);
        let on_way = |pool: &usize| way.iter().any(|(p, _)| p == pool);
        // One seat of a product; a seat before a wait, one that serves the person before one that does not.
        let main = mine.iter().copied().min_by_key(|pool| (!self.sits(person, *pool), !on_way(pool)));
        for &extra in mine.iter().filter(|pool| Some(**pool) != main && !known.unsure) {
            self.claims.remove(&key(extra));
        }
        let mut want = Want {
            person: person.to_owned(),
            product,
            priority,
            reasons: self.reasons(known, product, pinned),
            since: now,
            home: home.clone(),
            way: way.clone(),
            by_hand: pinned || is_by_hand(person),
            waits_in: None,
            former: None,
        };
        let Some(pool) = main else {
            let left = former.get(person).into_iter().flatten();
            want.former = left.copied().find(|(pool, _)| self.product_of(*pool) == product);
            wants.push(want);
            return;
        };
        let claim = self.claims[&key(pool)].clone();
        if claim.state == State::Waiting {
            want.since = claim.since;
            want.waits_in = Some(pool);
            if !(known.unsure && way.is_empty()) {
                wants.push(want);
            }
            return;
        }
        let days = self.setup.pending_days;
        let open_days = today.0 - self.today(claim.changed).0;
        if claim.state == State::Pending && days > 0 && open_days > days as i32 && !known.unsure {
            // The invitation lapsed (R45); the next run invites again.
            self.claims.remove(&key(pool));
        } else if on_way(&pool) {
            let claim = self.claims.get_mut(&key(pool)).expect("it is there");
            (claim.home, claim.priority, claim.reasons) = (home, priority, want.reasons);
            if claim.state == State::Held {
                (claim.state, claim.changed) = (State::Active, now);
            }
            if known.unsure || self.required(product).is_none_or(|required| sure.contains(&required)) {
                sure.insert(product);
            } else {
                hangs.push(Hangs { person: person.to_owned(), product, pool });
            }
        } else if known.unsure {
            sure.insert(product);
        } else {
            // Another pool serves the person now: the seat is given back, the place in the queue is kept (R39).
            want.since = claim.since;
            self.claims.remove(&key(pool));
            wants.push(want);
        }
    }

    /// Seats are given product by product, the best first (R42), free ones before going over (R48).
    pub fn contest(&mut self, mut wants: Vec<Want>, hangs: &[Hangs], now: Instant) {
        wants.sort_by(|a, b| (-a.priority, a.since, &a.person).cmp(&(-b.priority, b.since, &b.person)));
        for product in self.order() {
            for hang in hangs.iter().filter(|hang| hang.product == product) {
                let required = self.required(product).expect("it is there");
                if !self.holds(&hang.person, required) {
                    let claim = self.claims.get_mut(&(hang.person.clone(), hang.pool)).expect("it is there");
                    (claim.state, claim.wants_access, claim.changed) = (State::Waiting, true, now);
                }
            }
            for want in wants.iter().filter(|want| want.product == product) {
                self.give(want, now);
            }
        }
    }

    fn give(&mut self, want: &Want, now: Instant) {
        let key = |pool: usize| (want.person.clone(), pool);
        let before = want.waits_in.and_then(|pool| self.claims.remove(&key(pool)));
        let Some(&(first, _)) = want.way.first() else { return };
        let ready = self.required(want.product).is_none_or(|required| self.holds(&want.person, required));
        let free = |way: &&(usize, bool)| self.is_free(way.0, &want.home, way.1, now);
        let same = || want.way.iter().filter(|(pool, _)| want.former.is_some_and(|(p, _)| p == *pool)).find(free);
        let over = || want.way.iter().find(|(pool, _)| !want.by_hand && self.may_go_over(*pool, now));
        let seat = same().or_else(|| want.way.iter().find(free)).or_else(over).map(|(pool, _)| *pool);
        let seat = seat.filter(|_| ready);
        // A wait stays where it is as long as that pool serves the person.
        let stays = want.waits_in.filter(|pool| want.way.iter().any(|(p, _)| p == pool));
        let pool = seat.unwrap_or(stays.unwrap_or(first));
        let state = match seat {
            None => State::Waiting,
            Some(_) if self.setup.products[want.product].invites => State::Pending,
            Some(_) => State::Active,
        };
        let known = before.as_ref().filter(|_| want.waits_in == Some(pool));
        let former = want.former.filter(|(p, _)| *p == pool).map(|(_, number)| number);
        let number = known.map(|claim| claim.number).or(former).unwrap_or_else(|| {
            let new = self.new_number();
            self.by_hand.extend(want.by_hand.then_some(new));
            new
        });
        let claim = Claim {
            number,
            state,
            since: want.since,
            home: want.home.clone(),
            priority: want.priority,
            reasons: want.reasons.clone(),
            wants_access: seat.is_none() && !ready,
            changed: known.filter(|claim| claim.state == state).map_or(now, |claim| claim.changed),
        };
        self.claims.insert(key(pool), claim);
    }

    pub fn new_number(&mut self) -> u64 {
        self.next_claim += 1;
        self.next_claim
    }
}
