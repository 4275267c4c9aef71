//! Questions about runs, and how old the numbers are.

use crate::base::{Instant, RunId};
use crate::plan::Plan;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::store::{FindingRow, NoticeRow, RunRow};

/// Findings are read in pages of so many.
const PAGE: u32 = 1000;
/// So many of the newest notices may be those of the newest run.
const NOTICES: u32 = 100;

/// How old the numbers of a customer are (R148).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// When they were asked for.
    pub as_of: Instant,
    /// When the newest snapshot they rest on was taken in.
    pub snapshot: Option<Instant>,
    /// It is older than `sync.stale_after_hours`, or there is none.
    pub stale: bool,
}

impl Freshness {
    /// Of numbers that rest on this snapshot.
    pub(crate) fn of(customer: &Customer, as_of: Instant, snapshot: Option<Instant>) -> Self {
        let millis_max = i64::from(customer.stale_after_hours) * 3_600_000;
        Self { as_of, snapshot, stale: snapshot.is_none_or(|at| as_of.0 - at.0 > millis_max) }
    }
}

impl Service {
    /// How old the numbers of a customer are.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn freshness(&self, customer: &Customer) -> Result<Freshness, ServiceError> {
        self.as_of(customer, None, |books| books.freshness())
    }

    /// One run.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such run.
    pub fn run_row(&self, run: RunId) -> Result<RunRow, ServiceError> {
        self.store.run(run)?.ok_or_else(|| ServiceError::Unknown { what: "run", id: run.to_string(), hint: None })
    }

    /// What a run told, oldest first: the notices of the instant of its commit. That is no earlier than when it began, and
    /// later where somebody else committed meanwhile.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn notices_of(&self, run: &RunRow) -> Result<Vec<NoticeRow>, ServiceError> {
        let Some(version) = run.version else { return Ok(Vec::new()) };
        let mut told = Vec::new();
        let mut known: Option<(Instant, bool)> = None;
        let notices = self.store.notices(Some(&run.customer), NOTICES)?;
        for notice in notices.into_iter().rev().filter(|notice| notice.at >= run.began) {
            let of_run = match known {
                Some((at, of_run)) if at == notice.at => of_run,
                _ => {
                    let before = self.store.version_at(&run.customer, notice.at.plus_millis(-1))?;
                    before < version && version <= self.store.version_at(&run.customer, notice.at)?
                }
            };
            known = Some((notice.at, of_run));
            told.extend(Some(notice).filter(|_| of_run));
        }
        Ok(told)
    }

    /// The plan of a run; `None` if it never came to one, or was cut off before it committed it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn run_plan(&self, row: &RunRow) -> Result<Option<Plan>, ServiceError> {
        Ok(match &row.plan {
            Some(id) => self.store.plan(&row.customer, id)?,
            None => None,
        })
    }

    /// The first `limit` findings of a run, of one rule or of all, in order.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such run.
    pub fn run_findings(&self, run: RunId, rule: Option<&str>, limit: usize) -> Result<Vec<FindingRow>, ServiceError> {
        self.run_row(run)?;
        let mut found = Vec::new();
        let mut after = 0;
        while found.len() < limit {
            let page = self.store.findings(run, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.number;
            found.extend(page.into_iter().filter(|finding| rule.is_none_or(|rule| finding.rule == rule)));
        }
        found.truncate(limit);
        Ok(found)
    }
}
