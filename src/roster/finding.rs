//! What a read found wrong, in words an operator can act on.

use std::fmt;

use crate::roster::rows::Collection;

/// How far a finding reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The whole package is rejected; nothing changes.
    Package,
    /// One file cannot be read; the package is rejected.
    File,
    /// One row is quarantined; its person keeps everything (R104).
    Row,
    /// One row is quarantined because of what it points at.
    Graph,
    /// Told, and nothing else.
    Warning,
}

impl Level {
    /// The level's word.
    pub fn word(self) -> &'static str {
        match self {
            Level::Package => "package",
            Level::File => "file",
            Level::Row => "row",
            Level::Graph => "graph",
            Level::Warning => "warning",
        }
    }
}

/// One thing found. Never holds a secret, a birth date or a name: `detail` tells ids and expected forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How far it reaches.
    pub level: Level,
    /// The rule broken, a stable code such as `bad_date` (oneroster-csv §8).
    pub rule: &'static str,
    /// File or endpoint; empty where it concerns the package.
    pub file: String,
    /// Line or record number, from 1; 0 where it concerns the file.
    pub row: u64,
    /// The record's id, where it could be read.
    pub record: String,
    /// The field; empty where it concerns the row.
    pub field: String,
    /// What was found and what was expected.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            f.write_str(&self.file)?;
            if self.row > 0 {
                write!(f, ":{}", self.row)?;
            }
            f.write_str(" ")?;
        }
        f.write_str(self.rule)?;
        if !self.field.is_empty() {
            write!(f, " {}", self.field)?;
        }
        if !self.record.is_empty() {
            write!(f, " [{}]", self.record)?;
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// Findings of one read, bounded: all are counted, the first ones are kept.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The first findings, at most [`Findings::KEPT_MAX`], in the order found; behind them whatever costs a whole file or
    /// package, of which there are few.
    pub kept: Vec<Finding>,
    /// How many there were of each rule, sorted by rule.
    pub counts: std::collections::BTreeMap<&'static str, u64>,
    /// What rows call their file, and what it is called.
    file: Option<(&'static str, String)>,
}

impl Findings {
    /// How many findings are kept word by word.
    pub const KEPT_MAX: usize = 10_000;

    /// From now on what rows call `told` is called `name`: rows name files by fixed words.
    pub fn call(&mut self, told: &'static str, name: &str) {
        self.file = Some((told, name.to_owned()));
    }

    /// Adds one.
    pub fn push(&mut self, mut finding: Finding) {
        if let Some((_, name)) = self.file.as_ref().filter(|(told, _)| *told == finding.file) {
            finding.file.clone_from(name);
        }
        *self.counts.entry(finding.rule).or_default() += 1;
        if self.kept.len() < Self::KEPT_MAX || finding.level <= Level::File {
            self.kept.push(finding);
        }
    }

    /// How many were found in all.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// Rows of one collection in one read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows seen.
    pub rows: u64,
    /// Rows quarantined.
    pub quarantined: u64,
    /// Quarantined rows whose id could not be read: nobody of this collection may be concluded absent.
    pub unidentified: u64,
    /// Rows older than what is stored, ignored.
    pub outdated: u64,
}

/// Row counts by collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntakeCounts {
    rows: [RowCounts; 7],
    /// The read does not tell of all people: they were not read, were read as changes, or a row could not be told from
    /// others. Whoever was missing before was then not seen missing again (R131).
    pub partial: bool,
}

impl IntakeCounts {
    /// The counts of one collection.
    pub fn of(&self, collection: Collection) -> RowCounts {
        self.rows[collection as usize]
    }

    /// The counts of one collection, to be added to.
    pub fn of_mut(&mut self, collection: Collection) -> &mut RowCounts {
        &mut self.rows[collection as usize]
    }

    /// The collections of which more than `percent_max` percent of the rows are bad (R105).
    pub fn too_bad(&self, percent_max: u32) -> Vec<Collection> {
        Collection::ALL
            .into_iter()
            .filter(|&c| self.of(c).quarantined * 100 > self.of(c).rows * u64::from(percent_max))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::roster::desk_outside::rows_lost;
    use crate::roster::finding::{Finding, Findings, Level};

    #[test]
    fn what_costs_the_package_is_kept_behind_however_many_others() {
        let mut findings = Findings::default();
        let warning = Finding { level: Level::Warning, ..rows_lost() };
        (0..Findings::KEPT_MAX + 5).for_each(|_| findings.push(warning.clone()));
        findings.push(rows_lost());
        assert_eq!(
            (findings.kept.len(), findings.kept.last().map(|last| last.level)),
            (Findings::KEPT_MAX + 1, Some(Level::Package))
        );
    }
}
