//! Limits of an upstream that several nodes keep together.

use std::time::Duration;

/// What came of asking for a place among the requests to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceTaken {
    /// Nobody else asks it, or nobody can say: this process keeps the limits by itself.
    Alone,
    /// The place of this number. The request may start after so long.
    After(u64, Duration),
    /// As many requests are under way as may be, or whoever gives places is away: asked again in a moment.
    NotYet,
}

/// Whoever gives places among requests, so that the limits hold whoever asks. Nothing here can fail.
pub trait SharedLimits: Send + Sync {
    /// Takes a place: `parallel_max` at once, and `gap` between the starts of two.
    fn take(&self, upstream: &str, parallel_max: u32, gap: Duration) -> PlaceTaken;

    /// The request of a place is over.
    fn end(&self, number: u64);

    /// Nobody starts a request before a pause is over.
    fn pause(&self, upstream: &str, pause: Duration);
}
