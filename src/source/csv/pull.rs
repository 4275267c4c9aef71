//! One package from its first byte to its last: check all that can be known before the rows, then let the rows flow.

use crate::roster::{Collection, Finding, Mode, Prints};
use crate::source::csv::block::{Block, ReadFault};
use crate::source::csv::cells::Cells;
use crate::source::csv::fault::{Stop, of_file, of_package, shown, warning};
use crate::source::csv::feed::{NO_ROWS, feed};
use crate::source::csv::feeder::FeedRule;
use crate::source::csv::files::{CsvVersion, FileKind};
use crate::source::csv::ground::Ground;
use crate::source::csv::header::{HeaderRule, Layout, layout};
use crate::source::csv::manifest::{FileMode, Manifest};
use crate::source::csv::package::{Content, Entry, PackageFiles};
use crate::source::csv::scan::{QuoteFault, Scan};
use crate::source::csv::settings::{BulkWithStatus, CsvSourceSettings};
use crate::source::csv::sink::RowSink;

/// Longest manifest in bytes.
const MANIFEST_BYTES_MAX: usize = 64 << 10;

/// What is known of a package before its first row.
pub(crate) struct Survey {
    manifest: Manifest,
    layouts: Vec<(FileKind, Entry, Layout)>,
    warnings: Vec<Finding>,
}

impl Survey {
    /// Checks all that can be known.
    pub(crate) fn of(files: &mut PackageFiles, settings: &CsvSourceSettings) -> Result<Self, Stop> {
        let mut warnings = Vec::new();
        let manifest = manifest(files, settings, &mut warnings)?;
        let mut faults = presence_faults(files, &manifest, &mut warnings);
        let mut layouts = Vec::new();
        for entry in files.entries().to_vec() {
            let Content::Data(kind) = entry.content else { continue };
            if manifest.mode(kind) == FileMode::Absent {
                continue;
            }
            match survey(files, &entry, kind, &manifest, settings, &mut warnings) {
                Ok(layout) => layouts.push((kind, entry, layout)),
                Err(Stop::Rejected(found)) => faults.extend(found),
                Err(stop) => return Err(stop),
            }
        }
        if faults.is_empty() { Ok(Self { manifest, layouts, warnings }) } else { Err(Stop::Rejected(faults)) }
    }

    /// The file of a collection, and how it is read.
    pub(crate) fn file(&self, collection: Collection, settings: &CsvSourceSettings) -> Option<(&Entry, FeedRule<'_>)> {
        let (kind, entry, layout) = self.layouts.iter().find(|(kind, ..)| kind.collection() == Some(collection))?;
        let rule = FeedRule {
            mode: self.manifest.mode(*kind),
            bulk_with_status: settings.bulk_with_status,
            rows_max: settings.bounds.rows_max,
            line_bytes_max: settings.bounds.line_bytes_max,
            cell_bytes_max: settings.bounds.cell_bytes_max,
            cells: Cells::new(*kind, layout, self.manifest.version, settings.lenient, settings.courses_optional),
        };
        Some((entry, rule))
    }

    /// Begins to tell what its rows stand on.
    pub(crate) fn ground(&self, settings: &CsvSourceSettings) -> Ground {
        Ground::new(settings, &self.manifest, self.layouts.iter().map(|(kind, _, layout)| (*kind, layout)))
    }

    /// What is odd about it and no fault.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.warnings.iter()
    }
}

/// Reads a package to its end into `sink`.
pub(crate) fn pull<S: RowSink>(files: &mut PackageFiles, settings: &CsvSourceSettings, sink: &mut S) -> Result<(), Stop> {
    let survey = Survey::of(files, settings)?;
    survey.warnings().for_each(|finding| sink.warn(finding.clone()));
    let people_bytes = survey.file(Collection::People, settings).map_or(0, |(entry, _)| entry.length);
    let is_traced = files.is_folder() && people_bytes >= settings.trace_bytes_min;
    let mut ground = sink.prints().filter(|_| is_traced).map(|prints| {
        *prints = Prints::of_file(people_bytes);
        survey.ground(settings)
    });
    for collection in Collection::ALL {
        let Some((entry, rule)) = survey.file(collection, settings) else { continue };
        sink.begin(collection, if rule.mode == FileMode::Delta { Mode::Changes } else { Mode::Full });
        feed(files, (entry, collection), rule, ground.as_mut(), sink)?;
    }
    ground.into_iter().for_each(|ground| sink.ground(ground.finish()));
    Ok(())
}

