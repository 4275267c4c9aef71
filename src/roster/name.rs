//! The name of a roster: a digest over all it says, whatever form it is stored in.

use std::borrow::Cow;
use std::ops::Range;

use crate::base::{BulkDigester, Digest, Text, parts};
use crate::roster::model::{Class, Course, Enrollment, Org, Person, Role, Roster, Session};
use crate::roster::pack::TOUCHED;

/// How many records are digested together. Part of the name's definition, so that it is the same on any number of cores.
const PIECE: usize = 1 << 12;

/// The name of a canonical roster: rosters of the same records, and only those, have the same.
pub fn digest_of(roster: &Roster) -> Digest {
    let mut digester = BulkDigester::new("roster");
    let mut add = |digests: Vec<Digest>| {
        digester.number(digests.len() as u64);
        digests.iter().for_each(|digest| {
            digester.stream(&digest.0);
        });
    };
    add(pieces(&roster.role_words, |word| *word, |word, out| out.text(*word), roster));
    add(pieces(&roster.attribute_names, |name| *name, |name, out| out.text(*name), roster));
    add(pieces(&roster.orgs, |org| org.id, org, roster));
    add(pieces(&roster.sessions, |session| session.id, session, roster));
    add(pieces(&roster.courses, |course| course.id, course, roster));
    add(pieces(&roster.classes, |class| class.id, class, roster));
    add(pieces(&roster.people, |person| person.key, person, roster));
    add(pieces(&roster.roles, |_| Text::EMPTY, role, roster));
    let enrollments = |at: Range<usize>| {
        let some = roster.enrollments.some(at.start, at.len()).into_iter();
        Cow::Owned(some.map(|told| roster.enrollment(told)).collect())
    };
    add(pieces_of(roster.enrollments.len(), enrollments, |_| Text::EMPTY, enrollment, roster));
    add(pieces(
        &roster.attributes,
        |attribute| attribute.value,
        |attribute, out| {
            out.number(u32::from(attribute.name));
            out.text(attribute.value);
        },
        roster,
    ));
    digester.finish()
}

/// Bytes of some records; every field has a fixed length or tells its own.
struct Bytes<'a> {
    roster: &'a Roster,
    bytes: Vec<u8>,
}

impl Bytes<'_> {
    fn text(&mut self, text: Text) {
        let text = self.roster.texts.bytes(text);
        self.number(text.len() as u32);
        self.bytes.extend_from_slice(text);
    }

    fn number(&mut self, number: u32) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    fn handle(&mut self, handle: Option<u32>) {
        self.number(handle.unwrap_or(u32::MAX));
    }

    fn flags<const N: usize>(&mut self, flags: [bool; N]) {
        self.bytes.extend(flags.map(u8::from));
    }
}

