//! One row of an HR feed, read by a mapping: a function of its cells and of today.

use crate::base::Day;
use crate::source::hr::mapping::{HrColumns, HrMapping, KEPT};
use crate::source::hr::orgs::write_path;
use crate::source::hr::status::{Presence, presence};

/// The longest key, in bytes.
const ID_BYTES_MAX: usize = 255;
/// The longest unknown word that is told, in characters.
const WORD_CHARS_MAX: usize = 40;

/// What is wrong with a row. Boxed where it is handed on: most rows are good.
#[derive(Debug, PartialEq, Eq)]
pub struct RowFault {
    /// The rule broken, a stable code.
    pub rule: &'static str,
    /// The column.
    pub field: String,
    /// What was expected; of what was found at most a word of a vocabulary.
    pub detail: String,
}

/// A person as an HR feed tells one. Org and roles lie in the reader's buffers until the next row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HrRecord<'c> {
    /// The key.
    pub id: &'c str,
    /// The given name.
    pub given: &'c str,
    /// The family name.
    pub family: &'c str,
    /// The e-mail.
    pub email: &'c str,
    /// The log-in name.
    pub username: &'c str,
    /// The second identifier.
    pub identifier: &'c str,
    /// Whether and how long the person is there.
    pub presence: Presence,
}

/// Places of the cells, looked up once.
#[derive(Debug)]
struct Places {
    id: usize,
    given: Option<usize>,
    family: Option<usize>,
    full_name: Option<usize>,
    email: Option<usize>,
    username: Option<usize>,
    identifier: usize,
    status: Option<usize>,
    start: Option<usize>,
    end: Option<usize>,
    levels: Vec<usize>,
    roles: Vec<usize>,
    keep: Vec<usize>,
}

/// Reads rows.
#[derive(Debug)]
pub struct HrReader<'m> {
    mapping: &'m HrMapping,
    places: Places,
    /// The path of the last row's org.
    path: String,
}

impl<'m> HrReader<'m> {
    /// Reads rows whose cells come in the order of these columns of the mapping.
    pub fn new(mapping: &'m HrMapping, columns: &HrColumns) -> Self {
        // Every name is there: the columns are made of the mapping.
        let place = |name: &str| columns.slot(name).unwrap_or_default();
        let perhaps = |name: &Option<String>| name.as_deref().map(place);
        let id = place(&mapping.person_id);
        let places = Places {
            id,
            given: perhaps(&mapping.given),
            family: perhaps(&mapping.family),
            full_name: perhaps(&mapping.full_name),
            email: perhaps(&mapping.email),
            username: perhaps(&mapping.username),
            identifier: perhaps(&mapping.identifier).unwrap_or(id),
            status: mapping.status.as_ref().map(|status| place(&status.column)),
            start: perhaps(&mapping.start),
            end: perhaps(&mapping.end),
            levels: mapping.orgs.levels.iter().map(|name| place(name)).collect(),
            roles: mapping.roles.columns.iter().map(|name| place(name)).collect(),
            keep: mapping.keep.iter().map(|name| place(name.strip_prefix(KEPT).unwrap_or(name))).collect(),
        };
        Self { mapping, places, path: String::new() }
    }

