//! Rows of nodes: processes that work on a store.

use crate::base::{CustomerId, Instant, RequestId};

/// A process that works on the store, and that others take for alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// How it is written beside what it works on.
    pub mark: String,
    /// Its machine; empty where it did not say.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// Since when.
    pub since: Instant,
    /// It is a daemon: it takes requests. Others are commands that write.
    pub daemon: bool,
    /// So many seconds ago it last said that it lives.
    pub seen_secs: u64,
    /// The requests it works on.
    pub work: Vec<NodeWork>,
}

/// A request that a node works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeWork {
    /// Whose.
    pub customer: CustomerId,
    /// Which.
    pub request: RequestId,
    /// Since when.
    pub since: Instant,
}
