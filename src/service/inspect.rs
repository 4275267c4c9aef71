//! Questions about one customer's present state: pools, queue, people, explanations.

use crate::base::{Balance, Day, Instant, OrgId, PoolId, ProductId, Seats, Text};
use crate::license::{
    Absence, Allowance, Band, Book, Causes, ClaimState, Episode, Pool, Product, ReuseYear, StateCounts, allowance_in,
    allowance_of, phase_at,
};
use crate::plan::{ExplainInput, Explanation, Standing, explain};
use crate::roster::{Person, Roster};
use crate::service::core::{Customer, Service};
use crate::service::decisions::book_of;
use crate::service::episodes::{ClockView, clock_view};
use crate::service::error::ServiceError;
use crate::service::person_state::PersonState;
use crate::service::terms::TermView;

/// One pool at a glance (R46, R141).
#[derive(Clone, Debug)]
pub struct PoolView {
    /// The pool.
    pub pool: PoolId,
    /// Its product.
    pub product: ProductId,
    /// Its owner.
    pub owner: String,
    /// Its allowance now.
    pub allowance: Allowance,
    /// Its claims by state.
    pub counts: StateCounts,
    /// allowance − used; `None` for unlimited.
    pub balance: Option<Balance>,
    /// The band as of the newest commit.
    pub band: Band,
    /// Causes of the seats below zero.
    pub causes: Causes,
    /// The open episode.
    pub episode: Option<Episode>,
    /// How that stands by its clock.
    pub clock: Option<ClockView>,
    /// Balance if the open hold were approved; `None` where that makes no difference (R123).
    pub balance_if_approved: Option<Balance>,
    /// Since when the pool is over only because of people whom a hold keeps (R123).
    pub provisional: Option<Instant>,
    /// Where it is in its terms; `None` if it has none and never expires.
    pub term: Option<TermView>,
    /// The people of its license year (R81); `None` if they are not counted.
    pub reuse: Option<ReuseYear>,
    /// So many replacements are allowed in that year (R83).
    pub reuse_limit: Option<u64>,
}

impl PoolView {
    /// Used seats (I1).
    pub fn used(&self) -> Seats {
        self.counts.used()
    }

    /// People waiting.
    pub fn waiting(&self) -> Seats {
        self.counts.of(ClaimState::Waiting)
    }
}

/// Somebody who waits (R150).
#[derive(Clone, Debug)]
pub struct QueueRow {
    /// The pool.
    pub pool: PoolId,
    /// Position in that pool's queue, from 1.
    pub position: usize,
    /// Who.
    pub person: String,
    /// Weight.
    pub priority: i32,
    /// Since when.
    pub since: Instant,
    /// `seat` or `access`.
    pub waits_for: &'static str,
    /// Home org.
    pub home: String,
    /// Why.
    pub reasons: String,
}

/// A person of the newest roster.
#[derive(Clone, Debug)]
pub struct PersonView {
    /// The person key.
    pub key: String,
    /// Given and family name.
    pub name: String,
    /// How the person stands.
    pub state: PersonState,
    /// Roles: `teacher@ash`.
    pub roles: Vec<String>,
    /// Live enrollments today.
    pub live_enrollments: usize,
    /// Open claims and pins: `learn-main active`, `learn-main pinned to assign`.
    pub claims: Vec<String>,
}

