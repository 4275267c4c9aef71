//! `rosterd access`: may a person log in, use a product, open an enrollment (R29, R31)?

use clap::Args;
use serde::Serialize;

use crate::base::Day;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::grid::one_form;
use crate::cli::output::text;
use crate::cli::words::freshness_text;
use crate::plan::{AccessBook, EnrollmentAccess, PersonAccess};
use crate::service::{Customer, Service, ServiceError};
use crate::shape::{CsvText, FreshnessJson, on};

/// Arguments of `access`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd access north p-4711           log-in, products and enrollments of a person
  rosterd access north p-4711 alg-1     exits 0 if this class may be opened now, else 1
  rosterd access north --csv            everybody, for another system; without --csv a line of JSON per person")]
pub struct AccessArgs {
    /// Of which customer.
    customer: String,
    /// The person key; everybody if left out.
    person: Option<String>,
    /// One class only.
    class: Option<String>,
    /// Everybody, as CSV.
    #[arg(long, conflicts_with = "person")]
    csv: bool,
}

const CSV_HEADER: [&str; 8] = ["person", "what", "id", "role", "answer", "because", "first", "last"];
/// So many people are put together before they are written.
const PEOPLE_A_WRITE: usize = 1_000;

#[derive(Debug, Serialize)]
struct OneJson<'a> {
    customer: &'a str,
    #[serde(flatten)]
    freshness: FreshnessJson,
    time_zone: &'a str,
    /// Whether the class that was asked for may be opened now.
    open: Option<bool>,
    #[serde(flatten)]
    person: PersonJson<'a>,
}

#[derive(Debug, Serialize)]
struct PersonJson<'a> {
    person: &'a str,
    /// The local date that the answers are for.
    date: String,
    log_in: bool,
    because: &'static str,
    products: Vec<ProductJson<'a>>,
    enrollments: Vec<EnrollmentJson<'a>>,
}

#[derive(Debug, Serialize)]
struct ProductJson<'a> {
    product: &'a str,
    access: bool,
    because: &'static str,
}

#[derive(Debug, Serialize)]
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

impl<'a> PersonJson<'a> {
    fn new(answers: &PersonAccess<'a>, today: Day) -> Self {
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
                .map(|(id, access)| ProductJson { product: id.as_str(), access: access.allowed, because: access.because })
                .collect(),
            enrollments: enrollments.collect(),
        }
    }
}

/// Answers for a person, or exports everybody.
///
/// # Errors
/// When the books or the roster cannot be read, or there is no such customer or person.
pub fn run(context: &mut Context, args: &AccessArgs) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customer = service.customer(&args.customer)?;
    match &args.person {
        Some(person) => one(context, &service, customer, person, args.class.as_deref()),
        None => {
            one_form(context, args.csv)?;
            service.access(customer, None, |book| everybody(context, book, args.csv))?
        }
    }
}

fn one(
    context: &mut Context,
    service: &Service,
    customer: &Customer,
    person: &str,
    class: Option<&str>,
) -> Result<Exit, CliError> {
    let freshness = service.freshness(customer)?;
    let zone = customer.policy.calendar.zone_name();
    service.access(customer, Some(person), |book| {
        let unknown = || ServiceError::Unknown { what: "person", id: person.to_owned(), hint: None };
        let mut answers = book.of(person).ok_or_else(unknown)?;
        answers.enrollments.retain(|enrollment| class.is_none_or(|class| class == enrollment.class));
        let open = class.map(|_| answers.may_open());
        if context.out.is_json() {
            let (customer, person) = (customer.id().as_str(), PersonJson::new(&answers, book.today()));
            context.out.json(&OneJson { customer, freshness: freshness.into(), time_zone: zone, open, person })?;
        } else {
            table(context, &answers, book.today(), zone)?;
            context.out.text(&freshness_text(freshness))?;
        }
        Ok(if open == Some(false) { Exit::Refused } else { Exit::Done })
    })?
}

fn table(context: &mut Context, answers: &PersonAccess<'_>, today: Day, zone: &str) -> Result<(), CliError> {
    let PersonAccess { person, log_in, products, enrollments } = answers;
    let may = if log_in.allowed { "may log in" } else { "may not log in" };
    context.out.text(&format!("{person} {may}: {}. On {today} in {zone}:", log_in.because))?;
    let rows = products.iter().map(|(id, access)| vec![text(id.as_str()), text(yes_no(access.allowed)), text(access.because)]);
    context.out.table(&["product", "access", "because"], rows.collect())?;
    let rows = enrollments.iter().map(|&EnrollmentAccess { class, role, first, last, opening }| {
        let day = |day| text(on(day).unwrap_or_default());
        vec![text(class), text(role), day(first), day(last), text(opening.state()), text(opening.because())]
    });
    context.out.table(&["class", "role", "first", "last", "state", "because"], rows.collect())?;
    if enrollments.is_empty() {
        context.out.text("no enrollment")?;
    }
    Ok(())
}

fn everybody(context: &mut Context, book: &AccessBook<'_>, csv: bool) -> Result<Exit, CliError> {
    let people = book.people();
    let answers = people.iter().filter_map(|person| book.of(person));
    if !csv {
        for answers in answers {
            context.out.json_line(&PersonJson::new(&answers, book.today()))?;
        }
        return Ok(Exit::Done);
    }
    let mut lines = CsvText::with_header(&CSV_HEADER);
    for (at, answers) in answers.enumerate() {
        let mut line = |cells: [&str; 8]| {
            cells.iter().for_each(|cell| lines.text(cell));
            lines.end();
        };
        let PersonAccess { person, log_in, products, enrollments } = answers;
        line([person, "log_in", "", "", yes_no(log_in.allowed), log_in.because, "", ""]);
        for (id, access) in &products {
            line([person, "product", id.as_str(), "", yes_no(access.allowed), access.because, "", ""]);
        }
        for EnrollmentAccess { class, role, first, last, opening } in enrollments {
            let (first, last) = (on(first).unwrap_or_default(), on(last).unwrap_or_default());
            line([person, "enrollment", class, role, opening.state(), opening.because(), &first, &last]);
        }
        if at % PEOPLE_A_WRITE == 0 {
            context.out.bytes(lines.take().as_bytes())?;
        }
    }
    context.out.bytes(lines.take().as_bytes())?;
    Ok(Exit::Done)
}

fn yes_no(allowed: bool) -> &'static str {
    if allowed { "yes" } else { "no" }
}
