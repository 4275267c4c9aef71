//! `rosterd plan`: the first half of a run, shown and kept; changes no seat.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::progress::Progress;
use crate::cli::wish::WishArgs;
use crate::cli::words::{counted, run_text};
use crate::plan::{Plan, Policy, render};
use crate::service::Planned;
use crate::shape::PlannedJson;
use crate::store::Trigger;

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd plan north
  rosterd plan north --person s-1 --confirm-absences
  rosterd plan north --json --limit 1000000 | jq '.plan.actions[] | select(.to == \"released\")'

Exits 3 if a guard would hold the run.")]
pub struct PlanArgs {
    /// Whose rosters.
    customer: String,
    #[command(flatten)]
    wish: WishArgs,
    /// Show at most so many changes, and so many things withheld; the rest is counted.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

/// A plan as text.
pub fn plan_text(plan: &Plan, policy: &Policy, limit: usize) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = render(plan, policy, limit, &mut text);
    text
}

/// Plans and shows.
///
/// # Errors
/// When nothing could be found out at all.
pub fn run(context: &mut Context, args: &PlanArgs) -> Result<Exit, CliError> {
    let service = context.service_to_plan()?;
    let customer = service.customer(&args.customer)?;
    let progress = Progress::start(customer.id().to_string());
    let watch = |phase| progress.phase(customer.id().as_str(), phase);
    let Planned { run: row, plan } = service.plan_sync(customer, &Trigger::SameDay(args.wish.asked(customer)?), &watch)?;
    drop(progress);
    let exit = match &plan {
        Some(plan) if !plan.verdict.proceeds() => Exit::Held,
        _ => Exit::of_run(row.state),
    };
    if context.out.is_json() {
        context.out.json(&PlannedJson::new(&row, plan.as_deref(), &customer.policy, args.limit))?;
        return Ok(exit);
    }
    let Some(plan) = plan else {
        context.out.text(&run_text(&row))?;
        return Ok(exit);
    };
    context.out.text(&plan_text(&plan, &customer.policy, args.limit))?;
    if !row.message.is_empty() {
        context.out.text(&format!("\n{}", row.message))?;
    }
    if row.tally.findings > 0 {
        let findings = counted(row.tally.findings, "finding");
        context.out.text(&format!("\n{findings} in the sources: `rosterd findings {}`", row.run))?;
    }
    if !plan.is_empty() {
        context.out.text(&format!("\nnothing was changed; `rosterd apply {}` does it", row.run))?;
    }
    Ok(exit)
}
