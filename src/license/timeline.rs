//! An overage on its way through time: episodes open, move and close, stages begin, tiers are taken, each at its true
//! instant (R60 to R71, R76, R77). Runs, decisions and the sweep all move it forward with the same steps, so that its
//! history does not depend on who came by, or when.

use std::borrow::Cow;

use crate::base::{Actor, Day, EpisodeId, Instant, PoolId, Seats};
use crate::license::allowance::changes_between;
use crate::license::band::band;
use crate::license::books::{Allowance, Band, Cause, Episode, Outcome, PoolBooks};
use crate::license::causes::{Situation, leading_cause, step};
use crate::license::chain::{Phase, TermState, allowance_in, tier_on_offer};
use crate::license::clauses::{Clauses, CureFrom, GapBand};
use crate::license::clock_fact::{ClockFact, ClockStep, Delivery, Facts, Settled, StageFact};
use crate::license::entry::Entry;
use crate::license::episode::{Observation, Step, advance};
use crate::license::grant::{AgreedExcess, Grant};
use crate::license::hold::Hold;
use crate::license::pool::Pool;
use crate::license::stage::{Course, Stage, StageDates, StageWhy, Turn, elapsed};
use crate::license::tier::Quote;
use crate::license::window::{major_deadline, minor_deadline};

/// The newest closed episode of a pool; a new one may go on with its clock (R62).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Former {
    /// Which.
    pub episode: EpisodeId,
    /// Day 0 of its clock.
    pub day0: Day,
    /// When it closed.
    pub closed: Instant,
}

/// What a pool's timeline is worked out from.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The pool.
    pub pool: &'a Pool,
    /// Its grants; others' are left out.
    pub grants: &'a [Grant],
    /// Its agreed excesses; others' are left out.
    pub agreed: &'a [AgreedExcess],
    /// All grants of the customer, whose ids are taken.
    pub taken: &'a [Grant],
    /// Deliveries of notices of open episodes.
    pub deliveries: &'a [Delivery],
    /// The newest closed episode.
    pub former: Option<Former>,
    /// Where the pool is in its terms.
    pub phase: &'a Phase,
    /// From where its license years are counted.
    pub anchor: Option<Day>,
    /// When all of it is written down.
    pub now: Instant,
}

/// What an upgrade looks at before it happens (R69).
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Since when the books are as they are: the newest commit.
    pub since: Instant,
    /// When a source was last known to be as the books have it (R148).
    pub newest_snapshot: Option<Instant>,
    /// `sync.stale_after`.
    pub stale_after_hours: u32,
    /// The newest hold.
    pub hold: Option<&'a Hold>,
    /// An overage of the customer is provisional (R123).
    pub provisional: bool,
    /// Billing of the pool is frozen.
    pub frozen: bool,
}

impl Surroundings<'_> {
    /// From when on the newest snapshot is older than it may be; `None`: there is none.
    pub(super) fn stale_from(&self) -> Option<Instant> {
        let old_millis = i64::from(self.stale_after_hours) * 3_600_000 + 1;
        self.newest_snapshot.map(|taken| taken.plus_millis(old_millis))
    }
}

/// A fact that is new, and the episode as it was then: what a notice is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The fact.
    pub fact: ClockFact,
    /// The episode.
    pub episode: Episode,
}

/// A pool on its way.
#[derive(Clone, Debug)]
pub struct Timeline<'a> {
    pub(super) case: Case<'a>,
    pub(super) grants: Vec<Grant>,
    /// The open episode.
    pub episode: Option<Episode>,
    pub(super) facts: Vec<ClockFact>,
    former: Option<Former>,
    /// What is new, in order: grants, episodes, facts.
    pub entries: Vec<Entry>,
    /// What is to be told.
    pub told: Vec<Told>,
}

impl<'a> Timeline<'a> {
    /// A pool with its open episode and that episode's facts so far.
    pub fn new(case: Case<'a>, episode: Option<Episode>, facts: Vec<ClockFact>) -> Self {
        let former = case.former;
        Self { case, grants: Vec::new(), episode, facts, former, entries: Vec::new(), told: Vec::new() }
    }

