//! Records put beside one another person by person, in the order of people.

use std::ops::Range;

use crate::base::parts;
use crate::roster::links::{Link, LinkRow};
use crate::roster::packed::DatedEnrollment;
use crate::roster::room::{Laid, Room, Shares};

/// Calls a visitor for each record and the slot of its person. Several threads may walk at once.
pub(crate) type Walk<'a, T> = &'a (dyn Fn(&mut dyn FnMut(u32, &T)) + Sync);

/// So many rows are used up before their memory is given back.
const ROWS_AT_ONCE: usize = 1 << 19;
/// Rows are sorted in about so many shares, each of which stays in the processor's cache while it is placed.
const SHARES: usize = 256;

/// So many threads count at most: each needs four bytes a person.
const COUNTS_MAX: usize = 4;

/// A counting sort by person.
pub(crate) struct Groups {
    /// First position of each person, and one more.
    starts: Vec<u32>,
}

impl Groups {
    /// Counts; of a slot, `rank` tells the new position among so many people. `mark` tells which of the things in `used` a
    /// record uses. Each thread looks at all records and cares for those of its own people.
    pub(crate) fn new<T>(
        rank: &[u32],
        people: usize,
        walk: Walk<'_, T>,
        mark: impl Fn(&T) -> usize + Sync,
        used: &mut [bool],
    ) -> Self {
        Self::counted(people, used, |own, visit| {
            walk(&mut |person, record| visit_own(rank, own, person, |at| visit(at, mark(record))));
        })
    }

