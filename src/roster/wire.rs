//! Numbers and texts as bytes, in chunks, and back.

use crate::base::{Guid, Text, TextArena};

/// Why bytes are no roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// They end too early.
    #[error("read a packed roster: it ends too early")]
    Truncated,
    /// They were written by a newer program.
    #[error("read a packed roster of layout {0}")]
    Layout(u8),
    /// They break an invariant.
    #[error("read a packed roster: {0}")]
    Corrupt(&'static str),
}

/// How much is put together before it goes to the sink.
const CHUNK_BYTES: usize = 1 << 20;

/// A text of 36 characters that is a GUID travels as 16 bytes under one of these heads; all others under four times
/// their length.
const GUID_LOWER: u64 = 1;
const GUID_UPPER: u64 = 2;

/// Writes to a sink.
pub(crate) struct Writer<'a> {
    bytes: Vec<u8>,
    sink: &'a mut dyn FnMut(&[u8]),
}

impl<'a> Writer<'a> {
    /// Starts.
    pub(crate) fn new(sink: &'a mut dyn FnMut(&[u8])) -> Self {
        Self { bytes: Vec::with_capacity(CHUNK_BYTES + 64), sink }
    }

    /// Writes bytes as they are.
    #[inline]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.pause();
    }

    #[inline]
    fn pause(&mut self) {
        if self.bytes.len() >= CHUNK_BYTES {
            (self.sink)(&self.bytes);
            self.bytes.clear();
        }
    }

    /// Writes a number, seven bits a byte, low ones first.
    #[inline]
    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
        self.pause();
    }

    /// Writes a number that may be negative; small sizes take few bytes.
    #[inline]
    pub(crate) fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)) as u64);
    }

    /// Writes a text.
    pub(crate) fn text(&mut self, text: &[u8]) {
        match Guid::of(text) {
            Some(guid) => {
                self.number(if guid.is_capital { GUID_UPPER } else { GUID_LOWER });
                self.raw(&guid.bytes);
            }
            None => {
                self.number((text.len() as u64) << 2);
                self.raw(text);
            }
        }
    }

    /// Hands the rest to the sink.
    pub(crate) fn finish(self) {
        if !self.bytes.is_empty() {
            (self.sink)(&self.bytes);
        }
    }
}

/// Reads from chunks, wherever they were cut.
pub(crate) struct Reader<F> {
    next: F,
    chunk: Vec<u8>,
    at: usize,
    text: Vec<u8>,
}

impl<F: FnMut() -> Option<Vec<u8>>> Reader<F> {
    /// Starts.
    pub(crate) fn new(next: F) -> Self {
        Self { next, chunk: Vec::new(), at: 0, text: Vec::new() }
    }

    /// Makes sure of at least one byte; `false` at the end.
    fn fill(&mut self) -> bool {
        while self.at == self.chunk.len() {
            match (self.next)() {
                Some(chunk) => (self.chunk, self.at) = (chunk, 0),
                None => return false,
            }
        }
        true
    }

    /// Whether all bytes were read.
    pub(crate) fn at_end(&mut self) -> bool {
        !self.fill()
    }

    /// Reads a byte.
    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, PackError> {
        if self.at == self.chunk.len() && !self.fill() {
            return Err(PackError::Truncated);
        }
        self.at += 1;
        Ok(self.chunk[self.at - 1])
    }

