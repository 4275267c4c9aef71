//! The course of a customer's runs, as a tick tells it: that they fail, that a night's is overdue; each once, reminded of
//! after business days, and closed with a word of its own (R151).
//!
//! What is told has the last good run in its key, and so needs no state of its own.

use crate::base::{Instant, RunId};
use crate::plan::{Notice, NoticeKind};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::nightly::Nightly;
use crate::store::{Minute, NoticeRow, RunRow, RunState, Trigger};
use crate::telemetry::NoticeWritten;

/// So many runs are looked through for the last good one.
const RUNS_LOOKED_AT: u32 = 100;
/// So many notices are looked through for one that is not closed yet.
const NOTICES_LOOKED_AT: u32 = 200;
/// A schedule that fires more seldom than this is never overdue.
const DAYS_LOOKED_BACK: i32 = 35;

impl Service {
    /// Tells what there is to tell of a customer's runs.
    pub(crate) fn tell_course(
        &self,
        customer: &Customer,
        minute: &Minute,
        nightly: Option<&Nightly>,
        now: Instant,
    ) -> Result<(), ServiceError> {
        let hours = customer.reports.sync_overdue_hours;
        let due = nightly
            .filter(|_| hours > 0)
            .and_then(|nightly| nightly.fired_by(now.plus_millis(-i64::from(hours) * 3_600_000), DAYS_LOOKED_BACK));
        let seen = (minute.version, minute.newest_run, due, customer.day_of(now));
        if minute.newest_run.is_none() || self.courses.is_known(customer.id(), &seen) {
            return Ok(());
        }
        let runs = self.store.runs(Some(customer.id()), RUNS_LOOKED_AT)?;
        let told = self.store.notices(Some(customer.id()), NOTICES_LOOKED_AT)?;
        let reads = |run: &&RunRow| matches!(run.trigger, Trigger::Nightly(_) | Trigger::SameDay(_) | Trigger::Drop);
        let is_tried = |run: &&RunRow| run.state.is_over() && !matches!(run.state, RunState::Planned | RunState::Cancelled);
        let tried: Vec<&RunRow> = runs.iter().filter(reads).filter(is_tried).collect();
        let good = tried.iter().find(|run| run.state != RunState::Failed).copied();
        let mended = mended(&tried);
        self.tell_end(customer, mended, (NoticeKind::RunFailed, NoticeKind::RunRecovered, "no longer fail"), &told)?;
        let ends = (NoticeKind::SyncOverdue, NoticeKind::SyncResumed, "are no longer overdue");
        self.tell_end(customer, good, ends, &told)?;
        let after = |run: Option<&RunRow>| run.map_or(RunId(0), |run| run.run);
        let since = tried.iter().take_while(|run| mended.is_none_or(|mended| run.run > mended.run));
        let failed: Vec<_> = since.filter(|run| run.state == RunState::Failed).collect();
        if let (Some(last), Some(first)) = (failed.first(), failed.last()) {
            let text = format!(
                "Runs of {} have failed since run {} of {}; the newest is run {}: {}",
                customer.id(),
                first.run,
                first.began,
                last.run,
                last.message
            );
            self.tell_course_of(customer, NoticeKind::RunFailed, after(mended), (first.began, now), text)?;
        }
        if let Some(due) = due {
            let done = good.and_then(|run| run.ended).is_some_and(|ended| ended >= due);
            // Who was not there yet had no night to miss.
            if !done && runs.iter().any(|run| run.began < due) {
                let since = good.map_or("ever".to_owned(), |run| format!("since run {} of {}", run.run, run.began));
                let text = format!(
                    "The sync of {} that was due at {due} is overdue: no run has done its work {since} (`rosterd runs {}`).",
                    customer.id(),
                    customer.id()
                );
                self.tell_course_of(customer, NoticeKind::SyncOverdue, after(good), (due, now), text)?;
            }
        }
        self.courses.note(customer.id(), seen);
        Ok(())
    }

    /// Writes a notice beside the books, if nobody did yet, and logs it: how runs go is no part of the books, and whoever
    /// made a plan can still apply it.
    fn tell_beside(&self, customer: &Customer, notice: Notice) -> Result<(), ServiceError> {
        if !self.store.has_notice(customer.id(), &notice.key)? {
            self.store.add_notices(customer.id(), std::slice::from_ref(&notice), self.now())?;
            NoticeWritten { customer: customer.id(), kind: notice.kind.word(), text: &notice.text }.emit();
        }
        Ok(())
    }

    /// Tells something that goes on since an instant: once, and again after business days.
    fn tell_course_of(
        &self,
        customer: &Customer,
        kind: NoticeKind,
        after: RunId,
        (since, now): (Instant, Instant),
        text: String,
    ) -> Result<(), ServiceError> {
        let (from, to) = (customer.day_of(since), customer.day_of(now));
        let days = customer.policy.calendar.business_days_between(from, to);
        let key = match days.checked_div(customer.reports.remind_business_days) {
            Some(times) if times > 0 => format!("{}/{after}/{times}", kind.word()),
            _ => format!("{}/{after}", kind.word()),
        };
        self.tell_beside(customer, Notice { key, kind, pool: None, source: None, text })
    }

    /// Tells that runs no longer fail, or are no longer overdue.
    fn tell_end(
        &self,
        customer: &Customer,
        good: Option<&RunRow>,
        (begins, ends, what): (NoticeKind, NoticeKind, &str),
        told: &[NoticeRow],
    ) -> Result<(), ServiceError> {
        let begun = newest_of(begins, begins.word(), told);
        let (Some(good), Some(after)) = (good, begun) else { return Ok(()) };
        if good.run <= after {
            return Ok(());
        }
        let text = format!("Runs of {} {what}: run {} ended as {}.", customer.id(), good.run, good.state);
        let key = format!("{}/{after}", ends.word());
        self.tell_beside(customer, Notice { key, kind: ends, pool: None, source: None, text })
    }
}

/// The newest run, newest first, after which nothing is left to be mended. One that found no package after one that was turned
/// away mended nothing.
fn mended<'r>(tried: &[&'r RunRow]) -> Option<&'r RunRow> {
    let (mut newest, mut turned_away) = (None, false);
    for run in tried.iter().rev() {
        if run.state == RunState::Failed {
            turned_away |= !run.rejected.is_empty();
        } else if !(turned_away && run.packages.is_empty()) {
            (newest, turned_away) = (Some(*run), false);
        }
    }
    newest
}

/// The run in the key of the newest notice of a kind: `prefix/run` or `prefix/run/…`.
fn newest_of(kind: NoticeKind, prefix: &str, told: &[NoticeRow]) -> Option<RunId> {
    let newest = told.iter().find(|notice| notice.kind == kind.word())?;
    let rest = newest.key.strip_prefix(prefix)?.strip_prefix('/')?;
    rest.split('/').next()?.parse().ok().map(RunId)
}
