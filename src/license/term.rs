//! License years, counted from the original anchor (R18).

use jiff::civil::Date;

use crate::base::Day;

/// The first day of license year `k` (0 is the anchor's own): anchor + 12·k months, the day clamped to the month's end.
/// Never computed from the previous boundary, so that 29 February comes back in leap years (T19). Years that no
/// calendar knows give [`Day::MIN`] or [`Day::MAX`].
pub fn year_start(anchor: Day, k: i32) -> Day {
    let anchor = anchor.date();
    let Ok(year) = i16::try_from(i32::from(anchor.year()).saturating_add(k)) else {
        return if k < 0 { Day::MIN } else { Day::MAX };
    };
    match Date::new(year, anchor.month(), 1) {
        Ok(first) => {
            let day = anchor.day().min(first.days_in_month());
            Day::from_ymd(year, anchor.month(), day).unwrap_or(Day::MAX)
        }
        Err(_) if k < 0 => Day::MIN,
        Err(_) => Day::MAX,
    }
}

/// The license year that contains `on`: its first day, and the first day of the next (R18).
pub fn license_year(anchor: Day, on: Day) -> (Day, Day) {
    let years = i32::from(on.date().year()) - i32::from(anchor.date().year());
    let k = if year_start(anchor, years) > on { years - 1 } else { years };
    (year_start(anchor, k), year_start(anchor, k + 1))
}

/// The first two terms that overlap, by position; terms are half-open, and an empty one overlaps nothing (R18).
pub fn overlaps<T: Copy + Ord>(terms: &[(T, T)]) -> Option<(usize, usize)> {
    let mut order: Vec<usize> = (0..terms.len()).filter(|at| terms[*at].0 < terms[*at].1).collect();
    order.sort_by_key(|at| (terms[*at], *at));
    // As long as nothing overlaps, the previous term is also the one that ends last.
    order.windows(2).find(|pair| terms[pair[1]].0 < terms[pair[0]].1).map(|pair| (pair[0].min(pair[1]), pair[0].max(pair[1])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use crate::base::Day;
    use crate::license::term::{license_year, overlaps, year_start};

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a date")
    }

    #[test]
    fn t19_anniversaries_of_a_leap_day() {
        let anchor = day("2024-02-29");
        for (k, start) in [
            (-1, "2023-02-28"),
            (0, "2024-02-29"),
            (1, "2025-02-28"),
            (2, "2026-02-28"),
            (3, "2027-02-28"),
            (4, "2028-02-29"),
            (5, "2029-02-28"),
            (-24, "2000-02-29"),
        ] {
            assert_eq!(year_start(anchor, k), day(start), "year {k}");
        }
    }

    #[test]
    fn a_day_lies_in_one_year() {
        for (anchor, on, start, end) in [
            ("2024-02-29", "2025-02-27", "2024-02-29", "2025-02-28"),
            ("2024-02-29", "2025-02-28", "2025-02-28", "2026-02-28"),
            ("2024-02-29", "2028-02-28", "2027-02-28", "2028-02-29"),
            ("2024-02-29", "2028-02-29", "2028-02-29", "2029-02-28"),
            ("2026-01-01", "2026-12-31", "2026-01-01", "2027-01-01"),
            ("2027-09-01", "2028-02-29", "2027-09-01", "2028-09-01"),
            ("2026-07-01", "2024-06-30", "2023-07-01", "2024-07-01"),
            ("2026-07-01", "2026-07-01", "2026-07-01", "2027-07-01"),
        ] {
            assert_eq!(license_year(day(anchor), day(on)), (day(start), day(end)), "{on} from {anchor}");
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        assert_eq!(year_start(day("2026-01-01"), i32::MAX), Day::MAX);
        assert_eq!(year_start(day("2026-01-01"), i32::MIN), Day::MIN);
        assert_eq!(year_start(day("2026-01-01"), 9000), Day::MAX);
        assert_eq!(license_year(day("2026-01-01"), Day::MAX).1, Day::MAX);
        assert!(license_year(day("2026-07-01"), Day::MIN).0 < day("0002-01-01"));
    }

    #[test]
    fn terms_may_touch_but_not_overlap() {
        let term = |a: &str, b: &str| (day(a), day(b));
        let (one, two) = (term("2025-07-01", "2026-07-01"), term("2026-07-01", "2027-07-01"));
        assert_eq!(overlaps(&[two, one]), None);
        assert_eq!(overlaps(&[two, one, term("2026-06-30", "2026-07-01")]), Some((1, 2)));
        assert_eq!(overlaps(&[one, two, one]), Some((0, 2)));
        assert_eq!(overlaps(&[one, term("2026-01-01", "2026-01-01")]), None, "an empty term");
        assert_eq!(overlaps(&[term("2020-01-01", "2030-01-01"), one]), Some((0, 1)));
        assert_eq!(overlaps::<Day>(&[]), None);
    }

    proptest! {
        #[test]
        fn years_tile_the_calendar(anchor in -200_000i32..200_000, offset in -100_000i32..100_000) {
            let (anchor, on) = (Day(anchor), Day(anchor + offset));
            let (start, end) = license_year(anchor, on);
            assert!(start <= on && on < end);
            assert!((365..=366).contains(&(end.0 - start.0)));
            assert_eq!(license_year(anchor, end).0, end);
            assert_eq!(license_year(anchor, start.plus(-1)).1, start);
        }
    }
}
