//! What a database is to the store: where it is, and how a transaction is opened and ended there.

use std::path::Path;

use crate::store::api::DaemonLease;
use crate::store::error::StoreError;
use crate::store::node::NodeRow;
use crate::store::place::PlaceGiven;
use crate::store::shape::DaemonMark;
use crate::store::sql::fault::Fault;
use crate::store::sql::recent::Recent;
use crate::store::sql::transaction::Transaction;

/// A database and the connections to it.
pub trait Door: Send + Sync {
    /// Where it is, for messages.
    fn place(&self) -> &str;

    /// Answers a question as of one moment. Never waits for a writer.
    fn read<T>(&self, ask: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError>;

    /// Answers a question that is one statement: so it is of one moment without a transaction around it. `ask` may be called again
    /// if it was not heard.
    fn ask<T>(&self, ask: impl Fn(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.read(|tx| ask(tx))
    }

    /// Writes, whole or not at all. What is read inside of a customer's is still so at the end.
    fn write<T>(&self, act: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError>;

    /// The same for very much at once.
    fn write_much<T>(&self, act: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.write(act)
    }

    /// Tidies up after a large commit, beside what follows. Only ever saves space.
    fn tidy(&self);

    /// Where standings that were read are kept, if reading them is dear.
    fn recent(&self) -> Option<&Recent> {
        None
    }

    /// Whether daemons on several machines may work on it at once.
    fn is_shared(&self) -> bool;

    /// What is wrong with it, a line each.
    fn integrity(&self) -> Result<Vec<String>, StoreError>;

    /// Copies all of it to a file. Returns the size in bytes.
    fn backup(&self, file: &Path) -> Result<u64, StoreError>;

    /// Makes this process its daemon, or one of them.
    fn become_daemon(&self, mark: &DaemonMark) -> Result<Box<dyn DaemonLease>, StoreError>;

    /// Whether a daemon ever worked on it.
    fn was_served(&self) -> bool;

    /// The processes that work on it, oldest first; what they do is still to be said.
    fn nodes(&self) -> Result<Vec<NodeRow>, StoreError>;

    /// The daemon that works on it now; of several the oldest.
    fn daemon(&self) -> Result<Option<DaemonMark>, StoreError>;

    /// This process as a daemon of it, if it may and can work now; answers soon.
    fn readiness(&self) -> Result<Option<DaemonMark>, StoreError> {
        self.daemon()
    }

    /// Whether this process does the minute; see [`Store::take_minute`](crate::store::Store::take_minute).
    fn take_minute(&self) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// Strikes off processes that died, and ends what the server still holds for them.
    fn strike_off(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Takes a place among the requests to an upstream; see [`Store::take_place`](crate::store::Store::take_place). Where there
    /// is one daemon, it keeps the limits by itself.
    fn take_place(&self, _: &str, _: u64, _: u32, _: u64) -> Result<PlaceGiven, StoreError> {
        Ok(PlaceGiven::Alone)
    }

    /// Gives a place back.
    fn end_place(&self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }

    /// Lets nobody start a request to an upstream for some time.
    fn pause_upstream(&self, _: &str, _: u64) -> Result<(), StoreError> {
        Ok(())
    }
}
