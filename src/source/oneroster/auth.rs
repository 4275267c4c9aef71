//! OAuth 2 client credentials (oneroster-rest §9): a token is fetched before it is needed and renewed before it ends, also in
//! the middle of a pull; it is kept in memory only.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::header::{HeaderMap, SET_COOKIE};
use serde::Deserialize;
use serde_json::Value;

use crate::base::{Instant, Secret, SecretAbsent};
use crate::source::http::{
    Answer, Authorize, Basic, Header, Http, HttpError, HttpSettings, Network, Nobody, Outgoing, Refusal,
};

/// A token is renewed when it has less than this left, in milliseconds, or less than a quarter of its time.
const LEFT_MILLIS_MIN: i64 = 60_000;
/// How long a token is taken to last if its service does not say, in seconds.
const LASTS_SECS: i64 = 300;

/// Why there is no token, in the words of the standard (RFC 6749 §5.2). Nothing else that a service says is told.
const WORDS: [&str; 6] =
    ["invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"];
/// Bytes of all cookies at most.
const COOKIE_BYTES_MAX: usize = 4 << 10;

/// Where a token service wants the credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// In the `Authorization` header.
    #[default]
    Basic,
    /// In the form.
    Body,
    /// In the query.
    Query,
}

/// A token service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2Settings {
    /// Its address; may have a query.
    pub token_address: String,
    /// The client's id.
    pub client_id: Secret,
    /// The client's secret.
    pub client_secret: Secret,
    /// What is asked for; may be empty.
    pub scopes: Vec<String>,
    /// Where the credentials go.
    pub client_auth: ClientAuth,
    /// Cookies that come with a token are sent along with it, to the same host.
    pub cookies: bool,
}

struct Token {
    text: Secret,
    /// From then on it is renewed.
    until: Instant,
    /// The scopes that the service says it grants.
    granted: Option<String>,
    /// A host, and what to send there along with the token.
    cookies: Option<(String, Secret)>,
}

/// Signs in with tokens of a token service.
pub struct OAuth2 {
    settings: OAuth2Settings,
    network: Network,
    http: HttpSettings,
    token: Mutex<Option<Token>>,
}

impl fmt::Debug for OAuth2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OAuth2({})", self.settings.token_address)
    }
}

#[derive(Deserialize)]
struct TokenWire {
    access_token: String,
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    scope: Value,
}

impl OAuth2 {
    /// Signs in with this service. Nothing is reached yet.
    pub fn new(settings: OAuth2Settings, network: &Network, http: HttpSettings) -> Self {
        Self { settings, network: network.clone(), http, token: Mutex::new(None) }
    }

    /// A token is there or not, whatever happened to whoever fetched it.
    fn lock(&self) -> MutexGuard<'_, Option<Token>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new token. What goes wrong is the token service's doing, which was asked often enough: nobody else was.
    fn fetch(&self) -> Result<Token, HttpError> {
        self.ask().map_err(|error| HttpError::SignIn(Box::new(error)))
    }

    fn ask(&self) -> Result<Token, HttpError> {
        let absent = |absent: &SecretAbsent| HttpError::Secret(absent.clone());
        let OAuth2Settings { token_address, client_id, client_secret, scopes, client_auth, cookies } = &self.settings;
        // A query belongs to the address of some token services, and to no other address.
        let (plain, query) = token_address.split_once('?').unwrap_or((token_address, ""));
        let http = Http::new(&self.network, plain, &self.http)?;
        let mut url = http.base().clone();
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        let scope = scopes.join(" ");
        let (id, secret) = (client_id.expose().map_err(absent)?, client_secret.expose().map_err(absent)?);
        let mut form = vec![("grant_type", "client_credentials")];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        let basic = Basic { user: client_id.clone(), password: client_secret.clone() };
        let auth: &dyn Authorize = match client_auth {
            ClientAuth::Basic => &basic,
            ClientAuth::Body => {
                form.extend([("client_id", id), ("client_secret", secret)]);
                &Nobody
            }
            ClientAuth::Query => {
                url.query_pairs_mut().append_pair("client_id", id).append_pair("client_secret", secret);
                &Nobody
            }
        };
        let answer = http.post_form(auth, &url, &form).map_err(refused)?;
        let TokenWire { access_token, expires_in, scope } = token_of(&answer, plain)?;
        let lasts = expires_in.filter(|secs| *secs > 0).unwrap_or(LASTS_SECS).min(86_400);
        let host = http.base().host_str().filter(|_| *cookies);
        Ok(Token {
            text: Secret::new(access_token),
            until: self.network.pace().now().plus_millis(lasts * 1000 - LEFT_MILLIS_MIN.min(lasts * 250)),
            granted: scope.as_str().filter(|scope| !scope.trim().is_empty()).map(str::to_owned),
            cookies: host.and_then(|host| Some((host.to_owned(), cookies_of(&answer.headers)?))),
        })
    }
}

