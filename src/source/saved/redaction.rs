//! Which fields are redacted, and how often each was.

use std::collections::BTreeMap;

/// What stands in place of a value.
pub(crate) const REDACTED: &str = "[redacted]";

/// Parts of names, lower-case letters and digits only.
const PARTS: [&str; 27] = [
    "apikey",
    "authorization",
    "bankaccount",
    "birth",
    "credential",
    "fax",
    "geburt",
    "handy",
    "iban",
    "kennwort",
    "mobile",
    "nationalid",
    "naissance",
    "passphrase",
    "passport",
    "passwd",
    "password",
    "passwort",
    "phone",
    "privatekey",
    "salary",
    "secret",
    "socialsecurity",
    "taxid",
    "telefon",
    "telephone",
    "token",
];
/// Whole names.
const NAMES: [&str; 8] = ["cell", "dob", "pass", "pin", "pwd", "sms", "ssn", "tel"];

/// Which fields are redacted: secrets, passwords, birth dates, phone numbers, numbers of the state and of banks, and what
/// an operator adds.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    more: Vec<String>,
}

impl Redaction {
    /// The standard ones, and those whose names contain one of these words.
    pub fn with(more: &[String]) -> Self {
        Self { more: more.iter().map(|word| plain(word)).filter(|word| !word.is_empty()).collect() }
    }

    /// Whether values of a field are redacted. Case and signs in its name do not matter.
    pub fn redacts(&self, name: &str) -> bool {
        let name = plain(name);
        // A column of vendor data is called `metadata.` and so on.
        let last = name.strip_prefix("metadata").unwrap_or(&name);
        NAMES.contains(&last)
            || PARTS.iter().any(|part| name.contains(part))
            || self.more.iter().any(|part| name.contains(part.as_str()))
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How often values of each field were redacted.
pub(crate) type Counts = BTreeMap<String, u64>;

#[cfg(test)]
mod tests {
    use crate::source::saved::redaction::Redaction;

    #[test]
    fn what_is_redacted() {
        let standard = Redaction::default();
        for name in [
            "password",
            "Password Hash",
            "birthDate",
            "Date of Birth",
            "DOB",
            "phone",
            "phoneNumbers",
            "Work-Phone",
            "mobilePhone",
            "sms",
            "metadata.sms",
            "access_token",
            "client_secret",
            "SSN",
            "Geburtsdatum",
            "Telefon (privat)",
            "IBAN",
        ] {
            assert!(standard.redacts(name), "{name}");
        }
        for name in
            ["sourcedId", "givenName", "email", "status", "Excellence", "Hotel", "spin", "metadata.program", "Hire Date"]
        {
            assert!(!standard.redacts(name), "{name}");
        }
        assert!(Redaction::with(&["given name".into()]).redacts("givenName"));
    }
}
