//! A whole pull: everything, or events, to the shelf; then all rows to the intake.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::base::{Digest, Digester, Instant};
use crate::roster::{Finding, Level, Mode, Room, RosterIntake};
use crate::source::api::{Read, SourceError};
use crate::source::aside::Aside;
use crate::source::clever::changes::{Changes, EVENTS_MAX};
use crate::source::clever::cursor::Cursor;
use crate::source::clever::district::District;
use crate::source::clever::envelope::facts;
use crate::source::clever::feed::Feed;
use crate::source::clever::fetch::{Fetch, List, Stored, failed};
use crate::source::clever::rows::{Lists, feed_rows};
use crate::source::clever::settings::CleverSettings;
use crate::source::clever::wire::{DistrictWire, Wrapped, keys};
use crate::source::http::{Authorize, Http, HttpError, Network};
use crate::source::oneroster::each_record;
use crate::source::shelf::{PageStore, Shelf};
use crate::telemetry::PullRead;

/// How often a pull starts over because Clever took in the district's data meanwhile (clever §10).
const TRIES_MAX: u32 = 3;

/// Why everything is read where Clever gives no events.
const NO_EVENTS: &str = "Clever gives no events, or none from so long ago";

/// The beginning of every pull on the shelf: pages below another one are not used.
#[derive(Clone, Serialize, Deserialize)]
struct Beginning {
    terms: [u8; 32],
    began: i64,
    sync: Option<String>,
    /// The newest event before the first page; `None`: events are not read.
    event: Option<Option<String>>,
}

/// Reads one district, one pull at a time.
pub(crate) struct Clever {
    pub(crate) settings: CleverSettings,
    network: Network,
    pages: Arc<dyn PageStore>,
    /// The last pull was read to its end.
    complete: AtomicBool,
    /// What it left if it read everything, and the shelf where it lies.
    left: Mutex<Option<(Left, Aside)>>,
}

/// Lists on the shelf that were read to their ends.
struct Left {
    stored: Vec<Stored>,
    district: District,
    /// Events were asked for, and there are none.
    lacks_events: bool,
}

/// One pull of somebody who signs in like this.
struct Pull<'a> {
    clever: &'a Clever,
    http: Http,
    auth: &'a dyn Authorize,
}

impl Clever {
    pub(crate) fn new(settings: CleverSettings, network: &Network, pages: Arc<dyn PageStore>) -> Self {
        Self { settings, network: network.clone(), pages, complete: AtomicBool::new(false), left: Mutex::default() }
    }

    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// Where the API is, with its version.
    pub(crate) fn root(&self) -> String {
        format!("{}/{}", self.settings.address.trim_end_matches('/'), self.settings.version.word())
    }

    fn begin<'a>(&'a self, auth: &'a dyn Authorize) -> Result<Pull<'a>, SourceError> {
        let http = Http::new(&self.network, &self.root(), &self.settings.http).map_err(|cause| SourceError::Upstream {
            what: "the address",
            upstream: self.root(),
            cause: Box::new(cause),
        })?;
        Ok(Pull { clever: self, http, auth })
    }

    /// How the district stands.
    pub(crate) fn district(&self, auth: &dyn Authorize) -> Result<District, SourceError> {
        self.begin(auth)?.district()
    }

    /// Reads everything, or events since a cursor. `sync` is what the district had come to at the last read.
    pub(crate) fn pull(
        &self,
        auth: &dyn Authorize,
        since: Option<&Cursor>,
        sync: Option<&str>,
        intake: &mut RosterIntake,
    ) -> Result<Read, SourceError> {
        self.complete.store(false, Ordering::SeqCst);
        *self.left() = None;
        let pull = self.begin(auth)?;
        let mut shelf = Aside::of(self.pages.shelf(&self.settings.pull));
        let district = pull.district()?;
        let told = district.told(self.network.pace().now());
        let by_events = match since {
            Some(since) => pull.events(&district, since, &mut shelf, intake)?,
            None => None,
        };
        let read = match by_events {
            Some(cursor) => Read { cursor: Some(cursor), partly: true, told, ..Read::default() },
            None => {
                let (cursor, left) = pull.everything(district, &mut shelf, intake)?;
                *self.left() = Some((left, shelf));
                let is_same = cursor.sync.is_some() && cursor.sync.as_deref() == sync;
                let news =
                    if is_same { "what the district shares was changed: its own data is the same as last time" } else { "" };
                Read { cursor: Some(cursor.to_string()), partly: false, told, told_of_news: news.to_owned() }
            }
        };
        self.complete.store(true, Ordering::SeqCst);
        Ok(read)
    }

    /// Whole at every moment.
    fn left(&self) -> MutexGuard<'_, Option<(Left, Aside)>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room outside memory.
    pub(crate) fn room(&self) -> Option<Arc<dyn Room>> {
        self.pages.room()
    }

