//! What the auditor keeps of one customer: naive books, in which every number is counted when it is asked for.

use std::collections::{BTreeMap, BTreeSet};

use rosterd::base::{Calendar, Day, Instant};

use crate::sim::facts::{Enrolled, FIRST_BOUGHT, Package, Person, Setup, day};

/// What the source said of a person when the person was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub given: String,
    pub family: String,
    pub email: String,
    pub roles: BTreeMap<u32, (String, String)>,
    pub primary: Option<String>,
    pub classes: BTreeMap<u32, Enrolled>,
    pub ended: bool,
    pub locked: bool,
    /// A row of the person could not be read: the person keeps everything (R104).
    pub unsure: bool,
}

impl Known {
    pub fn of(person: &Person) -> Self {
        let Person { given, family, email, roles, primary, classes, ended, locked, bad: _ } = person.clone();
        Self { given, family, email, roles, primary, classes, ended, locked, unsure: false }
    }
}

/// States of a claim (R31); a released one is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Waiting,
    Pending,
    Active,
    Held,
}

/// A claim; whose and in which pool is its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The auditor's own number of it: a new claim has a new one (R130).
    pub number: u64,
    pub state: State,
    pub since: Instant,
    pub home: String,
    pub priority: i32,
    /// All that ask for it (R24).
    pub reasons: String,
    /// Waits for the product it requires and not for a seat.
    pub wants_access: bool,
    /// When it became what it is: invitations lapse (R45).
    pub changed: Instant,
}

/// Somebody missing (R130, R131).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// In how many complete snapshots in a row.
    pub count: u32,
    pub ended: bool,
    pub held: bool,
    pub removed: Option<Instant>,
    /// Where the person was when last seen; that org's guard counts the removal.
    pub org: Option<String>,
    /// Pool and number of what the removal released.
    pub left: Vec<(usize, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldState {
    Open,
    Approved,
    PartlyApproved,
    Rejected,
    Expired,
    Resolved,
    Superseded,
}

/// A hold (R119 to R122).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub opened: Instant,
    pub deadline: Instant,
    pub removals: BTreeSet<String>,
    pub additions: BTreeSet<String>,
    /// The package of which nothing is taken in.
    pub package: Option<u64>,
    pub empty: bool,
    pub state: HoldState,
    pub exceptions: BTreeSet<String>,
    pub used: bool,
    pub told: Day,
}

impl Hold {
    pub fn is_approved(&self) -> bool {
        matches!(self.state, HoldState::Approved | HoldState::PartlyApproved)
    }

    /// An approval works once, until its deadline (R120).
    pub fn approval_works(&self, now: Instant) -> bool {
        self.is_approved() && !self.used && now < self.deadline
    }

    /// New people who get no seats on account of it.
    pub fn withheld(&self) -> BTreeSet<String> {
        match self.state {
            HoldState::Resolved => BTreeSet::new(),
            _ if self.is_approved() && self.used => self.additions.intersection(&self.exceptions).cloned().collect(),
            _ => self.additions.clone(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Cured,
    Raised,
    Void,
}

/// An overage episode (R60); samples are (when, used, effective allowance).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    pub pool: usize,
    pub opened: Instant,
    pub day: Day,
    pub samples: Vec<(Instant, u32, u32)>,
    pub closed: Option<Instant>,
    pub outcome: Option<Outcome>,
}

/// A pool as its books were last closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// Bought and agreed; `None`: no limit, or not closed yet.
    pub allowance: Option<(u32, u32)>,
    /// Seats that an open hold would free.
    pub held_back: u32,
    /// Since when the pool is over on account of those alone (R123).
    pub provisional: Option<Instant>,
    pub below_zero: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    Assign,
    Deny,
}

/// Seats of a pool for some time: pool, seats, from, to.
pub type Dated = (usize, i64, Instant, Instant);

/// A wish for a run, in line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub number: u64,
    pub reads: bool,
    pub confirms: bool,
}

/// What was told, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub negative: u32,
    pub restored: u32,
    pub missed: u32,
}

/// The auditor's books of one customer.
#[derive(Clone, Debug)]
pub struct Auditor {
    pub setup: Setup,
    pub calendar: Calendar,
    pub packages: Vec<Package>,
    /// Anything was ever written.
    pub begun: bool,
    /// Up to when dates have acted (R68).
    pub passed: Instant,

    pub known: BTreeMap<String, Known>,
    /// Name and bytes of the package last taken in, and when.
    pub mark: Option<(String, u64, Instant)>,
    /// When a file by hand was last taken in.
    pub made_at: Option<Instant>,
    pub rejected: Vec<u64>,
    pub missing: BTreeMap<String, Missing>,
    pub claims: BTreeMap<(String, usize), Claim>,
    pub next_claim: u64,
    /// So many people were made by hand.
    pub made_ever: usize,
    /// Claims that came to be by hand: they never go over the limit by themselves (R47).
    pub by_hand: BTreeSet<u64>,
    /// When claims were released that are not open.
    pub released: BTreeMap<u64, Instant>,
    /// Everybody who was deleted for good, in order.
    pub purged: Vec<String>,

