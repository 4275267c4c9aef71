//! A roster as its difference from another one that is stored whole: most nights change little.
//!
//! A patch tells, list by list, which records are those of the base and which are new, and then packs the new ones with
//! handles of the roster it makes. A record is that of the base only if nothing at all about it changed, stamps and record
//! ids included. Where records moved, the handles of those taken from the base move along, by their ids.

use std::ops::Range;

use crate::base::{Text, TextArena};
use crate::roster::canon::rewrite;
use crate::roster::delta::{senses, side_by_side};
use crate::roster::enrollments::Told;
use crate::roster::model::{Attribute, Class, Course, Org, OrgIx, PackedEnrollment, Person, Role, RoleWord, Roster, Session};
use crate::roster::pack::pack;
use crate::roster::spans::tidy;
use crate::roster::wire::Writer;

/// The first byte of a patch.
pub(crate) const PATCH: u8 = 0x80;

/// No record of the base.
pub(crate) const NEW: u32 = u32::MAX;

/// Of more than one in so many new people no patch is made: the base would be of little use for the next one.
const NEW_SHARE: usize = 6;

/// Which record of the base, stored whole, each record of a roster is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    pub(crate) orgs: Vec<u32>,
    pub(crate) sessions: Vec<u32>,
    pub(crate) courses: Vec<u32>,
    pub(crate) classes: Vec<u32>,
    pub(crate) people: Vec<u32>,
}

impl Origins {
    /// Those of a roster that is the base itself.
    pub fn of_whole(roster: &Roster) -> Self {
        let all = |len: usize| (0..len as u32).collect();
        Self {
            orgs: all(roster.orgs.len()),
            sessions: all(roster.sessions.len()),
            courses: all(roster.courses.len()),
            classes: all(roster.classes.len()),
            people: all(roster.people.len()),
        }
    }
}

/// Writes what makes `after` of the base of `before`, as [`pack()`] does; `None` if too much is new.
pub fn patch(before: &Roster, origins: &Origins, after: &Roster) -> Option<Vec<Vec<u8>>> {
    patch_of(&Own::of(before, origins, after), after)
}

/// The same where it is known which record of the base each record is.
pub(crate) fn patch_of(own: &Own, after: &Roster) -> Option<Vec<Vec<u8>>> {
    let new = own.people.iter().filter(|&&origin| origin == NEW).count();
    if new * NEW_SHARE > after.people.len() {
        return None;
    }
    let mut chunks = Vec::new();
    let mut sink = |chunk: &[u8]| chunks.push(chunk.to_vec());
    let mut out = Writer::new(&mut sink);
    out.raw(&[PATCH]);
    for origins in [&own.orgs, &own.sessions, &own.courses, &own.classes, &own.people] {
        put_runs(origins, &mut out);
    }
    out.finish();
    pack(&news(after, own)?, &mut sink);
    Some(chunks)
}

/// Lists of origins as runs: how many from the base, from where on, and how many new ones follow.
fn put_runs(origins: &[u32], out: &mut Writer<'_>) {
    let mut runs: Vec<(u32, u32, u32)> = Vec::new();
    for &origin in origins {
        match runs.last_mut() {
            Some((_, _, new)) if origin == NEW => *new += 1,
            Some((from, len, 0)) if *from + *len == origin => *len += 1,
            _ if origin == NEW => runs.push((0, 0, 1)),
            _ => runs.push((origin, 1, 0)),
        }
    }
    out.number(origins.len() as u64);
    out.number(runs.len() as u64);
    for (from, len, new) in runs {
        [len, from, new].into_iter().for_each(|number| out.number(u64::from(number)));
    }
}

/// For each record of the newer roster, the record of the base that it is.
pub(crate) type Own = Origins;

/// Handles of the older roster as handles of the newer, by id; [`NEW`] where there is none.
struct Moves {
    orgs: Vec<u32>,
    sessions: Vec<u32>,
    courses: Vec<u32>,
    classes: Vec<u32>,
    words: Vec<u32>,
    names: Vec<u32>,
    /// What spans mean, by numbers that both rosters share: those of the older, those of the newer.
    spans: [Vec<u32>; 2],
}

/// Positions of texts in a newer sorted list.
pub(crate) fn moves(
    (old_texts, old): (&TextArena, &mut dyn Iterator<Item = Text>),
    (new_texts, new): (&TextArena, &mut dyn Iterator<Item = Text>),
) -> Vec<u32> {
    let mut new = (0u32..).zip(new).peekable();
    old.map(|text| {
        let text = old_texts.bytes(text);
        while new.next_if(|&(_, other)| new_texts.bytes(other) < text).is_some() {}
        new.peek().filter(|&&(_, other)| new_texts.bytes(other) == text).map_or(NEW, |&(at, _)| at)
    })
    .collect()
}

