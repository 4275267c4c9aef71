//! `rosterd findings`: what a run found wrong in its sources.

use crate::base::RunId;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{number, text};
use crate::cli::words::counted;
use crate::shape::FindingsJson;
use clap::Args;

/// Arguments of `findings`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  rosterd findings 12\n  rosterd findings 12 --rule bad_date --limit 10")]
pub struct FindingsArgs {
    /// The run.
    run: u64,
    /// Of one rule only, such as bad_date.
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// At most so many, in the order found.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// Lists findings.
///
/// # Errors
/// When the store cannot be read, or there is no such run.
pub fn run(context: &mut Context, args: &FindingsArgs) -> Result<Exit, CliError> {
    let service = context.service()?;
    let run = RunId(args.run);
    let total = service.run_row(run)?.tally.findings;
    let found = service.run_findings(run, args.rule.as_deref(), args.limit)?;
    if context.out.is_json() {
        context.out.json(&FindingsJson::new(args.run, total, &found))?;
        return Ok(Exit::Done);
    }
    let rows = found.iter().map(|finding| {
        let place = if finding.row > 0 { format!("{}:{}", finding.file, finding.row) } else { finding.file.clone() };
        vec![
            number(finding.number),
            text(finding.source.as_str()),
            text(&finding.level),
            text(&finding.rule),
            text(place),
            text(&finding.record),
            text(&finding.field),
            text(&finding.detail),
        ]
    });
    let shown = rows.len();
    let header = ["", "source", "level", "rule", "place", "record", "field", "detail"];
    context.out.table(&header, rows.collect())?;
    let of_rule = args.rule.as_ref().map_or(String::new(), |rule| format!(" of rule {rule}"));
    let shown = counted(shown as u64, "finding");
    context.out.text(&format!("{shown}{of_rule} shown; run {run} has {total} in all"))?;
    Ok(Exit::Done)
}
