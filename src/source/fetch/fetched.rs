//! A source whose files are fetched first: then they lie in a folder of this machine, and whatever reads folders reads them.
//!
//! One file at a time is fetched: the next one that the books do not know. It is used only if it is whole: as long as the
//! server said, the same before and after it was read, and at rest. What was known before, by length and time of change or by
//! the server's entity tag, is not fetched again.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::{Digest, SourceId};
use crate::roster::RosterIntake;
use crate::source::api::{Package, Read, RosterSource, Seen, SourceError, Trouble};
use crate::source::fault::unreachable;
use crate::source::fetch::https::{Asked, ask, peek};
use crate::source::fetch::known::{Known, Marks};
use crate::source::fetch::listing::{Candidate, Listing, choose};
use crate::source::fetch::settings::{FetchSettings, Place, SftpSettings};
use crate::source::fetch::transfer::Transfer;
use crate::source::fetch::work::Work;
use crate::source::http::Network;
use crate::telemetry::FileFetched;

/// What reads the files, once they are here.
pub(crate) trait Reader: RosterSource {
    /// Looks at the beginning of a file, for `rosterd check`: what it seems to be.
    ///
    /// # Errors
    /// Why it cannot be what is read here.
    fn look(&self, name: &str, head: &[u8]) -> Result<String, SourceError>;
}

/// See the module.
pub(crate) struct Fetched<R> {
    settings: FetchSettings,
    network: Network,
    reader: R,
    work: Work,
    known: Known,
    /// The marks of the file that lies in the folder now.
    here: Mutex<Option<Marks>>,
}

impl<R: Reader> Fetched<R> {
    /// Reads the files of `settings` with what `reader` makes for a path on this machine: a folder of files whose names sort
    /// by age, or one file.
    pub(crate) fn new(settings: FetchSettings, network: &Network, reader: impl FnOnce(PathBuf) -> R) -> Self {
        let work = Work::below(&settings.work);
        let path = match &settings.pattern {
            Some(_) => work.folder().to_owned(),
            None => work.folder().join(settings.file_name()),
        };
        let known = Known::of(&settings);
        Self { reader: reader(path), network: network.clone(), work, known, here: Mutex::default(), settings }
    }

    fn here(&self) -> MutexGuard<'_, Option<Marks>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file of this name in the folder, empty, and nothing else there.
    fn empty(&self, name: &str) -> Result<File, SourceError> {
        let at = self.work.folder().join(name);
        *self.here() = None;
        let made = self.work.open().and_then(|()| {
            for entry in fs::read_dir(self.work.folder())? {
                fs::remove_file(entry?.path())?;
            }
            OpenOptions::new().create_new(true).write(true).mode(0o600).open(&at)
        });
        made.map_err(|cause| unreachable(at.display().to_string(), cause))
    }

    /// The file that lies in the folder, as the reader sees it.
    fn read(&self, marks: Marks) -> Result<Package, SourceError> {
        let location = match &self.settings.place {
            Place::Https { address, .. } => address.clone(),
            Place::Sftp(sftp) if self.settings.pattern.is_some() => format!("{}/{}", sftp.at.shown(), marks.name),
            Place::Sftp(sftp) => sftp.at.shown(),
        };
        let Some(package) = self.reader.pending(&Seen::default())?.pop() else {
            let why = format!("{} was fetched, and by its name it is nothing that is read here", marks.name);
            return Err(SourceError::Unusable { upstream: location, why });
        };
        if self.here().is_none()
            && let Some(length) = self.reader.file(&package).and_then(|file| Some(fs::metadata(file).ok()?.len()))
        {
            FileFetched { pull: &self.settings.pull, file: &marks.name, bytes: length }.emit();
        }
        self.known.remember(marks.clone(), package.told());
        *self.here() = Some(marks);
        Ok(Package { location, ..package })
    }

    /// Whether a file is of no use: the books rest on it, or it was turned away.
    fn is_old(&self, digest: Digest, seen: &Seen) -> bool {
        seen.rejected.contains(&digest) || self.settings.pattern.is_none() && seen.digest == Some(digest)
    }

    fn listed(&self, sftp: &SftpSettings, seen: &Seen) -> Result<Vec<Package>, SourceError> {
        let mut transfer = Transfer::new(&self.settings, sftp, &self.network);
        let listing = transfer.list()?;
        for candidate in choose(&self.settings, sftp, &listing, seen, &self.network)? {
            let Candidate { sorts, file } = &candidate;
            let marks = Marks { name: file.name.clone(), length: file.length, modified: file.modified, tag: None, since: None };
            if self.known.digest(&marks).is_some_and(|digest| self.is_old(digest, seen)) {
                continue;
            }
            if self.here().as_ref() != Some(&marks) {
                transfer.rest(&listing, &candidate)?;
                let mut into = self.empty(sorts)?;
                transfer.fetch(file, &mut into)?;
                self.companions(&mut transfer, &listing, &candidate)?;
            }
            let package = self.read(marks)?;
            if !self.is_old(package.told(), seen) {
                return Ok(vec![package]);
            }
        }
        Ok(Vec::new())
    }

