//! How customers stand, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::service::{CustomerStatus, SourceState};
use crate::shape::common::{FreshnessJson, HoldJson, PauseJson, PoolJson, QuotaJson, RunJson, at, notice_words};
use crate::store::DaemonMark;

/// The daemon at work.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DaemonJson {
    pid: u32,
    host: String,
    since: Option<String>,
}

/// A customer at a glance.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CustomerJson {
    customer: String,
    name: String,
    version: u64,
    #[serde(flatten)]
    freshness: FreshnessJson,
    pools: Vec<PoolJson>,
    last_run: Option<RunJson>,
    hold: Option<HoldJson>,
    notices: Vec<String>,
    same_day: QuotaJson,
    paused: Vec<PauseJson>,
    sources: Vec<SourceJson>,
}

/// A source of a customer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SourceJson {
    source: String,
    looked_at: Option<String>,
    read_in_full_at: Option<String>,
    trouble: Option<String>,
}

impl From<DaemonMark> for DaemonJson {
    fn from(mark: DaemonMark) -> Self {
        let DaemonMark { pid, host, since } = mark;
        Self { pid, host, since: at(since) }
    }
}

impl CustomerJson {
    /// For somebody who may see people, or may not: then nobody is named.
    pub fn seen(status: CustomerStatus, sees_people: bool) -> Self {
        Self {
            customer: status.customer,
            name: status.name,
            version: status.version,
            freshness: status.freshness.into(),
            pools: status.pools.iter().map(PoolJson::from).collect(),
            last_run: status.last_run.as_ref().map(|run| RunJson::seen(run, sees_people)),
            hold: status.hold.as_ref().map(|hold| HoldJson::seen(hold, sees_people)),
            notices: status.notices.iter().map(|notice| notice_words(notice, sees_people).to_owned()).collect(),
            same_day: status.same_day.into(),
            paused: status.paused.iter().map(PauseJson::from).collect(),
            sources: status.sources.into_iter().map(SourceJson::from).collect(),
        }
    }
}

impl From<CustomerStatus> for CustomerJson {
    fn from(status: CustomerStatus) -> Self {
        Self::seen(status, true)
    }
}

impl From<SourceState> for SourceJson {
    fn from(state: SourceState) -> Self {
        let SourceState { source, looked, read_in_full, trouble } = state;
        Self { source: source.to_string(), looked_at: looked.and_then(at), read_in_full_at: read_in_full.and_then(at), trouble }
    }
}
