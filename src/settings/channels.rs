//! Who is told: `[outbox]`, `[smtp]`, `[[channel]]` and `[[customer.channel]]`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::base::{CustomerId, Secret, is_this_machine, most_similar};
use crate::notify::{
    ChannelSettings, Form, MailSettings, Party, Security, Way, check_hook, check_key, check_mailbox, check_server,
};
use crate::plan::{NoticeKind, Severity};
use crate::service::OutboxPolicy;
use crate::settings::problem::Problem;
use crate::settings::read::{Section, Wrong};
use crate::settings::words;

/// The kinds of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// `webhook`, `slack`, `teams`.
    Hook(Form),
    /// `mail`.
    Mail,
}

/// `[outbox]`, `[smtp]` and `[[channel]]`.
#[derive(Default)]
pub struct OutboxShape {
    /// `outbox.max_tries`.
    pub tries_max: Option<u32>,
    /// `outbox.first_pause_secs`.
    pub pause_first_secs: Option<u32>,
    /// `outbox.timeout_secs`.
    pub timeout_secs: Option<u32>,
    /// `outbox.keep_days`.
    pub keep_days: Option<u32>,
    /// `outbox.keep_dead_days`.
    pub keep_dead_days: Option<u32>,
    /// `[smtp]`.
    pub smtp: SmtpShape,
    /// `[[channel]]`.
    pub channels: Vec<ChannelShape>,
}

/// `[smtp]`.
#[derive(Default)]
pub struct SmtpShape {
    /// `server`.
    pub server: Option<(String, u16)>,
    /// `security`.
    pub security: Option<Security>,
    /// `user`.
    pub user: Option<String>,
    /// `password`.
    pub password: Option<Secret>,
    /// `from`.
    pub from: Option<String>,
    /// `ca_file`.
    pub ca_file: Option<PathBuf>,
}

/// `[[channel]]` and `[[customer.channel]]`.
pub struct ChannelShape {
    /// Its path, for messages.
    pub at: String,
    /// `id`.
    pub id: String,
    /// `kind`.
    pub kind: Option<ChannelKind>,
    /// `audience`.
    pub party: Option<Party>,
    /// `notices`.
    pub kinds: Option<Vec<NoticeKind>>,
    /// `severity`.
    pub severity_min: Option<Severity>,
    /// `address`.
    pub address: Option<Secret>,
    /// `secret`, `old_secret`.
    pub keys: Vec<Secret>,
    /// `to`.
    pub to: Vec<String>,
    /// `ca_file`.
    pub ca_file: Option<PathBuf>,
}

/// Reads the global sections.
pub fn outbox(s: &Section<'_>) -> OutboxShape {
    let policy = s.section("outbox", |s| {
        let first = s.count("first_pause_secs", 1..=3_600);
        let kept = (s.count("keep_days", 1..=36_500), s.count("keep_dead_days", 1..=36_500));
        (s.count("max_tries", 1..=1_000), first, s.count("timeout_secs", 1..=300), kept)
    });
    let (tries_max, pause_first_secs, timeout_secs, (keep_days, keep_dead_days)) = policy.unwrap_or_default();
    let smtp = s.section("smtp", smtp).unwrap_or_default();
    OutboxShape { tries_max, pause_first_secs, timeout_secs, keep_days, keep_dead_days, smtp, channels: channels(s) }
}

fn smtp(s: &Section<'_>) -> SmtpShape {
    let ways = [("starttls", Security::StartTls), ("tls", Security::Tls), ("none", Security::None)];
    let user = s.text("user");
    SmtpShape {
        server: s.parsed("server", |text| check_server(text).map_err(Wrong::new)),
        security: s.parsed("security", words::one_of(&ways)),
        password: if user.is_some() { s.required_secret("password") } else { s.secret("password") },
        user,
        from: s.parsed("from", mailbox),
        ca_file: s.path("ca_file"),
    }
}

/// Reads the list.
pub fn channels(s: &Section<'_>) -> Vec<ChannelShape> {
    s.sections("channel", channel)
}

fn channel(s: &Section<'_>) -> ChannelShape {
    let kinds = [
        ("webhook", ChannelKind::Hook(Form::Standard)),
        ("slack", ChannelKind::Hook(Form::Slack)),
        ("teams", ChannelKind::Hook(Form::Teams)),
        ("mail", ChannelKind::Mail),
    ];
    let kind = s.required("kind", s.parsed("kind", words::one_of(&kinds)));
    let is_hook = matches!(kind, Some(ChannelKind::Hook(_)));
    let is_signed = kind == Some(ChannelKind::Hook(Form::Standard));
    let parties = [("vendor", Party::Vendor), ("customer", Party::Customer)];
    let keys = [if is_signed { s.required_secret("secret") } else { s.secret("secret") }, s.secret("old_secret")];
    let shape = ChannelShape {
        at: s.at(""),
        id: s.required("id", s.parsed("id", words::id)).unwrap_or_default(),
        kind,
        party: s.parsed("audience", words::one_of(&parties)),
        kinds: s.parsed_list("notices", notice_kind),
        severity_min: s.parsed("severity", words::one_of(&Severity::WORDS)),
        address: if is_hook { s.required_secret("address") } else { s.secret("address") },
        keys: keys.into_iter().flatten().collect(),
        to: s.parsed_list("to", mailbox).unwrap_or_default(),
        ca_file: s.path("ca_file"),
    };
    // A secret that this process cannot have is told elsewhere.
    let wrong =
        |secret: &Secret, check: fn(&str) -> Result<(), &'static str>| secret.expose().ok().and_then(|text| check(text).err());
    if let Some(why) = shape.address.as_ref().and_then(|address| wrong(address, check_hook)) {
        s.wrong("address", why);
    }
    for (key, secret) in ["secret", "old_secret"].into_iter().zip(&shape.keys) {
        if let Some(why) = wrong(secret, check_key) {
            s.wrong(key, why);
        }
    }
    match kind {
        Some(ChannelKind::Mail) => {
            s.means_nothing(&["address", "secret", "old_secret"], "kind = \"mail\"");
            s.means_nothing(&["ca_file"], "kind = \"mail\" (see smtp.ca_file)");
            if s.required("to", (!shape.to.is_empty()).then_some(())).is_none() && s.has_empty_list("to") {
                s.wrong("to", "is empty");
            }
        }
        Some(ChannelKind::Hook(form)) => {
            s.means_nothing(&["to"], "a channel that is no mail");
            if form != Form::Standard {
                s.means_nothing(&["secret", "old_secret"], "a chat: only kind = \"webhook\" is signed");
            }
        }
        None => {}
    }
    shape
}

