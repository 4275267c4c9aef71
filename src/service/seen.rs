//! What the last look at the course of each customer's runs depended on, so that a minute in which nothing changed costs next to
//! nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::base::{CustomerId, Day, Instant, RunId, Version};

/// What a look at a customer depends on: its version, its newest run, the night that may be overdue, its date.
pub(crate) type Seen = (Version, Option<(RunId, i64)>, Option<Instant>, Day);

/// See the module. Only saves work: a process that just started looks for itself.
#[derive(Default)]
pub(crate) struct Courses(Mutex<BTreeMap<CustomerId, Seen>>);

impl Courses {
    /// Whether that is how the last look found it.
    pub(crate) fn is_known(&self, customer: &CustomerId, seen: &Seen) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(customer) == Some(seen)
    }

    /// Notes how a look found it.
    pub(crate) fn note(&self, customer: &CustomerId, seen: Seen) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(customer.clone(), seen);
    }
}
