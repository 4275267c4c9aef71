//! What the enrollments of many people have in common, each said once: millions of enrollments have a few dozen of these.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::roster::model::{Roster, Span, SpanIx};

/// So many are looked at before one is looked up: of most files these are all.
const FIRST: usize = 8;

/// Spans while records come in, in order of first mention.
#[derive(Debug, Default)]
pub(crate) struct SpanTable {
    spans: Vec<Span>,
    index: HashTable<u32>,
    /// The one asked for last: those of a file often stand together.
    last: u32,
}

fn hash(span: &Span) -> u64 {
    let Span { role, first, last, primary, ended, modified } = span;
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&first.0.to_le_bytes());
    bytes[4..8].copy_from_slice(&last.0.to_le_bytes());
    bytes[8..12].copy_from_slice(&modified.0.to_le_bytes());
    bytes[12..14].copy_from_slice(&role.0.to_le_bytes());
    (bytes[14], bytes[15]) = (u8::from(*primary), u8::from(*ended));
    xxh3_64(&bytes)
}

impl SpanTable {
    /// Starts with the spans of a roster, at their positions.
    pub(crate) fn new(spans: Vec<Span>) -> Self {
        let mut index = HashTable::with_capacity(spans.len());
        for (at, span) in (0u32..).zip(&spans) {
            index.insert_unique(hash(span), at, |&at| hash(&spans[at as usize]));
        }
        Self { spans, index, last: 0 }
    }

    /// The position of a span, which may be new.
    pub(crate) fn ix(&mut self, span: Span) -> SpanIx {
        if self.spans.get(self.last as usize) == Some(&span) {
            return SpanIx(self.last);
        }
        if let Some(at) = self.spans.iter().take(FIRST).position(|known| *known == span) {
            self.last = at as u32;
            return SpanIx(self.last);
        }
        let (spans, hashed) = (&mut self.spans, hash(&span));
        let known = self.index.find(hashed, |&at| spans[at as usize] == span).copied();
        self.last = known.unwrap_or_else(|| {
            let at = spans.len() as u32;
            spans.push(span);
            self.index.insert_unique(hashed, at, |&at| hash(&spans[at as usize]));
            at
        });
        SpanIx(self.last)
    }

    /// Forgets all of them; their memory is for the next ones.
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        self.index.clear();
        self.last = 0;
    }

    /// The span at a position.
    pub(crate) fn get(&self, at: SpanIx) -> &Span {
        &self.spans[at.0 as usize]
    }

    /// All of them.
    pub(crate) fn list(&self) -> &[Span] {
        &self.spans
    }

    /// All of them.
    pub(crate) fn into_spans(self) -> Vec<Span> {
        self.spans
    }
}

/// Where each used span goes in a sorted list without repetitions, and that list.
pub(crate) fn sorted(spans: &[Span], used: &[bool]) -> (Vec<u32>, Vec<Span>) {
    let mut order: Vec<usize> = (0..spans.len()).filter(|&at| used[at]).collect();
    order.sort_unstable_by_key(|&at| spans[at]);
    let (mut to, mut list) = (vec![0u32; spans.len()], Vec::new());
    for at in order {
        if list.last() != Some(&spans[at]) {
            list.push(spans[at]);
        }
        to[at] = list.len() as u32 - 1;
    }
    (to, list)
}

/// Sorts a roster's spans and leaves out those that none of its enrollments has.
pub(crate) fn tidy(roster: &mut Roster) {
    roster.enrollments.here(&mut roster.spans);
    let mut used = vec![false; roster.spans.len()];
    roster.enrollments.each(&mut |enrollment| used[enrollment.span.0 as usize] = true);
    let (to, list) = sorted(&roster.spans, &used);
    let own = roster.enrollments.here(&mut roster.spans).iter_mut();
    own.for_each(|enrollment| enrollment.span = SpanIx(to[enrollment.span.0 as usize]));
    roster.spans = list;
}

/// Sorted spans without their last changes, each once, and where each of them stands among these.
pub(crate) fn undated(spans: &[Span]) -> (Vec<Span>, Vec<u32>) {
    let (mut list, mut to): (Vec<Span>, Vec<u32>) = (Vec::new(), Vec::with_capacity(spans.len()));
    for span in spans.iter().map(Span::undated) {
        if list.last() != Some(&span) {
            list.push(span);
        }
        to.push(list.len() as u32 - 1);
    }
    (list, to)
}

#[cfg(test)]
mod tests {
    use crate::base::Day;
    use crate::roster::model::{Modified, RoleWord, Span, SpanIx};
    use crate::roster::spans::{SpanTable, sorted, undated};

    fn span(first: i32) -> Span {
        let (role, last, modified) = (RoleWord(0), Day::MAX, Modified(0));
        Span { role, first: Day(first), last, primary: false, ended: false, modified }
    }

    #[test]
    fn each_is_there_once() {
        let mut table = SpanTable::new(vec![span(5)]);
        let places = [7, 5, 7, 6].map(|first| table.ix(span(first)));
        assert_eq!(places, [1, 0, 1, 2].map(SpanIx));
        assert_eq!(table.get(SpanIx(2)), &span(6));
        let (to, list) = sorted(&[span(7), span(5), span(7), span(6)], &[true, true, true, false]);
        assert_eq!((to, list), (vec![1, 0, 1, 0], vec![span(5), span(7)]));
        assert_eq!(table.into_spans().len(), 3);
        let dated = |first, modified| Span { modified: Modified(modified), ..span(first) };
        let dated = [dated(5, 0), dated(5, 7), dated(6, 1), dated(6, 2), dated(7, 0)];
        assert_eq!(undated(&dated), (vec![span(5), span(6), span(7)], vec![0, 0, 1, 1, 2]));
    }
}