impl Service {
    /// Pools that are gone from the settings and still have seats in use: the next run moves or frees them, and no guard
    /// asks, for the settings are the operator's own word.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn retired_pools(&self, customer: &Customer) -> Result<Vec<(PoolId, Seats)>, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let is_gone = |id: &PoolId| customer.policy.pools.iter().all(|pool| pool.id != *id);
        let used = standing.pools.into_iter().map(|(id, books)| (id, books.counts.used()));
        Ok(used.filter(|(id, used)| used.0 > 0 && is_gone(id)).collect())
    }

    /// The pools of a customer, in the order of the settings.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn pools(&self, customer: &Customer) -> Result<Vec<PoolView>, ServiceError> {
        self.as_of(customer, None, |books| Ok(pool_views(customer, &books.standing, books.at)))
    }

    /// Who waits, by pool and position; of one pool or of all.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn queue(&self, customer: &Customer, pool: Option<&PoolId>) -> Result<Vec<QueueRow>, ServiceError> {
        self.as_of(customer, None, |books| Ok(queue_rows(&books.queue(pool)?)))
    }

    /// Why a person has a seat, or not (R161).
    ///
    /// # Errors
    /// When the books cannot be read, or the settings and the roster do not fit.
    pub fn explain(
        &self,
        customer: &Customer,
        key: &str,
        product: Option<&ProductId>,
    ) -> Result<Vec<Explanation>, ServiceError> {
        if let Some(product) = product
            && !customer.policy.products.iter().any(|p| p.id == *product)
        {
            let known = customer.policy.products.iter().map(|p| p.id.as_str());
            let hint = crate::base::most_similar(product.as_str(), known);
            return Err(ServiceError::Unknown { what: "product", id: product.to_string(), hint });
        }
        self.as_of(customer, None, |books| {
            let (names, claims) = books.claims_of(key)?;
            let standing = Standing { book: book_of(names, key, claims), ..books.standing.clone() };
            if standing.sources.is_empty() {
                // Without a roster every org of the settings is unknown, and that is not what is wrong.
                let asked = customer.policy.products.iter().filter(|p| product.is_none_or(|wanted| *wanted == p.id));
                let unknown = |p: &Product| Explanation {
                    product: p.id.clone(),
                    pool: None,
                    answer: "unknown_person",
                    text: "No package was taken in yet, so nobody is known.".to_owned(),
                    facts: Vec::new(),
                };
                return Ok(asked.map(unknown).collect());
            }
            let roster = books.roster_of(key)?;
            // Only who waits has a place in a queue.
            let waits = standing.book.claims.iter().any(|claim| claim.state == ClaimState::Waiting);
            let queue = if waits { queue_rows(&books.queue(None)?) } else { Vec::new() };
            let position = |pool: &PoolId| {
                let of_pool = || queue.iter().filter(|row| row.pool == *pool);
                let mine = of_pool().find(|row| row.person == key)?;
                Some((mine.position, of_pool().count()))
            };
            let input = ExplainInput {
                today: customer.day_of(books.at),
                now: books.at,
                policy: &customer.policy,
                standing: &standing,
                roster: &roster,
                position: &position,
            };
            explain(&input, key, product).map_err(|cause| ServiceError::Plan { customer: customer.id().clone(), cause })
        })
    }

    /// People of the newest roster, and missing ones of whom only the key is left, whose key, name or e-mail holds `text` (any case), at most `limit`, by key; and how
    /// many there are in all.
    ///
    /// # Errors
    /// When the books or the roster cannot be read.
    pub fn people(&self, customer: &Customer, text: &str, limit: usize) -> Result<(Vec<PersonView>, usize), ServiceError> {
        self.people_after(customer, text, 0, limit)
    }

    /// The same without the first `skip`.
    ///
    /// # Errors
    /// As [`Service::people`].
    pub fn people_after(
        &self,
        customer: &Customer,
        text: &str,
        skip: usize,
        limit: usize,
    ) -> Result<(Vec<PersonView>, usize), ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let roster = self.roster(customer, &standing)?;
        let today: Day = customer.day_of(self.now());
        let wanted = text.to_lowercase();
        let mut found = Vec::new();
        let mut total = 0;
        let absence = |key: &str| {
            let at = standing.absences.binary_search_by(|absence| absence.person.as_str().cmp(key)).ok()?;
            standing.absences.get(at)
        };
        let here = roster.people.iter().map(|person| (roster.text(person.key), Some(person)));
        let gone = standing.absences.iter().map(|absence| (absence.person.as_str(), None));
        let gone = gone.filter(|(key, _)| roster.find_person(key).is_none());
        let mut all: Vec<(&str, Option<&Person>)> = here.chain(gone).collect();
        all.sort_by_key(|&(key, _)| key);
        for (key, person) in all {
            let field = |of: fn(&Person) -> Text| person.map_or("", |person| roster.text(of(person)));
            let name = format!("{} {}", field(|p| p.given), field(|p| p.family)).trim().to_owned();
            let hit = wanted.is_empty()
                || [key, &name, field(|p| p.email)].iter().any(|field| field.to_lowercase().contains(&wanted));
            total += usize::from(hit);
            if hit && total > skip && found.len() < limit {
                let absence = absence(key);
                found.push(self.person_view((customer, &standing, today), &roster, key, (person, absence))?);
            }
        }
        Ok((found, total))
    }

    /// One person of the newest roster, or a missing one of whom only the key is left; `None`: neither.
    ///
    /// # Errors
    /// When the books or the roster cannot be read.
    pub fn person(&self, customer: &Customer, key: &str) -> Result<Option<PersonView>, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let roster = self.roster_of(customer, &standing, key)?;
        let person = roster.find_person(key).map(|at| roster.person(at));
        let absence = standing.absences.iter().find(|absence| absence.person.as_str() == key);
        if person.is_none() && absence.is_none() {
            return Ok(None);
        }
        let today = customer.day_of(self.now());
        self.person_view((customer, &standing, today), &roster, key, (person, absence)).map(Some)
    }

    fn person_view(
        &self,
        (customer, standing, today): (&Customer, &Standing, Day),
        roster: &Roster,
        key: &str,
        (person, absence): (Option<&Person>, Option<&Absence>),
    ) -> Result<PersonView, ServiceError> {
        let (names, claims) = self.store.claims_of(customer.id(), key)?;
        // Whatever shows the person shows the pins (R9).
        let pins = standing.pins.iter().filter(|pin| pin.person.as_str() == key);
        let pins = pins.map(|pin| format!("{} pinned to {}", pin.pool, pin.kind.word()));
        let name = person.map_or(String::new(), |p| format!("{} {}", roster.text(p.given), roster.text(p.family)));
        Ok(PersonView {
            key: key.to_owned(),
            name: name.trim().to_owned(),
            state: PersonState::of(&customer.policy, person, absence),
            roles: person
                .map_or(&[][..], |person| roster.roles_of(person))
                .iter()
                .map(|r| format!("{}@{}", roster.role_word(r.role), roster.text(roster.org(r.org).id)))
                .collect(),
            live_enrollments: person.map_or(0, |person| roster.enrollments_of(person).filter(|e| e.live(today)).count()),
            claims: claims.iter().map(|c| format!("{} {}", names.pool_of(c), c.state.word())).chain(pins).collect(),
        })
    }
}

