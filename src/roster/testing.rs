//! A small world for the tests of this floor: rows that can be changed, shuffled and fed.

use crate::base::{Day, Instant};
use crate::roster::desk::IntakePolicy;
use crate::roster::intake::{Intake, RosterIntake};
use crate::roster::model::{Person, Roster};
use crate::roster::rows::{
    ClassRow, Collection, CourseRow, EnrollmentRow, InlineRole, Mode, OrgRow, PersonRow, RoleRow, RowAt, RowHead, RowStatus,
    SessionRow,
};

/// What all rows have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) id: String,
    pub(crate) ended: bool,
    pub(crate) modified: Option<i64>,
}

pub(crate) fn head(id: &str) -> Head {
    Head { id: id.into(), ..Head::default() }
}

#[derive(Clone, Debug)]
pub(crate) struct OrgSpec {
    pub(crate) head: Head,
    pub(crate) kind: String,
    pub(crate) parent: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct SessionSpec {
    pub(crate) head: Head,
    pub(crate) kind: String,
    pub(crate) parent: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct CourseSpec {
    pub(crate) head: Head,
    pub(crate) org: String,
    pub(crate) year: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct ClassSpec {
    pub(crate) head: Head,
    pub(crate) school: String,
    pub(crate) course: Option<String>,
    pub(crate) sessions: String,
    pub(crate) codes: String,
}

#[derive(Clone, Debug)]
pub(crate) struct PersonSpec {
    pub(crate) head: Head,
    pub(crate) given: String,
    pub(crate) family: String,
    pub(crate) email: String,
    pub(crate) primary_org: Option<String>,
    pub(crate) inline: Vec<(String, String)>,
    pub(crate) attributes: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct RoleSpec {
    pub(crate) head: Head,
    pub(crate) person: String,
    pub(crate) role: String,
    pub(crate) org: String,
    pub(crate) primary: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct EnrollmentSpec {
    pub(crate) head: Head,
    pub(crate) person: String,
    pub(crate) class: String,
    pub(crate) school: String,
    pub(crate) role: String,
    pub(crate) primary: bool,
    pub(crate) last: Day,
}

/// The rows of one read.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) orgs: Vec<OrgSpec>,
    pub(crate) sessions: Vec<SessionSpec>,
    pub(crate) courses: Vec<CourseSpec>,
    pub(crate) classes: Vec<ClassSpec>,
    pub(crate) people: Vec<PersonSpec>,
    pub(crate) roles: Vec<RoleSpec>,
    pub(crate) enrollments: Vec<EnrollmentSpec>,
}

/// A district with two schools, two classes and three people.
pub(crate) fn district() -> World {
    let mut world = World::default();
    world.org("d", "district", None).org("s1", "school", Some("d")).org("s2", "school", Some("d"));
    world.session("y", "schoolYear", None).session("t", "term", Some("y"));
    world.course("math", "d", Some("y"));
    world.class("c1", "s1", Some("math"), "t").class("c2", "s2", Some("math"), "t,y");
    world.person("ana", Some("s1")).person("ben", Some("s1")).person("cid", Some("s2"));
    world.role("r1", "ana", "student", "s1", true).role("r2", "ben", "teacher", "s1", true);
    world.role("r3", "cid", "student", "s2", true);
    world.enroll("e1", "ana", "c1").enroll("e2", "ben", "c1").enroll("e3", "cid", "c2").enroll("e4", "ana", "c2");
    world
}

impl World {
    pub(crate) fn org(&mut self, id: &str, kind: &str, parent: Option<&str>) -> &mut Self {
        self.orgs.push(OrgSpec { head: head(id), kind: kind.into(), parent: parent.map(Into::into) });
        self
    }

    pub(crate) fn session(&mut self, id: &str, kind: &str, parent: Option<&str>) -> &mut Self {
        self.sessions.push(SessionSpec { head: head(id), kind: kind.into(), parent: parent.map(Into::into) });
        self
    }

    pub(crate) fn course(&mut self, id: &str, org: &str, year: Option<&str>) -> &mut Self {
        self.courses.push(CourseSpec { head: head(id), org: org.into(), year: year.map(Into::into) });
        self
    }

    pub(crate) fn class(&mut self, id: &str, school: &str, course: Option<&str>, sessions: &str) -> &mut Self {
        self.classes.push(ClassSpec {
            head: head(id),
            school: school.into(),
            course: course.map(Into::into),
            sessions: sessions.into(),
            codes: "MA".into(),
        });
        self
    }

    pub(crate) fn person(&mut self, id: &str, primary_org: Option<&str>) -> &mut Self {
        self.people.push(PersonSpec {
            head: head(id),
            given: format!("Given {id}"),
            family: format!("Family {id}"),
            email: format!("{id}@example.org"),
            primary_org: primary_org.map(Into::into),
            inline: Vec::new(),
            attributes: vec![("unit".into(), "north".into())],
        });
        self
    }

    pub(crate) fn role(&mut self, id: &str, person: &str, role: &str, org: &str, primary: bool) -> &mut Self {
        let (person, role, org) = (person.into(), role.into(), org.into());
        self.roles.push(RoleSpec { head: head(id), person, role, org, primary });
        self
    }

    pub(crate) fn enroll(&mut self, id: &str, person: &str, class: &str) -> &mut Self {
        self.enrollments.push(EnrollmentSpec {
            head: head(id),
            person: person.into(),
            class: class.into(),
            school: "s1".into(),
            role: "student".into(),
            primary: false,
            last: Day(20_000),
        });
        self
    }

    /// Reads these rows as all there is.
    pub(crate) fn full(&self, previous: Option<&Roster>) -> Intake {
        self.read(Mode::Full, previous, IntakePolicy::default(), |_, _| {})
    }

    /// Reads these rows as changes; collections without rows do not begin.
    pub(crate) fn changes(&self, previous: &Roster) -> Intake {
        self.read(Mode::Changes, Some(previous), IntakePolicy::default(), |_, _| {})
    }

    /// Reads these rows; `more` is called after the rows of each collection.
    pub(crate) fn read(
        &self,
        mode: Mode,
        previous: Option<&Roster>,
        policy: IntakePolicy,
        mut more: impl FnMut(&mut RosterIntake, Collection),
    ) -> Intake {
        let mut intake = RosterIntake::new(previous.cloned(), policy);
        for what in Collection::ALL {
            intake.begin(what, mode);
            self.feed(&mut intake, what);
            more(&mut intake, what);
        }
        intake.finish()
    }

    /// Feeds the rows of one collection.
    pub(crate) fn feed(&self, intake: &mut RosterIntake, what: Collection) {
        let row_head = |spec: &'static str, row: usize, head: &Head| -> RowHead<'static> {
            RowHead {
                at: RowAt { file: spec, row: row as u64 + 2 },
                id: head.id.clone().leak(),
                status: if head.ended { RowStatus::Ended } else { RowStatus::Active },
                modified: head.modified.map(Instant),
            }
        };
        match what {
            Collection::Orgs => self.orgs.iter().enumerate().for_each(|(row, o)| {
                let (head, parent) = (row_head("orgs.csv", row, &o.head), o.parent.as_deref());
                intake.org(&OrgRow { head, name: "Org", kind: &o.kind, identifier: "", parent });
            }),
            Collection::Sessions => self.sessions.iter().enumerate().for_each(|(row, s)| {
                let (head, parent) = (row_head("academicSessions.csv", row, &s.head), s.parent.as_deref());
                let (first, last) = (Day(19_000), Day(19_300));
                intake.session(&SessionRow { head, title: "Session", kind: &s.kind, first, last, parent });
            }),
            Collection::Courses => self.courses.iter().enumerate().for_each(|(row, c)| {
                intake.course(&CourseRow {
                    head: row_head("courses.csv", row, &c.head),
                    title: "Course",
                    code: "",
                    school_year: c.year.as_deref(),
                    org: &c.org,
                    grades: "05",
                    subjects: "Math",
                    subject_codes: "",
                });
            }),
            Collection::Classes => self.classes.iter().enumerate().for_each(|(row, c)| {
                intake.class(&ClassRow {
                    head: row_head("classes.csv", row, &c.head),
                    title: "Class",
                    kind: "scheduled",
                    code: "",
                    course: c.course.as_deref(),
                    school: &c.school,
                    sessions: &c.sessions,
                    grades: "05,06",
                    subjects: "Math",
                    subject_codes: &c.codes,
                });
            }),
            Collection::People => self.people.iter().enumerate().for_each(|(row, p)| {
                let roles: Vec<_> = p.inline.iter().map(|(role, org)| InlineRole { role, org }).collect();
                let attributes: Vec<_> = p.attributes.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                intake.person(&PersonRow {
                    head: row_head("users.csv", row, &p.head),
                    enabled: true,
                    given: &p.given,
                    family: &p.family,
                    email: &p.email,
                    username: &p.head.id,
                    identifier: "",
                    grades: "05",
                    primary_org: p.primary_org.as_deref(),
                    roles: &roles,
                    attributes: &attributes,
                });
            }),
            Collection::Roles => self.roles.iter().enumerate().for_each(|(row, r)| {
                intake.role(&RoleRow {
                    head: row_head("roles.csv", row, &r.head),
                    person: &r.person,
                    role: &r.role,
                    org: &r.org,
                    primary: r.primary,
                    first: Day::MIN,
                    last: Day::MAX,
                });
            }),
            Collection::Enrollments => self.enrollments.iter().enumerate().for_each(|(row, e)| {
                intake.enrollment(&EnrollmentRow {
                    head: row_head("enrollments.csv", row, &e.head),
                    person: &e.person,
                    class: &e.class,
                    school: &e.school,
                    role: &e.role,
                    primary: e.primary,
                    first: Day::MIN,
                    last: e.last,
                });
            }),
        }
    }

    /// The same rows in another order.
    pub(crate) fn shuffled(&self, seed: u64) -> Self {
        let mut world = self.clone();
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        macro_rules! shuffle {
            ($($rows:ident),*) => {$(
                for at in (1..world.$rows.len()).rev() {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    world.$rows.swap(at, (state >> 33) as usize % (at + 1));
                }
            )*};
        }
        shuffle!(orgs, sessions, courses, classes, people, roles, enrollments);
        world
    }
}

/// A roster without findings.
pub(crate) fn clean(intake: Intake) -> Roster {
    assert_eq!(intake.findings.kept, Vec::new());
    intake.roster
}

/// A person by key.
pub(crate) fn person<'a>(roster: &'a Roster, key: &str) -> &'a Person {
    roster.person(roster.find_person(key).expect("the person is in the roster"))
}

/// Whom a read marked as keeping everything.
pub(crate) fn quarantined(roster: &Roster) -> Vec<&str> {
    roster.people.iter().filter(|p| p.quarantined).map(|p| roster.text(p.key)).collect()
}

/// The classes of a person.
pub(crate) fn classes<'a>(roster: &'a Roster, key: &str) -> Vec<&'a str> {
    let enrollments = roster.enrollments_of(person(roster, key));
    enrollments.map(|e| roster.text(roster.class(e.class).id)).collect()
}

