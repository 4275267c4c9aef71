//! Which page is where, and what it takes to see it.

use axum::Router;
use axum::extract::{Path, RawPathParams, Request, State};
use axum::http::StatusCode;
use axum::routing::{MethodFilter, get, on};

use crate::http::access::Deed;
use crate::http::pages::assets::asset;
use crate::http::pages::desk::{Desk, Make, Page};
use crate::http::pages::fields::Fields;
use crate::http::pages::layout::problem;
use crate::http::pages::login;
use crate::http::pages::reply::Reply;
use crate::http::pages::{
    audit, customer, episodes, forecast, holds, nodes, notices, orgs, overview, people, pool, queue, reports, runs, sources,
};
use crate::http::problem::Problem;

const fn page(method: &'static str, path: &'static str, deed: Option<Deed>, make: Make) -> Page {
    Page { method, path, deed, make }
}

/// All pages for those who are signed in: what the tests walk through, role by role.
pub static PAGES: [Page; 31] = [
    page("GET", "/", None, overview::home),
    page("POST", "/logout", None, login::sign_out),
    page("GET", "/nodes", Some(Deed::Look), nodes::nodes),
    page("GET", "/c/{customer}", Some(Deed::Look), customer::overview),
    page("GET", "/c/{customer}/pools/{pool}", Some(Deed::Look), pool::pool),
    page("GET", "/c/{customer}/orgs", Some(Deed::LicenseReport), orgs::orgs),
    page("GET", "/c/{customer}/orgs.csv", Some(Deed::LicenseReport), orgs::csv),
    page("GET", "/c/{customer}/people", Some(Deed::LookAtPeople), people::people),
    page("GET", "/c/{customer}/person", Some(Deed::LookAtPeople), people::person),
    page("GET", "/c/{customer}/queue", Some(Deed::LookAtPeople), queue::queue),
    page("GET", "/c/{customer}/runs", Some(Deed::Look), runs::runs),
    page("GET", "/c/{customer}/runs/{run}", Some(Deed::Look), runs::run),
    page("GET", "/c/{customer}/runs/{run}/progress", Some(Deed::Look), runs::run_progress),
    page("GET", "/c/{customer}/requests/{request}", Some(Deed::Look), runs::request),
    page("GET", "/c/{customer}/requests/{request}/progress", Some(Deed::Look), runs::request_progress),
    page("GET", "/c/{customer}/holds", Some(Deed::LookAtPeople), holds::holds),
    page("GET", "/c/{customer}/holds/{run}", Some(Deed::LookAtPeople), holds::hold),
    page("GET", "/c/{customer}/holds/{run}/approve", Some(Deed::LookAtPeople), holds::afresh),
    page("POST", "/c/{customer}/holds/{run}/approve", Some(Deed::DecideHold), holds::approve),
    page("POST", "/c/{customer}/holds/{run}/reject", Some(Deed::DecideHold), holds::reject),
    page("GET", "/c/{customer}/sources", Some(Deed::Look), sources::sources),
    page("POST", "/c/{customer}/sync", Some(Deed::Sync), sources::sync),
    page("GET", "/c/{customer}/episodes", Some(Deed::Look), episodes::episodes),
    page("GET", "/c/{customer}/episodes/{episode}", Some(Deed::Look), episodes::episode),
    page("GET", "/c/{customer}/forecast", Some(Deed::Look), forecast::forecast),
    page("GET", "/c/{customer}/reports", Some(Deed::Report), reports::reports),
    page("GET", "/c/{customer}/reports/{report}", Some(Deed::Report), reports::report),
    page("GET", "/c/{customer}/reports/{report}/csv", Some(Deed::Report), reports::csv),
    page("GET", "/c/{customer}/notices", Some(Deed::LookAtPeople), notices::notices),
    page("GET", "/c/{customer}/audit", Some(Deed::LookAtPeople), audit::audit),
    page("GET", "/c/{customer}/audit/{commit}", Some(Deed::LookAtPeople), audit::commit),
];

/// The router of the pages.
pub fn pages(desk: Desk) -> Router {
    let mut router = Router::new()
        .route("/login", get(login::form).post(login::sign_in))
        .route("/assets/{name}", get(|Path(name): Path<String>| async move { kept(&name) }));
    for page in &PAGES {
        let method = if page.method == "POST" { MethodFilter::POST } else { MethodFilter::GET };
        let serve = move |State(desk): State<Desk>, params: RawPathParams, request: Request| async move {
            let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            let params = Fields::of(params);
            desk.serve(page, params, request).await
        };
        router = router.route(page.path, on(method, serve));
    }
    router.method_not_allowed_fallback(|| async { problem(&unasked()) }).with_state(desk)
}

/// A form's path without its form.
fn unasked() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this path is not asked that way")
}

fn kept(name: &str) -> Reply {
    let unknown = Problem::new(StatusCode::NOT_FOUND, "unknown", "there is nothing at this path");
    asset(name).unwrap_or_else(|| problem(&unknown))
}
