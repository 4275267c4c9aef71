//! `rosterd pause` and `rosterd resume`: windows in which a source is not read (R108).

use clap::Args;
use serde::Serialize;

use crate::base::{Day, SourceId};
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::words::{counted, day, when};
use crate::service::pause_text;
use crate::shape::PauseJson;
use crate::store::Pause;

/// Arguments of `pause`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd pause north sis --to 2026-08-15 --reason rollover
  rosterd pause north sis --from 2026-07-01 --to 2026-08-15 --reason 'the vendor closes the school year'")]
pub struct PauseArgs {
    /// Of which customer.
    customer: String,
    /// Which source.
    source: String,
    /// The first day it is not read, in the customer's calendar; from now on if left out.
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<Day>,
    /// The first day it is read again.
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Day,
    /// Why; no personal data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  rosterd resume north sis")]
pub struct ResumeArgs {
    /// Of which customer.
    customer: String,
    /// Which source.
    source: String,
}

#[derive(Debug, Serialize)]
struct PausedJson {
    customer: String,
    pause: PauseJson,
}

#[derive(Debug, Serialize)]
struct ResumedJson {
    customer: String,
    source: String,
    /// How many pauses were lifted.
    lifted: u32,
    /// A pause of the settings that still holds.
    still: Option<PauseJson>,
}

/// Pauses a source.
///
/// # Errors
/// When there is no such source, the window is empty, or the store cannot be written.
pub fn pause(context: &mut Context, args: &PauseArgs) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let customer = service.customer(&args.customer)?;
    let calendar = &customer.policy.calendar;
    let pause = Pause {
        source: SourceId::from(args.source.as_str()),
        from: args.from.map_or(service.now(), |day| calendar.start_of(day)),
        to: calendar.start_of(args.to),
        reason: args.reason.clone(),
    };
    if pause.to <= pause.from || pause.to <= service.now() {
        return Err(CliError::Usage(format!("--to {} leaves no time to pause", args.to)));
    }
    service.pause(customer, &pause, &actor())?;
    if context.out.is_json() {
        context.out.json(&PausedJson { customer: customer.id().to_string(), pause: PauseJson::from(&pause) })?;
    } else {
        let Pause { source, from, to, .. } = &pause;
        context.out.text(&format!(
            "source {source} of {} is not read from {} until {}; seats, dates and notices go on",
            customer.id(),
            when(*from),
            when(*to)
        ))?;
    }
    Ok(Exit::Done)
}

/// Lifts the pauses of a source.
///
/// # Errors
/// When there is no such source, or the store cannot be written.
pub fn resume(context: &mut Context, args: &ResumeArgs) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let customer = service.customer(&args.customer)?;
    let (lifted, still) = service.resume(customer, &SourceId::from(args.source.as_str()), &actor())?;
    if context.out.is_json() {
        let (customer, source) = (customer.id().to_string(), args.source.clone());
        context.out.json(&ResumedJson { customer, source, lifted, still: still.as_ref().map(PauseJson::from) })?;
        return Ok(Exit::Done);
    }
    let lifted =
        if lifted == 0 { "no pause made by hand was left to lift".to_owned() } else { counted(lifted, "pause") + " lifted" };
    context.out.text(&lifted)?;
    if let Some(pause) = &still {
        context.out.text(&format!("{}, by the settings", pause_text(pause)))?;
    }
    Ok(Exit::Done)
}
