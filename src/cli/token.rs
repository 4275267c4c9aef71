//! `rosterd token`: who may use the HTTP door (R157).

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::base::{AccessRole, CustomerId, OrgId};
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{number, text};
use crate::cli::words::when;
use crate::service::TokenWish;
use crate::shape::{RevokedJson, TokenJson, TokensJson};

/// Arguments of `token`.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Examples:
  rosterd token create prometheus --role read-only
  rosterd token list"
)]
pub struct TokenArgs {
    #[command(subcommand)]
    verb: TokenVerb,
}

#[derive(Debug, Subcommand)]
enum TokenVerb {
    /// Make a token. Its text is shown once and kept nowhere.
    #[command(after_help = "Examples:
  rosterd token create 'Ann, operations' --role operator
  rosterd token create 'North dashboard' --role system-admin --customer north --days 90
  rosterd token create 'Ash office' --role org-admin --customer north --org ash")]
    Create {
        /// Whose, or what for; it stands in the trail beside what is done with it.
        #[arg(value_parser = name)]
        name: String,
        /// What its holder may do: operator, system-admin, reporter, org-admin, user-manager, read-only.
        #[arg(long, value_parser = role)]
        role: AccessRole,
        /// Only in this customer.
        #[arg(long)]
        customer: Option<String>,
        /// Only in this org and those below it; org-admin and user-manager need one.
        #[arg(long, requires = "customer")]
        org: Option<String>,
        /// For so many days.
        #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// List tokens; their texts are not known.
    #[command(after_help = "Example:\n  rosterd token list --json")]
    List,
    /// Revoke a token at once.
    #[command(after_help = "Example:\n  rosterd token revoke 3")]
    Revoke {
        /// Its number.
        token: u64,
    },
}

/// A token that was just made: the one time that its text is told.
#[derive(Serialize)]
struct MadeJson<'a> {
    #[serde(flatten)]
    token: TokenJson,
    text: &'a str,
}

/// Makes, lists, revokes.
///
/// # Errors
/// When the store cannot be used, or something named does not exist.
pub fn run(context: &mut Context, args: &TokenArgs) -> Result<Exit, CliError> {
    match &args.verb {
        TokenVerb::Create { name, role, customer, org, days } => {
            if role.is_of_org() != org.is_some() {
                let why = if role.is_of_org() { "needs --org" } else { "is not of one org and takes no --org" };
                return Err(CliError::Usage(format!("a token of role {role} {why}")));
            }
            let wish = TokenWish {
                name: name.clone(),
                role: *role,
                customer: customer.as_deref().map(CustomerId::from),
                org: org.as_deref().map(OrgId::from),
                days: *days,
            };
            let (row, secret) = context.service_to_write()?.create_token(&wish, &actor())?;
            if context.out.is_json() {
                context.out.json(&MadeJson { token: TokenJson::new(&row, true), text: &secret })?;
            } else {
                context.out.text(&secret)?;
                context.out.text(&format!(
                    "token {} ({}), good until {}; it is not shown again",
                    row.id,
                    row.role,
                    when(row.expires)
                ))?;
            }
            Ok(Exit::Done)
        }
        TokenVerb::List => {
            let rows = context.service()?.tokens()?;
            if context.out.is_json() {
                context.out.json(&TokensJson::new(&rows))?;
                return Ok(Exit::Done);
            }
            let cells = rows.iter().map(|(row, is_good)| {
                let place = match (&row.customer, &row.org) {
                    (Some(customer), Some(org)) => format!("{customer}/{org}"),
                    (Some(customer), None) => customer.to_string(),
                    _ => "all".to_owned(),
                };
                let state = match row.revoked {
                    Some(at) => format!("revoked {}", when(at)),
                    None if *is_good => format!("good until {}", when(row.expires)),
                    None => format!("expired {}", when(row.expires)),
                };
                vec![number(row.id), text(&row.name), text(row.role.word()), text(place), text(&row.by), text(state)]
            });
            context.out.table(&["token", "name", "role", "where", "made by", "state"], cells.collect())?;
            Ok(Exit::Done)
        }
        TokenVerb::Revoke { token } => {
            let was_good = context.service_to_write()?.revoke_token(*token)?;
            if context.out.is_json() {
                context.out.json(&RevokedJson { token: *token, was_good })?;
            } else {
                let said = if was_good { "is revoked" } else { "was not good any more" };
                context.out.text(&format!("token {token} {said}"))?;
            }
            Ok(Exit::Done)
        }
    }
}

fn role(word: &str) -> Result<AccessRole, String> {
    let words = || AccessRole::WORDS.map(|(word, _)| word).join(", ");
    AccessRole::parse(word).ok_or_else(|| format!("the roles are {}", words()))
}

fn name(text: &str) -> Result<String, String> {
    let fits = (1..=80).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("1 to 80 characters".to_owned()) }
}
