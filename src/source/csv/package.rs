//! The files of one package, in a zip or in a folder: which there are, that they are safe, and their bytes.
//!
//! Nothing is ever unpacked to disk. Declared lengths are checked against the bounds before anything is read, and each
//! file must then be exactly as long as it was declared: so a length that lies ends the reading instead of the memory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::roster::Finding;
use crate::source::csv::block::{BlockReader, Blocks, PipeOut, ReadFault, STEP_BYTES, pipe};
use crate::source::csv::fault::{Stop, of_file, of_package, shown};
use crate::source::csv::files::FileKind;
use crate::source::csv::pieces::{Pieces, Told};
use crate::source::csv::settings::CsvBounds;

/// What a file of a package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// The manifest.
    Manifest,
    /// A data file of the binding.
    Data(FileKind),
    /// Something else.
    Other,
}

/// One file of a package.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) content: Content,
    /// Its declared length in bytes.
    pub(crate) length: u64,
    /// Its place in the zip.
    index: usize,
}

enum Place {
    Zip(Box<ZipArchive<BufReader<File>>>),
    Folder(PathBuf),
}

/// An opened package.
pub(crate) struct PackageFiles {
    place: Place,
    entries: Vec<Entry>,
    line_bytes_max: usize,
    /// What passes by of a folder is digested, if that is wanted.
    told: Option<Told>,
    /// How much of a file is read at once, in bytes.
    pub(crate) step_bytes: usize,
}

/// Names that are not part of a package: hidden files, files still being written, companions.
pub(crate) fn is_ignored(name: &str) -> bool {
    const ENDINGS: [&str; 4] = [".tmp", ".part", ".done", ".sha256"];
    name.starts_with('.') || ENDINGS.iter().any(|ending| has_ending(name, ending))
}

/// Whether a name ends so, whatever its letter case.
pub(crate) fn has_ending(name: &str, ending: &str) -> bool {
    name.len() > ending.len() && name.as_bytes()[name.len() - ending.len()..].eq_ignore_ascii_case(ending.as_bytes())
}

/// Opens a regular file, never through a link.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let before = fs::symlink_metadata(path)?;
    if !before.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let file = File::open(path)?;
    let opened = file.metadata()?;
    if (opened.dev(), opened.ino()) != (before.dev(), before.ino()) {
        return Err(io::Error::other("it was exchanged while it was opened"));
    }
    Ok(file)
}

