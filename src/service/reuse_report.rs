//! The report of the people of license years (R81 to R83).

use crate::base::ProductId;
use crate::license::{ReuseLevel, ReuseYear};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::report::Report;

/// A pool and the people of its license year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReuseRow {
    /// The product.
    pub product: ProductId,
    /// The people.
    pub year: ReuseYear,
    /// So many replacements are allowed.
    pub allowed: u64,
    /// How the replacements compare with that.
    pub level: ReuseLevel,
}

impl Service {
    /// Each pool of the settings whose people are counted, in their order.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn reuse_report(&self, customer: &Customer) -> Result<Report<ReuseRow>, ServiceError> {
        self.as_of(customer, None, |books| {
            let rows = customer.policy.pools.iter().filter_map(|pool| {
                let year = books.standing.reuse.get(&pool.id)?.clone();
                let (allowed, level) = (year.limit(&pool.reuse), year.level(&pool.reuse));
                Some(ReuseRow { product: pool.product.clone(), year, allowed, level })
            });
            Ok(Report { rows: rows.collect(), freshness: books.freshness()? })
        })
    }
}
