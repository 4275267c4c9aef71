//! Queues, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::service::{Freshness, QueueRow};
use crate::shape::common::{FreshnessJson, at};

/// Who waits.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QueueJson<'a> {
    customer: &'a str,
    #[serde(flatten)]
    freshness: FreshnessJson,
    waiting: Vec<WaitingJson<'a>>,
}

/// One who waits.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WaitingJson<'a> {
    pool: &'a str,
    position: usize,
    person: &'a str,
    priority: i32,
    since: Option<String>,
    waits_for: &'static str,
    home: &'a str,
    reasons: &'a str,
}

impl<'a> QueueJson<'a> {
    /// The queue of a customer.
    pub fn new(customer: &'a str, freshness: Freshness, rows: &'a [QueueRow]) -> Self {
        Self { customer, freshness: freshness.into(), waiting: rows.iter().map(WaitingJson::from).collect() }
    }
}

impl<'a> From<&'a QueueRow> for WaitingJson<'a> {
    fn from(row: &'a QueueRow) -> Self {
        let QueueRow { pool, position, person, priority, since, waits_for, home, reasons } = row;
        let (pool, position, priority, since) = (pool.as_str(), *position, *priority, at(*since));
        Self { pool, position, person, priority, since, waits_for, home, reasons }
    }
}
