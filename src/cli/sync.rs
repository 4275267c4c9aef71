//! `rosterd sync`: a same-day run, by the daemon or here (R96).

use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use crate::base::{RequestId, RunId};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::progress::Progress;
use crate::cli::wish::WishArgs;
use crate::cli::words::{quota_text, run_next, run_text, when};
use crate::service::{Customer, SameDayAnswer, SameDayQuota, Service};
use crate::shape::{QuotaJson, RunJson, at};
use crate::store::{Asked, RequestState, RunRow, Trigger};

/// How often a request is looked at.
const POLL: Duration = Duration::from_millis(250);
/// How long a daemon may be away, as when it is restarted, before waiting for it is given up.
const AWAY_MAX: Duration = Duration::from_secs(30);

/// Arguments of `sync`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd sync north                 asks the daemon for a run and returns; exits 1 if today's number is used up
  rosterd sync north --source sis    reads one source, the others stand as they were last taken in
  rosterd sync north --person s-1    takes in one person, everybody else stays as last taken in
  rosterd sync north --org elm       the same for all who have or had a role in an org or below it
  rosterd sync north --full          reads everything, also of sources that were to tell changes only
  rosterd sync north --wait          waits for it; exits 0, 3, 5 or 6 as it ends
  rosterd sync north --here          runs in this process; for when no daemon runs")]
pub struct SyncArgs {
    /// Whose rosters.
    customer: String,
    #[command(flatten)]
    wish: WishArgs,
    /// Read everything, also where changes since the last read, or a revision that stayed, would do.
    #[arg(long)]
    full: bool,
    /// Wait until the run is over, and show it.
    #[arg(long, conflicts_with = "here")]
    wait: bool,
    /// Run in this process, whatever number is left. The daemon may stay up: a commit is whole or absent.
    #[arg(long)]
    here: bool,
}

#[derive(Debug, Serialize)]
struct SyncJson {
    /// `null` with `--here`, and if it was refused.
    request: Option<u64>,
    /// All of today's number are used up (R98).
    refused: bool,
    /// It joined one that was still in line (R97).
    joined: bool,
    /// Its place among all that are in line, from 1.
    position: Option<u32>,
    /// By when it is to be over.
    deadline: Option<String>,
    /// `null` with `--here`.
    quota: Option<QuotaJson>,
    /// A daemon runs, so that it will be taken.
    daemon: bool,
    /// With `--wait` and `--here`.
    run: Option<RunJson>,
}

/// Asks for a run, or makes one.
///
/// # Errors
/// When the store cannot be used, or a run of this customer is under way.
pub fn run(context: &mut Context, args: &SyncArgs) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let customer = service.customer(&args.customer)?;
    let daemon = service.store().daemon()?.is_some();
    let asked = args.wish.asked(customer)?;
    if args.full {
        service.forget_cursors(customer, asked.source.as_ref())?;
    }
    let mut json = SyncJson {
        request: None,
        refused: false,
        joined: false,
        position: None,
        deadline: None,
        quota: None,
        daemon,
        run: None,
    };
    if args.here {
        let row = here(&service, customer, daemon, asked)?;
        return answer(context, json, Some(&row));
    }
    let (place, deadline, quota) = match service.request_same_day(customer, &asked)? {
        SameDayAnswer::Taken { place, deadline, quota } => (place, deadline, quota),
        SameDayAnswer::Refused { quota } => {
            json.refused = true;
            json.quota = Some(quota.into());
            return refused(context, json, quota);
        }
    };
    let request = place.request;
    json.request = Some(request.0);
    json.joined = place.joined;
    json.position = Some(place.position);
    json.deadline = at(deadline);
    json.quota = Some(quota.into());
    if !context.out.is_json() {
        let said = if place.joined { "was still in line; this one joined it" } else { "is in line" };
        context.out.text(&format!(
            "request {request} of {} {said}, at place {}, to be over by {}; {}",
            customer.id(),
            place.position,
            when(deadline),
            quota_text(quota)
        ))?;
        context.out.flush()?;
    }
    if args.wait {
        let row = wait(&service, customer, request)?;
        return answer(context, json, row.as_ref());
    }
    if context.out.is_json() {
        context.out.json(&json)?;
    } else if !daemon {
        let id = customer.id();
        context.out.text(&format!(
            "no daemon runs on this store, so nobody takes it: start `rosterd serve`, or use `rosterd sync {id} --here`"
        ))?;
    }
    Ok(Exit::Done)
}

fn here(service: &Service, customer: &Customer, daemon: bool, asked: Asked) -> Result<RunRow, CliError> {
    // Without a daemon, a run that is not over was left behind by a process that died.
    if daemon && service.is_running(customer)? {
        let run = service.store().runs(Some(customer.id()), 1)?.first().map_or(RunId(0), |row| row.run);
        return Err(CliError::RunInProgress { customer: customer.id().clone(), run });
    }
    let progress = Progress::start(customer.id().to_string());
    Ok(service.sync(customer, &Trigger::SameDay(asked), &|phase| progress.phase(customer.id().as_str(), phase))?)
}

fn refused(context: &mut Context, json: SyncJson, quota: SameDayQuota) -> Result<Exit, CliError> {
    if context.out.is_json() {
        context.out.json(&json)?;
    } else {
        context.out.text(&format!("refused: {}; the nightly run does not count", quota_text(quota)))?;
    }
    Ok(Exit::Refused)
}

/// Waits until a request is over; its run, if it came to one.
fn wait(service: &Service, customer: &Customer, request: RequestId) -> Result<Option<RunRow>, CliError> {
    let progress = Progress::start(format!("request {request} waits its turn"));
    let mut seen = Instant::now();
    let mut ever_seen = false;
    loop {
        let row = service.store().request_row(request)?;
        let Some(row) = row.filter(|row| row.state != RequestState::Done || row.run.is_some()) else { return Ok(None) };
        if let (RequestState::Done, Some(run)) = (row.state, row.run) {
            return Ok(Some(service.run_row(run)?));
        }
        if row.state == RequestState::Running {
            progress.say(format!("request {request} of {} is being worked on", customer.id()));
        }
        if service.store().daemon()?.is_some() {
            (seen, ever_seen) = (Instant::now(), true);
        } else if !ever_seen || seen.elapsed() > AWAY_MAX {
            return Err(CliError::NobodyAtWork { request, customer: customer.id().clone() });
        }
        sleep(POLL);
    }
}

fn answer(context: &mut Context, mut json: SyncJson, row: Option<&RunRow>) -> Result<Exit, CliError> {
    let exit = row.map_or(Exit::RunFailed, |row| Exit::of_run(row.state));
    if context.out.is_json() {
        json.run = row.map(RunJson::from);
        context.out.json(&json)?;
        return Ok(exit);
    }
    match row {
        Some(row) => {
            context.out.text(&run_text(row))?;
            if let Some(next) = run_next(row) {
                context.out.text(&format!("next: {next}"))?;
            }
        }
        None => context.out.text("the request ended without a run; the daemon's log tells why")?,
    }
    Ok(exit)
}
