//! Reuse at work: what a plan makes of the people of a license year, and when a year rolls over (R81 to R86).

use std::collections::BTreeSet;

use crate::base::{Day, Instant, TextArena};
use crate::license::{ClaimChange, Entry, Gone, Names, Pool, ReuseLevel, ReuseYear, Term, follow, license_year, year_anchor};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::input::Standing;
use crate::plan::pools::PoolWork;

/// The license year of a pool that a day lies in, counted from its anchor or else from its first term; `None`: it has
/// neither, or no limit.
pub fn reuse_year(pool: &Pool, chain: &[Term], on: Day) -> Option<(Day, Day)> {
    let anchor = year_anchor(pool, chain).filter(|_| !pool.unlimited)?;
    Some(license_year(anchor, on))
}

/// When the year of a pool that was written down is over; `None`: none was, or it is the anchor that moved.
pub fn reuse_rolls(pool: &Pool, standing: &Standing) -> Option<Instant> {
    let year = standing.reuse.get(&pool.id)?.year;
    let (start, next) = reuse_year(pool, &standing.chain, year)?;
    (start == year).then(|| pool.calendar.start_of(next))
}

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
    for (work, goes_on, year) in years {
        if standing.reuse.get(&year.pool) == Some(&year) {
            continue;
        }
        let before = goes_on.map_or(ReuseLevel::Fine, |before| before.level(&work.pool.reuse));
        notices.extend(crossed(work, before, &year));
        entries.push(Entry::Reuse(year));
    }
    (entries, notices)
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
    (before < level && !work.pool.unlimited).then(|| Notice {
        key: format!("{}/{pool}/{}", kind.word(), year.year),
        kind,
        pool: Some(pool.clone()),
        source: None,
        text: format!(
            "Seats of pool {pool} went to {} other people since {}: {} different people for {} seats; {} are allowed.",
            year.replacements(),
            year.year,
            year.distinct,
            year.allowance_max,
            year.limit(rules)
        ),
    })
}
