//! Runs: asked for, planned, done, undone.

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::RunId;
use crate::http::access::{Deed, may};
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::http::read::PLAN_LIMIT;
use crate::http::says::Input;
use crate::roster::Scope;
use crate::service::{Customer, Planned, RevertAnswer, SameDayAnswer};
use crate::shape::{NotRevertedJson, PlannedJson, QuotaJson, RunJson, at};
use crate::store::{Asked, Trigger};

/// See the module.
pub const RUN: &[Endpoint] = &[
    Endpoint::post(
        "/api/v1/customers/{customer}/requests",
        Work::Asked(Deed::Sync, sync),
        "Asks for a same-day run. The answer is immediate, the run is not; 429 if the day's are used up.",
        Output::Json(schema_of::<SyncAskedJson>),
    )
    .takes(Input::Json(schema_of::<SyncWish>))
    .status(202),
    Endpoint::post(
        "/api/v1/customers/{customer}/plans",
        Work::Asked(Deed::Sync, plan),
        "What a run would change, and why; changes no seat.",
        Output::Json(schema_of::<PlannedJson>),
    )
    .asks(&[PLAN_LIMIT])
    .takes(Input::Json(schema_of::<PlanWish>))
    .reads_sources(),
    Endpoint::post(
        "/api/v1/runs/{run}/apply",
        Work::Asked(Deed::Sync, apply),
        "Does what a kept plan says, if the books still are where they were. The plan that undoes a run is an operator's.",
        Output::Json(schema_of::<RunJson>),
    ),
    Endpoint::post(
        "/api/v1/runs/{run}/revert",
        Work::Asked(Deed::DecideHold, revert),
        "Undoes a committed run, or shows how.",
        Output::Json(schema_of::<PlannedJson>),
    )
    .asks(&[PLAN_LIMIT])
    .takes(Input::Json(schema_of::<RevertWish>))
    .refuses(schema_of::<NotRevertedJson>),
];

/// What a same-day run is to do (R96).
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct SyncWish {
    /// Read this source only.
    source: Option<String>,
    /// Take in this person only.
    person: Option<String>,
    /// Take in only the people who have or had a role in this org or below it; not together with `person`.
    org: Option<String>,
    /// Whoever is absent from a source that is read counts as gone at once.
    confirm_absences: bool,
    /// Read everything, also where changes since the last read would do.
    full: bool,
}

/// What a plan is to be for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct PlanWish {
    /// Read this source only.
    source: Option<String>,
    /// Take in this person only.
    person: Option<String>,
    /// Take in only the people who have or had a role in this org or below it; not together with `person`.
    org: Option<String>,
    /// Whoever is absent from a source that is read counts as gone at once.
    confirm_absences: bool,
}

/// How a run is undone.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RevertWish {
    /// Only plan it; `apply` then does exactly that.
    dry_run: bool,
}

/// A request that is in line.
#[derive(Serialize, JsonSchema)]
struct SyncAskedJson {
    request: u64,
    /// It joined one that was still in line (R97).
    joined: bool,
    /// Its place among all that are in line, from 1.
    position: u32,
    /// By when it is to be over.
    deadline: Option<String>,
    quota: QuotaJson,
}

fn asked(asking: &Asking<'_>, customer: &Customer, wish: PlanWish) -> Result<Asked, Problem> {
    let PlanWish { source, person, org, confirm_absences } = wish;
    if person.is_some() && org.is_some() {
        return Err(Problem::bad_request("name a person or an org, not both"));
    }
    let source = source.map(|source| customer.source(&source).map(|feed| feed.source.id().clone())).transpose()?;
    let scope = person.map(|key| Scope::Person(key.as_str().into()));
    let scope = scope.or_else(|| org.map(|org| Scope::Org(org.as_str().into())));
    Ok(Asked { by: asking.caller.actor(), source, confirm_absences, scope })
}

fn sync(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let SyncWish { source, person, org, confirm_absences, full } = question.json()?;
    let asked = asked(asking, customer, PlanWish { source, person, org, confirm_absences })?;
    if full {
        asking.service.forget_cursors(customer, asked.source.as_ref()).map_err(Problem::of_store)?;
    }
    match asking.service.request_same_day(customer, &asked)? {
        SameDayAnswer::Taken { place, deadline, quota } => {
            let (request, joined, position) = (place.request.0, place.joined, place.position);
            let told = SyncAskedJson { request, joined, position, deadline: at(deadline), quota: quota.into() };
            Answer::json_with(StatusCode::ACCEPTED, &told)
        }
        SameDayAnswer::Refused { quota } => {
            let next = at(quota.next).unwrap_or_else(|| "never".to_owned());
            let detail = format!("{} of {} same-day runs were asked for; the next one may be at {next}", quota.used, quota.max);
            Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "quota", detail))
        }
    }
}

fn plan(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let asked = asked(asking, customer, question.json()?)?;
    let Planned { run, plan } = asking.service.plan_now(customer, &Trigger::SameDay(asked))?;
    Answer::json(&PlannedJson::new(&run, plan.as_deref(), &customer.policy, question.limit()))
}

fn apply(asking: &Asking<'_>, question: &Question) -> Answered {
    let row = asking.run(question.number("run")?)?;
    // To apply it is to approve what its guard said.
    if matches!(row.trigger, Trigger::Revert(..)) && !may(asking.caller.role, Deed::DecideHold) {
        return Err(Problem::forbidden());
    }
    Answer::json(&RunJson::from(&asking.service.apply_plan(row.run, &asking.caller.actor())?))
}

fn revert(asking: &Asking<'_>, question: &Question) -> Answered {
    let run = question.number("run")?;
    let RevertWish { dry_run } = question.json()?;
    let customer = asking.run(run)?.customer;
    let customer = asking.customer(customer.as_str())?;
    match asking.service.revert(RunId(run), &asking.caller.actor(), !dry_run)? {
        RevertAnswer::Planned { run, plan } => {
            Answer::json(&PlannedJson::new(&run, Some(&plan), &customer.policy, question.limit()))
        }
        RevertAnswer::AlreadyReverted => Answer::json_with(StatusCode::CONFLICT, &NotRevertedJson::already(run)),
        RevertAnswer::NothingCommitted(state) => Answer::json_with(StatusCode::CONFLICT, &NotRevertedJson::nothing(run, state)),
    }
}
