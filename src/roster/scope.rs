//! One person, or the people of one org, out of a newer read; everybody else as in the older one (R96).

use std::fmt;
use std::mem::replace;

use crate::base::{ArenaFull, OrgId, PersonKey};
use crate::roster::merge::merge;
use crate::roster::model::{Class, ClassIx, Course, CourseIx, Org, OrgIx, Person, Role, Roster, Session, SessionIx};
use crate::roster::tree::OrgTree;

/// Whom a run takes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One person.
    Person(PersonKey),
    /// Everybody who has, before or after, a role in this org or below it.
    Org(OrgId),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Person(person) => write!(f, "person {person}"),
            Scope::Org(org) => write!(f, "org {org}"),
        }
    }
}

impl Scope {
    /// What kind of thing it names.
    pub fn word(&self) -> &'static str {
        match self {
            Scope::Person(_) => "person",
            Scope::Org(_) => "org",
        }
    }

    /// The id that it names.
    pub fn id(&self) -> &str {
        match self {
            Scope::Person(person) => person.as_str(),
            Scope::Org(org) => org.as_str(),
        }
    }

    /// The ids of its kind in a roster, for a suggestion.
    pub fn candidates<'r>(&self, roster: &'r Roster) -> Vec<&'r str> {
        match self {
            Scope::Person(_) => roster.people.iter().map(|person| roster.text(person.key)).collect(),
            Scope::Org(_) => roster.orgs.iter().map(|org| roster.text(org.id)).collect(),
        }
    }

    /// Whether a roster has what it names.
    pub fn is_in(&self, roster: &Roster) -> bool {
        match self {
            Scope::Person(person) => roster.find_person(person.as_str()).is_some(),
            Scope::Org(org) => roster.find_org(org.as_str()).is_some(),
        }
    }

    /// Whether it is this org or one that has it below itself; of a person never.
    pub fn has_org(&self, roster: &Roster, org: &str) -> bool {
        let Scope::Org(top) = self else { return false };
        let mut next = roster.find_org(org);
        while let Some(at) = next {
            if roster.text(roster.org(at).id) == top.as_str() {
                return true;
            }
            next = roster.org(at).parent;
        }
        false
    }

    /// The people in scope of one roster or the other, sorted.
    pub fn people(&self, before: &Roster, after: &Roster) -> Vec<PersonKey> {
        let mut keys: Vec<PersonKey> = [before, after].into_iter().flat_map(|roster| self.people_of(roster)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn people_of(&self, roster: &Roster) -> Vec<PersonKey> {
        let org = match self {
            Scope::Person(person) => return roster.find_person(person.as_str()).map(|_| person.clone()).into_iter().collect(),
            Scope::Org(org) => org,
        };
        let Some(org) = roster.find_org(org.as_str()) else { return Vec::new() };
        let tree = OrgTree::new(roster);
        let belongs = |person: &&Person| {
            let roles = roster.roles_of(person).iter().filter(|role| !role.ended).map(|role| role.org);
            person.primary_org.into_iter().chain(roles).any(|at| tree.is_within(at, org))
        };
        roster.people.iter().filter(belongs).map(|person| PersonKey::from(roster.text(person.key))).collect()
    }
}

/// `before`, with these people (sorted) as `after` has them, or without them where it has not. Orgs, sessions, courses and
/// classes that `before` knows stay word for word; new ones come along where these people need them.
///
/// # Errors
/// As [`merge`].
pub fn take_people(before: &Roster, after: &Roster, people: &[PersonKey]) -> Result<Roster, ArenaFull> {
    let taken =
        |roster: &Roster, person: &Person| people.binary_search_by(|key| key.as_str().cmp(roster.text(person.key))).is_ok();
    let mut rest = before.clone();
    rest.people.retain(|person| !taken(before, person));
    let picked = pick(before, after, |person| taken(after, person));
    merge(&[&rest, &picked])
}

/// What somebody needs of a roster.
struct Need<'a> {
    roster: &'a Roster,
    orgs: Vec<bool>,
    sessions: Vec<bool>,
    courses: Vec<bool>,
    classes: Vec<bool>,
}

impl Need<'_> {
    fn org(&mut self, org: OrgIx) {
        let mut next = Some(org);
        while let Some(at) = next.filter(|at| !replace(&mut self.orgs[at.0 as usize], true)) {
            next = self.roster.org(at).parent;
        }
    }

    fn session(&mut self, session: SessionIx) {
        let mut next = Some(session);
        while let Some(at) = next.filter(|at| !replace(&mut self.sessions[at.0 as usize], true)) {
            next = self.roster.sessions[at.0 as usize].parent;
        }
    }

    fn course(&mut self, course: CourseIx) {
        if !replace(&mut self.courses[course.0 as usize], true) {
            let Course { org, school_year, .. } = self.roster.course(course);
            self.org(*org);
            school_year.iter().for_each(|&session| self.session(session));
        }
    }

    fn class(&mut self, class: ClassIx) {
        if !replace(&mut self.classes[class.0 as usize], true) {
            let Class { school, course, sessions, .. } = self.roster.class(class);
            self.org(*school);
            course.iter().for_each(|&course| self.course(course));
            sessions.iter().for_each(|&session| self.session(session));
        }
    }

    fn person(&mut self, person: &Person) {
        person.primary_org.iter().for_each(|&org| self.org(org));
        self.roster.roles_of(person).iter().for_each(|role| self.org(role.org));
        self.roster.packed_of(person).iter().for_each(|(packed, _)| self.class(packed.class));
    }
}

