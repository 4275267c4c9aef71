//! Overage episodes: the history of how long and how far a pool was over (R60, R74).
//!
//! An episode is moved forward by what each commit observes and by nothing else; its samples alone say how used,
//! allowance and band ran from opening to closing. The contract's clock over an episode (stages, notices, remedies:
//! R61 to R71) is worked out from these samples and the calendar; it gets its own file, and this one stays without days.

use std::collections::BTreeMap;

use crate::base::{Day, EpisodeId, Instant, PoolId, Seats};
use crate::license::books::{Band, Cause, Episode, Outcome, Sample};

/// What a commit sees of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The pool.
    pub pool: PoolId,
    /// When.
    pub at: Instant,
    /// The local date of `at` in the pool's calendar.
    pub day: Day,
    /// Used.
    pub used: Seats,
    /// Effective allowance; `None` is unlimited.
    pub effective: Option<Seats>,
    /// The band.
    pub band: Band,
    /// The largest cause beyond the effective allowance; matters when an episode opens.
    pub cause: Cause,
}

/// What an observation does to a pool's open episode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: not over, or over as before.
    None,
    /// A new one opened.
    Opened(Episode),
    /// It goes on with other numbers.
    Moved(Episode),
    /// It closed.
    Closed(Episode),
}

/// Moves a pool's open episode forward by one observation; opens it when used > effective allowance and closes it when
/// that is over (R60). Observations come in the order of commits.
///
/// It closes `cured` when as many people left as it took, and `allowance_raised` when it took seats bought or agreed.
/// Where a late purchase may have undone the episode, [`reconsider`] is asked first.
pub fn advance(open: Option<&Episode>, next_id: EpisodeId, obs: &Observation) -> Step {
    let over = obs.effective.filter(|effective| obs.used > *effective);
    match (open, over) {
        (None, None) => Step::None,
        (None, Some(effective)) => Step::Opened(opened(next_id, effective, obs)),
        (Some(episode), Some(effective)) => moved(episode, effective, obs).map_or(Step::None, Step::Moved),
        (Some(episode), None) => Step::Closed(closed(episode, obs)),
    }
}

/// Whether an episode would not have existed, had everything that is recorded now been recorded in time (R53). If so:
/// the episode as `void`, cause `stale_allowance`, samples untouched. An open one closes at `at`; a closed one keeps
/// its instants.
///
/// `effective_at` is the effective allowance as known now, and `changes` are the instants between the opening and `at`
/// at which it changes: a purchase that ran out before the people left does not undo the episode.
pub fn reconsider(
    episode: &Episode,
    at: Instant,
    changes: &[Instant],
    effective_at: impl Fn(Instant) -> Option<Seats>,
) -> Option<Episode> {
    if episode.outcome == Some(Outcome::Void) {
        return None;
    }
    let fits = |used: Seats, instant: Instant| effective_at(instant).is_none_or(|effective| used <= effective);
    let still_over = episode.samples.iter().enumerate().any(|(index, sample)| {
        let next = episode.samples.get(index + 1).map(|next| next.at).or(episode.closed);
        let inside = |change: &&Instant| **change > sample.at && next.map_or(**change <= at, |next| **change < next);
        !fits(sample.used, sample.at) || changes.iter().filter(inside).any(|change| !fits(sample.used, *change))
    });
    if still_over {
        return None;
    }
    let closed = episode.closed.unwrap_or_else(|| not_before_last(episode, at));
    Some(Episode { cause: Cause::StaleAllowance, closed: Some(closed), outcome: Some(Outcome::Void), ..episode.clone() })
}

/// The first two episodes of one pool that overlap, by opening; void ones do not count (I7).
pub fn overlapping<'a>(episodes: impl IntoIterator<Item = &'a Episode>) -> Option<(EpisodeId, EpisodeId)> {
    let mut order: Vec<&Episode> = episodes.into_iter().filter(|e| e.outcome != Some(Outcome::Void)).collect();
    order.sort_by_key(|e| (e.opened, e.id));
    let mut pairs = order.windows(2);
    let pair = pairs.find(|pair| pair[0].closed.is_none_or(|closed| closed > pair[1].opened))?;
    Some((pair[0].id, pair[1].id))
}

/// When the newest episode of each pool closed; void ones do not count. The next one does not open before, even if the
/// clock was set back in between (I7).
pub fn last_closed<'a>(episodes: impl IntoIterator<Item = &'a Episode>) -> BTreeMap<PoolId, Instant> {
    let mut last = BTreeMap::new();
    for episode in episodes.into_iter().filter(|e| e.outcome != Some(Outcome::Void)) {
        if let Some(closed) = episode.closed {
            let newest: &mut Instant = last.entry(episode.pool.clone()).or_insert(closed);
            *newest = closed.max(*newest);
        }
    }
    last
}

fn opened(id: EpisodeId, effective: Seats, obs: &Observation) -> Episode {
    let Observation { pool, at, day, used, effective: _, band, cause } = obs.clone();
    let samples = vec![Sample { at, used, effective, band }];
    Episode { id, pool, opened: at, opened_day: day, cause, peak: used, samples, closed: None, outcome: None }
}

fn moved(episode: &Episode, effective: Seats, obs: &Observation) -> Option<Episode> {
    let sample = Sample { at: not_before_last(episode, obs.at), used: obs.used, effective, band: obs.band };
    let same = |last: &Sample| (last.used, last.effective, last.band) == (sample.used, sample.effective, sample.band);
    if episode.samples.last().is_some_and(same) {
        return None;
    }
    let mut episode = episode.clone();
    episode.peak = episode.peak.max(obs.used);
    episode.samples.push(sample);
    Some(episode)
}

fn closed(episode: &Episode, obs: &Observation) -> Episode {
    // Would the people who left have sufficed under the allowance it was over?
    let cured = episode.samples.last().is_some_and(|last| obs.used <= last.effective);
    let outcome = if cured { Outcome::Cured } else { Outcome::AllowanceRaised };
    Episode { closed: Some(not_before_last(episode, obs.at)), outcome: Some(outcome), ..episode.clone() }
}

/// A clock that was set back does not make an episode run backwards.
fn not_before_last(episode: &Episode, at: Instant) -> Instant {
    episode.samples.last().map_or(at, |last| last.at.max(at))
}

#[cfg(test)]
mod tests;
