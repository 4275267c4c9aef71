//! Cell texts to values (oneroster-csv §2).

use crate::base::{Day, Instant};

/// Whether `text` is a GUID of the binding: 1–255 of `0-9 A-Z a-z . - _ / @`.
#[inline]
pub(crate) fn is_guid(text: &str) -> bool {
    // Four ranges and no branch, over chunks of a fixed length: the compiler makes vector instructions of it.
    fn are_allowed<const N: usize>(chunk: &[u8; N]) -> bool {
        chunk.iter().fold(0xff, |all, byte| all & allowed(*byte)) != 0
    }
    #[inline(always)]
    fn allowed(byte: u8) -> u8 {
        let is_in = (byte.wrapping_sub(b'-') <= b'9' - b'-')
            | (byte.wrapping_sub(b'@') <= b'Z' - b'@')
            | (byte.wrapping_sub(b'a') <= b'z' - b'a')
            | (byte == b'_');
        if is_in { 0xff } else { 0 }
    }
    let bytes = text.as_bytes();
    let (chunks, rest) = bytes.as_chunks::<16>();
    match bytes.last_chunk::<16>() {
        _ if bytes.len() > 255 => false,
        Some(last) => chunks.iter().all(are_allowed) && (rest.is_empty() || are_allowed(last)),
        None => !rest.is_empty() && rest.iter().all(|byte| allowed(*byte) != 0),
    }
}

/// Reads `YYYY-MM-DD`, remembering the last date: the rows of a file repeat a few dates.
#[derive(Debug)]
pub(crate) struct Dates {
    text: [u8; 10],
    day: Day,
}

impl Default for Dates {
    fn default() -> Self {
        Self { text: *b"1970-01-01", day: Day(0) }
    }
}

impl Dates {
    /// The date, if it is one.
    #[inline]
    pub(crate) fn parse(&mut self, text: &str) -> Option<Day> {
        if text.as_bytes() == self.text {
            return Some(self.day);
        }
        let day = Day::parse(text)?;
        self.text.copy_from_slice(text.as_bytes().first_chunk::<10>()?);
        self.day = day;
        Some(day)
    }
}

/// How a date-time was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeForm {
    /// As the binding says, in UTC.
    Exact,
    /// A date alone: the start of that day in UTC.
    DateOnly,
    /// Another form that can be understood: an offset, or a space for the `T`; without an offset it is UTC.
    Loose,
}

/// Reads a date-time in any form that has one meaning.
pub(crate) fn time(dates: &mut Dates, text: &str) -> Option<(Instant, TimeForm)> {
    let day = dates.parse(text.get(..10)?)?;
    let start = i64::from(day.0) * 86_400_000;
    if text.len() == 10 {
        return Some((Instant(start), TimeForm::DateOnly));
    }
    let (clock, zone) = text[10..].split_at_checked(9)?;
    let separator = clock.chars().next()?;
    let two = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = clock.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let (hours, minutes, seconds) = (two(1..3)?, two(4..6)?, two(7..9)?);
    let is_clock = clock.as_bytes()[3] == b':' && clock.as_bytes()[6] == b':' && hours < 24 && minutes < 60 && seconds < 60;
    if !is_clock || !matches!(separator, 'T' | ' ') {
        return None;
    }
    let (fraction, zone) = match zone.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("0", zone),
    };
    if !(1..=9).contains(&fraction.len()) {
        return None;
    }
    let millis = fraction.bytes().chain(*b"000").take(3).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let offset_minutes = match zone.as_bytes() {
        b"Z" | b"" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] if [h1, h2, m1, m2].iter().all(|d| d.is_ascii_digit()) => {
            let digit = |d: &u8| i64::from(d - b'0');
            let offset = (digit(h1) * 10 + digit(h2)) * 60 + digit(m1) * 10 + digit(m2);
            if *sign == b'+' { offset } else { -offset }
        }
        _ => return None,
    };
    let at = start + ((hours * 60 + minutes - offset_minutes) * 60 + seconds) * 1000 + millis;
    let form = if separator == 'T' && zone == "Z" { TimeForm::Exact } else { TimeForm::Loose };
    Some((Instant(at), form))
}

