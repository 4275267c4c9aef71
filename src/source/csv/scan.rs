//! Text to cells: whole lines in, borrowed cells out, with the quoting rules of oneroster-csv §2 checked on the way.
//!
//! Because no cell may hold a line break, every line feed ends a row: a block of whole lines can be cut into rows
//! without looking at any other block, and a lost quote is found on its own line instead of swallowing the file.
//! 64 bytes are looked at at once; of a table of ids and dates hardly more than the commas is visited.

/// Where a cell lies: in the text from the row on, or (an escaped one) in the scratch text.
#[derive(Clone, Copy, Debug)]
struct Cell {
    start: u32,
    end: u32,
    is_escaped: bool,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'r> {
    /// The text from its start on.
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

    /// All of it as it stands in its file, without the line's end.
    #[inline]
    pub(crate) fn whole(&self) -> &'r str {
        self.text.get(..self.bytes).unwrap_or_default()
    }

    /// Bytes from its start to the end of its block.
    #[inline]
    pub(crate) fn left(&self) -> usize {
        self.text.len()
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

/// So many shapes are remembered: where dates are told or not, a file has a few.
const SHAPES: usize = 4;

/// Where the cells of a line lie in which nothing but commas and its end has a meaning. Rows of ids and dates mostly have the
/// shape of one of those before them: then it is enough to see that each sign is at its place, and that there is no other.
#[derive(Debug, Default)]
struct Shape {
    cells: Vec<Cell>,
    /// Bytes of the row.
    bytes: usize,
    /// The signs of the line, up to its end, and zeros between them.
    signs: Vec<u8>,
}

impl Shape {
    /// Whether the first line of some text has it.
    #[inline]
    fn is_of(&self, text: &[u8]) -> bool {
        let Some(line @ [.., b'\n']) = text.get(..self.signs.len()) else { return false };
        let ((own, _), (chunks, _)) = (self.signs.as_chunks(), line.as_chunks());
        let ends = self.signs.last_chunk().zip(line.last_chunk());
        ends.is_some_and(|(own, last)| is_signed(last, own)) && own.iter().zip(chunks).all(|(own, chunk)| is_signed(chunk, own))
    }
}

/// Whether these are the signs of a chunk. As of [`marks`], the compiler makes vector instructions of it.
#[inline(always)]
fn is_signed(chunk: &[u8; CHUNK], signs: &[u8; CHUNK]) -> bool {
    chunk.iter().zip(signs).fold(0, |odd, (&byte, sign)| odd | (sign_of(byte) ^ sign)) == 0
}

#[inline(always)]
fn sign_of(byte: u8) -> u8 {
    if byte < b'-' { byte } else { 0 }
}

/// Buffers and the line count of one file.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    cells: Vec<Cell>,
    scratch: String,
    shapes: [Shape; SHAPES],
    /// The shape that was learned last.
    newest: usize,
    /// Where the last bare line that had to be cut ended.
    last_bytes: usize,
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
        let mut marks = Marks::of(text.as_bytes());
        let mut start = 0;
        while start < text.len() {
            let rest = &text[start..];
            let known = self.shapes.iter().position(|shape| shape.is_of(rest.as_bytes()));
            let (cells, bytes, line_bytes) = match known {
                Some(known) => {
                    let Shape { cells, bytes, signs } = &self.shapes[known];
                    (cells, *bytes, signs.len())
                }
                None => {
                    marks.go_to(start);
                    let (bytes, line_bytes) = self.line(rest, start, &mut marks)?;
                    (&self.cells, bytes, line_bytes)
                }
            };
            self.lines += 1;
            start += line_bytes;
            if bytes > 0 {
                let (scratch, line, is_last) = (self.scratch.as_str(), self.lines, start == text.len());
                take(Row { text: rest, scratch, cells, line, bytes, is_last })?;
            }
        }
        Ok(())
    }

    /// Cuts the first line of `text`, whose bytes are marked from `start` on: the bytes of its row, and of all of it.
    fn line<E: From<QuoteFault>>(&mut self, text: &str, start: usize, marks: &mut Marks<'_>) -> Result<(usize, usize), E> {
        let bytes = text.as_bytes();
        let mut quote = Quote::None;
        let (mut is_escaped, mut is_bare) = (false, true);
        let mut cell_start = 0;
        self.cells.clear();
        self.scratch.clear();
        for at in marks {
            let at = at - start;
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
                    let end = if at > 0 && bytes[at - 1] == b'\r' { at - 1 } else { at };
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
                        }
                    }
                    // Where lines have all lengths it would be for nothing.
                    if is_bare && at >= CHUNK && std::mem::replace(&mut self.last_bytes, at) == at {
                        self.learn(&bytes[..at + 1], end);
                    }
                    return Ok((end, at + 1));
                }
                b'"' => {
                    is_bare = false;
                    match quote {
                        Quote::None if at == cell_start => quote = Quote::Open,
                        Quote::None => return Err(self.fault(STRAY)),
                        Quote::Open => quote = Quote::Closed(at),
                        Quote::Closed(close) if close + 1 == at => (quote, is_escaped) = (Quote::Open, true),
                        Quote::Closed(_) => return Err(self.fault(STRAY)),
                    }
                }
                b'\r' if bytes.get(at + 1) != Some(&b'\n') => return Err(self.fault(LONE_CR)),
                b'\r' => {}
                _ => is_bare = false,
            }
        }
        // What does not end in a line feed is no line.
        Ok((0, bytes.len()))
    }

    /// Remembers the shape of a line whose cells were found last.
    fn learn(&mut self, line: &[u8], bytes: usize) {
        self.newest = (self.newest + 1) % SHAPES;
        let shape = &mut self.shapes[self.newest];
        shape.cells.clone_from(&self.cells);
        shape.bytes = bytes;
        shape.signs.clear();
        shape.signs.extend(line.iter().map(|&byte| sign_of(byte)));
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

    /// Passes over what stands before a place; what stood behind the last one found is looked at once.
    #[inline]
    fn go_to(&mut self, at: usize) {
        if at >= self.next {
            (self.next, self.found) = (at, 0);
        } else {
            self.found &= u64::MAX << (at + CHUNK).saturating_sub(self.next);
        }
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
    fn a_row_is_cut_alike_whatever_stood_before_it() {
        use proptest::prelude::*;
        type Oddity = Option<(prop::sample::Index, char)>;
        let shape = prop::sample::select(vec![(40, 30, "\n"), (30, 40, "\n"), (60, 70, "\n"), (40, 30, "\r\n"), (3, 4, "\n")]);
        let odd = prop::option::weighted(
            0.2,
            (any::<prop::sample::Index>(), prop::sample::select(vec![',', '"', '\r', '\n', ' ', '0'])),
        );
        proptest!(|(lines in prop::collection::vec((shape, odd), 1..20))| {
            let line = |((first, second, end), odd): ((usize, usize, &str), Oddity)| {
                let mut line = format!("{},,{}{end}", "a".repeat(first), "b".repeat(second)).into_bytes();
                if let Some((at, odd)) = odd {
                    let at = at.index(line.len() - end.len());
                    line[at] = odd as u8;
                }
                String::from_utf8(line).expect("ASCII")
            };
            let text: String = lines.into_iter().map(line).collect();
            let (mut alone, mut fault) = (Vec::new(), None);
            for (line, before) in text.split_inclusive('\n').zip(0..) {
                let taken = Scan::behind(before).rows(line, |row| {
                    alone.push((row.line, row.bytes, row.iter().map(str::to_owned).collect::<Vec<_>>()));
                    Ok::<(), QuoteFault>(())
                });
                fault = taken.err();
                if fault.is_some() {
                    break;
                }
            }
            let mut together = Vec::new();
            let taken = Scan::default().rows(&text, |row| {
                together.push((row.line, row.bytes, row.iter().map(str::to_owned).collect::<Vec<_>>()));
                Ok::<(), QuoteFault>(())
            });
            prop_assert_eq!((together, taken.err()), (alone, fault));
        });
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
