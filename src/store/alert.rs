//! What is to be delivered: a row for each notice and each channel that carries it. Operational: what arrived is written in
//! the books as well, where it counts.

use crate::base::{CustomerId, Instant, PoolId, SourceId};
use crate::store::shape::NoticeRow;

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// It is to be sent.
    Waiting,
    /// The receiver took it; the books do not say so yet.
    Accepted,
    /// It arrived.
    Delivered,
    /// It was given up.
    Dead,
}

impl AlertState {
    /// All states, by their code.
    pub const ALL: [AlertState; 4] = [AlertState::Waiting, AlertState::Accepted, AlertState::Delivered, AlertState::Dead];

    /// The state's word.
    pub fn word(self) -> &'static str {
        match self {
            AlertState::Waiting => "waiting",
            AlertState::Accepted => "accepted",
            AlertState::Delivered => "delivered",
            AlertState::Dead => "dead",
        }
    }
}

/// A notice on its way through a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRow {
    /// Its number.
    pub id: u64,
    /// The notice.
    pub notice: NoticeRow,
    /// The pool that the notice is about.
    pub pool: Option<PoolId>,
    /// The source that it is about.
    pub source: Option<SourceId>,
    /// The channel's name.
    pub channel: String,
    /// How far it is.
    pub state: AlertState,
    /// How often it was tried.
    pub tries: u32,
    /// When it is due next; while somebody works on it, when somebody else may.
    pub next: Instant,
    /// When it arrived, or was given up.
    pub ended: Option<Instant>,
    /// Why the last try came to nothing; empty: it did not.
    pub error: String,
}

/// How a customer's deliveries stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertStanding {
    /// Whose.
    pub customer: CustomerId,
    /// How many are still to arrive.
    pub waiting: u64,
    /// When the oldest notice of these was written.
    pub oldest: Option<Instant>,
    /// How many were given up.
    pub dead: u64,
}

/// The channels that a notice goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    /// Whose notice.
    pub customer: CustomerId,
    /// Which.
    pub key: String,
    /// The channels' names; none, if nobody is told.
    pub channels: Vec<String>,
}
