//! Values of records as the intake wants them, with faults in the words of oneroster-csv §8.

use crate::base::{Day, Instant};
use crate::roster::{Finding, Level, RowAt, RowHead, RowStatus};
use crate::source::oneroster::wire::{Loose, Many, Ref};

/// Longest id in bytes.
const ID_BYTES_MAX: usize = 255;

/// Why a record cannot be used.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) rule: &'static str,
    pub(crate) field: &'static str,
    pub(crate) detail: String,
}

impl Fault {
    /// What is told of it: it was found there, in the record of this id.
    pub(crate) fn of(self, at: RowAt, id: Option<&str>) -> Finding {
        Finding {
            level: Level::Row,
            rule: self.rule,
            file: at.file.to_owned(),
            row: at.row,
            record: id.unwrap_or_default().to_owned(),
            field: self.field.to_owned(),
            detail: self.detail,
        }
    }
}

/// A value, or why there is none; boxed, so that a good record does not pay for it.
pub(crate) type Read<T> = Result<T, Box<Fault>>;

#[cold]
pub(crate) fn fault(rule: &'static str, field: &'static str, detail: impl Into<String>) -> Box<Fault> {
    Box::new(Fault { rule, field, detail: detail.into() })
}

/// An id, if it is one: not longer than 255 bytes, without control characters. Providers use more letters than the CSV
/// binding has.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() <= ID_BYTES_MAX && !text.chars().any(char::is_control)
}

pub(crate) fn id<'a>(field: &'static str, value: &'a Loose<'_>) -> Read<&'a str> {
    id_if_any(field, value)?.ok_or_else(|| fault("required_blank", field, "an id is required"))
}

pub(crate) fn id_if_any<'a>(field: &'static str, value: &'a Loose<'_>) -> Read<Option<&'a str>> {
    if *value == Loose::Other {
        return Err(fault("bad_guid", field, "expected an id, found a list or an object"));
    }
    match value.text() {
        Some(text) if !is_id(text) => Err(fault("bad_guid", field, "it is too long or has control characters")),
        found => Ok(found),
    }
}

pub(crate) fn reference<'a>(field: &'static str, value: &'a Ref<'_>) -> Read<&'a str> {
    reference_if_any(field, value)?.ok_or_else(|| fault("required_blank", field, "a reference with a sourcedId is required"))
}

pub(crate) fn reference_if_any<'a>(field: &'static str, value: &'a Ref<'_>) -> Read<Option<&'a str>> {
    id_if_any(field, &value.0)
}

/// The ids of a list, joined by `,` as the intake wants them.
pub(crate) fn references<'b>(field: &'static str, values: &Many<Ref<'_>>, buffer: &'b mut String) -> Read<&'b str> {
    buffer.clear();
    for value in &values.0 {
        let id = reference(field, value)?;
        if id.contains(',') {
            return Err(fault("bad_guid", field, "an id of a list has a comma in it"));
        }
        join(buffer, id);
    }
    Ok(buffer)
}

/// The words of a list, joined by `,`; a comma in one of them is as good as two words.
pub(crate) fn words<'b>(values: &Many<Loose<'_>>, buffer: &'b mut String) -> &'b str {
    buffer.clear();
    for word in values.0.iter().flat_map(|value| value.or_empty().split(',')) {
        let word = word.trim();
        if !word.is_empty() {
            join(buffer, word);
        }
    }
    buffer
}

fn join(buffer: &mut String, item: &str) {
    if !buffer.is_empty() {
        buffer.push(',');
    }
    buffer.push_str(item);
}

pub(crate) fn required<'a>(field: &'static str, value: &'a Loose<'_>) -> Read<&'a str> {
    value.text().ok_or_else(|| fault("required_blank", field, "a value is required"))
}

/// A word of the standard whatever its letter case; others stand as they are, and the second value is `false`.
pub(crate) fn word<'a>(value: &'a str, known: &[&'static str]) -> (&'a str, bool) {
    match known.iter().find(|word| word.eq_ignore_ascii_case(value)) {
        Some(word) => (word, true),
        None => (value, value.strip_prefix("ext:").is_some_and(|rest| !rest.is_empty())),
    }
}

pub(crate) fn boolean_if_any(field: &'static str, value: &Loose<'_>) -> Read<Option<bool>> {
    match value.text() {
        None if *value == Loose::Other => Err(fault("bad_boolean", field, "expected `true` or `false`")),
        None => Ok(None),
        Some(text) if text.eq_ignore_ascii_case("true") || text == "1" => Ok(Some(true)),
        Some(text) if text.eq_ignore_ascii_case("false") || text == "0" => Ok(Some(false)),
        Some(_) => Err(fault("bad_boolean", field, "expected `true` or `false`")),
    }
}

/// First and last day, both inclusive, of a begin and an exclusive end; a blank one is open. A time after the date is cut off.
pub(crate) fn span(
    (begin_field, begin): (&'static str, &Loose<'_>),
    (end_field, end): (&'static str, &Loose<'_>),
) -> Read<(Day, Day)> {
    let first = day_if_any(begin_field, begin)?.unwrap_or(Day::MIN);
    let Some(after) = day_if_any(end_field, end)? else { return Ok((first, Day::MAX)) };
    if after < first {
        let detail = format!("the end date {after} lies before the begin date {first}");
        return Err(fault("bad_date", end_field, detail));
    }
    Ok((first, after.plus(-1)))
}

