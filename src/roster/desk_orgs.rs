//! Rows of orgs, sessions, courses and classes.

use crate::roster::book::{Book, Flaw};
use crate::roster::desk::Desk;
use crate::roster::model::{Class, ClassIx, Course, CourseIx, Org, OrgIx, Session, SessionIx};
use crate::roster::rows::{ClassRow, Collection, CourseRow, Mode, OrgRow, RowHead, RowStatus, SessionRow};
use crate::roster::table::{Record, Table, modified_of};

/// Takes what became of a row: a record or a flaw. A row that ends its record never costs anybody anything: where its
/// references lead nowhere, the stored record still ends.
pub(crate) fn conclude<T: Record>(
    table: &mut Table<T>,
    book: &mut Book,
    what: Collection,
    slot: u32,
    head: &RowHead<'_>,
    record: Result<T, Flaw>,
) -> bool {
    let place = book.place(head.at);
    match record {
        Ok(record) => table.put(slot, head, place, record),
        Err(_) if head.status == RowStatus::Ended => table.end(slot, head, place),
        Err(flaw) => {
            table.fail(slot, head, place);
            book.reject(what, head.at, head.id, flaw);
            return false;
        }
    }
    true
}

/// Whether the row does no more than end the stored record.
pub(crate) fn only_ends(mode: Option<Mode>, head: &RowHead<'_>) -> bool {
    head.status == RowStatus::Ended && mode == Some(Mode::Changes)
}

impl Desk {
    /// Takes an org.
    pub(crate) fn org(&mut self, row: &OrgRow<'_>) {
        let (what, head) = (Collection::Orgs, &row.head);
        self.enter(what);
        let Some(slot) = self.orgs.admit_once(&mut self.scribe, &mut self.book, what, head) else { return };
        if only_ends(self.orgs.mode, head) {
            self.orgs.end(slot, head, self.book.place(head.at));
            return;
        }
        let record = self.org_record(slot, row);
        conclude(&mut self.orgs, &mut self.book, what, slot, head, record);
    }

    fn org_record(&mut self, slot: u32, row: &OrgRow<'_>) -> Result<Org, Flaw> {
        // The parent may stand further down: whether it exists is asked when all orgs are in.
        let parent = row.parent.filter(|id| !id.is_empty());
        let parent = parent.map(|id| self.orgs.slot(&mut self.scribe, id)).transpose()?;
        Ok(Org {
            id: self.orgs.id(slot),
            name: self.scribe.write(row.name)?,
            kind: self.scribe.intern(row.kind)?,
            identifier: self.scribe.write(row.identifier)?,
            parent: parent.map(OrgIx),
            ended: row.head.status == RowStatus::Ended,
            modified: modified_of(&row.head),
        })
    }

    /// Takes a session.
    pub(crate) fn session(&mut self, row: &SessionRow<'_>) {
        let (what, head) = (Collection::Sessions, &row.head);
        self.enter(what);
        let Some(slot) = self.sessions.admit_once(&mut self.scribe, &mut self.book, what, head) else { return };
        if only_ends(self.sessions.mode, head) {
            self.sessions.end(slot, head, self.book.place(head.at));
            return;
        }
        let record = self.session_record(slot, row);
        conclude(&mut self.sessions, &mut self.book, what, slot, head, record);
    }

    fn session_record(&mut self, slot: u32, row: &SessionRow<'_>) -> Result<Session, Flaw> {
        let parent = row.parent.filter(|id| !id.is_empty());
        let parent = parent.map(|id| self.sessions.slot(&mut self.scribe, id)).transpose()?;
        Ok(Session {
            id: self.sessions.id(slot),
            title: self.scribe.write(row.title)?,
            kind: self.scribe.intern(row.kind)?,
            first: row.first,
            last: row.last,
            parent: parent.map(SessionIx),
            ended: row.head.status == RowStatus::Ended,
            modified: modified_of(&row.head),
        })
    }

    /// Takes a course.
    pub(crate) fn course(&mut self, row: &CourseRow<'_>) {
        let (what, head) = (Collection::Courses, &row.head);
        self.enter(what);
        let Some(slot) = self.courses.admit_once(&mut self.scribe, &mut self.book, what, head) else { return };
        if only_ends(self.courses.mode, head) {
            self.courses.end(slot, head, self.book.place(head.at));
            return;
        }
        let record = self.course_record(slot, row);
        if conclude(&mut self.courses, &mut self.book, what, slot, head, record) {
            self.compare_subjects(head, row.subjects, row.subject_codes);
        }
    }

    fn course_record(&mut self, slot: u32, row: &CourseRow<'_>) -> Result<Course, Flaw> {
        let org = self.org_named("org", row.org)?;
        let school_year = row.school_year.filter(|id| !id.is_empty()).map(|id| self.school_year(id)).transpose()?;
        let Self { scribe, .. } = self;
        Ok(Course {
            id: self.courses.id(slot),
            title: scribe.write(row.title)?,
            code: scribe.write(row.code)?,
            school_year,
            org,
            grades: scribe.intern(row.grades)?,
            subjects: scribe.intern(row.subjects)?,
            subject_codes: scribe.intern(row.subject_codes)?,
            ended: row.head.status == RowStatus::Ended,
            modified: modified_of(&row.head),
        })
    }

