//! Runs that fail again and again: told once when it begins, again after some business days, and once more when a run got
//! something to work with (R151).
//!
//! A streak is named by its first run, and it goes on until it is told that it ended: so it needs no state of its own.

use crate::base::RunId;
use crate::plan::{Notice, NoticeKind};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::store::{Asked, NoticeRow, RunRow, RunState, Trigger};

/// So many notices are looked through for the newest that tells of a streak.
const NOTICES_LOOKED_AT: u32 = 200;

impl Service {
    /// Tells of a streak of failed runs that `row` begins, goes on with, or ends.
    pub(crate) fn tell_streak(&self, customer: &Customer, row: &RunRow) -> Result<(), ServiceError> {
        let failed = row.state == RunState::Failed;
        if !(failed && reads_all(row) || self.took_in(customer, row)?) {
            return Ok(());
        }
        let begun = self.streak(customer)?;
        let (key, kind, text) = match (failed, begun) {
            // What is known of a source before it is asked is told by itself, with when it is tried again.
            (true, None) if customer.sources.iter().any(|feed| feed.source.trouble().is_some()) => return Ok(()),
            (true, None) => (
                format!("run_failed/{}", row.run),
                NoticeKind::RunFailed,
                format!("Run {} failed, everybody keeps what they have: {}.", row.run, row.message),
            ),
            (true, Some((first, begun))) => {
                let calendar = &customer.policy.calendar;
                let passed = calendar.business_days_between(calendar.day_of(begun.at), calendar.day_of(row.began));
                let Some(times) = passed.checked_div(customer.reports.remind_business_days).filter(|times| *times > 0) else {
                    return Ok(());
                };
                (
                    format!("run_failed/{first}/{times}"),
                    NoticeKind::RunFailed,
                    format!("Runs fail since {}, for {passed} business days; run {}: {}.", begun.at, row.run, row.message),
                )
            }
            (false, Some((first, begun))) => (
                format!("run_recovered/{first}"),
                NoticeKind::RunRecovered,
                format!("Run {} could work again, after runs that failed since {}.", row.run, begun.at),
            ),
            (false, None) => return Ok(()),
        };
        self.tell(customer, Notice { key, kind, pool: None, source: None, text })
    }

    /// The first run of the streak that was told of and not ended, with what was told when it began.
    fn streak(&self, customer: &Customer) -> Result<Option<(RunId, NoticeRow)>, ServiceError> {
        let notices = self.store.notices(Some(customer.id()), NOTICES_LOOKED_AT)?;
        let is_of_streak = |row: &&NoticeRow| {
            [NoticeKind::RunFailed, NoticeKind::RunRecovered].map(NoticeKind::word).contains(&row.kind.as_str())
        };
        let newest = notices.iter().find(is_of_streak).filter(|row| row.kind == NoticeKind::RunFailed.word());
        let Some(first) = newest.and_then(|row| row.key.split('/').nth(1)?.parse().ok()).map(RunId) else { return Ok(None) };
        Ok(self.store.notice(customer.id(), &format!("run_failed/{first}"))?.map(|begun| (first, begun)))
    }

    /// Whether a run took a package in, or found a source as the books have it. One that found nothing new beside a package
    /// that was turned away tells nothing.
    fn took_in(&self, customer: &Customer, row: &RunRow) -> Result<bool, ServiceError> {
        if !reads_all(row) || row.state == RunState::Failed {
            return Ok(false);
        }
        let adopted = row.version.is_some() && !row.packages.is_empty();
        Ok(adopted || self.store.looks(customer.id())?.iter().any(|look| look.at >= row.began))
    }
}

/// Whether a run was to read all sources.
fn reads_all(row: &RunRow) -> bool {
    match &row.trigger {
        Trigger::Nightly(_) | Trigger::Drop => true,
        Trigger::SameDay(Asked { source, scope, .. }) => source.is_none() && scope.is_none(),
        Trigger::Dates(_) | Trigger::Revert(..) | Trigger::Import(_) => false,
    }
}
