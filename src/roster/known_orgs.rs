//! The orgs of an intake beside it, for whoever reads people ahead while others are taken in.

use crate::base::TextArena;
use crate::roster::desk::Desk;
use crate::roster::intern::{Scribe, text_hash};
use crate::roster::slots::SlotIndex;

/// Orgs that people may point at, by id. None comes or goes from the moment people are read on.
#[derive(Debug, Default)]
pub(crate) struct KnownOrgs {
    texts: TextArena,
    slots: SlotIndex,
}

impl KnownOrgs {
    /// Those of an intake; `None` where their ids need too much room.
    pub(crate) fn of(desk: &Desk) -> Option<Self> {
        let (mut scribe, mut slots) = (Scribe::default(), SlotIndex::default());
        for slot in (0..desk.orgs.len() as u32).filter(|&slot| desk.orgs.present(slot)) {
            let id = desk.arena().get(desk.orgs.id(slot));
            slots.insert(text_hash(id), slot, scribe.write(id).ok()?);
        }
        Some(Self { texts: scribe.into_arena(), slots })
    }

    /// The slot of an org that is there.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        self.slots.find(text_hash(id), |known| self.texts.bytes(known) == id.as_bytes()).map(|(slot, _)| slot)
    }
}