    /// The same of rows, every one of which is of somebody who has a rank. Each thread counts a part of them, by slot.
    pub(crate) fn of_rows<T: Link + Sync>(
        rank: &[u32],
        rows: &[LinkRow<T>],
        mark: impl Fn(&T) -> usize + Sync,
        used: &mut [bool],
    ) -> Self {
        let counted = parts::each(parts::ranges_at_most(COUNTS_MAX, rows.len()), |own| {
            let (mut counts, mut marks) = (vec![0u32; rank.len()], vec![false; used.len()]);
            for row in &rows[own] {
                counts[row.person as usize] += 1;
                marks[mark(&row.link)] = true;
            }
            (counts, marks)
        });
        let mut starts = vec![0u32; rank.len() + 1];
        for (counts, marks) in counted {
            rank.iter().zip(counts).for_each(|(&rank, count)| starts[rank as usize + 1] += count);
            used.iter_mut().zip(marks).for_each(|(all, used)| *all |= used);
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { starts }
    }

    fn counted(people: usize, used: &mut [bool], walk: impl Fn(&Range<usize>, &mut dyn FnMut(usize, usize)) + Sync) -> Self {
        let parts = parts::each_part(people, |own| {
            let (mut counts, mut marks) = (vec![0u32; own.len()], vec![false; used.len()]);
            walk(&own, &mut |at, mark| {
                counts[at] += 1;
                marks[mark] = true;
            });
            (counts, marks)
        });
        let mut starts = Vec::with_capacity(people + 1);
        let mut total = 0;
        starts.push(total);
        for (counts, marks) in parts {
            starts.extend(counts.into_iter().map(|count| {
                total += count;
                total
            }));
            used.iter_mut().zip(marks).for_each(|(all, used)| *all |= used);
        }
        Self { starts }
    }

    /// Puts what a walk visits in order; `new` makes each record what it is to be.
    pub(crate) fn place<T: Copy + Send, K: Ord>(
        &self,
        rank: &[u32],
        walk: Walk<'_, T>,
        blank: T,
        new: impl Fn(&T) -> T + Sync,
        key: impl Fn(&T) -> K + Sync,
    ) -> Vec<T> {
        let mut placed = vec![blank; self.starts.last().map_or(0, |&total| total as usize)];
        let people = parts::ranges(self.starts.len() - 1);
        let cuts = parts::cut(&mut placed, people.iter().map(|own| self.starts[own.end] as usize));
        parts::each(people.into_iter().zip(cuts).collect(), |(own, placed)| {
            let mut next = self.next(&own);
            walk(&mut |person, record| visit_own(rank, &own, person, |at| put(placed, &mut next[at], new(record))));
            self.sort(own, placed, &key);
        });
        placed
    }

    /// As `place`, from rows whose memory is given back while the list grows: there is no room for both. The rows are sorted
    /// in shares of people first, in place, so that those of the first people stand at the end.
    pub(crate) fn use_up<T: Link + Send + Sync, K: Ord>(
        &self,
        rank: &[u32],
        mut rows: Vec<LinkRow<T>>,
        blank: T,
        new: impl Fn(&T) -> T + Sync,
        key: impl Fn(&T) -> K + Sync,
    ) -> Vec<T> {
        let parts = parts::ranges(rows.len());
        parts::each(parts::cut(&mut rows, parts.iter().map(|part| part.end)), |part| {
            part.iter_mut().for_each(|row| row.person = rank[row.person as usize]);
        });
        let shares = self.shares();
        self.share_out(&shares, &mut rows);
        let mut placed = Vec::with_capacity(rows.len());
        let mut next = 0;
        while next < shares.len() {
            let first = next;
            let rows_until = |share: usize| self.starts[shares[share].end] as usize - placed.len();
            while next < shares.len() && (next == first || rows_until(next) <= ROWS_AT_ONCE) {
                next += 1;
            }
            let round = &shares[first..next];
            let cuts = if rows_until(next - 1) < ROWS_AT_ONCE / 2 { 1 } else { parts::ranges(rows.len()).len() };
            let own = (0..cuts).map(|cut| &round[round.len() * cut / cuts..round.len() * (cut + 1) / cuts]);
            let (total, rows_left) = (self.starts.last().map_or(0, |&total| total as usize), &rows);
            let own: Vec<&[Range<usize>]> = own.filter(|own| !own.is_empty()).collect();
            let start = placed.len();
            placed.resize(start + rows_until(next - 1), blank);
            let end = |own: &&[Range<usize>]| self.starts[own[own.len() - 1].end] as usize - start;
            let cuts = parts::cut(&mut placed[start..], own.iter().map(end));
            parts::each(own.into_iter().zip(cuts).collect(), |(own, placed): (&[Range<usize>], &mut [T])| {
                let people = own[0].start..own[own.len() - 1].end;
                let mut next = self.next(&people);
                for share in own {
                    let [start, end] = [share.start, share.end].map(|person| self.starts[person] as usize);
                    for row in &rows_left[total - end..total - start] {
                        put(placed, &mut next[row.person as usize - people.start], new(&row.link));
                    }
                }
                self.sort(people, placed, &key);
            });
            rows.truncate(total - placed.len());
            rows.shrink_to_fit();
        }
        placed
    }

    /// As `place`, outside memory as far as there is room.
    pub(crate) fn place_outside<K: Ord>(
        &self,
        rank: &[u32],
        walk: Walk<'_, DatedEnrollment>,
        room: &dyn Room,
        new: impl Fn(&DatedEnrollment) -> DatedEnrollment + Sync,
        key: impl Fn(&DatedEnrollment) -> K + Sync,
    ) -> Laid<DatedEnrollment> {
        let placed = self.place_in_shares(rank, walk, room, &new, &key);
        placed.unwrap_or_else(|| Laid::here(self.place(rank, walk, DatedEnrollment::default(), new, key)))
    }

    /// `None`: there is no room.
    fn place_in_shares<K: Ord>(
        &self,
        rank: &[u32],
        walk: Walk<'_, DatedEnrollment>,
        room: &dyn Room,
        new: impl Fn(&DatedEnrollment) -> DatedEnrollment,
        key: impl Fn(&DatedEnrollment) -> K,
    ) -> Option<Laid<DatedEnrollment>> {
        let shares = self.shares();
        let bits = shares.first().map_or(1, |share| share.len()).next_power_of_two().trailing_zeros();
        let counts: Vec<u64> =
            shares.iter().map(|share| u64::from(self.starts[share.end] - self.starts[share.start])).collect();
        let everybody = 0..self.starts.len() - 1;
        let shared = Shares::new(room, &counts, &mut |put| {
            walk(&mut |person, record| {
                visit_own(rank, &everybody, person, |at| put(at >> bits, LinkRow { person: at as u32, link: new(record) }));
            });
        })?;
        let mut laid = Laid::new(room)?;
        for (at, own) in shares.into_iter().enumerate() {
            let rows = shared.share(at)?;
            let (mut placed, mut next) = (vec![DatedEnrollment::default(); rows.len()], self.next(&own));
            rows.iter().for_each(|row| put(&mut placed, &mut next[row.person as usize - own.start], row.link));
            self.sort(own, &mut placed, &key);
            laid.keep(&placed);
        }
        Some(laid)
    }

    /// Ranges of people, all of one length but the last.
    fn shares(&self) -> Vec<Range<usize>> {
        let people = self.starts.len() - 1;
        let len = people.div_ceil(SHARES).next_power_of_two();
        (0..people).step_by(len).map(|start| start..(start + len).min(people)).collect()
    }

    /// Moves each row to where those of its share stand, the first share last.
    fn share_out<T: Link>(&self, shares: &[Range<usize>], rows: &mut [LinkRow<T>]) {
        let Some(len) = shares.first().map(|share| share.len()) else { return };
        let bits = len.next_power_of_two().trailing_zeros();
        let place = |person: usize| rows.len() - self.starts[person] as usize;
        let ends: Vec<usize> = shares.iter().map(|share| place(share.start)).collect();
        let mut next: Vec<usize> = shares.iter().map(|share| place(share.end)).collect();
        for (share, &end) in ends.iter().enumerate() {
            while next[share] < end {
                let own = (rows[next[share]].person >> bits) as usize;
                if own != share {
                    rows.swap(next[share], next[own]);
                }
                next[own] += 1;
            }
        }
    }

    /// Where the next record of each of these people goes in their own list.
    fn next(&self, own: &Range<usize>) -> Vec<u32> {
        self.starts[own.clone()].iter().map(|start| start - self.starts[own.start]).collect()
    }

    /// Sorts what each person has.
    fn sort<T, K: Ord>(&self, own: Range<usize>, placed: &mut [T], key: impl Fn(&T) -> K) {
        let first = self.starts[own.start];
        for at in own {
            let (start, len) = self.slice(at);
            let start = (start - first) as usize;
            placed[start..start + len as usize].sort_by_key(&key);
        }
    }

    /// The slice of the person at a position.
    pub(crate) fn slice(&self, at: usize) -> (u32, u32) {
        (self.starts[at], self.starts[at + 1] - self.starts[at])
    }
}

/// Calls `visit` with the position among `own` of a person's new position, if it is there.
#[inline]
fn visit_own(rank: &[u32], own: &Range<usize>, person: u32, visit: impl FnOnce(usize)) {
    let rank = rank[person as usize] as usize;
    if own.contains(&rank) {
        visit(rank - own.start);
    }
}

#[inline]
fn put<T>(placed: &mut [T], next: &mut u32, record: T) {
    placed[*next as usize] = record;
    *next += 1;
}

#[cfg(test)]
mod tests {
    use crate::roster::groups::{Groups, ROWS_AT_ONCE};
    use crate::roster::links::LinkRow;
    use crate::roster::model::{ClassIx, PackedEnrollment, RecordHash, SpanIx};