    /// The grants that were taken on the way.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// The facts of the open episode.
    pub fn facts(&self) -> &[ClockFact] {
        &self.facts
    }

    /// What a commit sees: the episode opens, moves or closes, and stages begin that the new numbers bring (R60).
    pub fn observe(&mut self, seen: &Observation, next: &mut EpisodeId) {
        self.run_to(seen.at);
        match advance(self.episode.as_ref(), *next, seen) {
            Step::None => return,
            Step::Opened(opened) => {
                next.0 += 1;
                self.open(opened);
            }
            Step::Moved(moved) => {
                self.entries.push(Entry::Episode(moved.clone()));
                self.episode = Some(moved);
            }
            Step::Closed(closed) => self.close(closed),
        }
        self.run_to(seen.at);
    }

    /// The open episode ends for another reason than its numbers: it would not have existed (R53), or its term is over
    /// (R94).
    pub fn end(&mut self, ended: Episode) {
        self.close(ended);
    }

    /// Time passed since the newest commit, and nothing else did: allowances began and ended, stages began, upgrades came
    /// due. Says whether seats or books are affected.
    pub fn pass(&mut self, around: &Surroundings<'_>, books: &PoolBooks, next: &mut EpisodeId) -> bool {
        let (pool, used) = (self.case.pool, books.counts.used());
        let mut causes = books.causes.clone();
        let (mut cursor, mut affected) = (around.since, false);
        loop {
            let change = self.change_after(cursor);
            // A tier that is taken on the way is a change of its own, before this one.
            if self.upgrade_to(around, change.map_or(self.until(), |at| at.plus_millis(-1))) {
                affected = true;
                continue;
            }
            let Some(at) = change else { return affected };
            affected = true;
            let after = self.allowance(at);
            let situation = |allowance: Allowance| Situation { used, allowance };
            causes = step(&causes, situation(self.allowance(cursor)), situation(after), Cause::SyncOverdraw);
            cursor = at;
            let effective = after.effective();
            // What only held people make opens nothing by itself; whoever closes the books looks at it (R123).
            let free = Seats(used.0.saturating_sub(books.held_back.0));
            if self.episode.is_none() && free < used && effective.is_none_or(|effective| free <= effective) {
                continue;
            }
            let seen = Observation {
                pool: pool.id.clone(),
                at,
                day: pool.calendar.day_of(at),
                used,
                effective,
                band: band(used, effective, &pool.overage),
                cause: leading_cause(&causes).unwrap_or(Cause::AllowanceReduced),
            };
            self.observe(&seen, next);
        }
    }

    /// Stages that began, and what there was to tell, up to and including `until`, in the order of time.
    pub fn run_to(&mut self, until: Instant) {
        loop {
            let turn = self.next_turn(until);
            let told = [self.gap_entered(), self.cure_ended()];
            let told = told.into_iter().flatten().filter(|(at, _)| *at <= until).min_by_key(|(at, _)| *at);
            match (turn, told) {
                (Some(turn), told) if told.as_ref().is_none_or(|(at, _)| turn.at <= *at) => self.begin(turn),
                (_, Some((at, step))) => self.note(at, step),
                (_, None) => return,
            }
        }
    }

    fn next_turn(&self, until: Instant) -> Option<Turn> {
        let episode = self.episode.as_ref()?;
        let course = Course {
            clauses: &self.case.pool.clauses,
            episode,
            dates: self.dates(episode),
            last: self.last_turn(),
            upgraded: Facts(&self.facts).upgraded_last(),
        };
        course.turns(until).into_iter().next()
    }

