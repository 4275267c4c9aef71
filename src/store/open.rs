//! Which store, and opening it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::store::api::{Opening, SharedStore};
use crate::store::error::StoreError;
use crate::store::sqlite::SqliteStore;

/// Which store to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreChoice {
    /// One SQLite file, for one machine.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
}

/// Opens a store.
///
/// # Errors
/// [`StoreError`] says what keeps it from being used.
pub fn open(choice: &StoreChoice, opening: Opening) -> Result<SharedStore, StoreError> {
    match choice {
        StoreChoice::Sqlite { path } => Ok(Arc::new(SqliteStore::open_for(path, opening)?)),
    }
}
