//! Whether a package is complete: it may still be on its way when it is first seen (oneroster-csv §1).
//!
//! Without a companion, a package is complete when names, lengths and times of change of its files were the same at two
//! looks far enough apart, or when its inodes last changed so long before the caller's now: a process that just started
//! need not wait. Times of modification do not count for that, because copying tools set them back.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::base::Digest;
use crate::source::csv::digest::digest_of;
use crate::source::csv::package::is_ignored;

/// Name, length, and time of the last change of each file.
type Stamp = Vec<(PathBuf, u64, (i64, i64))>;

struct Sighting {
    stamp: Stamp,
    since: Instant,
    digest: Option<Digest>,
}

/// What one look at a package came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It is complete, and has so many bytes.
    Complete(u64),
    /// It may still change.
    Waiting,
    /// Its companion `.sha256` says that it is not, or not yet, what was sent.
    Differs(String),
}

/// What was seen at earlier looks.
#[derive(Default)]
pub(crate) struct Sightings(Mutex<BTreeMap<PathBuf, Sighting>>);

impl Sightings {
    /// Looks at a package.
    pub(crate) fn look(&self, path: &Path, settle_secs: u64, now: Option<crate::base::Instant>) -> io::Result<Look> {
        let stamp = stamp_of(path)?;
        let bytes = stamp.iter().map(|(_, length, _)| length).sum();
        let is_settled = {
            let mut seen = self.lock();
            let sighting = seen.entry(path.to_owned()).or_insert_with(|| Sighting::new(stamp.clone()));
            if sighting.stamp != stamp {
                *sighting = Sighting::new(stamp.clone());
            }
            sighting.since.elapsed() >= Duration::from_secs(settle_secs)
        };
        let is_settled = is_settled || rests(path, settle_secs, now)?;
        let mut told = None;
        // Of a folder, nobody can say which bytes such a digest would be taken over.
        for companion in companions(path, "sha256").iter().filter(|_| !path.is_dir()) {
            match fs::read_to_string(companion) {
                Ok(text) => told = Some(text),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(text) = told {
            let word = text.split_whitespace().next().unwrap_or_default();
            let Some(expected) = Digest::parse(word) else {
                return Ok(Look::Differs("its `.sha256` does not start with 64 hex digits".to_owned()));
            };
            return Ok(match self.digest(path, &stamp)? {
                Some(digest) if digest == expected => Look::Complete(bytes),
                Some(_) => Look::Differs("its SHA-256 is not the one in its `.sha256`: it is incomplete or damaged".to_owned()),
                None => Look::Waiting,
            });
        }
        let is_done = companions(path, "done").iter().any(|companion| companion.exists());
        if !is_settled && !is_done {
            return Ok(Look::Waiting);
        }
        Ok(Look::Complete(bytes))
    }

    /// The digest of a package that was seen complete; `None` if it changed since.
    pub(crate) fn named(&self, path: &Path) -> io::Result<Option<Digest>> {
        let stamp = stamp_of(path)?;
        if self.is_seen(path, &stamp) { self.digest(path, &stamp) } else { Ok(None) }
    }

    /// Notes the digest of a package that was seen complete, from bytes that were read meanwhile; not if it changed since.
    pub(crate) fn note(&self, path: &Path, digest: Digest) -> io::Result<()> {
        let stamp = stamp_of(path)?;
        if let Some(sighting) = self.lock().get_mut(path).filter(|sighting| sighting.stamp == stamp) {
            sighting.digest = Some(digest);
        }
        Ok(())
    }

    /// Whether the package still has these bytes; of one without a digest, whether it is as it was seen.
    pub(crate) fn is_still(&self, path: &Path, digest: Option<Digest>) -> io::Result<bool> {
        let stamp = stamp_of(path)?;
        Ok(match digest {
            Some(_) => self.digest(path, &stamp)? == digest,
            None => self.is_seen(path, &stamp),
        })
    }

    fn is_seen(&self, path: &Path, stamp: &Stamp) -> bool {
        self.lock().get(path).is_some_and(|sighting| sighting.stamp == *stamp)
    }

    /// Forgets all but these packages.
    pub(crate) fn keep_only(&self, paths: &[PathBuf]) {
        self.lock().retain(|path, _| paths.contains(path));
    }

    /// The digest of a package that was seen with this stamp; `None` if it changed while it was taken.
    fn digest(&self, path: &Path, stamp: &Stamp) -> io::Result<Option<Digest>> {
        if let Some(sighting) = self.lock().get(path)
            && sighting.stamp == *stamp
            && let Some(digest) = sighting.digest
        {
            return Ok(Some(digest));
        }
        let digest = digest_of(path)?;
        if stamp_of(path)? != *stamp {
            return Ok(None);
        }
        let mut seen = self.lock();
        let sighting = seen.entry(path.to_owned()).or_insert_with(|| Sighting::new(stamp.clone()));
        if sighting.stamp != *stamp {
            *sighting = Sighting::new(stamp.clone());
        }
        sighting.digest = Some(digest);
        Ok(Some(digest))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Sighting>> {
        // Each change leaves the map whole, so a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sighting {
    fn new(stamp: Stamp) -> Self {
        Self { stamp, since: Instant::now(), digest: None }
    }
}

/// Where a companion of a package may lie: beside it, with its ending added or exchanged.
fn companions(path: &Path, ending: &str) -> [PathBuf; 2] {
    let mut added = path.as_os_str().to_owned();
    added.push(".");
    added.push(ending);
    let exchanged = if path.is_dir() { added.clone().into() } else { path.with_extension(ending) };
    [added.into(), exchanged]
}

/// Whether nothing of a package changed, not even its inodes, for so long before `now`.
fn rests(path: &Path, settle_secs: u64, now: Option<crate::base::Instant>) -> io::Result<bool> {
    let Some(now) = now else { return Ok(false) };
    let metadata = fs::metadata(path)?;
    let mut changed = metadata.ctime();
    if metadata.is_dir() {
        for listed in fs::read_dir(path)? {
            changed = changed.max(fs::symlink_metadata(listed?.path())?.ctime());
        }
    }
    let settle_secs = i64::try_from(settle_secs).unwrap_or(i64::MAX);
    Ok(changed.saturating_add(settle_secs) < now.0 / 1000)
}

fn stamp_of(path: &Path) -> io::Result<Stamp> {
    let metadata = fs::metadata(path)?;
    let one = |metadata: &fs::Metadata| (metadata.len(), (metadata.mtime(), metadata.mtime_nsec()));
    if !metadata.is_dir() {
        let (length, changed) = one(&metadata);
        return Ok(vec![(PathBuf::new(), length, changed)]);
    }
    let mut stamp = Stamp::new();
    for listed in fs::read_dir(path)? {
        let listed = listed?;
        if !is_ignored(&listed.file_name().to_string_lossy()) {
            let (length, changed) = one(&fs::symlink_metadata(listed.path())?);
            stamp.push((listed.file_name().into(), length, changed));
        }
    }
    stamp.sort();
    Ok(stamp)
}
