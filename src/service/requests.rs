//! Wishes for a run, as rows: they survive a restart, and the daemon takes them one by one.

use crate::base::{Instant, RequestId, SourceId};
use crate::service::core::{Customer, Feed, Service};
use crate::service::error::ServiceError;
use crate::service::pauses::quiet_hours;
use crate::service::sync::Watch;
use crate::source::{Package, SourceError};
use crate::store::{RequestRow, RequestState, RunRow, StoreError, Trigger};

/// What a look at drop folders found.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// Packages that wait, oldest first for each source.
    pub packages: Vec<Package>,
    /// Sources that could not be looked at, and why.
    pub troubles: Vec<(SourceId, SourceError)>,
}

impl Arrivals {
    /// Whether no package waits.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }
}

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
        self.unsaved.write(&self.store)?;
        Ok(self.store.take_request(self.now())?)
    }

    /// Does what a request asks for and ends it. If the store had no space or no turn for it, the request goes back in
    /// line instead: the wish is good as soon as the store is.
    ///
    /// # Errors
    /// When the store cannot be read or written; the request is ended all the same, later if it has to be.
    pub fn fulfil(&self, request: &RequestRow, watch: Watch<'_>) -> Result<Option<RunRow>, ServiceError> {
        let done = match self.customer(request.customer.as_str()) {
            Ok(customer) => self.sync(customer, &request.trigger, watch).map(Some),
            // The customer is gone from the settings.
            Err(_) => Ok(None),
        };
        let run = done.as_ref().ok().and_then(|run| run.as_ref().map(|r| r.run));
        let passes = done.as_ref().is_err_and(ServiceError::passes);
        let state = if passes { RequestState::Queued } else { RequestState::Done };
        // Before the request is over, so that nobody takes the next one in between.
        let followed = match (self.customer(request.customer.as_str()), &done) {
            (Ok(customer), Ok(Some(run))) => self.read_on_later(customer, run),
            _ => Ok(()),
        };
        let ended = self.unsaved.end_request(&self.store, request.request, state, run, self.now());
        let done = done?;
        ended?;
        followed?;
        Ok(done)
    }

    /// A run takes in one package of each source. If it did, and more are waiting, the next one follows at once.
    fn read_on_later(&self, customer: &Customer, run: &RunRow) -> Result<(), ServiceError> {
        // A run that got nowhere would get nowhere again.
        if (run.packages.is_empty() && run.rejected.is_empty()) || run.trigger.scope().is_some() {
            return Ok(());
        }
        let (trigger, only) = match &run.trigger {
            Trigger::SameDay(asked) => (run.trigger.clone(), asked.source.as_ref()),
            _ => (Trigger::Drop, None),
        };
        let is_meant = |feed: &&Feed| only.is_none_or(|only| only == feed.source.id()) && feed.source.may_have_more();
        let _turn = self.turns.wait(customer.id());
        let meant = || customer.sources.iter().filter(is_meant);
        if self.waiting(customer, meant())?.is_empty() {
            // What was fetched for this look alone is of no use to anybody.
            meant().for_each(|feed| feed.source.done());
        } else {
            self.request_sync(customer, &trigger)?;
        }
        Ok(())
    }

    /// Ends a request whose run broke off, so that its customer does not wait for it for ever.
    ///
    /// # Errors
    /// When the store cannot be written; it is then written later.
    pub fn give_up(&self, request: RequestId) -> Result<(), StoreError> {
        self.unsaved.end_request(&self.store, request, RequestState::Done, None, self.now())
    }

    /// Whether the daemon works on a request of the customer. Runs that somebody else left in the middle do not count.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_running(&self, customer: &Customer) -> Result<bool, StoreError> {
        Ok(self.store.running_request(customer.id())?.is_some())
    }

    /// Whether nobody needs to ask for packages that were dropped: the daemon works on a request of the customer, or is about to
    /// work on one for them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn drops_in_hand(&self, customer: &Customer) -> Result<Option<RequestState>, StoreError> {
        self.store.drops_in_hand(customer.id())
    }

    /// Packages that wait in the customer's drop folders, those of paused sources left out, and were not taken in yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn arrivals(&self, customer: &Customer) -> Result<Arrivals, ServiceError> {
        self.waiting(customer, customer.sources.iter().filter(|feed| feed.watched))
    }

    fn waiting<'c>(&self, customer: &Customer, feeds: impl Iterator<Item = &'c Feed>) -> Result<Arrivals, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let mut waiting = Arrivals::default();
        let paused = self.paused(customer)?;
        let is_paused = |source: &SourceId| paused.iter().any(|pause| pause.source == *source);
        let is_quiet = |source: &SourceId| quiet_hours(customer, source, self.now()).is_some();
        for feed in feeds.filter(|feed| !is_paused(feed.source.id()) && !is_quiet(feed.source.id())) {
            let seen = self.seen(customer, feed.source.id(), &standing)?;
            match feed.source.pending(&seen) {
                Ok(packages) if !packages.is_empty() => waiting.packages.extend(packages),
                // Nobody comes for what was looked at on the way.
                Ok(_) => feed.source.done(),
                Err(error) => {
                    feed.source.done();
                    waiting.troubles.push((feed.source.id().clone(), error));
                }
            }
        }
        Ok(waiting)
    }

    /// After a crash: runs and requests that nobody works on any more are closed and put back in line.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn recover(&self, at: Instant) -> Result<(usize, u32), StoreError> {
        Ok((self.store.close_orphans(at, true)?.len(), self.store.requeue_orphans()?))
    }
}
