//! How a delimited file is read; filled by the settings folder.

use std::path::PathBuf;

use crate::base::SourceId;
use crate::source::delimited::decode::Encoding;
use crate::source::fetch::Pattern;
use crate::source::hr::HrMapping;

/// One feed of delimited files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelimitedSettings {
    /// Its id.
    pub id: SourceId,
    /// The file, or the folder of files.
    pub path: PathBuf,
    /// Which files of the folder; `None`: the path is one file that is replaced in place.
    pub pattern: Option<Pattern>,
    /// How its rows are written.
    pub dialect: Dialect,
    /// What a missing row means.
    pub feed: FeedKind,
    /// The last row begins with this cell and tells the number of rows.
    pub trailer: Option<String>,
    /// A file of the same name with this ending tells the number of rows.
    pub count_ending: Option<String>,
    /// Take a file only when a file of its name and `.done` lies beside it.
    pub marker: bool,
    /// How long a file must lie unchanged before it counts as complete, in seconds; 0 takes it at first sight.
    pub settle_secs: u64,
    /// A file that is older than this is refused: whoever writes it has stopped.
    pub age_hours_max: Option<u32>,
    /// Bounds that no file may pass.
    pub bounds: RowBounds,
    /// Which columns mean what.
    pub mapping: HrMapping,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// How text is coded.
    pub encoding: Encoding,
    /// What separates cells; an ASCII character.
    pub separator: u8,
    /// What encloses cells, doubled within them; an ASCII character. `None`: nothing does.
    pub quote: Option<u8>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { encoding: Encoding::UTF_8, separator: b',', quote: Some(b'"') }
    }
}

/// What a missing row means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedKind {
    /// Every file says everything: who is missing has left, as far as the guards believe it.
    Full,
    /// A file says what changed: who is missing stays.
    Changes,
}

/// Bounds on one file. Passing one rejects the file, except for the cell bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowBounds {
    /// Bytes of the file.
    pub file_bytes_max: u64,
    /// Rows.
    pub rows_max: u64,
    /// Bytes of one row, decoded.
    pub row_bytes_max: usize,
    /// Bytes of one cell; a longer one quarantines its row.
    pub cell_bytes_max: usize,
    /// Cells of one row.
    pub cells_max: usize,
}

impl Default for RowBounds {
    fn default() -> Self {
        Self {
            file_bytes_max: 4 << 30,
            rows_max: 20_000_000,
            row_bytes_max: 1 << 20,
            cell_bytes_max: 64 << 10,
            cells_max: 2_000,
        }
    }
}
