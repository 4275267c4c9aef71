//! The license year of a pool, and who new to it still gets a seat (R81 to R86).

use std::collections::BTreeSet;

use crate::base::{Day, Instant, PersonKey, PoolId, Seats};
use crate::license::{Gate, NumberedSeats, Pool, ReuseRules, ReuseScope, ReuseYear, Term, license_year, year_anchor};
use crate::plan::input::Standing;

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

/// Whether a pool has a seat and lets nobody new have it, as the year's seats went to other people as often as they may
/// (R85).
pub fn is_year_full(pool: &Pool, standing: &Standing) -> bool {
    let (Some(year), Some(books)) = (standing.reuse.get(&pool.id), standing.pools.get(&pool.id)) else { return false };
    let used = books.counts.used();
    let has_seat = books.allowance.effective().is_none_or(|effective| used < effective);
    let spent = match year.people_max {
        // Which seats are free is not known here: some are closed, and somebody is kept from one.
        Some(people) => people > pool.reuse.max_per_seat,
        None => {
            let once_more = ReuseYear { distinct: year.distinct + 1, ..year.clone() };
            u64::from(once_more.replacements()) > year.limit(&pool.reuse)
        }
    };
    pool.reuse.exceeded_blocks && has_seat && spent
}

/// Who new to a pool's license year still gets a seat, where the settings say that not everybody does (R84, R85).
pub struct YearGate<'a> {
    /// Who had a seat in the year and has none now, as the books say.
    gone: Option<&'a BTreeSet<Box<str>>>,
    /// Who lost one since then.
    left: BTreeSet<Box<str>>,
    rules: ReuseRules,
    year: ReuseYear,
    seats: Option<NumberedSeats>,
}

impl<'a> YearGate<'a> {
    /// Of a pool in the year that was written down; `None`: everybody gets a seat. With a new year everything is open, and
    /// who has a seat when it begins is its first occupant (R86).
    pub fn of(pool: &PoolId, rules: ReuseRules, standing: &'a Standing) -> Option<Self> {
        let year = standing.reuse.get(pool).filter(|_| rules.exceeded_blocks)?.clone();
        let numbered = rules.scope == ReuseScope::Seat && year.people_max.is_some();
        let seats = standing.seats.get(pool).filter(|_| numbered).cloned();
        Some(Self { gone: standing.gone.get(pool), left: BTreeSet::new(), rules, year, seats })
    }

    /// Of a pool at an instant; `None` also where the year that was written down is over by then.
    pub fn at(pool: &Pool, standing: &'a Standing, now: Instant) -> Option<Self> {
        let year = reuse_year(pool, &standing.chain, pool.calendar.day_of(now)).map(|(year, _)| year);
        Self::of(&pool.id, pool.reuse, standing).filter(|gate| year.is_none_or(|year| year == gate.year.year))
    }

    /// Whether a person may take a seat of a pool with so much used and bought.
    pub fn gate(&self, person: &str, used: Seats, allowance: Seats) -> Gate {
        let open = !self.is_new(person)
            || match &self.seats {
                Some(seats) => seats.is_open(allowance, self.rules.max_per_seat),
                None => {
                    let next = self.with_one_more(used, allowance);
                    u64::from(next.replacements()) <= next.limit(&self.rules)
                }
            };
        if open { Gate::Open } else { Gate::YearFull }
    }

    /// A person lost the seat.
    pub fn leaves(&mut self, person: &str) {
        self.left.insert(person.into());
        if let Some(seats) = &mut self.seats {
            seats.leave(person);
        }
    }

    /// A person takes a seat; `used` does not count it yet.
    pub fn takes(&mut self, person: &str, used: Seats, allowance: Seats) {
        let is_new = self.is_new(person);
        if let Some(seats) = &mut self.seats {
            seats.take(&PersonKey::from(person), is_new, allowance);
        }
        if is_new {
            self.year = self.with_one_more(used, allowance);
            // The same person is nobody new in what follows.
            self.left.insert(person.into());
        }
    }

    fn is_new(&self, person: &str) -> bool {
        !self.left.contains(person) && !self.gone.is_some_and(|gone| gone.contains(person))
    }

    fn with_one_more(&self, used: Seats, allowance: Seats) -> ReuseYear {
        ReuseYear {
            distinct: self.year.distinct + 1,
            allowance_max: self.year.allowance_max.max(allowance),
            used_max: self.year.used_max.max(Seats(used.0 + 1)),
            ..self.year.clone()
        }
    }
}