/// For each record its position among those that are needed; of the others nothing is asked.
fn places(needed: &[bool]) -> Vec<u32> {
    let mut next = 0;
    let mut place = |&needed: &bool| {
        next += u32::from(needed);
        next.saturating_sub(1)
    };
    needed.iter().map(&mut place).collect()
}

/// Some people of `after` and what they need, nothing else. What `before` knows comes as ended: merged with it, its own
/// word counts.
fn pick(before: &Roster, after: &Roster, taken: impl Fn(&Person) -> bool) -> Roster {
    let mut need = Need {
        roster: after,
        orgs: vec![false; after.orgs.len()],
        sessions: vec![false; after.sessions.len()],
        courses: vec![false; after.courses.len()],
        classes: vec![false; after.classes.len()],
    };
    let people: Vec<&Person> = after.people.iter().filter(|person| taken(person)).collect();
    people.iter().for_each(|person| need.person(person));
    let Need { roster: _, orgs, sessions, courses, classes } = need;
    let [org_at, session_at, course_at, class_at] = [&orgs, &sessions, &courses, &classes].map(|needed| places(needed));
    let org = |at: OrgIx| OrgIx(org_at[at.0 as usize]);
    let session = |at: SessionIx| SessionIx(session_at[at.0 as usize]);
    let class = |at: ClassIx| ClassIx(class_at[at.0 as usize]);
    macro_rules! knows {
        ($records:ident, $id:expr) => {{
            let id = after.text($id);
            before.$records.binary_search_by(|known| before.text(known.id).cmp(id)).is_ok()
        }};
    }
    let mut picked = Roster {
        texts: after.texts.clone(),
        role_words: after.role_words.clone(),
        attribute_names: after.attribute_names.clone(),
        spans: after.spans.clone(),
        orgs: some(&after.orgs, &orgs)
            .map(|record: &Org| Org {
                parent: record.parent.map(org),
                ended: record.ended || knows!(orgs, record.id),
                ..record.clone()
            })
            .collect(),
        sessions: some(&after.sessions, &sessions)
            .map(|record: &Session| Session {
                parent: record.parent.map(session),
                ended: record.ended || knows!(sessions, record.id),
                ..record.clone()
            })
            .collect(),
        courses: some(&after.courses, &courses)
            .map(|record: &Course| Course {
                school_year: record.school_year.map(session),
                org: org(record.org),
                ended: record.ended || knows!(courses, record.id),
                ..record.clone()
            })
            .collect(),
        classes: some(&after.classes, &classes)
            .map(|record: &Class| Class {
                course: record.course.map(|at| CourseIx(course_at[at.0 as usize])),
                school: org(record.school),
                sessions: record.sessions.iter().copied().map(session).collect(),
                ended: record.ended || knows!(classes, record.id),
                ..record.clone()
            })
            .collect(),
        ..Roster::default()
    };
    for person in people {
        let roles = after.roles_of(person).iter().map(|role| Role { org: org(role.org), ..*role });
        let Roster { spans, enrollments, .. } = &mut picked;
        let attended = enrollments.here(spans);
        let first = attended.len();
        after.packed_of(person).append_to(attended, spans);
        attended[first..].iter_mut().for_each(|enrollment| enrollment.class = class(enrollment.class));
        let enrollments = (first as u32, (attended.len() - first) as u32);
        let attributes = after.attributes_of(person).iter().copied();
        picked.people.push(Person {
            primary_org: person.primary_org.map(org),
            roles: append(&mut picked.roles, roles),
            enrollments,
            attributes: append(&mut picked.attributes, attributes),
            ..person.clone()
        });
    }
    picked
}

fn some<'a, T>(records: &'a [T], needed: &'a [bool]) -> impl Iterator<Item = &'a T> {
    records.iter().zip(needed).filter(|(_, needed)| **needed).map(|(record, _)| record)
}

/// Appends and returns the slice: first position and length.
fn append<T>(all: &mut Vec<T>, more: impl Iterator<Item = T>) -> (u32, u32) {
    let first = all.len() as u32;
    all.extend(more);
    (first, all.len() as u32 - first)
}

#[cfg(test)]
mod tests;
