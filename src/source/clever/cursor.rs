//! Where the next read may go on, as text.

use std::fmt;

use crate::base::Instant;

/// Events are kept for thirty days (clever §7): a cursor older than this is as good as none, in milliseconds.
const AGE_MILLIS_MAX: i64 = 29 * 86_400_000;
/// In place of an id where there was no event yet.
const NOTHING: &str = "-";

/// What is known of the last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Events are read, and this is the newest one that was; `Some(None)`: there was none.
    pub(crate) event: Option<Option<String>>,
    /// When.
    pub(crate) at: Instant,
    /// When the district's own data had come to Clever.
    pub(crate) sync: Option<String>,
}

impl Cursor {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut value = |name: &str| words.next()?.strip_prefix(name)?.strip_prefix('=');
        let (event, at, sync) = (value("event")?, value("at")?, value("sync")?);
        let event = (!event.is_empty()).then(|| Some(event).filter(|event| *event != NOTHING).map(str::to_owned));
        Some(Self { event, at: Instant::parse(at)?, sync: Some(sync.to_owned()).filter(|sync| !sync.is_empty()) })
    }

    /// Whether events since then can still be had.
    pub(crate) fn is_young(&self, now: Instant) -> bool {
        (0..AGE_MILLIS_MAX).contains(&now.0.saturating_sub(self.at.0))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = self.event.as_ref().map_or("", |event| event.as_deref().unwrap_or(NOTHING));
        write!(f, "event={event} at={} sync={}", self.at, self.sync.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Instant;
    use crate::source::clever::cursor::Cursor;

    #[test]
    fn a_cursor_comes_back() {
        let at = Instant(1_700_000_000_000);
        for event in [None, Some(None), Some(Some("65f0".to_owned()))] {
            for sync in [None, Some("2026-03-01T05:00:00.000Z".to_owned())] {
                let cursor = Cursor { event: event.clone(), at, sync };
                assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
            }
        }
        assert_eq!(Cursor::parse("revision 7"), None);
        let cursor = Cursor { event: Some(None), at, sync: None };
        let days = |days: i64| at.plus_millis(days * 86_400_000);
        assert!(cursor.is_young(days(28)) && !cursor.is_young(days(29)) && !cursor.is_young(days(-1)));
    }
}
