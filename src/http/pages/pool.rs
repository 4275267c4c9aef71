//! One pool in depth: why its balance is what it is (R162).

use maud::html;

use crate::base::{Day, Instant, PoolId};
use crate::http::pages::customer::pool_card;
use crate::http::pages::layout::{fresh, page};
use crate::http::pages::parts::{Head, bar, chip, nothing, table};
use crate::http::pages::parts::{Tone, facts};
use crate::http::pages::reply::Made;
use crate::http::pages::visit::{ROWS, Visit, path_of};
use crate::http::pages::words::{count, counted, date, date_of, number, sentence};
use crate::license::{ClaimState, Episode};
use crate::service::{Customer, PoolDetail};

/// The page.
pub fn pool(visit: &Visit<'_>) -> Made {
    let customer = visit.customer()?;
    let service = visit.service();
    let id = PoolId::from(visit.param("pool"));
    let detail = service.pool_detail(customer, &id)?;
    let view = &detail.view;
    let in_state = |state| html! { (count(view.counts.of(state).0)) };
    let path = |rest: &str| format!("{}?pool={id}", path_of(customer, rest));
    let body = html! {
        div.head { h1 { (id) } }
        (fresh(customer, service.freshness(customer)?))
        h2.unseen { "Now" }
        (pool_card(customer, view))
        (facts(&[
            ("Product", html! { (view.product) }),
            ("Owner", html! { (view.owner) }),
            ("Band", html! { (sentence(view.band.word())) }),
            ("Active", in_state(ClaimState::Active)),
            ("Pending", in_state(ClaimState::Pending)),
            ("Held", in_state(ClaimState::Held)),
            ("Waiting", in_state(ClaimState::Waiting)),
            ("Suspended", in_state(ClaimState::Suspended)),
            ("Agreed excess", html! { (count(view.allowance.agreed.0)) }),
        ]))
        @if let Some(year) = &view.reuse {
            p.quiet {
                "In the license year from " (date(year.year)) ", " (counted(year.distinct, "person", "people"))
                " had a seat, " (count(year.replacements())) " of them as replacements"
                @if let Some(allowed) = view.reuse_limit { " (" (count(allowed)) " are allowed)" } "."
            }
        }
        p.links {
            a href=(path("/forecast")) { "What is ahead" }
            @if visit.sees_people() { a href=(path("/queue")) { "Who waits" } }
        }
        (bought(customer, visit.now, &detail))
        section {
            h2 { "Episodes" }
            @if detail.episodes.is_empty() { (nothing("It was never over.")) }
            @else { (episodes(customer, &detail.episodes)) }
        }
        section {
            h2 { "Seats by home org" }
            @if detail.used_by_org.is_empty() { (nothing("Nobody has a seat.")) }
            @else { (by_org(&detail)) }
        }
        @if visit.sees_people() && !detail.pins.is_empty() {
            section { h2 { "Pins" } (pins(customer, &detail)) }
        }
    };
    Ok(page(visit, customer, "Overview", id.as_str(), &body))
}

/// Terms, grants and agreed excesses: what the allowance is made of.
fn bought(customer: &Customer, now: Instant, detail: &PoolDetail) -> maud::Markup {
    const HEADS: [Head<'_>; 6] =
        [("What", false), ("Seats", true), ("From", false), ("To", false), ("Reference", false), ("In force", false)];
    let in_force = |from: Instant, to: Instant| match () {
        () if now < from => chip(Tone::Quiet, "Not yet"),
        () if now >= to => chip(Tone::Quiet, "Over"),
        () => chip(Tone::Good, "Now"),
    };
    let row = |what: String, seats: Option<i64>, (from, to): (Instant, Instant), reference: &str| {
        html! {
            tr {
                th scope="row" { (what) }
                td.num { @if let Some(seats) = seats { (number(seats)) } }
                td { (date_of(customer, from)) }
                td { (date_of(customer, to)) }
                td { (reference) }
                td { (in_force(from, to)) }
            }
        }
    };
    let rows = html! {
        @for grant in detail.grants.iter().take(ROWS) {
            (row(format!("{} {}", sentence(grant.kind.word()), grant.id), Some(grant.seats), (grant.from, grant.to), &grant.reference))
        }
        @for agreed in detail.agreed.iter().take(ROWS) {
            (row(format!("Agreed excess {}", agreed.id), Some(agreed.seats.0.into()), (agreed.from, agreed.to), &agreed.reference))
        }
        @for term in detail.terms.iter().take(ROWS) {
            (row(format!("Term {}", term.id), term.seats.map(|seats| seats.0.into()), (term.from, term.to), &term.reference))
        }
    };
    html! {
        section {
            h2 { "What was bought" }
            @if detail.grants.is_empty() && detail.agreed.is_empty() && detail.terms.is_empty() {
                (nothing("Nothing was written down yet."))
            } @else { (table("What was bought", &HEADS, &rows)) }
        }
    }
}

/// Episodes as a table.
pub fn episodes(customer: &Customer, episodes: &[Episode]) -> maud::Markup {
    const HEADS: [Head<'_>; 5] = [("Episode", false), ("Opened", false), ("Cause", false), ("Peak", true), ("Ended", false)];
    let rows = html! {
        @for episode in episodes.iter().take(ROWS) {
            tr {
                th scope="row" { a href=(path_of(customer, &format!("/episodes/{}", episode.id))) { "Episode " (episode.id) } }
                td { (date(episode.opened_day)) }
                td { (sentence(episode.cause.word())) }
                td.num { (count(episode.peak.0)) }
                td {
                    @match (episode.closed, episode.outcome) {
                        (Some(at), Some(outcome)) => { (sentence(outcome.word())) ", " (date_of(customer, at)) }
                        _ => { (chip(Tone::Warn, "Open")) }
                    }
                }
            }
        }
    };
    table("Episodes", &HEADS, &rows)
}

fn by_org(detail: &PoolDetail) -> maud::Markup {
    const HEADS: [Head<'_>; 3] = [("Org", false), ("Seats", true), ("Share of the pool's", false)];
    let mut orgs: Vec<_> = detail.used_by_org.iter().collect();
    orgs.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let (all, many) = (detail.view.used(), orgs.len());
    let rows = html! {
        @for (org, seats) in orgs.into_iter().take(ROWS) {
            tr {
                th scope="row" { (org) }
                td.num { (count(*seats)) }
                td.wide { (bar(crate::base::Seats(*seats), Some(all))) }
            }
        }
    };
    html! {
        (table("Seats by home org", &HEADS, &rows))
        @if many > ROWS { p.quiet { "and " (count(many - ROWS)) " orgs more: the license report has them all." } }
    }
}

fn pins(customer: &Customer, detail: &PoolDetail) -> maud::Markup {
    const HEADS: [Head<'_>; 5] = [("Person", false), ("Decision", false), ("Until", false), ("Why", false), ("By", false)];
    let rows = html! {
        @for pin in detail.pins.iter().take(ROWS) {
            tr {
                th scope="row" {
                    a href=(crate::http::pages::fields::link(&path_of(customer, "/person"), [("key", pin.person.as_str())])) { (pin.person) }
                }
                td { (sentence(pin.kind.word())) }
                td { @if pin.until != Day::MAX { (date(pin.until)) } }
                td { (pin.reason) }
                td { (pin.by) }
            }
        }
    };
    table("Pins", &HEADS, &rows)
}
