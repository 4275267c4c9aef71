//! Runs, what they found, and requests for them.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::{CustomerId, RequestId, RunId};
use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::page::{AFTER, Cursor, LIMIT, PAGE, down, down_of, page, up};
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::http::says::{Ask, Kind};
use crate::shape::{FindingsJson, PlannedJson, RunJson, at};
use crate::store::{RequestState, RunRow};

/// How many rows of each long list of a plan are told.
pub const PLAN_LIMIT: Ask = Ask::new(
    "limit",
    Kind::Number(1, 1_000_000),
    "Tell at most so many changes, and so many things withheld; 100 if left out.",
);

/// Rows are read at least so many at a time: those of customers that are no longer in the settings are passed over.
const ROWS_MIN: u32 = 100;

/// See the module.
pub const RUNS: &[Endpoint] = &[
    Endpoint::get(
        "/api/v1/customers/{customer}/runs",
        Work::Asked(Deed::Look, runs),
        "Runs of a customer, newest first.",
        Output::List(schema_of::<RunsJson>),
    )
    .asks(PAGE),
    Endpoint::get(
        "/api/v1/runs",
        Work::Asked(Deed::Look, all_runs),
        "Runs of all customers that the token may see, newest first.",
        Output::List(schema_of::<RunsJson>),
    )
    .asks(PAGE),
    Endpoint::get("/api/v1/runs/{run}", Work::Asked(Deed::Look, run), "A run.", Output::Json(schema_of::<RunJson>)),
    Endpoint::get(
        "/api/v1/runs/{run}/events",
        Work::Asked(Deed::Look, events),
        "How a run goes on, as server-sent events: `run` whenever something of it changed, `over` at its end.",
        Output::Events(schema_of::<RunJson>),
    ),
    Endpoint::get(
        "/api/v1/runs/{run}/plan",
        Work::Asked(Deed::LookAtPeople, plan),
        "A run with its plan: what changes, and why.",
        Output::Json(schema_of::<PlannedJson>),
    )
    .asks(&[PLAN_LIMIT]),
    Endpoint::get(
        "/api/v1/runs/{run}/findings",
        Work::Asked(Deed::LookAtPeople, findings),
        "What a run found wrong in its sources.",
        Output::List(schema_of::<FindingsJson>),
    )
    .asks(&[Ask::new("rule", Kind::Text, "Of this rule only."), LIMIT, AFTER]),
    Endpoint::get(
        "/api/v1/requests/{request}",
        Work::Asked(Deed::Look, request),
        "A request for a run: whether it is over, and the run it came to.",
        Output::Json(schema_of::<RequestJson>),
    ),
];

#[derive(Serialize, JsonSchema)]
struct RunsJson {
    runs: Vec<RunJson>,
}

#[derive(Serialize, JsonSchema)]
struct RequestJson {
    request: u64,
    customer: String,
    /// `queued`, `running` or `done`.
    state: &'static str,
    /// The run it came to; while it is running, the one under way.
    run: Option<u64>,
    at: Option<String>,
}

fn runs(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    listed(asking, question, Some(customer.id()))
}

fn all_runs(asking: &Asking<'_>, question: &Question) -> Answered {
    listed(asking, question, asking.caller.customer.as_ref())
}

/// A page of runs. Those of customers that are no longer in the settings are told by the command line alone.
fn listed(asking: &Asking<'_>, question: &Question, customer: Option<&CustomerId>) -> Answered {
    let wrong = || Problem::bad_request("after is not a cursor that a page ended with");
    let mut before = Cursor::of(question)?.map(|cursor| down_of(&cursor.key).ok_or_else(wrong)).transpose()?.map(RunId);
    // A page needs no more than itself and a sign that there is more.
    let wanted = question.limit() + 1;
    let limit = u32::try_from(wanted).unwrap_or(u32::MAX).max(ROWS_MIN);
    let seen: BTreeSet<&CustomerId> = asking.customers().map(|customer| customer.id()).collect();
    let mut rows: Vec<RunRow> = Vec::new();
    while rows.len() < wanted {
        let mut found = asking.service.store().runs_before(customer, before, limit).map_err(Problem::of_store)?;
        let Some(last) = found.last() else { break };
        before = Some(last.run);
        found.retain(|row| seen.contains(&row.customer));
        rows.append(&mut found);
    }
    let (rows, next) = page(question, rows, |row| down(row.run.0))?;
    Answer::list(&RunsJson { runs: rows.iter().map(|row| RunJson::seen(row, asking.sees_people())).collect() }, next)
}

fn run(asking: &Asking<'_>, question: &Question) -> Answered {
    Answer::json(&RunJson::seen(&asking.run(question.number("run")?)?, asking.sees_people()))
}

fn events(asking: &Asking<'_>, question: &Question) -> Answered {
    Answer::run(asking.run(question.number("run")?)?.run)
}

fn plan(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let row = asking.run(question.number("run")?)?;
    let plan = asking.service.run_plan(&row)?;
    let customer = asking.customer(row.customer.as_str())?;
    Answer::json(&PlannedJson::new(&row, plan.as_ref(), &customer.policy, question.limit()))
}

fn findings(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let run = question.number("run")?;
    let total = asking.run(run)?.tally.findings;
    // They are written once and in order.
    let place = Cursor::of(question)?.map_or(0, |cursor| cursor.place);
    let wanted = place.saturating_add(question.limit() + 1);
    let found = asking.service.run_findings(RunId(run), question.text("rule"), wanted)?;
    let (found, next) = page(question, found, |finding| up(finding.number))?;
    Answer::list(&FindingsJson::new(run, total, &found), next)
}

fn request(asking: &Asking<'_>, question: &Question) -> Answered {
    let request = question.number("request")?;
    let unknown = || Problem::unknown("request", &request.to_string());
    let store = asking.service.store();
    let row = store.request_row(RequestId(request)).map_err(Problem::of_store)?.ok_or_else(unknown)?;
    asking.customer(row.customer.as_str()).map_err(|_| unknown())?;
    let (state, run) = match row.state {
        RequestState::Queued => ("queued", None),
        RequestState::Done => ("done", row.run),
        RequestState::Running => {
            let newest = store.runs(Some(&row.customer), 1).map_err(Problem::of_store)?;
            ("running", newest.first().filter(|run| !run.state.is_over()).map(|run| run.run))
        }
    };
    let (customer, run) = (row.customer.to_string(), run.map(|run| run.0));
    Answer::json(&RequestJson { request, customer, state, run, at: at(row.at) })
}
