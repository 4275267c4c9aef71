//! The enrollments of a roster: in memory, or outside of it as long as a read of very many is under way.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::parts;
use crate::roster::packed::PackedEnrollment;
use crate::roster::room::Laid;

/// So many records lie in one window.
const WINDOW: usize = 1 << 12;
/// So many windows are kept, 4 MiB in all.
const WINDOWS: usize = 64;

/// A list of enrollments, grouped by person.
#[derive(Clone, Debug, Default)]
pub struct Enrollments {
    here: Vec<PackedEnrollment>,
    /// They are here instead; then none are in memory.
    outside: Option<Arc<Outside>>,
}

/// Looks after enrollments that lie outside memory, also when they went into another roster.
#[derive(Clone, Debug, Default)]
pub struct Watch(Option<Arc<Outside>>);

impl Watch {
    /// Whether every one of them could be had so far. Otherwise blank ones stood in, and nothing that was made of them may
    /// be used.
    pub fn is_whole(&self) -> bool {
        self.0.as_ref().is_none_or(|outside| !outside.laid.is_lost())
    }
}

/// A list outside memory, and a few windows on it: people are walked in order.
#[derive(Debug)]
struct Outside {
    laid: Laid<PackedEnrollment>,
    windows: [Mutex<Window>; WINDOWS],
}

#[derive(Debug, Default)]
struct Window {
    /// Its number, from 1; 0: none.
    number: usize,
    records: Vec<PackedEnrollment>,
}

impl Outside {
    /// The place of a window: each stretch of the list has one of its own, as threads walk stretches of their own.
    fn slot(&self, number: usize) -> usize {
        let all = usize::try_from(self.laid.len()).unwrap_or(usize::MAX).div_ceil(WINDOW).max(1);
        (number.saturating_mul(WINDOWS) / all).min(WINDOWS - 1)
    }

    /// Some of it; what is lost stands blank.
    fn some(&self, first: usize, count: usize) -> Vec<PackedEnrollment> {
        let (mut some, end) = (Vec::with_capacity(count), first + count);
        while some.len() < count {
            let at = first + some.len();
            let number = at / WINDOW;
            let mut window = self.windows[self.slot(number)].lock().unwrap_or_else(PoisonError::into_inner);
            if window.number != number + 1 {
                let start = number * WINDOW;
                window.records.clear();
                let until = (start + WINDOW).min(usize::try_from(self.laid.len()).unwrap_or(usize::MAX));
                window.number = number + 1;
                if !self.laid.read(start as u64, until.saturating_sub(start), &mut window.records) {
                    window.number = 0;
                    some.resize(count, PackedEnrollment::default());
                    return some;
                }
            }
            let start = at - number * WINDOW;
            let until = (end - number * WINDOW).min(window.records.len());
            match window.records.get(start..until) {
                Some(found) if !found.is_empty() => some.extend_from_slice(found),
                _ => some.resize(count, PackedEnrollment::default()),
            }
        }
        some
    }
}

impl Enrollments {
    /// Those of a list outside memory.
    pub(crate) fn outside(laid: Laid<PackedEnrollment>) -> Self {
        Self { here: Vec::new(), outside: Some(Arc::new(Outside { laid, windows: std::array::from_fn(|_| Mutex::default()) })) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.outside.as_ref().map_or(self.here.len(), |outside| usize::try_from(outside.laid.len()).unwrap_or(usize::MAX))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it turns out that some of them cannot be had.
    pub fn watch(&self) -> Watch {
        Watch(self.outside.clone())
    }

    /// So many from a position on.
    pub(crate) fn some(&self, first: usize, count: usize) -> Cow<'_, [PackedEnrollment]> {
        match &self.outside {
            None => Cow::Borrowed(&self.here[first..first + count]),
            Some(outside) => Cow::Owned(outside.some(first, count)),
        }
    }

    /// Visits all of them in order.
    pub(crate) fn each(&self, visit: &mut dyn FnMut(&PackedEnrollment)) {
        match &self.outside {
            None => self.here.iter().for_each(visit),
            Some(outside) => outside.laid.each(&mut |_, packed| visit(packed)),
        }
    }

    /// How many are so.
    pub(crate) fn count(&self, is_so: impl Fn(&PackedEnrollment) -> bool + Sync) -> usize {
        let mut count = 0;
        if self.outside.is_some() {
            self.each(&mut |packed| count += usize::from(is_so(packed)));
            return count;
        }
        parts::each_part(self.here.len(), |own| self.here[own].iter().filter(|packed| is_so(packed)).count()).into_iter().sum()
    }

    /// All of them in memory, to be changed; those that lie outside are fetched.
    pub(crate) fn here(&mut self) -> &mut Vec<PackedEnrollment> {
        if let Some(outside) = self.outside.take() {
            self.here = outside.some(0, usize::try_from(outside.laid.len()).unwrap_or(usize::MAX));
        }
        &mut self.here
    }

    /// All of them in memory.
    pub(crate) fn into_here(mut self) -> Vec<PackedEnrollment> {
        std::mem::take(self.here())
    }
}

impl From<Vec<PackedEnrollment>> for Enrollments {
    fn from(here: Vec<PackedEnrollment>) -> Self {
        Self { here, outside: None }
    }
}

/// The enrollments of one person, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Own<'r> {
    pub(crate) records: Cow<'r, [PackedEnrollment]>,
    pub(crate) next: usize,
}

impl Iterator for Own<'_> {
    type Item = PackedEnrollment;

    fn next(&mut self) -> Option<PackedEnrollment> {
        let packed = self.records.get(self.next).copied();
        self.next += 1;
        packed
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.records.len().saturating_sub(self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Own<'_> {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use crate::roster::enrollments::Enrollments;
    use crate::roster::packed::{ClassIx, PackedEnrollment, RecordHash, SpanIx};
    use crate::roster::room::Laid;
    use crate::roster::room::tests::Little;

    #[test]
    fn those_outside_are_those_in_memory() {
        let room = Arc::new(Little::of(0));
        let all: Vec<PackedEnrollment> = (0..300_000u32)
            .map(|n| PackedEnrollment { id: RecordHash([n, !n]), class: ClassIx(n % 7), span: SpanIx(n % 3) })
            .collect();
        let mut laid = Laid::new(&room).expect("room");
        assert!(laid.append(&all));
        let (mut outside, here) = (Enrollments::outside(laid), Enrollments::from(all.clone()));
        for (first, count) in [(0, 0), (0, 1), (4_090, 20), (4_096, 4_096), (299_999, 1), (100, 30_000), (300_000, 0)] {
            assert_eq!(outside.some(first, count), here.some(first, count), "{first} {count}");
        }
        let is_so = |packed: &PackedEnrollment| packed.class.0 == 3;
        assert_eq!((outside.len(), outside.count(is_so)), (here.len(), here.count(is_so)));
        let (twin, watch) = (outside.clone(), outside.watch());
        assert!(watch.is_whole());
        assert_eq!(outside.here(), &all);
        // More windows than are kept: the first one has made room for the second.
        room.reads.store(0, Ordering::Relaxed);
        assert_eq!(twin.some(0, 2), [PackedEnrollment::default(); 2].as_slice(), "blank, and told");
        assert!(!watch.is_whole() && outside.watch().is_whole());
    }
}
