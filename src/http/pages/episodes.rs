//! Overages: all of them, and one on its line of time with its clock (R60 to R74).

use maud::{Markup, html};

use crate::base::{EpisodeId, Instant};
use crate::http::pages::chart::{Chart, Step};
use crate::http::pages::layout::{page, when_and_far};
use crate::http::pages::parts::{Head, Tone, chip, facts, nothing, pager_of, part, table};
use crate::http::pages::reply::Made;
use crate::http::pages::visit::{Visit, path_of};
use crate::http::pages::words::{begun, clock_text, count, counted, date, episode_numbers, fact, offer, sentence, stage, when};
use crate::license::{Clauses, ClockFact, ClockStep, Pool, Stage};
use crate::service::{ClockView, Customer, EpisodeFile, EpisodeView};
use crate::shape::notice_words;

/// All overages, newest first.
pub fn episodes(visit: &Visit<'_>) -> Made {
    const HEADS: [Head<'_>; 8] = [
        ("Episode", false),
        ("Pool", false),
        ("Stage", false),
        ("On the line of time", false),
        ("Opened", false),
        ("Peak", true),
        ("Used", true),
        ("What comes next", false),
    ];
    let customer = visit.customer()?;
    let all = visit.service().episodes(customer, None)?;
    let total = all.len();
    let shown = part(all, visit.query.page());
    // All of them on one line of time: from the first that is shown until now.
    let first = shown.iter().map(|view| view.episode.opened).min().unwrap_or(visit.now);
    let rows = html! {
        @for view in &shown {
            @let EpisodeView { episode, clock, repeat } = view;
            tr {
                th scope="row" { a href=(path_of(customer, &format!("/episodes/{}", episode.id))) { "Episode " (episode.id) } }
                td { a href=(path_of(customer, &format!("/pools/{}", episode.pool))) { (episode.pool) } }
                td { (stage_chip(view)) @if *repeat > 1 { span.quiet { " number " (repeat) " of its year" } } }
                td.wide { (span_of(view, first, visit.now)) }
                td { (date(episode.opened_day)) }
                td.num { (count(episode.peak.0)) }
                td.num { (episode_numbers(episode)) }
                td {
                    @match (clock, episode.closed) {
                        (Some(clock), _) => { (begun(&clock_text(clock, customer.policy.calendar.zone()))) }
                        (None, Some(at)) => { "Closed " (when(customer, at)) }
                        (None, None) => {}
                    }
                }
            }
        }
    };
    let body = html! {
        div.head { h1 { "Episodes" } }
        p.quiet { "Each time in which more seats were used than were bought and agreed." }
        @if shown.is_empty() { (nothing("No pool was ever over.")) } @else { (table("Episodes", &HEADS, &rows)) }
        (pager_of(&path_of(customer, "/episodes"), &visit.query, &[], total))
    };
    Ok(page(visit, customer, "Episodes", "Episodes", &body))
}

/// From when until when it was open, as a part of the time that is shown.
fn span_of(view: &EpisodeView, first: Instant, now: Instant) -> Markup {
    let whole = (now.0 - first.0).max(1);
    let x = |at: Instant| (at.0 - first.0).clamp(0, whole) * 1000 / whole;
    let (from, to) = (x(view.episode.opened), x(view.episode.closed.unwrap_or(now)));
    let class = match &view.clock {
        Some(clock) if clock.stage == Stage::Minor => "near",
        Some(_) => "over",
        None => "used",
    };
    html! {
        svg.bar aria-hidden="true" viewBox="0 0 1000 12" preserveAspectRatio="none" {
            rect.track x="0" y="0" width="1000" height="12" {}
            rect.(class) x=(from.min(990)) y="0" width=((to - from).max(10)) height="12" {}
        }
    }
}

fn stage_chip(view: &EpisodeView) -> Markup {
    match (&view.clock, view.episode.outcome) {
        (_, Some(outcome)) => chip(Tone::Quiet, sentence(outcome.word())),
        (Some(clock), None) if clock.stage == Stage::Minor => chip(Tone::Warn, stage(clock.stage)),
        (Some(clock), None) => chip(Tone::Bad, stage(clock.stage)),
        (None, None) => chip(Tone::Warn, "Open"),
    }
}

