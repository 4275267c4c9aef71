//! What the contract says of a pool at an instant: the stage of its overage and the place in its term. One place, for all
//! reports.

use crate::base::{Day, Instant};
use crate::license::{Band, Episode, OverageStage, Pool, TermPlace, TermState, chain_of, last_day, phase_at};
use crate::plan::Standing;

/// Stage and term of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The stage of its open episode (R63); `None`: there is none.
    pub stage: Option<OverageStage>,
    /// The place in its term; `None`: it has none.
    pub term: Option<TermPlace>,
}

/// The conditions of a pool in these books at an instant.
pub(crate) fn conditions(pool: &Pool, standing: &Standing, at: Instant) -> Conditions {
    let books = standing.pools.get(&pool.id);
    let episode = books.and_then(|books| books.episode.as_ref());
    let band = books.map_or(Band::Within, |books| books.band);
    let stage = episode.map(|episode| stage(pool, episode, band, pool.calendar.day_of(at)));
    Conditions { stage, term: term(pool, standing, at) }
}

fn term(pool: &Pool, standing: &Standing, at: Instant) -> Option<TermPlace> {
    let phase = phase_at(&standing.chain, pool, at);
    phase.term.as_ref()?;
    Some(TermPlace {
        last_day: last_day(pool, phase.term_end),
        has_successor: chain_of(&standing.chain, &pool.id).iter().any(|term| at < term.from),
        in_grace: phase.state == TermState::InGrace,
        is_over: phase.state == TermState::Expired,
    })
}

fn stage(pool: &Pool, episode: &Episode, band: Band, today: Day) -> OverageStage {
    let days = (1..=today.0.saturating_sub(episode.opened_day.0)).map(|after| episode.opened_day.plus(after));
    match days.filter(|&day| pool.calendar.is_business_day(day)).take(21).count() {
        _ if band == Band::Major => OverageStage::Major,
        0..=10 => OverageStage::Minor,
        11..=20 => OverageStage::MinorOverdue,
        _ => OverageStage::Major,
    }
}
