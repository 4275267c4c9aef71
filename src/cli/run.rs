//! From the words of the command to an exit code.

use std::io::{Write, stderr};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::base::ErrorChain;
use crate::cli::args::{Cli, Verb};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{Output, clean};
use crate::cli::{
    access, activity, alert, api, apply, audit, backup, check, completions, episode, explain, findings, forecast, hold, man,
    nodes, notices, pause, people, plan, pool, pull, queue, renewals, report, restore, revert, runs, serve, size_limit, status,
    store, sync, token, what_if,
};

/// Does what the command line says. Errors are told here, once, on the standard error output.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A reader that went away has what it wanted.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage.code()));
        }
    };
    size_limit::survive();
    let out = Output::stdout(cli.global.json, cli.global.no_color);
    let mut context = Context { config: cli.global.config, as_of: cli.global.as_of, out };
    let done = run(&mut context, &cli.verb).and_then(|exit| {
        context.out.flush()?;
        Ok(exit)
    });
    match done {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            if !error.is_silent() {
                tell(&error);
            }
            ExitCode::from(error.exit().code())
        }
    }
}

fn run(context: &mut Context, verb: &Verb) -> Result<Exit, CliError> {
    match verb {
        Verb::Serve => serve::run(context),
        Verb::Check(args) => check::run(context, args),
        Verb::Status(args) => status::run(context, args),
        Verb::Sync(args) => sync::run(context, args),
        Verb::Pause(args) => pause::pause(context, args),
        Verb::Resume(args) => pause::resume(context, args),
        Verb::Plan(args) => plan::run(context, args),
        Verb::Apply(args) => apply::run(context, args),
        Verb::Revert(args) => revert::run(context, args),
        Verb::Runs(args) => runs::run(context, args),
        Verb::Findings(args) => findings::run(context, args),
        Verb::Pull(args) => pull::run(context, args),
        Verb::Hold(args) => hold::run(context, args),
        Verb::People(args) => people::run(context, args),
        Verb::Activity(args) => activity::run(context, args),
        Verb::Pool(args) => pool::run(context, args),
        Verb::Episode(args) => episode::run(context, args),
        Verb::Notices(args) => notices::run(context, args),
        Verb::Alert(args) => alert::run(context, args),
        Verb::Queue(args) => queue::run(context, args),
        Verb::Renewals(args) => renewals::run(context, args),
        Verb::Forecast(args) => forecast::run(context, args),
        Verb::WhatIf(args) => what_if::run(context, args),
        Verb::Explain(args) => explain::run(context, args),
        Verb::Access(args) => access::run(context, args),
        Verb::Report(args) => report::run(context, args),
        Verb::Audit(args) => audit::run(context, args),
        Verb::Token(args) => token::run(context, args),
        Verb::Api(args) => api::run(context, args),
        Verb::Nodes(_) => nodes::run(context),
        Verb::Store(args) => store::run(context, args),
        Verb::Backup(args) => backup::run(context, args),
        Verb::Restore(args) => restore::run(context, args),
        Verb::Completions { shell } => completions::run(context, Cli::command(), *shell),
        Verb::Man { verb } => man::run(context, Cli::command(), verb),
    }
}

fn tell(error: &CliError) {
    let mut to = stderr().lock();
    // There is nobody left to tell if this fails.
    let _ = writeln!(to, "rosterd: could not {}", clean(&ErrorChain(error).to_string()));
    if let Some(next) = error.next_step() {
        let _ = writeln!(to, "  next: {}", clean(&next));
    }
}
