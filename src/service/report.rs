//! What every report comes with: rows, and what they rest on (R148).

use crate::service::runs::Freshness;

/// Rows and what they rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<T> {
    /// How old the numbers are.
    pub freshness: Freshness,
    /// The rows.
    pub rows: Vec<T>,
}
