//! Rows to records, one parser per file. Only what the roster keeps is looked at: user ids, agents, phones, passwords,
//! locations, periods and profiles are stepped over, and so can neither be stored nor break a row.

use crate::roster::{ClassRow, CourseRow, EnrollmentRow, InlineRole, OrgRow, PersonRow, RoleRow, RowHead, SessionRow};
use crate::source::csv::cells::{Cells, Read, fault};
use crate::source::csv::files::CsvVersion;
use crate::source::csv::scan::Row;
use crate::source::csv::sink::RowSink;
use crate::source::csv::value::list;

/// Turns the rows of one file into records. Buffers live as long as the file.
pub(crate) trait RowParser: Default {
    /// The column that names a person, by its place in the file's list of columns.
    const PERSON: Option<usize> = None;

    /// Reads one row of the right width and hands it on.
    fn take<S: RowSink>(&mut self, cells: &mut Cells<'_>, row: &Row<'_>, head: RowHead<'_>, sink: &mut S) -> Read<()>;
}

/// Parses `orgs.csv`.
#[derive(Default)]
pub(crate) struct Orgs;

impl RowParser for Orgs {
    fn take<S: RowSink>(&mut self, cells: &mut Cells<'_>, row: &Row<'_>, head: RowHead<'_>, sink: &mut S) -> Read<()> {
        let name = cells.required(row, 3)?;
        let kind = cells.word(row, 4, &["school", "department", "district", "local", "state", "national"])?;
        let parent = cells.guid_if_any(row, 6)?;
        sink.org(&OrgRow { head, name, kind, identifier: cells.get(row, 5), parent });
        Ok(())
    }
}

/// Parses `academicSessions.csv`.
#[derive(Default)]
pub(crate) struct Sessions;

impl RowParser for Sessions {
    fn take<S: RowSink>(&mut self, cells: &mut Cells<'_>, row: &Row<'_>, head: RowHead<'_>, sink: &mut S) -> Read<()> {
        let title = cells.required(row, 3)?;
        let kind = cells.word(row, 4, &["term", "semester", "gradingPeriod", "schoolYear"])?;
        cells.required(row, 5)?;
        cells.required(row, 6)?;
        let (first, last) = cells.span(row, 5, 6)?;
        let parent = cells.guid_if_any(row, 7)?;
        if !cells.lenient {
            let year = cells.required(row, 8)?;
            if year.len() != 4 || !year.bytes().all(|byte| byte.is_ascii_digit()) {
                let found = cells.found(8, year, false);
                return Err(fault("bad_date", Some(8), format!("expected a year, YYYY, {found}")));
            }
        }
        sink.session(&SessionRow { head, title, kind, first, last, parent });
        Ok(())
    }
}

/// Parses `courses.csv`.
#[derive(Default)]
pub(crate) struct Courses {
    buffers: [String; 3],
}

impl RowParser for Courses {
    fn take<S: RowSink>(&mut self, cells: &mut Cells<'_>, row: &Row<'_>, head: RowHead<'_>, sink: &mut S) -> Read<()> {
        let [grades, subjects, subject_codes] = &mut self.buffers;
        let school_year = cells.guid_if_any(row, 3)?;
        let title = cells.required(row, 4)?;
        let grades = cells.list_if_any(row, 6, grades)?;
        let org = cells.guid(row, 7)?;
        let subjects = cells.list_if_any(row, 8, subjects)?;
        let subject_codes = cells.list_if_any(row, 9, subject_codes)?;
        sink.course(&CourseRow { head, title, code: cells.get(row, 5), school_year, org, grades, subjects, subject_codes });
        Ok(())
    }
}

/// Parses `classes.csv`.
#[derive(Default)]
pub(crate) struct Classes {
    buffers: [String; 4],
}

impl RowParser for Classes {
    fn take<S: RowSink>(&mut self, cells: &mut Cells<'_>, row: &Row<'_>, head: RowHead<'_>, sink: &mut S) -> Read<()> {
        let [grades, sessions, subjects, subject_codes] = &mut self.buffers;
        let title = cells.required(row, 3)?;
        let grades = cells.list_if_any(row, 4, grades)?;
        let course = if cells.courses_optional { cells.guid_if_any(row, 5)? } else { Some(cells.guid(row, 5)?) };
        let kind = cells.word(row, 7, &["scheduled", "homeroom"])?;
        let school = cells.guid(row, 9)?;
        let sessions = list(cells.guids(row, 10)?, sessions);
        let subjects = cells.list_if_any(row, 11, subjects)?;
        let subject_codes = cells.list_if_any(row, 12, subject_codes)?;
        let code = cells.get(row, 6);
        sink.class(&ClassRow { head, title, kind, code, course, school, sessions, grades, subjects, subject_codes });
        Ok(())
    }
}

/// Parses `users.csv`.
#[derive(Default)]
pub(crate) struct Users {
    grades: String,
    roles: Vec<InlineRole<'static>>,
    attributes: Vec<(&'static str, &'static str)>,
}

const ROLES_1_1: [&str; 8] = ["student", "teacher", "administrator", "aide", "guardian", "parent", "proctor", "relative"];

impl Users {
    /// The columns that are read, whatever the version.
    pub(crate) const READ: [usize; 13] = [0, 1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 16, 23];
}

impl RowParser for Users {
    const PERSON: Option<usize> = Some(0);

