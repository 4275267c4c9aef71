//! A Workday report (hr-sources §4): one answer, which is complete or worth nothing.

use reqwest::Url;

use crate::source::api::SourceError;
use crate::source::hr::mapping::HrColumns;
use crate::source::hr::pull::{Got, Page, Pull};
use crate::source::hr::wire::{Lists, Rows, Shape};
use crate::source::http::Answer;

/// What is read, for errors and findings.
pub(crate) const WHAT: &str = "Report_Entry";

/// Reads the report. `id` is the column of the key.
pub(crate) fn fetch(pull: &mut Pull<'_>, csv: bool, prompts: &[(String, String)], id: &str) -> Result<Got, SourceError> {
    let from = pull.number;
    let mut query: Vec<(&str, &str)> = prompts.iter().map(|(alias, value)| (alias.as_str(), value.as_str())).collect();
    query.push(("format", if csv { "csv" } else { "json" }));
    let url: Url = pull.url("", &query);
    let answer = pull.ask(|_| url.clone())?.map_err(|error| pull.failed(WHAT, error))?;
    let rows = if csv {
        table(pull.columns, &answer, id).map_err(|why| pull.unusable(why))?
    } else {
        let (rows, beside) = pull.records(WHAT, &answer, Shape { list: WHAT, id, lists: Lists::Joined })?;
        if beside.is_none() {
            return Err(pull.unusable(format!("there is no {WHAT} in the report: that is never taken for nobody")));
        }
        rows
    };
    let page = Page { at: 1, total: None, more: false, rows };
    pull.keep(&page)?;
    let (count, seen) = (page.rows.len(), page.rows.seen);
    Ok(Got { pages: from..pull.number, rows: count, seen })
}

/// The rows of a CSV report; its first line names the columns.
fn table(columns: &HrColumns, answer: &Answer, id: &str) -> Result<Rows, String> {
    let text = std::str::from_utf8(&answer.body).map_err(|_| "the answer is not UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.trim_start().chars().next() {
        None => return Err("the answer is empty instead of CSV".to_owned()),
        Some('<' | '{' | '[') => return Err("the answer is a web page, XML or JSON instead of CSV".to_owned()),
        Some(_) => {}
    }
    let is_measured = answer.headers.contains_key("content-length") || answer.headers.contains_key("transfer-encoding");
    if !is_measured && !text.ends_with('\n') {
        return Err("nothing tells whether the answer came to its end: its last line does not end".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let broken = |error: &csv::Error| match error.position() {
        Some(position) => format!("the answer is broken CSV (line {})", position.line()),
        None => "the answer is broken CSV".to_owned(),
    };
    let header = reader.headers().map_err(|error| broken(&error))?.clone();
    let places: Vec<Option<usize>> =
        columns.names().iter().map(|name| header.iter().position(|cell| columns.slot(cell) == columns.slot(name))).collect();
    let absent: Vec<&str> =
        columns.names().iter().zip(&places).filter(|(_, place)| place.is_none()).map(|(name, _)| name.as_str()).collect();
    if !absent.is_empty() {
        return Err(format!("the report has no column {}", absent.join(", ")));
    }
    let id = columns.slot(id).and_then(|slot| places[slot]).unwrap_or_default();
    let mut rows = Rows::new(places.len());
    rows.seen.fill(true);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| broken(&error))? {
        if record.len() == header.len() {
            let cell = |place: Option<usize>| place.and_then(|place| record.get(place)).unwrap_or_default();
            rows.push(cell(Some(id)), places.iter().map(|&place| cell(place)));
        } else {
            rows.push_broken();
        }
    }
    Ok(rows)
}
