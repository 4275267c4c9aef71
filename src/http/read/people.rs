//! People: who they are, why they have seats or not, what they may open.

use crate::base::Day;
use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered, Writer};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::page::{AFTER, Cursor, LIMIT};
use crate::http::pipe::Pipe;
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::http::says::{AS_OF, Ask, Kind, TODAY};
use crate::plan::AccessBook;
use crate::service::Service;
use crate::shape::{ACCESS_HEADER, AccessJson, CsvText, ExplainJson, PeopleJson, PersonAccessJson, access_csv};

/// So many bytes of lines are put together before they are sent.
const PIECE_BYTES: usize = 64 * 1024;

/// See the module.
pub const PEOPLE: &[Endpoint] = &[
    Endpoint::get(
        "/api/v1/customers/{customer}/people",
        Work::Asked(Deed::LookAtPeople, people),
        "People of the newest roster, by key; e-mails are looked through and never shown.",
        Output::List(schema_of::<PeopleJson>),
    )
    .asks(&[Ask::new("text", Kind::Text, "Part of a person key, a name or an e-mail, in any case."), TODAY, LIMIT, AFTER]),
    Endpoint::get(
        "/api/v1/customers/{customer}/people/export",
        Work::Asked(Deed::Administer, export),
        "The people as the file that can be imported; it holds names and e-mails.",
        Output::Text("text/csv; charset=utf-8"),
    )
    .asks(&[Ask::new("org", Kind::Text, "Only people whose home lies in this org or below it.")]),
    Endpoint::get(
        "/api/v1/customers/{customer}/people/{person}/explain",
        Work::Asked(Deed::LookAtPeople, explain),
        "Why a person has seats, or not.",
        Output::Json(schema_of::<ExplainJson>),
    )
    .asks(&[Ask::new("product", Kind::Text, "Of this product only."), AS_OF]),
    Endpoint::get(
        "/api/v1/customers/{customer}/people/{person}/access",
        Work::Asked(Deed::LookAtPeople, access),
        "Whether a person may log in, use products, open enrollments.",
        Output::Json(schema_of::<AccessJson>),
    )
    .asks(&[Ask::new("class", Kind::Text, "This class only; `open` tells whether it may be opened."), TODAY]),
    Endpoint::get(
        "/api/v1/customers/{customer}/access",
        Work::Asked(Deed::LookAtPeople, everybody),
        "The same of everybody: a line of JSON per person, or CSV.",
        Output::LinesOrCsv(schema_of::<PersonAccessJson>),
    )
    .asks(&[TODAY]),
];

fn people(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let customer = asking.customer(question.name("customer"))?;
    let after = Cursor::of(question)?;
    let text = question.text("text").unwrap_or_default();
    let limit = question.limit();
    let after = after.as_ref().map(|cursor| cursor.key.as_str());
    // One more shows that there are more.
    let (mut found, total) = asking.service.people_beyond(customer, text, after, limit + 1)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next = last.map(|last| Cursor { place: 0, key: last.key.clone() }.to_string());
    Answer::list(&PeopleJson::new(customer.id().as_str(), total, &found), next)
}

fn export(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let file = asking.service.export_people(customer, question.text("org"))?.file;
    Answer::bytes("text/csv; charset=utf-8", file)
}

fn explain(asking: &Asking<'_>, question: &Question) -> Answered {
    let (customer, person) = (asking.customer(question.name("customer"))?, question.name("person"));
    asking.person(customer, person, None)?;
    let answers = asking.service.explain(customer, person, question.product(customer)?.as_ref())?;
    if !answers.is_empty() && answers.iter().all(|answer| answer.answer == "unknown_person") {
        return Err(Problem::unknown("person", person));
    }
    let freshness = asking.service.freshness(customer)?;
    Answer::json(&ExplainJson::new(customer.id().as_str(), person, freshness, &answers))
}

fn access(asking: &Asking<'_>, question: &Question) -> Answered {
    let (customer, person) = (asking.customer(question.name("customer"))?, question.name("person"));
    asking.person(customer, person, None)?;
    let (class, freshness) = (question.text("class"), asking.service.freshness(customer)?);
    let zone = customer.policy.calendar.zone_name();
    asking.service.access(customer, Some(person), |book| {
        let mut answers = book.of(person).ok_or_else(|| Problem::unknown("person", person))?;
        answers.enrollments.retain(|enrollment| class.is_none_or(|class| class == enrollment.class));
        let open = class.map(|_| answers.may_open());
        let person = PersonAccessJson::new(&answers, book.today());
        Answer::json(&AccessJson::new(customer.id().as_str(), freshness, zone, open, person))
    })?
}

fn everybody(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let id = asking.customer(question.name("customer"))?.id().clone();
    let (csv, as_of) = (question.csv, question.as_of());
    let writer: Writer = Box::new(move |service: &Service, pipe: &Pipe| {
        let then = as_of.map(|at| service.looking_from(at));
        let service = then.as_ref().unwrap_or(service);
        service.access(service.customer(id.as_str())?, None, |book| if csv { lines_csv(book, pipe) } else { lines(book, pipe) })
    });
    Answer::lines(if csv { "text/csv; charset=utf-8" } else { "application/x-ndjson" }, writer)
}

fn lines(book: &AccessBook<'_>, pipe: &Pipe) {
    let (mut piece, today): (Vec<u8>, Day) = (Vec::new(), book.today());
    for answers in book.people().iter().filter_map(|person| book.of(person)) {
        // These shapes can always be written.
        piece.extend(serde_json::to_vec(&PersonAccessJson::new(&answers, today)).unwrap_or_default());
        piece.push(b'\n');
        if piece.len() >= PIECE_BYTES && !pipe.write(std::mem::take(&mut piece)) {
            return;
        }
    }
    pipe.write(piece);
}

fn lines_csv(book: &AccessBook<'_>, pipe: &Pipe) {
    let mut lines = CsvText::with_header(&ACCESS_HEADER);
    let mut piece = Vec::new();
    for answers in book.people().iter().filter_map(|person| book.of(person)) {
        access_csv(&mut lines, &answers);
        piece.extend(lines.take().into_bytes());
        if piece.len() >= PIECE_BYTES && !pipe.write(std::mem::take(&mut piece)) {
            return;
        }
    }
    piece.extend(lines.take().into_bytes());
    pipe.write(piece);
}
