//! Ends that the store could not take down, as when the disk was full. They are kept and written as soon as it can:
//! a run or a request that seems to go on for ever would keep its customer from being worked on again.

use std::sync::{Mutex, PoisonError};

use crate::base::{Instant, RequestId, RunId};
use crate::store::{RequestState, RunRow, SharedStore, StoreError};
use crate::telemetry::StoreTrouble;

/// What waits to be written. It lives as long as the process; after that the next daemon's recovery sees to it.
#[derive(Default)]
pub(crate) struct Unsaved(Mutex<Vec<End>>);

enum End {
    Run(Box<RunRow>),
    Request { request: RequestId, state: RequestState, run: Option<RunId>, at: Instant },
}

impl End {
    fn write(&self, store: &SharedStore) -> Result<(), StoreError> {
        match self {
            End::Run(row) => store.save_run(row),
            End::Request { request, state, run, at } => store.end_request(*request, *state, *run, *at),
        }
    }
}

impl End {
    fn given_up(&self) -> &'static str {
        match self {
            End::Run(_) => "The end of a run is given up: the next start of the daemon closes it",
            End::Request { .. } => "The end of a request is given up: the next start of the daemon puts it back in line",
        }
    }
}

impl Unsaved {
    /// Writes the end of a run, now or later.
    pub(crate) fn end_run(&self, store: &SharedStore, row: &RunRow) -> Result<(), StoreError> {
        self.write_or_keep(store, End::Run(Box::new(row.clone())))
    }

    /// Writes the end of a request, now or later.
    pub(crate) fn end_request(
        &self,
        store: &SharedStore,
        request: RequestId,
        state: RequestState,
        run: Option<RunId>,
        at: Instant,
    ) -> Result<(), StoreError> {
        self.write_or_keep(store, End::Request { request, state, run, at })
    }

    /// Writes what is left over. An end that can never be written is told and given up: it must not stand in the way of
    /// everybody's.
    pub(crate) fn write(&self, store: &SharedStore) -> Result<(), StoreError> {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(end) = ends.first() {
            match end.write(store) {
                Err(error @ StoreError::Corrupt { .. }) => {
                    StoreTrouble { store: &store.place(), doing: end.given_up(), error: &error }.emit();
                }
                Err(error) => return Err(error),
                Ok(()) => {}
            }
            ends.remove(0);
        }
        Ok(())
    }

    fn write_or_keep(&self, store: &SharedStore, end: End) -> Result<(), StoreError> {
        let written = end.write(store);
        if written.as_ref().is_err_and(|error| !matches!(error, StoreError::Corrupt { .. })) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(end);
        }
        written
    }
}
