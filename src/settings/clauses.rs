//! The clauses of `[overage]` beyond its percentages, and `[tiers]`: read, checked together, built.

use crate::base::Seats;
use crate::license::{AutoUpgrade, Clauses, CureCalendar, CureFrom, GapBand, Jump, Ladder, Tier};
use crate::settings::place::join;
use crate::settings::problem::Problem;
use crate::settings::read::{Section, Wrong};
use crate::settings::words;

const SEATS_MAX: u32 = 100_000_000;
const DAYS_MAX: u32 = 1_000;

/// The keys of `[overage]` that stages and deadlines need.
#[derive(Clone, Debug, Default)]
pub struct ClausesShape {
    gap_band: Option<GapBand>,
    count_first_day: Option<bool>,
    merge_gap_business_days: Option<u32>,
    minor_business_days: Option<u32>,
    major_after_business_days: Option<u32>,
    cure_business_days: Option<u32>,
    major_cure_hours: Option<u32>,
    major_cure_calendar: Option<CureCalendar>,
    major_cure_from: Option<CureFrom>,
    auto_upgrade: Option<AutoUpgrade>,
}

/// `[tiers]`.
#[derive(Clone, Debug, Default)]
pub struct TiersShape {
    jump: Option<Jump>,
    currency: Option<String>,
    ladder: Option<Vec<(Option<u32>, Option<i64>)>>,
}

/// Reads the keys out of `[overage]`.
pub fn clauses(s: &Section<'_>) -> ClausesShape {
    ClausesShape {
        gap_band: s.parsed("gap_band", words::one_of(&GapBand::WORDS)),
        count_first_day: s.flag("count_first_day"),
        merge_gap_business_days: s.count("merge_gap_business_days", 0..=DAYS_MAX),
        minor_business_days: s.count("minor_business_days", 0..=DAYS_MAX),
        major_after_business_days: s.count("major_after_business_days", 0..=DAYS_MAX),
        cure_business_days: s.count("cure_business_days", 0..=DAYS_MAX),
        major_cure_hours: s.count("major_cure_hours", 0..=24 * 365),
        major_cure_calendar: s.parsed("major_cure_calendar", words::one_of(&CureCalendar::WORDS)),
        major_cure_from: s.parsed("major_cure_from", words::one_of(&CureFrom::WORDS)),
        auto_upgrade: s.parsed("auto_upgrade", words::one_of(&AutoUpgrade::WORDS)),
    }
}

/// Reads `[tiers]`.
pub fn tiers(s: &Section<'_>) -> TiersShape {
    let ladder = s.sections("ladder", |s| {
        let seats = s.required("seats", s.count("seats", 1..=SEATS_MAX));
        (seats, s.number("price_minor", 0..=i64::MAX))
    });
    TiersShape {
        jump: s.parsed("jump", words::one_of(&Jump::WORDS)),
        currency: s.parsed("currency", currency),
        ladder: s.has("ladder").then_some(ladder),
    }
}

fn currency(text: &str) -> Result<String, Wrong> {
    let fits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    if fits { Ok(text.to_owned()) } else { Err(Wrong::new("is not a currency such as \"EUR\"")) }
}

/// What is wrong with tiers as they are in force at one place: `own` said there, `outer` farther out. `at`: the place, and the section.
pub fn check(own: &TiersShape, outer: &[&TiersShape], at: (&str, &str), found: &mut Vec<Problem>) {
    if own.ladder.is_none() && own.currency.is_none() {
        return;
    }
    let shapes = || std::iter::once(own).chain(outer.iter().copied());
    let Some(ladder) = shapes().find_map(|shape| shape.ladder.as_ref()) else { return };
    let at = |key: &str| join(&join(at.0, at.1), key);
    let seats: Vec<u32> = ladder.iter().filter_map(|(seats, _)| *seats).collect();
    if let Some(pair) = seats.windows(2).find(|pair| pair[0] >= pair[1]) {
        let what = format!("does not rise: {} comes after {}", pair[1], pair[0]);
        found.push(Problem::new(at("ladder"), what));
    }
    let prices: Vec<i64> = ladder.iter().filter_map(|(_, price)| *price).collect();
    if let Some(pair) = prices.windows(2).find(|pair| pair[0] > pair[1]) {
        let what = format!("has a tier that costs less than the one below it: {} after {}", pair[1], pair[0]);
        found.push(Problem::new(at("ladder"), what));
    }
    if !prices.is_empty() && shapes().all(|shape| shape.currency.is_none()) {
        found.push(Problem::new(at("currency"), "is missing: the ladder has prices"));
    }
}

/// Whether the minor stage ends before the major one begins; both as they are in force at one place.
pub fn check_days(own: &ClausesShape, outer: &[&ClausesShape], at: (&str, &str), found: &mut Vec<Problem>) {
    if own.minor_business_days.is_none() && own.major_after_business_days.is_none() {
        return;
    }
    let shapes = || std::iter::once(own).chain(outer.iter().copied());
    let minor = shapes().find_map(|shape| shape.minor_business_days);
    let major = shapes().find_map(|shape| shape.major_after_business_days);
    if let (Some(minor), Some(major)) = (minor, major)
        && minor > major
    {
        let key = if own.minor_business_days.is_some() { "minor_business_days" } else { "major_after_business_days" };
        let what = format!("makes the minor stage ({minor} business days) end after the major one begins ({major})");
        found.push(Problem::new(join(&join(at.0, at.1), key), what));
    }
}

