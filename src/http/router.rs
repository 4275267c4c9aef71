//! Which question stands at which path, and what it takes to ask it.

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Response, StatusCode};
use axum::middleware::map_response;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::json;

use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Door;
use crate::http::metrics::metrics;
use crate::http::problem::Problem;
use crate::http::read;
use crate::http::write;
use crate::service::ServiceError;

/// So long may what is sent be, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A question: its method, its path, and the deed it takes; `None`: anybody may ask.
pub type Route = (&'static str, &'static str, Option<Deed>);

/// All of them: what the tests walk through, role by role.
pub const ROUTES: [Route; 22] = [
    ("GET", "/livez", None),
    ("GET", "/readyz", None),
    ("GET", "/metrics", Some(Deed::Look)),
    ("GET", "/api/v1/customers", Some(Deed::Look)),
    ("GET", "/api/v1/customers/{customer}", Some(Deed::Look)),
    ("GET", "/api/v1/customers/{customer}/pools", Some(Deed::Look)),
    ("GET", "/api/v1/customers/{customer}/queue", Some(Deed::LookAtPeople)),
    ("GET", "/api/v1/customers/{customer}/people/{person}/explain", Some(Deed::LookAtPeople)),
    ("GET", "/api/v1/customers/{customer}/runs", Some(Deed::Look)),
    ("GET", "/api/v1/customers/{customer}/holds", Some(Deed::LookAtPeople)),
    ("GET", "/api/v1/customers/{customer}/episodes", Some(Deed::Look)),
    ("GET", "/api/v1/customers/{customer}/episodes/{episode}", Some(Deed::Look)),
    ("GET", "/api/v1/customers/{customer}/notices", Some(Deed::LookAtPeople)),
    ("GET", "/api/v1/customers/{customer}/reports/licenses", Some(Deed::LicenseReport)),
    ("GET", "/api/v1/customers/{customer}/reports/{report}", Some(Deed::Report)),
    ("POST", "/api/v1/customers/{customer}/requests", Some(Deed::Sync)),
    ("GET", "/api/v1/requests/{request}", Some(Deed::Look)),
    ("GET", "/api/v1/runs/{run}", Some(Deed::Look)),
    ("GET", "/api/v1/runs/{run}/findings", Some(Deed::LookAtPeople)),
    ("GET", "/api/v1/holds/{run}", Some(Deed::LookAtPeople)),
    ("POST", "/api/v1/holds/{run}/approve", Some(Deed::DecideHold)),
    ("POST", "/api/v1/holds/{run}/reject", Some(Deed::DecideHold)),
];

/// The door's router.
pub fn router(door: Door) -> Router {
    let customer = Router::new()
        .route("/", get(read::customer))
        .route("/pools", get(read::pools))
        .route("/queue", get(read::queue))
        .route("/people/{person}/explain", get(read::explain))
        .route("/runs", get(read::runs))
        .route("/holds", get(read::holds))
        .route("/episodes", get(read::episodes))
        .route("/episodes/{episode}", get(read::episode))
        .route("/notices", get(read::notices))
        .route("/reports/licenses", get(read::licenses))
        .route("/reports/{report}", get(read::report))
        .route("/requests", post(write::sync));
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/api/v1/customers", get(read::customers))
        .nest("/api/v1/customers/{customer}", customer)
        .route("/api/v1/requests/{request}", get(read::request))
        .route("/api/v1/runs/{run}", get(read::run))
        .route("/api/v1/runs/{run}/findings", get(read::findings))
        .route("/api/v1/holds/{run}", get(read::hold))
        .route("/api/v1/holds/{run}/approve", post(write::approve))
        .route("/api/v1/holds/{run}/reject", post(write::reject))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(map_response(explained))
        .with_state(door)
}

/// The process lives.
async fn livez() -> Answered {
    Answer::json(&json!({"live": true}))
}

/// The books can be read.
async fn readyz(State(door): State<Door>) -> Answered {
    door.work(|service| {
        let daemon = service.store().daemon().map_err(|error| Problem::from(ServiceError::from(error)).hidden())?;
        match daemon {
            Some(_) => Answer::json(&json!({"ready": true})),
            None => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "the daemon has not taken the store yet")),
        }
    })
    .await
}

/// Refusals of the router itself (no such path, wrong method, too long, not a number) look like all others.
async fn explained(response: Response<Body>) -> Response<Body> {
    let status = response.status();
    let is_told = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/"));
    if !(status.is_client_error() || status.is_server_error()) || is_told {
        return response;
    }
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => ("unknown", "there is nothing at this path"),
        StatusCode::METHOD_NOT_ALLOWED => ("method", "this path is not asked that way"),
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "a body is at most 1 MiB long"),
        _ => ("bad_request", "the request cannot be understood"),
    };
    Problem::new(status, code, detail).into_response()
}
