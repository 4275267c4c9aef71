//! What is wrong with settings: all of it at once, each with its key, its value and the way out.

use std::fmt;
use std::path::PathBuf;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The key, from the top: `customer.north.guard.removal_percent`.
    pub at: String,
    /// The value as written, where there is one worth showing.
    pub shown: Option<String>,
    /// What is wrong with it.
    pub wrong: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl Problem {
    /// A problem without a value or a suggestion.
    pub fn new(at: impl Into<String>, wrong: impl Into<String>) -> Self {
        Self { at: at.into(), shown: None, wrong: wrong.into(), suggestion: None }
    }

    /// The same with the value that is wrong.
    #[must_use]
    pub fn showing(mut self, value: Option<String>) -> Self {
        self.shown = value;
        self
    }

    /// The same with what was probably meant.
    #[must_use]
    pub fn suggesting(mut self, meant: Option<String>) -> Self {
        self.suggestion = meant;
        self
    }

    fn left(&self) -> String {
        match &self.shown {
            Some(value) => format!("{} = {value}", self.at),
            None => self.at.clone(),
        }
    }
}

/// At least one mistake, sorted by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts problems; `None` if there are none.
    pub fn of(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort();
        problems.dedup();
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// The problems, sorted by key.
    pub fn list(&self) -> &[Problem] {
        &self.0
    }
}

/// Keys with values longer than this do not push the explanations of the others to the right.
const LEFT_CHARS_MAX: usize = 64;

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lefts: Vec<String> = self.0.iter().map(Problem::left).collect();
        let width = lefts.iter().map(|left| left.chars().count()).filter(|width| *width <= LEFT_CHARS_MAX).max().unwrap_or(0);
        write!(f, "{} problem{}", self.0.len(), if self.0.len() == 1 { "" } else { "s" })?;
        for (problem, left) in self.0.iter().zip(&lefts) {
            write!(f, "\n  {left:<width$}    {}", problem.wrong)?;
            if let Some(meant) = &problem.suggestion {
                write!(f, "; did you mean `{meant}`?")?;
            }
        }
        Ok(())
    }
}

/// Why there are no settings to work with.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("read the settings file {}", .file.display())]
    Read {
        /// Which file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The file is not TOML.
    #[error("understand {file} as TOML: {why}")]
    Syntax {
        /// Which file.
        file: String,
        /// The parser's words, with line and column.
        why: String,
    },
    /// The settings were read and are wrong.
    #[error("use the settings: {problems}")]
    Wrong {
        /// All that is wrong.
        problems: Problems,
    },
    /// Nothing is wrong, yet something is absent: the compiled-in defaults lack a key.
    #[error("complete the settings: a key has no default")]
    Incomplete,
}

#[cfg(test)]
mod tests {
    use crate::settings::problem::{Problem, Problems};

    #[test]
    fn problems_line_up() {
        let problems = Problems::of(vec![
            Problem::new("source.north.tokn", "unknown key").suggesting(Some("token_file".into())),
            Problem::new("guard.removal_percent", "is more than 100").showing(Some("140".into())),
        ]);
        assert_eq!(
            problems.expect("two").to_string(),
            "2 problems\n  guard.removal_percent = 140    is more than 100\n  \
             source.north.tokn              unknown key; did you mean `token_file`?"
        );
        assert_eq!(Problems::of(Vec::new()), None);
    }
}
