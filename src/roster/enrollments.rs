//! The enrollments of a roster: in memory, or outside of it as long as a read of very many is under way.

use std::borrow::Borrow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::parts;
use crate::roster::packed::{DatedEnrollment, Modified, PackedEnrollment, Span, SpanIx};
use crate::roster::room::Laid;

/// So many records lie in one window.
const WINDOW: usize = 1 << 11;
/// So many windows are kept, 2.5 MiB in all.
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
    laid: Laid<DatedEnrollment>,
    windows: [Mutex<Window>; WINDOWS],
}

#[derive(Debug, Default)]
struct Window {
    /// Its number, from 1; 0: none.
    number: usize,
    records: Vec<DatedEnrollment>,
}

impl Outside {
    /// The place of a window: each stretch of the list has one of its own, as threads walk stretches of their own.
    fn slot(&self, number: usize) -> usize {
        let all = usize::try_from(self.laid.len()).unwrap_or(usize::MAX).div_ceil(WINDOW).max(1);
        (number.saturating_mul(WINDOWS) / all).min(WINDOWS - 1)
    }

    /// Some of it; what is lost stands blank.
    fn some(&self, first: usize, count: usize) -> Vec<DatedEnrollment> {
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
                    some.resize(count, DatedEnrollment::default());
                    return some;
                }
            }
            let start = at - number * WINDOW;
            let until = (end - number * WINDOW).min(window.records.len());
            match window.records.get(start..until) {
                Some(found) if !found.is_empty() => some.extend_from_slice(found),
                _ => some.resize(count, DatedEnrollment::default()),
            }
        }
        some
    }
}

impl Enrollments {
    /// Those of a list outside memory.
    pub(crate) fn outside(laid: Laid<DatedEnrollment>) -> Self {
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
    pub(crate) fn some(&self, first: usize, count: usize) -> Own<'_> {
        match &self.outside {
            None => Own::Here(&self.here[first..first + count]),
            Some(outside) => Own::Dated(outside.some(first, count)),
        }
    }

    /// Visits all of them in order.
    pub(crate) fn each(&self, visit: &mut impl FnMut(&PackedEnrollment)) {
        match &self.outside {
            None => self.here.iter().for_each(visit),
            Some(outside) => outside.laid.each(&mut |_, dated| visit(&dated.packed)),
        }
    }

    /// Visits the last change of each; `spans` are those of their roster.
    pub(crate) fn each_modified(&self, spans: &[Span], visit: &mut impl FnMut(Modified)) {
        match &self.outside {
            None => self.here.iter().for_each(|packed| visit(spans[packed.span.0 as usize].modified)),
            Some(outside) => outside.laid.each(&mut |_, dated| visit(dated.modified)),
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

    /// All of them in memory, to be changed; those that lie outside are fetched, and `spans`, which are those of their
    /// roster, must be put in order after that.
    pub(crate) fn here(&mut self, spans: &mut Vec<Span>) -> &mut Vec<PackedEnrollment> {
        if let Some(outside) = self.outside.take() {
            let all = Own::Dated(outside.some(0, usize::try_from(outside.laid.len()).unwrap_or(usize::MAX)));
            all.append_to(&mut self.here, spans);
        }
        &mut self.here
    }

    /// All of them in memory, as [`Enrollments::here`] has them.
    pub(crate) fn into_here(mut self, spans: &mut Vec<Span>) -> Vec<PackedEnrollment> {
        std::mem::take(self.here(spans))
    }
}

impl From<Vec<PackedEnrollment>> for Enrollments {
    fn from(here: Vec<PackedEnrollment>) -> Self {
        Self { here, outside: None }
    }
}

/// An enrollment, and its last change unless its span tells it.
pub(crate) type Told = (PackedEnrollment, Option<Modified>);

/// Some enrollments that stand side by side.
#[derive(Clone, Debug)]
pub(crate) enum Own<'r> {
    /// In memory.
    Here(&'r [PackedEnrollment]),
    /// Fetched from outside.
    Dated(Vec<DatedEnrollment>),
}

impl<'r> Own<'r> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Own::Here(own) => own.len(),
            Own::Dated(own) => own.len(),
        }
    }

    /// One of them.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<Told> {
        match self {
            Own::Here(own) => own.get(at).map(|packed| (*packed, None)),
            Own::Dated(own) => own.get(at).map(|dated| (dated.packed, Some(dated.modified))),
        }
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Told> + Clone {
        Each { own: self, next: 0 }
    }

    /// All of them.
    pub(crate) fn into_iter(self) -> impl ExactSizeIterator<Item = Told> + Clone + use<'r> {
        Each { own: self, next: 0 }
    }

    /// Appends them to a list in memory. `spans` begin with those of their roster; what they need beside these is appended,
    /// though it may be there.
    pub(crate) fn append_to(&self, list: &mut Vec<PackedEnrollment>, spans: &mut Vec<Span>) {
        match self {
            Own::Here(own) => list.extend_from_slice(own),
            Own::Dated(own) => list.extend(own.iter().map(|&DatedEnrollment { packed, modified }| {
                let span = Span { modified, ..spans[packed.span.0 as usize] };
                if spans.last() != Some(&span) {
                    spans.push(span);
                }
                PackedEnrollment { span: SpanIx(spans.len() as u32 - 1), ..packed }
            })),
        }
    }
}

