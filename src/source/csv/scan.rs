//! Text to cells: whole lines in, borrowed cells out, with the quoting rules of oneroster-csv §2 checked on the way.
//!
//! Because no cell may hold a line break, every line feed ends a row: a block of whole lines can be cut into rows
//! without looking at any other block, and a lost quote is found on its own line instead of swallowing the file.
//! 64 bytes are looked at at once; of a table of ids and dates hardly more than the commas is visited.

/// Where a cell lies: in the text, or (an escaped one) in the scratch text.
#[derive(Clone, Copy, Debug)]
struct Cell {
    start: u32,
    end: u32,
    is_escaped: bool,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'r> {
    text: &'r str,
    scratch: &'r str,
    cells: &'r [Cell],
    /// Line number, from 1.
    pub(crate) line: u64,
    /// Bytes of the line.
    pub(crate) bytes: usize,
    /// Whether it is the last line of its block.
    pub(crate) is_last: bool,
}

impl<'r> Row<'r> {
    /// How many cells it has.
    pub(crate) fn width(&self) -> usize {
        self.cells.len()
    }

    /// A cell; empty if there is none.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> &'r str {
        let Some(cell) = self.cells.get(index) else { return "" };
        let text = if cell.is_escaped { self.scratch } else { self.text };
        text.get(cell.start as usize..cell.end as usize).unwrap_or_default()
    }

    /// All cells.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'r str> + use<'_, 'r> {
        (0..self.width()).map(|index| self.get(index))
    }
}

/// A break of the quoting rules; it ends the reading of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuoteFault {
    /// Line number, from 1.
    pub(crate) line: u64,
    /// What is wrong.
    pub(crate) what: &'static str,
}

/// Buffers and the line count of one file.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    cells: Vec<Cell>,
    scratch: String,
    lines: u64,
}

#[derive(Clone, Copy)]
enum Quote {
    None,
    Open,
    /// Closed, or the first half of a doubled quote, at this place.
    Closed(usize),
}

const STRAY: &str = "a quote stands inside an unquoted cell or a text behind a closing quote; a cell with quotes must be \
                     quoted as a whole and its quotes doubled";
const BREAK: &str = "a line break stands inside a cell, or a quote is never closed";
const LONE_CR: &str = "a carriage return stands alone; a line break is not allowed inside a cell and lines end in CRLF or LF";

impl Scan {
    /// Begins behind so many lines.
    pub(crate) fn behind(lines: u64) -> Self {
        Self { lines, ..Self::default() }
    }

    /// Counts lines that were looked at elsewhere.
    pub(crate) fn skip(&mut self, lines: u64) {
        self.lines += lines;
    }

    /// Lines seen so far.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Hands each row of `text`, which must end in a line feed, to `take`, in order, until `take` answers an error.
    /// Empty lines are counted and left out.
    pub(crate) fn rows<E: From<QuoteFault>>(
        &mut self,
        text: &str,
        mut take: impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let bytes = text.as_bytes();
        let mut quote = Quote::None;
        let mut is_escaped = false;
        let mut line_start = 0;
        let mut cell_start = 0;
        self.cells.clear();
        self.scratch.clear();
        for at in Marks::of(bytes) {
            match bytes[at] {
                b',' => match quote {
                    Quote::None => {
                        self.cells.push(Cell { start: cell_start as u32, end: at as u32, is_escaped: false });
                        cell_start = at + 1;
                    }
                    Quote::Open => {}
                    Quote::Closed(close) => {
                        if close + 1 != at {
                            return Err(self.fault(STRAY));
                        }
                        self.push_quoted(text, cell_start + 1, close, is_escaped);
                        (quote, is_escaped, cell_start) = (Quote::None, false, at + 1);
                    }
                },
                b'\n' => {
                    let end = if at > line_start && bytes[at - 1] == b'\r' { at - 1 } else { at };
                    match quote {
                        Quote::None => {
                            self.cells.push(Cell { start: cell_start as u32, end: end as u32, is_escaped: false });
                        }
                        Quote::Open => return Err(self.fault(BREAK)),
                        Quote::Closed(close) => {
                            if close + 1 != end {
                                return Err(self.fault(STRAY));
                            }
                            self.push_quoted(text, cell_start + 1, close, is_escaped);
                            (quote, is_escaped) = (Quote::None, false);
                        }
                    }
                    self.lines += 1;
                    if end > line_start {
                        take(Row {
                            text,
                            scratch: &self.scratch,
                            cells: &self.cells,
                            line: self.lines,
                            bytes: end - line_start,
                            is_last: at + 1 == bytes.len(),
                        })?;
                    }
                    self.cells.clear();
                    self.scratch.clear();
                    (line_start, cell_start) = (at + 1, at + 1);
                }
                b'"' => match quote {
                    Quote::None if at == cell_start => quote = Quote::Open,
                    Quote::None => return Err(self.fault(STRAY)),
                    Quote::Open => quote = Quote::Closed(at),
                    Quote::Closed(close) if close + 1 == at => (quote, is_escaped) = (Quote::Open, true),
                    Quote::Closed(_) => return Err(self.fault(STRAY)),
                },
                b'\r' if bytes.get(at + 1) != Some(&b'\n') => return Err(self.fault(LONE_CR)),
                _ => {}
            }
        }
        Ok(())
    }