/// The pools of a customer in these books, in the order of the settings. A definition counts as it was last written down;
/// a pool that is gone from the settings is told as long as somebody has a claim in it.
pub(crate) fn pool_views(customer: &Customer, standing: &Standing, at: Instant) -> Vec<PoolView> {
    let of_settings = customer.policy.pools.iter().map(|pool| (&pool.id, &pool.product, &pool.owner, pool.unlimited));
    let known = |id: &PoolId| customer.policy.pools.iter().any(|pool| pool.id == *id);
    let in_use = |id: &PoolId| standing.pools.get(id).is_some_and(|books| books.counts != StateCounts::default());
    let retired = standing.terms.values().filter(|terms| !known(&terms.pool) && in_use(&terms.pool));
    let retired = retired.map(|terms| (&terms.pool, &terms.product, &terms.owner, terms.unlimited));
    let view = |(id, product, owner, unlimited): (&PoolId, &ProductId, &OrgId, bool)| {
        let books = standing.pools.get(id);
        let terms = standing.terms.get(id);
        let unlimited = terms.map_or(unlimited, |terms| terms.unlimited);
        let pool = customer.policy.pools.iter().find(|pool| pool.id == *id);
        let allowance = allowance_in_books(customer, standing, id, unlimited, at);
        let counts = books.map(|b| b.counts).unwrap_or_default();
        PoolView {
            pool: id.clone(),
            product: terms.map_or(product, |terms| &terms.product).clone(),
            owner: terms.map_or(owner, |terms| &terms.owner).to_string(),
            allowance,
            counts,
            balance: allowance.balance(counts.used()),
            band: books.map_or(Band::Within, |b| b.band),
            causes: books.map(|b| b.causes.clone()).unwrap_or_default(),
            episode: books.and_then(|b| b.episode.clone()),
            clock: pool.and_then(|pool| clock_view(pool, standing, at)),
            balance_if_approved: books
                .filter(|books| books.held_back.0 > 0 && standing.hold.as_ref().is_some_and(|hold| hold.is_open(at)))
                .and_then(|b| allowance.balance(Seats(counts.used().0.saturating_sub(b.held_back.0)))),
            provisional: books.and_then(|b| b.provisional),
            term: pool.and_then(|pool| TermView::of(pool, &standing.chain, at)),
            reuse: standing.reuse.get(id).cloned(),
            reuse_limit: standing.reuse.get(id).zip(pool).map(|(year, pool)| year.limit(&pool.reuse)),
        }
    };
    of_settings.chain(retired).map(view).collect()
}

/// The allowance of a pool in these books at an instant: what its terms let count (R16, R90).
pub(crate) fn allowance_in_books(
    customer: &Customer,
    standing: &Standing,
    id: &PoolId,
    unlimited: bool,
    at: Instant,
) -> Allowance {
    match customer.policy.pools.iter().find(|pool| pool.id == *id) {
        Some(pool) => {
            let pool = Pool { unlimited, ..pool.clone() };
            allowance_in(&phase_at(&standing.chain, &pool, at), &pool, &standing.grants, &standing.agreed, at)
        }
        None => allowance_of(id, unlimited, &standing.grants, &standing.agreed, at),
    }
}

/// The waiting claims of a book as a queue: by pool, and within it in order (R42).
pub(crate) fn queue_rows(book: &Book) -> Vec<QueueRow> {
    let mut rows = Vec::new();
    for at in 0..book.people.len() {
        for claim in book.claims_at(at) {
            rows.push(QueueRow {
                pool: book.names.pool_of(claim).clone(),
                position: 0,
                person: book.key(at).to_owned(),
                priority: claim.priority,
                since: claim.since,
                waits_for: if claim.wait == crate::license::Wait::Access { "access" } else { "seat" },
                home: book.names.home_of(claim).to_string(),
                reasons: book.names.reasons_of(claim).to_owned(),
            });
        }
    }
    rows.sort_by(|a, b| {
        let order = |r: &QueueRow| (r.priority, r.since, r.person.clone());
        let ((ap, as_, ak), (bp, bs, bk)) = (order(a), order(b));
        a.pool.cmp(&b.pool).then_with(|| crate::license::queue_order((ap, as_, &ak), (bp, bs, &bk)))
    });
    let mut position = 0;
    for at in 0..rows.len() {
        position = if at > 0 && rows[at].pool == rows[at - 1].pool { position + 1 } else { 1 };
        rows[at].position = position;
    }
    rows
}
