//! The name of a roster: a digest over all it says, whatever form it is stored in.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::base::{BulkDigester, Day, Digest, Text, parts};
use crate::roster::model::{Class, Course, Enrollment, Modified, Org, Person, RecordHash, Role, Roster, Session};
use crate::roster::pack::TOUCHED;

/// How many records that are nobody's are digested together. Part of the name's definition, so that it is the same on any
/// number of cores.
const PIECE: usize = 1 << 12;

/// Of so many people one begins a piece: few, so that little is digested anew where few people change.
const PEOPLE_EACH: u64 = 32;

/// Changing it gives every roster another name.
const SEED: u64 = 0x726f_7374_6572_0002;

/// The name of a canonical roster: rosters of the same records, and only those, have the same.
pub fn digest_of(roster: &Roster) -> Digest {
    Name::of(roster).digest
}

/// The name of a roster with what it is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub digest: Digest,
    /// People with all that is theirs, in order.
    pub(crate) pieces: Vec<NamePiece>,
}

/// Some people with all that is theirs. Which of them begins it is told by the key alone, so that others who come, go or change
/// leave it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NamePiece {
    /// How many they are.
    pub(crate) people: u32,
    /// What they say.
    pub(crate) digest: Digest,
}

impl Name {
    /// That of a roster.
    pub fn of(roster: &Roster) -> Self {
        Self::with(roster, &|_| None)
    }

    /// That of a roster made of the one that this is the name of; whatever people point at stands where it stood. `olds` tells
    /// for each person the position in that one of whoever is the same to the last byte; those rise.
    pub(crate) fn renewed(&self, roster: &Roster, olds: &[Option<u32>]) -> Self {
        let ends = self.pieces.iter().scan(0, |end, piece| {
            *end = piece.people.saturating_add(*end);
            Some(*end)
        });
        let starts: Vec<u32> = [0].into_iter().chain(ends).collect();
        let known = |people: &Range<usize>| {
            let start = olds.get(people.start).copied().flatten()?;
            let piece = starts.binary_search(&start).ok().and_then(|at| self.pieces.get(at))?;
            let is_same = |(at, &old): (u32, &Option<u32>)| old == Some(start + at);
            let is_it = piece.people as usize == people.len() && (0..).zip(olds.get(people.clone())?).all(is_same);
            is_it.then_some(piece.digest)
        };
        Self::with(roster, &known)
    }

    fn with(roster: &Roster, known: &(dyn Fn(&Range<usize>) -> Option<Digest> + Sync)) -> Self {
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
        let (cuts, words) = (cuts(roster), words(roster));
        let part = |own: Range<usize>| {
            let mut out = Bytes { roster, bytes: Vec::new() };
            let piece = |at: usize| {
                let people = cuts[at] as usize..cuts[at + 1] as usize;
                let digest = known(&people).unwrap_or_else(|| out.people(people.clone(), &words));
                NamePiece { people: people.len() as u32, digest }
            };
            own.map(piece).collect::<Vec<_>>()
        };
        let pieces = parts::each(parts_of(cuts.len() - 1, roster.people.len()), part).concat();
        add(pieces.iter().map(|piece| piece.digest).collect());
        Self { digest: digester.finish(), pieces }
    }
}

/// Where pieces of people begin, and where the last one ends.
fn cuts(roster: &Roster) -> Vec<u32> {
    let hash = |at: usize| xxh3_64_with_seed(roster.texts.bytes(roster.people[at].key), SEED);
    let begins = |at: &usize| *at == 0 || hash(*at).is_multiple_of(PEOPLE_EACH);
    let starts = parts::each_part(roster.people.len(), |own| own.filter(begins).map(|at| at as u32).collect::<Vec<_>>());
    starts.into_iter().flatten().chain([roster.people.len() as u32]).collect()
}

/// What stands for role words in pieces, so that another word leaves them as they are.
fn words(roster: &Roster) -> Vec<[u8; 8]> {
    let word = |&word: &Text| *Digest::of_bulk(roster.texts.bytes(word)).0.first_chunk().unwrap_or(&[0; 8]);
    roster.role_words.iter().map(word).collect()
}

