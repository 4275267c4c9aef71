//! The source: which packages wait, and reading one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::base::{Digest, SourceId};
use crate::roster::{News, RosterIntake, Trace};
use crate::source::api::{Package, Read, Reread, RosterSource, Seen, SourceError};
use crate::source::csv::digest::folder_digest;
use crate::source::csv::package::{PackageFiles, has_ending, is_ignored};
use crate::source::csv::pull::{is_incremental, manifest, pull, summary};
use crate::source::csv::reread::CsvReread;
use crate::source::csv::settings::{CsvSourceSettings, DropKind};
use crate::source::csv::settle::{Look, Sightings};
use crate::source::csv::sink::RowSink;

/// A feed of OneRoster CSV packages.
pub struct CsvSource {
    settings: CsvSourceSettings,
    sightings: Sightings,
}

fn unreachable(path: &Path, cause: io::Error) -> SourceError {
    SourceError::Unreachable { what: path.display().to_string(), cause }
}

fn changed(path: &Path) -> SourceError {
    unreachable(path, io::Error::other("it is not the package any more that was found; it changed"))
}

impl CsvSource {
    /// A source with these settings. Nothing is opened yet.
    pub fn new(settings: CsvSourceSettings) -> Self {
        Self { settings, sightings: Sightings::default() }
    }

    /// The packages that lie there, oldest first: name and path.
    fn candidates(&self) -> Result<Vec<(String, PathBuf)>, SourceError> {
        let root = &self.settings.path;
        if self.settings.kind == DropKind::Package {
            fs::metadata(root).map_err(|cause| unreachable(root, cause))?;
            let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
            return Ok(vec![(name, root.clone())]);
        }
        let mut found = Vec::new();
        for listed in fs::read_dir(root).map_err(|cause| unreachable(root, cause))? {
            let listed = listed.map_err(|cause| unreachable(root, cause))?;
            // A name that is not UTF-8 has no place in an order of names.
            let Ok(name) = listed.file_name().into_string() else { continue };
            let kind = listed.file_type().map_err(|cause| unreachable(&listed.path(), cause))?;
            if !is_ignored(&name) && (kind.is_dir() || kind.is_file() && has_ending(&name, ".zip")) {
                found.push((name, listed.path()));
            }
        }
        found.sort();
        Ok(found)
    }

    /// What the beginning of a package shows.
    pub(crate) fn look_at(&self, head: &[u8]) -> Result<String, &'static str> {
        if head.starts_with(b"PK") { Ok("a zip".to_owned()) } else { Err("it is no zip") }
    }

    fn path_of(&self, package: &Package) -> PathBuf {
        match self.settings.kind {
            DropKind::Package => self.settings.path.clone(),
            DropKind::Drop => self.settings.path.join(&package.name),
        }
    }

    fn open(&self, path: &Path, name: &str) -> Result<PackageFiles, SourceError> {
        PackageFiles::open(path, &self.settings.bounds).map_err(|stop| stop.into_error(name))
    }

    fn check_unchanged(&self, path: &Path, package: &Package) -> Result<(), SourceError> {
        match self.sightings.is_still(path, package.digest) {
            Ok(true) => Ok(()),
            Ok(false) => Err(changed(path)),
            Err(cause) => Err(unreachable(path, cause)),
        }
    }

    /// As [`RosterSource::pull`], into any sink.
    pub(crate) fn pull_into<S: RowSink>(&self, package: &Package, sink: &mut S) -> Result<(), SourceError> {
        let path = self.path_of(package);
        self.check_unchanged(&path, package)?;
        let mut files = self.open_for(&path, package)?;
        let pulled = pull(&mut files, &self.settings, sink);
        // Also before a rejection: what was read may be half of the old and half of a new package.
        self.check_unchanged(&path, package)?;
        pulled.map_err(|stop| stop.into_error(&package.name))?;
        self.note(&path, &files)
    }

    /// Opens a package to read it; one without a digest is digested on the way.
    fn open_for(&self, path: &Path, package: &Package) -> Result<PackageFiles, SourceError> {
        let mut files = self.open(path, &package.name)?;
        if package.digest.is_none() {
            files.digest_along();
        }
        Ok(files)
    }

    /// Notes what was digested of a package that was read.
    fn note(&self, path: &Path, files: &PackageFiles) -> Result<(), SourceError> {
        let Some((folder, told)) = files.told() else { return Ok(()) };
        let noted = folder_digest(folder, told).and_then(|digest| self.sightings.note(path, digest));
        noted.map_err(|cause| unreachable(path, cause))
    }

    /// The digest of a package that was found complete, unless it can wait; `None`: the package changed since.
    fn digest(&self, path: &Path, bytes: u64, seen: &Seen) -> Result<Option<Option<Digest>>, SourceError> {
        // Bytes of another length are others, and reading them tells their digest beside what they say.
        let may_wait = seen.rejected.is_empty() && seen.bytes.is_some_and(|known| known != bytes) && path.is_dir();
        if may_wait {
            return Ok(Some(None));
        }
        let named = self.sightings.named(path).map_err(|cause| unreachable(path, cause))?;
        Ok(named.map(Some))
    }
}

