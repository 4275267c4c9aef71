//! A compact, canonical roster: who is where, on one complete read of the sources.
//!
//! Invariants, kept by the intake and by `unpack`, relied on by everything else:
//! - `orgs`, `sessions`, `courses`, `classes` are sorted by id and `people` by key, byte-wise; no id occurs twice.
//! - `roles`, `enrollments` and `attributes` lie grouped by person, in the order of `people`, and inside a person
//!   sorted by [`Role::order`] and [`Enrollment::order`]; a [`Person`] names its own slices.
//! - the same records give the same roster, byte for byte, whatever the order of their rows (I5). Hence handles
//!   (`u32` positions) may be compared inside one roster, never between two.

use std::ops::Range;

use crate::base::{Day, Text, TextArena};
use crate::roster::enrollments::{Enrollments, Own, Told};
pub use crate::roster::packed::{ClassIx, Modified, PackedEnrollment, RecordHash, RoleWord, Span, SpanIx};
use crate::roster::rows::Collection;

/// Position in [`Roster::orgs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrgIx(pub u32);

/// Position in [`Roster::sessions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionIx(pub u32);

/// Position in [`Roster::courses`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CourseIx(pub u32);

/// Position in [`Roster::people`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonIx(pub u32);

/// Everything known of one customer's people, orgs, classes and enrollments at one read.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// The texts behind all handles.
    pub texts: TextArena,
    /// Role words, sorted.
    pub role_words: Vec<Text>,
    /// Names of kept attributes, sorted.
    pub attribute_names: Vec<Text>,
    /// Orgs by id.
    pub orgs: Vec<Org>,
    /// Sessions by id.
    pub sessions: Vec<Session>,
    /// Courses by id.
    pub courses: Vec<Course>,
    /// Classes by id.
    pub classes: Vec<Class>,
    /// People by key.
    pub people: Vec<Person>,
    /// Roles, grouped by person.
    pub roles: Vec<Role>,
    /// What enrollments have in common: sorted, each there once, none without an enrollment. Where enrollments lie outside
    /// memory, these tell no last change: each enrollment has its own.
    pub spans: Vec<Span>,
    /// Enrollments, grouped by person.
    pub enrollments: Enrollments,
    /// Kept attributes, grouped by person.
    pub attributes: Vec<Attribute>,
}

/// An org. A tree: at most one parent, no cycle (R1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Org {
    /// Its id.
    pub id: Text,
    /// Its display name.
    pub name: Text,
    /// `school`, `district` …
    pub kind: Text,
    /// A second identifier.
    pub identifier: Text,
    /// Its parent; `None` for a root.
    pub parent: Option<OrgIx>,
    /// Ended by the source.
    pub ended: bool,
    /// Last change.
    pub modified: Modified,
}

/// A school year, term or other session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: Text,
    /// Its title.
    pub title: Text,
    /// `schoolYear`, `term` …
    pub kind: Text,
    /// First day.
    pub first: Day,
    /// Last day, inclusive.
    pub last: Day,
    /// Its parent.
    pub parent: Option<SessionIx>,
    /// Ended by the source.
    pub ended: bool,
    /// Last change.
    pub modified: Modified,
}

/// A course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Its id.
    pub id: Text,
    /// Its title.
    pub title: Text,
    /// Its code.
    pub code: Text,
    /// Its school year.
    pub school_year: Option<SessionIx>,
    /// Its org.
    pub org: OrgIx,
    /// Grades, joined by `,`.
    pub grades: Text,
    /// Subjects, joined by `,`.
    pub subjects: Text,
    /// Subject codes, joined by `,`.
    pub subject_codes: Text,
    /// Ended by the source.
    pub ended: bool,
    /// Last change.
    pub modified: Modified,
}

