//! Ends that the store could not take down, as when the disk was full. They are kept and written as soon as it can:
//! a run or a request that seems to go on for ever would keep its customer from being worked on again.

use std::sync::{Mutex, PoisonError};

use crate::base::{Instant, RequestId, RunId};
use crate::store::{RequestState, RunRow, SharedStore, StoreError};
use crate::telemetry::StoreTrouble;

/// So often an end is tried of which the database says what nobody foresaw.
const TRIES_MAX: u32 = 10;

/// What waits to be written, each with how often it was tried. It lives as long as the process; after that the next daemon's
/// recovery sees to it.
#[derive(Default)]
pub(crate) struct Unsaved(Mutex<Vec<(End, u32)>>);

/// When an end can be written that could not be.
enum Hope {
    Later,
    Perhaps,
    Never,
}

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
            End::Run(_) => "The end of a run is given up: unless somebody closed it, the next start of the daemon does",
            End::Request { .. } => "The end of a request is given up: the next start of the daemon puts it back in line",
        }
    }
}

fn hope(error: &StoreError) -> Hope {
    match error {
        StoreError::DiskFull { .. }
        | StoreError::ReadOnly { .. }
        | StoreError::Disk { .. }
        | StoreError::Busy { .. }
        | StoreError::Away { .. } => Hope::Later,
        StoreError::Database { .. } => Hope::Perhaps,
        // Also of a run that somebody closed who took this process for dead: it is over, and made again.
        _ => Hope::Never,
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
        while let Some((end, tries)) = ends.first_mut() {
            if let Err(error) = end.write(store) {
                *tries += 1;
                match hope(&error) {
                    Hope::Later => return Err(error),
                    Hope::Perhaps if *tries < TRIES_MAX => return Err(error),
                    _ => StoreTrouble { store: &store.place(), doing: end.given_up(), error: &error }.emit(),
                }
            }
            ends.remove(0);
        }
        Ok(())
    }

    fn write_or_keep(&self, store: &SharedStore, end: End) -> Result<(), StoreError> {
        let written = end.write(store);
        if written.as_ref().is_err_and(|error| !matches!(hope(error), Hope::Never)) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push((end, 1));
        }
        written
    }
}
