//! Writes of which nobody knows whether they were made: the server went away while it was told to commit. What such a one may
//! have begun nobody works on, under the mark of a process that lives: so it is undone before anything else is begun.

use std::sync::{Mutex, PoisonError};

use crate::base::{CustomerId, Instant, RequestId, RunId};
use crate::store::error::StoreError;
use crate::store::shape::{RequestRow, RunState};
use crate::store::sql::books::head_or_new;
use crate::store::sql::door::Door;
use crate::store::sql::fault::Fault;
use crate::store::sql::requests;
use crate::store::sql::runs;
use crate::store::sql::transaction::Transaction;

/// What may have been begun.
pub(in crate::store::sql) enum Doubt {
    /// A request, taken at that instant.
    Taken(RequestId, Instant),
    /// A run.
    Begun(CustomerId, RunId),
}

/// All of this process.
#[derive(Default)]
pub(in crate::store) struct Doubts(Mutex<Vec<Doubt>>);

impl Doubts {
    /// Writes; remembers what was begun if nobody knows whether it was.
    pub(in crate::store::sql) fn write<T>(
        &self,
        door: &impl Door,
        begin: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
        begun: impl FnOnce(&T) -> Option<Doubt>,
    ) -> Result<T, StoreError> {
        let mut doubt = None;
        let written = door.write(|tx| {
            let made = begin(tx)?;
            doubt = begun(&made);
            Ok(made)
        });
        if matches!(written, Err(StoreError::Away { .. })) {
            self.lock().extend(doubt);
        }
        written
    }

    /// Takes the oldest request of a customer that has none running (R99), after what was in doubt.
    pub(in crate::store::sql) fn take_request(&self, door: &impl Door, at: Instant) -> Result<Option<RequestRow>, StoreError> {
        self.settle(door)?;
        // A worker asks every few seconds; while nothing is in line it must not hold up other writers.
        if door.is_shared() && door.read(requests::any_orphan)? {
            door.write(|tx| {
                runs::close_orphans(tx, at, false)?;
                requests::requeue_orphans(tx)
            })?;
        }
        if !door.read(requests::any_queued)? {
            return Ok(None);
        }
        let taken = |row: &Option<RequestRow>| row.as_ref().map(|row| Doubt::Taken(row.request, at));
        self.write(door, |tx| requests::take(tx, at), taken)
    }

    /// Undoes what was remembered.
    fn settle(&self, door: &impl Door) -> Result<(), StoreError> {
        while let Some(doubt) = self.pop() {
            if let Err(error) = door.write(|tx| undo(tx, &doubt)) {
                self.lock().push(doubt);
                return Err(error);
            }
        }
        Ok(())
    }

    fn pop(&self) -> Option<Doubt> {
        self.lock().pop()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Doubt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn undo(tx: &Transaction<'_>, doubt: &Doubt) -> Result<(), Fault> {
    match doubt {
        Doubt::Taken(request, at) => requests::put_back(tx, *request, *at),
        Doubt::Begun(customer, run) => {
            // If the server still commits, that is waited for.
            head_or_new(tx, customer)?;
            let Some(mut row) = runs::run(tx, *run)?.filter(|row| !row.state.is_over()) else { return Ok(()) };
            (row.state, row.ended) = (RunState::Failed, Some(row.began));
            row.message = "the store went away before anybody knew that it began; nothing was changed".to_owned();
            runs::save(tx, &row)
        }
    }
}
