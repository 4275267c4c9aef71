//! Runs: the list, one run with its plan and its findings, and a run as it goes.

use maud::{Markup, html};

use crate::base::{RequestId, RunId};
use crate::http::pages::layout::{page, sync_now, when_and_far};
use crate::http::pages::nodes;
use crate::http::pages::parts::{Head, facts, nothing, pager, part, run_chip, table};
use crate::http::pages::plan::plan_of;
use crate::http::pages::reply::{Made, Reply};
use crate::http::pages::visit::{ROWS, Visit, path_of};
use crate::http::pages::words::{begun, count, sentence, state_sentence, took, trigger, when};
use crate::http::problem::Problem;
use crate::service::{Customer, ServiceError};
use crate::shape::run_words;
use crate::store::{FindingRow, RequestRow, RequestState, RunRow, RunState};

/// So many runs can be looked back on.
const RUNS_MAX: usize = 10_000;

/// All runs, newest first.
pub fn runs(visit: &Visit<'_>) -> Made {
    const HEADS: [Head<'_>; 9] = [
        ("Run", false),
        ("State", false),
        ("Why", false),
        ("Began", false),
        ("Took", false),
        ("People", true),
        ("Seated", true),
        ("Released", true),
        ("Findings", true),
    ];
    let customer = visit.customer()?;
    let path = path_of(customer, "/runs");
    // One more than is shown tells whether there is a page after it.
    let wanted = (visit.query.page() * ROWS + 1).min(RUNS_MAX);
    let limit = u32::try_from(wanted).unwrap_or(u32::MAX);
    let all = visit.service().store().runs(Some(customer.id()), limit).map_err(ServiceError::from)?;
    let is_more = all.len() > visit.query.page() * ROWS;
    let shown = part(all, visit.query.page());
    let rows = html! {
        @for run in &shown {
            tr {
                th scope="row" { a href=(path_of(customer, &format!("/runs/{}", run.run))) { "Run " (run.run) } }
                td { (run_chip(run.state)) }
                td { (trigger(&run.trigger, visit.sees_people())) }
                td { (when(customer, run.began)) }
                td { (took(run, visit.now)) }
                td.num { (count(run.tally.people)) }
                td.num { (count(run.tally.seated)) }
                td.num { (count(run.tally.released)) }
                td.num { (count(run.tally.findings)) }
            }
        }
    };
    let body = html! {
        div.head { h1 { "Runs" } (sync_now(visit, customer, None)) }
        @if shown.is_empty() { (nothing("There was none yet.")) } @else { (table("Runs", &HEADS, &rows)) }
        (pager(&path, &visit.query, &[], None, is_more))
        p { (nodes::way(visit)) }
    };
    Ok(page(visit, customer, "Runs", "Runs", &body))
}

fn run_of<'s>(visit: &Visit<'s>) -> Result<(&'s Customer, RunRow), Problem> {
    let customer = visit.customer()?;
    let number = visit.number("run")?;
    let row = visit.asking.run(number)?;
    if row.customer != *customer.id() {
        return Err(Problem::unknown("run", &number.to_string()));
    }
    Ok((customer, row))
}

/// One run.
pub fn run(visit: &Visit<'_>) -> Made {
    let (customer, row) = run_of(visit)?;
    let service = visit.service();
    let is_over = row.state.is_over();
    let plan = if is_over { service.run_plan(&row)? } else { None };
    let sees_findings = visit.sees_people() && row.tally.findings > 0;
    let findings = if sees_findings { service.run_findings(RunId(row.run.0), None, ROWS)? } else { Vec::new() };
    let hold = service.holds(customer)?.into_iter().find(|hold| hold.run == row.run);
    let number = |number: u64| html! { (count(number)) };
    let body = html! {
        div.head { h1 { "Run " (row.run) } (run_chip(row.state)) }
        @if is_over { p { (state_sentence(row.state)) } }
        @else { (watched(&path_of(customer, &format!("/runs/{}/progress", row.run)), &steps(Some(row.state)))) }
        @if !row.message.is_empty() { p { (begun(&run_words(&row, visit.sees_people()))) } }
        @if let (Some(hold), true) = (&hold, visit.sees_people()) {
            p { a.button href=(path_of(customer, &format!("/holds/{}", hold.run))) { "What the guard holds: " (hold.state.word().replace('_', " ")) } }
        }
        (facts(&[
            ("Why", html! { (trigger(&row.trigger, visit.sees_people())) }),
            ("By", html! { (row.trigger.actor()) }),
            ("Began", when_and_far(customer, visit.now, row.began)),
            ("Took", html! { (took(&row, visit.now)) }),
            ("People", number(row.tally.people)),
            ("Seated", number(row.tally.seated)),
            ("Released", number(row.tally.released)),
            ("Changed otherwise", number(row.tally.changed)),
            ("Waiting", number(row.tally.waiting)),
            ("Withheld", number(row.tally.withheld)),
            ("Findings", number(row.tally.findings)),
            ("Commit", html! { @match row.version { Some(version) => { (version) } None => { "none" } } }),
        ]))
        @if !row.packages.is_empty() { p.quiet { "Took in " (row.packages.join(", ")) } }
        @match &plan {
            Some(plan) => { (plan_of(visit, customer, plan)) }
            None if is_over => { p.quiet { "Its plan is not kept any more, or was never committed, or it came to none." } }
            None => {}
        }
        @if sees_findings {
            h2 { "Findings" }
            (found(&findings))
            @if row.tally.findings > ROWS as u64 {
                p.quiet { "The first " (ROWS) " of " (count(row.tally.findings)) ". " code { "rosterd findings " (row.run) } " has them all." }
            }
        }
    };
    Ok(page(visit, customer, "Runs", &format!("Run {}", row.run), &body))
}

