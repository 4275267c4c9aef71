//! `rosterd people import`: a file of people by hand, previewed and then confirmed (R133, R134).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::plan::plan_text;
use crate::cli::progress::Progress;
use crate::cli::words::{counted, run_next, run_text};
use crate::plan::Policy;
use crate::service::{Import, ImportAnswer, ImportReport, ImportRequest, Kept, PEOPLE_BYTES_MAX, TokenRefusal};
use crate::shape::{PlanJson, RunJson};

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

#[derive(Debug, Serialize)]
struct ImportJson<'a> {
    run: RunJson,
    plan: Option<PlanJson<'a>>,
    report: ReportJson<'a>,
    /// Confirms it; `null` if there is nothing to confirm.
    token: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ReportJson<'a> {
    rows: u64,
    created: &'a [String],
    updated: &'a [String],
    removed: &'a [String],
    kept: Vec<KeptJson<'a>>,
    unchanged: u64,
    of_sources: u64,
    elsewhere: u64,
    refused: u64,
    absence_untellable: bool,
}

#[derive(Debug, Serialize)]
struct KeptJson<'a> {
    person: &'a str,
    why: &'static str,
}

#[derive(Debug, Serialize)]
struct RefusedJson {
    refused: &'static str,
    message: String,
}

impl<'a> From<&'a ImportReport> for ReportJson<'a> {
    fn from(report: &'a ImportReport) -> Self {
        let ImportReport {
            rows,
            created,
            updated,
            removed,
            kept,
            unchanged,
            of_sources,
            elsewhere,
            refused,
            absence_untellable,
        } = report;
        Self {
            rows: *rows,
            created,
            updated,
            removed,
            kept: kept.iter().map(|Kept { person, why }| KeptJson { person, why: why.word() }).collect(),
            unchanged: *unchanged,
            of_sources: *of_sources,
            elsewhere: *elsewhere,
            refused: *refused,
            absence_untellable: *absence_untellable,
        }
    }
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
    let progress = Progress::start(customer.id().to_string());
    let done = match &args.confirm {
        None => service.preview_import(customer, &request)?,
        Some(token) => match service.confirm_import(customer, &request, token)? {
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
        context.out.json(&ImportJson {
            run: RunJson::from(&done.run),
            plan: done.plan.as_deref().map(|plan| PlanJson::new(plan, &customer.policy, args.limit)),
            report: ReportJson::from(&done.report),
            token: done.token.as_deref(),
        })?;
    } else {
        let text = text(&done, &customer.policy, args);
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
    let message = match why {
        TokenRefusal::Unknown => "no preview of this customer gave this token".to_owned(),
        TokenRefusal::Used => "this token was used; each works once".to_owned(),
        TokenRefusal::Expired => "this token is older than 72 hours".to_owned(),
        TokenRefusal::OtherFile => "the file or the options are not those that were previewed".to_owned(),
        TokenRefusal::Moved { planned, now } => {
            format!("the books moved since the preview, from version {planned} to {now}")
        }
        TokenRefusal::Different => "it would do something else than the preview showed: a date or a setting changed".to_owned(),
    };
    if context.out.is_json() {
        context.out.json(&RefusedJson { refused: why.word(), message })?;
    } else {
        context.out.text(&format!("refused ({}): {message}; nothing was changed\nnext: preview it again", why.word()))?;
    }
    let stale = matches!(why, TokenRefusal::Moved { .. } | TokenRefusal::Different | TokenRefusal::Expired);
    Ok(if stale { Exit::PlanStale } else { Exit::Refused })
}

fn text(done: &Import, policy: &Policy, args: &PeopleImportArgs) -> String {
    let Import { run, plan, report, token } = done;
    let mut lines = Vec::new();
    if let Some(plan) = plan {
        lines.push(plan_text(plan, policy, args.limit));
    }
    lines.push(format!("{}: {} unchanged, {} refused", counted(report.rows, "row"), report.unchanged, report.refused));
    for (word, people) in [("created", &report.created), ("changed", &report.updated), ("removed", &report.removed)] {
        if !people.is_empty() {
            let shown = people.iter().take(args.limit).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = people.len().saturating_sub(args.limit);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            lines.push(format!("  {} {word}: {shown}{more}", people.len()));
        }
    }
    for Kept { person, why } in report.kept.iter().take(args.limit) {
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
    match (token, &args.confirm) {
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
