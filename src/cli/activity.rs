//! `rosterd activity`: who logged in when, from a file (R144).

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{number, text};
use crate::cli::people_import::read_bounded;
use crate::cli::words::counted;
use crate::service::{ACTIVITY_BYTES_MAX, ActivityAnswer};
use crate::shape::ActivityJson;

/// Arguments of `activity`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true, after_help = "Example:\n  rosterd activity import north log-ins.csv")]
pub struct ActivityArgs {
    #[command(subcommand)]
    verb: ActivityVerb,
}

#[derive(Debug, Subcommand)]
enum ActivityVerb {
    /// Take in log-ins from a CSV file: columns person, last_login (an instant or a date), and product if it tells.
    #[command(after_help = "Example:\n  rosterd activity import north log-ins.csv    person,product,last_login")]
    Import {
        /// Of which customer.
        customer: String,
        /// The file.
        file: PathBuf,
    },
}

/// Takes a file in.
///
/// # Errors
/// When the file cannot be read or the store not be written, or there is no such customer.
pub fn run(context: &mut Context, args: &ActivityArgs) -> Result<Exit, CliError> {
    let ActivityVerb::Import { customer, file } = &args.verb;
    let service = context.service_to_write()?;
    let customer = service.customer(customer)?;
    let bytes = read_bounded(file, ACTIVITY_BYTES_MAX)?;
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let answer = service.import_activity(customer, &name, &bytes)?;
    let ActivityAnswer { rows, news, bad, findings, taken } = &answer;
    if context.out.is_json() {
        context.out.json(&ActivityJson::new(customer.id().as_str(), &answer))?;
    } else {
        let cells = |f: &crate::roster::Finding| {
            vec![text(&f.file), number(f.row), text(&f.record), text(&f.field), text(f.rule), text(&f.detail)]
        };
        context.out.table(&["file", "row", "record", "field", "rule", "detail"], findings.iter().map(cells).collect())?;
        let outcome = if *taken {
            format!("{} taken in, {news} of them news", counted(*rows, "log-in"))
        } else {
            "nothing was taken in".to_owned()
        };
        context.out.text(&format!("{outcome}; {}", counted(*bad, "bad row")))?;
    }
    Ok(match (taken, bad) {
        (false, _) => Exit::Refused,
        (true, 0) => Exit::Done,
        (true, _) => Exit::WithErrors,
    })
}
