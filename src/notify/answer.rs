//! What a receiver said when it took a message.

/// So many characters of what a receiver said are kept.
const SAID_MAX: usize = 200;

/// What came back of a message that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status in its protocol: `200`, `250`.
    pub status: String,
    /// The beginning of what the receiver said beside that; for who tries a channel, and for nobody else: it may hold anything.
    pub said: String,
}

/// The beginning of what a receiver said, in one line, fit for a terminal.
pub fn said(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !c.is_control()).take(SAID_MAX).collect()
}

#[cfg(test)]
mod tests {
    use crate::notify::answer::said;

    #[test]
    fn what_is_said_steers_nothing_and_is_short() {
        assert_eq!(said(b" ok\r\n\x1b[31mred\xff "), "ok [31mred\u{fffd}");
        assert_eq!(said("ü".repeat(500).as_bytes()).chars().count(), 200);
    }
}
