//! What is told of the pieces of a folder's files by whoever reads them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::mem::replace;

use crate::base::{BulkDigester, Digest};

/// How long a piece of a file is, in bytes. Part of the digest's definition.
pub(crate) const PIECE_BYTES: u64 = 16 << 20;

/// Files of a folder whose pieces are known, by name.
pub(crate) type Told = BTreeMap<OsString, Pieces>;

/// The digests of the pieces of a file, made while its bytes pass by.
pub(crate) struct Pieces {
    digester: BulkDigester,
    length: u64,
    digests: Vec<Digest>,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { digester: piece(), length: 0, digests: Vec::new() }
    }
}

impl Pieces {
    /// Adds the bytes that come next.
    pub(crate) fn stream(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let left = usize::try_from(PIECE_BYTES - self.length % PIECE_BYTES).unwrap_or(usize::MAX);
            let (own, rest) = bytes.split_at(left.min(bytes.len()));
            self.digester.stream(own);
            self.length += own.len() as u64;
            if own.len() == left {
                self.digests.push(replace(&mut self.digester, piece()).finish());
            }
            bytes = rest;
        }
    }

    /// All of them, if the file is so many bytes long.
    pub(crate) fn of_length(&self, length: u64) -> Option<Vec<Digest>> {
        let last = (!length.is_multiple_of(PIECE_BYTES)).then(|| self.digester.finish());
        (self.length == length).then(|| self.digests.iter().copied().chain(last).collect())
    }
}

/// Begins the digest of a piece.
pub(crate) fn piece() -> BulkDigester {
    BulkDigester::new("piece")
}
