//! Which store, and opening it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::store::api::{Opening, SharedStore, Store};
use crate::store::error::StoreError;
use crate::store::postgres::{PostgresChoice, PostgresStore};
use crate::store::shape::DaemonMark;
use crate::store::sql::{self, Door, SqlStore};
use crate::store::sqlite::SqliteStore;

/// Which store to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreChoice {
    /// One SQLite file, for one machine.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A PostgreSQL database, for several nodes.
    Postgres(PostgresChoice),
}

impl fmt::Display for StoreChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreChoice::Sqlite { path } => write!(f, "{}", path.display()),
            StoreChoice::Postgres(choice) => write!(f, "{}", choice.place()),
        }
    }
}

/// Copies all of one store into another, empty one. Nobody may work on either. Returns how many rows of each table.
///
/// # Errors
/// [`StoreError::Occupied`] when the other is not empty, [`StoreError::DaemonRunning`] when a daemon works on one of them.
pub fn copy(from: &StoreChoice, to: &StoreChoice) -> Result<Vec<(&'static str, u64)>, StoreError> {
    match from {
        StoreChoice::Sqlite { path } => copy_from(&SqliteStore::open_for(path, Opening::Existing)?, to),
        StoreChoice::Postgres(choice) => copy_from(&PostgresStore::open_for(choice, Opening::Existing)?, to),
    }
}

fn copy_from<D: Door>(from: &SqlStore<D>, to: &StoreChoice) -> Result<Vec<(&'static str, u64)>, StoreError> {
    match to {
        StoreChoice::Sqlite { path } => copy_between(from, &SqliteStore::open_for(path, Opening::Daemon)?),
        StoreChoice::Postgres(choice) => copy_between(from, &PostgresStore::open_for(choice, Opening::Daemon)?),
    }
}

fn copy_between(from: &SqlStore<impl Door>, to: &SqlStore<impl Door>) -> Result<Vec<(&'static str, u64)>, StoreError> {
    for (place, daemon) in [(from.place(), from.daemon()?), (to.place(), to.daemon()?)] {
        if let Some(DaemonMark { pid, host, since }) = daemon {
            return Err(StoreError::DaemonRunning { place, pid, host, since });
        }
    }
    sql::copy(&from.door, &to.door)
}

/// Opens a store.
///
/// # Errors
/// [`StoreError`] says what keeps it from being used.
pub fn open(choice: &StoreChoice, opening: Opening) -> Result<SharedStore, StoreError> {
    match choice {
        StoreChoice::Sqlite { path } => Ok(Arc::new(SqliteStore::open_for(path, opening)?)),
        StoreChoice::Postgres(choice) => Ok(Arc::new(PostgresStore::open_for(choice, opening)?)),
    }
}
