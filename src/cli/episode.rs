//! `rosterd episode`: overages with their clocks, as a list, one by one, and as a document for a dispute (R74).

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::base::{EpisodeId, PoolId};
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, number, text};
use crate::cli::words::{clock_text, freshness_text, when};
use crate::license::{ClockFact, ClockStep, Episode};
use crate::service::{ClockAnswer, Customer, EpisodeFile, EpisodeView, Freshness};
use crate::shape::{FreshnessJson, UpgradeJson, episode_document_json, episode_file_json, episode_view_json};

/// Arguments of `episode`.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Example:\n  rosterd episode list north && rosterd episode show north 3"
)]
pub struct EpisodeArgs {
    #[command(subcommand)]
    verb: EpisodeVerb,
}

#[derive(Debug, Subcommand)]
enum EpisodeVerb {
    /// List overages, newest first.
    #[command(after_help = "Examples:\n  rosterd episode list north\n  rosterd episode list north --pool learn-main")]
    List {
        /// Of which customer.
        customer: String,
        /// Of one pool only.
        #[arg(long)]
        pool: Option<String>,
    },
    /// Show an overage: its numbers, its stages, its notices, what is on offer.
    #[command(after_help = "Example:\n  rosterd episode show north 3")]
    Show {
        /// Of which customer.
        customer: String,
        /// Which one.
        episode: u64,
    },
    /// Write all that is known of an overage as one JSON document, for a dispute.
    #[command(after_help = "Example:\n  rosterd episode export north 3 > episode-3.json")]
    Export {
        /// Of which customer.
        customer: String,
        /// Which one.
        episode: u64,
    },
    /// Approve the upgrade of a major overage, where `auto_upgrade = \"propose\"`.
    #[command(after_help = "Example:\n  rosterd episode approve-upgrade north 3 --reason 'agreed by phone with the district'")]
    ApproveUpgrade {
        /// Of which customer.
        customer: String,
        /// Which one.
        episode: u64,
        /// Why; no personal data.
        #[arg(long)]
        reason: String,
    },
}

/// Lists, shows, exports, approves.
///
/// # Errors
/// When the books cannot be read or written, or there is no such customer or episode.
pub fn run(context: &mut Context, args: &EpisodeArgs) -> Result<Exit, CliError> {
    let service = match &args.verb {
        EpisodeVerb::ApproveUpgrade { .. } => context.service_to_write()?,
        EpisodeVerb::List { .. } | EpisodeVerb::Show { .. } | EpisodeVerb::Export { .. } => context.service()?,
    };
    match &args.verb {
        EpisodeVerb::List { customer, pool } => {
            let customer = service.customer(customer)?;
            let pool = pool.as_deref().map(PoolId::from);
            if let Some(pool) = &pool {
                customer.pool(pool)?;
            }
            let freshness = service.freshness(customer)?;
            list(context, customer, freshness, &service.episodes(customer, pool.as_ref())?)
        }
        EpisodeVerb::Show { customer, episode } => {
            let customer = service.customer(customer)?;
            let file = service.episode_file(customer, EpisodeId(*episode))?;
            show(context, customer, &file)
        }
        EpisodeVerb::Export { customer, episode } => {
            let customer = service.customer(customer)?;
            let file = service.episode_file(customer, EpisodeId(*episode))?;
            let trail = service.episode_trail(customer, &file.view.episode)?;
            context.out.json(&episode_document_json(customer, &file, &trail, service.now()))?;
            Ok(Exit::Done)
        }
        EpisodeVerb::ApproveUpgrade { customer, episode, reason } => {
            let customer = service.customer(customer)?;
            let answer = service.approve_upgrade(customer, EpisodeId(*episode), &actor(), reason)?;
            approved(context, *episode, &answer)
        }
    }
}

