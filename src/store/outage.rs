//! Upstreams that fail, as they are kept. Operational: losing a row costs a few requests.

use crate::base::Instant;

/// Failed requests to one upstream in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutageRow {
    /// Its origin.
    pub upstream: String,
    /// How many.
    pub failures: u32,
    /// When the first of them failed.
    pub since: Instant,
    /// When it was last decided to leave it alone.
    pub opened: Instant,
    /// For how long from then on, in seconds; 0: not at all.
    pub rest_secs: u64,
    /// Why the last one failed.
    pub error: String,
}
