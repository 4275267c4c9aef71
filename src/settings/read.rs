//! Reads tables key by key. Every wrong value becomes a problem and an absent one, so that reading goes on to the end;
//! every key that nobody asked for is a problem, too. What was asked for is the list of known keys: there is no other.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::base::most_similar;
use crate::settings::place::Place;
use crate::settings::problem::Problem;
use crate::settings::secret::Credentials;
use crate::settings::tree::{Node, Table};

/// What one reading found out.
#[derive(Default)]
pub struct Report {
    pub(super) problems: RefCell<Vec<Problem>>,
    /// The keys that were asked for of the tables being read, innermost last.
    pub(super) asked: RefCell<Vec<Asked>>,
    /// Where keys were asked for; in a survey only.
    pub(super) known: RefCell<BTreeSet<String>>,
    pub(super) folder: PathBuf,
    pub(super) credentials: Credentials,
    pub(super) secrets_absent: RefCell<Vec<Problem>>,
    pub(super) advice: RefCell<Vec<Problem>>,
    /// What was found of texts that many tables have.
    pub(super) flaws: RefCell<BTreeMap<String, Option<String>>>,
    pub(super) survey: bool,
}

/// What the keys end with that tell where the secret of a key is: in a file, in a variable.
pub(super) const BESIDE: [&str; 2] = ["_file", "_env"];

/// A key that was asked for, in two parts.
#[derive(Clone, Copy)]
pub(super) struct Asked(&'static str, &'static str);

impl Asked {
    fn is(self, key: &str) -> bool {
        let Asked(start, ending) = self;
        key.len() == start.len() + ending.len() && key.starts_with(start) && (ending.is_empty() || key.ends_with(ending))
    }
}

impl Report {
    /// For reading a file whose relative paths start in `folder`, with these credentials.
    pub fn in_folder(folder: &Path, credentials: Credentials) -> Self {
        Self { folder: folder.to_owned(), credentials, ..Self::default() }
    }

    /// For asking what a reader would ask, with nothing to read.
    pub fn survey() -> Self {
        Self { survey: true, ..Self::default() }
    }

    /// Reads the top table.
    pub fn read<T>(&self, root: &Table<'_>, read: impl FnOnce(&Section<'_>) -> T) -> T {
        self.table(root, Place::default(), read)
    }

    /// Writes a problem down.
    pub fn problem(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Everything that was found.
    pub fn into_findings(self) -> Findings {
        Findings {
            problems: self.problems.into_inner(),
            secrets_absent: self.secrets_absent.into_inner(),
            advice: self.advice.into_inner(),
        }
    }

    /// The credentials, after reading.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// All keys that were asked for, sorted.
    pub fn into_known(self) -> Vec<String> {
        self.known.into_inner().into_iter().collect()
    }

    pub(super) fn table<T>(&self, table: &Table<'_>, place: Place<'_>, read: impl FnOnce(&Section<'_>) -> T) -> T {
        let from = self.asked.borrow().len();
        let section = Section { report: self, table, place, from };
        let value = read(&section);
        let mut all = self.asked.borrow_mut();
        let asked = &all[from..];
        for (key, node) in table.iter().filter(|(key, _)| !asked.iter().any(|asked| asked.is(key))) {
            let wrong = if node.has_env() { "unknown key (set in the environment)" } else { "unknown key" };
            let asked: Vec<String> = asked.iter().map(|Asked(start, ending)| format!("{start}{ending}")).collect();
            let meant = most_similar(key, asked.iter().map(String::as_str));
            self.problem(Problem::new(section.at(key), wrong).suggesting(meant));
        }
        all.truncate(from);
        value
    }
}

/// What a reading found beside the values.
pub struct Findings {
    /// What is wrong: without these, there are no settings.
    pub problems: Vec<Problem>,
    /// Secrets that cannot be had in this process; others may have them.
    pub secrets_absent: Vec<Problem>,
    /// What works and is better done in another way.
    pub advice: Vec<Problem>,
}

/// Why a text is not what its key wants.
pub struct Wrong {
    /// What is wrong, after the value.
    pub what: String,
    /// What was probably meant.
    pub meant: Option<String>,
}

impl Wrong {
    /// Without a suggestion.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), meant: None }
    }
}

/// A table being read.
pub struct Section<'a> {
    pub(super) report: &'a Report,
    pub(super) table: &'a Table<'a>,
    place: Place<'a>,
    /// Of the keys that were asked for, its own begin here.
    from: usize,
}