    /// The key in a row, if it can be read.
    pub fn id<'c>(&self, cells: &'c [impl AsRef<str>]) -> Option<&'c str> {
        let id = cell(cells, self.places.id);
        id_fault(id).is_none().then_some(id)
    }

    /// Reads a row.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read<'c>(&mut self, cells: &'c [impl AsRef<str>], today: Day) -> Result<HrRecord<'c>, Box<RowFault>> {
        let (mapping, places) = (self.mapping, &self.places);
        let at = |place: Option<usize>| place.map_or("", |place| cell(cells, place));
        let id = cell(cells, places.id);
        if let Some((rule, detail)) = id_fault(id) {
            return Err(fault(rule, &mapping.person_id, detail));
        }
        let is_active = match &mapping.status {
            None => true,
            Some(status) => {
                let word = at(places.status);
                status.is_active(word).ok_or_else(|| unknown_status(&status.column, word))?
            }
        };
        let date = |name: &Option<String>, place: Option<usize>| {
            let found = mapping.dates.read(at(place));
            found.map_err(|_| {
                fault("bad_date", name.as_deref().unwrap_or_default(), "expected YYYY-MM-DD or the configured form")
            })
        };
        let first = date(&mapping.start, places.start)?;
        let end = date(&mapping.end, places.end)?;
        let last = if mapping.end_exclusive { end.map(|end| end.plus(-1)) } else { end };
        let presence = presence(is_active, first, last, today).map_err(|_| {
            let detail = "the end lies before the start, and the person is said to be there";
            fault("end_before_start", mapping.end.as_deref().unwrap_or_default(), detail)
        })?;
        let levels = places.levels.iter().map(|&place| cell(cells, place));
        write_path(&mapping.orgs, levels, &mut self.path)
            .map_err(|_| fault("bad_org", mapping.orgs.levels.first().map_or("", |name| name), "too many levels for a path"))?;
        let (of_both, by_comma) = split_name(at(places.full_name));
        let given = places.given.map_or(if by_comma { of_both.1 } else { of_both.0 }, |place| cell(cells, place));
        let family = places.family.map_or(if by_comma { of_both.0 } else { of_both.1 }, |place| cell(cells, place));
        Ok(HrRecord {
            id,
            given,
            family,
            email: at(places.email),
            username: at(places.username),
            identifier: cell(cells, places.identifier),
            presence,
        })
    }

    /// The path of a row's org, without reading anything else of it; `None` if it is none.
    pub fn org(&mut self, cells: &[impl AsRef<str>]) -> Option<&str> {
        let levels = self.places.levels.iter().map(|&place| cell(cells, place));
        write_path(&self.mapping.orgs, levels, &mut self.path).ok()?;
        Some(&self.path)
    }

    /// The path of the org of the row that was read last.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The roles in a row, the standard one first; one may come twice.
    pub fn roles<'c>(&'c self, cells: &'c [impl AsRef<str>]) -> impl Iterator<Item = &'m str> + 'c {
        let mapping = self.mapping;
        let words = self.places.roles.iter().flat_map(|&place| cell(cells, place).split(';').map(str::trim));
        std::iter::once(mapping.roles.standard.as_str()).chain(words.filter_map(|word| mapping.roles.role(word)))
    }

    /// The kept cells of a row that are not empty, by the attribute's name.
    pub fn kept<'c>(&'c self, cells: &'c [impl AsRef<str>]) -> impl Iterator<Item = (&'m str, &'c str)> + 'c {
        let pairs = self.mapping.keep.iter().zip(&self.places.keep);
        pairs.map(|(name, &place)| (name.as_str(), cell(cells, place))).filter(|(_, value)| !value.is_empty())
    }
}

fn cell(cells: &[impl AsRef<str>], place: usize) -> &str {
    cells.get(place).map_or("", |cell| cell.as_ref().trim())
}

fn fault(rule: &'static str, field: &str, detail: impl Into<String>) -> Box<RowFault> {
    Box::new(RowFault { rule, field: field.to_owned(), detail: detail.into() })
}

fn unknown_status(column: &str, word: &str) -> Box<RowFault> {
    if word.is_empty() {
        return fault("unknown_status", column, "it is empty, and nothing says what that means");
    }
    // A column that was mistaken for the status may hold anything: only what looks like a word is told.
    let is_word = word.chars().count() <= WORD_CHARS_MAX && word.chars().all(|c| c.is_alphabetic() || " -_/".contains(c));
    let told = if is_word { format!("`{word}`") } else { "something that is no word".to_owned() };
    fault("unknown_status", column, format!("{told} is neither among the active nor among the inactive words"))
}

fn id_fault(id: &str) -> Option<(&'static str, &'static str)> {
    if id.is_empty() {
        Some(("required_blank", "a key is required"))
    } else if id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
        Some(("bad_id", "a key has at most 255 bytes, and no control characters"))
    } else if is_damaged(id) {
        Some(("spreadsheet_damage", "a spreadsheet has turned the key into something else, such as 1.2E+05 or ###"))
    } else {
        None
    }
}

/// What spreadsheets make of long numbers: `1,23457E+05`, `####`.
fn is_damaged(id: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || b".,".contains(&byte));
    let scientific = id.split_once("E+").is_some_and(|(a, b)| is_number(a) && is_number(b));
    scientific || id.bytes().all(|byte| byte == b'#')
}

/// The two parts of a full name, and whether a comma parts them: then the family name comes first.
fn split_name(name: &str) -> ((&str, &str), bool) {
    match name.split_once(',') {
        Some((family, given)) => ((family.trim(), given.trim()), true),
        None => match name.rsplit_once(char::is_whitespace) {
            Some((given, family)) => ((given.trim(), family), false),
            None => (("", name), false),
        },
    }
}

#[cfg(test)]
mod tests;
