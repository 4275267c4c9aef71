//! The days to come, as far as dates that are known make them.

use maud::{Markup, html};

use crate::base::{Day, PoolId, ProductId};
use crate::http::pages::chart::{Chart, Step};
use crate::http::pages::layout::{fresh, page};
use crate::http::pages::parts::{Head, Tone, balance, chip, nothing, table};
use crate::http::pages::reply::Made;
use crate::http::pages::visit::{Visit, path_of};
use crate::http::pages::words::{ahead, begun, candidate, count, counted, cure, date, sentence, stage, when};
use crate::license::{Stage, TermState};
use crate::plan::{DayAhead, PoolForecast, StageAhead};
use crate::service::Customer;

/// So many days unless the query says so, and at most.
const DAYS: u32 = 90;
const DAYS_MAX: u32 = 730;

/// So many candidates are named.
const NAMED: usize = 5;

/// The page: of one pool; the one that is the worst off, unless the query names one.
pub fn forecast(visit: &Visit<'_>) -> Made {
    let customer = visit.customer()?;
    let service = visit.service();
    let days = visit.query.get("days").and_then(|days| days.parse().ok()).unwrap_or(DAYS).clamp(1, DAYS_MAX);
    let wanted = match visit.query.get("pool").map(PoolId::from) {
        Some(pool) => {
            customer.pool(&pool)?;
            Some(pool)
        }
        None => {
            let views = service.pools(customer)?;
            let limited = views.iter().filter(|view| view.balance.is_some()).min_by_key(|view| view.balance);
            limited.or(views.first()).map(|view| view.pool.clone())
        }
    };
    let told = match &wanted {
        Some(pool) => service.forecast(customer, Some(pool), days)?.pools.into_iter().next(),
        None => None,
    };
    let body = html! {
        div.head { h1 { "Forecast" } }
        (fresh(customer, service.freshness(customer)?))
        form.find method="get" action=(path_of(customer, "/forecast")) {
            label for="pool" { "Pool" }
            select #pool name="pool" {
                @for pool in &customer.policy.pools {
                    option value=(pool.id) selected[wanted.as_ref() == Some(&pool.id)] { (pool.id) }
                }
            }
            label for="days" { "Days" }
            select #days name="days" {
                @for choice in [30, 90, 180, 365, DAYS_MAX] {
                    option value=(choice) selected[choice == days] { (choice) }
                }
            }
            button type="submit" { "Show" }
        }
        p.quiet {
            "If no new roster arrives and nobody decides anything: held removals stay held, sources stay as fresh as they are, \
             and notices of major overages arrive when they are written. Who will be hired, moved or removed is not known."
        }
        @match &told {
            Some(told) => { (pool_of(visit, customer, told)) }
            None => { (nothing("Nothing was written down of this pool yet.")) }
        }
    };
    Ok(page(visit, customer, "Forecast", "Forecast", &body))
}

fn pool_of(visit: &Visit<'_>, customer: &Customer, (pool, product, told): &(PoolId, ProductId, PoolForecast)) -> Markup {
    let PoolForecast { days, stages, moves } = told;
    let zone = customer.policy.pools.iter().find(|known| known.id == *pool);
    let zone = zone.map_or(customer.policy.calendar.zone(), |pool| pool.calendar.zone());
    html! {
        h2 { (pool) " " span.quiet { "(" (product) ")" } }
        (curve(days))
        h3 { "Stages" }
        @if stages.is_empty() { (nothing("No overage is on, and none is ahead.")) }
        @else { (stages_of(visit, customer, stages)) }
        @if !moves.is_empty() {
            h3 { "What else happens" }
            ol.line-of-time {
                @for (at, what) in moves { li.info { strong { (ahead(what, zone)) } (when(customer, *at)) } }
            }
        }
        h3 { "Day by day" }
        (days_of(days))
    }
}

