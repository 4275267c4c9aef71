//! Where the pages of a pull lie until it is complete.
//!
//! A shelf keeps pages by number, packed. Losing it, or a page of it, costs reading again and nothing else: so keeping may
//! fail without a word, and only a page that is asked for and gone is told. The spool keeps pages over a crash; where
//! there is none they lie in memory.

use std::sync::Arc;

use crate::roster::Room;
use crate::source::api::SourceError;

/// Makes shelves.
pub trait PageStore: Send + Sync {
    /// The shelf of a pull, with what an earlier one of the same name left there.
    fn shelf(&self, pull: &str) -> Box<dyn Shelf>;

    /// Room outside memory for what a read has millions of; `None`: there is none.
    fn room(&self) -> Option<Arc<dyn Room>> {
        None
    }
}

/// The pages of one pull.
pub trait Shelf: Send {
    /// A page; `None` if it is not there, or not whole.
    fn page(&mut self, number: u32) -> Option<Vec<u8>>;

    /// Keeps a page under the next number, or in place of an older one.
    ///
    /// # Errors
    /// If there is no room for it.
    fn put(&mut self, number: u32, page: &[u8]) -> Result<(), NoRoom>;

    /// Forgets the pages from a number on.
    fn cut(&mut self, from: u32);
}

/// The pages of a pull passed the bound on their size.
#[derive(Debug, thiserror::Error)]
#[error("keep the pages of a pull: packed they are more than {bytes_max} bytes")]
pub struct NoRoom {
    /// The bound.
    pub bytes_max: u64,
}

impl NoRoom {
    /// The error of the source.
    pub(crate) fn into_error(self, upstream: &str) -> SourceError {
        let why = format!("packed it is more than {} bytes, the bound of spool.max_mib", self.bytes_max);
        SourceError::Unusable { upstream: upstream.to_owned(), why }
    }
}

/// Packs a page, for any shelf.
pub fn pack_page(page: &[u8]) -> Vec<u8> {
    // Level 1 of memory to memory cannot fail; if it did, the page would not be found again, and be read once more.
    zstd::bulk::compress(page, 1).unwrap_or_default()
}

/// Unpacks a page; `None` if it is damaged or longer than `bytes_max`.
pub fn unpack_page(packed: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    let length = zstd::zstd_safe::get_frame_content_size(packed).ok().flatten()?;
    let length = usize::try_from(length).ok().filter(|length| *length <= bytes_max)?;
    zstd::bulk::decompress(packed, length).ok()
}

/// No page is longer than this, unpacked.
pub const PAGE_BYTES_MAX: usize = 1 << 30;

/// Shelves in memory: after a crash there is nothing left of them.
#[derive(Clone, Copy, Debug)]
pub struct MemoryPages {
    /// Bytes of a pull's pages at most, packed.
    pub bytes_max: u64,
}

impl PageStore for MemoryPages {
    fn shelf(&self, _: &str) -> Box<dyn Shelf> {
        Box::new(MemoryShelf { pages: Vec::new(), bytes: 0, bytes_max: self.bytes_max })
    }
}

struct MemoryShelf {
    pages: Vec<Vec<u8>>,
    bytes: u64,
    bytes_max: u64,
}

impl Shelf for MemoryShelf {
    fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        unpack_page(self.pages.get(number as usize)?, PAGE_BYTES_MAX)
    }

    fn put(&mut self, number: u32, page: &[u8]) -> Result<(), NoRoom> {
        self.cut(number);
        let packed = pack_page(page);
        self.bytes += packed.len() as u64;
        if self.bytes > self.bytes_max {
            return Err(NoRoom { bytes_max: self.bytes_max });
        }
        self.pages.push(packed);
        Ok(())
    }

    fn cut(&mut self, from: u32) {
        self.pages.truncate(from as usize);
        self.bytes = self.pages.iter().map(|page| page.len() as u64).sum();
    }
}

/// Whether a page that is asked for once more has other records than it had, by the hashes of their ids. There may be fewer now,
/// if less was asked for.
pub(crate) fn has_moved(known: &[Option<u64>], ids: &[Option<u64>]) -> bool {
    let common = known.len().min(ids.len());
    known[..common] != ids[..common] || known.is_empty() != ids.is_empty()
}

#[cfg(test)]
mod tests {
    use crate::source::shelf::{MemoryPages, PageStore};

    #[test]
    fn pages_come_back_until_they_are_cut_off() {
        let mut shelf = MemoryPages { bytes_max: 1_000 }.shelf("a/b");
        for number in 0..4u32 {
            shelf.put(number, &[number as u8; 100]).expect("room");
        }
        assert_eq!(shelf.page(2), Some(vec![2; 100]));
        shelf.put(2, b"new").expect("room");
        assert_eq!((shelf.page(2), shelf.page(3)), (Some(b"new".to_vec()), None));
        shelf.cut(0);
        assert_eq!(shelf.page(0), None);
        let noise: Vec<u8> = (0..2_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert!(shelf.put(0, &noise).expect_err("too much").to_string().contains("more than 1000 bytes"));
    }
}
