//! `rosterd apply`: the second half of a run.

use clap::Args;

use crate::base::RunId;
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::progress::Progress;
use crate::cli::words::{run_next, run_text};
use crate::shape::RunJson;

/// Arguments of `apply`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rosterd apply 12\n\nExits 4 if the books moved since the plan was made.")]
pub struct ApplyArgs {
    /// The run whose plan it is, as `rosterd plan` told.
    run: u64,
}

/// Commits a kept plan.
///
/// # Errors
/// When there is no such plan, or it is out of date.
pub fn run(context: &mut Context, args: &ApplyArgs) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let progress = Progress::start(format!("applying run {}", args.run));
    let row = service.apply_plan(RunId(args.run), &actor())?;
    drop(progress);
    if context.out.is_json() {
        context.out.json(&RunJson::from(&row))?;
    } else {
        context.out.text(&run_text(&row))?;
        if let Some(next) = run_next(&row) {
            context.out.text(&format!("next: {next}"))?;
        }
    }
    Ok(Exit::of_run(row.state))
}
