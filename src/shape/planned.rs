//! Runs with their plans, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::{Plan, Policy};
use crate::shape::common::RunJson;
use crate::shape::plan::PlanJson;
use crate::store::{RunRow, RunState};

/// A run with its plan.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlannedJson<'a> {
    run: RunJson,
    plan: Option<PlanJson<'a>>,
}

impl<'a> PlannedJson<'a> {
    /// Their JSON.
    pub fn new(row: &RunRow, plan: Option<&'a Plan>, policy: &'a Policy, limit: usize) -> Self {
        Self { run: row.into(), plan: plan.map(|plan| PlanJson::new(plan, policy, limit)) }
    }
}

/// Why a run cannot be undone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NotRevertedJson {
    /// A stable code.
    pub answer: &'static str,
    /// In words.
    pub text: String,
    /// Which run.
    pub run: u64,
}

impl NotRevertedJson {
    /// It is undone.
    pub fn already(run: u64) -> Self {
        Self { answer: "already_reverted", text: "it is undone already".to_owned(), run }
    }

    /// It did nothing.
    pub fn nothing(run: u64, state: RunState) -> Self {
        Self { answer: "nothing_committed", text: format!("it is {state} and changed nothing"), run }
    }
}
