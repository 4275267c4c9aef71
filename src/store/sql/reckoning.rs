//! What changes of claims come to, person by person. The store is not asked but for what was released before: so the pages of a
//! first commit can be made beside the writing of those before them.

use std::collections::BTreeMap;

use hashbrown::HashTable;

use crate::base::ClaimId;
use crate::license::{Because, Claim, ClaimChange, ClaimState, OrgNameIx, PoolIx};
use crate::store::batch::Batch;
use crate::store::record::{PageMaker, pack_person};
use crate::store::sql::books::check_positions;
use crate::store::sql::fault::Fault;
use crate::store::sql::handful::Handful;

/// So many pages are made before they are handed on.
const PAGES_MAX: usize = 64;

/// The changes of a batch person by person, in the order of the keys.
pub(in crate::store::sql) struct Order<'b> {
    batch: &'b Batch<'b>,
    changes: Vec<u32>,
}

impl<'b> Order<'b> {
    pub(in crate::store::sql) fn of(batch: &'b Batch<'b>) -> Result<Self, Fault> {
        let changes = batch.changes;
        let count = u32::try_from(changes.len()).map_err(|_| Fault::corrupt("the batch", "it has more than 2³² changes"))?;
        let person = |at: u32| changes[at as usize].person;
        let mut order: Vec<u32> = (0..count).collect();
        // Stable: changes of one person stay in the order of the batch. Most stand beside one another, and need no look at a key.
        order.sort_by(|&a, &b| batch.people.compare(person(a), person(b)));
        Ok(Self { batch, changes: order })
    }

    /// The positions of the changes of each person, without the first so many changes.
    pub(in crate::store::sql) fn groups(&self, without: usize) -> impl Iterator<Item = &[u32]> {
        let person = |at: u32| self.batch.changes[at as usize].person;
        self.changes[without..].chunk_by(move |&a, &b| self.batch.people.compare(person(a), person(b)).is_eq())
    }
}

/// See the module.
pub(in crate::store::sql) struct Reckoning<'b> {
    batch: &'b Batch<'b>,
    /// New claims must not take an id given out before.
    first_new: ClaimId,
    pub(in crate::store::sql) next_claim: ClaimId,
    pub(in crate::store::sql) new_ids: Vec<ClaimId>,
    /// By how much the used seats change.
    pub(in crate::store::sql) used: UsedMore,
    pub(in crate::store::sql) queue: Vec<QueueChange>,
    /// The open claims of the person: as they are stored, then what they come to.
    pub(in crate::store::sql) row: Vec<Claim>,
    /// What the changes of the person release: their places among them, and why.
    pub(in crate::store::sql) released: Vec<(usize, Claim, Because)>,
    queued: Vec<Claim>,
}

/// By how much the used seats change, by pool and org: of a first night millions are counted.
#[derive(Default)]
pub(in crate::store::sql) struct UsedMore(HashTable<((PoolIx, OrgNameIx), i64)>);

impl UsedMore {
    fn add(&mut self, place: (PoolIx, OrgNameIx), more: i64) {
        // The high bits tell both; the low ones, by which the table looks first, would tell the org alone.
        let hash = |(PoolIx(pool), OrgNameIx(org)): (PoolIx, OrgNameIx)| {
            (u64::from(pool) << 32 | u64::from(org)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32)
        };
        match self.0.find_mut(hash(place), |(known, _)| *known == place) {
            Some((_, known)) => *known += more,
            None => drop(self.0.insert_unique(hash(place), (place, more), |&(known, _)| hash(known))),
        }
    }

    /// What does not stay as it is, in order.
    pub(in crate::store::sql) fn changed(&self) -> BTreeMap<(PoolIx, OrgNameIx), i64> {
        self.0.iter().filter(|(_, more)| *more != 0).copied().collect()
    }
}

