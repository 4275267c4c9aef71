//! Findings, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::store::FindingRow;

/// What a run found wrong in its sources.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FindingsJson<'a> {
    run: u64,
    /// All findings of the run, of whatever rule.
    total: u64,
    findings: Vec<FindingJson<'a>>,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FindingJson<'a> {
    number: u64,
    source: &'a str,
    level: &'a str,
    rule: &'a str,
    file: &'a str,
    row: u64,
    record: &'a str,
    field: &'a str,
    detail: &'a str,
}

impl<'a> FindingsJson<'a> {
    /// Some of a run's findings, of `total`.
    pub fn new(run: u64, total: u64, found: &'a [FindingRow]) -> Self {
        Self { run, total, findings: found.iter().map(FindingJson::from).collect() }
    }
}

impl<'a> From<&'a FindingRow> for FindingJson<'a> {
    fn from(finding: &'a FindingRow) -> Self {
        let FindingRow { number, source, level, rule, file, row, record, field, detail } = finding;
        Self { number: *number, source: source.as_str(), level, rule, file, row: *row, record, field, detail }
    }
}
