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

/// A source was read from its upstream to the end, and all of it adds up.
pub struct PullRead<'a> {
    /// Customer and source.
    pub pull: &'a str,
    /// Records.
    pub rows: u64,
    /// Requests that it took.
    pub requests: u32,
    /// Pages that an earlier, broken-off pull had read already.
    pub resumed: u32,
    /// Only changes were asked for.
    pub partly: bool,
}

impl PullRead<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let PullRead { pull, rows, requests, resumed, partly } = *self;
        let what = if partly { "changes" } else { "everything" };
        info!(
            event = "pull_read",
            pull, rows, requests, resumed, partly, "Read {what} of {pull}: {rows} records by {requests} requests."
        );
    }
}

/// A file was fetched from another machine, whole.
pub struct FileFetched<'a> {
    /// Customer and source.
    pub pull: &'a str,
    /// Its name there.
    pub file: &'a str,
    /// Its length.
    pub bytes: u64,
}

impl FileFetched<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let FileFetched { pull, file, bytes } = *self;
        info!(event = "file_fetched", pull, file, bytes, "Fetched {file} of {pull}: {bytes} bytes.");
    }
}

/// The spool could not be used as it was; a broken-off pull will be read from its beginning, and nothing else is lost.
pub struct SpoolLost<'a> {
    /// Where it is.
    pub path: &'a str,
    /// Where what is left of it was moved, …
    pub aside: &'a str,
    /// … if it could be moved.
    pub moved: bool,
    /// Why.
    pub why: &'a str,
}

impl SpoolLost<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let SpoolLost { path, aside, moved, why } = *self;
        let what = if moved { format!("moved aside to {aside}") } else { "left as it is".to_owned() };
        warn!(
            event = "spool_lost",
            path, aside, moved, why, "The spool {path} cannot be used and was {what} ({why}); pulls that broke off start over."
        );
    }
}
