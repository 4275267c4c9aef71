//! `rosterd notices`: what was told, and that it arrived (R153).

use clap::{Args, Subcommand};

use crate::base::Instant;
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::words::when;
use crate::service::{DeliveryAnswer, NoticeView};
use crate::shape::{DeliveredJson, notices_json};

/// Arguments of `notices`.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Examples:
  rosterd notices list north
  rosterd notices delivered north overage_major/learn-main/3/1 --channel phone"
)]
pub struct NoticesArgs {
    #[command(subcommand)]
    verb: NoticesVerb,
}

#[derive(Debug, Subcommand)]
enum NoticesVerb {
    /// List notices, newest first, with their deliveries.
    #[command(after_help = "Example:\n  rosterd notices list north --limit 100")]
    List {
        /// Of which customer.
        customer: String,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
    /// Record that a notice arrived. That of a major overage starts its cure window.
    #[command(after_help = "Examples:
  rosterd notices delivered north overage_major/learn-main/3/1 --channel phone
  rosterd notices delivered north overage_major/learn-main/3/1 --channel mail --at 2026-03-31T07:10:00Z")]
    Delivered {
        /// Of which customer.
        customer: String,
        /// The notice's key, as `notices list` shows it.
        key: String,
        /// By which channel: phone, mail, letter …
        #[arg(long, value_name = "WORD", value_parser = channel)]
        channel: String,
        /// When it arrived; now if left out.
        #[arg(long, value_name = "INSTANT", value_parser = instant)]
        at: Option<Instant>,
    },
}

/// Lists notices, or records a delivery.
///
/// # Errors
/// When the books cannot be read or written, or there is no such customer or notice.
pub fn run(context: &mut Context, args: &NoticesArgs) -> Result<Exit, CliError> {
    let service = match &args.verb {
        NoticesVerb::Delivered { .. } => context.service_to_write()?,
        NoticesVerb::List { .. } => context.service()?,
    };
    match &args.verb {
        NoticesVerb::List { customer, limit } => {
            let customer = service.customer(customer)?;
            let notices = service.notices(customer, *limit)?;
            list(context, customer.id().as_str(), &notices)
        }
        NoticesVerb::Delivered { customer, key, channel, at } => {
            let customer = service.customer(customer)?;
            let answer = service.deliver(customer, key, channel, *at, &actor())?;
            delivered(context, &answer)
        }
    }
}

fn list(context: &mut Context, customer: &str, notices: &[NoticeView]) -> Result<Exit, CliError> {
    if context.out.is_json() {
        context.out.json(&notices_json(customer, notices))?;
        return Ok(Exit::Done);
    }
    for NoticeView { notice, deliveries, superseded } in notices {
        let mut state: Vec<String> =
            deliveries.iter().map(|delivery| format!("delivered by {} at {}", delivery.channel, when(delivery.at))).collect();
        state.extend(superseded.then(|| "SUPERSEDED".to_owned()));
        let state = if state.is_empty() { String::new() } else { format!(" ({})", state.join(", ")) };
        context.out.text(&format!("{}  {}{state}\n  {}", when(notice.at), notice.key, notice.text))?;
    }
    Ok(Exit::Done)
}

fn delivered(context: &mut Context, answer: &DeliveryAnswer) -> Result<Exit, CliError> {
    let delivery = match answer {
        DeliveryAnswer::Done(delivery) | DeliveryAnswer::AlreadySo(delivery) => Some(delivery),
        DeliveryAnswer::NotThen { .. } => None,
    };
    let told = DeliveredJson::from(answer);
    if context.out.is_json() {
        context.out.json(&told)?;
    } else {
        let at = delivery.map_or(String::new(), |d| format!("{} delivered by {} at {}: ", d.key, d.channel, when(d.at)));
        context.out.text(&format!("{at}{}", told.text))?;
    }
    Ok(if delivery.is_some() { Exit::Done } else { Exit::Refused })
}

fn channel(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if !text.is_empty() && text.len() <= 32 && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("write a channel as a word in small letters, such as phone or mail".to_owned())
    }
}

fn instant(text: &str) -> Result<Instant, String> {
    Instant::parse_or_midnight(text).ok_or_else(|| "write 2026-03-31T07:10:00Z".to_owned())
}
