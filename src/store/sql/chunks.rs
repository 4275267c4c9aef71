//! Long byte strings as rows of compressed chunks.

use zstd::zstd_safe::{find_frame_compressed_size, get_frame_content_size};

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

/// Undoes several [`compress`] whose bodies stand behind one another, each for itself; `bytes` is how many there were in all.
pub(in crate::store::sql) fn decompress_each(
    mut bodies: &[u8],
    bytes: u32,
    mut each: impl FnMut(Vec<u8>) -> Result<(), Fault>,
) -> Result<(), Fault> {
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
