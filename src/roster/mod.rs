//! Floor 1: who is where. Rows come in one by one; a compact roster and findings come out.

mod apply;
mod asked;
mod attribute;
mod batch;
mod blank;
mod book;
mod canon;
mod class_batch;
mod compare;
mod compare_classes;
mod compare_people;
mod delta;
mod desk;
mod desk_batch;
mod desk_finish;
mod desk_links;
mod desk_orgs;
mod desk_outside;
mod desk_people;
mod doubt;
mod enrollments;
mod finding;
mod forget;
mod groups;
mod identity;
mod intake;
mod intern;
mod known_ids;
mod lean;
mod link;
mod links;
mod merge;
mod model;
mod name;
mod news;
mod pack;
mod packed;
mod parents;
mod patch;
mod renew;
mod renewed;
mod room;
mod rows;
mod scope;
mod slots;
mod spans;
mod splice;
mod table;
#[cfg(test)]
mod testing;
mod thin;
mod trace;
mod tree;
mod unpack;
mod unpack_one;
mod unread;
mod wire;

pub use apply::{apply, apply_one};
pub use attribute::take_attribute;
pub use batch::{Readers, RowBatch, RowReader};
pub use compare::{Compared, Comparing};
pub use delta::{OrgDelta, RosterDelta, diff, key_conflicts};
pub use desk::IntakePolicy;
pub use desk_batch::{Apart, Taker};
pub use doubt::Doubt;
pub use enrollments::{Enrollments, Watch};
pub use finding::{Finding, Findings, IntakeCounts, Level, RowCounts};
pub use forget::without_people;
pub use identity::conflicts;
pub use intake::{Intake, RosterIntake};
pub use lean::lean;
pub use link::{LinkConflict, Linked, MatchBy, is_linked, link, unlink};
pub use merge::{hold_conflicts, merge};
pub use model::{
    Attribute, Class, ClassIx, Course, CourseIx, Enrollment, Modified, Org, OrgIx, PackedEnrollment, Person, PersonIx,
    RecordHash, Role, RoleWord, Roster, Session, SessionIx, Span, SpanIx,
};
pub use name::{Name, digest_of};
pub use news::{ClassHash, News};
pub use pack::pack;
pub use patch::{Origins, patch};
pub use renew::Renewal;
pub use renewed::Renewed;
pub(crate) use room::{Laid, distinct};
pub use room::{Room, Stretch};
pub use rows::{
    ClassRow, Collection, CourseRow, EnrollmentRow, InlineRole, Mode, OrgRow, PersonRow, RoleRow, RowAt, RowHead, RowStatus,
    SessionRow,
};
pub use scope::{Scope, take_people};
pub use thin::thin;
pub use trace::{Grouping, Line, Prints, TRACED, Trace};
pub use tree::OrgTree;
pub use unpack::{unpack, unpack_keys};
pub use unpack_one::{One, unpack_one};
pub use unread::Bare;
pub use wire::PackError;
pub(crate) use wire::{Reader, Writer};
