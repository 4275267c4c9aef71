//! Channels: who is told, of what, and on which way. Filled by the settings folder.

use std::path::PathBuf;

use crate::base::{CustomerId, Secret};
use crate::plan::{NoticeKind, Severity};

/// Who reads a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The vendor's own people: account managers, operators.
    Vendor,
    /// A customer's contacts. What arrives with them is delivered in the sense of the contract: it starts clocks (R66, R153).
    Customer,
}

/// The form of what is sent to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON after Standard Webhooks, signed.
    Standard,
    /// A message of Slack.
    Slack,
    /// A card of Microsoft Teams.
    Teams,
}

/// How the way to a mail server is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS after a greeting in clear; without TLS nothing is sent.
    StartTls,
    /// TLS from the first byte on.
    Tls,
    /// None; only to this machine.
    None,
}

/// A mail server, and in whose name mail goes through it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is kept secret.
    pub security: Security,
    /// User and password, if it wants them.
    pub login: Option<(String, Secret)>,
    /// The sender's mailbox.
    pub from: String,
    /// A file of certificates (PEM) that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// The way a message takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A POST to an address.
    Hook {
        /// What is sent.
        form: Form,
        /// The address; a secret, for whoever knows that of a chat may write there.
        address: Secret,
        /// What it is signed with, the newest first; after Standard Webhooks alone.
        keys: Vec<Secret>,
        /// A file of certificates (PEM) that are trusted besides the system's.
        ca_file: Option<PathBuf>,
    },
    /// Mail to these mailboxes.
    Mail {
        /// To whom.
        to: Vec<String>,
        /// Through which server.
        server: MailSettings,
    },
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSettings {
    /// Its name: its id, after that of its customer and a slash where it is one customer's.
    pub name: String,
    /// Whose notices it carries; `None`: those of all customers.
    pub customer: Option<CustomerId>,
    /// Who reads it.
    pub party: Party,
    /// The kinds that it carries; `None`: all that are the party's business.
    pub kinds: Option<Vec<NoticeKind>>,
    /// It carries nothing less grave.
    pub severity_min: Severity,
    /// The way.
    pub way: Way,
}

impl ChannelSettings {
    /// Whether it carries a notice of this kind to this customer. Nobody's channel carries what is another customer's (R156).
    /// What carried the beginning of something carries its end (R151).
    pub fn carries(&self, customer: &CustomerId, kind: NoticeKind) -> bool {
        let is_wanted = |kind: &NoticeKind| {
            let business = match &self.kinds {
                Some(kinds) => kinds.contains(kind),
                None => self.party == Party::Vendor || kind.concerns_customer(),
            };
            business && kind.severity() >= self.severity_min
        };
        self.customer.as_ref().is_none_or(|own| own == customer) && (is_wanted(&kind) || kind.closes().iter().any(is_wanted))
    }
}

/// Whether a text is a mailbox: `ops@vendor.example` or `Operations <ops@vendor.example>`.
///
/// # Errors
/// What is wrong with it; fits after the text.
pub fn check_mailbox(text: &str) -> Result<(), String> {
    let address = match text.split_once('<') {
        Some((name, rest)) if !name.contains(['"', '@', ',']) => rest.strip_suffix('>').unwrap_or_default(),
        Some(_) => "",
        None => text,
    };
    let fits = |c: char| c.is_ascii_graphic() && !"<>()[]\\,;:\"@".contains(c);
    let is_fit = |(local, domain): (&str, &str)| {
        !local.is_empty() && !domain.is_empty() && local.chars().chain(domain.chars()).all(fits) && !domain.starts_with('.')
    };
    match address.split_once('@').is_some_and(is_fit) && !text.chars().any(char::is_control) {
        true => Ok(()),
        false => Err("is no mailbox such as \"ops@vendor.example\" or \"Operations <ops@vendor.example>\"".to_owned()),
    }
}

/// Reads a server: `mail.vendor.example:587`.
///
/// # Errors
/// What is wrong with it; fits after the text.
pub fn check_server(text: &str) -> Result<(String, u16), String> {
    let wrong = || "is no server and port such as \"mail.vendor.example:587\"".to_owned();
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':');
    let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
    if bare.is_empty() || !bare.chars().all(fits) || (bare.contains(':') && bare == host) {
        return Err(wrong());
    }
    Ok((bare.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use crate::base::{CustomerId, Secret};
    use crate::notify::channel::{ChannelSettings, Form, Party, Way, check_mailbox, check_server};
    use crate::plan::{NoticeKind, Severity};

    fn channel(
        customer: Option<&str>,
        party: Party,
        kinds: Option<Vec<NoticeKind>>,
        severity_min: Severity,
    ) -> ChannelSettings {
        let way = Way::Hook { form: Form::Slack, address: Secret::new("https://x.example"), keys: Vec::new(), ca_file: None };
        ChannelSettings { name: "x".to_owned(), customer: customer.map(CustomerId::from), party, kinds, severity_min, way }
    }

    #[test]
    fn r156_what_a_channel_carries() {
        use NoticeKind::{NearLimit, OverageMajor, RunFailed};
        let (north, south) = (CustomerId::from("north"), CustomerId::from("south"));
        let all = channel(None, Party::Vendor, None, Severity::Info);
        let own = channel(Some("north"), Party::Customer, None, Severity::Info);
        let grave = channel(Some("north"), Party::Customer, None, Severity::Critical);
        let some = channel(Some("north"), Party::Customer, Some(vec![RunFailed]), Severity::Info);
        for (told, customer, kind, carries) in [
            (&all, &north, RunFailed, true),
            (&all, &south, NearLimit, true),
            (&own, &north, NearLimit, true),
            (&own, &north, RunFailed, false),
            (&own, &south, OverageMajor, false),
            (&grave, &north, NearLimit, false),
            (&grave, &north, OverageMajor, true),
            (&some, &north, RunFailed, true),
            (&some, &north, OverageMajor, false),
            (&some, &south, RunFailed, false),
        ] {
            assert_eq!(told.carries(customer, kind), carries, "{told:?} {customer} {kind:?}");
        }
    }

    #[test]
    fn mailboxes_and_servers() {
        for good in ["ops@vendor.example", "Operations <ops@vendor.example>", "a.b+c@x"] {
            assert_eq!(check_mailbox(good), Ok(()), "{good}");
        }
        for bad in ["", "ops", "@x", "ops@", "a@b@c", "a b@c", "x@y, z@y", "Ops <ops@x", "a@x\r\nBcc: b@x", "<a@x> b"] {
            assert!(check_mailbox(bad).is_err(), "{bad}");
        }
        assert_eq!(check_server("mail.x.example:587"), Ok(("mail.x.example".to_owned(), 587)));
        assert_eq!(check_server("[::1]:25"), Ok(("::1".to_owned(), 25)));
        for bad in ["mail", "mail:", "mail:0", "mail:70000", ":25", "::1:25", "user@mail:25", "http://mail:25"] {
            assert!(check_server(bad).is_err(), "{bad}");
        }
    }
}
