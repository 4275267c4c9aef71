//! What keeps the program itself running: deliveries, tokens, nodes. The vendor's.

use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::page::{AFTER, Cursor, LIMIT, PAGE, down, page, up};
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::http::says::{Ask, Kind};
use crate::shape::{AlertsJson, NodesJson, TokensJson};
use crate::store::AlertState;

const STATES: &[&str] = &["waiting", "accepted", "delivered", "dead"];

/// See the module.
pub const OPERATE: &[Endpoint] = &[
    Endpoint::get(
        "/api/v1/alerts",
        Work::Asked(Deed::Operate, alerts),
        "Deliveries of notices, newest first.",
        Output::List(schema_of::<AlertsJson>),
    )
    .asks(&[Ask::new("state", Kind::Word(STATES), "In this state only; `dead`: those that were given up."), LIMIT, AFTER]),
    Endpoint::get(
        "/api/v1/tokens",
        Work::Asked(Deed::Operate, tokens),
        "Tokens ever made; their texts are not known.",
        Output::List(schema_of::<TokensJson>),
    )
    .asks(PAGE),
    Endpoint::get(
        "/api/v1/nodes",
        Work::Asked(Deed::Operate, nodes),
        "The processes that work on the store, and what each of them does.",
        Output::Json(schema_of::<NodesJson>),
    ),
];

fn alerts(asking: &Asking<'_>, question: &Question) -> Answered {
    let state = question.text("state");
    let state = state.and_then(|word| AlertState::ALL.into_iter().find(|state| state.word() == word));
    let own = asking.caller.customer.as_ref();
    // The first page of all needs no more than itself and a sign that there is more.
    let limit = match Cursor::of(question)? {
        None if own.is_none() => u32::try_from(question.limit() + 1).unwrap_or(u32::MAX),
        _ => u32::MAX,
    };
    let mut rows = asking.outbox.list(state, limit)?;
    rows.retain(|row| own.is_none_or(|own| *own == row.notice.customer));
    let (rows, next) = page(question, rows, |row| down(row.id))?;
    Answer::list(&AlertsJson::new(asking.outbox, &rows), next)
}

fn tokens(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.all_customers()?;
    let (rows, next) = page(question, asking.service.tokens()?, |(row, _)| up(row.id))?;
    Answer::list(&TokensJson::new(&rows), next)
}

fn nodes(asking: &Asking<'_>, _: &Question) -> Answered {
    asking.all_customers()?;
    Answer::json(&NodesJson::new(&asking.service.store().nodes().map_err(Problem::of_store)?))
}
