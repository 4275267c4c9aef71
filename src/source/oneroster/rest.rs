//! A whole pull: all collections to the shelf, then all rows to the intake.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::base::{Digest, Digester, Instant};
use crate::roster::{Collection, Finding, Level, Mode, Room, RosterIntake};
use crate::source::api::{Read, SourceError};
use crate::source::aside::Aside;
use crate::source::http::{Authorize, Http, HttpError, Network};
use crate::source::oneroster::endpoint::Endpoint;
use crate::source::oneroster::feed::Feed;
use crate::source::oneroster::fetch::{Fetch, REVISION, Stop, Stored, body_of, keys, url};
use crate::source::oneroster::settings::{ReadSettings, RestVersion};
use crate::source::shelf::{PageStore, Shelf};
use crate::telemetry::PullRead;

/// How often a pull starts over because the data set was exchanged under it (classlink §4).
const TRIES_MAX: u32 = 3;

/// Where a provider is and how to sign in there.
pub struct Address {
    /// The service root.
    pub root: String,
    /// How to sign in.
    pub auth: Arc<dyn Authorize>,
}

/// What a probe or a pull found out, beside rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The revision of the data set, where the provider tells it.
    pub revision: Option<String>,
}

/// The beginning of every pull on the shelf: pages below another one are not used.
#[derive(Serialize, Deserialize)]
struct Beginning {
    terms: [u8; 32],
    began: i64,
}

/// Reads OneRoster providers, one pull at a time.
pub(crate) struct Rest {
    pub(crate) pull: String,
    pub(crate) version: RestVersion,
    pub(crate) settings: ReadSettings,
    pub(crate) network: Network,
    pub(crate) pages: Arc<dyn PageStore>,
    /// The last pull was read to its end.
    complete: AtomicBool,
    /// What it left, and the shelf where it lies.
    left: Mutex<Option<(Left, Aside)>>,
}

/// Collections on the shelf that are proven complete.
struct Left {
    root: String,
    stored: Vec<Stored>,
    partly: bool,
}

/// What is told of a provider that masks e-mail addresses.
const MASKED: &str =
    "the provider masks e-mail addresses: they are left out, since one that is not real might be somebody else's";

/// A cursor that is a revision begins like this, …
const BY_REVISION: &str = "revision ";
/// … and one that is a moment like this.
const BY_TIME: &str = "changed since ";

impl Rest {
    pub(crate) fn new(
        pull: String,
        version: RestVersion,
        settings: ReadSettings,
        network: &Network,
        pages: Arc<dyn PageStore>,
    ) -> Self {
        Self {
            pull,
            version,
            settings,
            network: network.clone(),
            pages,
            complete: AtomicBool::new(false),
            left: Mutex::default(),
        }
    }

    /// The revision in a cursor.
    pub(crate) fn revision_of(cursor: &str) -> Option<&str> {
        cursor.strip_prefix(BY_REVISION)
    }

