//! Who of a queue would have had a seat, and who of those seated would have waited, had there been more seats, or fewer,
//! or another rule for a full pool. Claims are taken as they were recorded: who wanted a seat of which pool, since when
//! and until when. Only whether a pool had a seat for them is asked anew, of the same admission and in the same order.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::base::{ClaimId, Instant, PoolId, Seats};
use crate::license::{
    Because, Book, Channel, ClaimChange, ClaimState, Gate, OnFull, Pool, Room, SeatAnswer, StateCounts, Wait, admit,
    queue_order,
};

/// A place in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    priority: i32,
    since: Instant,
    person: String,
    claim: ClaimId,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |place: &Place| (place.priority, place.since, place.claim);
        let by_rule = queue_order((self.priority, self.since, &self.person), (other.priority, other.since, &other.person));
        by_rule.then_with(|| key(self).cmp(&key(other)))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a commit did to the claims of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// A claim changed.
    pub touched: bool,
    /// So many lost a seat.
    pub left: u32,
    /// So many got one by hand.
    pub by_hand: u32,
    /// Who got one, and how.
    entered: Vec<(Place, Channel)>,
}

/// The claims of all pools.
#[derive(Clone, Debug, Default)]
pub struct Seating {
    pools: BTreeMap<PoolId, Queue>,
}

#[derive(Clone, Debug, Default)]
struct Queue {
    /// Who waited for a seat, as recorded.
    waiting: BTreeSet<Place>,
    /// Who of them has a seat here.
    seated: BTreeSet<Place>,
    /// Who had a seat and waits here.
    displaced: BTreeSet<Place>,
}

impl Seating {
    /// As a book has them.
    pub fn new(book: &Book) -> Self {
        let mut seating = Self::default();
        for at in 0..book.people.len() {
            for claim in book.claims_at(at).iter().filter(|claim| claim.state == ClaimState::Waiting) {
                let queue = seating.pools.entry(book.names.pool_of(claim).clone()).or_default();
                let place = place(book.key(at), claim);
                if claim.wait != Wait::Access {
                    queue.waiting.insert(place);
                }
            }
        }
        seating
    }

    /// Notes what was recorded of a claim.
    pub fn note(&mut self, person: &str, change: &ClaimChange, pool: &PoolId, moved: &mut Moved) {
        let queue = self.pools.entry(pool.clone()).or_default();
        let before = change.before.as_deref();
        let was = before.is_some_and(|claim| claim.state.consumes());
        let is = change.after.state.consumes();
        moved.touched |= before.map(|claim| claim.state) != Some(change.after.state);
        moved.left += u32::from(was && !is);
        moved.by_hand += u32::from(is && !was && change.because == Because::Pinned);
        let before = before.map(|claim| place(person, claim));
        let after = place(person, &change.after);
        let displaced = before.as_ref().is_some_and(|place| queue.displaced.remove(place));
        let seated = before.as_ref().is_some_and(|place| queue.seated.remove(place));
        if let Some(before) = &before {
            queue.waiting.remove(before);
        }
        let waits = change.after.state == ClaimState::Waiting && change.after.wait != Wait::Access;
        if waits {
            queue.waiting.insert(after.clone());
            if seated {
                queue.seated.insert(after);
            }
        } else if is && was && displaced {
            queue.displaced.insert(after);
        } else if is && !was && !seated {
            moved.entered.push((after, change.after.channel));
        }
    }

    /// The counts of a pool with so many seats and its rule, given those recorded; `differs`: seats or rule are not those
    /// of the record now. As long as they never were, the counts are those recorded.
    pub fn settle(
        &mut self,
        pool: &Pool,
        recorded: StateCounts,
        effective: Option<Seats>,
        gate: Gate,
        moved: &Moved,
        differs: bool,
    ) -> StateCounts {
        let queue = self.pools.entry(pool.id.clone()).or_default();
        if differs || !queue.seated.is_empty() || !queue.displaced.is_empty() {
            queue.settle(pool.on_full, recorded.used(), effective, gate, &moved.entered);
        }
        let (more, fewer) = (count(&queue.seated), count(&queue.displaced));
        let mut counts = recorded;
        let shifted = |state: ClaimState, plus: u32, minus: u32| Seats((recorded.of(state).0 + plus).saturating_sub(minus));
        counts.set(ClaimState::Active, shifted(ClaimState::Active, more, fewer));
        counts.set(ClaimState::Waiting, shifted(ClaimState::Waiting, fewer, more));
        counts
    }
}

impl Queue {
    fn settle(&mut self, on_full: OnFull, recorded: Seats, effective: Option<Seats>, gate: Gate, entered: &[(Place, Channel)]) {
        let mut entered: Vec<&(Place, Channel)> = entered.iter().collect();
        entered.sort_by(|a, b| a.0.cmp(&b.0));
        let used = (u64::from(recorded.0) + u64::from(count(&self.seated))).saturating_sub(u64::from(count(&self.displaced)));
        let used = used.saturating_sub(entered.len() as u64);
        let mut used = u32::try_from(used).unwrap_or(u32::MAX);
        let room = |used: u32| Room { used: Seats(used), effective, draw_free: true, gate };
        for (place, channel) in entered {
            // A suspended seat that is given back, and one in grace, is not a new one.
            let again = Room { gate: Gate::Open, ..room(used) };
            if admit(*channel, false, &again, on_full) == SeatAnswer::Seat {
                used += 1;
            } else {
                self.displaced.insert(place.clone());
            }
        }
        let waiting: Vec<Place> = self.waiting.difference(&self.seated).chain(&self.displaced).cloned().collect();
        let waiting: BTreeSet<Place> = waiting.into_iter().collect();
        for place in waiting {
            if admit(Channel::Sync, false, &room(used), on_full) != SeatAnswer::Seat {
                break;
            }
            used += 1;
            if !self.displaced.remove(&place) {
                self.seated.insert(place);
            }
        }
    }
}

fn place(person: &str, claim: &crate::license::Claim) -> Place {
    Place { priority: claim.priority, since: claim.since, person: person.to_owned(), claim: claim.id }
}

fn count(places: &BTreeSet<Place>) -> u32 {
    u32::try_from(places.len()).unwrap_or(u32::MAX)
}
