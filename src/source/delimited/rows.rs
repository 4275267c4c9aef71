//! Text to rows of cells. Line breaks inside quotes belong to their cell, unlike in OneRoster.
//!
//! What the crates for this repair in silence is told here: text behind a closing quote breaks its row, and a quote that is
//! never closed breaks the file, for it may have swallowed any number of people.

use std::io::Read;

use crate::source::delimited::decode::{Text, TextFault};
use crate::source::delimited::settings::{Dialect, RowBounds};

/// Why rows end early.
#[derive(Debug)]
pub(crate) enum RowsFault {
    /// The text does.
    Text(TextFault),
    /// A row is longer than allowed, or has more cells.
    TooLong { line: u64 },
    /// A quote is not closed until the end.
    OpenQuote { line: u64 },
}

/// Why a row is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Text stands behind a closing quote.
    Quote,
    /// A cell is longer than allowed.
    Cell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the beginning of a cell.
    Start,
    /// In a cell without quotes.
    Plain,
    /// In a cell with quotes.
    Quoted,
    /// Behind a quote in such a cell: it is the end of the cell, or the first of two.
    Closed,
    /// Behind such a cell, in spaces.
    After,
}

/// One row after the other.
pub(crate) struct Rows<R> {
    text: Text<R>,
    piece: String,
    at: usize,
    dialect: Dialect,
    bounds: RowBounds,
    cells: String,
    ends: Vec<usize>,
    broken: Option<Broken>,
    state: State,
    /// The line that is read, from 1.
    line: u64,
    /// A carriage return was the last character: a line feed belongs to it.
    returned: bool,
    /// Where the row that was handed out began.
    began: u64,
    /// The row that was handed out ended with a line break.
    ended_by_break: bool,
}

impl<R: Read> Rows<R> {
    pub(crate) fn new(text: Text<R>, dialect: Dialect, bounds: RowBounds) -> Self {
        Self {
            text,
            piece: String::new(),
            at: 0,
            dialect,
            bounds,
            cells: String::new(),
            ends: Vec::new(),
            broken: None,
            state: State::Start,
            line: 1,
            returned: false,
            began: 1,
            ended_by_break: true,
        }
    }

    /// Reads the next row that is not blank; `false` at the end.
    pub(crate) fn next(&mut self) -> Result<bool, RowsFault> {
        loop {
            if !self.read()? {
                return Ok(false);
            }
            if self.broken.is_some() || self.cells.bytes().any(|byte| !byte.is_ascii_whitespace()) {
                return Ok(true);
            }
        }
    }

    /// The line in which the row began, from 1.
    pub(crate) fn began(&self) -> u64 {
        self.began
    }

    /// Whether the row ended with a line break; only a last one may not.
    pub(crate) fn ended_by_break(&self) -> bool {
        self.ended_by_break
    }

    /// What is wrong with the row.
    pub(crate) fn broken(&self) -> Option<Broken> {
        self.broken
    }

    /// How many cells the row has.
    pub(crate) fn count(&self) -> usize {
        self.ends.len()
    }

    /// One of its cells, as written.
    pub(crate) fn cell(&self, at: usize) -> &str {
        let start = if at == 0 { Some(0) } else { self.ends.get(at - 1).copied() };
        match (start, self.ends.get(at)) {
            (Some(start), Some(end)) => &self.cells[start..*end],
            _ => "",
        }
    }

    /// Reads one row, blank or not.
    fn read(&mut self) -> Result<bool, RowsFault> {
        self.cells.clear();
        self.ends.clear();
        (self.broken, self.state, self.began) = (None, State::Start, self.line);
        loop {
            if self.at == self.piece.len() {
                self.at = 0;
                self.piece.clear();
                let piece = self.text.next().map_err(RowsFault::Text)?;
                self.piece.push_str(piece);
                if self.piece.is_empty() {
                    return self.end();
                }
            }
            if self.step()? {
                self.ended_by_break = true;
                return Ok(true);
            }
        }
    }

    /// The text is over.
    fn end(&mut self) -> Result<bool, RowsFault> {
        if self.state == State::Quoted {
            return Err(RowsFault::OpenQuote { line: self.began });
        }
        // What comes behind the last line break is a row only if there is something.
        if self.ends.is_empty() && self.cells.is_empty() && self.state == State::Start {
            return Ok(false);
        }
        self.close()?;
        self.ended_by_break = false;
        Ok(true)
    }

