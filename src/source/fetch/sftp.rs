//! An SFTP session, blocking outside. The only file that names the SSH crates.
//!
//! Invariants: nothing is sent to a server before its host key was found among the configured ones, and there is no first
//! use on trust; a file is read to the length it was seen with, and not a byte further; no error tells a key or a password.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::Preferred;
use russh::client::{Config, Handle, Handler, connect};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key};
use russh_sftp::client::SftpSession;
use russh_sftp::client::error::Error as FileError;
use russh_sftp::client::fs::Metadata;
use russh_sftp::protocol::StatusCode;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::base::SecretAbsent;
use crate::source::fetch::settings::{SftpAuth, SftpSettings};

/// Kinds of host keys that we can check; others must not be promised.
const KEYS: [Algorithm; 4] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
];
/// How much is handed on at once, in bytes.
const STEP_BYTES: usize = 256 << 10;
/// Reads that are under way at the same time: else each block would cost a round trip.
const READS_AHEAD: usize = 32;

/// Why something of an SFTP server could not be had. Fits after "could not".
#[derive(Debug, thiserror::Error)]
pub(crate) enum SftpError {
    #[error("find what to sign in with")]
    Secret(#[source] SecretAbsent),
    #[error("use the private key: it is no ed25519 or ECDSA key in a form we know, or its passphrase is another one")]
    Key,
    #[error("connect")]
    Connect(#[source] russh::Error),
    #[error("trust the server: its host key is {found}, which is not configured")]
    HostKey { found: String },
    #[error("agree with the server on how to talk: it has no {kind} that we have (RSA keys are not taken)")]
    NoCommon { kind: String },
    #[error("sign in: the server does not accept this user with this key or password")]
    Refused,
    #[error("open the server's files")]
    Open(#[source] russh::Error),
    #[error("find it")]
    Missing,
    #[error("read it: the server does not allow it")]
    Forbidden,
    #[error("read it to its end")]
    Broken(#[source] io::Error),
    #[error("get an answer within {secs} s")]
    Silent { secs: u64 },
    #[error("keep it")]
    Unwritten(#[source] io::Error),
}

impl SftpError {
    /// Whether the same may succeed a little later.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, SftpError::Connect(_) | SftpError::Open(_) | SftpError::Broken(_) | SftpError::Silent { .. })
    }
}

/// A file as the server lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) length: u64,
    /// When it was last changed, in seconds since 1970.
    pub(crate) modified: i64,
}

/// Trusts the configured host keys and no other.
struct Doorman {
    trusted: Vec<String>,
    found: Arc<Mutex<Option<String>>>,
}

impl Handler for Doorman {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let key = key.public_key();
        let print = key.fingerprint(HashAlg::Sha256).to_string();
        let trusted = self.trusted.contains(&print);
        if !trusted {
            *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{print} ({})", key.algorithm()));
        }
        Ok(trusted)
    }
}

/// Signed in at a server.
pub(crate) struct Session<'r> {
    runtime: &'r Runtime,
    /// Dropping it ends the connection.
    _handle: Handle<Doorman>,
    files: SftpSession,
    patience: Duration,
}

impl<'r> Session<'r> {
    /// Connects, looks at the host key, signs in.
    pub(crate) fn open(runtime: &'r Runtime, settings: &SftpSettings, patience: Duration) -> Result<Self, SftpError> {
        let secret = |absent: &SecretAbsent| SftpError::Secret(absent.clone());
        let user = settings.user.expose().map_err(secret)?;
        let key = match &settings.auth {
            SftpAuth::Password(_) => None,
            SftpAuth::Key { key, passphrase } => {
                let passphrase = passphrase.as_ref().map(|text| text.expose().map_err(secret)).transpose()?;
                let key = decode_secret_key(key.expose().map_err(secret)?, passphrase).map_err(|_| SftpError::Key)?;
                Some(PrivateKeyWithHashAlg::new(Arc::new(key), None))
            }
        };
        let found = Arc::new(Mutex::new(None));
        let doorman = Doorman { trusted: settings.host_keys.clone(), found: found.clone() };
        let config = Config {
            inactivity_timeout: Some(patience),
            keepalive_interval: Some(patience / 4),
            nodelay: true,
            preferred: Preferred { key: KEYS.to_vec().into(), ..Preferred::DEFAULT },
            ..Config::default()
        };
        let at = &settings.at;
        let steps = async {
            let mut handle =
                connect(Arc::new(config), (at.host.as_str(), at.port), doorman).await.map_err(|error| match error {
                    russh::Error::UnknownKey => {
                        let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
                        SftpError::HostKey { found: found.unwrap_or_else(|| "of no known form".to_owned()) }
                    }
                    russh::Error::NoCommonAlgo { kind, .. } => SftpError::NoCommon { kind: format!("{kind:?}").to_lowercase() },
                    other => SftpError::Connect(other),
                })?;
            let signed_in = match (&settings.auth, key) {
                (_, Some(key)) => handle.authenticate_publickey(user, key).await,
                (SftpAuth::Password(password), None) => {
                    handle.authenticate_password(user, password.expose().map_err(secret)?).await
                }
                (SftpAuth::Key { .. }, None) => return Err(SftpError::Key),
            };
            if !signed_in.map_err(SftpError::Open)?.success() {
                return Err(SftpError::Refused);
            }
            let channel = handle.channel_open_session().await.map_err(SftpError::Open)?;
            channel.request_subsystem(true, "sftp").await.map_err(SftpError::Open)?;
            let bounds = russh_sftp::client::Config {
                max_concurrent_reads: READS_AHEAD,
                request_timeout_secs: patience.as_secs().max(1),
                ..Default::default()
            };
            let files = SftpSession::new_with_config(channel.into_stream(), bounds).await.map_err(failed)?;
            Ok((handle, files))
        };
        let done = runtime.block_on(async { timeout(patience, steps).await });
        let (handle, files) = done.map_err(|_| SftpError::Silent { secs: patience.as_secs() })??;
        Ok(Self { runtime, _handle: handle, files, patience })
    }

