//! Balances, overages and their episodes (R46, R49, R53, R60, R123).

use rosterd::base::Instant;

use crate::sim::auditor::books::{Auditor, Closed, Episode, Outcome};

impl Auditor {
    /// Closes the books of all pools after a commit. `held_back`: seats that an open hold would free, by pool.
    pub fn close(&mut self, now: Instant, held_back: &[u32]) {
        let mut pools: Vec<usize> = (0..held_back.len()).collect();
        pools.sort_by_key(|&pool| self.setup.pools[pool].id);
        for pool in pools {
            self.close_pool(pool, now, held_back[pool]);
        }
    }

    fn close_pool(&mut self, pool: usize, now: Instant, held_back: u32) {
        let Some((bought, agreed)) = self.allowance(pool, now) else {
            self.closed[pool] = Closed { held_back: held_back.min(self.used(pool)), ..Closed::default() };
            return;
        };
        let (used, effective) = (self.used(pool), bought + agreed);
        let below_zero = used > bought;
        self.told.negative += u32::from(below_zero && !self.closed[pool].below_zero);
        self.told.restored += u32::from(!below_zero && self.closed[pool].below_zero);

        let held_back = held_back.min(used);
        let open = self.episodes.iter().position(|e| e.pool == pool && e.closed.is_none());
        let over = used > effective;
        let began = self.closed[pool].provisional.filter(|_| over && open.is_none()).map_or(now, |since| since.min(now));
        // An overage that only held people make does not count, for three business days (R123).
        let provisional =
            open.is_none() && over && held_back > 0 && used - held_back <= effective && self.business_days(began, now) <= 3;
        self.closed[pool] =
            Closed { allowance: Some((bought, agreed)), held_back, provisional: provisional.then_some(began), below_zero };
        if provisional {
            return;
        }
        let open = open.filter(|&at| {
            let void = self.would_not_have_been(&self.episodes[at], now);
            if void {
                let episode = &mut self.episodes[at];
                episode.closed = Some(now.max(episode.samples.last().expect("one").0));
                episode.outcome = Some(Outcome::Void);
            }
            !void
        });
        // A new one not inside of the one before, even if the clock was set back (I7).
        let before = self.episodes.iter().filter(|e| e.pool == pool && e.outcome != Some(Outcome::Void));
        let seen = if open.is_some() { now } else { before.filter_map(|e| e.closed).fold(began, Instant::max) };
        self.observe(pool, seen, used, effective);
    }

    /// What an instant shows of a pool: its episode opens, goes on or closes (R60).
    fn observe(&mut self, pool: usize, at: Instant, used: u32, effective: u32) {
        let over = used > effective;
        let Some(open) = self.episodes.iter().position(|e| e.pool == pool && e.closed.is_none()) else {
            if over {
                let (day, samples) = (self.today(at), vec![(at, used, effective)]);
                self.episodes.push(Episode { pool, opened: at, day, samples, closed: None, outcome: None });
            }
            return;
        };
        let episode = &mut self.episodes[open];
        let &(last, last_used, last_effective) = episode.samples.last().expect("one");
        if !over {
            episode.closed = Some(at.max(last));
            episode.outcome = Some(if used <= last_effective { Outcome::Cured } else { Outcome::Raised });
        } else if (last_used, last_effective) != (used, effective) {
            episode.samples.push((at.max(last), used, effective));
        }
    }

    /// Dates act at their own instants, whoever looks, and whenever (R68, R132): allowances that began or ended since
    /// something was last written down are gone through in order, and the queue gets what they gave (R43).
    pub fn pass_time(&mut self, now: Instant) {
        let mut any = false;
        for pool in 0..self.closed.len() {
            // A pool whose books were never closed has no past.
            let Some(mut before) = self.closed[pool].allowance.and_then(|_| self.allowance(pool, self.passed)) else {
                continue;
            };
            let mut edges = self.edges(pool);
            edges.retain(|edge| self.passed < *edge && *edge <= now);
            edges.sort();
            for edge in edges {
                let after = self.allowance(pool, edge).expect("it has a limit");
                if after == before {
                    continue;
                }
                (before, any) = (after, true);
                let (used, held_back, effective) = (self.used(pool), self.closed[pool].held_back, after.0 + after.1);
                let open = self.episodes.iter().any(|e| e.pool == pool && e.closed.is_none());
                // What only held people make opens nothing by itself (R123).
                let provisional = !open && held_back > 0 && used - held_back <= effective;
                if !provisional {
                    self.observe(pool, edge, used, effective);
                }
            }
        }
        self.passed = self.passed.max(now);
        if any {
            let before = self.clone();
            self.fill(None, 0, now);
            self.note_released(&before, now);
        }
    }

    /// When something that was bought or agreed begins or ends.
    fn edges(&self, pool: usize) -> Vec<Instant> {
        let dated = self.grants.iter().chain(&self.agreed).filter(|(p, ..)| *p == pool);
        dated.flat_map(|(_, _, from, to)| [*from, *to]).collect()
    }

    /// Business days after the one of `from`, up to the one of `to` (R61).
    fn business_days(&self, from: Instant, to: Instant) -> usize {
        let (first, last) = (self.today(from), self.today(to));
        (1..=last.0 - first.0).filter(|&days| self.calendar.is_business_day(first.plus(days))).count()
    }

    /// Whether an episode would not have existed, had everything been written down in time (R53).
    fn would_not_have_been(&self, episode: &Episode, now: Instant) -> bool {
        let edges = self.edges(episode.pool);
        let fits = |used: u32, at: Instant| self.effective(episode.pool, at).is_none_or(|effective| used <= effective);
        episode.samples.iter().enumerate().all(|(index, &(at, used, _))| {
            let next = episode.samples.get(index + 1).map(|(at, ..)| *at).or(episode.closed);
            let inside = |edge: &&Instant| **edge > at && next.map_or(**edge <= now, |next| **edge < next);
            fits(used, at) && edges.iter().filter(inside).all(|edge| fits(used, *edge))
        })
    }

    /// A purchase for a time that is over may undo episodes that are over (R53).
    pub fn look_back(&mut self, pool: usize, from: Instant, now: Instant) {
        for at in 0..self.episodes.len() {
            let episode = &self.episodes[at];
            let over = episode.closed.is_some_and(|closed| from < closed);
            let is_void = episode.outcome == Some(Outcome::Void);
            if episode.pool == pool && over && !is_void && self.would_not_have_been(episode, now) {
                self.episodes[at].outcome = Some(Outcome::Void);
            }
        }
    }
}