impl PackageFiles {
    /// Opens the package at `path` and checks the names and lengths of its files.
    pub(crate) fn open(path: &Path, bounds: &CsvBounds) -> Result<Self, Stop> {
        let unreachable = |cause| Stop::Unreachable { what: path.display().to_string(), cause };
        let metadata = fs::metadata(path).map_err(unreachable)?;
        let mut faults = Vec::new();
        let (place, mut entries) = if metadata.is_dir() {
            let entries = folder_entries(path, &mut faults).map_err(unreachable)?;
            (Place::Folder(path.to_owned()), entries)
        } else {
            let file = File::open(path).map_err(unreachable)?;
            let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| zip_stop(path, error))?;
            let entries = zip_entries(&archive, metadata.len(), bounds, &mut faults)?;
            (Place::Zip(Box::new(archive)), entries)
        };
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        check_doubles(&entries, &mut faults);
        check_lengths(&entries, bounds, &mut faults);
        if !faults.is_empty() {
            return Err(Stop::Rejected(faults));
        }
        Ok(Self { place, entries, line_bytes_max: bounds.line_bytes_max, told: None, step_bytes: STEP_BYTES })
    }

    /// From now on whatever is read of a folder is digested on its way.
    pub(crate) fn digest_along(&mut self) {
        self.told = self.is_folder().then(Told::new);
    }

    /// What was digested, and where they lie.
    pub(crate) fn told(&self) -> Option<(&Path, &Told)> {
        match &self.place {
            Place::Folder(folder) => Some((folder, self.told.as_ref()?)),
            Place::Zip(_) => None,
        }
    }

    /// Its files, sorted by name.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The file of a content.
    pub(crate) fn entry(&self, content: Content) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.content == content)
    }

    /// Whether its files lie there as they are, so that their rows have places.
    pub(crate) fn is_folder(&self) -> bool {
        matches!(self.place, Place::Folder(_))
    }

    /// Hands the first lines of a file to `take`, in small blocks and in this thread.
    pub(crate) fn peek<T>(&mut self, entry: &Entry, take: impl FnOnce(&mut dyn Blocks) -> T) -> Result<T, Stop> {
        const PEEK_BYTES: usize = 16 << 10;
        let Self { place, line_bytes_max, .. } = self;
        let what = |cause| Stop::Unreachable { what: entry.name.clone(), cause };
        match place {
            Place::Folder(folder) => {
                let file = open_regular(&folder.join(&entry.name)).map_err(what)?;
                Ok(take(&mut BlockReader::new(file, entry.length, *line_bytes_max, PEEK_BYTES)))
            }
            Place::Zip(archive) => {
                let file = archive.by_index(entry.index).map_err(|error| zip_stop(Path::new(&entry.name), error))?;
                Ok(take(&mut BlockReader::new(file, entry.length, *line_bytes_max, PEEK_BYTES)))
            }
        }
    }

    /// Hands all of a file to `take`. A zip is unpacked in a second thread, a few blocks ahead.
    pub(crate) fn read<T>(&mut self, entry: &Entry, take: impl FnOnce(&mut dyn Blocks) -> T) -> Result<T, Stop> {
        let Self { place, line_bytes_max, told, step_bytes, .. } = self;
        let step_bytes = *step_bytes;
        match place {
            Place::Folder(folder) => {
                let file = open_regular(&folder.join(&entry.name))
                    .map_err(|cause| Stop::Unreachable { what: entry.name.clone(), cause })?;
                let mut pieces = told.is_some().then(Pieces::default);
                let blocks = BlockReader::new(file, entry.length, *line_bytes_max, step_bytes);
                let taken = take(&mut blocks.digesting(pieces.as_mut()));
                told.iter_mut().zip(pieces).for_each(|(told, pieces)| drop(told.insert(entry.name.clone().into(), pieces)));
                Ok(taken)
            }
            Place::Zip(archive) => {
                let (send, receive) = pipe();
                let unpack = move || match archive.by_index(entry.index) {
                    Ok(file) => send.send_all(&mut BlockReader::new(file, entry.length, *line_bytes_max, step_bytes)),
                    Err(error) => send.send_fault(ReadFault::Io(error.into())),
                };
                std::thread::scope(|scope| {
                    scope.spawn(unpack);
                    // Dropped before the scope ends: a parser that stops early also stops the unpacking.
                    let mut receive: PipeOut = receive;
                    Ok(take(&mut receive))
                })
            }
        }
    }

    /// A file whose bytes can be had in any order; `None` where they have to be unpacked.
    ///
    /// # Errors
    /// [`Stop::Unreachable`] if it cannot be opened.
    pub(crate) fn file(&self, entry: &Entry) -> Result<Option<File>, Stop> {
        let Place::Folder(folder) = &self.place else { return Ok(None) };
        let what = |cause| Stop::Unreachable { what: entry.name.clone(), cause };
        open_regular(&folder.join(&entry.name)).map(Some).map_err(what)
    }

    /// What a fault in reading a file means, `lines` of it having been read before the failing block.
    pub(crate) fn stop_of(&self, entry: &Entry, fault: ReadFault, lines: u64) -> Stop {
        let name = entry.name.as_str();
        match fault {
            ReadFault::Io(cause) => {
                let is_content = matches!(
                    cause.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
                );
                match &self.place {
                    Place::Zip(_) if is_content => {
                        Stop::because(of_package("zip_invalid", name, format!("the entry cannot be unpacked: {cause}")))
                    }
                    Place::Zip(_) | Place::Folder(_) => Stop::Unreachable { what: name.to_owned(), cause },
                }
            }
            ReadFault::NotUtf8 { lines_before, what } => {
                Stop::because(of_file("not_utf8", name, lines + lines_before + 1, what))
            }
            ReadFault::LineTooLong => Stop::because(of_package(
                "zip_too_large",
                name,
                format!("line {} is longer than {} bytes", lines + 1, self.line_bytes_max),
            )),
            ReadFault::LengthDiffers => match &self.place {
                Place::Zip(_) => {
                    let detail = format!("the entry is not {} bytes long as the zip declares", entry.length);
                    Stop::because(of_package("zip_invalid", name, detail))
                }
                Place::Folder(_) => Stop::Unreachable {
                    what: name.to_owned(),
                    cause: io::Error::other("it changed its length while it was read"),
                },
            },
        }
    }
}

fn zip_stop(path: &Path, error: ZipError) -> Stop {
    match error {
        ZipError::Io(cause) if !matches!(cause.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) => {
            Stop::Unreachable { what: path.display().to_string(), cause }
        }
        other => Stop::because(of_package("zip_invalid", "", format!("it cannot be read as a zip: {other}"))),
    }
}

fn content_of(name: &str) -> Content {
    if name.eq_ignore_ascii_case("manifest.csv") {
        Content::Manifest
    } else {
        FileKind::of_name(name).map_or(Content::Other, Content::Data)
    }
}

fn unsafe_entry(name: &str, detail: &str) -> Finding {
    of_package("zip_unsafe_entry", &shown(name), detail)
}

