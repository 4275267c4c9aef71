//! Answers: bytes with a type, made on the thread that asked the books.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;

use crate::http::problem::Problem;

/// What is sent back.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    kind: &'static str,
    body: Vec<u8>,
}

/// An answer, or why there is none.
pub type Answered = Result<Answer, Problem>;

impl Answer {
    /// JSON.
    pub fn json(value: &impl Serialize) -> Answered {
        Self::json_with(StatusCode::OK, value)
    }

    /// JSON with a status.
    pub fn json_with(status: StatusCode, value: &impl Serialize) -> Answered {
        let body = serde_json::to_vec(value).map_err(|error| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "bug", format!("could not write JSON: {error}"))
        })?;
        Ok(Self { status, kind: "application/json", body })
    }

    /// Text of a type.
    pub fn text(kind: &'static str, body: String) -> Answered {
        Ok(Self { status: StatusCode::OK, kind, body: body.into_bytes() })
    }
}

/// On every answer: nothing of it is kept, framed, run or guessed at.
const HEADERS: [(&str, &str); 5] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

impl IntoResponse for Answer {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        for (name, value) in HEADERS {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let status = self.status;
        let body = self.json().to_string().into_bytes();
        let mut response = Answer { status, kind: "application/problem+json", body }.into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rosterd\""));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
