//! An enrollment as a roster keeps it: numbers alone, for there are very many.

use crate::roster::room::{Fixed, number};

/// Position in [`Roster::classes`](crate::roster::Roster::classes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassIx(pub u32);

/// Position in [`Roster::spans`](crate::roster::Roster::spans).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanIx(pub u32);

/// 64 bits of a record's id: enough to find it again in a change file, too little to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordHash(pub [u32; 2]);

/// An enrollment as a roster keeps it: there are very many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackedEnrollment {
    /// The row's id, for change files.
    pub id: RecordHash,
    /// Which class.
    pub class: ClassIx,
    /// As what, from when to when.
    pub span: SpanIx,
}

impl Fixed for PackedEnrollment {
    const BYTES: usize = 16;
    fn put(&self, out: &mut Vec<u8>) {
        let PackedEnrollment { id: RecordHash([a, b]), class: ClassIx(class), span: SpanIx(span) } = self;
        [a, b, class, span].into_iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    }
    fn get(bytes: &[u8]) -> Self {
        let [a, b, class, span] = [0, 4, 8, 12].map(|at| number(bytes, at));
        Self { id: RecordHash([a, b]), class: ClassIx(class), span: SpanIx(span) }
    }
}
