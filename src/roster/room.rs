//! Room outside memory for what a read has millions of.
//!
//! What lies there are numbers of one length: handles, hashes, days. Nobody but the read that put it there sees it, and
//! losing it costs that read. So whoever gives room may fail at any time by saying so: what cannot be put outside stays in
//! memory, and what cannot be had back is [lost](Laid::is_lost), once and for all, which is asked before the read is used.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};

/// Gives room outside memory.
pub trait Room: Debug + Send + Sync {
    /// An empty stretch of it; `None`: there is none.
    fn stretch(&self) -> Option<Box<dyn Stretch>>;

    /// So many records of a kind may lie in memory before any are put here.
    fn records_max(&self) -> usize {
        1 << 16
    }
}

/// Bytes outside memory; they go with this value.
pub trait Stretch: Debug + Send + Sync {
    /// Puts bytes at a place; `false` if they could not be.
    #[must_use]
    fn write(&self, at: u64, bytes: &[u8]) -> bool;

    /// Has bytes back that were put there; `false` if they cannot be had.
    #[must_use]
    fn read(&self, at: u64, into: &mut [u8]) -> bool;
}

/// A record of a fixed length.
pub(crate) trait Fixed: Copy {
    /// Its length in bytes.
    const BYTES: usize;
    /// Writes it.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads it from so many bytes.
    fn get(bytes: &[u8]) -> Self;
}

/// A number of four bytes at a place.
pub(crate) fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes)
}

impl Fixed for u64 {
    const BYTES: usize = 8;
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn get(bytes: &[u8]) -> Self {
        bytes.try_into().map_or(0, u64::from_le_bytes)
    }
}

/// So many records are read or written at once.
pub(crate) const RECORDS_AT_ONCE: usize = 1 << 12;

/// A list outside memory, as far as there was room.
#[derive(Debug)]
pub(crate) struct Laid<T> {
    stretch: Option<Box<dyn Stretch>>,
    /// So many lie outside.
    len: u64,
    is_lost: AtomicBool,
    /// The last ones, for which there was no room.
    late: Vec<T>,
}

impl<T: Fixed> Laid<T> {
    /// An empty list, if there is room.
    pub(crate) fn new(room: &dyn Room) -> Option<Self> {
        Some(Self { stretch: Some(room.stretch()?), ..Self::here(Vec::new()) })
    }

