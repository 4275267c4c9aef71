//! SQLite as one of the databases below the store.

use std::path::Path;

use crate::store::api::{DaemonLease, Opening};
use crate::store::error::StoreError;
use crate::store::node::NodeRow;
use crate::store::shape::DaemonMark;
use crate::store::sql::{Door, Doubts, Fault, SqlStore, Transaction};
use crate::store::sqlite::backup;
use crate::store::sqlite::connect::{SqliteFile, place_of, probe_path};
use crate::store::sqlite::lease;

/// A store in one SQLite file. Several processes may use it at once.
pub type SqliteStore = SqlStore<SqliteFile>;

impl SqlStore<SqliteFile> {
    /// Opens the file; makes it, its folder and its tables if they are not there.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] where this user may not write, [`StoreError::SchemaNewer`] for the file of a newer program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_for(path, Opening::Writing)
    }

    /// Opens the file as far as `opening` allows.
    ///
    /// # Errors
    /// Those of [`SqliteStore::open`], and [`StoreError::Absent`], [`StoreError::SchemaOlder`],
    /// [`StoreError::DaemonRunning`].
    pub fn open_for(path: &Path, opening: Opening) -> Result<Self, StoreError> {
        let place = place_of(path);
        if opening == Opening::Daemon
            && let Some(DaemonMark { pid, host, since }) = lease::holder(path, &place)?
        {
            return Err(StoreError::DaemonRunning { place, pid, host, since });
        }
        Ok(Self { door: SqliteFile::open(path, opening)?, doubts: Doubts::default() })
    }
}

impl Door for SqliteFile {
    fn place(&self) -> &str {
        self.place()
    }

    fn read<T>(&self, ask: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.read(|tx| ask(&Transaction::Lite(tx)))
    }

    fn write<T>(&self, act: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.write(|tx| act(&Transaction::Lite(tx)))
    }

    fn write_much<T>(&self, act: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.write_much(|tx| act(&Transaction::Lite(tx)))
    }

    fn tidy(&self) {
        self.tidy();
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn integrity(&self) -> Result<Vec<String>, StoreError> {
        self.read(|tx| backup::integrity(tx))
    }

    fn backup(&self, file: &Path) -> Result<u64, StoreError> {
        backup::write(self.path(), file)
    }

    fn become_daemon(&self, mark: &DaemonMark) -> Result<Box<dyn DaemonLease>, StoreError> {
        lease::take(self.path(), self.place(), mark)
    }

    fn was_served(&self) -> bool {
        probe_path(self.path()).exists()
    }

    fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        let node = |DaemonMark { pid, host, since }| NodeRow {
            mark: "daemon".to_owned(),
            host,
            pid,
            since,
            daemon: true,
            seen_secs: 0,
            work: Vec::new(),
        };
        Ok(Door::daemon(self)?.map(node).into_iter().collect())
    }

    fn daemon(&self) -> Result<Option<DaemonMark>, StoreError> {
        lease::holder(self.path(), self.place())
    }
}
