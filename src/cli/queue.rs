//! `rosterd queue`: who wants a seat and has none, in order (R42, R150).

use clap::Args;
use serde::Serialize;

use crate::base::PoolId;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{number, text};
use crate::cli::words::{freshness_text, when};
use crate::service::QueueRow;
use crate::shape::{FreshnessJson, at};

/// Arguments of `queue`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  rosterd queue north\n  rosterd queue north learn-main")]
pub struct QueueArgs {
    /// Of which customer.
    customer: String,
    /// Of one pool only.
    pool: Option<String>,
}

#[derive(Debug, Serialize)]
struct QueueJson<'a> {
    customer: &'a str,
    #[serde(flatten)]
    freshness: FreshnessJson,
    waiting: Vec<WaitingJson<'a>>,
}

#[derive(Debug, Serialize)]
struct WaitingJson<'a> {
    pool: &'a str,
    position: usize,
    person: &'a str,
    priority: i32,
    since: Option<String>,
    waits_for: &'static str,
    home: &'a str,
    reasons: &'a str,
}

impl<'a> From<&'a QueueRow> for WaitingJson<'a> {
    fn from(row: &'a QueueRow) -> Self {
        let QueueRow { pool, position, person, priority, since, waits_for, home, reasons } = row;
        let (pool, position, priority, since) = (pool.as_str(), *position, *priority, at(*since));
        Self { pool, position, person, priority, since, waits_for, home, reasons }
    }
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
        let waiting = rows.iter().map(WaitingJson::from).collect();
        context.out.json(&QueueJson { customer: customer.id().as_str(), freshness: freshness.into(), waiting })?;
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
