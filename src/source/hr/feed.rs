//! Rows to the intake. Orgs are told by people's rows, and must come before people: so a feed is walked twice, first for its
//! orgs, then for its people. Roles come last; they wait in a compact list.
//!
//! ```text
//! let mut feed = HrFeed::new(&mapping, "employees", Mode::Full, today, intake);
//! feed.columns()                       // which cells a row has, in which order
//! for every row: feed.survey(&cells)
//! feed.people()
//! for every row: feed.person(row, &cells), or feed.broken(row, …) where the source could not read it
//! feed.finish()
//! ```

use std::collections::HashMap;
use std::ops::Range;

use crate::base::Day;
use crate::roster::{Collection, Finding, Level, Mode, OrgRow, PersonRow, RoleRow, RosterIntake, RowAt, RowHead, RowStatus};
use crate::source::hr::mapping::{HrColumns, HrMapping};
use crate::source::hr::orgs::{Orgs, parent_and_name};
use crate::source::hr::record::{HrReader, RowFault};
use crate::source::hr::status::Presence;

/// A person has at most so many roles: their places serve as ids, and changes end the places behind the last one.
const ROLES_MAX: usize = 8;
/// Org that the feed names by a path.
const KIND: &str = "department";
/// The org on top.
const KIND_ROOT: &str = "company";

/// A role that waits until all people are in.
struct Waiting {
    id: Range<usize>,
    row: u64,
    org: u32,
    word: u16,
    place: u8,
    is_end: bool,
    first: Day,
    last: Day,
}

/// Hands the rows of an HR feed on.
pub struct HrFeed<'a> {
    mapping: &'a HrMapping,
    columns: HrColumns,
    reader: HrReader<'a>,
    file: &'static str,
    mode: Mode,
    today: Day,
    intake: &'a mut RosterIntake,
    orgs: Orgs,
    /// Keys of people with roles that wait, one behind the other.
    ids: String,
    words: Vec<&'a str>,
    waiting: Vec<Waiting>,
    /// Rows of a complete feed by the hash of their key: the hash of all cells.
    rows: HashMap<u64, u64>,
}

impl<'a> HrFeed<'a> {
    /// A feed into an intake. `file` names it in findings; `today` is the day in the customer's calendar.
    pub fn new(mapping: &'a HrMapping, file: &'static str, mode: Mode, today: Day, intake: &'a mut RosterIntake) -> Self {
        let columns = HrColumns::of(mapping);
        let reader = HrReader::new(mapping, &columns);
        let orgs = Orgs::new(&mapping.orgs.root);
        let (ids, words, waiting, rows) = (String::new(), Vec::new(), Vec::new(), HashMap::new());
        Self { mapping, columns, reader, file, mode, today, intake, orgs, ids, words, waiting, rows }
    }

    /// The columns, in the order in which a row's cells are expected.
    pub fn columns(&self) -> &HrColumns {
        &self.columns
    }

    /// First walk: takes note of a row's org.
    pub fn survey(&mut self, cells: &[impl AsRef<str>]) {
        if let Some(path) = self.reader.org(cells) {
            self.orgs.add(path);
        }
    }

    /// Between the walks: hands the orgs on.
    pub fn people(&mut self) {
        self.orgs.number();
        self.intake.begin(Collection::Orgs, self.mode);
        let root = &self.mapping.orgs;
        for (row, path) in (1..).zip(self.orgs.paths()) {
            let head = RowHead { at: RowAt { file: self.file, row }, id: path, status: RowStatus::Active, modified: None };
            let below = parent_and_name(&root.root, path);
            let (parent, name, kind) = match &below {
                Some((parent, name)) => (Some(*parent), name.as_str(), KIND),
                None => (None, root.root_name.as_str(), KIND_ROOT),
            };
            self.intake.org(&OrgRow { head, name, kind, identifier: "", parent });
        }
        self.intake.begin(Collection::People, self.mode);
    }

