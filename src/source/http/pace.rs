//! How time passes for requests.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Instant;

type Now = dyn Fn() -> Instant + Send + Sync;
type Elapsed = dyn Fn() -> Duration + Send + Sync;
type Wait = dyn Fn(Duration) + Send + Sync;

/// How time passes: given from outside, so that a test need not wait for a day to be over.
#[derive(Clone)]
pub struct Pace {
    now: Arc<Now>,
    elapsed: Arc<Elapsed>,
    wait: Arc<Wait>,
}

impl Pace {
    /// The machine's. `now` tells the time of day: signatures carry it.
    pub fn machine(now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        let start = std::time::Instant::now();
        Self { now: Arc::new(now), elapsed: Arc::new(move || start.elapsed()), wait: Arc::new(std::thread::sleep) }
    }

    /// A pace of the caller's: the time of day, the time since some moment, and waiting.
    pub fn of(
        now: impl Fn() -> Instant + Send + Sync + 'static,
        elapsed: impl Fn() -> Duration + Send + Sync + 'static,
        wait: impl Fn(Duration) + Send + Sync + 'static,
    ) -> Self {
        Self { now: Arc::new(now), elapsed: Arc::new(elapsed), wait: Arc::new(wait) }
    }

    /// The time of day.
    pub fn now(&self) -> Instant {
        (self.now)()
    }

    /// The time since some moment that stays the same; never goes back.
    pub fn elapsed(&self) -> Duration {
        (self.elapsed)()
    }

    /// Waits.
    pub fn wait(&self, time: Duration) {
        (self.wait)(time);
    }

    /// A pace at which waiting takes no time, with a list of what was waited for.
    #[cfg(test)]
    pub(crate) fn fast() -> (Self, impl Fn() -> Vec<Duration>) {
        let waits = Arc::new(std::sync::Mutex::new(Vec::<Duration>::new()));
        let (all, add) = (waits.clone(), waits.clone());
        let pace = Self::of(
            || Instant(1_700_000_000_000),
            move || all.lock().expect("no panic").iter().sum(),
            move |time| add.lock().expect("no panic").push(time),
        );
        (pace, move || waits.lock().expect("no panic").clone())
    }
}
