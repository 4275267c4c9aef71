//! How a request shows who asks.

use std::fmt;

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::base::{Instant, Secret};
use crate::source::http::address::shown;
use crate::source::http::error::{HttpError, Refusal};

/// A request that is about to be sent.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The address, with the query that is sent.
    pub url: &'a Url,
    /// Now, by the machine's clock.
    pub now: Instant,
}

/// One header that carries a credential; its value shows nowhere.
pub struct Header {
    pub(crate) name: &'static str,
    pub(crate) value: HeaderValue,
}

impl Header {
    /// A header with a secret value.
    ///
    /// # Errors
    /// [`HttpError::Unsendable`] if the value has characters that no header can carry.
    pub fn secret(name: &'static str, value: &str, request: &Outgoing<'_>) -> Result<Self, HttpError> {
        let unsendable = |_| HttpError::Unsendable { address: shown(request.url) };
        let mut value = HeaderValue::from_str(value).map_err(unsendable)?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }
}

/// Shows who asks. Called for every single try: a signature is never sent twice.
pub trait Authorize: Send + Sync {
    /// Called before each try, while no request of ours is under way: the moment to fetch what signing in takes.
    ///
    /// # Errors
    /// When it cannot be had.
    fn ready(&self) -> Result<(), HttpError> {
        Ok(())
    }

    /// The headers of this try.
    ///
    /// # Errors
    /// When there is nothing to sign in with.
    fn headers(&self, request: &Outgoing<'_>) -> Result<Vec<Header>, HttpError>;

    /// Called after the first 401 to a request; `true`: there is another credential now, the request is made once more.
    ///
    /// # Errors
    /// When another credential should have been had and was not.
    fn renew(&self) -> Result<bool, HttpError> {
        Ok(false)
    }

    /// What may be the reason for a refusal, as far as it has to do with signing in; a few words.
    fn hint(&self, _refusal: &Refusal, _now: Instant) -> Option<String> {
        None
    }
}

/// Asks without saying who.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Authorize for Nobody {
    fn headers(&self, _: &Outgoing<'_>) -> Result<Vec<Header>, HttpError> {
        Ok(Vec::new())
    }
}

/// A fixed token: `Authorization: Bearer …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer(pub Secret);

impl Authorize for Bearer {
    fn headers(&self, request: &Outgoing<'_>) -> Result<Vec<Header>, HttpError> {
        let token = self.0.expose().map_err(|absent| HttpError::Secret(absent.clone()))?;
        Ok(vec![Header::secret("authorization", &format!("Bearer {token}"), request)?])
    }
}

/// A user and a password: `Authorization: Basic …`.
#[derive(Clone, PartialEq, Eq)]
pub struct Basic {
    /// The user.
    pub user: Secret,
    /// The password.
    pub password: Secret,
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Basic")
    }
}

impl Authorize for Basic {
    fn headers(&self, request: &Outgoing<'_>) -> Result<Vec<Header>, HttpError> {
        let absent = |absent: &crate::base::SecretAbsent| HttpError::Secret(absent.clone());
        let both = format!("{}:{}", self.user.expose().map_err(absent)?, self.password.expose().map_err(absent)?);
        Ok(vec![Header::secret("authorization", &format!("Basic {}", base64(both.as_bytes())), request)?])
    }
}

/// Base 64 with padding (RFC 4648 §4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at)) as usize & 63];
            out.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::source::http::auth::base64;

    #[test]
    fn base64_as_the_standard_has_it() {
        let vectors = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (text, coded) in vectors {
            assert_eq!(base64(text.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }
}
