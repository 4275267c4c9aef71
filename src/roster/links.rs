//! Roles and enrollments while rows come in: many, small, found again by the hash of their id.
//!
//! Which stored record a row replaces is only asked when the last row is in, in one walk over the stored records; until
//! then a row costs one look-up among the rows of this read.

use std::ops::Range;

use hashbrown::HashTable;

use crate::base::parts;
use crate::roster::book::Place;
use crate::roster::model::{Modified, PackedEnrollment, RecordHash, Role, Span};
use crate::roster::packed::DatedEnrollment;
use crate::roster::room::{Fixed, number};
use crate::roster::rows::{Mode, RowHead, RowStatus};
use crate::roster::spans::SpanTable;
use crate::roster::table::stamp_of;

/// A role or an enrollment.
pub(crate) trait Link: Copy {
    /// What several of them have in common.
    type Shared;
    /// The hash of its id.
    fn id(&self) -> RecordHash;
    /// Its last change.
    fn modified(&self, shared: &Self::Shared) -> Modified;
    /// Marks it ended.
    fn end(&mut self, shared: &mut Self::Shared, modified: Modified);
}

impl Link for Role {
    type Shared = ();
    fn id(&self) -> RecordHash {
        self.id
    }
    fn modified(&self, (): &()) -> Modified {
        self.modified
    }
    fn end(&mut self, (): &mut (), modified: Modified) {
        (self.ended, self.modified) = (true, modified);
    }
}

impl Link for PackedEnrollment {
    type Shared = SpanTable;
    fn id(&self) -> RecordHash {
        self.id
    }
    fn modified(&self, spans: &SpanTable) -> Modified {
        spans.get(self.span).modified
    }
    fn end(&mut self, spans: &mut SpanTable, modified: Modified) {
        self.span = spans.ix(Span { ended: true, modified, ..*spans.get(self.span) });
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It stands.
    Good,
    /// It ends the stored record; where that is unknown it says nothing.
    End,
    /// It cannot be used: the stored record stays.
    Bad,
    /// It was done with: the stored record has ended, or is newer.
    Spent,
}

/// A row. There are very many: where it stands and what became of it is kept beside, if at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkRow<L> {
    /// The person's slot, or [`NOBODY`].
    pub(crate) person: u32,
    /// The record.
    pub(crate) link: L,
}

impl Fixed for LinkRow<DatedEnrollment> {
    const BYTES: usize = DatedEnrollment::BYTES + 4;
    fn put(&self, out: &mut Vec<u8>) {
        self.link.put(out);
        out.extend_from_slice(&self.person.to_le_bytes());
    }
    fn get(bytes: &[u8]) -> Self {
        Self { link: DatedEnrollment::get(bytes), person: number(bytes, DatedEnrollment::BYTES) }
    }
}

/// No person of the roster.
pub(crate) const NOBODY: u32 = u32::MAX;

/// How a row arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkArrival {
    /// A new one.
    New,
    /// It takes the place of this earlier row.
    Instead(u32),
    /// A later row of the same file said more.
    Ignored,
    /// The id stood in this earlier row.
    Double(u32),
}

/// Roles or enrollments.
#[derive(Debug)]
pub(crate) struct Links<L: Link> {
    /// Rows by the hash of their id; empty in an unaided read, which looks for doubles once, at its end.
    index: HashTable<u32>,
    is_unaided: bool,
    /// The rows, in order of arrival, but for the first ones if they were taken away.
    pub(crate) rows: Vec<LinkRow<L>>,
    /// So many were taken away; only of an unaided read, which never asks for one by its place.
    taken: u32,
    /// What became of the rows; all behind its end stand.
    states: Vec<State>,
    /// Where the rows stand; of the first one alone, unless somebody may ask for the others.
    places: Vec<Place>,
    keeps_places: bool,
    /// Last changes of the rows to the millisecond; kept for files of changes only.
    stamps: Vec<i64>,
    /// What rows mean; `None` while the collection has not begun.
    pub(crate) mode: Option<Mode>,
    /// What rows and stored records have in common.
    pub(crate) shared: L::Shared,
    /// The stored records, grouped by person.
    pub(crate) stored: Vec<L>,
    /// For each stored record whether it stays; empty means that all do.
    pub(crate) stays: Vec<bool>,
    unreadable: Vec<RecordHash>,
    doubles: Vec<RecordHash>,
    /// Rows with neither id nor person were there: no stored record is absent.
    pub(crate) untellable: bool,
    /// People of rows without a readable id: their stored records are not absent.
    pub(crate) untellable_of: Vec<u32>,
}