/// So many pieces in parts: many short lists would not be worth a thread, and a long one has few pieces.
fn parts_of(pieces: usize, records: usize) -> Vec<Range<usize>> {
    let cuts = parts::ranges(records).len();
    (0..cuts).map(|cut| pieces * cut / cuts..pieces * (cut + 1) / cuts).collect()
}

/// Bytes of some records; every field has a fixed length or tells its own.
struct Bytes<'a> {
    roster: &'a Roster,
    bytes: Vec<u8>,
}

impl Bytes<'_> {
    /// What some people say, with all that is theirs.
    fn people(&mut self, people: Range<usize>, words: &[[u8; 8]]) -> Digest {
        let roster = self.roster;
        let own = &roster.people[people];
        let slice = |of: fn(&Person) -> (u32, u32)| {
            let first = own.first().map_or(0, |person| of(person).0 as usize);
            first..first + own.iter().map(|person| of(person).1 as usize).sum::<usize>()
        };
        self.bytes.clear();
        self.bytes.extend_from_slice(b"people");
        self.number(own.len() as u32);
        roster.texts.touch(own.iter().map(|person| person.key));
        own.iter().for_each(|record| person(record, self));
        roster.roles[slice(|person| person.roles)].iter().for_each(|record| self.role(record, words));
        let enrollments = slice(|person| person.enrollments);
        let enrollments = roster.enrollments.some(enrollments.start, enrollments.len());
        enrollments.into_iter().for_each(|told| self.enrollment(&roster.enrollment(told), words));
        for attribute in &roster.attributes[slice(|person| person.attributes)] {
            self.text(roster.attribute_names[usize::from(attribute.name)]);
            self.text(attribute.value);
        }
        Digest::of_bulk(&self.bytes)
    }

    fn text(&mut self, text: Text) {
        let text = self.roster.texts.bytes(text);
        self.number(text.len() as u32);
        self.bytes.extend_from_slice(text);
    }

    fn role(&mut self, role: &Role, words: &[[u8; 8]]) {
        let Role { role, org, primary, first, last, id, ended, modified } = role;
        self.link((org.0, *id), (*first, *last, *modified), (*primary, *ended), &words[usize::from(role.0)]);
    }

    fn enrollment(&mut self, enrollment: &Enrollment, words: &[[u8; 8]]) {
        let Enrollment { id, class, first, last, modified, role, primary, ended } = enrollment;
        self.link((class.0, *id), (*first, *last, *modified), (*primary, *ended), &words[usize::from(role.0)]);
    }

    /// There are very many.
    fn link(
        &mut self,
        (place, id): (u32, RecordHash),
        (first, last, modified): (Day, Day, Modified),
        (primary, ended): (bool, bool),
        word: &[u8; 8],
    ) {
        let mut bytes = [0; 34];
        bytes[..4].copy_from_slice(&place.to_le_bytes());
        bytes[4..8].copy_from_slice(&first.0.to_le_bytes());
        bytes[8..12].copy_from_slice(&last.0.to_le_bytes());
        bytes[12..16].copy_from_slice(&modified.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&id.bits().to_le_bytes());
        bytes[24..32].copy_from_slice(word);
        (bytes[32], bytes[33]) = (u8::from(primary), u8::from(ended));
        self.bytes.extend_from_slice(&bytes);
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
fn pieces<T: Sync>(
    records: &[T],
    first: impl Fn(&T) -> Text + Sync,
    put: impl Fn(&T, &mut Bytes<'_>) + Sync,
    roster: &Roster,
) -> Vec<Digest> {
    let part = |own: Range<usize>| {
        let mut out = Bytes { roster, bytes: Vec::new() };
        let digest = |piece: usize| {
            out.bytes.clear();
            let piece = &records[piece * PIECE..records.len().min((piece + 1) * PIECE)];
            for some in piece.chunks(TOUCHED) {
                roster.texts.touch(some.iter().map(&first));
                some.iter().for_each(|record| put(record, &mut out));
            }
            BulkDigester::new("records").number(piece.len() as u64).stream(&out.bytes).finish()
        };
        own.map(digest).collect::<Vec<_>>()
    };
    parts::each(parts_of(records.len().div_ceil(PIECE), records.len()), part).concat()
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
