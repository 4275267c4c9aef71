//! OAuth 1.0a signatures without tokens (oneroster-rest §8; RFC 5849).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Url;

use crate::base::{Instant, Secret, SecretAbsent};
use crate::source::http::{Authorize, Header, HttpError, Outgoing, Refusal, base64, unix_secs};
use crate::source::oneroster::settings::Signature;

/// Clocks that differ by no more than this are no reason for anything.
const SKEW_SECS_MAX: u64 = 60;

/// Signs every request with a key and a secret.
pub struct OAuth1 {
    /// The consumer key.
    pub key: Secret,
    /// The consumer secret.
    pub secret: Secret,
    /// By which method.
    pub signature: Signature,
    /// Send `oauth_version`.
    pub version: bool,
}

impl fmt::Debug for OAuth1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OAuth1({:?})", self.signature)
    }
}

impl Authorize for OAuth1 {
    fn headers(&self, request: &Outgoing<'_>) -> Result<Vec<Header>, HttpError> {
        let absent = |absent: &SecretAbsent| HttpError::Secret(absent.clone());
        let nonce = nonce().map_err(|error| HttpError::Client(Box::new(error)))?;
        let secs = (request.now.0 / 1000).to_string();
        let signing = Signing {
            key: self.key.expose().map_err(absent)?,
            secret: self.secret.expose().map_err(absent)?,
            signature: self.signature,
            version: self.version,
            nonce: &nonce,
            timestamp: &secs,
        };
        Ok(vec![Header::secret("authorization", &signing.header(request.method, request.url), request)?])
    }

    /// A signature carries the time, and one from too long ago, or from the future, is refused.
    fn hint(&self, refusal: &Refusal, now: Instant) -> Option<String> {
        let told = refusal.headers.get("date").filter(|_| refusal.status == 401)?;
        let server = i64::try_from(unix_secs(told.to_str().ok()?)?).ok()?;
        let skew = server.saturating_sub(now.0.div_euclid(1000));
        let how = if skew < 0 { "behind" } else { "ahead of" };
        let secs = skew.unsigned_abs();
        (secs > SKEW_SECS_MAX).then(|| format!("its clock is {secs} s {how} ours, and signatures carry the time"))
    }
}

/// 24 hex digits nobody can foresee.
fn nonce() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

struct Signing<'a> {
    key: &'a str,
    secret: &'a str,
    signature: Signature,
    version: bool,
    nonce: &'a str,
    timestamp: &'a str,
}

impl Signing<'_> {
    fn header(&self, method: &str, url: &Url) -> String {
        let mut parameters = self.parameters();
        parameters.push(("oauth_signature", self.sign(method, url)));
        let parameters: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}=\"{}\"", encoded(value))).collect();
        format!("OAuth {}", parameters.join(", "))
    }

    fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![
            ("oauth_consumer_key", self.key.to_owned()),
            ("oauth_nonce", self.nonce.to_owned()),
            ("oauth_signature_method", self.signature.word().to_owned()),
            ("oauth_timestamp", self.timestamp.to_owned()),
        ];
        if self.version {
            all.push(("oauth_version", "1.0".to_owned()));
        }
        all
    }

    fn base_string(&self, method: &str, url: &Url) -> String {
        let mut pairs: Vec<(String, String)> =
            self.parameters().iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
        pairs.extend(url.query_pairs().map(|(name, value)| (encoded(&name), encoded(&value))));
        pairs.sort();
        let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let origin = url.origin().ascii_serialization();
        format!("{method}&{}&{}", encoded(&format!("{origin}{}", url.path())), encoded(&pairs.join("&")))
    }

    fn sign(&self, method: &str, url: &Url) -> String {
        let key = format!("{}&", encoded(self.secret));
        let text = self.base_string(method, url);
        match self.signature {
            Signature::Sha1 => mac::<Hmac<sha1::Sha1>>(key.as_bytes(), text.as_bytes()),
            Signature::Sha256 => mac::<Hmac<sha2::Sha256>>(key.as_bytes(), text.as_bytes()),
        }
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    base64(&mac.finalize().into_bytes())
}

