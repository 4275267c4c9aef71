//! What goes to the standard output: lines, tables and JSON. The only file that names the table crate.
//!
//! On a terminal a table has borders, color and the terminal's width; anywhere else it is plain columns, so that `awk`
//! and `diff` can be used on it. Text of rosters is cleaned of control characters before a terminal sees it.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::base::Balance;
use crate::shape::steers;

/// A longer word may be broken.
const WHOLE_MAX: usize = 24;
/// The least room for a column with sentences.
const SENTENCE_MIN: usize = 8;

/// How things look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// A person looks at it.
    pub terminal: bool,
    /// Color is wanted.
    pub color: bool,
}

impl Look {
    /// The standard output's: color on a terminal, unless `no_color` or the variable `NO_COLOR` says otherwise.
    pub fn of_stdout(no_color: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let unwanted = no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { terminal, color: terminal && !unwanted }
    }
}

/// The one way to the standard output.
pub struct Output {
    writer: Box<dyn Write>,
    json: bool,
    look: Look,
}

impl Output {
    /// The standard output.
    pub fn stdout(json: bool, no_color: bool) -> Self {
        let writer = io::BufWriter::with_capacity(64 << 10, io::stdout());
        Self { writer: Box::new(writer), json, look: Look::of_stdout(no_color) }
    }

    /// Whether JSON is wanted.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Writes text, ended by a line feed.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.writer.write_all(clean(text).as_bytes())?;
        if text.ends_with('\n') { Ok(()) } else { self.writer.write_all(b"\n") }
    }

    /// Writes a table; nothing if it has no rows.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn table(&mut self, header: &[&str], rows: Vec<Vec<Cell>>) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let text = drawn(header, rows, self.look, None);
        writeln!(self.writer, "{text}")
    }

    /// Writes a value as indented JSON.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.writer.write_all(escaped(serde_json::to_string_pretty(value)?).as_bytes())?;
        self.writer.write_all(b"\n")
    }

    /// Writes a value as one line of JSON.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.writer.write_all(escaped(serde_json::to_string(value)?).as_bytes())?;
        self.writer.write_all(b"\n")
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    /// Hands out what was written so far: before a long wait, and at the end.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A cell of a table.
#[derive(Clone, Debug)]
pub struct Cell {
    content: String,
    to_the_right: bool,
    is_red: bool,
    /// An id, a word or a number: not to be broken if that can be helped.
    whole: bool,
    width: usize,
}

impl Cell {
    fn new(content: String, whole: bool) -> Self {
        let width = content.chars().count();
        Self { content, to_the_right: false, is_red: false, whole, width }
    }

    fn of_crate(self) -> comfy_table::Cell {
        let mut cell = comfy_table::Cell::new_owned(self.content);
        if self.to_the_right {
            cell = cell.set_alignment(CellAlignment::Right);
        }
        if self.is_red { cell.fg(Color::Red) } else { cell }
    }
}

/// A cell with text.
pub fn text(text: impl AsRef<str>) -> Cell {
    let content = clean(text.as_ref()).replace('\n', " ");
    let whole = content.len() <= WHOLE_MAX && !content.contains(' ');
    Cell::new(content, whole)
}

/// A cell with a number, to the right.
pub fn number(number: impl ToString) -> Cell {
    Cell { to_the_right: true, ..Cell::new(number.to_string(), true) }
}

/// A cell with a balance: as it is, also when negative, and then in red (R46).
pub fn balance(balance: Option<Balance>) -> Cell {
    match balance {
        Some(balance) if balance.0 < 0 => flagged(number(balance), true),
        Some(balance) => number(balance),
        None => number("unlimited"),
    }
}

/// A cell that is red where something is wrong.
pub fn flagged(cell: Cell, wrong: bool) -> Cell {
    Cell { is_red: cell.is_red || wrong, ..cell }
}

/// `width`: for tests; else the terminal's.
fn drawn(header: &[&str], mut rows: Vec<Vec<Cell>>, look: Look, width: Option<u16>) -> String {
    let mut header = header.to_vec();
    if look.terminal {
        // Room is scarce there, and no script counts columns.
        for at in (0..header.len()).rev() {
            if rows.iter().all(|row| row.get(at).is_none_or(|cell| cell.content.is_empty())) {
                header.remove(at);
                rows.iter_mut().filter(|row| at < row.len()).for_each(|row| drop(row.remove(at)));
            }
        }
    }
    let header = header.as_slice();
    if !look.terminal
        && let Some(text) = columns(header, &rows)
    {
        return text;
    }
    by_crate(header, rows, look, width)
}

