//! `rosterd access`: may a person log in, use a product, open an enrollment (R29, R31)?

use clap::Args;

use crate::base::Day;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::grid::one_form;
use crate::cli::output::text;
use crate::cli::words::freshness_text;
use crate::plan::{AccessBook, EnrollmentAccess, PersonAccess};
use crate::service::{Customer, Service, ServiceError};
use crate::shape::{ACCESS_HEADER, AccessJson, CsvText, PersonAccessJson, access_csv, on, yes_no};

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

/// So many people are put together before they are written.
const PEOPLE_A_WRITE: usize = 1_000;

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
            let person = PersonAccessJson::new(&answers, book.today());
            context.out.json(&AccessJson::new(customer.id().as_str(), freshness, zone, open, person))?;
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
            context.out.json_line(&PersonAccessJson::new(&answers, book.today()))?;
        }
        return Ok(Exit::Done);
    }
    let mut lines = CsvText::with_header(&ACCESS_HEADER);
    for (at, answers) in answers.enumerate() {
        access_csv(&mut lines, &answers);
        if at % PEOPLE_A_WRITE == 0 {
            context.out.bytes(lines.take().as_bytes())?;
        }
    }
    context.out.bytes(lines.take().as_bytes())?;
    Ok(Exit::Done)
}
