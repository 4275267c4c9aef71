//! What an unaided read must still ask of the stored roster: bad rows of roles and enrollments, which are the most common
//! ones, matter only if their record or their person is stored (R104).

use crate::roster::model::{RecordHash, Roster};

/// Bad rows of one unaided read.
#[derive(Clone, Debug, Default)]
pub struct Doubt {
    /// How many bad rows are told here.
    pub(crate) rows: u64,
    /// Their ids.
    pub(crate) ids: Vec<RecordHash>,
    /// The people they name who have no row themselves.
    pub(crate) people: Vec<String>,
}

impl Doubt {
    /// Notes a bad row; `person` is somebody without a row.
    pub(crate) fn note(&mut self, id: &str, person: Option<&str>) {
        self.rows += 1;
        self.ids.push(RecordHash::of(id));
        self.people.extend(person.map(str::to_owned));
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.rows == 0
    }

    /// Whether the stored roster has a record or a person of which a row was bad: then it is needed after all.
    pub fn touches(&self, stored: &Roster) -> bool {
        if self.people.iter().any(|person| stored.find_person(person).is_some()) {
            return true;
        }
        let mut ids = self.ids.clone();
        ids.sort_unstable();
        let is_bad = |id: RecordHash| !id.is_zero() && ids.binary_search(&id).is_ok();
        !ids.is_empty() && (stored.roles.iter().any(|role| is_bad(role.id)) || stored.enrollments.count(|e| is_bad(e.id)) > 0)
    }
}
