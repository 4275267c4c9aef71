//! Floor 1: who is where. Rows come in one by one; a compact roster and findings come out.

mod delta;
mod finding;
mod intake;
mod model;
mod rows;

pub use delta::{RosterDelta, diff};
pub use finding::{Finding, Findings, IntakeCounts, Level, RowCounts};
pub use intake::{Intake, IntakePolicy, RosterIntake};
pub use model::{
    Attribute, Class, ClassIx, Course, CourseIx, Enrollment, Modified, Org, OrgIx, Person, PersonIx, RecordHash, Role,
    RoleWord, Roster, Session, SessionIx,
};
pub use rows::{
    ClassRow, Collection, CourseRow, EnrollmentRow, InlineRole, Mode, OrgRow, PersonRow, RoleRow, RowAt, RowHead, RowStatus,
    SessionRow,
};
