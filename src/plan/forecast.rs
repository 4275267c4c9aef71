//! The forecast of one pool, read off the days that were played ahead: its curve, the stages that come with their
//! deadlines, and what cures them for the least money.

use crate::base::{Day, Instant, Seats};
use crate::license::{
    Allowance, Band, ClockFact, ClockStep, Cures, Phase, Pool, Shortage, Stage, StageFact, StageWhy, TermState, phase_at,
    year_anchor,
};
use crate::plan::ahead::{Ahead, Mark};

/// A pool on one of its days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayAhead {
    /// The day, in the pool's calendar.
    pub day: Day,
    /// The most that is used on it.
    pub used_max: Seats,
    /// Used when it ends.
    pub used: Seats,
    /// Waiting when it ends.
    pub waiting: Seats,
    /// Suspended when it ends.
    pub suspended: Seats,
    /// Bought and agreed when it ends.
    pub allowance: Allowance,
    /// The band when it ends.
    pub band: Band,
    /// Where the pool is in its terms when it ends.
    pub term: TermState,
    /// The stage when it ends.
    pub stage: Option<Stage>,
}

/// Why somebody could be removed from a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateWhy {
    /// A named seat of somebody in no team.
    Held,
    /// No log-in for long (R144).
    Inactive,
    /// The seat ends by itself on this day, which is after the deadline.
    Leaves(Day),
}

impl CandidateWhy {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            CandidateWhy::Held => "held",
            CandidateWhy::Inactive => "inactive",
            CandidateWhy::Leaves(_) => "leaves",
        }
    }
}

/// Somebody who could be removed from a pool (R144).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub person: String,
    /// Why.
    pub why: CandidateWhy,
}

/// A stage that is on or comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageAhead {
    /// From when on; late ones at their true instant.
    pub at: Instant,
    /// The first day of it.
    pub day: Day,
    /// Which, and why.
    pub stage: StageFact,
    /// It is on now.
    pub is_on: bool,
    /// By when to cure it; `None`: nothing follows.
    pub deadline: Option<Instant>,
    /// What cures it before then.
    pub cures: Cures,
    /// Who could be removed, no more than are needed.
    pub candidates: Vec<Candidate>,
}

/// Something else that will happen to a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoveAhead {
    /// Its clock writes something down that is no stage: an upgrade, what keeps one from happening, an end.
    Fact(Box<ClockFact>),
    /// It moves on in its terms.
    Phase(Phase),
}

/// What becomes of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolForecast {
    /// Day by day, today first.
    pub days: Vec<DayAhead>,
    /// Its stages.
    pub stages: Vec<StageAhead>,
    /// What else happens, from when on, in the order of time.
    pub moves: Vec<(Instant, MoveAhead)>,
}

/// The forecast of a pool from `now` to `last`. `candidates` are people who could be removed, those to be taken first
/// first. `None`: nothing was ever written down of it.
pub fn pool_forecast(
    pool: &Pool,
    ahead: &Ahead,
    candidates: &[Candidate],
    (now, last): (Instant, Day),
) -> Option<PoolForecast> {
    let marks = ahead.marks.get(&pool.id)?;
    let calendar = &pool.calendar;
    let today = calendar.day_of(now);
    let days = (today.0..=last.0.max(today.0)).map(|day| {
        let day = Day(day);
        let (start, end) = (calendar.start_of(day), calendar.end_of(day).plus_millis(-1));
        let close = *mark_at(marks, end);
        let within = marks.iter().filter(|mark| start < mark.at && mark.at <= end);
        let used_max = within.map(|mark| mark.used).chain([mark_at(marks, start).used]).max().unwrap_or_default();
        let Mark { at: _, used, waiting, suspended, allowance, band, term, stage } = close;
        DayAhead { day, used_max, used, waiting, suspended, allowance, band, term, stage }
    });
    let on = ahead.stages.iter().map(|fact| (fact, true));
    let facts = on.chain(ahead.facts.iter().map(|fact| (fact, false))).filter(|(fact, _)| fact.pool == pool.id);
    let stages = facts.clone().filter_map(|(fact, is_on)| stage_ahead(pool, ahead, marks, candidates, fact, is_on));
    let others = facts.filter(|(fact, _)| !matches!(fact.step, ClockStep::Stage(_)));
    let others = others.map(|(fact, _)| (fact.at, MoveAhead::Fact(Box::new(fact.clone()))));
    let phases = ahead.phases.iter().filter(|(id, _)| *id == pool.id);
    let phases = phases.map(|(_, phase)| (phase.since, MoveAhead::Phase(phase.clone())));
    let mut moves: Vec<(Instant, MoveAhead)> = others.chain(phases).collect();
    moves.sort_by_key(|(at, _)| *at);
    Some(PoolForecast { days: days.collect(), stages: stages.collect(), moves })
}

fn stage_ahead(
    pool: &Pool,
    ahead: &Ahead,
    marks: &[Mark],
    candidates: &[Candidate],
    fact: &ClockFact,
    is_on: bool,
) -> Option<StageAhead> {
    let ClockStep::Stage(stage) = &fact.step else { return None };
    let calendar = &pool.calendar;
    let deadline = match stage.stage {
        Stage::Minor | Stage::MinorOverdue => stage.deadline,
        Stage::Major => fact.episode.and_then(|id| ahead.windows.get(&(id, stage.round)).copied()),
    };
    let (mut cures, mut wanted) = (Cures::default(), Vec::new());
    if let Some(deadline) = deadline {
        let in_time = deadline.plus_millis(-1);
        let mark = mark_at(marks, in_time);
        let leavers = ahead.leavers.get(&pool.id).map_or(&[][..], Vec::as_slice);
        let stays = |person: &str| leavers.iter().all(|(leaver, at)| leaver != person || *at >= deadline);
        wanted.extend(candidates.iter().filter(|candidate| stays(&candidate.person)).cloned());
        for (person, at) in leavers.iter().filter(|(_, at)| *at >= deadline) {
            if wanted.iter().all(|known| known.person != *person) {
                let why = CandidateWhy::Leaves(calendar.day_of(*at));
                wanted.push(Candidate { person: person.clone(), why });
            }
        }
        let shortage = Shortage {
            pool,
            used: mark.used,
            allowance: mark.allowance,
            by_band: stage.stage == Stage::Major && stage.why == StageWhy::Band,
            at: in_time,
            phase: &phase_at(&ahead.chain, pool, in_time),
            anchor: year_anchor(pool, &ahead.chain),
            removable: Seats(u32::try_from(wanted.len()).unwrap_or(u32::MAX)),
        };
        cures = shortage.cures();
        wanted.truncate(cures.excess.0 as usize);
    }
    let (at, stage) = (fact.at, stage.clone());
    Some(StageAhead { at, day: calendar.day_of(at), stage, is_on, deadline, cures, candidates: wanted })
}

/// How a pool stands at an instant; before the first mark as it stands then.
fn mark_at(marks: &[Mark], at: Instant) -> &Mark {
    let begun = marks.partition_point(|mark| mark.at <= at);
    &marks[begun.saturating_sub(1)]
}
