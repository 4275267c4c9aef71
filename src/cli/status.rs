//! `rosterd status`: how customers stand.

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::words::{POOL_HEADER, freshness_text, hold_line, pool_cells, quota_text, run_text, term_line, when};
use crate::service::{Customer, CustomerStatus, Service, SourceState, pause_text};
use crate::shape::{CustomerJson, DaemonJson};
use crate::store::{AlertState, DaemonMark};

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rosterd status\n  rosterd status --fail       exits 69, 5, 3 or 75 by the worst, for monitors\n  rosterd status north --json | jq '.customers[].pools[].available'"
)]
pub struct StatusArgs {
    /// Of one customer only.
    customer: Option<String>,
    /// Exit by the worst: no daemon (69), a failed run (5), an open hold (3), stale data (75).
    #[arg(long)]
    fail: bool,
}

#[derive(Debug, Serialize)]
struct StatusJson {
    daemon: Option<DaemonJson>,
    alerts: AlertsJson,
    customers: Vec<CustomerJson>,
}

/// Deliveries of notices.
#[derive(Debug, Serialize)]
struct AlertsJson {
    /// How many were given up.
    dead: usize,
}

/// Tells how customers stand.
///
/// # Errors
/// When the books cannot be read, or there is no such customer.
pub fn run(context: &mut Context, args: &StatusArgs) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customers: Vec<&Customer> = match &args.customer {
        Some(id) => vec![service.customer(id)?],
        None => service.customers().iter().collect(),
    };
    let daemon = service.store().daemon()?;
    let dead = service.store().alerts(Some(AlertState::Dead), u32::MAX)?.len();
    let stands = service.statuses(&customers)?;
    let exit = if args.fail { worst(daemon.is_some(), &stands) } else { Exit::Done };
    if context.out.is_json() {
        let answer = StatusJson {
            daemon: daemon.map(DaemonJson::from),
            alerts: AlertsJson { dead },
            customers: stands.into_iter().map(CustomerJson::from).collect(),
        };
        context.out.json(&answer)?;
        service.leave();
        return Ok(exit);
    }
    context.out.text(&daemon_text(&service, daemon.as_ref()))?;
    if dead > 0 {
        let notices = if dead == 1 { "notice was" } else { "notices were" };
        context.out.text(&format!("{dead} {notices} given up (`rosterd alert list --dead`)"))?;
    }
    for status in &stands {
        tell(context, status)?;
    }
    service.leave();
    Ok(exit)
}

/// What a monitor has to know first. Somebody who waits for a seat is no failure: it is told by the pool.
fn worst(is_served: bool, customers: &[CustomerStatus]) -> Exit {
    let any = |is_so: fn(&CustomerStatus) -> bool| customers.iter().any(is_so);
    if !is_served {
        Exit::DaemonDown
    } else if any(|c| c.last_run.as_ref().is_some_and(|run| Exit::of_run(run.state) == Exit::RunFailed && run.state.is_over()))
    {
        Exit::RunFailed
    } else if any(|c| c.hold.is_some()) {
        Exit::Held
    } else if any(|c| c.freshness.stale) {
        Exit::SourceDown
    } else {
        Exit::Done
    }
}

fn daemon_text(service: &Service, daemon: Option<&DaemonMark>) -> String {
    let place = service.store().place();
    match daemon {
        Some(DaemonMark { pid, host, since }) => format!("daemon of {place}: process {pid} on {host}, since {}", when(*since)),
        None => format!("daemon of {place}: none runs (`rosterd serve` starts one)"),
    }
}

fn tell(context: &mut Context, status: &CustomerStatus) -> Result<(), CliError> {
    let CustomerStatus { customer, name, version, freshness, pools, last_run, hold, notices, same_day, paused, sources } =
        status;
    context.out.text(&format!("\n{customer} ({name}), version {version}, {}", freshness_text(*freshness)))?;
    context.out.table(&POOL_HEADER, pools.iter().map(pool_cells).collect())?;
    for pool in pools {
        if let Some(line) = pool.term.as_ref().filter(|term| term.renewal_due).and_then(term_line) {
            context.out.text(&format!("pool {}: {line}", pool.pool))?;
        }
    }
    match last_run {
        Some(run) => context.out.text(&run_text(run))?,
        None => context.out.text(&format!("no run yet (`rosterd plan {customer}` shows what the first would do)"))?,
    }
    if let Some(hold) = hold {
        context.out.text(&hold_line(hold))?;
    }
    context.out.text(&quota_text(*same_day))?;
    for pause in paused {
        context.out.text(&pause_text(pause))?;
    }
    for SourceState { source, trouble, .. } in sources {
        if let Some(trouble) = trouble {
            context.out.text(&format!("source {source}: {trouble}"))?;
        }
    }
    for notice in notices {
        context.out.text(&format!("notice: {}", notice.text))?;
    }
    Ok(())
}