fn curve(days: &[DayAhead]) -> Markup {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return html! {} };
    let steps: Vec<Step> = days
        .iter()
        .map(|day| Step {
            at: i64::from(day.day.0),
            used: i64::from(day.used_max.0),
            limit: day.allowance.effective().map(|seats| i64::from(seats.0)),
        })
        .collect();
    let over = days.iter().filter(|day| day.allowance.effective().is_some_and(|seats| day.used_max > seats)).count();
    let most = days.iter().map(|day| day.used_max).max().unwrap_or_default();
    let told = format!(
        "At most {} on a day; {}.",
        counted(most.0, "seat is used", "seats are used"),
        match over {
            0 => "on no day more than were bought".to_owned(),
            over => format!("more than were bought on {}", counted(over, "day", "days")),
        }
    );
    let along = (format!("today, {}", date(first.day)), date(last.day));
    let end = i64::from(last.day.plus(1).0);
    Chart { told: &told, steps: &steps, end, events: &[], along }.figure()
}

fn stages_of(visit: &Visit<'_>, customer: &Customer, stages: &[StageAhead]) -> Markup {
    let mut heads: Vec<Head<'_>> = vec![
        ("Stage", false),
        ("From", false),
        ("Cure before", false),
        ("Too many", true),
        ("Cheapest cure", false),
        ("Other ways", false),
    ];
    if visit.sees_people() {
        heads.push(("Who could be removed", false));
    }
    let named = |told: &StageAhead| {
        let mut names: Vec<String> = told.candidates.iter().take(NAMED).map(candidate).collect();
        if told.candidates.len() > NAMED {
            names.push(format!("and {} more", told.candidates.len() - NAMED));
        }
        names.join(", ")
    };
    let rows = html! {
        @for told in stages {
            @let cures = &told.cures;
            @let others = cures.options.iter().enumerate().filter(|(at, _)| Some(*at) != cures.cheapest).map(|(_, way)| cure(way));
            tr {
                th scope="row" { (chip(if told.stage.stage == Stage::Minor { Tone::Warn } else { Tone::Bad }, stage(told.stage.stage))) }
                td { time datetime=(told.day) { (date(told.day)) } @if told.is_on { span.quiet { " (on now)" } } }
                td { @if let Some(at) = told.deadline { (when(customer, at)) } }
                td.num { @if told.deadline.is_some() { (count(cures.excess.0)) } }
                td.words {
                    @match cures.cheapest {
                        Some(at) => { (begun(&cure(&cures.options[at]))) }
                        None if told.deadline.is_some() && cures.options.is_empty() => { "None needed: it is over by then" }
                        None => {}
                    }
                }
                td.words { (others.collect::<Vec<_>>().join("; ")) }
                @if visit.sees_people() { td { (named(told)) } }
            }
        }
    };
    table("Stages ahead", &heads, &rows)
}

/// The first day, the last one, and those that differ from the one before.
fn days_of(days: &[DayAhead]) -> Markup {
    const HEADS: [Head<'_>; 8] = [
        ("Day", false),
        ("Most used", true),
        ("Used", true),
        ("Limit", true),
        ("Available", true),
        ("Waiting", true),
        ("Stage", false),
        ("Term", false),
    ];
    let same = |a: &DayAhead, b: &DayAhead| DayAhead { day: a.day, used_max: a.used_max, ..*b } == *a && a.used_max == a.used;
    let last = days.len().saturating_sub(1);
    let shown = days.iter().enumerate().filter(|(at, day)| *at == 0 || *at == last || !same(day, &days[at - 1]));
    let rows = html! {
        @for (_, told) in shown {
            @let DayAhead { day, used_max, used, waiting, suspended: _, allowance, band: _, term, stage: on } = told;
            tr {
                th scope="row" { (day_of(*day)) }
                td.num { (count(used_max.0)) }
                td.num { (count(used.0)) }
                td.num { @match allowance.effective() { Some(seats) => { (count(seats.0)) } None => { "unlimited" } } }
                td.num { (balance(allowance.balance(*used).map(|left| left.0))) }
                td.num { (count(waiting.0)) }
                td { @if let Some(on) = on { (stage(*on)) } }
                td { @if *term != TermState::Unbound { (sentence(term.word())) } }
            }
        }
    };
    html! { (table("Day by day", &HEADS, &rows)) p.quiet { "Days on which nothing changes are left out." } }
}

fn day_of(day: Day) -> Markup {
    html! { time datetime=(day) { (date(day)) } }
}