fn by_crate(header: &[&str], rows: Vec<Vec<Cell>>, look: Look, width: Option<u16>) -> String {
    let mut table = Table::new();
    let width = width.or_else(|| table.width());
    let whole = whole_columns(header, &rows);
    if look.terminal && width.is_some_and(|width| least_width(header, &rows, &whole) > usize::from(width)) {
        return records(header, &rows);
    }
    table.set_header(header);
    table.add_rows(rows.into_iter().map(|row| row.into_iter().map(Cell::of_crate).collect::<Vec<_>>()));
    table.force_no_tty();
    if look.terminal {
        table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        if let Some(width) = width {
            table.set_width(width);
        }
        for (column, whole) in table.column_iter_mut().zip(whole) {
            if whole {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        if look.color {
            table.enforce_styling();
        }
        return table.to_string();
    }
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    table.trim_fmt()
}

/// Plain columns of characters that all have the same width, as the table crate draws them but a hundred times as fast; `None`
/// where there are others.
fn columns(header: &[&str], rows: &[Vec<Cell>]) -> Option<String> {
    let is_plain = |text: &str| {
        let is_thin = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        is_thin && !text.is_empty() && text.trim() == text
    };
    let mut widths: Vec<usize> = header.iter().map(|name| is_plain(name).then_some(name.len())).collect::<Option<_>>()?;
    for row in rows {
        if row.len() != widths.len() {
            return None;
        }
        for (cell, width) in row.iter().zip(&mut widths) {
            let content = cell.content.as_str();
            if !content.is_empty() && !is_plain(content) {
                return None;
            }
            *width = content.len().max(*width);
        }
    }
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = (&str, bool)>| {
        for ((content, to_the_right), width) in cells.zip(&widths) {
            let blank = width - content.len();
            text.extend(std::iter::repeat_n(' ', if to_the_right { blank } else { 0 }));
            text.push_str(content);
            text.extend(std::iter::repeat_n(' ', if to_the_right { 2 } else { blank + 2 }));
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    };
    line(&mut header.iter().map(|name| (*name, false)));
    rows.iter().for_each(|row| line(&mut row.iter().map(|cell| (cell.content.as_str(), cell.to_the_right))));
    text.pop();
    Some(text)
}

/// Which columns hold nothing but ids, words and numbers: sentences give way first.
fn whole_columns(header: &[&str], rows: &[Vec<Cell>]) -> Vec<bool> {
    (0..header.len()).map(|at| rows.iter().all(|row| row.get(at).is_none_or(|cell| cell.whole))).collect()
}

/// The width below which ids would have to be broken.
fn least_width(header: &[&str], rows: &[Vec<Cell>], whole: &[bool]) -> usize {
    let column = |(at, (name, whole)): (usize, (&&str, &bool))| {
        let widest = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width).max().unwrap_or(0);
        // Two for padding, one for the line.
        3 + if *whole { widest.max(name.chars().count()) } else { SENTENCE_MIN }
    };
    1 + header.iter().zip(whole).enumerate().map(column).sum::<usize>()
}

/// A table that does not fit, told row by row: a name and a value per line.
fn records(header: &[&str], rows: &[Vec<Cell>]) -> String {
    let width = header.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let record = |row: &Vec<Cell>| {
        let lines = header.iter().zip(row).map(|(name, cell)| format!("{name:<width$}  {}", cell.content));
        lines.collect::<Vec<_>>().join("\n")
    };
    rows.iter().map(record).collect::<Vec<_>>().join("\n\n")
}

/// Text without control characters but line feeds: a name in a roster must not steer a terminal.
pub fn clean(text: &str) -> Cow<'_, str> {
    let is_bad = |c: char| steers(c) && c != '\n';
    if !text.contains(is_bad) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_bad(c) { '\u{fffd}' } else { c }).collect())
}

