//! `rosterd nodes`: who works on the store, and on what.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{number, text};
use crate::cli::words::when;
use crate::shape::NodesJson;

/// Arguments of `nodes`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  rosterd nodes\n  rosterd nodes --json | jq '.nodes[].work[].customer'")]
pub struct NodesArgs {}

/// Tells which processes work on the store.
///
/// # Errors
/// When the store cannot be read.
pub fn run(context: &mut Context) -> Result<Exit, CliError> {
    let nodes = context.service()?.store().nodes()?;
    if context.out.is_json() {
        context.out.json(&NodesJson::new(&nodes))?;
        return Ok(Exit::Done);
    }
    if nodes.is_empty() {
        context.out.text("no process works on the store (`rosterd serve` starts one)")?;
        return Ok(Exit::Done);
    }
    let rows = nodes.iter().map(|node| {
        let work: Vec<String> = node.work.iter().map(|work| format!("{} since {}", work.customer, when(work.since))).collect();
        vec![
            text(&node.mark),
            text(&node.host),
            number(node.pid),
            text(when(node.since)),
            text(if node.daemon { "daemon" } else { "command" }),
            number(format!("{} s ago", node.seen_secs)),
            text(if work.is_empty() { "nothing".to_owned() } else { work.join(", ") }),
        ]
    });
    context.out.table(&["node", "host", "process", "since", "is a", "seen", "works on"], rows.collect())?;
    Ok(Exit::Done)
}
