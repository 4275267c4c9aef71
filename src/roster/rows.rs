//! Borrowed input rows: what every source hands to the intake, one at a time.
//!
//! A source parses text to these shapes (dates, booleans, known words) and no more; whether an id exists is the
//! intake's business. What is not here (passwords, birth dates, phone numbers, demographics) is dropped at the parse.

use crate::base::{Day, Instant};

/// The kinds of records a roster is made of, in the order in which a source must deliver them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collection {
    /// Orgs.
    Orgs,
    /// Academic sessions: school years, terms.
    Sessions,
    /// Courses.
    Courses,
    /// Classes.
    Classes,
    /// People.
    People,
    /// Roles of people in orgs.
    Roles,
    /// Enrollments of people in classes.
    Enrollments,
}

impl Collection {
    /// All of them, in order of delivery.
    pub const ALL: [Collection; 7] = [
        Collection::Orgs,
        Collection::Sessions,
        Collection::Courses,
        Collection::Classes,
        Collection::People,
        Collection::Roles,
        Collection::Enrollments,
    ];

    /// The word used in findings, settings and reports.
    pub fn word(self) -> &'static str {
        match self {
            Collection::Orgs => "orgs",
            Collection::Sessions => "sessions",
            Collection::Courses => "courses",
            Collection::Classes => "classes",
            Collection::People => "people",
            Collection::Roles => "roles",
            Collection::Enrollments => "enrollments",
        }
    }
}

/// What the rows of one collection mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The rows are all there is: a record without a row is absent.
    Full,
    /// The rows are changes: a record without a row stays as it was.
    Changes,
}

/// Whether the row says that its record lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowStatus {
    /// It lives.
    Active,
    /// The source ended it explicitly (`tobedeleted`, `inactive`, left).
    Ended,
}

/// Where a row stands; goes into findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowAt {
    /// File or endpoint, for example `users.csv`.
    pub file: &'static str,
    /// Line or record number, counted from 1 (a CSV's header is line 1).
    pub row: u64,
}

/// What all rows have.
#[derive(Clone, Copy, Debug)]
pub struct RowHead<'a> {
    /// Where it stands.
    pub at: RowAt,
    /// The record's stable id in the source.
    pub id: &'a str,
    /// Whether the record lives.
    pub status: RowStatus,
    /// When the source last changed it; `None` where the source does not say.
    pub modified: Option<Instant>,
}

/// One org.
#[derive(Clone, Copy, Debug)]
pub struct OrgRow<'a> {
    /// Id, status, place.
    pub head: RowHead<'a>,
    /// Display name.
    pub name: &'a str,
    /// `school`, `district`, `department` …
    pub kind: &'a str,
    /// A second identifier, or empty.
    pub identifier: &'a str,
    /// The parent's id; `None` for a root.
    pub parent: Option<&'a str>,
}

/// One academic session.
#[derive(Clone, Copy, Debug)]
pub struct SessionRow<'a> {
    /// Id, status, place.
    pub head: RowHead<'a>,
    /// Display title.
    pub title: &'a str,
    /// `schoolYear`, `term`, `semester`, `gradingPeriod` …
    pub kind: &'a str,
    /// First day.
    pub first: Day,
    /// Last day, inclusive (OneRoster's end dates are exclusive: sources convert).
    pub last: Day,
    /// The parent's id.
    pub parent: Option<&'a str>,
}

/// One course.
#[derive(Clone, Copy, Debug)]
pub struct CourseRow<'a> {
    /// Id, status, place.
    pub head: RowHead<'a>,
    /// Display title.
    pub title: &'a str,
    /// The course code, or empty.
    pub code: &'a str,
    /// Id of the school year's session.
    pub school_year: Option<&'a str>,
    /// Id of the owning org.
    pub org: &'a str,
    /// Grades, joined by `,`.
    pub grades: &'a str,
    /// Subjects, joined by `,`.
    pub subjects: &'a str,
    /// Subject codes, joined by `,`.
    pub subject_codes: &'a str,
}

/// One class (a team).
#[derive(Clone, Copy, Debug)]
pub struct ClassRow<'a> {
    /// Id, status, place.
    pub head: RowHead<'a>,
    /// Display title.
    pub title: &'a str,
    /// `homeroom`, `scheduled` …
    pub kind: &'a str,
    /// The class code, or empty.
    pub code: &'a str,
    /// Id of the course; `None` where the policy allows a class without one.
    pub course: Option<&'a str>,
    /// Id of the school.
    pub school: &'a str,
    /// Ids of the sessions, joined by `,`.
    pub sessions: &'a str,
    /// Grades, joined by `,`.
    pub grades: &'a str,
    /// Subjects, joined by `,`.
    pub subjects: &'a str,
    /// Subject codes, joined by `,`.
    pub subject_codes: &'a str,
}

/// One person. Names and e-mail are kept so that an operator can recognize people; nothing more personal is.
#[derive(Clone, Copy, Debug)]
pub struct PersonRow<'a> {
    /// Id (the person key, R4), status, place.
    pub head: RowHead<'a>,
    /// `false`: the account is locked, the record lives.
    pub enabled: bool,
    /// Given name.
    pub given: &'a str,
    /// Family name.
    pub family: &'a str,
    /// E-mail, or empty.
    pub email: &'a str,
    /// Log-in name, or empty.
    pub username: &'a str,
    /// A second identifier (student or staff number), or empty.
    pub identifier: &'a str,
    /// Grades, joined by `,`.
    pub grades: &'a str,
    /// Id of the primary org.
    pub primary_org: Option<&'a str>,
    /// Roles told in the person's own row (OneRoster 1.1); empty where roles have rows of their own.
    pub roles: &'a [InlineRole<'a>],
    /// Extra attributes that the settings ask to keep: name and value.
    pub attributes: &'a [(&'a str, &'a str)],
}

/// A role told inside a person's row.
#[derive(Clone, Copy, Debug)]
pub struct InlineRole<'a> {
    /// `teacher`, `student` …
    pub role: &'a str,
    /// Id of the org.
    pub org: &'a str,
}

/// One role of one person in one org.
#[derive(Clone, Copy, Debug)]
pub struct RoleRow<'a> {
    /// Id, status, place.
    pub head: RowHead<'a>,
    /// The person's key.
    pub person: &'a str,
    /// `teacher`, `student` …
    pub role: &'a str,
    /// Id of the org.
    pub org: &'a str,
    /// Whether it is the person's primary role in that org.
    pub primary: bool,
    /// First day, [`Day::MIN`] if unset.
    pub first: Day,
    /// Last day, inclusive; [`Day::MAX`] if unset.
    pub last: Day,
}

/// One enrollment of one person in one class.
#[derive(Clone, Copy, Debug)]
pub struct EnrollmentRow<'a> {
    /// Id, status, place.
    pub head: RowHead<'a>,
    /// The person's key.
    pub person: &'a str,
    /// Id of the class.
    pub class: &'a str,
    /// Id of the school named in the row.
    pub school: &'a str,
    /// `student`, `teacher` …
    pub role: &'a str,
    /// Whether the person is the class's primary teacher.
    pub primary: bool,
    /// First day, [`Day::MIN`] if unset.
    pub first: Day,
    /// Last day, inclusive (R25); [`Day::MAX`] if unset.
    pub last: Day,
}
