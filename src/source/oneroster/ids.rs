//! The ids of a collection under way: how many different ones there were, and whether a page has a new one.
//!
//! A few hundred thousand stand in a table. Of more, what grows in memory are two bytes each: marks that tell for certain
//! that an id is new, and only perhaps that it is not. Which page has a new one is nearly always told by them; how many
//! different ones there are is counted outside memory, which is asked for at the end and where something looks odd.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use hashbrown::HashSet;

use crate::roster::{Laid, Room, distinct};

/// Ids are hashed already.
#[derive(Default)]
pub(crate) struct Through(u64);

impl Hasher for Through {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxhash_rust::xxh3::xxh3_64(bytes);
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Hashes of ids.
#[derive(Default)]
pub(crate) struct Ids {
    /// While they are few.
    near: HashSet<u64, BuildHasherDefault<Through>>,
    far: Option<Far>,
    room: Option<Arc<dyn Room>>,
}

/// Very many of them.
struct Far {
    room: Arc<dyn Room>,
    /// All, as they came, but for the last ones …
    laid: Laid<u64>,
    /// … which are these, …
    last: Vec<u64>,
    /// … as long as they are fewer than these.
    last_max: usize,
    /// What the disk did not take once stays with the last ones from then on.
    is_full: bool,
    marks: Vec<Marks>,
    /// How many different ones there are among the first ones; told once, asked often.
    counted: Option<(u64, u64)>,
}

/// Where ids were noted, in lines of 512 bits, of which each has four: of as many ids as have two bytes each, three in a
/// thousand others look as if they had been noted.
struct Marks {
    lines: Vec<[u64; 8]>,
    ids: usize,
}

impl Marks {
    fn new(ids: usize) -> Self {
        Self { lines: vec![[0; 8]; (ids / 32).next_power_of_two()], ids: 0 }
    }

    /// The line of an id, and the bits that it has there.
    fn places(&self, id: u64) -> (usize, [(usize, u64); 4]) {
        let line = (id as usize) & (self.lines.len() - 1);
        let bit = |at: u32| ((id >> (28 + 9 * at)) & 511) as usize;
        (line, [bit(0), bit(1), bit(2), bit(3)].map(|bit| (bit / 64, 1 << (bit % 64))))
    }

    fn note(&mut self, id: u64) {
        let (line, bits) = self.places(id);
        bits.into_iter().for_each(|(word, bit)| self.lines[line][word] |= bit);
        self.ids += 1;
    }

    fn may_have(&self, id: u64) -> bool {
        let (line, bits) = self.places(id);
        bits.into_iter().all(|(word, bit)| self.lines[line][word] & bit != 0)
    }
}

/// One list of marks serves so many times as many ids as may stand in memory.
const LISTS_A_MARK: usize = 16;

/// Why ids cannot be counted.
const LOST: &str = "its ids, which were put on the disk, cannot be read back";

impl Far {
    fn new(room: Arc<dyn Room>) -> Option<Self> {
        let (laid, last_max) = (Laid::new(&*room)?, room.records_max().max(1));
        Some(Self { room, laid, last: Vec::new(), last_max, is_full: false, marks: Vec::new(), counted: None })
    }

    fn count(&self) -> u64 {
        self.laid.len() + self.last.len() as u64
    }

    fn note(&mut self, id: u64) {
        let marks_max = self.last_max.saturating_mul(LISTS_A_MARK);
        if self.marks.last().is_none_or(|marks| marks.ids >= marks_max) {
            self.marks.push(Marks::new(marks_max));
        }
        self.marks.iter_mut().last().into_iter().for_each(|marks| marks.note(id));
        self.last.push(id);
        if self.last.len() >= self.last_max && !self.is_full {
            if self.laid.append(&self.last) {
                self.last.clear();
            } else {
                self.is_full = true;
            }
        }
    }

    fn may_have(&self, id: u64) -> bool {
        self.marks.iter().any(|marks| marks.may_have(id))
    }

