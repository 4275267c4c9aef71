//! Holds and decisions on them, in JSON.

use serde::Serialize;

use crate::license::Hold;
use crate::plan::Plan;
use crate::service::{Customer, HoldAnswer, HoldDone};
use crate::shape::common::{HoldJson, RunJson};
use crate::shape::plan::OutlookJson;

/// Holds.
#[derive(Debug, Serialize)]
pub struct HoldsJson {
    holds: Vec<HeldJson>,
}

/// A hold of a list.
#[derive(Debug, Serialize)]
pub struct HeldJson {
    customer: String,
    #[serde(flatten)]
    hold: HoldJson,
}

/// A hold, and what approving it would do.
#[derive(Debug, Serialize)]
pub struct HoldDetailJson<'a> {
    customer: &'a str,
    #[serde(flatten)]
    hold: HoldJson,
    /// What approving it would do now; `null` if it is not open, or its packages are not to be had now.
    if_approved: Option<HoldEffectJson<'a>>,
}

/// What approving would do.
#[derive(Debug, Serialize)]
pub struct HoldEffectJson<'a> {
    released: u64,
    seated: u64,
    pools: Vec<OutlookJson<'a>>,
}

/// What came of a decision.
#[derive(Debug, Serialize)]
pub struct HoldDoneJson {
    answer: &'static str,
    text: String,
    hold: HoldJson,
    /// The run that did what was approved.
    run: Option<RunJson>,
    /// Where a run was under way: the request whose run does it next.
    request: Option<u64>,
}

impl HoldsJson {
    /// Holds with whose they are.
    pub fn new(found: &[(&Customer, Hold)]) -> Self {
        let held = found.iter().map(|(customer, hold)| HeldJson { customer: customer.id().to_string(), hold: hold.into() });
        Self { holds: held.collect() }
    }
}

impl<'a> HoldDetailJson<'a> {
    /// A hold, and the plan of its approval.
    pub fn new(customer: &'a str, hold: &Hold, plan: Option<&'a Plan>) -> Self {
        let if_approved = plan.map(|plan| HoldEffectJson {
            released: plan.pools.iter().map(|pool| u64::from(pool.released.0)).sum(),
            seated: plan.pools.iter().map(|pool| u64::from(pool.seated.0)).sum(),
            pools: plan.pools.iter().map(OutlookJson::from).collect(),
        });
        Self { customer, hold: HoldJson::from(hold), if_approved }
    }
}

impl From<&HoldDone> for HoldDoneJson {
    fn from(done: &HoldDone) -> Self {
        let (answer, text) = hold_answer(done);
        let (run, request) = (done.run.as_ref().map(RunJson::from), done.request.map(|request| request.0));
        Self { answer, text, hold: HoldJson::from(&done.hold), run, request }
    }
}

/// What came of a decision, as a stable code and as a sentence.
pub fn hold_answer(done: &HoldDone) -> (&'static str, String) {
    let HoldDone { answer, hold, run: _, request } = done;
    match answer {
        HoldAnswer::Done => {
            let next = request.map_or_else(String::new, |request| {
                format!("; a run is under way, and request {request} does what was approved when it is over")
            });
            ("done", format!("hold {} is {}{next}", hold.run, hold.state.word()))
        }
        HoldAnswer::NotOpen(state) => ("not_open", format!("hold {} is {} already", hold.run, state.word())),
        HoldAnswer::Expired => ("expired", format!("hold {} could be decided until {}", hold.run, hold.deadline)),
        HoldAnswer::NeedsAllowEmpty => (
            "needs_allow_empty",
            format!("hold {}: a collection came back empty; say --allow-empty if that is right", hold.run),
        ),
        HoldAnswer::NotCovered(person) => ("not_covered", format!("hold {} does not cover {person}", hold.run)),
    }
}