impl<L: Link + Sync> Links<L> {
    /// Starts with the stored records; an unaided read has none. `keeps_places`: also of such a read it may be asked where
    /// rows stand.
    pub(crate) fn new(stored: Vec<L>, shared: L::Shared, is_unaided: bool, keeps_places: bool) -> Self {
        Self {
            index: HashTable::new(),
            is_unaided,
            rows: Vec::new(),
            taken: 0,
            states: Vec::new(),
            places: Vec::new(),
            keeps_places: keeps_places || !is_unaided,
            stamps: Vec::new(),
            mode: None,
            shared,
            stored,
            stays: Vec::new(),
            unreadable: Vec::new(),
            doubles: Vec::new(),
            untellable: false,
            untellable_of: Vec::new(),
        }
    }

    /// What became of a row.
    pub(crate) fn state(&self, at: u32) -> State {
        self.states.get(at as usize).copied().unwrap_or(State::Good)
    }

    /// Says what became of a row.
    pub(crate) fn set_state(&mut self, at: u32, state: State) {
        let at = at as usize;
        if self.states.len() <= at {
            if state == State::Good {
                return;
            }
            self.states.resize(at + 1, State::Good);
        }
        self.states[at] = state;
    }

    /// Rows mean something else than was thought. Of those so far, last changes are known to the second.
    pub(crate) fn switch(&mut self, mode: Mode) {
        self.mode = Some(mode);
        if mode != Mode::Full && !self.is_unaided {
            let changed = |row: &LinkRow<L>| match row.link.modified(&self.shared) {
                Modified(0) => i64::MIN,
                Modified(seconds) => i64::from(seconds) * 1_000,
            };
            self.stamps.extend(self.rows[self.stamps.len()..].iter().map(changed));
        }
    }

    /// The rows that stand.
    pub(crate) fn good(&self) -> impl Iterator<Item = (u32, &LinkRow<L>)> {
        (self.taken..).zip(&self.rows).filter(|&(at, _)| self.state(at) == State::Good)
    }

    /// Where a row stands.
    pub(crate) fn place(&self, at: u32) -> Place {
        self.places.get(at as usize).or(self.places.first()).copied().unwrap_or_default()
    }

    fn find(&self, id: RecordHash) -> Option<u32> {
        self.index.find(id.bits(), |&row| self.rows[row as usize].link.id() == id).copied()
    }

    /// Decides what to do with a row.
    pub(crate) fn arrive(&mut self, id: RecordHash, head: &RowHead<'_>) -> LinkArrival {
        let Some(row) = self.find(id) else { return LinkArrival::New };
        if self.mode == Some(Mode::Full) {
            self.doubles.push(id);
            return LinkArrival::Double(row);
        }
        if stamp_of(head) < self.stamps[row as usize] { LinkArrival::Ignored } else { LinkArrival::Instead(row) }
    }

    /// Takes a row.
    pub(crate) fn put(&mut self, arrival: LinkArrival, head: &RowHead<'_>, (place, state): (Place, State), row: LinkRow<L>) {
        if let LinkArrival::Instead(at) = arrival {
            self.rows[at as usize] = row;
            self.places[at as usize] = place;
            self.stamps[at as usize] = stamp_of(head);
            self.set_state(at, state);
            return;
        }
        let at = self.taken + self.rows.len() as u32;
        self.rows.push(row);
        self.keep_places([place]);
        self.set_state(at, state);
        if self.mode != Some(Mode::Full) {
            self.stamps.push(stamp_of(head));
        }
        self.note(at);
    }

    fn keep_places(&mut self, places: impl IntoIterator<Item = Place>) {
        if self.keeps_places {
            self.places.extend(places);
        } else if self.places.is_empty() {
            self.places.extend(places.into_iter().take(1));
        }
    }

    fn note(&mut self, at: u32) {
        if self.is_unaided {
            return;
        }
        let rows = &self.rows;
        let hash = |&at: &u32| rows[at as usize].link.id().bits();
        self.index.insert_unique(hash(&at), at, hash);
    }

    /// Whether rows of a complete file can be taken at once: none of them has an id that stands twice, or it is asked later.
    pub(crate) fn can_take(&self, rows: &[LinkRow<L>]) -> bool {
        let are_new = || {
            let mut ids: Vec<u64> = rows.iter().map(|row| row.link.id().bits()).collect();
            !has_twins(&mut ids) && rows.iter().all(|row| self.find(row.link.id()).is_none())
        };
        self.mode == Some(Mode::Full) && (self.is_unaided || are_new())
    }

