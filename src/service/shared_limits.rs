//! Limits of upstreams that the nodes of one store keep together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::source::{PlaceTaken, SharedLimits};
use crate::store::{PlaceGiven, SharedStore, StoreError};

/// So long after a store was away it is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Gives places by rows of the store. While the store is away nobody gets one; no run could end without it either.
pub struct StoredLimits(Arc<Shared>);

struct Shared {
    store: SharedStore,
    /// The number of the next place. Numbers of one process are never given twice.
    next: AtomicU64,
    debts: Mutex<Debts>,
}

#[derive(Default)]
struct Debts {
    /// Places that could not be given back so far, or may have been taken unheard.
    owed: Vec<u64>,
    /// A thread gives them back.
    is_seen_to: bool,
}

impl StoredLimits {
    /// Of this store.
    pub fn new(store: SharedStore) -> Self {
        Self(Arc::new(Shared { store, next: AtomicU64::new(1), debts: Mutex::default() }))
    }
}

impl Shared {
    fn debts(&self) -> MutexGuard<'_, Debts> {
        self.debts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back what is owed, up to the first that cannot be; whether nothing is left. What is just being given back stays
    /// owed until it is: somebody else may give it back once more.
    fn settle(&self) -> bool {
        while let Some(number) = self.last_owed() {
            if !self.is_given_back(number) {
                return false;
            }
            self.debts().owed.retain(|owed| *owed != number);
        }
        true
    }

    fn last_owed(&self) -> Option<u64> {
        self.debts().owed.last().copied()
    }

    /// Whether the store heard of it, or never will: a server may be read-only or full for a while, too.
    fn is_given_back(&self, number: u64) -> bool {
        matches!(self.store.end_place(number), Ok(()) | Err(StoreError::SchemaNewer { .. }))
    }

    /// Owes a place. Other nodes wait for it, also where nobody here asks again: so a thread sees to it.
    fn owe(self: &Arc<Self>, number: u64) {
        let mut debts = self.debts();
        debts.owed.push(number);
        if std::mem::replace(&mut debts.is_seen_to, true) {
            return;
        }
        drop(debts);
        // With the store it ends: what a process owes that is over is nobody's any more.
        let shared = Arc::downgrade(self);
        let see_to_it = move || {
            while let Some(shared) = shared.upgrade() {
                if shared.settle() && shared.is_done() {
                    break;
                }
                drop(shared);
                thread::sleep(PAUSE);
            }
        };
        if thread::Builder::new().name("rosterd-places".into()).spawn(see_to_it).is_err() {
            self.debts().is_seen_to = false;
        }
    }

    /// Whether nothing is owed; then nobody sees to it any more.
    fn is_done(&self) -> bool {
        let mut debts = self.debts();
        debts.is_seen_to = !debts.owed.is_empty();
        !debts.is_seen_to
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl SharedLimits for StoredLimits {
    fn take(&self, upstream: &str, parallel_max: u32, gap: Duration) -> PlaceTaken {
        // Whoever cannot give back gets nothing new.
        if !self.0.settle() {
            return PlaceTaken::Unheard;
        }
        let number = self.0.next.fetch_add(1, Ordering::SeqCst);
        match self.0.store.take_place(upstream, number, parallel_max, micros(gap)) {
            Ok(PlaceGiven::Alone) => PlaceTaken::Alone,
            Ok(PlaceGiven::After(after)) => PlaceTaken::After(number, Duration::from_micros(after)),
            Ok(PlaceGiven::Full) => PlaceTaken::NotYet,
            Err(StoreError::Away { .. } | StoreError::Busy { .. }) => {
                self.0.owe(number);
                PlaceTaken::Unheard
            }
            // Whatever it is, the others ask, too.
            Err(_) => PlaceTaken::Unheard,
        }
    }

    fn end(&self, number: u64) {
        if !self.0.is_given_back(number) {
            self.0.owe(number);
        }
    }

    fn pause(&self, upstream: &str, pause: Duration) {
        // What is not heard elsewhere is heard there by the next answer.
        let _ = self.0.store.pause_upstream(upstream, micros(pause));
    }
}
