//! Reports, as JSON in pages or as one CSV.

use serde_json::{Value, json};

use crate::base::{OrgId, ProductId};
use crate::http::access::Deed;
use crate::http::answer::Answered;
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work};
use crate::http::page::{AFTER, LIMIT, PAGE_THEN};
use crate::http::problem::Problem;
use crate::http::question::{Question, product};
use crate::http::read::pools::POOL;
use crate::http::says::{AS_OF, Ask, Kind};
use crate::http::table::table;
use crate::license::{Activity, ClaimState};
use crate::service::{ClaimFilter, Customer, Dashboard, Report};
use crate::shape::report as rows;
use crate::shape::report::{ADVICE, CLAIMS, COMPLIANCE, CONSUMPTION, DASHBOARD, HIGH_WATER, LICENSES, REUSE, UNSEATED, USAGE};
use crate::shape::{Column, Datum};

const PRODUCT: Ask = Ask::new("product", Kind::Text, "Of this product only.");
const ORG: Ask = Ask::new("org", Kind::Text, "Of this org and those below it only.");
const STATES: &[&str] = &["waiting", "pending", "active", "held", "suspended", "released"];
const ACTIVITIES: [Activity; 4] = [Activity::Unknown, Activity::Recent, Activity::Quiet, Activity::Inactive];
const ACTIVITY_WORDS: &[&str] = &["unknown", "recent", "quiet", "inactive"];

/// See the module.
pub const REPORTS: &[Endpoint] =
    &[
        Endpoint::get(
            "/api/v1/customers/{customer}/reports/licenses",
            Work::Asked(Deed::LicenseReport, licenses),
            "Seats of an org and of each org below it: limit, used, remaining.",
            Output::Rows(&LICENSES),
        )
        .asks(&[ORG, PRODUCT, AS_OF, LIMIT, AFTER]),
        report("/api/v1/customers/{customer}/reports/claims", claims, "Every claim, and why it is as it is.", &CLAIMS).asks(&[
            POOL,
            PRODUCT,
            ORG,
            Ask::new("role", Kind::Text, "Of people who have this role only."),
            Ask::new("state", Kind::Word(STATES), "In this state only."),
            Ask::new("activity", Kind::Word(ACTIVITY_WORDS), "Seats that are used so only."),
            Ask::new("on", Kind::Date, "As they stood at the end of this day of the customer's calendar."),
            Ask::new("since", Kind::Date, "Leave out what was released before this day."),
            AS_OF,
            LIMIT,
            AFTER,
        ]),
        report("/api/v1/customers/{customer}/reports/dashboard", dashboard, "Each product with its seats.", &DASHBOARD).asks(
            &[Ask::new("combined", Kind::Text, "Count who holds both of two products: `learn,observe`."), AS_OF, LIMIT, AFTER],
        ),
        report(
            "/api/v1/customers/{customer}/reports/consumption",
            consumption,
            "What a pool's seats are used for, team by team.",
            &CONSUMPTION,
        )
        .asks(&[POOL, AS_OF, LIMIT, AFTER]),
        report("/api/v1/customers/{customer}/reports/compliance", compliance, "How pools stand, worst first.", &COMPLIANCE),
        report("/api/v1/customers/{customer}/reports/usage", usage, "How many seats were used lately.", &USAGE),
        report("/api/v1/customers/{customer}/reports/advice", advice, "What would help each pool.", &ADVICE),
        report("/api/v1/customers/{customer}/reports/reuse", reuse, "How often seats went to other people.", &REUSE),
        report("/api/v1/customers/{customer}/reports/unseated", unseated, "Who has no seat, and why.", &UNSEATED)
            .asks(&[POOL, AS_OF, LIMIT, AFTER]),
        report(
            "/api/v1/customers/{customer}/reports/high-water",
            high_water,
            "The most that was used and the least that was left on each day.",
            &HIGH_WATER,
        )
        .asks(&[
            POOL,
            Ask::new("from", Kind::Date, "The first day, in the pool's calendar."),
            Ask::new("to", Kind::Date, "The last day."),
            AS_OF,
            LIMIT,
            AFTER,
        ]),
    ];

const fn report(
    path: &'static str,
    ask: fn(&Asking<'_>, &Question) -> Answered,
    about: &'static str,
    columns: &'static [Column],
) -> Endpoint {
    Endpoint::get(path, Work::Asked(Deed::Report, ask), about, Output::Rows(columns)).asks(PAGE_THEN)
}

fn told<T>(
    question: &Question,
    customer: &Customer,
    columns: &[Column],
    report: Report<T>,
    cells: impl Fn(T) -> Vec<Datum>,
) -> Answered {
    let Report { freshness, rows } = report;
    table(question, customer, freshness, columns, Vec::new(), rows.into_iter().map(cells).collect())
}

fn licenses(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let org = asking.org(customer, question.text("org"))?;
    let report = asking.service.license_report(customer, org.as_ref(), question.product(customer)?.as_ref())?;
    told(question, customer, &LICENSES, report, |row| rows::license(&row))
}

fn claims(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let state = question.text("state");
    let activity = question.text("activity");
    let filter = ClaimFilter {
        pool: question.pool(customer)?,
        product: question.product(customer)?,
        org: question.text("org").map(OrgId::from),
        role: question.text("role").map(str::to_owned),
        state: state.and_then(|word| ClaimState::ALL.into_iter().find(|state| state.word() == word)),
        on: question.day("on"),
        since: question.day("since"),
        activity: activity.and_then(|word| ACTIVITIES.into_iter().find(|activity| activity.word() == word)),
    };
    told(question, customer, &CLAIMS, asking.service.claims_report(customer, &filter)?, rows::claim)
}

fn dashboard(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let pair = match question.text("combined").map(|pair| pair.split_once(',')) {
        None => None,
        Some(Some((one, other))) => Some((product(customer, one)?, product(customer, other)?)),
        Some(None) => return Err(Problem::bad_request("combined takes two products, such as learn,observe")),
    };
    let Dashboard { freshness, products, combined } = asking.service.dashboard(customer, pair)?;
    let counted = |(one, other, people): &(ProductId, ProductId, u64)| json!({"products": [one.as_str(), other.as_str()], "people": people});
    let more = vec![("combined", Value::Array(combined.iter().map(counted).collect()))];
    let both = combined.iter().filter(|_| question.csv).map(|pair| rows::combined(pair, freshness));
    let all = products.iter().map(|row| rows::product(row, freshness)).chain(both).collect();
    table(question, customer, freshness, &DASHBOARD, more, all)
}

fn consumption(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let report = asking.service.consumption(customer, question.pool(customer)?.as_ref())?;
    told(question, customer, &CONSUMPTION, report, |row| rows::consumption(&row))
}

fn compliance(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    told(question, customer, &COMPLIANCE, asking.service.compliance(customer)?, |row| rows::compliance(&row))
}

fn usage(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    told(question, customer, &USAGE, asking.service.usage(customer)?, |row| rows::usage(&row))
}

fn advice(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    told(question, customer, &ADVICE, asking.service.advice(customer)?, |row| rows::advice(&row))
}

fn reuse(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    told(question, customer, &REUSE, asking.service.reuse_report(customer)?, |row| rows::reuse(&row))
}

fn unseated(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let report = asking.service.unseated(customer, question.pool(customer)?.as_ref())?;
    told(question, customer, &UNSEATED, report, rows::unseated)
}

fn high_water(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let pool = question.pool(customer)?;
    let report = asking.service.high_water(customer, pool.as_ref(), question.day("from"), question.day("to"))?;
    told(question, customer, &HIGH_WATER, report, |row| rows::high_water(&row))
}
