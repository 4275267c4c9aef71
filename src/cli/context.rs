//! What every verb gets: the global options, and the way to settings, service and output.

use std::path::PathBuf;

use crate::base::{Actor, Instant};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::parts;
use crate::service::Service;
use crate::settings::{self, Settings};
use crate::store::Opening;

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

    /// Loads the settings and opens the store, for who only asks: a store that is not there yet is not made.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn service(&self) -> Result<Service, CliError> {
        Ok(parts::service(&mut self.settings()?, self.as_of, Opening::Existing)?)
    }

    /// The same for a plan: it keeps snapshots and a run, and changes no books, whatever it takes for now.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn service_to_plan(&self) -> Result<Service, CliError> {
        Ok(parts::service(&mut self.settings()?, self.as_of, Opening::Writing)?)
    }

    /// The same for who changes books. What is written carries its instant for good, so that `--as-of` is refused on books
    /// that a daemon ever worked on.
    ///
    /// # Errors
    /// What is wrong with either, or with the two together.
    pub fn service_to_write(&self) -> Result<Service, CliError> {
        let service = self.service_to_plan()?;
        if self.as_of.is_some() && service.store().was_served() {
            return Err(CliError::Usage(format!(
                "--as-of is for replays and tests, and a daemon worked on {}; `rosterd restore` puts a backup elsewhere for that",
                service.store().place()
            )));
        }
        Ok(service)
    }
}

/// In whose name a command acts: who called `sudo`, else who is logged in. A name, for the trail; it grants nothing.
pub fn actor() -> Actor {
    let named = ["SUDO_USER", "USER"].into_iter().filter_map(|name| std::env::var(name).ok()).find(|user| !user.is_empty());
    Actor::operator(named.unwrap_or_else(|| "operator".to_owned()))
}
