//! What an intake writes down about its rows: counts and findings.

use crate::base::ArenaFull;
use crate::roster::finding::{Finding, Findings, IntakeCounts, Level};
use crate::roster::intern::NoWord;
use crate::roster::rows::{Collection, RowAt};

/// Counts and findings of one read.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// What was found.
    pub(crate) findings: Findings,
    /// Rows by collection.
    pub(crate) counts: IntakeCounts,
    files: Vec<&'static str>,
}

/// A place in 8 bytes: files by number, rows up to 4 billion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: u16,
    pub(crate) row: u32,
}

/// What is wrong with one row.
#[derive(Debug)]
pub(crate) struct Flaw {
    /// How far it reaches.
    pub(crate) level: Level,
    /// The rule broken.
    pub(crate) rule: &'static str,
    /// The field.
    pub(crate) field: &'static str,
    /// Ids and expected words; never a name.
    pub(crate) detail: String,
}

impl Flaw {
    /// A flaw of what a row points at.
    pub(crate) fn graph(rule: &'static str, field: &'static str, detail: String) -> Self {
        Self { level: Level::Graph, rule, field, detail }
    }

    /// A record pointed at is not in the roster.
    pub(crate) fn missing(field: &'static str, what: &str, id: &str) -> Self {
        Self::graph("missing_reference", field, format!("{what} {id} is not in the roster"))
    }

    /// The same id a second time.
    pub(crate) fn double(first: RowAt) -> Self {
        Self {
            level: Level::Row,
            rule: "duplicate_sourced_id",
            field: "",
            detail: format!("the same id stands in {}:{}", first.file, first.row),
        }
    }
}

impl From<ArenaFull> for Flaw {
    fn from(_: ArenaFull) -> Self {
        Self { level: Level::Row, rule: "too_much_text", field: "", detail: "the roster holds more than 4 GiB of text".into() }
    }
}

impl From<NoWord> for Flaw {
    fn from(why: NoWord) -> Self {
        match why {
            NoWord::TooMany => Self {
                level: Level::Row,
                rule: "too_many_words",
                field: "",
                detail: "there are more than 65536 different role words or attribute names".into(),
            },
            NoWord::Full => ArenaFull.into(),
        }
    }
}

impl Book {
    /// Counts a row.
    pub(crate) fn row(&mut self, collection: Collection) {
        self.counts.of_mut(collection).rows += 1;
    }

    /// Counts a quarantined row and notes why.
    pub(crate) fn reject(&mut self, collection: Collection, at: RowAt, record: &str, flaw: Flaw) {
        self.counts.of_mut(collection).quarantined += 1;
        self.note(at, record, flaw);
    }

    /// Notes something without counting a row as bad.
    pub(crate) fn note(&mut self, at: RowAt, record: &str, flaw: Flaw) {
        let Flaw { level, rule, field, detail } = flaw;
        self.findings.push(Finding {
            level,
            rule,
            file: at.file.to_owned(),
            row: at.row,
            record: record.to_owned(),
            field: field.to_owned(),
            detail,
        });
    }

    /// Notes a warning: costs no row.
    pub(crate) fn warn(&mut self, at: RowAt, record: &str, flaw: Flaw) {
        self.note(at, record, Flaw { level: Level::Warning, ..flaw });
    }

    /// Packs a place. Sources name a handful of files.
    pub(crate) fn place(&mut self, at: RowAt) -> Place {
        let known = self.files.iter().position(|&file| std::ptr::eq(file, at.file) || file == at.file);
        let file = known.unwrap_or_else(|| {
            self.files.push(at.file);
            self.files.len() - 1
        });
        Place { file: u16::try_from(file).unwrap_or(u16::MAX), row: u32::try_from(at.row).unwrap_or(u32::MAX) }
    }

    /// Unpacks a place.
    pub(crate) fn at(&self, place: Place) -> RowAt {
        RowAt { file: self.files.get(usize::from(place.file)).copied().unwrap_or(""), row: u64::from(place.row) }
    }
}
