//! What a purchase says of the past and of days to come (R53, R54).

use crate::base::{Actor, Instant};
use crate::license::{ClockFact, ClockStep, Entry, Episode, Grant, Told, allowance_at, changes_between, reconsider};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::decision::Desk;
use crate::plan::overage::notice;
use crate::plan::pools::PoolWork;

/// Closed episodes that a late purchase explains away, and what is told of them (R53, T13).
pub fn voided(desk: &Desk<'_>, grant: &Grant) -> (Vec<Entry>, Vec<Notice>) {
    let Some(pool) = desk.policy.pools.iter().find(|p| p.id == grant.pool) else { return Default::default() };
    let (grants, agreed) = (&desk.standing.grants, &desk.standing.agreed);
    let void: Vec<Episode> = desk
        .episodes
        .iter()
        .filter(|e| e.pool == grant.pool && e.closed.is_some_and(|closed| grant.from < closed))
        .filter_map(|e| {
            let changes = changes_between(pool, grants, agreed, e.opened, e.closed.unwrap_or(desk.now));
            reconsider(e, desk.now, &changes, |at| allowance_at(pool, grants, agreed, at).effective())
        })
        .collect();
    let (mut entries, mut notices) = (Vec::new(), Vec::new());
    for episode in void {
        let told = Told { fact: voiding(&episode, desk.now), episode: episode.clone() };
        notices.extend(notice(pool, &told));
        entries.extend([Entry::Episode(episode), Entry::Clock(told.fact)]);
    }
    (entries, notices)
}

fn voiding(episode: &Episode, now: Instant) -> ClockFact {
    let step = ClockStep::Voided { notice: format!("overage_void/{}/{}", episode.pool, episode.id) };
    let (pool, by) = (episode.pool.clone(), Actor::system());
    ClockFact { pool, episode: Some(episode.id), at: now, recorded: now, by, step }
}

/// A grant recorded today that leaves too few seats from a later date on is told today (R54).
pub fn shortfall_ahead(desk: &Desk<'_>, grant: &Grant, pools: &[PoolWork<'_>]) -> Option<Notice> {
    let work = pools.iter().find(|w| w.pool.id == grant.pool)?;
    let (grants, agreed) = (&desk.standing.grants, &desk.standing.agreed);
    let used = work.counts.used();
    let at = changes_between(work.pool, grants, agreed, desk.now, Instant::MAX)
        .into_iter()
        .find(|&at| at < Instant::MAX && allowance_at(work.pool, grants, agreed, at).effective().is_some_and(|e| e < used))?;
    let effective = allowance_at(work.pool, grants, agreed, at).effective().unwrap_or_default();
    Some(Notice {
        key: format!("shortfall_ahead/{}/{}", grant.pool, grant.id),
        kind: NoticeKind::ShortfallAhead,
        pool: Some(grant.pool.clone()),
        source: None,
        text: format!(
            "Pool {} will have {effective} seats from {} on; {used} are used today: {} too few.",
            grant.pool,
            work.pool.calendar.day_of(at),
            used.0 - effective.0
        ),
    })
}
