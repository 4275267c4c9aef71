//! Writes of which nobody knows whether they were made: the server went away while it was told to commit. What such a one may
//! have begun nobody works on, under the mark of a process that lives: so it is undone before anything else is begun.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crate::base::{CustomerId, Instant, RequestId, RunId};
use crate::store::error::StoreError;
use crate::store::shape::{RequestRow, RequestState, RunState, Trigger};
use crate::store::sql::books::head_or_new;
use crate::store::sql::door::Door;
use crate::store::sql::fault::Fault;
use crate::store::sql::orphans;
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

/// All of this process, and the requests that it surely took.
#[derive(Default)]
pub(in crate::store) struct Doubts {
    open: Mutex<Vec<Doubt>>,
    taken: Mutex<BTreeMap<CustomerId, (RequestId, Trigger)>>,
    /// Held by whoever sees to what dead processes left: one of the workers does.
    sees_to_orphans: Mutex<()>,
}

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
            self.open().extend(doubt);
        }
        written
    }

    /// Takes the oldest request of a customer that has none running (R99), after what was in doubt.
    pub(in crate::store::sql) fn take_request(&self, door: &impl Door, at: Instant) -> Result<Option<RequestRow>, StoreError> {
        self.settle(door)?;
        // A worker asks every few seconds; while nothing is in line it must not hold up other writers.
        let (mut queued, orphaned) = door.ask(requests::in_line)?;
        if orphaned && let Some(_one) = self.turn_at_orphans() {
            orphans::close(door, at, false)?;
            queued |= orphans::requeue(door)? > 0;
        }
        if !queued {
            return Ok(None);
        }
        let taken = |row: &Option<RequestRow>| row.as_ref().map(|row| Doubt::Taken(row.request, at));
        let row = self.write(door, |tx| requests::take(tx, at), taken)?;
        if let Some(row) = &row {
            self.taken().insert(row.customer.clone(), (row.request, row.trigger.clone()));
        }
        Ok(row)
    }

    /// Begins a run. One for a request that this process took is begun only as long as it has it.
    pub(in crate::store::sql) fn begin_run(
        &self,
        door: &impl Door,
        customer: &CustomerId,
        trigger: &Trigger,
        at: Instant,
    ) -> Result<RunId, StoreError> {
        let taken = self.taken().get(customer).filter(|(_, of)| door.is_shared() && of == trigger).map(|(request, _)| *request);
        let begun = |run: &RunId| Some(Doubt::Begun(customer.clone(), *run));
        self.write(door, |tx| runs::begin(tx, customer, trigger, at, taken), begun)
    }

    /// Ends a request.
    pub(in crate::store::sql) fn end_request(
        &self,
        door: &impl Door,
        request: RequestId,
        (state, run): (RequestState, Option<RunId>),
        at: Instant,
    ) -> Result<(), StoreError> {
        door.write(|tx| requests::end(tx, request, state, run, at))?;
        self.taken().retain(|_, (taken, _)| *taken != request);
        Ok(())
    }

    /// Undoes what was remembered. What somebody holds up is undone later: its customer is not worked on by then.
    fn settle(&self, door: &impl Door) -> Result<(), StoreError> {
        let mut doubts = std::mem::take(&mut *self.open()).into_iter();
        while let Some(doubt) = doubts.next() {
            let undone = orphans::apart(door, |tx| undo(tx, &doubt));
            if !matches!(undone, Ok(Some(()))) {
                self.open().push(doubt);
            }
            if let Err(error) = undone {
                self.open().extend(doubts);
                return Err(error);
            }
        }
        Ok(())
    }

    /// To see to what dead processes left, unless somebody does.
    fn turn_at_orphans(&self) -> Option<MutexGuard<'_, ()>> {
        match self.sees_to_orphans.try_lock() {
            Ok(turn) => Some(turn),
            // Whoever had it panicked, and nothing is half done: it is all in the store.
            Err(TryLockError::Poisoned(turn)) => Some(turn.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn open(&self) -> MutexGuard<'_, Vec<Doubt>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<CustomerId, (RequestId, Trigger)>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn undo(tx: &Transaction<'_>, doubt: &Doubt) -> Result<(), Fault> {
    match doubt {
        Doubt::Taken(request, at) => requests::put_back(tx, *request, *at),
        Doubt::Begun(customer, run) => {
            // If the server still commits, that is waited for.
            let head = head_or_new(tx, customer)?;
            let Some(mut row) = runs::run(tx, *run)?.filter(|row| !row.state.is_over()) else { return Ok(()) };
            (row.state, row.ended) = (RunState::Failed, Some(row.began));
            row.message = "the store went away before anybody knew that it began; nothing was changed".to_owned();
            runs::write(tx, head.id, &row, false)
        }
    }
}
