//! Which columns of an HR feed mean what; filled by the settings folder.

use crate::base::Calendar;
use crate::source::hr::dates::DateForms;
use crate::source::hr::status::{StatusMapping, same_word};

/// Which columns mean what. Names are those of the feed; an adapter says which names its records have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HrMapping {
    /// The key (R4); never the e-mail.
    pub person_id: String,
    /// The given name.
    pub given: Option<String>,
    /// The family name.
    pub family: Option<String>,
    /// Both in one cell: `Last, First`, else the last word is the family name. Used where the columns above are not set.
    pub full_name: Option<String>,
    /// The e-mail.
    pub email: Option<String>,
    /// The log-in name.
    pub username: Option<String>,
    /// A second identifier, by which other sources know the person; the key where it is not set.
    pub identifier: Option<String>,
    /// The status; without it whoever is listed is there.
    pub status: Option<StatusMapping>,
    /// The first day.
    pub start: Option<String>,
    /// The last day worked.
    pub end: Option<String>,
    /// The end is the first day not worked.
    pub end_exclusive: bool,
    /// How dates are written.
    pub dates: DateForms,
    /// Where people belong.
    pub orgs: OrgMapping,
    /// What they are.
    pub roles: RoleMapping,
    /// Columns handed on as attributes, by their full names: `metadata.` and the column.
    pub keep: Vec<String>,
    /// Which day it is: dates of a feed are local.
    pub calendar: Calendar,
}

/// The tree of orgs, from one column or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgMapping {
    /// Id of the org on top; all ids below it begin with it.
    pub root: String,
    /// Its name.
    pub root_name: String,
    /// Columns, from the top level down; empty cells are stepped over. None: everybody belongs to the org on top.
    pub levels: Vec<String>,
    /// What separates levels within a cell.
    pub separator: Option<String>,
}

/// Roles, from words in columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleMapping {
    /// Everybody's.
    pub standard: String,
    /// Columns with more, several in a cell separated by `;`.
    pub columns: Vec<String>,
    /// Words of these columns, in any case, and the role each means; other words mean none.
    pub words: Vec<(String, String)>,
}

impl RoleMapping {
    /// The role a word means.
    pub(crate) fn role(&self, cell: &str) -> Option<&str> {
        self.words.iter().find(|(word, _)| same_word(word, cell)).map(|(_, role)| role.as_str())
    }
}

/// What begins the names of kept columns as attributes.
pub(crate) const KEPT: &str = "metadata.";

/// The columns of a mapping, numbered: the cells of a row come in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HrColumns {
    names: Vec<String>,
}

impl HrColumns {
    /// The columns that a mapping needs, each once.
    pub fn of(mapping: &HrMapping) -> Self {
        let HrMapping {
            person_id,
            given,
            family,
            full_name,
            email,
            username,
            identifier,
            status,
            start,
            end,
            end_exclusive: _,
            dates: _,
            orgs,
            roles,
            keep,
            calendar: _,
        } = mapping;
        let single = [given, family, full_name, email, username, identifier, start, end];
        let all = std::iter::once(person_id)
            .chain(single.into_iter().flatten())
            .chain(status.iter().map(|status| &status.column))
            .chain(&orgs.levels)
            .chain(&roles.columns)
            .map(String::as_str)
            .chain(keep.iter().map(|name| name.strip_prefix(KEPT).unwrap_or(name)));
        let mut columns = Self { names: Vec::new() };
        for name in all {
            if columns.slot(name).is_none() {
                columns.names.push(name.to_owned());
            }
        }
        columns
    }

    #[cfg(test)]
    pub(crate) fn named(names: &[&str]) -> Self {
        Self { names: names.iter().map(|&name| name.to_owned()).collect() }
    }

    /// Their names, in the order of a row's cells.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of a column's cell, by the name in the feed: case and spaces around it do not matter.
    pub fn slot(&self, name: &str) -> Option<usize> {
        let name = name.trim();
        self.names
            .iter()
            .position(|known| known == name)
            .or_else(|| self.names.iter().position(|known| same_word(known.trim(), name)))
    }

    /// Whether a column is the value at this path, or one below it.
    pub(crate) fn has_within(&self, path: &str) -> bool {
        let is_within = |name: &String| {
            let (start, rest) = name.split_at_checked(path.len()).unwrap_or((name, "-"));
            start.eq_ignore_ascii_case(path) && (rest.is_empty() || rest.starts_with('.'))
        };
        self.names.iter().any(is_within)
    }
}