    pub grants: Vec<Dated>,
    pub agreed: Vec<Dated>,
    pub pins: BTreeMap<(String, usize), (Pin, Day)>,
    pub closed: Vec<Closed>,
    pub episodes: Vec<Episode>,
    pub hold: Option<Hold>,
    /// Removals that passed without a decision, by hand and by the source apart, by date: people before, how many (R116).
    pub days: BTreeMap<(bool, Day), (u32, u32)>,

    pub scheduled: BTreeSet<(bool, Day)>,
    pub line: Vec<Wish>,
    pub next_wish: u64,
    pub same_day: BTreeMap<Day, u32>,
    /// When a same-day wish was last written down as refused: once a date (R98).
    pub refused: Option<Instant>,
    /// Same-day wishes that nobody looked at since: the wish, its deadline, when its run was over.
    pub promised: Vec<(u64, Instant, Option<Instant>)>,
    pub missed: BTreeSet<(u64, Instant)>,
    /// From, to.
    pub pauses: Vec<(Instant, Instant)>,
    pub told: Told,
    /// The guards that tripped in the last run, for the reader of a failure.
    pub trips: Vec<&'static str>,
}

impl Auditor {
    pub fn new(setup: &Setup) -> Self {
        let calendar = Calendar::in_zone(setup.zone).expect("a zone");
        let first = calendar.start_of(day(FIRST_BOUGHT));
        let grants = (0..).zip(&setup.pools).filter_map(|(at, pool)| Some((at, pool.seats?, first, Instant::MAX))).collect();
        Self {
            calendar,
            packages: Vec::new(),
            begun: false,
            passed: first,
            known: BTreeMap::new(),
            mark: None,
            made_at: None,
            rejected: Vec::new(),
            missing: BTreeMap::new(),
            claims: BTreeMap::new(),
            next_claim: 0,
            made_ever: 0,
            by_hand: BTreeSet::new(),
            released: BTreeMap::new(),
            purged: Vec::new(),
            grants,
            agreed: Vec::new(),
            pins: BTreeMap::new(),
            closed: vec![Closed::default(); setup.pools.len()],
            episodes: Vec::new(),
            hold: None,
            days: BTreeMap::new(),
            scheduled: BTreeSet::new(),
            line: Vec::new(),
            next_wish: 0,
            same_day: BTreeMap::new(),
            refused: None,
            promised: Vec::new(),
            missed: BTreeSet::new(),
            pauses: Vec::new(),
            told: Told::default(),
            trips: Vec::new(),
            setup: setup.clone(),
        }
    }

    pub fn today(&self, now: Instant) -> Day {
        self.calendar.day_of(now)
    }

    /// Somebody the roster has and has not ended.
    pub fn active(&self, person: &str) -> Option<&Known> {
        self.known.get(person).filter(|known| !known.ended)
    }

    pub fn product_of(&self, pool: usize) -> usize {
        let id = self.setup.pools[pool].product;
        self.setup.products.iter().position(|p| p.id == id).expect("a product")
    }

    pub fn pools_of(&self, product: usize) -> Vec<usize> {
        (0..self.setup.pools.len()).filter(|&pool| self.product_of(pool) == product).collect()
    }

    pub fn required(&self, product: usize) -> Option<usize> {
        let id = self.setup.products[product].requires?;
        self.setup.products.iter().position(|p| p.id == id)
    }

    /// Consuming claims of a pool (R31, I1).
    pub fn used(&self, pool: usize) -> u32 {
        self.claims.iter().filter(|((_, p), claim)| *p == pool && claim.state != State::Waiting).count() as u32
    }

    pub fn sits(&self, person: &str, pool: usize) -> bool {
        self.claims.get(&(person.to_owned(), pool)).is_some_and(|claim| claim.state != State::Waiting)
    }

    /// Whether the person holds a seat of the product.
    pub fn holds(&self, person: &str, product: usize) -> bool {
        self.pools_of(product).into_iter().any(|pool| self.sits(person, pool))
    }

    /// Bought and agreed at an instant, from all that is written down by now (R16, R17); `None`: no limit.
    pub fn allowance(&self, pool: usize, at: Instant) -> Option<(u32, u32)> {
        self.setup.pools[pool].seats?;
        let sum = |list: &[Dated]| {
            let inside = list.iter().filter(|(p, _, from, to)| *p == pool && *from <= at && at < *to);
            inside.map(|(_, seats, _, _)| *seats).sum::<i64>().max(0) as u32
        };
        Some((sum(&self.grants), sum(&self.agreed)))
    }

    pub fn effective(&self, pool: usize, at: Instant) -> Option<u32> {
        self.allowance(pool, at).map(|(bought, agreed)| bought + agreed)
    }

    /// People who wait for a pool, in the order of the queue: priority, since, key (R42).
    pub fn queue(&self, pool: usize) -> Vec<String> {
        let waits = self.claims.iter().filter(|((_, p), claim)| *p == pool && claim.state == State::Waiting);
        let mut waits: Vec<_> = waits.map(|((person, _), claim)| (-claim.priority, claim.since, person.clone())).collect();
        waits.sort();
        waits.into_iter().map(|(_, _, person)| person).collect()
    }
}
