//! Reuse at work: what a plan makes of the people of a license year (R81 to R86).

use std::collections::BTreeSet;

use crate::base::{Instant, PersonKey, TextArena};
use crate::license::{
    ClaimChange, Entry, Gone, Names, NumberedSeats, ReuseLevel, ReuseScope, ReuseYear, SeatMoves, follow, seat_moves,
};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::input::Standing;
use crate::plan::license_year::reuse_year;
use crate::plan::pools::PoolWork;

/// What to write down and to tell of the people of the license years after `changes`; `rolls`: the years are those of
/// `now`, else those written down.
pub fn reuse(
    pools: &[PoolWork<'_>],
    standing: &Standing,
    (names, people): (&Names, &TextArena),
    changes: &[ClaimChange],
    now: Instant,
    rolls: bool,
) -> (Vec<Entry>, Vec<Notice>) {
    let (mut entries, mut notices) = (Vec::new(), Vec::new());
    let mut years: Vec<(&PoolWork<'_>, Option<&ReuseYear>, ReuseYear)> = Vec::new();
    for work in pools {
        let known = standing.reuse.get(&work.pool.id);
        let on = work.pool.calendar.day_of(now);
        let current = reuse_year(work.pool, &standing.chain, on).map(|(year, _)| year).filter(|_| rolls);
        // Where the settings name no year any more the last one goes on.
        let Some(year) = current.or(known.map(|known| known.year)) else { continue };
        let goes_on = known.filter(|known| known.year == year);
        let (used, allowance) = (work.counts.used(), work.allowance.seats.unwrap_or_default());
        years.push((work, goes_on, ReuseYear::after(known, &work.pool.id, year, used, allowance)));
    }
    let going_on = years.iter().filter(|(_, goes_on, _)| goes_on.is_some());
    let mut left: Gone = going_on.map(|(.., year)| (year.pool.clone(), BTreeSet::new())).collect();
    let counted = !left.is_empty();
    for change in changes.iter().filter(|_| counted) {
        let (pool, person) = (names.pool_of(&change.after), people.get(change.person));
        let known = || standing.gone.get(pool).is_some_and(|gone| gone.contains(person));
        if follow(&mut left, names, person, change) && !known() {
            years.iter_mut().filter(|(.., year)| year.pool == *pool).for_each(|(.., year)| year.distinct += 1);
        }
    }
    for (work, goes_on, mut year) in years {
        if let Some(seats) = numbered(work, &goes_on, &year, standing, (names, people), changes, rolls) {
            let (moves, people_max) = seats;
            year.people_max = Some(people_max);
            entries.extend(moves.map(Entry::NumberedSeats));
        } else {
            year.people_max = None;
        }
        if standing.reuse.get(&year.pool) == Some(&year) {
            continue;
        }
        let before = goes_on.map_or(ReuseLevel::Fine, |before| before.level(&work.pool.reuse));
        notices.extend(crossed(work, before, &year));
        entries.push(Entry::Reuse(year));
    }
    (entries, notices)
}

/// What becomes of a pool's numbered seats, and the most people one of them had then; `None`: it has none (R84). Numbers are
/// given where everybody who has a seat is known: in a run.
fn numbered(
    work: &PoolWork<'_>,
    goes_on: &Option<&ReuseYear>,
    year: &ReuseYear,
    standing: &Standing,
    (names, people): (&Names, &TextArena),
    changes: &[ClaimChange],
    rolls: bool,
) -> Option<(Option<SeatMoves>, u32)> {
    let wanted = work.pool.reuse.scope == ReuseScope::Seat;
    let known = goes_on.filter(|known| known.people_max.is_some()).and(standing.seats.get(&year.pool));
    let moves = || {
        let mine = changes.iter().filter(|change| change.after.pool == work.ix);
        mine.filter_map(|change| Some((people.get(change.person), seat_moves(change)?)))
    };
    let pool = year.pool.clone();
    match known {
        Some(known) if wanted || !rolls => {
            let (mut seats, mut touched) = (known.clone(), BTreeSet::new());
            let (gone, mut left) = (standing.gone.get(&pool), BTreeSet::new());
            for (person, gets) in moves() {
                if gets {
                    let is_new = !left.contains(person) && !gone.is_some_and(|gone| gone.contains(person));
                    touched.insert(seats.take(&PersonKey::from(person), is_new, year.allowance_max));
                } else {
                    left.insert(person);
                    touched.extend(seats.leave(person));
                }
            }
            let changed = touched.into_iter().filter_map(|number| seats.get(number).cloned()).collect::<Vec<_>>();
            let moves = (!changed.is_empty()).then_some(SeatMoves { pool, anew: false, seats: changed });
            Some((moves, seats.people_max()))
        }
        None if wanted && rolls => {
            let book = &standing.book;
            let has = |at: &usize| {
                book.claims_at(*at).iter().any(|claim| claim.state.consumes() && names.pool_of(claim) == &year.pool)
            };
            let mut holders: BTreeSet<&str> = (0..book.people.len()).filter(has).map(|at| book.key(at)).collect();
            for (person, gets) in moves() {
                if gets {
                    holders.insert(person)
                } else {
                    holders.remove(person)
                };
            }
            let seats = NumberedSeats::begin(holders.into_iter().map(PersonKey::from));
            let moves = SeatMoves { pool, anew: true, seats: seats.all().cloned().collect() };
            Some((Some(moves), seats.people_max()))
        }
        _ => None,
    }
}

/// A level is told when it is reached, once a year (R83).
fn crossed(work: &PoolWork<'_>, before: ReuseLevel, year: &ReuseYear) -> Option<Notice> {
    let (pool, rules) = (&work.pool.id, &work.pool.reuse);
    let level = year.level(rules);
    let kind = match level {
        ReuseLevel::Warning => NoticeKind::ReuseWarning,
        ReuseLevel::Exceeded => NoticeKind::ReuseExceeded,
        ReuseLevel::Fine => return None,
    };
    let seats = match year.people_max {
        Some(people) => format!(" One seat had {people} of them."),
        None => String::new(),
    };
    (before < level && !work.pool.unlimited).then(|| Notice {
        key: format!("{}/{pool}/{}", kind.word(), year.year),
        kind,
        pool: Some(pool.clone()),
        source: None,
        text: format!(
            "Seats of pool {pool} went to {} other people since {}: {} different people for {} seats; {} are allowed.{seats}",
            year.replacements(),
            year.year,
            year.distinct,
            year.allowance_max,
            year.limit(rules)
        ),
    })
}