    /// Takes rows that it can take at once.
    pub(crate) fn put_all(&mut self, rows: &mut Vec<LinkRow<L>>, places: impl Iterator<Item = Place>) {
        let first = self.rows.len() as u32;
        self.rows.append(rows);
        self.keep_places(places);
        if !self.is_unaided {
            (first..self.rows.len() as u32).for_each(|at| self.note(at));
        }
    }

    /// Whether two rows have one id.
    pub(crate) fn has_doubles(&self) -> bool {
        has_doubles(&self.rows, |row| row.link.id())
    }

    /// What an unaided read has left to its end.
    fn settle_unaided(&mut self, concern: &mut impl FnMut(u32)) {
        if self.unreadable.is_empty() {
            return;
        }
        for at in 0..self.rows.len() {
            let row = self.rows[at];
            if self.is_unreadable(row.link.id()) {
                self.set_state(self.taken + at as u32, State::Bad);
                concern(row.person);
            }
        }
    }

    /// Whether rows of ids that could not be read are among those that could; asked when the last one is in.
    pub(crate) fn has_unreadable(&self) -> bool {
        !self.unreadable.is_empty()
    }

    /// Whether a row of this id could not be read; asked when the last one is in.
    pub(crate) fn is_unreadable(&self, id: RecordHash) -> bool {
        self.unreadable.binary_search(&id).is_ok()
    }

    /// The rows were put elsewhere.
    pub(crate) fn forget_rows(&mut self) {
        self.taken += self.rows.len() as u32;
        self.rows.clear();
    }

    /// A row of this id could not be read: whatever other rows say, the stored record stays.
    pub(crate) fn unreadable(&mut self, id: RecordHash) {
        self.unreadable.push(id);
    }

    /// Decides which stored records stay, when the last row is in. `person_at` tells the person of a stored position,
    /// in rising order, and whether that person is in the roster. Calls `concern` for each person who must keep
    /// everything, and returns how many rows were older than what is stored.
    pub(crate) fn settle(
        &mut self,
        people: impl Iterator<Item = (u32, (u32, u32), bool)>,
        mut concern: impl FnMut(u32),
    ) -> u64 {
        if self.mode.is_none() && self.unreadable.is_empty() {
            return 0;
        }
        for list in [&mut self.unreadable, &mut self.doubles] {
            list.sort_unstable();
            list.dedup();
        }
        self.untellable_of.sort_unstable();
        if self.is_unaided {
            self.settle_unaided(&mut concern);
            return 0;
        }
        for at in 0..self.unreadable.len() {
            if let Some(row) = self.find(self.unreadable[at]) {
                self.set_state(row, State::Bad);
                concern(self.rows[row as usize].person);
            }
        }
        let mut outdated = 0;
        self.stays = vec![false; self.stored.len()];
        for (person, (first, len), present) in people {
            for at in first as usize..first as usize + len as usize {
                let id = self.stored[at].id();
                if id.is_zero() {
                    continue;
                }
                if self.doubles.binary_search(&id).is_ok() {
                    concern(person);
                }
                if self.unreadable.binary_search(&id).is_ok() {
                    self.stays[at] = true;
                    concern(person);
                    continue;
                }
                let Some(row) = self.find(id) else {
                    let named = self.untellable_of.binary_search(&person).is_ok();
                    let full = self.mode == Some(Mode::Full);
                    self.stays[at] = !full || named || (self.untellable && present);
                    if full && self.stays[at] {
                        concern(person);
                    }
                    continue;
                };
                let stamp = self.rows[row as usize].link.modified(&self.shared);
                let old = stamp != Modified::default() && stamp < self.stored[at].modified(&self.shared);
                match self.state(row) {
                    State::Good | State::End if old && self.mode == Some(Mode::Changes) => {
                        outdated += 1;
                        self.set_state(row, State::Spent);
                        self.stays[at] = true;
                    }
                    State::Good => {}
                    State::End => {
                        self.stored[at].end(&mut self.shared, stamp);
                        self.set_state(row, State::Spent);
                        self.stays[at] = true;
                    }
                    State::Bad => {
                        self.stays[at] = true;
                        concern(person);
                    }
                    State::Spent => self.stays[at] = true,
                }
            }
        }
        self.index = HashTable::new();
        outdated
    }

    /// A row was found bad after all: the stored record stays.
    pub(crate) fn restore(&mut self, at: usize) {
        if let Some(stays) = self.stays.get_mut(at) {
            *stays = true;
        }
    }

