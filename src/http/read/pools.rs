//! Pools, what was bought for them, who was pinned to them and who waits for them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::base::{Instant, PoolId};
use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::page::{AFTER, LIMIT, PAGE_THEN, page, since};
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::http::says::{AS_OF, Ask, Kind};
use crate::http::table::table;
use crate::plan::Standing;
use crate::service::Customer;
use crate::shape::report::{SEAT_REQUESTS, seat_request};
use crate::shape::{PoolDetailJson, PoolsJson, QueueJson, agreed_json, grant_json, pin_json, term_json};

/// See the module.
pub const POOLS: &[Endpoint] = &[
    Endpoint::get(
        "/api/v1/customers/{customer}/pools",
        Work::Asked(Deed::Look, pools),
        "The pools of a customer.",
        Output::Json(schema_of::<PoolsJson>),
    )
    .asks(&[AS_OF]),
    Endpoint::get(
        "/api/v1/customers/{customer}/pools/{pool}",
        Work::Asked(Deed::LookAtPeople, pool),
        "Why a pool's balance is what it is.",
        Output::Json(schema_of::<PoolDetailJson>),
    )
    .asks(&[
        Ask::new("since", Kind::Date, "Tell as well what changed from this day on, in the pool's calendar."),
        Ask::new("reasons", Kind::Flag, "Tell as well for which reasons its seats are held."),
        AS_OF,
    ]),
    Endpoint::get(
        "/api/v1/customers/{customer}/queue",
        Work::Asked(Deed::LookAtPeople, queue),
        "Who waits, in order.",
        Output::List(schema_of::<QueueJson>),
    )
    .asks(&[POOL, AS_OF, LIMIT, AFTER]),
    Endpoint::get(
        "/api/v1/customers/{customer}/grants",
        Work::Asked(Deed::Look, grants),
        "What was bought and what was agreed beyond it, by start.",
        Output::List(schema_of::<GrantsJson>),
    )
    .asks(&[POOL, AS_OF, LIMIT, AFTER]),
    Endpoint::get(
        "/api/v1/customers/{customer}/terms",
        Work::Asked(Deed::Look, terms),
        "For how long pools were bought, by start.",
        Output::List(schema_of::<TermsJson>),
    )
    .asks(&[POOL, AS_OF, LIMIT, AFTER]),
    Endpoint::get(
        "/api/v1/customers/{customer}/pins",
        Work::Asked(Deed::LookAtPeople, pins),
        "Who was given a seat by hand, or kept out.",
        Output::List(schema_of::<PinsJson>),
    )
    .asks(&[POOL, AS_OF, LIMIT, AFTER]),
    Endpoint::get(
        "/api/v1/customers/{customer}/seat-requests",
        Work::Asked(Deed::Look, seat_requests),
        "What the vendor was asked for, newest first.",
        Output::Rows(&SEAT_REQUESTS),
    )
    .asks(PAGE_THEN),
];

/// Only of one pool.
pub const POOL: Ask = Ask::new("pool", Kind::Text, "Of this pool only.");

#[derive(Serialize, JsonSchema)]
struct GrantsJson<'a> {
    customer: &'a str,
    /// Grants, and agreed excesses, which have no `grant_kind`.
    grants: Vec<Value>,
}

#[derive(Serialize, JsonSchema)]
struct TermsJson<'a> {
    customer: &'a str,
    terms: Vec<Value>,
}

#[derive(Serialize, JsonSchema)]
struct PinsJson<'a> {
    customer: &'a str,
    pins: Vec<Value>,
}

fn pools(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let pools = asking.service.pools(customer)?;
    Answer::json(&PoolsJson::new(customer.id().as_str(), asking.service.freshness(customer)?, &pools))
}

fn pool(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let service = asking.service;
    let customer = asking.customer(question.name("customer"))?;
    let id = PoolId::from(question.name("pool"));
    let pool = customer.pool(&id)?;
    let detail = service.pool_detail(customer, &id)?;
    let freshness = service.freshness(customer)?;
    let reasons = if question.flag("reasons") { Some(service.seats_by_reason(customer, &id)?) } else { None };
    let moves = match question.day("since") {
        Some(day) => Some((day, service.pool_moves(customer, &id, pool.calendar.start_of(day))?)),
        None => None,
    };
    Answer::json(&PoolDetailJson::new(customer, pool, &detail, freshness, moves.as_ref(), reasons.as_deref()))
}

fn queue(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let customer = asking.customer(question.name("customer"))?;
    let rows = asking.service.queue(customer, question.pool(customer)?.as_ref())?;
    let (rows, next) = page(question, rows, |row| {
        let weight = since(Instant(-i64::from(row.priority)));
        format!("{}\0{weight}{}{}", row.pool, since(row.since), row.person)
    })?;
    Answer::list(&QueueJson::new(customer.id().as_str(), asking.service.freshness(customer)?, &rows), next)
}

/// What of the books of a customer, without claims, concerns the pool that is asked about, or all.
fn recorded<'s, T>(
    asking: &Asking<'s>,
    question: &Question,
    read: impl Fn(&Standing, &dyn Fn(&PoolId) -> bool) -> T,
) -> Result<(&'s Customer, T), Problem> {
    let customer = asking.customer(question.name("customer"))?;
    let pool = question.pool(customer)?;
    let of = |id: &PoolId| pool.as_ref().is_none_or(|pool| pool == id);
    Ok((customer, asking.service.read_standing(customer, |standing| read(standing, &of))?))
}

fn grants(asking: &Asking<'_>, question: &Question) -> Answered {
    let (customer, mut rows) = recorded(asking, question, |standing, of| {
        let bought = standing.grants.iter().filter(|grant| of(&grant.pool));
        let agreed = standing.agreed.iter().filter(|agreed| of(&agreed.pool));
        let bought = bought.map(|grant| ((grant.from, grant.id.clone()), grant_json(grant)));
        let agreed = agreed.map(|agreed| ((agreed.from, agreed.id.clone()), agreed_json(agreed)));
        bought.chain(agreed).collect::<Vec<_>>()
    })?;
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    let (rows, next) = page(question, rows, |((from, id), _)| format!("{}{id}", since(*from)))?;
    let grants = rows.into_iter().map(|(_, grant)| grant).collect();
    Answer::list(&GrantsJson { customer: customer.id().as_str(), grants }, next)
}

fn terms(asking: &Asking<'_>, question: &Question) -> Answered {
    let (customer, mut terms) = recorded(asking, question, |standing, of| {
        standing.chain.iter().filter(|term| of(&term.pool)).cloned().collect::<Vec<_>>()
    })?;
    terms.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
    let (terms, next) = page(question, terms, |term| format!("{}{}", since(term.from), term.id))?;
    let terms = terms.iter().map(term_json).collect();
    Answer::list(&TermsJson { customer: customer.id().as_str(), terms }, next)
}

fn pins(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let (customer, mut pins) = recorded(asking, question, |standing, of| {
        standing.pins.iter().filter(|pin| of(&pin.pool)).cloned().collect::<Vec<_>>()
    })?;
    pins.sort_by(|a, b| (&a.pool, &a.person).cmp(&(&b.pool, &b.person)));
    let (pins, next) = page(question, pins, |pin| format!("{}\0{}", pin.pool, pin.person))?;
    let pins = pins.iter().map(pin_json).collect();
    Answer::list(&PinsJson { customer: customer.id().as_str(), pins }, next)
}

fn seat_requests(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let report = asking.service.seat_requests(customer)?;
    let rows = report.rows.iter().map(seat_request).collect();
    table(question, customer, report.freshness, &SEAT_REQUESTS, Vec::new(), rows)
}
