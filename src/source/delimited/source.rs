//! The source: which files wait, and reading one.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::base::SourceId;
use crate::roster::{Mode, RosterIntake};
use crate::source::api::{Package, Read, RosterSource, Seen, SourceError};
use crate::source::csv::{Look, Sightings, is_ignored};
use crate::source::delimited::settings::{DelimitedSettings, FeedKind};
use crate::source::delimited::walk::{Proofs, Stop, Take, Wrong, look, walk};
use crate::source::fault::{because, unreachable};
use crate::source::fetch::{Reader, companion_names};
use crate::source::hr::{HrColumns, HrFeed};
use crate::source::http::Pace;

/// What rows call their file; findings tell its name.
const FILE: &str = "people";

/// A feed of delimited files.
pub(crate) struct DelimitedSource {
    settings: DelimitedSettings,
    pace: Pace,
    sightings: Sightings,
}

impl DelimitedSource {
    /// A source with these settings. Nothing is opened yet.
    pub(crate) fn new(settings: DelimitedSettings, pace: Pace) -> Self {
        Self { settings, pace, sightings: Sightings::default() }
    }

    /// The files that lie there, oldest first: the name under which each sorts, and its path.
    fn candidates(&self) -> Result<Vec<(String, PathBuf)>, SourceError> {
        let root = &self.settings.path;
        let failed = |cause| unreachable(root.display().to_string(), cause);
        let Some(pattern) = &self.settings.pattern else {
            fs::metadata(root).map_err(failed)?;
            let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
            return Ok(vec![(name, root.clone())]);
        };
        let mut found = Vec::new();
        for listed in fs::read_dir(root).map_err(failed)? {
            let listed = listed.map_err(failed)?;
            let Ok(name) = listed.file_name().into_string() else { continue };
            let is_count = self.settings.count_ending.as_ref().is_some_and(|ending| name.ends_with(&format!(".{ending}")));
            if is_ignored(&name) || is_count || !listed.file_type().map_err(failed)?.is_file() {
                continue;
            }
            found.extend(pattern.sorts(&name).map(|sorts| (sorts, listed.path())));
        }
        found.sort();
        Ok(found)
    }

    fn path_of(&self, package: &Package) -> PathBuf {
        match &self.settings.pattern {
            None => self.settings.path.clone(),
            // Under a date, the name follows it.
            Some(pattern) => {
                let plain = self.settings.path.join(&package.name);
                let dated = package.name.split_once(' ').map(|(_, name)| name);
                let dated = dated.filter(|name| pattern.sorts(name).as_ref() == Some(&package.name));
                dated.map_or(plain, |name| self.settings.path.join(name))
            }
        }
    }

    fn check_unchanged(&self, path: &Path, package: &Package) -> Result<(), SourceError> {
        match self.sightings.is_still(path, Some(package.told())) {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(unreachable(path.display().to_string(), because("it is not the file any more that was found; it changed")))
            }
            Err(cause) => Err(unreachable(path.display().to_string(), cause)),
        }
    }

    /// The number of rows that was sent along.
    fn count(&self, path: &Path) -> Result<Option<u64>, SourceError> {
        let Some(ending) = &self.settings.count_ending else { return Ok(None) };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        for beside in companion_names(&name, ending).iter().map(|name| path.with_file_name(name)) {
            let text = match fs::read_to_string(&beside) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(cause) => return Err(unreachable(beside.display().to_string(), cause)),
            };
            let number = text.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty());
            let number = number.and_then(|digits| digits.parse().ok());
            return match number {
                Some(number) => Ok(Some(number)),
                None => Err(unreachable(beside.display().to_string(), because("it tells no number of rows"))),
            };
        }
        let why = format!("no file of its name ending in .{ending} tells the number of its rows yet");
        Err(unreachable(path.display().to_string(), because(why)))
    }

    fn is_marked(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !self.settings.marker || companion_names(&name, "done").iter().any(|name| path.with_file_name(name).exists())
    }

    fn check_age(&self, newest: Option<&(String, PathBuf)>) -> Result<(), SourceError> {
        let (Some(hours_max), Some((name, path))) = (self.settings.age_hours_max, newest) else { return Ok(()) };
        let failed = |cause| unreachable(path.display().to_string(), cause);
        let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).map_err(failed)?;
        let modified = modified.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let hours = (self.pace.now().0 / 1000).saturating_sub(i64::try_from(modified).unwrap_or(i64::MAX)) / 3600;
        if hours <= i64::from(hours_max) {
            return Ok(());
        }
        let why = format!("its newest file {name} is {hours} h old, more than max_age_hours = {hours_max}");
        Err(SourceError::Unusable { upstream: self.settings.path.display().to_string(), why })
    }

    /// Walks through a file; what stops it becomes the error of the source.
    fn walk(&self, path: &Path, name: &str, columns: &HrColumns, take: Take<'_>) -> Result<(), SourceError> {
        let failed = |cause| unreachable(path.display().to_string(), cause);
        let count = self.count(path)?;
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length > self.settings.bounds.file_bytes_max {
            let why = format!("it has {length} bytes, more than {} are allowed", self.settings.bounds.file_bytes_max);
            return Err(failed(because(why)));
        }
        let proofs = Proofs { trailer: self.settings.trailer.as_deref(), count };
        walk(file, &self.settings, name, columns, &proofs, take).map_err(|stop| stopped(stop, path, name))
    }
}

