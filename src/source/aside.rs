//! A shelf whose pages are put away beside the fetching of the next ones. Reducing, packing and keeping a page takes a thread of
//! its own, one page at a time, so that no more than two pages lie in memory.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::source::api::SourceError;
use crate::source::shelf::{NoRoom, Shelf};

/// Why a page is not on the shelf.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unkept {
    /// There is no room.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// It cannot be made.
    #[error("a page cannot be kept: {0}")]
    Unmade(String),
}

impl Unkept {
    /// The error of the source.
    pub(crate) fn into_error(self, upstream: &str) -> SourceError {
        match self {
            Unkept::NoRoom(full) => full.into_error(upstream),
            Unkept::Unmade(_) => SourceError::Unusable { upstream: upstream.to_owned(), why: self.to_string() },
        }
    }
}

/// See the module.
pub(crate) struct Aside {
    shelf: Arc<Mutex<Box<dyn Shelf>>>,
    /// The page that is being put away.
    under_way: Option<JoinHandle<Result<(), Unkept>>>,
    failed: Option<Unkept>,
}

impl Aside {
    /// Puts pages on this shelf.
    pub(crate) fn of(shelf: Box<dyn Shelf>) -> Self {
        Self { shelf: Arc::new(Mutex::new(shelf)), under_way: None, failed: None }
    }

    /// Puts the page away that `make` makes, as soon as the one before it is.
    ///
    /// # Errors
    /// If an earlier one could not be.
    pub(crate) fn put_later(
        &mut self,
        number: u32,
        make: impl FnOnce() -> Result<Vec<u8>, String> + Send + 'static,
    ) -> Result<(), Unkept> {
        self.settle()?;
        let shelf = self.shelf.clone();
        let work = move || {
            let page = make().map_err(Unkept::Unmade)?;
            Ok(shelf.lock().unwrap_or_else(PoisonError::into_inner).put(number, &page)?)
        };
        let thread = Builder::new().name("pages".to_owned()).spawn(work);
        self.under_way = Some(thread.map_err(|error| Unkept::Unmade(error.to_string()))?);
        Ok(())
    }

    /// Waits until every page is put away.
    ///
    /// # Errors
    /// If one could not be.
    pub(crate) fn settle(&mut self) -> Result<(), Unkept> {
        self.wait();
        self.failed.take().map_or(Ok(()), Err)
    }

    fn wait(&mut self) {
        if let Some(thread) = self.under_way.take() {
            let done = thread.join().unwrap_or_else(|_| Err(Unkept::Unmade("it broke off".to_owned())));
            self.failed = done.err().or(self.failed.take());
        }
    }
}

impl Shelf for Aside {
    fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        self.wait();
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).page(number)
    }

    fn put(&mut self, number: u32, page: &[u8]) -> Result<(), NoRoom> {
        self.wait();
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).put(number, page)
    }

    fn cut(&mut self, from: u32) {
        self.wait();
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).cut(from);
    }
}

impl Drop for Aside {
    /// Whoever comes next finds the shelf as it stays.
    fn drop(&mut self) {
        self.wait();
    }
}

#[cfg(test)]
mod tests {
    use crate::source::aside::{Aside, Unkept};
    use crate::source::shelf::{MemoryPages, PageStore, Shelf};

    #[test]
    fn pages_are_there_when_somebody_looks_and_what_goes_wrong_is_told_once() {
        let mut shelf = Aside::of(MemoryPages { bytes_max: 1_000 }.shelf("a/b"));
        for number in 0..3u8 {
            let slow = move || {
                std::thread::sleep(std::time::Duration::from_millis(20));
                Ok(vec![number; 100])
            };
            shelf.put_later(number.into(), slow).expect("room");
        }
        assert_eq!((shelf.page(2), shelf.page(3)), (Some(vec![2; 100]), None));
        shelf.settle().expect("all of them");
        shelf.put_later(3, || Err("no JSON".to_owned())).expect("not known yet");
        assert_eq!(shelf.page(3), None);
        assert!(matches!(shelf.put_later(4, || Ok(Vec::new())), Err(Unkept::Unmade(why)) if why == "no JSON"));
        shelf.settle().expect("told once");
        let noise = || Ok((0..2_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect());
        shelf.put_later(3, noise).expect("not known yet");
        assert!(matches!(shelf.settle(), Err(Unkept::NoRoom(_))));
        shelf.cut(0);
        assert_eq!(shelf.page(0), None);
    }
}
