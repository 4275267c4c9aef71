//! Bytes back to a roster. What comes out keeps every invariant of the model, or nothing comes out.

use crate::base::{Day, Text, TextArena, parts};
use crate::roster::blank::{blank_class, blank_course, blank_org, blank_person, blank_session};
use crate::roster::enrollments::Told;
use crate::roster::model::{
    Attribute, ClassIx, CourseIx, Modified, OrgIx, PackedEnrollment, Person, RecordHash, Role, RoleWord, Roster, SessionIx,
    Span, SpanIx,
};
use crate::roster::pack::LAYOUT;
use crate::roster::spans::{SpanTable, tidy};
use crate::roster::wire::{PackError, Reader};

/// Reads what [`pack`](crate::roster::pack()) wrote, in chunks cut anywhere.
///
/// # Errors
/// [`PackError`] when the bytes are cut short, of another layout, or break an invariant of the model.
pub fn unpack(chunks: impl FnMut() -> Option<Vec<u8>>) -> Result<Roster, PackError> {
    let roster = unpack_part(Reader::new(chunks), None)?;
    check(&roster)?;
    Ok(roster)
}

/// The same of whatever people point at, and of people no more than their keys; what lies behind these is not read.
///
/// # Errors
/// As [`unpack`].
pub fn unpack_keys(chunks: impl FnMut() -> Option<Vec<u8>>) -> Result<Roster, PackError> {
    let (mut unpacker, counts) = Unpacker::begin(Reader::new(chunks), None)?;
    unpacker.place_texts(&counts)?;
    unpacker.places()?;
    unpacker.keys(&counts)?;
    let Unpacker { arena, mut roster, .. } = unpacker;
    roster.texts = arena;
    check(&roster)?;
    Ok(roster)
}

/// How many records there are that a handle may point at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) orgs: usize,
    pub(crate) sessions: usize,
    pub(crate) courses: usize,
    pub(crate) classes: usize,
}

/// Reads a roster, or the part of a larger one whose handles stay within `bounds`. The order of records is not checked.
pub(crate) fn unpack_part<F: FnMut() -> Option<Vec<u8>>>(
    reader: Reader<F>,
    bounds: Option<Bounds>,
) -> Result<Roster, PackError> {
    let (mut unpacker, counts) = Unpacker::begin(reader, bounds)?;
    unpacker.place_texts(&counts)?;
    unpacker.places()?;
    unpacker.person_texts(&counts)?;
    unpacker.people(&counts)?;
    unpacker.roles(counts[7])?;
    unpacker.enrollments(counts[8])?;
    if !unpacker.reader.at_end() {
        return Err(PackError::Corrupt("bytes are left over"));
    }
    let Unpacker { arena, mut roster, .. } = unpacker;
    roster.texts = arena;
    Ok(roster)
}

/// A roster on its way out of bytes.
pub(super) struct Unpacker<F> {
    pub(super) reader: Reader<F>,
    pub(super) arena: TextArena,
    known: Vec<Text>,
    pub(super) roster: Roster,
    pub(super) bounds: Bounds,
}

pub(super) const HANDLE: PackError = PackError::Corrupt("a record points at none");

impl<F: FnMut() -> Option<Vec<u8>>> Unpacker<F> {
    pub(super) fn begin(mut reader: Reader<F>, bounds: Option<Bounds>) -> Result<(Self, [u32; 10]), PackError> {
        let layout = reader.byte()?;
        if layout != LAYOUT {
            return Err(PackError::Layout(layout));
        }
        let none = Bounds { orgs: 0, sessions: 0, courses: 0, classes: 0 };
        let (arena, known, roster) = (TextArena::default(), Vec::new(), Roster::default());
        let mut unpacker = Self { reader, arena, known, roster, bounds: none };
        let counts = unpacker.counts()?;
        let [_, _, orgs, sessions, courses, classes, ..] = counts.map(|count| count as usize);
        unpacker.bounds = bounds.unwrap_or(Bounds { orgs, sessions, courses, classes });
        Ok((unpacker, counts))
    }

