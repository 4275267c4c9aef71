//! Looks at sources over the network: since when a source is known to be as the books have it, and where the next read of a
//! live one may start. That a file elsewhere is the known one says when its server was last reached, and nothing of how old
//! the roster is.
//!
//! A cursor is a hint that saves reading. It is handed out only while it means what it meant: the books still rest on what
//! was read up to it, nobody waits for a second look, and the last full read is not too long ago (R106).

use crate::base::{Digest, Instant, SourceId};
use crate::license::SourceMark;
use crate::plan::Standing;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::source::Read;
use crate::store::{SourceLook, StoreError};

/// A look that is under way.
pub(crate) struct Looked {
    source: SourceId,
    full_at: Option<Instant>,
    now: Instant,
}

impl Looked {
    /// The source said that nothing changed.
    pub(crate) fn unchanged(self, mark: &SourceMark, cursor: Option<String>) -> SourceLook {
        let Self { source, full_at, now } = self;
        SourceLook { source, package: mark.package, cursor, full_at: full_at.unwrap_or(mark.at), at: now }
    }

    /// The source was read.
    pub(crate) fn read(self, package: Digest, read: &Read) -> SourceLook {
        let Self { source, full_at, now } = self;
        let full_at = if read.partly { full_at.unwrap_or(Instant::MIN) } else { now };
        SourceLook { source, package, cursor: read.cursor.clone(), full_at, at: now }
    }
}

/// Whether somebody is missing whom only another look at the source can call gone, or back (R131).
pub(crate) fn awaits_look(standing: &Standing, source: &SourceId) -> bool {
    standing.absences.iter().any(|absence| absence.source == *source && !absence.removed)
}

impl Service {
    /// Begins a look.
    pub(crate) fn looked(&self, customer: &Customer, source: &SourceId, now: Instant) -> Result<Looked, ServiceError> {
        let full_at = self.look(customer, source)?.map(|look| look.full_at);
        Ok(Looked { source: source.clone(), full_at, now })
    }

    /// The newest look at a source that a run noted.
    pub(crate) fn look(&self, customer: &Customer, source: &SourceId) -> Result<Option<SourceLook>, ServiceError> {
        Ok(self.looks(customer)?.into_iter().find(|look| look.source == *source))
    }

    /// The newest look at each source; of files that lie here there are none, and nothing is asked.
    fn looks(&self, customer: &Customer) -> Result<Vec<SourceLook>, StoreError> {
        let is_far = customer.sources.iter().any(|feed| feed.source.is_far());
        if is_far { self.store.looks(customer.id()) } else { Ok(Vec::new()) }
    }

    /// Where the next read of a source may start.
    pub(crate) fn cursor(
        &self,
        customer: &Customer,
        standing: &Standing,
        mark: &SourceMark,
    ) -> Result<Option<String>, ServiceError> {
        let Some(look) = self.look(customer, &mark.source)? else { return Ok(None) };
        let days = customer.day_of(self.now()).0.saturating_sub(customer.day_of(look.full_at).0);
        let is_due = u32::try_from(days).is_ok_and(|days| days >= customer.full_every_days);
        let holds = mark.is_of(&look.package) && !is_due && !awaits_look(standing, &mark.source);
        Ok(look.cursor.filter(|_| holds))
    }

    /// Notes looks of a run that has come to its end; those of packages that were kept out are not.
    pub(crate) fn note_looks(
        &self,
        customer: &Customer,
        looks: &[SourceLook],
        kept_out: &[(SourceId, Digest)],
    ) -> Result<(), StoreError> {
        let taken = |look: &&SourceLook| !kept_out.iter().any(|(source, told)| *source == look.source && *told == look.package);
        looks.iter().filter(taken).try_for_each(|look| self.store.save_look(customer.id(), look))
    }

    /// Makes the next read of a source, or of every source, a full one (R106).
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn forget_cursors(&self, customer: &Customer, source: Option<&SourceId>) -> Result<(), StoreError> {
        let is_meant = |look: &SourceLook| source.is_none_or(|source| *source == look.source);
        for look in self.store.looks(customer.id())?.into_iter().filter(is_meant) {
            self.store.save_look(customer.id(), &SourceLook { cursor: None, ..look })?;
        }
        Ok(())
    }

    /// When the customer's sources were last known to be as the books have them.
    pub(crate) fn newest_look(&self, customer: &Customer, standing: &Standing) -> Result<Option<Instant>, StoreError> {
        Ok(newest_of(customer, standing, &self.looks(customer)?))
    }
}

/// The same from looks that were read before.
pub(crate) fn newest_of(customer: &Customer, standing: &Standing, looks: &[SourceLook]) -> Option<Instant> {
    let known = |look: &&SourceLook| {
        let feed = customer.sources.iter().find(|feed| *feed.source.id() == look.source);
        feed.is_some_and(|feed| feed.source.is_live())
    };
    looks.iter().filter(known).map(|look| look.at).chain(customer.newest_snapshot(standing)).max()
}
