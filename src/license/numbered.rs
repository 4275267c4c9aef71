//! Seats with numbers, where a license year counts each of them on its own (R84).

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{PersonKey, PoolId, Seats};

/// One seat of a pool in a license year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedSeat {
    /// Counted from 1.
    pub number: u32,
    /// Its first occupant, and one more for each time it went to somebody new to the year.
    pub people: u32,
    /// Who has it; `None`: it is free.
    pub person: Option<PersonKey>,
}

/// The seats of a pool that a commit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatMoves {
    /// The pool.
    pub pool: PoolId,
    /// Numbers are given anew: a year began, or the settings ask for numbers from now on.
    pub anew: bool,
    /// The seats as they are now, by number.
    pub seats: Vec<NumberedSeat>,
}

/// The numbered seats of one pool. A number is given when a seat is first taken in the year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberedSeats {
    seats: BTreeMap<u32, NumberedSeat>,
    held: BTreeMap<PersonKey, u32>,
    /// By how many people had it, and number.
    free: BTreeSet<(u32, u32)>,
}

impl NumberedSeats {
    /// The seats of a year that begins with these people, who are its first occupants (R86).
    pub fn begin(people: impl Iterator<Item = PersonKey>) -> Self {
        let mut seats = Self::default();
        for (number, person) in (1..).zip(people) {
            seats.put(NumberedSeat { number, people: 1, person: Some(person) });
        }
        seats
    }

    /// All of them, by number.
    pub fn all(&self) -> impl Iterator<Item = &NumberedSeat> {
        self.seats.values()
    }

    /// The seat of a number.
    pub fn get(&self, number: u32) -> Option<&NumberedSeat> {
        self.seats.get(&number)
    }

    /// Who has one, by key.
    pub fn people(&self) -> impl Iterator<Item = &PersonKey> {
        self.held.keys()
    }

    /// The most people that one of them had; 0 if there is none.
    pub fn people_max(&self) -> u32 {
        self.seats.values().map(|seat| seat.people).max().unwrap_or_default()
    }

    /// A seat as it is from now on.
    pub fn put(&mut self, seat: NumberedSeat) {
        if let Some(old) = self.seats.get(&seat.number) {
            self.free.remove(&(old.people, old.number));
            // Two people may change seats in one commit.
            if let Some(person) = &old.person
                && self.held.get(person) == Some(&old.number)
            {
                self.held.remove(person);
            }
        }
        match &seat.person {
            Some(person) => _ = self.held.insert(person.clone(), seat.number),
            None => _ = self.free.insert((seat.people, seat.number)),
        }
        self.seats.insert(seat.number, seat);
    }

    /// Somebody gives the seat back. Returns its number.
    pub fn leave(&mut self, person: &str) -> Option<u32> {
        let number = *self.held.get(person)?;
        let people = self.seats.get(&number)?.people;
        self.put(NumberedSeat { number, people, person: None });
        Some(number)
    }

    /// Somebody takes a seat: who is new to the year the one that the fewest people had, who comes back the one that the
    /// most had, so that the others stay open. Returns its number.
    pub fn take(&mut self, person: &PersonKey, is_new: bool, allowance: Seats) -> u32 {
        let picked = self.pick(is_new, allowance);
        let number = picked.map_or(self.count() + 1, |(_, number)| number);
        let people = picked.map_or(1, |(people, _)| people + u32::from(is_new));
        self.put(NumberedSeat { number, people, person: Some(person.clone()) });
        number
    }

    /// Whether somebody new to the year would get a seat that was not reused `reuse_max` times yet.
    pub fn is_open(&self, allowance: Seats, reuse_max: u32) -> bool {
        self.pick(true, allowance).is_none_or(|(people, _)| people <= reuse_max)
    }

    /// So many seats are used up: reused `reuse_max` times.
    pub fn closed(&self, reuse_max: u32) -> u32 {
        self.seats.values().filter(|seat| seat.people > reuse_max).count() as u32
    }

    /// The free seat that somebody gets; `None`: one that nobody had yet. Over the allowance there is one for everybody
    /// who is let in, and it is no reuse (R82).
    fn pick(&self, is_new: bool, allowance: Seats) -> Option<(u32, u32)> {
        match is_new {
            true if self.count() < allowance.0 => None,
            true => self.free.first().copied(),
            false => self.free.last().copied(),
        }
    }

    /// How many numbers were given.
    pub fn count(&self) -> u32 {
        self.seats.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use crate::base::{PersonKey, Seats};
    use crate::license::numbered::NumberedSeats;

    fn key(at: u32) -> PersonKey {
        PersonKey::new(format!("p{at:03}"))
    }

    #[test]
    fn r84_the_least_used_free_seat_first_and_one_reused_three_times_is_closed() {
        let (allowance, mut seats) = (Seats(2), NumberedSeats::begin([key(0)].into_iter()));
        // (who leaves, who comes, whether new, the number taken, people of that seat)
        for (leaves, comes, is_new, number, people) in [
            (None, 1, true, 2, 1),
            (Some(0), 2, true, 1, 2),
            (Some(2), 3, true, 1, 3),
            (Some(3), 4, true, 1, 4),
            (Some(1), 5, true, 2, 2),
            (Some(4), 0, false, 1, 4),
        ] {
            if let Some(leaves) = leaves {
                assert!(seats.leave(key(leaves).as_str()).is_some(), "{leaves}");
            }
            assert_eq!(seats.take(&key(comes), is_new, allowance), number, "{comes}");
            assert_eq!(seats.all().find(|seat| seat.number == number).map(|seat| seat.people), Some(people), "{comes}");
        }
        assert_eq!((seats.closed(3), seats.people_max()), (1, 4));
        // Seat 1 is closed; 2 is taken by p005, and with it free somebody new may come.
        seats.leave("p000");
        assert!(!seats.is_open(allowance, 3));
        seats.leave("p005");
        assert!(seats.is_open(allowance, 3));
        // Who comes back takes the closed one.
        assert_eq!(seats.take(&key(1), false, allowance), 1);
        assert!(seats.is_open(allowance, 3));
        // More seats are new seats.
        assert_eq!(seats.take(&key(6), true, allowance), 2);
        assert!(seats.is_open(Seats(3), 0));
    }

    #[test]
    fn r84_an_overage_gives_numbers_and_is_no_reuse() {
        let mut seats = NumberedSeats::begin((0..3).map(key));
        assert_eq!(seats.take(&key(9), true, Seats(3)), 4);
        assert_eq!(seats.people_max(), 1);
        assert_eq!(seats.leave("p777"), None);
    }
}