impl Moves {
    fn new(before: &Roster, after: &Roster) -> Self {
        macro_rules! ids {
            ($records:ident $id:ident) => {
                moves(
                    (&before.texts, &mut before.$records.iter().map(|r| r.$id)),
                    (&after.texts, &mut after.$records.iter().map(|r| r.$id)),
                )
            };
        }
        macro_rules! words {
            ($words:ident) => {
                moves((&before.texts, &mut before.$words.iter().copied()), (&after.texts, &mut after.$words.iter().copied()))
            };
        }
        let words = words!(role_words);
        Self {
            orgs: ids!(orgs id),
            sessions: ids!(sessions id),
            courses: ids!(courses id),
            classes: ids!(classes id),
            spans: senses(&before.spans, &words, &after.spans),
            words,
            names: words!(attribute_names),
        }
    }
}

/// Two rosters, looked at record by record.
struct Look<'a> {
    before: &'a Roster,
    after: &'a Roster,
    moves: Moves,
}

impl Own {
    pub(crate) fn of(before: &Roster, origins: &Origins, after: &Roster) -> Self {
        let look = Look { before, after, moves: Moves::new(before, after) };
        /// For each newer record the base's, if the older one came from there and is the same.
        fn own<T>(moves: &[u32], origins: &[u32], old: &[T], new: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<u32> {
            let mut own = vec![NEW; new.len()];
            for ((old, &to), &origin) in old.iter().zip(moves).zip(origins) {
                if let Some(new) = new.get(to as usize)
                    && same(old, new)
                {
                    own[to as usize] = origin;
                }
            }
            own
        }
        let people = side_by_side(before, after, |old, new| look.people(&origins.people, old, new)).concat();
        Self {
            orgs: own(&look.moves.orgs, &origins.orgs, &before.orgs, &after.orgs, |a, b| look.same_org(a, b)),
            sessions: own(&look.moves.sessions, &origins.sessions, &before.sessions, &after.sessions, |a, b| {
                look.same_session(a, b)
            }),
            courses: own(&look.moves.courses, &origins.courses, &before.courses, &after.courses, |a, b| look.same_course(a, b)),
            classes: own(&look.moves.classes, &origins.classes, &before.classes, &after.classes, |a, b| look.same_class(a, b)),
            people,
        }
    }
}

impl Look<'_> {
    fn people(&self, origins: &[u32], old: Range<usize>, new: Range<usize>) -> Vec<u32> {
        let (mut at, end) = (old.start, old.end);
        new.map(|new| {
            let is = &self.after.people[new];
            let key = self.after.texts.bytes(is.key);
            while at < end && self.before.texts.bytes(self.before.people[at].key) < key {
                at += 1;
            }
            let is_own = at < end && {
                let was = &self.before.people[at];
                self.before.texts.bytes(was.key) == key && self.same_person(was, is)
            };
            if is_own { origins[at] } else { NEW }
        })
        .collect()
    }

    fn texts<const N: usize>(&self, pairs: [(Text, Text); N]) -> bool {
        pairs.into_iter().all(|(old, new)| self.before.texts.bytes(old) == self.after.texts.bytes(new))
    }

    fn same_org(&self, was: &Org, is: &Org) -> bool {
        let Org { id: _, name, kind, identifier, parent, ended, modified } = was;
        self.texts([(*name, is.name), (*kind, is.kind), (*identifier, is.identifier)])
            && parent.map(|org| self.moves.orgs[org.0 as usize]) == is.parent.map(|org| org.0)
            && (ended, modified) == (&is.ended, &is.modified)
    }

    fn same_session(&self, was: &Session, is: &Session) -> bool {
        let Session { id: _, title, kind, first, last, parent, ended, modified } = was;
        self.texts([(*title, is.title), (*kind, is.kind)])
            && parent.map(|session| self.moves.sessions[session.0 as usize]) == is.parent.map(|session| session.0)
            && (first, last, ended, modified) == (&is.first, &is.last, &is.ended, &is.modified)
    }

    fn same_course(&self, was: &Course, is: &Course) -> bool {
        let Course { id: _, title, code, school_year, org, grades, subjects, subject_codes, ended, modified } = was;
        self.texts([
            (*title, is.title),
            (*code, is.code),
            (*grades, is.grades),
            (*subjects, is.subjects),
            (*subject_codes, is.subject_codes),
        ]) && school_year.map(|session| self.moves.sessions[session.0 as usize]) == is.school_year.map(|session| session.0)
            && self.moves.orgs[org.0 as usize] == is.org.0
            && (ended, modified) == (&is.ended, &is.modified)
    }

