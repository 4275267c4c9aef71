//! `rosterd pool list`.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::words::{POOL_HEADER, freshness_text, pool_cells};
use crate::shape::{FreshnessJson, PoolJson};

#[derive(Debug, Serialize)]
struct ListJson<'a> {
    customer: &'a str,
    #[serde(flatten)]
    freshness: FreshnessJson,
    pools: Vec<PoolJson>,
}

/// Lists pools (R46).
///
/// # Errors
/// When the books cannot be read, or there is no such customer.
pub fn run(context: &mut Context, customer: &str) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customer = service.customer(customer)?;
    let pools = service.pools(customer)?;
    let freshness = service.freshness(customer)?;
    if context.out.is_json() {
        let pools = pools.iter().map(PoolJson::from).collect();
        context.out.json(&ListJson { customer: customer.id().as_str(), freshness: freshness.into(), pools })?;
        return Ok(Exit::Done);
    }
    context.out.table(&POOL_HEADER, pools.iter().map(pool_cells).collect())?;
    context.out.text(&freshness_text(freshness))?;
    Ok(Exit::Done)
}