    /// A list in memory all the same.
    pub(crate) fn here(late: Vec<T>) -> Self {
        Self { stretch: None, len: 0, is_lost: AtomicBool::new(false), late }
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> u64 {
        self.len + self.late.len() as u64
    }

    /// Whether something of it could not be had back, be it now or earlier: then nothing is handed out any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// Appends all of these, in memory if there is no room for them.
    pub(crate) fn keep(&mut self, records: &[T]) {
        if !self.late.is_empty() || !self.append(records) {
            self.late.extend_from_slice(records);
        }
    }

    fn write(&self, at: u64, bytes: &[u8]) -> bool {
        self.stretch.as_ref().is_some_and(|stretch| stretch.write(at * T::BYTES as u64, bytes))
    }

    /// Appends all of these, or none; not to a list of which some are in memory.
    #[must_use]
    pub(crate) fn append(&mut self, records: &[T]) -> bool {
        let mut bytes = Vec::with_capacity(RECORDS_AT_ONCE.min(records.len()) * T::BYTES);
        let mut at = self.len;
        for some in records.chunks(RECORDS_AT_ONCE) {
            bytes.clear();
            some.iter().for_each(|record| record.put(&mut bytes));
            if !self.write(at, &bytes) {
                return false;
            }
            at += some.len() as u64;
        }
        self.len = at;
        true
    }

    /// Appends records to `out`: so many from a place on. `false` if they are lost.
    pub(crate) fn read(&self, first: u64, count: usize, out: &mut Vec<T>) -> bool {
        let far = usize::try_from(self.len.saturating_sub(first)).unwrap_or(usize::MAX).min(count);
        let near = usize::try_from((first + far as u64).saturating_sub(self.len)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; far * T::BYTES];
        let is_read = |stretch: &dyn Stretch, bytes: &mut [u8]| stretch.read(first * T::BYTES as u64, bytes);
        if self.is_lost() || (far > 0 && !self.stretch.as_ref().is_some_and(|stretch| is_read(&**stretch, &mut bytes))) {
            self.is_lost.store(true, Ordering::Relaxed);
            return false;
        }
        out.extend(bytes.chunks_exact(T::BYTES).map(T::get));
        out.extend(self.late.iter().skip(near).take(count - far));
        true
    }

    /// Visits all records and their positions; once something is lost, none.
    pub(crate) fn each(&self, visit: &mut dyn FnMut(u64, &T)) {
        self.each_until(self.len(), visit);
    }

    /// Visits the first records.
    pub(crate) fn each_until(&self, end: u64, visit: &mut dyn FnMut(u64, &T)) {
        let (mut at, mut records) = (0, Vec::with_capacity(RECORDS_AT_ONCE));
        while at < end {
            records.clear();
            let count = (end - at).min(RECORDS_AT_ONCE as u64) as usize;
            if !self.read(at, count, &mut records) {
                return;
            }
            (at..).zip(&records).for_each(|(at, record)| visit(at, record));
            at += count as u64;
        }
    }
}

/// A long list in shares, each short enough for memory.
#[derive(Debug)]
pub(crate) struct Shares<T> {
    laid: Laid<T>,
    starts: Vec<u64>,
}

/// Hands each record out with the number of its share.
pub(crate) type ShareOut<'a, T> = &'a mut dyn FnMut(&mut dyn FnMut(usize, T));

impl<T: Fixed> Shares<T> {
    /// Puts every record that `walk` hands out into its share; `counts` tells how many each gets. `None`: there is no room,
    /// or they are not so many.
    pub(crate) fn new(room: &dyn Room, counts: &[u64], walk: ShareOut<'_, T>) -> Option<Self> {
        let mut laid = Laid::new(room)?;
        let mut starts = vec![0];
        counts.iter().for_each(|count| starts.push(starts.last().copied().unwrap_or_default() + count));
        laid.len = starts.last().copied().unwrap_or_default();
        let most = (RECORDS_AT_ONCE / 16) * T::BYTES;
        let mut next = starts.clone();
        let mut waiting: Vec<Vec<u8>> = vec![Vec::new(); counts.len()];
        let mut is_well = true;
        let mut put_away = |share: usize, bytes: &mut Vec<u8>| {
            let (at, count) = (next[share], (bytes.len() / T::BYTES) as u64);
            next[share] += count;
            let fits = next[share] <= starts[share + 1] && laid.write(at, bytes);
            bytes.clear();
            fits
        };
        walk(&mut |share, record| {
            let bytes = &mut waiting[share];
            record.put(bytes);
            if bytes.len() >= most {
                is_well = is_well && put_away(share, bytes);
            }
        });
        for (share, bytes) in waiting.iter_mut().enumerate() {
            is_well = is_well && (bytes.is_empty() || put_away(share, bytes));
        }
        let is_full = next.iter().zip(&starts[1..]).all(|(next, end)| next == end);
        (is_well && is_full).then_some(Self { laid, starts })
    }

