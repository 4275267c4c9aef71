//! `rosterd renewals`: terms that end, or have ended, without a successor (R88).

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{flagged, text};
use crate::license::TermState;
use crate::service::{Customer, TermView};
use crate::shape::TermStateJson;

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

#[derive(Debug, Serialize)]
struct RenewalsJson {
    renewals: Vec<RenewalJson>,
}

#[derive(Debug, Serialize)]
struct RenewalJson {
    customer: String,
    pool: String,
    #[serde(flatten)]
    term: TermStateJson,
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
    let mut rows = Vec::new();
    for customer in customers {
        let views = service.term_views(customer)?;
        let wanted = views.into_iter().filter(|(_, view)| args.all || view.renewal_due);
        rows.extend(wanted.map(|(pool, view)| (customer.id().to_string(), pool, view)));
    }
    // What ends first comes first.
    rows.sort_by(|(a, ap, av), (b, bp, bv)| (av.phase.term_end, a, ap).cmp(&(bv.phase.term_end, b, bp)));
    if context.out.is_json() {
        let renewals = rows.iter().map(|(customer, pool, view)| RenewalJson {
            customer: customer.clone(),
            pool: pool.to_string(),
            term: TermStateJson::from(view),
        });
        context.out.json(&RenewalsJson { renewals: renewals.collect() })?;
        return Ok(Exit::Done);
    }
    let day = |day: Option<crate::base::Day>| text(day.map_or(String::new(), |day| day.to_string()));
    let cells = rows.iter().map(|(customer, pool, view)| {
        let TermView { phase, last_day, access_until, next, renewal_due } = view;
        let id = |id: &Option<crate::base::GrantId>| text(id.as_ref().map_or("", |id| id.as_str()));
        vec![
            text(customer),
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
