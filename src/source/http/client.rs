//! Requests of one source to one upstream.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Certificate, Client, Method, Response, Url, redirect};
use serde::Deserialize;

use crate::base::{ErrorChain, Instant};
use crate::source::http::address::{origin, parse, shown, within};
use crate::source::http::ask::{Ask, Into};
use crate::source::http::auth::{Authorize, Outgoing};
use crate::source::http::error::{HttpError, Refusal};
use crate::source::http::network::Network;
use crate::source::http::record::Exchange;
use crate::source::http::settings::HttpSettings;
use crate::source::http::told::{asked_pause, is_own_limit, spent_pause};
use crate::source::http::upstream::{Manners, Outcome, Upstream};
use crate::source::retry::{Next, Retry};

/// So much of the body of an answer that is no success is kept, in bytes.
const REFUSAL_BYTES: usize = 16 << 10;

/// An answer of success.
#[derive(Debug)]
pub struct Answer {
    /// Where it came from, redirects followed.
    pub url: Url,
    /// Its status: 200 or one of its neighbors.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
    }

    /// What to tell of a body that is a web page.
    fn page(&self) -> Option<HttpError> {
        let body = self.body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.body);
        (body.trim_ascii_start().first() == Some(&b'<')).then(|| self.text().err())?
    }

    /// The body as JSON text. Byte order marks are stepped over; a log-in page, an empty or a binary body is told as such.
    ///
    /// # Errors
    /// [`HttpError::NotJson`].
    pub fn text(&self) -> Result<&str, HttpError> {
        let not_json = |found: String| HttpError::NotJson { address: shown(&self.url), found };
        let Ok(text) = std::str::from_utf8(&self.body) else { return Err(not_json("not UTF-8".to_owned())) };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match text.trim_start().chars().next() {
            None => Err(not_json("empty".to_owned())),
            Some('{' | '[') => Ok(text),
            Some('<') => Err(not_json("a web page or XML".to_owned())),
            Some(_) => {
                let kind: String = self.header("content-type").unwrap_or("of no told kind").chars().take(40).collect();
                Err(not_json(format!("something else ({})", kind.escape_default())))
            }
        }
    }

    /// The body read as JSON.
    ///
    /// # Errors
    /// [`HttpError::NotJson`], also where it is JSON of another shape; tells the place and never the text.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, HttpError> {
        let text = self.text()?;
        serde_json::from_str(text).map_err(|error| self.broken_json(&error))
    }

    /// What to tell of a body that is broken JSON or of another shape.
    pub fn broken_json(&self, error: &serde_json::Error) -> HttpError {
        let (line, column) = (error.line(), error.column());
        let what = match error.classify() {
            serde_json::error::Category::Data => "JSON of another shape",
            serde_json::error::Category::Eof => "cut-off JSON",
            serde_json::error::Category::Io | serde_json::error::Category::Syntax => "broken JSON",
        };
        HttpError::NotJson { address: shown(&self.url), found: format!("{what} (line {line}, column {column})") }
    }
}

/// What an address is asked for: the try, and why the one before it failed. A source may ask for less after a failure.
#[derive(Clone, Copy)]
pub struct Attempt<'e> {
    /// 0 for the first one.
    pub failed: u32,
    /// Why the last one failed.
    pub because: Option<&'e HttpError>,
}

/// A client of one upstream.
pub struct Http {
    network: Network,
    client: Client,
    upstream: Arc<Upstream>,
    base: Url,
    settings: HttpSettings,
    /// When its next request may start, where the upstream's limit is that of its credential alone.
    next: Mutex<Duration>,
}

