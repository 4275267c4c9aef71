//! Plays a stretch of the trail again: what each commit recorded of people, purchases, deliveries and decisions goes in,
//! and the functions that runs, decisions and sweeps use work out books, episodes, clocks and notices anew. With the
//! settings as they were that gives what was recorded; with other settings, what would have been.
//!
//! Two ways to look. *As recorded*: the clocks are looked at when a commit was made, as it was. *In time*: also whenever
//! something is due of which the record says nothing, because nobody knows when somebody would have looked at it.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Actor, EpisodeId, GrantId, Instant, PoolId, Seats, TextArena, Version};
use crate::license::{
    Book, ClaimChange, ClaimState, ClockFact, ClockStep, Entry, Episode, Grant, GrantKind, Interlock, Ledger, Names, Outcome,
    Phase, PoolBooks, StateCounts, allowance_in,
};
use crate::plan::action::Notice;
use crate::plan::fold::standing_of;
use crate::plan::hands::{Hands, acted_on, in_its_turn};
use crate::plan::input::{Policy, Standing};
use crate::plan::planner::with_retired_pools;
use crate::plan::pools::{Closing, PoolWork, Stock, close};
use crate::plan::purchase::{purchases, voided};
use crate::plan::seating::{Moved, Seating};
use crate::plan::sweep::{Sweep, Swept};

/// Looks at one instant; more would be a clock that runs in a circle.
const LOOKS_MAX: u32 = 1000;

/// A commit of the trail, as far as a replay needs it.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// The version it made.
    pub version: Version,
    /// When.
    pub at: Instant,
    /// What was done.
    pub verb: &'a str,
    /// The words behind positions.
    pub names: &'a Names,
    /// The keys of the people in `changes`.
    pub people: &'a TextArena,
    /// Changes of claims.
    pub changes: &'a [ClaimChange],
    /// Everything else.
    pub entries: &'a [Entry],
}

/// What a replay goes by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The settings. Of pools that are not in it the record is taken over.
    pub policy: Policy,
    /// `sync.stale_after`, in hours.
    pub stale_after_hours: u32,
    /// Purchases that were not made.
    pub grants: Vec<Grant>,
    /// Purchases that are left out, by id.
    pub without: Vec<GrantId>,
    /// Pools whose rule for a full pool differs from what it was.
    pub on_full_differs: BTreeSet<PoolId>,
    /// Clocks are looked at in time, with these hands; `None`: as recorded.
    pub hands: Option<BTreeMap<PoolId, Hands>>,
    /// Instants of which the record tells when somebody looked at them: then, and not before. With each, how many facts of
    /// it are still to come in the record.
    pub looked: BTreeMap<Instant, usize>,
}

/// How a pool stood from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// From when on.
    pub at: Instant,
    /// Used.
    pub used: Seats,
    /// Waiting.
    pub waiting: Seats,
    /// The effective allowance; `None`: unlimited.
    pub effective: Option<Seats>,
}

/// A replay on its way.
pub struct Replay {
    rules: Rules,
    standing: Standing,
    seating: Seating,
    /// The counts of each pool as recorded.
    counts: BTreeMap<PoolId, StateCounts>,
    /// All grants as recorded.
    recorded: Vec<Grant>,
    /// From when on sources were stale, where the record shows it: when they were looked at it does not tell.
    stale: Option<Instant>,
    pending: Vec<(Instant, Entry)>,
    majors: BTreeMap<PoolId, usize>,
    due: Instant,
    /// Episodes, those before the stretch among them.
    pub episodes: BTreeMap<EpisodeId, Episode>,
    /// What clocks wrote down in the stretch, in order; what an operator wrote among it.
    pub facts: Vec<ClockFact>,
    /// What was told in the stretch, in order.
    pub notices: Vec<(Instant, Notice)>,
    /// How pools stood.
    pub levels: BTreeMap<PoolId, Vec<Level>>,
    /// What the newest commit came to: books, episodes and clocks.
    pub made: Vec<Entry>,
}

