//! Sources with when they were last read, and same-day runs (R96 to R98, R148).

use maud::{Markup, html};

use crate::base::Instant;
use crate::http::access::Deed;
use crate::http::pages::layout::{csrf, fresh, page, sync_now, when_and_far};
use crate::http::pages::parts::{Tone, chip, facts, nothing};
use crate::http::pages::reply::{Made, Reply};
use crate::http::pages::visit::{Visit, path_of};
use crate::http::pages::words::{begun, counted, moment};
use crate::roster::Scope;
use crate::service::{Customer, Feed, MANUAL_SOURCE, SameDayAnswer, ServiceError, SourceState};
use crate::store::Asked;

/// The page.
pub fn sources(visit: &Visit<'_>) -> Made {
    let customer = visit.customer()?;
    let service = visit.service();
    let status = service.status(customer)?;
    let marks = service.store().standing_light(customer.id()).map_err(ServiceError::from)?.sources;
    let body = html! {
        div.head { h1 { "Sources" } (sync_now(visit, customer, None)) }
        (fresh(customer, status.freshness))
        @if customer.sources.is_empty() { (nothing("People of this customer are made by hand alone.")) }
        ul.cards {
            @for feed in &customer.sources {
                @let state = status.sources.iter().find(|state| state.source == *feed.source.id());
                @let pause = status.paused.iter().find(|pause| pause.source == *feed.source.id());
                @let mark = marks.get(feed.source.id()).map(|mark| (mark.name.as_str(), mark.at));
                li { (card(visit, customer, (feed, state), mark, pause.map(|pause| (pause.to, pause.reason.as_str())))) }
            }
        }
        @if let Some(mark) = marks.values().find(|mark| mark.source.as_str() == MANUAL_SOURCE) {
            p.quiet { "People made by hand: last by " (mark.name) ", " (when_and_far(customer, visit.now, mark.at)) "." }
        }
        @if visit.may(Deed::Sync) { (wish(visit, customer)) }
        p.quiet {
            "Same-day runs asked for today: " (status.same_day.used) " of " (status.same_day.max) "."
            @if let Some(pattern) = &customer.nightly { " Every night at " code { (pattern) } " (" (customer.policy.calendar.zone_name()) ")." }
        }
    };
    Ok(page(visit, customer, "Sources", "Sources", &body))
}

fn card(
    visit: &Visit<'_>,
    customer: &Customer,
    (feed, state): (&Feed, Option<&SourceState>),
    mark: Option<(&str, Instant)>,
    pause: Option<(Instant, &str)>,
) -> Markup {
    let id = feed.source.id();
    let looked = state.and_then(|state| state.looked).max(mark.map(|(_, at)| at));
    let millis_max = i64::from(customer.stale_after_hours) * 3_600_000;
    let is_stale = looked.is_none_or(|at| visit.now.0 - at.0 > millis_max);
    let trouble = state.and_then(|state| state.trouble.as_ref());
    let standing = match (trouble, pause) {
        (Some(_), _) => chip(Tone::Bad, "Cannot be read"),
        (None, Some(_)) => chip(Tone::Info, "Paused"),
        (None, None) if is_stale => chip(Tone::Warn, "Stale"),
        (None, None) => chip(Tone::Good, "Fresh"),
    };
    let or_never = |at: Option<Instant>| at.map_or(html! { "never" }, |at| when_and_far(customer, visit.now, at));
    html! {
        article.card {
            header { h2 { (id) } (standing) }
            (facts(&[
                ("Last success", or_never(looked)),
                ("Last taken in", or_never(mark.map(|(_, at)| at))),
                ("Package", html! { (mark.map_or("none yet", |(name, _)| name)) }),
                ("Read in full", match state {
                    Some(state) => or_never(state.read_in_full),
                    None => html! { "with every package" },
                }),
            ]))
            @if let Some(trouble) = trouble { p.said.bad { (begun(trouble)) } }
            @if let Some((to, reason)) = pause { p { "Paused until " (when_and_far(customer, visit.now, to)) ": " (reason) } }
            footer { (sync_now(visit, customer, Some(id.as_str()))) }
        }
    }
}

/// A same-day run for some people, or one that takes absences as they are.
fn wish(visit: &Visit<'_>, customer: &Customer) -> Markup {
    html! {
        details {
            summary { "A same-day run for some people alone" }
            form.sheet method="post" action=(path_of(customer, "/sync")) {
                (csrf(visit))
                label for="person" { "Person key" }
                input #person type="text" name="person" autocapitalize="none" spellcheck="false";
                label for="org" { "or org id" }
                input #org type="text" name="org" autocapitalize="none" spellcheck="false";
                p.choice {
                    input #absences type="checkbox" name="confirm_absences" value="yes";
                    label for="absences" { "Whoever is absent counts as gone at once" }
                }
                button type="submit" data-working="Asking\u{2026}" { "Ask for it" }
            }
        }
    }
}

/// Asks for a same-day run.
pub fn sync(visit: &Visit<'_>) -> Made {
    let customer = visit.whole_customer()?;
    let (person, org) = (visit.form.get("person"), visit.form.get("org"));
    if person.is_some() && org.is_some() {
        visit.say(false, "Name a person or an org, not both.");
        return Ok(Reply::on_to(&path_of(customer, "/sources")));
    }
    let source = visit.form.get("source").map(|source| customer.source(source)).transpose()?;
    let scope = person.map(|key| Scope::Person(key.into())).or_else(|| org.map(|org| Scope::Org(org.into())));
    let asked = Asked {
        by: visit.actor(),
        source: source.map(|feed| feed.source.id().clone()),
        confirm_absences: visit.form.get("confirm_absences").is_some(),
        scope,
    };
    Ok(match visit.service().request_same_day(customer, &asked)? {
        SameDayAnswer::Taken { place, deadline, quota } => {
            let joined = if place.joined { "It joined a request that is in line already. " } else { "" };
            let left = counted(quota.max.saturating_sub(quota.used), "more may be asked for", "more may be asked for");
            let by = moment(customer.policy.calendar.zone(), deadline);
            visit.say(true, format!("{joined}A same-day run is in line and is to be over by {by}. Today {left}."));
            Reply::on_to(&path_of(customer, &format!("/requests/{}", place.request)))
        }
        SameDayAnswer::Refused { quota } => {
            let next = moment(customer.policy.calendar.zone(), quota.next);
            visit
                .say(false, format!("All {} same-day runs of today were asked for; the next one may be at {next}.", quota.max));
            Reply::on_to(&path_of(customer, "/sources"))
        }
    })
}
