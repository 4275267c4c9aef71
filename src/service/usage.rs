//! How seats are used, as far as a log-in feed tells (R144), and what would help (R146).

use std::collections::BTreeMap;

use crate::base::{PoolId, ProductId, Seats, percent_used};
use crate::license::{Activity, Advice, AdviceFacts, ClaimState, PoolIx, advise};
use crate::plan::Standing;
use crate::service::activity::ActivityBook;
use crate::service::books::Books;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::pool_state::{PoolState, pool_states};
use crate::service::report::Report;

/// How the seats of a pool are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// The pool.
    pub pool: PoolId,
    /// Its product.
    pub product: ProductId,
    /// Used seats.
    pub assigned: Seats,
    /// How many of them were used lately, less lately, and not for long; `None`: unknown, no feed tells.
    pub by_activity: Option<SeatUse>,
}

/// Used seats by how they are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeatUse {
    /// Recently active.
    pub recent: Seats,
    /// Neither recently active nor inactive.
    pub quiet: Seats,
    /// Inactive assignments.
    pub inactive: Seats,
    /// Those of the inactive whose people use another product and never used this one.
    pub unused: Seats,
}

impl UsageRow {
    /// Recently active of assigned, with one decimal (A22); `None`: unknown, or nothing is assigned.
    pub fn utilization(&self) -> Option<String> {
        percent_used(self.by_activity?.recent, Some(self.assigned))
    }
}

/// One recommendation for a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdviceRow {
    /// For which pool.
    pub pool: PoolId,
    /// What would help.
    pub advice: Advice,
}

impl Service {
    /// How seats are used, pool by pool in the order of the settings.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn usage(&self, customer: &Customer) -> Result<Report<UsageRow>, ServiceError> {
        self.as_of(customer, None, |books| {
            let states = pool_states(customer, books)?;
            let used = self.seat_use(customer, books)?;
            let row = |state: PoolState| UsageRow {
                by_activity: used.get(&state.view.pool).copied().flatten(),
                assigned: state.view.used(),
                pool: state.view.pool,
                product: state.view.product,
            };
            let freshness = books.freshness()?;
            Ok(Report { freshness, rows: states.into_iter().map(row).collect() })
        })
    }

    /// What would help each pool, in the order of the settings; nothing for those that nothing helps.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn advice(&self, customer: &Customer) -> Result<Report<AdviceRow>, ServiceError> {
        self.as_of(customer, None, |books| {
            let states = pool_states(customer, books)?;
            let used = self.seat_use(customer, books)?;
            let mut rows = Vec::new();
            for state in &states {
                let by_activity = used.get(&state.view.pool).copied().flatten();
                let facts = facts(customer, state, &states, by_activity);
                rows.extend(advise(&facts).into_iter().map(|advice| AdviceRow { pool: state.view.pool.clone(), advice }));
            }
            Ok(Report { freshness: books.freshness()?, rows })
        })
    }

    /// By pool: how its seats are used. Reads no claims where no feed tells.
    fn seat_use(&self, customer: &Customer, books: &Books<'_>) -> Result<BTreeMap<PoolId, Option<SeatUse>>, ServiceError> {
        let activity = self.activity_book(customer, books.at)?;
        if activity.is_empty() {
            return Ok(BTreeMap::new());
        }
        Ok(seat_use(customer, &books.whole()?, &activity, books))
    }
}

fn seat_use(
    customer: &Customer,
    standing: &Standing,
    activity: &ActivityBook,
    books: &Books<'_>,
) -> BTreeMap<PoolId, Option<SeatUse>> {
    let today = customer.day_of(books.at);
    let book = &standing.book;
    let product = |pool: PoolIx| {
        let terms = standing.terms.get(&book.names.pools[usize::from(pool.0)])?;
        Some(&terms.product).filter(|product| activity.tells(product))
    };
    let known = book.names.pools.iter().enumerate();
    let mut used: BTreeMap<PoolId, Option<SeatUse>> =
        known.map(|(at, pool)| (pool.clone(), product(PoolIx(at as u16)).map(|_| SeatUse::default()))).collect();
    for at in 0..book.people.len() {
        let person = book.key(at);
        for claim in book.claims_at(at).iter().filter(|claim| claim.state.consumes()) {
            let Some(product) = product(claim.pool) else { continue };
            let Some(Some(count)) = used.get_mut(book.names.pool_of(claim)) else { continue };
            match activity.of(customer, person, product, today) {
                Activity::Recent => count.recent.0 += 1,
                Activity::Quiet => count.quiet.0 += 1,
                Activity::Inactive => {
                    count.inactive.0 += 1;
                    count.unused.0 += u32::from(activity.uses_another(person, product));
                }
                Activity::Unknown => {}
            }
        }
    }
    used
}

fn facts(customer: &Customer, state: &PoolState, states: &[PoolState], by_activity: Option<SeatUse>) -> AdviceFacts {
    let view = &state.view;
    let audience = |pool: &PoolId| customer.policy.pools.iter().find(|p| p.id == *pool).map(|p| p.audience);
    let alike = |other: &&PoolState| {
        other.view.pool != view.pool
            && other.view.product == view.product
            && audience(&other.view.pool) == audience(&view.pool)
            && other.conditions.term.is_none_or(|term| !term.in_grace && !term.is_over)
    };
    let free = |other: &PoolState| {
        let free = other.view.balance.map_or(0, |balance| balance.0 - i64::from(other.view.waiting().0));
        (other.view.pool.clone(), Seats(u32::try_from(free).unwrap_or(0)))
    };
    let renewal_due = view.term.as_ref().is_some_and(|term| term.renewal_due);
    AdviceFacts {
        used: view.used(),
        allowance: view.allowance.seats,
        waiting: view.waiting(),
        pending: view.counts.of(ClaimState::Pending),
        held: view.counts.of(ClaimState::Held),
        // Who uses another product is not to be removed: a role less will do.
        inactive: by_activity.map(|by| Seats(by.inactive.0 - by.unused.0)),
        unused: by_activity.map(|by| by.unused),
        free_elsewhere: states.iter().filter(alike).map(free).collect(),
        next_tier: state.conditions.next_tier.clone(),
        renew_by: state.expires().filter(|_| renewal_due),
    }
}
