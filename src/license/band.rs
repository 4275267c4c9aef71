//! Bands: how far over a pool is, in whole numbers only.

use crate::base::Seats;
use crate::license::books::Band;
use crate::license::pool::OverageLimits;

/// The band of `used` against the effective allowance; `None` is unlimited and never over (R19, R58, R59, R73).
///
/// The floor makes so many seats over at worst minor, however small the pool (R72); it wins over the gap as well.
pub fn band(used: Seats, effective: Option<Seats>, limits: &OverageLimits) -> Band {
    let Some(effective) = effective else { return Band::Within };
    let OverageLimits { minor_percent, major_percent, minor_floor } = *limits;
    let used_hundredfold = u64::from(used.0) * 100;
    let percent_of_effective = |percent: u32| u64::from(percent) * u64::from(effective.0);
    if used <= effective {
        Band::Within
    } else if used_hundredfold <= percent_of_effective(minor_percent)
        || u64::from(used.0) <= u64::from(effective.0) + u64::from(minor_floor.0)
    {
        Band::Minor
    } else if used_hundredfold <= percent_of_effective(major_percent) {
        Band::Gap
    } else {
        Band::Major
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use crate::base::Seats;
    use crate::license::band::band;
    use crate::license::books::Band;
    use crate::license::pool::OverageLimits;

    fn contract(used: u32, effective: u32) -> Band {
        band(Seats(used), Some(Seats(effective)), &OverageLimits::CONTRACT)
    }

    #[test]
    fn t1_bands() {
        // Allowance; last used value of within, minor and gap (`None`: the band is empty); first value of major.
        for (a, within, minor, gap, major) in [
            (0, 0, None, None, 1),
            (1, 1, None, None, 2),
            (10, 10, None, None, 11),
            (16, 16, None, None, 17),
            (17, 17, None, Some(18), 19),
            (19, 19, None, Some(20), 21),
            (20, 20, Some(21), None, 22),
            (34, 34, Some(35), Some(36), 37),
            (40, 40, Some(42), None, 43),
            (50, 50, Some(52), Some(53), 54),
            (95, 95, Some(99), Some(100), 101),
            (100, 100, Some(105), Some(106), 107),
            (101, 101, Some(106), Some(107), 108),
            (150, 150, Some(157), Some(159), 160),
            (200, 200, Some(210), Some(212), 213),
            (1000, 1000, Some(1050), Some(1060), 1061),
            (1001, 1001, Some(1051), Some(1061), 1062),
            (1050, 1050, Some(1102), Some(1113), 1114),
        ] {
            let last = |band: Band| (0..=major + 50).rev().find(|u| contract(*u, a) == band);
            assert_eq!(last(Band::Within), Some(within), "within of {a}");
            assert_eq!(last(Band::Minor), minor, "minor of {a}");
            assert_eq!(last(Band::Gap), gap, "gap of {a}");
            assert_eq!((0..=major + 50).find(|u| contract(*u, a) == Band::Major), Some(major), "major of {a}");
        }
    }

    #[test]
    fn t1_the_floor_makes_small_overages_minor() {
        let limits = OverageLimits { minor_floor: Seats(1), ..OverageLimits::CONTRACT };
        for (a, u, expected) in [
            (10, 10, Band::Within),
            (10, 11, Band::Minor),
            (10, 12, Band::Major),
            (0, 1, Band::Minor),
            (0, 2, Band::Major),
            (17, 18, Band::Minor),
        ] {
            assert_eq!(band(Seats(u), Some(Seats(a)), &limits), expected, "{u} of {a}");
        }
    }

    #[test]
    fn t2_the_band_is_never_read_from_a_rounded_percentage() {
        for (used, limit, expected) in [
            (0, 10, Band::Within),
            (2, 10, Band::Within),
            (1, 3, Band::Within),
            (2, 3, Band::Within),
            (1, 16, Band::Within),
            (1999, 2000, Band::Within),
            (1050, 1000, Band::Minor),
            (10_498, 9999, Band::Minor),
            (10_499, 9999, Band::Gap),
            (1051, 1000, Band::Gap),
            (5, 0, Band::Major),
            (0, 0, Band::Within),
        ] {
            assert_eq!(contract(used, limit), expected, "{used}/{limit}");
        }
        assert_eq!(band(Seats(u32::MAX), None, &OverageLimits::CONTRACT), Band::Within);
        assert_eq!(contract(u32::MAX, u32::MAX - 1), Band::Minor);
    }

    proptest! {
        #[test]
        fn i8_monotone_in_used_and_antitone_in_allowance(
            used in proptest::prop_oneof![0u32..3200, any::<u32>()],
            effective in 0u32..3000,
            more in 0u32..3000,
            minor_percent in 100u32..130,
            gap in 0u32..10,
            floor in 0u32..5,
            unlimited in any::<bool>(),
        ) {
            let limits = OverageLimits { minor_percent, major_percent: minor_percent + gap, minor_floor: Seats(floor) };
            let at = |u: u32, e: u32| band(Seats(u), (!unlimited).then_some(Seats(e)), &limits);
            assert!(at(used, effective) <= at(used.saturating_add(more), effective));
            assert!(at(used, effective) >= at(used, effective + more));
        }
    }
}
