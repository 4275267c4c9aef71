//! What guards hold back.

use std::cmp::Reverse;

use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::page::{AFTER, LIMIT, down, page};
use crate::http::question::Question;
use crate::http::says::{Ask, Kind};
use crate::license::Hold;
use crate::service::Customer;
use crate::shape::{HoldDetailJson, HoldsJson};

const ALL: Ask = Ask::new("all", Kind::Flag, "Also those that were decided.");

/// See the module.
pub const HOLDS: &[Endpoint] = &[
    Endpoint::get(
        "/api/v1/customers/{customer}/holds",
        Work::Asked(Deed::LookAtPeople, holds),
        "What guards hold and nobody decided yet, newest first.",
        Output::List(schema_of::<HoldsJson>),
    )
    .asks(&[ALL, LIMIT, AFTER]),
    Endpoint::get(
        "/api/v1/holds",
        Work::Asked(Deed::LookAtPeople, all_holds),
        "The same of all customers that the token may see.",
        Output::List(schema_of::<HoldsJson>),
    )
    .asks(&[ALL, LIMIT, AFTER]),
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
    listed(asking, question, [asking.customer(question.name("customer"))?])
}

fn all_holds(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    listed(asking, question, asking.customers())
}

fn listed<'s>(asking: &Asking<'s>, question: &Question, customers: impl IntoIterator<Item = &'s Customer>) -> Answered {
    let now = asking.service.now();
    let mut found: Vec<(&Customer, Hold)> = Vec::new();
    for customer in customers {
        let holds = asking.service.holds(customer)?;
        found.extend(holds.into_iter().filter(|hold| question.flag("all") || hold.is_open(now)).map(|hold| (customer, hold)));
    }
    found.sort_by_key(|(_, hold)| Reverse(hold.run));
    let (found, next) = page(question, found, |(_, hold)| down(hold.run.0))?;
    Answer::list(&HoldsJson::new(&found), next)
}

fn hold(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let (customer, hold) = asking.hold(question.number("run")?)?;
    let plan = asking.service.hold_preview(customer, &hold)?;
    Answer::json(&HoldDetailJson::new(customer.id().as_str(), &hold, plan.as_ref()))
}
