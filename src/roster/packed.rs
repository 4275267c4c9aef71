//! An enrollment as a roster keeps it: numbers alone, for there are very many.

use crate::base::Day;
use crate::roster::room::{Fixed, number};

/// Position in [`Roster::classes`](crate::roster::Roster::classes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassIx(pub u32);

/// Position in [`Roster::spans`](crate::roster::Roster::spans).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanIx(pub u32);

/// Position in [`Roster::role_words`](crate::roster::Roster::role_words): `teacher`, `student` …; sorted, few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleWord(pub u16);

/// When a source last changed a record, in seconds since 1970; 0 where it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Modified(pub u32);

/// As what and when somebody is enrolled; many enrollments have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// As what.
    pub role: RoleWord,
    /// First day.
    pub first: Day,
    /// Last day, inclusive.
    pub last: Day,
    /// The class's primary teacher.
    pub primary: bool,
    /// Ended by the source.
    pub ended: bool,
    /// Last change; the last field, so that spans that differ in it alone stand together when sorted.
    pub modified: Modified,
}

impl Span {
    /// The same without its last change.
    pub(crate) fn undated(&self) -> Self {
        Self { modified: Modified(0), ..*self }
    }
}

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

/// An enrollment outside memory, where nearly each may have another last change: its span tells none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DatedEnrollment {
    /// All but that.
    pub(crate) packed: PackedEnrollment,
    /// Last change.
    pub(crate) modified: Modified,
}

impl Fixed for DatedEnrollment {
    const BYTES: usize = PackedEnrollment::BYTES + 4;
    fn put(&self, out: &mut Vec<u8>) {
        self.packed.put(out);
        out.extend_from_slice(&self.modified.0.to_le_bytes());
    }
    fn get(bytes: &[u8]) -> Self {
        Self { packed: PackedEnrollment::get(bytes), modified: Modified(number(bytes, PackedEnrollment::BYTES)) }
    }
}
