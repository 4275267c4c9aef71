//! Brings the layers together: compiled-in defaults, a file, the environment, secrets. The only file that names the `config`
//! crate, which merges layers well but tells one mistake at a time; so it merges, and we read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;

use config::{Config, Environment, File, FileFormat, Value, ValueKind};

use crate::settings::build::{build, build_customer};
use crate::settings::check::{check, check_customer};
use crate::settings::file::{FileShape, customer, whole};
use crate::settings::own::Own;
use crate::settings::plain::{customer_of, customers_apart};
use crate::settings::problem::{Problem, Problems, SettingsError};
use crate::settings::read::{Report, Section};
use crate::settings::secret::Credentials;
use crate::settings::tree::{Node, Table};
use crate::settings::values::Settings;

const PREFIX: &str = "ROSTERD__";

/// Loads the settings: a file, if one is named, and the environment of this process over the defaults.
///
/// # Errors
/// [`SettingsError::Wrong`] tells all mistakes at once.
pub fn load(file: Option<&Path>) -> Result<Settings, SettingsError> {
    load_with(file, std::env::vars_os())
}

/// [`load`] with an environment of the caller's choice.
///
/// # Errors
/// As [`load`].
pub fn load_with(path: Option<&Path>, env: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Settings, SettingsError> {
    let text = match path {
        Some(path) => {
            let read = std::fs::read_to_string(path);
            read.map_err(|cause| SettingsError::Read { file: path.to_owned(), cause })?
        }
        None => String::new(),
    };
    let name = path.map_or_else(|| "the defaults".to_owned(), |path| path.display().to_string());
    let env: Vec<(OsString, OsString)> = env.into_iter().collect();
    let mut problems = Vec::new();
    let variables = variables(&env, &mut problems);
    let folder = path.and_then(Path::parent).unwrap_or(Path::new(""));
    let report = Report::in_folder(folder, Credentials::of_env(env));
    let (shape, customers) = read(&text, variables, &report).map_err(|why| SettingsError::Syntax { file: name, why })?;
    problems.extend(report.credentials().unknown(sections));
    let findings = report.into_findings();
    problems.extend(findings.problems);
    // A value that could not be read is absent; that it is absent needs no second problem.
    let told: BTreeSet<String> = problems.iter().map(|problem| problem.at.clone()).collect();
    problems.extend(check(&shape, &customers).into_iter().filter(|problem| !told.contains(&problem.at)));

    if let Some(problems) = Problems::of(problems) {
        return Err(SettingsError::Wrong { problems });
    }
    let mut settings = build(&shape, customers).ok_or(SettingsError::Incomplete)?;
    settings.secrets_absent = findings.secrets_absent;
    settings.advice = findings.advice;
    Ok(settings)
}

/// The first words of keys.
fn sections() -> BTreeSet<String> {
    known_keys().iter().map(|key| key.split('.').next().unwrap_or_default().to_owned()).collect()
}

/// The reference: every key with its meaning, unit and default.
pub fn reference() -> &'static str {
    include_str!("../../config/default.toml")
}

/// Every key that a settings file can have, sorted. Keys of listed tables go without the tables' ids:
/// `customer.pool.grant.seats`.
pub fn known_keys() -> Vec<String> {
    let survey = Report::survey();
    survey.read(&Table::default(), |s| whole(s, |s, _| customer(s)));
    survey.into_known()
}

/// The variables that are ours, without prefix. What cannot be a key of the environment is a problem.
fn variables(env: &[(OsString, OsString)], problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let mut ours = BTreeMap::new();
    for (name, value) in env {
        let Some(key) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let name = format!("{PREFIX}{key}");
        let key = key.to_lowercase();
        let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if key.split("__").next() == Some("customer") {
            problems.push(Problem::new(name, "cannot be set in the environment: customers are a list, which has no names"));
        } else if !key.split("__").all(word) {
            problems.push(Problem::new(name, format!("names no key (write {PREFIX}SECTION__KEY)")));
        } else if let Some(value) = value.to_str() {
            ours.insert(key, value.to_owned());
        } else {
            problems.push(Problem::new(name, "is not UTF-8"));
        }
    }
    ours
}

/// All layers. Many customers are read apart from the rest if that is all the same; else, and to tell mistakes, all together.
fn read(text: &str, variables: BTreeMap<String, String>, report: &Report) -> Result<(FileShape, Vec<Own>), String> {
    if let Some((rest, customers)) = customers_apart(text)
        && let Ok(tree) = merge(rest, variables.clone())
        && tree.get("customer").is_none()
    {
        let apart = report.apart();
        let (file, _) = apart.read(&tree, |s| whole(s, own));
        if let Some(customers) = apart.read_apart("customer", &customers, customer_of, |s| own(s, &file)) {
            report.join(apart);
            return Ok((file, customers));
        }
    }
    Ok(report.read(&merge(text, variables)?, |s| whole(s, own)))
}

/// Reads a customer, checks it by itself and builds it in one go: of thousands of them only what they come to is kept, and each is
/// worked on where it was read.
fn own(s: &Section<'_>, file: &FileShape) -> Own {
    let shape = customer(s);
    let problems = check_customer(file, &shape);
    let is_fine = problems.is_empty() && !s.has_problems();
    let settings = if is_fine { build_customer(file, &shape) } else { None };
    let names_products = file.policies.admin_products.as_ref().is_some_and(|named| !named.is_empty());
    let products = if names_products { shape.products } else { Vec::new() };
    Own {
        at: shape.at,
        id: shape.id,
        paths: shape.sources.into_iter().filter_map(|source| Some((source.path?, source.at))).collect(),
        products: products.into_iter().map(|product| product.id).collect(),
        channels: shape.channels,
        problems,
        settings,
    }
}

fn merge(text: &str, variables: BTreeMap<String, String>) -> Result<Table<'static>, String> {
    let merged = Config::builder()
        .add_source(File::from_str(reference(), FileFormat::Toml))
        .add_source(File::from_str(text, FileFormat::Toml))
        .add_source(Environment::default().separator("__").source(Some(variables.into_iter().collect())))
        .build()
        .map_err(|error| without_lines_of_the_file(&error.to_string()))?;
    match node(merged.cache) {
        Node::Table(table) => Ok(table),
        other => Err(format!("{} is not a table", other.shown().unwrap_or_default())),
    }
}

/// The parser's words without the line it shows, which may have a secret in it; its number stays.
fn without_lines_of_the_file(words: &str) -> String {
    let shown = |line: &&str| line.trim_start_matches([' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).starts_with('|');
    words.lines().filter(|line| !shown(line)).collect::<Vec<_>>().join(": ")
}

fn node(value: Value) -> Node<'static> {
    let from_env = value.origin().is_some();
    match value.kind {
        ValueKind::Nil => Node::Text(Cow::Borrowed("")),
        ValueKind::Boolean(flag) => Node::Flag(flag),
        ValueKind::I64(number) => Node::Number(number),
        ValueKind::I128(number) => Node::Fraction(number.to_string()),
        ValueKind::U64(number) => Node::Fraction(number.to_string()),
        ValueKind::U128(number) => Node::Fraction(number.to_string()),
        ValueKind::Float(number) => Node::Fraction(number.to_string()),
        ValueKind::String(text) if from_env => Node::Env(text),
        ValueKind::String(text) => Node::Text(Cow::Owned(text)),
        ValueKind::Array(items) => Node::List(items.into_iter().map(node).collect()),
        ValueKind::Table(table) => Node::Table(table.into_iter().map(|(key, value)| (key, node(value))).collect()),
    }
}

#[cfg(test)]
mod tests;
