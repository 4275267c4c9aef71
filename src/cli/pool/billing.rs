//! `rosterd pool freeze-billing` and `unfreeze-billing`: no upgrade happens by itself while billing is frozen (R69).

use crate::base::PoolId;
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::service::ClockAnswer;
use crate::shape::BillingJson;

/// Freezes or unfreezes.
///
/// # Errors
/// When the books cannot be written, or there is no such customer or pool.
pub fn run(context: &mut Context, customer: &str, pool: &str, freeze: bool, reason: &str) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customer = service.customer(customer)?;
    let answer = service.freeze_billing(customer, &PoolId::from(pool), freeze, &actor(), reason)?;
    if !freeze {
        // What was due meanwhile happens now, not in a minute.
        service.sweep(customer)?;
    }
    let state = if freeze { "frozen" } else { "not frozen" };
    if context.out.is_json() {
        context.out.json(&BillingJson::new(customer.id().as_str(), pool, &answer, freeze))?;
    } else {
        let already = if answer == ClockAnswer::AlreadySo { " already" } else { "" };
        context.out.text(&format!("billing of {pool} is {state}{already}"))?;
    }
    Ok(Exit::Done)
}
