//! What happens to upstreams: hosts that rosters are read from.

use tracing::{info, warn};

/// An upstream failed again and again; it is left alone for some time. Told once per outage.
pub struct UpstreamDown<'a> {
    /// Its origin: scheme, host and port.
    pub upstream: &'a str,
    /// Failed requests in a row, repeats not counted.
    pub failures: u32,
    /// The time until the next try, in seconds; the following ones are longer, up to a day.
    pub rest_secs: u64,
    /// The last failure; says what could not be done.
    pub error: &'a str,
}

impl UpstreamDown<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let UpstreamDown { upstream, failures, rest_secs, error } = *self;
        warn!(
            event = "upstream_down",
            upstream,
            failures,
            rest_secs,
            error,
            "Upstream {upstream} failed {failures} times in a row and is left alone for {rest_secs} s, then ever longer, up to \
             a day. The last time we could not {error}."
        );
    }
}

/// An upstream that had failed answers again.
pub struct UpstreamBack<'a> {
    /// Its origin.
    pub upstream: &'a str,
}

impl UpstreamBack<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let UpstreamBack { upstream } = *self;
        info!(event = "upstream_back", upstream, "Upstream {upstream} answers again.");
    }
}
