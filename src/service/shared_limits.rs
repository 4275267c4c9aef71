//! Limits of upstreams that the nodes of one store keep together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::source::{PlaceTaken, SharedLimits};
use crate::store::{PlaceGiven, SharedStore, StoreError};

/// Gives places by rows of the store. While the store is away nobody gets one; no run could end without it either.
pub struct StoredLimits {
    store: SharedStore,
    /// The number of the next place. Numbers of one process are never given twice.
    next: AtomicU64,
    /// Places that could not be given back so far, or may have been taken unheard.
    owed: Mutex<Vec<u64>>,
}

impl StoredLimits {
    /// Of this store.
    pub fn new(store: SharedStore) -> Self {
        Self { store, next: AtomicU64::new(1), owed: Mutex::default() }
    }

    fn owed(&self) -> std::sync::MutexGuard<'_, Vec<u64>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl SharedLimits for StoredLimits {
    fn take(&self, upstream: &str, parallel_max: u32, gap: Duration) -> PlaceTaken {
        let owed = std::mem::take(&mut *self.owed());
        owed.into_iter().for_each(|number| self.end(number));
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        match self.store.take_place(upstream, number, parallel_max, micros(gap)) {
            Ok(PlaceGiven::Alone) => PlaceTaken::Alone,
            Ok(PlaceGiven::After(after)) => PlaceTaken::After(number, Duration::from_micros(after)),
            Ok(PlaceGiven::Full) => PlaceTaken::NotYet,
            Err(StoreError::Away { .. } | StoreError::Busy { .. }) => {
                self.owed().push(number);
                PlaceTaken::NotYet
            }
            Err(_) => PlaceTaken::Alone,
        }
    }

    fn end(&self, number: u64) {
        if let Err(StoreError::Away { .. } | StoreError::Busy { .. }) = self.store.end_place(number) {
            self.owed().push(number);
        }
    }

    fn pause(&self, upstream: &str, pause: Duration) {
        // What is not heard elsewhere is heard there by the next answer.
        let _ = self.store.pause_upstream(upstream, micros(pause));
    }
}
