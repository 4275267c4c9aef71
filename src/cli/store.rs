//! `rosterd store`: the books move to another database.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::base::Secret;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{number, text};
use crate::cli::parts;
use crate::cli::progress::Progress;
use crate::cli::words::counted;
use crate::service::{Service, Verified};
use crate::store::{self, Opening, PostgresChoice, SharedStore, StoreChoice};

/// Arguments of `store`.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "Example:\n  rosterd store copy --from sqlite:/var/lib/rosterd/rosterd.db --to postgres:"
)]
pub struct StoreArgs {
    #[command(subcommand)]
    verb: StoreVerb,
}

#[derive(Debug, Subcommand)]
enum StoreVerb {
    /// Copy all books into another, empty store, and prove both by the trail.
    #[command(after_help = "Examples:
  rosterd store copy --from sqlite:/var/lib/rosterd/rosterd.db --to postgres:    `postgres:` is what the settings say in store.url
  rosterd store copy --from postgres: --to sqlite:/var/lib/rosterd/again.db      and back
  rosterd store copy --from postgres: --to postgres://rosterd@%2Frun%2Fpostgresql/other")]
    Copy {
        /// The store to copy: sqlite:FILE, postgres: or postgres://…
        #[arg(long, value_name = "PLACE")]
        from: String,
        /// An empty one: sqlite:FILE, postgres: or postgres://…
        #[arg(long, value_name = "PLACE")]
        to: String,
    },
}

#[derive(Debug, Serialize)]
struct CopiedJson {
    from: String,
    to: String,
    tables: Vec<TableJson>,
    customers: Vec<ProvedJson>,
}

#[derive(Debug, Serialize)]
struct TableJson {
    table: &'static str,
    rows: u64,
}

#[derive(Debug, Serialize)]
struct ProvedJson {
    customer: String,
    commits: u64,
    hash: String,
    ok: bool,
}

/// Copies a store.
///
/// # Errors
/// When one of them cannot be opened, the other is not empty, a daemon works on one, or the copy proves different.
pub fn run(context: &mut Context, args: &StoreArgs) -> Result<Exit, CliError> {
    let StoreVerb::Copy { from, to } = &args.verb;
    let (from, to) = (choice(context, from)?, choice(context, to)?);
    let progress = Progress::start(format!("copying {from} to {to}"));
    let tables = store::copy(&from, &to)?;
    let (before, after) = (store::open(&from, Opening::Existing)?, store::open(&to, Opening::Existing)?);
    let (before, after) = (proved(before)?, proved(after)?);
    drop(progress);
    let same = before.iter().chain(&after).all(|proof| proof.ok)
        && before.iter().map(|p| (&p.customer, &p.hash)).eq(after.iter().map(|p| (&p.customer, &p.hash)));
    let rows: u64 = tables.iter().map(|(_, rows)| rows).sum();
    let (from, to) = (from.to_string(), to.to_string());
    if context.out.is_json() {
        let tables = tables.into_iter().map(|(table, rows)| TableJson { table, rows }).collect();
        context.out.json(&CopiedJson { from, to, tables, customers: after })?;
    } else {
        let proofs = after.iter().map(|proof| {
            let sound = if proof.ok { "the books are what the trail says" } else { "DIFFERENT" };
            vec![text(&proof.customer), number(proof.commits), text(proof.hash.get(..12).unwrap_or_default()), text(sound)]
        });
        context.out.table(&["customer", "commits", "hash", "proof"], proofs.collect())?;
        context.out.text(&format!("{from} is copied to {to}: {}", counted(rows, "row")))?;
        if !same {
            context.out.text("the proofs of the two differ: do not use the copy")?;
        }
    }
    Ok(if same { Exit::Done } else { Exit::Bug })
}

fn choice(context: &Context, place: &str) -> Result<StoreChoice, CliError> {
    if let Some(path) = place.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
        return Ok(StoreChoice::Sqlite { path: PathBuf::from(path) });
    }
    if place == "postgres:" {
        let said = context.settings()?.store.postgres;
        return said.map(StoreChoice::Postgres).ok_or_else(|| {
            CliError::Usage("`postgres:` is the database of the settings, and their store is of another kind".into())
        });
    }
    let choice = PostgresChoice::at(Secret::new(place));
    if !place.starts_with("postgres://") || choice.check().is_err() {
        return Err(CliError::Usage("a store is sqlite:FILE, postgres: or postgres://user:password@host/database".into()));
    }
    Ok(StoreChoice::Postgres(choice))
}

/// The trail of every customer, replayed and held against its books.
fn proved(store: SharedStore) -> Result<Vec<ProvedJson>, CliError> {
    let customers = store.customers()?;
    let service = Service::new(store, parts::clock(None), Vec::new());
    let proof = |customer| {
        let report = service.verify_books(&customer)?;
        let ok = report.verified == Verified::Clean;
        Ok(ProvedJson { customer: customer.to_string(), commits: report.commits, hash: report.hash.to_string(), ok })
    };
    customers.into_iter().map(proof).collect()
}
