//! `rosterd people bulk`: one change of many people made by hand, previewed and then confirmed (R164).

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::people_import::{carry_out, read_bounded};
use crate::cli::words::counted;
use crate::service::{BulkChange, BulkFile, BulkWhom, ImportRequest, PEOPLE_BYTES_MAX};

/// Arguments of `people bulk`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd people bulk north --role aide --org ash --add-role teacher@ash      previews it; changes nothing
  rosterd people bulk north --keys leavers.txt --archive
  rosterd people bulk north --org ash --transfer ash:birch --confirm 12-0f3a…    does what the preview with that token showed

It changes people made by hand; of all others their source tells what is so, and they are left alone. A preview exits 3 if a
guard would hold it. A token is good for these people and these options, for 72 hours, once. `rosterd revert RUN` gives back
the seats that it took; the same command the other way round gives back the roles.")]
pub struct PeopleBulkArgs {
    /// Of which customer.
    customer: String,
    /// This person; may be said several times.
    #[arg(long = "person", value_name = "KEY")]
    people: Vec<String>,
    /// The people of this file, a key a line.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Who has this role.
    #[arg(long)]
    role: Option<String>,
    /// Whose home lies in this org or below it.
    #[arg(long)]
    org: Option<String>,
    /// They lose this role, in this org or everywhere.
    #[arg(long, value_name = "ROLE[@ORG]", required_unless_present_any = ["add_role", "transfer", "archive", "restore"])]
    remove_role: Vec<String>,
    /// They get this role.
    #[arg(long, value_name = "ROLE@ORG", value_parser = role_at)]
    add_role: Vec<(String, String)>,
    /// They move to another org, with their roles there.
    #[arg(long, value_name = "FROM:TO", value_parser = from_to)]
    transfer: Option<(String, String)>,
    /// They are archived: no access, the seat goes by the seat model, records stay.
    #[arg(long, conflicts_with = "restore")]
    archive: bool,
    /// They are archived no more.
    #[arg(long)]
    restore: bool,
    /// Do what the preview that gave this token showed.
    #[arg(long, value_name = "TOKEN")]
    confirm: Option<String>,
    /// Show at most so many people of a kind, changes, and things withheld; the rest is counted.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

fn role_at(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('@').filter(|(role, org)| !role.is_empty() && !org.is_empty());
    pair.map(|(role, org)| (role.to_owned(), org.to_owned())).ok_or_else(|| "write teacher@ash".to_owned())
}

fn from_to(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once(':').filter(|(from, to)| !from.is_empty() && !to.is_empty());
    pair.map(|(from, to)| (from.to_owned(), to.to_owned())).ok_or_else(|| "write ash:birch".to_owned())
}

/// Previews a change of many, or does what a preview showed.
///
/// # Errors
/// When nobody is named, the books cannot be read, or there is no such customer, org or person.
pub fn run(context: &mut Context, args: &PeopleBulkArgs) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let customer = service.customer(&args.customer)?;
    let mut people: BTreeSet<String> = args.people.iter().cloned().collect();
    if let Some(path) = &args.keys {
        let bytes = read_bounded(path, PEOPLE_BYTES_MAX)?;
        let text = String::from_utf8_lossy(&bytes);
        people.extend(text.lines().map(str::trim).filter(|key| !key.is_empty()).map(str::to_owned));
    }
    // A file without keys is about nobody, not about everybody.
    if people.is_empty() && (args.keys.is_some() || (args.role.is_none() && args.org.is_none())) {
        return Err(CliError::Usage("say whom: --person, --keys, --role or --org".into()));
    }
    let whom = BulkWhom { people, role: args.role.clone(), org: args.org.clone() };
    let removed = args.remove_role.iter().map(|text| match text.split_once('@') {
        Some((role, org)) => (role.to_owned(), Some(org.to_owned())),
        None => (text.clone(), None),
    });
    let change = BulkChange {
        remove_roles: removed.collect(),
        add_roles: args.add_role.clone(),
        transfer: args.transfer.clone(),
        archive: (args.archive || args.restore).then_some(args.archive),
    };
    let BulkFile { file, people: _, of_sources } = service.bulk_file(customer, &whom, &change)?;
    if !of_sources.is_empty() && !context.out.is_json() {
        let who = counted(of_sources.len() as u64, "person").replace("persons", "people");
        let shown = of_sources.iter().take(args.limit).map(String::as_str).collect::<Vec<_>>().join(", ");
        context.out.text(&format!("{who} of other sources left alone, change them there: {shown}"))?;
    }
    let request = ImportRequest { file: "bulk", bytes: &file, synchronize: false, org: None, by: None, actor: actor() };
    carry_out(context, &service, customer, &request, args.confirm.as_deref(), args.limit)
}
