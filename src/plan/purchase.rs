//! What a purchase says of the past and of days to come (R53, R54).

use crate::base::{Actor, GrantId, Instant, PoolId, Seats};
use crate::license::{
    ClaimState, ClockFact, ClockStep, Entry, Episode, Grant, Term, TermState, Told, allowance_at, carried_over, chain_of,
    changes_between, phase_at, reconsider,
};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::input::{Policy, Standing};
use crate::plan::overage::notice;
use crate::plan::pools::PoolWork;

/// What is bought at once for a pool.
pub struct Purchase<'a> {
    /// The pool.
    pub pool: &'a PoolId,
    /// The first of its entries, which names it.
    pub id: &'a GrantId,
    /// From when on it changes the allowance.
    pub from: Instant,
    /// A run right after it gives its seats to whoever waits.
    pub run_follows: bool,
}

/// Grants and terms that are recorded together, by pool.
pub fn purchases<'a>(grants: &'a [Grant], terms: &'a [Term]) -> Vec<Purchase<'a>> {
    let grants = grants.iter().map(|grant| (&grant.pool, &grant.id, grant.from));
    // A renewal that names no seats has no grant yet.
    let terms = terms.iter().map(|term| (&term.pool, &term.id, Instant::MAX));
    let mut all: Vec<Purchase<'a>> = Vec::new();
    for (pool, id, from) in grants.chain(terms) {
        match all.iter_mut().find(|known| known.pool == pool) {
            Some(known) => known.from = known.from.min(from),
            None => all.push(Purchase { pool, id, from, run_follows: false }),
        }
    }
    all
}

/// Closed episodes that late purchases explain away, and what is told of them (R53, T13).
pub fn voided(
    bought: &[Purchase<'_>],
    policy: &Policy,
    standing: &Standing,
    episodes: &[Episode],
    now: Instant,
) -> (Vec<Entry>, Vec<Notice>) {
    let Standing { grants, agreed, .. } = standing;
    let (mut entries, mut notices) = (Vec::new(), Vec::new());
    for purchase in bought {
        let Some(pool) = policy.pools.iter().find(|p| p.id == *purchase.pool) else { continue };
        let concerned = |e: &&Episode| e.pool == pool.id && e.closed.is_some_and(|closed| purchase.from < closed);
        for episode in episodes.iter().filter(concerned) {
            let changes = changes_between(pool, grants, agreed, episode.opened, episode.closed.unwrap_or(now));
            let effective = |at| allowance_at(pool, grants, agreed, at).effective();
            let Some(episode) = reconsider(episode, now, &changes, effective) else { continue };
            let told = Told { fact: voiding(&episode, now), episode: episode.clone() };
            notices.extend(notice(pool, &told));
            entries.extend([Entry::Episode(episode), Entry::Clock(told.fact)]);
        }
    }
    (entries, notices)
}

fn voiding(episode: &Episode, now: Instant) -> ClockFact {
    let step = ClockStep::Voided { notice: format!("overage_void/{}/{}", episode.pool, episode.id) };
    let (pool, by) = (episode.pool.clone(), Actor::system());
    ClockFact { pool, episode: Some(episode.id), at: now, recorded: now, by, step }
}

/// What is recorded today and leaves too few seats from a later date on is told today (R54). A term that ends without a
/// successor is no such date: reminders tell of it, and its end takes nobody's seat before grace is over.
pub fn shortfall_ahead(purchase: &Purchase<'_>, pools: &[PoolWork<'_>], standing: &Standing, now: Instant) -> Option<Notice> {
    let work = pools.iter().find(|w| w.pool.id == *purchase.pool)?;
    let Standing { grants, agreed, chain, .. } = standing;
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
    let used = work.counts.used();
    let served = effective_at(now).filter(|_| purchase.run_follows);
    let served = served.map_or(used, |seats| seats.min(Seats(used.0.saturating_add(work.counts.of(ClaimState::Waiting).0))));
    let used = used.max(served);
    let at = changes_between(work.pool, grants, agreed, now, Instant::MAX)
        .into_iter()
        .find(|&at| at < Instant::MAX && effective_at(at).is_some_and(|effective| effective < used))?;
    let effective = effective_at(at).unwrap_or_default();
    Some(Notice {
        key: format!("shortfall_ahead/{}/{}", purchase.pool, purchase.id),
        kind: NoticeKind::ShortfallAhead,
        pool: Some(purchase.pool.clone()),
        source: None,
        text: format!(
            "Pool {} will have {effective} seats from {} on; {used} are used today: {} too few.",
            purchase.pool,
            work.pool.calendar.day_of(at),
            used.0 - effective.0
        ),
    })
}
