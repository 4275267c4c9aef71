//! Deadlines to cure: of the minor notice in business days, of the major one in hours (R64, R66).

use crate::base::{Calendar, Instant};
use crate::license::clauses::{Clauses, CureCalendar};

const HOUR_MILLIS: i64 = 3_600_000;

/// The cure deadline of a minor notice of `issued`: the end of the tenth business day after its date (R64). A notice that
/// is written late bears the date of its stage: the days up to the next stage are counted from there as well.
pub fn minor_deadline(clauses: &Clauses, calendar: &Calendar, issued: Instant) -> Instant {
    calendar.end_of(calendar.business_day_after(calendar.day_of(issued), clauses.cure_business_days))
}

/// The end of a cure window that starts at `start` (R66): so many hours later, in UTC, across clock changes and
/// weekends; by the business calendar only hours of business days count.
pub fn major_deadline(clauses: &Clauses, calendar: &Calendar, start: Instant) -> Instant {
    let mut left = i64::from(clauses.major_cure_hours) * HOUR_MILLIS;
    if clauses.major_cure_calendar == CureCalendar::Clock {
        return start.plus_millis(left);
    }
    let mut at = start;
    let mut day = calendar.day_of(start);
    loop {
        if !calendar.is_business_day(day) {
            day = calendar.business_day_after(day, 1);
            at = calendar.start_of(day);
        }
        let end = calendar.end_of(day);
        if at == Instant::MAX || end == Instant::MAX {
            return Instant::MAX;
        }
        let room = end.0 - at.0;
        if left <= room {
            return at.plus_millis(left);
        }
        left -= room;
        day = day.plus(1);
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use crate::base::{Calendar, Day, Instant};
    use crate::license::clauses::{Clauses, CureCalendar};
    use crate::license::window::{major_deadline, minor_deadline};

    fn at(text: &str) -> Instant {
        Instant::parse(text).expect("an instant")
    }

    fn days(list: &[&str]) -> Vec<Day> {
        list.iter().map(|text| Day::parse(text).expect("a date")).collect()
    }

    fn calendar(zone: &str, weekend: &[usize], holidays: &[&str]) -> Calendar {
        Calendar::in_zone(zone).expect("a zone").with_days_off(weekend, days(holidays))
    }

    #[test]
    fn t18_24_hours_are_24_hours_across_clock_changes() {
        let london = calendar("Europe/London", &[5, 6], &[]);
        let deadline = |start: &str| major_deadline(&Clauses::CONTRACT, &london, at(start));
        assert_eq!(deadline("2026-03-28T18:00:00Z"), at("2026-03-29T19:00:00+01:00"));
        assert_eq!(deadline("2026-10-24T18:00:00+01:00"), at("2026-10-25T17:00:00Z"));
        assert_eq!(deadline("2026-03-31T07:10:00Z"), at("2026-04-01T07:10:00Z"));
    }

    #[test]
    fn business_hours_leave_out_weekends_and_holidays() {
        let clauses =
            |hours| Clauses { major_cure_calendar: CureCalendar::Business, major_cure_hours: hours, ..Clauses::CONTRACT };
        let uk = calendar("Europe/London", &[5, 6], &["2026-04-03", "2026-04-06"]);
        for (hours, start, end) in [
            (24, "2026-03-24T18:00:00Z", "2026-03-25T18:00:00Z"),
            // Friday evening: six hours of Friday, eighteen of Monday.
            (24, "2026-03-20T18:00:00Z", "2026-03-23T18:00:00Z"),
            // On Sunday the clocks change; business hours do not notice: Monday starts an hour earlier in UTC.
            (24, "2026-03-27T18:00:00Z", "2026-03-30T18:00:00+01:00"),
            // On a Saturday nothing counts before Monday.
            (24, "2026-03-21T09:00:00Z", "2026-03-24T00:00:00Z"),
            // Good Friday, a weekend and Easter Monday.
            (24, "2026-04-02T12:00:00+01:00", "2026-04-07T12:00:00+01:00"),
            (48, "2026-04-02T12:00:00+01:00", "2026-04-08T12:00:00+01:00"),
            (0, "2026-03-24T18:00:00Z", "2026-03-24T18:00:00Z"),
            // Exactly to the end of a Friday.
            (6, "2026-03-20T18:00:00Z", "2026-03-21T00:00:00Z"),
        ] {
            assert_eq!(major_deadline(&clauses(hours), &uk, at(start)), at(end), "{hours} h from {start}");
        }
        let gulf = calendar("Asia/Riyadh", &[4, 5], &[]);
        let end = major_deadline(&clauses(24), &gulf, at("2026-03-05T20:00:00+03:00"));
        assert_eq!(end, at("2026-03-08T20:00:00+03:00"), "Thursday to Sunday");
        let never = Calendar::utc().with_days_off(&[0, 1, 2, 3, 4, 5, 6], []);
        assert_eq!(major_deadline(&clauses(24), &never, at("2026-03-05T20:00:00Z")), Instant::MAX);
    }

    #[test]
    fn a_business_day_with_a_clock_change_has_the_hours_it_has() {
        // No weekend: Sunday 29 March has 23 hours.
        let clauses = Clauses { major_cure_calendar: CureCalendar::Business, ..Clauses::CONTRACT };
        let london = calendar("Europe/London", &[], &[]);
        assert_eq!(major_deadline(&clauses, &london, at("2026-03-29T00:00:00Z")), at("2026-03-30T01:00:00+01:00"));
    }

    #[test]
    fn r64_the_minor_deadline_is_the_end_of_the_tenth_business_day() {
        let london = calendar("Europe/London", &[5, 6], &[]);
        let uk = calendar("Europe/London", &[5, 6], &["2026-04-03", "2026-04-06"]);
        let chicago = calendar("America/Chicago", &[5, 6], &[]);
        for (calendar, issued, deadline) in [
            (&london, "2026-03-02T02:30:00Z", "2026-03-17T00:00:00Z"),
            // The tenth day is a Friday; the deadline its end, in summer time.
            (&london, "2026-03-27T09:00:00Z", "2026-04-11T00:00:00+01:00"),
            // It would be on a holiday: the next business day.
            (&uk, "2026-03-20T09:00:00Z", "2026-04-08T00:00:00+01:00"),
            (&uk, "2026-03-23T09:00:00Z", "2026-04-09T00:00:00+01:00"),
            // Sunday evening in UTC is still Sunday in London and in Chicago; Monday at 3 is Sunday in Chicago.
            (&chicago, "2026-03-02T03:00:00Z", "2026-03-14T00:00:00-05:00"),
        ] {
            assert_eq!(minor_deadline(&Clauses::CONTRACT, calendar, at(issued)), at(deadline), "{issued}");
        }
        let at_once = Clauses { cure_business_days: 0, ..Clauses::CONTRACT };
        assert_eq!(minor_deadline(&at_once, &london, at("2026-03-02T02:30:00Z")), at("2026-03-03T00:00:00Z"));
    }
}
