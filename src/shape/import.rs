//! Files of people by hand, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::Policy;
use crate::service::{Import, ImportReport, Kept, TokenRefusal};
use crate::shape::common::RunJson;
use crate::shape::plan::PlanJson;

/// An import, previewed or done (R133, R134).
#[derive(Debug, Serialize, JsonSchema)]
pub struct ImportJson<'a> {
    run: RunJson,
    plan: Option<PlanJson<'a>>,
    report: ImportReportJson<'a>,
    /// Confirms it; `null` if there is nothing to confirm.
    token: Option<&'a str>,
}

/// What a file of people comes to.
#[derive(Debug, Serialize, JsonSchema)]
struct ImportReportJson<'a> {
    rows: u64,
    created: &'a [String],
    updated: &'a [String],
    removed: &'a [String],
    kept: Vec<KeptJson<'a>>,
    unchanged: u64,
    of_sources: u64,
    elsewhere: u64,
    refused: u64,
    absence_untellable: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct KeptJson<'a> {
    person: &'a str,
    why: &'static str,
}

/// Why a confirmation does not count.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ImportRefusedJson {
    /// A stable code.
    pub refused: &'static str,
    /// In words.
    pub message: String,
}

impl From<TokenRefusal> for ImportRefusedJson {
    fn from(why: TokenRefusal) -> Self {
        let message = match why {
            TokenRefusal::Unknown => "no preview of this customer gave this token".to_owned(),
            TokenRefusal::Used => "this token was used; each works once".to_owned(),
            TokenRefusal::Expired => "this token is older than 72 hours".to_owned(),
            TokenRefusal::OtherFile => "the file or the options are not those that were previewed".to_owned(),
            TokenRefusal::Moved { planned, now } => {
                format!("the books moved since the preview, from version {planned} to {now}")
            }
            TokenRefusal::Different => {
                "it would do something else than the preview showed: a date or a setting changed".to_owned()
            }
        };
        Self { refused: why.word(), message }
    }
}

impl<'a> ImportJson<'a> {
    /// An import; `limit` bounds the lists of its plan.
    pub fn new(done: &'a Import, policy: &'a Policy, limit: usize) -> Self {
        let Import { run, plan, report, token } = done;
        Self {
            run: RunJson::from(run),
            plan: plan.as_deref().map(|plan| PlanJson::new(plan, policy, limit)),
            report: ImportReportJson::from(report),
            token: token.as_deref(),
        }
    }
}

impl<'a> From<&'a ImportReport> for ImportReportJson<'a> {
    fn from(report: &'a ImportReport) -> Self {
        let ImportReport {
            rows,
            created,
            updated,
            removed,
            kept,
            unchanged,
            of_sources,
            elsewhere,
            refused,
            absence_untellable,
        } = report;
        Self {
            rows: *rows,
            created,
            updated,
            removed,
            kept: kept.iter().map(|Kept { person, why }| KeptJson { person, why: why.word() }).collect(),
            unchanged: *unchanged,
            of_sources: *of_sources,
            elsewhere: *elsewhere,
            refused: *refused,
            absence_untellable: *absence_untellable,
        }
    }
}
