//! What all sources share that ask an upstream: the runtime, the upstreams, and how time passes.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::runtime::{Builder, Runtime};

use crate::source::http::address::{origin, parse};
use crate::source::http::outage::{Outage, Outages};
use crate::source::http::pace::Pace;
use crate::source::http::record::Recorder;
use crate::source::http::shared::SharedLimits;
use crate::source::http::upstream::{Manners, Upstream};

/// The way out to upstreams; cheap to clone, made once per process. Starts nothing before the first request.
#[derive(Clone)]
pub struct Network(Arc<Shared>);

struct Shared {
    pace: Pace,
    recorder: Option<Arc<dyn Recorder>>,
    runtime: OnceLock<io::Result<Runtime>>,
    upstreams: Mutex<BTreeMap<String, Arc<Upstream>>>,
    /// What sources of one account share, by a name of their own.
    accounts: Mutex<BTreeMap<String, Arc<dyn Any + Send + Sync>>>,
    outages: OnceLock<Arc<dyn Outages>>,
    limits: OnceLock<Arc<dyn SharedLimits>>,
    insists: AtomicBool,
}

impl Network {
    /// A network at this pace.
    pub fn new(pace: Pace) -> Self {
        Self::of(pace, None)
    }

    /// A network that tells `recorder` of every request.
    pub fn recorded(pace: Pace, recorder: Arc<dyn Recorder>) -> Self {
        Self::of(pace, Some(recorder))
    }

    fn of(pace: Pace, recorder: Option<Arc<dyn Recorder>>) -> Self {
        // The one TLS provider of the process; if there is one already, it is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self(Arc::new(Shared {
            pace,
            recorder,
            runtime: OnceLock::new(),
            upstreams: Mutex::default(),
            accounts: Mutex::default(),
            outages: OnceLock::new(),
            limits: OnceLock::new(),
            insists: AtomicBool::new(false),
        }))
    }

    /// Keeps outages there from now on. Called once, before the first request.
    pub fn keep_outages(&self, outages: Arc<dyn Outages>) {
        let _ = self.0.outages.set(outages);
    }

    /// Keeps limits of upstreams together with whoever else asks them from now on. Called once, before the first request.
    pub fn share_limits(&self, limits: Arc<dyn SharedLimits>) {
        let _ = self.0.limits.set(limits);
    }

    /// From now on also upstreams that failed again and again are asked: an operator wants to know.
    pub fn insist(&self) {
        self.0.insists.store(true, Ordering::SeqCst);
    }

    pub(crate) fn manners(&self) -> Manners<'_> {
        let outages = self.0.outages.get().map(|outages| &**outages);
        let limits = self.0.limits.get().map(|limits| &**limits);
        Manners { at: "", pace: &self.0.pace, outages, limits, insists: self.0.insists.load(Ordering::SeqCst) }
    }

    /// The outage of the upstream at an address, if it is left alone there for some time.
    pub fn outage(&self, address: &str) -> Option<Outage> {
        // A query belongs to the address of some token services, and to no other address.
        let url = parse(address.split('?').next().unwrap_or_default()).ok()?;
        self.upstream(&origin(&url)).outage(Manners { at: url.as_str(), ..self.manners() })
    }

    /// The same of the upstream of this name.
    pub(crate) fn outage_of(&self, name: &str) -> Option<Outage> {
        self.upstream(name).outage(self.manners())
    }

    /// What all sources of one account share; made by the first of them.
    pub(crate) fn account<T: Any + Send + Sync>(&self, name: String, make: impl Fn() -> T) -> Arc<T> {
        let mut accounts = self.0.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = accounts.entry(name).or_insert_with(|| Arc::new(make())).clone();
        known.downcast().unwrap_or_else(|_| Arc::new(make()))
    }

    /// How time passes here.
    pub fn pace(&self) -> &Pace {
        &self.0.pace
    }

    /// Who is told of requests, if anybody is.
    pub(crate) fn recorder(&self) -> Option<&dyn Recorder> {
        self.0.recorder.as_deref()
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
