//! `rosterd renewals`: terms that end, or have ended, without a successor (R88).

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{flagged, text};
use crate::license::TermState;
use crate::service::{Customer, TermView};
use crate::shape::RenewalsJson;

/// Arguments of `renewals`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  rosterd renewals\n  rosterd renewals north --all")]
pub struct RenewalsArgs {
    /// Of one customer only.
    customer: Option<String>,
    /// Every pool that has terms, also where nothing is to be done.
    #[arg(long)]
    all: bool,
}

/// Lists renewals.
///
/// # Errors
/// When the books cannot be read, or there is no such customer.
pub fn run(context: &mut Context, args: &RenewalsArgs) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customers: Vec<&Customer> = match &args.customer {
        Some(id) => vec![service.customer(id)?],
        None => service.customers().iter().collect(),
    };
    let rows = service.renewals(&customers, args.all)?;
    if context.out.is_json() {
        context.out.json(&RenewalsJson::new(&rows))?;
        return Ok(Exit::Done);
    }
    let day = |day: Option<crate::base::Day>| text(day.map_or(String::new(), |day| day.to_string()));
    let cells = rows.iter().map(|(customer, pool, view)| {
        let TermView { phase, last_day, access_until, next, renewal_due } = view;
        let id = |id: &Option<crate::base::GrantId>| text(id.as_ref().map_or("", |id| id.as_str()));
        vec![
            text(customer.as_str()),
            text(pool.as_str()),
            flagged(text(phase.state.word()), !matches!(phase.state, TermState::Current | TermState::NotStarted)),
            id(&phase.term),
            day(*last_day),
            day(*access_until),
            id(next),
            text(if *renewal_due { "due" } else { "" }),
        ]
    });
    let header = ["customer", "pool", "state", "term", "last day", "access until", "next term", "renewal"];
    context.out.table(&header, cells.collect())?;
    if rows.is_empty() {
        context.out.text("no renewal is due (`--all` lists every pool that has terms)")?;
    }
    Ok(Exit::Done)
}
