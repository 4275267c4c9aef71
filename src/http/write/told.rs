//! What starts, stops and decides clocks of overages: billing, upgrades, deliveries (R66, R67, R69, R153). The vendor's.

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{EpisodeId, PoolId};
use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::question::Question;
use crate::http::says::Input;
use crate::http::words::{channel, instant, told};
use crate::service::{ClockAnswer, DeliveryAnswer};
use crate::shape::{BillingJson, DeliveredJson, UpgradeJson};

/// See the module.
pub const TOLD: &[Endpoint] = &[
    Endpoint::post(
        "/api/v1/customers/{customer}/pools/{pool}/billing",
        Work::Asked(Deed::Money, billing),
        "Freezes the billing of a pool, or lets it go on: nothing is upgraded by itself while it is frozen.",
        Output::Json(schema_of::<BillingJson>),
    )
    .takes(Input::Json(schema_of::<BillingWish>)),
    Endpoint::post(
        "/api/v1/customers/{customer}/episodes/{episode}/approve-upgrade",
        Work::Asked(Deed::Money, approve),
        "Approves the upgrade that is proposed for a major overage.",
        Output::Json(schema_of::<UpgradeJson>),
    )
    .takes(Input::Json(schema_of::<Reason>))
    .refuses(schema_of::<UpgradeJson>),
    Endpoint::post(
        "/api/v1/customers/{customer}/notices/delivered",
        Work::Asked(Deed::Money, deliver),
        "Records that a notice arrived. That of a major overage starts its cure window.",
        Output::Json(schema_of::<DeliveredJson>),
    )
    .takes(Input::Json(schema_of::<Arrived>))
    .refuses(schema_of::<DeliveredJson>),
];

/// Whether billing is to be frozen.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BillingWish {
    frozen: bool,
    /// Why; no personal data.
    #[schemars(length(min = 1, max = 1000), regex(pattern = "\\S"))]
    reason: String,
}

/// Why something is done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// Why; no personal data.
    #[schemars(length(min = 1, max = 1000), regex(pattern = "\\S"))]
    reason: String,
}

/// A notice that arrived.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arrived {
    /// The notice's key.
    key: String,
    /// By which channel: phone, mail, letter.
    #[schemars(regex(pattern = "^[a-z0-9_-]{1,32}$"))]
    channel: String,
    /// When it arrived; now if left out.
    #[schemars(extend("format" = "date-time"))]
    at: Option<String>,
}

fn billing(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let pool = PoolId::from(question.name("pool"));
    let BillingWish { frozen, reason } = question.json()?;
    let reason = told("reason", reason)?;
    let answer = asking.service.freeze_billing(customer, &pool, frozen, &asking.caller.actor(), &reason)?;
    if !frozen {
        // What was due meanwhile happens now; if that fails, in a minute.
        let _ = asking.service.sweep(customer);
    }
    Answer::json(&BillingJson::new(customer.id().as_str(), pool.as_str(), &answer, frozen))
}

fn approve(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let episode = question.number("episode")?;
    let Reason { reason } = question.json()?;
    let reason = told("reason", reason)?;
    let answer = asking.service.approve_upgrade(customer, EpisodeId(episode), &asking.caller.actor(), &reason)?;
    let status = match answer {
        ClockAnswer::Done | ClockAnswer::AlreadySo => StatusCode::OK,
        ClockAnswer::Closed(_) | ClockAnswer::NotMajor(_) => StatusCode::CONFLICT,
    };
    Answer::json_with(status, &UpgradeJson::new(episode, &answer))
}

fn deliver(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let Arrived { key, channel: by, at } = question.json()?;
    let at = at.as_deref().map(instant).transpose()?;
    let answer = asking.service.deliver(customer, &key, channel(&by)?, at, &asking.caller.actor())?;
    let status = match answer {
        DeliveryAnswer::Done(_) | DeliveryAnswer::AlreadySo(_) => StatusCode::OK,
        DeliveryAnswer::NotThen { .. } => StatusCode::CONFLICT,
    };
    Answer::json_with(status, &DeliveredJson::from(&answer))
}
