//! Stages of an episode, each from a true instant on (R61, R63, R65, R68, R71).
//!
//! A stage depends on the episode's samples, the calendar and the clauses, and on nothing that happens when somebody
//! looks. What was written down stays: a calendar that changes moves only what has not happened yet.

use crate::base::{Calendar, Day, Instant};
use crate::license::books::{Band, Episode};
use crate::license::clauses::{Clauses, GapBand};

/// What the contract says about an episode at an instant (R63).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Up to the tenth business day.
    Minor,
    /// Up to the twentieth.
    MinorOverdue,
    /// After it, or in the major band.
    Major,
}

impl Stage {
    /// All stages.
    pub const ALL: [Stage; 3] = [Stage::Minor, Stage::MinorOverdue, Stage::Major];

    /// The stage's word.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Minor => "minor",
            Stage::MinorOverdue => "minor_overdue",
            Stage::Major => "major",
        }
    }
}

/// Why a stage began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageWhy {
    /// The episode opened.
    Opened,
    /// So many business days passed.
    Time,
    /// The major band was entered, or is still there after an upgrade.
    Band,
    /// The major band was left: the episode goes on by time (R71).
    BandLeft,
}

impl StageWhy {
    /// All of them.
    pub const ALL: [StageWhy; 4] = [StageWhy::Opened, StageWhy::Time, StageWhy::Band, StageWhy::BandLeft];

    /// The reason's word.
    pub fn word(self) -> &'static str {
        match self {
            StageWhy::Opened => "opened",
            StageWhy::Time => "time",
            StageWhy::Band => "band",
            StageWhy::BandLeft => "band_left",
        }
    }
}

/// A stage that began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Which.
    pub stage: Stage,
    /// Why.
    pub why: StageWhy,
    /// From when on.
    pub at: Instant,
}

/// When the stages begin that only time brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageDates {
    /// `minor_overdue`: the start of the first day with more than `minor_business_days` elapsed.
    pub overdue: Instant,
    /// `major`: the start of the first day with more than `major_after_business_days` elapsed.
    pub major: Instant,
}

/// Business days elapsed on `day` for a clock that began on `day0` (R61).
pub fn elapsed(clauses: &Clauses, calendar: &Calendar, day0: Day, day: Day) -> u32 {
    let first = u32::from(clauses.count_first_day && calendar.is_business_day(day0) && day >= day0);
    first + calendar.business_days_between(day0, day)
}

/// The first date on which `count` business days have elapsed (R61).
pub fn day_of_count(clauses: &Clauses, calendar: &Calendar, day0: Day, count: u32) -> Day {
    let first = u32::from(clauses.count_first_day && calendar.is_business_day(day0));
    calendar.business_day_after(day0, count.saturating_sub(first))
}

impl StageDates {
    /// For a clock that began on `day0`.
    pub fn new(clauses: &Clauses, calendar: &Calendar, day0: Day) -> Self {
        let after = |days: u32| calendar.start_of(day_of_count(clauses, calendar, day0, days.saturating_add(1)));
        Self { overdue: after(clauses.minor_business_days), major: after(clauses.major_after_business_days) }
    }
}

/// Whether a band is major by these clauses (R59).
pub fn is_major(band: Band, clauses: &Clauses) -> bool {
    band == Band::Major || (band == Band::Gap && clauses.gap_band == GapBand::Major)
}

/// An episode on its way through the stages.
#[derive(Clone, Debug)]
pub struct Course<'a> {
    /// Its clauses.
    pub clauses: &'a Clauses,
    /// Its samples, opening and end.
    pub episode: &'a Episode,
    /// When time brings stages, those that it brought already at the instants that were written down.
    pub dates: StageDates,
    /// The stage written down last.
    pub last: Option<Turn>,
    /// An upgrade after that: whatever is still major starts anew (R77).
    pub upgraded: Option<Instant>,
}

impl Course<'_> {
    /// The stages that began since the last one written down, up to and including `until`; of a closed episode, before
    /// its end.
    pub fn turns(&self, until: Instant) -> Vec<Turn> {
        let Course { clauses, episode, dates, last, upgraded } = self;
        let from = last.map_or(episode.opened, |turn| turn.at);
        let samples = episode.samples.iter().map(|sample| sample.at).filter(|at| *at >= from);
        let mut looks: Vec<Instant> = samples.chain([from, dates.overdue.max(from), dates.major.max(from)]).collect();
        looks.extend(*upgraded);
        looks.sort_unstable();
        looks.dedup();
        looks.retain(|at| *at <= until && episode.closed.is_none_or(|closed| *at < closed));

        let mut turns: Vec<Turn> = Vec::new();
        let mut current = *last;
        for at in looks {
            let before = episode.samples.partition_point(|sample| sample.at <= at);
            let Some(sample) = before.checked_sub(1).and_then(|last| episode.samples.get(last)) else { continue };
            let major = is_major(sample.band, clauses);
            let anew = if *upgraded == Some(at) { self.next(None, major, at) } else { None };
            let turn = anew.filter(|turn| turn.stage == Stage::Major).or_else(|| self.next(current, major, at));
            if let Some(turn) = turn {
                turns.push(turn);
                current = Some(turn);
            }
        }
        turns
    }

    /// What follows `current` at an instant; `None`: it goes on.
    fn next(&self, current: Option<Turn>, major: bool, at: Instant) -> Option<Turn> {
        let is = |stage: Stage| current.is_some_and(|turn| turn.stage == stage);
        let by_band = is(Stage::Major) && current.is_some_and(|turn| turn.why == StageWhy::Band);
        let turn = |stage, why| Some(Turn { stage, why, at });
        if major {
            // What is major by time stays so, whatever the band does.
            return if is(Stage::Major) { None } else { turn(Stage::Major, StageWhy::Band) };
        }
        if at >= self.dates.major {
            // Leaving the band stopped that clock; by time it is major as well: another one begins (R71).
            return if is(Stage::Major) && !by_band { None } else { turn(Stage::Major, StageWhy::Time) };
        }
        let why = if by_band { StageWhy::BandLeft } else { StageWhy::Time };
        if at >= self.dates.overdue {
            return if is(Stage::MinorOverdue) { None } else { turn(Stage::MinorOverdue, why) };
        }
        match current {
            None => turn(Stage::Minor, StageWhy::Opened),
            Some(_) if by_band => turn(Stage::Minor, StageWhy::BandLeft),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
