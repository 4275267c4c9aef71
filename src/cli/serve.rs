//! `rosterd serve`: the daemon.

use std::sync::Arc;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::parts;
use crate::daemon::{self, DaemonOptions};
use crate::settings::DaemonSettings;
use crate::store::Opening;
use crate::telemetry;

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// When it cannot start.
pub fn run(context: &mut Context) -> Result<Exit, CliError> {
    if context.as_of.is_some() {
        return Err(CliError::Usage("serve works by the machine's clock and takes no --as-of".into()));
    }
    let settings = context.settings()?;
    telemetry::setup(&settings.log)?;
    let service = parts::service(&settings, None, Opening::Daemon)?;
    let DaemonSettings { workers, drop_poll_secs, stop_secs_max } = settings.daemon;
    daemon::serve(Arc::new(service), DaemonOptions { workers, drop_poll_secs, stop_secs_max })?;
    Ok(Exit::Done)
}
