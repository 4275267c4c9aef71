//! A pull under way: pages to the shelf, reduced to the cells that are wanted; when all are there and add up, the rows go to
//! the intake.

use std::ops::Range;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::source::api::SourceError;
use crate::source::hr::mapping::HrColumns;
use crate::source::hr::wire::{Beside, Rows, Shape, read_answer};
use crate::source::http::{Answer, Attempt, Authorize, Http, HttpError};
use crate::source::shelf::{Shelf, has_moved};

/// How often a list that does not add up is read from its beginning.
const TRIES_MAX: u32 = 3;
/// What does not add up where a list was gone on with.
pub(crate) const MOVED: &str = "records moved since it was broken off";

/// One page.
#[derive(Serialize, Deserialize)]
pub(crate) struct Page {
    /// Where it stands: the number of its first record, or its own.
    pub(crate) at: u64,
    /// Records in all, as the page says.
    pub(crate) total: Option<u64>,
    /// It says that there are more.
    pub(crate) more: bool,
    /// What it holds.
    pub(crate) rows: Rows,
}

/// What was read, on the shelf.
pub(crate) struct Got {
    /// Numbers of its pages.
    pub(crate) pages: Range<u32>,
    /// Records.
    pub(crate) rows: u64,
    /// By column: some record had it, if only as nothing.
    pub(crate) seen: Vec<bool>,
}

/// A pull.
pub(crate) struct Pull<'a> {
    pub(crate) http: &'a Http,
    pub(crate) auth: &'a dyn Authorize,
    pub(crate) columns: &'a HrColumns,
    pub(crate) shelf: &'a mut dyn Shelf,
    /// The number of the next page.
    pub(crate) number: u32,
    /// Pages of an earlier pull may still be on the shelf.
    pub(crate) resumes: bool,
    /// The ids of the last page that was there, which is asked for once more.
    pub(crate) again: Option<Vec<Option<u64>>>,
    /// Requests so far, and at most.
    pub(crate) requests: u32,
    pub(crate) requests_max: u32,
    /// Records asked for at once.
    pub(crate) limit: u32,
}

impl Pull<'_> {
    /// Reads a list with `read`, up to three times; inside, an error says what does not add up.
    pub(crate) fn list(
        &mut self,
        what: &str,
        mut read: impl FnMut(&mut Self) -> Result<Result<(u64, Vec<bool>), String>, SourceError>,
    ) -> Result<Got, SourceError> {
        let from = self.number;
        let mut last = String::new();
        for _ in 0..TRIES_MAX {
            self.again = None;
            match read(self)? {
                Ok((rows, seen)) => return Ok(Got { pages: from..self.number, rows, seen }),
                Err(why) => last = why,
            }
            self.number = from;
            self.shelf.cut(from);
            self.resumes = false;
        }
        Err(self.unusable(format!("{what} did not add up, {TRIES_MAX} times in a row; the last time {last}")))
    }

    /// The page that an earlier pull left under the next number, if it stands at this place. One that does not tell a total
    /// cannot be told from one of another day; and the last one is asked for once more: whoever left in the meantime moved the
    /// others.
    pub(crate) fn kept(&mut self, at: u64) -> Option<Page> {
        if !self.resumes {
            return None;
        }
        let kept = self.shelf.page(self.number).and_then(|page| postcard::from_bytes::<Page>(&page).ok());
        let mut kept = kept.filter(|page| page.at == at && page.total.is_some());
        if kept.is_some() && self.shelf.page(self.number + 1).is_none() {
            self.again = kept.take().map(|page| page.rows.ids);
        }
        match &kept {
            Some(_) => self.number += 1,
            None => {
                self.resumes = false;
                // What is asked for once more stays until its answer takes its place: whoever breaks off now loses nothing.
                self.shelf.cut(self.number + u32::from(self.again.is_some()));
            }
        }
        kept
    }

    /// Whether records moved since an earlier pull of the list broke off.
    pub(crate) fn has_moved(&mut self, page: &Page) -> bool {
        self.again.take().is_some_and(|known| has_moved(&known, &page.rows.ids))
    }

    /// Asks for a page. `url` may make it smaller where a larger one was too heavy.
    pub(crate) fn ask(&mut self, url: impl FnMut(Attempt<'_>) -> Url) -> Result<Result<Answer, HttpError>, SourceError> {
        self.requests += 1;
        if self.requests > self.requests_max {
            let why = format!("{} pages were read and there are more: the bound of max_pages is passed", self.requests_max);
            return Err(self.unusable(why));
        }
        Ok(self.http.get(self.auth, url))
    }

    /// The records of an answer, and what it holds beside them; `None`: there is no list.
    pub(crate) fn records(
        &self,
        what: &'static str,
        answer: &Answer,
        shape: Shape<'_>,
    ) -> Result<(Rows, Option<Beside>), SourceError> {
        let mut rows = Rows::new(self.columns.names().len());
        let text = answer.text().map_err(|error| self.failed(what, error))?;
        let beside = read_answer(text, shape, self.columns, &mut rows);
        Ok((rows, beside.map_err(|error| self.failed(what, answer.broken_json(&error)))?))
    }

    /// Keeps a page.
    pub(crate) fn keep(&mut self, page: &Page) -> Result<(), SourceError> {
        let bytes = postcard::to_stdvec(page).map_err(|error| self.unusable(format!("a page cannot be kept: {error}")))?;
        self.shelf.put(self.number, &bytes).map_err(|full| full.into_error(self.http.base().as_str()))?;
        self.number += 1;
        Ok(())
    }

    /// The error of the source for a failed request.
    pub(crate) fn failed(&self, what: &'static str, cause: HttpError) -> SourceError {
        SourceError::Upstream { what, upstream: self.http.base().as_str().to_owned(), cause: Box::new(cause) }
    }

    /// The error of the source for an answer that cannot be used.
    pub(crate) fn unusable(&self, why: String) -> SourceError {
        SourceError::Unusable { upstream: self.http.base().as_str().to_owned(), why }
    }

    /// An address below the configured one, which stays exactly as it is, with a query.
    pub(crate) fn url(&self, below: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.http.base().clone();
        if !below.is_empty() {
            url.set_path(&format!("{}/{below}", url.path().trim_end_matches('/')));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}
