//! The source: one HR system at a configured address.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use serde::{Deserialize, Serialize};

use crate::base::{Digest, Digester, Instant, SourceId};
use crate::roster::{Finding, Level, Mode, RosterIntake};
use crate::source::api::{Package, Read, RosterSource, Seen, SourceError, Trouble};
use crate::source::hr::bamboohr;
use crate::source::hr::feed::HrFeed;
use crate::source::hr::mapping::HrColumns;
use crate::source::hr::pull::{Got, Page, Pull};
use crate::source::hr::scim;
use crate::source::hr::settings::{HrAuth, HrSettings, HrSystem};
use crate::source::hr::workday;
use crate::source::http::{Authorize, Http, Network};
use crate::source::shelf::{MemoryPages, PageStore, Shelf};
use crate::telemetry::PullRead;

/// Packed bytes that a check may keep.
const CHECK_BYTES_MAX: u64 = 256 << 20;

/// The beginning of every pull on the shelf: pages below another one are not used.
#[derive(Serialize, Deserialize)]
struct Beginning {
    terms: [u8; 32],
    began: i64,
}

/// An HR feed over the network.
pub struct HrSource {
    settings: HrSettings,
    columns: HrColumns,
    auth: Arc<dyn Authorize>,
    network: Network,
    pages: Arc<dyn PageStore>,
    /// When the pull was asked for: it says which day it is. 0: never.
    asked: AtomicI64,
    /// The last pull was read to its end.
    complete: AtomicBool,
}

impl HrSource {
    /// A source with these settings. Nothing is reached yet.
    pub fn new(settings: HrSettings, network: &Network, pages: Arc<dyn PageStore>) -> Self {
        let auth = settings.auth.clone().authorize(network, &settings.http);
        let columns = HrColumns::of(&settings.mapping);
        let (asked, complete) = (AtomicI64::new(0), AtomicBool::new(false));
        Self { settings, columns, auth, network: network.clone(), pages, asked, complete }
    }

    fn what(&self) -> &'static str {
        match self.settings.system {
            HrSystem::Scim { .. } => scim::WHAT,
            HrSystem::BambooHr { .. } => bamboohr::WHAT,
            HrSystem::Workday { .. } => workday::WHAT,
        }
    }

    fn http(&self) -> Result<Http, SourceError> {
        let settings = &self.settings;
        Http::new(&self.network, &settings.address, &settings.http).map_err(|cause| SourceError::Upstream {
            what: "the address",
            upstream: settings.address.clone(),
            cause: Box::new(cause),
        })
    }

    fn unusable(&self, why: &str) -> SourceError {
        SourceError::Unusable { upstream: self.settings.address.clone(), why: why.to_owned() }
    }

    fn start<'a>(&'a self, http: &'a Http, shelf: &'a mut dyn Shelf, resumes: bool) -> Pull<'a> {
        let HrSettings { page_rows, pages_max, .. } = self.settings;
        let (columns, auth) = (&self.columns, &*self.auth);
        Pull {
            http,
            auth,
            columns,
            shelf,
            number: 1,
            resumes,
            again: None,
            requests: 0,
            requests_max: pages_max,
            limit: page_rows,
        }
    }

    fn fetch(&self, pull: &mut Pull<'_>) -> Result<Got, SourceError> {
        let id = self.settings.mapping.person_id.as_str();
        match &self.settings.system {
            HrSystem::Scim { filter, sort, attributes } => {
                let filter = filter.as_deref();
                scim::fetch(pull, &scim::Asking { filter, sort: *sort, attributes: *attributes })
            }
            HrSystem::BambooHr { report } => bamboohr::fetch(pull, report.as_deref(), id),
            HrSystem::Workday { csv, prompts } => workday::fetch(pull, *csv, prompts, id),
        }
    }

    /// What a kept page must have been asked with.
    fn terms(&self) -> Digest {
        let mut digester = Digester::new("hr pull");
        digester.field(self.settings.address.as_bytes()).field(format!("{:?}", self.settings.system).as_bytes());
        self.columns.names().iter().for_each(|name| {
            digester.field(name.as_bytes());
        });
        digester.finish()
    }

    /// Whether pages of an earlier pull may be used; if not they are gone.
    fn resumes(&self, shelf: &mut dyn Shelf) -> Result<bool, SourceError> {
        let (now, terms) = (self.network.pace().now(), self.terms());
        let kept: Option<Beginning> = shelf.page(0).and_then(|page| postcard::from_bytes(&page).ok());
        let age_max = i64::from(self.settings.resume_minutes) * 60_000;
        if kept.is_some_and(|kept| kept.terms == terms.0 && (0..=age_max).contains(&(now.0 - kept.began))) {
            return Ok(true);
        }
        shelf.cut(0);
        let beginning = postcard::to_stdvec(&Beginning { terms: terms.0, began: now.0 }).unwrap_or_default();
        shelf.put(0, &beginning).map_err(|full| full.into_error(&self.settings.address))?;
        Ok(false)
    }

    fn feed(&self, got: &Got, shelf: &mut dyn Shelf, intake: &mut RosterIntake) -> Result<(), SourceError> {
        let mapping = &self.settings.mapping;
        let asked = Some(self.asked.load(Ordering::SeqCst)).filter(|at| *at != 0).map(Instant);
        let today = mapping.calendar.day_of(asked.unwrap_or_else(|| self.network.pace().now()));
        let lost = || self.unusable("pages of it that were kept while it was read are lost; the next run reads them again");
        let mut page = |number| shelf.page(number).and_then(|page| postcard::from_bytes::<Page>(&page).ok()).ok_or_else(lost);
        for (name, _) in self.columns.names().iter().zip(&got.seen).filter(|(_, seen)| !**seen && got.rows > 0) {
            intake.warn(Finding {
                level: Level::Warning,
                rule: "column_unseen",
                file: self.what().to_owned(),
                row: 0,
                record: String::new(),
                field: name.clone(),
                detail: "no record has it: the name may be wrong".to_owned(),
            });
        }
        let mut feed = HrFeed::new(mapping, self.what(), Mode::Full, today, intake);
        for number in got.pages.clone() {
            page(number)?.rows.each(|cells| cells.into_iter().for_each(|cells| feed.survey(cells)));
        }
        feed.people();
        let mut row = 0;
        for number in got.pages.clone() {
            page(number)?.rows.each(|cells| {
                row += 1;
                match cells {
                    Some(cells) => feed.person(row, cells),
                    None => feed.broken(row, "bad_row", "", "it has another number of cells than the first line"),
                }
            });
        }
        feed.finish();
        Ok(())
    }
}