/// What the first of these says about each key. `None` only if something that must be there is absent.
pub fn build(clauses: &[&ClausesShape], tiers: &[&TiersShape]) -> Option<Clauses> {
    fn first<S, T>(shapes: &[&S], key: impl Fn(&S) -> Option<T>) -> Option<T> {
        shapes.iter().find_map(|shape| key(shape))
    }
    let ladder = first(tiers, |shape| shape.ladder.clone()).unwrap_or_default();
    let tier = |(seats, price): (Option<u32>, Option<i64>)| {
        Some(Tier { seats: Seats(seats?), price: price.and_then(|price| u64::try_from(price).ok()) })
    };
    Some(Clauses {
        gap_band: first(clauses, |shape| shape.gap_band)?,
        count_first_day: first(clauses, |shape| shape.count_first_day)?,
        merge_gap_business_days: first(clauses, |shape| shape.merge_gap_business_days)?,
        minor_business_days: first(clauses, |shape| shape.minor_business_days)?,
        major_after_business_days: first(clauses, |shape| shape.major_after_business_days)?,
        cure_business_days: first(clauses, |shape| shape.cure_business_days)?,
        major_cure_hours: first(clauses, |shape| shape.major_cure_hours)?,
        major_cure_calendar: first(clauses, |shape| shape.major_cure_calendar)?,
        major_cure_from: first(clauses, |shape| shape.major_cure_from)?,
        auto_upgrade: first(clauses, |shape| shape.auto_upgrade)?,
        ladder: Ladder {
            tiers: ladder.into_iter().map(tier).collect::<Option<_>>()?,
            jump: first(tiers, |shape| shape.jump)?,
            currency: first(tiers, |shape| shape.currency.clone()).unwrap_or_default(),
        },
    })
}

#[cfg(test)]
mod tests {
    use crate::base::{Day, Seats};
    use crate::license::{AutoUpgrade, Clauses, CureFrom, GapBand, Jump};
    use crate::settings::trial::{EVERYONE, district, good, wrong};

    fn pool_of(text: &str) -> crate::license::Pool {
        good(text).customers[0].policy.pools[0].clone()
    }

    #[test]
    fn the_defaults_are_the_contract() {
        assert_eq!(pool_of(&district("", "", "", EVERYONE)).clauses, Clauses::CONTRACT);
    }

    #[test]
    fn what_is_nearer_wins_key_by_key() {
        let global =
            "[overage]\ngap_band = \"warn\"\nmajor_cure_hours = 48\n[tiers]\ncurrency = \"EUR\"\njump = \"covering\"\n";
        let customer = "[customer.overage]\nmajor_cure_hours = 12\nauto_upgrade = \"propose\"\n[customer.tiers]\nladder = [{ seats = 10 }]";
        let pool = "[customer.pool.overage]\nmajor_cure_from = \"major_start\"\n[customer.pool.tiers]\nladder = [{ seats = 10, price_minor = 5 }, { seats = 20, price_minor = 9 }]";
        let clauses = pool_of(&format!("{global}{}", district(customer, "", pool, EVERYONE))).clauses;
        assert_eq!((clauses.gap_band, clauses.major_cure_hours), (GapBand::Warn, 12));
        assert_eq!((clauses.auto_upgrade, clauses.major_cure_from), (AutoUpgrade::Propose, CureFrom::MajorStart));
        assert_eq!((clauses.ladder.jump, clauses.ladder.currency.as_str()), (Jump::Covering, "EUR"));
        let tiers: Vec<_> = clauses.ladder.tiers.iter().map(|tier| (tier.seats, tier.price)).collect();
        assert_eq!(tiers, [(Seats(10), Some(5)), (Seats(20), Some(9))]);
    }

    #[test]
    fn ladders_that_do_not_rise_and_stages_that_overlap_are_refused() {
        let tiers = |text: &str| wrong(&district("", "", &format!("[customer.pool.tiers]\n{text}"), EVERYONE));
        let at = "customer.north.pool.main.tiers";
        assert_eq!(
            tiers("ladder = [{ seats = 10 }, { seats = 10 }]"),
            [format!("{at}.ladder does not rise: 10 comes after 10")]
        );
        assert_eq!(
            tiers("currency = \"EUR\"\nladder = [{ seats = 10, price_minor = 5 }, { seats = 20, price_minor = 4 }]"),
            [format!("{at}.ladder has a tier that costs less than the one below it: 4 after 5")]
        );
        assert_eq!(
            tiers("ladder = [{ seats = 10, price_minor = 5 }]"),
            [format!("{at}.currency is missing: the ladder has prices")]
        );
        assert_eq!(tiers("currency = \"euro\""), [format!("{at}.currency = \"euro\" is not a currency such as \"EUR\"")]);
        assert_eq!(tiers("ladder = [{ price_minor = 5 }]\ncurrency = \"EUR\""), [format!("{at}.ladder.#1.seats is missing")]);
        let days = wrong(&district("", "", "[customer.pool.overage]\nminor_business_days = 30", EVERYONE));
        assert_eq!(
            days,
            [
                "customer.north.pool.main.overage.minor_business_days makes the minor stage (30 business days) end after the major one begins (20)"
            ]
        );
    }

    #[test]
    fn holidays_of_a_file_join_those_written_out() {
        let text = district("holidays = [\"2026-05-25\"]\nholidays_file = \"holidays/uk.ics\"", "", "", EVERYONE);
        let calendar = pool_of(&text).calendar;
        let (from, to) = (Day::parse("2026-01-01").expect("a date"), Day::parse("2026-12-31").expect("a date"));
        let days: Vec<String> = calendar.holidays(from, to).map(|day| day.to_string()).collect();
        assert_eq!(days, ["2026-05-25", "2026-12-28"]);
        let missing = wrong(&district("holidays_file = \"holidays/us.ics\"", "", "", EVERYONE));
        assert!(missing[0].starts_with("customer.north.holidays_file = \"holidays/us.ics\" cannot be read: "), "{missing:?}");
    }
}
