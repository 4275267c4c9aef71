//! Files as blocks of whole lines of checked UTF-8, read in large steps, in a second thread where unpacking costs time.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use crate::source::csv::pieces::Pieces;

/// How much is read at once, in bytes.
pub(crate) const STEP_BYTES: usize = 256 << 10;
/// How many blocks may wait between the two threads.
const AHEAD: usize = 3;

/// Some whole lines.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The lines; the last one ends in a line feed too.
    pub(crate) text: String,
    /// Whether that last line feed was not in the file.
    pub(crate) is_cut: bool,
}

impl Block {
    /// About how many lines there are in a file of so many bytes that begins with this block. Where the first lines are very
    /// short the others are not. It is no more than a guess, so it never stands for more than a large district's.
    pub(crate) fn lines_expected(&self, bytes: u64) -> usize {
        const LINES_MAX: usize = 4 << 20;
        let lines = self.text.bytes().filter(|&byte| byte == b'\n').count() as u64;
        let line_bytes = (self.text.len() as u64 / lines.max(1)).max(32);
        usize::try_from(bytes / line_bytes).unwrap_or_default().min(LINES_MAX)
    }
}

/// Why a file cannot be read on.
#[derive(Debug)]
pub(crate) enum ReadFault {
    /// The system or the unpacking says so.
    Io(io::Error),
    /// Bytes that are not UTF-8: how many line feeds of this block precede them, and what was recognized.
    NotUtf8 { lines_before: u64, what: &'static str },
    /// A line passes the bound.
    LineTooLong,
    /// The file is longer or shorter than declared.
    LengthDiffers,
}

/// Something that hands out blocks.
pub(crate) trait Blocks {
    /// The next block; `None` at the end. `used` is a block whose memory may be used again.
    fn next(&mut self, used: Block) -> Result<Option<Block>, ReadFault>;
}

/// Reads blocks straight from a reader.
pub(crate) struct BlockReader<'p, R> {
    input: R,
    /// What is to be told of the bytes beside them.
    pieces: Option<&'p mut Pieces>,
    /// Bytes that must still come.
    length_left: u64,
    line_bytes_max: usize,
    step_bytes: usize,
    /// The start of the next block: a line whose end was not seen yet.
    rest: Vec<u8>,
    at_start: bool,
    at_end: bool,
}

impl<'p, R: Read> BlockReader<'p, R> {
    /// Reads `input`, which must hold exactly `length` bytes, in steps of `step_bytes`.
    pub(crate) fn new(input: R, length: u64, line_bytes_max: usize, step_bytes: usize) -> Self {
        let (pieces, rest) = (None, Vec::new());
        Self { input, pieces, length_left: length, line_bytes_max, step_bytes, rest, at_start: true, at_end: false }
    }

    /// The same, digesting all bytes that it reads while they are at hand.
    pub(crate) fn digesting(self, pieces: Option<&'p mut Pieces>) -> Self {
        Self { pieces, ..self }
    }

    /// Appends up to a step's worth of bytes to `buffer`, straight into its spare memory.
    fn fill(&mut self, buffer: &mut Vec<u8>) -> Result<(), ReadFault> {
        let wanted = self.step_bytes;
        let before = buffer.len();
        buffer.reserve(wanted);
        let count = (&mut self.input).take(wanted as u64).read_to_end(buffer).map_err(ReadFault::Io)?;
        self.pieces.iter_mut().for_each(|pieces| pieces.stream(&buffer[before..]));
        self.length_left = self.length_left.checked_sub(count as u64).ok_or(ReadFault::LengthDiffers)?;
        self.at_end = count < wanted;
        if self.at_end && self.length_left != 0 { Err(ReadFault::LengthDiffers) } else { Ok(()) }
    }
}

impl<R: Read> Blocks for BlockReader<'_, R> {
    fn next(&mut self, used: Block) -> Result<Option<Block>, ReadFault> {
        let mut buffer = used.text.into_bytes();
        buffer.clear();
        buffer.append(&mut self.rest);
        loop {
            self.fill(&mut buffer)?;
            if self.at_start {
                self.at_start = false;
                if let Some(what) = foreign_encoding(&buffer) {
                    return Err(ReadFault::NotUtf8 { lines_before: 0, what });
                }
                if buffer.starts_with(b"\xef\xbb\xbf") {
                    buffer.drain(..3);
                }
            }
            let line_end = buffer.iter().rposition(|&byte| byte == b'\n');
            if self.at_end {
                if buffer.is_empty() {
                    return Ok(None);
                }
                let is_cut = line_end != Some(buffer.len() - 1);
                if is_cut {
                    if buffer.len() - line_end.map_or(0, |end| end + 1) > self.line_bytes_max {
                        return Err(ReadFault::LineTooLong);
                    }
                    buffer.push(b'\n');
                }
                return checked(buffer, is_cut).map(Some);
            }
            if let Some(line_end) = line_end {
                self.rest.extend_from_slice(&buffer[line_end + 1..]);
                buffer.truncate(line_end + 1);
                return checked(buffer, false).map(Some);
            }
            if buffer.len() > self.line_bytes_max {
                return Err(ReadFault::LineTooLong);
            }
        }
    }
}

