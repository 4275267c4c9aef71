//! The last layer: secrets. A key that is secret, say `token`, is had from the credential that systemd passes under the
//! key's path, or from the file that `token_file` names, or from the variable of the environment that `token_env` names, or from
//! the key itself.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::base::most_similar;
use crate::settings::problem::Problem;

/// The variable in which systemd names the folder of the credentials.
pub const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// No key, certificate or token is longer, in bytes.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// The credentials passed to this process, a file each, named by the path of its key; and its environment.
#[derive(Default)]
pub struct Credentials {
    folder: Option<PathBuf>,
    env: Vec<(OsString, OsString)>,
    asked: RefCell<BTreeSet<String>>,
}

impl Credentials {
    /// Those that an environment leads to.
    pub fn of_env(env: Vec<(OsString, OsString)>) -> Self {
        let folder = env.iter().find(|(name, _)| name == CREDENTIALS).map(|(_, folder)| folder.into());
        Self { folder, env, asked: RefCell::default() }
    }

    /// The text of a variable, or why it cannot be used.
    pub fn variable(&self, name: &str) -> Result<String, String> {
        let found = self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.to_str());
        match found {
            None => Err(format!("the variable {name} is not set")),
            Some(None) => Err(format!("the variable {name} is not UTF-8")),
            Some(Some("")) => Err(format!("the variable {name} is empty")),
            Some(Some(value)) => Ok(value.to_owned()),
        }
    }

    /// Whether there may be any.
    pub fn are_passed(&self) -> bool {
        self.folder.is_some()
    }

    /// The same for another thread.
    pub fn apart(&self) -> Self {
        Self { folder: self.folder.clone(), env: self.env.clone(), asked: RefCell::default() }
    }

    /// Remembers what another thread asked for.
    pub fn join(&self, other: Self) {
        self.asked.borrow_mut().append(&mut other.asked.into_inner());
    }

    /// The text of the credential for a key, or why it cannot be used; `None` if none was passed.
    pub fn of(&self, key: &str) -> Option<Result<String, String>> {
        self.asked.borrow_mut().insert(key.to_owned());
        let file = self.folder.as_ref()?.join(key);
        file.exists().then(|| text(&file).map_err(|why| format!("the credential {why}")))
    }

    /// Credentials that are named like a key and belong to none: a secret that never arrives. `sections` are the first
    /// words of keys; other names are left alone, they are not meant for the settings.
    pub fn unknown(&self, sections: impl FnOnce() -> BTreeSet<String>) -> Vec<Problem> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let sections = sections();
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return vec![Problem::new(CREDENTIALS, format!("cannot be listed: {error}"))],
        };
        let asked = self.asked.borrow();
        let mut found = Vec::new();
        for name in entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
            let section = name.split_once('.').map(|(section, _)| section);
            if section.is_some_and(|section| sections.contains(section)) && !asked.contains(&name) {
                let meant = most_similar(&name, asked.iter().map(String::as_str));
                found.push(Problem::new(format!("credential {name}"), "belongs to no secret key").suggesting(meant));
            }
        }
        found
    }
}

/// The secret in a file, without the line break at its end; or why there is none, without a word of it.
pub fn text(file: &Path) -> Result<String, String> {
    let opened = File::open(file).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut bytes = Vec::new();
    opened.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(format!("is longer than {} KiB", SECRET_BYTES_MAX / 1024));
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() { Err("is empty".to_owned()) } else { Ok(text.to_owned()) }
}

/// Whether every user of the machine can read a file.
pub fn is_open_to_all(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(test)]
mod tests;
