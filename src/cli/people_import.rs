//! `rosterd people import`: a file of people by hand, previewed and then confirmed (R133, R134).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::plan::plan_text;
use crate::cli::progress::Progress;
use crate::cli::words::{counted, run_next, run_text};
use crate::plan::Policy;
use crate::service::{Customer, Import, ImportAnswer, ImportRequest, Kept, PEOPLE_BYTES_MAX, Service, TokenRefusal};
use crate::shape::{ImportJson, ImportRefusedJson};

/// Arguments of `people import`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd people import north people.csv                  previews: who is made and changed; changes nothing
  rosterd people import north people.csv --synchronize    the same, and who is absent from the file goes
  rosterd people import north people.csv --synchronize --confirm 12-0f3a…    does what the preview with that token showed

A preview exits 3 if a guard would hold the import. A token is good for this file and these options, for 72 hours, once.")]
pub struct PeopleImportArgs {
    /// Into which customer.
    customer: String,
    /// The file, as `people export` writes it.
    file: PathBuf,
    /// Remove people made by hand who are absent from the file.
    #[arg(long)]
    synchronize: bool,
    /// Only people whose home lies in this org or below it: all others are left alone.
    #[arg(long, value_name = "ORG")]
    org: Option<String>,
    /// Do what the preview that gave this token showed.
    #[arg(long, value_name = "TOKEN")]
    confirm: Option<String>,
    /// Your own person key, if you are one of the people: you are never removed.
    #[arg(long, value_name = "KEY")]
    by: Option<String>,
    /// Show at most so many people of a kind, changes, and things withheld; the rest is counted.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

/// Previews an import, or confirms one.
///
/// # Errors
/// When the file or the books cannot be read, or there is no such customer, org or person.
pub fn run(context: &mut Context, args: &PeopleImportArgs) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let customer = service.customer(&args.customer)?;
    let bytes = read_bounded(&args.file, PEOPLE_BYTES_MAX)?;
    let name = args.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let request = ImportRequest {
        file: &name,
        bytes: &bytes,
        synchronize: args.synchronize,
        org: args.org.as_deref(),
        by: args.by.as_deref(),
        actor: actor(),
    };
    carry_out(context, &service, customer, &request, args.confirm.as_deref(), args.limit)
}

/// Previews a file of people, or does what a preview showed, and tells what it comes to.
///
/// # Errors
/// When the books cannot be read or written, or the request names what is not there.
pub fn carry_out(
    context: &mut Context,
    service: &Service,
    customer: &Customer,
    request: &ImportRequest<'_>,
    confirm: Option<&str>,
    limit: usize,
) -> Result<Exit, CliError> {
    let progress = Progress::start(customer.id().to_string());
    let done = match confirm {
        None => service.preview_import(customer, request)?,
        Some(token) => match service.confirm_import(customer, request, token)? {
            ImportAnswer::Done(import) => *import,
            ImportAnswer::Refused(why) => {
                drop(progress);
                return refused(context, why);
            }
        },
    };
    drop(progress);
    let held = done.plan.as_ref().is_some_and(|plan| !plan.verdict.proceeds());
    let exit = if held { Exit::Held } else { Exit::of_run(done.run.state) };
    if context.out.is_json() {
        context.out.json(&ImportJson::new(&done, &customer.policy, limit))?;
    } else {
        let text = text(&done, &customer.policy, confirm, limit);
        context.out.text(&text)?;
    }
    Ok(exit)
}

/// Reads a file, and of one that is too large only as much as shows it.
///
/// # Errors
/// When it cannot be read.
pub fn read_bounded(path: &Path, bytes_max: usize) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    // One byte more than is taken shows that there is too much.
    let limit = bytes_max as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|cause| CliError::File { file: path.to_owned(), cause })
}

fn refused(context: &mut Context, why: TokenRefusal) -> Result<Exit, CliError> {
    let told = ImportRefusedJson::from(why);
    if context.out.is_json() {
        context.out.json(&told)?;
    } else {
        let ImportRefusedJson { refused, message } = told;
        context.out.text(&format!("refused ({refused}): {message}; nothing was changed\nnext: preview it again"))?;
    }
    let stale = matches!(why, TokenRefusal::Moved { .. } | TokenRefusal::Different | TokenRefusal::Expired);
    Ok(if stale { Exit::PlanStale } else { Exit::Refused })
}

fn text(done: &Import, policy: &Policy, confirm: Option<&str>, limit: usize) -> String {
    let Import { run, plan, report, token } = done;
    let mut lines = Vec::new();
    if let Some(plan) = plan {
        lines.push(plan_text(plan, policy, limit));
    }
    lines.push(format!("{}: {} unchanged, {} refused", counted(report.rows, "row"), report.unchanged, report.refused));
    for (word, people) in [("created", &report.created), ("changed", &report.updated), ("removed", &report.removed)] {
        if !people.is_empty() {
            let shown = people.iter().take(limit).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = people.len().saturating_sub(limit);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            lines.push(format!("  {} {word}: {shown}{more}", people.len()));
        }
    }
    for Kept { person, why } in report.kept.iter().take(limit) {
        lines.push(format!("  {person} stays ({})", why.word()));
    }
    if report.of_sources > 0 {
        lines.push(format!("  {} of other sources, as those tell them: left alone", counted(report.of_sources, "row")));
    }
    if report.elsewhere > 0 {
        lines.push(format!("  {} absent from the file stay: another source delivers them", report.elsewhere));
    }
    if report.absence_untellable {
        lines.push("  a row does not say who it is about: nobody counts as absent".to_owned());
    }
    if run.tally.findings > 0 {
        lines.push(format!("  {} in the file: `rosterd findings {}`", counted(run.tally.findings, "finding"), run.run));
    }
    match (token, confirm) {
        (Some(token), _) => {
            if !run.message.is_empty() {
                lines.push(run.message.clone());
            }
            lines.push(format!("nothing was changed; the same command with `--confirm {token}` does it, within 72 hours"));
        }
        (None, None) if plan.is_some() => lines.push("nothing to do".to_owned()),
        (None, _) => {
            lines.push(run_text(run));
            lines.extend(run_next(run).map(|next| format!("next: {next}")));
        }
    }
    lines.join("\n")
}
