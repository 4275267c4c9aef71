//! Where rows go. The intake is the one sink; tests record what arrives.

use crate::roster::{
    ClassRow, Collection, CourseRow, EnrollmentRow, Finding, Mode, OrgRow, PersonRow, RoleRow, RosterIntake, RowAt, SessionRow,
};

/// Takes the rows of one package; see [`RosterIntake`].
pub(crate) trait RowSink {
    fn begin(&mut self, collection: Collection, mode: Mode);
    fn switch(&mut self, collection: Collection, mode: Mode);
    fn org(&mut self, row: &OrgRow<'_>);
    fn session(&mut self, row: &SessionRow<'_>);
    fn course(&mut self, row: &CourseRow<'_>);
    fn class(&mut self, row: &ClassRow<'_>);
    fn person(&mut self, row: &PersonRow<'_>);
    fn role(&mut self, row: &RoleRow<'_>);
    fn enrollment(&mut self, row: &EnrollmentRow<'_>);
    fn quarantine(&mut self, collection: Collection, at: RowAt, id: Option<&str>, person: Option<&str>, finding: Finding);
    fn warn(&mut self, finding: Finding);
}

impl RowSink for RosterIntake {
    fn begin(&mut self, collection: Collection, mode: Mode) {
        RosterIntake::begin(self, collection, mode);
    }
    fn switch(&mut self, collection: Collection, mode: Mode) {
        RosterIntake::switch(self, collection, mode);
    }
    fn org(&mut self, row: &OrgRow<'_>) {
        RosterIntake::org(self, row);
    }
    fn session(&mut self, row: &SessionRow<'_>) {
        RosterIntake::session(self, row);
    }
    fn course(&mut self, row: &CourseRow<'_>) {
        RosterIntake::course(self, row);
    }
    fn class(&mut self, row: &ClassRow<'_>) {
        RosterIntake::class(self, row);
    }
    fn person(&mut self, row: &PersonRow<'_>) {
        RosterIntake::person(self, row);
    }
    fn role(&mut self, row: &RoleRow<'_>) {
        RosterIntake::role(self, row);
    }
    fn enrollment(&mut self, row: &EnrollmentRow<'_>) {
        RosterIntake::enrollment(self, row);
    }
    fn quarantine(&mut self, collection: Collection, at: RowAt, id: Option<&str>, person: Option<&str>, finding: Finding) {
        RosterIntake::quarantine(self, collection, at, id, person, finding);
    }
    fn warn(&mut self, finding: Finding) {
        RosterIntake::warn(self, finding);
    }
}
