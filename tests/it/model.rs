//! A naive model of the books, written from the domain rules and not from the planner: plain maps, every number counted
//! anew from the claims whenever it is needed, one person and one seat at a time. Slow and obvious.

use std::collections::{BTreeMap, BTreeSet};

use rosterd::base::{Day, Instant};
use rosterd::license::{Audience, Band, ClaimState, OnFull, PinKind, Pool, SeatModel};
use rosterd::plan::{Policy, Predicate};

use crate::world::Person;

/// What the source said of a person when the person was last read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// By number of the role's row.
    pub roles: BTreeMap<usize, (String, String)>,
    /// Class, first day, last day, ended.
    pub enrollments: Vec<(String, Day, Day, bool)>,
    pub ended: bool,
    pub locked: bool,
    pub primary: Option<String>,
    pub email: String,
    pub quarantined: bool,
}

/// A claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Seat {
    pub state: ClaimState,
    pub since: Instant,
    pub home: String,
    pub priority: i32,
    pub lacks_access: bool,
}

/// Somebody missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    pub count: u32,
    pub ended: bool,
    pub held: bool,
    pub removed: bool,
    pub org: Option<String>,
}

/// Seats bought or agreed: pool, seats, from, to.
pub type Dated = (String, i64, Instant, Instant);

/// How a night went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Night {
    /// Too many bad rows: nothing happened.
    Rejected,
    /// A guard kept the whole snapshot out: only time passed.
    Stopped,
    /// It was taken in; `held` if some removals were not.
    Taken { held: bool },
    /// Only time passed.
    Quiet,
}

/// What a decision came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Done,
    AlreadySo,
    Exhausted,
    NotServed,
    NeedsAccess,
    NoClaim,
    UnknownPerson,
}

/// A person who wants a seat of a product.
struct Want {
    person: String,
    product: usize,
    priority: i32,
    since: Instant,
    home: String,
    way: Vec<(usize, bool)>,
    by_hand: bool,
    /// Where the person waits already.
    waits_in: Option<usize>,
    /// The books of that moment tell only that the person waited for access, not what came since: seated with the next
    /// night.
    blind: bool,
}

/// A seat that stays only if the required product stays.
struct Hangs {
    person: String,
    product: usize,
    pool: usize,
}

#[derive(Clone, Debug)]
pub struct Model {
    pub policy: Policy,
    pub classes: Vec<(String, String, String)>,
    pub bad_percent_max: u32,
    pub known: BTreeMap<String, Record>,
    pub claims: BTreeMap<(String, usize), Seat>,
    pub absences: BTreeMap<String, Missing>,
    pub pins: BTreeMap<(String, usize), PinKind>,
    pub grants: Vec<Dated>,
    pub agreed: Vec<Dated>,
    pub today: Day,
    pub now: Instant,
    /// When the books were last closed.
    pub closed: Option<Instant>,
    first_night: bool,
}

type Refs<'a> = BTreeMap<&'a str, u64>;

impl Model {
    pub fn new(policy: Policy, classes: Vec<(String, String, String)>, bad_percent_max: u32, grants: Vec<Dated>) -> Self {
        Self {
            policy,
            classes,
            bad_percent_max,
            known: BTreeMap::new(),
            claims: BTreeMap::new(),
            absences: BTreeMap::new(),
            pins: BTreeMap::new(),
            grants,
            agreed: Vec::new(),
            today: Day::MIN,
            now: Instant::MIN,
            closed: None,
            first_night: true,
        }
    }

    // ---- the numbers of a pool ----

    /// Allowance and agreed excess at an instant; `None`: unlimited.
    pub fn allowance(&self, pool: usize, at: Instant) -> Option<(u32, u32)> {
        if self.policy.pools[pool].unlimited {
            return None;
        }
        let id = self.policy.pools[pool].id.as_str();
        let sum = |list: &[Dated]| {
            let total: i64 = list.iter().filter(|(p, _, from, to)| p == id && *from <= at && at < *to).map(|g| g.1).sum();
            u32::try_from(total.max(0)).expect("it is there")
        };
        Some((sum(&self.grants), sum(&self.agreed)))
    }

    pub fn used(&self, pool: usize) -> u32 {
        self.claims.iter().filter(|((_, p), seat)| *p == pool && consumes(seat.state)).count() as u32
    }

    pub fn band(used: u32, effective: Option<u32>) -> Band {
        let Some(a) = effective else { return Band::Within };
        if used <= a {
            Band::Within
        } else if 100 * used <= 105 * a {
            Band::Minor
        } else if 100 * used <= 106 * a {
            Band::Gap
        } else {
            Band::Major
        }
    }