    fn counts(&mut self) -> Result<[u32; 10], PackError> {
        let mut counts = [0; 10];
        for count in &mut counts {
            *count = self.reader.small()?;
        }
        if counts[0] > 1 << 16 || counts[1] > 1 << 16 {
            return Err(PackError::Corrupt("there are too many words"));
        }
        Ok(counts)
    }

    pub(super) fn once(&mut self) -> Result<Text, PackError> {
        self.reader.text_into(&mut self.arena)
    }

    pub(super) fn again(&mut self) -> Result<Text, PackError> {
        match self.reader.small()? {
            0 => {
                let text = self.once()?;
                self.known.push(text);
                Ok(text)
            }
            at => self.known.get(at as usize - 1).copied().ok_or(PackError::Corrupt("a text repeats none")),
        }
    }

    /// The first column of each collection makes its records, so that memory grows with the bytes that are there.
    pub(super) fn place_texts(&mut self, counts: &[u32; 10]) -> Result<(), PackError> {
        self.frame_texts(counts)?;
        for _ in 0..counts[5] {
            let id = self.once()?;
            self.roster.classes.push(blank_class(id));
        }
        macro_rules! columns {
            ($($way:ident $field:ident),*) => {$(
                for at in 0..self.roster.classes.len() {
                    self.roster.classes[at].$field = self.$way()?;
                }
            )*};
        }
        columns!(once title, again kind, once code, again grades, again subjects, again subject_codes);
        Ok(())
    }

    /// The same of everything before the classes.
    pub(super) fn frame_texts(&mut self, counts: &[u32; 10]) -> Result<(), PackError> {
        let [words, names, orgs, sessions, courses, ..] = *counts;
        macro_rules! columns {
            ($records:ident: $($way:ident $field:ident),*) => {$(
                for at in 0..self.roster.$records.len() {
                    self.roster.$records[at].$field = self.$way()?;
                }
            )*};
        }
        for _ in 0..words {
            let word = self.once()?;
            self.roster.role_words.push(word);
        }
        for _ in 0..names {
            let name = self.once()?;
            self.roster.attribute_names.push(name);
        }
        for _ in 0..orgs {
            let id = self.once()?;
            self.roster.orgs.push(blank_org(id));
        }
        columns!(orgs: once name, again kind, once identifier);
        for _ in 0..sessions {
            let id = self.once()?;
            self.roster.sessions.push(blank_session(id));
        }
        columns!(sessions: once title, again kind);
        for _ in 0..courses {
            let id = self.once()?;
            self.roster.courses.push(blank_course(id));
        }
        columns!(courses: once title, once code, again grades, again subjects, again subject_codes);
        Ok(())
    }

    fn keys(&mut self, counts: &[u32; 10]) -> Result<(), PackError> {
        for _ in 0..counts[6] {
            let key = self.once()?;
            self.roster.people.push(blank_person(key));
        }
        Ok(())
    }

    fn person_texts(&mut self, counts: &[u32; 10]) -> Result<(), PackError> {
        self.keys(counts)?;
        macro_rules! columns {
            ($($way:ident $field:ident),*) => {$(
                for at in 0..self.roster.people.len() {
                    self.roster.people[at].$field = self.$way()?;
                }
            )*};
        }
        columns!(once given, once family, once email, once username, once identifier, again grades);
        for _ in 0..counts[9] {
            let value = self.again()?;
            self.roster.attributes.push(Attribute { name: 0, value });
        }
        Ok(())
    }

    #[inline]
    pub(super) fn handle(&mut self, count: usize) -> Result<u32, PackError> {
        let handle = self.reader.small()?;
        if (handle as usize) < count { Ok(handle) } else { Err(HANDLE) }
    }

    #[inline]
    pub(super) fn optional(&mut self, count: usize) -> Result<Option<u32>, PackError> {
        Ok(self.handle(count + 1)?.checked_sub(1))
    }

    #[inline]
    pub(super) fn flags(&mut self, most: u8) -> Result<u8, PackError> {
        let flags = self.reader.byte()?;
        if flags <= most { Ok(flags) } else { Err(PackError::Corrupt("a flag is unknown")) }
    }