/// A claim that enters or leaves the queue; sorts like the table.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store::sql) struct QueueChange {
    pub(in crate::store::sql) pool: u16,
    pub(in crate::store::sql) rank: i64,
    pub(in crate::store::sql) since: i64,
    pub(in crate::store::sql) person: String,
    pub(in crate::store::sql) claim: u64,
    /// `None`: it leaves.
    pub(in crate::store::sql) body: Option<Vec<u8>>,
}

impl<'b> Reckoning<'b> {
    pub(in crate::store::sql) fn new(batch: &'b Batch<'b>, first_new: ClaimId) -> Self {
        Self {
            batch,
            first_new,
            next_claim: first_new,
            new_ids: Vec::new(),
            used: UsedMore::default(),
            queue: Vec::new(),
            row: Vec::new(),
            released: Vec::new(),
            queued: Vec::new(),
        }
    }

    /// All changes of one person, whose stored claims stand in `row`. `last_released` finds a claim as it was released last.
    pub(in crate::store::sql) fn person(
        &mut self,
        group: &[u32],
        mut last_released: impl FnMut(ClaimId) -> Result<Option<Claim>, Fault>,
    ) -> Result<(), Fault> {
        let changes = || group.iter().map(|&at| &self.batch.changes[at as usize]);
        let Some(person) = changes().next().map(|change| self.batch.people.get(change.person)) else { return Ok(()) };
        self.released.clear();
        self.queued.clear();
        self.queued.extend(self.row.iter().filter(|claim| claim.state == ClaimState::Waiting));
        let batch = self.batch;
        for (n, &at) in group.iter().enumerate() {
            self.apply(person, n, &batch.changes[at as usize], &mut last_released)?;
        }
        self.row.sort_unstable_by_key(|claim| (claim.pool, claim.id));
        self.requeue(person);
        Ok(())
    }

    fn apply(
        &mut self,
        person: &str,
        n: usize,
        change: &ClaimChange,
        last_released: &mut impl FnMut(ClaimId) -> Result<Option<Claim>, Fault>,
    ) -> Result<(), Fault> {
        let ClaimChange { person: _, because, before, after } = change;
        check_positions(after, self.batch.names, person)?;
        let bad = |why: String| Err(Fault::corrupt(format!("claim {} of person {person}", after.id), why));
        let at = self.row.iter().position(|claim| claim.id == after.id);
        match (before.as_deref(), at) {
            (Some(before), _) if before.id != after.id => {
                return bad(format!("the change would make it of claim {}", before.id));
            }
            (None, None) if after.id < self.first_new => {
                return bad(format!("it would be new, but ids below {} were given out before", self.first_new));
            }
            (None, None) => self.new_ids.push(after.id),
            (Some(before), None) if before.state == ClaimState::Released => {
                let just = self.released.iter().rev().map(|(_, claim, _)| *claim).find(|claim| claim.id == before.id);
                let last = if just.is_some() { just } else { last_released(before.id)? };
                if last != Some(*before) {
                    return bad(format!("it was not released as the change says, {before:?}"));
                }
            }
            (Some(before), None) => return bad(format!("the change says it was {before:?}, stored is none")),
            (None, Some(at)) => return bad(format!("the change says it is new, stored is {:?}", self.row[at])),
            (Some(before), Some(at)) if self.row[at] != *before => {
                return bad(format!("the change says it was {before:?}, stored is {:?}", self.row[at]));
            }
            (Some(_), Some(_)) => {}
        }
        if let Some(before) = before.as_deref().filter(|before| before.state.consumes()) {
            self.used.add((before.pool, before.home), -1);
        }
        if after.state.consumes() {
            self.used.add((after.pool, after.home), 1);
        }
        self.next_claim = self.next_claim.max(ClaimId(after.id.0.saturating_add(1)));
        match (at, after.state) {
            (Some(at), ClaimState::Released) => drop(self.row.remove(at)),
            (Some(at), _) => self.row[at] = *after,
            (None, ClaimState::Released) => {}
            (None, _) => self.row.push(*after),
        }
        if after.state == ClaimState::Released {
            self.released.push((n, *after, *because));
        }
        Ok(())
    }

