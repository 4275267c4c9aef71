//! BambooHR (hr-sources §3): the directory in one answer, or a saved report page by page. A field that the key may not see
//! is left out without a word: every column must have been there, or nothing is used.

use serde_json::Value;

use crate::source::api::SourceError;
use crate::source::hr::proof::{Proof, Step};
use crate::source::hr::pull::{Got, MOVED, Page, Pull};
use crate::source::hr::wire::{Beside, Lists, Shape};
use crate::source::http::{Answer, HttpError};

/// What is read, for errors and findings.
pub(crate) const WHAT: &str = "employees";
/// Its reason for a refusal.
const REASON: &str = "x-bamboohr-error-message";
/// A page of a report is no longer; the settings say so.
const PAGE_ROWS_MAX: u32 = 1_000;

/// Reads everybody. `id` is the column of the key.
pub(crate) fn fetch(pull: &mut Pull<'_>, report: Option<&str>, id: &str) -> Result<Got, SourceError> {
    let got = match report {
        Some(report) => pull.list(WHAT, |pull| numbered(pull, report, id))?,
        None => directory(pull, id)?,
    };
    // Of nobody at all no record can tell that it has a key.
    let absent = pull.columns.names().iter().zip(&got.seen).filter(|(name, seen)| !**seen && (got.rows > 0 || *name != id));
    let absent: Vec<&str> = absent.map(|(name, _)| name.as_str()).collect();
    if (got.rows > 0 || report.is_none()) && !absent.is_empty() {
        let why = format!(
            "it does not tell {}: the name is wrong, or the key may not see it; without it leavers might stay for ever",
            absent.join(", ")
        );
        return Err(pull.unusable(why));
    }
    Ok(got)
}

fn directory(pull: &mut Pull<'_>, id: &str) -> Result<Got, SourceError> {
    let from = pull.number;
    let url = pull.url("employees/directory", &[]);
    let answer = ask(pull, &url)?;
    let (rows, beside) = pull.records(WHAT, &answer, Shape { list: "employees", id, lists: Lists::Joined })?;
    let Some(beside) = beside else {
        return Err(pull.unusable(format!("it answered with success and something else instead of {WHAT}")));
    };
    let mut seen = rows.seen.clone();
    if let Some(Value::Array(fields)) = beside.get("fields") {
        for field in fields.iter().filter_map(|field| field.get("id")?.as_str()) {
            if let Some(slot) = pull.columns.slot(field) {
                seen[slot] = true;
            }
        }
    }
    let page = Page { at: 1, total: None, more: false, rows };
    pull.keep(&page)?;
    Ok(Got { pages: from..pull.number, rows: page.rows.len(), seen })
}

fn numbered(pull: &mut Pull<'_>, report: &str, id: &str) -> Result<Result<(u64, Vec<bool>), String>, SourceError> {
    let shape = Shape { list: "data", id, lists: Lists::Joined };
    let mut proof = Proof::default();
    let mut seen = vec![false; pull.columns.names().len()];
    for at in 1.. {
        let page = match pull.kept(at) {
            Some(page) => page,
            None => {
                let (number, size) = (at.to_string(), pull.limit.min(PAGE_ROWS_MAX).to_string());
                let url = pull.url(&format!("custom-reports/{report}"), &[("page", &number), ("page_size", &size)]);
                let answer = ask(pull, &url)?;
                let (rows, beside) = pull.records(WHAT, &answer, shape)?;
                let Some(Value::Object(paging)) = beside.as_ref().and_then(|beside| beside.get("pagination")) else {
                    return Err(pull.unusable(format!("it answered with success and something else instead of {WHAT}")));
                };
                let (current, total) = (number_of(paging, "current_page"), number_of(paging, "total_records"));
                if current.is_some_and(|current| current != at) {
                    return Ok(Err(format!("page {at} was asked for and another one came")));
                }
                let by_count = number_of(paging, "total_pages").is_some_and(|pages| pages > at);
                let more = by_count || paging.get("next_page").is_some_and(|next| !next.is_null());
                let page = Page { at, total, more, rows };
                pull.keep(&page)?;
                page
            }
        };
        if pull.has_moved(&page) {
            return Ok(Err(MOVED.to_owned()));
        }
        seen.iter_mut().zip(&page.rows.seen).for_each(|(known, seen)| *known |= seen);
        match proof.numbered_page(&page.rows.ids, page.total, page.more) {
            Step::More => {}
            Step::End => break,
            Step::Broken(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok((proof.rows(), seen)))
}

fn ask(pull: &mut Pull<'_>, url: &reqwest::Url) -> Result<Answer, SourceError> {
    pull.ask(|_| url.clone())?.map_err(|error| match reason(&error) {
        Some((status, reason)) => pull.unusable(format!("it answered with status {status}: {reason}")),
        None => pull.failed(WHAT, error),
    })
}

/// The reason for a refusal that will not pass, if it is one of the service's own short sentences.
fn reason(error: &HttpError) -> Option<(u16, &str)> {
    let refusal = error.refusal().filter(|_| !error.passes())?;
    let reason = refusal.headers.get(REASON)?.to_str().ok()?.trim();
    let is_plain =
        (1..=120).contains(&reason.len()) && reason.bytes().all(|byte| byte.is_ascii_alphabetic() || b" ,.'".contains(&byte));
    is_plain.then_some((refusal.status, reason))
}

fn number_of(paging: &Beside, name: &str) -> Option<u64> {
    match paging.get(name)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