fn stopped(stop: Stop, path: &Path, name: &str) -> SourceError {
    match stop {
        Stop::Rejected(findings) => SourceError::Rejected { package: name.to_owned(), findings },
        Stop::Io(cause) => unreachable(path.display().to_string(), cause),
    }
}

impl RosterSource for DelimitedSource {
    fn id(&self) -> &SourceId {
        &self.settings.id
    }

    /// A file that is not complete yet holds back the later ones, as for packages; of several that say everything, the
    /// newest one counts.
    fn pending(&self, seen: &Seen) -> Result<Vec<Package>, SourceError> {
        let mut candidates = self.candidates()?;
        self.check_age(candidates.last())?;
        let in_place = self.settings.pattern.is_none();
        if let (false, Some(newest)) = (in_place, &seen.newest) {
            candidates.retain(|(name, _)| name > newest);
        }
        if self.settings.feed == FeedKind::Full {
            candidates.drain(..candidates.len().saturating_sub(1));
        }
        let paths: Vec<PathBuf> = candidates.iter().map(|(_, path)| path.clone()).collect();
        self.sightings.keep_only(&paths);
        let mut pending = Vec::new();
        for (name, path) in candidates {
            let failed = |cause| unreachable(path.display().to_string(), cause);
            if !self.is_marked(&path) {
                break;
            }
            match self.sightings.look(&path, self.settings.settle_secs, seen.now).map_err(failed)? {
                Look::Complete(bytes) => {
                    let Some(digest) = self.sightings.named(&path).map_err(failed)? else { break };
                    let is_known = in_place && seen.digest == Some(digest);
                    if !is_known && !seen.rejected.contains(&digest) {
                        let location = path.display().to_string();
                        pending.push(Package { name, location, digest: Some(digest), bytes, since: None });
                    }
                }
                Look::Waiting => break,
                Look::Differs(why) if pending.is_empty() => return Err(failed(because(why))),
                Look::Differs(_) => break,
            }
        }
        Ok(pending)
    }

    fn pull(&self, package: &Package, intake: &mut RosterIntake) -> Result<Read, SourceError> {
        let path = self.path_of(package);
        let mapping = &self.settings.mapping;
        let mode = if self.settings.feed == FeedKind::Full { Mode::Full } else { Mode::Changes };
        let today = mapping.calendar.day_of(self.pace.now());
        let columns = HrColumns::of(mapping);
        self.check_unchanged(&path, package)?;
        intake.call_file(FILE, &package.name);
        let mut feed = HrFeed::new(mapping, FILE, mode, today, intake);
        self.walk(&path, &package.name, &columns, &mut |_, row| {
            if let Ok(cells) = row {
                feed.survey(cells);
            }
        })?;
        // All of it was seen, and it is whole: from here on it is used.
        feed.people();
        self.walk(&path, &package.name, &columns, &mut |line, row| match row {
            Ok(cells) => feed.person(line, cells),
            Err(Wrong { rule, detail }) => feed.broken(line, rule, "", detail),
        })?;
        feed.finish();
        self.check_unchanged(&path, package)?;
        Ok(Read::default())
    }

    fn is_incremental(&self, _: &Package) -> Result<bool, SourceError> {
        Ok(self.settings.feed == FeedKind::Changes)
    }

    fn file(&self, package: &Package) -> Option<PathBuf> {
        Some(self.path_of(package))
    }

    fn check(&self) -> Result<String, SourceError> {
        /// So much of a file is looked at, in bytes.
        const HEAD_BYTES: u64 = 64 << 10;
        let place = self.settings.path.display();
        let Some((name, path)) = self.candidates()?.pop() else {
            return Ok(format!("{place}: reachable, no file there yet"));
        };
        let mut head = Vec::new();
        let read = File::open(&path).and_then(|file| io::Read::read_to_end(&mut io::Read::take(file, HEAD_BYTES), &mut head));
        read.map_err(|cause| unreachable(path.display().to_string(), cause))?;
        Ok(format!("{place}: newest file {name}, {}", self.look(&name, &head)?))
    }
}

impl Reader for DelimitedSource {
    fn look(&self, name: &str, head: &[u8]) -> Result<String, SourceError> {
        let columns = HrColumns::of(&self.settings.mapping);
        let width = look(head, &self.settings, name, &columns).map_err(|stop| stopped(stop, Path::new(name), name))?;
        Ok(format!("{width} columns, among them all {} that are configured", columns.names().len()))
    }
}
