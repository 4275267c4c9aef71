//! Reads tables key by key. Every wrong value becomes a problem and an absent one, so that reading goes on to the end;
//! every key that nobody asked for is a problem, too. What was asked for is the list of known keys: there is no other.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::base::{Secret, most_similar};
use crate::settings::problem::Problem;
use crate::settings::secret::{self, Credentials};
use crate::settings::tree::Node;

/// What one reading found out.
#[derive(Default)]
pub struct Report {
    pub(super) problems: RefCell<Vec<Problem>>,
    pub(super) asked: RefCell<BTreeSet<String>>,
    pub(super) folder: PathBuf,
    pub(super) credentials: Credentials,
    pub(super) secrets_absent: RefCell<Vec<Problem>>,
    pub(super) advice: RefCell<Vec<Problem>>,
    /// What was found of texts that many tables have.
    pub(super) flaws: RefCell<BTreeMap<String, Option<String>>>,
    pub(super) survey: bool,
}

/// The keys that tell where the secret of a key is.
pub fn beside(key: &str) -> [String; 2] {
    [format!("{key}_file"), format!("{key}_env")]
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
    pub fn read<T>(&self, root: &BTreeMap<String, Node>, read: impl FnOnce(&Section<'_>) -> T) -> T {
        self.table(root, String::new(), String::new(), read)
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
    pub fn into_asked(self) -> Vec<String> {
        self.asked.into_inner().into_iter().collect()
    }

    pub(super) fn table<T>(
        &self,
        table: &BTreeMap<String, Node>,
        at: String,
        key: String,
        read: impl FnOnce(&Section<'_>) -> T,
    ) -> T {
        let section = Section { report: self, table, at, key, asked: RefCell::default(), secrets: RefCell::default() };
        let value = read(&section);
        let asked = section.asked.borrow();
        for (key, node) in table {
            if !asked.iter().any(|asked| asked == key) {
                let wrong = if node.has_env() { "unknown key (set in the environment)" } else { "unknown key" };
                let meant = most_similar(key, asked.iter().map(Cow::as_ref));
                self.problem(Problem::new(section.at(key), wrong).suggesting(meant));
            }
        }
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
    table: &'a BTreeMap<String, Node>,
    /// Where it is, for messages: tables of a list go by their ids.
    at: String,
    /// Where it is, for the list of known keys: tables of a list have no names.
    key: String,
    asked: RefCell<Vec<Cow<'static, str>>>,
    /// The keys of it that were read as secrets.
    secrets: RefCell<Vec<&'static str>>,
}

impl Section<'_> {
    /// The path of one of its keys, for messages; its own with an empty key.
    pub fn at(&self, key: &str) -> String {
        join(&self.at, key)
    }

    /// Whether the key is written at all, rightly or not.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether the key is written as a list without items.
    pub fn has_empty_list(&self, key: &str) -> bool {
        matches!(self.table.get(key), Some(Node::List(items)) if items.is_empty())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty() && !self.report.survey
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
        let ways = |key: &str| if self.secrets.borrow().contains(&key) { beside(key).to_vec() } else { Vec::new() };
        let all = keys.iter().flat_map(|key| std::iter::once((*key).to_owned()).chain(ways(key)));
        all.filter(|key| self.has(key)).for_each(|key| self.wrong(&key, format!("means nothing with {with}")));
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
        match self.table.get(key)? {
            Node::Text(text) | Node::Env(text) => Some(text.clone()),
            Node::Number(_) | Node::Flag(_) | Node::Fraction(_) | Node::List(_) | Node::Table(_) => None,
        }
    }

    /// A text that means something.
    pub fn parsed<T>(&self, key: &'static str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<T> {
        match self.get(key)? {
            Node::Text(text) | Node::Env(text) => parse(text).map_or_else(|wrong| self.refuse(key, wrong), Some),
            _ => self.refuse(key, Wrong::new("is not a text in quotes")),
        }
    }

    /// A list of texts that mean something; absent if one of them does not.
    pub fn parsed_list<T>(&self, key: &'static str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<Vec<T>> {
        let expected = || Wrong::new("is not a list of texts, such as [\"one\", \"two\"]");
        let texts: Vec<&str> = match self.get(key)? {
            Node::Env(text) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
            Node::List(items) => {
                let texts: Option<Vec<&str>> =
                    items.iter().map(|item| if let Node::Text(text) = item { Some(text.as_str()) } else { None }).collect();
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

    /// A secret text: the credential named by the key's path, else the content of the file that `KEY_file` names, else the
    /// variable of the environment that `KEY_env` names, else the key. `None` if none of them is given. What is given and
    /// cannot be had is [`Secret::absent`] and no problem: only the one who needs it has to fail.
    pub fn secret(&self, key: &'static str) -> Option<Secret> {
        self.secrets.borrow_mut().push(key);
        let [file_key, env_key] = beside(key);
        let inline = self.get(key);
        let (file, env) = (self.table.get(&file_key), self.table.get(&env_key));
        self.asked.borrow_mut().extend([Cow::Owned(file_key.clone()), Cow::Owned(env_key.clone())]);
        let ways = [(key, inline), (&file_key, file), (&env_key, env)];
        let given: Vec<&str> = ways.into_iter().filter(|(_, node)| node.is_some()).map(|(key, _)| key).collect();
        if given.len() > 1 {
            self.report.problem(Problem::new(self.at(key), format!("is given twice, by `{}`", given.join("` and `"))));
            return None;
        }
        let name = self.at(key);
        if let Some(credential) = self.report.credentials.of(&name) {
            return Some(credential.map_or_else(|why| self.secret_absent(name, why), Secret::new));
        }
        // From here on no value is shown: one in the wrong place is a secret all the same.
        match (inline, file, env) {
            (Some(Node::Text(text) | Node::Env(text)), _, _) if !text.is_empty() => {
                if matches!(inline, Some(Node::Text(_))) {
                    let advice = format!(
                        "is written in the settings file; a credential, `{file_key}` or `{env_key}` keeps it out of there"
                    );
                    self.report.advice.borrow_mut().push(Problem::new(name, advice));
                }
                Some(Secret::new(text.clone()))
            }
            (_, Some(node @ (Node::Text(text) | Node::Env(text))), _) if !text.is_empty() => {
                let from_env = matches!(node, Node::Env(_));
                let path = if from_env { PathBuf::from(text) } else { self.report.folder.join(text) };
                if secret::is_open_to_all(&path) {
                    let advice = format!("every user of this machine can read {}", path.display());
                    self.report.advice.borrow_mut().push(Problem::new(self.at(&file_key), advice));
                }
                let content = secret::text(&path);
                Some(content.map_or_else(|why| self.secret_absent(name, format!("{} {why}", path.display())), Secret::new))
            }
            (_, _, Some(Node::Text(variable) | Node::Env(variable))) if !variable.is_empty() => {
                let value = self.report.credentials.variable(variable);
                Some(value.map_or_else(|why| self.secret_absent(name, why), Secret::new))
            }
            (None, None, None) => None,
            _ => {
                let key = given.first().map_or(name, |key| self.at(key));
                self.report.problem(Problem::new(key, "is not a text in quotes, or is empty"));
                None
            }
        }
    }

    /// The file that a secret is read from. `None` if it comes otherwise: a credential is a copy that never changes.
    pub fn secret_file(&self, key: &'static str) -> Option<PathBuf> {
        let file = self.table.get(&format!("{key}_file")).filter(|_| self.report.credentials.of(&self.at(key)).is_none())?;
        match file {
            Node::Env(text) => Some(PathBuf::from(text)),
            Node::Text(text) => Some(self.report.folder.join(text)),
            _ => None,
        }
    }

    /// A secret that must be there: [`Secret::absent`] if it is given in no way. `None` only after a problem.
    pub fn required_secret(&self, key: &'static str) -> Option<Secret> {
        let secret = self.secret(key);
        let beside = beside(key);
        if secret.is_some() || self.has(key) || beside.iter().any(|key| self.has(key)) || self.report.survey {
            return secret;
        }
        let name = self.at(key);
        let why = format!("is given neither as the credential `{name}` nor by `{}` nor by `{key}`", beside.join("` nor by `"));
        Some(self.secret_absent(name, why))
    }

    fn secret_absent(&self, key: String, why: String) -> Secret {
        self.report.secrets_absent.borrow_mut().push(Problem::new(&key, &why));
        Secret::absent(key, why)
    }

    /// A table; absent if it is not written.
    pub fn section<T>(&self, key: &'static str, read: impl FnOnce(&Section<'_>) -> T) -> Option<T> {
        self.below(key, || self.key_of(key), read)
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
            self.ask(key);
            return None;
        }
        self.below(key, || self.key.clone(), read)
    }

    /// A list of tables.
    pub fn sections<T>(&self, key: &'static str, read: impl FnMut(&Section<'_>) -> T) -> Vec<T> {
        self.each_below(key, || self.key_of(key), read)
    }

    /// A list of tables of the same shape as this one.
    pub fn all_like_this<T>(&self, key: &'static str, read: impl FnMut(&Section<'_>) -> T) -> Vec<T> {
        if self.report.survey {
            self.ask(key);
            return Vec::new();
        }
        self.each_below(key, || self.key.clone(), read)
    }

    /// Where it is, as `path` tells, is only put together if it is there: most are not.
    fn below<T>(&self, key: &'static str, path: impl Fn() -> String, read: impl FnOnce(&Section<'_>) -> T) -> Option<T> {
        match self.get(key) {
            Some(Node::Table(table)) => Some(self.report.table(table, self.at(key), path(), read)),
            Some(_) => self.refuse(key, Wrong::new("is not a table")),
            None if self.report.survey => Some(self.report.table(&BTreeMap::new(), self.at(key), path(), read)),
            None => None,
        }
    }

    fn each_below<T>(&self, key: &'static str, path: impl Fn() -> String, mut read: impl FnMut(&Section<'_>) -> T) -> Vec<T> {
        let items = match self.get(key) {
            Some(Node::List(items)) => items.as_slice(),
            Some(Node::Table(_)) => {
                self.wrong(key, format!("is one table, not a list of tables (write [[{}]])", path()));
                return Vec::new();
            }
            Some(_) => {
                self.wrong(key, "is not a list of tables");
                return Vec::new();
            }
            None if self.report.survey => &[Node::Table(BTreeMap::new())],
            None => return Vec::new(),
        };
        let path = path();
        let mut values = Vec::with_capacity(items.len());
        for (ix, item) in items.iter().enumerate() {
            let Node::Table(table) = item else {
                self.wrong(key, "is not a list of tables");
                continue;
            };
            values.push(self.report.item(table, (&self.at(key), ix), &path, &mut read));
        }
        values
    }

    /// Where one of its tables is, for the list of known keys.
    fn key_of(&self, key: &str) -> String {
        join(&self.key, key)
    }

    fn ask(&self, key: &'static str) {
        self.asked.borrow_mut().push(Cow::Borrowed(key));
        if self.report.survey {
            self.report.asked.borrow_mut().insert(join(&self.key, key));
        }
    }

    fn get(&self, key: &'static str) -> Option<&Node> {
        self.ask(key);
        self.table.get(key)
    }

    /// What a secret is, is not shown, whatever is wrong with it.
    fn refuse<T>(&self, key: &str, wrong: Wrong) -> Option<T> {
        let shown = self.table.get(key).filter(|_| !self.secrets.borrow().contains(&key)).and_then(Node::shown);
        self.report.problem(Problem::new(self.at(key), wrong.what).showing(shown).suggesting(wrong.meant));
        None
    }
}

/// A key below a path; the path itself without a key.
pub(super) fn join(path: &str, key: &str) -> String {
    match (path, key) {
        (path, "") => path.to_owned(),
        ("", key) => key.to_owned(),
        (path, key) => {
            let mut joined = String::with_capacity(path.len() + 1 + key.len());
            joined.push_str(path);
            joined.push('.');
            joined.push_str(key);
            joined
        }
    }
}