    #[inline]
    pub(super) fn stamp(&mut self, last: &mut i64) -> Result<Modified, PackError> {
        *last = last.saturating_add(self.reader.signed()?);
        u32::try_from(*last).map(Modified).map_err(|_| PackError::Corrupt("a stamp is out of range"))
    }

    pub(super) fn day(&mut self, last: &mut i32) -> Result<Day, PackError> {
        let code = match self.reader.number()? {
            0 => return Ok(Day::MIN),
            1 => return Ok(Day::MAX),
            code => code - 2,
        };
        let difference = (code >> 1) as i64 ^ -((code & 1) as i64);
        let day = i64::from(*last).saturating_add(difference);
        *last = i32::try_from(day).map_err(|_| PackError::Corrupt("a day is out of range"))?;
        match Day(*last) {
            Day::MIN | Day::MAX => Err(PackError::Corrupt("a day is out of range")),
            day => Ok(day),
        }
    }

    /// Where everything before the classes is.
    pub(super) fn frame(&mut self) -> Result<(), PackError> {
        macro_rules! column {
            ($records:ident $field:ident = $value:expr) => {
                for at in 0..self.roster.$records.len() {
                    self.roster.$records[at].$field = $value;
                }
            };
        }
        macro_rules! ended {
            ($records:ident) => {
                column!($records ended = self.flags(1)? == 1);
                let mut last = 0;
                column!($records modified = self.stamp(&mut last)?);
            };
        }
        let Bounds { orgs, sessions, .. } = self.bounds;
        column!(orgs parent = self.optional(orgs)?.map(OrgIx));
        ended!(orgs);
        column!(sessions parent = self.optional(sessions)?.map(SessionIx));
        let mut day = 0;
        column!(sessions first = self.day(&mut day)?);
        let mut day = 0;
        column!(sessions last = self.day(&mut day)?);
        ended!(sessions);
        column!(courses school_year = self.optional(sessions)?.map(SessionIx));
        column!(courses org = OrgIx(self.handle(orgs)?));
        ended!(courses);
        Ok(())
    }

    pub(super) fn places(&mut self) -> Result<(), PackError> {
        self.frame()?;
        let (Bounds { orgs, sessions, courses, classes: _ }, classes) = (self.bounds, self.roster.classes.len());
        for at in 0..classes {
            self.roster.classes[at].course = self.optional(courses)?.map(CourseIx);
        }
        for at in 0..classes {
            self.roster.classes[at].school = OrgIx(self.handle(orgs)?);
        }
        for at in 0..classes {
            for _ in 0..self.reader.small()? {
                let session = SessionIx(self.handle(sessions)?);
                let own = &mut self.roster.classes[at].sessions;
                if own.last().is_some_and(|&last| last >= session) {
                    return Err(PackError::Corrupt("sessions of a class are out of order"));
                }
                own.push(session);
            }
        }
        for at in 0..classes {
            self.roster.classes[at].ended = self.flags(1)? == 1;
        }
        let mut last = 0;
        for at in 0..classes {
            self.roster.classes[at].modified = self.stamp(&mut last)?;
        }
        Ok(())
    }

    fn people(&mut self, counts: &[u32; 10]) -> Result<(), PackError> {
        let (people, orgs, names) = (self.roster.people.len(), self.bounds.orgs, self.roster.attribute_names.len());
        for at in 0..people {
            self.roster.people[at].primary_org = self.optional(orgs)?.map(OrgIx);
        }
        for at in 0..people {
            let flags = self.flags(7)?;
            let person = &mut self.roster.people[at];
            (person.enabled, person.ended, person.quarantined) = (flags & 1 > 0, flags & 2 > 0, flags & 4 > 0);
        }
        let mut last = 0;
        for at in 0..people {
            self.roster.people[at].modified = self.stamp(&mut last)?;
        }
        macro_rules! slices {
            ($field:ident $total:expr) => {
                let mut first = 0u32;
                for at in 0..people {
                    let len = self.reader.small()?;
                    self.roster.people[at].$field = (first, len);
                    first = first.checked_add(len).ok_or(HANDLE)?;
                }
                if first != $total {
                    return Err(PackError::Corrupt("people and their records do not add up"));
                }
            };
        }
        slices!(roles counts[7]);
        slices!(enrollments counts[8]);
        slices!(attributes counts[9]);
        for at in 0..self.roster.attributes.len() {
            self.roster.attributes[at].name = self.handle(names)? as u16;
        }
        Ok(())
    }

