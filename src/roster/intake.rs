//! Rows in one by one, a compact roster and findings out.

use crate::roster::finding::{Finding, Findings, IntakeCounts};
use crate::roster::model::Roster;
use crate::roster::rows::{
    ClassRow, Collection, CourseRow, EnrollmentRow, Mode, OrgRow, PersonRow, RoleRow, RowAt, SessionRow,
};

/// How lenient an intake is about references. Structure is never lenient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IntakePolicy {
    /// Accept a school that is an org of another type, with a warning (oneroster-csv §10).
    pub lenient: bool,
    /// Accept classes whose course is not in the roster.
    pub courses_optional: bool,
}

/// Takes the rows of one read of one source.
pub struct RosterIntake {
    _private: (),
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

#[expect(unused_variables, reason = "skeleton")]
impl RosterIntake {
    /// Starts a read. `previous` is the stored roster of the same source: what files of changes build on, and what a
    /// quarantined row falls back to.
    pub fn new(previous: Option<Roster>, policy: IntakePolicy) -> Self {
        Self { _private: () }
    }

    /// Begins a collection. Must be called once for each collection that the source delivers, in [`Collection::ALL`]
    /// order, before its first row. A collection that is never begun stays as in `previous`.
    pub fn begin(&mut self, collection: Collection, mode: Mode) {}

    /// Changes the mode of a collection that was begun. A source calls it when rows show that a file declared complete
    /// holds changes (oneroster-csv §3); it counts for the rows before the call too, so nothing may be concluded from
    /// absence before the next `begin` or `finish`.
    pub fn switch(&mut self, collection: Collection, mode: Mode) {}

    /// Takes an org.
    pub fn org(&mut self, row: &OrgRow<'_>) {}
    /// Takes a session.
    pub fn session(&mut self, row: &SessionRow<'_>) {}
    /// Takes a course.
    pub fn course(&mut self, row: &CourseRow<'_>) {}
    /// Takes a class.
    pub fn class(&mut self, row: &ClassRow<'_>) {}
    /// Takes a person.
    pub fn person(&mut self, row: &PersonRow<'_>) {}
    /// Takes a role.
    pub fn role(&mut self, row: &RoleRow<'_>) {}
    /// Takes an enrollment.
    pub fn enrollment(&mut self, row: &EnrollmentRow<'_>) {}

    /// Takes note of a row that the source could not parse. The record stays as it was; `person` (where the row names
    /// one) and the person of the stored record keep everything. Without `id`, nobody of this collection is concluded
    /// absent in this read.
    pub fn quarantine(&mut self, collection: Collection, at: RowAt, id: Option<&str>, person: Option<&str>, finding: Finding) {}

    /// Takes note of something that costs no row.
    pub fn warn(&mut self, finding: Finding) {}

    /// Resolves what is still open and hands out the roster.
    pub fn finish(self) -> Intake {
        Intake { roster: Roster::default(), findings: Findings::default(), counts: IntakeCounts::default() }
    }
}
