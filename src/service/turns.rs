//! Whose turn it is to read a customer's sources: one at a time in this process (R99). What a source has fetched and keeps
//! until it was read to its end is one thing; two who read at once would take it from under each other.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::base::CustomerId;

/// See the module.
#[derive(Default)]
pub(crate) struct Turns {
    taken: Mutex<BTreeSet<CustomerId>>,
    given_back: Condvar,
}

/// It is given back when it is dropped.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    customer: CustomerId,
}

impl Turns {
    /// Waits until nobody else reads the customer's sources.
    pub(crate) fn wait(&self, customer: &CustomerId) -> Turn<'_> {
        let mut taken = self.taken();
        while !taken.insert(customer.clone()) {
            taken = self.given_back.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        Turn { turns: self, customer: customer.clone() }
    }

    /// `None` if somebody else reads them now.
    pub(crate) fn try_take(&self, customer: &CustomerId) -> Option<Turn<'_>> {
        self.taken().insert(customer.clone()).then(|| Turn { turns: self, customer: customer.clone() })
    }

    fn taken(&self) -> MutexGuard<'_, BTreeSet<CustomerId>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.taken().remove(&self.customer);
        self.turns.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use crate::base::CustomerId;
    use crate::service::turns::Turns;

    #[test]
    fn one_at_a_time_of_each_customer() {
        let turns = Turns::default();
        let (north, south) = (CustomerId::from("north"), CustomerId::from("south"));
        let first = turns.wait(&north);
        assert!(turns.try_take(&north).is_none() && turns.try_take(&south).is_some());
        let (told, hears) = channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _second = turns.wait(&north);
                told.send(()).expect("heard");
            });
            assert!(hears.recv_timeout(Duration::from_millis(50)).is_err(), "it waits");
            drop(first);
            hears.recv_timeout(Duration::from_secs(20)).expect("its turn");
        });
        assert!(turns.try_take(&north).is_some());
    }
}