impl RosterSource for HrSource {
    fn id(&self) -> &SourceId {
        &self.settings.id
    }

    fn pending(&self, seen: &Seen) -> Result<Vec<Package>, SourceError> {
        let when = seen.now.unwrap_or_else(|| self.network.pace().now());
        self.asked.store(when.0, Ordering::SeqCst);
        let name = format!("{} everything", Instant(when.0 / 1000 * 1000));
        Ok(vec![Package { name, location: self.settings.address.clone(), digest: None, bytes: 0, since: None }])
    }

    fn pull(&self, _: &Package, intake: &mut RosterIntake) -> Result<Read, SourceError> {
        self.complete.store(false, Ordering::SeqCst);
        let http = self.http()?;
        let mut shelf = self.pages.shelf(&self.settings.pull);
        let resumes = self.resumes(&mut *shelf)?;
        let mut pull = self.start(&http, &mut *shelf, resumes);
        let got = self.fetch(&mut pull)?;
        let (requests, rows) = (pull.requests, got.rows);
        let resumed = (pull.number - 1).saturating_sub(requests);
        PullRead { pull: &self.settings.pull, rows, requests, resumed, partly: false }.emit();
        self.feed(&got, &mut *shelf, intake)?;
        self.complete.store(true, Ordering::SeqCst);
        Ok(Read::default())
    }

    fn is_live(&self) -> bool {
        true
    }

    fn trouble(&self) -> Option<Trouble> {
        let HrSettings { address, auth, .. } = &self.settings;
        let tokens = || if let HrAuth::OAuth2(service) = auth { self.network.outage(&service.token_address) } else { None };
        self.network.outage(address).or_else(tokens).map(Trouble::Down)
    }

    fn done(&self) {
        if self.complete.swap(false, Ordering::SeqCst) {
            self.pages.shelf(&self.settings.pull).cut(0);
        }
    }

    fn is_incremental(&self, _: &Package) -> Result<bool, SourceError> {
        Ok(false)
    }

    fn check(&self) -> Result<String, SourceError> {
        let http = self.http()?;
        let mut shelf = MemoryPages { bytes_max: CHECK_BYTES_MAX }.shelf(&self.settings.pull);
        let mut pull = self.start(&http, &mut *shelf, false);
        let rows = match &self.settings.system {
            HrSystem::Scim { filter, sort, attributes } => {
                let filter = filter.as_deref();
                scim::probe(&mut pull, &scim::Asking { filter, sort: *sort, attributes: *attributes })?
            }
            HrSystem::BambooHr { .. } | HrSystem::Workday { .. } => self.fetch(&mut pull)?.rows,
        };
        Ok(format!("{}: answers, {rows} {}", self.settings.address, self.what()))
    }
}
