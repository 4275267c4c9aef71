//! Days and instants. A `Day` is a local calendar date, an `Instant` a moment in UTC; only a `Calendar` converts.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

/// A calendar date, as days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// Before every date: "has no start".
    pub const MIN: Day = Day(i32::MIN);
    /// After every date: "has no end".
    pub const MAX: Day = Day(i32::MAX);

    /// The date of a year, month (1–12) and day (1–31); `None` if there is no such date.
    pub fn from_ymd(year: i16, month: i8, day: i8) -> Option<Self> {
        Date::new(year, month, day).ok().map(Self::from_date)
    }

    /// Reads `YYYY-MM-DD` and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let digits = |range: std::ops::Range<usize>| -> Option<i16> {
            bytes[range].iter().try_fold(0i16, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i16::from(b - b'0')))
        };
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        Self::from_ymd(digits(0..4)?, i8::try_from(digits(5..7)?).ok()?, i8::try_from(digits(8..10)?).ok()?)
    }

    /// The day `days` later (earlier if negative).
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// 0 is Monday, 6 is Sunday.
    pub fn weekday(self) -> usize {
        (i64::from(self.0) + 3).rem_euclid(7) as usize
    }

    pub(crate) fn from_date(date: Date) -> Self {
        let epoch = Date::constant(1970, 1, 1);
        Self(date.duration_since(epoch).as_hours() as i32 / 24)
    }

    /// The civil date, clamped to the years a calendar knows.
    pub(crate) fn date(self) -> Date {
        const DAYS_MIN: i32 = -719_162; // 0001-01-01
        const DAYS_MAX: i32 = 2_932_896; // 9999-12-31
        let span = jiff::Span::new().days(self.0.clamp(DAYS_MIN, DAYS_MAX));
        Date::constant(1970, 1, 1).saturating_add(span)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Day::MIN => f.pad("-∞"),
            Day::MAX => f.pad("∞"),
            day => f.pad(&day.date().to_string()),
        }
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A moment, as milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

impl Instant {
    /// Before every moment: "since ever".
    pub const MIN: Instant = Instant(i64::MIN);
    /// After every moment: "for good".
    pub const MAX: Instant = Instant(i64::MAX);

    /// Reads an RFC 3339 timestamp with an offset or `Z`.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }

    /// The same, or a date for its midnight in UTC.
    pub fn parse_or_midnight(text: &str) -> Option<Self> {
        Self::parse(text).or_else(|| Day::parse(text).map(|day| Self(i64::from(day.0) * 86_400_000)))
    }

    /// The moment `millis` later (earlier if negative).
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    pub(crate) fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Instant::MIN => f.pad("-∞"),
            Instant::MAX => f.pad("∞"),
            instant => f.pad(&instant.timestamp().to_string()),
        }
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use crate::base::{Day, Instant};

    #[test]
    fn only_iso_dates_are_dates() {
        assert_eq!(Day::parse("1970-01-02"), Some(Day(1)));
        assert_eq!(Day::parse("2026-03-10").map(|d| d.to_string()).as_deref(), Some("2026-03-10"));
        for bad in ["1/05/2023", "2023-5-1", "2023-02-30", "2023-05-01T", "", "2023-05-0a", "+023-05-01"] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn weekdays_start_on_monday() {
        assert_eq!(Day::parse("2026-03-02").map(Day::weekday), Some(0));
        assert_eq!(Day::parse("2026-03-29").map(Day::weekday), Some(6));
        assert_eq!(Day(-4).weekday(), 6);
    }

    #[test]
    fn the_ends_of_time_print_and_do_not_overflow() {
        assert_eq!(Day::MAX.plus(1), Day::MAX);
        assert_eq!(Instant::MIN.plus_millis(-1), Instant::MIN);
        assert_eq!(format!("{:?}", Instant::MAX), "∞");
    }
}