/// The roles of a person: word and org.
pub(crate) fn roles<'a>(roster: &'a Roster, key: &str) -> Vec<(&'a str, &'a str)> {
    let roles = roster.roles_of(person(roster, key));
    roles.iter().map(|r| (roster.role_word(r.role), roster.text(roster.org(r.org).id))).collect()
}

/// Rules found, with the record's id.
pub(crate) fn rules(intake: &Intake) -> Vec<(&'static str, &str)> {
    intake.findings.kept.iter().map(|f| (f.rule, f.record.as_str())).collect()
}

/// A district with enough people that a few changes are few.
pub(crate) fn town() -> World {
    let mut world = district();
    for number in 0..60 {
        let (key, school) = (format!("p{number}"), if number % 2 == 0 { "s1" } else { "s2" });
        // Of some the roles alone tell where they are.
        let primary = (number % 5 > 0).then_some(school);
        world.person(&key, primary).role(&format!("q{number}"), &key, "student", school, true);
        world.enroll(&format!("f{number}"), &key, if number % 3 == 0 { "c1" } else { "c2" });
    }
    world
}

/// One of fifteen things that may happen from one night to the next.
pub(crate) fn change(world: &mut World, kind: u8, at: usize) {
    let person = at % world.people.len();
    let key = world.people[person].head.id.clone();
    match kind {
        0 => world.people[person].given.push('x'),
        1 => {
            world.people.retain(|p| p.head.id != key);
            world.roles.retain(|r| r.person != key);
            world.enrollments.retain(|e| e.person != key);
        }
        2 => drop(world.person(&format!("new{at}"), None)),
        3 => drop(world.enroll(&format!("g{at}"), &key, "c2")),
        // New records before all others: every handle moves.
        4 => {
            let name = format!("a{at}");
            world.org(&name, "school", Some("d")).class(&name, &name, Some("math"), "t").session(&name, "term", Some("y"));
            world.course(&name, &name, Some("y"));
        }
        5 => world.enrollments.iter_mut().filter(|e| e.person == key).for_each(|e| e.head.modified = Some(at as i64 * 1000)),
        6 => world.enrollments.iter_mut().filter(|e| e.person == key).for_each(|e| e.head.id.push('x')),
        7 => world.roles.iter_mut().filter(|r| r.person == key).for_each(|r| r.role = format!("ext:{at}")),
        8 => world.people[person].attributes.push((format!("name{at}"), "value".into())),
        9 => world.orgs[2].head.modified = Some(at as i64 * 1000),
        10 => world.classes[0].sessions = "y".into(),
        11 => world.people[person].head.ended ^= true,
        // The same class twice; which of the two is told first depends on their ids alone.
        12 => {
            world.enroll(&format!("t{at}"), &key, "c1").enroll(&format!("u{at}"), &key, "c1");
            let twins = world.enrollments.len() - 2;
            world.enrollments[twins + at % 2].primary = true;
        }
        13 => {
            let own: Vec<usize> = (0..world.enrollments.len()).filter(|&e| world.enrollments[e].person == key).collect();
            let flags: Vec<bool> = own.iter().map(|&e| world.enrollments[e].primary).collect();
            own.iter().zip(flags.into_iter().rev()).for_each(|(&e, primary)| world.enrollments[e].primary = primary);
        }
        // Somebody under another key.
        _ => {
            let new = format!("{key}-2");
            world.people[person].head.id.clone_from(&new);
            world.roles.iter_mut().filter(|r| r.person == key).for_each(|r| r.person.clone_from(&new));
            world.enrollments.iter_mut().filter(|e| e.person == key).for_each(|e| e.person.clone_from(&new));
        }
    }
}

pub(crate) fn read(world: &World) -> Roster {
    // A key that came twice is told, and is no matter here.
    world.full(None).roster
}