    /// Goes on to the end of the piece or of the row; whether it was that of the row.
    fn step(&mut self) -> Result<bool, RowsFault> {
        let piece = std::mem::take(&mut self.piece);
        let over = self.scan(&piece);
        self.piece = piece;
        over
    }

    fn scan(&mut self, piece: &str) -> Result<bool, RowsFault> {
        let bytes = piece.as_bytes();
        let (separator, quote) = (self.dialect.separator, self.dialect.quote);
        // Where the text begins that was not added to the cells yet.
        let mut start = self.at;
        while let Some(&byte) = bytes.get(self.at) {
            let at = self.at;
            self.at += 1;
            if std::mem::take(&mut self.returned) && byte == b'\n' {
                // The second half of a line break that has counted; within quotes it belongs to the cell.
                if self.state != State::Quoted {
                    start = self.at;
                }
                continue;
            }
            let is_break = byte == b'\n' || byte == b'\r';
            if is_break {
                self.line += 1;
                self.returned = byte == b'\r';
            }
            let is_quote = Some(byte) == quote;
            if self.state != State::Quoted && (is_break || byte == separator) {
                self.cells.push_str(&piece[start..at]);
                start = self.at;
                self.close()?;
                if is_break {
                    return Ok(true);
                }
                continue;
            }
            self.state = match self.state {
                State::Start if is_quote => {
                    start = self.at;
                    State::Quoted
                }
                State::Start | State::Plain => State::Plain,
                State::Quoted if is_quote => {
                    self.cells.push_str(&piece[start..at]);
                    start = self.at;
                    State::Closed
                }
                State::Quoted => State::Quoted,
                // The second of two stands for one.
                State::Closed if is_quote => {
                    start = at;
                    State::Quoted
                }
                State::Closed | State::After if byte == b' ' => {
                    start = self.at;
                    State::After
                }
                State::Closed | State::After => {
                    self.broken = Some(Broken::Quote);
                    State::Plain
                }
            };
        }
        self.cells.push_str(&piece[start..self.at]);
        self.bound()?;
        Ok(false)
    }

    /// A cell is over.
    fn close(&mut self) -> Result<(), RowsFault> {
        let start = self.ends.last().copied().unwrap_or_default();
        if self.cells.len() - start > self.bounds.cell_bytes_max {
            self.broken = Some(Broken::Cell);
        }
        self.ends.push(self.cells.len());
        self.state = State::Start;
        self.bound()
    }

    fn bound(&self) -> Result<(), RowsFault> {
        let fits = self.cells.len() <= self.bounds.row_bytes_max && self.ends.len() <= self.bounds.cells_max;
        if fits { Ok(()) } else { Err(RowsFault::TooLong { line: self.began }) }
    }
}

#[cfg(test)]
mod tests {
    use crate::source::delimited::decode::{Encoding, Text};
    use crate::source::delimited::rows::{Broken, Rows, RowsFault};
    use crate::source::delimited::settings::{Dialect, RowBounds};

    type Told = Vec<(u64, Vec<String>, Option<Broken>)>;

    fn read_by(text: &str, dialect: Dialect, bounds: RowBounds, step: usize) -> Result<Told, String> {
        let drip = Drip { left: text.as_bytes(), step };
        let mut rows = Rows::new(Text::new(drip, Encoding::UTF_8), dialect, bounds);
        let mut all = Vec::new();
        loop {
            match rows.next() {
                Ok(true) => {
                    let cells = (0..rows.count()).map(|at| rows.cell(at).to_owned()).collect();
                    all.push((rows.began(), cells, rows.broken()));
                }
                Ok(false) => return Ok(all),
                Err(RowsFault::OpenQuote { line }) => return Err(format!("open {line}")),
                Err(RowsFault::TooLong { line }) => return Err(format!("long {line}")),
                Err(RowsFault::Text(fault)) => panic!("{fault:?}"),
            }
        }
    }

