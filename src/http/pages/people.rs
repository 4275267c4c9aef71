//! People, and one person with why they have seats, or not (R161).

use maud::{Markup, html};

use crate::http::access::Deed;
use crate::http::pages::fields::link;
use crate::http::pages::layout::{fresh, page};
use crate::http::pages::parts::{Head, Tone, chip, facts, nothing, pager_of, table};
use crate::http::pages::reply::Made;
use crate::http::pages::visit::{ROWS, Visit, path_of};
use crate::http::pages::words::{counted, sentence, when};
use crate::http::problem::Problem;
use crate::plan::Explanation;
use crate::service::{Customer, PersonState, PersonView, ServiceError};

/// People whose key, name or e-mail holds a text. Who is bound to one org asks for people one by one.
pub fn people(visit: &Visit<'_>) -> Made {
    let customer = visit.customer()?;
    let path = path_of(customer, "/people");
    let wanted = visit.query.get("q").unwrap_or_default();
    if !visit.sees_people() {
        let body = html! {
            h1 { "People" }
            form.find role="search" method="get" action=(path_of(customer, "/person")) {
                label for="key" { "Person key" }
                input #key type="search" name="key" required;
                button type="submit" { "Show" }
            }
            p.quiet { "People of your org are asked about one by one, by their key." }
        };
        return Ok(page(visit, customer, "People", "People", &body));
    }
    let skip = (visit.query.page() - 1) * ROWS;
    let (found, total) = visit.service().people_after(customer, wanted, skip, ROWS)?;
    let body = html! {
        div.head { h1 { "People" } p.quiet { (counted(total, "person", "people")) } }
        (fresh(customer, visit.service().freshness(customer)?))
        form.find role="search" method="get" action=(path) {
            label for="q" { "Key, name or e-mail" }
            input #q type="search" name="q" value=(wanted);
            button type="submit" { "Find" }
        }
        @if found.is_empty() { (nothing("Nobody is called that.")) }
        @else { (list(customer, &found)) }
        (pager_of(&path, &visit.query, &["q"], total))
    };
    Ok(page(visit, customer, "People", "People", &body))
}

/// The page of a person.
pub fn path_of_person(customer: &Customer, key: &str) -> String {
    link(&path_of(customer, "/person"), [("key", key)])
}

fn list(customer: &Customer, people: &[PersonView]) -> Markup {
    const HEADS: [Head<'_>; 5] = [("Person", false), ("Name", false), ("State", false), ("Roles", false), ("Seats", false)];
    let rows = html! {
        @for person in people {
            tr {
                th scope="row" { a href=(path_of_person(customer, &person.key)) { (person.key) } }
                td { (person.name) }
                td { (state_chip(person.state)) }
                td.words { (person.roles.join(", ")) }
                td.words { (person.claims.join(", ")) }
            }
        }
    };
    table("People", &HEADS, &rows)
}

fn state_chip(state: PersonState) -> Markup {
    let tone = match state {
        PersonState::Active => Tone::Good,
        PersonState::Locked | PersonState::Ended | PersonState::Removed { .. } => Tone::Quiet,
        PersonState::Absent { .. } => Tone::Warn,
    };
    chip(tone, sentence(&state.to_string()))
}

/// One person with why they have seats, or not.
pub fn person(visit: &Visit<'_>) -> Made {
    let customer = visit.customer()?;
    let service = visit.service();
    let key = visit.query.get("key").unwrap_or_default();
    let unknown = || Problem::unknown("person", key);
    visit.asking.person(customer, key, None)?;
    let answers = service.explain(customer, key, None)?;
    let view = service.person(customer, key)?;
    let is_unknown = !answers.is_empty() && answers.iter().all(|answer| answer.answer == "unknown_person");
    if view.is_none() && is_unknown {
        return Err(unknown());
    }
    let released = service.store().released(customer.id(), Some(key)).map_err(ServiceError::from)?;
    const HEADS: [Head<'_>; 5] = [("Pool", false), ("From", false), ("To", false), ("Because", false), ("Run", false)];
    let rows = html! {
        @for gone in released.iter().rev().take(ROWS) {
            tr {
                th scope="row" { (gone.pool) }
                td { (when(customer, gone.claim.since)) }
                td { (when(customer, gone.claim.changed)) }
                td { (sentence(gone.because.word())) }
                td { @if let Some(run) = gone.run {
                    @if visit.may(Deed::Look) { a href=(path_of(customer, &format!("/runs/{run}"))) { "Run " (run) } }
                    @else { "Run " (run) }
                } @else { "By hand" } }
            }
        }
    };
    let name = view.as_ref().map(|view| view.name.as_str()).filter(|name| !name.is_empty());
    let body = html! {
        div.head {
            h1 { (name.unwrap_or(key)) }
            @if let Some(view) = &view { (state_chip(view.state)) }
        }
        (fresh(customer, service.freshness(customer)?))
        @if let Some(view) = &view {
            (facts(&[
                ("Key", html! { code { (view.key) } }),
                ("Roles", html! { (view.roles.join(", ")) }),
                ("Live enrollments", html! { (view.live_enrollments) }),
                ("Seats and pins", html! { (view.claims.join(", ")) }),
            ]))
        }
        h2 { "Why" }
        ul.answers { @for answer in &answers { li { (explained(customer, visit, answer)) } } }
        h2 { "Seats that were released" }
        @if released.is_empty() { (nothing("None.")) } @else { (table("Seats that were released", &HEADS, &rows)) }
    };
    Ok(page(visit, customer, "People", name.unwrap_or(key), &body))
}

fn explained(customer: &Customer, visit: &Visit<'_>, answer: &Explanation) -> Markup {
    let tone = match answer.answer {
        "active" | "by_hand" => Tone::Good,
        "pending" | "held" => Tone::Info,
        "waiting" | "absent" | "quarantined" | "needs_access" | "suspended" | "expired" | "no_pool" | "no_term" => Tone::Warn,
        "denied" => Tone::Bad,
        _ => Tone::Quiet,
    };
    html! {
        article.answer {
            header { h3 { (answer.product) } (chip(tone, sentence(answer.answer))) }
            p { (answer.text) }
            @if let Some(pool) = &answer.pool {
                p.quiet {
                    "Pool "
                    @if visit.may(Deed::Look) { a href=(path_of(customer, &format!("/pools/{pool}"))) { (pool) } }
                    @else { (pool) }
                }
            }
            @if !answer.facts.is_empty() {
                details { summary { "Facts used" } ul { @for fact in &answer.facts { li { (fact) } } } }
            }
        }
    }
}