    /// How many different ones there are among so many.
    fn distinct(&self, until: u64) -> Result<u64, String> {
        let walk = |visit: &mut dyn FnMut(u64)| {
            self.laid.each_until(until.min(self.laid.len()), &mut |_, id| visit(*id));
            let of_last = until.saturating_sub(self.laid.len()).min(self.last.len() as u64) as usize;
            self.last[..of_last].iter().for_each(|id| visit(*id));
        };
        let told = distinct(&*self.room, until, &walk);
        if self.laid.is_lost() {
            return Err(LOST.to_owned());
        }
        // The disk is full: memory has to do.
        Ok(told.unwrap_or_else(|| {
            let mut all = Vec::new();
            walk(&mut |id| all.push(id));
            all.sort_unstable();
            all.dedup();
            all.len() as u64
        }))
    }
}

impl Ids {
    /// With room outside memory, if there is any.
    pub(crate) fn new(room: Option<Arc<dyn Room>>) -> Self {
        Self { room, ..Self::default() }
    }

    /// Takes the ids of a page; says whether one of them is new. If nobody asks, it may be wrong when it says that none is:
    /// to be sure of that, all have to be counted.
    pub(crate) fn page(&mut self, ids: impl Iterator<Item = u64> + Clone, is_asked: bool) -> Result<bool, String> {
        let Some(far) = &mut self.far else {
            let before = self.near.len();
            self.near.extend(ids);
            let is_new = self.near.len() > before;
            self.go_far();
            return Ok(is_new);
        };
        let (before, is_new) = (far.count(), ids.clone().any(|id| !far.may_have(id)));
        ids.for_each(|id| far.note(id));
        if is_new || !is_asked || far.count() == before {
            return Ok(is_new);
        }
        let earlier = far.distinct(before)?;
        Ok(self.distinct()? > earlier)
    }

    fn go_far(&mut self) {
        if self.room.as_ref().is_none_or(|room| self.near.len() < room.records_max()) {
            return;
        }
        self.far = self.room.take().and_then(Far::new);
        if let Some(far) = &mut self.far {
            std::mem::take(&mut self.near).into_iter().for_each(|id| far.note(id));
        }
    }

    /// How many different ones there were.
    pub(crate) fn distinct(&mut self) -> Result<u64, String> {
        let Some(far) = &mut self.far else { return Ok(self.near.len() as u64) };
        let count = far.count();
        if let Some((of, distinct)) = far.counted
            && of == count
        {
            return Ok(distinct);
        }
        let distinct = far.distinct(count)?;
        far.counted = Some((count, distinct));
        Ok(distinct)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::roster::Room;
    use crate::source::oneroster::ids::{Ids, Marks};
    use crate::source::scratch::Scratch;

    /// A folder as room for reads that keep little in memory.
    #[derive(Debug)]
    struct Little(Scratch);

    impl Room for Little {
        fn stretch(&self) -> Option<Box<dyn crate::roster::Stretch>> {
            self.0.stretch()
        }
        fn records_max(&self) -> usize {
            100
        }
    }

    fn mixed(n: u64) -> u64 {
        xxhash_rust::xxh3::xxh3_64(&n.to_le_bytes())
    }

    #[test]
    fn far_ids_are_told_as_near_ones_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let rooms = [None, Some(Arc::new(Little(Scratch::new(folder.path().into()))) as Arc<dyn Room>)];
        let told = rooms.map(|room| {
            let mut ids = Ids::new(room);
            let mut told = Vec::new();
            // Pages of new ones, of new ones and old ones, of old ones alone, of one.
            for page in [0..70, 70..140, 100..170, 20..160, 170..500, 0..1, 500..501, 400..500, 501..6_000, 5_999..6_000] {
                let is_new = ids.page(page.map(mixed), true).expect("it can be told");
                told.push((is_new, ids.distinct().expect("it can be told")));
            }
            told
        });
        assert_eq!(told[0], told[1]);
        let is_new: Vec<bool> = told[0].iter().map(|told| told.0).collect();
        assert_eq!(is_new, [true, true, true, false, true, false, true, false, true, false]);
        assert_eq!(told[0].last().expect("some").1, 6_000);
    }

    #[test]
    fn marks_know_all_they_were_told_and_hardly_anything_else() {
        let mut marks = Marks::new(1 << 14);
        (0..1 << 14).for_each(|n| marks.note(mixed(n)));
        assert!((0..1 << 14).all(|n| marks.may_have(mixed(n))));
        let taken = (1 << 20..(1 << 20) + 10_000).filter(|n| marks.may_have(mixed(*n))).count();
        assert!(taken < 100, "{taken} of 10000");
    }
}