    /// Notes what entered, left or moved in the queue.
    fn requeue(&mut self, person: &str) {
        let waits = |claim: &&Claim| claim.state == ClaimState::Waiting;
        for left in self.queued.iter().filter(|claim| !self.row.contains(claim)) {
            self.queue.push(QueueChange::of(left, person, None));
        }
        for entered in self.row.iter().filter(waits).filter(|claim| !self.queued.contains(claim)) {
            let mut body = Vec::new();
            pack_person(std::slice::from_ref(entered), &mut body);
            self.queue.push(QueueChange::of(entered, person, Some(body)));
        }
    }
}

impl QueueChange {
    fn of(claim: &Claim, person: &str, body: Option<Vec<u8>>) -> Self {
        Self {
            pool: claim.pool.0,
            rank: -i64::from(claim.priority),
            since: claim.since.0,
            person: person.to_owned(),
            claim: claim.id.0,
            body,
        }
    }
}

/// How far a first commit came without the store.
pub(in crate::store::sql) struct Beside<'b> {
    pub(in crate::store::sql) order: Order<'b>,
    /// So many changes are dealt with; of who comes next the store has to be asked.
    pub(in crate::store::sql) done: usize,
    pub(in crate::store::sql) reckoning: Reckoning<'b>,
    /// Who is on no page yet.
    pub(in crate::store::sql) maker: PageMaker,
}

/// Makes pages of people of whom nothing is stored, up to the first who had claims before, and hands them on until nobody takes
/// them, with what changes in the queue.
pub(in crate::store::sql) fn beside<'b>(
    batch: &'b Batch<'b>,
    first_new: ClaimId,
    mut hand: impl FnMut(Handful, Vec<QueueChange>) -> bool,
) -> Result<Beside<'b>, Fault> {
    let order = Order::of(batch)?;
    let (mut reckoning, mut maker, mut done) = (Reckoning::new(batch, first_new), PageMaker::default(), 0);
    let mut pages = Handful::default();
    for group in order.groups(0) {
        let mut changes = group.iter().map(|&at| &batch.changes[at as usize]);
        if changes.any(|change| change.before.is_some() || change.after.state == ClaimState::Released) {
            break;
        }
        reckoning.row.clear();
        reckoning.person(group, |_| Ok(None))?;
        maker.push(batch.people.get(batch.changes[group[0] as usize].person), &reckoning.row);
        maker.next(|first, body| {
            pages.push(first, body);
            Ok::<_, Fault>(())
        })?;
        done += group.len();
        if pages.len() >= PAGES_MAX && !hand(std::mem::take(&mut pages), std::mem::take(&mut reckoning.queue)) {
            break;
        }
    }
    // Nobody asks whether the last ones are taken.
    hand(pages, std::mem::take(&mut reckoning.queue));
    Ok(Beside { order, done, reckoning, maker })
}

#[cfg(test)]
mod tests {
    use crate::license::{OrgNameIx, PoolIx};
    use crate::store::sql::reckoning::UsedMore;

    #[test]
    fn used_seats_are_counted_by_pool_and_org() {
        let count = |counted: &[(u16, u32, i64)]| {
            let mut used = UsedMore::default();
            counted.iter().for_each(|&(pool, org, more)| used.add((PoolIx(pool), OrgNameIx(org)), more));
            used
        };
        let used =
            count(&[(2, 7, 1), (0, 9, 1), (2, 7, 1), (1, 0, 1), (1, 0, -1), (0, 9, -3), (65_535, u32::MAX, 1), (0, 8, 1)]);
        let changed: Vec<_> = used.changed().into_iter().map(|((pool, org), more)| (pool.0, org.0, more)).collect();
        assert_eq!(changed, [(0, 8, 1), (0, 9, -2), (2, 7, 2), (65_535, u32::MAX, 1)]);
    }
}
