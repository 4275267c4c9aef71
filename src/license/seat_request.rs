//! "Buy more": what was asked of the vendor, with the numbers it rested on (R155).

use crate::base::{Actor, Balance, Instant, PoolId, Seats};

/// A request for more seats of a pool. A fact of the trail: what came of it is a grant, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatRequest {
    /// Of which pool.
    pub pool: PoolId,
    /// How many more.
    pub seats: Seats,
    /// What was used at that moment.
    pub used: Seats,
    /// The allowance at that moment; `None`: unlimited.
    pub allowance: Option<Seats>,
    /// How many people waited.
    pub waiting: Seats,
    /// Who asked.
    pub by: Actor,
    /// When.
    pub at: Instant,
    /// What the one who asked adds; no personal data.
    pub note: String,
}

impl SeatRequest {
    /// What was available at that moment.
    pub fn available(&self) -> Option<Balance> {
        self.allowance.map(|allowance| Balance::of(allowance, self.used))
    }
}
