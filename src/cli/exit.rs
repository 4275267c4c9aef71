//! The one table of exit codes.

use crate::service::ErrorKind;
use crate::store::RunState;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or so already.
    Done,
    /// The answer is no, such as `pool_exhausted`; nothing was changed.
    Refused,
    /// The command was not understood.
    Usage,
    /// A guard holds the run, or part of it.
    Held,
    /// The books moved since the plan was made.
    PlanStale,
    /// The run failed or was cancelled; nothing was changed.
    RunFailed,
    /// The run is done, but somebody or something was left out.
    WithErrors,
    /// Something named does not exist.
    Unknown,
    /// No daemon works on the store.
    DaemonDown,
    /// A mistake of the program, or, of `audit verify`, books that are not proved.
    Bug,
    /// The store is not to be had.
    StoreDown,
    /// A source cannot be read.
    SourceDown,
    /// The settings are wrong, or do not fit the roster.
    BadSettings,
}

impl Exit {
    /// All of them, by code.
    pub const ALL: [Exit; 13] = [
        Exit::Done,
        Exit::Refused,
        Exit::Usage,
        Exit::Held,
        Exit::PlanStale,
        Exit::RunFailed,
        Exit::WithErrors,
        Exit::Unknown,
        Exit::DaemonDown,
        Exit::Bug,
        Exit::StoreDown,
        Exit::SourceDown,
        Exit::BadSettings,
    ];

    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Held => 3,
            Exit::PlanStale => 4,
            Exit::RunFailed => 5,
            Exit::WithErrors => 6,
            Exit::Unknown => 66,
            Exit::DaemonDown => 69,
            Exit::Bug => 70,
            Exit::StoreDown => 74,
            Exit::SourceDown => 75,
            Exit::BadSettings => 78,
        }
    }

    /// What it means, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "done, or so already",
            Exit::Refused => "refused: the answer is no, such as pool_exhausted",
            Exit::Usage => "the command was not understood",
            Exit::Held => "held: a guard wants a decision",
            Exit::PlanStale => "the plan is out of date: plan again",
            Exit::RunFailed => "the run failed; nothing was changed",
            Exit::WithErrors => "the run is done, but somebody or something was left out",
            Exit::Unknown => "there is no such customer, pool, person, run or org",
            Exit::DaemonDown => "no daemon works on the store",
            Exit::Bug => "a bug, or the books are not proved by their trail",
            Exit::StoreDown => "the store is not to be had: full, read-only, busy, damaged",
            Exit::SourceDown => "a source cannot be read, or what was read is stale",
            Exit::BadSettings => "the settings are wrong or do not fit the roster",
        }
    }

    /// The exit an error of the service deserves.
    pub fn of_error(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Unknown => Exit::Unknown,
            ErrorKind::PlanStale => Exit::PlanStale,
            ErrorKind::UnderWay => Exit::Refused,
            ErrorKind::SourceDown => Exit::SourceDown,
            ErrorKind::BadSettings => Exit::BadSettings,
            ErrorKind::StoreDown | ErrorKind::Damaged => Exit::StoreDown,
            ErrorKind::Bug => Exit::Bug,
        }
    }

    /// The exit a run deserves (R109): success is never claimed when somebody who ought to have a seat has none.
    pub fn of_run(state: RunState) -> Self {
        match state {
            RunState::Succeeded | RunState::Planned | RunState::Reverted => Exit::Done,
            RunState::SucceededWithErrors => Exit::WithErrors,
            RunState::Held => Exit::Held,
            RunState::Failed | RunState::Cancelled => Exit::RunFailed,
            // Not over: whoever asks for its exit saw it stop in the middle.
            RunState::Fetching | RunState::Planning | RunState::Committing => Exit::RunFailed,
        }
    }
}

/// The table for `--help`.
pub fn table() -> String {
    let rows = Exit::ALL.iter().map(|exit| format!("  {:>2}  {}\n", exit.code(), exit.meaning()));
    format!("Exit codes:\n{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use crate::cli::exit::{Exit, table};

    #[test]
    fn codes_are_distinct_and_sorted_and_each_is_explained() {
        assert!(Exit::ALL.is_sorted_by(|a, b| a.code() < b.code()));
        let table = table();
        for exit in Exit::ALL {
            assert!(table.contains(&format!("{:>4}  {}\n", exit.code(), exit.meaning())), "{exit:?}");
        }
    }

    /// The page for people and the code say the same.
    #[test]
    fn the_documented_codes_are_the_codes() {
        let page = include_str!("../../docs/CLI.md");
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ") && line.contains("| `Exit::")).collect();
        let expected: Vec<String> =
            Exit::ALL.iter().map(|exit| format!("| {} | `Exit::{exit:?}` | {} |", exit.code(), exit.meaning())).collect();
        assert_eq!(rows, expected);
    }
}
