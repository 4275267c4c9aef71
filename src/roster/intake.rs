//! Rows in one by one, a compact roster and findings out.
//!
//! The work is done at the `desk`: one file for each family of rows, one for what only the end can tell.

use crate::roster::desk::{Desk, IntakePolicy};
use crate::roster::finding::{Finding, Findings, IntakeCounts};
use crate::roster::model::Roster;
use crate::roster::rows::{
    ClassRow, Collection, CourseRow, EnrollmentRow, Mode, OrgRow, PersonRow, RoleRow, RowAt, SessionRow,
};

/// Takes the rows of one read of one source.
#[derive(Debug)]
pub struct RosterIntake {
    desk: Desk,
}

/// What an intake came to.
#[derive(Debug)]
pub struct Intake {
    /// The roster.
    pub roster: Roster,
    /// What was found wrong.
    pub findings: Findings,
    /// Rows by collection.
    pub counts: IntakeCounts,
}

impl RosterIntake {
    /// Starts a read. `previous` is the stored roster of the same source: what files of changes build on, and what a
    /// quarantined row falls back to.
    pub fn new(previous: Option<Roster>, policy: IntakePolicy) -> Self {
        Self { desk: Desk::new(previous.unwrap_or_default(), policy) }
    }

    /// Begins a collection. Must be called once for each collection that the source delivers, in [`Collection::ALL`]
    /// order, before its first row. A collection that is never begun stays as in `previous`.
    pub fn begin(&mut self, collection: Collection, mode: Mode) {
        self.desk.begin(collection, mode);
    }

    /// Says that a begun collection means something else than was thought: a file declared complete turns out to hold
    /// changes (oneroster-csv §3). Absence is concluded only when the collection ends, so nothing is lost by it.
    pub fn switch(&mut self, collection: Collection, mode: Mode) {
        self.desk.switch(collection, mode);
    }

    /// Takes an org.
    pub fn org(&mut self, row: &OrgRow<'_>) {
        self.desk.org(row);
    }

    /// Takes a session.
    pub fn session(&mut self, row: &SessionRow<'_>) {
        self.desk.session(row);
    }

    /// Takes a course.
    pub fn course(&mut self, row: &CourseRow<'_>) {
        self.desk.course(row);
    }

    /// Takes a class.
    pub fn class(&mut self, row: &ClassRow<'_>) {
        self.desk.class(row);
    }

    /// Takes a person.
    pub fn person(&mut self, row: &PersonRow<'_>) {
        self.desk.person(row);
    }

    /// Takes a role.
    pub fn role(&mut self, row: &RoleRow<'_>) {
        self.desk.role(row);
    }

    /// Takes an enrollment.
    pub fn enrollment(&mut self, row: &EnrollmentRow<'_>) {
        self.desk.enrollment(row);
    }

    /// Takes note of a row that the source could not parse. The record stays as it was; `person` (where the row names
    /// one) and the person of the stored record keep everything. Without `id`, nobody of this collection is concluded
    /// absent in this read: what is stored and has no row stays, and the people concerned keep everything.
    pub fn quarantine(&mut self, collection: Collection, at: RowAt, id: Option<&str>, person: Option<&str>, finding: Finding) {
        self.desk.quarantine(collection, at, id, person, finding);
    }

    /// Takes note of something that costs no row.
    pub fn warn(&mut self, finding: Finding) {
        self.desk.book.findings.push(finding);
    }

    /// Resolves what is still open and hands out the roster.
    pub fn finish(self) -> Intake {
        let partial = self.desk.people.mode != Some(Mode::Full) || self.desk.people.untellable;
        let (roster, mut book) = self.desk.finish();
        book.counts.partial = partial;
        Intake { roster, findings: book.findings, counts: book.counts }
    }
}

#[cfg(test)]
mod tests;
