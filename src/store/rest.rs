//! What a run left behind that left nothing to be done.

use crate::base::{Digest, Instant, Version};

/// What a whole run came to that committed all it planned: the same again would change nothing (R102). No book rests on it;
/// losing it costs a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestRow {
    /// The books after it.
    pub version: Version,
    /// When it was planned.
    pub at: Instant,
    /// The settings it was planned with, and the program.
    pub settings: Digest,
    /// Active people.
    pub people: u64,
    /// Who waits.
    pub waiting: u64,
    /// What was not given.
    pub withheld: u64,
    /// Somebody who ought to have a seat has none (R109).
    pub unserved: bool,
    /// What an operator should know of the pools.
    pub message: String,
}
