//! Work on a long list in as many parts as there are cores, with one result whatever their number.
//!
//! The one place below the waterline that knows threads. They are scoped, share nothing but what they read, and each
//! result stands at its part's place: so a function that uses them is as pure as one that does not.

use std::cmp::Ordering;
use std::num::NonZero;
use std::ops::Range;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Lists shorter than this are not worth a thread.
const LEN_MIN: usize = 1 << 14;

/// How many parts a list of this length is worth.
fn count(len: usize) -> usize {
    if len < LEN_MIN { 1 } else { thread::available_parallelism().map_or(1, NonZero::get) }
}

/// Whether a list of this length is worth a second thread, and there is one.
pub fn is_long(len: usize) -> bool {
    count(len) > 1
}

/// The ranges of a list's parts, in order; at least one.
pub fn ranges(len: usize) -> Vec<Range<usize>> {
    ranges_of(len, count(len))
}

/// The same where each part needs much memory of its own: no more than so many.
pub fn ranges_at_most(most: usize, len: usize) -> Vec<Range<usize>> {
    ranges_of(len, count(len).min(most))
}

fn ranges_of(len: usize, parts: usize) -> Vec<Range<usize>> {
    (0..parts).map(|part| len * part / parts..len * (part + 1) / parts).collect()
}

/// Fewer items than this are not worth a thread, be they as large as they may.
const LARGE_MIN: usize = 64;

/// The ranges of a list's parts where each item is worth as much as hundreds of others.
pub fn ranges_of_large(len: usize) -> Vec<Range<usize>> {
    ranges_of(len, if len < LARGE_MIN { 1 } else { count(LEN_MIN) })
}

/// Works on each item in a thread of its own, the last one in this thread. Results stand in the order of the items.
pub fn each<I: Send, T: Send>(items: Vec<I>, work: impl Fn(I) -> T + Sync) -> Vec<T> {
    let mut items = items;
    let Some(last) = items.pop() else { return Vec::new() };
    if items.is_empty() {
        return vec![work(last)];
    }
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = items.into_iter().map(|item| scope.spawn(move || work(item))).collect();
        let last = work(last);
        // A thread that panicked takes this one along: nothing of a broken result may be used.
        let done = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        done.chain([last]).collect()
    })
}

/// Works on each part of a list of this length.
pub fn each_part<T: Send>(len: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    each(ranges(len), work)
}

/// Does two things at once.
pub fn both<A: Send, B>(there: impl FnOnce() -> A + Send, here: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let there = scope.spawn(there);
        let here = here();
        (there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), here)
    })
}

/// Works on items as they come, in a thread of its own that is up to `ahead` results ahead of `keep`, which gets them in this
/// thread, in the order of the items. Whoever makes the items, works on them and keeps what came of them waits for nobody as long
/// as there is something to do.
///
/// # Errors
/// The first one of `keep`; then no other result is handed to it.
pub fn in_turn<I, T: Send, E>(
    items: impl Iterator<Item = I> + Send,
    ahead: usize,
    work: impl Fn(I) -> T + Send,
    keep: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let (give, got) = sync_channel(ahead);
    // After an error nobody listens any more.
    let there = move || items.map(work).try_for_each(|done| give.send(done)).is_ok();
    both(there, || got.into_iter().try_for_each(keep)).1
}

/// Cuts a list at the ends of `ranges`, which follow one another from its start.
pub fn cut<T>(mut items: &mut [T], ends: impl IntoIterator<Item = usize>) -> Vec<&mut [T]> {
    let mut start = 0;
    let mut cuts = Vec::new();
    for end in ends {
        let (part, rest) = std::mem::take(&mut items).split_at_mut(end - start);
        cuts.push(part);
        (items, start) = (rest, end);
    }
    cuts
}

/// So many items are put in place together.
const STRETCH: usize = 1 << 12;

/// Puts each item where its rank says, without a second list; the ranks are used up. Each item goes to its stretch of the
/// list first, and then to its place in it: a stretch stays in the processor's cache, a long list would not.
pub fn permute<T>(items: &mut [T], rank: &mut [u32]) {
    let mut next: Vec<usize> = (0..items.len()).step_by(STRETCH).collect();
    for stretch in 0..next.len() {
        let end = items.len().min((stretch + 1) * STRETCH);
        while next[stretch] < end {
            let (at, own) = (next[stretch], rank[next[stretch]] as usize / STRETCH);
            if own != stretch {
                items.swap(at, next[own]);
                rank.swap(at, next[own]);
            }
            next[own] += 1;
        }
    }
    for at in 0..items.len() {
        while rank[at] as usize != at {
            let to = rank[at] as usize;
            items.swap(at, to);
            rank.swap(at, to);
        }
    }
}

/// Sorts a list in which no two items are equal, so that there is one result.
pub fn sort_by<T: Send>(items: &mut [T], order: impl Fn(&T, &T) -> Ordering + Sync) {
    let parts = ranges(items.len());
    if parts.len() == 1 {
        return items.sort_unstable_by(order);
    }
    each(cut(items, parts.iter().map(|part| part.end)), |part| part.sort_unstable_by(&order));
    // The parts are runs by now, which a stable sort finds and merges.
    items.sort_by(order);
}

#[cfg(test)]
mod tests {
    use crate::base::parts::{both, cut, each, each_part, in_turn, permute, ranges_of, sort_by};

    #[test]
    fn ranges_follow_one_another() {
        for len in [0, 1, 5, 100] {
            for parts in 1..7 {
                let all: Vec<usize> = ranges_of(len, parts).into_iter().flatten().collect();
                assert_eq!(all, (0..len).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn results_stand_in_order() {
        assert_eq!(each(vec![3, 1, 2], |n| n * 2), [6, 2, 4]);
        assert!(each(Vec::<u32>::new(), |n| n).is_empty());
        let sums = each_part(100_000, |part| part.sum::<usize>());
        assert_eq!(sums.iter().sum::<usize>(), (0..100_000).sum::<usize>());
        assert_eq!(both(|| 1, || "b"), (1, "b"));
        let mut items = [1, 2, 3, 4, 5];
        assert_eq!(cut(&mut items, [2, 2, 5]), [&[1, 2][..], &[], &[3, 4, 5]]);
        permute(&mut items, &mut [4, 0, 1, 3, 2]);
        assert_eq!(items, [2, 3, 5, 4, 1]);
        // 7 919 is a prime number: every place is met once.
        let mut rank: Vec<u32> = (0..10_000).map(|at| at * 7_919 % 10_000).collect();
        let mut items = rank.clone();
        permute(&mut items, &mut rank);
        assert!(items.into_iter().eq(0..10_000));
    }

    #[test]
    fn what_comes_in_turn_goes_in_turn() {
        for count in [0, 1, 3, 50] {
            let mut kept = Vec::new();
            let done = in_turn(
                0..count,
                3,
                |n| n * 2,
                |twice| {
                    kept.push(twice);
                    if twice == 80 { Err(twice) } else { Ok(()) }
                },
            );
            assert_eq!(done, if count > 40 { Err(80) } else { Ok(()) });
            assert!(kept.into_iter().eq((0..count.min(41)).map(|n| n * 2)));
        }
    }

    #[test]
    fn long_lists_are_sorted_as_short_ones_are() {
        let mut items: Vec<u64> = (0..70_000u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let mut sorted = items.clone();
        sorted.sort_unstable();
        sort_by(&mut items, u64::cmp);
        assert_eq!(items, sorted);
    }
}
