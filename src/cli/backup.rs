//! `rosterd backup`: the whole store in one file.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::base::Instant;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::parts;
use crate::cli::progress::Progress;
use crate::clock::{Clock, SystemClock};
use crate::store::Opening;

/// Arguments of `backup`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd backup /var/backups/rosterd              a new file in that folder, named by the time
  rosterd backup /mnt/safe/before-upgrade.db       this file; it must not be there yet")]
pub struct BackupArgs {
    /// The file to write, or a folder for a file named by the time.
    to: PathBuf,
}

#[derive(Debug, Serialize)]
struct BackupJson {
    file: String,
    bytes: u64,
}

/// Copies the store as of now, beside a daemon that works, and proves the copy sound.
///
/// # Errors
/// When there is no store, or the file cannot be written.
pub fn run(context: &mut Context, args: &BackupArgs) -> Result<Exit, CliError> {
    let store = parts::store(&context.settings()?, Opening::Existing)?;
    let now = context.as_of.unwrap_or_else(|| SystemClock.now());
    let file = if args.to.is_dir() { args.to.join(name(now)) } else { args.to.clone() };
    let progress = Progress::start(format!("backing up to {}", file.display()));
    let bytes = store.backup(&file)?;
    drop(progress);
    let file = file.display().to_string();
    if context.out.is_json() {
        context.out.json(&BackupJson { file, bytes })?;
    } else {
        context.out.text(&format!("{} is backed up to {file}: {bytes} bytes, sound", store.place()))?;
    }
    Ok(Exit::Done)
}

/// `rosterd-20260301T023000Z.db`: names sort by time.
fn name(now: Instant) -> String {
    let seconds = Instant(now.0 - now.0.rem_euclid(1000)).to_string();
    let digits: String = seconds.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("rosterd-{digits}.db")
}

#[cfg(test)]
mod tests {
    use crate::base::Instant;
    use crate::cli::backup::name;

    #[test]
    fn files_are_named_by_the_second() {
        let at = Instant::parse("2026-03-01T02:30:05.678Z").expect("an instant");
        assert_eq!(name(at), "rosterd-20260301T023005Z.db");
    }
}
