//! OAuth 2 client credentials (oneroster-rest §9): a token is fetched before it is needed and renewed before it ends, also in
//! the middle of a pull; it is kept in memory only.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use crate::base::{Instant, Secret, SecretAbsent};
use crate::source::http::{Authorize, Basic, Header, Http, HttpError, HttpSettings, Network, Nobody, Outgoing};

/// A token with less than this left is renewed, in milliseconds.
const LEFT_MILLIS_MIN: i64 = 60_000;
/// How long a token is taken to last if its service does not say, in seconds.
const LASTS_SECS: i64 = 300;

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
}

struct Token {
    text: Secret,
    until: Instant,
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

    fn fetch(&self) -> Result<Token, HttpError> {
        let absent = |absent: &SecretAbsent| HttpError::Secret(absent.clone());
        let OAuth2Settings { token_address, client_id, client_secret, scopes, client_auth } = &self.settings;
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
        let answer = http.post_form(auth, &url, &form)?;
        let wire: TokenWire = answer.json()?;
        let lasts = wire.expires_in.filter(|secs| *secs > 0).unwrap_or(LASTS_SECS).min(86_400);
        Ok(Token { text: Secret::new(wire.access_token), until: self.network.pace().now().plus_millis(lasts * 1000) })
    }
}

impl Authorize for OAuth2 {
    fn ready(&self) -> Result<(), HttpError> {
        let soon = self.network.pace().now().plus_millis(LEFT_MILLIS_MIN);
        let mut token = self.lock();
        if token.as_ref().is_none_or(|token| token.until < soon) {
            *token = Some(self.fetch()?);
        }
        Ok(())
    }

    fn headers(&self, request: &Outgoing<'_>) -> Result<Vec<Header>, HttpError> {
        let token = self.lock();
        let Some(Token { text, .. }) = &*token else { return Ok(Vec::new()) };
        let text = text.expose().map_err(|absent| HttpError::Secret(absent.clone()))?;
        Ok(vec![Header::secret("authorization", &format!("Bearer {text}"), request)?])
    }

    fn renew(&self) -> Result<bool, HttpError> {
        *self.lock() = Some(self.fetch()?);
        Ok(true)
    }
}
