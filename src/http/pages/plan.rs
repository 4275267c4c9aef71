//! A plan as a difference: what comes, what goes, what changes, and what is left undone (R112).

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::http::pages::parts::{Head, Tone, balance, chip, nothing, pager_of, table};
use crate::http::pages::people::path_of_person;
use crate::http::pages::visit::{ROWS, Visit, path_of};
use crate::http::pages::words::{count, counted, date, sentence, told};
use crate::license::ClaimState;
use crate::plan::{AbsenceChange, Plan, PoolOutlook, Withheld, causes_text, trip_text};
use crate::service::Customer;

/// Lists that are longer than this are shut until somebody opens them.
const OPEN_MAX: usize = 20;

/// A plan; who may not see people sees its pools.
pub fn plan_of(visit: &Visit<'_>, customer: &Customer, plan: &Plan) -> Markup {
    html! {
        h2 { "Plan" }
        @if plan.is_empty() { (nothing("There was nothing to do.")) }
        @for trip in &plan.verdict.trips { p { (chip(Tone::Warn, "Held by a guard")) " " (told(&trip_text(trip))) } }
        (outlook(customer, &plan.pools))
        @if visit.sees_people() { (people(visit, customer, plan)) }
        @if !plan.notices.is_empty() {
            h3 { "Told" }
            ul.notes { @for notice in plan.notices.iter().take(ROWS) { li { @if visit.sees_people() { (notice.text) } @else { (notice.kind.title()) } } } }
        }
    }
}

/// Pools before and after.
pub fn outlook(customer: &Customer, pools: &[PoolOutlook]) -> Markup {
    const HEADS: [Head<'_>; 8] = [
        ("Pool", false),
        ("Seated", true),
        ("Released", true),
        ("Used", true),
        ("Available", true),
        ("If approved", true),
        ("Waiting", true),
        ("Band", false),
    ];
    let moved = |before: u32, after: u32| {
        html! { @if before != after { span.was { (count(before)) " \u{2192} " } } (count(after)) }
    };
    let waiting = |pool: &PoolOutlook| moved(pool.before.of(ClaimState::Waiting).0, pool.after.of(ClaimState::Waiting).0);
    let rows = html! {
        @for pool in pools {
            tr {
                th scope="row" { a href=(path_of(customer, &format!("/pools/{}", pool.pool))) { (pool.pool) } }
                td.num { @if pool.seated.0 > 0 { "+" (count(pool.seated.0)) } @else { "0" } }
                td.num { @if pool.released.0 > 0 { "\u{2212}" (count(pool.released.0)) } @else { "0" } }
                td.num { (moved(pool.before.used().0, pool.after.used().0)) }
                td.num {
                    @if pool.balance_before != pool.balance { (balance(pool.balance_before.map(|left| left.0))) " \u{2192} " }
                    (balance(pool.balance.map(|left| left.0)))
                }
                td.num { @if pool.balance_if_approved != pool.balance { (balance(pool.balance_if_approved.map(|left| left.0))) } }
                td.num { (waiting(pool)) }
                td { (sentence(pool.band.word()))
                    @if !pool.causes.is_empty() { span.quiet { " (" (causes_text(&pool.causes).replace('_', " ")) ")" } } }
            }
        }
    };
    html! { @if !pools.is_empty() { (table("Pools before and after", &HEADS, &rows)) } }
}

fn people(visit: &Visit<'_>, customer: &Customer, plan: &Plan) -> Markup {
    let total = plan.changes.len();
    let skip = (visit.query.page() - 1) * ROWS;
    html! {
        @if total > 0 {
            h3 { "Changes of seats (" (count(total)) ")" }
            (changes(customer, plan, skip))
            (pager_of(&visit.path, &visit.query, &[], total))
        }
        @if !plan.withheld.is_empty() { (withheld(customer, plan)) }
        @if !plan.absences.is_empty() { (missing(customer, plan)) }
    }
}