/// A class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its id.
    pub id: Text,
    /// Its title.
    pub title: Text,
    /// `homeroom`, `scheduled` …
    pub kind: Text,
    /// Its code.
    pub code: Text,
    /// Its course, where it has one.
    pub course: Option<CourseIx>,
    /// Its school.
    pub school: OrgIx,
    /// Its sessions, sorted.
    pub sessions: Vec<SessionIx>,
    /// Grades, joined by `,`.
    pub grades: Text,
    /// Subjects, joined by `,`.
    pub subjects: Text,
    /// Subject codes, joined by `,`.
    pub subject_codes: Text,
    /// Ended by the source.
    pub ended: bool,
    /// Last change.
    pub modified: Modified,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The person key (R4).
    pub key: Text,
    /// Given name.
    pub given: Text,
    /// Family name.
    pub family: Text,
    /// E-mail.
    pub email: Text,
    /// Log-in name.
    pub username: Text,
    /// A second identifier.
    pub identifier: Text,
    /// Grades, joined by `,`.
    pub grades: Text,
    /// The primary org.
    pub primary_org: Option<OrgIx>,
    /// The account is not locked.
    pub enabled: bool,
    /// The source ended the person explicitly.
    pub ended: bool,
    /// A row of this person could not be read: the person keeps everything (R104).
    pub quarantined: bool,
    /// Last change.
    pub modified: Modified,
    /// Slice of [`Roster::roles`]: first position and length.
    pub roles: (u32, u32),
    /// Slice of [`Roster::enrollments`]: first position and length.
    pub enrollments: (u32, u32),
    /// Slice of [`Roster::attributes`]: first position and length.
    pub attributes: (u32, u32),
}

/// A role of a person in an org.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// The role's word.
    pub role: RoleWord,
    /// Where.
    pub org: OrgIx,
    /// The person's primary role in that org.
    pub primary: bool,
    /// First day.
    pub first: Day,
    /// Last day, inclusive.
    pub last: Day,
    /// The row's id, for change files; zero for a role told in the person's own row.
    pub id: RecordHash,
    /// Ended by the source.
    pub ended: bool,
    /// Last change.
    pub modified: Modified,
}

/// An enrollment of a person in a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrollment {
    /// The row's id, for change files.
    pub id: RecordHash,
    /// Which class.
    pub class: ClassIx,
    /// First day.
    pub first: Day,
    /// Last day, inclusive.
    pub last: Day,
    /// Last change.
    pub modified: Modified,
    /// As what.
    pub role: RoleWord,
    /// The class's primary teacher.
    pub primary: bool,
    /// Ended by the source.
    pub ended: bool,
}

/// A kept attribute of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Position in [`Roster::attribute_names`].
    pub name: u16,
    /// Its value.
    pub value: Text,
}

impl Role {
    /// Stands in until the real one is there.
    pub(crate) const BLANK: Role = Role {
        role: RoleWord(0),
        org: OrgIx(0),
        primary: false,
        first: Day::MIN,
        last: Day::MAX,
        id: RecordHash([0; 2]),
        ended: false,
        modified: Modified(0),
    };

    /// The order of one person's roles.
    pub fn order(&self) -> (OrgIx, RoleWord, Day, Day, RecordHash) {
        (self.org, self.role, self.first, self.last, self.id)
    }

    /// In force on a day.
    pub fn live(&self, on: Day) -> bool {
        !self.ended && self.first <= on && on <= self.last
    }
}

impl Enrollment {
    /// The one that is kept as `packed`, with its span.
    pub fn new(packed: PackedEnrollment, span: &Span) -> Self {
        let PackedEnrollment { id, class, span: _ } = packed;
        let Span { role, first, last, primary, ended, modified } = *span;
        Self { id, class, first, last, modified, role, primary, ended }
    }

    /// The order of one person's enrollments.
    pub fn order(&self) -> (ClassIx, RoleWord, Day, Day, RecordHash) {
        (self.class, self.role, self.first, self.last, self.id)
    }

