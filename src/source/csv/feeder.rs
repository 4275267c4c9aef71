//! The rows of one file, each checked by what all files have in common, then parsed and handed on.

use crate::roster::{Collection, Finding, Level, Line, Mode, RowAt, RowHead, RowStatus};
use crate::source::csv::block::{Block, ReadFault};
use crate::source::csv::cells::{Cells, Fault, fault};
use crate::source::csv::fault::warning;
use crate::source::csv::files::FileKind;
use crate::source::csv::header::Layout;
use crate::source::csv::manifest::FileMode;
use crate::source::csv::parse::RowParser;
use crate::source::csv::says::Says;
use crate::source::csv::scan::{QuoteFault, Row, Scan};
use crate::source::csv::settings::BulkWithStatus;
use crate::source::csv::sink::RowSink;
use crate::source::csv::value::is_guid;

/// How one file is read.
pub(crate) struct FeedRule<'s> {
    /// What the manifest says of it.
    pub(crate) mode: FileMode,
    /// What a status in a bulk file means.
    pub(crate) bulk_with_status: BulkWithStatus,
    /// Rows of one file at most.
    pub(crate) rows_max: u64,
    /// Bytes of a line at most.
    pub(crate) line_bytes_max: usize,
    /// Bytes of a cell at most.
    pub(crate) cell_bytes_max: usize,
    /// Where its columns stand and how its values are read.
    pub(crate) cells: Cells<'s>,
}

/// Why a file is not read to its end.
pub(crate) enum Halt {
    Read(ReadFault),
    Quote(QuoteFault),
    /// The file ends inside this line.
    Cut(u64),
    LineTooLong(u64),
    TooManyRows,
    NoRows,
}

impl From<QuoteFault> for Halt {
    fn from(fault: QuoteFault) -> Self {
        Halt::Quote(fault)
    }
}

/// Hands on the rows of one file.
pub(crate) struct Feeder<'s> {
    file: FileKind,
    /// What the rows are.
    pub(crate) collection: Collection,
    layout: &'s Layout,
    /// How they are read.
    pub(crate) rule: FeedRule<'s>,
    /// Rows so far.
    pub(crate) rows: u64,
    seen_status: bool,
    /// Tells what rows say of people, if that is wanted.
    pub(crate) says: Option<Says<'s>>,
    /// What they said since it was taken.
    lines: Vec<Line>,
}

impl<'s> Feeder<'s> {
    /// Begins a file.
    pub(crate) fn new(collection: Collection, rule: FeedRule<'s>) -> Self {
        let (file, layout) = (FileKind::of_collection(collection), rule.cells.layout);
        Self { file, collection, layout, rule, rows: 0, seen_status: false, says: None, lines: Vec::new() }
    }

    /// Hands on the rows of a block.
    pub(crate) fn block<S: RowSink, P: RowParser>(
        &mut self,
        block: &Block,
        scan: &mut Scan,
        parser: &mut P,
        sink: &mut S,
    ) -> Result<(), Halt> {
        scan.rows(&block.text, |row| self.row(row, block.is_cut, parser, sink))
    }

    /// The same for another thread, which begins to count anew.
    pub(crate) fn again(&self) -> Self {
        let Self { file, collection, layout, seen_status, ref says, .. } = *self;
        let FeedRule { mode, bulk_with_status, rows_max, line_bytes_max, cell_bytes_max, ref cells } = self.rule;
        let cells = cells.again();
        let rule = FeedRule { mode, bulk_with_status, rows_max, line_bytes_max, cell_bytes_max, cells };
        let says = says.as_ref().map(Says::again);
        Self { file, collection, layout, rule, rows: 0, seen_status, says, lines: Vec::new() }
    }

