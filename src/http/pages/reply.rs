//! What a browser gets: pages, ways on, files, assets; each with its headers.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, SET_COOKIE};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;

use crate::http::problem::Problem;

/// What is sent back.
#[derive(Clone, Debug)]
pub struct Reply {
    status: StatusCode,
    body: Vec<u8>,
    more: Vec<(HeaderName, HeaderValue)>,
}

/// A reply, or why there is none.
pub type Made = Result<Reply, Problem>;

/// On every reply: nothing but our own style, script and pictures; nothing inline; nobody frames it.
const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

impl Reply {
    /// A page.
    pub fn page(status: StatusCode, html: String) -> Self {
        Self { status, body: html.into_bytes(), more: vec![(CONTENT_TYPE, value("text/html; charset=utf-8"))] }
    }

    /// A file of CSV to keep under a name, which is made of ids.
    pub fn csv(name: &str, text: String) -> Self {
        let more = vec![
            (CONTENT_TYPE, value("text/csv; charset=utf-8")),
            (CONTENT_DISPOSITION, value(&format!("attachment; filename=\"{name}.csv\""))),
        ];
        Self { status: StatusCode::OK, body: text.into_bytes(), more }
    }

    /// On to another page, with GET.
    pub fn on_to(path: &str) -> Self {
        Self { status: StatusCode::SEE_OTHER, body: Vec::new(), more: vec![(LOCATION, value(path))] }
    }

    /// Something that never changes: its name says its content.
    pub fn asset(kind: &'static str, text: &'static str) -> Self {
        let more = vec![
            (CONTENT_TYPE, HeaderValue::from_static(kind)),
            (CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        ];
        Self { status: StatusCode::OK, body: text.as_bytes().to_vec(), more }
    }

    /// The same with a cookie to keep or to drop.
    #[must_use]
    pub fn with_cookie(self, cookie: &str) -> Self {
        self.with(SET_COOKIE, cookie)
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, text: &str) -> Self {
        self.more.push((name, value(text)));
        self
    }
}

/// A value of a header: of texts that were made here, from ids, quoted paths and hex digits.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("/"))
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, text) in HEADERS {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(text));
        }
        for (name, text) in self.more {
            match name {
                SET_COOKIE => headers.append(name, text),
                name => headers.insert(name, text).is_some(),
            };
        }
        response
    }
}