fn list(context: &mut Context, customer: &Customer, freshness: Freshness, views: &[EpisodeView]) -> Result<Exit, CliError> {
    if context.out.is_json() {
        let episodes: Vec<Value> = views.iter().map(episode_view_json).collect();
        let mut value = serde_json::to_value(FreshnessJson::from(freshness)).unwrap_or_default();
        value["customer"] = customer.id().as_str().into();
        value["episodes"] = Value::Array(episodes);
        context.out.json(&value)?;
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<Cell>> = views
        .iter()
        .map(|EpisodeView { episode, clock, repeat }| {
            let state = match (clock, episode.outcome) {
                (_, Some(outcome)) => format!("{} at {}", outcome.word(), episode.closed.map_or(String::new(), when)),
                (Some(clock), None) => clock_text(clock),
                (None, None) => "open".to_owned(),
            };
            vec![
                number(episode.id),
                text(episode.pool.as_str()),
                text(episode.opened_day.to_string()),
                text(episode.cause.word()),
                number(repeat),
                number(episode.peak),
                text(numbers(episode)),
                text(state),
            ]
        })
        .collect();
    context.out.table(&["episode", "pool", "opened", "cause", "nth", "peak", "now or at the end", "state"], rows)?;
    context.out.text(&freshness_text(freshness))?;
    Ok(Exit::Done)
}

fn numbers(episode: &Episode) -> String {
    episode.samples.last().map_or(String::new(), |s| format!("{} of {} ({})", s.used, s.effective, s.band.word()))
}

fn show(context: &mut Context, customer: &Customer, file: &EpisodeFile) -> Result<Exit, CliError> {
    if context.out.is_json() {
        let mut value = episode_file_json(file, true);
        value["customer"] = customer.id().as_str().into();
        context.out.json(&value)?;
        return Ok(Exit::Done);
    }
    let EpisodeFile { view: EpisodeView { episode, clock, repeat }, facts, billing, notices, grants: _ } = file;
    let out = &mut context.out;
    let end = match (episode.closed, episode.outcome) {
        (Some(closed), Some(outcome)) => format!("closed {} at {}", outcome.word(), when(closed)),
        _ => clock.as_ref().map_or("open".to_owned(), clock_text),
    };
    out.text(&format!(
        "episode {} of pool {}: {}, {end}\n  opened {} ({}), number {repeat} of its year, peak {}",
        episode.id,
        episode.pool,
        numbers(episode),
        when(episode.opened),
        episode.cause.word(),
        episode.peak
    ))?;
    if let Some(offer) = clock.as_ref().and_then(|clock| clock.offer.as_ref()) {
        let price = offer.charge.as_ref().map_or("at a price to be agreed".to_owned(), |charge| charge.text(charge.amount));
        out.text(&format!("  on offer: {} seats, {price}, computed for {}", offer.to, offer.day))?;
    }
    let samples = episode.samples.iter();
    let rows = samples.map(|s| vec![text(when(s.at)), number(s.used), number(s.effective), text(s.band.word())]);
    out.table(&["from", "used", "allowance", "band"], rows.collect())?;
    let rows = facts.iter().chain(billing).map(|fact| {
        let recorded = if fact.is_late() { format!("{} LATE", when(fact.recorded)) } else { when(fact.recorded) };
        vec![text(when(fact.at)), text(fact_text(fact)), text(recorded), text(fact.by.to_string())]
    });
    out.table(&["from", "fact", "written", "by"], rows.collect())?;
    let rows = notices.iter().map(|(notice, deliveries)| {
        let delivered: Vec<String> = deliveries.iter().map(|d| format!("{} at {}", d.channel, when(d.at))).collect();
        let delivered = if delivered.is_empty() { "-".to_owned() } else { delivered.join(", ") };
        vec![text(&notice.key), text(when(notice.at)), text(delivered)]
    });
    out.table(&["notice", "written", "delivered by"], rows.collect())?;
    Ok(Exit::Done)
}

/// A fact in a few words.
pub fn fact_text(fact: &ClockFact) -> String {
    match &fact.step {
        ClockStep::Continues { of, day0 } => format!("goes on with the clock of episode {of} (day 0: {day0})"),
        ClockStep::Stage(stage) => {
            let deadline = stage.deadline.map_or(String::new(), |deadline| format!(", until {}", when(deadline)));
            format!("{} ({}){deadline}", stage.stage.word(), stage.why.word())
        }
        ClockStep::GapEntered { .. } => "above the minor band".to_owned(),
        ClockStep::CureEnded { .. } => "the deadline to cure passed".to_owned(),
        ClockStep::Withheld { reasons, .. } => {
            let words: Vec<&str> = reasons.iter().map(|reason| reason.word()).collect();
            format!("upgrade withheld: {}", words.join(", "))
        }
        ClockStep::Approved { reason, .. } => format!("upgrade approved: {reason}"),
        ClockStep::Upgraded { grant, from, to, charge, .. } => {
            let charge = charge.as_ref().map_or("to be agreed".to_owned(), |charge| charge.text(charge.amount));
            format!("upgraded from {from} to {to} (grant {grant}, charge {charge})")
        }
        ClockStep::Settled(settled) => format!("{} after {} business days", settled.outcome.word(), settled.elapsed),
        ClockStep::Voided { .. } => "void; notices superseded".to_owned(),
        ClockStep::Frozen { reason } => format!("billing frozen: {reason}"),
        ClockStep::Unfrozen { reason } => format!("billing unfrozen: {reason}"),
    }
}

fn approved(context: &mut Context, episode: u64, answer: &ClockAnswer) -> Result<Exit, CliError> {
    let told = UpgradeJson::new(episode, answer);
    if context.out.is_json() {
        context.out.json(&told)?;
    } else {
        context.out.text(&told.text)?;
    }
    Ok(match answer {
        ClockAnswer::Done | ClockAnswer::AlreadySo => Exit::Done,
        ClockAnswer::Closed(_) | ClockAnswer::NotMajor(_) => Exit::Refused,
    })
}
