//! What is around every page: its head, the way through a customer, what was said last, how to leave.

use axum::http::StatusCode;
use maud::{DOCTYPE, Markup, html};

use crate::base::Instant;
use crate::http::access::{Deed, may};
use crate::http::pages::assets::{icon_path, script_path, style_path};
use crate::http::pages::parts::{Tone, chip};
use crate::http::pages::reply::Reply;
use crate::http::pages::visit::{Visit, path_of};
use crate::http::pages::words::{begun, far, when};
use crate::http::problem::Problem;
use crate::service::{Customer, Freshness};

/// The pages of a customer as the way through it shows them: name, path, the deed, and whether who is bound to one org may
/// go there.
const WAYS: [(&str, &str, Deed, bool); 12] = [
    ("Overview", "", Deed::Look, false),
    ("Orgs", "/orgs", Deed::LicenseReport, true),
    ("People", "/people", Deed::LookAtPeople, true),
    ("Queue", "/queue", Deed::LookAtPeople, false),
    ("Holds", "/holds", Deed::LookAtPeople, false),
    ("Runs", "/runs", Deed::Look, false),
    ("Sources", "/sources", Deed::Look, false),
    ("Episodes", "/episodes", Deed::Look, false),
    ("Forecast", "/forecast", Deed::Look, false),
    ("Reports", "/reports", Deed::Report, false),
    ("Notices", "/notices", Deed::LookAtPeople, false),
    ("Audit", "/audit", Deed::LookAtPeople, false),
];

/// A whole page of a customer; `here` is its part of the way.
pub fn page(visit: &Visit<'_>, customer: &Customer, here: &str, title: &str, body: &Markup) -> Reply {
    let ways = html! {
        nav.ways aria-label=(customer.name) {
            ul {
                @for (name, rest, deed, of_org) in WAYS {
                    @if visit.may(deed) && (of_org || visit.asking.caller.org.is_none()) {
                        li { a href=(path_of(customer, rest)) aria-current=[(name == here).then_some("page")] { (name) } }
                    }
                }
            }
        }
    };
    let body = html! {
        div.with-ways {
            (ways)
            main #main tabindex="-1" { (said(visit)) (body) }
        }
    };
    whole(StatusCode::OK, &format!("{title} \u{b7} {}", customer.name), Some((visit, Some(customer))), &body)
}

/// A whole page that is no customer's.
pub fn plain(visit: &Visit<'_>, title: &str, body: &Markup) -> Reply {
    let body = html! { main #main tabindex="-1" { (said(visit)) (body) } };
    whole(StatusCode::OK, title, Some((visit, None)), &body)
}

/// A page for somebody who is not signed in.
pub fn outside(status: StatusCode, title: &str, body: &Markup) -> Reply {
    whole(status, title, None, &html! { main #main.narrow tabindex="-1" { (body) } })
}

/// What went wrong, as a page.
pub fn problem(problem: &Problem) -> Reply {
    let title = match problem.status {
        StatusCode::NOT_FOUND => "Not there",
        StatusCode::FORBIDDEN => "Not for this role",
        StatusCode::TOO_MANY_REQUESTS => "Too often",
        StatusCode::SERVICE_UNAVAILABLE => "Not now",
        status if status.is_client_error() => "That cannot be done",
        _ => "Something went wrong",
    };
    outside(
        problem.status,
        title,
        &html! { h1 { (title) } p { (begun(&problem.detail)) "." } p { a.button href="/" { "To the overview" } } },
    )
}

/// A page that asks for itself once more, this time from this site: a link on another site brings no cookie along.
pub fn once_more(path: &str) -> Reply {
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="refresh" content="0";
                title { "rosterd" }
            }
            body { p { a href=(path) { "Go on" } } }
        }
    };
    Reply::page(StatusCode::OK, html.into_string())
}

fn said(visit: &Visit<'_>) -> Markup {
    let said = visit.sessions.said(&visit.seen.id);
    html! {
        @if let Some(flash) = said {
            div.said.bad[!flash.good] role=(if flash.good { "status" } else { "alert" }) { (flash.text) }
        }
    }
}

fn whole(status: StatusCode, title: &str, who: Option<(&Visit<'_>, Option<&Customer>)>, body: &Markup) -> Reply {
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " \u{b7} rosterd" }
                link rel="stylesheet" href=(style_path());
                link rel="icon" type="image/svg+xml" href=(icon_path());
                script src=(script_path()) defer {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    a.brand href="/" { (mark()) "rosterd" }
                    @if let Some((visit, customer)) = who {
                        @if let Some(customer) = customer { span.whose { (customer.name) } }
                        (leave(visit))
                    }
                }
                (body)
            }
        }
    };
    Reply::page(status, html.into_string())
}

/// The sign of the program: three seats, one of them taken.
fn mark() -> Markup {
    html! {
        svg.sign-of width="22" height="22" viewBox="0 0 24 24" aria-hidden="true" {
            rect x="2" y="10" width="5" height="12" rx="1.5" {}
            rect x="9.5" y="2" width="5" height="20" rx="1.5" {}
            rect.faint x="17" y="10" width="5" height="12" rx="1.5" {}
        }
    }
}

fn leave(visit: &Visit<'_>) -> Markup {
    let caller = &visit.asking.caller;
    html! {
        form.leave method="post" action="/logout" {
            (csrf(visit))
            span.quiet { (caller.name) " \u{b7} " (caller.role) }
            button.plain type="submit" { "Sign out" }
        }
    }
}

/// What every form brings along, so that no other site can send it.
pub fn csrf(visit: &Visit<'_>) -> Markup {
    html! { input type="hidden" name="csrf" value=(visit.seen.csrf); }
}

/// How old the numbers are (R148).
pub fn fresh(customer: &Customer, freshness: Freshness) -> Markup {
    let Freshness { as_of, snapshot, stale } = freshness;
    html! {
        p.fresh {
            @if stale { (chip(Tone::Warn, "Stale")) " " }
            "As of " (when(customer, as_of)) ". "
            @match snapshot {
                Some(at) => { "It rests on what sources said " (far(as_of, at)) ", on " (when(customer, at)) "." }
                None => { "No source was taken in yet." }
            }
        }
    }
}

/// The forms and buttons of same-day runs, if the caller may ask for them.
pub fn sync_now(visit: &Visit<'_>, customer: &Customer, source: Option<&str>) -> Markup {
    html! {
        @if may(visit.asking.caller.role, Deed::Sync) && visit.asking.caller.org.is_none() {
            form method="post" action=(path_of(customer, "/sync")) {
                (csrf(visit))
                @if let Some(source) = source { input type="hidden" name="source" value=(source); }
                button type="submit" data-working="Asking\u{2026}" {
                    "Sync " @if let Some(source) = source { span.unseen { (source) " " } } "now"
                }
            }
        }
    }
}

/// An instant with how far it is.
pub fn when_and_far(customer: &Customer, now: Instant, at: Instant) -> Markup {
    html! { (when(customer, at)) " " span.quiet { "(" (far(now, at)) ")" } }
}
