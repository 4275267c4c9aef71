//! How customers stand, at a glance: of many of them in one read.

use crate::base::Instant;
use crate::license::Hold;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::inspect::{PoolView, pool_views};
use crate::service::looks::newest_of;
use crate::service::on_time::SameDayQuota;
use crate::service::outages::{SourceState, states_of};
use crate::service::pauses::longest_now;
use crate::service::runs::Freshness;
use crate::store::{Glance, NoticeRow, Pause, RunRow};

/// So many newest notices are told.
const NOTICES_MAX: u32 = 5;

/// Runs are looked through so many at a time.
const RUNS_EACH: u32 = 500;

/// One customer at a glance.
#[derive(Clone, Debug)]
pub struct CustomerStatus {
    /// Its id.
    pub customer: String,
    /// Its display name.
    pub name: String,
    /// Its version.
    pub version: u64,
    /// Its pools, in the order of the settings.
    pub pools: Vec<PoolView>,
    /// Its newest run that was more than a dry one, or than a date on which nothing began or ended.
    pub last_run: Option<RunRow>,
    /// The open hold.
    pub hold: Option<Hold>,
    /// How old its numbers are (R148).
    pub freshness: Freshness,
    /// Its newest notices, newest first.
    pub notices: Vec<NoticeRow>,
    /// How many same-day runs may still be asked for today (R98).
    pub same_day: SameDayQuota,
    /// The pauses that hold now (R108).
    pub paused: Vec<Pause>,
    /// How its sources over the network stand.
    pub sources: Vec<SourceState>,
}

impl Service {
    /// One customer at a glance.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn status(&self, customer: &Customer) -> Result<CustomerStatus, ServiceError> {
        let one = self.statuses(&[customer])?.pop();
        one.map_or_else(|| self.status_then(customer), Ok)
    }

    /// Customers at a glance, in their order.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn statuses(&self, customers: &[&Customer]) -> Result<Vec<CustomerStatus>, ServiceError> {
        let now = self.now();
        let asked: Vec<_> = customers.iter().map(|customer| (customer.id().clone(), customer.day_of(now))).collect();
        let glances = self.store.glance(&asked, NOTICES_MAX)?;
        let told = customers.iter().zip(glances).map(|(customer, glance)| {
            // Whoever set the clock asks about the past where books were written after it.
            let until = self.version_asked(customer, None)?;
            match until.is_some_and(|until| until < glance.standing.version) {
                true => self.status_then(customer),
                false => self.status_now(customer, glance, now),
            }
        });
        told.collect()
    }

    fn status_now(&self, customer: &Customer, glance: Glance, now: Instant) -> Result<CustomerStatus, ServiceError> {
        let Glance { mut standing, last_run, notices, looks, same_day_used, mut pauses } = glance;
        customer.add_terms(&mut standing);
        let snapshot = newest_of(customer, &standing, &looks);
        pauses.extend(customer.pauses.iter().cloned());
        Ok(CustomerStatus {
            customer: customer.id().to_string(),
            name: customer.name.clone(),
            version: standing.version.0,
            freshness: Freshness::of(customer, now, snapshot),
            pools: pool_views(customer, &standing, now),
            last_run,
            hold: standing.hold.filter(|hold| hold.is_open(now)),
            notices,
            same_day: SameDayQuota::of(customer, now, same_day_used),
            paused: longest_now(customer, &pauses, now),
            sources: states_of(customer, &looks),
        })
    }

    /// As the books were at the instant asked about. How sources stand is known of the present alone.
    fn status_then(&self, customer: &Customer) -> Result<CustomerStatus, ServiceError> {
        self.as_of(customer, None, |books| {
            let standing = &books.standing;
            let mut notices = self.store.notices(Some(customer.id()), u32::MAX)?;
            notices.retain(|notice| notice.at <= books.at);
            notices.truncate(NOTICES_MAX as usize);
            Ok(CustomerStatus {
                customer: customer.id().to_string(),
                name: customer.name.clone(),
                version: standing.version.0,
                freshness: books.freshness()?,
                pools: pool_views(customer, standing, books.at),
                last_run: self.last_run_then(customer, books.at)?,
                hold: standing.hold.clone().filter(|hold| hold.is_open(books.at)),
                notices,
                same_day: self.same_day_quota(customer)?,
                paused: self.paused(customer)?,
                sources: Vec::new(),
            })
        })
    }

    /// The newest run that was over at an instant and more than a look.
    fn last_run_then(&self, customer: &Customer, at: Instant) -> Result<Option<RunRow>, ServiceError> {
        let mut before = None;
        loop {
            let runs = self.store.runs_before(Some(customer.id()), before, RUNS_EACH)?;
            before = runs.last().map(|run| run.run);
            let then = |run: &RunRow| run.ended.is_some_and(|ended| ended <= at) && run.is_more_than_a_look();
            match runs.into_iter().find(then) {
                None if before.is_some() => {}
                found => return Ok(found),
            }
        }
    }
}