impl Replay {
    /// Starts on the books that the trail led to at `at`. What differs in the settings counts from then on.
    pub fn new(ledger: &Ledger, at: Instant, since: Instant, rules: Rules) -> Self {
        let mut standing = Standing { at: since, ..standing_of(ledger) };
        // The closing of books does not look at these, and they may be many.
        let Standing { absences, orgs, pins, reuse, gone, .. } = &mut standing;
        (*absences, *orgs, *pins, *reuse, *gone) = Default::default();
        let names = standing.book.names.clone();
        let seating = Seating::new(&std::mem::replace(&mut standing.book, Book { names, ..Book::default() }));
        let known = |pool: &PoolId| rules.policy.pools.iter().any(|known| known.id == *pool);
        if rules.hands.is_some() {
            standing.terms.retain(|pool, _| known(pool));
        }
        let recorded = standing.grants.clone();
        standing.grants.retain(|grant| !rules.without.contains(&grant.id));
        standing.grants.extend(rules.grants.iter().cloned());
        let counts = standing.pools.iter().map(|(pool, books)| (pool.clone(), books.counts)).collect();
        let mut replay = Self {
            rules,
            standing,
            seating,
            counts,
            recorded,
            stale: None,
            pending: Vec::new(),
            majors: BTreeMap::new(),
            due: Instant::MAX,
            episodes: ledger.episodes().map(|episode| (episode.id, episode.clone())).collect(),
            facts: Vec::new(),
            notices: Vec::new(),
            levels: BTreeMap::new(),
            made: Vec::new(),
        };
        for (pool, books) in &replay.standing.pools {
            replay.levels.insert(pool.clone(), vec![level(at, books)]);
        }
        if replay.in_time() && ledger.version() > Version(0) {
            // What a setting changes at once: bands, seats that were bought before.
            replay.closed_now(at);
            replay.rest(at);
        }
        replay
    }

    fn in_time(&self) -> bool {
        self.rules.hands.is_some()
    }

    fn replays(&self, pool: &PoolId) -> bool {
        !self.in_time() || self.rules.policy.pools.iter().any(|known| known.id == *pool)
    }

    /// Plays a commit.
    pub fn step(&mut self, step: &Recorded<'_>) {
        if self.in_time() {
            self.look_until(step.at);
        }
        self.made.clear();
        self.standing.version = Version(step.version.0.saturating_sub(1));
        self.standing.book.names = step.names.clone();
        let is_clock = step.verb == "overage_clock";
        self.note_facts(step.entries);
        // Where a term moves its pool, what the dates do goes up to just before that.
        let moves_phase = |entry: &Entry| matches!(entry, Entry::Phase { phase, .. } if phase.since == step.at);
        let swept_to = if step.entries.iter().any(moves_phase) { step.at.plus_millis(-1) } else { step.at };
        if !is_clock {
            self.sweep(swept_to, &BTreeMap::new());
        }
        let moved = self.moved(step);
        let granted =
            step.entries.iter().filter_map(|entry| if let Entry::Granted(grant) = entry { Some(grant) } else { None });
        self.recorded.extend(granted.cloned());
        let held = |entry: &Entry| match entry {
            Entry::Pool { pool, books } => Some((pool.clone(), books.held_back.0)),
            _ => None,
        };
        let held: BTreeMap<PoolId, u32> = step.entries.iter().filter_map(held).collect();
        if is_clock {
            self.sweep(step.at, &moved);
        } else {
            let (mut before, mut phases) = (Vec::new(), self.standing.phases.clone());
            for entry in step.entries {
                match entry {
                    Entry::Phase { pool, phase } => {
                        phases.insert(pool.clone(), phase.clone());
                    }
                    entry if self.takes(entry) => before.push(entry.clone()),
                    entry => before.extend(in_its_turn(&mut self.pending, step.at, entry)),
                }
            }
            self.fold(step.at, &before);
            let closes = |entry: &Entry| matches!(entry, Entry::Pool { .. } | Entry::Episode(_));
            let decides_nothing = matches!(step.verb, "term" | "unpin");
            if step.verb == "grant" || (!decides_nothing && step.entries.iter().any(closes)) {
                let insisted = step.verb == "pin";
                let closing = self.close(&self.standing.clone(), &phases, step.at, (&moved, &held, &[]), insisted);
                self.take(step.at, closing.entries, closing.notices);
            }
            if matches!(step.verb, "grant" | "term") {
                self.void(step);
            }
            let moves = phases.iter().filter(|(pool, phase)| self.standing.phases.get(*pool) != Some(*phase));
            let moves: Vec<Entry> =
                moves.map(|(pool, phase)| Entry::Phase { pool: pool.clone(), phase: phase.clone() }).collect();
            self.fold(step.at, &moves);
        }
        // A package that is taken in is a look at its source.
        if step.entries.iter().any(|entry| matches!(entry, Entry::Adopted(_))) {
            self.stale = None;
        }
        if self.in_time() {
            self.rest(step.at);
        }
    }

