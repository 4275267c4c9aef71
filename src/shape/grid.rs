//! Lists of cells: a report says its columns and its cells once, and every door shows them in its own form.

use serde_json::{Map, Value};

use crate::base::{Day, Instant};
use crate::service::Freshness;
use crate::shape::common::{FreshnessJson, at};
use crate::shape::csv::CsvText;

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
    /// Into a line of CSV (R147).
    pub fn csv(&self, csv: &mut CsvText) {
        match self {
            Datum::Text(value) => csv.text(value.as_deref().unwrap_or_default()),
            Datum::Number(value) | Datum::Balance(value) => csv.number(*value),
            Datum::Percent(value) => csv.number(value.as_ref()),
            Datum::At(value) => csv.text(&value.map_or(String::new(), |at| at.to_string())),
            Datum::On(value) => csv.text(&value.map_or(String::new(), |day| day.to_string())),
        }
    }

    /// As JSON.
    pub fn json(self) -> Value {
        match self {
            Datum::Text(value) | Datum::Percent(value) => value.map_or(Value::Null, Value::String),
            Datum::Number(value) | Datum::Balance(value) => value.map_or(Value::Null, Value::from),
            Datum::At(value) => value.and_then(at).map_or(Value::Null, Value::String),
            Datum::On(value) => value.map_or(Value::Null, |day| Value::String(day.to_string())),
        }
    }
}

/// Which columns tables and CSV show.
pub fn shown(columns: &[Column]) -> Vec<usize> {
    (0..columns.len()).filter(|&at| !columns[at].0.is_empty()).collect()
}

/// CSV that has its header and no rows yet.
pub fn csv_of(columns: &[Column]) -> CsvText {
    CsvText::with_header(&shown(columns).iter().map(|&at| columns[at].0).collect::<Vec<_>>())
}

/// Adds a row to a CSV of these columns.
pub fn csv_row(csv: &mut CsvText, columns: &[Column], row: &[Datum]) {
    columns.iter().zip(row).filter(|((title, _), _)| !title.is_empty()).for_each(|(_, datum)| datum.csv(csv));
    csv.end();
}

/// A list as one JSON answer: whose it is, what it rests on, `more`, its rows.
pub fn grid_json(
    customer: &str,
    freshness: Freshness,
    columns: &[Column],
    more: Vec<(&'static str, Value)>,
    rows: impl Iterator<Item = Vec<Datum>>,
) -> Value {
    let name = |(_, name): &Column| (*name).to_owned();
    let object = |row: Vec<Datum>| columns.iter().map(name).zip(row.into_iter().map(Datum::json)).collect();
    let mut answer = Map::from_iter([("customer".to_owned(), customer.into())]);
    if let Ok(Value::Object(fields)) = serde_json::to_value(FreshnessJson::from(freshness)) {
        answer.extend(fields);
    }
    answer.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    answer.insert("rows".to_owned(), rows.map(|row| Value::Object(object(row))).collect());
    Value::Object(answer)
}
