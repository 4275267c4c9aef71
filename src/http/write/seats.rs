//! Who has a seat, by hand (R9, R32, R37, R47, R163), and the wish for more seats (R155).

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{Day, PersonKey, PoolId, Seats};
use crate::http::access::{Deed, may};
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::http::says::Input;
use crate::http::words::{day, told};
use crate::http::write::decided::decided;
use crate::license::{Pin, PinKind};
use crate::plan::Decision;
use crate::service::Customer;
use crate::shape::{DecisionJson, SeatsAskedJson};

/// See the module.
pub const SEATS: &[Endpoint] = &[
    Endpoint::post(
        "/api/v1/customers/{customer}/pools/{pool}/pins",
        Work::Asked(Deed::Seats, pin),
        "Gives a person a seat, or keeps a person out, whatever the rules say.",
        Output::Json(schema_of::<DecisionJson>),
    )
    .takes(Input::Json(schema_of::<PinWish>))
    .refuses(schema_of::<DecisionJson>),
    Endpoint::delete(
        "/api/v1/customers/{customer}/pools/{pool}/pins/{person}",
        Work::Asked(Deed::Seats, unpin),
        "Lifts a pin; the rules decide again from the next run on.",
        Output::Json(schema_of::<DecisionJson>),
    )
    .refuses(schema_of::<DecisionJson>),
    Endpoint::post(
        "/api/v1/customers/{customer}/pools/{pool}/transfers",
        Work::Asked(Deed::Seats, transfer),
        "Hands a seat from one person to another, in one commit.",
        Output::Json(schema_of::<DecisionJson>),
    )
    .takes(Input::Json(schema_of::<TransferWish>))
    .refuses(schema_of::<DecisionJson>),
    Endpoint::post(
        "/api/v1/customers/{customer}/pools/{pool}/acceptances",
        Work::Asked(Deed::Seats, accept),
        "Records that a person accepted the invitation.",
        Output::Json(schema_of::<DecisionJson>),
    )
    .takes(Input::Json(schema_of::<Acceptance>))
    .refuses(schema_of::<DecisionJson>),
    Endpoint::post(
        "/api/v1/customers/{customer}/pools/{pool}/seat-requests",
        Work::Asked(Deed::Seats, request),
        "Asks the vendor for more seats: composes the request with the current numbers and records it.",
        Output::Json(schema_of::<SeatsAskedJson>),
    )
    .takes(Input::Json(schema_of::<SeatsWish>)),
];

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum PinWord {
    /// The person has a seat whatever the rules say.
    Assign,
    /// The person has none whatever the rules say.
    Deny,
}

/// A pin.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PinWish {
    /// The person key.
    person: String,
    decision: PinWord,
    /// Why; no personal data.
    #[schemars(length(min = 1, max = 1000), regex(pattern = "\\S"))]
    reason: String,
    /// The last day it holds, in the pool's calendar; until lifted if left out.
    #[schemars(extend("format" = "date"))]
    until: Option<String>,
    /// Assign although the pool has no seat, or does not serve the person; the balance goes below zero, cause
    /// manual_override. Takes the deed `money`: what is over may be charged.
    #[serde(default, rename = "override")]
    insist: bool,
}

/// A seat that is handed on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TransferWish {
    /// Who gives it.
    from: String,
    /// Who takes it.
    to: String,
    /// Why; no personal data.
    #[schemars(length(min = 1, max = 1000), regex(pattern = "\\S"))]
    reason: String,
}

/// An invitation that was accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    /// The person key.
    person: String,
}

/// A wish for more seats.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SeatsWish {
    /// How many more.
    #[schemars(range(min = 1, max = 100_000_000))]
    seats: u32,
    /// What the vendor should know; no personal data.
    note: Option<String>,
}

fn place<'s>(asking: &Asking<'s>, question: &Question) -> Result<(&'s Customer, PoolId), Problem> {
    let customer = asking.customer(question.name("customer"))?;
    let pool = PoolId::from(question.name("pool"));
    // Whoever is of one org is not told what others there are.
    let unknown = |error| match asking.caller.org {
        Some(_) => Problem::unknown("pool", pool.as_str()),
        None => Problem::from(error),
    };
    customer.pool(&pool).map_err(unknown)?;
    Ok((customer, pool))
}

