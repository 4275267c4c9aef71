//! What an admin may ask of a same-day run, whether it is made or only planned (R96).

use clap::Args;

use crate::cli::context::actor;
use crate::cli::error::CliError;
use crate::roster::Scope;
use crate::service::Customer;
use crate::store::Asked;

/// Arguments that `sync` and `plan` share.
#[derive(Debug, Args)]
pub struct WishArgs {
    /// Read this source only.
    #[arg(long)]
    source: Option<String>,
    /// Take in this person only; everybody else stays as last taken in.
    #[arg(long, value_name = "KEY", conflicts_with = "org")]
    person: Option<String>,
    /// Take in only the people who have or had a role in this org or below it.
    #[arg(long, value_name = "ID")]
    org: Option<String>,
    /// Whoever is absent from a source that is read counts as gone at once, not only after further snapshots.
    #[arg(long)]
    confirm_absences: bool,
}

impl WishArgs {
    /// The wish, in the name of whoever runs the program.
    ///
    /// # Errors
    /// If the customer has no such source.
    pub fn asked(&self, customer: &Customer) -> Result<Asked, CliError> {
        let source = self.source.as_deref().map(|id| customer.source(id)).transpose()?;
        let person = self.person.as_deref().map(|key| Scope::Person(key.into()));
        Ok(Asked {
            by: actor(),
            source: source.map(|feed| feed.source.id().clone()),
            confirm_absences: self.confirm_absences,
            scope: person.or_else(|| self.org.as_deref().map(|id| Scope::Org(id.into()))),
        })
    }
}
