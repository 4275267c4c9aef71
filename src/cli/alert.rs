//! `rosterd alert`: whether notices get where they should (R153, R154).

use std::sync::Arc;

use clap::{Args, Subcommand};

use crate::base::ErrorChain;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{number, text};
use crate::cli::parts;
use crate::cli::words::when;
use crate::notify::{Answer, Message, Notifier};
use crate::service::{Outbox, Service, ServiceError};
use crate::shape::{AlertsJson, ReplayedJson, TriedJson};
use crate::store::AlertState;

/// Arguments of `alert`.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Examples:
  rosterd alert test
  rosterd alert list --dead
  rosterd alert replay --dead"
)]
pub struct AlertArgs {
    #[command(subcommand)]
    verb: AlertVerb,
}

#[derive(Debug, Subcommand)]
enum AlertVerb {
    /// Send a test message and tell what came back. No notice is written, no clock starts.
    #[command(after_help = "Examples:
  rosterd alert test                    by every channel
  rosterd alert test northfield/office  by this one")]
    Test {
        /// By which channel: its id, for a customer's own one after the customer's id and a slash; by all if left out.
        channel: Option<String>,
    },
    /// List deliveries, newest first.
    #[command(after_help = "Examples:\n  rosterd alert list --dead\n  rosterd alert list --limit 100 --json")]
    List {
        /// Only those that were given up.
        #[arg(long)]
        dead: bool,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
    /// Have deliveries made again by the daemon: those that were given up, or one notice. The message keeps its id.
    #[command(after_help = "Examples:
  rosterd alert replay --dead
  rosterd alert replay --dead --channel crm
  rosterd alert replay north overage_major/learn-main/3/1
  rosterd alert replay north overage_major/learn-main/3/1 --channel north/office")]
    Replay {
        /// All that were given up.
        #[arg(long, conflicts_with = "customer", required_unless_present = "customer")]
        dead: bool,
        /// Of which customer.
        #[arg(requires = "key")]
        customer: Option<String>,
        /// The notice's key, as `notices list` shows it.
        key: Option<String>,
        /// Only by this channel.
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
    },
}

/// Tries, lists, repeats.
///
/// # Errors
/// When the store cannot be used, or there is no such channel, customer or notice.
pub fn run(context: &mut Context, args: &AlertArgs) -> Result<Exit, CliError> {
    let settings = context.settings()?;
    let outbox = |service: Service| parts::outbox(&settings, Arc::new(service));
    match &args.verb {
        AlertVerb::Test { channel } => {
            let channels = parts::channels(&settings);
            let now = parts::clock(context.as_of).now();
            test(context, &channels, channel.as_deref(), |notifier| Message::test(&notifier.settings().name, now))
        }
        AlertVerb::List { dead, limit } => {
            let outbox = outbox(context.service()?);
            list(context, &outbox, dead.then_some(AlertState::Dead), *limit)
        }
        AlertVerb::Replay { dead: _, customer, key, channel } => {
            let outbox = outbox(context.service_to_write()?);
            replay(context, &outbox, customer.as_deref().zip(key.as_deref()), channel.as_deref())
        }
    }
}

fn test(
    context: &mut Context,
    channels: &[Notifier],
    name: Option<&str>,
    message: impl Fn(&Notifier) -> Message,
) -> Result<Exit, CliError> {
    let tried: Vec<&Notifier> = match name {
        Some(name) => vec![Outbox::channel_of(channels, name)?],
        None => channels.iter().collect(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(crate::daemon::ServeError::Runtime)?;
    let mut told = Vec::with_capacity(tried.len());
    for notifier in tried {
        let message = message(notifier);
        let now = parts::clock(context.as_of).now();
        told.push((notifier.settings().name.as_str(), message.id.clone(), runtime.block_on(notifier.send(&message, now))));
    }
    let all_took_it = told.iter().all(|(_, _, sent)| sent.is_ok());
    if context.out.is_json() {
        context.out.json(&TriedJson::new(told.iter().map(|(name, id, sent)| (*name, id.as_str(), sent))))?;
    } else if told.is_empty() {
        context.out.text("there is no channel in the settings: nobody is told of notices but the log")?;
    }
    for (name, _, sent) in told.iter().filter(|_| !context.out.is_json()).collect::<Vec<_>>() {
        let said = |said: &str| if said.is_empty() { String::new() } else { format!(", and said: {said}") };
        context.out.text(&match sent {
            Ok(Answer { status, said: words }) => format!("ok     {name}: it answered with {status}{}", said(words)),
            Err(error) => format!("WRONG  {name}: could not {}{}", ErrorChain(error), said(error.said())),
        })?;
    }
    Ok(if all_took_it { Exit::Done } else { Exit::Refused })
}

fn list(context: &mut Context, outbox: &Outbox, state: Option<AlertState>, limit: u32) -> Result<Exit, CliError> {
    let rows = outbox.list(state, limit)?;
    if context.out.is_json() {
        context.out.json(&AlertsJson::new(outbox, &rows))?;
        return Ok(Exit::Done);
    }
    let cells = rows.iter().map(|row| {
        let (notice, ended) = (&row.notice, row.ended.map_or(String::new(), when));
        let next = if row.state == AlertState::Waiting { format!("next try {}", when(row.next)) } else { ended };
        let state = if next.is_empty() { row.state.word().to_owned() } else { format!("{}, {next}", row.state.word()) };
        vec![
            text(&row.channel),
            text(notice.customer.as_str()),
            text(&notice.key),
            text(state),
            number(row.tries),
            text(&row.error),
        ]
    });
    context.out.table(&["channel", "customer", "notice", "state", "tries", "last error"], cells.collect())?;
    Ok(Exit::Done)
}

fn replay(
    context: &mut Context,
    outbox: &Outbox,
    notice: Option<(&str, &str)>,
    channel: Option<&str>,
) -> Result<Exit, CliError> {
    let (count, channels) = match notice {
        Some((customer, key)) => {
            let channels = outbox.replay(customer, key, channel)?;
            (channels.len(), channels)
        }
        None => (outbox.replay_dead(channel)?, Vec::new()),
    };
    let is_served = outbox.service().store().daemon().map_err(ServiceError::from)?.is_some();
    if context.out.is_json() {
        context.out.json(&ReplayedJson { replayed: count, channels, daemon: is_served })?;
        return Ok(Exit::Done);
    }
    let by = if channels.is_empty() { String::new() } else { format!(" by {}", channels.join(", ")) };
    let when = if is_served { "" } else { ", as soon as a daemon runs" };
    let said = match (count, notice) {
        (0, Some(_)) => "no channel carries this notice (name one with --channel)".to_owned(),
        (0, None) => "nothing was given up".to_owned(),
        (1, _) => format!("one delivery is made again{by}{when}"),
        _ => format!("{count} deliveries are made again{by}{when}"),
    };
    context.out.text(&said)?;
    Ok(Exit::Done)
}
