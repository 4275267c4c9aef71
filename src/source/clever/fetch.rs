//! Pages from Clever to the shelf, list by list, each until no page names a next one.

use std::collections::BTreeSet;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use hashbrown::HashSet;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::source::api::SourceError;
use crate::source::aside::Aside;
use crate::source::clever::envelope::{Facts, facts};
use crate::source::clever::settings::CleverSettings;
use crate::source::http::{Answer, Attempt, Authorize, Http, HttpError};
use crate::source::narrow::narrowed;
use crate::source::oneroster::Through;
use crate::source::shelf::Shelf;

/// How often a list that does not add up is read from its beginning.
const TRIES_MAX: u32 = 3;
/// Pages that are too heavy are halved down to so many records.
const PAGE_ROWS_MIN: u32 = 50;

/// A list of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Schools,
    Terms,
    Courses,
    Users,
    Sections,
    Events,
}

impl List {
    /// What a full read reads.
    pub(crate) const ALL: [List; 5] = [List::Schools, List::Terms, List::Courses, List::Users, List::Sections];

    /// Its segment in addresses.
    pub(crate) fn word(self) -> &'static str {
        match self {
            List::Schools => "schools",
            List::Terms => "terms",
            List::Courses => "courses",
            List::Users => "users",
            List::Sections => "sections",
            List::Events => "events",
        }
    }
}

/// What is kept of a page beside its records.
#[derive(Serialize, Deserialize)]
struct Head {
    list: u8,
    /// The link that led here; none to the first page.
    at: Option<String>,
}

/// The pages of a complete list on the shelf.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) list: List,
    /// Numbers of its pages.
    pub(crate) pages: std::ops::Range<u32>,
    /// Records.
    pub(crate) rows: u64,
    /// The id of the last one.
    pub(crate) last: Option<String>,
}

/// A pull under way.
pub(crate) struct Fetch<'a> {
    pub(crate) http: &'a Http,
    pub(crate) auth: &'a dyn Authorize,
    pub(crate) settings: &'a CleverSettings,
    pub(crate) shelf: &'a mut Aside,
    pub(crate) keys: Arc<BTreeSet<String>>,
    /// The number of the next page.
    pub(crate) number: u32,
    /// Pages of an earlier pull may still be on the shelf.
    pub(crate) resumes: bool,
    /// Requests so far.
    pub(crate) requests: u32,
    /// Records asked for at once.
    pub(crate) limit: u32,
}