    fn same_class(&self, was: &Class, is: &Class) -> bool {
        let Class { id: _, title, kind, code, course, school, sessions, grades, subjects, subject_codes, ended, modified } =
            was;
        self.texts([
            (*title, is.title),
            (*kind, is.kind),
            (*code, is.code),
            (*grades, is.grades),
            (*subjects, is.subjects),
            (*subject_codes, is.subject_codes),
        ]) && course.map(|course| self.moves.courses[course.0 as usize]) == is.course.map(|course| course.0)
            && self.moves.orgs[school.0 as usize] == is.school.0
            && sessions.iter().map(|session| self.moves.sessions[session.0 as usize]).eq(is.sessions.iter().map(|s| s.0))
            && (ended, modified) == (&is.ended, &is.modified)
    }

    fn same_person(&self, was: &Person, is: &Person) -> bool {
        let Person {
            key: _,
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
            roles: _,
            enrollments: _,
            attributes: _,
        } = was;
        (enabled, ended, quarantined, modified) == (&is.enabled, &is.ended, &is.quarantined, &is.modified)
            && primary_org.map(|org| self.moves.orgs[org.0 as usize]) == is.primary_org.map(|org| org.0)
            && self.texts([
                (*given, is.given),
                (*family, is.family),
                (*email, is.email),
                (*username, is.username),
                (*identifier, is.identifier),
                (*grades, is.grades),
            ])
            && self.same_enrollments(was, is)
            && same_list(self.before.roles_of(was), self.after.roles_of(is), |r| Role {
                org: OrgIx(self.moves.orgs[r.org.0 as usize]),
                role: RoleWord(self.moves.words[usize::from(r.role.0)] as u16),
                ..*r
            })
            && self.same_attributes(self.before.attributes_of(was), self.after.attributes_of(is))
    }

    fn same_enrollments(&self, was: &Person, is: &Person) -> bool {
        let last_change = |roster: &Roster, (packed, modified): Told| {
            modified.unwrap_or_else(|| roster.spans[packed.span.0 as usize].modified)
        };
        let old = |told: Told| {
            let PackedEnrollment { id, class, span } = told.0;
            let (class, sense) = (self.moves.classes[class.0 as usize], self.moves.spans[0][span.0 as usize]);
            (id, class, sense, last_change(self.before, told))
        };
        let new = |told: Told| {
            let PackedEnrollment { id, class, span } = told.0;
            (id, class.0, self.moves.spans[1][span.0 as usize], last_change(self.after, told))
        };
        let (was, is) = (self.before.packed_of(was), self.after.packed_of(is));
        was.iter().map(old).eq(is.iter().map(new))
    }

    fn same_attributes(&self, old: &[Attribute], new: &[Attribute]) -> bool {
        old.len() == new.len()
            && old.iter().zip(new).all(|(a, b)| {
                self.moves.names[usize::from(a.name)] == u32::from(b.name)
                    && self.before.text(a.value) == self.after.text(b.value)
            })
    }
}

fn same_list<T: PartialEq>(old: &[T], new: &[T], moved: impl Fn(&T) -> T) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| moved(old) == *new)
}

/// The new records alone, as a roster whose handles are those of the whole one. `None` cannot happen: the texts are fewer.
pub(crate) fn news(after: &Roster, own: &Own) -> Option<Roster> {
    fn pick<T: Clone>(records: &[T], own: &[u32]) -> Vec<T> {
        records.iter().zip(own).filter(|(_, origin)| **origin == NEW).map(|(record, _)| record.clone()).collect()
    }
    let mut news = Roster {
        role_words: after.role_words.clone(),
        attribute_names: after.attribute_names.clone(),
        spans: after.spans.clone(),
        orgs: pick(&after.orgs, &own.orgs),
        sessions: pick(&after.sessions, &own.sessions),
        courses: pick(&after.courses, &own.courses),
        classes: pick(&after.classes, &own.classes),
        people: pick(&after.people, &own.people),
        ..Roster::default()
    };
    gather(&mut news, after);
    tidy(&mut news);
    rewrite(&mut news, &after.texts).ok()?;
    Some(news)
}

/// Fetches what people, who were copied as they stand in a roster beside its spans, have there. The spans must be put in order
/// after that.
pub(crate) fn gather(picked: &mut Roster, from: &Roster) {
    let Roster { people, roles, spans, enrollments, attributes, .. } = picked;
    let enrollments = enrollments.here(spans);
    for person in people {
        let (own_roles, own_enrollments) = (from.roles_of(person), from.packed_of(person));
        let own_attributes = from.attributes_of(person);
        person.roles.0 = roles.len() as u32;
        person.enrollments.0 = enrollments.len() as u32;
        person.attributes.0 = attributes.len() as u32;
        roles.extend_from_slice(own_roles);
        own_enrollments.append_to(enrollments, spans);
        attributes.extend_from_slice(own_attributes);
    }
}