fn checked(buffer: Vec<u8>, is_cut: bool) -> Result<Block, ReadFault> {
    match String::from_utf8(buffer) {
        Ok(text) => Ok(Block { text, is_cut }),
        Err(error) => {
            let sound = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let lines_before = sound.iter().filter(|&&byte| byte == b'\n').count() as u64;
            let what = "bytes that are not UTF-8; was it saved in a Windows code page? Save it as UTF-8";
            Err(ReadFault::NotUtf8 { lines_before, what })
        }
    }
}

/// What a spreadsheet's "Unicode text" looks like. A header in UTF-16 has a zero in each of its first two characters.
fn foreign_encoding(start: &[u8]) -> Option<&'static str> {
    match start {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("it is UTF-16; save it as UTF-8"),
        [_, 0, _, 0, ..] | [0, _, 0, _, ..] => Some("it looks like UTF-16 without a mark; save it as UTF-8"),
        _ => None,
    }
}

/// The reading thread's end of a pipe of blocks.
pub(crate) struct PipeIn {
    full: SyncSender<Result<Block, ReadFault>>,
    used: Receiver<Block>,
}

/// The parsing thread's end.
pub(crate) struct PipeOut {
    full: Receiver<Result<Block, ReadFault>>,
    used: Sender<Block>,
}

/// A bounded pipe of blocks.
pub(crate) fn pipe() -> (PipeIn, PipeOut) {
    let (full_in, full_out) = sync_channel(AHEAD);
    let (used_in, used_out) = channel();
    (PipeIn { full: full_in, used: used_out }, PipeOut { full: full_out, used: used_in })
}

impl PipeIn {
    /// Sends all that `blocks` hands out, until the end, a fault, or until nobody listens any more.
    pub(crate) fn send_all(self, blocks: &mut dyn Blocks) {
        loop {
            let message = match blocks.next(self.used.try_recv().unwrap_or_default()) {
                Ok(None) => return,
                Ok(Some(block)) => Ok(block),
                Err(fault) => Err(fault),
            };
            let is_over = message.is_err();
            if self.full.send(message).is_err() || is_over {
                return;
            }
        }
    }

    /// Sends one fault.
    pub(crate) fn send_fault(self, fault: ReadFault) {
        // Nobody listens any more: then nobody needs to know.
        drop(self.full.send(Err(fault)));
    }
}

impl Blocks for PipeOut {
    fn next(&mut self, used: Block) -> Result<Option<Block>, ReadFault> {
        if used.text.capacity() > 0 {
            drop(self.used.send(used));
        }
        // The sender ends only behind the end of the file or a fault, and a fault ends the reading.
        self.full.recv().ok().transpose()
    }
}

#[cfg(test)]
mod tests {
    use crate::source::csv::block::{Block, BlockReader, Blocks, ReadFault};

    fn read(bytes: &[u8], length: u64, step: usize) -> Result<(String, bool), ReadFault> {
        let mut reader = BlockReader::new(bytes, length, 20, step);
        let (mut text, mut is_cut, mut block) = (String::new(), false, Block::default());
        while let Some(next) = reader.next(block)? {
            assert!(next.text.ends_with('\n'));
            text.push_str(&next.text);
            is_cut |= next.is_cut;
            block = next;
        }
        Ok((text, is_cut))
    }

    #[test]
    fn blocks_are_whole_lines_whatever_the_step() {
        let text = "a,b\r\nü,d\n\nlast";
        for step in 1..20 {
            let (read, is_cut) = read(text.as_bytes(), text.len() as u64, step).expect("read");
            assert_eq!((read, is_cut), (format!("{text}\n"), true));
        }
        assert_eq!(read("\u{feff}a\n".as_bytes(), 5, 8).expect("read"), ("a\n".to_owned(), false));
    }

    #[test]
    fn lengths_and_encodings_are_checked() {
        assert!(matches!(read(b"abc\n", 3, 8), Err(ReadFault::LengthDiffers)));
        assert!(matches!(read(b"abc\n", 5, 8), Err(ReadFault::LengthDiffers)));
        assert!(matches!(read(b"a\nb\n\xe4\n", 6, 8), Err(ReadFault::NotUtf8 { lines_before: 2, .. })));
        for utf16 in [&b"\xff\xfes\0"[..], b"\xfe\xff\0s", b"s\0o\0", b"\0s\0o"] {
            let fault = read(utf16, 4, 8).expect_err("UTF-16");
            assert!(matches!(fault, ReadFault::NotUtf8 { what, .. } if what.contains("UTF-16")));
        }
        let long = [b'x'; 30];
        for step in [1, 7, 64] {
            assert!(matches!(read(&long, 30, step), Err(ReadFault::LineTooLong)), "{step}");
        }
    }
}
