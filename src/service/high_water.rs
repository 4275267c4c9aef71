//! The daily high-water marks of pools (R149).

use crate::base::{Day, PoolId};
use crate::license::{HighWater, high_water};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::report::Report;

impl Service {
    /// Pool by pool, in the order of their ids, each date of the pool's calendar from its first commit on up to today, or
    /// those between `from` and `to`, both inclusive.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn high_water(
        &self,
        customer: &Customer,
        pool: Option<&PoolId>,
        from: Option<Day>,
        to: Option<Day>,
    ) -> Result<Report<(PoolId, HighWater)>, ServiceError> {
        self.as_of(customer, None, |books| {
            let mut rows = Vec::new();
            for (id, samples) in books.samples()?.into_iter().filter(|(id, _)| pool.is_none_or(|pool| pool == id)) {
                let known = customer.policy.pools.iter().find(|pool| pool.id == id);
                let calendar = known.map_or(&customer.policy.calendar, |pool| &pool.calendar);
                let last = to.map_or(Day::MAX, |to| to).min(calendar.day_of(books.at));
                let days = high_water(&samples, |at| calendar.day_of(at), last);
                let wanted = days.into_iter().filter(|mark| from.is_none_or(|from| mark.day >= from));
                rows.extend(wanted.map(|mark| (id.clone(), mark)));
            }
            Ok(Report { freshness: books.freshness()?, rows })
        })
    }
}