/// `first` tells a record's first text, beside which its others often lie.
fn pieces<T: Clone + Sync>(
    records: &[T],
    first: impl Fn(&T) -> Text + Sync,
    put: impl Fn(&T, &mut Bytes<'_>) + Sync,
    roster: &Roster,
) -> Vec<Digest> {
    pieces_of(records.len(), |at| Cow::Borrowed(&records[at]), first, put, roster)
}

/// The same of so many records, of which `some` hands out those of a range.
fn pieces_of<'r, T: Clone + Sync + 'r>(
    len: usize,
    some: impl Fn(Range<usize>) -> Cow<'r, [T]> + Sync,
    first: impl Fn(&T) -> Text + Sync,
    put: impl Fn(&T, &mut Bytes<'_>) + Sync,
    roster: &Roster,
) -> Vec<Digest> {
    let pieces = len.div_ceil(PIECE);
    let part = |own: Range<usize>| {
        let mut out = Bytes { roster, bytes: Vec::new() };
        let digest = |piece: usize| {
            out.bytes.clear();
            let piece = some(piece * PIECE..len.min((piece + 1) * PIECE));
            for some in piece.chunks(TOUCHED) {
                roster.texts.touch(some.iter().map(&first));
                some.iter().for_each(|record| put(record, &mut out));
            }
            BulkDigester::new("records").number(piece.len() as u64).stream(&out.bytes).finish()
        };
        own.map(digest).collect::<Vec<_>>()
    };
    // Many short lists would not be worth a thread; a long one has few pieces.
    let cuts = parts::ranges(len).len();
    let ranges = (0..cuts).map(|cut| pieces * cut / cuts..pieces * (cut + 1) / cuts).collect();
    parts::each(ranges, part).concat()
}

fn org(org: &Org, out: &mut Bytes<'_>) {
    let Org { id, name, kind, identifier, parent, ended, modified } = org;
    [*id, *name, *kind, *identifier].into_iter().for_each(|text| out.text(text));
    out.handle(parent.map(|org| org.0));
    out.flags([*ended]);
    out.number(modified.0);
}

fn session(session: &Session, out: &mut Bytes<'_>) {
    let Session { id, title, kind, first, last, parent, ended, modified } = session;
    [*id, *title, *kind].into_iter().for_each(|text| out.text(text));
    out.number(first.0.cast_unsigned());
    out.number(last.0.cast_unsigned());
    out.handle(parent.map(|session| session.0));
    out.flags([*ended]);
    out.number(modified.0);
}

fn course(course: &Course, out: &mut Bytes<'_>) {
    let Course { id, title, code, school_year, org, grades, subjects, subject_codes, ended, modified } = course;
    [*id, *title, *code, *grades, *subjects, *subject_codes].into_iter().for_each(|text| out.text(text));
    out.handle(school_year.map(|session| session.0));
    out.number(org.0);
    out.flags([*ended]);
    out.number(modified.0);
}

fn class(class: &Class, out: &mut Bytes<'_>) {
    let Class { id, title, kind, code, course, school, sessions, grades, subjects, subject_codes, ended, modified } = class;
    [*id, *title, *kind, *code, *grades, *subjects, *subject_codes].into_iter().for_each(|text| out.text(text));
    out.handle(course.map(|course| course.0));
    out.number(school.0);
    out.number(sessions.len() as u32);
    sessions.iter().for_each(|session| out.number(session.0));
    out.flags([*ended]);
    out.number(modified.0);
}

fn person(person: &Person, out: &mut Bytes<'_>) {
    let Person {
        key,
        given,
        family,
        email,
        username,
        identifier,
        grades,
        primary_org,
        enabled,
        ended,
        quarantined,
        modified,
        roles,
        enrollments,
        attributes,
    } = person;
    [*key, *given, *family, *email, *username, *identifier, *grades].into_iter().for_each(|text| out.text(text));
    out.handle(primary_org.map(|org| org.0));
    out.flags([*enabled, *ended, *quarantined]);
    out.number(modified.0);
    [roles.1, enrollments.1, attributes.1].into_iter().for_each(|len| out.number(len));
}

fn role(role: &Role, out: &mut Bytes<'_>) {
    let Role { role, org, primary, first, last, id, ended, modified } = role;
    let mut bytes = [0; 28];
    bytes[..4].copy_from_slice(&org.0.to_le_bytes());
    bytes[4..8].copy_from_slice(&first.0.to_le_bytes());
    bytes[8..12].copy_from_slice(&last.0.to_le_bytes());
    bytes[12..16].copy_from_slice(&modified.0.to_le_bytes());
    bytes[16..24].copy_from_slice(&id.bits().to_le_bytes());
    bytes[24..26].copy_from_slice(&role.0.to_le_bytes());
    (bytes[26], bytes[27]) = (u8::from(*primary), u8::from(*ended));
    out.bytes.extend_from_slice(&bytes);
}

fn enrollment(enrollment: &Enrollment, out: &mut Bytes<'_>) {
    let Enrollment { id, class, first, last, modified, role, primary, ended } = enrollment;
    let mut bytes = [0; 28];
    bytes[..4].copy_from_slice(&class.0.to_le_bytes());
    bytes[4..8].copy_from_slice(&first.0.to_le_bytes());
    bytes[8..12].copy_from_slice(&last.0.to_le_bytes());
    bytes[12..16].copy_from_slice(&modified.0.to_le_bytes());
    bytes[16..24].copy_from_slice(&id.bits().to_le_bytes());
    bytes[24..26].copy_from_slice(&role.0.to_le_bytes());
    (bytes[26], bytes[27]) = (u8::from(*primary), u8::from(*ended));
    out.bytes.extend_from_slice(&bytes);
}
