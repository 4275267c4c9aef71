//! What is told, before it takes the form of a channel.

use crate::base::{CustomerId, Digester, Instant};
use crate::plan::{NoticeKind, Severity};

/// What a message is called that only tries a channel.
const TEST: &str = "test";

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Names it for its receiver: the same at each try (R154).
    pub id: String,
    /// Its kind's word, or `test`.
    pub kind: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What it says first.
    pub title: &'static str,
    /// Whose notice it is: id and name; `None`: nobody's.
    pub customer: Option<(CustomerId, String)>,
    /// The notice's key.
    pub key: String,
    /// When the notice was written.
    pub at: Instant,
    /// The pool it is about.
    pub pool: Option<String>,
    /// The source it is about.
    pub source: Option<String>,
    /// The notice's text.
    pub text: String,
}

impl Message {
    /// A notice of a customer on its way through a channel. The id follows from all that makes it this one: it needs to be
    /// kept nowhere, and books that begin anew do not repeat it.
    pub fn of(
        channel: &str,
        (customer, name): (&CustomerId, &str),
        (kind, key, at): (NoticeKind, &str, Instant),
        (pool, source): (Option<&str>, Option<&str>),
        text: &str,
    ) -> Self {
        Self {
            id: id_of(&[channel, customer.as_str(), key], at),
            kind: kind.word(),
            severity: kind.severity(),
            title: kind.title(),
            customer: Some((customer.clone(), name.to_owned())),
            key: key.to_owned(),
            at,
            pool: pool.map(str::to_owned),
            source: source.map(str::to_owned),
            text: text.to_owned(),
        }
    }

    /// A message that only tries a channel.
    pub fn test(channel: &str, at: Instant) -> Self {
        Self {
            id: id_of(&[channel, TEST], at),
            kind: TEST,
            severity: Severity::Info,
            title: "A test",
            customer: None,
            key: String::new(),
            at,
            pool: None,
            source: None,
            text: format!("This is a test of the channel {channel} (`rosterd alert test`). Nothing has happened."),
        }
    }

    /// Title and customer in one line.
    pub fn headline(&self) -> String {
        match &self.customer {
            Some((_, name)) => format!("{name}: {}", self.title),
            None => self.title.to_owned(),
        }
    }

    /// What is told beside the text, each with its name.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let customer = self.customer.as_ref().map(|(id, _)| id.to_string());
        let all = [
            ("Customer", customer),
            ("Pool", self.pool.clone()),
            ("Source", self.source.clone()),
            ("Severity", Some(self.severity.word().to_owned())),
            ("Kind", Some(self.kind.to_owned())),
            ("Written", Some(self.at.to_string())),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

fn id_of(parts: &[&str], at: Instant) -> String {
    let mut digester = Digester::new("message");
    parts.iter().for_each(|part| _ = digester.field(part.as_bytes()));
    let digest = digester.number(at.0).clone().finish().to_string();
    format!("msg_{}", &digest[..32])
}

/// A text for people cut to so many bytes as `escape` makes of it, between two characters; a cut is shown.
pub fn capped(text: &str, bytes_max: usize, escape: impl Fn(char, &mut String)) -> String {
    const CUT: &str = " …";
    let (mut out, mut fits) = (String::new(), 0);
    for c in text.chars() {
        escape(c, &mut out);
        if out.len() > bytes_max {
            out.truncate(fits);
            out.push_str(CUT);
            return out;
        }
        // Up to here the sign of a cut has room, too.
        if out.len() + CUT.len() <= bytes_max {
            fits = out.len();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::base::{CustomerId, Instant};
    use crate::notify::message::{Message, capped};
    use crate::plan::NoticeKind;

    fn message(channel: &str, customer: &str, key: &str, at: i64) -> Message {
        let customer = (&CustomerId::from(customer), "North");
        Message::of(channel, customer, (NoticeKind::NearLimit, key, Instant(at)), (Some("p"), None), "Few are left.")
    }

    #[test]
    fn r154_an_id_is_one_message_in_one_channel_and_nothing_else() {
        let id = message("ops", "north", "near_limit/p/1", 5).id;
        assert_eq!(id, message("ops", "north", "near_limit/p/1", 5).id);
        assert_eq!(id.len(), 36);
        for other in [
            message("mail", "north", "near_limit/p/1", 5),
            message("ops", "south", "near_limit/p/1", 5),
            message("ops", "north", "near_limit/p/2", 5),
            message("ops", "north", "near_limit/p/1", 6),
            message("opsn", "orth", "near_limit/p/1", 5),
        ] {
            assert_ne!(id, other.id, "{other:?}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let plain = |c: char, out: &mut String| out.push(c);
        assert_eq!(capped("12345678", 8, plain), "12345678");
        assert_eq!(capped("123456789", 8, plain), "1234 …");
        assert_eq!(capped("üüüüüüüüü", 9, plain), "üü …");
        let escaped = |c: char, out: &mut String| if c == '&' { out.push_str("&amp;") } else { out.push(c) };
        assert_eq!(capped("a&&&&", 15, escaped), "a&amp;&amp; …");
    }
}
