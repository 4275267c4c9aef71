//! How one CSV source is set up; filled by the settings folder.

use std::path::PathBuf;

use crate::base::SourceId;
use crate::source::csv::files::CsvVersion;

/// One feed of OneRoster CSV packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvSourceSettings {
    /// Its id.
    pub id: SourceId,
    /// Where the package or the packages lie.
    pub path: PathBuf,
    /// What lies there.
    pub kind: DropKind,
    /// OneRoster versions that are accepted.
    pub versions: Vec<CsvVersion>,
    /// How a file is read that is declared `bulk` and has statuses (oneroster-csv §3).
    pub bulk_with_status: BulkWithStatus,
    /// Accept known deviations with a warning each (oneroster-csv §9, §10).
    pub lenient: bool,
    /// Accept a package without courses.
    pub courses_optional: bool,
    /// `metadata.` columns of `users.csv` that are handed on as attributes, by their full names.
    pub keep_metadata: Vec<String>,
    /// The one of them that tells when a person last logged in (R144): taken out of the roster, and no rule sees it.
    pub activity_column: Option<String>,
    /// How long a package must lie unchanged before it counts as complete, in seconds; 0 takes it at first sight.
    pub settle_secs: u64,
    /// Bounds that no package may pass.
    pub bounds: CsvBounds,
    /// From so many bytes of `users.csv` on a read of a folder leaves a trace for the next one; to read a smaller package
    /// whole costs less than to keep one.
    pub trace_bytes_min: u64,
}

impl CsvSourceSettings {
    /// A source with the defaults: both versions, statuses in bulk files read as changes, strict, settled after 60 s.
    pub fn new(id: SourceId, path: impl Into<PathBuf>, kind: DropKind) -> Self {
        Self {
            id,
            path: path.into(),
            kind,
            versions: vec![CsvVersion::V1_1, CsvVersion::V1_2],
            bulk_with_status: BulkWithStatus::default(),
            lenient: false,
            courses_optional: false,
            keep_metadata: Vec::new(),
            activity_column: None,
            settle_secs: 60,
            bounds: CsvBounds::default(),
            trace_bytes_min: 2 << 20,
        }
    }
}

/// What lies at the path of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropKind {
    /// One package, a zip or a folder, that is replaced in place.
    Package,
    /// A folder that receives packages whose names sort by age.
    Drop,
}

/// What a status in a file declared `bulk` means (oneroster-csv §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BulkWithStatus {
    /// The row breaks the standard and is quarantined.
    Strict,
    /// The file holds changes: records without a row stay as they were.
    #[default]
    Delta,
    /// The customer confirmed that the file is complete: absence counts too.
    Full,
}

/// Bounds on the size of a package. Passing one rejects the package (`zip_too_large`), except for the cell bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvBounds {
    /// Bytes of all files together, unpacked.
    pub package_bytes_max: u64,
    /// Bytes of one file, unpacked.
    pub entry_bytes_max: u64,
    /// How many times larger a zip entry may be unpacked than packed; entries below 1 MiB are exempt.
    pub expansion_ratio_max: u64,
    /// Files in a package.
    pub entries_max: usize,
    /// Rows of one file.
    pub rows_max: u64,
    /// Bytes of one line.
    pub line_bytes_max: usize,
    /// Bytes of one cell; a longer one quarantines its row (`cell_too_long`).
    pub cell_bytes_max: usize,
}

impl Default for CsvBounds {
    fn default() -> Self {
        Self {
            package_bytes_max: 8 << 30,
            entry_bytes_max: 6 << 30,
            expansion_ratio_max: 200,
            entries_max: 64,
            rows_max: 50_000_000,
            line_bytes_max: 1 << 20,
            cell_bytes_max: 64 << 10,
        }
    }
}