fn found(findings: &[FindingRow]) -> Markup {
    const HEADS: [Head<'_>; 7] = [
        ("Number", true),
        ("Rule", false),
        ("Record", false),
        ("Field", false),
        ("What", false),
        ("Where", false),
        ("Source", false),
    ];
    let rows = html! {
        @for finding in findings {
            tr {
                td.num { (count(finding.number)) }
                td { (sentence(&finding.rule)) }
                td { (finding.record) }
                td { (finding.field) }
                td.words { (finding.detail) }
                td { (finding.file) @if finding.row > 0 { ", row " (count(finding.row)) } }
                td { (finding.source) }
            }
        }
    };
    table("Findings", &HEADS, &rows)
}

/// How far a run is, told anew while it goes.
pub fn run_progress(visit: &Visit<'_>) -> Made {
    let (customer, row) = run_of(visit)?;
    let to = path_of(customer, &format!("/runs/{}", row.run));
    Ok(told(&html! { (steps(Some(row.state))) @if row.state.is_over() { (over(&to)) } }))
}

/// A wish for a run: where it stands, and the run it came to.
pub fn request(visit: &Visit<'_>) -> Made {
    let (customer, row) = request_of(visit)?;
    if let Some(run) = row.run {
        return Ok(Reply::on_to(&path_of(customer, &format!("/runs/{run}"))));
    }
    let path = path_of(customer, &format!("/requests/{}/progress", row.request));
    let body = html! {
        div.head { h1 { "Request " (row.request) } }
        p { (trigger(&row.trigger, visit.sees_people())) ", asked for " (when_and_far(customer, visit.now, row.at)) " by " (row.trigger.actor()) "." }
        (watched(&path, &far_of(visit, customer, &row)?))
    };
    Ok(page(visit, customer, "Runs", &format!("Request {}", row.request), &body))
}

/// How far a wish for a run is.
pub fn request_progress(visit: &Visit<'_>) -> Made {
    let (customer, row) = request_of(visit)?;
    let to = match (row.run, row.state) {
        (Some(run), _) => Some(path_of(customer, &format!("/runs/{run}"))),
        (None, RequestState::Done) => Some(path_of(customer, "/runs")),
        (None, _) => None,
    };
    let steps = far_of(visit, customer, &row)?;
    Ok(told(&html! { (steps) @if let Some(to) = &to { (over(to)) } }))
}

fn request_of<'s>(visit: &Visit<'s>) -> Result<(&'s Customer, RequestRow), Problem> {
    let customer = visit.customer()?;
    let number = visit.number("request")?;
    let row = visit.service().store().request_row(RequestId(number)).map_err(ServiceError::from)?;
    let row = row.filter(|row| row.customer == *customer.id());
    Ok((customer, row.ok_or_else(|| Problem::unknown("request", &number.to_string()))?))
}

/// Its steps; a request that runs says how far its run is.
fn far_of(visit: &Visit<'_>, customer: &Customer, row: &RequestRow) -> Result<Markup, Problem> {
    if row.state == RequestState::Queued {
        return Ok(steps(None));
    }
    let newest = visit.service().store().runs(Some(customer.id()), 1).map_err(ServiceError::from)?.pop();
    let run = newest.filter(|run| run.began >= row.at);
    Ok(steps(Some(run.map_or(RunState::Fetching, |run| run.state))))
}

/// The steps of a run; `None`: it waits for its turn.
fn steps(state: Option<RunState>) -> Markup {
    const STEPS: [&str; 5] = ["In line", "Reading", "Planning", "Writing", "Done"];
    let at = match state {
        None => 0,
        Some(RunState::Fetching) => 1,
        Some(RunState::Planning) => 2,
        Some(RunState::Committing) => 3,
        Some(_) => 4,
    };
    html! {
        ol.steps {
            @for (step, name) in STEPS.iter().enumerate() {
                li.done[step < at || at == 4].now[step == at && at < 4] aria-current=[(step == at).then_some("step")] {
                    span.dot aria-hidden="true" { @if step < at || at == 4 { "\u{2713}" } @else { "\u{25cf}" } }
                    (name)
                }
            }
        }
    }
}

/// A part of the page that is told anew by itself; without a script the page itself is.
fn watched(path: &str, inner: &Markup) -> Markup {
    html! {
        div data-watch=(path) aria-live="polite" { (inner) }
        noscript { p { "Load the page anew to see how far it is." } }
    }
}

/// Where to go when there is nothing more to tell.
fn over(to: &str) -> Markup {
    html! { p { a href=(to) data-over=(to) { "See what it came to" } } }
}

fn told(part: &Markup) -> Reply {
    Reply::page(axum::http::StatusCode::OK, part.0.clone())
}
