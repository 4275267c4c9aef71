//! The records of one collection while rows come in: what is stored, what the rows say, and which of the two counts.
//!
//! Every id gets a slot at its first mention, the stored records first, so that their handles are slots already.
//! A stored record is never written over: a row that turns out to be bad leaves it as it was (R104).

use crate::base::{ArenaFull, Instant, Text, TextArena};
use crate::roster::book::{Book, Flaw, Place};
use crate::roster::intern::{Scribe, text_hash};
use crate::roster::model::{Class, Course, Modified, Org, Person, Session};
use crate::roster::rows::{Collection, Mode, RowHead};
use crate::roster::slots::SlotIndex;

/// A record with an id.
pub(crate) trait Record {
    /// Its id.
    fn id(&self) -> Text;
    /// Its last change.
    fn modified(&self) -> Modified;
    /// Marks it ended.
    fn end(&mut self, modified: Modified);
}

macro_rules! record {
    ($($name:ident $id:ident),*) => {$(
        impl Record for $name {
            #[inline]
            fn id(&self) -> Text {
                self.$id
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
record!(Org id, Session id, Course id, Class id, Person key);

/// What the rows came to for one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// No row.
    Nothing,
    /// This row.
    Row(u32),
    /// The stored record has ended.
    Ended,
    /// A record that was never known has ended.
    Void,
    /// A row that cannot be used.
    Bad,
}

/// Which record counts for one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// None.
    Absent,
    /// The stored one.
    Stored,
    /// A row's.
    Row(u32),
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    id: Text,
    stamp: i64,
    place: Place,
    said: Said,
    /// A row was there, good or bad.
    seen: bool,
    /// A row of this id could not be read at all: whatever other rows say, the stored record stays.
    unreadable: bool,
}

/// How a row arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It is to be read into this slot.
    Take(u32),
    /// The id stood in an earlier row, at this slot and place.
    Double(u32, Place),
    /// Older than what is stored.
    Outdated,
    /// Nothing is to be done: a later row of the same file said more, or the row is rejected already.
    Ignored,
}

/// The records of one collection.
#[derive(Debug)]
pub(crate) struct Table<T> {
    index: SlotIndex,
    slots: Vec<Slot>,
    /// There are no slots: each would be that of the row at its place, of which no more is asked.
    is_settled: bool,
    /// The stored records; the first slots are theirs.
    pub(crate) stored: Vec<T>,
    /// Records made from rows, in order of arrival.
    pub(crate) rows: Vec<T>,
    /// What rows mean; `None` while the collection has not begun.
    pub(crate) mode: Option<Mode>,
    /// Rows without a readable id were there: nobody is absent.
    pub(crate) untellable: bool,
}

/// A row's last change to the millisecond, for the order of rows of one file.
pub(crate) fn stamp_of(head: &RowHead<'_>) -> i64 {
    head.modified.map_or(i64::MIN, |Instant(millis)| millis)
}

fn modified_at(stamp: i64) -> Modified {
    Modified(u32::try_from(stamp.max(0) / 1000).unwrap_or(u32::MAX))
}

/// A row's last change as it is stored.
pub(crate) fn modified_of(head: &RowHead<'_>) -> Modified {
    modified_at(stamp_of(head))
}

impl<T: Record> Table<T> {
    /// Starts with the stored records.
    pub(crate) fn new(stored: Vec<T>, arena: &TextArena) -> Self {
        let mut table = Self {
            index: SlotIndex::default(),
            slots: Vec::with_capacity(stored.len()),
            is_settled: false,
            stored,
            rows: Vec::new(),
            mode: None,
            untellable: false,
        };
        table.index.reserve(table.stored.len());
        for at in 0..table.stored.len() {
            let id = table.stored[at].id();
            table.add(id, text_hash(arena.get(id)));
        }
        table
    }

    /// A new slot for an id and its hash.
    pub(crate) fn add(&mut self, id: Text, hash: u64) -> u32 {
        let slot = self.slots.len() as u32;
        self.slots.push(Slot {
            id,
            stamp: i64::MIN,
            place: Place::default(),
            said: Said::Nothing,
            seen: false,
            unreadable: false,
        });
        self.index.insert(hash, slot, id);
        slot
    }

    /// The slot of an id, if it was ever mentioned.
    pub(crate) fn find(&self, arena: &TextArena, id: &str) -> Option<u32> {
        self.find_hashed(arena, id.as_bytes(), text_hash(id))
    }

    /// As [`Table::find`], the hash of the id being known.
    pub(crate) fn find_hashed(&self, arena: &TextArena, id: &[u8], hash: u64) -> Option<u32> {
        self.index.find(hash, |known| arena.bytes(known) == id).map(|(slot, _)| slot)
    }

    /// Makes room for the ids of so many rows.
    pub(crate) fn expect(&mut self, rows: usize) {
        self.index.reserve(self.slots.len() + rows);
    }

    /// A slot and its id that has, for all one can tell without reading texts, this hash.
    #[inline]
    pub(crate) fn likely(&self, hash: u64) -> Option<(u32, Text)> {
        self.index.find(hash, |_| true)
    }

    /// Whether a row of a slot was there.
    pub(crate) fn is_seen(&self, slot: u32) -> bool {
        self.known(slot).seen
    }

    #[inline]
    fn known(&self, slot: u32) -> Slot {
        if !self.is_settled {
            return self.slots[slot as usize];
        }
        let (id, said, place) = (self.rows[slot as usize].id(), Said::Row(slot), Place::default());
        Slot { id, stamp: i64::MIN, place, said, seen: true, unreadable: false }
    }

    /// Lets go of the slots if they tell nothing that the rows do not. Where rows stand can be asked no more, and before
    /// another row comes the table has to be unsettled.
    pub(crate) fn settle(&mut self) {
        if self.is_rows_alone() {
            (self.slots, self.is_settled) = (Vec::new(), true);
        }
    }

    /// Makes the slots again.
    pub(crate) fn unsettle(&mut self) {
        if self.is_settled {
            self.slots = (0..self.rows.len() as u32).map(|slot| self.known(slot)).collect();
            self.is_settled = false;
        }
    }

    /// The slot of an id, new at its first mention.
    pub(crate) fn slot(&mut self, scribe: &mut Scribe, id: &str) -> Result<u32, ArenaFull> {
        match self.find(scribe.arena(), id) {
            Some(slot) => Ok(slot),
            None => {
                let hash = text_hash(id);
                Ok(self.add(scribe.write(id)?, hash))
            }
        }
    }

    /// Whether nothing was stored and each slot is that of the row at its place.
    pub(crate) fn is_rows_alone(&self) -> bool {
        let is_own = |(at, slot): (u32, &Slot)| slot.said == Said::Row(at) && !slot.unreadable;
        let are_own = || self.rows.len() == self.slots.len() && (0u32..).zip(&self.slots).all(is_own);
        self.is_settled || self.stored.is_empty() && are_own()
    }

    /// The records made from rows, without anything beside them.
    pub(crate) fn into_rows(self) -> Vec<T> {
        self.rows
    }

    /// How many ids were mentioned.
    pub(crate) fn len(&self) -> usize {
        if self.is_settled { self.rows.len() } else { self.slots.len() }
    }

    /// The id of a slot.
    #[inline]
    pub(crate) fn id(&self, slot: u32) -> Text {
        if self.is_settled { self.rows[slot as usize].id() } else { self.slots[slot as usize].id }
    }

    /// The place of a slot's row.
    pub(crate) fn place(&self, slot: u32) -> Place {
        self.known(slot).place
    }

    /// Whether a row is to be read.
    fn arrive(&self, slot: u32, head: &RowHead<'_>) -> Arrival {
        let known = self.known(slot);
        if self.mode == Some(Mode::Full) {
            return if known.seen { Arrival::Double(slot, known.place) } else { Arrival::Take(slot) };
        }
        let stored = self.stored.get(slot as usize).map(Record::modified).unwrap_or_default();
        if head.modified.is_some() && modified_of(head) < stored {
            return Arrival::Outdated;
        }
        if known.seen && stamp_of(head) < known.stamp { Arrival::Ignored } else { Arrival::Take(slot) }
    }

    /// Decides what to do with a row; counts it.
    pub(crate) fn admit(&mut self, scribe: &mut Scribe, book: &mut Book, what: Collection, head: &RowHead<'_>) -> Arrival {
        let slot = match self.slot(scribe, head.id) {
            Ok(slot) => slot,
            Err(full) => {
                // No room even for the id: as good as a row without one.
                book.reject(what, head.at, head.id, full.into());
                self.untellable = true;
                return Arrival::Ignored;
            }
        };
        let arrival = self.arrive(slot, head);
        if arrival == Arrival::Outdated {
            book.counts.of_mut(what).outdated += 1;
        }
        arrival
    }

    /// Decides what to do with a row of a collection in which a second row of an id is always bad.
    pub(crate) fn admit_once(
        &mut self,
        scribe: &mut Scribe,
        book: &mut Book,
        what: Collection,
        head: &RowHead<'_>,
    ) -> Option<u32> {
        match self.admit(scribe, book, what, head) {
            Arrival::Take(slot) => Some(slot),
            Arrival::Double(_, first) => {
                let flaw = Flaw::double(book.at(first));
                book.reject(what, head.at, head.id, flaw);
                None
            }
            Arrival::Outdated | Arrival::Ignored => None,
        }
    }

    fn say(&mut self, slot: u32, stamp: i64, place: Place, said: Said) {
        let slot = &mut self.slots[slot as usize];
        slot.said = said;
        slot.stamp = stamp;
        slot.place = place;
        slot.seen = true;
    }

    /// Takes a row's record.
    pub(crate) fn put(&mut self, slot: u32, head: &RowHead<'_>, place: Place, record: T) {
        self.put_stamped(slot, stamp_of(head), place, record);
    }

    /// As [`Table::put`], the row's last change being known.
    pub(crate) fn put_stamped(&mut self, slot: u32, stamp: i64, place: Place, record: T) {
        let row = self.rows.len() as u32;
        self.rows.push(record);
        self.say(slot, stamp, place, Said::Row(row));
    }

    /// The stored record has ended; one that was never known still is not.
    pub(crate) fn end(&mut self, slot: u32, head: &RowHead<'_>, place: Place) {
        let known = (slot as usize) < self.stored.len();
        self.say(slot, stamp_of(head), place, if known { Said::Ended } else { Said::Void });
    }

    /// The row cannot be used.
    pub(crate) fn fail(&mut self, slot: u32, head: &RowHead<'_>, place: Place) {
        self.say(slot, stamp_of(head), place, Said::Bad);
    }

    /// A row that was taken cannot be used after all.
    pub(crate) fn drop_row(&mut self, slot: u32) {
        self.slots[slot as usize].said = Said::Bad;
    }

    /// A row of this id could not be read.
    pub(crate) fn unreadable(&mut self, slot: u32, place: Place) {
        let slot = &mut self.slots[slot as usize];
        slot.unreadable = true;
        if !slot.seen {
            slot.seen = true;
            slot.place = place;
        }
    }

    /// Which record counts.
    pub(crate) fn choice(&self, slot: u32) -> Choice {
        let known = self.known(slot);
        let stored = if (slot as usize) < self.stored.len() { Choice::Stored } else { Choice::Absent };
        if known.unreadable {
            return stored;
        }
        match known.said {
            Said::Row(row) => Choice::Row(row),
            Said::Ended | Said::Bad => stored,
            Said::Void => Choice::Absent,
            Said::Nothing if self.mode == Some(Mode::Full) && !self.untellable => Choice::Absent,
            Said::Nothing => stored,
        }
    }

    /// Whether a reference to the slot finds a record.
    pub(crate) fn present(&self, slot: u32) -> bool {
        self.choice(slot) != Choice::Absent
    }

    /// The record that counts.
    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        match self.choice(slot) {
            Choice::Absent => None,
            Choice::Stored => self.stored.get(slot as usize),
            Choice::Row(row) => self.rows.get(row as usize),
        }
    }

    /// The record that a mention finds.
    pub(crate) fn look_up(&self, arena: &TextArena, id: &str) -> Option<(u32, &T)> {
        let slot = self.find(arena, id)?;
        Some((slot, self.get(slot)?))
    }

    /// Whether the stored record is there although no row of this read says so: a row was bad, or absence cannot be
    /// told.
    pub(crate) fn kept_blindly(&self, slot: u32) -> bool {
        let known = self.known(slot);
        let silent = known.said == Said::Nothing && self.mode == Some(Mode::Full) && self.untellable;
        self.choice(slot) == Choice::Stored && (known.unreadable || known.said == Said::Bad || silent)
    }

    /// Marks the stored records that the rows ended. Called once, when the last row is in.
    pub(crate) fn settle_ends(&mut self) {
        for (slot, stored) in self.slots.iter().zip(&mut self.stored) {
            if slot.said == Said::Ended && !slot.unreadable {
                stored.end(modified_at(slot.stamp));
            }
        }
    }
}
