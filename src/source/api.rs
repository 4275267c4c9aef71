//! What a source is: it hands rows to an intake and says what it read.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::{Digest, Instant, SourceId};
use crate::roster::{Finding, Level, News, Room, RosterIntake, Trace};
use crate::source::http::{HttpError, Outage};

/// One configured roster feed. Blocking: the service calls it off the async threads.
pub trait RosterSource: Send + Sync {
    /// Its id.
    fn id(&self) -> &SourceId;

    /// What there is to read that was not read before, oldest first. Cheap: no rows are parsed, digests may be taken.
    ///
    /// # Errors
    /// [`SourceError`] when the source cannot be reached.
    fn pending(&self, seen: &Seen) -> Result<Vec<Package>, SourceError>;

    /// A package with its digest, if it came without; that of bytes that were read needs no second look at them.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`] if it is not the package any more that was found.
    fn named(&self, package: Package) -> Result<Package, SourceError> {
        Ok(package)
    }

    /// Reads one package to its end into `intake`.
    ///
    /// # Errors
    /// [`SourceError::Rejected`] when the package as a whole cannot be trusted: nothing of it is applied (R103).
    fn pull(&self, package: &Package, intake: &mut RosterIntake) -> Result<Read, SourceError>;

    /// Begins to read of a package only what the read that left `known` did not say; `None` where it has to be read whole,
    /// which tells whatever is wrong with it.
    fn reread<'r>(&'r self, _package: &'r Package, _known: &'r Trace) -> Option<Box<dyn Reread + 'r>> {
        None
    }

    /// Hands the rows of the last pull on once more, out of what was kept of it, without asking anybody; `None` where
    /// nothing is kept. Only while that pull was not yet [done](RosterSource::done).
    fn feed_again(&self, _intake: &mut RosterIntake) -> Option<Result<(), SourceError>> {
        None
    }

    /// Whether it can.
    fn feeds_again(&self) -> bool {
        false
    }

    /// Room outside memory for what a pull has millions of, if there is any.
    fn room(&self) -> Option<Arc<dyn Room>> {
        None
    }

    /// Whether a pull asks somebody who knows how things are now. What such a source says again is said anew; a file that
    /// lies there again says nothing (R131).
    fn is_live(&self) -> bool {
        false
    }

    /// Whether [`RosterSource::pending`] already asks another machine, so that it is not done for a mere look.
    fn is_far(&self) -> bool {
        self.is_live()
    }

    /// Whether more may wait behind a package that was read: not where a pull tells everything at once, and not where
    /// another machine has one file that is replaced in place.
    fn may_have_more(&self) -> bool {
        !self.is_live()
    }

    /// What keeps the source from being read, as far as it is known without asking; `None`: nothing.
    fn trouble(&self) -> Option<Trouble> {
        None
    }

    /// What makes many people come or go at once at this kind of source, beside those who come and go; a sentence.
    fn hint(&self) -> Option<&'static str> {
        None
    }

    /// Whoever pulled, or looked, is done: what was kept of a pull that was read to its end is not needed any more.
    fn done(&self) {}

    /// The file of a package on this machine, while it is there.
    fn file(&self, _package: &Package) -> Option<PathBuf> {
        None
    }

    /// Whether `package` needs the stored roster of this source to build on (a file of changes).
    ///
    /// # Errors
    /// As [`RosterSource::pull`].
    fn is_incremental(&self, package: &Package) -> Result<bool, SourceError>;

    /// Says whether the source can be reached and looks sane, for `rosterd check`: one line when it does.
    ///
    /// # Errors
    /// [`SourceError`] with what to do.
    fn check(&self) -> Result<String, SourceError>;
}

/// A package that is read beside what is known.
pub trait Reread {
    /// Looks for what is new in it; `false` if it has to be read whole.
    fn look(&mut self) -> bool;

    /// What is new in it, once it was looked for.
    fn news(&self) -> &News;

    /// Hands the rows that tell of people of whom something is new to an intake, as changes. `None` if they cannot be read to
    /// their end.
    fn feed(self: Box<Self>, intake: &mut RosterIntake) -> Option<News>;
}

