//! Processes that work on the store, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::shape::common::at;
use crate::store::NodeRow;

/// Nodes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NodesJson {
    nodes: Vec<NodeJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct NodeJson {
    node: String,
    host: String,
    pid: u32,
    since: Option<String>,
    /// It takes requests; others are commands that write.
    daemon: bool,
    /// So many seconds ago it last said that it lives.
    seen_secs: u64,
    work: Vec<WorkJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WorkJson {
    customer: String,
    request: u64,
    since: Option<String>,
}

impl NodesJson {
    /// The nodes, in their order.
    pub fn new(nodes: &[NodeRow]) -> Self {
        Self { nodes: nodes.iter().map(node).collect() }
    }
}

fn node(node: &NodeRow) -> NodeJson {
    let NodeRow { mark, host, pid, since, daemon, seen_secs, work } = node;
    let work = work.iter().map(|work| WorkJson {
        customer: work.customer.to_string(),
        request: work.request.0,
        since: at(work.since),
    });
    NodeJson {
        node: mark.clone(),
        host: host.clone(),
        pid: *pid,
        since: at(*since),
        daemon: *daemon,
        seen_secs: *seen_secs,
        work: work.collect(),
    }
}
