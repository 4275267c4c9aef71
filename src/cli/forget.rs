//! `rosterd people forget`: a removed person's name leaves everything that is kept.

use clap::Args;

use crate::base::PersonKey;
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::shape::ForgetJson;

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

/// Forgets somebody, or says why not.
///
/// # Errors
/// When nobody is known by that key, or books or snapshots cannot be read.
pub fn run(context: &mut Context, args: &ForgetArgs) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let customer = service.customer(&args.customer)?;
    let answer = service.forget(customer, &actor(), &PersonKey::from(args.person.as_str()), &args.reason)?;
    let told = ForgetJson::new(&args.person, &answer);
    if context.out.is_json() {
        context.out.json(&told)?;
    } else {
        let ForgetJson { answer, text, version, .. } = &told;
        let version = version.map_or(String::new(), |version| format!(" (version {version})"));
        context.out.text(&format!("{answer}: {text}{version}"))?;
    }
    Ok(if told.version.is_some() { Exit::Done } else { Exit::Refused })
}