    /// What was sent along with a file, if it was: its digest, the number of its rows.
    fn companions(&self, transfer: &mut Transfer<'_>, listing: &Listing, of: &Candidate) -> Result<(), SourceError> {
        /// No digest and no number is longer, in bytes.
        const BYTES_MAX: u64 = 4_096;
        for ending in &self.settings.companions {
            if let Some(told) = listing.companion(&of.file.name, ending).filter(|told| told.length <= BYTES_MAX) {
                let at = self.work.folder().join(format!("{}.{ending}", of.sorts));
                let mut into = File::create(&at).map_err(|cause| unreachable(at.display().to_string(), cause))?;
                transfer.fetch(told, &mut into)?;
            }
        }
        Ok(())
    }

    fn asked(&self, seen: &Seen) -> Result<Vec<Package>, SourceError> {
        let name = self.settings.file_name();
        let known = self.known.newest(&name);
        // A file is asked for on condition only where "nothing new" is all there is to say then.
        let marks = known.filter(|(_, digest)| self.is_old(*digest, seen)).map(|(marks, _)| marks);
        let mut into = self.empty(&name)?;
        match ask(&self.settings, &self.network, marks.as_ref(), &mut into)? {
            Asked::Unchanged => Ok(Vec::new()),
            Asked::Whole { tag, since } => {
                let package = self.read(Marks { name, tag, since, ..Marks::default() })?;
                Ok(Some(package).filter(|package| !self.is_old(package.told(), seen)).into_iter().collect())
            }
        }
    }
}

impl<R: Reader> RosterSource for Fetched<R> {
    fn id(&self) -> &SourceId {
        self.reader.id()
    }

    fn pending(&self, seen: &Seen) -> Result<Vec<Package>, SourceError> {
        match &self.settings.place {
            Place::Sftp(sftp) => self.listed(sftp, seen),
            Place::Https { .. } => self.asked(seen),
        }
    }

    fn is_far(&self) -> bool {
        true
    }

    fn may_have_more(&self) -> bool {
        self.settings.pattern.is_some()
    }

    fn trouble(&self) -> Option<Trouble> {
        let outage = match &self.settings.place {
            Place::Https { address, .. } => self.network.outage(address),
            Place::Sftp(sftp) => self.network.outage_of(&sftp.at.origin()),
        };
        outage.map(Trouble::Down)
    }

    fn pull(&self, package: &Package, intake: &mut RosterIntake) -> Result<Read, SourceError> {
        let partly = self.reader.is_incremental(package)?;
        Ok(Read { partly, ..self.reader.pull(package, intake)? })
    }

    fn done(&self) {
        *self.here() = None;
        self.work.clear();
    }

    fn is_incremental(&self, package: &Package) -> Result<bool, SourceError> {
        self.reader.is_incremental(package)
    }

    fn file(&self, package: &Package) -> Option<PathBuf> {
        self.reader.file(package)
    }

    fn check(&self) -> Result<String, SourceError> {
        let (place, found) = match &self.settings.place {
            Place::Https { address, .. } => {
                (address.clone(), Some((self.settings.file_name(), peek(&self.settings, &self.network)?)))
            }
            Place::Sftp(sftp) => {
                let mut transfer = Transfer::new(&self.settings, sftp, &self.network);
                let listing = transfer.list()?;
                let newest = choose(&self.settings, sftp, &listing, &Seen::default(), &self.network)?.pop();
                let head = newest.map(|newest| Ok::<_, SourceError>((newest.file.name.clone(), transfer.head(&newest.file)?)));
                (sftp.at.shown(), head.transpose()?)
            }
        };
        match found {
            Some((name, head)) => Ok(format!("{place}: newest file {name}, {}", self.reader.look(&name, &head)?)),
            None => Ok(format!("{place}: reachable, no file there yet")),
        }
    }
}

impl FetchSettings {
    /// Under which name the one file is kept.
    pub(crate) fn file_name(&self) -> String {
        let path = match &self.place {
            Place::Https { address, .. } => address,
            Place::Sftp(sftp) => &sftp.at.path,
        };
        let name: String = path.rsplit('/').next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
        if name.is_empty() || name.starts_with('.') { "file".to_owned() } else { name }
    }
}
