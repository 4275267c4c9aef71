//! Rows in one by one, a compact roster and findings out.
//!
//! The work is done at the `desk`: one file for each family of rows, one for what only the end can tell.

use std::sync::Arc;

use crate::base::Digest;
use crate::roster::batch::{Readers, RowBatch};
use crate::roster::desk::{Desk, IntakePolicy};
use crate::roster::desk_batch::{Apart, Taker, bounded};
use crate::roster::doubt::Doubt;
use crate::roster::finding::{Finding, Findings, IntakeCounts};
use crate::roster::links::has_doubles;
use crate::roster::model::Roster;
use crate::roster::room::Room;
use crate::roster::rows::{
    ClassRow, Collection, CourseRow, EnrollmentRow, Mode, OrgRow, PersonRow, RoleRow, RowAt, SessionRow,
};
use crate::roster::trace::{Prints, Trace, Tracing};

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
    /// Whether this is all: an unaided read says `false` where the stored roster was needed after all. Then there is no
    /// roster, and the package has to be read again with it; as it has to be if it does not [stand beside](Intake::stands_beside)
    /// the stored one.
    pub is_conclusive: bool,
    /// What it leaves to know for the next read, where that was wanted and nothing was found in any row. After a read of the
    /// whole the roster's name is not in it yet.
    pub trace: Option<Trace>,
    /// How much of it was found once rows came.
    pub(crate) found_in_rows: u64,
    /// Collections that never began.
    pub(crate) unbegun: Vec<Collection>,
    pub(crate) doubt: Doubt,
}

impl Intake {
    /// Whether an unaided read that is conclusive has no doubt that only all stored records could clear.
    pub fn is_beyond_doubt(&self) -> bool {
        self.doubt.is_none()
    }

    /// Whether one that is beyond doubt stands beside the stored roster, which has records of its own of some collections.
    pub fn stands_beside_own(&self, has_own: impl Fn(Collection) -> bool) -> bool {
        !self.unbegun.iter().any(|&what| has_own(what))
    }

    /// Whether an unaided read that is conclusive stands beside this stored roster: nothing is stored of collections that
    /// never began, nor of the bad rows.
    pub fn stands_beside(&self, stored: &Roster) -> bool {
        self.stands_beside_own(|what| stored.has_own(what)) && !self.doubt.touches(stored)
    }
}

impl RosterIntake {
    /// Starts a read. `previous` is the stored roster of the same source: what files of changes build on, and what a
    /// quarantined row falls back to.
    pub fn new(previous: Option<Roster>, policy: IntakePolicy) -> Self {
        Self { desk: Desk::new(previous.unwrap_or_default(), policy) }
    }

    /// Starts a read that does without the stored roster, which there is if `has_stored`: a complete package of sound rows
    /// does not need it. Whether this one was such is told at the end, by [`Intake::is_conclusive`].
    pub fn unaided(has_stored: bool, policy: IntakePolicy) -> Self {
        Self { desk: Desk::unaided(has_stored, policy) }
    }

    /// Gives a read that does without the stored roster room outside memory, for very many rows of enrollments.
    #[must_use]
    pub fn with_room(mut self, room: Option<Arc<dyn Room>>) -> Self {
        room.into_iter().for_each(|room| self.desk.give(room));
        self
    }

    /// Lets a read that does without the stored roster leave a trace.
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.desk.traced = Some(Tracing::default());
        self
    }

    /// What its rows say, if it leaves a trace. It is for whoever hands them on to add each row once, to groups of which there
    /// are none at first.
    pub fn prints(&mut self) -> Option<&mut Prints> {
        self.desk.traced.as_mut().map(|traced| &mut traced.prints)
    }

    /// Tells what all rows stand on that tell of people.
    pub fn ground(&mut self, ground: Digest) {
        self.desk.traced.iter_mut().for_each(|traced| traced.ground = Some(ground));
    }

    /// Says about how many rows of a begun collection will come, so that room for their ids is made once.
    pub fn expect(&mut self, collection: Collection, rows: usize) {
        match collection {
            Collection::Classes => self.desk.classes.expect(rows),
            Collection::People => self.desk.people.expect(rows),
            _ => {}
        }
    }

    /// What readers of a begun collection need beside the intake, to be kept until its last row; `None` where rows must come
    /// one by one.
    pub fn apart(&self, collection: Collection) -> Option<Apart> {
        Apart::new(&self.desk, collection)
    }

    /// What makes readers, which take rows ahead for other threads, and what takes their batches meanwhile.
    pub fn halves<'d>(&'d mut self, apart: &'d Apart) -> (Readers<'d>, Taker<'d>) {
        self.desk.halves(apart)
    }

    /// Takes a batch of the collection that began last, whose rows stand behind `rows_before` others of their file. `false`
    /// if nothing was taken: then the rows must be handed on one by one, before any others.
    #[must_use]
    pub fn take(&mut self, batch: &mut RowBatch, rows_before: u64) -> bool {
        bounded(rows_before).is_some_and(|before| self.desk.take(batch, before))
    }

    /// Whether a record of this id is there so far, read or stored. Roles and enrollments are not looked up by id.
    pub fn knows(&self, collection: Collection, id: &str) -> bool {
        self.desk.knows(collection, id)
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

    /// Says that the roles of a person could not be read, because they are told by the person's own row: those that are
    /// stored stay. Without `person`: anybody's. To be called after the row was put aside.
    pub fn leave_roles(&mut self, person: Option<&str>) {
        self.desk.cannot_tell(Collection::Roles, person);
    }

    /// Calls the file that rows name `told` by its name in what is found from now on.
    pub fn call_file(&mut self, told: &'static str, name: &str) {
        self.desk.book.findings.call(told, name);
    }

    /// Takes note of something that costs no row.
    pub fn warn(&mut self, finding: Finding) {
        self.desk.book.findings.push(finding);
    }

    /// Resolves what is still open and hands out the roster.
    pub fn finish(mut self) -> Intake {
        self.desk.close();
        let partial = self.desk.people.mode != Some(Mode::Full) || self.desk.people.untellable;
        let (mut is_conclusive, unbegun) = (self.desk.is_conclusive(), self.desk.unbegun());
        let doubt = std::mem::take(&mut self.desk.doubt);
        let is_sound = self.desk.is_sound_and_unaided();
        let is_outside = self.desk.laid.is_some();
        is_conclusive &= !(is_sound && is_outside && self.desk.enrollments_double());
        let found_before = self.desk.found_before.unwrap_or_default();
        let traced = self.desk.traced.take().filter(|_| is_sound && !is_outside);
        let (mut roster, mut book) = if is_conclusive { self.desk.finish() } else { (Roster::default(), self.desk.book) };
        let found_in_rows = book.findings.total() - found_before;
        if is_sound && !is_outside && has_doubles(roster.enrollments.here(&mut roster.spans), |enrollment| enrollment.id) {
            (is_conclusive, roster) = (false, Roster::default());
        }
        book.counts.partial = partial;
        let trace = traced
            .filter(|_| is_conclusive && found_in_rows == 0)
            .and_then(|Tracing { ground, prints }| Some(Trace { ground: ground?, prints, ..Trace::default() }));
        Intake { roster, findings: book.findings, counts: book.counts, is_conclusive, trace, found_in_rows, unbegun, doubt }
    }
}

#[cfg(test)]
mod tests;
