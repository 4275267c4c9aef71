//! People of a roster, one forgotten, and log-ins, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::roster::Finding;
use crate::service::{ActivityAnswer, ForgetAnswer, PersonState, PersonView};

/// People of the newest roster.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PeopleJson<'a> {
    customer: &'a str,
    /// How many there are in all.
    total: usize,
    people: Vec<PersonJson<'a>>,
}

/// A person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PersonJson<'a> {
    person: &'a str,
    name: &'a str,
    state: &'a str,
    /// While absent: from how many complete snapshots in a row.
    absent: Option<u32>,
    /// While removed: the day of the purge, if there is one.
    until: Option<String>,
    roles: &'a [String],
    live_enrollments: usize,
    claims: &'a [String],
}

impl<'a> From<&'a PersonView> for PersonJson<'a> {
    fn from(view: &'a PersonView) -> Self {
        let PersonView { key, name, state, roles, live_enrollments, claims } = view;
        let absent = if let PersonState::Absent { count, of: _ } = state { Some(*count) } else { None };
        let until = if let PersonState::Removed { until } = state { until.map(|day| day.to_string()) } else { None };
        Self { person: key, name, state: state.word(), absent, until, roles, live_enrollments: *live_enrollments, claims }
    }
}

impl<'a> PeopleJson<'a> {
    /// Some of a customer's people, of `total`.
    pub fn new(customer: &'a str, total: usize, found: &'a [PersonView]) -> Self {
        Self { customer, total, people: found.iter().map(PersonJson::from).collect() }
    }
}

/// What came of the wish that a person be forgotten (R129).
#[derive(Debug, Serialize, JsonSchema)]
pub struct ForgetJson<'a> {
    /// A stable code.
    pub answer: &'static str,
    /// In words.
    pub text: String,
    /// Who.
    pub person: &'a str,
    /// The version it committed; `null` if it was refused.
    pub version: Option<u64>,
}

impl<'a> ForgetJson<'a> {
    /// Of a person.
    pub fn new(person: &'a str, answer: &ForgetAnswer) -> Self {
        let (code, text, version) = match answer {
            ForgetAnswer::Forgotten(receipt) => {
                ("forgotten", "no snapshot names the person any more".to_owned(), Some(receipt.version.0))
            }
            ForgetAnswer::Forgetting(receipt) => (
                "forgetting",
                "snapshots that a run under way has read name the person until it is over; they go by themselves".to_owned(),
                Some(receipt.version.0),
            ),
            ForgetAnswer::StillDelivered(source) => (
                "still_delivered",
                format!(
                    "source {source} still delivers the person: let it end the person or leave the record out, sync until \
                     `rosterd people` says removed, then ask again"
                ),
                None,
            ),
            ForgetAnswer::NotRemovedYet => (
                "not_removed_yet",
                "the person is missing but not removed: sync until the absence is confirmed, or decide what a guard holds"
                    .to_owned(),
                None,
            ),
            ForgetAnswer::HoldsClaims(pools) => {
                let pools: Vec<&str> = pools.iter().map(|pool| pool.as_str()).collect();
                (
                    "holds_claims",
                    format!("the person has claims in {}: free them with `rosterd pool pin … deny`", pools.join(", ")),
                    None,
                )
            }
        };
        Self { answer: code, text, person, version }
    }
}

/// A file of log-ins that was taken in (R144).
#[derive(Debug, Serialize, JsonSchema)]
pub struct ActivityJson<'a> {
    customer: &'a str,
    taken: bool,
    rows: u64,
    news: u64,
    bad: u64,
    findings: Vec<ActivityFindingJson<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ActivityFindingJson<'a> {
    rule: &'a str,
    file: &'a str,
    row: u64,
    record: &'a str,
    field: &'a str,
    detail: &'a str,
}

impl<'a> ActivityJson<'a> {
    /// Of a customer.
    pub fn new(customer: &'a str, answer: &'a ActivityAnswer) -> Self {
        let ActivityAnswer { rows, news, bad, findings, taken } = answer;
        let finding = |f: &'a Finding| ActivityFindingJson {
            rule: f.rule,
            file: &f.file,
            row: f.row,
            record: &f.record,
            field: &f.field,
            detail: &f.detail,
        };
        let findings = findings.iter().map(finding).collect();
        Self { customer, taken: *taken, rows: *rows, news: *news, bad: *bad, findings }
    }
}
