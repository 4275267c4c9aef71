//! The days to come, in JSON.

use serde_json::{Value, json};

use crate::base::{PoolId, ProductId};
use crate::license::{Cure, Phase};
use crate::plan::{Candidate, CandidateWhy, DayAhead, MoveAhead, PoolForecast, StageAhead};
use crate::service::Forecast;
use crate::shape::clock::{charge_json, fact_json, quote_json};
use crate::shape::common::{FreshnessJson, at, on};

/// What the numbers of a forecast rest on.
pub const FORECAST_ASSUMED: &str = "If no new roster arrives and nobody decides anything: held removals stay held, sources stay as fresh \
                       as they are, and notices of major overages arrive when they are written. Who will be hired, moved or \
                       removed is not known.";
/// A forecast.
pub fn forecast_json(customer: &str, forecast: &Forecast) -> Value {
    let Forecast { freshness, last, pools } = forecast;
    let mut value = serde_json::to_value(FreshnessJson::from(*freshness)).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("customer".to_owned(), customer.into());
        fields.insert("last".to_owned(), on(*last).into());
        fields.insert("assumed".to_owned(), FORECAST_ASSUMED.into());
        fields.insert("pools".to_owned(), pools.iter().map(pool_json).collect());
    }
    value
}

fn pool_json((pool, product, forecast): &(PoolId, ProductId, PoolForecast)) -> Value {
    let PoolForecast { days, stages, moves } = forecast;
    json!({
        "pool": pool.as_str(), "product": product.as_str(),
        "days": days.iter().map(day_json).collect::<Vec<_>>(),
        "stages": stages.iter().map(stage_json).collect::<Vec<_>>(),
        "moves": moves.iter().map(|(since, what)| move_json(at(*since), what)).collect::<Vec<_>>(),
    })
}

fn day_json(day: &DayAhead) -> Value {
    let DayAhead { day, used_max, used, waiting, suspended, allowance, band, term, stage } = day;
    json!({
        "day": on(*day), "used_max": used_max.0, "used": used.0, "limit": allowance.seats.map(|seats| seats.0),
        "agreed": allowance.agreed.0, "available": allowance.balance(*used).map(|balance| balance.0),
        "waiting": waiting.0, "suspended": suspended.0, "band": band.word(), "term": term.word(),
        "stage": stage.map(|stage| stage.word()),
    })
}

fn stage_json(stage: &StageAhead) -> Value {
    let StageAhead { at: since, day, stage, is_on, deadline, cures, candidates } = stage;
    let cures_json = cures.options.iter().map(|cure| {
        let Cure { remove, buy, tier, charge, suffices } = cure;
        json!({
            "remove": remove.0, "buy": buy.0, "tier": tier.map(|tier| tier.0), "cost": cure.cost(),
            "charge": charge.as_ref().map(charge_json), "suffices": suffices,
        })
    });
    let candidates = candidates.iter().map(|Candidate { person, why }| {
        let leaves = if let CandidateWhy::Leaves(day) = why { on(*day) } else { None };
        json!({"person": person, "why": why.word(), "leaves": leaves})
    });
    json!({
        "stage": stage.stage.word(), "why": stage.why.word(), "round": stage.round, "at": at(*since), "day": on(*day),
        "is_on": is_on, "deadline": deadline.and_then(at), "offer": stage.offer.as_ref().map(quote_json),
        "excess": cures.excess.0, "cures": cures_json.collect::<Vec<_>>(), "cheapest": cures.cheapest,
        "candidates": candidates.collect::<Vec<_>>(),
    })
}

fn move_json(since: Option<String>, what: &MoveAhead) -> Value {
    match what {
        MoveAhead::Fact(fact) => fact_json(fact),
        MoveAhead::Phase(Phase { state, term, since: _, term_end }) => json!({
            "step": "phase", "at": since, "state": state.word(), "term": term.as_ref().map(|term| term.as_str()),
            "term_end": at(*term_end),
        }),
    }
}
