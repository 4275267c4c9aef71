//! What a purchase says of the past and of days to come (R53, R54).

use crate::base::{Actor, Instant, Seats};
use crate::license::{
    ClockFact, ClockStep, Entry, Episode, Grant, TermState, Told, allowance_at, carried_over, chain_of, changes_between,
    phase_at, reconsider,
};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::decision::Desk;
use crate::plan::input::Standing;
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

/// A grant recorded today that leaves too few seats from a later date on is told today (R54). A term that ends without a
/// successor is no such date: reminders tell of it, and its end takes nobody's seat before grace is over.
pub fn shortfall_ahead(desk: &Desk<'_>, grant: &Grant, pools: &[PoolWork<'_>]) -> Option<Notice> {
    let work = pools.iter().find(|w| w.pool.id == grant.pool)?;
    let Standing { grants, agreed, chain, .. } = desk.standing;
    let used = work.counts.used();
    let effective_at = |at| {
        let phase = phase_at(chain, work.pool, at);
        let own = || allowance_at(work.pool, grants, agreed, at).effective();
        match phase.state {
            TermState::InGrace | TermState::Expired => None,
            TermState::Unbound | TermState::NotStarted => own(),
            TermState::Current => {
                let term = chain_of(chain, &work.pool.id).into_iter().find(|term| Some(&term.id) == phase.term.as_ref());
                let silent = term.filter(|term| term.seats.is_none() && grants.iter().all(|grant| grant.id != term.id));
                let carried = silent.map_or(Seats(0), |term| carried_over(chain, grants, term).0);
                own().map(|seats| Seats(seats.0.saturating_add(carried.0)))
            }
        }
    };
    let at = changes_between(work.pool, grants, agreed, desk.now, Instant::MAX)
        .into_iter()
        .find(|&at| at < Instant::MAX && effective_at(at).is_some_and(|effective| effective < used))?;
    let effective = effective_at(at).unwrap_or_default();
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
