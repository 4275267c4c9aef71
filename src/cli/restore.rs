//! `rosterd restore`: a backup takes the place of the store.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::base::{CustomerId, ErrorChain, Instant};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{number, text};
use crate::cli::parts;
use crate::cli::progress::Progress;
use crate::cli::words::{counted, when};
use crate::clock::{Clock, SystemClock};
use crate::daemon::host;
use crate::service::{ErrorKind, Service, Verified};
use crate::shape::at;
use crate::store::{ArchiveRow, DaemonMark, Restoring, StoreChoice};

/// Arguments of `restore`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd restore /var/backups/rosterd               the newest file in that folder: proves it, tells what is in it, changes nothing
  rosterd restore /var/backups/rosterd --yes         puts it in place; the daemon has to be stopped, the store that was there is kept
  rosterd restore before-upgrade.db --to look.db --yes    a store of its own, to look at or replay with other settings")]
pub struct RestoreArgs {
    /// A file of `rosterd backup`, or a folder: the newest in it.
    backup: PathBuf,
    /// Put it there instead of where the settings say; no settings are read.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Do it. Left out, the backup is proved and shown, and nothing is changed; also beside a daemon.
    #[arg(long)]
    yes: bool,
    /// Take it although files with old content of its trail (`audit.archive_folder`) are gone: then it cannot be proved from its
    /// beginning.
    #[arg(long)]
    without_archives: bool,
}

#[derive(Debug, Serialize)]
struct RestoreJson {
    backup: String,
    store: String,
    /// What keeps it from being restored; nothing if it is whole.
    wrong: Vec<String>,
    /// It is in place.
    restored: bool,
    /// Under which name the store that was there is kept.
    former: Option<String>,
    /// The newest commit of all.
    as_of: Option<String>,
    customers: Vec<CustomerJson>,
}

#[derive(Debug, Serialize)]
struct CustomerJson {
    customer: String,
    version: u64,
    hash: String,
    /// When its newest commit was made.
    newest: Option<String>,
    /// The whole trail was replayed, and the books are what it says.
    proved: bool,
}

/// What a backup holds, and what is wrong with it.
#[derive(Default)]
struct Looked {
    wrong: Vec<String>,
    customers: Vec<CustomerJson>,
    newest: Option<Instant>,
}

/// Proves a backup on a copy beside the store and, if that is wanted, puts the copy in place.
///
/// # Errors
/// When the backup cannot be read, somebody works on the store, or the file system does not do it.
pub fn run(context: &mut Context, args: &RestoreArgs) -> Result<Exit, CliError> {
    let database = match &args.to {
        Some(file) => file.clone(),
        None => match context.settings()?.store.choice() {
            StoreChoice::Sqlite { path } => path,
            StoreChoice::Postgres(choice) => return Err(CliError::Usage(of_a_server(&choice.place()))),
        },
    };
    let backup = newest(&args.backup).map_err(|cause| CliError::File { file: args.backup.clone(), cause })?;
    let progress = Progress::start(format!("copying {}", backup.display()));
    let restoring = Restoring::begin(&database, &backup)?;
    let Looked { wrong, customers, newest } = look(&restoring, args.without_archives, &progress)?;
    let restores = args.yes && wrong.is_empty();
    let former = if restores {
        let mark = DaemonMark { pid: std::process::id(), host: host(), since: SystemClock.now() };
        restoring.finish(&mark)?
    } else {
        None
    };
    drop(progress);
    let told = RestoreJson {
        backup: backup.display().to_string(),
        store: format!("sqlite:{}", database.display()),
        wrong,
        restored: restores,
        former: former.map(|former| former.display().to_string()),
        as_of: newest.and_then(at),
        customers,
    };
    if context.out.is_json() {
        context.out.json(&told)?;
    } else {
        tell(context, &told, newest)?;
    }
    Ok(if told.wrong.is_empty() { Exit::Done } else { Exit::Refused })
}

fn of_a_server(place: &str) -> String {
    format!(
        "the books are in {place}, which is restored with the server's own means (pg_restore, or its log); a file of `rosterd \
         backup` goes into an empty database by `rosterd store copy --from sqlite:FILE --to postgres:`, or to a file with --to"
    )
}

/// The file itself; of a folder the newest that `backup` named by the time.
fn newest(place: &Path) -> std::io::Result<PathBuf> {
    if !place.is_dir() {
        return Ok(place.to_owned());
    }
    let mut newest: Option<PathBuf> = None;
    for entry in fs::read_dir(place)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_one = name.to_str().is_some_and(|name| name.starts_with("rosterd-") && name.ends_with("Z.db"));
        // Names sort by time.
        if is_one && newest.as_ref().is_none_or(|newest| newest.file_name() < Some(&name)) {
            newest = Some(entry.path());
        }
    }
    newest.ok_or_else(|| std::io::Error::new(std::io::ErrorKind::NotFound, "no rosterd-TIME.db is in it"))
}

