//! Rows of a report: a page of them as JSON, or all of them as CSV.

use serde_json::Value;

use crate::http::answer::{Answer, Answered};
use crate::http::page::{page, up};
use crate::http::question::Question;
use crate::service::{Customer, Freshness};
use crate::shape::{Column, Datum, csv_of, csv_row, grid_json};

/// Rows in the form that was asked for.
pub fn table(
    question: &Question,
    customer: &Customer,
    freshness: Freshness,
    columns: &[Column],
    more: Vec<(&'static str, Value)>,
    rows: Vec<Vec<Datum>>,
) -> Answered {
    if question.csv {
        let mut lines = csv_of(columns);
        rows.iter().for_each(|row| csv_row(&mut lines, columns, row));
        return Answer::text("text/csv; charset=utf-8", lines.take());
    }
    // Rows of a report have no key but their place: who asks as of an instant has all pages of one.
    let numbered: Vec<(usize, Vec<Datum>)> = rows.into_iter().enumerate().collect();
    let (rows, next) = page(question, numbered, |(place, _)| up(*place as u64))?;
    let rows = rows.into_iter().map(|(_, row)| row);
    Answer::list(&grid_json(customer.id().as_str(), freshness, columns, more, rows), next)
}
