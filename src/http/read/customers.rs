//! Customers, their orgs and their sources.

use schemars::JsonSchema;
use serde::Serialize;

use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::page::{PAGE_THEN, page, up};
use crate::http::question::Question;
use crate::http::says::AS_OF;
use crate::license::OrgMark;
use crate::shape::{CustomerJson, PausesJson};

/// See the module.
pub const CUSTOMERS: &[Endpoint] = &[
    Endpoint::get(
        "/api/v1/customers",
        Work::Asked(Deed::Look, customers),
        "All customers that the token may see, at a glance.",
        Output::List(schema_of::<CustomersJson>),
    )
    .asks(PAGE_THEN),
    Endpoint::get(
        "/api/v1/customers/{customer}",
        Work::Asked(Deed::Look, customer),
        "A customer at a glance.",
        Output::Json(schema_of::<CustomerJson>),
    )
    .asks(&[AS_OF]),
    Endpoint::get(
        "/api/v1/customers/{customer}/orgs",
        Work::Asked(Deed::Look, orgs),
        "All orgs ever delivered, as they last were.",
        Output::List(schema_of::<OrgsJson>),
    )
    .asks(PAGE_THEN),
    Endpoint::get(
        "/api/v1/customers/{customer}/pauses",
        Work::Asked(Deed::Look, pauses),
        "When sources are not read.",
        Output::Json(schema_of::<PausesJson>),
    ),
];

#[derive(Serialize, JsonSchema)]
struct CustomersJson {
    customers: Vec<CustomerJson>,
}

#[derive(Serialize, JsonSchema)]
struct OrgsJson<'a> {
    customer: &'a str,
    orgs: Vec<OrgJson>,
}

#[derive(Serialize, JsonSchema)]
struct OrgJson {
    org: String,
    name: String,
    /// `null`: a root.
    parent: Option<String>,
    /// Ended by its source, or delivered no more.
    ended: bool,
}

impl From<&OrgMark> for OrgJson {
    fn from(mark: &OrgMark) -> Self {
        let OrgMark { id, name, parent, ended } = mark;
        Self { org: id.to_string(), name: name.clone(), parent: parent.as_ref().map(ToString::to_string), ended: *ended }
    }
}

fn customers(asking: &Asking<'_>, question: &Question) -> Answered {
    // They are in the order of the settings, which is that of no key.
    let numbered = asking.customers().enumerate().collect();
    let (customers, next) = page(question, numbered, |(place, _)| up(*place as u64))?;
    let customers: Vec<_> = customers.into_iter().map(|(_, customer)| customer).collect();
    let seen = |status| CustomerJson::seen(status, asking.sees_people());
    let customers = asking.service.statuses(&customers)?.into_iter().map(seen).collect();
    Answer::list(&CustomersJson { customers }, next)
}

fn customer(asking: &Asking<'_>, question: &Question) -> Answered {
    let status = asking.service.status(asking.customer(question.name("customer"))?)?;
    Answer::json(&CustomerJson::seen(status, asking.sees_people()))
}

fn orgs(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let marks = asking.service.orgs(customer)?;
    let (marks, next) = page(question, marks, |mark| mark.id.to_string())?;
    let orgs = marks.iter().map(OrgJson::from).collect();
    Answer::list(&OrgsJson { customer: customer.id().as_str(), orgs }, next)
}

fn pauses(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    Answer::json(&PausesJson::new(customer.id().as_str(), &asking.service.pauses(customer)?))
}
