//! Looks at each pool after every run, every decision and every date, and tells once what changed: its status (R145), that
//! few seats are left (R152), and that somebody waits (R150).

use crate::base::{Instant, PoolId};
use crate::license::{Compliance, is_near_limit};
use crate::plan::{Notice, NoticeKind};
use crate::service::candidates::NAMED_MAX;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::inspect::{QueueRow, queue_rows};
use crate::service::pool_state::{PoolState, pool_states};
use crate::service::report::Report;
use crate::store::{Watch, WatchChange};

impl Service {
    /// How the pools stand, worst first, then in the order of the settings (R145).
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn compliance(&self, customer: &Customer) -> Result<Report<PoolState>, ServiceError> {
        self.as_of(customer, None, |books| {
            let mut rows = pool_states(customer, books)?;
            rows.sort_by_key(|state| state.compliance);
            Ok(Report { freshness: books.freshness()?, rows })
        })
    }

    /// Looks at the pools of a customer as of an instant, and writes down and tells what is not as it was.
    pub(crate) fn watch_pools(&self, customer: &Customer, now: Instant) -> Result<(), ServiceError> {
        let watched = self.store.watches(customer.id())?;
        let books = self.newest_books(customer, now)?;
        let states = pool_states(customer, &books)?;
        let mut changes = Vec::new();
        // Before its first commit there is nothing to say of a pool.
        for state in states.iter().filter(|state| books.standing.pools.contains_key(&state.view.pool)) {
            let before = watched.get(&state.view.pool).copied();
            let near = customer.reports.near_limit && is_near_limit(state.view.used(), state.view.allowance.effective());
            let after = Watch { status: state.compliance, near, waiting: state.view.waiting().0 > 0 };
            if before == Some(after) {
                continue;
            }
            let mut notices = notices(state, before, after);
            if after.waiting && !before.is_some_and(|before| before.waiting) {
                let pool = &state.view.pool;
                let rows = queue_rows(&books.queue(Some(pool))?);
                notices.push(notice(NoticeKind::PeopleWait, pool, &after, waiting_text(customer, state, &rows)));
            }
            changes.push(WatchChange { pool: state.view.pool.clone(), before, after, notices });
        }
        if !changes.is_empty() {
            self.store.save_watches(customer.id(), &changes, now)?;
        }
        Ok(())
    }
}

fn notices(state: &PoolState, before: Option<Watch>, after: Watch) -> Vec<Notice> {
    let pool = &state.view.pool;
    let mut notices = Vec::new();
    let status_before = before.map_or(Compliance::Compliant, |before| before.status);
    if status_before != after.status {
        let text = format!("Pool {pool} is {}; it was {}.", after.status.word(), status_before.word());
        notices.push(notice(NoticeKind::ComplianceChanged, pool, &after, text));
    }
    // A pool that is over is told of as such (R50).
    let over = state.view.balance.is_some_and(|balance| balance.0 < 0);
    if after.near && !before.is_some_and(|before| before.near) && !over {
        let left = state.view.allowance.effective().map_or(0, |seats| seats.0.saturating_sub(state.view.used().0));
        let (used, limit) = (state.view.used(), state.view.allowance.effective().unwrap_or_default());
        let text = format!("Pool {pool} has {left} of {limit} seats left; {used} are used, {} wait.", state.view.waiting());
        notices.push(notice(NoticeKind::NearLimit, pool, &after, text));
    }
    notices
}

/// Who waits, by key, in the order of the queue (R150).
fn waiting_text(customer: &Customer, state: &PoolState, rows: &[QueueRow]) -> String {
    let pool = &state.view.pool;
    let calendar = customer.policy.pools.iter().find(|known| known.id == *pool).map(|pool| &pool.calendar);
    let day = |at: Instant| calendar.unwrap_or(&customer.policy.calendar).day_of(at);
    let named = rows.iter().take(NAMED_MAX).map(|row| {
        let QueueRow { position, person, since, waits_for, .. } = row;
        format!("{position}. {person} (for {} since {})", waits_for, day(*since))
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let more = match rows.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{} wait for pool {pool}: {named}{more} (`rosterd report unseated {}`).", rows.len(), customer.id())
}

/// The key is completed by the store with the instant: each change is told once, the next one again.
fn notice(kind: NoticeKind, pool: &PoolId, after: &Watch, text: String) -> Notice {
    let key = match kind {
        NoticeKind::ComplianceChanged => format!("{}/{pool}/{}", kind.word(), after.status.word()),
        _ => format!("{}/{pool}", kind.word()),
    };
    Notice { key, kind, pool: Some(pool.clone()), source: None, text }
}
