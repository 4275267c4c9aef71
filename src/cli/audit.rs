//! `rosterd audit`: the trail, the proof of the books, and the trail for others to prove (R159).

use std::ops::ControlFlow;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::base::{CustomerId, Day, Digest, ErrorChain, Instant, Version};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{number, text};
use crate::cli::progress::Progress;
use crate::cli::words::{counted, day, when};
use crate::service::{AuditReport, Customer, ErrorKind, Verified};
use crate::shape::{CommitJson, at};
use crate::store::ArchiveRow;

/// So many commits of the trail are read at once.
const PAGE_COMMITS: usize = 100;
/// Or as many as come to so many changes.
const PAGE_CHANGES: usize = 100_000;

/// Arguments of `audit`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true, after_help = "Examples:\n  rosterd audit list north\n  rosterd audit verify")]
pub struct AuditArgs {
    #[command(subcommand)]
    verb: AuditVerb,
}

#[derive(Debug, Subcommand)]
enum AuditVerb {
    /// List commits: who did what, and when.
    #[command(after_help = "Examples:\n  rosterd audit list north\n  rosterd audit list north --after 100 --limit 10")]
    List {
        /// Of which customer.
        customer: String,
        /// Those after this version, oldest first; the newest ones if left out.
        #[arg(long, value_name = "VERSION")]
        after: Option<u64>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u64,
    },
    /// Replay the trail and compare the outcome with the stored books. Exits 70 if they differ.
    #[command(after_help = "Examples:\n  rosterd audit verify\n  rosterd audit verify north")]
    Verify {
        /// Of one customer only.
        customer: Option<String>,
    },
    /// Move the trail's old content to a file in `audit.archive_folder`, as the daemon does once a month.
    #[command(
        after_help = "Examples:\n  rosterd audit archive north\n  rosterd audit archive north --before 2025-07-01\n  rosterd audit archive north --list"
    )]
    Archive {
        /// Of which customer.
        customer: String,
        /// What was written before this day of the customer's calendar; what is older than `audit.keep_days` if left out.
        #[arg(long, value_name = "DAY", value_parser = day, conflicts_with = "list")]
        before: Option<Day>,
        /// Only tell which files there are.
        #[arg(long)]
        list: bool,
    },
    /// Write the trail as JSON, a line per commit, with all changes, hashes and ids.
    #[command(after_help = "Example:\n  rosterd audit export north --after 100 > trail.ndjson")]
    Export {
        /// Of which customer.
        customer: String,
        /// Those after this version.
        #[arg(long, value_name = "VERSION", default_value_t = 0)]
        after: u64,
    },
}

#[derive(Debug, Serialize)]
struct ListJson<'a> {
    customer: &'a str,
    commits: Vec<HeadJson>,
}

#[derive(Debug, Serialize)]
struct HeadJson {
    version: u64,
    #[serde(skip)]
    instant: Instant,
    at: Option<String>,
    actor: String,
    verb: String,
    run: Option<u64>,
    changes: usize,
    entries: usize,
    hash: String,
}

#[derive(Debug, Serialize)]
struct VerifyJson {
    ok: bool,
    customers: Vec<ProofJson>,
}

#[derive(Debug, Serialize)]
struct ProofJson {
    customer: String,
    /// It is in the settings.
    configured: bool,
    ok: bool,
    commits: u64,
    changes: u64,
    hash: String,
    /// The first difference.
    difference: Option<String>,
}

#[derive(Debug, Serialize)]
struct ArchivesJson<'a> {
    customer: &'a str,
    /// The file that was made now.
    made: Option<ArchiveJson>,
    archives: Vec<ArchiveJson>,
}

#[derive(Debug, Serialize)]
struct ArchiveJson {
    from_version: u64,
    to_version: u64,
    at: Option<String>,
    bytes: u64,
    file: String,
}

impl From<&ArchiveRow> for ArchiveJson {
    fn from(row: &ArchiveRow) -> Self {
        let ArchiveRow { after, until, file, bytes, at: made } = row;
        let file = file.display().to_string();
        Self { from_version: after.0 + 1, to_version: until.0, at: at(*made), bytes: *bytes, file }
    }
}

/// Reads, proves, exports the trail or moves its old content.
///
/// # Errors
/// When the trail cannot be read, or there is no such customer.
pub fn run(context: &mut Context, args: &AuditArgs) -> Result<Exit, CliError> {
    match &args.verb {
        AuditVerb::List { customer, after, limit } => list(context, customer, *after, *limit),
        AuditVerb::Verify { customer } => verify(context, customer.as_deref()),
        AuditVerb::Archive { customer, before, list } => archive(context, customer, *before, *list),
        AuditVerb::Export { customer, after } => export(context, customer, Version(*after)),
    }
}