    /// The place column of roles or enrollments: each a difference from the one before.
    #[inline]
    pub(super) fn place(&mut self, last: &mut i64, count: usize) -> Result<u32, PackError> {
        *last = last.saturating_add(self.reader.signed()?);
        u32::try_from(*last).ok().filter(|&handle| (handle as usize) < count).ok_or(HANDLE)
    }

    #[inline]
    pub(super) fn id(&mut self) -> Result<RecordHash, PackError> {
        let bits = u64::from_be_bytes(self.reader.raw()?);
        if bits == 0 { Err(PackError::Corrupt("an id is zero")) } else { Ok(RecordHash([(bits >> 32) as u32, bits as u32])) }
    }

    fn roles(&mut self, count: u32) -> Result<(), PackError> {
        let mut last = 0;
        for _ in 0..count {
            let org = OrgIx(self.place(&mut last, self.bounds.orgs)?);
            self.roster.roles.push(Role { org, ..Role::BLANK });
        }
        let words = self.roster.role_words.len();
        for at in 0..self.roster.roles.len() {
            self.roster.roles[at].role = RoleWord(self.handle(words)? as u16);
        }
        for at in 0..self.roster.roles.len() {
            let flags = self.flags(7)?;
            let role = &mut self.roster.roles[at];
            (role.primary, role.ended) = (flags & 1 > 0, flags & 2 > 0);
            role.id = if flags & 4 > 0 { NO_ID } else { RecordHash::default() };
        }
        let mut day = 0;
        for at in 0..self.roster.roles.len() {
            self.roster.roles[at].first = self.day(&mut day)?;
        }
        let mut day = 0;
        for at in 0..self.roster.roles.len() {
            self.roster.roles[at].last = self.day(&mut day)?;
        }
        let mut last = 0;
        for at in 0..self.roster.roles.len() {
            self.roster.roles[at].modified = self.stamp(&mut last)?;
        }
        for at in 0..self.roster.roles.len() {
            if self.roster.roles[at].id == NO_ID {
                self.roster.roles[at].id = RecordHash::default();
            } else {
                self.roster.roles[at].id = self.id()?;
            }
        }
        Ok(())
    }

    /// Spans without the last changes, which each enrollment has for itself.
    pub(super) fn spans(&mut self) -> Result<(), PackError> {
        let words = self.roster.role_words.len();
        for _ in 0..self.reader.small()? {
            let role = RoleWord(self.handle(words)? as u16);
            let (first, last, modified) = (Day::MIN, Day::MAX, Modified(0));
            self.roster.spans.push(Span { role, first, last, primary: false, ended: false, modified });
        }
        for at in 0..self.roster.spans.len() {
            let flags = self.flags(3)?;
            let span = &mut self.roster.spans[at];
            (span.primary, span.ended) = (flags & 1 > 0, flags & 2 > 0);
        }
        let mut day = 0;
        for at in 0..self.roster.spans.len() {
            self.roster.spans[at].first = self.day(&mut day)?;
        }
        let mut day = 0;
        for at in 0..self.roster.spans.len() {
            self.roster.spans[at].last = self.day(&mut day)?;
        }
        if self.roster.spans.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(SPANS) }
    }

    fn enrollments(&mut self, count: u32) -> Result<(), PackError> {
        self.spans()?;
        let (mut enrollments, mut last) = (Vec::new(), 0);
        for _ in 0..count {
            let class = ClassIx(self.place(&mut last, self.bounds.classes)?);
            enrollments.push(PackedEnrollment { class, ..PackedEnrollment::default() });
        }
        let mut used = vec![false; self.roster.spans.len()];
        for enrollment in &mut enrollments {
            let span = self.handle(used.len())?;
            used[span as usize] = true;
            enrollment.span = SpanIx(span);
        }
        let (mut dated, mut last) = (SpanTable::default(), 0);
        // What a span was last: mostly it is that again.
        let mut newest = vec![(Modified(0), None); used.len()];
        for enrollment in &mut enrollments {
            let (modified, span) = (self.stamp(&mut last)?, enrollment.span.0 as usize);
            enrollment.span = match newest[span] {
                (of, Some(known)) if of == modified => known,
                _ => {
                    let dated = dated.ix(Span { modified, ..self.roster.spans[span] });
                    newest[span] = (modified, Some(dated));
                    dated
                }
            };
        }
        for enrollment in &mut enrollments {
            enrollment.id = self.id()?;
        }
        (self.roster.spans, self.roster.enrollments) = (dated.into_spans(), enrollments.into());
        tidy(&mut self.roster);
        if used.contains(&false) { Err(SPANS) } else { Ok(()) }
    }
}

