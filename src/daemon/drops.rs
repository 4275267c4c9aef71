//! Packages that arrive: a request for each customer that has one which was not taken in yet.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::base::{CustomerId, SourceId};
use crate::service::{Customer, Service, ServiceError};
use crate::source::{Package, SourceError};
use crate::store::{RequestState, Trigger};
use crate::telemetry::{DropsReadable, DropsUnreadable};

/// After how long packages that still wait are asked for once more; doubled each time.
const AGAIN: Duration = Duration::from_secs(60);
/// No longer than this between two tries.
const AGAIN_MAX: Duration = Duration::from_secs(3600);

/// What earlier looks at a customer's folders found and asked for. A run may fail for a reason that is not the package's, such as settings that do
/// not fit; then the package waits on, and must not be tried at every look.
#[derive(Default)]
pub struct Drops {
    asked: Option<Asked>,
    troubled: BTreeSet<SourceId>,
}

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
        let in_hand = service.drops_in_hand(customer)?;
        // Its run may be taking the package in this very moment.
        if in_hand == Some(RequestState::Running) {
            return Ok(());
        }
        let arrivals = service.arrivals(customer)?;
        self.tell(customer.id(), &arrivals.troubles);
        // What another node asked for counts as asked for here.
        if self.is_due(arrivals.packages, now) && in_hand.is_none() {
            let asked = service.request_sync(customer, &Trigger::Drop);
            if asked.is_err() {
                // Nothing was asked for yet: the next look does.
                self.asked = None;
            }
            asked?;
        }
        Ok(())
    }

    /// Tells of trouble when it begins and when it ends. A customer that lives on drops would otherwise just not be synced
    /// any more.
    fn tell(&mut self, customer: &CustomerId, troubles: &[(SourceId, SourceError)]) {
        for (source, error) in troubles.iter().filter(|(source, _)| !self.troubled.contains(source)) {
            DropsUnreadable { customer, source, error }.emit();
        }
        let troubled: BTreeSet<SourceId> = troubles.iter().map(|(source, _)| source.clone()).collect();
        for source in self.troubled.difference(&troubled) {
            DropsReadable { customer, source }.emit();
        }
        self.troubled = troubled;
    }

    /// Whether to ask for these packages now: they are others than before, or waited long enough.
    fn is_due(&mut self, waiting: Vec<Package>, now: Instant) -> bool {
        if waiting.is_empty() {
            self.asked = None;
            return false;
        }
        let pause = match &self.asked {
            Some(asked) if asked.waiting == waiting && now < asked.again => return false,
            Some(asked) if asked.waiting == waiting => (asked.pause * 2).min(AGAIN_MAX),
            _ => AGAIN,
        };
        self.asked = Some(Asked { waiting, pause, again: now + pause });
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
        Package { name: name.into(), location: name.into(), digest: Some(Digest::of(bytes)), bytes: 0, since: None }
    }

    #[test]
    fn what_still_waits_is_asked_for_less_and_less_often() {
        let (mut drops, start) = (Drops::default(), Instant::now());
        let waiting = vec![package("1.zip", b"one")];
        let asked: Vec<u64> =
            (0..20_000).filter(|&second| drops.is_due(waiting.clone(), start + Duration::from_secs(second))).collect();
        let minutes: Vec<u64> = asked.iter().map(|second| second / 60).collect();
        assert_eq!(minutes, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303]);
    }

    #[test]
    fn other_packages_are_asked_for_at_once() {
        let (mut drops, now) = (Drops::default(), Instant::now());
        let [first, second] = [package("1.zip", b"one"), package("2.zip", b"two")];
        let mut is_due = |waiting: &[&Package]| drops.is_due(waiting.iter().copied().cloned().collect(), now);
        assert!(!is_due(&[]));
        assert!(is_due(&[&first]));
        assert!(!is_due(&[&first]));
        assert!(is_due(&[&first, &second]), "another one came");
        assert!(is_due(&[&second]), "the first was taken");
        assert!(is_due(&[&package("2.zip", b"other")]), "it was replaced");
        assert!(is_due(&[&package("3.zip", b"other")]), "it was taken, and came under a new name");
        assert!(!is_due(&[]));
        assert!(is_due(&[&package("3.zip", b"other")]), "it came once more");
    }
}
