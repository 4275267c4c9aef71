//! `[http]`: where the door stands, whether it has a certificate, and how much one may ask.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::base::Secret;
use crate::settings::read::Section;
use crate::settings::words;

/// `[http]`, as written.
#[derive(Default)]
pub struct HttpShape {
    listen: Option<Option<SocketAddr>>,
    tls: Option<TlsSettings>,
    requests_per_minute: Option<u32>,
    behind_proxy: Option<bool>,
}

/// The HTTP door.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where it listens; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Its certificate; `None`: it speaks without TLS.
    pub tls: Option<TlsSettings>,
    /// So many questions a minute of each token; 0: any number.
    pub requests_per_minute: u32,
    /// Only a proxy that speaks TLS with browsers connects to it.
    pub behind_proxy: bool,
}

/// A certificate.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// The file of the certificate and those that vouch for it, in PEM.
    pub cert: PathBuf,
    /// Its private key, in PEM.
    pub key: Secret,
    /// Where the key is read from; `None`: from where nothing new comes while the program runs.
    pub key_file: Option<PathBuf>,
}

/// Reads it.
pub fn http(s: &Section<'_>) -> HttpShape {
    let (cert, key) = (s.path("tls_cert"), s.secret("tls_key"));
    match (&cert, &key) {
        (Some(_), None) => s.wrong("tls_cert", "has no key: tls_key, tls_key_file or a credential http.tls_key says it"),
        (None, Some(_)) => s.wrong("tls_key", "has no certificate: tls_cert says where it is"),
        (Some(_), Some(_)) | (None, None) => {}
    }
    HttpShape {
        listen: s.parsed("listen", words::listen),
        tls: cert.zip(key).map(|(cert, key)| TlsSettings { cert, key, key_file: s.secret_file("tls_key") }),
        requests_per_minute: s.count("requests_per_minute", 0..=1_000_000),
        behind_proxy: s.flag("behind_proxy"),
    }
}

/// What a section without problems means.
pub fn build(shape: &HttpShape) -> Option<HttpSettings> {
    let HttpShape { listen, tls, requests_per_minute, behind_proxy } = shape;
    Some(HttpSettings {
        listen: (*listen)?,
        tls: tls.clone(),
        requests_per_minute: (*requests_per_minute)?,
        behind_proxy: (*behind_proxy)?,
    })
}
