//! Rows of the tokens of the HTTP door.

use crate::base::{AccessRole, CustomerId, Digest, Instant, OrgId};

/// A token of the HTTP door. The token itself is kept nowhere, only its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its number; the store gives it.
    pub id: u64,
    /// Whose or what for, for people.
    pub name: String,
    /// What its holder may do (R157).
    pub role: AccessRole,
    /// Only in this customer; `None`: in all.
    pub customer: Option<CustomerId>,
    /// Only in this org and those below it.
    pub org: Option<OrgId>,
    /// Digest of its secret part.
    pub digest: Digest,
    /// When it was made …
    pub created: Instant,
    /// … and by whom.
    pub by: String,
    /// From when on it is no longer good.
    pub expires: Instant,
    /// When somebody revoked it.
    pub revoked: Option<Instant>,
}