fn look(restoring: &Restoring, without_archives: bool, progress: &Progress) -> Result<Looked, CliError> {
    progress.say("checking the file".to_owned());
    let mut looked = Looked { wrong: restoring.wrong()?, ..Looked::default() };
    if !looked.wrong.is_empty() {
        return Ok(looked);
    }
    let service = Service::new(Arc::new(restoring.open()?), parts::clock(None), Vec::new());
    for customer in service.store().customers()? {
        progress.say(format!("replaying the trail of {customer}"));
        prove(&service, &customer, without_archives, &mut looked)?;
    }
    Ok(looked)
}

/// Replays the trail of a customer, if all of it is here.
fn prove(service: &Service, customer: &CustomerId, without_archives: bool, looked: &mut Looked) -> Result<(), CliError> {
    let archives = service.archives(customer)?;
    let absent: Vec<&ArchiveRow> = archives.iter().filter(|row| !row.file.exists()).collect();
    let version = service.store().version(customer)?;
    let mut told =
        CustomerJson { customer: customer.to_string(), version: version.0, hash: String::new(), newest: None, proved: false };
    if !absent.is_empty() {
        if !without_archives {
            looked.wrong.extend(absent.iter().map(|ArchiveRow { after, until, file, .. }| {
                let (first, file) = (after.0 + 1, file.display());
                format!("{customer}: the trail of versions {first} to {until} lies in {file}, which is not here (put it back, or --without-archives)")
            }));
        }
        looked.customers.push(told);
        return Ok(());
    }
    match service.verify_books(customer) {
        Ok(report) => {
            let wrong = match &report.verified {
                Verified::Clean => None,
                Verified::Broken { at, why } => Some(format!("{customer}: the chain is broken at version {at}: {why}")),
                Verified::Different(mismatch) => Some(format!("{customer}: the books are not what the trail says: {mismatch}")),
            };
            told.hash = report.hash.to_string();
            told.newest = report.newest.and_then(at);
            told.proved = wrong.is_none();
            looked.newest = looked.newest.max(report.newest);
            looked.wrong.extend(wrong);
        }
        // Something in it cannot be read back.
        Err(error) if error.kind() == ErrorKind::Damaged => {
            looked.wrong.push(format!("{customer}: could not {}", ErrorChain(&error)));
        }
        Err(error) => return Err(error.into()),
    }
    looked.customers.push(told);
    Ok(())
}

fn tell(context: &mut Context, told: &RestoreJson, as_of: Option<Instant>) -> Result<(), CliError> {
    let RestoreJson { backup, store, wrong, restored, former, customers, .. } = told;
    let rows = customers.iter().map(|customer| {
        let proof = if customer.proved { "the books are what the trail says" } else { "NOT PROVED" };
        vec![
            text(&customer.customer),
            number(customer.version),
            text(customer.newest.clone().unwrap_or_default()),
            text(customer.hash.get(..12).unwrap_or_default()),
            text(proof),
        ]
    });
    if !customers.is_empty() {
        context.out.table(&["customer", "version", "newest commit", "hash", "proof"], rows.collect())?;
    }
    for wrong in wrong {
        context.out.text(&format!("WRONG  {wrong}"))?;
    }
    if !wrong.is_empty() {
        context.out.text(&format!("{backup} is not whole; nothing was changed"))?;
        return Ok(());
    }
    let as_of = as_of.map_or("no commit is in them".to_owned(), |at| format!("their newest commit is of {}", when(at)));
    let books = counted(customers.len() as u64, "customer");
    if !restored {
        context.out.text(&format!("{backup} is whole: the books of {books}; {as_of}"))?;
        context.out.text(&format!("nothing was changed; the same command with `--yes` puts it in place of {store}"))?;
        return Ok(());
    }
    context.out.text(&format!("{backup} is restored to {store}: the books of {books}; {as_of}"))?;
    if let Some(former) = former {
        context
            .out
            .text(&format!("what was there is kept as {former}, with every name in it: delete it when nobody needs it"))?;
    }
    context.out.text(
        "what sources say since then comes in by itself, with the next run; what was done by hand since then has to be done again: \
         seats bought, decisions, people forgotten, tokens revoked. What was told since then may be told again",
    )?;
    context.out.text("next: `rosterd check`, then start the daemon")?;
    Ok(())
}
