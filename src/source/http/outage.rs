//! Upstreams that fail, as they are kept over a restart.

use crate::base::Instant;

/// Failed requests to one upstream in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Its origin: scheme, host and port.
    pub upstream: String,
    /// Failed requests, repeats not counted.
    pub failures: u32,
    /// When the first of them failed.
    pub since: Instant,
    /// When the circuit was last opened, or opened anew.
    pub opened: Instant,
    /// How long nothing is asked from then on, in seconds; 0: it failed too few times for that.
    pub rest_secs: u64,
    /// Why the last one failed; fits after "could not".
    pub error: String,
}

impl Outage {
    /// When the next request is let through.
    pub fn until(&self) -> Instant {
        self.opened.plus_millis(i64::try_from(self.rest_secs).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000))
    }
}

/// Where outages are kept. What cannot be kept is known to this process alone: nothing else is lost, so that nothing here
/// can fail.
pub trait Outages: Send + Sync {
    /// What is kept of an upstream; `None`: it answered last.
    fn outage(&self, upstream: &str) -> Option<Outage>;

    /// Keeps what is known of an upstream.
    fn keep(&self, outage: &Outage);

    /// An upstream answers again.
    fn forget(&self, upstream: &str);
}
