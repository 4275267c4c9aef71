//! One way through a file: the header, then every row, then what proves that it was all of it.

use std::io::Read;

use crate::roster::{Finding, Level};
use crate::source::delimited::decode::{Text, TextFault};
use crate::source::delimited::header::{Header, read_header};
use crate::source::delimited::rows::{Broken, Rows, RowsFault};
use crate::source::delimited::settings::{DelimitedSettings, RowBounds};
use crate::source::hr::HrColumns;

/// Why a file is not read to its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It cannot be trusted.
    Rejected(Vec<Finding>),
    /// It could not be read.
    Io(std::io::Error),
}

/// What is wrong with a row as such.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrong {
    pub(crate) rule: &'static str,
    pub(crate) detail: &'static str,
}

/// Takes rows as they come: the line, and the cells in the order of the mapping's columns, or what is wrong.
pub(crate) type Take<'t> = &'t mut dyn FnMut(u64, Result<&[&str], Wrong>);

/// The proofs of completeness that a file brings (hr-sources §5).
pub(crate) struct Proofs<'p> {
    /// The first cell of the last row, which tells the number of rows.
    pub(crate) trailer: Option<&'p str>,
    /// The number of rows that was sent along.
    pub(crate) count: Option<u64>,
}

/// Walks through a file called `name`.
pub(crate) fn walk(
    bytes: impl Read,
    settings: &DelimitedSettings,
    name: &str,
    columns: &HrColumns,
    proofs: &Proofs<'_>,
    take: Take<'_>,
) -> Result<(), Stop> {
    let mut rows = Rows::new(Text::new(bytes, settings.dialect.encoding), settings.dialect, settings.bounds);
    let teller = Teller { settings, name };
    if !rows.next().map_err(|fault| teller.stop(fault))? {
        return Err(teller.reject("no_rows", 0, "the file is empty, without even a header"));
    }
    let header = header_of(&rows, columns, name)?;
    let mut count = 0u64;
    let mut ended: Option<u64> = None;
    while rows.next().map_err(|fault| teller.stop(fault))? {
        let line = rows.began();
        if let Some(trailer) = ended {
            let why = format!("there are rows behind the trailer in line {trailer}");
            return Err(teller.reject("rows_after_trailer", line, &why));
        }
        if proofs.trailer.is_some_and(|word| rows.cell(0).trim() == word) {
            teller.check_trailer(&rows, count)?;
            ended = Some(line);
            continue;
        }
        count += 1;
        if count > settings.bounds.rows_max {
            let why = format!("there are more than {} rows", settings.bounds.rows_max);
            return Err(teller.reject("file_too_large", line, &why));
        }
        if rows.count() < header.width && !rows.ended_by_break() {
            return Err(teller.reject("row_cut", line, "the last row is cut off, and so the file is"));
        }
        hand_on(&rows, &header, take);
    }
    if proofs.trailer.is_some() && ended.is_none() {
        return Err(teller.reject("trailer_missing", 0, "its last row is not the configured trailer: it is cut off"));
    }
    if proofs.count.is_some_and(|told| told != count) {
        let why = format!("it has {count} rows, and the file beside it says {}", proofs.count.unwrap_or_default());
        return Err(teller.reject("row_count", 0, &why));
    }
    if count == 0 {
        return Err(teller.reject(
            "no_rows",
            0,
            "there is a header and no row; a file that is meant to say so is not believed",
        ));
    }
    Ok(())
}

/// Looks at the beginning of a file: its header must fit.
pub(crate) fn look(head: &[u8], settings: &DelimitedSettings, name: &str, columns: &HrColumns) -> Result<usize, Stop> {
    // What is cut within a character is no fault of the file.
    let bounds = RowBounds { row_bytes_max: head.len().max(settings.bounds.row_bytes_max), ..settings.bounds };
    let mut rows = Rows::new(Text::new(head, settings.dialect.encoding), settings.dialect, bounds);
    let teller = Teller { settings, name };
    if !rows.next().map_err(|fault| teller.stop(fault))? {
        return Err(teller.reject("no_rows", 0, "the file is empty, without even a header"));
    }
    header_of(&rows, columns, name).map(|header| header.width)
}

fn header_of<R: Read>(rows: &Rows<R>, columns: &HrColumns, name: &str) -> Result<Header, Stop> {
    let names: Vec<&str> = (0..rows.count()).map(|at| rows.cell(at)).collect();
    read_header(&names, columns, name, rows.began()).map_err(Stop::Rejected)
}

fn hand_on<R: Read>(rows: &Rows<R>, header: &Header, take: Take<'_>) {
    let line = rows.began();
    let wrong = match rows.broken() {
        Some(Broken::Quote) => Some(Wrong { rule: "quote_error", detail: "text stands behind a closing quote" }),
        Some(Broken::Cell) => Some(Wrong { rule: "cell_too_long", detail: "a cell is longer than allowed" }),
        None if rows.count() != header.width => {
            Some(Wrong { rule: "row_width", detail: "it has another number of cells than the header" })
        }
        None => None,
    };
    if let Some(wrong) = wrong {
        return take(line, Err(wrong));
    }
    // Mappings have few columns.
    let mut buffer = [""; 32];
    if let Some(cells) = buffer.get_mut(..header.places.len()) {
        header.places.iter().zip(cells.iter_mut()).for_each(|(at, cell)| *cell = rows.cell(*at));
        take(line, Ok(cells));
    } else {
        let cells: Vec<&str> = header.places.iter().map(|at| rows.cell(*at)).collect();
        take(line, Ok(&cells));
    }
}

/// Says what is wrong with a file.
struct Teller<'t> {
    settings: &'t DelimitedSettings,
    name: &'t str,
}

impl Teller<'_> {
    fn reject(&self, rule: &'static str, line: u64, detail: &str) -> Stop {
        Stop::Rejected(vec![Finding {
            level: Level::File,
            rule,
            file: self.name.to_owned(),
            row: line,
            record: String::new(),
            field: String::new(),
            detail: detail.to_owned(),
        }])
    }

    fn check_trailer<R: Read>(&self, rows: &Rows<R>, count: u64) -> Result<(), Stop> {
        let told = (1..rows.count()).find_map(|at| rows.cell(at).trim().parse::<u64>().ok());
        match told {
            Some(told) if told == count => Ok(()),
            Some(told) => {
                let why = format!("there are {count} rows before the trailer, which says {told}");
                Err(self.reject("row_count", rows.began(), &why))
            }
            None => Err(self.reject("trailer_missing", rows.began(), "the trailer does not tell a number of rows")),
        }
    }

    fn stop(&self, fault: RowsFault) -> Stop {
        match fault {
            RowsFault::Text(TextFault::Io(cause)) => Stop::Io(cause),
            RowsFault::Text(TextFault::Malformed { at, seems }) => {
                let encoding = self.settings.dialect.encoding.name();
                let hint = seems.map(|seems| format!("; it seems to be {seems}")).unwrap_or_default();
                self.reject("bad_encoding", 0, &format!("at about byte {at} there is something that is no {encoding}{hint}"))
            }
            RowsFault::TooLong { line } => {
                let RowBounds { row_bytes_max, cells_max, .. } = self.settings.bounds;
                self.reject("row_too_long", line, &format!("a row has more than {row_bytes_max} bytes or {cells_max} cells"))
            }
            RowsFault::OpenQuote { line } => {
                self.reject("quote_error", line, "a quote is not closed until the end of the file: it is cut off or damaged")
            }
        }
    }
}
