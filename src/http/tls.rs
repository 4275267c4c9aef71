//! A certificate for the door.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::base::{Secret, SecretAbsent};

/// Why a certificate cannot be used. Says nothing of the key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error("read the certificate {}", .file.display())]
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

/// What speaks TLS with whoever comes.
///
/// # Errors
/// When certificate or key cannot be read, or do not fit each other.
pub fn acceptor(file: &Path, key: &Secret) -> Result<TlsAcceptor, TlsError> {
    let bytes = std::fs::read(file).map_err(|cause| TlsError::File { file: file.to_owned(), cause })?;
    let wrong = || TlsError::Certificate { file: file.to_owned() };
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&bytes).collect::<Result<_, _>>().map_err(|_| wrong())?;
    if chain.is_empty() {
        return Err(wrong());
    }
    let key = key.expose().map_err(Clone::clone)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| TlsError::Key)?;
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
