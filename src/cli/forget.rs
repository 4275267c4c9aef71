//! `rosterd people forget`: a removed person's name leaves everything that is kept.

use clap::Args;
use serde::Serialize;

use crate::base::PersonKey;
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::service::ForgetAnswer;

/// Arguments of `people forget`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  rosterd people forget north s-4711 --reason \"request of 2026-03-01\"

Name, e-mail, log-in name and identifier leave every stored snapshot. The person key stays in the trail as an id, as do
texts that operators wrote: keep names out of reasons and references. Packages in drop folders are the source's own.")]
pub struct ForgetArgs {
    /// Of which customer.
    customer: String,
    /// The person key.
    person: String,
    /// Why, for the trail; no personal data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Debug, Serialize)]
struct ForgetJson<'a> {
    answer: &'static str,
    text: String,
    person: &'a str,
    version: Option<u64>,
}

/// Forgets somebody, or says why not.
///
/// # Errors
/// When nobody is known by that key, or books or snapshots cannot be read.
pub fn run(context: &mut Context, args: &ForgetArgs) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let customer = service.customer(&args.customer)?;
    let answer = service.forget(customer, &actor(), &PersonKey::from(args.person.as_str()), &args.reason)?;
    let (code, text, version) = match &answer {
        ForgetAnswer::Forgotten(receipt) => {
            ("forgotten", "no snapshot names the person any more".to_owned(), Some(receipt.version.0))
        }
        ForgetAnswer::Forgetting(receipt) => (
            "forgetting",
            "snapshots that a run under way has read name the person until it is over; they go by themselves".to_owned(),
            Some(receipt.version.0),
        ),
        ForgetAnswer::StillDelivered(source) => (
            "still_delivered",
            format!(
                "source {source} still delivers the person: let it end the person or leave the record out, sync until \
                 `rosterd people` says removed, then ask again"
            ),
            None,
        ),
        ForgetAnswer::NotRemovedYet => (
            "not_removed_yet",
            "the person is missing but not removed: sync until the absence is confirmed, or decide what a guard holds"
                .to_owned(),
            None,
        ),
        ForgetAnswer::HoldsClaims(pools) => {
            let pools: Vec<&str> = pools.iter().map(|pool| pool.as_str()).collect();
            (
                "holds_claims",
                format!("the person has claims in {}: free them with `rosterd pool pin … deny`", pools.join(", ")),
                None,
            )
        }
    };
    if context.out.is_json() {
        context.out.json(&ForgetJson { answer: code, text, person: &args.person, version })?;
    } else {
        let version = version.map_or(String::new(), |version| format!(" (version {version})"));
        context.out.text(&format!("{code}: {text}{version}"))?;
    }
    Ok(if version.is_some() { Exit::Done } else { Exit::Refused })
}
