//! `rosterd pool freeze-billing` and `unfreeze-billing`: no upgrade happens by itself while billing is frozen (R69).

use serde_json::json;

use crate::base::PoolId;
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::service::ClockAnswer;

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
    let (word, already) = if answer == ClockAnswer::AlreadySo { ("already_so", " already") } else { ("done", "") };
    if context.out.is_json() {
        let customer = customer.id().as_str();
        context.out.json(&json!({"customer": customer, "pool": pool, "answer": word, "billing_frozen": freeze}))?;
    } else {
        context.out.text(&format!("billing of {pool} is {state}{already}"))?;
    }
    Ok(Exit::Done)
}
