//! Long byte strings as rows of compressed chunks.

use crate::store::sql::fault::Fault;

/// A chunk is closed once it has so many bytes.
const CHUNK_BYTES: usize = 4 << 20;
/// Level 1: a district's night is compressed while it is written.
const LEVEL: i32 = 1;

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
        (self.keep)(std::mem::replace(buffer, next))
    }

    /// Takes the buffer's bytes away as they are.
    pub(in crate::store::sql) fn close(&mut self, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        (self.keep)(std::mem::take(buffer))
    }
}

pub(in crate::store::sql) fn compress(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut body = zstd::bulk::compress(bytes, LEVEL).map_err(|cause| Fault::corrupt("a chunk", cause))?;
    // It has room for what cannot be compressed; those of a large commit wait for one another.
    body.shrink_to_fit();
    Ok(body)
}

/// Undoes [`compress`]; `bytes` is how many there were.
pub(in crate::store::sql) fn decompress(body: &[u8], bytes: u32) -> Result<Vec<u8>, Fault> {
    let bytes = bytes as usize;
    let plain = zstd::bulk::decompress(body, bytes).map_err(|cause| Fault::corrupt("a chunk", cause))?;
    if plain.len() == bytes { Ok(plain) } else { Err(Fault::corrupt("a chunk", "it is shorter than it was")) }
}
