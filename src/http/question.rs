//! A question as it was put: its path, its query and its body, each checked against what the table says of it.

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::base::{Day, Instant, PersonKey, PoolId, ProductId, Version};
use crate::http::problem::Problem;
use crate::http::says::{AS_OF, Ask, Input, Kind};
use crate::service::Customer;

/// Pages of lists are so long unless the question says so, and at most.
const ROWS: usize = 100;
/// A page of a list is at most so long.
pub const ROWS_MAX: u64 = 1000;

/// See the module.
pub struct Question {
    params: Vec<(String, String)>,
    asks: Vec<(String, String)>,
    body: Bytes,
    /// It is to be answered in CSV.
    pub csv: bool,
    /// It is only meant for books of this version.
    pub version: Option<Version>,
}

impl Question {
    /// Reads a question.
    ///
    /// # Errors
    /// What of it cannot be understood.
    pub fn read(
        (allowed, input): (&[Ask], Input),
        params: Vec<(String, String)>,
        parts: &Parts,
        body: Bytes,
    ) -> Result<Self, Problem> {
        let asks = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map(|Query(asks)| asks);
        let asks = asks.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        for (at, (name, value)) in asks.iter().enumerate() {
            let known = allowed.iter().find(|ask| ask.name == name);
            let Some(ask) = known else { return Err(unknown_ask(allowed, name)) };
            if asks[..at].iter().any(|(other, _)| other == name) {
                return Err(Problem::bad_request(format!("{name} is said twice")));
            }
            fits(ask.kind, value).map_err(|why| Problem::bad_request(format!("{name} {why}")))?;
        }
        typed(input, &parts.headers, &body)?;
        let accept = parts.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        let csv = accept.is_some_and(|accept| accept.contains("text/csv"));
        Ok(Self { params, asks, body, csv, version: None })
    }

    /// A name in the path.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A name in the path; empty if the table does not have it.
    pub fn name(&self, name: &str) -> &str {
        self.param(name).unwrap_or_default()
    }

    /// A number in the path.
    ///
    /// # Errors
    /// If it is none.
    pub fn number(&self, name: &str) -> Result<u64, Problem> {
        let value = self.name(name);
        let number = value.parse().ok().filter(|number| i64::try_from(*number).is_ok());
        number.ok_or_else(|| Problem::bad_request(format!("{name} is a number")))
    }

    /// What the query says of something.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.asks.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the query says yes to something.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// A date of the query.
    pub fn day(&self, name: &str) -> Option<Day> {
        self.text(name).and_then(Day::parse)
    }

    /// The instant that the query takes for now.
    pub fn as_of(&self) -> Option<Instant> {
        self.text(AS_OF.name).and_then(Instant::parse_or_midnight)
    }

    /// A number of the query.
    pub fn count(&self, name: &str) -> Option<usize> {
        self.text(name).and_then(|value| value.parse().ok())
    }

    /// How long a page is to be.
    pub fn limit(&self) -> usize {
        self.count("limit").unwrap_or(ROWS)
    }

    /// The pool that the query names.
    ///
    /// # Errors
    /// If the customer has no such pool.
    pub fn pool(&self, customer: &Customer) -> Result<Option<PoolId>, Problem> {
        let pool = self.text("pool").map(PoolId::from);
        if let Some(pool) = &pool {
            customer.pool(pool)?;
        }
        Ok(pool)
    }

    /// The product that the query names.
    ///
    /// # Errors
    /// If the customer has no such product.
    pub fn product(&self, customer: &Customer) -> Result<Option<ProductId>, Problem> {
        self.text("product").map(|id| product(customer, id)).transpose()
    }

    /// The person that the path names.
    pub fn person(&self) -> PersonKey {
        PersonKey::from(self.name("person"))
    }

    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON; an absent one says nothing.
    ///
    /// # Errors
    /// What of it cannot be understood: 400 if it is no JSON, 422 if it is another value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let body = if self.body.is_empty() { b"{}".as_slice() } else { &self.body };
        serde_json::from_slice(body).map_err(|error| {
            let status = if error.is_data() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::BAD_REQUEST };
            Problem::new(status, "bad_request", format!("the body cannot be understood: {error}"))
        })
    }
}

/// One of a customer's products.
///
/// # Errors
/// If it has no such product.
pub fn product(customer: &Customer, id: &str) -> Result<ProductId, Problem> {
    let known = customer.policy.products.iter().find(|product| product.id.as_str() == id);
    known.map(|product| product.id.clone()).ok_or_else(|| Problem::unknown("product", id))
}

fn unknown_ask(allowed: &[Ask], name: &str) -> Problem {
    let known: Vec<&str> = allowed.iter().map(|ask| ask.name).collect();
    let known = if known.is_empty() { "this takes no query".to_owned() } else { format!("there are {}", known.join(", ")) };
    Problem::bad_request(format!("{name} cannot be asked here; {known}"))
}

fn fits(kind: Kind, value: &str) -> Result<(), String> {
    match kind {
        Kind::Text if value.is_empty() => Err("is empty".to_owned()),
        Kind::Text => Ok(()),
        Kind::Number(least, most) => match value.parse::<u64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(()),
            _ => Err(format!("is a number from {least} to {most}")),
        },
        Kind::Flag if matches!(value, "true" | "false") => Ok(()),
        Kind::Flag => Err("is true or false".to_owned()),
        Kind::Date if Day::parse(value).is_some() => Ok(()),
        Kind::Date => Err("is a date such as 2026-03-01".to_owned()),
        Kind::Instant if Instant::parse_or_midnight(value).is_some() => Ok(()),
        Kind::Instant => Err("is an instant such as 2026-03-01T02:30:00Z, or a date".to_owned()),
        Kind::Word(words) if words.contains(&value) => Ok(()),
        Kind::Word(words) => Err(format!("is one of {}", words.join(", "))),
    }
}

/// A body says what it is, so that a form of a foreign page is never taken for one.
fn typed(input: Input, headers: &HeaderMap, body: &Bytes) -> Result<(), Problem> {
    let wanted = match input {
        Input::Nothing => return Ok(()),
        Input::Json(_) if body.is_empty() => return Ok(()),
        Input::Json(_) => "application/json",
        Input::Csv(_) => "text/csv",
    };
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let detail = format!("the body is to be {wanted}, and Content-Type is to say so");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad_request", detail))
}