    /// Second walk: takes a person. `row` counts from 1, or is the line of a file.
    pub fn person(&mut self, row: u64, cells: &[impl AsRef<str>]) {
        let at = RowAt { file: self.file, row };
        let record = match self.reader.read(cells, self.today) {
            Ok(record) => record,
            Err(fault) => {
                let id = self.reader.id(cells);
                return quarantine(self.intake, at, id, *fault);
            }
        };
        let again = self.is_again(record.id, cells);
        if again == Some(true) {
            return;
        }
        let status = if record.presence == Presence::Left { RowStatus::Ended } else { RowStatus::Active };
        let attributes: Vec<(&str, &str)> = self.reader.kept(cells).collect();
        self.intake.person(&PersonRow {
            head: RowHead { at, id: record.id, status, modified: None },
            enabled: true,
            given: record.given,
            family: record.family,
            email: record.email,
            username: record.username,
            identifier: record.identifier,
            grades: "",
            primary_org: Some(self.reader.path()),
            roles: &[],
            attributes: &attributes,
        });
        // Of two rows of one key the intake tells; whichever is right, the person keeps what is stored.
        if again.is_some() {
            return self.intake.leave_roles(Some(record.id));
        }
        let start = self.ids.len();
        self.ids.push_str(record.id);
        let id = start..self.ids.len();
        let org = self.orgs.find(self.reader.path()).unwrap_or_default();
        let mut places = 0u8;
        if let Presence::Stays { first, last } = record.presence {
            let mut told: [u16; ROLES_MAX] = [u16::MAX; ROLES_MAX];
            for word in self.reader.roles(cells).take(ROLES_MAX) {
                let known = self.words.iter().position(|known| *known == word);
                let known = known.unwrap_or_else(|| {
                    self.words.push(word);
                    self.words.len() - 1
                });
                // A mapping has few words.
                let word = u16::try_from(known).unwrap_or(u16::MAX);
                if told.contains(&word) {
                    continue;
                }
                told[usize::from(places)] = word;
                let (id, place) = (id.clone(), places);
                self.waiting.push(Waiting { id, row, org, word, place, is_end: false, first, last });
                places += 1;
            }
        }
        if self.mode == Mode::Changes {
            for place in places..ROLES_MAX as u8 {
                let (first, last) = (Day::MIN, Day::MAX);
                self.waiting.push(Waiting { id: id.clone(), row, org: 0, word: 0, place, is_end: true, first, last });
            }
        }
    }

    /// Second walk: takes note of a row that could not be read at all.
    pub fn broken(&mut self, row: u64, rule: &'static str, field: &str, detail: &str) {
        let fault = RowFault { rule, field: field.to_owned(), detail: detail.to_owned() };
        quarantine(self.intake, RowAt { file: self.file, row }, None, fault);
    }

    /// Hands on what waited.
    pub fn finish(self) {
        let Self { mode, file, intake, orgs, ids, words, waiting, .. } = self;
        intake.begin(Collection::Roles, mode);
        let paths = orgs.paths();
        let mut id = String::new();
        for role in waiting {
            let person = &ids[role.id];
            id.clear();
            id.push_str(person);
            id.push('\u{0}');
            id.push(char::from(b'0' + role.place));
            let status = if role.is_end { RowStatus::Ended } else { RowStatus::Active };
            let word = if role.is_end { "" } else { words.get(usize::from(role.word)).copied().unwrap_or_default() };
            intake.role(&RoleRow {
                head: RowHead { at: RowAt { file, row: role.row }, id: &id, status, modified: None },
                person,
                role: word,
                org: paths.get(role.org as usize).copied().unwrap_or_default(),
                primary: role.place == 0,
                first: role.first,
                last: role.last,
            });
        }
    }

    /// Whether a complete feed has told this key before, and all of this row.
    fn is_again(&mut self, id: &str, cells: &[impl AsRef<str>]) -> Option<bool> {
        if self.mode == Mode::Changes {
            return None;
        }
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        for cell in cells {
            let cell = cell.as_ref().trim();
            hasher.update(&cell.len().to_le_bytes());
            hasher.update(cell.as_bytes());
        }
        let all = hasher.digest();
        let key = xxhash_rust::xxh3::xxh3_64(id.as_bytes());
        match self.rows.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => Some(*known.get() == all),
            std::collections::hash_map::Entry::Vacant(new) => {
                new.insert(all);
                None
            }
        }
    }
}

#[cold]
fn quarantine(intake: &mut RosterIntake, at: RowAt, id: Option<&str>, fault: RowFault) {
    let RowFault { rule, field, detail } = fault;
    let record = id.unwrap_or_default().to_owned();
    let finding = Finding { level: Level::Row, rule, file: at.file.to_owned(), row: at.row, record, field, detail };
    intake.quarantine(Collection::People, at, id, id, finding);
    intake.leave_roles(id);
}

#[cfg(test)]
mod tests;
