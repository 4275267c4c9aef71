//! `rosterd man`: manual pages, of the program and of each verb.

use clap::Command;
use clap_mangen::Man;

use crate::base::most_similar;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;

/// Writes the page of the program, or of a verb.
///
/// # Errors
/// When there is no such verb.
pub fn run(context: &mut Context, mut command: Command, verb: &[String]) -> Result<Exit, CliError> {
    command.build();
    let mut page = &command;
    for name in verb {
        page = page.find_subcommand(name).ok_or_else(|| {
            let known = page.get_subcommands().map(Command::get_name);
            let hint = most_similar(name, known).map_or(String::new(), |meant| format!("; did you mean {meant}?"));
            CliError::Usage(format!("there is no verb {name}{hint}"))
        })?;
    }
    let mut written = Vec::new();
    Man::new(page.clone()).render(&mut written)?;
    context.out.bytes(&written)?;
    Ok(Exit::Done)
}
