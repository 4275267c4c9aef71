//! `rosterd api`: what the HTTP door can be asked, for programs.

use clap::{Args, Subcommand};

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::http::openapi_json;

/// Arguments of `api`.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Example:\n  rosterd api openapi > openapi.json"
)]
pub struct ApiArgs {
    #[command(subcommand)]
    verb: ApiVerb,
}

#[derive(Debug, Subcommand)]
enum ApiVerb {
    /// Write the description of the HTTP door in OpenAPI 3.1; JSON with or without `--json`. It needs no settings.
    #[command(after_help = "Example:\n  rosterd api openapi | jq -r '.paths | keys[]'")]
    Openapi,
}

/// Writes the description.
///
/// # Errors
/// When the output cannot be written.
pub fn run(context: &mut Context, args: &ApiArgs) -> Result<Exit, CliError> {
    let ApiVerb::Openapi = args.verb;
    context.out.json(&openapi_json())?;
    Ok(Exit::Done)
}
