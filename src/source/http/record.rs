//! Who is told of requests, so that support can look at what an upstream said.

use reqwest::Url;
use reqwest::header::HeaderMap;

use crate::base::Instant;

/// Is told of every request and its answer. Whatever it keeps, it has to redact.
pub trait Recorder: Send + Sync {
    /// A request is over, however it ended.
    fn saw(&self, exchange: &Exchange<'_>);
}

/// One request and what came back.
#[derive(Clone, Debug)]
pub struct Exchange<'a> {
    /// `GET`, `POST`, `SFTP`.
    pub method: &'static str,
    /// The path on the upstream.
    pub path: String,
    /// The whole address; its query may hold secrets.
    pub url: Option<&'a Url>,
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// Headers of the answer.
    pub headers: Option<&'a HeaderMap>,
    /// When it began …
    pub began: Instant,
    /// … and ended.
    pub ended: Instant,
    /// The body, unless it went into a file or must not be kept.
    pub body: Option<&'a [u8]>,
    /// Why it came to nothing.
    pub error: Option<String>,
}

impl Exchange<'_> {
    /// An exchange about a path, with nothing said yet.
    pub(crate) fn of(path: &str) -> Self {
        Self {
            method: "GET",
            path: path.to_owned(),
            url: None,
            status: None,
            headers: None,
            began: Instant::default(),
            ended: Instant::default(),
            body: None,
            error: None,
        }
    }
}
