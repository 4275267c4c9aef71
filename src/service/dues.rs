//! When something is due next, by customer, so that a minute in which nothing is costs next to nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::base::{CustomerId, Instant, Version};

/// Until when nothing is due for a customer whose books are at a version. Only saves work: a process that just started
/// looks for itself.
#[derive(Default)]
pub(crate) struct Dues(Mutex<BTreeMap<CustomerId, (Version, Instant)>>);

impl Dues {
    /// Whether nothing is due.
    pub(crate) fn rests(&self, customer: &CustomerId, version: Version, now: Instant) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(customer).is_some_and(|(at, next)| *at == version && now < *next)
    }

    /// Notes until when nothing is due.
    pub(crate) fn set(&self, customer: &CustomerId, version: Version, next: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(customer.clone(), (version, next));
    }
}
