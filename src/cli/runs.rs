//! `rosterd runs`: what was run, and what came of it.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::base::RunId;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, flagged, number, text};
use crate::cli::plan::plan_text;
use crate::cli::words::{run_text, when};
use crate::shape::{PlannedJson, RunJson};
use crate::store::{RunRow, RunState};

/// Arguments of `runs`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = "Examples:\n  rosterd runs\n  rosterd runs north --limit 5\n  rosterd runs show 12"
)]
pub struct RunsArgs {
    /// Of one customer only.
    customer: Option<String>,
    /// At most so many, newest first.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    #[command(subcommand)]
    verb: Option<RunsVerb>,
}

#[derive(Debug, Subcommand)]
enum RunsVerb {
    /// Show one run with its plan.
    #[command(after_help = "Example:\n  rosterd runs show 12 --limit 1000")]
    Show {
        /// Its number.
        run: u64,
        /// Show at most so many changes, and so many things withheld; the rest is counted.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
}

#[derive(Debug, Serialize)]
struct RunsJson {
    runs: Vec<RunJson>,
}

/// Lists runs, or shows one.
///
/// # Errors
/// When the store cannot be read, or there is no such run or customer.
pub fn run(context: &mut Context, args: &RunsArgs) -> Result<Exit, CliError> {
    if let Some(RunsVerb::Show { run, limit }) = &args.verb {
        return show(context, RunId(*run), *limit);
    }
    let service = context.service()?;
    let customer = args.customer.as_deref().map(|id| service.customer(id)).transpose()?;
    let rows = service.store().runs(customer.map(|customer| customer.id()), args.limit)?;
    if context.out.is_json() {
        context.out.json(&RunsJson { runs: rows.iter().map(RunJson::from).collect() })?;
        return Ok(Exit::Done);
    }
    let header = ["run", "customer", "trigger", "began", "state", "people", "+", "-", "waiting", "withheld", "findings"];
    context.out.table(&header, rows.iter().map(cells).collect())?;
    if rows.is_empty() {
        context.out.text("no run yet")?;
    } else {
        context.out.text("+ seated, - released; `rosterd runs show RUN` tells who and why")?;
    }
    Ok(Exit::Done)
}

fn cells(row: &RunRow) -> Vec<Cell> {
    let wrong = matches!(row.state, RunState::Held | RunState::Failed | RunState::SucceededWithErrors);
    vec![
        number(row.run),
        text(row.customer.as_str()),
        text(row.trigger.word()),
        text(when(row.began)),
        flagged(text(row.state.word()), wrong),
        number(row.tally.people),
        number(row.tally.seated),
        number(row.tally.released),
        number(row.tally.waiting),
        number(row.tally.withheld),
        number(row.tally.findings),
    ]
}

fn show(context: &mut Context, run: RunId, limit: usize) -> Result<Exit, CliError> {
    let service = context.service()?;
    let row = service.run_row(run)?;
    let plan = service.run_plan(&row)?;
    // A plan names products by their place in the settings.
    let customer = service.customer(row.customer.as_str())?;
    if context.out.is_json() {
        context.out.json(&PlannedJson::new(&row, plan.as_ref(), &customer.policy, limit))?;
        return Ok(Exit::Done);
    }
    context.out.text(&run_text(&row))?;
    if let Some(plan) = &plan {
        context.out.text(&format!("\n{}", plan_text(plan, &customer.policy, limit)))?;
    }
    Ok(Exit::Done)
}
