//! Dates act by themselves: what came due in overages is written down before anything else is, at its true instant,
//! whether or not a roster arrives (R68, R132).

use crate::base::{Actor, Instant, Version};
use crate::plan::{Decided, Desk, Notice, Standing, Sweep, Swept, refill};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::writing::TRIES_MAX;
use crate::store::{Batch, StoreError};

impl Service {
    /// Writes down what is due for a customer now. Returns what was told. Calling it more or less often leads to the same
    /// history.
    ///
    /// # Errors
    /// When the books cannot be read or written; when seats are affected and settings and roster do not fit.
    pub fn sweep(&self, customer: &Customer) -> Result<Vec<Notice>, ServiceError> {
        self.sweep_at(customer, self.now())
    }

    /// The same for whoever knows of which version the books were just now.
    pub(crate) fn sweep_since(&self, customer: &Customer, version: Version) -> Result<Vec<Notice>, ServiceError> {
        let rests = version.0 == 0 || self.dues.rests(customer.id(), version, self.now());
        if rests { Ok(Vec::new()) } else { self.sweep(customer) }
    }

    /// [`Service::sweep`] as of the instant at which something else is about to be written.
    pub(crate) fn catch_up(&self, customer: &Customer, now: Instant) -> Result<(), ServiceError> {
        self.sweep_at(customer, now).map(|_| ())
    }

    fn sweep_at(&self, customer: &Customer, now: Instant) -> Result<Vec<Notice>, ServiceError> {
        for attempt in 1.. {
            let version = self.store.version(customer.id())?;
            if version.0 == 0 || self.dues.rests(customer.id(), version, now) {
                return Ok(Vec::new());
            }
            match self.try_sweep(customer, now) {
                Err(ServiceError::Store(StoreError::VersionMoved { .. })) if attempt < TRIES_MAX => {}
                done => return done,
            }
        }
        Ok(Vec::new())
    }

    fn try_sweep(&self, customer: &Customer, now: Instant) -> Result<Vec<Notice>, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let now = self.reaches(customer, &standing, self.acts_at(&standing, now));
        let sweep = Sweep {
            policy: &customer.policy,
            standing: &standing,
            newest_snapshot: self.newest_look(customer, &standing)?,
            stale_after_hours: customer.stale_after_hours,
            now,
        };
        let mut swept = sweep.swept();
        if swept.is_empty() {
            self.dues.set(customer.id(), standing.version, swept.next);
            return Ok(Vec::new());
        }
        let decided = match swept.affected.is_empty() {
            true => Decided { names: standing.book.names.clone(), ..Decided::default() },
            false => self.refilled(customer, &standing, &swept, now)?,
        };
        swept.entries.extend(decided.entries);
        swept.notices.extend(decided.notices);
        let words = (&decided.names, &decided.people, decided.changes.as_slice());
        let notices = self.with_candidates(customer, &swept.notices, words).into_owned();
        self.store.commit(&Batch {
            customer: customer.id(),
            parent: standing.version,
            at: now,
            actor: Actor::system(),
            run: None,
            plan: None,
            verb: "overage_clock",
            names: &decided.names,
            people: &decided.people,
            changes: &decided.changes,
            entries: &swept.entries,
            notices: &notices,
        })?;
        // Stages begin with a date, whose run looks at the pools. The commit stands, whatever comes of looking now.
        if !swept.affected.is_empty() {
            let _ = self.watch_pools(customer, now);
        }
        Ok(notices)
    }

    /// The queue filled, and the books closed, after what time gave and took (R43).
    fn refilled(&self, customer: &Customer, standing: &Standing, swept: &Swept, now: Instant) -> Result<Decided, ServiceError> {
        let roster = self.roster(customer, standing)?;
        let used_by_org = self.store.used_by_org(customer.id())?;
        let mut after = swept.applied(standing);
        after.book = self.queue_book(customer)?;
        after.gone = self.store.gone(customer.id())?;
        after.seats = self.store.numbered_seats(customer.id())?;
        let policy = &customer.policy;
        let desk = Desk { now, policy, standing: &after, roster: &roster, used_by_org: &used_by_org, episodes: &[] };
        refill(&desk, &swept.affected).map_err(|cause| ServiceError::Plan { customer: customer.id().clone(), cause })
    }
}
