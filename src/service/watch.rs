//! Looks at each pool after every run, every decision and every date, and tells once what changed: its status (R145), and
//! that few seats are left (R152).

use crate::base::{Instant, PoolId};
use crate::license::{Compliance, is_near_limit};
use crate::plan::{Notice, NoticeKind};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
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
        let change = |state: &PoolState| {
            // Before its first commit there is nothing to say of a pool.
            books.standing.pools.get(&state.view.pool)?;
            let before = watched.get(&state.view.pool).copied();
            let near = customer.reports.near_limit && is_near_limit(state.view.used(), state.view.allowance.effective());
            let after = Watch { status: state.compliance, near };
            (before != Some(after)).then(|| WatchChange {
                pool: state.view.pool.clone(),
                before,
                after,
                notices: notices(state, before, after),
            })
        };
        let changes: Vec<WatchChange> = states.iter().filter_map(change).collect();
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

/// The key is completed by the store with the instant: each change is told once, the next one again.
fn notice(kind: NoticeKind, pool: &PoolId, after: &Watch, text: String) -> Notice {
    let key = match kind {
        NoticeKind::ComplianceChanged => format!("{}/{pool}/{}", kind.word(), after.status.word()),
        _ => format!("{}/{pool}", kind.word()),
    };
    Notice { key, kind, pool: Some(pool.clone()), source: None, text }
}
