//! Shapes of JSON for clocks of overages: facts, offers, charges, deliveries. Ids only, no names of people.

use serde_json::{Value, json};

use crate::license::{Charge, Clauses, ClockFact, ClockStep, Delivery, Interlock, Ladder, Quote, Settled, StageFact, Tier};
use crate::shape::common::{at, on};

/// A fact, told by `step`.
pub fn fact_json(fact: &ClockFact) -> Value {
    let ClockFact { pool, episode, at: since, recorded, by, step } = fact;
    let mut value = step_json(step);
    if let Value::Object(fields) = &mut value {
        fields.extend([
            ("pool".to_owned(), pool.as_str().into()),
            ("episode".to_owned(), episode.map(|id| id.0).into()),
            ("at".to_owned(), at(*since).into()),
            ("recorded".to_owned(), at(*recorded).into()),
            ("late".to_owned(), fact.is_late().into()),
            ("by".to_owned(), by.to_string().into()),
        ]);
    }
    value
}

fn step_json(step: &ClockStep) -> Value {
    match step {
        ClockStep::Continues { of, day0 } => json!({"step": "continues", "of": of.0, "day_0": on(*day0)}),
        ClockStep::Stage(StageFact { stage, why, round, notice, deadline, offer }) => json!({
            "step": "stage", "stage": stage.word(), "why": why.word(), "round": round, "notice": notice,
            "deadline": deadline.and_then(at), "offer": offer.as_ref().map(quote_json),
        }),
        ClockStep::GapEntered { notice } => json!({"step": "gap_entered", "notice": notice}),
        ClockStep::CureEnded { notice } => json!({"step": "cure_ended", "notice": notice}),
        ClockStep::Withheld { round, reasons, offer, notice } => json!({
            "step": "withheld", "round": round, "reasons": words(reasons), "notice": notice,
            "offer": offer.as_ref().map(quote_json),
        }),
        ClockStep::Approved { round, reason } => json!({"step": "approved", "round": round, "reason": reason}),
        ClockStep::Upgraded { round, grant, from, to, charge, notice } => json!({
            "step": "upgraded", "round": round, "grant": grant.as_str(), "from": from.0, "to": to.0, "notice": notice,
            "charge": charge.as_ref().map(charge_json),
        }),
        ClockStep::Settled(Settled { outcome, day0, day, elapsed, zone, weekend, holidays, clauses, notice }) => json!({
            "step": "settled", "outcome": outcome.word(), "day_0": on(*day0), "day": on(*day), "elapsed": elapsed,
            "calendar": calendar_json(zone, weekend.iter().map(|day| usize::from(*day)), holidays.iter().map(|day| on(*day))),
            "clauses": clauses_json(clauses), "notice": notice,
        }),
        ClockStep::Voided { notice } => json!({"step": "voided", "notice": notice}),
        ClockStep::Frozen { reason } => json!({"step": "billing_frozen", "reason": reason}),
        ClockStep::Unfrozen { reason } => json!({"step": "billing_unfrozen", "reason": reason}),
    }
}

fn words(reasons: &[Interlock]) -> Vec<&'static str> {
    reasons.iter().map(|reason| reason.word()).collect()
}

/// A calendar as far as it matters.
pub fn calendar_json(
    zone: &str,
    weekend: impl Iterator<Item = usize>,
    holidays: impl Iterator<Item = Option<String>>,
) -> Value {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let weekend: Vec<&str> = weekend.filter_map(|day| DAYS.get(day).copied()).collect();
    json!({"time_zone": zone, "weekend": weekend, "holidays": holidays.collect::<Vec<_>>()})
}

/// An upgrade on offer.
pub fn quote_json(quote: &Quote) -> Value {
    let Quote { from, to, day, until, charge } = quote;
    json!({
        "from": from.0, "to": to.0, "computed_for": on(*day), "until": on(*until),
        "charge": charge.as_ref().map(charge_json),
    })
}

/// A charge, in minor units.
pub fn charge_json(charge: &Charge) -> Value {
    let Charge { currency, price_old, price_new, days_left, days_in_year, amount } = charge;
    json!({
        "currency": currency, "price_old": price_old, "price_new": price_new, "days_left": days_left,
        "days_in_year": days_in_year, "amount": amount,
    })
}

/// The clauses of a pool, in the words of the settings.
pub fn clauses_json(clauses: &Clauses) -> Value {
    let Clauses {
        gap_band,
        count_first_day,
        merge_gap_business_days,
        minor_business_days,
        major_after_business_days,
        cure_business_days,
        major_cure_hours,
        major_cure_calendar,
        major_cure_from,
        auto_upgrade,
        ladder: Ladder { tiers, jump, currency },
    } = clauses;
    let tiers: Vec<Value> = tiers.iter().map(|Tier { seats, price }| json!({"seats": seats.0, "price_minor": price})).collect();
    json!({
        "gap_band": gap_band.word(), "count_first_day": count_first_day,
        "merge_gap_business_days": merge_gap_business_days, "minor_business_days": minor_business_days,
        "major_after_business_days": major_after_business_days, "cure_business_days": cure_business_days,
        "major_cure_hours": major_cure_hours, "major_cure_calendar": major_cure_calendar.word(),
        "major_cure_from": major_cure_from.word(), "auto_upgrade": auto_upgrade.word(),
        "tiers": {"jump": jump.word(), "currency": currency, "ladder": tiers},
    })
}

/// A delivery of a notice.
pub fn delivery_json(delivery: &Delivery) -> Value {
    let Delivery { key, episode, channel, at: arrived, recorded, by } = delivery;
    json!({
        "notice": key, "episode": episode.map(|id| id.0), "channel": channel, "at": at(*arrived),
        "recorded": at(*recorded), "by": by.to_string(),
    })
}