/// RFC 3986: only letters, digits, `-`, `.`, `_` and `~` stand for themselves.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use crate::base::{Instant, Secret};
    use crate::source::http::{Authorize, Outgoing};
    use crate::source::oneroster::settings::Signature;
    use crate::source::oneroster::sign::{OAuth1, Signing};

    const A: &str = "http://127.0.0.1:8080/ims/oneroster/v1p1/orgs";
    const B: &str = "https://District.example:443/ims/oneroster/v1p1/users?limit=100&offset=0&filter=dateLastModified%3E%272024-01-31T00%3A00%3A00Z%27%20AND%20status%3D%27active%27";

    fn signing(signature: Signature, version: bool) -> Signing<'static> {
        Signing { key: "key-1", secret: "s3cr&t+/=", signature, version, nonce: "abcdef0123", timestamp: "1700000000" }
    }

    #[test]
    fn signatures_are_those_of_other_implementations() {
        for (url, signature, version, expected) in [
            (A, Signature::Sha1, true, "NoR2v7HxMHD+QCMuGGKCLdwbKvs="),
            (A, Signature::Sha1, false, "DI7JQ26Svk4FMKez8iS+WpZs+f0="),
            (A, Signature::Sha256, true, "eDrfizbqa8udi9s2pqnJdJluRPBK71LMfnmrzui58mc="),
            (A, Signature::Sha256, false, "sGSGeeUqobQPNQhJubU8l0+ygTNdb1iU1/vFJk/zoKM="),
            (B, Signature::Sha1, true, "HFPkZE2fnmxy1tAQjX5OGfexO/4="),
            (B, Signature::Sha1, false, "nGE90AEiAtJCZpxagVnmLZ3KfF8="),
            (B, Signature::Sha256, true, "vz3lcSPAk8LFY6JGiqU50OgcAv5Df4ps23zvCPUrmF4="),
            (B, Signature::Sha256, false, "/ZuZQF1L+fTms8fc/OoR2dL3Aw8X+3AkoJijd53Rb7o="),
        ] {
            let url = Url::parse(url).expect("a URL");
            assert_eq!(signing(signature, version).sign("GET", &url), expected, "{url} {signature:?} {version}");
        }
    }

    #[test]
    fn the_base_string_is_the_standards() {
        let url = Url::parse(A).expect("a URL");
        assert_eq!(
            signing(Signature::Sha256, false).base_string("GET", &url),
            "GET&http%3A%2F%2F127.0.0.1%3A8080%2Fims%2Foneroster%2Fv1p1%2Forgs&oauth_consumer_key%3Dkey-1%26oauth_nonce%3D\
             abcdef0123%26oauth_signature_method%3DHMAC-SHA256%26oauth_timestamp%3D1700000000"
        );
        let url = Url::parse(B).expect("a URL");
        let base = signing(Signature::Sha256, false).base_string("GET", &url);
        let begin = "GET&https%3A%2F%2Fdistrict.example%2Fims%2Foneroster%2Fv1p1%2Fusers&filter%3DdateLastModified%253E%2527\
                     2024-01-31T00%253A00%253A00Z%2527%2520AND%2520";
        assert!(base.starts_with(begin), "{base}");
    }

    #[test]
    fn every_try_is_signed_anew_and_shows_no_secret() {
        let auth =
            OAuth1 { key: Secret::new("key-1"), secret: Secret::new("hunter2"), signature: Signature::Sha256, version: false };
        let url = Url::parse(A).expect("a URL");
        let request = Outgoing { method: "GET", url: &url, now: Instant(1_700_000_000_999) };
        let header = || {
            let headers = auth.headers(&request).expect("headers");
            assert!(headers[0].value.is_sensitive());
            headers[0].value.to_str().expect("text").to_owned()
        };
        let (first, second) = (header(), header());
        assert!(first.starts_with("OAuth oauth_consumer_key=\"key-1\", oauth_nonce=\""), "{first}");
        assert!(first.contains("oauth_timestamp=\"1700000000\"") && !first.contains("hunter2"));
        assert_ne!(first, second);
        assert!(!format!("{auth:?}").contains("hunter2"));
    }
}