/// One enrollment after the other.
#[derive(Clone, Debug)]
struct Each<O> {
    own: O,
    next: usize,
}

impl<'r, O: Borrow<Own<'r>>> Iterator for Each<O> {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        let told = self.own.borrow().get(self.next);
        self.next += 1;
        told
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.own.borrow().len().saturating_sub(self.next);
        (left, Some(left))
    }
}

impl<'r, O: Borrow<Own<'r>>> ExactSizeIterator for Each<O> {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use crate::base::Day;
    use crate::roster::enrollments::Enrollments;
    use crate::roster::packed::{ClassIx, DatedEnrollment, Modified, PackedEnrollment, RecordHash, RoleWord, Span, SpanIx};
    use crate::roster::room::Laid;
    use crate::roster::room::tests::Little;

    #[test]
    fn those_outside_are_those_in_memory() {
        let room = Arc::new(Little::of(0));
        let undated = |first: u32| {
            let (role, first) = (RoleWord(0), Day(first as i32));
            Span { role, first, last: Day::MAX, primary: false, ended: false, modified: Modified(0) }
        };
        let mut spans: Vec<Span> = (0..3).map(undated).collect();
        // In memory each span that has a time of its own stands behind those that have none.
        let span = |n: u32| Span { modified: Modified(n / 2), ..undated(n % 3) };
        let packed = |n: u32, span| PackedEnrollment { id: RecordHash([n, !n]), class: ClassIx(n % 7), span: SpanIx(span) };
        let dated = |n: u32| DatedEnrollment { packed: packed(n, n % 3), modified: Modified(n / 2) };
        let mut laid = Laid::new(&room).expect("room");
        assert!(laid.append(&(0..300_000).map(dated).collect::<Vec<_>>()));
        let here = Enrollments::from((0..300_000).map(|n| packed(n, n)).collect::<Vec<_>>());
        let spans_here: Vec<Span> = (0..300_000).map(span).collect();
        let mut outside = Enrollments::outside(laid);
        let told = |list: &Enrollments, spans: &[Span], first: usize, count: usize| -> Vec<_> {
            let one = |(packed, modified): (PackedEnrollment, Option<Modified>)| {
                let span = spans[packed.span.0 as usize];
                (packed.id, packed.class, span.undated(), modified.unwrap_or(span.modified))
            };
            list.some(first, count).into_iter().map(one).collect()
        };
        for (first, count) in [(0, 0), (0, 1), (4_090, 20), (4_096, 4_096), (299_999, 1), (100, 30_000), (300_000, 0)] {
            let (outside, here) = (told(&outside, &spans, first, count), told(&here, &spans_here, first, count));
            assert!(outside == here && here.len() == count, "{first} {count}");
        }
        let is_so = |packed: &PackedEnrollment| packed.class.0 == 3;
        assert_eq!((outside.len(), outside.count(is_so)), (here.len(), here.count(is_so)));
        let (twin, watch) = (outside.clone(), outside.watch());
        assert!(watch.is_whole());
        let times = |list: &Enrollments, spans: &[Span]| {
            let mut times = Vec::new();
            list.each_modified(spans, &mut |modified| times.push(modified));
            times
        };
        assert_eq!(times(&outside, &spans), times(&here, &spans_here));
        outside.here(&mut spans);
        assert!(spans.len() <= 300_003);
        assert_eq!(told(&outside, &spans, 0, 300_000), told(&here, &spans_here, 0, 300_000));
        // More windows than are kept: the first one has made room for the second.
        room.reads.store(0, Ordering::Relaxed);
        let blank = (PackedEnrollment::default(), Some(Modified(0)));
        assert_eq!(twin.some(0, 2).into_iter().collect::<Vec<_>>(), [blank; 2], "blank, and told");
        assert!(!watch.is_whole() && outside.watch().is_whole());
    }
}
