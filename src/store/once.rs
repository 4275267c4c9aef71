//! Rows of idempotency keys: what a token asked under a key, and how that was answered.

use crate::base::{Digest, Instant};

/// Such a row is kept for so long, in milliseconds.
pub const ONCE_MILLIS: i64 = 24 * 3_600_000;

/// A question under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceRow {
    /// The number of the token that asked.
    pub token: u64,
    /// The key.
    pub key: String,
    /// Digest of the question.
    pub asked: Digest,
    /// When it was asked.
    pub at: Instant,
    /// Its answer; `None`: it is being answered, or its end is not known.
    pub answer: Option<OnceAnswer>,
}

/// An answer that can be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceAnswer {
    /// Its status.
    pub status: u16,
    /// Its body, JSON; `None`: it was too long to be kept.
    pub body: Option<Vec<u8>>,
}
