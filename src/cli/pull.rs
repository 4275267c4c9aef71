//! `rosterd pull`: what a source says, kept in a folder for support; no plan, nothing in the books.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::parts;
use crate::cli::progress::Progress;
use crate::cli::words::counted;
use crate::service::{PullAsked, save_pull};

/// Arguments of `pull`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd pull north --save /tmp/north                  every source of north, each in a folder of its own
  rosterd pull north --source sis --save /tmp/north     this source alone
  rosterd pull north --save /tmp/north --redact email   e-mail addresses as well

What is redacted: secrets, passwords, birth dates, phone numbers, numbers of the state and of banks; index.json lists how
many of each. Names and e-mail addresses stay: look at the folder before you send it to anybody.")]
pub struct PullArgs {
    /// Whose sources.
    customer: String,
    /// This source alone.
    #[arg(long)]
    source: Option<String>,
    /// The folder to make; it must not be there yet.
    #[arg(long, value_name = "DIR")]
    save: PathBuf,
    /// Redact fields whose names contain this word, too; may be repeated.
    #[arg(long, value_name = "WORD")]
    redact: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PullJson {
    folder: String,
    sources: Vec<PulledJson>,
}

#[derive(Debug, Serialize)]
struct PulledJson {
    source: String,
    /// Requests and files in `index.json`.
    entries: usize,
    /// What was pulled; `null` if there was nothing, or if it failed.
    package: Option<String>,
    /// Why it failed.
    error: Option<String>,
    /// Rows of people.
    people: u64,
    findings: u64,
}

/// Pulls and keeps what came.
///
/// # Errors
/// When there is no such customer or source, or the folder cannot be written.
pub fn run(context: &mut Context, args: &PullArgs) -> Result<Exit, CliError> {
    let settings = context.settings()?;
    let unwritten = |file: &Path| {
        let file = file.to_owned();
        move |cause| CliError::Unwritten { file, cause }
    };
    let customer = parts::customer_settings(&settings, &args.customer)?;
    let sources = parts::source_settings(customer, args.source.as_deref())?;
    parts::private_folder(&args.save).map_err(unwritten(&args.save))?;
    let progress = Progress::start(format!("reading {}", customer.id));
    let mut pulled = Vec::new();
    for source in sources {
        progress.say(format!("reading {}/{}", customer.id, source.id()));
        let folder = args.save.join(source.id().as_str());
        let asked = PullAsked { customer: &customer.id, source, folder: &folder, redact: &args.redact };
        let (entries, outcome) = save_pull(asked, parts::clock(context.as_of)).map_err(unwritten(&folder))?;
        pulled.push(PulledJson {
            source: source.id().to_string(),
            entries,
            people: outcome.rows.get("people").copied().unwrap_or_default(),
            findings: outcome.findings.values().sum(),
            package: outcome.package,
            error: outcome.error,
        });
    }
    drop(progress);
    let failed = pulled.iter().any(|pulled| pulled.error.is_some());
    let json = PullJson { folder: args.save.display().to_string(), sources: pulled };
    if context.out.is_json() {
        context.out.json(&json)?;
    } else {
        for PulledJson { source, entries, package, error, people, findings } in &json.sources {
            let kept = counted(*entries as u64, "item");
            let told = match (error, package) {
                (Some(error), _) => format!("could not {error}"),
                (None, Some(package)) => format!("{package}: {people} people, {findings} findings"),
                (None, None) => "nothing there to pull".to_owned(),
            };
            context.out.text(&format!("{source}: {told}; {kept} in {}/{source}/index.json", json.folder))?;
        }
        context.out.text("names and e-mail addresses are not redacted: look before you send it to anybody")?;
    }
    Ok(if failed { Exit::SourceDown } else { Exit::Done })
}
