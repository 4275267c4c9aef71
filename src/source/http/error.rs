//! Why a request came to nothing, in words an operator can act on.

use reqwest::header::HeaderMap;

use crate::base::SecretAbsent;

/// An answer other than success.
#[derive(Debug)]
pub struct Refusal {
    /// The status, for example 401.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The beginning of its body; never shown, for it may hold anything.
    pub body: Vec<u8>,
}

/// Why a request came to nothing. Fits after "could not". Tells no secret, no query and no body.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address cannot be used.
    #[error("use the address {address}: {why}")]
    Address {
        /// Which.
        address: String,
        /// Why.
        why: String,
    },
    /// The file of trusted certificates cannot be used.
    #[error("trust the certificates in {file}")]
    Certificates {
        /// Which file.
        file: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A key or password is not to be had.
    #[error("sign in")]
    Secret(#[source] SecretAbsent),
    /// What it takes to sign in was asked for, and did not come.
    #[error("sign in")]
    SignIn(#[source] Box<HttpError>),
    /// A key or password has characters that no header can carry.
    #[error("sign in at {address}: the configured key or token has characters that cannot be sent")]
    Unsendable {
        /// Where.
        address: String,
    },
    /// The client could not be made.
    #[error("start the HTTP client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No connection: host unknown, port closed, certificate not trusted.
    #[error("connect to {origin}")]
    Connect {
        /// Where.
        origin: String,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// No answer in time, or not all of it.
    #[error("read {address}: {} within {secs} s", if *.begun { "not all of the answer came" } else { "no answer" })]
    Timeout {
        /// What.
        address: String,
        /// The bound that was passed.
        secs: u64,
        /// It went on coming, and took too long in all.
        begun: bool,
    },
    /// The answer broke off or is garbled.
    #[error("read {address} to its end")]
    Broken {
        /// What.
        address: String,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// The answer is longer than allowed.
    #[error("read {address}: the answer is longer than {bytes_max} bytes")]
    TooLarge {
        /// What.
        address: String,
        /// The bound.
        bytes_max: u64,
    },
    /// Another status than success.
    #[error("read {address}: {}{hint}", words(.refusal, *.tries))]
    Status {
        /// What.
        address: String,
        /// The answer.
        refusal: Box<Refusal>,
        /// How often it was tried.
        tries: u32,
        /// What whoever signs in makes of it; empty, or begins with `; `.
        hint: String,
    },
    /// A redirect or a link leads to another host.
    #[error("read {from}: it leads to {to}, and credentials are never sent to another host")]
    Elsewhere {
        /// Where it was found.
        from: String,
        /// The other origin.
        to: String,
    },
    /// Redirects in a circle.
    #[error("read {address}: more than {redirects_max} redirects")]
    Redirects {
        /// What.
        address: String,
        /// The bound.
        redirects_max: u32,
    },
    /// Something else than JSON, such as a log-in page.
    #[error("read {address}: the answer is {found} instead of JSON")]
    NotJson {
        /// What.
        address: String,
        /// What it is.
        found: String,
    },
    /// An answer that is to be kept as a file is not what it should be.
    #[error("take {address}: {why}")]
    Unfit {
        /// What.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// An answer cannot be written where it is kept.
    #[error("keep {address}")]
    Unwritten {
        /// What.
        address: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The server asks for a pause that is too long to wait.
    #[error("read {address}: the server asks to come back in {secs} s")]
    Later {
        /// What.
        address: String,
        /// After how many seconds.
        secs: u64,
    },
    /// Several nodes keep its limits together, and no place among its requests came.
    #[error(
        "ask {upstream}: {} for {minutes} minutes",
        if *.is_heard {
            "other nodes had all places among its requests"
        } else {
            "the database of the nodes, which gives places among its requests, did not answer"
        }
    )]
    NoPlace {
        /// Its origin.
        upstream: String,
        /// Whoever gives places answered.
        is_heard: bool,
        /// For how long.
        minutes: u64,
    },
    /// The upstream failed so often that it is left alone for some time.
    #[error("reach {upstream}: it failed {failures} times in a row and is left alone for {secs} s more")]
    Resting {
        /// Its origin.
        upstream: String,
        /// Failures in a row.
        failures: u32,
        /// For how long.
        secs: u64,
    },
}

impl HttpError {
    /// The status, if it is an answer.
    pub fn status(&self) -> Option<u16> {
        self.refusal().map(|refusal| refusal.status)
    }

    /// The answer, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        if let HttpError::Status { refusal, .. } = self { Some(refusal) } else { None }
    }

    /// Whether the same request may succeed a little later.
    pub fn passes(&self) -> bool {
        match self {
            HttpError::Connect { .. } | HttpError::Timeout { .. } | HttpError::Broken { .. } => true,
            HttpError::Status { refusal, .. } => matches!(refusal.status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            HttpError::Address { .. }
            | HttpError::Certificates { .. }
            | HttpError::Secret(_)
            | HttpError::SignIn(_)
            | HttpError::Unsendable { .. }
            | HttpError::Client(_)
            | HttpError::TooLarge { .. }
            | HttpError::Elsewhere { .. }
            | HttpError::Redirects { .. }
            | HttpError::NotJson { .. }
            | HttpError::Unfit { .. }
            | HttpError::Unwritten { .. }
            | HttpError::Later { .. }
            | HttpError::NoPlace { .. }
            | HttpError::Resting { .. } => false,
        }
    }

    /// Whether a smaller page may succeed where this one failed (oneroster-rest §3): the server or the answer was too slow.
    pub fn is_heavy(&self) -> bool {
        matches!(self, HttpError::Timeout { .. } | HttpError::TooLarge { .. }) || matches!(self.status(), Some(502..=504))
    }

    /// Whether nothing was asked, because of something on our side, or for lack of what it takes to sign in.
    pub(crate) fn is_unasked(&self) -> bool {
        matches!(
            self,
            HttpError::SignIn(_)
                | HttpError::Address { .. }
                | HttpError::Certificates { .. }
                | HttpError::Secret(_)
                | HttpError::Unsendable { .. }
                | HttpError::Client(_)
                | HttpError::Unwritten { .. }
                | HttpError::NoPlace { .. }
        )
    }

    /// Whether it says that the upstream itself is in trouble, rather than this one request.
    pub(crate) fn is_trouble(&self) -> bool {
        self.passes() && self.status() != Some(429)
    }
}

fn words(refusal: &Refusal, tries: u32) -> String {
    let what = match refusal.status {
        400 => "it refused the request (400)".to_owned(),
        401 => "it does not accept the credentials (401)".to_owned(),
        403 => "the credentials do not allow it (403)".to_owned(),
        404 => "there is nothing at this address (404)".to_owned(),
        429 => "it asks for fewer requests (429)".to_owned(),
        status if status >= 500 => format!("it failed ({status})"),
        status => format!("it answered with status {status}"),
    };
    let tries = if tries > 1 { format!(", {tries} times") } else { String::new() };
    let request = request_id(&refusal.headers).map(|id| format!("; its request id is {id}")).unwrap_or_default();
    format!("{what}{tries}{request}")
}

/// What the server calls the request, for whoever asks its support (clever §6).
fn request_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get("x-request-id")?.to_str().ok()?;
    let is_plain =
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    is_plain.then_some(id)
}