impl RosterSource for CsvSource {
    fn id(&self) -> &SourceId {
        &self.settings.id
    }

    /// A package that is not complete yet holds back the later ones: taken before it, they would make it look old.
    fn pending(&self, seen: &Seen) -> Result<Vec<Package>, SourceError> {
        let mut candidates = self.candidates()?;
        if let (DropKind::Drop, Some(newest)) = (self.settings.kind, &seen.newest) {
            candidates.retain(|(name, _)| name > newest);
        }
        let paths: Vec<PathBuf> = candidates.iter().map(|(_, path)| path.clone()).collect();
        self.sightings.keep_only(&paths);
        let mut pending = Vec::new();
        let mut held_back = false;
        for (name, path) in candidates {
            let look =
                self.sightings.look(&path, self.settings.settle_secs, seen.now).map_err(|cause| unreachable(&path, cause))?;
            match look {
                Look::Complete(bytes) => {
                    let Some(digest) = self.digest(&path, bytes, seen)? else {
                        held_back = true;
                        continue;
                    };
                    let is_known = self.settings.kind == DropKind::Package && digest.is_some() && digest == seen.digest;
                    if !held_back && !is_known && !digest.is_some_and(|digest| seen.rejected.contains(&digest)) {
                        let location = path.display().to_string();
                        pending.push(Package { name, location, digest, bytes, since: None });
                    }
                }
                Look::Waiting => held_back = true,
                Look::Differs(why) => {
                    if !held_back && pending.is_empty() {
                        return Err(unreachable(&path, io::Error::new(io::ErrorKind::InvalidData, why)));
                    }
                    held_back = true;
                }
            }
        }
        Ok(pending)
    }

    fn named(&self, package: Package) -> Result<Package, SourceError> {
        if package.digest.is_some() {
            return Ok(package);
        }
        let path = self.path_of(&package);
        match self.sightings.named(&path) {
            Ok(Some(digest)) => Ok(Package { digest: Some(digest), ..package }),
            Ok(None) => Err(changed(&path)),
            Err(cause) => Err(unreachable(&path, cause)),
        }
    }

    fn pull(&self, package: &Package, intake: &mut RosterIntake) -> Result<Read, SourceError> {
        self.pull_into(package, intake)?;
        Ok(Read::default())
    }

    fn reread<'r>(&'r self, package: &'r Package, known: &'r Trace) -> Option<Box<dyn Reread + 'r>> {
        let path = self.path_of(package);
        self.check_unchanged(&path, package).ok()?;
        let files = self.open_for(&path, package).ok()?;
        let read = CsvReread::begin(files, &self.settings, known).ok()??;
        Some(Box::new(Beside { source: self, path, package, known, read }))
    }

    fn file(&self, package: &Package) -> Option<PathBuf> {
        Some(self.path_of(package))
    }

    fn is_incremental(&self, package: &Package) -> Result<bool, SourceError> {
        let mut files = self.open(&self.path_of(package), &package.name)?;
        let read = manifest(&mut files, &self.settings, &mut Vec::new()).map_err(|stop| stop.into_error(&package.name))?;
        Ok(is_incremental(&read, &self.settings))
    }

    fn check(&self) -> Result<String, SourceError> {
        let place = self.settings.path.display();
        let Some((name, path)) = self.candidates()?.pop() else {
            return Ok(format!("{place}: reachable, no package there yet"));
        };
        let mut files = self.open(&path, &name)?;
        let read = manifest(&mut files, &self.settings, &mut Vec::new()).map_err(|stop| stop.into_error(&name))?;
        Ok(format!("{place}: newest package {name}, {}", summary(&read, &self.settings)))
    }
}

/// One of its packages, read beside what is known.
struct Beside<'r> {
    source: &'r CsvSource,
    path: PathBuf,
    package: &'r Package,
    known: &'r Trace,
    read: CsvReread<'r>,
}

impl Reread for Beside<'_> {
    fn look(&mut self) -> bool {
        let looked = matches!(self.read.look(self.known), Ok(Some(())));
        // What was read may be half of another package.
        looked
            && self.source.check_unchanged(&self.path, self.package).is_ok()
            && self.source.note(&self.path, self.read.files()).is_ok()
    }

    fn news(&self) -> &News {
        self.read.news()
    }

    fn feed(self: Box<Self>, intake: &mut RosterIntake) -> Option<News> {
        self.read.feed(intake)
    }
}