    /// Whether a stored record stays.
    pub(crate) fn stays(&self, at: usize) -> bool {
        self.stays.get(at).copied().unwrap_or(true)
    }
}

/// Whether a number stands twice in the list, which is sorted for it.
pub(crate) fn has_twins(numbers: &mut [u64]) -> bool {
    numbers.sort_unstable();
    numbers.windows(2).any(|pair| pair[0] == pair[1])
}

/// Slots of the table in which the ids of a share are looked up: twice as many as there are in most.
const TWIN_SLOTS: usize = 1 << 13;

/// As [`has_twins`], of evenly spread numbers: each leaves half of its bits in a table that stays in the processor's cache,
/// and only if two are alike there, or there are too many, are the numbers sorted.
fn has_twins_among(numbers: &mut [u64], table: &mut [u32]) -> bool {
    table.fill(0);
    let is_met = numbers.len() > table.len() / 4 * 3
        || numbers.iter().any(|&number| {
            let (mut at, tag) = ((number >> 36) as usize % table.len(), number as u32 | 1);
            while table[at] != 0 && table[at] != tag {
                at = (at + 1) % table.len();
            }
            std::mem::replace(&mut table[at], tag) == tag
        });
    is_met && has_twins(numbers)
}

/// Whether two records have one id. Ids are hashes, hence spread evenly: each thread lays a part of them out in shares of a
/// few thousand, then each cares for some of the shares.
pub(crate) fn has_doubles<T: Sync>(records: &[T], id: impl Fn(&T) -> RecordHash + Sync) -> bool {
    let shares = (records.len() / 4096).next_power_of_two().clamp(1, 1 << 12);
    let share = |bits: u64| (bits >> 52) as usize & (shares - 1);
    let laid = parts::each_part(records.len(), |own| {
        let bits = || records[own.clone()].iter().map(|record| id(record).bits());
        let mut next = vec![0u32; shares + 1];
        bits().for_each(|bits| next[share(bits) + 1] += 1);
        for at in 1..next.len() {
            next[at] += next[at - 1];
        }
        let mut ids = vec![0u64; own.len()];
        // Where each share starts moves to where it ends.
        for bits in bits() {
            let at = &mut next[share(bits)];
            ids[*at as usize] = bits;
            *at += 1;
        }
        (ids, next)
    });
    let cuts = laid.len();
    let own = (0..cuts).map(|cut| shares * cut / cuts..shares * (cut + 1) / cuts).collect();
    let found = parts::each(own, |own: Range<usize>| {
        let (mut all, mut table) = (Vec::new(), vec![0u32; TWIN_SLOTS]);
        own.into_iter().any(|share| {
            all.clear();
            for (ids, ends) in &laid {
                let start = share.checked_sub(1).map_or(0, |before| ends[before]);
                all.extend_from_slice(&ids[start as usize..ends[share] as usize]);
            }
            has_twins_among(&mut all, &mut table)
        })
    });
    found.contains(&true)
}

/// The state in which a row starts.
pub(crate) fn first_state(status: RowStatus, mode: Option<Mode>) -> State {
    if status == RowStatus::Ended && mode != Some(Mode::Full) { State::End } else { State::Good }
}

#[cfg(test)]
mod tests {
    use crate::roster::links::has_doubles;
    use crate::roster::packed::RecordHash;

    #[test]
    fn a_double_is_found_wherever_it_stands() {
        for len in [2u32, 5_000, 100_000] {
            let mix = |n: u32| u64::from(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut ids: Vec<u64> = (0..len).map(mix).collect();
            let found = |ids: &[u64]| has_doubles(ids, |&id| RecordHash([(id >> 32) as u32, id as u32]));
            assert!(!found(&ids), "{len}");
            // Half of the bits are no id.
            let last = len as usize - 1;
            ids[last] = ids[0] ^ 1 << 32;
            assert!(!found(&ids), "{len}");
            for (at, of) in [(0, last), (last / 2, last), (0, last / 2)].into_iter().filter(|(at, of)| at != of) {
                let mut ids = ids.clone();
                ids[of] = ids[at];
                assert!(found(&ids), "{len} {at} {of}");
            }
        }
        // Ids that are not spread at all.
        assert!(!has_doubles(&(0..20_000).collect::<Vec<u32>>(), |&id| RecordHash([0, id])));
        assert!(has_doubles(&(0..20_000).map(|id| id / 2).collect::<Vec<u32>>(), |&id| RecordHash([0, id])));
    }
}
