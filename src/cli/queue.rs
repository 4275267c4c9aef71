//! `rosterd queue`: who wants a seat and has none, in order (R42, R150).

use crate::base::PoolId;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{number, text};
use crate::cli::words::{freshness_text, when};
use crate::shape::QueueJson;
use clap::Args;

/// Arguments of `queue`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  rosterd queue north\n  rosterd queue north learn-main")]
pub struct QueueArgs {
    /// Of which customer.
    customer: String,
    /// Of one pool only.
    pool: Option<String>,
}

/// Lists who waits.
///
/// # Errors
/// When the books cannot be read, or there is no such customer or pool.
pub fn run(context: &mut Context, args: &QueueArgs) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customer = service.customer(&args.customer)?;
    let pool = args.pool.as_deref().map(PoolId::from);
    if let Some(pool) = &pool {
        customer.pool(pool)?;
    }
    let rows = service.queue(customer, pool.as_ref())?;
    let freshness = service.freshness(customer)?;
    if context.out.is_json() {
        context.out.json(&QueueJson::new(customer.id().as_str(), freshness, &rows))?;
        return Ok(Exit::Done);
    }
    let cells = rows.iter().map(|row| {
        vec![
            text(row.pool.as_str()),
            number(row.position),
            text(&row.person),
            number(row.priority),
            text(when(row.since)),
            text(row.waits_for),
            text(&row.home),
            text(&row.reasons),
        ]
    });
    let header = ["pool", "position", "person", "priority", "since", "waits for", "home", "reasons"];
    context.out.table(&header, cells.collect())?;
    context.out.text(&format!("{} waiting, {}", rows.len(), freshness_text(freshness)))?;
    Ok(Exit::Done)
}
