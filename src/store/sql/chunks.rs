//! Long byte strings as rows of compressed chunks.

use std::mem::{replace, take};

use zstd::zstd_safe::{find_frame_compressed_size, get_frame_content_size};

use crate::base::parts;
use crate::store::api::{Give, Take};
use crate::store::sql::books::blob;
use crate::store::sql::fault::Fault;
use crate::store::sql::transaction::Rows;

/// A chunk is closed once it has so many bytes.
const CHUNK_BYTES: usize = 4 << 20;
/// Level 1: a district's night is compressed while it is written.
const LEVEL: i32 = 1;
/// So many chunks make a row: of more rows than a page of their index has room for, SQLite would read two thirds of a large
/// snapshot's log once more at the commit, as the index's first page was in it already.
const TOGETHER: usize = 4;
/// So many that are compressed may wait to be written, some MiB in all: whoever makes them is done all the sooner.
const AHEAD: usize = 12;

/// Keeps a chunk, or hands it on.
type Keep<'f> = dyn FnMut(Vec<u8>) -> Result<(), Fault> + 'f;

/// Cuts a growing buffer into chunks and hands each on.
pub(in crate::store::sql) struct Chunks<'f> {
    keep: &'f mut Keep<'f>,
}

impl<'f> Chunks<'f> {
    pub(in crate::store::sql) fn new(keep: &'f mut Keep<'f>) -> Self {
        Self { keep }
    }

    /// Takes the buffer's bytes away if they are enough for a chunk.
    pub(in crate::store::sql) fn pause(&mut self, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        if buffer.len() < CHUNK_BYTES {
            return Ok(());
        }
        let next = Vec::with_capacity(buffer.len());
        (self.keep)(replace(buffer, next))
    }

    /// Takes the buffer's bytes away as they are.
    pub(in crate::store::sql) fn close(&mut self, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        (self.keep)(take(buffer))
    }
}

pub(in crate::store::sql) fn compress(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut body = zstd::bulk::compress(bytes, LEVEL).map_err(|cause| Fault::corrupt("a chunk", cause))?;
    // It has room for what cannot be compressed; those of a large commit wait for one another.
    body.shrink_to_fit();
    Ok(body)
}

/// Some chunks, compressed each for itself, one behind the other.
#[derive(Default)]
struct Row {
    chunks: usize,
    /// Bytes of all of them before they were compressed.
    bytes: usize,
    body: Vec<u8>,
}

impl Row {
    fn add(&mut self, bytes: usize, packed: Vec<u8>) {
        self.chunks += 1;
        self.bytes += bytes;
        if self.body.is_empty() { self.body = packed } else { self.body.extend_from_slice(&packed) }
    }
}

/// Compresses chunks as they come and has rows of them kept: a row's place, how many bytes there were, and what they are now.
/// An empty chunk says that they broke off. Returns how many bytes there were in all.
pub(in crate::store::sql) fn compress_each(
    what: impl Fn() -> String,
    chunks: Give<'_, Vec<u8>>,
    mut keep: impl FnMut(i64, isize, Vec<u8>) -> Result<(), Fault>,
) -> Result<u64, Fault> {
    let (mut bytes, mut n, mut next) = (0u64, 0i64, Row::default());
    let mut keep = |Row { chunks: _, bytes: len, body }: Row| {
        keep(n, len.cast_signed(), body)?;
        n += 1;
        bytes += len as u64;
        Ok::<_, Fault>(())
    };
    let gather = |(len, packed): (usize, Result<Vec<u8>, Fault>)| {
        if len == 0 {
            return Err(Fault::corrupt(what(), "it broke off while it was made"));
        }
        next.add(len, packed?);
        if next.chunks == TOGETHER { keep(take(&mut next)) } else { Ok(()) }
    };
    parts::in_turn(chunks, AHEAD, |chunk: Vec<u8>| (chunk.len(), compress(&chunk)), gather)?;
    if next.chunks > 0 {
        keep(next)?;
    }
    Ok(bytes)
}

/// Hands on the chunks of rows that say how many bytes there were and what they are now.
pub(in crate::store::sql) fn decompress_rows(mut rows: Rows<'_>, each: Take<'_, Vec<u8>>) -> Result<(), Fault> {
    while let Some(row) = rows.next()? {
        decompress_each(blob(row, 1)?, row.get(0)?, |chunk| Ok(each(chunk)?))?;
    }
    Ok(())
}

/// Undoes several [`compress`] whose bodies stand behind one another, each for itself; `bytes` is how many there were in all.
fn decompress_each(mut bodies: &[u8], bytes: u32, mut each: impl FnMut(Vec<u8>) -> Result<(), Fault>) -> Result<(), Fault> {
    let odd = || Fault::corrupt("a chunk", "it is no chunk");
    let mut left = bytes;
    while !bodies.is_empty() {
        let (body, rest) =
            find_frame_compressed_size(bodies).ok().and_then(|len| bodies.split_at_checked(len)).ok_or_else(odd)?;
        let own = get_frame_content_size(body).ok().flatten().and_then(|own| u32::try_from(own).ok()).ok_or_else(odd)?;
        left = left.checked_sub(own).ok_or_else(odd)?;
        each(decompress(body, own)?)?;
        bodies = rest;
    }
    if left == 0 { Ok(()) } else { Err(Fault::corrupt("a chunk", "it is shorter than it was")) }
}

/// Undoes [`compress`]; `bytes` is how many there were.
pub(in crate::store::sql) fn decompress(body: &[u8], bytes: u32) -> Result<Vec<u8>, Fault> {
    let bytes = bytes as usize;
    let plain = zstd::bulk::decompress(body, bytes).map_err(|cause| Fault::corrupt("a chunk", cause))?;
    if plain.len() == bytes { Ok(plain) } else { Err(Fault::corrupt("a chunk", "it is shorter than it was")) }
}

#[cfg(test)]
mod tests {
    use crate::store::sql::chunks::{compress, decompress_each};

    #[test]
    fn chunks_that_stand_behind_one_another_come_back_one_by_one() {
        let chunks: Vec<Vec<u8>> = [1u8, 200, 3].map(|n| vec![n; usize::from(n) * 1_000]).into();
        let bodies = chunks.iter().map(|chunk| compress(chunk).expect("room")).collect::<Vec<_>>().concat();
        let read = |bodies: &[u8], bytes: u32| {
            let mut read = Vec::new();
            let done = decompress_each(bodies, bytes, |chunk| {
                read.push(chunk);
                Ok(())
            });
            done.is_ok().then_some(read)
        };
        assert_eq!(read(&bodies, 204_000), Some(chunks));
        assert_eq!(read(&[], 0), Some(Vec::new()));
        for (len, bytes) in [(bodies.len(), 203_999), (bodies.len(), 204_001), (bodies.len() - 1, 204_000), (5, 1_000)] {
            assert_eq!(read(&bodies[..len], bytes), None, "{len} {bytes}");
        }
    }
}
