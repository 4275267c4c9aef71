//! Sources that are left unread for a while (R108), and log-ins that others tell (R144).

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{ErrorChain, SourceId};
use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::http::says::Input;
use crate::http::words::{day, told};
use crate::service::ACTIVITY_BYTES_MAX;
use crate::shape::{ActivityJson, PausedJson, ResumedJson};
use crate::store::Pause;

/// See the module.
pub const SOURCES: &[Endpoint] = &[
    Endpoint::post(
        "/api/v1/customers/{customer}/pauses",
        Work::Asked(Deed::Administer, pause),
        "Leaves a source unread for a while; seats, dates and notices go on.",
        Output::Json(schema_of::<PausedJson>),
    )
    .takes(Input::Json(schema_of::<PauseWish>)),
    Endpoint::delete(
        "/api/v1/customers/{customer}/pauses/{source}",
        Work::Asked(Deed::Administer, resume),
        "Lifts the pauses of a source that were made by hand.",
        Output::Json(schema_of::<ResumedJson>),
    ),
    Endpoint::post(
        "/api/v1/customers/{customer}/sources/{source}/check",
        Work::Asked(Deed::Sync, check),
        "Asks a source whether it can be reached and looks sane, unless it is left alone after failures; reads no people and changes nothing.",
        Output::Json(schema_of::<CheckedJson>),
    ),
    Endpoint::post(
        "/api/v1/customers/{customer}/activity",
        Work::Asked(Deed::Administer, activity),
        "Takes in log-ins: a CSV file with the columns person, last_login and, if it tells, product.",
        Output::Json(schema_of::<ActivityJson>),
    )
    .takes(Input::Csv(ACTIVITY_BYTES_MAX))
    .refuses(schema_of::<ActivityJson>),
];

/// A pause of a source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PauseWish {
    source: String,
    /// The first day it is not read, in the customer's calendar; from now on if left out.
    #[schemars(extend("format" = "date"))]
    from: Option<String>,
    /// The first day it is read again.
    #[schemars(extend("format" = "date"))]
    to: String,
    /// Why; no personal data.
    #[schemars(length(min = 1, max = 1000), regex(pattern = "\\S"))]
    reason: String,
}

#[derive(Serialize, JsonSchema)]
struct CheckedJson<'a> {
    customer: &'a str,
    source: &'a str,
    /// It can be reached and looks sane.
    ok: bool,
    /// What it said, or what is wrong and what to do.
    detail: String,
}

fn check(asking: &Asking<'_>, question: &Question) -> Answered {
    let (customer, source) = (asking.customer(question.name("customer"))?, question.name("source"));
    let (ok, detail) = match asking.service.check_source(customer, &SourceId::from(source))? {
        Ok(detail) => (true, detail),
        Err(error) => (false, format!("could not {}", ErrorChain(&error))),
    };
    Answer::json(&CheckedJson { customer: customer.id().as_str(), source, ok, detail })
}

fn pause(asking: &Asking<'_>, question: &Question) -> Answered {
    let (service, customer) = (asking.service, asking.customer(question.name("customer"))?);
    let calendar = &customer.policy.calendar;
    let PauseWish { source, from, to, reason } = question.json()?;
    let from = from.as_deref().map(day).transpose()?;
    let pause = Pause {
        source: SourceId::from(source.as_str()),
        from: from.map_or(service.now(), |day| calendar.start_of(day)),
        to: calendar.start_of(day(&to)?),
        reason: told("reason", reason)?,
    };
    if pause.to <= pause.from || pause.to <= service.now() {
        return Err(Problem::bad_request(format!("to {to} leaves no time to pause")));
    }
    service.pause(customer, &pause, &asking.caller.actor())?;
    Answer::json(&PausedJson::new(customer.id().as_str(), &pause))
}

fn resume(asking: &Asking<'_>, question: &Question) -> Answered {
    let (customer, source) = (asking.customer(question.name("customer"))?, question.name("source"));
    let (lifted, still) = asking.service.resume(customer, &SourceId::from(source), &asking.caller.actor())?;
    Answer::json(&ResumedJson::new(customer.id().as_str(), source, lifted, still.as_ref()))
}

fn activity(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let answer = asking.service.import_activity(customer, "upload.csv", question.bytes())?;
    let status = if answer.taken { StatusCode::OK } else { StatusCode::CONFLICT };
    Answer::json_with(status, &ActivityJson::new(customer.id().as_str(), &answer))
}
