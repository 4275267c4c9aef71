//! `rosterd people`: who is in the newest roster. Looks e-mails through and never shows one.

use clap::{Args, Subcommand};

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::forget::{self, ForgetArgs};
use crate::cli::output::{number, text};
use crate::cli::people_bulk::{self, PeopleBulkArgs};
use crate::cli::people_export::{self, PeopleExportArgs};
use crate::cli::people_import::{self, PeopleImportArgs};
use crate::shape::PeopleJson;

/// Arguments of `people`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  rosterd people north\n  rosterd people north lovelace --limit 5\n  rosterd people export north --out people.csv"
)]
pub struct PeopleArgs {
    /// Of which customer.
    #[arg(required = true)]
    customer: Option<String>,
    /// Part of a person key, a name or an e-mail, in any case. All people if left out.
    #[arg(default_value = "", hide_default_value = true)]
    text: String,
    /// At most so many, by person key.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Instead of a list.
    #[command(subcommand)]
    verb: Option<PeopleVerb>,
}

/// The verbs of `people`.
#[derive(Debug, Subcommand)]
pub enum PeopleVerb {
    /// Let the name of a removed person leave everything that is kept.
    Forget(ForgetArgs),
    /// Write the people of a customer as a file that can be edited and imported.
    Export(PeopleExportArgs),
    /// Make, change and remove people by a file: previews it, or does what a preview showed.
    Import(PeopleImportArgs),
    /// Give and take roles, move and archive many people made by hand at once: previews it, or does what a preview showed.
    Bulk(PeopleBulkArgs),
}

/// Lists people, or does what the verb says.
///
/// # Errors
/// When the books or the roster cannot be read, or there is no such customer.
pub fn run(context: &mut Context, args: &PeopleArgs) -> Result<Exit, CliError> {
    match &args.verb {
        Some(PeopleVerb::Forget(args)) => return forget::run(context, args),
        Some(PeopleVerb::Export(args)) => return people_export::run(context, args),
        Some(PeopleVerb::Import(args)) => return people_import::run(context, args),
        Some(PeopleVerb::Bulk(args)) => return people_bulk::run(context, args),
        None => {}
    }
    let service = context.service()?;
    let customer = service.customer(args.customer.as_deref().unwrap_or_default())?;
    let (found, total) = service.people(customer, &args.text, args.limit)?;
    if context.out.is_json() {
        context.out.json(&PeopleJson::new(customer.id().as_str(), total, &found))?;
        return Ok(Exit::Done);
    }
    let rows = found.iter().map(|person| {
        vec![
            text(&person.key),
            text(&person.name),
            text(person.state.to_string()),
            text(person.roles.join(", ")),
            number(person.live_enrollments),
            text(person.claims.join(", ")),
        ]
    });
    let shown = rows.len();
    context.out.table(&["person", "name", "state", "roles", "live enrollments", "claims"], rows.collect())?;
    context.out.text(&format!("{shown} of {total} people shown"))?;
    Ok(Exit::Done)
}
