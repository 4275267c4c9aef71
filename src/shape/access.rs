//! Who may log in, use a product, open an enrollment, in JSON and CSV (R29, R31).

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::Day;
use crate::plan::{EnrollmentAccess, PersonAccess};
use crate::service::Freshness;
use crate::shape::common::{FreshnessJson, on};
use crate::shape::csv::CsvText;

/// The header of the CSV.
pub const ACCESS_HEADER: [&str; 8] = ["person", "what", "id", "role", "answer", "because", "first", "last"];

/// What a person may do, at a customer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AccessJson<'a> {
    customer: &'a str,
    #[serde(flatten)]
    freshness: FreshnessJson,
    time_zone: &'a str,
    /// Whether the class that was asked for may be opened now.
    open: Option<bool>,
    #[serde(flatten)]
    person: PersonAccessJson<'a>,
}

/// What a person may do (R29, R31).
#[derive(Debug, Serialize, JsonSchema)]
pub struct PersonAccessJson<'a> {
    person: &'a str,
    /// The local date that the answers are for.
    date: String,
    log_in: bool,
    because: &'static str,
    products: Vec<ProductAccessJson<'a>>,
    enrollments: Vec<EnrollmentJson<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ProductAccessJson<'a> {
    product: &'a str,
    access: bool,
    because: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct EnrollmentJson<'a> {
    class: &'a str,
    role: &'a str,
    first: Option<String>,
    /// The last day on which it is still open.
    last: Option<String>,
    /// `open`, `not_started` or `ended`.
    state: &'static str,
    because: &'static str,
}

impl<'a> PersonAccessJson<'a> {
    /// On a date.
    pub fn new(answers: &PersonAccess<'a>, today: Day) -> Self {
        let products = answers.products.iter();
        let enrollments = answers.enrollments.iter().map(|&EnrollmentAccess { class, role, first, last, opening }| {
            let (state, because) = (opening.state(), opening.because());
            EnrollmentJson { class, role, first: on(first), last: on(last), state, because }
        });
        Self {
            person: answers.person,
            date: today.to_string(),
            log_in: answers.log_in.allowed,
            because: answers.log_in.because,
            products: products
                .map(|(id, access)| ProductAccessJson { product: id.as_str(), access: access.allowed, because: access.because })
                .collect(),
            enrollments: enrollments.collect(),
        }
    }
}

impl<'a> AccessJson<'a> {
    /// Of a person; `open`: whether the class that was asked for may be opened.
    pub fn new(
        customer: &'a str,
        freshness: Freshness,
        time_zone: &'a str,
        open: Option<bool>,
        person: PersonAccessJson<'a>,
    ) -> Self {
        Self { customer, freshness: freshness.into(), time_zone, open, person }
    }
}

/// The lines of a person.
pub fn access_csv(lines: &mut CsvText, answers: &PersonAccess<'_>) {
    let mut line = |cells: [&str; 8]| {
        cells.iter().for_each(|cell| lines.text(cell));
        lines.end();
    };
    let PersonAccess { person, log_in, products, enrollments } = answers;
    line([person, "log_in", "", "", yes_no(log_in.allowed), log_in.because, "", ""]);
    for (id, access) in products {
        line([person, "product", id.as_str(), "", yes_no(access.allowed), access.because, "", ""]);
    }
    for EnrollmentAccess { class, role, first, last, opening } in enrollments {
        let (first, last) = (on(*first).unwrap_or_default(), on(*last).unwrap_or_default());
        line([person, "enrollment", class, role, opening.state(), opening.because(), &first, &last]);
    }
}

/// `yes` or `no`.
pub fn yes_no(allowed: bool) -> &'static str {
    if allowed { "yes" } else { "no" }
}
