//! All customers at a glance, and where whoever signs in arrives.

use maud::{Markup, html};

use crate::base::Instant;
use crate::http::access::Deed;
use crate::http::pages::layout::plain;
use crate::http::pages::nodes;
use crate::http::pages::parts::{Tone, balance, bar, chip, nothing, pager_of, part, pool_standing, run_chip};
use crate::http::pages::reply::{Made, Reply};
use crate::http::pages::visit::Visit;
use crate::http::pages::words::{counted, far};
use crate::http::problem::Problem;
use crate::service::{Customer, CustomerStatus, PoolView};
use crate::store::RunState;

/// So many pools of a customer are shown here.
const POOLS_MAX: usize = 6;

/// Where one arrives: all customers, the only one, or what an org's people may see.
pub fn home(visit: &Visit<'_>) -> Made {
    let caller = &visit.asking.caller;
    if let Some(customer) = &caller.customer {
        let rest = if visit.may(Deed::Look) && caller.org.is_none() { "" } else { "/orgs" };
        return Ok(Reply::on_to(&format!("/c/{customer}{rest}")));
    }
    if !visit.may(Deed::Look) {
        return Err(Problem::forbidden());
    }
    let all: Vec<&Customer> = visit.asking.customers().collect();
    if let [only] = all[..] {
        return Ok(Reply::on_to(&format!("/c/{}", only.id())));
    }
    let wanted = visit.query.get("q").unwrap_or_default().to_lowercase();
    let many = all.len();
    let is_wanted = |customer: &&Customer| {
        customer.name.to_lowercase().contains(&wanted) || customer.id().as_str().to_lowercase().contains(&wanted)
    };
    let found: Vec<&Customer> = all.into_iter().filter(is_wanted).collect();
    let total = found.len();
    let shown = part(found, visit.query.page());
    let statuses = visit.service().statuses(&shown)?;
    let troubled = statuses.iter().filter(|status| !troubles(status, visit.now).is_empty()).count();
    let body = html! {
        div.head {
            h1 { "Customers" }
            p.quiet {
                (counted(total, "customer", "customers"))
                @if troubled > 0 { ", " (counted(troubled, "wants", "want")) " a look on this page" }
            }
            p { (nodes::way(visit)) }
        }
        @if many > 12 || !wanted.is_empty() {
            form.find role="search" method="get" action="/" {
                label for="q" { "Find a customer" }
                input #q type="search" name="q" value=(visit.query.get("q").unwrap_or_default());
                button type="submit" { "Find" }
            }
        }
        @if statuses.is_empty() { (nothing("No customer is called that.")) }
        ul.cards { @for status in &statuses { li { (card(visit, status)) } } }
        (pager_of("/", &visit.query, &["q"], total))
    };
    Ok(plain(visit, "Customers", &body))
}

/// What somebody should look at, worst first.
pub fn troubles(status: &CustomerStatus, now: Instant) -> Vec<(Tone, String, String)> {
    let path = |rest: &str| format!("/c/{}{rest}", status.customer);
    let mut found = Vec::new();
    for view in &status.pools {
        let (tone, what) = pool_standing(view);
        if tone < Tone::Info {
            found.push((tone, format!("{}: {what}", view.pool), path(&format!("/pools/{}", view.pool))));
        }
    }
    if let Some(hold) = &status.hold {
        let people = counted(hold.removals.len() + hold.additions.len(), "person waits", "people wait");
        let left = far(now, hold.deadline).replace("in ", "within ");
        let text = format!("A guard holds run {}: {people} for a decision {left}", hold.run);
        found.push((Tone::Bad, text, path(&format!("/holds/{}", hold.run))));
    }
    for source in status.sources.iter().filter(|source| source.trouble.is_some()) {
        found.push((Tone::Bad, format!("Source {} cannot be read", source.source), path("/sources")));
    }
    if let Some(run) = status.last_run.as_ref().filter(|run| run.state == RunState::Failed) {
        found.push((Tone::Bad, format!("Run {} failed", run.run), path(&format!("/runs/{}", run.run))));
    }
    if status.freshness.stale {
        let since = status
            .freshness
            .snapshot
            .map_or("no source was taken in yet".to_owned(), |at| format!("sources were last taken in {}", far(now, at)));
        found.push((Tone::Warn, format!("The numbers are stale: {since}"), path("/sources")));
    }
    for pause in &status.paused {
        found.push((Tone::Info, format!("Source {} is paused", pause.source), path("/sources")));
    }
    found.sort_by_key(|(tone, ..)| *tone);
    found
}

fn card(visit: &Visit<'_>, status: &CustomerStatus) -> Markup {
    let path = format!("/c/{}", status.customer);
    let troubles = troubles(status, visit.now);
    let waiting: u64 = status.pools.iter().map(|view| u64::from(view.waiting().0)).sum();
    html! {
        article.card {
            header {
                h2 { a href=(path) { (status.name) } }
                @match troubles.first() {
                    Some((tone, ..)) => { (chip(*tone, counted(troubles.len(), "thing to look at", "things to look at"))) }
                    None => { (chip(Tone::Good, "All is well")) }
                }
            }
            ul.pools-small { @for view in status.pools.iter().take(POOLS_MAX) { li { (small(&path, view)) } } }
            @if status.pools.len() > POOLS_MAX {
                p { a href=(path) { "and " (counted(status.pools.len() - POOLS_MAX, "pool", "pools")) " more" } }
            }
            @if !troubles.is_empty() {
                ul.troubles { @for (tone, text, to) in &troubles { li { (chip(*tone, "")) a href=(to) { (text) } } } }
            }
            footer.quiet {
                @if let Some(run) = &status.last_run {
                    span { (run_chip(run.state)) " " a href={ (path) "/runs/" (run.run) } { "Run " (run.run) } " "
                        (far(visit.now, run.began)) }
                }
                @if waiting > 0 {
                    span { a href={ (path) "/queue" } { (counted(waiting, "person waits", "people wait")) } }
                }
            }
        }
    }
}

fn small(path: &str, view: &PoolView) -> Markup {
    html! {
        div.row {
            a href={ (path) "/pools/" (view.pool) } { (view.pool) }
            span { (balance(view.balance.map(|left| left.0))) @if view.balance.is_some() { span.quiet { " left" } } }
        }
        (bar(view.used(), view.allowance.seats))
    }
}
