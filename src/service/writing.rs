//! How what moves no claim is written to a customer's books: time first, then on the newest books, and worked out anew when
//! somebody else commits in between.

use crate::base::{Actor, Digest, Instant, TextArena};
use crate::license::Entry;
use crate::plan::{Notice, Standing, phase_due};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::store::{Batch, Receipt, StoreError};

/// How often something is worked out anew when somebody else commits in between.
pub(crate) const TRIES_MAX: u32 = 200;

/// What is to be written.
#[derive(Default)]
pub(crate) struct Writing {
    /// The trail's verb.
    pub(crate) verb: &'static str,
    /// The plan that it decides about.
    pub(crate) plan: Option<Digest>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) notices: Vec<Notice>,
}

/// An answer, and what is to be written with it; nothing, if that is all.
pub(crate) type Made<T> = Result<(T, Option<Writing>), ServiceError>;

impl Service {
    /// The instant of something that began at `now` and is worked out on these books: what others wrote meanwhile came
    /// before it. A clock that was set back stays what it is.
    pub(crate) fn acts_at(&self, standing: &Standing, now: Instant) -> Instant {
        now.max(standing.at.min(self.now()))
    }

    /// Up to when dates may act on these books: a pool that moves on in its chain of terms is a run of its own, as of its
    /// own instant, and nothing is written over it.
    pub(crate) fn reaches(&self, customer: &Customer, standing: &Standing, now: Instant) -> Instant {
        // Before the first roster nobody has a seat.
        let due = phase_due(&customer.policy, standing, now).filter(|_| !standing.sources.is_empty());
        due.map_or(now, |due| now.min(due.plus_millis(-1).max(standing.at)))
    }

    /// Writes what `make` makes of the books and an instant. Whoever asks for somebody outside settles first.
    pub(crate) fn write<T>(
        &self,
        customer: &Customer,
        actor: &Actor,
        make: &dyn Fn(&Standing, Instant) -> Made<T>,
    ) -> Result<(T, Option<Receipt>), ServiceError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let now = self.now();
            self.catch_up(customer, now)?;
            let standing = self.store.standing_light(customer.id())?;
            let at = self.reaches(customer, &standing, self.acts_at(&standing, now));
            let (answer, writing) = make(&standing, at)?;
            let Some(Writing { verb, plan, entries, notices }) = writing else { return Ok((answer, None)) };
            let batch = Batch {
                customer: customer.id(),
                parent: standing.version,
                at,
                actor: actor.clone(),
                run: None,
                plan,
                verb,
                names: &standing.book.names,
                people: &TextArena::default(),
                changes: &[],
                entries: &entries,
                notices: &notices,
            };
            match self.store.commit(&batch) {
                Ok(receipt) => return Ok((answer, Some(receipt))),
                Err(StoreError::VersionMoved { .. }) if tries < TRIES_MAX => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
