//! Classes read ahead of the intake, in other threads: what `batch` says of rows holds for them too.

use crate::roster::desk::Desk;
use crate::roster::desk_orgs::unequal_lists;
use crate::roster::intern::{Scribe, text_hash};
use crate::roster::known_ids::KnownIds;
use crate::roster::model::{Class, CourseIx, OrgIx, SessionIx};
use crate::roster::rows::{ClassRow, RowStatus};
use crate::roster::table::{modified_of, stamp_of};

/// Classes with their texts in the batch's arena.
#[derive(Debug, Default)]
pub(crate) struct ClassBatch {
    pub(crate) classes: Vec<BatchClass>,
    /// The sessions of all of them, one after the other.
    pub(crate) sessions: Vec<SessionIx>,
}

/// One class of a batch.
#[derive(Debug)]
pub(crate) struct BatchClass {
    /// The hash of the id.
    pub(crate) hash: u64,
    pub(crate) row: u32,
    pub(crate) stamp: i64,
    /// How many of the sessions are its own.
    pub(crate) sessions: usize,
    /// The record without them.
    pub(crate) class: Class,
}

/// What classes point at.
#[derive(Debug, Default)]
pub(crate) struct KnownPlaces {
    schools: KnownIds,
    sessions: KnownIds,
    courses: KnownIds,
}

impl KnownPlaces {
    /// Those of an intake; `None` where their ids need too much room.
    pub(crate) fn of(desk: &Desk) -> Option<Self> {
        let arena = desk.arena();
        let is_school = |kind: &str| kind == "school" || kind.starts_with("ext:");
        Some(Self {
            schools: KnownIds::of(arena, &desk.orgs, |org| is_school(arena.get(org.kind)))?,
            sessions: KnownIds::of(arena, &desk.sessions, |_| true)?,
            courses: KnownIds::of(arena, &desk.courses, |_| true)?,
        })
    }
}

impl ClassBatch {
    /// Reads a class; `None` if there is anything to tell about it.
    pub(crate) fn read(&mut self, at: u32, row: &ClassRow<'_>, known: &KnownPlaces, scribe: &mut Scribe) -> Option<()> {
        let head = &row.head;
        if unequal_lists(row.subjects, row.subject_codes).is_some() {
            return None;
        }
        let course = match row.course.filter(|id| !id.is_empty()) {
            None => None,
            Some(id) => Some(CourseIx(known.courses.find(id)?)),
        };
        let before = self.sessions.len();
        for id in row.sessions.split(',').map(str::trim).filter(|id| !id.is_empty()) {
            self.sessions.push(SessionIx(known.sessions.find(id)?));
        }
        let class = Class {
            id: scribe.write(head.id).ok()?,
            title: scribe.write(row.title).ok()?,
            kind: scribe.intern(row.kind).ok()?,
            code: scribe.write(row.code).ok()?,
            course,
            school: OrgIx(known.schools.find(row.school)?),
            sessions: Vec::new(),
            grades: scribe.intern(row.grades).ok()?,
            subjects: scribe.intern(row.subjects).ok()?,
            subject_codes: scribe.intern(row.subject_codes).ok()?,
            ended: head.status == RowStatus::Ended,
            modified: modified_of(head),
        };
        let sessions = self.sessions.len() - before;
        self.classes.push(BatchClass { hash: text_hash(head.id), row: at, stamp: stamp_of(head), sessions, class });
        Some(())
    }
}
