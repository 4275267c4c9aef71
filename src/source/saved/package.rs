//! OneRoster packages: file by file.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

use crate::source::delimited::Dialect;
use crate::source::saved::cells::redact_cells;
use crate::source::saved::redaction::{Counts, Redaction};

/// All that is kept of rows about descent and birth.
const DEMOGRAPHICS: [&str; 3] = ["sourcedId", "status", "dateLastModified"];

/// What became of one file of a package.
pub(crate) struct Part {
    pub(crate) name: String,
    /// Its length as received, in bytes.
    pub(crate) bytes: u64,
    pub(crate) counts: Counts,
    /// Why nothing of it is kept.
    pub(crate) withheld: Option<String>,
}

/// Writes the files of a package, a zip or a folder, into the folder `to`.
pub(crate) fn redact_package(package: &Path, redaction: &Redaction, to: &Path) -> io::Result<Vec<Part>> {
    let mut parts = Vec::new();
    if fs::metadata(package)?.is_dir() {
        let mut entries = fs::read_dir(package)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries.iter().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let file = File::open(entry.path())?;
            let bytes = file.metadata()?.len();
            parts.push(part(&name, bytes, file, redaction, to)?);
        }
        return Ok(parts);
    }
    let mut zip = zip::ZipArchive::new(BufReader::new(File::open(package)?))?;
    for index in 0..zip.len() {
        let entry = zip.by_index(index)?;
        let name = entry.name()?.into_owned();
        let bytes = entry.size();
        // As long as it says, and no longer.
        parts.push(part(&name, bytes, io::Read::take(entry, bytes), redaction, to)?);
    }
    Ok(parts)
}

fn part(name: &str, bytes: u64, content: impl io::Read, redaction: &Redaction, to: &Path) -> io::Result<Part> {
    let withheld = |why: &str| Part { name: name.to_owned(), bytes, counts: Counts::new(), withheld: Some(why.to_owned()) };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.starts_with('.') || !name.chars().all(is_plain) || !name.to_ascii_lowercase().ends_with(".csv") {
        return Ok(withheld("it is no CSV file, and cannot be redacted"));
    }
    let only = name.eq_ignore_ascii_case("demographics.csv").then_some(&DEMOGRAPHICS[..]);
    let mut file = BufWriter::new(crate::source::saved::index::private_file(&to.join(name))?);
    let counts = redact_cells(content, Dialect::default(), only, redaction, &mut file)?;
    file.flush()?;
    Ok(Part { name: name.to_owned(), bytes, counts, withheld: None })
}
