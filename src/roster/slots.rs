//! Which slot an id has: an index in which all that a look-up needs stands side by side, but for the id's own text.
//!
//! Open addressing in one list. A bucket has half of the hash, the slot and the id's handle; the half tells the place too, so
//! that a growing index reads nothing but itself, from its start to its end. Two ids are one only if their bytes are equal,
//! which the caller says.

use crate::base::Text;

/// Slots by id.
#[derive(Debug, Default)]
pub(crate) struct SlotIndex {
    /// Upper half of the hash with the slot's successor, and the handle; zeros where there is none.
    buckets: Vec<[u64; 2]>,
    len: usize,
}

impl SlotIndex {
    /// Makes room for so many slots in all.
    pub(crate) fn reserve(&mut self, count: usize) {
        let wanted = count + count / 2 + 8;
        if wanted <= self.buckets.len() {
            return;
        }
        for bucket in std::mem::replace(&mut self.buckets, vec![[0; 2]; wanted]) {
            if bucket[0] != 0 {
                self.put(bucket);
            }
        }
    }

    /// Adds a slot for an id that has none.
    pub(crate) fn insert(&mut self, hash: u64, slot: u32, id: Text) {
        if (self.len + 1) * 3 > self.buckets.len() * 2 {
            self.reserve((self.len + 1) * 3 / 2);
        }
        self.len += 1;
        self.put([hash >> 32 << 32 | (u64::from(slot) + 1), id.bits()]);
    }

    /// The first slot of this hash whose id is the one.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(Text) -> bool) -> Option<(u32, Text)> {
        let mut at = self.start(hash);
        loop {
            // An empty bucket is always there, unless there is none at all.
            let &[mark, id] = self.buckets.get(at)?;
            if mark == 0 {
                return None;
            }
            if (mark ^ hash) >> 32 == 0 && is_it(Text::of_bits(id)) {
                return Some((mark as u32 - 1, Text::of_bits(id)));
            }
            at = self.next(at);
        }
    }

    fn put(&mut self, bucket: [u64; 2]) {
        let mut at = self.start(bucket[0]);
        while self.buckets[at][0] != 0 {
            at = self.next(at);
        }
        self.buckets[at] = bucket;
    }

    /// Hashes in rising order have places in rising order.
    #[inline]
    fn start(&self, hash: u64) -> usize {
        (((hash >> 32) * self.buckets.len() as u64) >> 32) as usize
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        if at + 1 < self.buckets.len() { at + 1 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::base::{Text, TextArena};
    use crate::roster::slots::SlotIndex;

    proptest! {
        #[test]
        fn each_id_has_its_own_slot_whatever_the_hashes(
            hashes in prop::collection::vec((0..6u64, 0..4u64), 0..300),
            reserved in 0..400usize,
        ) {
            // Few hashes, at both ends of the list: many ids share one.
            let hashes: Vec<u64> = hashes.iter().map(|&(high, low)| (high.wrapping_sub(3) << 32) | low).collect();
            let (mut arena, mut index) = (TextArena::default(), SlotIndex::default());
            index.reserve(reserved);
            let find = |index: &SlotIndex, arena: &TextArena, hash, id: &str| {
                index.find(hash, |known| arena.bytes(known) == id.as_bytes()).map(|(slot, _)| slot)
            };
            for (slot, &hash) in (0u32..).zip(&hashes) {
                let id = format!("id{slot}");
                prop_assert_eq!(find(&index, &arena, hash, &id), None);
                let text = arena.push(&id).expect("room");
                prop_assert_eq!(Text::of_bits(text.bits()), text);
                index.insert(hash, slot, text);
            }
            for (slot, &hash) in (0u32..).zip(&hashes) {
                prop_assert_eq!(find(&index, &arena, hash, &format!("id{slot}")), Some(slot));
                prop_assert_eq!(find(&index, &arena, hash, "other"), None);
            }
        }
    }
}