/// What was taken in from this source before.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Name of the newest package taken in: older names are not offered again.
    pub newest: Option<String>,
    /// Digest of the newest package taken in.
    pub digest: Option<Digest>,
    /// How many bytes it had: a folder of another length, where none was rejected, is offered without a digest, which
    /// [`RosterSource::named`] tells once it was read. `None`: all are offered with theirs.
    pub bytes: Option<u64>,
    /// Digests of packages that were rejected: they are not tried again until they change.
    pub rejected: Vec<Digest>,
    /// Where the last pull ended that was taken in: a live source may read on from there. `None`: everything is to be read
    /// (R106).
    pub cursor: Option<String>,
    /// Now, where the caller's clock is the machine's: what did not change for long enough before it need not be looked
    /// at twice. `None`: only what was seen between two looks counts.
    pub now: Option<Instant>,
}

/// Something that can be pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// A name for people; sorts by age within the source.
    pub name: String,
    /// Where it lies (a path or an address).
    pub location: String,
    /// Digest of its bytes; `None` if only reading tells: of a source that is asked, the roster that was read is its name.
    pub digest: Option<Digest>,
    /// How many bytes it has; 0 where that is not known.
    pub bytes: u64,
    /// Only what changed since this cursor is read; `None`: everything.
    pub since: Option<String>,
}

impl Package {
    /// Its digest; before it has one that of nothing, which no package has.
    pub fn told(&self) -> Digest {
        self.digest.unwrap_or_default()
    }

    /// The same with a digest, if it had none.
    #[must_use]
    pub fn named_by(self, digest: impl FnOnce() -> Digest) -> Self {
        Self { digest: Some(self.digest.unwrap_or_else(digest)), ..self }
    }
}

/// What a pull that came to its end says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Where the next pull may start; `None`: at the beginning.
    pub cursor: Option<String>,
    /// Only changes were read.
    pub partly: bool,
    /// What the upstream says of itself that an operator should know, in a few words each.
    pub told: Vec<String>,
    /// What it means if anything is not as it was last time; empty: nothing special.
    pub told_of_news: String,
}

/// What keeps a source from being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Its upstream failed again and again and is left alone for some time.
    Down(Outage),
    /// The customer, or the vendor in its name, does not let us read any more; says how that shows.
    Disconnected(String),
}

/// Why a source could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Not there, not readable, not complete yet.
    #[error("reach {what}")]
    Unreachable {
        /// What.
        what: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A request to the upstream came to nothing.
    #[error("read {what} of {upstream}")]
    Upstream {
        /// What was asked for, such as `users`.
        what: &'static str,
        /// Of whom.
        upstream: String,
        /// Why.
        #[source]
        cause: Box<HttpError>,
    },
    /// We are not let in any more: the customer or the vendor has withdrawn what it takes. Nobody is gone by that.
    #[error("read {upstream}: {why}")]
    Disconnected {
        /// Who.
        upstream: String,
        /// How that shows, and what to do.
        why: String,
    },
    /// The upstream answered, and what it said cannot be complete or cannot be used: nothing of it is (R103).
    #[error("use what {upstream} says: {why}")]
    Unusable {
        /// Who.
        upstream: String,
        /// What is wrong, and what to do where that is known.
        why: String,
    },
    /// The package as a whole cannot be trusted. Each finding says what and where.
    #[error("accept package {package}: {}", first(.findings))]
    Rejected {
        /// Its name.
        package: String,
        /// At least one, of level package or file.
        findings: Vec<Finding>,
    },
}

impl SourceError {
    /// A file of changes came before anything it could change.
    pub fn needs_full(package: &Package) -> Self {
        SourceError::Rejected {
            package: package.name.clone(),
            findings: vec![Finding {
                level: Level::Package,
                rule: "required_file_missing",
                file: String::new(),
                row: 0,
                record: String::new(),
                field: String::new(),
                detail: "the first package of a source must be complete: every rostering file as bulk".to_owned(),
            }],
        }
    }
}

fn first(findings: &[Finding]) -> String {
    match findings {
        [] => "it was rejected".to_owned(),
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    }
}