fn changes(customer: &Customer, plan: &Plan, skip: usize) -> Markup {
    const HEADS: [Head<'_>; 7] = [
        ("\u{b1}", false),
        ("Person", false),
        ("Pool", false),
        ("State", false),
        ("Because", false),
        ("Home org", false),
        ("Asked for by", false),
    ];
    let rows = html! {
        @for change in plan.changes.iter().skip(skip).take(ROWS) {
            @let before = change.before.as_deref();
            @let (class, sign, what) = match (before.map(|claim| claim.state.consumes()), change.after.state.consumes()) {
                (Some(true), false) => ("out", "\u{2212}", "Seat freed"),
                (Some(false) | None, true) => ("in", "+", "Seat taken"),
                (Some(true), true) => ("same", "~", "Seat kept"),
                (Some(false) | None, false) => ("same", "\u{b7}", "No seat"),
            };
            @let person = plan.people.get(change.person);
            tr.(class) {
                td { span aria-hidden="true" { (sign) } span.unseen { (what) } }
                th scope="row" { a href=(path_of_person(customer, person)) { (person) } }
                td {
                    @if let Some(before) = before.filter(|before| before.pool != change.after.pool) {
                        span.was { (plan.names.pool_of(before)) " \u{2192} " }
                    }
                    (plan.names.pool_of(&change.after))
                }
                td {
                    @if let Some(before) = before.filter(|before| before.state != change.after.state) {
                        span.was { (before.state.word()) " \u{2192} " }
                    }
                    (change.after.state.word())
                }
                td { (sentence(change.because.word())) }
                td { (plan.names.home_of(&change.after)) }
                td { (plan.names.reasons_of(&change.after)) }
            }
        }
    };
    html! { div.diff { (table("Changes of seats", &HEADS, &rows)) } }
}

fn withheld(customer: &Customer, plan: &Plan) -> Markup {
    const HEADS: [Head<'_>; 4] = [("Person", false), ("Product", false), ("Pool", false), ("Why not", false)];
    let product = |withheld: &Withheld| {
        let product = withheld.product.and_then(|at| customer.policy.products.get(usize::from(at)));
        product.map_or("everything", |product| product.id.as_str())
    };
    let rows = html! {
        @for withheld in plan.withheld.iter().take(ROWS) {
            @let person = plan.people.get(withheld.person);
            tr {
                th scope="row" { a href=(path_of_person(customer, person)) { (person) } }
                td { (product(withheld)) }
                td { @if let Some(pool) = withheld.pool { (plan.names.pools[usize::from(pool.0)]) } }
                td { (sentence(withheld.because.word())) }
            }
        }
    };
    let mut why: BTreeMap<&str, usize> = BTreeMap::new();
    plan.withheld.iter().for_each(|withheld| *why.entry(withheld.because.word()).or_default() += 1);
    html! {
        details open[plan.withheld.len() <= OPEN_MAX] {
            summary { "Asked for and not done (" (count(plan.withheld.len())) ")" }
            p.quiet { @for (at, (why, many)) in why.iter().enumerate() { @if at > 0 { ", " } (count(*many)) " " (why.replace('_', " ")) } }
            (table("Asked for and not done", &HEADS, &rows))
            (rest(plan.withheld.len()))
        }
    }
}

fn missing(customer: &Customer, plan: &Plan) -> Markup {
    const HEADS: [Head<'_>; 3] = [("Person", false), ("Now", false), ("Since", false)];
    let row = |change: &AbsenceChange| match change {
        AbsenceChange::Returned(person) => (person.clone(), "Back".to_owned(), None),
        AbsenceChange::Purged(person) => (person.clone(), "Deleted for good".to_owned(), None),
        AbsenceChange::Absent(absence) => {
            let what = if absence.ended { "Ended by the source" } else { "Absent" };
            let then = match (absence.removed, absence.held) {
                (true, _) => "removed".to_owned(),
                (false, true) => "held by a guard".to_owned(),
                (false, false) => format!("seen {}, kept until confirmed", counted(absence.count, "time", "times")),
            };
            (absence.person.clone(), format!("{what}, {then}"), Some(absence.since))
        }
    };
    let rows = html! {
        @for (person, now, since) in plan.absences.iter().take(ROWS).map(row) {
            tr {
                th scope="row" { a href=(path_of_person(customer, person.as_str())) { (person) } }
                td { (now) }
                td { @if let Some(day) = since { (date(day)) } }
            }
        }
    };
    html! {
        details open[plan.absences.len() <= OPEN_MAX] {
            summary { "Missing people (" (count(plan.absences.len())) ")" }
            (table("Missing people", &HEADS, &rows))
            (rest(plan.absences.len()))
        }
    }
}

fn rest(many: usize) -> Markup {
    html! { @if many > ROWS { p.quiet { "and " (count(many - ROWS)) " more." } } }
}