fn list(context: &mut Context, customer: &str, after: Option<u64>, limit: u64) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customer = service.customer(customer)?;
    let after = match after {
        Some(after) => after,
        // Versions count commits, one by one (R113).
        None => service.version(customer)?.0.saturating_sub(limit),
    };
    let mut heads = Vec::new();
    service.trail(customer, Version(after), &mut |commit| {
        if heads.len() as u64 >= limit {
            return ControlFlow::Break(());
        }
        heads.push(HeadJson {
            version: commit.version.0,
            instant: commit.at,
            at: at(commit.at),
            actor: commit.actor,
            verb: commit.verb,
            run: commit.run.map(|run| run.0),
            changes: commit.changes.len(),
            entries: commit.entries.len(),
            hash: commit.hash.to_string(),
        });
        ControlFlow::Continue(())
    })?;
    if context.out.is_json() {
        context.out.json(&ListJson { customer: customer.id().as_str(), commits: heads })?;
        return Ok(Exit::Done);
    }
    let rows = heads.iter().map(|head| {
        vec![
            number(head.version),
            text(when(head.instant)),
            text(&head.actor),
            text(&head.verb),
            number(head.run.map_or(String::new(), |run| run.to_string())),
            number(head.changes),
            number(head.entries),
            text(head.hash.get(..12).unwrap_or_default()),
        ]
    });
    context.out.table(&["version", "at", "by", "verb", "run", "changes", "entries", "hash"], rows.collect())?;
    if heads.is_empty() {
        context.out.text("no commit")?;
    }
    Ok(Exit::Done)
}

fn verify(context: &mut Context, customer: Option<&str>) -> Result<Exit, CliError> {
    let service = context.service()?;
    let strangers = service.strangers()?;
    let customers: Vec<&CustomerId> = match customer {
        Some(id) => match strangers.iter().find(|stranger| stranger.as_str() == id) {
            Some(stranger) => vec![stranger],
            None => vec![service.customer(id)?.id()],
        },
        None => service.customers().iter().map(Customer::id).chain(&strangers).collect(),
    };
    let mut proofs = Vec::new();
    let progress = Progress::start("replaying".to_owned());
    for customer in customers {
        progress.say(format!("replaying the trail of {customer}"));
        let (report, difference) = match service.verify_books(customer) {
            Ok(report) => {
                let difference = match &report.verified {
                    Verified::Clean => None,
                    Verified::Broken { at, why } => Some(format!("the chain is broken at version {at}: {why}")),
                    Verified::Different(mismatch) => Some(mismatch.to_string()),
                };
                (report, difference)
            }
            // What cannot be read back is not proved.
            Err(error) if error.kind() == ErrorKind::Damaged => {
                let nothing = AuditReport { commits: 0, changes: 0, hash: Digest::default(), verified: Verified::Clean };
                (nothing, Some(format!("could not {}", ErrorChain(&error))))
            }
            Err(error) => return Err(error.into()),
        };
        let AuditReport { commits, changes, hash, verified: _ } = report;
        proofs.push(ProofJson {
            customer: customer.to_string(),
            configured: !strangers.contains(customer),
            ok: difference.is_none(),
            commits,
            changes,
            hash: hash.to_string(),
            difference,
        });
    }
    drop(progress);
    let ok = proofs.iter().all(|proof| proof.ok);
    if context.out.is_json() {
        context.out.json(&VerifyJson { ok, customers: proofs })?;
    } else {
        for ProofJson { customer, configured, commits, changes, hash, difference, .. } in &proofs {
            let stranger = if *configured { "" } else { " (not in the settings)" };
            let outcome = match difference {
                None => format!("the books are what the trail says; newest hash {hash}"),
                Some(difference) => format!("NOT PROVED: {difference}"),
            };
            context.out.text(&format!(
                "{customer}{stranger}: {}, {}: {outcome}",
                counted(*commits, "commit"),
                counted(*changes, "change")
            ))?;
        }
    }
    Ok(if ok { Exit::Done } else { Exit::Bug })
}

fn export(context: &mut Context, customer: &str, after: Version) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customer = service.customer(customer)?;
    // Page by page: nothing of the store is held while somebody reads what is written.
    let mut after = after;
    loop {
        let (mut page, mut changes) = (Vec::new(), 0);
        service.trail(customer, after, &mut |commit| {
            changes += commit.changes.len();
            page.push(commit);
            let is_full = page.len() >= PAGE_COMMITS || changes >= PAGE_CHANGES;
            if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let Some(last) = page.last() else { return Ok(Exit::Done) };
        after = last.version;
        for commit in &page {
            context.out.json_line(&CommitJson::new(customer.id().as_str(), commit))?;
        }
    }
}

fn archive(context: &mut Context, customer: &str, before: Option<Day>, list: bool) -> Result<Exit, CliError> {
    let service = if list { context.service()? } else { context.service_to_write()? };
    let customer = service.customer(customer)?;
    let made = match list {
        true => None,
        false => {
            let Some(keep_days) = service.keep_days() else {
                context.out.text("`audit.archive_folder` is not set: the whole trail stays in the store")?;
                return Ok(Exit::Refused);
            };
            let kept = || customer.day_of(service.now()).plus(-i32::try_from(keep_days).unwrap_or(i32::MAX));
            let day = before.unwrap_or_else(kept);
            service.archive_trail(customer, customer.policy.calendar.start_of(day))?
        }
    };
    let rows = service.archives(customer.id())?;
    if context.out.is_json() {
        let archives = rows.iter().map(ArchiveJson::from).collect();
        context.out.json(&ArchivesJson {
            customer: customer.id().as_str(),
            made: made.as_ref().map(ArchiveJson::from),
            archives,
        })?;
        return Ok(Exit::Done);
    }
    if !list && made.is_none() {
        context.out.text("nothing to move")?;
    }
    let rows = rows.iter().map(|row| {
        let ArchiveRow { after, until, file, bytes, at } = row;
        vec![number(after.0 + 1), number(until), text(when(*at)), number(bytes), text(file.display().to_string())]
    });
    context.out.table(&["from version", "to", "made", "bytes", "file"], rows.collect())?;
    Ok(Exit::Done)
}