fn folder_entries(path: &Path, faults: &mut Vec<Finding>) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for listed in fs::read_dir(path)? {
        let listed = listed?;
        let Ok(name) = listed.file_name().into_string() else {
            faults.push(unsafe_entry(&listed.file_name().to_string_lossy(), "the name is not UTF-8"));
            continue;
        };
        if is_ignored(&name) {
            continue;
        }
        let metadata = fs::symlink_metadata(listed.path())?;
        if metadata.is_symlink() {
            faults.push(unsafe_entry(&name, "it is a symbolic link"));
        } else if !metadata.is_file() {
            faults.push(unsafe_entry(&name, "it is not a file; all files must lie directly in the package"));
        } else {
            entries.push(Entry { content: content_of(&name), name, length: metadata.len(), index: 0 });
        }
    }
    // The order of a directory is no order: findings must come out the same each time.
    faults.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(entries)
}

fn zip_entries(
    archive: &ZipArchive<BufReader<File>>,
    zip_length: u64,
    bounds: &CsvBounds,
    faults: &mut Vec<Finding>,
) -> Result<Vec<Entry>, Stop> {
    if archive.len() > bounds.entries_max {
        let detail = format!("{} files, at most {} are allowed", archive.len(), bounds.entries_max);
        return Err(Stop::because(of_package("zip_too_large", "", detail)));
    }
    let metadata = archive.metadata();
    if metadata.has_duplicate_names() {
        faults.push(of_package("zip_unsafe_entry", "", "two entries have the same name"));
    }
    let mut entries = Vec::new();
    let mut packed_total = 0u64;
    for index in 0..archive.len() {
        let entry = metadata.entry(index).map_err(|error| zip_stop(Path::new(""), error))?;
        let Ok(name) = std::str::from_utf8(entry.name_raw()) else {
            faults.push(unsafe_entry(&String::from_utf8_lossy(entry.name_raw()), "the name is not UTF-8"));
            continue;
        };
        if let Some(detail) = name_fault(name) {
            faults.push(unsafe_entry(name, detail));
            continue;
        }
        if entry.is_symlink() {
            faults.push(unsafe_entry(name, "it is a symbolic link"));
        } else if entry.is_dir() {
            faults.push(unsafe_entry(name, "it is a folder; all files must lie at the root"));
        } else if entry.encrypted() {
            faults.push(unsafe_entry(name, "it is encrypted"));
        } else if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            faults.push(of_package("zip_invalid", &shown(name), "it is packed by another method than DEFLATE"));
        }
        let (length, packed) = (entry.size(), entry.compressed_size());
        packed_total = packed_total.saturating_add(packed);
        if length > 1 << 20 && length / bounds.expansion_ratio_max.max(1) > packed {
            let detail = format!(
                "{packed} bytes unpack to {length}, more than {} times as many: this is a zip bomb or damaged",
                bounds.expansion_ratio_max
            );
            faults.push(of_package("zip_too_large", &shown(name), detail));
        }
        if !is_ignored(name) {
            entries.push(Entry { name: name.to_owned(), content: content_of(name), length, index });
        }
    }
    if packed_total > zip_length {
        faults.push(of_package("zip_invalid", "", "the entries declare more bytes than the zip has"));
    }
    Ok(entries)
}

/// Why a name in a zip is refused.
fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Some("the name is empty or has control characters");
    }
    if name.starts_with(['/', '\\']) || name.contains(':') {
        return Some("the name is an absolute path");
    }
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Some("the name leads out of the package");
    }
    if name.ends_with(['/', '\\']) {
        return Some("it is a folder; all files must lie at the root");
    }
    name.contains(['/', '\\']).then_some("it lies in a folder; all files must lie at the root")
}

fn check_doubles(entries: &[Entry], faults: &mut Vec<Finding>) {
    let mut seen = BTreeMap::new();
    for entry in entries {
        let key = match entry.content {
            Content::Data(kind) => kind.name().to_ascii_lowercase(),
            Content::Manifest | Content::Other => entry.name.to_lowercase(),
        };
        if let Some(first) = seen.insert(key, entry.name.as_str()) {
            let detail = format!("it is the same file as `{}`", shown(first));
            faults.push(unsafe_entry(&entry.name, &detail));
        }
    }
}

fn check_lengths(entries: &[Entry], bounds: &CsvBounds, faults: &mut Vec<Finding>) {
    if entries.len() > bounds.entries_max {
        let detail = format!("{} files, at most {} are allowed", entries.len(), bounds.entries_max);
        faults.push(of_package("zip_too_large", "", detail));
    }
    for entry in entries.iter().filter(|entry| entry.length > bounds.entry_bytes_max) {
        let detail = format!("{} bytes, at most {} are allowed", entry.length, bounds.entry_bytes_max);
        faults.push(of_package("zip_too_large", &shown(&entry.name), detail));
    }
    let total = entries.iter().fold(0u64, |sum, entry| sum.saturating_add(entry.length));
    if total > bounds.package_bytes_max {
        let detail = format!("{total} bytes in all, at most {} are allowed", bounds.package_bytes_max);
        faults.push(of_package("zip_too_large", "", detail));
    }
}