    pub(super) fn clauses(&self) -> &'a Clauses {
        &self.case.pool.clauses
    }

    /// All grants, those taken on the way among them.
    fn all_grants(&self) -> Cow<'a, [Grant]> {
        match self.grants.as_slice() {
            [] => Cow::Borrowed(self.case.grants),
            taken => Cow::Owned([self.case.grants, taken].concat()),
        }
    }

    pub(super) fn allowance(&self, at: Instant) -> Allowance {
        allowance_in(self.case.phase, self.case.pool, &self.all_grants(), self.case.agreed, at)
    }

    /// Until when time alone tells what happens: the end of a term is a run of its own (R90 to R94).
    fn until(&self) -> Instant {
        self.case.phase.counting(self.case.now).unwrap_or(self.case.now)
    }

    /// The first change of the allowance after an instant, up to now.
    fn change_after(&self, after: Instant) -> Option<Instant> {
        let Case { pool, agreed, phase, .. } = self.case;
        if !matches!(phase.state, TermState::Unbound | TermState::NotStarted | TermState::Current) {
            return None;
        }
        changes_between(pool, &self.all_grants(), agreed, after, self.until()).first().copied()
    }

    fn open(&mut self, opened: Episode) {
        self.entries.push(Entry::Episode(opened.clone()));
        self.facts.clear();
        let calendar = &self.case.pool.calendar;
        let merges = self.former.filter(|former| {
            let gap = calendar.business_days_between(calendar.day_of(former.closed), opened.opened_day);
            gap < self.clauses().merge_gap_business_days
        });
        let at = opened.opened;
        self.episode = Some(opened);
        if let Some(Former { episode: of, day0, closed: _ }) = merges {
            self.note(at, ClockStep::Continues { of, day0 });
        }
    }

    pub(super) fn close(&mut self, closed: Episode) {
        let day0 = self.day0(&closed);
        let at = closed.closed.unwrap_or(self.case.now);
        let outcome = closed.outcome.unwrap_or(Outcome::Cured);
        let calendar = &self.case.pool.calendar;
        let day = calendar.day_of(at);
        if outcome != Outcome::Void {
            self.former = Some(Former { episode: closed.id, day0, closed: at });
        }
        let settled = Settled {
            outcome,
            day0,
            day,
            elapsed: if outcome == Outcome::Void { 0 } else { elapsed(self.clauses(), calendar, day0, day) },
            zone: calendar.zone_name().to_owned(),
            weekend: calendar.weekend().map(|day| day as u16).collect(),
            holidays: calendar.holidays(day0, day).collect(),
            clauses: self.clauses().clone(),
            notice: key("overage_closed", &closed),
        };
        self.entries.push(Entry::Episode(closed.clone()));
        self.episode = Some(closed);
        self.note(at, ClockStep::Settled(settled));
        self.episode = None;
        self.facts.clear();
    }

    /// Day 0 of an episode's clock (R61, R62).
    fn day0(&self, episode: &Episode) -> Day {
        Facts(&self.facts).continues().map_or(episode.opened_day, |(_, day0)| day0)
    }

    /// When time brings stages. What it brought already stays where it was written down.
    pub fn dates(&self, episode: &Episode) -> StageDates {
        let mut dates = StageDates::new(self.clauses(), &self.case.pool.calendar, self.day0(episode));
        for (fact, stage) in Facts(&self.facts).stages() {
            let by_time = stage.stage == Stage::Major && stage.why == StageWhy::Time;
            if by_time {
                dates.major = dates.major.min(fact.at);
            }
            if by_time || stage.stage == Stage::MinorOverdue {
                dates.overdue = dates.overdue.min(fact.at);
            }
        }
        dates
    }

    fn last_turn(&self) -> Option<Turn> {
        let (fact, stage) = Facts(&self.facts).stages().next_back()?;
        Some(Turn { stage: stage.stage, why: stage.why, at: fact.at })
    }

    pub(super) fn note(&mut self, at: Instant, step: ClockStep) {
        let Some(episode) = &self.episode else { return };
        let fact = ClockFact {
            pool: self.case.pool.id.clone(),
            episode: Some(episode.id),
            at,
            recorded: self.case.now,
            by: Actor::system(),
            step,
        };
        self.entries.push(Entry::Clock(fact.clone()));
        self.told.push(Told { fact: fact.clone(), episode: episode.clone() });
        self.facts.push(fact);
    }

    pub(super) fn offer(&self, episode: &Episode, at: Instant) -> Option<Quote> {
        let pool = self.case.pool;
        let used = used_at(episode, at);
        let Case { phase, anchor, .. } = self.case;
        self.allowance(at).seats.and_then(|seats| tier_on_offer(pool, (phase, anchor), (seats, used), at))
    }

    fn begin(&mut self, turn: Turn) {
        let Some(episode) = &self.episode else { return };
        let Turn { stage, why, at } = turn;
        let round = Facts(&self.facts).rounds(stage) + 1;
        let (calendar, now) = (&self.case.pool.calendar, self.case.now);
        let first = round == 1;
        let (notice, deadline) = match stage {
            Stage::Minor => {
                (first.then(|| key("overage_minor", episode)), first.then(|| minor_deadline(self.clauses(), calendar, at)))
            }
            Stage::MinorOverdue => (first.then(|| key("overage_overdue", episode)), first.then(|| self.dates(episode).major)),
            Stage::Major => {
                let start = match self.clauses().major_cure_from {
                    CureFrom::NoticeDelivered => None,
                    CureFrom::NoticeIssued => Some(now.max(at)),
                    CureFrom::MajorStart => Some(at),
                };
                (
                    Some(format!("{}/{round}", key("overage_major", episode))),
                    start.map(|start| major_deadline(self.clauses(), calendar, start)),
                )
            }
        };
        let offer = self.offer(episode, at);
        self.note(at, ClockStep::Stage(StageFact { stage, why, round, notice, deadline, offer }));
    }

    /// The gap is told of where the clauses say no more than that (R59).
    fn gap_entered(&self) -> Option<(Instant, ClockStep)> {
        let episode = self.episode.as_ref().filter(|_| self.clauses().gap_band == GapBand::Warn)?;
        if Facts(&self.facts).any(|step| matches!(step, ClockStep::GapEntered { .. })) {
            return None;
        }
        let entered = episode.samples.iter().find(|sample| sample.band == Band::Gap)?;
        Some((entered.at, ClockStep::GapEntered { notice: key("overage_gap", episode) }))
    }

    /// After the cure deadline the account manager is told again (R65); where the stage itself turns overdue no later
    /// than on the next business day, that says it.
    fn cure_ended(&self) -> Option<(Instant, ClockStep)> {
        let episode = self.episode.as_ref()?;
        let facts = Facts(&self.facts);
        if facts.any(|step| matches!(step, ClockStep::CureEnded { .. })) {
            return None;
        }
        let (told, _) = facts.stages().find(|(_, stage)| stage.stage == Stage::Minor && stage.deadline.is_some())?;
        let calendar = &self.case.pool.calendar;
        let deadline = minor_deadline(self.clauses(), calendar, told.at);
        let next = calendar.start_of(calendar.business_day_after(calendar.day_of(deadline).plus(-1), 1));
        let stage = facts.stages().rfind(|(fact, _)| fact.at <= deadline).map(|(_, stage)| stage.stage);
        let is_news = stage == Some(Stage::Minor) && next < self.dates(episode).overdue;
        is_news.then(|| (deadline, ClockStep::CureEnded { notice: key("overage_cure_ended", episode) }))
    }
}

pub(super) fn used_at(episode: &Episode, at: Instant) -> Seats {
    let before = episode.samples.partition_point(|sample| sample.at <= at);
    let sample = before.checked_sub(1).and_then(|last| episode.samples.get(last)).or(episode.samples.first());
    sample.map_or(Seats(0), |sample| sample.used)
}

/// One notice per (pool, episode, stage) (R151).
pub(super) fn key(kind: &str, episode: &Episode) -> String {
    let pool: &PoolId = &episode.pool;
    format!("{kind}/{pool}/{}", episode.id)
}

#[cfg(test)]
mod tests;
