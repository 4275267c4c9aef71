//! Decisions on what a guard held back.

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{PersonKey, RunId};
use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::question::Question;
use crate::http::says::Input;
use crate::service::{HoldAnswer, HoldDone};
use crate::shape::HoldDoneJson;

/// See the module.
pub const DECIDE: &[Endpoint] = &[
    Endpoint::post(
        "/api/v1/holds/{run}/approve",
        Work::Asked(Deed::DecideHold, approve),
        "Approves a hold, but for the people excepted, and does what was approved.",
        Output::Json(schema_of::<HoldDoneJson>),
    )
    .takes(Input::Json(schema_of::<Approval>))
    .refuses(schema_of::<HoldDoneJson>)
    .may_wait()
    .reads_sources(),
    Endpoint::post(
        "/api/v1/holds/{run}/reject",
        Work::Asked(Deed::DecideHold, reject),
        "Rejects a hold: the people stay as they are.",
        Output::Json(schema_of::<HoldDoneJson>),
    )
    .refuses(schema_of::<HoldDoneJson>)
    .may_wait(),
];

/// How a hold is approved (R120).
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Approval {
    /// These people stay as they are.
    except: Vec<String>,
    /// A collection that came back empty is right.
    allow_empty: bool,
}

fn approve(asking: &Asking<'_>, question: &Question) -> Answered {
    let run = question.number("run")?;
    let Approval { except, allow_empty } = question.json()?;
    asking.hold(run)?;
    let except: Vec<PersonKey> = except.iter().map(|key| PersonKey::from(key.as_str())).collect();
    decided(&asking.service.approve_hold(RunId(run), &asking.caller.actor(), &except, allow_empty, &|_| ())?)
}

fn reject(asking: &Asking<'_>, question: &Question) -> Answered {
    let run = question.number("run")?;
    asking.hold(run)?;
    decided(&asking.service.reject_hold(RunId(run), &asking.caller.actor())?)
}

fn decided(done: &HoldDone) -> Answered {
    let status = match (&done.answer, done.request) {
        (HoldAnswer::Done, None) => StatusCode::OK,
        (HoldAnswer::Done, Some(_)) => StatusCode::ACCEPTED,
        _ => StatusCode::CONFLICT,
    };
    Answer::json_with(status, &HoldDoneJson::from(done))
}
