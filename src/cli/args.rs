//! The grammar of the command line. Each verb's own arguments stand in its file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::base::Instant;
use crate::cli::access::AccessArgs;
use crate::cli::activity::ActivityArgs;
use crate::cli::alert::AlertArgs;
use crate::cli::api::ApiArgs;
use crate::cli::apply::ApplyArgs;
use crate::cli::audit::AuditArgs;
use crate::cli::backup::BackupArgs;
use crate::cli::check::CheckArgs;
use crate::cli::episode::EpisodeArgs;
use crate::cli::exit;
use crate::cli::explain::ExplainArgs;
use crate::cli::findings::FindingsArgs;
use crate::cli::forecast::ForecastArgs;
use crate::cli::hold::HoldArgs;
use crate::cli::nodes::NodesArgs;
use crate::cli::notices::NoticesArgs;
use crate::cli::pause::{PauseArgs, ResumeArgs};
use crate::cli::people::PeopleArgs;
use crate::cli::plan::PlanArgs;
use crate::cli::pool::PoolArgs;
use crate::cli::pull::PullArgs;
use crate::cli::queue::QueueArgs;
use crate::cli::renewals::RenewalsArgs;
use crate::cli::report::ReportArgs;
use crate::cli::restore::RestoreArgs;
use crate::cli::revert::RevertArgs;
use crate::cli::runs::RunsArgs;
use crate::cli::status::StatusArgs;
use crate::cli::store::StoreArgs;
use crate::cli::sync::SyncArgs;
use crate::cli::token::TokenArgs;
use crate::cli::what_if::WhatIfArgs;

/// Pulls rosters, reconciles them with license pools and keeps honest books of seats.
#[derive(Debug, Parser)]
#[command(
    name = "rosterd",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    after_help = format!("Example:\n  rosterd plan north         what would change, and why; changes nothing\n\n{}", exit::table())
)]
pub struct Cli {
    /// Options of every verb.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options of every verb.
#[derive(Debug, Args)]
pub struct Global {
    /// The settings file.
    #[arg(long, value_name = "FILE", env = "ROSTERD_CONFIG", default_value = "/etc/rosterd/rosterd.toml", global = true)]
    pub config: PathBuf,
    /// Answer in JSON, in the shapes of docs/CLI.md.
    #[arg(long, global = true)]
    pub json: bool,
    /// No color, not even on a terminal; NO_COLOR says the same.
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Take this for now, for replays and tests: 2026-03-01T02:30:00Z, or a date for its midnight in UTC. Not for serve.
    #[arg(long, value_name = "INSTANT", value_parser = instant, global = true)]
    pub as_of: Option<Instant>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the daemon: nights, drops, requests.
    #[command(after_help = "Example:\n  rosterd serve --config /etc/rosterd/rosterd.toml")]
    Serve,
    /// Check settings, store and sources, and tell all that is wrong at once.
    Check(CheckArgs),
    /// Tell how customers stand: pools, balances, overages, the newest run.
    Status(StatusArgs),
    /// Ask for a same-day run, or run here.
    Sync(SyncArgs),
    /// Leave a source unread for a while.
    Pause(PauseArgs),
    /// Read a paused source again.
    Resume(ResumeArgs),
    /// Show what a run would change and why, and change nothing.
    Plan(PlanArgs),
    /// Do what a kept plan says, if the books still are where they were.
    Apply(ApplyArgs),
    /// Undo a committed run.
    Revert(RevertArgs),
    /// List runs, or show one.
    Runs(RunsArgs),
    /// List what a run found wrong in its sources.
    Findings(FindingsArgs),
    /// Keep what sources say in a folder for support, redacted; plan nothing, book nothing.
    Pull(PullArgs),
    /// List what guards hold, show it, approve or reject it.
    Hold(HoldArgs),
    /// Find people of the newest roster, or forget one who left.
    People(PeopleArgs),
    /// Take in who logged in when.
    Activity(ActivityArgs),
    /// Show pools, buy seats, and decide who has one.
    Pool(PoolArgs),
    /// Show overages with their stages and deadlines, export them, approve upgrades.
    Episode(EpisodeArgs),
    /// List what was told, and record that it arrived.
    Notices(NoticesArgs),
    /// Try the channels that notices go by, list deliveries, and repeat those that were given up.
    Alert(AlertArgs),
    /// List who waits for a seat, in order.
    Queue(QueueArgs),
    /// List terms that end, or have ended, without a successor.
    Renewals(RenewalsArgs),
    /// Tell the days to come: what will be used, which stages come, what cures them; changes nothing.
    Forecast(ForecastArgs),
    /// Play a stretch of the past again with other settings or seats; changes nothing.
    WhatIf(WhatIfArgs),
    /// Tell why a person has a seat, or not.
    Explain(ExplainArgs),
    /// Tell whether a person may log in, use a product, open an enrollment.
    Access(AccessArgs),
    /// Write reports, for people or as CSV.
    Report(ReportArgs),
    /// Read the trail, prove the books with it, or export it.
    Audit(AuditArgs),
    /// Say who may use the HTTP door.
    Token(TokenArgs),
    /// Tell programs what the HTTP door can be asked.
    Api(ApiArgs),
    /// List the processes that work on the store, and what each of them does.
    Nodes(NodesArgs),
    /// Move the books to another database.
    Store(StoreArgs),
    /// Copy the whole store to a file, also while the daemon works.
    Backup(BackupArgs),
    /// Put a backup in the place of the store, after proving it; the store that was there is kept.
    Restore(RestoreArgs),
    /// Write a completion script for a shell.
    #[command(after_help = "Example:\n  rosterd completions bash > /etc/bash_completion.d/rosterd")]
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Write a manual page.
    #[command(after_help = "Examples:\n  rosterd man > rosterd.1\n  rosterd man pool grant | man -l -")]
    Man {
        /// Whose page: a verb, and a verb of that verb; the whole program's if left out.
        verb: Vec<String>,
    },
}

fn instant(text: &str) -> Result<Instant, String> {
    Instant::parse_or_midnight(text).ok_or_else(|| "write 2026-03-01T02:30:00Z or 2026-03-01".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use crate::cli::args::{Cli, instant};

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_has_an_example() {
        fn walk(command: &clap::Command, path: &str) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{path} has none");
            assert!(help.contains(&format!("  {path}")), "the examples of {path} are about something else: {help}");
            assert!(command.get_about().is_some(), "{path} does not say what it is for");
            command.get_subcommands().for_each(|sub| walk(sub, &format!("{path} {}", sub.get_name())));
        }
        walk(&Cli::command(), "rosterd");
    }

    #[test]
    fn instants_are_read_whole() {
        assert_eq!(instant("2026-03-01").map(|i| i.to_string()).as_deref(), Ok("2026-03-01T00:00:00Z"));
        assert_eq!(instant("2026-03-01T02:30:00-06:00").map(|i| i.to_string()).as_deref(), Ok("2026-03-01T08:30:00Z"));
        for bad in ["yesterday", "2026-02-30", "2026-03-01T02:30:00", ""] {
            assert!(instant(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seats_may_be_negative_and_global_options_stand_anywhere() {
        let line = "rosterd pool grant north learn --seats -30 --from 2026-03-01 --kind correction --reference L1 --json";
        let cli = Cli::try_parse_from(line.split(' ')).expect("it is understood");
        assert!(cli.global.json);
        assert!(Cli::try_parse_from("rosterd --as-of never status".split(' ')).is_err());
    }
}
