//! What the tests of this folder share: settings as texts, and what comes of them.

use std::ffi::OsString;

use crate::settings::load::load_with;
use crate::settings::problem::SettingsError;
use crate::settings::values::Settings;

/// An environment.
pub fn env(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

/// Loads a text as a file of a folder of its own.
pub fn load_text(text: &str, pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rosterd.toml");
    std::fs::write(&file, text).expect("write");
    // The file of holidays that the reference names.
    std::fs::create_dir(folder.path().join("holidays")).expect("a folder");
    let holidays = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261228\nEND:VEVENT\nEND:VCALENDAR\n";
    std::fs::write(folder.path().join("holidays/uk.ics"), holidays).expect("write");
    load_with(Some(&file), env(pairs))
}

/// Loads a text that has no problems.
pub fn good(text: &str) -> Settings {
    load_text(text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What is wrong, a line each, without the padding between key and explanation.
pub fn wrong_with(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    match load_text(text, pairs) {
        Err(SettingsError::Wrong { problems }) => {
            let lines = problems.to_string();
            lines.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
        }
        other => panic!("settings with problems expected, got {other:?}\n{text}"),
    }
}

/// [`wrong_with`] without an environment.
pub fn wrong(text: &str) -> Vec<String> {
    wrong_with(text, &[])
}

/// A customer with one module, one pool and one rule, in four places of which more can be written.
pub fn district(customer: &str, product: &str, pool: &str, rule: &str) -> String {
    format!(
        "[[customer]]\nid = \"north\"\n{customer}\n\
         [[customer.product]]\nid = \"learn\"\n{product}\n\
         [[customer.pool]]\nid = \"main\"\nproduct = \"learn\"\nowner = \"d1\"\n{pool}\n\
         [[customer.rule]]\nid = \"all\"\nproduct = \"learn\"\n{rule}\n"
    )
}

/// The simplest rule.
pub const EVERYONE: &str = "when = { everyone = true }";

/// A district whose rule has this `when` table.
pub fn when(table: &str) -> String {
    district("", "", "", &format!("when = {table}"))
}
