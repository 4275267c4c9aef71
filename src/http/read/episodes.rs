//! Overages, and what was told of them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::base::{EpisodeId, Instant};
use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, object, schema_of};
use crate::http::page::{AFTER, Cursor, LIMIT, PAGE, down, page, since};
use crate::http::question::Question;
use crate::http::read::pools::POOL;
use crate::http::says::AS_OF;
use crate::shape::{FreshnessJson, episode_document_json, episode_file_json, episode_view_json, notices_json};

/// See the module.
pub const EPISODES: &[Endpoint] = &[
    Endpoint::get(
        "/api/v1/customers/{customer}/episodes",
        Work::Asked(Deed::Look, episodes),
        "Overages of a customer, newest first.",
        Output::List(schema_of::<EpisodesJson>),
    )
    .asks(&[POOL, AS_OF, LIMIT, AFTER]),
    Endpoint::get(
        "/api/v1/customers/{customer}/episodes/{episode}",
        Work::Asked(Deed::Look, episode),
        "An overage with its stages, notices and deliveries.",
        Output::Json(object),
    )
    .asks(&[AS_OF]),
    Endpoint::get(
        "/api/v1/customers/{customer}/episodes/{episode}/export",
        Work::Asked(Deed::LookAtPeople, export),
        "All that is known of an overage, with the commits that prove it, for a dispute.",
        Output::Json(object),
    )
    .asks(&[AS_OF]),
    Endpoint::get(
        "/api/v1/customers/{customer}/notices",
        Work::Asked(Deed::LookAtPeople, notices),
        "What was told, newest first, with its deliveries.",
        Output::List(object),
    )
    .asks(PAGE),
];

#[derive(Serialize, JsonSchema)]
struct EpisodesJson<'a> {
    customer: &'a str,
    #[serde(flatten)]
    freshness: FreshnessJson,
    /// Each an overage with its clock.
    episodes: Vec<Value>,
}

fn episodes(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let views = asking.service.episodes(customer, question.pool(customer)?.as_ref())?;
    let (views, next) = page(question, views, |view| down(view.episode.id.0))?;
    let episodes = views.iter().map(episode_view_json).collect();
    let freshness = FreshnessJson::from(asking.service.freshness(customer)?);
    Answer::list(&EpisodesJson { customer: customer.id().as_str(), freshness, episodes }, next)
}

fn episode(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let file = asking.service.episode_file(customer, EpisodeId(question.number("episode")?))?;
    let mut value = episode_file_json(&file, asking.sees_people());
    value["customer"] = customer.id().as_str().into();
    Answer::json(&value)
}

fn export(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let customer = asking.customer(question.name("customer"))?;
    let file = asking.service.episode_file(customer, EpisodeId(question.number("episode")?))?;
    let trail = asking.service.episode_trail(customer, &file.view.episode)?;
    Answer::json(&episode_document_json(customer, &file, &trail, asking.service.now()))
}

fn notices(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let customer = asking.customer(question.name("customer"))?;
    let limit = match Cursor::of(question)? {
        None => u32::try_from(question.limit() + 1).unwrap_or(u32::MAX),
        Some(_) => u32::MAX,
    };
    let (found, next) = page(question, asking.service.notices(customer, limit)?, |view| {
        let newest_first = since(Instant(view.notice.at.0.saturating_neg()));
        format!("{newest_first}{}", view.notice.key)
    })?;
    Answer::list(&notices_json(customer.id().as_str(), &found), next)
}
