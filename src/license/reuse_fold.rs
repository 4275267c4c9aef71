//! The people of license years as the trail tells them.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{PersonKey, PoolId};
use crate::license::books::PoolBooks;
use crate::license::claim::{ClaimChange, Names};
use crate::license::numbered::{NumberedSeats, SeatMoves};
use crate::license::proof::Flaw;
use crate::license::reuse_year::{Gone, ReuseYear, follow};

/// The people of pools' license years, folded from the trail.
#[derive(Clone, Debug, Default)]
pub struct Reuse {
    /// The license year of each pool whose people are counted.
    pub years: BTreeMap<PoolId, ReuseYear>,
    /// Who had a seat in that year and has none now.
    pub gone: Gone,
    /// Seats with numbers, of pools that have them (R84).
    pub seats: BTreeMap<PoolId, NumberedSeats>,
}

impl Reuse {
    /// Folds in a change of a claim.
    pub fn change(&mut self, names: &Names, person: &str, change: &ClaimChange) {
        if follow(&mut self.gone, names, person, change)
            && let Some(year) = self.years.get_mut(names.pool_of(&change.after))
        {
            year.distinct += 1;
        }
    }

    /// Whoever is deleted for good stays counted and is nobody any more (R130).
    pub fn purge(&mut self, person: &PersonKey) {
        self.gone.values_mut().for_each(|gone| _ = gone.remove(person.as_str()));
    }

    /// Folds in what was written down of a year, with the pool's books as the commit leaves them.
    ///
    /// # Errors
    /// When that is not what the changes come to.
    pub(crate) fn record(&mut self, year: &ReuseYear, books: Option<&PoolBooks>) -> Result<(), Flaw> {
        let used = books.map(|books| books.counts.used()).unwrap_or_default();
        let allowance = books.and_then(|books| books.allowance.seats).unwrap_or_default();
        let known = self.years.get(&year.pool);
        if known.is_none_or(|known| known.year != year.year) {
            self.gone.insert(year.pool.clone(), BTreeSet::new());
        }
        if year.people_max.is_none() {
            self.seats.remove(&year.pool);
        }
        let people_max = self.seats.get(&year.pool).map(NumberedSeats::people_max);
        let expected = ReuseYear { people_max, ..ReuseYear::after(known, &year.pool, year.year, used, allowance) };
        if expected != *year {
            return Err(Flaw::new(format!("people of {}", year.pool), format!("{expected:?}"), format!("{year:?}")));
        }
        self.years.insert(year.pool.clone(), expected);
        Ok(())
    }
    /// Folds in what became of numbered seats.
    ///
    /// # Errors
    /// When a seat skips a number, or had more people at once than one more.
    pub(crate) fn renumber(&mut self, moves: &SeatMoves) -> Result<(), Flaw> {
        let seats = self.seats.entry(moves.pool.clone()).or_default();
        if moves.anew {
            *seats = NumberedSeats::default();
        }
        for seat in &moves.seats {
            let known = seats.get(seat.number);
            let (least, most) = known.map_or((1, 1), |known| (known.people, known.people + 1));
            let next = known.is_some() || seat.number == seats.count() + 1;
            if !next || seat.people < least || seat.people > most {
                return Err(Flaw::new(
                    format!("seat {} of {}", seat.number, moves.pool),
                    format!("{known:?}"),
                    format!("{seat:?}"),
                ));
            }
            seats.put(seat.clone());
        }
        Ok(())
    }

    /// Whether those who have numbered seats are exactly those who have a seat; of pools without numbers nothing is said.
    pub(crate) fn prove_seats(&self, pool: &PoolId, used: u32, has_seat: impl Fn(&str) -> bool) -> Result<(), Flaw> {
        let Some(seats) = self.seats.get(pool) else { return Ok(()) };
        let stranger = seats.people().find(|person| !has_seat(person.as_str()));
        if stranger.is_some() || seats.people().count() as u64 != u64::from(used) {
            return Err(Flaw::new(format!("numbered seats of {pool}"), format!("{used} people"), format!("{stranger:?}")));
        }
        Ok(())
    }
}