    struct Drip<'a> {
        left: &'a [u8],
        step: usize,
    }

    impl std::io::Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.step.min(self.left.len()).min(into.len());
            into[..count].copy_from_slice(&self.left[..count]);
            self.left = &self.left[count..];
            Ok(count)
        }
    }

    /// The same, whatever pieces the bytes come in.
    fn read(text: &str, dialect: Dialect) -> Result<Told, String> {
        let whole = read_by(text, dialect, RowBounds::default(), 10_000);
        for step in [1, 2, 5] {
            assert_eq!(read_by(text, dialect, RowBounds::default(), step), whole, "{text:?} by {step}");
        }
        whole
    }

    fn shown(told: Result<Told, String>) -> String {
        told.map_or_else(
            |error| error,
            |rows| {
                let row = |(line, cells, broken): &(u64, Vec<String>, Option<Broken>)| {
                    let wrong = broken.map(|broken| format!(" {broken:?}")).unwrap_or_default();
                    format!("{line}:{}{wrong}", cells.join("|"))
                };
                rows.iter().map(row).collect::<Vec<_>>().join(" / ")
            },
        )
    }

    #[test]
    fn rows_and_cells() {
        let standard = Dialect::default();
        for (text, told) in [
            ("a,b\n1,2\n", "1:a|b / 2:1|2"),
            ("a,b\r\n1,2", "1:a|b / 2:1|2"),
            ("a,b\r1,2\r", "1:a|b / 2:1|2"),
            ("a,,c\n,\n,b\nx,\n", "1:a||c / 3:|b / 4:x|"),
            ("\n\n a , b \n \n\n1,2\n\n", "3: a | b  / 6:1|2"),
            ("\"a\",\"b,c\"\n\"d \"\"e\"\" f\",\"\"\n", "1:a|b,c / 2:d \"e\" f|"),
            ("\"a\nb\",c\n\"d\r\ne\",f\ng,h\n", "1:a\nb|c / 3:d\r\ne|f / 5:g|h"),
            ("a \"x\" b,5\"\n", "1:a \"x\" b|5\""),
            ("\"a\" ,b\n", "1:a|b"),
            ("\"a\" \"b\",c\n", "1:a\"b\"|c Quote"),
            ("\"a\"b,c\nd,e\n", "1:ab|c Quote / 2:d|e"),
            ("\"a\"\"\",b\n\"\"\"\"\n", "1:a\"|b / 2:\""),
            ("a,b\nx,\"y\nz,w\n", "open 2"),
            ("a\n\"", "open 2"),
            ("", ""),
            ("\n", ""),
            ("x", "1:x"),
            ("Zoë,日本\n", "1:Zoë|日本"),
        ] {
            assert_eq!(shown(read(text, standard)), told, "{text:?}");
        }
        let tabs = Dialect { separator: b'\t', quote: None, ..standard };
        assert_eq!(shown(read("a\t\"b\n1\t2,3\n", tabs)), "1:a|\"b / 2:1|2,3");
        let pipes = Dialect { separator: b'|', quote: Some(b'\''), ..standard };
        assert_eq!(shown(read("'a|b'|c\n", pipes)), "1:a|b|c");
    }

    #[test]
    fn bounds() {
        let tight = RowBounds { row_bytes_max: 20, cell_bytes_max: 5, cells_max: 4, ..RowBounds::default() };
        for (text, told) in [
            ("12345,1\n123456,2\na,b\n", "1:12345|1 / 2:123456|2 Cell / 3:a|b"),
            ("1,2,3,4,5\n", "long 1"),
            ("a\n\"1234567890123456789012345", "long 2"),
        ] {
            for step in [1, 7, 1_000] {
                assert_eq!(shown(read_by(text, Dialect::default(), tight, step)), told, "{text:?} by {step}");
            }
        }
    }

    /// Where the rows are sound, the csv crate reads the same.
    #[test]
    fn the_same_as_the_csv_crate() {
        use proptest::prelude::*;
        let cell = prop_oneof![
            Just(String::new()),
            "[a-z ,;|\"\r\n]{0,6}",
            Just("Zoë".to_owned()),
            Just("\"".to_owned()),
            Just(" \n".to_owned())
        ];
        let rows = proptest::collection::vec(proptest::collection::vec(cell, 3), 1..6);
        proptest!(ProptestConfig::with_cases(400), |(rows in rows, step in 1usize..9, crlf: bool)| {
            let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
            rows.iter().for_each(|row| writer.write_record(row).expect("written"));
            let text = String::from_utf8(writer.into_inner().expect("flushed")).expect("UTF-8");
            let told = read_by(&text, Dialect::default(), RowBounds::default(), step).expect("sound");
            let blank = |row: &&Vec<String>| row.iter().any(|cell| cell.bytes().any(|byte| !byte.is_ascii_whitespace()));
            let expected: Vec<&Vec<String>> = rows.iter().filter(blank).collect();
            let cells: Vec<&Vec<String>> = told.iter().map(|(_, cells, _)| cells).collect();
            prop_assert_eq!(cells, expected);
            prop_assert!(told.iter().all(|(_, _, broken)| broken.is_none()));
        });
    }
}
