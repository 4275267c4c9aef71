//! Retention of the trail (R160): what is older than anybody asks for every day is moved to a file of its own, whole, read back
//! and provable as before. Nothing is thrown away here.

use crate::base::{CustomerId, Instant, Version};
use crate::service::core::{Archiving, Customer, Service};
use crate::service::error::ServiceError;
use crate::store::ArchiveRow;

/// Below so many days' worth no file is made by itself: a file a month is enough.
const WORTH_DAYS: u32 = 30;
const DAY_MILLIS: i64 = 86_400_000;

impl Service {
    /// So many days of a trail stay in the store; `None`: all of them.
    pub fn keep_days(&self) -> Option<u32> {
        self.archiving.as_ref().map(|archiving| archiving.keep_days)
    }

    /// Moves the content of a customer's trail that was written before an instant to a file in the configured folder, named
    /// after the customer and the versions in it. `None`: there is nothing to move, or no folder is configured.
    ///
    /// # Errors
    /// When the file cannot be written or the store fails; then the trail is as it was.
    pub fn archive_trail(&self, customer: &Customer, before: Instant) -> Result<Option<ArchiveRow>, ServiceError> {
        let Some(Archiving { folder, .. }) = &self.archiving else { return Ok(None) };
        let id = customer.id();
        let until = self.store.version_at(id, Instant(before.0.saturating_sub(1)))?;
        let after = self.archived(id)?;
        if until <= after {
            return Ok(None);
        }
        let file = folder.join(format!("{id}-{:08}-{until:08}.trail.db", after.0 + 1, until = until.0));
        Ok(self.store.archive(id, until, &file, self.now())?)
    }

    /// The same once a month, for what is older than `audit.keep_days`.
    pub(crate) fn archive_due(&self, customer: &Customer, now: Instant) -> Result<(), ServiceError> {
        let Some(Archiving { keep_days, .. }) = &self.archiving else { return Ok(()) };
        let before = |days: u32| Instant(now.0.saturating_sub(i64::from(days) * DAY_MILLIS));
        let worth = self.store.version_at(customer.id(), before(keep_days.saturating_add(WORTH_DAYS)))?;
        if worth > self.archived(customer.id())? {
            self.archive_trail(customer, before(*keep_days))?;
        }
        Ok(())
    }

    /// Parts of a customer's trail that lie in files, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn archives(&self, customer: &CustomerId) -> Result<Vec<ArchiveRow>, ServiceError> {
        Ok(self.store.archives(customer)?)
    }

    fn archived(&self, customer: &CustomerId) -> Result<Version, ServiceError> {
        Ok(self.store.archives(customer)?.last().map_or(Version(0), |row| row.until))
    }
}