    /// Looks a last time.
    pub fn end(&mut self, at: Instant) {
        if self.in_time() {
            self.look_until(at.plus_millis(1));
        } else {
            self.sweep(at, &BTreeMap::new());
        }
    }

    /// Whether an entry is what people or sources did, and not what followed from it.
    fn takes(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Granted(grant) => {
                let by_clock = grant.kind == GrantKind::TierUpgrade && grant.by == Actor::system();
                !by_clock && !self.rules.without.contains(&grant.id)
            }
            Entry::ExcessAgreed(_) | Entry::Term(_) | Entry::Hold(_) | Entry::Adopted(_) => true,
            Entry::Pool { pool, .. } => !self.replays(pool),
            Entry::NoticeDelivered(_) => !self.in_time(),
            Entry::Clock(fact) => match fact.step {
                ClockStep::Frozen { .. } | ClockStep::Unfrozen { .. } => true,
                ClockStep::Approved { .. } => !self.in_time(),
                _ => false,
            },
            _ => false,
        }
    }

    /// Facts that are recorded are no longer to come. An upgrade that was withheld for stale sources shows that they were; one
    /// that was taken, that they no longer are.
    fn note_facts(&mut self, entries: &[Entry]) {
        for entry in entries {
            let Entry::Clock(fact) = entry else { continue };
            self.rules.looked.entry(fact.at).and_modify(|to_come| *to_come = to_come.saturating_sub(1));
            match &fact.step {
                ClockStep::Withheld { reasons, .. } if reasons.contains(&Interlock::StaleSnapshot) => {
                    self.stale = Some(fact.at);
                }
                ClockStep::Upgraded { .. } => self.stale = None,
                _ => {}
            }
        }
    }

    /// What happened to claims, by pool; the recorded counts follow.
    fn moved(&mut self, step: &Recorded<'_>) -> BTreeMap<PoolId, Moved> {
        let mut moved: BTreeMap<PoolId, Moved> = BTreeMap::new();
        for change in step.changes {
            let pool = step.names.pool_of(&change.after);
            let moved = moved.entry(pool.clone()).or_default();
            self.seating.note(step.people.get(change.person), change, pool, moved);
        }
        for entry in step.entries {
            if let Entry::Pool { pool, books } = entry {
                self.counts.insert(pool.clone(), books.counts);
            }
        }
        moved
    }

    /// Closed episodes that a purchase explains away (R53).
    fn void(&mut self, step: &Recorded<'_>) {
        let episodes: Vec<Episode> = self.episodes.values().cloned().collect();
        let granted = |entry: &Entry| if let Entry::Granted(grant) = entry { Some(grant.clone()) } else { None };
        let grants: Vec<Grant> = step.entries.iter().filter_map(granted).collect();
        let grants: Vec<Grant> = grants.into_iter().filter(|grant| !self.rules.without.contains(&grant.id)).collect();
        let bought = purchases(&grants, &[]);
        let (entries, notices) = voided(&bought, &self.rules.policy, &self.standing, &episodes, step.at);
        if !entries.is_empty() {
            self.take(step.at, entries, notices);
        }
    }

    /// Looks whenever something is due, before an instant.
    fn look_until(&mut self, until: Instant) {
        loop {
            let pending = self.pending.iter().map(|(at, _)| *at).min().unwrap_or(Instant::MAX);
            let due = if self.rules.looked.contains_key(&self.due) { Instant::MAX } else { self.due };
            let next = pending.min(due);
            if next >= until {
                return;
            }
            let (now, later) = std::mem::take(&mut self.pending).into_iter().partition(|(at, _)| *at <= next);
            self.pending = later;
            let now: Vec<(Instant, Entry)> = now;
            let entries: Vec<Entry> = now.into_iter().map(|(_, entry)| entry).collect();
            self.fold(next, &entries);
            self.rest(next);
        }
    }

    /// Looks until nothing is due, and notes when something is.
    fn rest(&mut self, at: Instant) {
        // What a commit made due at once waits if the record has it only of a later look.
        if self.rules.looked.get(&at).is_some_and(|to_come| *to_come > 0) && !self.swept(at).is_empty() {
            self.due = at;
            return;
        }
        for _ in 0..LOOKS_MAX {
            if !self.sweep(at, &BTreeMap::new()) {
                return;
            }
        }
        self.due = Instant::MAX;
    }

    /// What is due in overages, as the sweep has it.
    fn swept(&self, now: Instant) -> Swept {
        let Rules { policy, stale_after_hours, .. } = &self.rules;
        let (standing, stale_after_hours) = (&self.standing, *stale_after_hours);
        let old_millis = i64::from(stale_after_hours) * 3_600_000 + 1;
        let newest_snapshot = Some(self.stale.map_or(Instant::MAX, |stale| stale.plus_millis(-old_millis)));
        Sweep { policy, standing, newest_snapshot, stale_after_hours, now }.swept()
    }

    /// Writes down what is due in overages. Says whether something was.
    fn sweep(&mut self, now: Instant, moved: &BTreeMap<PoolId, Moved>) -> bool {
        let swept = self.swept(now);
        if swept.is_empty() {
            self.due = swept.next;
            if moved.is_empty() {
                return false;
            }
        }
        let after = swept.applied(&self.standing);
        let (mut entries, mut notices) = (swept.entries, swept.notices);
        if !swept.affected.is_empty() || !moved.is_empty() {
            let phases = after.phases.clone();
            let closing = self.close(&after, &phases, now, (moved, &BTreeMap::new(), &swept.affected), false);
            entries.extend(closing.entries);
            notices.extend(closing.notices);
        }
        self.take(now, entries, notices);
        true
    }

    /// Closes the books as they are, with what the settings make of them.
    fn closed_now(&mut self, at: Instant) {
        let (standing, nothing) = (self.standing.clone(), BTreeMap::new());
        let closing = self.close(&standing, &standing.phases, at, (&nothing, &BTreeMap::new(), &[]), false);
        self.take(at, closing.entries, closing.notices);
    }

    /// Closes the books of all pools, as runs and decisions do.
    fn close(
        &mut self,
        standing: &Standing,
        phases: &BTreeMap<PoolId, Phase>,
        at: Instant,
        (moved, held, affected): (&BTreeMap<PoolId, Moved>, &BTreeMap<PoolId, u32>, &[PoolId]),
        insisted: bool,
    ) -> Closing {
        let in_time = self.in_time();
        let Self { rules, seating, counts, recorded, .. } = self;
        let extended = with_retired_pools(&rules.policy, standing);
        let nothing = Moved::default();
        let mut works = Vec::new();
        for (place, pool) in extended.pools.iter().enumerate() {
            let phase = phases.get(&pool.id).cloned().unwrap_or(Phase::UNBOUND);
            let books = standing.pools.get(&pool.id);
            let before = books.map(|books| books.counts).unwrap_or_default();
            let mut stock = Stock::empty(vec![None; pool.reservations.len()]);
            stock.counts = before;
            let names = &standing.book.names;
            let Some(mut work) = PoolWork::new((&extended, place), standing, names, (phase.clone(), &stock), at) else {
                continue;
            };
            let allowance = work.allowance;
            let moved_here = moved.get(&pool.id).unwrap_or(&nothing);
            let counted = counts.get(&pool.id).copied().unwrap_or_default();
            let after = if in_time {
                let as_bought = allowance_in(&phase, pool, recorded, &standing.agreed, at);
                let differs = as_bought != allowance || rules.on_full_differs.contains(&pool.id);
                let gate = phase.gate(&pool.renewal);
                seating.settle(pool, counted, allowance.effective(), gate, moved_here, differs)
            } else {
                counted
            };
            let over = allowance.effective().is_some_and(|effective| before.used() >= effective);
            if insisted && over {
                work.overridden = moved_here.by_hand;
            }
            // As a decision has it: what was insisted on is given before the frees are counted.
            let given = before.used().0.saturating_add(work.overridden);
            let mut freed = StateCounts::default();
            freed.set(ClaimState::Active, Seats(given.saturating_sub(moved_here.left)));
            work.counts = freed;
            work.frees_done();
            work.counts = after;
            if moved_here.touched || affected.contains(&pool.id) {
                work.touch();
            }
            let held_before = books.map_or(0, |books| books.held_back.0);
            work.held_back = held.get(&pool.id).copied().unwrap_or(held_before).min(after.used().0);
            works.push(work);
        }
        close(&works, &extended, standing, at)
    }

    /// Takes over what was worked out.
    fn take(&mut self, at: Instant, entries: Vec<Entry>, notices: Vec<Notice>) {
        self.fold(at, &entries);
        let ours = |notice: &Notice| notice.pool.as_ref().is_none_or(|pool| self.replays(pool));
        let notices: Vec<(Instant, Notice)> = notices.into_iter().filter(ours).map(|notice| (at, notice)).collect();
        self.notices.extend(notices);
        self.made.extend(entries);
    }

    /// Writes entries into the books, as a store would.
    fn fold(&mut self, at: Instant, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        let standing = &mut self.standing;
        standing.at = standing.at.max(at);
        for entry in entries {
            match entry {
                Entry::PoolDefined(terms) => {
                    standing.terms.insert(terms.pool.clone(), terms.clone());
                }
                Entry::Granted(grant) => standing.grants.push(grant.clone()),
                Entry::ExcessAgreed(agreed) => standing.agreed.push(agreed.clone()),
                Entry::Pool { pool, books } => {
                    standing.pools.insert(pool.clone(), books.clone());
                    self.levels.entry(pool.clone()).or_default().push(level(at, books));
                }
                Entry::Episode(episode) => {
                    standing.next_episode = standing.next_episode.max(EpisodeId(episode.id.0 + 1));
                    self.episodes.insert(episode.id, episode.clone());
                    let of_pool = self.episodes.values().filter(|known| known.pool == episode.pool);
                    let mut closed = of_pool.filter(|e| e.closed.is_some() && e.outcome != Some(Outcome::Void));
                    let ended = closed.clone().filter_map(|episode| episode.closed).max();
                    standing.overage_ended.remove(&episode.pool);
                    standing.overage_ended.extend(ended.map(|at| (episode.pool.clone(), at)));
                    standing.former.remove(&episode.pool);
                    standing.former.extend(closed.next_back().map(|former| (former.pool.clone(), former.clone())));
                }
                Entry::Clock(fact) => {
                    standing.clock.entry(fact.episode).or_default().push(fact.clone());
                    self.facts.push(fact.clone());
                    let hands = self.rules.hands.as_ref().map(|hands| hands.get(&fact.pool));
                    if let Some(hands) = hands {
                        let nth = self.majors.entry(fact.pool.clone()).or_default();
                        self.pending.extend(acted_on(fact, hands.unwrap_or(&Hands::default()), nth));
                    }
                }
                Entry::NoticeDelivered(delivery) => {
                    if let Some(episode) = delivery.episode {
                        standing.deliveries.entry(episode).or_default().push(delivery.clone());
                    }
                }
                Entry::Hold(hold) => standing.hold = Some(hold.clone()),
                Entry::Adopted(mark) => {
                    standing.sources.insert(mark.source.clone(), mark.clone());
                }
                Entry::Term(term) => {
                    standing.chain.retain(|known| known.id != term.id);
                    standing.chain.push(term.clone());
                }
                Entry::Phase { pool, phase } => {
                    standing.phases.insert(pool.clone(), phase.clone());
                }
                _ => {}
            }
        }
    }
}

fn level(at: Instant, books: &PoolBooks) -> Level {
    let (used, waiting) = (books.counts.used(), books.counts.of(ClaimState::Waiting));
    Level { at, used, waiting, effective: books.allowance.effective() }
}