const SPANS: PackError = PackError::Corrupt("the spans of enrollments are out of order");

/// Stands in the id until the id column is read: this record has none there.
const NO_ID: RecordHash = RecordHash([u32::MAX; 2]);

/// Order and trees; handles were checked as they came.
pub(crate) fn check(roster: &Roster) -> Result<(), PackError> {
    let rising = |ids: &mut dyn Iterator<Item = Text>| ids.is_sorted_by(|&a, &b| roster.text(a) < roster.text(b));
    let sorted = rising(&mut roster.role_words.iter().copied())
        && rising(&mut roster.attribute_names.iter().copied())
        && rising(&mut roster.orgs.iter().map(|r| r.id))
        && rising(&mut roster.sessions.iter().map(|r| r.id))
        && rising(&mut roster.courses.iter().map(|r| r.id))
        && rising(&mut roster.classes.iter().map(|r| r.id))
        && rising(&mut roster.people.iter().map(|r| r.key));
    let grouped = parts::each_part(roster.people.len(), |own| {
        roster.people[own].iter().all(|person| {
            roster.roles_of(person).is_sorted_by_key(Role::order)
                && attends_in_order(roster, person)
                && roster.attributes_of(person).is_sorted_by_key(|a| a.name)
        })
    });
    if !sorted || grouped.contains(&false) {
        return Err(PackError::Corrupt("records are out of order"));
    }
    let orgs: Vec<Option<u32>> = roster.orgs.iter().map(|org| org.parent.map(|parent| parent.0)).collect();
    let sessions: Vec<Option<u32>> = roster.sessions.iter().map(|session| session.parent.map(|parent| parent.0)).collect();
    if is_forest(&orgs) && is_forest(&sessions) { Ok(()) } else { Err(PackError::Corrupt("a record is its own ancestor")) }
}

fn attends_in_order(roster: &Roster, person: &Person) -> bool {
    let own = roster.packed_of(person);
    let rises = |(a, b): (Told, Told)| {
        // Most are in different classes.
        a.0.class < b.0.class || roster.enrollment(a).order() <= roster.enrollment(b).order()
    };
    (1..own.len()).all(|at| own.get(at - 1).zip(own.get(at)).is_some_and(rises))
}

fn is_forest(parents: &[Option<u32>]) -> bool {
    // Takes leaves away until none is left; what goes round in a circle never becomes a leaf.
    let mut children = vec![0u32; parents.len()];
    parents.iter().flatten().for_each(|&parent| children[parent as usize] += 1);
    let mut leaves: Vec<usize> = (0..parents.len()).filter(|&at| children[at] == 0).collect();
    let mut taken = 0;
    while let Some(leaf) = leaves.pop() {
        taken += 1;
        if let Some(parent) = parents[leaf] {
            let parent = parent as usize;
            children[parent] -= 1;
            if children[parent] == 0 {
                leaves.push(parent);
            }
        }
    }
    taken == parents.len()
}
