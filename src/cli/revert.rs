//! `rosterd revert`: undoes a committed run.

use clap::Args;

use crate::base::RunId;
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::plan::plan_text;
use crate::cli::progress::Progress;
use crate::cli::words::run_text;
use crate::service::RevertAnswer;
use crate::shape::{NotRevertedJson, PlannedJson};
use crate::store::RunState;

/// Arguments of `revert`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd revert 12 --dry-run     what it would do; `rosterd apply` then does exactly that
  rosterd revert 12

What the run seated is released, what it released comes back as the same claims, its absences and returns are taken back.
What changed since is listed and left alone; grants, agreements and pins stay. The roster stays as it is: the next run does
the same again, so correct the source first.

Exits 3 if a guard holds it: look at it with --dry-run, and apply that plan if it is right.")]
pub struct RevertArgs {
    /// The run to be undone.
    run: u64,
    /// Only plan it, and keep the plan.
    #[arg(long)]
    dry_run: bool,
    /// Show at most so many changes, and so many things left alone; the rest is counted.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

/// Undoes a run, or shows how.
///
/// # Errors
/// When there is no such run, or books or trail cannot be read.
pub fn run(context: &mut Context, args: &RevertArgs) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let progress = Progress::start(format!("undoing run {}", args.run));
    let answer = service.revert(RunId(args.run), &actor(), !args.dry_run)?;
    drop(progress);
    let (row, plan) = match answer {
        RevertAnswer::Planned { run, plan } => (run, plan),
        RevertAnswer::AlreadyReverted => return refuse(context, NotRevertedJson::already(args.run)),
        RevertAnswer::NothingCommitted(state) => return refuse(context, NotRevertedJson::nothing(args.run, state)),
    };
    let customer = service.customer(row.customer.as_str())?;
    let exit = if plan.verdict.proceeds() { Exit::of_run(row.state) } else { Exit::Held };
    if context.out.is_json() {
        context.out.json(&PlannedJson::new(&row, Some(&plan), &customer.policy, args.limit))?;
        return Ok(exit);
    }
    context.out.text(&plan_text(&plan, &customer.policy, args.limit))?;
    context.out.text(&format!("\n{}", run_text(&row)))?;
    match row.state {
        RunState::Planned if !plan.is_empty() => {
            context.out.text(&format!("nothing was changed; `rosterd apply {}` does it", row.run))?;
        }
        RunState::Held => {
            let next =
                format!("nothing was changed; next: `rosterd revert {} --dry-run`, and `rosterd apply` its plan", args.run);
            context.out.text(&next)?;
        }
        _ => {}
    }
    Ok(exit)
}

fn refuse(context: &mut Context, why: NotRevertedJson) -> Result<Exit, CliError> {
    if context.out.is_json() {
        context.out.json(&why)?;
    } else {
        let NotRevertedJson { answer, text, run } = why;
        context.out.text(&format!("{answer}: run {run} cannot be undone: {text}"))?;
    }
    Ok(Exit::Refused)
}
