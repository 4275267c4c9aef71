//! A plan that is committed later than it was made: the overages that it opens, moves and closes do so when it is
//! committed, and so do the clocks that it starts (R60, R66).

use crate::base::{Instant, PoolId};
use crate::license::{
    ClockFact, ClockStep, CureFrom, Entry, Episode, Pool, Stage, StageFact, Told, major_deadline, minor_deadline,
};
use crate::plan::action::Plan;
use crate::plan::input::Policy;
use crate::plan::overage::notice;

/// The plan as it is committed at `at`, on the date on which it was made: what it does at its own instant happens then.
/// What it only notices later than it happened stays where it was.
pub fn applied(plan: &Plan, policy: &Policy, at: Instant) -> Plan {
    let mut plan = plan.clone();
    let made = std::mem::replace(&mut plan.at, at);
    let moved = |instant: Instant| if instant == made { at } else { instant };
    let pool_of = |id: &PoolId| policy.pools.iter().find(|pool| pool.id == *id);
    let mut episodes: Vec<Episode> = Vec::new();
    for entry in &mut plan.entries {
        match entry {
            Entry::Episode(episode) => {
                move_episode(episode, &moved);
                episodes.push(episode.clone());
            }
            Entry::Pool { pool: _, books } => {
                books.provisional = books.provisional.map(moved);
                if let Some(episode) = &mut books.episode {
                    move_episode(episode, &moved);
                }
            }
            Entry::Clock(fact) => {
                (fact.at, fact.recorded) = (moved(fact.at), moved(fact.recorded));
                if let Some(pool) = pool_of(&fact.pool) {
                    move_deadline(fact, pool);
                }
                // It is told anew.
                let told = episodes.iter().rev().find(|episode| Some(episode.id) == fact.episode);
                let told = told.map(|episode| Told { fact: fact.clone(), episode: episode.clone() });
                let again = pool_of(&fact.pool).zip(told).and_then(|(pool, told)| notice(pool, &told));
                if let Some(again) = again {
                    plan.notices.iter_mut().filter(|known| known.key == again.key).for_each(|known| known.clone_from(&again));
                }
            }
            _ => {}
        }
    }
    plan
}

fn move_episode(episode: &mut Episode, moved: &impl Fn(Instant) -> Instant) {
    episode.opened = moved(episode.opened);
    episode.samples.iter_mut().for_each(|sample| sample.at = moved(sample.at));
    episode.closed = episode.closed.map(moved);
}

/// Deadlines count from the stage's date, or from the notice (R64, R66).
fn move_deadline(fact: &mut ClockFact, pool: &Pool) {
    let ClockStep::Stage(StageFact { stage, deadline: Some(deadline), .. }) = &mut fact.step else { return };
    let (clauses, calendar) = (&pool.clauses, &pool.calendar);
    match (*stage, clauses.major_cure_from) {
        (Stage::Minor, _) => *deadline = minor_deadline(clauses, calendar, fact.at),
        (Stage::MinorOverdue, _) | (Stage::Major, CureFrom::NoticeDelivered) => {}
        (Stage::Major, CureFrom::NoticeIssued) => {
            *deadline = major_deadline(clauses, calendar, fact.recorded.max(fact.at));
        }
        (Stage::Major, CureFrom::MajorStart) => *deadline = major_deadline(clauses, calendar, fact.at),
    }
}
