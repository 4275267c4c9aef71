//! Balances, overages and their episodes (R46, R49, R53, R60, R123).

use rosterd::base::Instant;

use crate::sim::auditor::books::{Auditor, Closed, Dated, Episode, Outcome};

impl Auditor {
    /// Closes the books of all pools after a commit. `held_back`: seats that an open hold would free, by pool.
    pub fn close(&mut self, now: Instant, held_back: &[u32]) {
        for (pool, held_back) in held_back.iter().enumerate() {
            self.close_pool(pool, now, *held_back);
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
        let mut open = open;
        if let Some(at) = open
            && self.would_not_have_been(&self.episodes[at], now)
        {
            let episode = &mut self.episodes[at];
            episode.closed = Some(now.max(episode.samples.last().expect("one").0));
            episode.outcome = Some(Outcome::Void);
            open = None;
        }
        match open {
            None if over => {
                // Not inside of the one before, even if the clock was set back (I7).
                let before = self.episodes.iter().filter(|e| e.pool == pool && e.outcome != Some(Outcome::Void));
                let began = before.filter_map(|e| e.closed).fold(began, Instant::max);
                let day = self.today(began);
                let samples = vec![(began, used, effective)];
                self.episodes.push(Episode { pool, opened: began, day, samples, closed: None, outcome: None });
            }
            None => {}
            Some(at) => {
                let episode = &mut self.episodes[at];
                let &(last, last_used, last_effective) = episode.samples.last().expect("one");
                if over {
                    if (last_used, last_effective) != (used, effective) {
                        episode.samples.push((now.max(last), used, effective));
                    }
                } else {
                    episode.closed = Some(now.max(last));
                    episode.outcome = Some(if used <= last_effective { Outcome::Cured } else { Outcome::Raised });
                }
            }
        }
    }

    /// Business days after the one of `from`, up to the one of `to` (R61).
    fn business_days(&self, from: Instant, to: Instant) -> usize {
        let (first, last) = (self.today(from), self.today(to));
        (1..=last.0 - first.0).filter(|&days| self.calendar.is_business_day(first.plus(days))).count()
    }

    /// Whether an episode would not have existed, had everything been written down in time (R53).
    fn would_not_have_been(&self, episode: &Episode, now: Instant) -> bool {
        let edges = |list: &[Dated]| {
            list.iter().filter(|(p, ..)| *p == episode.pool).flat_map(|(_, _, from, to)| [*from, *to]).collect::<Vec<_>>()
        };
        let edges = [edges(&self.grants), edges(&self.agreed)].concat();
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