    fn block_on<T>(&self, steps: impl Future<Output = Result<T, FileError>>) -> Result<T, SftpError> {
        let done = self.runtime.block_on(async { timeout(self.patience, steps).await });
        done.map_err(|_| SftpError::Silent { secs: self.patience.as_secs() })?.map_err(failed)
    }

    /// The files of a folder; what is no file is left out.
    pub(crate) fn list(&self, folder: &str) -> Result<Vec<Listed>, SftpError> {
        let entries = self.block_on(self.files.read_dir(folder))?;
        Ok(entries.filter_map(|entry| listed(entry.file_name(), &entry.metadata())).collect())
    }

    /// One file.
    pub(crate) fn look(&self, path: &str, name: &str) -> Result<Listed, SftpError> {
        let metadata = self.block_on(self.files.metadata(path))?;
        listed(name.to_owned(), &metadata).ok_or(SftpError::Missing)
    }

    /// Hands a file's bytes from `from` up to `to` to `take`; an end before that is an error. Returns whether the file ends
    /// there.
    pub(crate) fn read(
        &self,
        path: &str,
        (from, to): (u64, u64),
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<bool, SftpError> {
        let mut file = self.block_on(self.files.open(path))?;
        let steps = async {
            file.seek(io::SeekFrom::Start(from)).await.map_err(SftpError::Broken)?;
            let mut buffer = vec![0; STEP_BYTES];
            let mut at = from;
            loop {
                let wanted = usize::try_from(to - at).unwrap_or(usize::MAX).clamp(1, buffer.len());
                let step = timeout(self.patience, file.read(&mut buffer[..wanted])).await;
                let count =
                    step.map_err(|_| SftpError::Silent { secs: self.patience.as_secs() })?.map_err(SftpError::Broken)?;
                if at == to {
                    return Ok(count == 0);
                }
                if count == 0 {
                    let early = io::Error::new(io::ErrorKind::UnexpectedEof, format!("it ends after {at} of {to} bytes"));
                    return Err(SftpError::Broken(early));
                }
                take(&buffer[..count]).map_err(SftpError::Unwritten)?;
                at += count as u64;
            }
        };
        let read = self.runtime.block_on(steps);
        // Closing it tells the server something where it is still there; nothing depends on it. Within the runtime,
        // because that is where the message is sent from.
        let _inside = self.runtime.enter();
        drop(file);
        read
    }
}

fn listed(name: String, metadata: &Metadata) -> Option<Listed> {
    // A server that does not say how long a file is, or when it changed, cannot be asked whether it is complete.
    let (length, modified) = (metadata.size?, metadata.mtime?);
    metadata.file_type().is_file().then(|| Listed { name, length, modified: i64::from(modified) })
}

fn failed(error: FileError) -> SftpError {
    match error {
        FileError::Status(status) => match status.status_code {
            StatusCode::NoSuchFile => SftpError::Missing,
            StatusCode::PermissionDenied => SftpError::Forbidden,
            other => SftpError::Broken(io::Error::other(format!("the server says {other:?}"))),
        },
        other => SftpError::Broken(io::Error::other(other)),
    }
}
