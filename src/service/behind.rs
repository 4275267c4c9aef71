//! What is written behind a run: one after the other, by a thread of its own, while the run goes on with what does not rest
//! on it.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use crate::store::{SharedStore, Store, StoreError};

/// Something to write.
type Job = Box<dyn FnOnce(&dyn Store) -> Result<(), StoreError> + Send>;

/// What is written behind a run, if anything is. Nobody is rid of it before all is written.
#[derive(Default)]
pub(crate) struct Behind(Option<Worker>);

struct Worker {
    jobs: Sender<Job>,
    done: JoinHandle<Result<(), StoreError>>,
}

impl Behind {
    /// Begins with something.
    pub(crate) fn begin(
        store: &SharedStore,
        first: impl FnOnce(&dyn Store) -> Result<(), StoreError> + Send + 'static,
    ) -> Self {
        let (jobs, got) = channel::<Job>();
        let store = Arc::clone(store);
        let work = move || {
            first(store.as_ref())?;
            got.into_iter().try_for_each(|job| job(store.as_ref()))
        };
        Self(Some(Worker { jobs, done: thread::spawn(work) }))
    }

    /// Writes something behind what was begun; at once, if nothing was.
    ///
    /// # Errors
    /// What comes of it at once; of what is written behind, [`Behind::finish`] tells.
    pub(crate) fn write(
        &self,
        store: &SharedStore,
        job: impl FnOnce(&dyn Store) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        match &self.0 {
            // Once something could not be written nobody listens any more.
            Some(worker) => drop(worker.jobs.send(Box::new(job))),
            None => job(store.as_ref())?,
        }
        Ok(())
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// The first one; nothing was written after it.
    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        let Some(Worker { jobs, done }) = self.0.take() else { return Ok(()) };
        drop(jobs);
        done.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        // Whoever lets go of it failed with something else.
        if let Some(Worker { jobs, done }) = self.0.take() {
            drop(jobs);
            drop(done.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{channel, sync_channel};

    use tempfile::TempDir;

    use crate::service::behind::Behind;
    use crate::store::{Opening, SharedStore, Store, StoreChoice, StoreError, open};

    fn store() -> (TempDir, SharedStore) {
        let folder = tempfile::tempdir().expect("tempdir");
        let choice = StoreChoice::Sqlite { path: folder.path().join("rosterd.db") };
        let store = open(&choice, Opening::Writing).expect("opens");
        (folder, store)
    }

    #[test]
    fn what_is_written_behind_is_written_in_order_and_waited_for() {
        let (_folder, store) = store();
        let (say, said) = channel();
        let job = |n: u32| {
            let say = say.clone();
            move |_: &dyn Store| {
                say.send(n).expect("heard");
                Ok(())
            }
        };
        let none = Behind::default();
        none.write(&store, job(1)).expect("at once");
        assert_eq!(said.try_recv(), Ok(1));
        for is_dropped in [false, true] {
            let (gate, opened) = sync_channel::<()>(1);
            let first = job(2);
            let mut behind = Behind::begin(&store, move |store| {
                opened.recv().expect("goes on");
                first(store)
            });
            behind.write(&store, job(3)).expect("not yet");
            assert!(said.try_recv().is_err(), "nobody waits for it");
            gate.send(()).expect("waits");
            if is_dropped {
                drop(behind);
            } else {
                behind.finish().expect("all is written");
                behind.finish().expect("once");
            }
            assert_eq!(said.try_iter().collect::<Vec<_>>(), [2, 3]);
        }
    }

    #[test]
    fn the_first_error_is_told_and_nothing_is_written_after_it() {
        let (_folder, store) = store();
        let busy = |store: &dyn Store| Err(StoreError::Busy { place: store.place() });
        let mut behind = Behind::begin(&store, busy);
        behind.write(&store, |_| panic!("it would stand on nothing")).expect("told in the end");
        assert!(matches!(behind.finish(), Err(StoreError::Busy { .. })));
        assert!(Behind::default().write(&store, busy).is_err(), "told at once");
    }
}
