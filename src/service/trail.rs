//! The trail, one commit at a time, as far as somebody wants to read it.

use std::ops::ControlFlow;

use crate::base::Version;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::store::{AuditCommit, StoreError};

impl Service {
    /// The newest version of a customer; 0 if nothing was ever committed.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn version(&self, customer: &Customer) -> Result<Version, ServiceError> {
        Ok(self.store.version(customer.id())?)
    }

    /// Hands out the commits after a version, oldest first, until `each` breaks off.
    ///
    /// # Errors
    /// When the trail cannot be read.
    pub fn trail(
        &self,
        customer: &Customer,
        after: Version,
        each: &mut dyn FnMut(AuditCommit) -> ControlFlow<()>,
    ) -> Result<(), ServiceError> {
        let mut left = false;
        let read = self.store.audit(customer.id(), after, &mut |commit| match each(commit) {
            ControlFlow::Continue(()) => Ok(()),
            // The store's reading ends with the first error: this one is never told.
            ControlFlow::Break(()) => {
                left = true;
                Err(StoreError::Busy { place: String::new() })
            }
        });
        match read {
            Err(_) if left => Ok(()),
            read => Ok(read?),
        }
    }
}
