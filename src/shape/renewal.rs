//! Terms that end, in JSON (R88).

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::{CustomerId, PoolId};
use crate::service::TermView;
use crate::shape::common::TermStateJson;

/// Terms that end, or have ended.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RenewalsJson {
    renewals: Vec<RenewalJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RenewalJson {
    customer: String,
    pool: String,
    #[serde(flatten)]
    term: TermStateJson,
}

impl RenewalsJson {
    /// Whose, of which pool, and how it stands.
    pub fn new(rows: &[(CustomerId, PoolId, TermView)]) -> Self {
        let renewal = |(customer, pool, view): &(CustomerId, PoolId, TermView)| RenewalJson {
            customer: customer.to_string(),
            pool: pool.to_string(),
            term: TermStateJson::from(view),
        };
        Self { renewals: rows.iter().map(renewal).collect() }
    }
}
