//! Answers: bytes with a type, made on the thread that asked the books, or a promise of lines to come.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::Value;

use crate::base::{RunId, Version};
use crate::http::pipe::Pipe;
use crate::http::problem::Problem;
use crate::service::{Service, ServiceError};

/// Where the next page of a list that is no JSON begins.
pub const NEXT: &str = "rosterd-next";

/// What writes lines, one after the other, as long as somebody reads them.
pub type Writer = Box<dyn FnOnce(&Service, &Pipe) -> Result<(), ServiceError> + Send>;

/// What is in an answer.
pub enum Content {
    /// All of it.
    Bytes(Bytes),
    /// Lines that are still to be written.
    Lines(Writer),
    /// How a run goes on, until it is over.
    Run(RunId),
}

/// What is sent back.
pub struct Answer {
    status: StatusCode,
    kind: &'static str,
    content: Content,
    version: Option<Version>,
    more: Vec<(&'static str, String)>,
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
        let body = serde_json::to_vec(value).map_err(|error| unwritten(&error))?;
        Ok(Self::of(status, "application/json", Content::Bytes(body.into())))
    }

    /// JSON of a list, with the cursor of its next page.
    pub fn list(value: &impl Serialize, next: Option<String>) -> Answered {
        let mut value = serde_json::to_value(value).map_err(|error| unwritten(&error))?;
        if let Value::Object(fields) = &mut value {
            fields.insert("next".to_owned(), next.into());
        }
        Self::json(&value)
    }

    /// Text of a type.
    pub fn text(kind: &'static str, body: String) -> Answered {
        Self::bytes(kind, body)
    }

    /// Bytes of a type.
    pub fn bytes(kind: &'static str, body: impl Into<Bytes>) -> Answered {
        Ok(Self::of(StatusCode::OK, kind, Content::Bytes(body.into())))
    }

    /// Lines of a type that are written while they are read.
    pub fn lines(kind: &'static str, writer: Writer) -> Answered {
        Ok(Self::of(StatusCode::OK, kind, Content::Lines(writer)))
    }

    /// How a run goes on.
    pub fn run(run: RunId) -> Answered {
        Ok(Self::of(StatusCode::OK, "text/event-stream", Content::Run(run)))
    }

    /// An answer that was given before.
    pub fn again(status: StatusCode, body: Vec<u8>) -> Self {
        Self::of(status, "application/json", Content::Bytes(body.into())).with("idempotency-replayed", "true".to_owned())
    }

    fn of(status: StatusCode, kind: &'static str, content: Content) -> Self {
        Self { status, kind, content, version: None, more: Vec::new() }
    }

    /// The same with the version of the books it is about.
    pub fn of_version(self, version: Option<Version>) -> Self {
        Self { version, ..self }
    }

    /// The same with a header.
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.more.push((name, value));
        self
    }

    /// Its status and its bytes, if they are all there.
    pub fn whole(&self) -> Option<(StatusCode, &[u8])> {
        if let Content::Bytes(bytes) = &self.content { Some((self.status, bytes)) } else { None }
    }

    /// The response, and what is still to be written into it.
    pub fn into_parts(self) -> (Response<Body>, Content) {
        let Self { status, kind, content, version, more } = self;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        for (name, value) in HEADERS {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        if let Some(Ok(tag)) = version.map(|version| HeaderValue::from_str(&tag(version))) {
            headers.insert(ETAG, tag);
        }
        for (name, value) in more {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        (response, content)
    }
}

/// The entity tag of a version.
pub fn tag(version: Version) -> String {
    format!("\"{version}\"")
}

fn unwritten(error: &serde_json::Error) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "bug", format!("could not write JSON: {error}"))
}

/// On every answer: nothing of it is kept, framed, run or guessed at.
const HEADERS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

impl IntoResponse for Answer {
    fn into_response(self) -> Response<Body> {
        let (mut response, content) = self.into_parts();
        if let Content::Bytes(bytes) = content {
            *response.body_mut() = Body::from(bytes);
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let body = self.json().to_string().into();
        let mut response = Answer::of(self.status, "application/problem+json", Content::Bytes(body)).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rosterd\""));
        }
        if let Some(secs) = self.retry_after_secs {
            headers.insert(RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}