/// JSON that steers no terminal: what the serializer leaves as it is gets escaped. Outside of texts JSON has no such
/// characters but line feeds.
fn escaped(json: String) -> String {
    if !json.chars().any(|c| steers(c) && c != '\n') {
        return json;
    }
    let mut safe = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if steers(c) && c != '\n' {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use crate::base::Balance;
    use crate::cli::output::{Cell, Look, balance, by_crate, clean, columns, drawn, escaped, flagged, number, text};

    fn rows() -> Vec<Vec<Cell>> {
        vec![
            vec![text("learn-main"), number(700), balance(Some(Balance(-14)))],
            vec![text("b"), number(7), balance(Some(Balance(3)))],
        ]
    }

    #[test]
    fn away_from_a_terminal_a_table_is_plain_columns() {
        let plain = drawn(&["pool", "used", "available"], rows(), Look::default(), None);
        assert_eq!(plain, "pool        used  available\nlearn-main   700        -14\nb              7          3");
    }

    #[test]
    fn plain_columns_are_those_of_the_crate() {
        let words =
            ["", "a", "-14", "1000000", "two words", "two  spaces and a longer sentence, of which nothing is cut", "x|y"];
        let cell = |at: usize| match at % 3 {
            0 => number(words[at / 3 % words.len()]),
            1 => flagged(text(words[at / 3 % words.len()]), true),
            _ => text(words[at / 3 % words.len()]),
        };
        for seed in 0..500 {
            let rows: Vec<Vec<Cell>> =
                (0..1 + seed % 4).map(|row| (0..3).map(|at| cell((seed * 31 + row * 17 + at * 7) % 97)).collect()).collect();
            let header = ["pool", "below zero because", "n"];
            let crates = by_crate(&header, rows.clone(), Look::default(), None);
            assert_eq!(columns(&header, &rows), Some(crates), "{rows:?}");
        }
        assert!(columns(&["p"], &[vec![text("Łąka")]]).is_none() && columns(&[""], &[vec![text("a")]]).is_none());
        assert!(columns(&["p", "q"], &[vec![text("a")]]).is_none());
    }

    #[test]
    fn color_is_for_terminals_that_want_it() {
        let look = Look { terminal: true, color: true };
        let header = ["pool", "used", "available"];
        assert!(drawn(&header, rows(), look, Some(60)).contains("\u{1b}["));
        assert!(!drawn(&header, rows(), Look { color: false, ..look }, Some(60)).contains('\u{1b}'));
        assert!(drawn(&header, rows(), look, Some(60)).contains('│'));
    }

    #[test]
    fn a_narrow_terminal_is_not_overrun() {
        let look = Look { terminal: true, color: false };
        let long = vec![vec![text("a word and ".repeat(20)), number(1), number(2)]];
        let drawn = drawn(&["text", "a", "b"], long, look, Some(40));
        assert!(drawn.lines().all(|line| line.chars().count() <= 40), "{drawn}");
    }

    #[test]
    fn sentences_give_way_before_ids_are_broken() {
        let look = Look { terminal: true, color: false };
        let row = || vec![text("observe-educators"), text("three words and more of them, and more"), number(1_000_000)];
        let fitting = drawn(&["pool", "why", "used"], vec![row()], look, Some(56));
        assert!(fitting.contains("observe-educators") && fitting.contains("1000000"), "{fitting}");
        let narrow = drawn(&["pool", "why", "used"], vec![row(), row()], look, Some(30));
        let record = "pool  observe-educators\nwhy   three words and more of them, and more\nused  1000000";
        assert_eq!(narrow, format!("{record}\n\n{record}"));
    }

    #[test]
    fn a_terminal_is_spared_empty_columns() {
        let look = Look { terminal: true, color: false };
        let rows = || vec![vec![text("a"), text(""), number(1)], vec![text("b"), text(""), number(2)]];
        let shown = drawn(&["pool", "overage", "used"], rows(), look, Some(60));
        assert!(!shown.contains("overage") && shown.contains("pool") && shown.contains("used"), "{shown}");
        let plain = drawn(&["pool", "overage", "used"], rows(), Look::default(), None);
        assert!(plain.starts_with("pool  overage  used"), "scripts count columns: {plain}");
    }

    #[test]
    fn names_do_not_steer_the_terminal() {
        assert_eq!(clean("Ash\u{1b}[2J\tPrimary\r\nx"), "Ash\u{fffd}[2J\u{fffd}Primary\u{fffd}\nx");
        assert_eq!(clean("a\u{202e}b\u{9b}2J مدرسة 王"), "a\u{fffd}b\u{fffd}2J مدرسة 王");
        let json = escaped("{\n  \"name\": \"a\u{202e}b\u{9b}2J مدرسة\"\n}".to_owned());
        assert_eq!(json, "{\n  \"name\": \"a\\u202eb\\u009b2J مدرسة\"\n}");
    }
}