    /// The records of a share; `None` if they are lost.
    pub(crate) fn share(&self, at: usize) -> Option<Vec<T>> {
        let (first, count) = (self.starts[at], (self.starts[at + 1] - self.starts[at]) as usize);
        let mut records = Vec::with_capacity(count);
        self.laid.read(first, count, &mut records).then_some(records)
    }
}

/// So many hashes are about one share of them.
const HASHES_A_SHARE: u64 = 1 << 16;

/// Hands hashes out.
pub(crate) type Hashes<'a> = &'a dyn Fn(&mut dyn FnMut(u64));

/// How many different ones there are among hashes, of which `walk` hands out the same ones whenever it is called; `None`:
/// there is no room to find that out. Hashes are spread evenly.
pub(crate) fn distinct(room: &dyn Room, count: u64, walk: Hashes<'_>) -> Option<u64> {
    let shares = (count / HASHES_A_SHARE).next_power_of_two().min(1 << 12);
    let share = |hash: u64| ((hash >> 52) & (shares - 1)) as usize;
    let mut counts = vec![0; shares as usize];
    walk(&mut |hash| counts[share(hash)] += 1);
    let shared = Shares::new(room, &counts, &mut |put| walk(&mut |hash| put(share(hash), hash)))?;
    let mut distinct = 0;
    for at in 0..counts.len() {
        let mut hashes = shared.share(at)?;
        hashes.sort_unstable();
        hashes.dedup();
        distinct += hashes.len() as u64;
    }
    Some(distinct)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use crate::roster::room::{Laid, Room, Shares, Stretch, distinct};

    /// Room in memory, for a few records, that fails from a number of writes or reads on.
    #[derive(Debug)]
    pub(crate) struct Little {
        pub(crate) records: usize,
        pub(crate) writes: AtomicU32,
        pub(crate) reads: AtomicU32,
    }

    impl Little {
        pub(crate) fn of(records: usize) -> Self {
            Self { records, writes: AtomicU32::new(u32::MAX), reads: AtomicU32::new(u32::MAX) }
        }

        fn counted(left: &AtomicU32) -> bool {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
        }
    }

    #[derive(Debug)]
    struct Bytes(std::sync::Arc<Little>, Mutex<Vec<u8>>);

    impl Room for std::sync::Arc<Little> {
        fn stretch(&self) -> Option<Box<dyn Stretch>> {
            Some(Box::new(Bytes(self.clone(), Mutex::default())))
        }
        fn records_max(&self) -> usize {
            self.records
        }
    }

    impl Stretch for Bytes {
        fn write(&self, at: u64, bytes: &[u8]) -> bool {
            let (mut all, end) = (self.1.lock().expect("whole"), at as usize + bytes.len());
            if all.len() < end {
                all.resize(end, 0);
            }
            all[at as usize..end].copy_from_slice(bytes);
            Little::counted(&self.0.writes)
        }
        fn read(&self, at: u64, into: &mut [u8]) -> bool {
            let all = self.1.lock().expect("whole");
            let Some(found) = all.get(at as usize..at as usize + into.len()) else { return false };
            into.copy_from_slice(found);
            Little::counted(&self.0.reads)
        }
    }

    fn mixed(n: u64) -> u64 {
        xxhash_rust::xxh3::xxh3_64(&n.to_le_bytes())
    }

    #[test]
    fn lists_come_back_in_order_and_what_is_lost_stays_lost() {
        let room = std::sync::Arc::new(Little::of(0));
        let all: Vec<u64> = (0..10_000).map(mixed).collect();
        let mut laid = Laid::new(&room).expect("room");
        assert!(laid.append(&all[..9_000]) && laid.append(&all[9_000..]));
        let list = |laid: &Laid<u64>| {
            let mut seen = Vec::new();
            laid.each(&mut |at, hash| {
                assert_eq!(at, seen.len() as u64);
                seen.push(*hash);
            });
            seen
        };
        assert_eq!((list(&laid), laid.len()), (all.clone(), 10_000));
        room.reads.store(1, Ordering::Relaxed);
        assert!(list(&laid).len() < 10_000 && laid.is_lost());
        room.reads.store(u32::MAX, Ordering::Relaxed);
        assert!(list(&laid).is_empty(), "nothing of it is used any more");
        room.writes.store(1, Ordering::Relaxed);
        assert!(!Laid::new(&room).expect("room").append(&all));
        // What has no room any more stays in memory, behind what had.
        room.writes.store(2, Ordering::Relaxed);
        let mut laid = Laid::new(&room).expect("room");
        all.chunks(3_000).for_each(|some| laid.keep(some));
        assert_eq!((list(&laid), laid.len()), (all.clone(), 10_000));
        assert_eq!(list(&Laid::here(all.clone())), all);
    }

    #[test]
    fn shares_hold_what_was_told_of_them() {
        let room = std::sync::Arc::new(Little::of(0));
        let share = |n: u64| (n % 3) as usize;
        let walk = |put: &mut dyn FnMut(usize, u64)| (0..5_000).for_each(|n| put(share(n), n));
        let counts = [1_667, 1_667, 1_666];
        let shares = Shares::new(&room, &counts, &mut |put| walk(put)).expect("room");
        for at in 0..3 {
            assert_eq!(shares.share(at), Some((0..5_000).filter(|n| share(*n) == at).collect()));
        }
        for odd in [[1_667, 1_666, 1_667], [1_666, 1_667, 1_667], [1_667, 1_667, 1_667]] {
            assert!(Shares::new(&room, &odd, &mut |put| walk(put)).is_none(), "{odd:?}");
        }
    }

    #[test]
    fn hashes_that_came_before_are_counted_once() {
        let room = std::sync::Arc::new(Little::of(0));
        for (count, twice) in [(0, 0), (10, 0), (10, 3), (200_000, 0), (200_000, 1)] {
            let walk = |visit: &mut dyn FnMut(u64)| (0..count).chain(0..twice).for_each(|n| visit(mixed(n)));
            assert_eq!(distinct(&room, count + twice, &walk), Some(count));
        }
        room.writes.store(2, Ordering::Relaxed);
        assert_eq!(distinct(&room, 200_000, &|visit| (0..200_000).for_each(|n| visit(mixed(n)))), None);
    }
}
