//! What was bought, what was agreed beyond it, and for how long (R16 to R18, R92). The vendor's.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::{Day, GrantId, Instant, PoolId, Seats};
use crate::http::access::Deed;
use crate::http::answer::Answered;
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::http::says::Input;
use crate::http::words::{day, told};
use crate::http::write::decided;
use crate::license::{AgreedExcess, Grant, GrantKind, RenewalBasis};
use crate::plan::Decision;
use crate::service::{TermFix, TermWish};
use crate::shape::{DecisionJson, TermDoneJson};

/// No grant is larger.
const SEATS_MAX: u64 = 100_000_000;

/// See the module.
pub const BOUGHT: &[Endpoint] = &[
    Endpoint::post(
        "/api/v1/customers/{customer}/pools/{pool}/grants",
        Work::Asked(Deed::Money, grant),
        "Records that seats were bought, or corrects an earlier grant with another one. The queue is seated in that commit.",
        Output::Json(schema_of::<DecisionJson>),
    )
    .takes(Input::Json(schema_of::<GrantWish>))
    .refuses(schema_of::<DecisionJson>),
    Endpoint::post(
        "/api/v1/customers/{customer}/pools/{pool}/agreements",
        Work::Asked(Deed::Money, agree),
        "Records an excess that was agreed in writing.",
        Output::Json(schema_of::<DecisionJson>),
    )
    .takes(Input::Json(schema_of::<AgreementWish>))
    .refuses(schema_of::<DecisionJson>),
    Endpoint::post(
        "/api/v1/customers/{customer}/pools/{pool}/terms",
        Work::Asked(Deed::Money, renew),
        "Records the next term of a pool, and does at once what it means.",
        Output::Json(schema_of::<TermDoneJson>),
    )
    .takes(Input::Json(schema_of::<Renewal>))
    .refuses(schema_of::<TermDoneJson>),
    Endpoint::post(
        "/api/v1/customers/{customer}/pools/{pool}/terms/{term}/correct",
        Work::Asked(Deed::Money, correct),
        "Corrects a term that was recorded; the trail keeps what it was.",
        Output::Json(schema_of::<TermDoneJson>),
    )
    .takes(Input::Json(schema_of::<TermCorrection>))
    .refuses(schema_of::<TermDoneJson>),
];

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum KindWord {
    #[default]
    Purchase,
    AddOn,
    TierUpgrade,
    Renewal,
    Correction,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
enum BasisWord {
    #[serde(rename = "from_expiry")]
    Expiry,
    #[serde(rename = "from_activation")]
    Activation,
    #[serde(rename = "from_activation_if_lapsed")]
    ActivationIfLapsed,
}

/// Seats that were bought.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GrantWish {
    /// Seats added; negative: removed.
    #[schemars(range(min = -100_000_000, max = 100_000_000))]
    seats: i64,
    /// The first day they count, in the pool's calendar.
    #[schemars(extend("format" = "date"))]
    from: String,
    /// The first day they no longer count; for good if left out.
    #[schemars(extend("format" = "date"))]
    to: Option<String>,
    /// Why; `purchase` if left out.
    #[serde(default)]
    kind: KindWord,
    /// The order or letter it rests on; no personal data.
    #[schemars(length(min = 1, max = 1000), regex(pattern = "\\S"))]
    reference: String,
    /// Its id, unique in the customer; made if left out.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9._-]+$"))]
    id: Option<String>,
}

/// An excess that was agreed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AgreementWish {
    /// How many seats beyond the bought ones.
    #[schemars(range(min = 1, max = 100_000_000))]
    seats: u32,
    /// The first day it counts, in the pool's calendar.
    #[schemars(extend("format" = "date"))]
    from: String,
    /// The first day it no longer counts.
    #[schemars(extend("format" = "date"))]
    to: String,
    /// The written agreement; no personal data.
    #[schemars(length(min = 1, max = 1000), regex(pattern = "\\S"))]
    reference: String,
    /// Its id, unique in the customer; made if left out.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9._-]+$"))]
    id: Option<String>,
}

/// The next term of a pool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Renewal {
    /// How many seats it brings; what ends with the term before it carries over if left out.
    #[schemars(range(max = 100_000_000))]
    seats: Option<u32>,
    /// Its first day; as `basis` says if left out.
    #[schemars(extend("format" = "date"))]
    from: Option<String>,
    /// Its last day, in the pool's calendar.
    #[schemars(extend("format" = "date"))]
    last_day: String,
    /// Where it starts if `from` says nothing; as renewal.basis says if left out.
    basis: Option<BasisWord>,
    /// The order or letter it rests on; no personal data.
    #[schemars(length(min = 1, max = 1000), regex(pattern = "\\S"))]
    reference: String,
    /// Its id, unique in the customer; the pool's with the first day if left out.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9._-]+$"))]
    id: Option<String>,
}

/// What is to change in a term.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TermCorrection {
    /// How many seats it brings.
    #[schemars(range(max = 100_000_000))]
    seats: Option<u32>,
    /// Its first day, in the pool's calendar.
    #[schemars(extend("format" = "date"))]
    from: Option<String>,
    /// The first day no longer in it; its own first day withdraws it.
    #[schemars(extend("format" = "date"))]
    to: Option<String>,
    /// The letter this rests on; no personal data.
    #[schemars(length(min = 1, max = 1000), regex(pattern = "\\S"))]
    reference: String,
}