    fn take<S: RowSink>(&mut self, cells: &mut Cells<'_>, row: &Row<'_>, head: RowHead<'_>, sink: &mut S) -> Read<()> {
        let Some(enabled) = cells.boolean_if_any(row, 3)? else {
            return Err(fault("required_blank", Some(3), "expected `true` or `false`"));
        };
        let (mut role, mut orgs) = ("", "");
        if cells.version == CsvVersion::V1_1 {
            orgs = cells.guids(row, 4)?;
            role = cells.word(row, 5, &ROLES_1_1)?;
        }
        let username = cells.required(row, 6)?;
        let given = cells.required(row, 8)?;
        let family = cells.required(row, 9)?;
        let grades = cells.list_if_any(row, 16, &mut self.grades)?;
        let primary_org = cells.guid_if_any(row, 23)?;
        // The buffers are kept from row to row, though what they hold lives only as long as its row.
        let mut roles: Vec<InlineRole<'_>> = std::mem::take(&mut self.roles);
        if !orgs.is_empty() {
            roles.extend(orgs.split(',').map(|org| InlineRole { role, org: org.trim_matches(' ') }));
        }
        let mut attributes: Vec<(&str, &str)> = std::mem::take(&mut self.attributes);
        for (place, name) in &cells.layout.metadata {
            let value = row.get(*place);
            if !value.is_empty() {
                attributes.push((name, value));
            }
        }
        sink.person(&PersonRow {
            head,
            enabled,
            given,
            family,
            email: cells.get(row, 12),
            username,
            identifier: cells.get(row, 11),
            grades,
            primary_org,
            roles: &roles,
            attributes: &attributes,
        });
        // Emptied first: then collecting from it into the same kind of vector hands its memory over and copies nothing.
        roles.clear();
        self.roles = roles.into_iter().map(|_| InlineRole { role: "", org: "" }).collect();
        attributes.clear();
        self.attributes = attributes.into_iter().map(|_| ("", "")).collect();
        Ok(())
    }
}

/// Parses `roles.csv`.
#[derive(Default)]
pub(crate) struct Roles;

const ROLES_1_2: [&str; 12] = [
    "student",
    "teacher",
    "aide",
    "counselor",
    "districtAdministrator",
    "guardian",
    "parent",
    "principal",
    "proctor",
    "relative",
    "siteAdministrator",
    "systemAdministrator",
];

impl RowParser for Roles {
    const PERSON: Option<usize> = Some(3);

    fn take<S: RowSink>(&mut self, cells: &mut Cells<'_>, row: &Row<'_>, head: RowHead<'_>, sink: &mut S) -> Read<()> {
        let person = cells.reference(row, 3, sink)?;
        // The standard gives this one column no `ext:` words.
        let primary = match cells.word(row, 4, &["primary", "secondary"])? {
            "primary" => true,
            "secondary" => false,
            _ => return Err(fault("bad_enum", Some(4), "expected one of primary, secondary, found an `ext:` word")),
        };
        let role = cells.word(row, 5, &ROLES_1_2)?;
        let (first, last) = cells.span(row, 6, 7)?;
        let org = cells.reference(row, 8, sink)?;
        sink.role(&RoleRow { head, person, role, org, primary, first, last });
        Ok(())
    }
}

/// Parses `enrollments.csv`.
#[derive(Default)]
pub(crate) struct Enrollments;

impl Enrollments {
    /// The column that names the class.
    pub(crate) const CLASS: usize = 3;
}

impl RowParser for Enrollments {
    const PERSON: Option<usize> = Some(5);

    #[inline]
    fn take<S: RowSink>(&mut self, cells: &mut Cells<'_>, row: &Row<'_>, head: RowHead<'_>, sink: &mut S) -> Read<()> {
        let class = cells.reference(row, Self::CLASS, sink)?;
        let school = cells.reference(row, 4, sink)?;
        let person = cells.reference(row, 5, sink)?;
        let role = cells.word(row, 6, &["student", "teacher", "administrator", "proctor"])?;
        let primary = cells.boolean_if_any(row, 7)?.unwrap_or(false);
        let (first, last) = cells.span(row, 8, 9)?;
        sink.enrollment(&EnrollmentRow { head, person, class, school, role, primary, first, last });
        Ok(())
    }
}
