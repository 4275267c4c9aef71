//! Why a message was not taken, in words an operator can act on, and whether trying again is worth it.

use std::time::Duration;

use crate::base::SecretAbsent;

/// Why a message was not taken. Fits after "could not". Tells no secret, no path of an address and no mailbox.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// A secret is not to be had.
    #[error("use the channel")]
    Secret(#[source] SecretAbsent),
    /// The channel's settings do not do; they were checked as far as they can be without secrets.
    #[error("use the channel: its {what} {why}")]
    Unfit {
        /// Which setting.
        what: &'static str,
        /// What is wrong with it.
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
    /// No client could be made.
    #[error("start a client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No connection: host unknown, port closed, certificate not trusted.
    #[error("connect to {place}")]
    Connect {
        /// Where.
        place: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nothing was heard in time.
    #[error("deliver to {place}: no answer within {secs} s")]
    Timeout {
        /// Where.
        place: String,
        /// The bound that was passed.
        secs: u64,
    },
    /// The connection broke off before there was an answer.
    #[error("deliver to {place}: the connection broke off")]
    Broken {
        /// Where.
        place: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The receiver did not take it.
    #[error("deliver to {place}: it answered with {status}")]
    Refused {
        /// Where.
        place: String,
        /// The status in its protocol: `500`, `550`.
        status: String,
        /// It will never take it.
        for_good: bool,
        /// How long it asks us to wait.
        after: Option<Duration>,
        /// The beginning of what it said; for who tries a channel, and for nobody else: it may hold anything.
        said: String,
    },
}

impl NotifyError {
    /// Whether no further try is worth it.
    pub fn is_final(&self) -> bool {
        matches!(self, NotifyError::Refused { for_good: true, .. })
    }

    /// How long the receiver asks us to wait.
    pub fn after(&self) -> Option<Duration> {
        if let NotifyError::Refused { after, .. } = self { *after } else { None }
    }

    /// What the receiver said, where it said anything.
    pub fn said(&self) -> &str {
        if let NotifyError::Refused { said, .. } = self { said } else { "" }
    }
}