/// An id that somebody chose.
fn id(id: Option<String>) -> Result<Option<String>, Problem> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match id {
        Some(id) if !(1..=64).contains(&id.len()) || !id.chars().all(fits) => {
            Err(Problem::bad_request("id is 1 to 64 letters, digits, `-`, `_` and `.`"))
        }
        id => Ok(id),
    }
}

/// Seats within limits.
fn seats(seats: u32) -> Result<Seats, Problem> {
    let fits = u64::from(seats) <= SEATS_MAX;
    if fits { Ok(Seats(seats)) } else { Err(Problem::bad_request(format!("seats are at most {SEATS_MAX}"))) }
}

fn in_order(from: Day, to: Option<Day>) -> Result<(), Problem> {
    match to {
        Some(to) if to <= from => Err(Problem::bad_request(format!("to {to} is not after from {from}"))),
        _ => Ok(()),
    }
}

fn grant(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let pool = PoolId::from(question.name("pool"));
    let calendar = &customer.pool(&pool)?.calendar;
    let GrantWish { seats, from, to, kind, reference, id: named } = question.json()?;
    if seats == 0 || seats.unsigned_abs() > SEATS_MAX {
        return Err(Problem::bad_request(format!("seats are at most {SEATS_MAX}, and a grant of 0 seats says nothing")));
    }
    let (from, to) = (day(&from)?, to.as_deref().map(day).transpose()?);
    in_order(from, to)?;
    let (named, reference) = (id(named)?, told("reference", reference)?);
    let kind = match kind {
        KindWord::Purchase => GrantKind::Purchase,
        KindWord::AddOn => GrantKind::AddOn,
        KindWord::TierUpgrade => GrantKind::TierUpgrade,
        KindWord::Renewal => GrantKind::Renewal,
        KindWord::Correction => GrantKind::Correction,
    };
    let actor = asking.caller.actor();
    let done = asking.service.decide_named(customer, &actor, named.as_deref(), question.version, &|id| {
        Decision::Grant(Grant {
            id,
            pool: pool.clone(),
            seats,
            from: calendar.start_of(from),
            to: to.map_or(Instant::MAX, |day| calendar.start_of(day)),
            recorded: asking.service.now(),
            by: actor.clone(),
            kind,
            reference: reference.clone(),
        })
    })?;
    decided::decided(&done)
}

fn agree(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let pool = PoolId::from(question.name("pool"));
    let calendar = &customer.pool(&pool)?.calendar;
    let AgreementWish { seats: count, from, to, reference, id: named } = question.json()?;
    let (from, to) = (day(&from)?, day(&to)?);
    in_order(from, Some(to))?;
    let count = seats(count)?;
    if count == Seats(0) {
        return Err(Problem::bad_request("an excess of 0 seats says nothing"));
    }
    let (named, reference) = (id(named)?, told("reference", reference)?);
    let actor = asking.caller.actor();
    let done = asking.service.decide_named(customer, &actor, named.as_deref(), question.version, &|id| {
        Decision::AgreedExcess(AgreedExcess {
            id,
            pool: pool.clone(),
            seats: count,
            from: calendar.start_of(from),
            to: calendar.start_of(to),
            recorded: asking.service.now(),
            by: actor.clone(),
            reference: reference.clone(),
        })
    })?;
    decided::decided(&done)
}

fn renew(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let pool = PoolId::from(question.name("pool"));
    customer.pool(&pool)?;
    let Renewal { seats: count, from, last_day, basis, reference, id: named } = question.json()?;
    let basis = basis.map(|word| match word {
        BasisWord::Expiry => RenewalBasis::Expiry,
        BasisWord::Activation => RenewalBasis::Activation,
        BasisWord::ActivationIfLapsed => RenewalBasis::ActivationIfLapsed,
    });
    let wish = TermWish {
        pool,
        id: id(named)?,
        from: from.as_deref().map(day).transpose()?,
        to: day(&last_day)?.plus(1),
        seats: count.map(seats).transpose()?,
        basis,
        reference: told("reference", reference)?,
    };
    let done = asking.service.renew_on(customer, &asking.caller.actor(), &wish, question.version)?;
    decided::told(&done.decided.answer, &TermDoneJson::from(&done))
}

fn correct(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let pool = PoolId::from(question.name("pool"));
    customer.pool(&pool)?;
    let TermCorrection { seats: count, from, to, reference } = question.json()?;
    if count.is_none() && from.is_none() && to.is_none() {
        return Err(Problem::bad_request("a correction says seats, from or to"));
    }
    let fix = TermFix {
        id: GrantId::from(question.name("term")),
        from: from.as_deref().map(day).transpose()?,
        to: to.as_deref().map(day).transpose()?,
        seats: count.map(seats).transpose()?,
        reference: told("reference", reference)?,
    };
    let done = asking.service.correct_term_on(customer, &asking.caller.actor(), (&pool, &fix), question.version)?;
    decided::told(&done.decided.answer, &TermDoneJson::from(&done))
}
