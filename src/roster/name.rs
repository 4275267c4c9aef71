//! The name of a roster: a digest over all it says, whatever form it is stored in.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use crate::base::{BulkDigester, Digest, Text, parts};
use crate::roster::enrollments::Told;
use crate::roster::model::{Class, Course, Org, Person, Role, Roster, Session, Span};
use crate::roster::pack::TOUCHED;

/// How many records that are nobody's are digested together. Part of the name's definition, so that it is the same on any
/// number of cores.
const PIECE: usize = 1 << 12;

/// The name of a canonical roster: rosters of the same records, and only those, have the same.
pub fn digest_of(roster: &Roster) -> Digest {
    Name::of(roster).digest
}

/// The name of a roster with what it is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub digest: Digest,
    /// Of each person, in order.
    pub(crate) people: Vec<PersonName>,
}

/// The hash of somebody with all that is theirs. That somebody changes by chance and nobody sees it happens once in 2⁶⁴ changes;
/// whoever makes it happen deceives nobody but the own customer. A digest that withstands that takes fifteen times as long, as it
/// is fast with long texts only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PersonName(pub(crate) u64);

impl Name {
    /// That of a roster.
    pub fn of(roster: &Roster) -> Self {
        Self::with(roster, &|_| None)
    }

    /// That of a roster made of the one that this is the name of; whatever people point at stands where it stood. `olds` tells
    /// for each person the position in that one of whoever is the same to the last byte.
    pub(crate) fn renewed(&self, roster: &Roster, olds: &[Option<u32>]) -> Self {
        Self::with(roster, &|at| self.people.get(olds.get(at).copied().flatten()? as usize).copied())
    }

    fn with(roster: &Roster, known: &(dyn Fn(usize) -> Option<PersonName> + Sync)) -> Self {
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
        let (words, spans) = (words(roster), spans(roster));
        let part = |own: Range<usize>| {
            let mut out = Bytes { roster, bytes: Vec::new() };
            let mut people = Vec::with_capacity(own.len());
            for start in own.clone().step_by(TOUCHED) {
                let some = start..own.end.min(start + TOUCHED);
                let known = some.clone().map(known).collect::<Vec<_>>();
                if known.iter().all(Option::is_some) {
                    people.extend(known.into_iter().flatten());
                    continue;
                }
                let own = &roster.people[some];
                roster.texts.touch(own.iter().map(|person| person.key));
                // Those that lie outside memory are fetched together.
                let total: usize = own.iter().map(|person| person.enrollments.1 as usize).sum();
                let attended = roster.enrollments.some(own[0].enrollments.0 as usize, total);
                let mut first = 0;
                for (person, known) in own.iter().zip(known) {
                    let theirs = first..first + person.enrollments.1 as usize;
                    first = theirs.end;
                    let theirs = theirs.filter_map(|at| attended.get(at));
                    people.push(known.unwrap_or_else(|| out.person(person, theirs, &words, &spans)));
                }
            }
            people
        };
        let people = parts::each_part(roster.people.len(), part).concat();
        digester.number(people.len() as u64);
        // Many at once are fastest.
        for some in people.chunks(PIECE) {
            let bytes: Vec<u8> = some.iter().flat_map(|person| person.0.to_le_bytes()).collect();
            digester.stream(&bytes);
        }
        Self { digest: digester.finish(), people }
    }
}

/// What stands for role words, so that another word leaves people as they are who do not have it.
fn words(roster: &Roster) -> Vec<[u8; 8]> {
    let word = |&word: &Text| *Digest::of_bulk(roster.texts.bytes(word)).0.first_chunk().unwrap_or(&[0; 8]);
    roster.role_words.iter().map(word).collect()
}

/// The same for what enrollments have in common, but for their last changes: some have one of their own.
fn spans(roster: &Roster) -> Vec<[u8; 8]> {
    let words = words(roster);
    let span = |span: &Span| {
        let Span { role, first, last, primary, ended, modified: _ } = span;
        let mut bytes = [0; 18];
        bytes[..8].copy_from_slice(&words[usize::from(role.0)]);
        bytes[8..12].copy_from_slice(&first.0.to_le_bytes());
        bytes[12..16].copy_from_slice(&last.0.to_le_bytes());
        (bytes[16], bytes[17]) = (u8::from(*primary), u8::from(*ended));
        *Digest::of_bulk(&bytes).0.first_chunk().unwrap_or(&[0; 8])
    };
    parts::each_part(roster.spans.len(), |own| roster.spans[own].iter().map(span).collect::<Vec<_>>()).concat()
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
    /// What somebody says, with all that is theirs.
    fn person(
        &mut self,
        own: &Person,
        attended: impl Iterator<Item = Told>,
        words: &[[u8; 8]],
        spans: &[[u8; 8]],
    ) -> PersonName {
        let roster = self.roster;
        self.bytes.clear();
        person(own, self);
        roster.roles_of(own).iter().for_each(|record| self.role(record, words));
        for (packed, modified) in attended {
            let modified = modified.unwrap_or_else(|| roster.spans[packed.span.0 as usize].modified);
            let mut bytes = [0; 24];
            bytes[..4].copy_from_slice(&packed.class.0.to_le_bytes());
            bytes[4..8].copy_from_slice(&modified.0.to_le_bytes());
            bytes[8..16].copy_from_slice(&packed.id.bits().to_le_bytes());
            bytes[16..].copy_from_slice(&spans[packed.span.0 as usize]);
            self.bytes.extend_from_slice(&bytes);
        }
        for attribute in roster.attributes_of(own) {
            self.text(roster.attribute_names[usize::from(attribute.name)]);
            self.text(attribute.value);
        }
        PersonName(xxh3_64(&self.bytes))
    }

    fn text(&mut self, text: Text) {
        let text = self.roster.texts.bytes(text);
        self.number(text.len() as u32);
        self.bytes.extend_from_slice(text);
    }

    fn role(&mut self, role: &Role, words: &[[u8; 8]]) {
        let Role { role, org, primary, first, last, id, ended, modified } = role;
        let mut bytes = [0; 34];
        bytes[..4].copy_from_slice(&org.0.to_le_bytes());
        bytes[4..8].copy_from_slice(&first.0.to_le_bytes());
        bytes[8..12].copy_from_slice(&last.0.to_le_bytes());
        bytes[12..16].copy_from_slice(&modified.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&id.bits().to_le_bytes());
        bytes[24..32].copy_from_slice(&words[usize::from(role.0)]);
        (bytes[32], bytes[33]) = (u8::from(*primary), u8::from(*ended));
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