    /// Dates act before anything else does: where an allowance began or ended since the books were closed, the queue gets
    /// what it gave (R43, R132).
    pub fn pass_time(&mut self) {
        let Some(closed) = self.closed else { return };
        let dated = self.grants.iter().chain(&self.agreed);
        let edges: Vec<Instant> = dated.flat_map(|(_, _, from, to)| [*from, *to]).collect();
        let moves = |pool: usize, edge: Instant| self.allowance(pool, edge) != self.allowance(pool, edge.plus_millis(-1));
        let since = edges.into_iter().filter(|edge| closed < *edge && *edge <= self.now);
        if since.into_iter().any(|edge| (0..self.policy.pools.len()).any(|pool| moves(pool, edge))) {
            self.fill(&[], None);
        }
    }

    fn effective(&self, pool: usize) -> Option<u32> {
        self.allowance(pool, self.now).map(|(seats, agreed)| seats + agreed)
    }

    fn reserved(&self, pool: usize, org: &str) -> Option<u32> {
        self.policy.pools[pool].reservations.iter().find(|(o, _)| o.as_str() == org).map(|(_, s)| s.0)
    }

    fn loads(&self, pool: usize) -> Refs<'_> {
        let mut loads = Refs::new();
        for ((_, p), seat) in &self.claims {
            if *p == pool && consumes(seat.state) {
                *loads.entry(seat.home.as_str()).or_default() += 1;
            }
        }
        loads
    }

    /// A free seat in the reservation of that very org.
    fn free_reserved(&self, pool: usize, home: &str) -> bool {
        let Some(reserved) = self.reserved(pool, home) else { return false };
        let load = self.loads(pool).get(home).copied().unwrap_or(0);
        load < u64::from(reserved) && self.effective(pool).is_none_or(|e| self.used(pool) < e)
    }

    /// A seat that somebody of this home org may take without going over and without another org's reservation.
    pub fn free(&self, pool: usize, home: &str) -> bool {
        let Some(effective) = self.effective(pool) else { return true };
        if self.used(pool) >= effective {
            return false;
        }
        let loads = self.loads(pool);
        if let Some(reserved) = self.reserved(pool, home)
            && loads.get(home).copied().unwrap_or(0) < u64::from(reserved)
        {
            return true;
        }
        let all: u64 = self.policy.pools[pool].reservations.iter().map(|(_, s)| u64::from(s.0)).sum();
        let open = u64::from(effective).saturating_sub(all);
        let beside: u64 =
            loads.iter().map(|(org, load)| load.saturating_sub(self.reserved(pool, org).map_or(0, u64::from))).sum();
        beside < open
    }

    fn goes_over(&self, pool: usize) -> bool {
        let used = self.used(pool);
        match self.policy.pools[pool].on_full {
            OnFull::Overdraw => true,
            OnFull::Wait => false,
            OnFull::OverdrawUpTo { percent_max } => self.effective(pool).is_none_or(|e| (used + 1) * 100 <= percent_max * e),
        }
    }

    // ---- who ought to have what ----

    fn active(&self, person: &str) -> Option<&Record> {
        self.known.get(person).filter(|record| !record.ended)
    }

    fn class_matches(&self, class: &str, subjects: &[String]) -> bool {
        let (_, _, subject) = self.classes.iter().find(|(id, _, _)| id == class).expect("it is there");
        subjects.is_empty() || subjects.contains(subject)
    }

    fn school_of(&self, class: &str) -> String {
        self.classes.iter().find(|(id, _, _)| id == class).expect("it is there").1.clone()
    }

    /// Active so far, or missing.
    fn is_known(&self, key: &str) -> bool {
        self.known.get(key).is_some_and(|record| !record.ended) || self.absences.contains_key(key)
    }

    fn live<'r>(&self, record: &'r Record) -> Vec<&'r str> {
        let live = |e: &&(String, Day, Day, bool)| !e.3 && e.1 <= self.today && self.today <= e.2;
        record.enrollments.iter().filter(live).map(|e| e.0.as_str()).collect()
    }

    /// Whether a predicate matches, and the orgs through which it does.
    fn matches(&self, when: &Predicate, record: &Record) -> Option<BTreeSet<String>> {
        let found: BTreeSet<String> = match when {
            Predicate::Everyone => return Some(BTreeSet::new()),
            Predicate::Role(words) => {
                record.roles.values().filter(|(role, _)| words.contains(role)).map(|(_, org)| org.clone()).collect()
            }
            Predicate::Org(orgs) => {
                let within = |org: &str| orgs.iter().any(|o| o.as_str() == org || o.as_str() == "d");
                record.roles.values().filter(|(_, org)| within(org)).map(|(_, org)| org.clone()).collect()
            }
            Predicate::LiveEnrollment(filter) => {
                let live = self.live(record);
                live.into_iter().filter(|c| self.class_matches(c, &filter.subjects)).map(|c| self.school_of(c)).collect()
            }
            Predicate::Not(inner) => return self.matches(inner, record).is_none().then(BTreeSet::new),
            other => panic!("not in the model: {other:?}"),
        };
        (!found.is_empty()).then_some(found)
    }

    fn smallest(orgs: impl IntoIterator<Item = String>) -> Option<String> {
        // Paths are `d` and `d/…`.
        orgs.into_iter().min_by_key(|org| if org == "d" { (0, String::new()) } else { (1, org.clone()) })
    }

    fn home(&self, record: &Record, product: usize) -> String {
        if let Some(primary) = &record.primary {
            return primary.clone();
        }
        let id = &self.policy.products[product].id;
        let rules = self.policy.rules.iter().filter(|r| r.product == *id);
        let creating = rules.filter_map(|r| self.matches(&r.when, record)).flatten();
        Self::smallest(creating)
            .or_else(|| Self::smallest(record.roles.values().map(|(_, org)| org.clone())))
            .or_else(|| Self::smallest(record.enrollments.iter().map(|e| self.school_of(&e.0))))
            .unwrap_or_else(|| "d".to_owned())
    }

    /// The priority with which the rules ask for a product; `None`: they don't.
    fn asked(&self, record: &Record, product: usize) -> Option<i32> {
        let definition = &self.policy.products[product];
        let rules: Vec<_> = self.policy.rules.iter().filter(|r| r.product == definition.id).collect();
        let asking: Vec<i32> = rules.iter().filter(|r| self.matches(&r.when, record).is_some()).map(|r| r.priority).collect();
        let for_all = definition.auto_assign || (definition.seat_model == SeatModel::ActiveUser && rules.is_empty());
        if asking.is_empty() && !for_all {
            return None;
        }
        if definition.seat_model == SeatModel::ActiveUser && self.live(record).is_empty() {
            return None;
        }
        if definition.seat_model == SeatModel::Role && record.locked {
            return None;
        }
        if !definition.activated_for.is_empty() {
            let home = self.home(record, product);
            if !definition.activated_for.iter().any(|o| o.as_str() == home || o.as_str() == "d") {
                return None;
            }
        }
        Some(asking.into_iter().max().unwrap_or(0))
    }

    fn serves(&self, pool: &Pool, record: &Record) -> bool {
        let student = !record.roles.is_empty() && record.roles.values().all(|(role, _)| role == "student");
        match pool.audience {
            Audience::Any => true,
            Audience::Student => student,
            Audience::Educator => !student,
        }
    }

    fn product_of(&self, pool: usize) -> usize {
        self.policy.products.iter().position(|p| p.id == self.policy.pools[pool].product).expect("it is there")
    }

    fn required(&self, product: usize) -> Option<usize> {
        let required = self.policy.products[product].requires.as_ref()?;
        self.policy.products.iter().position(|p| p.id == *required)
    }

    fn pinned_to(&self, person: &str, product: usize) -> Option<usize> {
        let pins = self
            .pins
            .iter()
            .filter(|((p, pool), kind)| p == person && **kind == PinKind::Assign && self.product_of(*pool) == product);
        pins.map(|((_, pool), _)| *pool).min_by_key(|pool| self.policy.pools[*pool].id.clone())
    }

    fn denied(&self, person: &str, pool: usize) -> bool {
        self.pins.get(&(person.to_owned(), pool)) == Some(&PinKind::Deny)
    }

    /// Whether a pool is for people of a home, and for this one (R13, R20).
    fn may_draw(&self, pool: usize, record: &Record, home: &str) -> bool {
        let pool = &self.policy.pools[pool];
        self.serves(pool, record) && [home, "d"].contains(&pool.owner.as_str())
    }

    /// Where seats of a product may come from, in the order of R20; `true`: only what is reserved.
    fn way(&self, person: &str, record: &Record, product: usize, home: &str) -> Vec<(usize, bool)> {
        if let Some(pool) = self.pinned_to(person, product) {
            return vec![(pool, false)];
        }
        let pools: Vec<usize> = (0..self.policy.pools.len())
            .filter(|&p| self.product_of(p) == product && self.serves(&self.policy.pools[p], record))
            .filter(|&p| !self.denied(person, p))
            .collect();
        let owned_by = |org: &str| pools.iter().copied().filter(|&p| self.policy.pools[p].owner.as_str() == org).collect();
        let own: Vec<usize> = owned_by(home);
        let district: Vec<usize> = if home == "d" { Vec::new() } else { owned_by("d") };
        let own = own.into_iter().map(|p| (p, false));
        let reserved = district.iter().filter(|&&p| self.reserved(p, home).is_some()).map(|&p| (p, true));
        let open = district.iter().map(|&p| (p, false));
        own.chain(reserved).chain(open).collect()
    }

    fn holds(&self, person: &str, product: usize) -> bool {
        self.claims.iter().any(|((p, pool), s)| p == person && consumes(s.state) && self.product_of(*pool) == product)
    }

    // ---- a night ----

    fn read(&self, files: &BTreeMap<String, Person>) -> (BTreeMap<String, Record>, bool) {
        let mut next = BTreeMap::new();
        let (mut rows, mut bad) = (0, 0);
        for (key, person) in files {
            let before = self.known.get(key);
            let mut roles: BTreeMap<usize, (String, String)> = person.roles.iter().cloned().enumerate().collect();
            rows += roles.len();
            if person.broken {
                bad += roles.len();
                let told = roles.len();
                roles = before.map(|b| b.roles.clone()).unwrap_or_default();
                roles.retain(|at, _| *at < told);
            }
            let date = |d: Option<&str>, or: Day| d.map_or(or, |d| Day::parse(d).expect("it is there"));
            let enrollments = person.enrollments.iter();
            let enrollments =
                enrollments.map(|e| (e.class.clone(), date(e.first, Day::MIN), date(e.last, Day::MAX), e.ended)).collect();
            let record = Record {
                roles,
                enrollments,
                ended: person.ended,
                locked: person.locked,
                primary: person.primary_org.clone(),
                email: person.email.clone(),
                quarantined: person.broken && !person.roles.is_empty(),
            };
            next.insert(key.clone(), record);
        }
        // Whoever ended and is unknown to the books is nobody, and has no enrollments that could be missed (R114, R130).
        next.retain(|key, record| !record.ended || record.quarantined || self.is_known(key));
        (next, bad * 100 > rows * self.bad_percent_max as usize)
    }

    /// New keys with the e-mail of somebody who is absent are kept out, and the known ones keep everything (R5).
    /// Says how many there were.
    fn hold_conflicts(&self, next: &mut BTreeMap<String, Record>) -> usize {
        let mut conflicts = 0;
        let new: Vec<String> =
            next.iter().filter(|(k, r)| !r.ended && !self.known.contains_key(*k)).map(|(k, _)| k.clone()).collect();
        let absent: Vec<String> =
            self.known.iter().filter(|(k, r)| !r.ended && !next.contains_key(*k)).map(|(k, _)| k.clone()).collect();
        for new in new {
            let email = next[&new].email.to_lowercase();
            if email.is_empty() {
                continue;
            }
            if let Some(old) = absent.iter().find(|old| self.known[*old].email.to_lowercase() == email) {
                next.remove(&new);
                next.insert(old.clone(), Record { quarantined: true, ..self.known[old].clone() });
                conflicts += 1;
            }
        }
        conflicts
    }

    fn home_for_guard(record: &Record) -> Option<String> {
        record.primary.clone().or_else(|| Self::smallest(record.roles.values().map(|(_, org)| org.clone())))
    }

    /// Whose removal is held, and whether nothing at all may be taken in.
    fn guard(&self, next: &BTreeMap<String, Record>, gone: &BTreeSet<String>, conflicts: usize) -> (BTreeSet<String>, bool) {
        let limits = self.policy.limits;
        let passes = |removed: usize, base: usize, percent: u32| {
            removed * 100 > percent as usize * base && removed > limits.removal_min as usize
        };
        let mut stop = !next.values().any(|r| !r.ended);
        let back = |person: &String| next.get(person).is_some_and(|r| !r.ended);
        let waiting: Vec<(&String, &Missing)> = self.absences.iter().filter(|(p, m)| m.held && !back(p)).collect();
        let mut removals = gone.clone();
        removals.extend(waiting.iter().map(|(p, _)| (*p).clone()));
        // Roles and enrollments of people who go are judged with those people.
        let roles = |r: &Record| r.roles.len();
        let enrollments = |r: &Record| r.enrollments.iter().filter(|e| !e.3).count();
        for records in [&roles as &dyn Fn(&Record) -> usize, &enrollments] {
            let of = |k: &BTreeMap<String, Record>, which: &dyn Fn(&String) -> bool| {
                k.iter().filter(|(key, _)| which(key)).map(|(_, r)| records(r)).sum::<usize>()
            };
            let (had, has) = (of(&self.known, &|_| true), of(next, &|_| true));
            stop |= had > 0 && has == 0;
            // Records of people who ended before were judged when those people went.
            let living = |k: &BTreeMap<String, Record>, which: &dyn Fn(&String) -> bool| {
                of(k, &|key| which(key) && k.get(key).is_some_and(|record| !record.ended))
            };
            let stays = |key: &String| !removals.contains(key);
            let goes = living(&self.known, &stays).saturating_sub(living(next, &stays));
            stop |= passes(goes, living(&self.known, &|_| true), limits.removal_percent);
        }
        let base = self.known.values().filter(|r| !r.ended).count() + removals.len() - gone.len();
        // People who go and people who come, paired by their e-mail: the same ones under other keys.
        let mut going: Vec<String> = removals
            .iter()
            .filter_map(|p| self.known.get(p))
            .map(|r| r.email.to_lowercase())
            .filter(|e| !e.is_empty())
            .collect();
        let missing = |key: &String| self.absences.get(key).is_some_and(|m| !m.removed);
        let is_new = |key: &String| !missing(key) && self.known.get(key).is_none_or(|r| r.ended);
        let mut pairs = conflicts;
        for (_, record) in next.iter().filter(|(key, r)| !r.ended && is_new(key)) {
            if let Some(at) = going.iter().position(|email| *email == record.email.to_lowercase()) {
                going.remove(at);
                pairs += 1;
            }
        }
        stop |= base > 0 && passes(pairs, base, limits.removal_percent);
        if passes(removals.len(), base, limits.removal_percent) {
            return (removals, stop || limits.trip_stops_all);
        }
        let mut held = BTreeSet::new();
        for org in ["d", "a", "b", "c"] {
            let here = |record: &Record| Self::home_for_guard(record).as_deref() == Some(org);
            let people: BTreeSet<&String> = self.known.iter().filter(|(_, r)| !r.ended && here(r)).map(|(k, _)| k).collect();
            let mut going: BTreeSet<String> = people.iter().filter(|k| gone.contains(**k)).map(|k| (*k).clone()).collect();
            let mut base = people.len();
            for (person, missing) in &waiting {
                if missing.org.as_deref() == Some(org) && going.insert((*person).clone()) {
                    base += 1;
                }
            }
            if base >= limits.org_base_min as usize && passes(going.len(), base, limits.org_removal_percent) {
                held.extend(going);
            }
        }
        let stop = stop || (limits.trip_stops_all && !held.is_empty());
        (held, stop)
    }

    /// A night; `None`: no new package.
    pub fn night(&mut self, files: Option<&BTreeMap<String, Person>>) -> Night {
        let mut outcome = Night::Quiet;
        let mut fresh = false;
        let mut gone = BTreeSet::new();
        let mut held: BTreeSet<String> = self.absences.iter().filter(|(_, m)| m.held).map(|(p, _)| p.clone()).collect();
        let before = self.known.clone();
        if let Some(files) = files {
            let (mut next, too_bad) = self.read(files);
            if too_bad {
                return Night::Rejected;
            }
            let conflicts = self.hold_conflicts(&mut next);
            let active = |k: &BTreeMap<String, Record>, p: &String| k.get(p).is_some_and(|r| !r.ended);
            let going: BTreeSet<String> =
                self.known.keys().filter(|p| active(&self.known, p) && !active(&next, p)).cloned().collect();
            let (holds, stop) = self.guard(&next, &going, conflicts);
            if stop {
                outcome = Night::Stopped;
            } else {
                outcome = Night::Taken { held: !holds.is_empty() };
                (held, gone, fresh) = (holds, going, true);
                self.known = next;
            }
        } else if self.first_night {
            return Night::Quiet;
        }
        self.first_night = false;
        self.missing_people(&before, &gone, &held, fresh);
        self.walk();
        self.closed = Some(self.now);
        outcome
    }

    fn missing_people(
        &mut self,
        before: &BTreeMap<String, Record>,
        gone: &BTreeSet<String>,
        held: &BTreeSet<String>,
        fresh: bool,
    ) {
        let known_missing: Vec<String> = self.absences.keys().cloned().collect();
        let mut going = Vec::new();
        for person in known_missing {
            if self.active(&person).is_some() {
                self.absences.remove(&person);
            } else if !self.absences[&person].removed {
                self.absences.get_mut(&person).expect("it is there").count += u32::from(fresh);
                going.push(person);
            }
        }
        for person in gone {
            if self.absences.get(person).is_none_or(|m| m.removed) {
                let org = Self::home_for_guard(&before[person]);
                self.absences.insert(person.clone(), Missing { count: 1, ended: false, held: false, removed: false, org });
                going.push(person.clone());
            }
        }
        for person in going {
            let record = self.known.get(&person);
            let unreadable = record.is_some_and(|r| r.quarantined);
            let missing = self.absences.get_mut(&person).expect("it is there");
            missing.ended |= record.is_some_and(|r| r.ended);
            missing.held = held.contains(&person);
            let confirmed = missing.ended || missing.count >= self.policy.absence_confirmations;
            if !missing.held && confirmed && !unreadable {
                missing.removed = true;
                self.claims.retain(|(p, _), _| *p != person);
            }
        }
    }

    /// Products so that each comes after the one it requires.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = Vec::new();
        while order.len() < self.policy.products.len() {
            let next: Vec<usize> = (0..self.policy.products.len())
                .filter(|p| !order.contains(p) && self.required(*p).is_none_or(|r| order.contains(&r)))
                .collect();
            order.extend(next);
        }
        order
    }

    fn walk(&mut self) {
        let people: Vec<(String, Record)> =
            self.known.iter().filter(|(_, r)| !r.ended).map(|(k, r)| (k.clone(), r.clone())).collect();
        let (mut wants, mut hangs) = (Vec::new(), Vec::new());
        for (person, record) in &people {
            let mut sure: BTreeSet<usize> = BTreeSet::new();
            for product in self.order() {
                self.one(person, record, product, &mut sure, &mut wants, &mut hangs);
            }
        }
        self.contest(wants, hangs);
    }

    /// What becomes of one person's claims of one product before anybody competes.
    fn one(
        &mut self,
        person: &str,
        record: &Record,
        product: usize,
        sure: &mut BTreeSet<usize>,
        wants: &mut Vec<Want>,
        hangs: &mut Vec<Hangs>,
    ) {
        let mine: Vec<usize> = (0..self.policy.pools.len())
            .filter(|&p| self.product_of(p) == product && self.claims.contains_key(&(person.to_owned(), p)))
            .collect();
        let key = |pool: usize| (person.to_owned(), pool);
        let sits = |model: &Self, pool: usize| consumes(model.claims[&key(pool)].state);
        let pinned = self.pinned_to(person, product).is_some();
        let asked = self.asked(record, product).or(pinned.then_some(0));
        let Some(priority) = asked else {
            let named = self.policy.products[product].seat_model == SeatModel::Named;
            for pool in mine {
                if sits(self, pool) && (record.quarantined || (named && !self.denied(person, pool))) {
                    sure.insert(product);
                    let seat = self.claims.get_mut(&key(pool)).expect("it is there");
                    if named && !record.quarantined && seat.state == ClaimState::Active {
                        seat.state = ClaimState::Held;
                    }
                } else if !record.quarantined {
                    self.claims.remove(&key(pool));
                }
            }
            return;
        };
        let home = self.home(record, product);
        let way = self.way(person, record, product, &home);
        let on_way = |pool: &usize| way.iter().any(|(p, _)| p == pool);
        let seated: Vec<usize> = mine.iter().copied().filter(|&p| sits(self, p)).collect();
        let main = seated.iter().copied().find(on_way).or(seated.first().copied());
        let main = main.or(mine.iter().copied().find(on_way)).or(mine.first().copied());
        for &extra in mine.iter().filter(|p| Some(**p) != main) {
            if !record.quarantined {
                self.claims.remove(&key(extra));
            }
        }
        let mut want = Want {
            person: person.to_owned(),
            product,
            priority,
            since: self.now,
            home: home.clone(),
            way: way.clone(),
            by_hand: pinned,
            waits_in: None,
            blind: false,
        };
        match main {
            Some(pool) if sits(self, pool) && on_way(&pool) => {
                let seat = self.claims.get_mut(&key(pool)).expect("it is there");
                (seat.home, seat.priority) = (home, priority);
                if seat.state == ClaimState::Held {
                    seat.state = ClaimState::Active;
                }
                if record.quarantined || self.required(product).is_none_or(|r| sure.contains(&r)) {
                    sure.insert(product);
                } else {
                    hangs.push(Hangs { person: person.to_owned(), product, pool });
                }
            }
            Some(pool) if sits(self, pool) && record.quarantined => {
                sure.insert(product);
            }
            Some(pool) if sits(self, pool) => {
                want.since = self.claims.remove(&key(pool)).expect("it is there").since;
                wants.push(want);
            }
            Some(pool) => {
                want.since = self.claims[&key(pool)].since;
                want.waits_in = Some(pool);
                if !(way.is_empty() && record.quarantined) {
                    wants.push(want);
                }
            }
            None => wants.push(want),
        }
    }

    /// Seats are given: product by product, in each the best first (R42), free seats before overdraft (R48).
    fn contest(&mut self, mut wants: Vec<Want>, hangs: Vec<Hangs>) {
        wants.sort_by(|a, b| b.priority.cmp(&a.priority).then(a.since.cmp(&b.since)).then(a.person.cmp(&b.person)));
        for product in self.order() {
            for hang in hangs.iter().filter(|h| h.product == product) {
                let required = self.required(product).expect("it is there");
                if !self.holds(&hang.person, required) {
                    let seat = self.claims.get_mut(&(hang.person.clone(), hang.pool)).expect("it is there");
                    (seat.state, seat.lacks_access) = (ClaimState::Waiting, true);
                }
            }
            for want in wants.iter().filter(|w| w.product == product) {
                self.give(want);
            }
        }
    }

    fn give(&mut self, want: &Want) {
        let key = |pool: usize| (want.person.clone(), pool);
        if let Some(pool) = want.waits_in {
            self.claims.remove(&key(pool));
        }
        let Some(&(first, _)) = want.way.first() else { return };
        let ready = !want.blind && self.required(want.product).is_none_or(|r| self.holds(&want.person, r));
        let free =
            want.way.iter().find(
                |(pool, reserved)| {
                    if *reserved { self.free_reserved(*pool, &want.home) } else { self.free(*pool, &want.home) }
                },
            );
        let over = || want.way.iter().find(|(pool, _)| !want.by_hand && self.goes_over(*pool));
        let seat = if ready { free.or_else(over).map(|(pool, _)| *pool) } else { None };
        let invited = self.policy.products[want.product].needs_acceptance;
        let state = match seat {
            None => ClaimState::Waiting,
            Some(_) if invited => ClaimState::Pending,
            Some(_) => ClaimState::Active,
        };
        let claim = Seat {
            state,
            since: want.since,
            home: want.home.clone(),
            priority: want.priority,
            lacks_access: seat.is_none() && !ready,
        };
        // A wait stays where it is as long as that pool is on the way.
        let waits = want.waits_in.filter(|pool| want.way.iter().any(|(p, _)| p == pool)).unwrap_or(first);
        self.claims.insert(key(seat.unwrap_or(waits)), claim);
    }

    // ---- decisions by hand ----

    /// Seats that hang on a product the person has just lost fall back, and the queue is filled (R38, R43).
    fn fill(&mut self, decided: &[&str], lost: Option<(&str, usize)>) {
        let mut hangs = Vec::new();
        if let Some((person, product)) = lost {
            let mut shaken = BTreeSet::from([product]);
            for product in self.order() {
                if !self.required(product).is_some_and(|r| shaken.contains(&r)) {
                    continue;
                }
                shaken.insert(product);
                for ((p, pool), seat) in &self.claims {
                    if p == person && consumes(seat.state) && self.product_of(*pool) == product {
                        hangs.push(Hangs { person: person.to_owned(), product, pool: *pool });
                    }
                }
            }
        }
        let mut wants = Vec::new();
        for ((person, pool), seat) in self.claims.iter().filter(|(_, s)| s.state == ClaimState::Waiting) {
            let Some(record) = self.active(person) else { continue };
            let product = self.product_of(*pool);
            let way = self.way(person, record, product, &seat.home);
            if way.is_empty() {
                continue;
            }
            wants.push(Want {
                person: person.clone(),
                product,
                priority: seat.priority,
                since: seat.since,
                home: seat.home.clone(),
                way,
                by_hand: true,
                waits_in: Some(*pool),
                blind: seat.lacks_access
                    && !decided.contains(&person.as_str())
                    && self.required(product).is_some_and(|r| self.holds(person, r)),
            });
        }
        self.contest(wants, hangs);
        self.closed = Some(self.now);
    }

    fn sit(&mut self, person: &str, pool: usize, home: String, since: Instant) {
        let product = self.product_of(pool);
        let invited = self.policy.products[product].needs_acceptance;
        let state = if invited { ClaimState::Pending } else { ClaimState::Active };
        let priority = self.claims.get(&(person.to_owned(), pool)).map_or(0, |c| c.priority);
        let of_product = |&p: &usize| p != pool && self.product_of(p) == product;
        let others: Vec<usize> = (0..self.policy.pools.len()).filter(of_product).collect();
        for other in others {
            self.claims.remove(&(person.to_owned(), other));
        }
        self.claims.insert((person.to_owned(), pool), Seat { state, since, home, priority, lacks_access: false });
    }

    pub fn assign(&mut self, person: &str, pool: usize, insist: bool) -> Said {
        let key = (person.to_owned(), pool);
        if self.claims.get(&key).is_some_and(|c| consumes(c.state)) {
            self.pins.insert(key, PinKind::Assign);
            return Said::AlreadySo;
        }
        let Some(record) = self.active(person) else { return Said::UnknownPerson };
        let product = self.product_of(pool);
        if self.required(product).is_some_and(|r| !self.holds(person, r)) {
            return Said::NeedsAccess;
        }
        let home = self.home(record, product);
        if !self.may_draw(pool, record, &home) && !insist {
            return Said::NotServed;
        }
        if !self.free(pool, &home) && !insist {
            return Said::Exhausted;
        }
        self.pins.insert(key.clone(), PinKind::Assign);
        // A seat in another pool of the product is given up for this one, and keeps its place in line (R39).
        let moves =
            self.claims.iter().filter(|((who, p), c)| who == person && self.product_of(*p) == product && consumes(c.state));
        let moves = moves.map(|(_, c)| c.since).min();
        let since = self.claims.get(&key).map(|c| c.since).or(moves).unwrap_or(self.now);
        self.sit(person, pool, home, since);
        self.fill(&[person], None);
        Said::Done
    }

    pub fn deny(&mut self, person: &str, pool: usize) -> Said {
        self.pins.insert((person.to_owned(), pool), PinKind::Deny);
        let removed = self.claims.remove(&(person.to_owned(), pool));
        let decided: Vec<&str> = removed.iter().map(|_| person).collect();
        let freed = removed.is_some_and(|c| consumes(c.state));
        let product = self.product_of(pool);
        self.fill(&decided, freed.then_some((person, product)));
        Said::Done
    }

    pub fn unpin(&mut self, person: &str, pool: usize) -> Said {
        if self.pins.remove(&(person.to_owned(), pool)).is_some() { Said::Done } else { Said::AlreadySo }
    }

    pub fn transfer(&mut self, give: &str, take: &str, pool: usize) -> Said {
        let Some(seat) = self.claims.get(&(give.to_owned(), pool)).filter(|c| consumes(c.state)).cloned() else {
            return Said::NoClaim;
        };
        let taker = (take.to_owned(), pool);
        if self.claims.get(&taker).is_some_and(|c| consumes(c.state)) {
            return Said::AlreadySo;
        }
        let Some(record) = self.active(take) else { return Said::UnknownPerson };
        let product = self.product_of(pool);
        if self.required(product).is_some_and(|r| !self.holds(take, r)) {
            return Said::NeedsAccess;
        }
        let home = self.home(record, product);
        if !self.may_draw(pool, record, &home) {
            return Said::NotServed;
        }
        let mut tried = self.clone();
        tried.claims.remove(&(give.to_owned(), pool));
        let part = |org: &str| self.reserved(pool, org).map(|_| org.to_owned());
        if part(&home) != part(&seat.home) && !tried.free(pool, &home) {
            return Said::Exhausted;
        }
        self.claims.remove(&(give.to_owned(), pool));
        self.pins.insert((give.to_owned(), pool), PinKind::Deny);
        self.pins.insert(taker, PinKind::Assign);
        self.sit(take, pool, home, self.now);
        self.fill(&[give, take], Some((give, product)));
        Said::Done
    }

    pub fn accept(&mut self, person: &str, pool: usize) -> Said {
        match self.claims.get_mut(&(person.to_owned(), pool)) {
            Some(seat) if seat.state == ClaimState::Pending => seat.state = ClaimState::Active,
            Some(seat) if seat.state == ClaimState::Active => return Said::AlreadySo,
            _ => return Said::NoClaim,
        }
        self.fill(&[person], None);
        Said::Done
    }

    pub fn grant(&mut self, pool: usize, seats: i64, from: Instant) -> Said {
        self.grants.push((self.policy.pools[pool].id.to_string(), seats, from, Instant::MAX));
        self.fill(&[], None);
        Said::Done
    }

    pub fn agree(&mut self, pool: usize, seats: u32, to: Instant) -> Said {
        self.agreed.push((self.policy.pools[pool].id.to_string(), i64::from(seats), self.now, to));
        self.fill(&[], None);
        Said::Done
    }
}

pub fn consumes(state: ClaimState) -> bool {
    matches!(state, ClaimState::Pending | ClaimState::Active | ClaimState::Held)
}