/// The manifest of a package.
pub(crate) fn manifest(
    files: &mut PackageFiles,
    settings: &CsvSourceSettings,
    warnings: &mut Vec<Finding>,
) -> Result<Manifest, Stop> {
    let Some(entry) = files.entry(Content::Manifest).cloned() else {
        return without_manifest(files, settings, warnings);
    };
    let text = files.peek(&entry, |blocks| {
        let mut text = String::new();
        let mut block = Block::default();
        while let Some(next) = blocks.next(block)? {
            text.push_str(&next.text);
            if text.len() > MANIFEST_BYTES_MAX {
                return Err(ReadFault::LineTooLong);
            }
            block = next;
        }
        Ok(text)
    })?;
    match text {
        Ok(text) => Manifest::parse(&text, &settings.versions).map_err(Stop::Rejected),
        Err(ReadFault::LineTooLong) => {
            let detail = format!("it is longer than {MANIFEST_BYTES_MAX} bytes");
            Err(Stop::because(of_package("manifest_bad_value", &entry.name, detail)))
        }
        Err(fault) => Err(files.stop_of(&entry, fault, 0)),
    }
}

/// Whether the package builds on what is stored: a rostering file holds changes or is not there. A bulk file that turns
/// out to hold statuses does not count: together with the other files it can stand alone.
pub(crate) fn is_incremental(manifest: &Manifest, settings: &CsvSourceSettings) -> bool {
    Collection::ALL.into_iter().map(FileKind::of_collection).filter(|kind| kind.is_in(manifest.version)).any(|kind| {
        match manifest.mode(kind) {
            FileMode::Bulk => false,
            FileMode::Delta => true,
            FileMode::Absent => !(kind == FileKind::Courses && settings.courses_optional),
        }
    })
}

/// One line about a package, for people.
pub(crate) fn summary(manifest: &Manifest, settings: &CsvSourceSettings) -> String {
    let mut out = format!("OneRoster {}", manifest.version);
    for kind in Collection::ALL.into_iter().map(FileKind::of_collection).filter(|kind| kind.is_in(manifest.version)) {
        out.push_str(&format!(", {} {}", kind.stem(), manifest.mode(kind).word()));
    }
    if settings.bulk_with_status == BulkWithStatus::Full {
        out.push_str("; statuses in bulk files do not make them changes");
    }
    out
}

fn presence_faults(files: &PackageFiles, manifest: &Manifest, warnings: &mut Vec<Finding>) -> Vec<Finding> {
    let mut faults = Vec::new();
    for kind in FileKind::all() {
        let mode = manifest.mode(kind);
        match (files.entry(Content::Data(kind)), mode) {
            (None, FileMode::Bulk | FileMode::Delta) => {
                let detail = format!("the manifest declares it `{}` and it is not there", mode.word());
                faults.push(of_package("file_declared_but_missing", kind.name(), detail));
            }
            (Some(entry), FileMode::Absent) => {
                let detail = "the manifest declares it `absent` and it is there";
                faults.push(of_package("file_present_but_absent", &entry.name, detail));
            }
            (Some(entry), _) if entry.name != kind.name() => {
                let detail = format!("it is read as `{}`", kind.name());
                warnings.push(warning("file_name", &entry.name, 0, "", detail));
            }
            _ => {}
        }
    }
    for entry in files.entries().iter().filter(|entry| entry.content == Content::Other) {
        if entry.name.to_ascii_lowercase().ends_with(".csv") {
            let detail = "the manifest does not declare it and OneRoster has no such file";
            faults.push(of_package("file_present_but_absent", &shown(&entry.name), detail));
        } else {
            warnings.push(warning("file_name", &shown(&entry.name), 0, "", "it is no part of OneRoster and is ignored"));
        }
    }
    faults
}

/// The header of a file, and whether anything stands below it.
fn survey(
    files: &mut PackageFiles,
    entry: &Entry,
    kind: FileKind,
    manifest: &Manifest,
    settings: &CsvSourceSettings,
    warnings: &mut Vec<Finding>,
) -> Result<Layout, Stop> {
    let rule = HeaderRule { version: manifest.version, lenient: settings.lenient, keep_metadata: &settings.keep_metadata };
    let (header, has_rows) = head(files, entry)?;
    let cells: Vec<&str> = header.iter().map(String::as_str).collect();
    let layout = layout(kind, &cells, rule, warnings).map_err(|fault| Stop::because(*fault))?;
    if !has_rows {
        return Err(Stop::because(of_file("no_rows", &entry.name, 0, NO_ROWS)));
    }
    Ok(layout)
}

