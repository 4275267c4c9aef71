//! Times of the local day or week in which somebody is left alone.

use std::fmt;

use crate::base::calendar::Calendar;
use crate::base::day::Instant;

const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A window that comes again each day or each week; the first minute belongs to it, the last one does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// Minutes from midnight, or from Monday's.
    from: u32,
    to: u32,
    weekly: bool,
}

impl QuietHours {
    /// Reads `22:00-06:00`, which is meant each day, or `Fri 22:00-Sat 06:00`, each week. `None` for anything else, and for a
    /// window that begins where it ends.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let ((first, from), (last, to)) = (moment(from)?, moment(to)?);
        let (weekly, from, to) = match (first, last) {
            (None, None) => (false, from, to),
            (Some(first), Some(last)) => (true, first * DAY + from, last * DAY + to),
            (Some(_), None) | (None, Some(_)) => return None,
        };
        (from != to).then_some(Self { from, to, weekly })
    }

    /// Whether an instant lies in it, by the wall clock of a calendar.
    pub fn covers(&self, at: Instant, calendar: &Calendar) -> bool {
        let local = at.timestamp().to_zoned(calendar.zone().clone());
        let minute = |part: i8| u32::try_from(part).unwrap_or(0);
        let of_day = minute(local.hour()) * 60 + minute(local.minute());
        let of_week = minute(local.weekday().to_monday_zero_offset()) * DAY + of_day;
        let (period, now) = if self.weekly { (WEEK, of_week) } else { (DAY, of_day) };
        (now + period - self.from) % period < (self.to + period - self.from) % period
    }
}

/// A weekday, 0 for Monday, and minutes since midnight.
fn moment(text: &str) -> Option<(Option<u32>, u32)> {
    let text = text.trim();
    let (day, time) = match text.split_once(' ') {
        Some((day, time)) => {
            let day = WEEKDAYS.iter().position(|known| known.eq_ignore_ascii_case(day))?;
            (Some(u32::try_from(day).ok()?), time.trim())
        }
        None => (None, text),
    };
    let (hours, minutes) = time.split_once(':')?;
    let number = |text: &str, below: u32| {
        let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|number| is_plain && *number < below)
    };
    Some((day, number(hours, 24)? * 60 + number(minutes, 60)?))
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |minute: u32| {
            let day = WEEKDAYS.get((minute / DAY) as usize).filter(|_| self.weekly);
            let day = day.map(|day| format!("{day} ")).unwrap_or_default();
            format!("{day}{:02}:{:02}", minute % DAY / 60, minute % 60)
        };
        write!(f, "{}-{}", shown(self.from), shown(self.to))
    }
}

#[cfg(test)]
mod tests {
    use crate::base::{Calendar, Instant, QuietHours};

    #[test]
    fn windows_of_the_day_and_of_the_week_by_the_local_clock() {
        let zone = Calendar::in_zone("America/New_York").expect("a zone");
        let cases: [(&str, &[&str], &[&str]); 4] = [
            // 2 March 2026 is a Monday; New York is five hours behind.
            (
                "01:00-03:30",
                &["2026-03-02T06:00:00Z", "2026-03-03T08:29:59Z"],
                &["2026-03-02T05:59:00Z", "2026-03-02T08:30:00Z"],
            ),
            (
                "22:00-06:00",
                &["2026-03-02T03:00:00Z", "2026-03-02T10:59:00Z"],
                &["2026-03-02T11:00:00Z", "2026-03-02T02:59:00Z"],
            ),
            (
                "Fri 22:00-Sat 06:00",
                &["2026-03-07T03:00:00Z", "2026-03-07T10:59:00Z"],
                &["2026-03-07T02:59:00Z", "2026-03-07T11:00:00Z", "2026-03-06T04:00:00Z"],
            ),
            ("sun 20:00-Mon 04:00", &["2026-03-02T02:00:00Z", "2026-03-02T08:59:00Z"], &["2026-03-02T09:00:00Z"]),
        ];
        for (text, inside, outside) in cases {
            let hours = QuietHours::parse(text).expect(text);
            assert!(hours.to_string().eq_ignore_ascii_case(text));
            let covers = |at: &&str| hours.covers(Instant::parse(at).expect("a moment"), &zone);
            assert!(inside.iter().all(covers) && !outside.iter().any(covers), "{text}");
        }
        // Summer time is the wall's.
        let early = QuietHours::parse("01:00-03:30").expect("hours");
        assert!(early.covers(Instant::parse("2026-07-01T05:00:00Z").expect("a moment"), &zone));
        for wrong in
            ["", "1:00-2:00", "01:00", "24:00-25:00", "01:60-02:00", "Fri 22:00-06:00", "Fry 22:00-Sat 06:00", "02:00-02:00"]
        {
            assert_eq!(QuietHours::parse(wrong), None, "{wrong}");
        }
    }
}
