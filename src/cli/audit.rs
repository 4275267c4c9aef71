//! `rosterd audit`: the trail, the proof of the books, and the trail for others to prove (R159).

use std::ops::ControlFlow;

use clap::{Args, Subcommand};

use crate::base::{CustomerId, Version};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{number, text};
use crate::cli::progress::Progress;
use crate::cli::words::{counted, when};
use crate::service::Customer;
use crate::shape::{CommitJson, HeadJson, HeadsJson, ProofJson, ProofsJson};

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

/// Reads, proves or exports the trail.
///
/// # Errors
/// When the trail cannot be read, or there is no such customer.
pub fn run(context: &mut Context, args: &AuditArgs) -> Result<Exit, CliError> {
    match &args.verb {
        AuditVerb::List { customer, after, limit } => list(context, customer, *after, *limit),
        AuditVerb::Verify { customer } => verify(context, customer.as_deref()),
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
        heads.push(HeadJson::from(&commit));
        ControlFlow::Continue(())
    })?;
    if context.out.is_json() {
        context.out.json(&HeadsJson { customer: customer.id().as_str(), commits: heads })?;
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
        proofs.push(ProofJson::new(customer, !strangers.contains(customer), service.verify_books(customer))?);
    }
    drop(progress);
    let ok = proofs.iter().all(|proof| proof.ok);
    if context.out.is_json() {
        context.out.json(&ProofsJson { ok, customers: proofs })?;
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
