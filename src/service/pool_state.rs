//! Each pool with everything that reports say of it: numbers, stage, term, compliance.

use crate::base::Day;
use crate::license::{Compliance, PoolFacts, compliance};
use crate::service::books::Books;
use crate::service::conditions::{Conditions, conditions};
use crate::service::core::Customer;
use crate::service::error::ServiceError;
use crate::service::inspect::{PoolView, pool_views};

/// A pool at an instant.
#[derive(Clone, Debug)]
pub struct PoolState {
    /// Its numbers.
    pub view: PoolView,
    /// Stage and term.
    pub conditions: Conditions,
    /// How it stands with its contract (R145).
    pub compliance: Compliance,
    /// Today, in its calendar.
    pub today: Day,
}

impl PoolState {
    /// The last day of its term, if no other follows.
    pub fn expires(&self) -> Option<Day> {
        self.conditions.term.filter(|term| !term.has_successor).map(|term| term.last_day)
    }
}

/// The pools of a customer in these books, in the order of the settings.
pub(crate) fn pool_states(customer: &Customer, books: &Books<'_>) -> Result<Vec<PoolState>, ServiceError> {
    let (standing, at) = (&books.standing, books.at);
    let stale = books.freshness()?.stale;
    let state = |view: PoolView| {
        let pool = customer.policy.pools.iter().find(|pool| pool.id == view.pool);
        let calendar = pool.map_or(&customer.policy.calendar, |pool| &pool.calendar);
        let (conditions, today) =
            (pool.map_or_else(Conditions::default, |pool| conditions(pool, standing, at, &view)), calendar.day_of(at));
        let compliance = compliance(&PoolFacts {
            today,
            used: view.used(),
            allowance: view.allowance,
            band: view.band,
            stage: conditions.stage,
            term: conditions.term,
            stale,
        });
        PoolState { view, conditions, compliance, today }
    };
    Ok(pool_views(customer, standing, at).into_iter().map(state).collect())
}