    #[test]
    fn rows_are_used_up_person_by_person() {
        // Few people, people without rows, more rows than are used up at once.
        for (people, count) in [(1usize, 5usize), (3, 0), (700, 2_000), (70_000, ROWS_AT_ONCE * 3)] {
            let mix = |n: usize| (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let mut rank: Vec<u32> = (0..people as u32).collect();
            rank.sort_by_key(|&slot| mix(slot as usize));
            let row = |n: usize| {
                let link =
                    PackedEnrollment { id: RecordHash([0, n as u32]), class: ClassIx(mix(n) as u32 % 9), span: SpanIx(0) };
                LinkRow { person: (mix(n + 1) as usize % people.div_ceil(2)) as u32, link }
            };
            let rows: Vec<LinkRow<PackedEnrollment>> = (0..count).map(row).collect();
            let mut expected: Vec<(u32, ClassIx, RecordHash)> =
                rows.iter().map(|row| (rank[row.person as usize], row.link.class, row.link.id)).collect();
            expected.sort_unstable();
            let mut used = [false];
            let groups = Groups::of_rows(&rank, &rows, |_| 0, &mut used);
            let blank = PackedEnrollment::default();
            let placed = groups.use_up(&rank, rows, blank, |link| *link, |link| (link.class, link.id));
            assert_eq!(used, [count > 0]);
            assert!(placed.iter().map(|link| (link.class, link.id)).eq(expected.iter().map(|e| (e.1, e.2))));
            let slices = (0..people).flat_map(|at| vec![at as u32; groups.slice(at).1 as usize]);
            assert!(slices.eq(expected.iter().map(|e| e.0)));
        }
    }
}
