//! A certificate for the door, which is read anew while the door is open.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::base::{Digest, Secret, SecretAbsent};

/// Why a certificate cannot be used. Says nothing of the key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error("read {} for TLS", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It is no certificate in PEM.
    #[error("use the certificate {}: it is not a chain of certificates in PEM", .file.display())]
    Certificate {
        /// Which.
        file: PathBuf,
    },
    /// The key is not there.
    #[error(transparent)]
    Absent(#[from] SecretAbsent),
    /// It is no key in PEM.
    #[error("use http.tls_key: it is not a private key in PEM")]
    Key,
    /// They do not fit.
    #[error("use the certificate {} with http.tls_key", .file.display())]
    Misfit {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        cause: rustls::Error,
    },
}

/// A certificate as it is shown, and where a new one is found: files that somebody else writes anew before it ends.
pub struct Certificate {
    file: PathBuf,
    key: Secret,
    key_file: Option<PathBuf>,
    shown: RwLock<TlsAcceptor>,
    /// What was read last, also if it could not be used; `None`: it could not be read.
    read: Mutex<Option<Digest>>,
}

impl Certificate {
    /// Reads a certificate and its key. `key_file`: where the key comes from, if that may change while the program runs.
    ///
    /// # Errors
    /// When certificate or key cannot be read, or do not fit each other.
    pub fn open(file: PathBuf, key: Secret, key_file: Option<PathBuf>) -> Result<Self, TlsError> {
        let chain = read(&file)?;
        let text = key.expose().map_err(Clone::clone)?.as_bytes();
        let shown = RwLock::new(acceptor(&file, &chain, text)?);
        let read = Mutex::new(Some(digest(&chain, text)));
        Ok(Self { file, key, key_file, shown, read })
    }

    /// Its file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What speaks TLS with whoever comes now.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files anew; whether there was something new, which is shown from now on. Blocks.
    ///
    /// # Errors
    /// When what is new cannot be used: told once, and what was shown goes on being shown.
    pub fn look(&self) -> Result<bool, TlsError> {
        let mut last = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let files = read(&self.file).and_then(|chain| match &self.key_file {
            Some(key) => Ok((chain, read(key)?)),
            None => Ok((chain, self.key.expose().map_err(Clone::clone)?.as_bytes().to_vec())),
        });
        let (chain, key) = match files {
            Ok(files) => files,
            Err(error) => return if last.take().is_some() { Err(error) } else { Ok(false) },
        };
        let now = digest(&chain, &key);
        if last.replace(now) == Some(now) {
            return Ok(false);
        }
        let acceptor = acceptor(&self.file, &chain, &key)?;
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
        Ok(true)
    }
}

/// What is told apart: a line break at the end is nothing new.
fn digest(chain: &[u8], key: &[u8]) -> Digest {
    Digest::of(&[chain.trim_ascii_end(), b"\n", key.trim_ascii_end()].concat())
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|cause| TlsError::File { file: file.to_owned(), cause })
}

fn acceptor(file: &Path, chain: &[u8], key: &[u8]) -> Result<TlsAcceptor, TlsError> {
    let wrong = || TlsError::Certificate { file: file.to_owned() };
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(|_| wrong())?;
    if chain.is_empty() {
        return Err(wrong());
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::Key)?;
    let misfit = |cause| TlsError::Misfit { file: file.to_owned(), cause };
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(misfit)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(misfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