/// One overage.
pub fn episode(visit: &Visit<'_>) -> Made {
    let customer = visit.customer()?;
    let file = visit.service().episode_file(customer, EpisodeId(visit.number("episode")?))?;
    let EpisodeView { episode, clock, repeat } = &file.view;
    let pool = customer.policy.pools.iter().find(|pool| pool.id == episode.pool);
    let clock_zone = pool.map_or(customer.policy.calendar.zone(), |pool| pool.calendar.zone());
    let body = html! {
        div.head { h1 { "Episode " (episode.id) " of " (episode.pool) } (stage_chip(&file.view)) }
        (facts(&[
            ("Pool", html! { a href=(path_of(customer, &format!("/pools/{}", episode.pool))) { (episode.pool) } }),
            ("Opened", when_and_far(customer, visit.now, episode.opened)),
            ("Cause", html! { (sentence(episode.cause.word())) }),
            ("Used", html! { (episode_numbers(episode)) }),
            ("Peak", html! { (count(episode.peak.0)) }),
            ("In its license year", html! { "number " (repeat) }),
            ("Ended", match episode.closed { Some(at) => when(customer, at), None => html! { "not yet" } }),
        ]))
        @if let (Some(clock), Some(pool)) = (clock, pool) {
            section {
                h2 { "Its clock" }
                (clock_of(visit, customer, pool, clock))
            }
        }
        (curve(visit, customer, &file))
        h2 { "What happened" }
        (line_of_time(visit, customer, &file, clock_zone))
        @if !file.notices.is_empty() { h2 { "Notices" } (notices(visit, customer, &file)) }
    };
    Ok(page(visit, customer, "Episodes", &format!("Episode {} of {}", episode.id, episode.pool), &body))
}

/// Where an open overage is between its stages, and what it is waiting for.
fn clock_of(visit: &Visit<'_>, customer: &Customer, pool: &Pool, clock: &ClockView) -> Markup {
    html! {
        p { (begun(&clock_text(clock, pool.calendar.zone()))) "."
            @if clock.deadline.is_none() { " Its window to cure begins with the delivery." }
            @if clock.frozen { " Billing of the pool is frozen." } }
        @match (clock.stage, clock.deadline) {
            (Stage::Major, Some(ends)) => { (window(visit, pool, ends)) }
            (Stage::Major, None) => {}
            _ => { (business_days(pool, clock)) }
        }
        (facts(&[
            ("Business day", html! { (clock.elapsed) }),
            ("Day 0", html! { (date(clock.day0)) }),
            ("In this stage since", when_and_far(customer, visit.now, clock.since)),
            ("Deadline", match clock.deadline {
                Some(at) => when_and_far(customer, visit.now, at),
                None => html! { "when its notice is delivered" },
            }),
            ("On offer", html! { @match &clock.offer { Some(quote) => { (offer(quote)) } None => { "nothing" } } }),
        ]))
    }
}

/// The business days of the stages that time brings, with today's.
fn business_days(pool: &Pool, clock: &ClockView) -> Markup {
    let Clauses { minor_business_days: minor, major_after_business_days: major, .. } = pool.clauses;
    let whole = u64::from(major.max(clock.elapsed)) + u64::from(major / 4).max(1);
    let x = |days: u32| u64::from(days) * 1000 / whole;
    let told = format!("Business day {} of {}: {}", clock.elapsed, major, stage(clock.stage));
    html! {
        svg.clock role="img" aria-label=(told) viewBox="0 0 1000 20" preserveAspectRatio="none" {
            rect.minor x="0" y="4" width=(x(minor)) height="12" {}
            rect.overdue x=(x(minor)) y="4" width=(x(major).saturating_sub(x(minor))) height="12" {}
            rect.major x=(x(major)) y="4" width=(1000u64.saturating_sub(x(major))) height="12" {}
            rect.hand x=(x(clock.elapsed)) y="0" width="7" height="20" {}
        }
        div.clock-under aria-hidden="true" {
            span { "day 0" } span { "overdue after day " (minor) } span { "major after day " (major) }
        }
    }
}

/// The window to cure a major overage, with now.
fn window(visit: &Visit<'_>, pool: &Pool, ends: Instant) -> Markup {
    let hours = u64::from(pool.clauses.major_cure_hours.max(1));
    let left = u64::try_from(ends.0 - visit.now.0).unwrap_or(0) / 3_600_000;
    let gone = hours.saturating_sub(left.min(hours));
    let told = format!("{} of the window are left", counted(left, "hour", "hours"));
    html! {
        svg.clock role="img" aria-label=(told) viewBox="0 0 1000 20" preserveAspectRatio="none" {
            rect.overdue x="0" y="4" width="1000" height="12" {}
            rect.major x="0" y="4" width=(gone * 1000 / hours) height="12" {}
            rect.hand x=((gone * 1000 / hours).min(993)) y="0" width="7" height="20" {}
        }
        div.clock-under aria-hidden="true" { span { "notice delivered" } span { (told) } }
    }
}