fn mailbox(text: &str) -> Result<String, Wrong> {
    check_mailbox(text).map_err(Wrong::new)?;
    Ok(text.to_owned())
}

fn notice_kind(text: &str) -> Result<NoticeKind, Wrong> {
    NoticeKind::of_word(text).ok_or_else(|| Wrong {
        what: "is no kind of notice; docs/OPERATING.md lists them".to_owned(),
        meant: most_similar(text, NoticeKind::ALL.into_iter().map(NoticeKind::word)),
    })
}

/// What only shows when keys are looked at together. `own`: the channels of each customer.
pub fn check<'a>(outbox: &OutboxShape, own: impl Iterator<Item = &'a [ChannelShape]>, found: &mut Vec<Problem>) {
    let (mut mails, own) = (false, own.collect::<Vec<_>>());
    for channels in std::iter::once(outbox.channels.as_slice()).chain(own) {
        let mut seen = BTreeSet::new();
        for channel in channels {
            mails |= channel.kind == Some(ChannelKind::Mail);
            if !channel.id.is_empty() && !seen.insert(&channel.id) {
                let shown = Some(format!("{:?}", channel.id));
                found.push(Problem::new(format!("{}.id", channel.at), "is the id of two channels").showing(shown));
            }
        }
    }
    let SmtpShape { server, security, user, password, from, ca_file: _ } = &outbox.smtp;
    let is_told = server.is_some();
    for (key, absent) in [("server", server.is_none()), ("from", from.is_none())] {
        if (mails || is_told) && absent {
            found.push(Problem::new(format!("smtp.{key}"), "is missing: there is mail to send"));
        }
    }
    if password.is_some() && user.is_none() {
        found.push(Problem::new("smtp.user", "is missing: there is a password"));
    }
    if *security == Some(Security::None) && server.as_ref().is_some_and(|(host, _)| !is_this_machine(host)) {
        let why = "is for a server on this machine; to any other one mail and password would go in clear";
        found.push(Problem::new("smtp.security", why).showing(Some("\"none\"".to_owned())));
    }
}

/// How often and how long deliveries are tried.
pub fn policy(shape: &OutboxShape) -> Option<OutboxPolicy> {
    Some(OutboxPolicy {
        tries_max: shape.tries_max?,
        pause_first_secs: shape.pause_first_secs?,
        timeout_secs: shape.timeout_secs?,
        keep_days: shape.keep_days?,
        keep_dead_days: shape.keep_dead_days?,
    })
}

/// All channels: those of all customers, then each customer's own. `None` only if something that must be there is absent.
pub fn build<'a>(
    outbox: &'a OutboxShape,
    own: impl Iterator<Item = (&'a str, &'a [ChannelShape])>,
) -> Option<Vec<ChannelSettings>> {
    let all = outbox.channels.iter().map(|shape| one(&outbox.smtp, None, shape));
    let own = own.flat_map(|(customer, channels)| channels.iter().map(move |shape| one(&outbox.smtp, Some(customer), shape)));
    all.chain(own).collect()
}

fn one(smtp: &SmtpShape, customer: Option<&str>, shape: &ChannelShape) -> Option<ChannelSettings> {
    let way = match shape.kind? {
        ChannelKind::Hook(form) => {
            Way::Hook { form, address: shape.address.clone()?, keys: shape.keys.clone(), ca_file: shape.ca_file.clone() }
        }
        ChannelKind::Mail => Way::Mail { to: shape.to.clone(), server: mail_server(smtp)? },
    };
    let default = if customer.is_some() { Party::Customer } else { Party::Vendor };
    Some(ChannelSettings {
        name: customer.map_or(shape.id.clone(), |customer| format!("{customer}/{}", shape.id)),
        customer: customer.map(CustomerId::from),
        party: shape.party.unwrap_or(default),
        kinds: shape.kinds.clone(),
        severity_min: shape.severity_min.unwrap_or(Severity::Info),
        way,
    })
}

fn mail_server(smtp: &SmtpShape) -> Option<MailSettings> {
    let (host, port) = smtp.server.clone()?;
    let login = match (&smtp.user, &smtp.password) {
        (Some(user), Some(password)) => Some((user.clone(), password.clone())),
        (None, _) | (_, None) => None,
    };
    let security = smtp.security.unwrap_or(Security::StartTls);
    Some(MailSettings { host, port, security, login, from: smtp.from.clone()?, ca_file: smtp.ca_file.clone() })
}

#[cfg(test)]
mod tests;
