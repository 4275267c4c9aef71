//! Which night is due: a pure function of the cron pattern, the zone and now. The cron library's own clock is never
//! trusted with it: it would skip or double a night when the clocks change.

use chrono::{DateTime, Duration, NaiveDate, Timelike, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime as CivilDateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::base::{Calendar, Day, Instant};

/// So long a night is due without being missed.
const JUST_DUE_MILLIS: i64 = 10 * 60_000;

/// A nightly schedule: a cron pattern of five fields, read in a calendar's zone.
pub struct Nightly {
    cron: Cron,
    calendar: Calendar,
}

impl Nightly {
    /// Reads a pattern; `None` if it is not one. The settings were checked before.
    pub fn new(pattern: &str, calendar: &Calendar) -> Option<Self> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        Some(Self { cron: parser.parse(pattern).ok()?, calendar: calendar.clone() })
    }

    /// The instant at which the schedule fires on a local date: the pattern's first time of that date. A time that the
    /// clocks skip fires at the next instant there is, one that they repeat fires the first time only (R95, T12).
    pub fn fires(&self, day: Day) -> Option<Instant> {
        let midnight = NaiveDate::from_ymd_opt(1970, 1, 1)?.and_hms_opt(0, 0, 0)? + Duration::days(day.0.into());
        let midnight = DateTime::<Utc>::from_naive_utc_and_offset(midnight, Utc);
        let fires = self.cron.find_next_occurrence(&midnight, true).ok()?;
        if fires.date_naive() != midnight.date_naive() {
            return None;
        }
        let minutes = i64::from(fires.hour()) * 60 + i64::from(fires.minute());
        let civil: CivilDateTime = jiff::civil::Date::constant(1970, 1, 1)
            .checked_add(jiff::Span::new().days(day.0))
            .ok()?
            .at(0, 0, 0, 0)
            .checked_add(jiff::Span::new().minutes(minutes))
            .ok()?;
        Some(instant_of(self.calendar.zone(), civil))
    }

    /// When it last fired at or before an instant, within so many dates.
    pub fn fired_by(&self, at: Instant, days_max: i32) -> Option<Instant> {
        let day = self.calendar.day_of(at);
        (0..=days_max).find_map(|back| self.fires(day.plus(-back)).filter(|fired| *fired <= at))
    }

    /// The local date whose run is due now unless it was scheduled already: the newest one that fired, not before
    /// `window_hours` ago. Several missed nights become one (R100). Whoever asks every minute is never quite on time: a night
    /// that is only just due is never missed, whatever the window.
    pub fn due(&self, now: Instant, window_hours: u32) -> Option<Day> {
        let today = self.calendar.day_of(now);
        let days_back = i32::try_from(window_hours / 24).unwrap_or(i32::MAX).saturating_add(1).min(366);
        let fired = (0..=days_back).map(|back| today.plus(-back)).find_map(|day| {
            let at = self.fires(day)?;
            (at <= now).then_some((day, at))
        });
        let (day, at) = fired?;
        let fresh = now.0 - at.0 < (i64::from(window_hours) * 3_600_000).max(JUST_DUE_MILLIS);
        fresh.then_some(day)
    }
}

fn instant_of(zone: &TimeZone, civil: CivilDateTime) -> Instant {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let timestamp = match ambiguous.offset() {
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the later offset the skipped time lies before the change; the change is the next instant there is.
            let before = after.to_timestamp(civil).ok();
            before.and_then(|before| zone.following(before).next()).map(|change| change.timestamp())
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.compatible().ok(),
    };
    timestamp.map_or(Instant::MAX, |t| Instant(t.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use crate::base::{Calendar, Day, Instant};
    use crate::service::nightly::Nightly;

    fn new_york(pattern: &str) -> Nightly {
        Nightly::new(pattern, &Calendar::in_zone("America/New_York").unwrap()).unwrap()
    }

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn t12_a_skipped_time_runs_at_the_next_instant_and_a_repeated_one_once() {
        let spring = new_york("30 2 * * *");
        assert_eq!(spring.fires(day("2026-03-08")), Some(at("2026-03-08T07:00:00Z")));
        assert_eq!(spring.fires(day("2026-03-09")), Some(at("2026-03-09T06:30:00Z")));
        let autumn = new_york("30 1 * * *");
        assert_eq!(autumn.fires(day("2026-11-01")), Some(at("2026-11-01T05:30:00Z")));
        // The second 01:30 of that night is the same date, which was scheduled by then.
        assert_eq!(autumn.due(at("2026-11-01T06:30:00Z"), 12), Some(day("2026-11-01")));
    }

    #[test]
    fn a_year_of_minutes_runs_each_local_date_once() {
        for pattern in ["30 2 * * *", "30 1 * * *", "0 0 * * *", "59 23 * * *"] {
            let nightly = new_york(pattern);
            let mut last = Some(day("2025-12-31"));
            let mut now = at("2026-01-01T05:00:00Z");
            let mut runs = 0;
            while now < at("2027-01-01T06:00:00Z") {
                if let Some(due) = nightly.due(now, 12).filter(|due| Some(*due) != last) {
                    assert_eq!(due.0, last.unwrap().0 + 1, "{pattern} at {now}");
                    last = Some(due);
                    runs += u32::from(due <= day("2026-12-31"));
                }
                now = now.plus_millis(300_000);
            }
            assert_eq!(runs, 365, "{pattern}");
        }
    }

    #[test]
    fn a_missed_night_is_made_up_for_within_the_window_and_several_become_one() {
        let nightly = new_york("30 2 * * *");
        assert_eq!(nightly.due(at("2026-06-02T18:29:00Z"), 12), Some(day("2026-06-02")));
        assert_eq!(nightly.due(at("2026-06-02T18:31:00Z"), 12), None);
        assert_eq!(nightly.due(at("2026-06-05T07:00:00Z"), 96), Some(day("2026-06-05")), "the newest alone");
    }

    #[test]
    fn without_a_window_a_night_is_due_when_its_minute_comes() {
        let nightly = new_york("30 2 * * *");
        for (now, due) in [
            ("2026-06-02T06:29:59.999Z", None),
            ("2026-06-02T06:30:00.000Z", Some(day("2026-06-02"))),
            ("2026-06-02T06:30:00.050Z", Some(day("2026-06-02"))),
            ("2026-06-02T06:39:59.999Z", Some(day("2026-06-02"))),
            ("2026-06-02T06:40:00.000Z", None),
        ] {
            assert_eq!(nightly.due(at(now), 0), due, "{now}");
        }
    }

    #[test]
    fn a_pattern_that_skips_dates_skips_them() {
        let weekdays = new_york("0 1 * * MON-FRI");
        assert_eq!(weekdays.fires(day("2026-06-06")), None);
        assert!(weekdays.fires(day("2026-06-08")).is_some());
    }
}
