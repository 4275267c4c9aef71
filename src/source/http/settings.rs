//! Bounds and manners of one source's requests; filled by the settings folder.

use std::path::PathBuf;
use std::time::Duration;

use crate::source::retry::RetrySettings;

/// How requests of one source are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// The longest wait for a connection.
    pub connect: Duration,
    /// The longest silence within an answer.
    pub read: Duration,
    /// The longest time for one request with its answer.
    pub total: Duration,
    /// Bytes of one answer at most, unpacked.
    pub body_bytes_max: u64,
    /// Answers may come packed; not where their bytes are what counts.
    pub packed: bool,
    /// Redirects followed at most, all of them within the origin.
    pub redirects_max: u32,
    /// A file of certificates (PEM) that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Requests to the upstream at the same time, from all of its customers; the strictest of them counts.
    pub parallel_max: u32,
    /// Requests to the upstream per second, from all of its customers; the strictest of them counts.
    pub per_second_max: u32,
    /// Repeats.
    pub retry: RetrySettings,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(60),
            total: Duration::from_secs(300),
            body_bytes_max: 128 << 20,
            packed: true,
            redirects_max: 3,
            ca_file: None,
            parallel_max: 4,
            per_second_max: 10,
            retry: RetrySettings::default(),
        }
    }
}
