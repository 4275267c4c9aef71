//! Reads secrets, which are given in one of several ways.

use std::path::PathBuf;

use crate::base::Secret;
use crate::settings::problem::Problem;
use crate::settings::read::{BESIDE, Section};
use crate::settings::secret;
use crate::settings::tree::Node;

/// The keys that tell where the secret of a key is.
fn beside(key: &str) -> [String; 2] {
    BESIDE.map(|ending| format!("{key}{ending}"))
}

impl Section<'_> {
    /// A secret text: the credential named by the key's path, else the content of the file that `KEY_file` names, else the
    /// variable of the environment that `KEY_env` names, else the key. `None` if none of them is given. What is given and
    /// cannot be had is [`Secret::absent`] and no problem: only the one who needs it has to fail.
    pub fn secret(&self, key: &'static str) -> Option<Secret> {
        let inline = self.get(key);
        let [file, env] = BESIDE.map(|ending| {
            self.ask(key, ending);
            self.table.get_joined(key, ending)
        });
        if inline.or(file).or(env).is_none() && !self.report.credentials.are_passed() {
            return None;
        }
        let [file_key, env_key] = beside(key);
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
        let text = |node: Option<&'_ Node<'_>>| node.and_then(Node::text).filter(|text| !text.is_empty()).map(str::to_owned);
        match (text(inline), text(file), text(env)) {
            (Some(text), ..) => {
                if matches!(inline, Some(Node::Text(_))) {
                    let advice = format!(
                        "is written in the settings file; a credential, `{file_key}` or `{env_key}` keeps it out of there"
                    );
                    self.report.advice.borrow_mut().push(Problem::new(name, advice));
                }
                Some(Secret::new(text))
            }
            (_, Some(text), _) => {
                let from_env = matches!(file, Some(Node::Env(_)));
                let path = if from_env { PathBuf::from(text) } else { self.report.folder.join(text) };
                if secret::is_open_to_all(&path) {
                    let advice = format!("every user of this machine can read {}", path.display());
                    self.report.advice.borrow_mut().push(Problem::new(self.at(&file_key), advice));
                }
                let content = secret::text(&path);
                Some(content.map_or_else(|why| self.secret_absent(name, format!("{} {why}", path.display())), Secret::new))
            }
            (.., Some(variable)) => {
                let value = self.report.credentials.variable(&variable);
                Some(value.map_or_else(|why| self.secret_absent(name, why), Secret::new))
            }
            (None, None, None) => {
                if let Some(key) = given.first() {
                    self.report.problem(Problem::new(self.at(key), "is not a text in quotes, or is empty"));
                }
                None
            }
        }
    }

    /// The file that a secret is read from. `None` if it comes otherwise: a credential is a copy that never changes.
    pub fn secret_file(&self, key: &'static str) -> Option<PathBuf> {
        let file = self.table.get_joined(key, BESIDE[0]).filter(|_| self.report.credentials.of(&self.at(key)).is_none())?;
        match file {
            Node::Env(text) => Some(PathBuf::from(text)),
            Node::Text(text) => Some(self.report.folder.join(text.as_ref())),
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
}
