//! Roles and enrollments while rows come in: many, small, found again by the hash of their id.
//!
//! Which stored record a row replaces is only asked when the last row is in, in one walk over the stored records; until
//! then a row costs one look-up among the rows of this read.

use hashbrown::HashTable;

use crate::roster::book::Place;
use crate::roster::model::{Enrollment, Modified, RecordHash, Role};
use crate::roster::rows::{Mode, RowHead, RowStatus};
use crate::roster::table::stamp_of;

/// A role or an enrollment.
pub(crate) trait Link: Copy {
    /// The hash of its id.
    fn id(&self) -> RecordHash;
    /// Its last change.
    fn modified(&self) -> Modified;
    /// Marks it ended.
    fn end(&mut self, modified: Modified);
}

macro_rules! link {
    ($($name:ident),*) => {$(
        impl Link for $name {
            fn id(&self) -> RecordHash {
                self.id
            }
            fn modified(&self) -> Modified {
                self.modified
            }
            fn end(&mut self, modified: Modified) {
                self.ended = true;
                self.modified = modified;
            }
        }
    )*};
}
link!(Role, Enrollment);

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

/// A row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkRow<L> {
    /// The person's slot, or [`NOBODY`].
    pub(crate) person: u32,
    /// Where it stands.
    pub(crate) place: Place,
    /// What became of it.
    pub(crate) state: State,
    /// The record.
    pub(crate) link: L,
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
pub(crate) struct Links<L> {
    index: HashTable<u32>,
    /// The rows, in order of arrival.
    pub(crate) rows: Vec<LinkRow<L>>,
    /// Last changes of the rows to the millisecond; kept for files of changes only.
    stamps: Vec<i64>,
    /// What rows mean; `None` while the collection has not begun.
    pub(crate) mode: Option<Mode>,
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

impl<L: Link> Links<L> {
    /// Starts with the stored records.
    pub(crate) fn new(stored: Vec<L>) -> Self {
        Self {
            index: HashTable::new(),
            rows: Vec::new(),
            stamps: Vec::new(),
            mode: None,
            stored,
            stays: Vec::new(),
            unreadable: Vec::new(),
            doubles: Vec::new(),
            untellable: false,
            untellable_of: Vec::new(),
        }
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
    pub(crate) fn put(&mut self, arrival: LinkArrival, head: &RowHead<'_>, row: LinkRow<L>) {
        if let LinkArrival::Instead(at) = arrival {
            self.rows[at as usize] = row;
            self.stamps[at as usize] = stamp_of(head);
            return;
        }
        let at = self.rows.len() as u32;
        self.rows.push(row);
        if self.mode != Some(Mode::Full) {
            self.stamps.push(stamp_of(head));
        }
        let rows = &self.rows;
        let hash = |&at: &u32| rows[at as usize].link.id().bits();
        self.index.insert_unique(hash(&at), at, hash);
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
        for &id in &self.unreadable {
            if let Some(row) = self.index.find(id.bits(), |&row| self.rows[row as usize].link.id() == id) {
                let row = &mut self.rows[*row as usize];
                row.state = State::Bad;
                concern(row.person);
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
                let Some(row) = self.index.find(id.bits(), |&row| self.rows[row as usize].link.id() == id) else {
                    let named = self.untellable_of.binary_search(&person).is_ok();
                    let full = self.mode == Some(Mode::Full);
                    self.stays[at] = !full || named || (self.untellable && present);
                    if full && self.stays[at] {
                        concern(person);
                    }
                    continue;
                };
                let row = &mut self.rows[*row as usize];
                let stamp = row.link.modified();
                let old = stamp != Modified::default() && stamp < self.stored[at].modified();
                match row.state {
                    State::Good | State::End if old && self.mode == Some(Mode::Changes) => {
                        outdated += 1;
                        row.state = State::Spent;
                        self.stays[at] = true;
                    }
                    State::Good => {}
                    State::End => {
                        self.stored[at].end(stamp);
                        row.state = State::Spent;
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

/// The state in which a row starts.
pub(crate) fn first_state(status: RowStatus, mode: Option<Mode>) -> State {
    if status == RowStatus::Ended && mode != Some(Mode::Full) { State::End } else { State::Good }
}
