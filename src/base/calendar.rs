//! Local days: which day it is where the pool is, and which days count as business days.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::base::day::{Day, Instant};

/// A time zone, a weekend and holidays. Always injected; nothing reads the machine's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    zone: TimeZone,
    weekend: [bool; 7],
    holidays: BTreeSet<Day>,
}

impl Calendar {
    /// A calendar in the IANA zone `zone` (`None` if there is none of that name) with a Saturday–Sunday weekend.
    pub fn in_zone(zone: &str) -> Option<Self> {
        let zone = TimeZone::get(zone).ok()?;
        Some(Self { zone, weekend: [false, false, false, false, false, true, true], holidays: BTreeSet::new() })
    }

    /// UTC, Saturday–Sunday weekend, no holidays.
    pub fn utc() -> Self {
        Self { zone: TimeZone::UTC, weekend: [false, false, false, false, false, true, true], holidays: BTreeSet::new() }
    }

    /// The same calendar with these weekend days (0 is Monday) and holidays.
    #[must_use]
    pub fn with_days_off(mut self, weekend: &[usize], holidays: impl IntoIterator<Item = Day>) -> Self {
        self.weekend = std::array::from_fn(|day| weekend.contains(&day));
        self.holidays = holidays.into_iter().collect();
        self
    }

    /// The local date of an instant.
    pub fn day_of(&self, at: Instant) -> Day {
        Day::from_date(at.timestamp().to_zoned(self.zone.clone()).date())
    }

    /// The instant at which a local date starts: midnight, or the first instant after a gap at midnight.
    pub fn start_of(&self, day: Day) -> Instant {
        if day == Day::MIN {
            return Instant::MIN;
        }
        if day == Day::MAX {
            return Instant::MAX;
        }
        day.date()
            .to_zoned(self.zone.clone())
            .and_then(|midnight| midnight.start_of_day())
            .map_or(Instant(i64::from(day.0) * 86_400_000), |z| Instant(z.timestamp().as_millisecond()))
    }

    /// "End of day D" = the instant local date D + 1 starts (domain rules §1).
    pub fn end_of(&self, day: Day) -> Instant {
        self.start_of(if day == Day::MAX { day } else { day.plus(1) })
    }

    /// Neither weekend nor holiday.
    pub fn is_business_day(&self, day: Day) -> bool {
        !self.weekend[day.weekday()] && !self.holidays.contains(&day)
    }

    /// Business days strictly after `from` and up to and including `to`.
    pub fn business_days_between(&self, from: Day, to: Day) -> u32 {
        let days = (i64::from(from.0) + 1..=i64::from(to.0)).filter_map(|day| i32::try_from(day).ok());
        u32::try_from(days.filter(|day| self.is_business_day(Day(*day))).count()).unwrap_or(u32::MAX)
    }

    /// The `count`-th business day strictly after `day`; `day` itself for 0. [`Day::MAX`] where there is none: a week
    /// may be all weekend.
    pub fn business_day_after(&self, day: Day, count: u32) -> Day {
        let mut left = count;
        let mut day = day;
        // However many holidays there are, they end: without any, a week has a business day or no week has.
        let days_max = i64::from(count).saturating_mul(7).saturating_add(self.holidays.len() as i64).saturating_add(7);
        for _ in 0..days_max {
            if left == 0 {
                return day;
            }
            day = day.plus(1);
            left -= u32::from(self.is_business_day(day));
        }
        if left == 0 { day } else { Day::MAX }
    }

    /// The weekdays that are no business days; 0 is Monday.
    pub fn weekend(&self) -> impl Iterator<Item = usize> {
        (0..7).filter(|day| self.weekend[*day])
    }

    /// The holidays from `from` up to and including `to`.
    pub fn holidays(&self, from: Day, to: Day) -> impl Iterator<Item = Day> {
        let none = from > to;
        let (from, to) = if none { (to, to) } else { (from, to) };
        self.holidays.range(from..=to).copied().filter(move |_| !none)
    }

    /// The zone's IANA name, or `UTC`.
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The zone itself, for the schedule.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

#[cfg(test)]
mod tests {
    use crate::base::{Calendar, Day, Instant};

    #[test]
    fn days_are_local() {
        let ny = Calendar::in_zone("America/New_York").expect("zone");
        let day = Day::parse("2026-08-31").expect("day");
        assert_eq!(ny.end_of(day), Instant::parse("2026-09-01T04:00:00Z").expect("instant"));
        assert_eq!(ny.day_of(Instant::parse("2026-09-01T03:59:59Z").expect("instant")), day);
        assert!(Calendar::in_zone("Mars/Olympus").is_none());
    }

    #[test]
    fn business_days_are_counted_after_a_day_and_up_to_another() {
        let day = |text| Day::parse(text).expect("day");
        let calendar = Calendar::utc().with_days_off(&[5, 6], [day("2026-04-03"), day("2026-04-06")]);
        for (from, to, count) in [
            ("2026-03-27", "2026-03-27", 0),
            ("2026-03-27", "2026-03-30", 1),
            ("2026-03-27", "2026-04-14", 10),
            ("2026-04-02", "2026-04-07", 1),
            ("2026-04-07", "2026-04-02", 0),
        ] {
            assert_eq!(calendar.business_days_between(day(from), day(to)), count, "{from} to {to}");
        }
        for (from, count, to) in [
            ("2026-03-27", 0, "2026-03-27"),
            ("2026-03-27", 1, "2026-03-30"),
            ("2026-03-28", 10, "2026-04-14"),
            ("2026-04-02", 1, "2026-04-07"),
        ] {
            assert_eq!(calendar.business_day_after(day(from), count), day(to), "{count} after {from}");
        }
        let never = Calendar::utc().with_days_off(&[0, 1, 2, 3, 4, 5, 6], []);
        assert_eq!(never.business_day_after(day("2026-04-02"), 1), Day::MAX);
        let holidays: Vec<Day> = calendar.holidays(day("2026-04-04"), day("2026-12-31")).collect();
        assert_eq!(holidays, [day("2026-04-06")]);
        assert_eq!(calendar.holidays(day("2026-04-07"), day("2026-04-01")).count(), 0);
        assert_eq!(calendar.weekend().collect::<Vec<_>>(), [5, 6]);
    }
}
