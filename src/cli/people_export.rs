//! `rosterd people export`: the people of a customer as the file that `people import` takes (R135).

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::words::counted;

/// Arguments of `people export`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rosterd people export north --out people.csv

The file holds names and e-mails, and only its owner can read it. Columns:
  key, given_name, family_name, email, username, identifier, enabled, grades, primary_org,
  roles (teacher@ash;student@birch), status (active or ended), source (whose person it is)")]
pub struct PeopleExportArgs {
    /// Of which customer.
    customer: String,
    /// Only people whose home lies in this org or below it.
    #[arg(long, value_name = "ORG")]
    org: Option<String>,
    /// Write it to this file instead of the standard output; a file that is there is replaced.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct ExportJson<'a> {
    customer: &'a str,
    people: u64,
    by_hand: u64,
    /// Where it was written; `null` without `--out`.
    file: Option<String>,
    /// The file itself, without `--out`.
    csv: Option<String>,
}

/// Writes the people of a customer.
///
/// # Errors
/// When the roster cannot be read, the file cannot be written, or there is no such customer or org.
pub fn run(context: &mut Context, args: &PeopleExportArgs) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customer = service.customer(&args.customer)?;
    let export = service.export_people(customer, args.org.as_deref())?;
    if let Some(path) = &args.out {
        write(path, &export.file).map_err(|cause| CliError::Unwritten { file: path.clone(), cause })?;
    }
    if context.out.is_json() {
        let csv = args.out.is_none().then(|| String::from_utf8_lossy(&export.file).into_owned());
        context.out.json(&ExportJson {
            customer: customer.id().as_str(),
            people: export.people,
            by_hand: export.by_hand,
            file: args.out.as_ref().map(|path| path.display().to_string()),
            csv,
        })?;
    } else if let Some(path) = &args.out {
        let people = counted(export.people, "row");
        context.out.text(&format!("{people} written to {}; {} made by hand", path.display(), export.by_hand))?;
    } else {
        context.out.bytes(&export.file)?;
    }
    Ok(Exit::Done)
}

/// Replaces a file whole, readable by its owner alone.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
    let written = made.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&part, path)).inspect_err(|_| {
        // Half a file is of no use to anybody.
        let _ = fs::remove_file(&part);
    })
}
