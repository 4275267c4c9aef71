//! Posting a body to an address: over TLS, without redirects, bounded in time and in what is read back.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Certificate, Client, Url, redirect};

use crate::notify::answer::{Answer, said};
use crate::notify::error::NotifyError;
use crate::notify::hook::origin;

/// So much of an answer is read, in bytes.
const ANSWER_BYTES: usize = 2 << 10;

/// Clients, one for each file of trusted certificates; made when they are first needed.
#[derive(Default)]
pub struct Clients(Mutex<BTreeMap<Option<PathBuf>, Client>>);

impl Clients {
    /// The client that trusts the system's certificates and those in `ca_file`.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn of(&self, ca_file: &Option<PathBuf>) -> Result<Client, NotifyError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(ca_file) {
            return Ok(client.clone());
        }
        // The one TLS provider of the process; if there is one already, it is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("rosterd/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false);
        if let Some(file) = ca_file {
            let unusable = |cause| NotifyError::Certificates { file: file.display().to_string(), cause };
            let pem = std::fs::read(file).map_err(unusable)?;
            let all = Certificate::from_pem_bundle(&pem).map_err(|error| unusable(std::io::Error::other(error)))?;
            if all.is_empty() {
                return Err(unusable(std::io::Error::other("there is no PEM certificate in it")));
            }
            builder = builder.tls_certs_merge(all);
        }
        let client = builder.build().map_err(|error| NotifyError::Client(Box::new(error)))?;
        known.insert(ca_file.clone(), client.clone());
        Ok(client)
    }
}

/// Posts JSON with these headers beside.
///
/// # Errors
/// Unless it is answered with success.
pub async fn post(
    client: &Client,
    url: &Url,
    headers: &[(&'static str, String)],
    body: String,
    limit: Duration,
) -> Result<Answer, NotifyError> {
    let mut request = client.post(url.clone()).timeout(limit).header(CONTENT_TYPE, "application/json; charset=utf-8");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let mut response = request.body(body).send().await.map_err(|error| failure(url, error, limit))?;
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let mut read = Vec::new();
    // The status says whether it was taken; what comes after it is only for people.
    while read.len() < ANSWER_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        read.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES - read.len())]);
    }
    let (place, said) = (origin(url), said(&read));
    if status.is_success() {
        return Ok(Answer { status: status.as_u16().to_string(), said });
    }
    Err(NotifyError::Refused {
        place,
        status: status.as_u16().to_string(),
        // Everything else may be put right at the other end while we go on trying.
        for_good: status.as_u16() == 410,
        after: asked_pause(&headers),
        said,
    })
}

fn failure(url: &Url, error: reqwest::Error, limit: Duration) -> NotifyError {
    let (place, error) = (origin(url), error.without_url());
    if error.is_timeout() {
        NotifyError::Timeout { place, secs: limit.as_secs() }
    } else if error.is_connect() {
        NotifyError::Connect { place, cause: Box::new(error) }
    } else if error.is_builder() {
        NotifyError::Client(Box::new(error))
    } else {
        NotifyError::Broken { place, cause: Box::new(error) }
    }
}

/// What `Retry-After` asks for: seconds, or a moment by the receiver's own clock.
fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let secs = |text: &str| rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(|at| at.as_second());
    let after = text("retry-after")?;
    match after.parse() {
        Ok(secs) => Some(Duration::from_secs(secs)),
        Err(_) => {
            let pause = secs(after)?.saturating_sub(text("date").and_then(secs)?);
            Some(Duration::from_secs(u64::try_from(pause).unwrap_or(0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::HeaderName;

    use crate::notify::http::asked_pause;

    #[test]
    fn pauses_are_read_in_both_forms() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        type Case<'a> = (&'a [(&'a str, &'a str)], Option<u64>);
        let cases: [Case<'_>; 6] = [
            (&[("retry-after", "17")], Some(17)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), date], Some(30)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT"), date], Some(0)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], None),
            (&[("retry-after", "-3"), date], None),
            (&[], None),
        ];
        for (headers, secs) in cases {
            let pairs = headers.iter().map(|(name, value)| {
                (HeaderName::from_bytes(name.as_bytes()).expect("a name"), value.parse().expect("a value"))
            });
            assert_eq!(asked_pause(&pairs.collect()), secs.map(Duration::from_secs), "{headers:?}");
        }
    }
}