    /// Usable on a day: the last day itself still is (R25, T9).
    pub fn live(&self, on: Day) -> bool {
        !self.ended && self.first <= on && on <= self.last
    }
}

fn slice((first, len): (u32, u32)) -> Range<usize> {
    first as usize..first as usize + len as usize
}

impl Roster {
    /// The text behind a handle.
    pub fn text(&self, text: Text) -> &str {
        self.texts.get(text)
    }

    /// The items of a list text.
    pub fn list(&self, text: Text) -> impl Iterator<Item = &str> {
        self.text(text).split(',').filter(|item| !item.is_empty())
    }

    /// An org by position.
    pub fn org(&self, org: OrgIx) -> &Org {
        &self.orgs[org.0 as usize]
    }

    /// A class by position.
    pub fn class(&self, class: ClassIx) -> &Class {
        &self.classes[class.0 as usize]
    }

    /// A course by position.
    pub fn course(&self, course: CourseIx) -> &Course {
        &self.courses[course.0 as usize]
    }

    /// A person by position.
    pub fn person(&self, person: PersonIx) -> &Person {
        &self.people[person.0 as usize]
    }

    /// A role's word as text.
    pub fn role_word(&self, word: RoleWord) -> &str {
        self.text(self.role_words[word.0 as usize])
    }

    /// The roles of a person.
    pub fn roles_of(&self, person: &Person) -> &[Role] {
        &self.roles[slice(person.roles)]
    }

    /// The enrollments of a person.
    pub fn enrollments_of(&self, person: &Person) -> impl ExactSizeIterator<Item = Enrollment> + Clone {
        self.packed_of(person).into_iter().map(|told| self.enrollment(told))
    }

    /// The enrollments of a person as they are kept.
    pub(crate) fn packed_of(&self, person: &Person) -> Own<'_> {
        self.enrollments.some(person.enrollments.0 as usize, person.enrollments.1 as usize)
    }

    /// An enrollment with all it says.
    pub(crate) fn enrollment(&self, (packed, modified): Told) -> Enrollment {
        let span = &self.spans[packed.span.0 as usize];
        Enrollment { modified: modified.unwrap_or(span.modified), ..Enrollment::new(packed, span) }
    }

    /// The kept attributes of a person.
    pub fn attributes_of(&self, person: &Person) -> &[Attribute] {
        &self.attributes[slice(person.attributes)]
    }

    /// Whether records of a collection are there that had rows of their own: roles told in people's rows do not count.
    pub fn has_own(&self, what: Collection) -> bool {
        match what {
            Collection::Orgs => !self.orgs.is_empty(),
            Collection::Sessions => !self.sessions.is_empty(),
            Collection::Courses => !self.courses.is_empty(),
            Collection::Classes => !self.classes.is_empty(),
            Collection::People => !self.people.is_empty(),
            Collection::Roles => self.roles.iter().any(|role| !role.id.is_zero()),
            Collection::Enrollments => !self.enrollments.is_empty(),
        }
    }

    /// Finds a person by key.
    pub fn find_person(&self, key: &str) -> Option<PersonIx> {
        self.people.binary_search_by(|p| self.text(p.key).cmp(key)).ok().map(|at| PersonIx(at as u32))
    }

    /// Somebody whom the sources deliver and have not ended (R131).
    pub fn active(&self, key: &str) -> Option<&Person> {
        self.find_person(key).map(|at| self.person(at)).filter(|person| !person.ended)
    }

    /// Finds an org by id.
    pub fn find_org(&self, id: &str) -> Option<OrgIx> {
        self.orgs.binary_search_by(|o| self.text(o.id).cmp(id)).ok().map(|at| OrgIx(at as u32))
    }

    /// Finds a class by id.
    pub fn find_class(&self, id: &str) -> Option<ClassIx> {
        self.classes.binary_search_by(|c| self.text(c.id).cmp(id)).ok().map(|at| ClassIx(at as u32))
    }
}
