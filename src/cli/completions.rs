//! `rosterd completions`: scripts that complete verbs and options.

use clap::Command;
use clap_complete::{Shell, generate};

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;

/// Writes the script for a shell.
///
/// # Errors
/// When the output cannot be written.
pub fn run(context: &mut Context, mut command: Command, shell: Shell) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    generate(shell, &mut command, "rosterd", &mut script);
    context.out.bytes(&script)?;
    Ok(Exit::Done)
}
