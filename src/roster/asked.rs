//! Ids that rows name, put aside to be looked up in handfuls.
//!
//! A look-up in a large table waits for memory, first for the place of its slot, then for the id's text. Many that depend on
//! nothing wait together.

use crate::base::{Text, TextArena};
use crate::roster::intern::text_hash;
use crate::roster::table::{Record, Table};

/// So many are looked up together.
const HANDFUL: usize = 64;

/// Ids and the rows that name them.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    named: Vec<Named>,
    keys: Vec<u8>,
}

/// An id that rows from the first one to another name.
#[derive(Debug)]
struct Named {
    first: usize,
    after: usize,
    hash: u64,
    len: usize,
}

impl Asked {
    /// Asks for the id that the row at this place names.
    #[inline]
    pub(crate) fn ask(&mut self, row: usize, id: &str) {
        let hash = text_hash(id);
        // Rows of one class often stand together.
        if let Some(last) = self.named.last_mut().filter(|last| last.hash == hash && last.after == row)
            && last.len == id.len()
            && self.keys.ends_with(id.as_bytes())
        {
            last.after = row + 1;
            return;
        }
        self.named.push(Named { first: row, after: row + 1, hash, len: id.len() });
        self.keys.extend_from_slice(id.as_bytes());
    }

    /// Whether it is worth looking them up.
    #[inline]
    pub(crate) fn is_handful(&self) -> bool {
        self.named.len() >= HANDFUL
    }

    /// Looks all of them up and tells their slots with the rows that name them, in order, up to one that has none: then the
    /// answer is `false`.
    pub(crate) fn answer<T: Record>(
        &mut self,
        table: &Table<T>,
        arena: &TextArena,
        mut tell: impl FnMut(std::ops::Range<usize>, u32),
    ) -> bool {
        let mut keys = self.keys.as_slice();
        for named in self.named.chunks(HANDFUL) {
            let mut likely = [(0, Text::EMPTY); HANDFUL];
            for (likely, named) in likely.iter_mut().zip(named) {
                *likely = table.likely(named.hash).unwrap_or_default();
            }
            arena.touch(likely.iter().map(|&(_, id)| id));
            for (&(slot, id), named) in likely.iter().zip(named) {
                let (key, rest) = keys.split_at(named.len);
                keys = rest;
                let is_it = !id.is_empty() && arena.bytes(id) == key;
                let Some(slot) = is_it.then_some(slot).or_else(|| table.find_hashed(arena, key, named.hash)) else {
                    return false;
                };
                tell(named.first..named.after, slot);
            }
        }
        self.named.clear();
        self.keys.clear();
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::base::TextArena;
    use crate::roster::asked::Asked;
    use crate::roster::intern::text_hash;
    use crate::roster::model::Class;
    use crate::roster::table::Table;

    proptest! {
        #[test]
        fn the_answers_are_those_of_one_by_one(
            known in 1..100u32,
            asked in prop::collection::vec((0..110u32, 1..4usize), 0..200),
        ) {
            let (mut arena, mut table) = (TextArena::default(), Table::<Class>::new(Vec::new(), &TextArena::default()));
            for number in 0..known {
                let id = format!("class-{number}");
                table.add(arena.push(&id).expect("room"), text_hash(&id));
            }
            let asked = asked.iter().flat_map(|&(number, times)| vec![format!("class-{number}"); times]);
            let asked: Vec<String> = asked.collect();
            let mut open = Asked::default();
            asked.iter().enumerate().for_each(|(row, id)| open.ask(row, id));
            let mut slots = Vec::new();
            let are_known = open.answer(&table, &arena, |rows, slot| {
                assert_eq!(rows.start, slots.len());
                slots.extend(rows.map(|_| slot));
            });
            let right = asked.iter().map_while(|id| table.find(&arena, id));
            prop_assert_eq!(&slots, &right.collect::<Vec<_>>());
            prop_assert_eq!(are_known, slots.len() == asked.len());
            prop_assert!(!are_known || !open.is_handful());
        }
    }
}
