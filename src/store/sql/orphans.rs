//! What processes left that died. Each run and each request is seen to in a transaction of its own: one that somebody still
//! holds up holds up its own customer and nobody else's.

use crate::base::{Instant, RunId};
use crate::store::error::StoreError;
use crate::store::sql::door::Door;
use crate::store::sql::fault::Fault;
use crate::store::sql::requests;
use crate::store::sql::runs;
use crate::store::sql::transaction::Transaction;

/// Closes the runs they left in the middle; returns those that were closed. Where several work on the store, what cannot be
/// locked soon is left for the next time.
pub(in crate::store::sql) fn close(door: &impl Door, at: Instant, unseen: bool) -> Result<Vec<RunId>, StoreError> {
    // Asked every minute and after each commit; as long as nobody died it must not hold up other writers.
    let (runs, any_dead) = door.ask(|tx| runs::orphans(tx, unseen))?;
    if any_dead || !runs.is_empty() {
        door.strike_off()?;
    }
    let mut closed = Vec::new();
    for run in runs {
        if apart(door, |tx| runs::close_orphan(tx, run, at))? == Some(true) {
            closed.push(run);
        }
    }
    Ok(closed)
}

/// Puts the requests they left running back in line, each in its old place.
pub(in crate::store::sql) fn requeue(door: &impl Door) -> Result<u32, StoreError> {
    let mut count = 0;
    for orphan in door.ask(requests::orphans)? {
        count += u32::from(apart(door, |tx| requests::requeue(tx, &orphan))? == Some(true));
    }
    Ok(count)
}

/// Writes in a transaction of its own; `None`: somebody holds it up.
pub(in crate::store::sql) fn apart<T>(
    door: &impl Door,
    act: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, StoreError> {
    let done = door.write(|tx| {
        tx.waits_briefly()?;
        act(tx)
    });
    match done {
        Err(StoreError::Busy { .. }) if door.is_shared() => Ok(None),
        done => done.map(Some),
    }
}
