//! Ids of an intake beside it, for whoever reads rows ahead while others are taken in.

use crate::base::TextArena;
use crate::roster::intern::{Scribe, text_hash};
use crate::roster::slots::SlotIndex;
use crate::roster::table::{Record, Table};

/// Records that rows may point at, by id. None comes or goes from the moment such rows are read on.
#[derive(Debug, Default)]
pub(crate) struct KnownIds {
    texts: TextArena,
    slots: SlotIndex,
}

impl KnownIds {
    /// Those of a table that are there and so; `None` where their ids need too much room.
    pub(crate) fn of<T: Record>(arena: &TextArena, table: &Table<T>, is_so: impl Fn(&T) -> bool) -> Option<Self> {
        let (mut scribe, mut slots) = (Scribe::default(), SlotIndex::default());
        for slot in (0..table.len() as u32).filter(|&slot| table.get(slot).is_some_and(&is_so)) {
            let id = arena.get(table.id(slot));
            slots.insert(text_hash(id), slot, scribe.write(id).ok()?);
        }
        Some(Self { texts: scribe.into_arena(), slots })
    }

    /// The slot of a record that is there.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.slots.find(text_hash(id), |known| self.texts.bytes(known) == id.as_bytes()).map(|(slot, _)| slot)
    }
}