fn day_if_any(field: &'static str, value: &Loose<'_>) -> Read<Option<Day>> {
    let Some(text) = value.text() else { return Ok(None) };
    let date = match text.as_bytes().get(10) {
        None | Some(b'T' | b' ') => text.get(..10).and_then(Day::parse),
        Some(_) => None,
    };
    date.map(Some).ok_or_else(|| fault("bad_date", field, "expected YYYY-MM-DD"))
}

/// When a record was changed: any form with one meaning; without a zone it is UTC (oneroster-rest §4).
pub(crate) fn modified(value: &Loose<'_>) -> Read<Option<Instant>> {
    let Some(text) = value.text() else { return Ok(None) };
    let told = Instant::parse(text).or_else(|| {
        let local: jiff::civil::DateTime = text.parse().ok()?;
        let at = local.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Instant(at.timestamp().as_millisecond()))
    });
    told.map(Some).ok_or_else(|| fault("bad_datetime", "dateLastModified", "expected YYYY-MM-DDTHH:MM:SS.sssZ"))
}

/// Whether the record lives; drops letter case, `-` and `_` (oneroster-rest §4).
pub(crate) fn status(value: &Loose<'_>) -> Read<RowStatus> {
    let text = required("status", value)?;
    let letters = || text.bytes().filter(|byte| !b"-_ ".contains(byte)).map(|byte| byte.to_ascii_lowercase());
    if text == "active" || letters().eq(b"active".iter().copied()) {
        Ok(RowStatus::Active)
    } else if [&b"tobedeleted"[..], b"inactive"].iter().any(|word| letters().eq(word.iter().copied())) {
        Ok(RowStatus::Ended)
    } else {
        Err(fault("bad_enum", "status", "expected `active` or `tobedeleted`"))
    }
}

/// What all records have.
pub(crate) fn head<'a>(at: RowAt, id_value: &'a Loose<'_>, status_value: &Loose<'_>, when: &Loose<'_>) -> Read<RowHead<'a>> {
    Ok(RowHead { at, id: id("sourcedId", id_value)?, status: status(status_value)?, modified: modified(when)? })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use crate::base::{Day, Instant};
    use crate::roster::RowStatus;
    use crate::source::oneroster::parse::{boolean_if_any, id, is_id, modified, span, status, word, words};
    use crate::source::oneroster::wire::{Loose, Many};

    fn text(text: &str) -> Loose<'_> {
        Loose::Text(Cow::Borrowed(text))
    }

    #[test]
    fn values() {
        for (told, means) in [
            ("2024-01-31T08:15:00.000Z", Some("2024-01-31T08:15:00Z")),
            ("2024-01-31T08:15:00+01:00", Some("2024-01-31T07:15:00Z")),
            ("2024-01-31T08:15:00", Some("2024-01-31T08:15:00Z")),
            ("2024-01-31 08:15:00", Some("2024-01-31T08:15:00Z")),
            ("2024-01-31", Some("2024-01-31T00:00:00Z")),
            ("31.1.2024", None),
        ] {
            assert_eq!(modified(&text(told)).ok().flatten(), means.and_then(Instant::parse), "{told}");
        }
        assert_eq!(modified(&text("  ")).expect("blank"), None);
        for (told, means) in [
            ("active", Some(RowStatus::Active)),
            ("ACTIVE", Some(RowStatus::Active)),
            ("to-be-deleted", Some(RowStatus::Ended)),
            ("TO_BE_DELETED", Some(RowStatus::Ended)),
            ("ToBeDeleted", Some(RowStatus::Ended)),
            ("inactive", Some(RowStatus::Ended)),
            ("pending", None),
            ("", None),
        ] {
            assert_eq!(status(&text(told)).ok(), means, "{told}");
        }
        for (told, means) in [("TRUE", Some(Some(true))), ("false", Some(Some(false))), ("", Some(None)), ("yes", None)] {
            assert_eq!(boolean_if_any("x", &text(told)).ok(), means, "{told}");
        }
        assert_eq!(word("TEACHER", &["teacher"]), ("teacher", true));
        assert_eq!((word("ext:coach", &["teacher"]), word("boss", &["teacher"])), (("ext:coach", true), ("boss", false)));
        assert!(is_id("a|b @/{}") && !is_id("a\nb") && !is_id(&"x".repeat(256)));
        assert_eq!(
            (id("x", &text(" 7 ")).ok(), id("x", &Loose::Other).is_err(), id("x", &text("")).is_err()),
            (Some("7"), true, true)
        );
        let grades = Many(vec![text("09"), text("10, 11"), Loose::Absent]);
        assert_eq!(words(&grades, &mut String::new()), "09,10,11");
    }

    #[test]
    fn ends_are_exclusive_on_the_wire_and_inclusive_here() {
        let days = |begin: &str, end: &str| span(("beginDate", &text(begin)), ("endDate", &text(end))).ok();
        let day = |text: &str| Day::parse(text).expect("a day");
        assert_eq!(days("2024-08-19", "2025-06-14"), Some((day("2024-08-19"), day("2025-06-13"))));
        assert_eq!(days("2024-08-19T00:00:00Z", ""), Some((day("2024-08-19"), Day::MAX)));
        assert_eq!(days("", "2024-08-19"), Some((Day::MIN, day("2024-08-18"))));
        for (begin, end) in [("2025-01-01", "2024-01-01"), ("1/2/2024", ""), ("2024-08-19x", "")] {
            assert_eq!(days(begin, end), None, "{begin} {end}");
        }
    }
}