impl Fetch<'_> {
    /// Reads a list, after a record if that is said.
    pub(crate) fn list(&mut self, list: List, after: Option<&str>) -> Result<Stored, SourceError> {
        let from = self.number;
        let mut last = String::new();
        for _ in 0..TRIES_MAX {
            match self.try_list(list, after)? {
                Ok(stored) => return Ok(stored),
                Err(why) => last = why,
            }
            self.number = from;
            self.shelf.cut(from);
            self.resumes = false;
        }
        Err(self.unusable(format!("{} did not add up, {TRIES_MAX} times in a row; the last time {last}", list.word())))
    }

    fn try_list(&mut self, list: List, after: Option<&str>) -> Result<Result<Stored, String>, SourceError> {
        let from = self.number;
        let mut seen: HashSet<u64, BuildHasherDefault<Through>> = HashSet::default();
        let (mut rows, mut count, mut last) = (0u64, None, None);
        let mut at: Option<String> = None;
        loop {
            let page = match self.kept(list, at.as_deref()) {
                Some(page) => page,
                None => self.ask(list, at.as_deref(), after)?,
            };
            self.number += 1;
            rows += page.ids.len() as u64;
            if !page.ids.iter().flatten().all(|id| seen.insert(*id)) {
                return Ok(Err("a record came twice".to_owned()));
            }
            if !page.has_links {
                return Ok(Err("a page does not say whether there is a next one".to_owned()));
            }
            count = page.count.or(count);
            last = page.last.or(last);
            match page.next {
                Some(next) if at.as_ref() != Some(&next) => at = Some(next),
                Some(_) => return Ok(Err("a page leads to itself".to_owned())),
                None => break,
            }
        }
        match count.filter(|count| *count != rows) {
            Some(count) => Ok(Err(format!("there should be {count} records, and {rows} came"))),
            None => {
                self.shelf.settle().map_err(|error| error.into_error(self.http.base().as_str()))?;
                Ok(Ok(Stored { list, pages: from..self.number, rows, last }))
            }
        }
    }

    /// The page that an earlier pull left under the next number, if it is the one we would ask for.
    fn kept(&mut self, list: List, at: Option<&str>) -> Option<Facts> {
        if !self.resumes {
            return None;
        }
        let kept = self.shelf.page(self.number).and_then(|page| {
            let (head, body): (Head, &[u8]) = postcard::take_from_bytes(&page).ok()?;
            let is_it = head.list == list as u8 && head.at.as_deref() == at;
            facts(std::str::from_utf8(body).ok().filter(|_| is_it)?).ok()?
        });
        if kept.is_none() {
            self.resumes = false;
            self.shelf.cut(self.number);
        }
        kept
    }

    fn ask(&mut self, list: List, at: Option<&str>, after: Option<&str>) -> Result<Facts, SourceError> {
        self.requests += 1;
        if self.requests > self.settings.pages_max {
            let why =
                format!("{} pages were read and there are more: the bound of max_pages is passed", self.settings.pages_max);
            return Err(self.unusable(why));
        }
        let url = self.url(list, at, after)?;
        let answer = self.answer(list, &url)?;
        let failed = |error: &serde_json::Error| self.failed(list.word(), answer.broken_json(error));
        let text = answer.text().map_err(|cause| self.failed(list.word(), cause))?;
        let Some(found) = facts(text).map_err(|error| failed(&error))? else {
            return Err(self.unusable(format!("it answered with success and something else instead of {}", list.word())));
        };
        let (head, keys) = (Head { list: list as u8, at: at.map(str::to_owned) }, self.keys.clone());
        let make = move || {
            let mut page = postcard::to_stdvec(&head).map_err(|error| error.to_string())?;
            let text = answer.text().map_err(|error| error.to_string())?;
            let body = narrowed(text, &keys).map_err(|error| answer.broken_json(&error).to_string())?;
            page.extend_from_slice(body.as_bytes());
            Ok(page)
        };
        self.shelf.put_later(self.number, make).map_err(|error| error.into_error(self.http.base().as_str()))?;
        Ok(found)
    }

    /// Asks for a page; one that is too heavy or too large is asked for again with fewer records.
    fn answer(&mut self, list: List, url: &Url) -> Result<Answer, SourceError> {
        loop {
            let mut limit = self.limit;
            let answer = self.http.get(self.auth, |attempt: Attempt<'_>| {
                if attempt.because.is_some_and(HttpError::is_heavy) {
                    limit = halved(limit);
                }
                limited(url, limit)
            });
            // What was too heavy once is not asked for again in this pull.
            self.limit = limit;
            match answer {
                Ok(answer) => return Ok(answer),
                Err(error) if error.status() == Some(413) && halved(limit) < limit => self.limit = halved(limit),
                Err(cause) => return Err(self.failed(list.word(), cause)),
            }
        }
    }

    /// The address of a page: a link never leads to another host or another list.
    fn url(&self, list: List, at: Option<&str>, after: Option<&str>) -> Result<Url, SourceError> {
        let first = format!("{}/{}", self.http.base().as_str().trim_end_matches('/'), list.word());
        let link = |link: &str| self.http.link(link).map_err(|cause| self.failed(list.word(), cause));
        let mut url = link(&first)?;
        match (at, after) {
            (Some(at), _) => {
                let next = link(at)?;
                if next.path() != url.path() {
                    return Err(self.unusable(format!("a page of {} leads to another list", list.word())));
                }
                return Ok(next);
            }
            (None, Some(after)) => _ = url.query_pairs_mut().append_pair("starting_after", after),
            (None, None) if list != List::Events => _ = url.query_pairs_mut().append_pair("count", "true"),
            (None, None) => {}
        }
        Ok(url)
    }

    fn failed(&self, what: &'static str, cause: HttpError) -> SourceError {
        failed(self.http, what, cause)
    }

    fn unusable(&self, why: String) -> SourceError {
        SourceError::Unusable { upstream: self.http.base().as_str().to_owned(), why }
    }
}

/// The error of the source for a failed request.
pub(crate) fn failed(http: &Http, what: &'static str, cause: HttpError) -> SourceError {
    let upstream = http.base().as_str().to_owned();
    if cause.status() == Some(501) {
        let why = format!("it has no {what} in this version of its API; set api_version");
        return SourceError::Unusable { upstream, why };
    }
    SourceError::Upstream { what, upstream, cause: Box::new(cause) }
}

fn halved(limit: u32) -> u32 {
    (limit / 2).max(PAGE_ROWS_MIN.min(limit))
}

fn limited(url: &Url, limit: u32) -> Url {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| key != "limit")
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    let mut limited = url.clone();
    limited.query_pairs_mut().clear().append_pair("limit", &limit.to_string()).extend_pairs(others);
    limited
}

/// Hands the body of each page on; `false` if one is not on the shelf any more, or cannot be used.
pub(crate) fn each_page(
    shelf: &mut dyn Shelf,
    pages: std::ops::Range<u32>,
    each: &mut dyn FnMut(&str) -> Result<bool, serde_json::Error>,
) -> bool {
    pages.into_iter().all(|number| {
        let page = shelf.page(number);
        let body = page.as_ref().and_then(|page| {
            let (_, body): (Head, &[u8]) = postcard::take_from_bytes(page).ok()?;
            std::str::from_utf8(body).ok()
        });
        body.is_some_and(|body| each(body).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use crate::source::clever::fetch::{halved, limited};

    #[test]
    fn a_link_is_followed_with_our_limit() {
        let url = Url::parse("https://api.example/v3.0/users?starting_after=5a%2F&limit=100").expect("a URL");
        assert_eq!(limited(&url, 7).as_str(), "https://api.example/v3.0/users?limit=7&starting_after=5a%2F");
        assert_eq!([10_000, 100, 60, 50, 7].map(halved), [5_000, 50, 50, 50, 7]);
    }
}
