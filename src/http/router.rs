//! Which question stands at which path, and what it takes to ask it.

use std::sync::LazyLock;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{Response, StatusCode};
use axum::middleware::map_response;
use axum::response::IntoResponse;
use serde_json::json;

use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Door;
use crate::http::endpoint::{Endpoint, Output, Work, object};
use crate::http::handle::route;
use crate::http::metrics::METRICS;
use crate::http::openapi::document;
use crate::http::problem::Problem;
use crate::http::read::{AHEAD, CUSTOMERS, EPISODES, HOLDS, OPERATE, PEOPLE, POOLS, REPORTS, RUNS, TRAIL};
use crate::http::write::{BOUGHT, BY_HAND, DECIDE, OPERATING, RUN, SEATS, SOURCES, TOLD};
use crate::service::Service;

/// A question: its method, its path, and the deed it takes; `None`: anybody may ask.
pub type Route = (&'static str, &'static str, Option<Deed>);

/// What is asked of the process itself.
const SELF: &[Endpoint] = &[
    Endpoint::get("/livez", Work::Now(livez), "The process lives.", Output::Json(object)),
    Endpoint::get("/readyz", Work::Open(readyz), "This process works on the books, and can.", Output::Json(object)),
    Endpoint::get("/api/v1/openapi.json", Work::Now(openapi), "This description.", Output::Json(object)),
];

/// All questions, by topic.
const TABLE: [&[Endpoint]; 20] = [
    SELF, METRICS, CUSTOMERS, POOLS, SEATS, BOUGHT, TOLD, PEOPLE, BY_HAND, SOURCES, RUNS, RUN, HOLDS, DECIDE, EPISODES,
    REPORTS, AHEAD, TRAIL, OPERATE, OPERATING,
];

/// All questions.
fn endpoints() -> impl Iterator<Item = &'static Endpoint> {
    TABLE.into_iter().flatten()
}

/// All routes: what the tests walk through, role by role.
pub fn routes() -> Vec<Route> {
    endpoints().map(|endpoint| (endpoint.method, endpoint.path, endpoint.deed())).collect()
}

/// The description of all questions, in OpenAPI 3.1.
pub fn openapi_json() -> serde_json::Value {
    document(endpoints())
}

/// The door's router.
pub fn router(door: Door) -> Router {
    let table = endpoints().fold(Router::new(), |router, endpoint| router.route(endpoint.path, route(endpoint)));
    // Each question says how long its body may be.
    table.layer(DefaultBodyLimit::disable()).layer(map_response(explained)).with_state(door)
}

fn livez() -> Answered {
    Answer::json(&json!({"live": true}))
}

fn openapi() -> Answered {
    // Anybody may ask for it, and it is long.
    static TOLD: LazyLock<Bytes> = LazyLock::new(|| openapi_json().to_string().into());
    Answer::bytes("application/json", TOLD.clone())
}

fn readyz(service: &Service) -> Answered {
    match service.store().readiness().map_err(|error| Problem::of_store(error).hidden())? {
        Some(_) => Answer::json(&json!({"ready": true})),
        None => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "the daemon has not taken the store yet")),
    }
}

/// Refusals of the router itself (no such path, wrong method) look like all others.
async fn explained(mut response: Response<Body>) -> Response<Body> {
    let status = response.status();
    let is_told = response.headers().contains_key(CONTENT_TYPE);
    if !(status.is_client_error() || status.is_server_error()) || is_told {
        return response;
    }
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => ("unknown", "there is nothing at this path"),
        StatusCode::METHOD_NOT_ALLOWED => ("method", "this path is not asked that way"),
        _ => ("bad_request", "the request cannot be understood"),
    };
    let allowed = response.headers_mut().remove(ALLOW);
    let mut told = Problem::new(status, code, detail).into_response();
    if let Some(allowed) = allowed {
        told.headers_mut().insert(ALLOW, allowed);
    }
    told
}

#[cfg(test)]
mod tests {
    use crate::http::answer::Answer;
    use crate::http::router::{openapi, openapi_json};

    #[test]
    fn the_description_is_written_once() {
        let [first, second] = [(); 2].map(|()| openapi().unwrap_or_else(|why| panic!("{}", why.detail)));
        let bytes = |answer: &Answer| answer.whole().map(|(_, bytes)| bytes.as_ptr());
        assert!(bytes(&first).is_some());
        assert_eq!(bytes(&first), bytes(&second), "the same bytes, not others like them");
        let told = first.whole().and_then(|(_, bytes)| serde_json::from_slice(bytes).ok());
        assert_eq!(told, Some(openapi_json()));
    }
}
