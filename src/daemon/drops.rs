//! Packages that arrive: a request for each customer that has one which was not taken in yet.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::base::CustomerId;
use crate::service::{Customer, Service, ServiceError};
use crate::source::Package;
use crate::store::Trigger;

/// After how long packages that still wait are asked for once more; doubled each time.
const AGAIN: Duration = Duration::from_secs(60);
/// No longer than this between two tries.
const AGAIN_MAX: Duration = Duration::from_secs(3600);

/// What was asked for at earlier looks. A run may fail for a reason that is not the package's, such as settings that do
/// not fit; then the package waits on, and must not be tried at every look.
#[derive(Default)]
pub struct Drops(BTreeMap<CustomerId, Asked>);

struct Asked {
    waiting: Vec<Package>,
    pause: Duration,
    again: Instant,
}

impl Drops {
    /// Looks at a customer's drop folders and asks for a run where one is due.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn look(&mut self, service: &Service, customer: &Customer, now: Instant) -> Result<(), ServiceError> {
        // Its run may be taking the package in this very moment.
        if !service.is_running(customer)? && self.is_due(customer.id(), service.arrivals(customer)?, now) {
            let asked = service.request_sync(customer, &Trigger::Drop);
            if asked.is_err() {
                // Nothing was asked for yet: the next look does.
                self.0.remove(customer.id());
            }
            asked?;
        }
        Ok(())
    }

    /// Whether to ask for these packages now: they are others than before, or waited long enough.
    fn is_due(&mut self, customer: &CustomerId, waiting: Vec<Package>, now: Instant) -> bool {
        if waiting.is_empty() {
            self.0.remove(customer);
            return false;
        }
        let pause = match self.0.get(customer) {
            Some(asked) if asked.waiting == waiting && now < asked.again => return false,
            Some(asked) if asked.waiting == waiting => (asked.pause * 2).min(AGAIN_MAX),
            _ => AGAIN,
        };
        self.0.insert(customer.clone(), Asked { waiting, pause, again: now + pause });
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crate::base::Digest;
    use crate::daemon::drops::Drops;
    use crate::source::Package;

    fn package(name: &str, bytes: &[u8]) -> Package {
        Package { name: name.into(), location: name.into(), digest: Some(Digest::of(bytes)), since: None }
    }

    #[test]
    fn what_still_waits_is_asked_for_less_and_less_often() {
        let (mut drops, start) = (Drops::default(), Instant::now());
        let (north, waiting) = ("north".into(), vec![package("1.zip", b"one")]);
        let asked: Vec<u64> =
            (0..20_000).filter(|&second| drops.is_due(&north, waiting.clone(), start + Duration::from_secs(second))).collect();
        let minutes: Vec<u64> = asked.iter().map(|second| second / 60).collect();
        assert_eq!(minutes, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303]);
    }

    #[test]
    fn other_packages_and_other_customers_are_asked_for_at_once() {
        let (mut drops, now) = (Drops::default(), Instant::now());
        let (north, south) = ("north".into(), "south".into());
        let [first, second] = [package("1.zip", b"one"), package("2.zip", b"two")];
        let mut is_due =
            |customer, waiting: &[&Package]| drops.is_due(customer, waiting.iter().copied().cloned().collect(), now);
        assert!(!is_due(&north, &[]));
        assert!(is_due(&north, &[&first]));
        assert!(!is_due(&north, &[&first]));
        assert!(is_due(&south, &[&first]));
        assert!(is_due(&north, &[&first, &second]), "another one came");
        assert!(is_due(&north, &[&second]), "the first was taken");
        assert!(is_due(&north, &[&package("2.zip", b"other")]), "it was replaced");
        assert!(is_due(&north, &[&package("3.zip", b"other")]), "it was taken, and came under a new name");
        assert!(!is_due(&north, &[]));
        assert!(is_due(&north, &[&package("3.zip", b"other")]), "it came once more");
    }
}
