//! Files of an SFTP server to this machine: with repeats, from where a broken-off one stopped, and only if they are whole.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::sync::Arc;
use std::time::Duration;

use crate::source::api::SourceError;
use crate::source::fault::{because, unreachable};
use crate::source::fetch::listing::{Candidate, HEAD_BYTES, Listing, companion_names};
use crate::source::fetch::settings::{FetchSettings, SftpSettings};
use crate::source::fetch::sftp::{Listed, Session, SftpError};
use crate::source::http::{Exchange, Network, Outcome, Upstream};
use crate::source::retry::{Next, Retry};

/// One errand to a server.
pub(crate) struct Transfer<'s> {
    settings: &'s FetchSettings,
    sftp: &'s SftpSettings,
    network: &'s Network,
    upstream: Arc<Upstream>,
    session: Option<Session<'s>>,
}

impl<'s> Transfer<'s> {
    pub(crate) fn new(settings: &'s FetchSettings, sftp: &'s SftpSettings, network: &'s Network) -> Self {
        let upstream = network.upstream(&sftp.at.origin());
        upstream.limit(settings.http.parallel_max, settings.http.per_second_max);
        Self { settings, sftp, network, upstream, session: None }
    }

    /// The files that are there: all of the folder, or the one and what may lie beside it.
    pub(crate) fn list(&mut self) -> Result<Listing, SourceError> {
        let path = self.sftp.at.path.clone();
        if self.settings.pattern.is_some() {
            return self.try_often(&path, &mut |session| session.list(&path)).map(Listing::new);
        }
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let mut files = vec![self.try_often(&path, &mut |session| session.look(&path, &name))?];
        for ending in self.settings.companions.iter().map(String::as_str).chain(["done"]) {
            for beside in companion_names(&name, ending) {
                let at = self.path_of(&beside);
                files.extend(self.try_often(&at, &mut |session| match session.look(&at, &beside) {
                    Err(SftpError::Missing | SftpError::Forbidden) => Ok(None),
                    looked => looked.map(Some),
                })?);
            }
        }
        Ok(Listing::new(files))
    }

    fn path_of(&self, name: &str) -> String {
        let path = &self.sftp.at.path;
        if self.settings.pattern.is_some() {
            return format!("{}/{name}", path.trim_end_matches('/'));
        }
        path.rsplit_once('/').map_or_else(|| name.to_owned(), |(folder, _)| format!("{folder}/{name}"))
    }

    /// Waits until a file is at rest; one that has a marker, or has not changed for long enough, is.
    pub(crate) fn rest(&mut self, listing: &Listing, candidate: &Candidate) -> Result<(), SourceError> {
        let file = &candidate.file;
        let at = self.path_of(&file.name);
        let on_its_way = |why: &str| Err(unreachable(self.sftp.at.shown(), because(format!("{} {why}", file.name))));
        if listing.companion(&file.name, "done").is_some() {
            return Ok(());
        }
        if self.settings.marker {
            return on_its_way("has no `.done` beside it yet: it is still on its way, or whoever sends it gave up");
        }
        let pace = self.network.pace();
        let age = (pace.now().0 / 1000).saturating_sub(file.modified);
        let settle = self.settings.settle;
        // A time to come says that the server's clock is ahead of ours, and nothing of the file.
        if age >= i64::try_from(settle.as_secs()).unwrap_or(i64::MAX) || settle == Duration::ZERO {
            return Ok(());
        }
        pace.wait(settle);
        let now = self.try_often(&at, &mut |session| session.look(&at, &file.name))?;
        if now == *file { Ok(()) } else { Err(changed(self.sftp, file, "is still being written")) }
    }

