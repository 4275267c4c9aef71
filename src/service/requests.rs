//! Wishes for a run, as rows: they survive a restart, and the daemon takes them one by one.

use crate::base::{Instant, RequestId, SourceId};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::sync::Watch;
use crate::store::{RequestRow, RequestState, RunRow, StoreError, Trigger};

impl Service {
    /// Asks for a run; joins a request that is still in line (R97). Says which, and whether it is new.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn request_sync(&self, customer: &Customer, trigger: &Trigger) -> Result<(RequestId, bool), ServiceError> {
        Ok(self.store.request(customer.id(), trigger, self.now())?)
    }

    /// Takes the next request in line, if any; other customers' runs do not stand in its way.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn take_request(&self) -> Result<Option<RequestRow>, ServiceError> {
        Ok(self.store.take_request(self.now())?)
    }

    /// Does what a request asks for and ends it, whatever came of it.
    ///
    /// # Errors
    /// When the store cannot be read or written; the request is ended all the same where that is possible.
    pub fn fulfil(&self, request: &RequestRow, watch: Watch<'_>) -> Result<Option<RunRow>, ServiceError> {
        let done = match self.customer(request.customer.as_str()) {
            Ok(customer) => self.sync(customer, &request.trigger, watch).map(Some),
            // The customer is gone from the settings.
            Err(_) => Ok(None),
        };
        let run = done.as_ref().ok().and_then(|run| run.as_ref().map(|r| r.run));
        self.store.end_request(request.request, RequestState::Done, run, self.now())?;
        done
    }

    /// Whether a source of the customer that is not paused has something that was not taken in yet.
    ///
    /// # Errors
    /// When the store cannot be read. A source that cannot be reached has nothing: the nightly run will tell.
    pub fn has_arrivals(&self, customer: &Customer) -> Result<bool, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let paused = self.paused(customer)?;
        let is_paused = |source: &SourceId| paused.iter().any(|pause| pause.source == *source);
        for feed in customer.sources.iter().filter(|feed| feed.watched && !is_paused(feed.source.id())) {
            let seen = self.seen(customer, feed.source.id(), &standing)?;
            if feed.source.pending(&seen).is_ok_and(|pending| !pending.is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// After a crash: runs and requests that nobody works on any more are closed and put back in line.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn recover(&self, at: Instant) -> Result<(usize, u32), StoreError> {
        Ok((self.store.close_orphans(at)?.len(), self.store.requeue_orphans()?))
    }
}