/// The cells of the first line (none if it is empty), and whether a line below it is not empty.
fn head(files: &mut PackageFiles, entry: &Entry) -> Result<(Vec<String>, bool), Stop> {
    let read = files.peek(entry, |blocks| -> Result<_, ReadFault> {
        let Some(first) = blocks.next(Block::default())? else { return Ok((String::new(), false)) };
        let (header, below) = first.text.split_at(first.text.find('\n').map_or(first.text.len(), |end| end + 1));
        let header = header.to_owned();
        let is_row = |text: &str| text.bytes().any(|byte| !matches!(byte, b'\r' | b'\n'));
        let mut has_rows = is_row(below);
        let mut block = first;
        while !has_rows {
            let Some(next) = blocks.next(block)? else { break };
            has_rows = is_row(&next.text);
            block = next;
        }
        Ok((header, has_rows))
    })?;
    let (header, has_rows) = read.map_err(|fault| files.stop_of(entry, fault, 0))?;
    let mut cells = Vec::new();
    Scan::default()
        .rows(&header, |row| {
            cells.extend(row.iter().map(str::to_owned));
            Ok(())
        })
        .map_err(|QuoteFault { line, what }| Stop::because(of_file("quote_error", &entry.name, line, what)))?;
    Ok((cells, has_rows))
}

/// No manifest: another format, OneRoster 1.0, or a mistake; oneroster-csv §9, §10.
fn without_manifest(
    files: &mut PackageFiles,
    settings: &CsvSourceSettings,
    warnings: &mut Vec<Finding>,
) -> Result<Manifest, Stop> {
    const FILE: &str = "manifest.csv";
    if looks_like_sds(files)? {
        let detail = "this looks like Microsoft SDS, not OneRoster; export OneRoster 1.1 or 1.2 instead";
        return Err(Stop::because(of_package("manifest_missing", FILE, detail)));
    }
    let present: Vec<FileKind> = FileKind::all().filter(|kind| files.entry(Content::Data(*kind)).is_some()).collect();
    if present.is_empty() {
        let detail = "the package has neither a manifest nor any file of OneRoster";
        return Err(Stop::because(of_package("manifest_missing", FILE, detail)));
    }
    if !settings.lenient || !settings.versions.contains(&CsvVersion::V1_1) {
        let detail = "a package without a manifest is OneRoster 1.0 or incomplete; OneRoster 1.1 or 1.2 is needed \
                      (a lenient source reads it as 1.1 with complete files)";
        return Err(Stop::because(of_package("manifest_missing", FILE, detail)));
    }
    let detail = "there is none; the package is read as OneRoster 1.1 with complete files";
    warnings.push(warning("manifest_missing", FILE, 0, "", detail));
    Ok(Manifest::assumed(present.into_iter().filter(|kind| kind.is_in(CsvVersion::V1_1))))
}

fn looks_like_sds(files: &mut PackageFiles) -> Result<bool, Stop> {
    const V1: [&str; 6] =
        ["school.csv", "section.csv", "student.csv", "teacher.csv", "studentenrollment.csv", "teacherroster.csv"];
    let is_v1 = |entry: &Entry| V1.contains(&entry.name.to_ascii_lowercase().as_str());
    if files.entries().iter().any(is_v1) {
        return Ok(true);
    }
    for kind in [FileKind::Orgs, FileKind::Users] {
        let Some(entry) = files.entry(Content::Data(kind)).cloned() else { continue };
        // An unreadable header is told later in better words.
        let Ok((header, _)) = head(files, &entry) else { continue };
        let starts = |columns: &[&str]| header.iter().zip(columns).filter(|(a, b)| a == b).count() == columns.len();
        let is_v2 = match kind {
            FileKind::Orgs => starts(&["sourcedId", "name", "type", "parentSourcedId"]),
            _ => starts(&["sourcedId", "username", "givenName", "familyName", "password", "activeDirectoryMatchId"]),
        };
        if is_v2 {
            return Ok(true);
        }
    }
    Ok(false)
}
