//! One customer at a glance: what wants a look, its pools with bars, its products, its newest run and notices.

use maud::{Markup, html};

use crate::http::pages::layout::{fresh, page, sync_now, when_and_far};
use crate::http::pages::overview::troubles;
use crate::http::pages::parts::{Head, balance, bar, chip, compliance_tone, facts, nothing, pool_standing, run_chip, table};
use crate::http::pages::reply::Made;
use crate::http::pages::visit::{Visit, path_of};
use crate::http::pages::words::{begun, clock_text, count, date, offer, percent, sentence, term, took, trigger};
use crate::plan::causes_text;
use crate::service::{Customer, PoolView, ProductSeats};
use crate::shape::{notice_words, run_words};
use crate::store::RunRow;

/// The page.
pub fn overview(visit: &Visit<'_>) -> Made {
    let customer = visit.customer()?;
    let service = visit.service();
    let status = service.status(customer)?;
    let products = service.product_seats(customer)?.rows;
    let troubles = troubles(&status, visit.now);
    let body = html! {
        div.head {
            h1 { (customer.name) }
            (sync_now(visit, customer, None))
        }
        (fresh(customer, status.freshness))
        @if !troubles.is_empty() {
            section.attention {
                h2 { "Wants a look" }
                ul.troubles { @for (tone, text, to) in &troubles { li { (chip(*tone, "")) a href=(to) { (text) } } } }
            }
        }
        section {
            h2 { "Pools" }
            ul.pools { @for view in &status.pools { li { (pool_card(customer, view)) } } }
        }
        section {
            h2 { "Products" }
            (products_table(&products))
        }
        div.columns {
            section {
                h2 { "Newest run" }
                (newest_run(visit, customer, status.last_run.as_ref()))
                p.quiet {
                    "Same-day runs asked for today: " (status.same_day.used) " of " (status.same_day.max) "."
                    @if status.same_day.used >= status.same_day.max {
                        " The next one may be asked for at " (when_and_far(customer, visit.now, status.same_day.next)) "."
                    }
                }
            }
            section {
                h2 { "Newest notices" }
                @if status.notices.is_empty() { (nothing("Nothing was told yet.")) }
                ul.notes { @for notice in &status.notices { li { (notice_words(notice, visit.sees_people())) } } }
            }
        }
    };
    Ok(page(visit, customer, "Overview", "Overview", &body))
}

/// A pool with its bar, and what its contract says of it now.
pub fn pool_card(customer: &Customer, view: &PoolView) -> Markup {
    let (tone, what) = pool_standing(view);
    let zone = customer.policy.pools.iter().find(|pool| pool.id == view.pool);
    let zone = zone.map_or(customer.policy.calendar.zone(), |pool| pool.calendar.zone());
    html! {
        article.pool {
            header {
                h3 { a href=(path_of(customer, &format!("/pools/{}", view.pool))) { (view.pool) } }
                (chip(tone, what))
            }
            p.big {
                (balance(view.balance.map(|left| left.0)))
                @if view.balance.is_some() { span.quiet { " available" } }
            }
            (bar(view.used(), view.allowance.seats))
            p.under {
                span { (count(view.used().0)) @if let Some(seats) = view.allowance.seats { " of " (count(seats.0)) } " used" }
                @if let Some(share) = percent(view) { span { (share) } }
                @if view.waiting().0 > 0 { span { (count(view.waiting().0)) " waiting" } }
            }
            @if let Some(clock) = &view.clock {
                p.why { (begun(&clock_text(clock, zone))) " \u{b7} business day " (clock.elapsed)
                    @if clock.frozen { " \u{b7} billing frozen" } }
                @if let Some(quote) = &clock.offer { p.why.quiet { "On offer: " (offer(quote)) } }
            }
            @if !view.causes.is_empty() { p.why.quiet { "Below zero because of " (causes_text(&view.causes).replace('_', " ")) } }
            @if let Some(left) = view.balance_if_approved {
                p.why.quiet { (balance(Some(left.0))) " if the open hold is approved" }
            }
            @if let Some(text) = view.term.as_ref().and_then(term) { p.why.quiet { "Term " (text) } }
        }
    }
}

/// Products with their seats over all pools (R141).
pub fn products_table(products: &[ProductSeats]) -> Markup {
    const HEADS: [Head<'_>; 9] = [
        ("Product", false),
        ("Status", false),
        ("Total licensed", true),
        ("Assigned", true),
        ("Available", true),
        ("Usage", true),
        ("Pending", true),
        ("Waiting", true),
        ("Next expiry", false),
    ];
    let rows = html! {
        @for row in products {
            tr {
                th scope="row" { (row.product) }
                td { (chip(compliance_tone(row.compliance), sentence(row.compliance.word()))) }
                td.num { @match row.total { Some(total) => { (count(total.0)) } None => { "unlimited" } } }
                td.num { (count(row.assigned.0)) }
                td.num { (balance(row.available.map(|left| left.0))) }
                td.num { @if let Some(share) = row.percent() { (share) " %" } }
                td.num { (count(row.pending.0)) }
                td.num { (count(row.waiting.0)) }
                td { @if let Some(day) = row.expires { (date(day)) } }
            }
        }
    };
    table("Products", &HEADS, &rows)
}

fn newest_run(visit: &Visit<'_>, customer: &Customer, run: Option<&RunRow>) -> Markup {
    let Some(run) = run else { return nothing("There was none yet.") };
    html! {
        p { (run_chip(run.state)) " " a href=(path_of(customer, &format!("/runs/{}", run.run))) { "Run " (run.run) } }
        (facts(&[
            ("Why", html! { (trigger(&run.trigger, visit.sees_people())) }),
            ("Began", when_and_far(customer, visit.now, run.began)),
            ("Took", html! { (took(run, visit.now)) }),
            ("Seated", html! { (count(run.tally.seated)) }),
            ("Released", html! { (count(run.tally.released)) }),
            ("Waiting", html! { (count(run.tally.waiting)) }),
        ]))
        @if !run.message.is_empty() { p.quiet { (begun(&run_words(run, visit.sees_people()))) } }
    }
}
