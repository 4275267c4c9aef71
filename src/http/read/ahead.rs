//! What is coming, and what would have been. Nothing is written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::Day;
use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, object, schema_of};
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::http::read::pools::POOL;
use crate::http::says::{AS_OF, Ask, Input, Kind};
use crate::http::words::day;
use crate::service::Customer;
use crate::settings::{Turns, TurnsError, what_if};
use crate::shape::{RenewalsJson, forecast_json, what_if_json};

const ALL: Ask = Ask::new("all", Kind::Flag, "Every pool that has terms, also where nothing is to be done.");

/// See the module.
pub const AHEAD: &[Endpoint] = &[
    Endpoint::get(
        "/api/v1/renewals",
        Work::Asked(Deed::Look, all_renewals),
        "Terms that end, or have ended, without a successor, of all customers.",
        Output::Json(schema_of::<RenewalsJson>),
    )
    .asks(&[ALL, AS_OF]),
    Endpoint::get(
        "/api/v1/customers/{customer}/renewals",
        Work::Asked(Deed::Look, renewals),
        "The same of a customer.",
        Output::Json(schema_of::<RenewalsJson>),
    )
    .asks(&[ALL, AS_OF]),
    Endpoint::get(
        "/api/v1/customers/{customer}/forecast",
        Work::Asked(Deed::LookAtPeople, forecast),
        "The days to come: what will be used, which stages come, what cures them.",
        Output::Json(object),
    )
    .asks(&[POOL, Ask::new("days", Kind::Number(1, 730), "So many days after today; 90 if left out."), AS_OF]),
    Endpoint::post(
        "/api/v1/customers/{customer}/what-if",
        Work::Asked(Deed::LookAtPeople, otherwise),
        "A stretch of the past played again with other settings or seats.",
        Output::Json(object),
    )
    .asks(&[AS_OF])
    .takes(Input::Json(schema_of::<Otherwise>)),
];

/// What is to be otherwise.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Otherwise {
    /// In these pools only; in all if left out.
    pools: Vec<String>,
    /// The first day, in the customer's calendar; from the first commit on if left out.
    #[schemars(extend("format" = "date"))]
    from: Option<String>,
    /// The last day; up to now if left out.
    #[schemars(extend("format" = "date"))]
    to: Option<String>,
    /// Settings of the pools as they would have been.
    set: Vec<SettingTurn>,
    /// Seats more, or fewer, of one pool.
    seats: Vec<SeatsTurn>,
    /// Purchases that are left out, by grant.
    without: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SettingTurn {
    /// As in the settings file: `gap_band`.
    key: String,
    value: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SeatsTurn {
    /// How many; negative: fewer.
    #[schemars(range(min = -100_000_000, max = 100_000_000))]
    seats: i64,
    /// From this day on; all the time if left out.
    #[schemars(extend("format" = "date"))]
    from: Option<String>,
}

fn all_renewals(asking: &Asking<'_>, question: &Question) -> Answered {
    told(asking, question, &asking.customers().collect::<Vec<_>>())
}

fn renewals(asking: &Asking<'_>, question: &Question) -> Answered {
    told(asking, question, &[asking.customer(question.name("customer"))?])
}

fn told(asking: &Asking<'_>, question: &Question, customers: &[&Customer]) -> Answered {
    Answer::json(&RenewalsJson::new(&asking.service.renewals(customers, question.flag("all"))?))
}

fn forecast(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let customer = asking.customer(question.name("customer"))?;
    let days = question.count("days").and_then(|days| u32::try_from(days).ok()).unwrap_or(90);
    let forecast = asking.service.forecast(customer, question.pool(customer)?.as_ref(), days)?;
    Answer::json(&forecast_json(customer.id().as_str(), &forecast))
}

fn otherwise(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let customer = asking.customer(question.name("customer"))?;
    let Otherwise { pools, from, to, set, seats, without } = question.json()?;
    let set: Vec<(String, String)> = set.into_iter().map(|SettingTurn { key, value }| (key, value)).collect();
    let turn = |SeatsTurn { seats, from }: &SeatsTurn| -> Result<(i64, Option<Day>), Problem> {
        if seats.unsigned_abs() > 100_000_000 {
            return Err(Problem::bad_request("seats are at most 100000000"));
        }
        Ok((*seats, from.as_deref().map(day).transpose()?))
    };
    let seats: Vec<(i64, Option<Day>)> = seats.iter().map(turn).collect::<Result<_, _>>()?;
    let (from, to) = (from.as_deref().map(day).transpose()?, to.as_deref().map(day).transpose()?);
    let turns = Turns { pools: &pools, set: &set, seats: &seats, without: &without, from, to };
    let asked = what_if(customer, &turns).map_err(|error| match error {
        TurnsError::Unknown(error) => Problem::from(error),
        TurnsError::Senseless(why) => Problem::bad_request(why),
    })?;
    Answer::json(&what_if_json(customer.id().as_str(), &asking.service.what_if(customer, &asked)?))
}
