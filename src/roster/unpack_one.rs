//! One person out of a packed roster: everything is read, and of people nothing but that one is kept.

use std::ops::Range;

use crate::roster::blank::blank_person;
use crate::roster::model::{Attribute, ClassIx, OrgIx, PackedEnrollment, RecordHash, Role, RoleWord, Roster, Span, SpanIx};
use crate::roster::spans::tidy;
use crate::roster::unpack::{HANDLE, Unpacker, check};
use crate::roster::wire::{PackError, Reader};

/// A roster of at most one person, with all orgs, sessions, courses and classes.
#[derive(Debug)]
pub struct One {
    /// The roster.
    pub roster: Roster,
    /// Where the person stands among all; `None`: nobody has the key.
    pub(crate) at: Option<u32>,
    /// How many people there are.
    pub(crate) people: u32,
}

/// Reads one person out of what [`pack`](crate::roster::pack()) wrote.
///
/// # Errors
/// As [`unpack`](crate::roster::unpack()); the order of what is not kept is not checked.
pub fn unpack_one(chunks: impl FnMut() -> Option<Vec<u8>>, key: &str) -> Result<One, PackError> {
    let (mut unpacker, counts) = Unpacker::begin(Reader::new(chunks), None)?;
    unpacker.place_texts(&counts)?;
    unpacker.places()?;
    let people = counts[6];
    let mut at = None;
    for index in 0..people {
        if unpacker.reader.text_with(|bytes| bytes == key.as_bytes())? {
            at = Some(index);
        }
    }
    if at.is_some() {
        let key = unpacker.arena.push(key).map_err(|_| PackError::Corrupt("there are more than 4 GiB of text"))?;
        unpacker.roster.people.push(blank_person(key));
    }
    let [roles, enrollments] = unpacker.one(at, &counts)?;
    unpacker.own_roles(counts[7], &roles)?;
    unpacker.own_enrollments(counts[8], &enrollments)?;
    if !unpacker.reader.at_end() {
        return Err(PackError::Corrupt("bytes are left over"));
    }
    let Unpacker { arena, mut roster, .. } = unpacker;
    roster.texts = arena;
    tidy(&mut roster);
    check(&roster)?;
    Ok(One { roster, at, people })
}

impl<F: FnMut() -> Option<Vec<u8>>> Unpacker<F> {
    /// The columns of people up to their links. Returns the slices of the person's roles and enrollments.
    fn one(&mut self, at: Option<u32>, counts: &[u32; 10]) -> Result<[Range<u32>; 2], PackError> {
        let people = counts[6];
        macro_rules! texts {
            ($($field:ident),*) => {$(
                for index in 0..people {
                    if Some(index) == at {
                        self.roster.people[0].$field = self.once()?;
                    } else {
                        self.reader.text_with(|_| ())?;
                    }
                }
            )*};
        }
        texts!(given, family, email, username, identifier);
        for index in 0..people {
            let grades = self.again()?;
            if Some(index) == at {
                self.roster.people[0].grades = grades;
            }
        }
        let mut attributes = Vec::new();
        for _ in 0..counts[9] {
            let value = self.again()?;
            attributes.push(Attribute { name: 0, value });
        }
        for index in 0..people {
            let org = self.optional(self.bounds.orgs)?.map(OrgIx);
            if Some(index) == at {
                self.roster.people[0].primary_org = org;
            }
        }
        for index in 0..people {
            let flags = self.flags(7)?;
            if Some(index) == at {
                let person = &mut self.roster.people[0];
                (person.enabled, person.ended, person.quarantined) = (flags & 1 > 0, flags & 2 > 0, flags & 4 > 0);
            }
        }
        let mut last = 0;
        for index in 0..people {
            let modified = self.stamp(&mut last)?;
            if Some(index) == at {
                self.roster.people[0].modified = modified;
            }
        }
        let [roles, enrollments] = [self.slice(at, people, counts[7])?, self.slice(at, people, counts[8])?];
        let own = self.slice(at, people, counts[9])?;
        let names = self.roster.attribute_names.len();
        for attribute in &mut attributes {
            attribute.name = self.handle(names)? as u16;
        }
        self.roster.attributes = attributes.drain(own.start as usize..own.end as usize).collect();
        if let Some(person) = self.roster.people.first_mut() {
            person.roles = (0, roles.end - roles.start);
            person.enrollments = (0, enrollments.end - enrollments.start);
            person.attributes = (0, own.end - own.start);
        }
        Ok([roles, enrollments])
    }

    fn slice(&mut self, at: Option<u32>, people: u32, total: u32) -> Result<Range<u32>, PackError> {
        let (mut first, mut own) = (0u32, 0..0);
        for index in 0..people {
            let next = first.checked_add(self.reader.small()?).ok_or(HANDLE)?;
            if Some(index) == at {
                own = first..next;
            }
            first = next;
        }
        if first == total { Ok(own) } else { Err(PackError::Corrupt("people and their records do not add up")) }
    }

    /// The roles of one person, out of the columns of all.
    fn own_roles(&mut self, count: u32, own: &Range<u32>) -> Result<(), PackError> {
        let mut roles = vec![Role::BLANK; own.len()];
        let words = self.roster.role_words.len();
        macro_rules! column {
            ($field:ident = $value:expr) => {
                for index in 0..count {
                    let value = $value;
                    if own.contains(&index) {
                        roles[(index - own.start) as usize].$field = value;
                    }
                }
            };
        }
        let mut last = 0;
        column!(org = OrgIx(self.place(&mut last, self.bounds.orgs)?));
        column!(role = RoleWord(self.handle(words)? as u16));
        // Who has no id is told by the flags, far before the ids.
        let mut nameless = Vec::new();
        for index in 0..count {
            let flags = self.flags(7)?;
            nameless.push(flags & 4 > 0);
            if own.contains(&index) {
                let role = &mut roles[(index - own.start) as usize];
                (role.primary, role.ended) = (flags & 1 > 0, flags & 2 > 0);
            }
        }
        let mut day = 0;
        column!(first = self.day(&mut day)?);
        let mut day = 0;
        column!(last = self.day(&mut day)?);
        let mut stamp = 0;
        column!(modified = self.stamp(&mut stamp)?);
        let mut nameless = nameless.into_iter();
        column!(id = if nameless.next() == Some(true) { RecordHash::default() } else { self.id()? });
        self.roster.roles = roles;
        Ok(())
    }

    /// The same of enrollments.
    fn own_enrollments(&mut self, count: u32, own: &Range<u32>) -> Result<(), PackError> {
        self.spans()?;
        let mut enrollments = vec![PackedEnrollment::default(); own.len()];
        macro_rules! column {
            ($field:ident = $value:expr) => {
                for index in 0..count {
                    let value = $value;
                    if own.contains(&index) {
                        enrollments[(index - own.start) as usize].$field = value;
                    }
                }
            };
        }
        let (mut last, spans) = (0, self.roster.spans.len());
        column!(class = ClassIx(self.place(&mut last, self.bounds.classes)?));
        column!(span = SpanIx(self.handle(spans)?));
        let mut stamp = 0;
        for index in 0..count {
            let modified = self.stamp(&mut stamp)?;
            if own.contains(&index) {
                let enrollment = &mut enrollments[(index - own.start) as usize];
                let span = Span { modified, ..self.roster.spans[enrollment.span.0 as usize] };
                enrollment.span = SpanIx(self.roster.spans.len() as u32);
                self.roster.spans.push(span);
            }
        }
        column!(id = self.id()?);
        self.roster.enrollments = enrollments.into();
        Ok(())
    }
}