    fn push_quoted(&mut self, text: &str, start: usize, end: usize, is_escaped: bool) {
        if !is_escaped {
            return self.cells.push(Cell { start: start as u32, end: end as u32, is_escaped });
        }
        let from = self.scratch.len() as u32;
        for (part, piece) in text.get(start..end).unwrap_or_default().split("\"\"").enumerate() {
            if part > 0 {
                self.scratch.push('"');
            }
            self.scratch.push_str(piece);
        }
        self.cells.push(Cell { start: from, end: self.scratch.len() as u32, is_escaped });
    }

    #[cold]
    fn fault<E: From<QuoteFault>>(&self, what: &'static str) -> E {
        QuoteFault { line: self.lines + 1, what }.into()
    }
}

/// The places of commas, quotes, line feeds, carriage returns and of some other bytes, such as spaces.
struct Marks<'b> {
    bytes: &'b [u8],
    next: usize,
    found: u64,
}

impl<'b> Marks<'b> {
    fn of(bytes: &'b [u8]) -> Self {
        Self { bytes, next: 0, found: 0 }
    }
}

/// So many bytes are looked at at once: as many as a number has bits.
const CHUNK: usize = 64;

/// A bit for each byte of the chunk that is below `-`, which all bytes are that have a meaning here.
#[inline(always)]
fn marks(chunk: &[u8; CHUNK]) -> u64 {
    // Each of eight ones and zeros comes to its place in the highest byte, and nothing else does.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    // A plain loop: the compiler makes vector instructions of it.
    let (mut below, mut at) = ([0; CHUNK], 0);
    while at < CHUNK {
        below[at] = u8::from(chunk[at] < b'-');
        at += 1;
    }
    let (words, _) = below.as_chunks::<8>();
    let mut all = 0;
    for (at, word) in words.iter().enumerate() {
        all |= (u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56) << (8 * at);
    }
    all
}

impl Iterator for Marks<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            let rest = self.bytes.get(self.next..)?;
            self.found = match rest.first_chunk() {
                Some(chunk) => marks(chunk),
                None if rest.is_empty() => return None,
                None => {
                    let mut chunk = [b'x'; CHUNK];
                    chunk[..rest.len()].copy_from_slice(rest);
                    marks(&chunk)
                }
            };
            self.next += CHUNK;
        }
        let at = self.next - CHUNK + self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use crate::source::csv::scan::{QuoteFault, Scan};

    fn rows(text: &str) -> Result<Vec<(u64, Vec<String>)>, QuoteFault> {
        let mut out = Vec::new();
        Scan::default().rows(text, |row| {
            out.push((row.line, row.iter().map(str::to_owned).collect()));
            Ok::<(), QuoteFault>(())
        })?;
        Ok(out)
    }

    fn line(number: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (number, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn cells_are_cut_and_unquoted() {
        assert_eq!(
            rows("a,b,c\r\n\"x,y\",\"say \"\"hi\"\" — \"\"\",\n\n,,\"\"\n").expect("rows"),
            [line(1, &["a", "b", "c"]), line(2, &["x,y", "say \"hi\" — \"", ""]), line(4, &["", "", ""])]
        );
        assert_eq!(rows("ünï,c\n").expect("rows"), [line(1, &["ünï", "c"])]);
        assert_eq!(rows("\r\n\n").expect("rows"), []);
    }

    #[test]
    fn broken_quotes_are_told_with_their_line() {
        for (text, at) in [
            ("a\n\"b\nc\"\n", 2),
            ("a\nb\"c\n", 2),
            ("\"a\" ,b\n", 1),
            ("\"a\"b\n", 1),
            ("\"a\"\"\n", 1),
            ("\"a\"b\"\n", 1),
            ("a\n\nb\rc\n", 3),
            ("a\r\r\n", 1),
        ] {
            assert_eq!(rows(text).expect_err(text).line, at, "{text:?}");
        }
    }

    #[test]
    fn it_agrees_with_the_csv_crate_on_sound_text() {
        use proptest::prelude::*;
        let cell = prop::string::string_regex("[a-z,\" é]{0,20}").expect("regex");
        let table = prop::collection::vec(prop::collection::vec(cell, 3), 1..8);
        proptest!(|(table in table)| {
            let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
            for record in &table {
                writer.write_record(record).expect("write");
            }
            let text = String::from_utf8(writer.into_inner().expect("flush")).expect("UTF-8");
            let read: Vec<Vec<String>> = rows(&text).expect("rows").into_iter().map(|(_, cells)| cells).collect();
            prop_assert_eq!(read, table);
        });
    }
}
