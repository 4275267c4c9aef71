//! Where the pages of pulls lie: in the spool, and in memory where the spool cannot have them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::roster::Room;
use crate::source::{MemoryPages, NoRoom, PAGE_BYTES_MAX, PageStore, Scratch, Shelf, pack_page, unpack_page};
use crate::spool::Spool;

/// Shelves in the spool. It is taken at the first pull; if another process has it, pages lie in memory.
pub struct SpoolPages {
    path: PathBuf,
    bytes_max: u64,
    spool: OnceLock<Option<Arc<Spool>>>,
}

impl SpoolPages {
    /// Shelves in the spool at `path`; the pages of a pull may be `bytes_max` bytes, packed.
    pub fn new(path: PathBuf, bytes_max: u64) -> Self {
        Self { path, bytes_max, spool: OnceLock::new() }
    }
}

impl PageStore for SpoolPages {
    /// Beside the spool, which must not grow by it.
    fn room(&self) -> Option<Arc<dyn Room>> {
        let mut name = self.path.file_name()?.to_owned();
        name.push(".rows");
        Some(Arc::new(Scratch::new(self.path.with_file_name(name))))
    }

    fn shelf(&self, pull: &str) -> Box<dyn Shelf> {
        let Some(spool) = self.spool.get_or_init(|| Spool::open(&self.path).ok().map(Arc::new)) else {
            return MemoryPages { bytes_max: self.bytes_max }.shelf(pull);
        };
        Box::new(SpoolShelf {
            spool: spool.clone(),
            pull: pull.to_owned(),
            beside: BTreeMap::new(),
            sizes: BTreeMap::new(),
            bytes_max: self.bytes_max,
        })
    }
}

struct SpoolShelf {
    spool: Arc<Spool>,
    pull: String,
    /// Pages that the spool did not take.
    beside: BTreeMap<u32, Vec<u8>>,
    /// Bytes by page.
    sizes: BTreeMap<u32, u64>,
    bytes_max: u64,
}

impl Shelf for SpoolShelf {
    fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        let packed = match self.beside.get(&number) {
            Some(packed) => packed.clone(),
            None => self.spool.page(&self.pull, number)?,
        };
        self.sizes.insert(number, packed.len() as u64);
        unpack_page(&packed, PAGE_BYTES_MAX)
    }

    fn put(&mut self, number: u32, page: &[u8]) -> Result<(), NoRoom> {
        let packed = pack_page(page);
        self.sizes.insert(number, packed.len() as u64);
        if self.sizes.values().sum::<u64>() > self.bytes_max {
            return Err(NoRoom { bytes_max: self.bytes_max });
        }
        self.beside.remove(&number);
        if !self.spool.put(&self.pull, number, &packed) {
            self.beside.insert(number, packed);
        }
        Ok(())
    }

    fn cut(&mut self, from: u32) {
        self.beside.split_off(&from);
        self.sizes.split_off(&from);
        self.spool.cut(&self.pull, from);
    }
}