/// A refusal of the token service, with its word for it.
fn refused(mut error: HttpError) -> HttpError {
    if let HttpError::Status { refusal, hint, .. } = &mut error {
        *hint = word_of(&refusal.body).map(|word| format!("; it says {word}")).unwrap_or_default();
    }
    error
}

/// Some services refuse with success.
fn token_of(answer: &Answer, address: &str) -> Result<TokenWire, HttpError> {
    answer.json().map_err(|error| match word_of(&answer.body) {
        Some(word) => HttpError::Unfit { address: address.to_owned(), why: format!("it says {word}") },
        None => error,
    })
}

fn word_of(body: &[u8]) -> Option<&'static str> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return None };
    let told = fields.get("error")?.as_str()?;
    WORDS.into_iter().find(|word| *word == told)
}

/// What to send along with a token (oneroster-rest §9): names and values of cookies, whatever else is said of them.
fn cookies_of(headers: &HeaderMap) -> Option<Secret> {
    let pairs = headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    let is_pair = |pair: &&str| pair.split_once('=').is_some_and(|(name, _)| !name.is_empty());
    let all = pairs.map(str::trim).filter(is_pair).collect::<Vec<_>>().join("; ");
    (1..=COOKIE_BYTES_MAX).contains(&all.len()).then(|| Secret::new(all))
}

impl Authorize for OAuth2 {
    fn ready(&self) -> Result<(), HttpError> {
        let now = self.network.pace().now();
        let mut token = self.lock();
        if token.as_ref().is_none_or(|token| token.until <= now) {
            *token = Some(self.fetch()?);
        }
        Ok(())
    }

    fn headers(&self, request: &Outgoing<'_>) -> Result<Vec<Header>, HttpError> {
        let token = self.lock();
        let absent = |absent: &SecretAbsent| HttpError::Secret(absent.clone());
        let Some(Token { text, cookies, .. }) = &*token else { return Ok(Vec::new()) };
        let mut headers =
            vec![Header::secret("authorization", &format!("Bearer {}", text.expose().map_err(absent)?), request)?];
        if let Some((_, cookies)) = cookies.as_ref().filter(|(host, _)| request.url.host_str() == Some(host)) {
            headers.push(Header::secret("cookie", cookies.expose().map_err(absent)?, request)?);
        }
        Ok(headers)
    }

    fn renew(&self) -> Result<bool, HttpError> {
        *self.lock() = Some(self.fetch()?);
        Ok(true)
    }

    /// What the token is not good for (oneroster-rest §10).
    fn hint(&self, refusal: &Refusal, _: Instant) -> Option<String> {
        let asked = Some(&self.settings.scopes).filter(|asked| refusal.status == 403 && !asked.is_empty())?;
        let token = self.lock();
        let granted: Option<Vec<&str>> =
            token.as_ref().and_then(|token| token.granted.as_deref()).map(|all| all.split_whitespace().collect());
        let is_missing = |scope: &&str| granted.as_ref().is_some_and(|granted| !granted.contains(scope));
        let missing: Vec<&str> = asked.iter().map(String::as_str).filter(is_missing).collect();
        Some(match missing.as_slice() {
            [] => format!("the scopes of its token are {}", asked.join(" ")),
            missing => format!("its token lacks the scopes {}", missing.join(" ")),
        })
    }
}
