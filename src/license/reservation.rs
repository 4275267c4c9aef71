//! Reservations: seats of a pool set aside for child orgs (R20).
//!
//! A person draws from the nearest reserved org at or above the home org; what does not fit there overflows to the next
//! reserved ancestor and at last to the unreserved part. Only numbers overflow, not people: what is free depends on how
//! many people draw where, never on who came first.

use crate::base::{OrgId, Seats};

/// Where seats of one pool are free, kept up to date person by person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draws {
    parts: Vec<Part>,
    /// Seats that nobody reserved; `None` in an unlimited pool.
    unreserved: Option<u64>,
    /// People who draw from the unreserved part, overflow included.
    unreserved_load: u64,
}

/// One reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    reserved: u64,
    /// People who draw from it, overflow from below included, also when they are more than `reserved`.
    load: u64,
    parent: Option<usize>,
}

impl Draws {
    /// The draws of a pool.
    ///
    /// `parents` names for each reservation that of the nearest reserved ancestor org, `used` counts for each the
    /// consuming claims whose nearest reserved org it is, `direct` counts those that have none. Missing items of
    /// `parents` and `used` mean none and 0; parents that lead into a circle, which an org tree cannot make, count as
    /// none. If more is reserved than there is, the unreserved part is 0.
    pub fn new(
        reservations: &[(OrgId, Seats)],
        parents: &[Option<usize>],
        used: &[Seats],
        direct: Seats,
        effective: Option<Seats>,
    ) -> Self {
        let parent_of = |at: usize| parents.get(at).copied().flatten().filter(|parent| *parent < reservations.len());
        let ends = |at: usize| (0..reservations.len()).try_fold(at, |at, _| parent_of(at)).is_none();
        let parts: Vec<Part> = reservations
            .iter()
            .enumerate()
            .map(|(at, (_, seats))| Part { reserved: u64::from(seats.0), load: 0, parent: parent_of(at).filter(|_| ends(at)) })
            .collect();
        let reserved_sum: u64 = parts.iter().map(|part| part.reserved).sum();
        let unreserved = effective.map(|effective| u64::from(effective.0).saturating_sub(reserved_sum));
        let mut draws = Self { parts, unreserved, unreserved_load: 0 };
        for at in 0..draws.parts.len() {
            draws.add(Some(at), used.get(at).map_or(0, |count| u64::from(count.0)));
        }
        draws.add(None, u64::from(direct.0));
        draws
    }

    /// Whether a person whose nearest reserved org is `nearest` finds a free seat there, above, or unreserved.
    pub fn free_for(&self, nearest: Option<usize>) -> bool {
        let mut at = nearest;
        while let Some(part) = at.and_then(|at| self.parts.get(at)) {
            if part.load < part.reserved {
                return true;
            }
            at = part.parent;
        }
        self.unreserved.is_none_or(|unreserved| self.unreserved_load < unreserved)
    }

    /// A person takes a seat.
    pub fn take(&mut self, nearest: Option<usize>) {
        self.add(nearest, 1);
    }

    /// A person gives a seat back: what had overflowed moves down again.
    pub fn give_back(&mut self, nearest: Option<usize>) {
        let mut at = nearest;
        while let Some(part) = at.and_then(|at| self.parts.get_mut(at)) {
            let overflowed = part.load > part.reserved;
            part.load = part.load.saturating_sub(1);
            if !overflowed {
                return;
            }
            at = part.parent;
        }
        self.unreserved_load = self.unreserved_load.saturating_sub(1);
    }

    /// Seats free in a reservation, by its position.
    pub fn reserved_free(&self, at: usize) -> Seats {
        self.parts.get(at).map_or(Seats(0), |part| seats(part.reserved.saturating_sub(part.load)))
    }

    /// Adds `count` people at `nearest` and what overflows above it.
    fn add(&mut self, nearest: Option<usize>, count: u64) {
        let (mut at, mut count) = (nearest, count);
        while let Some(part) = at.and_then(|at| self.parts.get_mut(at)) {
            let overflow_before = part.load.saturating_sub(part.reserved);
            part.load += count;
            count = part.load.saturating_sub(part.reserved) - overflow_before;
            if count == 0 {
                return;
            }
            at = part.parent;
        }
        self.unreserved_load += count;
    }
}

