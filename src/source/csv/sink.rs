//! Where rows go: to the intake, or to a reader that takes them ahead of it; tests record what arrives.

use crate::base::Digest;
use crate::roster::{
    Apart, ClassRow, Collection, CourseRow, EnrollmentRow, Finding, Mode, OrgRow, PersonRow, Prints, Readers, RoleRow,
    RosterIntake, RowAt, RowBatch, RowReader, SessionRow, Taker,
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
    /// See [`RowReader::knows_ids`].
    fn knows_ids(&self) -> bool {
        false
    }
    /// See [`RosterIntake::expect`].
    fn expect(&mut self, _collection: Collection, _rows: usize) {}
    /// See [`RosterIntake::apart`].
    fn apart(&self, _collection: Collection) -> Option<Apart> {
        None
    }
    /// See [`RosterIntake::halves`]; `None` of a sink that has nothing apart.
    fn halves<'d>(&'d mut self, _apart: &'d Apart) -> Option<(Readers<'d>, Taker<'d>)> {
        None
    }
    /// See [`RosterIntake::take`].
    fn take(&mut self, _batch: &mut RowBatch, _rows_before: u64) -> bool {
        false
    }
    /// See [`RosterIntake::prints`].
    fn prints(&mut self) -> Option<&mut Prints> {
        None
    }
    /// See [`RosterIntake::ground`].
    fn ground(&mut self, _ground: Digest) {}
}

/// Whatever is not a plain row makes the batch odd.
impl RowSink for RowReader<'_> {
    fn begin(&mut self, _collection: Collection, _mode: Mode) {
        self.odd();
    }
    fn switch(&mut self, _collection: Collection, _mode: Mode) {
        self.odd();
    }
    fn org(&mut self, _row: &OrgRow<'_>) {
        self.odd();
    }
    fn session(&mut self, _row: &SessionRow<'_>) {
        self.odd();
    }
    fn course(&mut self, _row: &CourseRow<'_>) {
        self.odd();
    }
    fn class(&mut self, row: &ClassRow<'_>) {
        RowReader::class(self, row);
    }
    fn person(&mut self, row: &PersonRow<'_>) {
        RowReader::person(self, row);
    }
    fn role(&mut self, row: &RoleRow<'_>) {
        RowReader::role(self, row);
    }
    fn enrollment(&mut self, row: &EnrollmentRow<'_>) {
        RowReader::enrollment(self, row);
    }
    fn quarantine(&mut self, _what: Collection, _at: RowAt, _id: Option<&str>, _person: Option<&str>, _finding: Finding) {
        self.odd();
    }
    fn warn(&mut self, _finding: Finding) {
        self.odd();
    }
    fn knows_ids(&self) -> bool {
        RowReader::knows_ids(self)
    }
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
    fn expect(&mut self, collection: Collection, rows: usize) {
        RosterIntake::expect(self, collection, rows);
    }
    fn apart(&self, collection: Collection) -> Option<Apart> {
        RosterIntake::apart(self, collection)
    }
    fn halves<'d>(&'d mut self, apart: &'d Apart) -> Option<(Readers<'d>, Taker<'d>)> {
        Some(RosterIntake::halves(self, apart))
    }
    fn take(&mut self, batch: &mut RowBatch, rows_before: u64) -> bool {
        RosterIntake::take(self, batch, rows_before)
    }
    fn prints(&mut self) -> Option<&mut Prints> {
        RosterIntake::prints(self)
    }
    fn ground(&mut self, ground: Digest) {
        RosterIntake::ground(self, ground);
    }
}