impl Section<'_> {
    /// The path of one of its keys, for messages; its own with an empty key.
    pub fn at(&self, key: &str) -> String {
        self.place.at(key)
    }

    /// Whether the key is written at all, rightly or not.
    pub fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// Whether the key is written as a list without items.
    pub fn has_empty_list(&self, key: &str) -> bool {
        matches!(self.table.get(key), Some(Node::List(items)) if items.is_empty())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.table.len() == 0 && !self.report.survey
    }

    /// Whether something is wrong with what was read so far.
    pub fn has_problems(&self) -> bool {
        !self.report.problems.borrow().is_empty()
    }

    /// Writes down a problem.
    pub fn report(&self, problem: Problem) {
        self.report.problem(problem);
    }

    /// Writes down what is wrong with a key.
    pub fn wrong(&self, key: &str, what: impl Into<String>) {
        self.refuse::<()>(key, Wrong::new(what));
    }

    /// Refuses keys that mean nothing with what else is written: better told than silently without effect. With a secret goes
    /// whatever tells where it is.
    pub fn means_nothing(&self, keys: &[&str], with: &str) {
        let wrong = |key: &str| self.wrong(key, format!("means nothing with {with}"));
        for key in keys {
            if self.has(key) {
                wrong(key);
            }
            for ending in BESIDE {
                if self.table.get_joined(key, ending).is_some() && self.is_secret(key) {
                    wrong(&format!("{key}{ending}"));
                }
            }
        }
    }

    /// The value, or the default if the key is not written. A wrong value stays absent.
    pub fn or<T>(&self, key: &str, value: Option<T>, default: T) -> Option<T> {
        if self.has(key) { value } else { Some(default) }
    }

    /// The value; a missing key is a problem.
    pub fn required<T>(&self, key: &'static str, value: Option<T>) -> Option<T> {
        if !self.has(key) && !self.report.survey {
            self.report.problem(Problem::new(self.at(key), "is missing"));
        }
        value
    }

    /// `true` or `false`.
    pub fn flag(&self, key: &'static str) -> Option<bool> {
        match self.get(key)? {
            Node::Flag(flag) => Some(*flag),
            Node::Env(text) if text == "true" => Some(true),
            Node::Env(text) if text == "false" => Some(false),
            _ => self.refuse(key, Wrong::new("is not true or false")),
        }
    }

    /// A whole number within limits.
    pub fn number(&self, key: &'static str, limits: RangeInclusive<i64>) -> Option<i64> {
        let number = match self.get(key)? {
            Node::Number(number) => *number,
            Node::Env(text) => match text.trim().parse() {
                Ok(number) => number,
                Err(_) => return self.refuse(key, Wrong::new("is not a whole number")),
            },
            _ => return self.refuse(key, Wrong::new("is not a whole number")),
        };
        if number > *limits.end() {
            return self.refuse(key, Wrong::new(format!("is more than {}", limits.end())));
        }
        if number < *limits.start() {
            return self.refuse(key, Wrong::new(format!("is less than {}", limits.start())));
        }
        Some(number)
    }

    /// A count within limits.
    pub fn count(&self, key: &'static str, limits: RangeInclusive<u32>) -> Option<u32> {
        let limits = i64::from(*limits.start())..=i64::from(*limits.end());
        self.number(key, limits).and_then(|number| u32::try_from(number).ok())
    }

    /// A list of counts within limits.
    pub fn counts(&self, key: &'static str, limits: RangeInclusive<u32>) -> Option<Vec<u32>> {
        let number = |node: &Node| if let Node::Number(number) = node { u32::try_from(*number).ok() } else { None };
        let counts: Option<Vec<u32>> = match self.get(key)? {
            Node::Env(text) => text.split(',').map(|item| item.trim().parse().ok()).collect(),
            Node::List(items) => items.iter().map(number).collect(),
            _ => None,
        };
        match counts.filter(|counts| counts.iter().all(|count| limits.contains(count))) {
            Some(counts) => Some(counts),
            None => {
                let (min, max) = (limits.start(), limits.end());
                self.refuse(key, Wrong::new(format!("is not a list of whole numbers from {min} to {max}")))
            }
        }
    }

    /// A text that is not empty.
    pub fn text(&self, key: &'static str) -> Option<String> {
        self.parsed(key, |text| if text.is_empty() { Err(Wrong::new("is empty")) } else { Ok(text.to_owned()) })
    }

    /// A text as written, whatever it is good for.
    pub fn raw(&self, key: &str) -> Option<String> {
        self.table.get(key)?.text().map(str::to_owned)
    }

    /// A text that means something.
    pub fn parsed<T>(&self, key: &'static str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<T> {
        match self.get(key)?.text() {
            Some(text) => parse(text).map_or_else(|wrong| self.refuse(key, wrong), Some),
            None => self.refuse(key, Wrong::new("is not a text in quotes")),
        }
    }

    /// A list of texts that mean something; absent if one of them does not.
    pub fn parsed_list<T>(&self, key: &'static str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<Vec<T>> {
        let expected = || Wrong::new("is not a list of texts, such as [\"one\", \"two\"]");
        let texts: Vec<&str> = match self.get(key)? {
            Node::Env(text) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
            Node::List(items) => {
                let texts: Option<Vec<&str>> =
                    items.iter().map(|item| if let Node::Text(text) = item { Some(text.as_ref()) } else { None }).collect();
                match texts {
                    Some(texts) => texts,
                    None => return self.refuse(key, expected()),
                }
            }
            _ => return self.refuse(key, expected()),
        };
        let mut values = Some(Vec::with_capacity(texts.len()));
        for text in texts {
            match parse(text) {
                Ok(value) => {
                    if let Some(values) = &mut values {
                        values.push(value);
                    }
                }
                Err(wrong) => {
                    let problem = Problem::new(self.at(key), wrong.what).showing(Some(format!("{text:?}")));
                    self.report.problem(problem.suggesting(wrong.meant));
                    values = None;
                }
            }
        }
        values
    }

    /// A list of texts, none of them empty.
    pub fn texts(&self, key: &'static str) -> Option<Vec<String>> {
        self.parsed_list(key, |text| if text.is_empty() { Err(Wrong::new("is empty")) } else { Ok(text.to_owned()) })
    }

    /// A file or folder: in a file relative to the file's folder, in the environment to the working one.
    pub fn path(&self, key: &'static str) -> Option<PathBuf> {
        let text = self.text(key)?;
        let from_env = matches!(self.table.get(key), Some(Node::Env(_)));
        Some(if from_env { PathBuf::from(text) } else { self.report.folder.join(text) })
    }

    /// A table; absent if it is not written.
    pub fn section<T>(&self, key: &'static str, read: impl FnOnce(&Section<'_>) -> T) -> Option<T> {
        self.below(key, self.place.below(key), read)
    }

    /// A key that may be a flag or a table.
    pub fn flag_or_section<T>(
        &self,
        key: &'static str,
        of_flag: impl FnOnce(bool) -> Option<T>,
        of_table: impl FnOnce(&Section<'_>) -> Option<T>,
    ) -> Option<T> {
        match self.get(key) {
            Some(Node::Flag(flag)) => of_flag(*flag),
            Some(Node::Table(_)) | None => self.section(key, of_table).flatten(),
            Some(_) => self.refuse(key, Wrong::new("is neither true nor a table")),
        }
    }

    /// A table of the same shape as this one.
    pub fn like_this<T>(&self, key: &'static str, read: impl FnOnce(&Section<'_>) -> T) -> Option<T> {
        if self.report.survey {
            self.ask(key, "");
            return None;
        }
        self.below(key, self.place.like_this(key), read)
    }

    /// A list of tables.
    pub fn sections<T>(&self, key: &'static str, read: impl FnMut(&Section<'_>) -> T) -> Vec<T> {
        self.each_below(key, self.place.below(key), read)
    }

    /// A list of tables of the same shape as this one.
    pub fn all_like_this<T>(&self, key: &'static str, read: impl FnMut(&Section<'_>) -> T) -> Vec<T> {
        if self.report.survey {
            self.ask(key, "");
            return Vec::new();
        }
        self.each_below(key, self.place.like_this(key), read)
    }

    fn below<T>(&self, key: &'static str, place: Place<'_>, read: impl FnOnce(&Section<'_>) -> T) -> Option<T> {
        match self.get(key) {
            Some(Node::Table(table)) => Some(self.report.table(table, place, read)),
            Some(_) => self.refuse(key, Wrong::new("is not a table")),
            None if self.report.survey => Some(self.report.table(&Table::default(), place, read)),
            None => None,
        }
    }

    fn each_below<T>(&self, key: &'static str, place: Place<'_>, mut read: impl FnMut(&Section<'_>) -> T) -> Vec<T> {
        let items = match self.get(key) {
            Some(Node::List(items)) => items.as_slice(),
            Some(Node::Table(_)) => {
                self.wrong(key, format!("is one table, not a list of tables (write [[{}]])", place.known()));
                return Vec::new();
            }
            Some(_) => {
                self.wrong(key, "is not a list of tables");
                return Vec::new();
            }
            None if self.report.survey => &[Node::Table(Table::default())],
            None => return Vec::new(),
        };
        let mut values = Vec::with_capacity(items.len());
        for (ix, item) in items.iter().enumerate() {
            let Node::Table(table) = item else {
                self.wrong(key, "is not a list of tables");
                continue;
            };
            values.push(self.report.table(table, place.item(table, ix), &mut read));
        }
        values
    }

    /// Remembers that a key was asked for, which is written in two parts.
    pub(super) fn ask(&self, key: &'static str, ending: &'static str) {
        self.report.asked.borrow_mut().push(Asked(key, ending));
        if self.report.survey && ending.is_empty() {
            self.report.known.borrow_mut().insert(self.place.below(key).known());
        }
    }

    pub(super) fn get(&self, key: &'static str) -> Option<&Node<'_>> {
        self.ask(key, "");
        self.table.get(key)
    }

    /// Whether a key of it was read as a secret, that is with the keys beside it.
    fn is_secret(&self, key: &str) -> bool {
        self.report.asked.borrow()[self.from..].iter().any(|Asked(start, ending)| *start == key && BESIDE.contains(ending))
    }

    /// What a secret is, is not shown, whatever is wrong with it.
    fn refuse<T>(&self, key: &str, wrong: Wrong) -> Option<T> {
        let shown = self.table.get(key).filter(|_| !self.is_secret(key)).and_then(Node::shown);
        self.report.problem(Problem::new(self.at(key), wrong.what).showing(shown).suggesting(wrong.meant));
        None
    }
}
