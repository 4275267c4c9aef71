//! Wishes for a run, as rows: they survive a restart, and the daemon takes them one by one.

use crate::base::{Actor, Instant, RequestId, RunId};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::sync::Watch;
use crate::source::Package;
use crate::store::{RequestRow, RequestState, RunRow, StoreError, Trigger};

impl Service {
    /// Asks for a run; joins a request that is still in line (R97). Says which, and whether it is new.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn request_sync(&self, customer: &Customer, trigger: &Trigger) -> Result<(RequestId, bool), ServiceError> {
        Ok(self.store.request(customer.id(), trigger, self.now())?)
    }

    /// Asks for a same-day run in somebody's name (R96).
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn request_same_day(&self, customer: &Customer, by: &Actor) -> Result<(RequestId, bool), ServiceError> {
        self.request_sync(customer, &Trigger::SameDay(by.clone()))
    }

    /// Takes the next request in line, if any; other customers' runs do not stand in its way.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn take_request(&self) -> Result<Option<RequestRow>, ServiceError> {
        Ok(self.store.take_request(self.now())?)
    }

    /// Does what a request asks for. `None` if its customer is gone from the settings. It is for the caller to end the
    /// request, whatever came of it: until then nothing else is taken of its customer.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn fulfil(&self, request: &RequestRow, watch: Watch<'_>) -> Result<Option<RunRow>, ServiceError> {
        match self.customer(request.customer.as_str()) {
            Ok(customer) => self.sync(customer, &request.trigger, watch).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Ends a request with the run it came to, if any.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn end_request(&self, request: RequestId, run: Option<RunId>) -> Result<(), StoreError> {
        self.store.end_request(request, RequestState::Done, run, self.now())
    }

    /// Whether the daemon works on a request of the customer. Runs that somebody else left in the middle do not count.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_running(&self, customer: &Customer) -> Result<bool, StoreError> {
        Ok(self.store.running_request(customer.id())?.is_some())
    }

    /// Packages that wait in the customer's drop folders and were not taken in yet.
    ///
    /// # Errors
    /// When the store cannot be read. A source that cannot be reached has nothing: the nightly run will tell.
    pub fn arrivals(&self, customer: &Customer) -> Result<Vec<Package>, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let mut arrivals = Vec::new();
        for feed in customer.sources.iter().filter(|feed| feed.watched) {
            let seen = self.seen(customer, feed.source.id(), &standing)?;
            arrivals.extend(feed.source.pending(&seen).unwrap_or_default());
        }
        Ok(arrivals)
    }

    /// After a crash: runs and requests that nobody works on any more are closed and put back in line.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn recover(&self, at: Instant) -> Result<(usize, u32), StoreError> {
        Ok((self.store.close_orphans(at)?.len(), self.store.requeue_orphans()?))
    }
}
