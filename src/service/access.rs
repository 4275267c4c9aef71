//! Access decisions for other systems: the daemon opens no enrollment itself, it publishes what may be opened (R29).

use crate::plan::AccessBook;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;

impl Service {
    /// Hands over the access decisions as of the newest commit and roster, on the customer's local date. With a `person`,
    /// only that one can be asked about, and only what concerns that one is read from the books.
    ///
    /// # Errors
    /// When the books or the roster cannot be read.
    pub fn access<T>(
        &self,
        customer: &Customer,
        person: Option<&str>,
        read: impl FnOnce(&AccessBook<'_>) -> T,
    ) -> Result<T, ServiceError> {
        let standing = match person {
            Some(key) => self.standing_of_person(customer, key)?,
            None => self.store.standing(customer.id())?,
        };
        let roster = match person {
            Some(key) => self.roster_of(customer, &standing, key)?,
            None => self.roster(customer, &standing)?,
        };
        let today = customer.day_of(self.now());
        Ok(read(&AccessBook::new(&customer.policy, &standing, &roster, today)))
    }
}
