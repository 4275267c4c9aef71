//! One list, three forms: a table for people, CSV for spreadsheets (R147), JSON for programs. A report says its columns
//! and its cells once.

use serde_json::Value;

use crate::base::Balance;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, balance, number, text};
use crate::cli::words::{freshness_text, when};
use crate::service::{Customer, Freshness};
use crate::shape::{Column, Datum, csv_of, csv_row, grid_json, shown};

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
        let shown = shown(columns);
        let titles: Vec<&str> = shown.iter().map(|&at| columns[at].0).collect();
        if csv {
            let mut lines = csv_of(columns);
            for row in rows {
                context.out.bytes(lines.take().as_bytes())?;
                csv_row(&mut lines, columns, &row);
            }
            context.out.bytes(lines.take().as_bytes())?;
            return Ok(Exit::Done);
        }
        if context.out.is_json() {
            let answer = grid_json(customer.id().as_str(), freshness, columns, more, rows);
            context.out.json(&answer)?;
            return Ok(Exit::Done);
        }
        context.out.table(&titles, rows.map(|row| shown.iter().map(|&at| cell(&row[at])).collect()).collect())?;
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

fn cell(datum: &Datum) -> Cell {
    match datum {
        Datum::Text(value) => text(value.as_deref().unwrap_or_default()),
        Datum::Number(value) => number(value.map_or(String::new(), |value| value.to_string())),
        Datum::Balance(Some(value)) => balance(Some(Balance(*value))),
        Datum::Balance(None) => text(""),
        Datum::Percent(value) => number(value.as_deref().unwrap_or_default()),
        Datum::At(value) => text(value.map_or(String::new(), when)),
        Datum::On(value) => text(value.map_or(String::new(), |day| day.to_string())),
    }
}
