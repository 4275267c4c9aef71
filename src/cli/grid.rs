//! One list, three forms: a table for people, CSV for spreadsheets (R147), JSON for programs. A report says its columns
//! and its cells once.

use serde_json::{Map, Value};

use crate::base::{Balance, Day, Instant};
use crate::cli::context::Context;
use crate::cli::csv::CsvText;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, balance, number, text};
use crate::cli::words::{freshness_text, when};
use crate::service::{Customer, Freshness};
use crate::shape::{FreshnessJson, at};

/// A column: its title in tables and CSV, and its name in JSON. Without a title it is in JSON only.
pub type Column = (&'static str, &'static str);

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Datum {
    /// Text, which may come from a roster; absent is empty.
    Text(Option<String>),
    /// A number.
    Number(Option<i64>),
    /// A balance, red where negative.
    Balance(Option<i64>),
    /// A percentage with its one decimal (R140).
    Percent(Option<String>),
    /// An instant.
    At(Option<Instant>),
    /// A date.
    On(Option<Day>),
}

/// Text.
pub fn words(text: impl Into<String>) -> Datum {
    Datum::Text(Some(text.into()))
}

/// A number.
pub fn count(count: impl Into<u64>) -> Datum {
    Datum::Number(i64::try_from(count.into()).ok())
}

impl Datum {
    fn cell(&self) -> Cell {
        match self {
            Datum::Text(value) => text(value.as_deref().unwrap_or_default()),
            Datum::Number(value) => number(value.map_or(String::new(), |value| value.to_string())),
            Datum::Balance(Some(value)) => balance(Some(Balance(*value))),
            Datum::Balance(None) => text(""),
            Datum::Percent(value) => number(value.as_deref().unwrap_or_default()),
            Datum::At(value) => text(value.map_or(String::new(), when)),
            Datum::On(value) => text(value.map_or(String::new(), |day| day.to_string())),
        }
    }

    fn csv(&self, csv: &mut CsvText) {
        match self {
            Datum::Text(value) => csv.text(value.as_deref().unwrap_or_default()),
            Datum::Number(value) | Datum::Balance(value) => csv.number(*value),
            Datum::Percent(value) => csv.number(value.as_ref()),
            Datum::At(value) => csv.text(&value.map_or(String::new(), |at| at.to_string())),
            Datum::On(value) => csv.text(&value.map_or(String::new(), |day| day.to_string())),
        }
    }

    fn json(self) -> Value {
        match self {
            Datum::Text(value) | Datum::Percent(value) => value.map_or(Value::Null, Value::String),
            Datum::Number(value) | Datum::Balance(value) => value.map_or(Value::Null, Value::from),
            Datum::At(value) => value.and_then(at).map_or(Value::Null, Value::String),
            Datum::On(value) => value.map_or(Value::Null, |day| Value::String(day.to_string())),
        }
    }
}

/// A list as it is to be shown.
pub struct Grid<'a> {
    /// Whose.
    pub customer: &'a Customer,
    /// What it rests on (R148).
    pub freshness: Freshness,
    /// Its columns.
    pub columns: &'a [Column],
    /// As CSV.
    pub csv: bool,
    /// More fields of the JSON answer.
    pub more: Vec<(&'static str, Value)>,
    /// Lines below the table.
    pub below: Vec<String>,
}

impl<'a> Grid<'a> {
    /// A list and nothing else.
    pub fn new(customer: &'a Customer, freshness: Freshness, columns: &'a [Column], csv: bool) -> Self {
        Self { customer, freshness, columns, csv, more: Vec::new(), below: Vec::new() }
    }

    /// Shows rows in the form that was asked for. CSV goes out line by line: there may be millions.
    ///
    /// # Errors
    /// Those of the output, or two forms at once.
    pub fn show(self, context: &mut Context, rows: impl Iterator<Item = Vec<Datum>>) -> Result<Exit, CliError> {
        let Self { customer, freshness, columns, csv, more, below } = self;
        one_form(context, csv)?;
        let shown: Vec<usize> = (0..columns.len()).filter(|&at| !columns[at].0.is_empty()).collect();
        let titles: Vec<&str> = shown.iter().map(|&at| columns[at].0).collect();
        if csv {
            let mut lines = CsvText::with_header(&titles);
            for row in rows {
                context.out.bytes(lines.take().as_bytes())?;
                line(&mut lines, shown.iter().map(|&at| &row[at]));
            }
            context.out.bytes(lines.take().as_bytes())?;
            return Ok(Exit::Done);
        }
        if context.out.is_json() {
            let name = |(_, name): &Column| (*name).to_owned();
            let object = |row: Vec<Datum>| columns.iter().map(name).zip(row.into_iter().map(Datum::json)).collect();
            let mut answer = Map::from_iter([("customer".to_owned(), customer.id().as_str().into())]);
            if let Ok(Value::Object(fields)) = serde_json::to_value(FreshnessJson::from(freshness)) {
                answer.extend(fields);
            }
            answer.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
            answer.insert("rows".to_owned(), rows.map(|row| Value::Object(object(row))).collect());
            context.out.json(&answer)?;
            return Ok(Exit::Done);
        }
        context.out.table(&titles, rows.map(|row| shown.iter().map(|&at| row[at].cell()).collect()).collect())?;
        below.iter().try_for_each(|line| context.out.text(line))?;
        context.out.text(&freshness_text(freshness))?;
        Ok(Exit::Done)
    }
}

/// CSV and JSON are two forms of one answer.
///
/// # Errors
/// When both are wanted.
pub fn one_form(context: &Context, csv: bool) -> Result<(), CliError> {
    if csv && context.out.is_json() {
        return Err(CliError::Usage("--csv and --json cannot both be had".into()));
    }
    Ok(())
}

fn line<'d>(csv: &mut CsvText, row: impl Iterator<Item = &'d Datum>) {
    row.for_each(|datum| datum.csv(csv));
    csv.end();
}

/// The CSV of rows, for tests.
#[cfg(test)]
pub fn csv_text(columns: &[Column], rows: &[Vec<Datum>]) -> String {
    let shown: Vec<usize> = (0..columns.len()).filter(|&at| !columns[at].0.is_empty()).collect();
    let mut lines = CsvText::with_header(&shown.iter().map(|&at| columns[at].0).collect::<Vec<_>>());
    rows.iter().for_each(|row| line(&mut lines, shown.iter().map(|&at| &row[at])));
    lines.take()
}
