//! Findings in the words of oneroster-csv §8, and what ends the reading of a package.

use std::io;

use crate::roster::{Finding, Level};
use crate::source::api::SourceError;

/// Why a package is not read to its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It cannot be trusted.
    Rejected(Vec<Finding>),
    /// It could not be read.
    Unreachable {
        /// What.
        what: String,
        /// Why.
        cause: io::Error,
    },
}

impl Stop {
    /// A rejection for one reason.
    pub(crate) fn because(finding: Finding) -> Self {
        Self::Rejected(vec![finding])
    }

    /// The error of the source.
    pub(crate) fn into_error(self, package: &str) -> SourceError {
        match self {
            Stop::Rejected(findings) => SourceError::Rejected { package: package.to_owned(), findings },
            Stop::Unreachable { what, cause } => SourceError::Unreachable { what, cause },
        }
    }
}

/// A finding about the package.
pub(crate) fn of_package(rule: &'static str, file: &str, detail: impl Into<String>) -> Finding {
    of_file_at(Level::Package, rule, file, 0, detail)
}

/// A finding about a file.
pub(crate) fn of_file(rule: &'static str, file: &str, line: u64, detail: impl Into<String>) -> Finding {
    of_file_at(Level::File, rule, file, line, detail)
}

/// A warning about a file.
pub(crate) fn warning(rule: &'static str, file: &str, line: u64, field: &str, detail: impl Into<String>) -> Finding {
    Finding { field: field.to_owned(), ..of_file_at(Level::Warning, rule, file, line, detail) }
}

fn of_file_at(level: Level, rule: &'static str, file: &str, row: u64, detail: impl Into<String>) -> Finding {
    Finding { level, rule, file: file.to_owned(), row, record: String::new(), field: String::new(), detail: detail.into() }
}

/// A value for a person to recognize: at most 40 characters, none that would move a terminal's cursor.
pub(crate) fn shown(value: &str) -> String {
    let mut out: String = value.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if value.chars().nth(40).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::source::csv::fault::shown;

    #[test]
    fn values_are_cut_and_cannot_steer_a_terminal() {
        assert_eq!(shown("1/05/2023"), "1/05/2023");
        assert_eq!(shown(&"ä".repeat(41)), format!("{}…", "ä".repeat(40)));
        assert_eq!(shown("a\u{1b}[2J"), "a\u{fffd}[2J");
    }
}
