//! Tokens of the HTTP door, in JSON (R157). Their texts are not known.

use schemars::JsonSchema;
use serde::Serialize;

use crate::shape::common::at;
use crate::store::TokenRow;

/// Tokens.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokensJson {
    tokens: Vec<TokenJson>,
}

/// A token.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokenJson {
    token: u64,
    name: String,
    role: &'static str,
    /// Neither revoked nor expired.
    good: bool,
    /// Only in this customer.
    customer: Option<String>,
    /// Only in this org and those below it.
    org: Option<String>,
    created: Option<String>,
    by: String,
    expires: Option<String>,
    revoked: Option<String>,
}

impl TokensJson {
    /// Tokens, and whether each is good now.
    pub fn new(rows: &[(TokenRow, bool)]) -> Self {
        Self { tokens: rows.iter().map(|(row, is_good)| TokenJson::new(row, *is_good)).collect() }
    }
}

impl TokenJson {
    /// A token, and whether it is good now.
    pub fn new(row: &TokenRow, is_good: bool) -> Self {
        let TokenRow { id, name, role, customer, org, digest: _, created, by, expires, revoked } = row;
        Self {
            token: *id,
            name: name.clone(),
            role: role.word(),
            good: is_good,
            customer: customer.as_ref().map(ToString::to_string),
            org: org.as_ref().map(ToString::to_string),
            created: at(*created),
            by: by.clone(),
            expires: at(*expires),
            revoked: revoked.and_then(at),
        }
    }
}

/// What became of a token that is revoked.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RevokedJson {
    /// Its number.
    pub token: u64,
    /// It was good until then.
    pub was_good: bool,
}
