//! `rosterd pool list`.

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::words::{POOL_HEADER, freshness_text, pool_cells};
use crate::shape::PoolsJson;

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
        context.out.json(&PoolsJson::new(customer.id().as_str(), freshness, &pools))?;
        return Ok(Exit::Done);
    }
    context.out.table(&POOL_HEADER, pools.iter().map(pool_cells).collect())?;
    context.out.text(&freshness_text(freshness))?;
    Ok(Exit::Done)
}