    /// Fetches a file of exactly the length and time of change that were listed.
    pub(crate) fn fetch(&mut self, file: &Listed, into: &mut File) -> Result<(), SourceError> {
        if file.length > self.settings.file_bytes_max {
            let max = self.settings.file_bytes_max;
            let why = format!("{} has {} bytes, more than max_mib allows ({max})", file.name, file.length);
            return Err(unreachable(self.sftp.at.shown(), because(why)));
        }
        let path = self.path_of(&file.name);
        let began = self.network.pace().now();
        let mut kept = 0u64;
        let read = self.try_often(&path, &mut |session| {
            // What was kept of a try that broke off is of the same file as long as the file is the same.
            if session.look(&path, &file.name)? != *file {
                return Ok(false);
            }
            into.seek(io::SeekFrom::Start(kept)).map_err(SftpError::Unwritten)?;
            let ends = session.read(&path, (kept, file.length), &mut |bytes| {
                into.write_all(bytes)?;
                kept += bytes.len() as u64;
                Ok(())
            })?;
            Ok(ends && session.look(&path, &file.name)? == *file)
        });
        if let Some(recorder) = self.network.recorder() {
            let error = read.as_ref().err().map(|error| crate::base::ErrorChain(error).to_string());
            let ended = self.network.pace().now();
            recorder.saw(&Exchange { method: "SFTP", began, ended, error, ..Exchange::of(&path) });
        }
        if read? { Ok(()) } else { Err(changed(self.sftp, file, "changed while it was read")) }
    }

    /// The beginning of a file.
    pub(crate) fn head(&mut self, file: &Listed) -> Result<Vec<u8>, SourceError> {
        let path = self.path_of(&file.name);
        let length = file.length.min(HEAD_BYTES);
        self.try_often(&path, &mut |session| {
            let mut head = Vec::new();
            session.read(&path, (0, length), &mut |bytes| {
                head.extend_from_slice(bytes);
                Ok(())
            })?;
            Ok(head)
        })
    }

    /// Tries something until it succeeds or it is clear that it will not; with a new connection after each failure.
    fn try_often<T>(
        &mut self,
        path: &str,
        steps: &mut dyn FnMut(&Session<'s>) -> Result<T, SftpError>,
    ) -> Result<T, SourceError> {
        let pace = self.network.pace();
        let what = format!("{}{}{path}", self.sftp.at.origin(), if path.starts_with('/') { "" } else { "/~/" });
        let manners = self.network.manners();
        let is_own = self.upstream.admit(manners).map_err(|cause| unreachable(what.clone(), io::Error::other(cause)))?;
        let mut retry = Retry::new(self.settings.http.retry);
        let done = loop {
            let error = match self.once(steps) {
                Ok(done) => break Ok(done),
                Err(error) => error,
            };
            self.session = None;
            if !error.passes() {
                break Err(error);
            }
            match retry.next(None) {
                Next::After(pause) => pace.wait(pause),
                Next::Enough | Next::TooLong(_) => break Err(error),
            }
        };
        let outcome = match &done {
            Err(error) if error.passes() => Outcome::Trouble(error),
            Err(SftpError::Secret(_) | SftpError::Key | SftpError::Unwritten(_)) => Outcome::NotAsked,
            Ok(_) | Err(_) => Outcome::Answered,
        };
        if is_own {
            self.upstream.report(&outcome, manners);
        }
        done.map_err(|cause| unreachable(what, io::Error::other(cause)))
    }

    fn once<T>(&mut self, steps: &mut dyn FnMut(&Session<'s>) -> Result<T, SftpError>) -> Result<T, SftpError> {
        let _pass = self.upstream.enter(self.network.manners());
        if self.session.is_none() {
            let runtime = self.network.runtime().map_err(SftpError::Unwritten)?;
            self.session = Some(Session::open(runtime, self.sftp, self.settings.http.read)?);
        }
        match &self.session {
            Some(session) => steps(session),
            None => Err(SftpError::Missing),
        }
    }
}

fn changed(sftp: &SftpSettings, file: &Listed, how: &str) -> SourceError {
    unreachable(sftp.at.shown(), because(format!("{} {how}; the next run looks at it again", file.name)))
}