    /// Hands the rows of the last pull on once more, if it read everything.
    pub(crate) fn feed_again(&self, intake: &mut RosterIntake) -> Option<Result<(), SourceError>> {
        self.left().as_mut().map(|(left, shelf)| self.feed(left, shelf, intake))
    }

    fn feed(&self, left: &Left, shelf: &mut dyn Shelf, intake: &mut RosterIntake) -> Result<(), SourceError> {
        let Left { stored, district, lacks_events } = left;
        if *lacks_events {
            warn(intake, NO_EVENTS);
        }
        let mut feed = Feed::new(intake, &district.id, self.settings.staff, Mode::Full);
        if !feed_rows(&Lists { stored, changes: None }, shelf, &mut feed, district) {
            return Err(self.lost(shelf));
        }
        feed.finish();
        Ok(())
    }

    fn lost(&self, shelf: &mut dyn Shelf) -> SourceError {
        shelf.cut(0);
        let why = "pages of it that were kept while it was read are lost; the next run reads them again";
        SourceError::Unusable { upstream: self.root(), why: why.to_owned() }
    }

    /// The run that pulled is over.
    pub(crate) fn done(&self) {
        *self.left() = None;
        if self.complete.swap(false, Ordering::SeqCst) {
            self.pages.shelf(&self.settings.pull).cut(0);
        }
    }
}