    fn school_year(&self, id: &str) -> Result<SessionIx, Flaw> {
        const FIELD: &str = "schoolYear";
        let (slot, session) = self.sessions.look_up(self.arena(), id).ok_or_else(|| Flaw::missing(FIELD, "session", id))?;
        let kind = self.scribe.get(session.kind);
        if kind == "schoolYear" {
            return Ok(SessionIx(slot));
        }
        Err(Flaw::graph("session_type_mismatch", FIELD, format!("session {id} is a {kind}, expected a schoolYear")))
    }

    /// Takes a class.
    pub(crate) fn class(&mut self, row: &ClassRow<'_>) {
        let (what, head) = (Collection::Classes, &row.head);
        self.enter(what);
        let Some(slot) = self.classes.admit_once(&mut self.scribe, &mut self.book, what, head) else { return };
        if only_ends(self.classes.mode, head) {
            self.classes.end(slot, head, self.book.place(head.at));
            return;
        }
        let record = self.class_record(slot, row);
        if conclude(&mut self.classes, &mut self.book, what, slot, head, record) {
            self.compare_subjects(head, row.subjects, row.subject_codes);
        }
    }

    fn class_record(&mut self, slot: u32, row: &ClassRow<'_>) -> Result<Class, Flaw> {
        let school = self.school_named(&row.head, row.school)?;
        let course = match row.course.filter(|id| !id.is_empty()) {
            None => None,
            Some(id) => match self.courses.look_up(self.arena(), id) {
                Some((course, _)) => Some(CourseIx(course)),
                None if self.policy.courses_optional => {
                    self.book.warn(row.head.at, row.head.id, Flaw::missing("course", "course", id));
                    None
                }
                None => return Err(Flaw::missing("course", "course", id)),
            },
        };
        let mut sessions = Vec::new();
        for id in row.sessions.split(',').map(str::trim).filter(|id| !id.is_empty()) {
            let (session, _) = self.sessions.look_up(self.arena(), id).ok_or_else(|| Flaw::missing("terms", "session", id))?;
            sessions.push(SessionIx(session));
        }
        sessions.sort_unstable();
        sessions.dedup();
        let Self { scribe, .. } = self;
        Ok(Class {
            id: self.classes.id(slot),
            title: scribe.write(row.title)?,
            kind: scribe.intern(row.kind)?,
            code: scribe.write(row.code)?,
            course,
            school,
            sessions,
            grades: scribe.intern(row.grades)?,
            subjects: scribe.intern(row.subjects)?,
            subject_codes: scribe.intern(row.subject_codes)?,
            ended: row.head.status == RowStatus::Ended,
            modified: modified_of(&row.head),
        })
    }

    /// The org that a row names.
    pub(crate) fn org_named(&self, field: &'static str, id: &str) -> Result<OrgIx, Flaw> {
        let found = self.orgs.look_up(self.arena(), id);
        found.map(|(slot, _)| OrgIx(slot)).ok_or_else(|| Flaw::missing(field, "org", id))
    }

    /// The school that a row names: an org of kind `school`, or of a kind of the source's own.
    pub(crate) fn school_named(&mut self, head: &RowHead<'_>, id: &str) -> Result<OrgIx, Flaw> {
        const FIELD: &str = "school";
        if let Some(slot) = self.last_school
            && self.scribe.get(self.orgs.id(slot)) == id
        {
            return Ok(OrgIx(slot));
        }
        let (slot, org) = self.orgs.look_up(self.arena(), id).ok_or_else(|| Flaw::missing(FIELD, "org", id))?;
        let kind = self.scribe.get(org.kind);
        if kind == "school" || kind.starts_with("ext:") {
            self.last_school = Some(slot);
            return Ok(OrgIx(slot));
        }
        let flaw = Flaw::graph("org_type_mismatch", FIELD, format!("org {id} is a {kind}, expected a school"));
        if !self.policy.lenient {
            return Err(flaw);
        }
        self.book.warn(head.at, head.id, flaw);
        Ok(OrgIx(slot))
    }

    /// The class that a row names.
    pub(crate) fn class_named(&mut self, id: &str) -> Result<ClassIx, Flaw> {
        if let Some(slot) = self.last_class
            && self.scribe.get(self.classes.id(slot)) == id
        {
            return Ok(ClassIx(slot));
        }
        let (slot, _) = self.classes.look_up(self.arena(), id).ok_or_else(|| Flaw::missing("class", "class", id))?;
        self.last_class = Some(slot);
        Ok(ClassIx(slot))
    }

    fn compare_subjects(&mut self, head: &RowHead<'_>, subjects: &str, codes: &str) {
        if let Some((subjects, codes)) = unequal_lists(subjects, codes) {
            let detail = format!("{subjects} subjects, {codes} subject codes");
            self.book.warn(head.at, head.id, Flaw::graph("subject_lists_differ", "subjectCodes", detail));
        }
    }
}

/// How many subjects and how many codes of them are told, where it should be as many of each.
pub(crate) fn unequal_lists(subjects: &str, codes: &str) -> Option<(usize, usize)> {
    let [subjects, codes] = [subjects, codes].map(|list| list.split(',').filter(|item| !item.trim().is_empty()).count());
    (subjects != codes && subjects > 0 && codes > 0).then_some((subjects, codes))
}
