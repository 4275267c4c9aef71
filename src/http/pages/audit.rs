//! The trail: every commit, who made it and what it changed (R158).

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use maud::{Markup, html};

use crate::base::Version;
use crate::http::pages::layout::page;
use crate::http::pages::parts::{Head, facts, nothing, pager, pager_of, table};
use crate::http::pages::people::path_of_person;
use crate::http::pages::reply::Made;
use crate::http::pages::visit::{ROWS, Visit, path_of};
use crate::http::pages::words::{count, counted, sentence, when};
use crate::http::problem::Problem;
use crate::license::ClaimChange;
use crate::service::Customer;
use crate::shape::CommitJson;
use crate::store::AuditCommit;

/// So many entries of a commit are shown, each at most so many characters long.
const ENTRY_CHARS_MAX: usize = 4000;

/// One commit in a line.
struct Line {
    version: u64,
    head: Markup,
}

/// Commits, newest first; `before`: those before that version.
pub fn audit(visit: &Visit<'_>) -> Made {
    const HEADS: [Head<'_>; 7] = [
        ("Commit", false),
        ("When", false),
        ("What", false),
        ("By", false),
        ("Run", false),
        ("Changes", false),
        ("Hash", false),
    ];
    let customer = visit.whole_customer()?;
    let newest = visit.service().version(customer)?.0;
    let page_size = ROWS as u64;
    let last = newest.saturating_sub((visit.query.page() as u64 - 1) * page_size);
    let after = last.saturating_sub(page_size);
    let mut lines: Vec<Line> = Vec::new();
    visit.service().trail(customer, Version(after), &mut |commit| {
        if commit.version.0 > last {
            return ControlFlow::Break(());
        }
        lines.push(Line { version: commit.version.0, head: line(customer, &commit) });
        ControlFlow::Continue(())
    })?;
    lines.reverse();
    let rows = html! {
        @for line in &lines {
            tr {
                th scope="row" { a href=(path_of(customer, &format!("/audit/{}", line.version))) { "Commit " (line.version) } }
                (line.head)
            }
        }
    };
    let body = html! {
        div.head { h1 { "Audit" } }
        p.quiet {
            "Every change of the books, in a chain of hashes. " code { "rosterd audit verify " (customer.id()) }
            " replays it and proves that the books are what it says."
        }
        @if lines.is_empty() { (nothing("Nothing was written down yet.")) } @else { (table("Commits", &HEADS, &rows)) }
        (pager(&path_of(customer, "/audit"), &visit.query, &[], None, after > 0))
    };
    Ok(page(visit, customer, "Audit", "Audit", &body))
}

fn line(customer: &Customer, commit: &AuditCommit) -> Markup {
    html! {
        td { (when(customer, commit.at)) }
        td { (sentence(&commit.verb)) }
        td { (commit.actor) }
        td { @if let Some(run) = commit.run { a href=(path_of(customer, &format!("/runs/{run}"))) { "Run " (run) } } }
        td {
            @if !commit.changes.is_empty() { (counted(commit.changes.len(), "seat", "seats")) }
            @if !commit.changes.is_empty() && !commit.entries.is_empty() { ", " }
            @if !commit.entries.is_empty() { (counted(commit.entries.len(), "entry", "entries")) }
        }
        td { code { (commit.hash.short()) } }
    }
}

/// One commit.
pub fn commit(visit: &Visit<'_>) -> Made {
    let customer = visit.whole_customer()?;
    let number = visit.number("commit")?;
    let unknown = || Problem::unknown("commit", &number.to_string());
    let after = Version(number.checked_sub(1).ok_or_else(unknown)?);
    let mut found = None;
    visit.service().trail(customer, after, &mut |commit| {
        found = Some(commit);
        ControlFlow::Break(())
    })?;
    let commit = found.filter(|commit| commit.version.0 == number).ok_or_else(unknown)?;
    let skip = (visit.query.page() - 1) * ROWS;
    let total = commit.changes.len();
    let body = html! {
        div.head { h1 { "Commit " (number) } }
        (facts(&[
            ("When", when(customer, commit.at)),
            ("What", html! { (sentence(&commit.verb)) }),
            ("By", html! { (commit.actor) }),
            ("Run", html! { @match commit.run {
                Some(run) => { a href=(path_of(customer, &format!("/runs/{run}"))) { "Run " (run) } }
                None => { "none" }
            } }),
            ("Hash", html! { code { (commit.hash) } }),
            ("Hash before", html! { code { (commit.parent_hash) } }),
        ]))
        h2 { "Entries (" (count(commit.entries.len())) ")" }
        (entries(customer, &commit))
        h2 { "Seats (" (count(total)) ")" }
        @if total == 0 { (nothing("It changed no seat.")) } @else { (changes(customer, &commit, skip)) }
        (pager_of(&visit.path, &visit.query, &[], total))
    };
    Ok(page(visit, customer, "Audit", &format!("Commit {number}"), &body))
}

fn changes(customer: &Customer, commit: &AuditCommit, skip: usize) -> Markup {
    const HEADS: [Head<'_>; 5] = [("Person", false), ("Pool", false), ("Before", false), ("After", false), ("Because", false)];
    let row = |change: &ClaimChange| {
        let person = commit.people.get(change.person);
        html! {
            tr {
                th scope="row" { a href=(path_of_person(customer, person)) { (person) } }
                td { (commit.names.pool_of(&change.after)) }
                td { @match change.before.as_deref() { Some(before) => { (before.state.word()) } None => { "\u{2013}" } } }
                td { (change.after.state.word()) }
                td { (sentence(change.because.word())) }
            }
        }
    };
    table("Changes of seats", &HEADS, &html! { @for change in commit.changes.iter().skip(skip).take(ROWS) { (row(change)) } })
}

/// Everything else that a commit wrote down, as it is told elsewhere, too.
fn entries(customer: &Customer, commit: &AuditCommit) -> Markup {
    let without_seats = AuditCommit { changes: Vec::new(), ..commit.clone() };
    let told = serde_json::to_value(CommitJson::new(customer.id().as_str(), &without_seats)).unwrap_or_default();
    let entries = told["entries"].as_array().cloned().unwrap_or_default();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for entry in &entries {
        *kinds.entry(sentence(entry["kind"].as_str().unwrap_or_default())).or_default() += 1;
    }
    html! {
        @if entries.is_empty() { (nothing("There are none.")) }
        p.quiet { @for (at, (kind, many)) in kinds.iter().enumerate() { @if at > 0 { ", " } (count(*many)) " " (kind.to_lowercase()) } }
        @for entry in entries.iter().take(ROWS) {
            details {
                summary { (sentence(entry["kind"].as_str().unwrap_or_default())) }
                pre tabindex="0" { (shortened(&serde_json::to_string_pretty(entry).unwrap_or_default())) }
            }
        }
        @if entries.len() > ROWS { p.quiet { "and " (count(entries.len() - ROWS)) " more." } }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(ENTRY_CHARS_MAX) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}
