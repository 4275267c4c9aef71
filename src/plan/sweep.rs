//! Dates act by themselves: what became due in a customer's overages since its newest commit, whoever looks, and
//! whenever (R68, R132). No roster is needed for it, unless seats are affected.

use std::collections::BTreeMap;

use crate::base::{EpisodeId, Instant, PoolId};
use crate::license::{AgreedExcess, ClockFact, Entry, Episode, Grant, Phase, Surroundings, is_frozen};
use crate::plan::action::Notice;
use crate::plan::input::{Policy, Standing};
use crate::plan::overage::{notice, timeline};
use crate::plan::planner::with_retired_pools;

/// What a sweep looks at.
#[derive(Clone, Copy, Debug)]
pub struct Sweep<'a> {
    /// The settings.
    pub policy: &'a Policy,
    /// The books; of claims it needs none.
    pub standing: &'a Standing,
    /// When a source was last known to be as the books have it (R148).
    pub newest_snapshot: Option<Instant>,
    /// `sync.stale_after`, in hours.
    pub stale_after_hours: u32,
    /// When.
    pub now: Instant,
}

/// What was due.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// What is written down.
    pub entries: Vec<Entry>,
    /// What is told.
    pub notices: Vec<Notice>,
    /// Tiers that were taken.
    pub grants: Vec<Grant>,
    /// Pools whose books change: allowances began or ended, tiers were taken. Their seats are given out anew.
    pub affected: Vec<PoolId>,
    /// Where nothing more is due: the next instant at which something may be.
    pub next: Instant,
    episodes: Vec<(PoolId, Option<Episode>, Vec<ClockFact>)>,
    next_episode: EpisodeId,
}

impl Sweep<'_> {
    /// Works out what is due.
    pub fn swept(&self) -> Swept {
        let Sweep { policy, standing, newest_snapshot, stale_after_hours, now } = *self;
        let extended = with_retired_pools(policy, standing);
        let grants = by_pool(&standing.grants, |grant| &grant.pool);
        let agreed: BTreeMap<&PoolId, Vec<AgreedExcess>> = by_pool(&standing.agreed, |agreed| &agreed.pool);
        let billing = standing.clock.get(&None).map_or(&[][..], Vec::as_slice);
        let provisional = standing.pools.values().any(|books| books.provisional.is_some());
        let mut swept = Swept { next: Instant::MAX, next_episode: standing.next_episode, ..Swept::default() };
        for pool in &extended.pools {
            let Some(books) = standing.pools.get(&pool.id) else { continue };
            let around = Surroundings {
                since: standing.at,
                newest_snapshot,
                stale_after_hours,
                hold: standing.hold.as_ref(),
                provisional,
                frozen: is_frozen(billing, &pool.id),
            };
            let (grants, agreed) = (of(&grants, &pool.id), of(&agreed, &pool.id));
            let phase = standing.phases.get(&pool.id).unwrap_or(&Phase::UNBOUND);
            let mut line = timeline(pool, standing, (grants, agreed), phase, now);
            let affected = line.pass(&around, books, &mut swept.next_episode);
            swept.next = swept.next.min(line.next_due(&around));
            swept.notices.extend(line.told.iter().filter_map(|told| notice(pool, told)));
            swept.entries.append(&mut line.entries);
            if affected {
                swept.grants.extend(line.grants().iter().cloned());
                swept.affected.push(pool.id.clone());
                swept.episodes.push((pool.id.clone(), line.episode.clone(), line.facts().to_vec()));
            }
        }
        swept
    }
}

impl Swept {
    /// Whether nothing was due.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.affected.is_empty()
    }

    /// The books as they are once this is written down, but for the affected pools' own numbers.
    pub fn applied(&self, standing: &Standing) -> Standing {
        let mut standing = standing.clone();
        standing.grants.extend(self.grants.iter().cloned());
        standing.next_episode = self.next_episode;
        for entry in &self.entries {
            if let Entry::Episode(episode) = entry
                && episode.closed.is_some()
                && episode.outcome != Some(crate::license::Outcome::Void)
            {
                standing.former.insert(episode.pool.clone(), episode.clone());
            }
            if let Entry::Clock(fact) = entry {
                standing.clock.entry(fact.episode).or_default().push(fact.clone());
            }
        }
        for (pool, episode, facts) in &self.episodes {
            if let Some(books) = standing.pools.get_mut(pool) {
                books.episode.clone_from(episode);
            }
            if let Some(episode) = episode {
                standing.clock.insert(Some(episode.id), facts.clone());
            }
        }
        standing
    }
}

fn by_pool<T: Clone>(all: &[T], pool: impl Fn(&T) -> &PoolId) -> BTreeMap<&PoolId, Vec<T>> {
    let mut map: BTreeMap<&PoolId, Vec<T>> = BTreeMap::new();
    for item in all {
        map.entry(pool(item)).or_default().push(item.clone());
    }
    map
}

fn of<'m, T>(map: &'m BTreeMap<&PoolId, Vec<T>>, pool: &PoolId) -> &'m [T] {
    map.get(pool).map_or(&[], Vec::as_slice)
}