    /// The moment in a cursor, if changes are to be asked for.
    pub(crate) fn moment_of<'c>(&self, cursor: &'c str) -> Option<&'c str> {
        cursor.strip_prefix(BY_TIME).filter(|_| self.settings.delta)
    }

    pub(crate) fn http(&self, at: &Address) -> Result<Http, SourceError> {
        let upstream = || at.root.clone();
        Http::new(&self.network, &at.root, &self.settings.http).map_err(|cause| failed("the address", upstream(), cause))
    }

    /// Asks for one record: is anybody there, and which revision is it?
    pub(crate) fn probe(&self, at: &Address) -> Result<Fetched, SourceError> {
        let http = self.http(at)?;
        let asked = url(http.base(), Endpoint::Orgs, 0, 1, None, &self.settings);
        let answer = http.get(&*at.auth, |_| asked.clone()).map_err(|cause| failed("orgs", at.root.clone(), cause))?;
        let mut rows = 0u32;
        let text = answer.text().map_err(|cause| failed("orgs", at.root.clone(), cause))?;
        let found =
            crate::source::oneroster::page::each_record(text, Endpoint::Orgs.word(), &mut |_: serde::de::IgnoredAny| {
                rows += 1;
            });
        match found {
            Ok(true) if rows > 0 => Ok(Fetched { revision: answer.header(REVISION).map(str::to_owned) }),
            Ok(true) => Err(unusable(&at.root, "it has no orgs".to_owned())),
            Ok(false) => Err(unusable(&at.root, "it answered with success and something else instead of orgs".to_owned())),
            Err(error) => Err(failed("orgs", at.root.clone(), answer.broken_json(&error))),
        }
    }

    /// Reads everything, or what changed since a moment, and hands it on when all of it is proven complete.
    pub(crate) fn pull(&self, at: &Address, since: Option<&str>, intake: &mut RosterIntake) -> Result<Read, SourceError> {
        self.complete.store(false, Ordering::SeqCst);
        *self.left() = None;
        let http = self.http(at)?;
        let mut shelf = Aside::of(self.pages.shelf(&self.pull));
        let mut since = since;
        for _ in 0..TRIES_MAX {
            match self.fetch(&http, at, since, &mut shelf) {
                Ok((began, stored, fetched)) => {
                    let cursor = match (&fetched.revision, self.settings.delta) {
                        (Some(revision), _) => Some(format!("{BY_REVISION}{revision}")),
                        (None, true) => {
                            let overlap = i64::from(self.settings.delta_overlap_minutes) * 60_000;
                            Some(format!("{BY_TIME}{}", began.plus_millis(-overlap)))
                        }
                        (None, false) => None,
                    };
                    let left = Left { root: at.root.clone(), stored, partly: since.is_some() };
                    self.feed(&left, &mut shelf, intake)?;
                    self.complete.store(true, Ordering::SeqCst);
                    let stored = &left.stored;
                    let told = stored.iter().any(|stored| stored.masked).then(|| MASKED.to_owned()).into_iter().collect();
                    let read = Read { cursor, partly: left.partly, told, ..Read::default() };
                    *self.left() = Some((left, shelf));
                    return Ok(read);
                }
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Moved) => shelf.cut(0),
                Err(Stop::NoChanges) => {
                    since = None;
                    shelf.cut(0);
                    intake.warn(Finding {
                        level: Level::Warning,
                        rule: "delta_refused",
                        file: String::new(),
                        row: 0,
                        record: String::new(),
                        field: "dateLastModified".to_owned(),
                        detail: "the provider does not answer questions for changes; everything was read".to_owned(),
                    });
                }
            }
        }
        Err(unusable(&at.root, format!("its data set was exchanged while it was read, {TRIES_MAX} times in a row")))
    }

    /// Whole at every moment.
    fn left(&self) -> MutexGuard<'_, Option<(Left, Aside)>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room outside memory.
    pub(crate) fn room(&self) -> Option<Arc<dyn Room>> {
        self.pages.room()
    }

    /// Hands the rows of the last pull on once more.
    pub(crate) fn feed_again(&self, intake: &mut RosterIntake) -> Option<Result<(), SourceError>> {
        self.left().as_mut().map(|(left, shelf)| self.feed(left, shelf, intake))
    }

    /// The run that pulled is over.
    pub(crate) fn done(&self) {
        *self.left() = None;
        if self.complete.swap(false, Ordering::SeqCst) {
            self.pages.shelf(&self.pull).cut(0);
        }
    }

    fn terms(&self, at: &Address, since: Option<&str>) -> Digest {
        let mut digester = Digester::new("oneroster rest pull");
        let ReadSettings { sort, fields, keep_metadata, .. } = &self.settings;
        digester.field(at.root.as_bytes()).field(since.unwrap_or_default().as_bytes());
        digester.field(format!("{:?} {sort} {fields} {keep_metadata:?}", self.version).as_bytes());
        digester.finish()
    }

    fn fetch(
        &self,
        http: &Http,
        at: &Address,
        since: Option<&str>,
        shelf: &mut Aside,
    ) -> Result<(Instant, Vec<Stored>, Fetched), Stop> {
        let now = self.network.pace().now();
        let terms = self.terms(at, since);
        let kept: Option<Beginning> = shelf.page(0).and_then(|page| postcard::from_bytes(&page).ok());
        let young = |began: i64| (0..=i64::from(self.settings.resume_minutes) * 60_000).contains(&(now.0 - began));
        let kept = kept.filter(|kept| kept.terms == terms.0 && young(kept.began));
        let began = match &kept {
            Some(kept) => Instant(kept.began),
            None => {
                shelf.cut(0);
                let beginning = postcard::to_stdvec(&Beginning { terms: terms.0, began: now.0 }).unwrap_or_default();
                shelf.put(0, &beginning).map_err(|full| Stop::Failed(full.into_error(&at.root)))?;
                now
            }
        };
        let mut fetch = Fetch {
            http,
            auth: &*at.auth,
            settings: &self.settings,
            shelf,
            keys: Arc::new(keys(&self.settings)),
            number: 1,
            resumes: kept.is_some(),
            again: None,
            revision: None,
            requests: 0,
            limit: self.settings.page_rows,
            room: self.pages.room(),
        };
        let stored = Endpoint::ALL.iter().map(|endpoint| fetch.collection(*endpoint, since)).collect::<Result<Vec<_>, _>>()?;
        fetch.settle()?;
        let (pages, requests, revision) = (fetch.number - 1, fetch.requests, fetch.revision);
        let rows = stored.iter().map(|stored| stored.rows).sum();
        let resumed = pages.saturating_sub(requests);
        PullRead { pull: &self.pull, rows, requests, resumed, partly: since.is_some() }.emit();
        Ok((began, stored, Fetched { revision }))
    }

    fn feed(&self, left: &Left, shelf: &mut dyn Shelf, intake: &mut RosterIntake) -> Result<(), SourceError> {
        let Left { root, stored, partly } = left;
        let mode = if *partly { Mode::Changes } else { Mode::Full };
        let mut feed = Feed::new(&self.settings, self.version, mode, intake);
        feed.leaves_mail_out = stored.iter().any(|stored| stored.masked);
        for stored in stored {
            let users = stored.endpoint == Endpoint::Users;
            let roles = users && self.version == RestVersion::V1_2;
            let collections = [Some(stored.endpoint.collection()), roles.then_some(Collection::Roles)];
            for collection in collections.into_iter().flatten() {
                feed.begin(collection);
                for number in stored.pages.clone() {
                    let body = shelf.page(number).and_then(|page| body_of(&page));
                    let whole = body.is_some_and(|body| feed.page(stored.endpoint, collection, &body).is_ok());
                    if !whole {
                        shelf.cut(0);
                        let why = "pages of it that were kept while it was read are lost; the next run reads them again";
                        return Err(unusable(root, why.to_owned()));
                    }
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn failed(what: &'static str, upstream: String, cause: HttpError) -> SourceError {
    SourceError::Upstream { what, upstream, cause: Box::new(cause) }
}

fn unusable(root: &str, why: String) -> SourceError {
    SourceError::Unusable { upstream: root.to_owned(), why }
}
