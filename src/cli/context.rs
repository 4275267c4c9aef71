//! What every verb gets: the global options, and the way to settings, service and output.

use std::path::PathBuf;

use crate::base::{Actor, Instant};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::parts;
use crate::service::Service;
use crate::settings::{self, Settings};

/// The command as far as all verbs share it.
pub struct Context {
    /// The settings file.
    pub config: PathBuf,
    /// The instant to take for now.
    pub as_of: Option<Instant>,
    /// Where answers go.
    pub out: Output,
}

impl Context {
    /// Loads the settings.
    ///
    /// # Errors
    /// All that is wrong with them, at once.
    pub fn settings(&self) -> Result<Settings, CliError> {
        Ok(settings::load(Some(&self.config))?)
    }

    /// Loads the settings and opens the store.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn service(&self) -> Result<Service, CliError> {
        Ok(parts::service(&self.settings()?, self.as_of)?)
    }
}

/// In whose name a command acts: who called `sudo`, else who is logged in. A name, for the trail; it grants nothing.
pub fn actor() -> Actor {
    let named = ["SUDO_USER", "USER"].into_iter().filter_map(|name| std::env::var(name).ok()).find(|user| !user.is_empty());
    Actor::operator(named.unwrap_or_else(|| "operator".to_owned()))
}