fn curve(visit: &Visit<'_>, customer: &Customer, file: &EpisodeFile) -> Markup {
    let episode = &file.view.episode;
    let steps: Vec<Step> = episode
        .samples
        .iter()
        .map(|sample| Step { at: sample.at.0, used: i64::from(sample.used.0), limit: Some(i64::from(sample.effective.0)) })
        .collect();
    let end = episode.closed.unwrap_or(visit.now);
    let events: Vec<i64> =
        file.facts.iter().map(|fact| fact.at.0).filter(|at| *at >= episode.opened.0 && *at <= end.0).collect();
    let told = format!("At most {} were used.", counted(episode.peak.0, "seat", "seats"));
    let day = |at| date(customer.day_of(at));
    let along = (day(episode.opened), if episode.closed.is_some() { day(end) } else { "now".to_owned() });
    Chart { told: &told, steps: &steps, end: end.0, events: &events, along }.figure()
}

fn line_of_time(visit: &Visit<'_>, customer: &Customer, file: &EpisodeFile, zone: &jiff::tz::TimeZone) -> Markup {
    let episode = &file.view.episode;
    let mut told: Vec<(Instant, &str, Markup)> = Vec::new();
    let mut before = None;
    for sample in &episode.samples {
        let numbers = (sample.used, sample.effective, sample.band);
        if before.replace(numbers) != Some(numbers) {
            let text = format!("{} of {} used", count(sample.used.0), count(sample.effective.0));
            told.push((sample.at, "info", html! { strong { (text) } "Band " (sample.band.word()) }));
        }
    }
    for fact in file.facts.iter().chain(&file.billing) {
        told.push((fact.at, fact_class(fact), told_fact(customer, fact, zone)));
    }
    for (notice, deliveries) in &file.notices {
        for delivery in deliveries {
            let text = html! { strong { "Notice delivered by " (delivery.channel) } (sentence(&notice.kind)) };
            told.push((delivery.at, "info", text));
        }
    }
    told.sort_by_key(|(at, ..)| *at);
    html! {
        ol.line-of-time {
            @for (at, class, what) in &told {
                li.(class) { (what) " " span.quiet { (when_and_far(customer, visit.now, *at)) } }
            }
        }
    }
}

fn told_fact(customer: &Customer, told: &ClockFact, zone: &jiff::tz::TimeZone) -> Markup {
    html! {
        strong { (fact(told, zone)) }
        @if told.is_late() { (chip(Tone::Warn, "Written late")) " written " (when(customer, told.recorded)) ", " }
        "by " (told.by)
    }
}

fn fact_class(fact: &ClockFact) -> &'static str {
    match &fact.step {
        ClockStep::Stage(begun) if begun.stage == Stage::Minor => "warn",
        ClockStep::Stage(_) | ClockStep::CureEnded { .. } | ClockStep::Withheld { .. } => "bad",
        ClockStep::GapEntered { .. } | ClockStep::Frozen { .. } => "warn",
        ClockStep::Upgraded { .. } | ClockStep::Settled(_) | ClockStep::Approved { .. } => "good",
        ClockStep::Continues { .. } | ClockStep::Voided { .. } | ClockStep::Unfrozen { .. } => "info",
    }
}

fn notices(visit: &Visit<'_>, customer: &Customer, file: &EpisodeFile) -> Markup {
    const HEADS: [Head<'_>; 4] = [("Written", false), ("Kind", false), ("Notice", false), ("Delivered by", false)];
    let rows = html! {
        @for (notice, deliveries) in &file.notices {
            tr {
                td { (when(customer, notice.at)) }
                td { (sentence(&notice.kind)) }
                td.words { (notice_words(notice, visit.sees_people())) }
                td {
                    @if deliveries.is_empty() { "nobody yet" }
                    @for (at, delivery) in deliveries.iter().enumerate() {
                        @if at > 0 { ", " } (delivery.channel) " " (when(customer, delivery.at))
                    }
                }
            }
        }
    };
    table("Notices", &HEADS, &rows)
}
