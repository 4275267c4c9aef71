//! What a replay tells of one pool, and where it differs from the record.

use crate::base::{Instant, PoolId, Seats};
use crate::license::{Charge, ClockFact, ClockStep, Entry, Episode, Outcome};
use crate::plan::action::Notice;
use crate::plan::replay::{Level, Replay};

/// A pool in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// Its overages that were open at some time in it.
    pub episodes: Vec<Episode>,
    /// What its clock wrote down.
    pub facts: Vec<ClockFact>,
    /// What was told of it.
    pub notices: Vec<(Instant, Notice)>,
    /// How it stood, from its beginning on.
    pub levels: Vec<Level>,
}

impl Story {
    /// Overages that count: void ones do not.
    pub fn episodes_counted(&self) -> usize {
        self.episodes.iter().filter(|episode| episode.outcome != Some(Outcome::Void)).count()
    }

    /// The tiers that were taken, with what they cost.
    pub fn upgrades(&self) -> impl Iterator<Item = (&ClockFact, Option<&Charge>)> {
        self.facts.iter().filter_map(|fact| match &fact.step {
            ClockStep::Upgraded { charge, .. } => Some((fact, charge.as_ref())),
            _ => None,
        })
    }

    /// What they cost together, in minor units, with a charge of the currency; upgrades without a price are not in it.
    pub fn charged(&self) -> Option<(u64, &Charge)> {
        let one = self.upgrades().find_map(|(_, charge)| charge)?;
        let all = self.upgrades().filter_map(|(_, charge)| charge);
        Some((all.fold(0, |sum, charge| charge.amount.saturating_add(sum)), one))
    }

    /// The most that was used, and waited.
    pub fn most(&self) -> (Seats, Seats) {
        let most = |of: fn(&Level) -> Seats| self.levels.iter().map(of).max().unwrap_or_default();
        (most(|level| level.used), most(|level| level.waiting))
    }

    /// The most that was used beyond the limit.
    pub fn most_over(&self) -> Seats {
        let over = |level: &Level| level.effective.map_or(0, |effective| level.used.0.saturating_sub(effective.0));
        Seats(self.levels.iter().map(over).max().unwrap_or_default())
    }

    /// What was used, and waited, at the end.
    pub fn last(&self) -> (Seats, Seats) {
        self.levels.last().map_or_else(Default::default, |level| (level.used, level.waiting))
    }
}

impl Replay {
    /// What is told of a pool from an instant on.
    pub fn story(&self, pool: &PoolId, from: Instant) -> Story {
        let episodes = self.episodes.values().filter(|e| e.pool == *pool && e.closed.is_none_or(|closed| closed >= from));
        Story {
            episodes: episodes.cloned().collect(),
            facts: self.facts.iter().filter(|fact| fact.pool == *pool).cloned().collect(),
            notices: self.notices.iter().filter(|(_, notice)| notice.pool.as_ref() == Some(pool)).cloned().collect(),
            levels: self.levels.get(pool).cloned().unwrap_or_default(),
        }
    }
}

/// The first difference between what a commit recorded and what its replay came to; `None`: there is none.
pub fn difference(recorded: &[Entry], made: &[Entry]) -> Option<String> {
    let by_rule = |entry: &&Entry| match entry {
        Entry::Pool { .. } | Entry::Episode(_) => true,
        Entry::Clock(fact) => {
            !matches!(fact.step, ClockStep::Approved { .. } | ClockStep::Frozen { .. } | ClockStep::Unfrozen { .. })
        }
        _ => false,
    };
    let (mut recorded, mut made) = (recorded.iter().filter(by_rule), made.iter().filter(by_rule));
    loop {
        match (recorded.next(), made.next()) {
            (None, None) => return None,
            (one, other) if one == other => {}
            (one, other) => return Some(format!("recorded {}, replayed {}", told(one), told(other))),
        }
    }
}

fn told(entry: Option<&Entry>) -> String {
    match entry {
        None => "nothing more".to_owned(),
        Some(Entry::Pool { pool, books }) => {
            format!("pool {pool} with {} of {:?}", books.counts.used(), books.allowance.effective().map(|seats| seats.0))
        }
        Some(Entry::Episode(episode)) => {
            let state = episode.outcome.map_or("open", Outcome::word);
            format!("episode {} of {} ({state})", episode.id, episode.pool)
        }
        Some(entry) => format!("{entry:?}"),
    }
}
