//! What all sources share that ask an upstream: the runtime, the upstreams, and how time passes.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::base::Instant;
use crate::source::http::upstream::Upstream;

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
        let waits = Arc::new(Mutex::new(Vec::<Duration>::new()));
        let (all, add) = (waits.clone(), waits.clone());
        let pace = Self::of(
            || Instant(1_700_000_000_000),
            move || all.lock().expect("no panic").iter().sum(),
            move |time| add.lock().expect("no panic").push(time),
        );
        (pace, move || waits.lock().expect("no panic").clone())
    }
}

/// The way out to upstreams; cheap to clone, made once per process. Starts nothing before the first request.
#[derive(Clone)]
pub struct Network(Arc<Shared>);

struct Shared {
    pace: Pace,
    runtime: OnceLock<io::Result<Runtime>>,
    upstreams: Mutex<BTreeMap<String, Arc<Upstream>>>,
}

impl Network {
    /// A network at this pace.
    pub fn new(pace: Pace) -> Self {
        // The one TLS provider of the process; if there is one already, it is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self(Arc::new(Shared { pace, runtime: OnceLock::new(), upstreams: Mutex::default() }))
    }

    /// How time passes here.
    pub fn pace(&self) -> &Pace {
        &self.0.pace
    }

    /// The runtime that drives requests. One thread is plenty: it moves bytes, and the callers' threads do the rest.
    pub(crate) fn runtime(&self) -> io::Result<&Runtime> {
        let made = self.0.runtime.get_or_init(|| {
            Builder::new_multi_thread().worker_threads(1).max_blocking_threads(8).thread_name("network").enable_all().build()
        });
        made.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))
    }

    /// The upstream of this name.
    pub(crate) fn upstream(&self, name: &str) -> Arc<Upstream> {
        let mut upstreams = self.0.upstreams.lock().unwrap_or_else(PoisonError::into_inner);
        upstreams.entry(name.to_owned()).or_insert_with(|| Arc::new(Upstream::new(name.to_owned()))).clone()
    }
}

impl Drop for Shared {
    /// Without waiting: whoever drops it may be an async thread, which must not block.
    fn drop(&mut self) {
        if let Some(Ok(runtime)) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