fn decide(asking: &Asking<'_>, question: &Question, customer: &Customer, decision: &Decision) -> Answered {
    decided(&asking.service.decide_on(customer, &asking.caller.actor(), decision, question.version)?)
}

fn pin(asking: &Asking<'_>, question: &Question) -> Answered {
    let (customer, pool) = place(asking, question)?;
    let PinWish { person, decision, reason, until, insist } = question.json()?;
    asking.person(customer, &person, Some(&pool))?;
    let kind = match decision {
        // What it takes a pool over its limit by may be charged (R51).
        PinWord::Assign if insist && !may(asking.caller.role, Deed::Money) => return Err(Problem::forbidden()),
        PinWord::Assign => {
            asking.pool(customer, &pool)?;
            PinKind::Assign
        }
        PinWord::Deny if insist => return Err(Problem::bad_request("override is for assign: a deny needs no seat")),
        PinWord::Deny => PinKind::Deny,
    };
    let until = until.as_deref().map(day).transpose()?.unwrap_or(Day::MAX);
    let today = customer.pool(&pool)?.calendar.day_of(asking.service.now());
    if until < today {
        return Err(Problem::bad_request(format!("until {until} is over; today is {today}")));
    }
    let (by, at) = (asking.caller.actor(), asking.service.now());
    let pin = Pin { person: person.as_str().into(), pool, kind, by, at, reason: told("reason", reason)?, until };
    decide(asking, question, customer, &Decision::Pin { pin, insist })
}

fn unpin(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let (person, pool) = (question.person(), PoolId::from(question.name("pool")));
    asking.person(customer, person.as_str(), Some(&pool))?;
    // Also one on a pool that is gone from the settings.
    let standing = asking.service.store().standing_light(customer.id()).map_err(Problem::of_store)?;
    if !standing.terms.contains_key(&pool) {
        customer.pool(&pool)?;
    }
    decide(asking, question, customer, &Decision::Unpin { person, pool })
}

fn transfer(asking: &Asking<'_>, question: &Question) -> Answered {
    let (customer, pool) = place(asking, question)?;
    let TransferWish { from, to, reason } = question.json()?;
    if from == to {
        return Err(Problem::bad_request("a seat is handed from one person to another"));
    }
    asking.pool(customer, &pool)?;
    asking.person(customer, &from, Some(&pool))?;
    asking.person(customer, &to, Some(&pool))?;
    let reason = told("reason", reason)?;
    let pin = |person: &str, kind| Pin {
        person: PersonKey::from(person),
        pool: pool.clone(),
        kind,
        by: asking.caller.actor(),
        at: asking.service.now(),
        reason: reason.clone(),
        until: Day::MAX,
    };
    let decision = Decision::Transfer { give: pin(&from, PinKind::Deny), take: pin(&to, PinKind::Assign) };
    decide(asking, question, customer, &decision)
}

fn accept(asking: &Asking<'_>, question: &Question) -> Answered {
    let (customer, pool) = place(asking, question)?;
    let Acceptance { person } = question.json()?;
    asking.person(customer, &person, Some(&pool))?;
    decide(asking, question, customer, &Decision::Accept { person: person.as_str().into(), pool })
}

fn request(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let (customer, pool) = place(asking, question)?;
    let SeatsWish { seats, note } = question.json()?;
    if !(1..=100_000_000).contains(&seats) {
        return Err(Problem::bad_request("seats is a number from 1 to 100000000"));
    }
    let note = note.filter(|note| !note.is_empty()).map(|note| told("note", note)).transpose()?.unwrap_or_default();
    let asked = asking.service.request_seats(customer, &pool, Seats(seats), &note, &asking.caller.actor())?;
    Answer::json(&SeatsAskedJson::new(customer.id().as_str(), &asked))
}
