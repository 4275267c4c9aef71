//! `rosterd hold`: what guards hold, shown before anybody decides, and the decision (R119 to R123).

use clap::{Args, Subcommand};

use crate::base::{PersonKey, RunId};
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{balance, number, text};
use crate::cli::progress::Progress;
use crate::cli::words::{counted, run_next, run_text, when};
use crate::license::Hold;
use crate::plan::{Plan, PoolOutlook};
use crate::service::{Customer, HoldAnswer, HoldDone, Service};
use crate::shape::{HoldDetailJson, HoldDoneJson, HoldsJson, hold_answer};

/// Arguments of `hold`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Example:\n  rosterd hold list && rosterd hold show 12 && rosterd hold approve 12 --except t-058"
)]
pub struct HoldArgs {
    #[command(subcommand)]
    verb: HoldVerb,
}

#[derive(Debug, Subcommand)]
enum HoldVerb {
    /// List holds, newest first.
    #[command(after_help = "Examples:\n  rosterd hold list\n  rosterd hold list north --all")]
    List {
        /// Of one customer only.
        customer: Option<String>,
        /// Also those that are decided or closed.
        #[arg(long)]
        all: bool,
    },
    /// Show a hold: who waits, and what approving it would do to the pools.
    #[command(after_help = "Example:\n  rosterd hold show 12 --limit 1000")]
    Show {
        /// The run that opened it.
        run: u64,
        /// Show at most so many people; the rest is counted.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
    /// Approve a hold, and do what was held. Works once.
    #[command(after_help = "Examples:
  rosterd hold approve 12
  rosterd hold approve 12 --except t-058 --except t-059   these two stay until somebody decides anew
  rosterd hold approve 12 --allow-empty                   the source is right: the collection is empty")]
    Approve {
        /// The run that opened it.
        run: u64,
        /// Somebody who stays as they are; may be given several times.
        #[arg(long, value_name = "PERSON")]
        except: Vec<String>,
        /// A collection that came back empty is right.
        #[arg(long)]
        allow_empty: bool,
    },
    /// Reject a hold: everybody stays as they are. The same removals in the next package open a new hold.
    #[command(after_help = "Example:\n  rosterd hold reject 12")]
    Reject {
        /// The run that opened it.
        run: u64,
    },
}

/// Lists, shows or decides.
///
/// # Errors
/// When the books cannot be read or written, or there is no such hold or customer.
pub fn run(context: &mut Context, args: &HoldArgs) -> Result<Exit, CliError> {
    let service = match &args.verb {
        HoldVerb::List { .. } | HoldVerb::Show { .. } => context.service()?,
        HoldVerb::Approve { .. } | HoldVerb::Reject { .. } => context.service_to_write()?,
    };
    match &args.verb {
        HoldVerb::List { customer, all } => list(context, &service, customer.as_deref(), *all),
        HoldVerb::Show { run, limit } => show(context, &service, RunId(*run), *limit),
        HoldVerb::Approve { run, except, allow_empty } => {
            let except: Vec<PersonKey> = except.iter().map(|key| PersonKey::from(key.as_str())).collect();
            let progress = Progress::start(format!("approving hold {run}"));
            let done = service.approve_hold(RunId(*run), &actor(), &except, *allow_empty, &|_| ())?;
            drop(progress);
            decided(context, &done)
        }
        HoldVerb::Reject { run } => {
            let done = service.reject_hold(RunId(*run), &actor())?;
            decided(context, &done)
        }
    }
}

fn list(context: &mut Context, service: &Service, customer: Option<&str>, all: bool) -> Result<Exit, CliError> {
    let customers: Vec<&Customer> = match customer {
        Some(id) => vec![service.customer(id)?],
        None => service.customers().iter().collect(),
    };
    let now = service.now();
    let mut found: Vec<(&Customer, Hold)> = Vec::new();
    for customer in customers {
        let holds = service.holds(customer)?;
        found.extend(holds.into_iter().filter(|hold| all || hold.is_open(now)).map(|hold| (customer, hold)));
    }
    if context.out.is_json() {
        context.out.json(&HoldsJson::new(&found))?;
        return Ok(Exit::Done);
    }
    let rows = found.iter().map(|(customer, hold)| {
        vec![
            number(hold.run),
            text(customer.id().as_str()),
            text(hold.state.word()),
            text(when(hold.opened)),
            text(when(hold.deadline)),
            number(hold.removals.len()),
            number(hold.additions.len()),
            text(hold.trips.join("; ")),
        ]
    });
    let header = ["run", "customer", "state", "opened", "decide until", "removals", "additions", "because"];
    context.out.table(&header, rows.collect())?;
    context.out.text(&counted(found.len() as u64, if all { "hold" } else { "open hold" }))?;
    Ok(Exit::Done)
}

fn show(context: &mut Context, service: &Service, run: RunId, limit: usize) -> Result<Exit, CliError> {
    let (customer, hold) = service.hold(run)?;
    let plan = service.hold_preview(customer, &hold)?;
    if context.out.is_json() {
        context.out.json(&HoldDetailJson::new(customer.id().as_str(), &hold, plan.as_ref()))?;
        return Ok(Exit::Done);
    }
    tell(context, customer, &hold, limit)?;
    match &plan {
        Some(plan) => effect(context, plan)?,
        None if hold.is_open(service.now()) => {
            context.out.text("its packages are not to be had now: their source is down or paused, or they are gone, and newer ones are judged anew")?;
        }
        None => context.out.text("nothing is left to decide")?,
    }
    Ok(Exit::Done)
}

fn tell(context: &mut Context, customer: &Customer, hold: &Hold, limit: usize) -> Result<(), CliError> {
    let out = &mut context.out;
    out.text(&format!(
        "hold {} of {}: {}\n  opened {}, decide until {}\n  {}",
        hold.run,
        customer.id(),
        hold.state.word(),
        when(hold.opened),
        when(hold.deadline),
        hold.trips.join("\n  ")
    ))?;
    if let (Some(by), Some(at)) = (&hold.by, hold.at) {
        out.text(&format!("  decided by {by} at {}", when(at)))?;
    }
    if let Some(used) = hold.used {
        out.text(&format!("  done by run {used}"))?;
    }
    for (source, (_, name)) in &hold.packages {
        out.text(&format!("  nothing of {name} from {source} is taken in"))?;
    }
    let parts = [("would go", &hold.removals), ("would come", &hold.additions), ("stay by decision", &hold.exceptions)];
    for (what, people) in parts.into_iter().filter(|(_, people)| !people.is_empty()) {
        let keys: Vec<&str> = people.iter().take(limit).map(PersonKey::as_str).collect();
        let more = if people.len() > limit { format!(" … and {} more", people.len() - limit) } else { String::new() };
        out.text(&format!("{what} ({}): {}{more}", people.len(), keys.join(" ")))?;
    }
    Ok(())
}

fn effect(context: &mut Context, plan: &Plan) -> Result<(), CliError> {
    context.out.text("if approved as a whole, now:")?;
    let moved = |pool: &&PoolOutlook| pool.before != pool.after || pool.balance_before != pool.balance;
    let rows = plan.pools.iter().filter(moved).map(|pool| {
        vec![
            text(pool.pool.as_str()),
            number(pool.before.used()),
            number(pool.after.used()),
            balance(pool.balance_before),
            balance(pool.balance),
            number(pool.released),
            number(pool.seated),
        ]
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        context.out.text("no pool changes")?;
    }
    context.out.table(&["pool", "used", "then used", "available", "then", "released", "seated"], rows)?;
    Ok(())
}

fn decided(context: &mut Context, done: &HoldDone) -> Result<Exit, CliError> {
    let HoldDone { answer, hold, run, request: _ } = done;
    if context.out.is_json() {
        context.out.json(&HoldDoneJson::from(done))?;
    } else {
        context.out.text(&hold_answer(done).1)?;
        if let Some(row) = run {
            context.out.text(&run_text(row))?;
            if hold.used.is_none() {
                context.out.text("what was approved is not done yet: the next run does it, until the deadline")?;
            }
            if let Some(next) = run_next(row) {
                context.out.text(&format!("next: {next}"))?;
            }
        }
    }
    Ok(match (answer, run) {
        (HoldAnswer::Done, None) => Exit::Done,
        (HoldAnswer::Done, Some(row)) => Exit::of_run(row.state),
        _ => Exit::Refused,
    })
}