/// Whether `text` is a list of at least one item, none of them empty or refused by `is_item`.
pub(crate) fn is_list(text: &str, is_item: impl Fn(&str) -> bool) -> bool {
    text.split(',').all(|item| {
        let item = item.trim_matches(' ');
        !item.is_empty() && is_item(item)
    })
}

/// The list without the spaces around its items; `buffer` is used only where there are any.
pub(crate) fn list<'r>(text: &'r str, buffer: &'r mut String) -> &'r str {
    if !text.contains(' ') || text.split(',').all(|item| item.trim_matches(' ') == item) {
        return text;
    }
    buffer.clear();
    for (number, item) in text.split(',').enumerate() {
        if number > 0 {
            buffer.push(',');
        }
        buffer.push_str(item.trim_matches(' '));
    }
    buffer
}

#[cfg(test)]
mod tests {
    use crate::base::{Day, Instant};
    use crate::source::csv::value::{Dates, TimeForm, is_guid, is_list, list, time};

    #[test]
    fn guids() {
        for good in ["a", "0-9_A.z/@", &"x".repeat(255)] {
            assert!(is_guid(good), "{good}");
        }
        for bad in ["", " a", "a b", "{a}", "ü", "a:b", &"x".repeat(256)] {
            assert!(!is_guid(bad), "{bad}");
        }
        for byte in 0..128u8 {
            let is_good = byte.is_ascii_alphanumeric() || b".-_/@".contains(&byte);
            for (before, after) in [(0, 0), (3, 4), (16, 0), (20, 2), (1, 40)] {
                let text = format!("{}{}{}", "x".repeat(before), byte as char, "x".repeat(after));
                assert_eq!(is_guid(&text), is_good, "{text:?}");
            }
        }
    }

    #[test]
    fn dates_are_remembered_and_never_guessed() {
        let mut dates = Dates::default();
        for _ in 0..2 {
            assert_eq!(dates.parse("2026-03-10"), Day::parse("2026-03-10"));
            assert_eq!(dates.parse("1970-01-01"), Some(Day(0)));
            assert_eq!(dates.parse("1/05/2023"), None);
            assert_eq!(dates.parse("2023-5-1"), None);
        }
    }

    #[test]
    fn times() {
        let mut dates = Dates::default();
        for (text, means, form) in [
            ("2026-03-10T01:02:03.456Z", "2026-03-10T01:02:03.456Z", TimeForm::Exact),
            ("2026-03-10T01:02:03Z", "2026-03-10T01:02:03Z", TimeForm::Exact),
            ("2026-03-10T01:02:03.4567891Z", "2026-03-10T01:02:03.456Z", TimeForm::Exact),
            ("2026-03-10", "2026-03-10T00:00:00Z", TimeForm::DateOnly),
            ("2017-05-06 08:01:05", "2017-05-06T08:01:05Z", TimeForm::Loose),
            ("2026-03-10T01:02:03.5+05:30", "2026-03-09T19:32:03.5Z", TimeForm::Loose),
        ] {
            assert_eq!(time(&mut dates, text), Some((Instant::parse(means).expect("means"), form)), "{text}");
        }
        for bad in [
            "",
            "2026-03-10T",
            "2026-03-10T25:00:00Z",
            "2026-03-10T01:02:03.Z",
            "2026-03-10T01:02",
            "10.3.2026 01:02:03",
            "2026-03-10T01:02:03é",
            "2026-03-10T+1:02:03Z",
            "2026-03-10T01:02:03.1x",
            "2026-03-10é01:02:03",
        ] {
            assert_eq!(time(&mut dates, bad), None, "{bad}");
        }
    }

    #[test]
    fn lists_lose_their_spaces() {
        let mut buffer = String::new();
        assert_eq!(list("a, b ,c d", &mut buffer), "a,b,c d");
        assert_eq!(list("a b,c", &mut buffer), "a b,c");
        assert!(is_list("a, b", is_guid));
        for bad in ["", "a,", ",a", "a,,b", "a, ,b", "a,b c"] {
            assert!(!is_list(bad, is_guid), "{bad}");
        }
    }
}