    /// What rows said since this was asked last.
    pub(crate) fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }

    #[inline]
    fn row<S: RowSink, P: RowParser>(&mut self, row: Row<'_>, is_cut: bool, parser: &mut P, sink: &mut S) -> Result<(), Halt> {
        if row.line == 1 {
            return Ok(());
        }
        if row.width() != self.layout.width || row.bytes > self.rule.cell_bytes_max {
            return self.odd_row(row, is_cut, parser, sink);
        }
        self.count()?;
        self.parse(row, parser, sink);
        Ok(())
    }

    fn count(&mut self) -> Result<(), Halt> {
        self.rows += 1;
        if self.rows > self.rule.rows_max { Err(Halt::TooManyRows) } else { Ok(()) }
    }

    fn parse<S: RowSink, P: RowParser>(&mut self, row: Row<'_>, parser: &mut P, sink: &mut S) {
        if let Some(says) = &mut self.says {
            self.lines.push(says.line(&row));
        }
        let read = self.head(&row, sink).and_then(|head| parser.take(&mut self.rule.cells, &row, head, sink));
        if self.rule.cells.has_notes() {
            for (rule, field, detail) in self.rule.cells.take_notes() {
                sink.warn(warning(rule, self.file.name(), row.line, field, detail));
            }
        }
        if let Err(fault) = read {
            let person = match P::PERSON {
                Some(column) => Some(self.rule.cells.get(&row, column)),
                None => None,
            };
            self.quarantine(&row, person, *fault, sink);
        }
    }

    #[cold]
    fn odd_row<S: RowSink, P: RowParser>(
        &mut self,
        row: Row<'_>,
        is_cut: bool,
        parser: &mut P,
        sink: &mut S,
    ) -> Result<(), Halt> {
        if row.bytes > self.rule.line_bytes_max {
            return Err(Halt::LineTooLong(row.line));
        }
        if row.width() < self.layout.width && row.is_last && is_cut {
            // The rest of the file is missing too, and with it people who must not be taken for gone.
            return Err(Halt::Cut(row.line));
        }
        self.count()?;
        if row.width() != self.layout.width {
            let detail = format!("expected {} cells, found {}", self.layout.width, row.width());
            // With cells shifted, only an id in the first of several cells can be trusted.
            let person = (self.collection == Collection::People).then(|| self.trusted_id(&row)).flatten();
            self.quarantine(&row, person, *fault("row_width", None, detail), sink);
        } else if let Some(place) = (0..row.width()).find(|&place| row.get(place).len() > self.rule.cell_bytes_max) {
            let detail = format!("cell {} is longer than {} bytes", place + 1, self.rule.cell_bytes_max);
            let person = P::PERSON.map(|column| self.rule.cells.get(&row, column));
            self.quarantine(&row, person, *fault("cell_too_long", None, detail), sink);
        } else {
            self.parse(row, parser, sink);
        }
        Ok(())
    }

    fn trusted_id<'r>(&self, row: &Row<'r>) -> Option<&'r str> {
        let is_whole = row.width() == self.layout.width || row.width() > 1 && self.layout.place(0) == 0;
        let id = self.rule.cells.get(row, 0);
        (is_whole && is_guid(id)).then_some(id)
    }

    #[cold]
    fn quarantine<S: RowSink>(&self, row: &Row<'_>, person: Option<&str>, fault: Fault, sink: &mut S) {
        let id = self.trusted_id(row);
        let at = RowAt { file: self.file.name(), row: row.line };
        let finding = Finding {
            level: Level::Row,
            rule: fault.rule,
            file: at.file.to_owned(),
            row: at.row,
            record: id.unwrap_or_default().to_owned(),
            field: fault.column.map_or("", |column| self.file.columns()[column]).to_owned(),
            detail: fault.detail,
        };
        sink.quarantine(self.collection, at, id, person.filter(|person| is_guid(person)), finding);
    }

    /// The first three columns of every file: id, status, time of the last change.
    #[inline]
    fn head<'r, S: RowSink>(&mut self, row: &Row<'r>, sink: &mut S) -> Result<RowHead<'r>, Box<Fault>> {
        let cells = &mut self.rule.cells;
        let at = RowAt { file: self.file.name(), row: row.line };
        let id = cells.guid(row, 0)?;
        let (status, modified) = (cells.get(row, 1), cells.get(row, 2));
        if self.rule.mode == FileMode::Delta {
            for (column, text) in [(1, status), (2, modified)] {
                if text.is_empty() {
                    let detail = "every row of a delta file needs a status and the time of its last change";
                    return Err(fault("status_missing_in_delta", Some(column), detail));
                }
            }
        } else if status.is_empty() && modified.is_empty() {
            return Ok(RowHead { at, id, status: RowStatus::Active, modified: None });
        } else if self.rule.bulk_with_status == BulkWithStatus::Strict {
            let column = if status.is_empty() { 2 } else { 1 };
            return Err(fault("status_in_bulk", Some(column), "it must be blank in every row of a bulk file"));
        }
        let status = if status.is_empty() { RowStatus::Active } else { self.status(row, sink)? };
        let modified = self.rule.cells.modified(row, self.rule.bulk_with_status != BulkWithStatus::Strict)?;
        Ok(RowHead { at, id, status, modified })
    }

    fn status<S: RowSink>(&mut self, row: &Row<'_>, sink: &mut S) -> Result<RowStatus, Box<Fault>> {
        let status = self.rule.cells.status(row)?;
        if self.rule.mode == FileMode::Bulk && !self.seen_status {
            self.seen_status = true;
            let detail = if self.rule.bulk_with_status == BulkWithStatus::Full {
                "the file is declared `bulk` and has statuses; it is read as complete, as the settings say"
            } else {
                sink.switch(self.collection, Mode::Changes);
                "the file is declared `bulk` and has statuses; it is read as changes: records without a row stay as they are"
            };
            sink.warn(warning("status_in_bulk", self.file.name(), row.line, "status", detail));
        }
        Ok(status)
    }
}