impl Pull<'_> {
    fn district(&self) -> Result<District, SourceError> {
        let unusable = |why: &str| SourceError::Unusable { upstream: self.clever.root(), why: why.to_owned() };
        let url = format!("{}/districts", self.clever.root());
        let answer = self.http.link(&url).and_then(|url| self.http.get(self.auth, |_| url.clone()));
        let answer = answer.map_err(|cause| match cause.status() {
            Some(404) => unusable("there is nothing at this address (404); set api_version to what the application has"),
            _ => failed(&self.http, "the district", cause),
        })?;
        let text = answer.text().map_err(|cause| failed(&self.http, "the district", cause))?;
        let mut all = Vec::new();
        let found = each_record(text, "data", &mut |wrapped: Wrapped<DistrictWire<'_>>| {
            all.extend(wrapped.data.0.as_ref().map(District::of));
        });
        match found {
            Ok(true) => {}
            Ok(false) => return Err(unusable("it answered with success and something else instead of the district")),
            Err(error) => return Err(failed(&self.http, "the district", answer.broken_json(&error))),
        }
        let own = &self.clever.settings.district;
        match all.iter().position(|district| district.id == *own) {
            Some(at) => Ok(all.swap_remove(at)),
            None => {
                let ids: Vec<&str> = all.iter().map(|district| district.id.as_str()).collect();
                let theirs = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
                Err(unusable(&format!("the token is not for district {own}; it is for {theirs}")))
            }
        }
    }

    /// Reads events; `None`: everything has to be read, and it was told why.
    fn events(
        &self,
        district: &District,
        since: &Cursor,
        shelf: &mut Aside,
        intake: &mut RosterIntake,
    ) -> Result<Option<String>, SourceError> {
        let now = self.clever.network.pace().now();
        let Some(after) = since.event.as_ref() else { return Ok(None) };
        let terms = self.terms(&since.to_string());
        let kept = self.kept(terms, shelf);
        if kept.is_none() {
            self.put_beginning(&Beginning { terms: terms.0, began: now.0, sync: None, event: None }, shelf)?;
        }
        let mut fetch = self.fetch(shelf, kept.is_some());
        let stored = fetch.list(List::Events, after.as_deref());
        let requests = fetch.requests;
        let changes = match stored {
            Ok(stored) if stored.rows > EVENTS_MAX => Err("there are very many events"),
            Ok(stored) => Changes::of(&stored, shelf, intake).map(|changes| (stored, changes)),
            Err(SourceError::Upstream { cause, .. }) if has_no_events(&cause) => Err(NO_EVENTS),
            Err(error) => return Err(error),
        };
        let (stored, changes) = match changes {
            Ok(found) => found,
            Err(why) => {
                warn(intake, why);
                shelf.cut(0);
                return Ok(None);
            }
        };
        self.told(stored.rows, stored.pages.end, requests, true);
        let mut feed = Feed::new(intake, &district.id, self.clever.settings.staff, Mode::Changes);
        let (event, stored) = (stored.last.clone().or_else(|| after.clone()), [stored]);
        if !feed_rows(&Lists { stored: &stored, changes: Some(&changes) }, shelf, &mut feed, district) {
            return Err(self.clever.lost(shelf));
        }
        feed.finish();
        Ok(Some(Cursor { event: Some(event), at: now, sync: district.sync.clone() }.to_string()))
    }

    /// Reads everything, until the district's own data stayed the same from the first page to the last.
    fn everything(
        &self,
        mut district: District,
        shelf: &mut Aside,
        intake: &mut RosterIntake,
    ) -> Result<(Cursor, Left), SourceError> {
        let terms = self.terms("");
        for _ in 0..TRIES_MAX {
            // Nothing but the time of the district's own data tells that pages are those of today.
            let kept = self.kept(terms, shelf).filter(|kept| kept.sync.is_some() && kept.sync == district.sync);
            let resumes = kept.is_some();
            let beginning = match kept {
                Some(kept) => kept,
                None => {
                    shelf.cut(0);
                    let began = self.clever.network.pace().now().0;
                    // What comes after the newest event of now is read by events.
                    let event = if self.clever.settings.events { self.newest_event()? } else { None };
                    let beginning = Beginning { terms: terms.0, began, sync: district.sync.clone(), event };
                    self.put_beginning(&beginning, shelf)?;
                    beginning
                }
            };
            let mut fetch = self.fetch(shelf, resumes);
            let stored = List::ALL.iter().map(|list| fetch.list(*list, None)).collect::<Result<Vec<_>, _>>()?;
            let (pages, requests) = (fetch.number, fetch.requests);
            let again = self.district()?;
            if again.sync != district.sync {
                district = again;
                shelf.cut(0);
                continue;
            }
            self.told(stored.iter().map(|stored| stored.rows).sum(), pages, requests, false);
            let lacks_events = self.clever.settings.events && beginning.event.is_none();
            let left = Left { stored, district, lacks_events };
            self.clever.feed(&left, shelf, intake)?;
            let sync = left.district.sync.clone();
            return Ok((Cursor { event: beginning.event, at: Instant(beginning.began), sync }, left));
        }
        let why = format!("it took in the district's data while it was read, {TRIES_MAX} times in a row");
        Err(SourceError::Unusable { upstream: self.clever.root(), why })
    }

    /// The beginning of a pull that broke off and can be gone on with: not long ago, and asked the same. Without one the
    /// shelf is empty.
    fn kept(&self, terms: Digest, shelf: &mut dyn Shelf) -> Option<Beginning> {
        let now = self.clever.network.pace().now();
        let kept: Option<Beginning> = shelf.page(0).and_then(|page| postcard::from_bytes(&page).ok());
        let young = |began: i64| (0..=i64::from(self.clever.settings.resume_minutes) * 60_000).contains(&(now.0 - began));
        let kept = kept.filter(|kept| kept.terms == terms.0 && young(kept.began));
        if kept.is_none() {
            shelf.cut(0);
        }
        kept
    }

    fn put_beginning(&self, beginning: &Beginning, shelf: &mut dyn Shelf) -> Result<(), SourceError> {
        let page = postcard::to_stdvec(beginning).unwrap_or_default();
        shelf.put(0, &page).map_err(|full| full.into_error(&self.clever.root()))
    }

    /// `Some(None)`: there is none yet. `None`: this application gets no events.
    fn newest_event(&self) -> Result<Option<Option<String>>, SourceError> {
        let url = format!("{}/events?ending_before=last&limit=1", self.clever.root());
        let answer = match self.http.link(&url).and_then(|url| self.http.get(self.auth, |_| url.clone())) {
            Ok(answer) => answer,
            Err(cause) if has_no_events(&cause) => return Ok(None),
            Err(cause) => return Err(failed(&self.http, "events", cause)),
        };
        let text = answer.text().map_err(|cause| failed(&self.http, "events", cause))?;
        match facts(text) {
            Ok(Some(page)) => Ok(Some(page.last)),
            Ok(None) => {
                let why = "it answered with success and something else instead of events".to_owned();
                Err(SourceError::Unusable { upstream: self.clever.root(), why })
            }
            Err(error) => Err(failed(&self.http, "events", answer.broken_json(&error))),
        }
    }

    fn terms(&self, since: &str) -> Digest {
        let CleverSettings { district, events, .. } = &self.clever.settings;
        let mut digester = Digester::new("clever pull");
        digester.field(self.clever.root().as_bytes()).field(district.as_bytes()).field(since.as_bytes());
        digester.number(i64::from(*events));
        digester.finish()
    }

    fn fetch<'f>(&'f self, shelf: &'f mut Aside, resumes: bool) -> Fetch<'f> {
        let settings = &self.clever.settings;
        Fetch {
            http: &self.http,
            auth: self.auth,
            settings,
            shelf,
            keys: Arc::new(keys()),
            number: 1,
            resumes,
            requests: 0,
            limit: settings.page_rows,
        }
    }

    /// `end` is the number behind the last page.
    fn told(&self, rows: u64, end: u32, requests: u32, partly: bool) {
        let resumed = (end - 1).saturating_sub(requests);
        PullRead { pull: &self.clever.settings.pull, rows, requests, resumed, partly }.emit();
    }
}

fn has_no_events(error: &HttpError) -> bool {
    matches!(error.status(), Some(400 | 403 | 404 | 501))
}

fn warn(intake: &mut RosterIntake, why: &str) {
    intake.warn(Finding {
        level: Level::Warning,
        rule: "events_not_enough",
        file: List::Events.word().to_owned(),
        row: 0,
        record: String::new(),
        field: String::new(),
        detail: format!("{why}; everything was read"),
    });
}