    /// Reads bytes as they are.
    #[inline]
    pub(crate) fn raw<const N: usize>(&mut self) -> Result<[u8; N], PackError> {
        let mut bytes = [0; N];
        if let Some(here) = self.chunk.get(self.at..self.at + N) {
            bytes.copy_from_slice(here);
            self.at += N;
            return Ok(bytes);
        }
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    /// Reads a number; most are small.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64, PackError> {
        match self.chunk.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Result<u64, PackError> {
        if let Some(number) = self.number_within() {
            return Ok(number);
        }
        let mut number = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            if place == 9 && byte > 1 {
                break;
            }
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(PackError::Corrupt("a number has too many bits"))
    }

    /// Reads a number of up to eight bytes, if as many are here, whatever their number without a branch.
    #[inline]
    fn number_within(&mut self) -> Option<u64> {
        let word = u64::from_le_bytes(*self.chunk.get(self.at..)?.first_chunk()?);
        let ends = !word & 0x8080_8080_8080_8080;
        let bits = ends.trailing_zeros() + 1;
        let sevens = (ends != 0).then(|| word & u64::MAX >> (64 - bits) & 0x7f7f_7f7f_7f7f_7f7f)?;
        self.at += bits as usize / 8;
        // Seven bits of each byte, fourteen of each pair, twenty-eight of each four.
        let pairs = sevens & 0x007f_007f_007f_007f | sevens >> 1 & 0x3f80_3f80_3f80_3f80;
        let fours = pairs & 0x0000_3fff_0000_3fff | pairs >> 2 & 0x0fff_c000_0fff_c000;
        Some(fours & 0x0fff_ffff | fours >> 4 & 0x00ff_ffff_f000_0000)
    }

    /// Reads a number that may be negative.
    #[inline]
    pub(crate) fn signed(&mut self) -> Result<i64, PackError> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Reads a number of 32 bits.
    #[inline]
    pub(crate) fn small(&mut self) -> Result<u32, PackError> {
        u32::try_from(self.number()?).map_err(|_| PackError::Corrupt("a number has too many bits"))
    }

    /// Reads a text into an arena.
    pub(crate) fn text_into(&mut self, arena: &mut TextArena) -> Result<Text, PackError> {
        self.text_with(|bytes| push(arena, bytes))?
    }

    /// Reads a text and hands its bytes on. Memory grows with the bytes that are really there, not with what a length
    /// claims.
    pub(crate) fn text_with<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> Result<T, PackError> {
        let head = self.number()?;
        if head == GUID_LOWER || head == GUID_UPPER {
            let guid = Guid { bytes: self.raw()?, is_capital: head == GUID_UPPER };
            return Ok(read(&guid.text()));
        }
        if head & 3 != 0 {
            return Err(PackError::Corrupt("a text is neither a GUID nor plain"));
        }
        let mut rest = usize::try_from(head >> 2).map_err(|_| PackError::Truncated)?;
        if let Some(here) = self.chunk.get(self.at..).and_then(|left| left.get(..rest)) {
            let told = read(here);
            self.at += rest;
            return Ok(told);
        }
        self.text.clear();
        while rest > 0 {
            if !self.fill() {
                return Err(PackError::Truncated);
            }
            let len = rest.min(self.chunk.len() - self.at);
            self.text.extend_from_slice(&self.chunk[self.at..self.at + len]);
            self.at += len;
            rest -= len;
        }
        Ok(read(&self.text))
    }
}

/// Keeps bytes that must be text.
pub(crate) fn push(arena: &mut TextArena, bytes: &[u8]) -> Result<Text, PackError> {
    let text = std::str::from_utf8(bytes).map_err(|_| PackError::Corrupt("a text is not UTF-8"))?;
    arena.push(text).map_err(|_| PackError::Corrupt("there are more than 4 GiB of text"))
}

#[cfg(test)]
mod tests {
    use crate::roster::wire::{PackError, Reader, Writer};

    #[test]
    fn numbers_of_all_lengths_come_back_however_they_are_cut() {
        let numbers: Vec<u64> =
            (0..64).flat_map(|bits| [0, 1, 2].map(|less| (u64::MAX >> bits).saturating_sub(less))).collect();
        let mut bytes = Vec::new();
        let mut sink = |chunk: &[u8]| bytes.extend_from_slice(chunk);
        let mut writer = Writer::new(&mut sink);
        numbers.iter().for_each(|&number| writer.number(number));
        writer.finish();
        for len in [1, 3, 7, 8, 9, 20, bytes.len()] {
            let mut chunks = bytes.chunks(len).map(<[u8]>::to_vec);
            let mut reader = Reader::new(|| chunks.next());
            let read: Result<Vec<u64>, PackError> = numbers.iter().map(|_| reader.number()).collect();
            assert_eq!(read.as_ref(), Ok(&numbers), "{len}");
            assert!(reader.at_end());
        }
        let mut long = Some(vec![0xff; 16]);
        assert_eq!(Reader::new(|| long.take()).number(), Err(PackError::Corrupt("a number has too many bits")));
    }
}
