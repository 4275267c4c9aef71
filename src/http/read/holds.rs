//! What guards hold back.

use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::page::{AFTER, LIMIT, page};
use crate::http::question::Question;
use crate::http::says::{Ask, Kind};
use crate::shape::{HoldDetailJson, HoldsJson};

/// See the module.
pub const HOLDS: &[Endpoint] = &[
    Endpoint::get(
        "/api/v1/customers/{customer}/holds",
        Work::Asked(Deed::LookAtPeople, holds),
        "What guards hold and nobody decided yet, newest first.",
        Output::List(schema_of::<HoldsJson>),
    )
    .asks(&[Ask::new("all", Kind::Flag, "Also those that were decided."), LIMIT, AFTER]),
    Endpoint::get(
        "/api/v1/holds/{run}",
        Work::Asked(Deed::LookAtPeople, hold),
        "Who waits for a decision, and what approving would do now.",
        Output::Json(schema_of::<HoldDetailJson>),
    )
    .reads_sources(),
];

fn holds(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let customer = asking.customer(question.name("customer"))?;
    let now = asking.service.now();
    let mut holds = asking.service.holds(customer)?;
    holds.retain(|hold| question.flag("all") || hold.is_open(now));
    let (holds, next) = page(question, holds, |hold| hold.run.to_string())?;
    Answer::list(&HoldsJson::new(&holds.into_iter().map(|hold| (customer, hold)).collect::<Vec<_>>()), next)
}

fn hold(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let (customer, hold) = asking.hold(question.number("run")?)?;
    let plan = asking.service.hold_preview(customer, &hold)?;
    Answer::json(&HoldDetailJson::new(customer.id().as_str(), &hold, plan.as_ref()))
}
