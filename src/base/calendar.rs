//! Local days: which day it is where the pool is, and which days count as business days.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::base::day::{Day, Instant};

/// A time zone, a weekend and holidays. Always injected; nothing reads the machine's zone.
#[derive(Clone, Debug, PartialEq)]
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
}