impl Http {
    /// A client for the origin of `address`. Nothing is reached yet.
    ///
    /// # Errors
    /// When the address or the file of certificates cannot be used.
    pub fn new(network: &Network, address: &str, settings: &HttpSettings) -> Result<Self, HttpError> {
        let base = parse(address)?;
        let mut builder = Client::builder()
            .user_agent(concat!("rosterd/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect)
            .read_timeout(settings.read)
            .timeout(settings.total)
            .redirect(redirect::Policy::none())
            .gzip(settings.packed)
            .referer(false);
        if let Some(file) = &settings.ca_file {
            let name = || file.display().to_string();
            let pem = std::fs::read(file).map_err(|cause| HttpError::Certificates { file: name(), cause })?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(std::io::Error::other);
            let none = || std::io::Error::new(std::io::ErrorKind::InvalidData, "there is no PEM certificate in it");
            let certificates = certificates.and_then(|all| if all.is_empty() { Err(none()) } else { Ok(all) });
            builder = builder.tls_certs_merge(certificates.map_err(|cause| HttpError::Certificates { file: name(), cause })?);
        }
        let client = builder.build().map_err(|error| HttpError::Client(Box::new(error)))?;
        let upstream = network.upstream(&origin(&base));
        upstream.limit(settings.parallel_max, settings.per_second_max);
        let next = Mutex::new(Duration::ZERO);
        Ok(Self { network: network.clone(), client, upstream, base, settings: settings.clone(), next })
    }

    /// The address it was made for.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The network it goes through.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The address that a link in an answer leads to, if it stays at this origin.
    ///
    /// # Errors
    /// [`HttpError::Elsewhere`] if it does not.
    pub fn link(&self, link: &str) -> Result<Url, HttpError> {
        within(&self.base, link)
    }

    /// Asks for an address until there is an answer of success, or it is clear that there will be none.
    ///
    /// # Errors
    /// The last failure.
    pub fn get(&self, auth: &dyn Authorize, mut url: impl FnMut(Attempt<'_>) -> Url) -> Result<Answer, HttpError> {
        self.ask(auth, &mut url, &mut Ask::json())
    }

    /// Sends a form; for token services, where sending it twice does no harm.
    ///
    /// # Errors
    /// The last failure.
    pub fn post_form(&self, auth: &dyn Authorize, url: &Url, form: &[(&str, &str)]) -> Result<Answer, HttpError> {
        // A form is written like a query.
        let mut written = url.clone();
        written.query_pairs_mut().clear().extend_pairs(form);
        self.ask(auth, &mut |_| url.clone(), &mut Ask::form(written.query().unwrap_or_default()))
    }

    pub(crate) fn ask(
        &self,
        auth: &dyn Authorize,
        url: &mut dyn FnMut(Attempt<'_>) -> Url,
        what: &mut Ask<'_>,
    ) -> Result<Answer, HttpError> {
        let manners = Manners { at: self.base.as_str(), ..self.network.manners() };
        let is_own = self.upstream.admit(manners)?;
        let result = self.ask_until_clear(auth, url, what);
        if !is_own {
            return result;
        }
        // A page for people, such as one that tells of maintenance, is no answer even if it comes as success.
        let page = result.as_ref().ok().filter(|_| what.wants_json()).and_then(Answer::page);
        let outcome = match (&result, &page) {
            (_, Some(page)) => Outcome::Page(page),
            (Err(error), None) if error.is_trouble() => Outcome::Trouble(error),
            (Err(error), None) if error.is_unasked() => Outcome::NotAsked,
            (Ok(_) | Err(_), None) => Outcome::Answered,
        };
        self.upstream.report(&outcome, manners);
        result
    }

    fn ask_until_clear(
        &self,
        auth: &dyn Authorize,
        url: &mut dyn FnMut(Attempt<'_>) -> Url,
        what: &mut Ask<'_>,
    ) -> Result<Answer, HttpError> {
        let pace = self.network.pace();
        let mut retry = Retry::new(self.settings.retry);
        let mut last: Option<HttpError> = None;
        let mut tried = None;
        let mut renewed = false;
        loop {
            let address = url(Attempt { failed: retry.failed(), because: last.as_ref() });
            if let Some(error @ HttpError::TooLarge { .. }) = last.take()
                && tried.as_ref() == Some(&address)
            {
                return Err(error);
            }
            tried = Some(address.clone());
            let error = match self.once(auth, address.clone(), what) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.status() == Some(401) && !renewed {
                renewed = true;
                if auth.renew()? {
                    continue;
                }
            }
            if !error.passes() && !error.is_heavy() {
                return Err(self.with_hint(auth, error));
            }
            let asked = error.refusal().and_then(|refusal| asked_pause(&refusal.headers));
            match retry.next(asked) {
                Next::After(pause) => {
                    if let Some(refusal) = error.refusal().filter(|refusal| refusal.status == 429) {
                        self.slow_down(pause, &refusal.headers);
                    } else {
                        pace.wait(pause);
                    }
                    last = Some(error);
                }
                Next::Enough => return Err(with_tries(error, retry.failed())),
                Next::TooLong(asked) => {
                    return Err(HttpError::Later { address: shown(&address), secs: asked.as_secs() });
                }
            }
        }
    }

    /// The error with what whoever signs in makes of it.
    fn with_hint(&self, auth: &dyn Authorize, mut error: HttpError) -> HttpError {
        if let HttpError::Status { refusal, hint, .. } = &mut error
            && hint.is_empty()
        {
            *hint = auth.hint(refusal, self.network.pace().now()).map(|text| format!("; {text}")).unwrap_or_default();
        }
        error
    }

    /// Waits before the next request: this source alone if the limit is that of its credential, else all who ask the
    /// upstream.
    fn slow_down(&self, pause: Duration, headers: &HeaderMap) {
        let manners = self.network.manners();
        if is_own_limit(headers) {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            *next = (*next).max(manners.pace.elapsed() + pause);
        } else {
            self.upstream.slow_down(pause, manners);
        }
    }

    /// One try, redirects followed; each of them is signed anew.
    fn once(&self, auth: &dyn Authorize, mut url: Url, what: &mut Ask<'_>) -> Result<Answer, HttpError> {
        if url.origin() != self.base.origin() {
            return Err(HttpError::Elsewhere { from: shown(&self.base), to: origin(&url) });
        }
        for _ in 0..=self.settings.redirects_max {
            let answer = self.send(auth, &url, what)?;
            match answer {
                Sent::Answer(answer) => return Ok(answer),
                Sent::Redirect(target) => url = within(&url, &target)?,
            }
        }
        Err(HttpError::Redirects { address: shown(&url), redirects_max: self.settings.redirects_max })
    }

    fn send(&self, auth: &dyn Authorize, url: &Url, what: &mut Ask<'_>) -> Result<Sent, HttpError> {
        let pace = self.network.pace();
        auth.ready()?;
        let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pause) = next.checked_sub(pace.elapsed()).filter(|pause| !pause.is_zero()) {
            pace.wait(pause);
        }
        // Before the signature, which carries the time: a place may be long in coming.
        let _pass = self.upstream.enter(self.network.manners())?;
        let form = what.form;
        let method = if form.is_some() { "POST" } else { "GET" };
        let headers = auth.headers(&Outgoing { method, url, now: pace.now() })?;
        let mut request = self.client.request(if form.is_some() { Method::POST } else { Method::GET }, url.clone());
        request = request.header(ACCEPT, what.accept);
        for (name, value) in what.headers {
            request = request.header(*name, *value);
        }
        for header in headers {
            request = request.header(header.name, header.value);
        }
        if let Some(form) = form {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.to_owned());
        }
        let runtime = self.network.runtime().map_err(|error| HttpError::Client(Box::new(error)))?;
        let began = pace.now();
        let start = std::time::Instant::now();
        let sent = runtime.block_on(async {
            let response = request.send().await.map_err(|error| self.failure(url, error, start))?;
            self.receive(url, response, &mut what.into, start).await
        });
        if let Some(recorder) = self.network.recorder() {
            recorder.saw(&seen(url, method, (began, pace.now()), &sent));
        }
        sent
    }

    async fn receive(
        &self,
        url: &Url,
        mut response: Response,
        into: &mut Into<'_>,
        start: std::time::Instant,
    ) -> Result<Sent, HttpError> {
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        // A number that is used up is no reason to fail first.
        if let Some(pause) = spent_pause(&headers).filter(|pause| *pause <= self.settings.retry.asked_max) {
            self.slow_down(pause, &headers);
        }
        if status.is_redirection()
            && let Some(target) = headers.get(LOCATION).and_then(|value| value.to_str().ok())
        {
            return Ok(Sent::Redirect(target.to_owned()));
        }
        let bytes_max = self.settings.body_bytes_max;
        let mut body = Vec::new();
        let mut length = 0u64;
        if status.is_success() {
            into.begin(url, &headers, response.version())?;
        }
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                // The status alone says enough of an answer that is no success.
                Err(_) if !status.is_success() => break,
                Err(error) => return Err(self.failure(url, error, start)),
            };
            if !status.is_success() {
                let room = REFUSAL_BYTES.saturating_sub(body.len());
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if room <= chunk.len() {
                    break;
                }
                continue;
            }
            length += chunk.len() as u64;
            if length > bytes_max {
                return Err(HttpError::TooLarge { address: shown(url), bytes_max });
            }
            if into.take(&chunk, &mut body)? {
                break;
            }
        }
        if status.is_success() {
            return Ok(Sent::Answer(Answer { url: url.clone(), status: status.as_u16(), headers, body }));
        }
        let refusal = Box::new(Refusal { status: status.as_u16(), headers, body });
        Err(HttpError::Status { address: shown(url), refusal, tries: 1, hint: String::new() })
    }

    fn failure(&self, url: &Url, error: reqwest::Error, start: std::time::Instant) -> HttpError {
        let error = error.without_url();
        if error.is_connect() {
            HttpError::Connect { origin: origin(url), cause: error }
        } else if error.is_timeout() {
            let begun = start.elapsed() >= self.settings.total;
            let bound = if begun { self.settings.total } else { self.settings.read };
            HttpError::Timeout { address: shown(url), secs: bound.as_secs().max(1), begun }
        } else if error.is_builder() {
            HttpError::Client(Box::new(error))
        } else {
            HttpError::Broken { address: shown(url), cause: error }
        }
    }
}

enum Sent {
    Answer(Answer),
    Redirect(String),
}

/// What is recorded of a request.
fn seen<'s>(
    url: &'s Url,
    method: &'static str,
    (began, ended): (Instant, Instant),
    sent: &'s Result<Sent, HttpError>,
) -> Exchange<'s> {
    let exchange = Exchange { method, url: Some(url), began, ended, ..Exchange::of(url.path()) };
    match sent {
        // What a token service says is a secret through and through.
        Ok(Sent::Answer(answer)) => {
            let body = (method == "GET" && !answer.body.is_empty()).then_some(answer.body.as_slice());
            Exchange { status: Some(answer.status), headers: Some(&answer.headers), body, ..exchange }
        }
        Ok(Sent::Redirect(_)) => Exchange { error: Some("a redirect".to_owned()), ..exchange },
        Err(error) => {
            let refusal = error.refusal();
            let (status, headers) = (refusal.map(|refusal| refusal.status), refusal.map(|refusal| &refusal.headers));
            Exchange { status, headers, error: Some(ErrorChain(error).to_string()), ..exchange }
        }
    }
}

fn with_tries(error: HttpError, tries: u32) -> HttpError {
    match error {
        HttpError::Status { address, refusal, hint, .. } => HttpError::Status { address, refusal, tries, hint },
        other => other,
    }
}