fn seats(count: u64) -> Seats {
    Seats(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use crate::base::{OrgId, Seats};
    use crate::license::reservation::{Draws, seats};

    /// Seats free in the unreserved part; `None` in an unlimited pool.
    fn unreserved_free(draws: &Draws) -> Option<Seats> {
        draws.unreserved.map(|unreserved| seats(unreserved.saturating_sub(draws.unreserved_load)))
    }

    fn reservations(seats: &[u32]) -> Vec<(OrgId, Seats)> {
        seats.iter().enumerate().map(|(at, s)| (OrgId::from(format!("org{at}").as_str()), Seats(*s))).collect()
    }

    #[test]
    fn t14_nobody_draws_what_ash_has_reserved() {
        let ash = reservations(&[300]);
        let mut draws = Draws::new(&ash, &[None], &[Seats(280)], Seats(20 + 410), Some(Seats(700)));
        assert_eq!((draws.reserved_free(0), unreserved_free(&draws)), (Seats(20), Some(Seats(0))));
        assert!(draws.free_for(Some(0)), "Ash has 20 of its own");
        assert!(!draws.free_for(None), "Birch and the district office are 30 over the 400 that are left");
        for _ in 0..30 {
            draws.give_back(None);
        }
        assert!(!draws.free_for(None));
        draws.give_back(None);
        assert!(draws.free_for(None));
    }

    #[test]
    fn a_full_reservation_overflows_to_the_next_ancestor_and_then_to_the_rest() {
        // 0: the school, inside 1: the area; pool of 20, 5 unreserved.
        let both = reservations(&[10, 5]);
        let mut draws = Draws::new(&both, &[Some(1), None], &[Seats(9), Seats(0)], Seats(0), Some(Seats(20)));
        let free = |d: &Draws| (d.reserved_free(0).0, d.reserved_free(1).0, unreserved_free(d).map(|s| s.0));
        assert_eq!(free(&draws), (1, 5, Some(5)));
        let mut steps = Vec::new();
        while draws.free_for(Some(0)) {
            draws.take(Some(0));
            steps.push(free(&draws));
        }
        assert_eq!(steps.len(), 11);
        assert_eq!((steps[0], steps[5], steps[10]), ((0, 5, Some(5)), (0, 0, Some(5)), (0, 0, Some(0))));
        // One of the area's own arrives: counted there, and over.
        draws.take(Some(1));
        assert!(!draws.free_for(Some(1)) && !draws.free_for(None));
        draws.give_back(Some(0));
        assert_eq!(free(&draws), (0, 0, Some(0)), "the newcomer's overflow is covered first");
        draws.give_back(Some(0));
        assert_eq!(free(&draws), (0, 0, Some(1)));
    }

    #[test]
    fn more_reserved_than_there_is_leaves_nothing_unreserved() {
        let draws = Draws::new(&reservations(&[30]), &[None], &[], Seats(0), Some(Seats(20)));
        assert_eq!((draws.free_for(None), draws.free_for(Some(0)), unreserved_free(&draws)), (false, true, Some(Seats(0))));
    }

    #[test]
    fn without_reservations_or_limits() {
        let full = Draws::new(&[], &[], &[], Seats(3), Some(Seats(3)));
        assert!(!full.free_for(None));
        assert!(!full.free_for(Some(7)), "an unknown reservation is the unreserved part");
        let mut unlimited = Draws::new(&[], &[], &[], Seats(u32::MAX), None);
        unlimited.take(None);
        assert_eq!((unlimited.free_for(None), unreserved_free(&unlimited)), (true, None));
    }

    #[test]
    fn parents_in_a_circle_are_none() {
        let links = [Some(1), Some(0), Some(0), Some(9)];
        let mut draws = Draws::new(&reservations(&[1, 1, 1, 1]), &links, &[Seats(4); 4], Seats(0), Some(Seats(18)));
        assert_eq!(unreserved_free(&draws), Some(Seats(2)), "each of the four is three over");
        draws.take(Some(2));
        assert_eq!(unreserved_free(&draws), Some(Seats(1)));
    }

    proptest! {
        #[test]
        fn taking_and_giving_back_comes_to_the_same_as_counting(
            sizes in proptest::collection::vec(0u32..6, 1..6),
            links in proptest::collection::vec(0usize..6, 6),
            moves in proptest::collection::vec((any::<bool>(), 0usize..7), 0..80),
            effective in 0u32..40,
        ) {
            let reserved = reservations(&sizes);
            // A parent always lies behind its child, so there is no circle.
            let parents: Vec<_> = (0..sizes.len()).map(|at| Some(at + 1 + links[at]).filter(|p| *p < sizes.len())).collect();
            let (mut used, mut direct) = (vec![Seats(0); sizes.len()], Seats(0));
            let count = |used: &[Seats], direct| Draws::new(&reserved, &parents, used, direct, Some(Seats(effective)));
            let mut draws = count(&used, direct);
            for (takes, whose) in moves {
                let nearest = Some(whose).filter(|at| *at < sizes.len());
                let held = nearest.map_or(&mut direct, |at| &mut used[at]);
                if takes {
                    held.0 += 1;
                    draws.take(nearest);
                } else if held.0 > 0 {
                    held.0 -= 1;
                    draws.give_back(nearest);
                }
                assert_eq!(draws, count(&used, direct));
                let drawn: u32 = (0..sizes.len()).map(|at| sizes[at] - draws.reserved_free(at).0).sum();
                let total = used.iter().map(|s| s.0).sum::<u32>() + direct.0;
                let reserved_sum: u32 = sizes.iter().sum();
                if reserved_sum <= effective {
                    let rest = effective - reserved_sum;
                    let free = unreserved_free(&draws).unwrap_or_default().0;
                    assert_eq!(free, rest.saturating_sub(total - drawn), "nobody is lost or counted twice");
                }
            }
        }
    }
}
