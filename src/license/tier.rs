//! The tier ladder, and what a step on it costs for the rest of a license year (R75 to R79). Whole minor units only.

use crate::base::{Day, Seats};

/// One step of a ladder (R75).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Its allowance.
    pub seats: Seats,
    /// Its price for a whole license year, in minor units; `None`: agreed case by case.
    pub price: Option<u64>,
}

/// Which tier is the next one (R76).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// The smallest above the current allowance.
    Next,
    /// The smallest that covers all who are seated; the largest if none does.
    Covering,
}

impl Jump {
    /// All of them with their words.
    pub const WORDS: [(&'static str, Jump); 2] = [("next", Jump::Next), ("covering", Jump::Covering)];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Jump::Next => "next",
            Jump::Covering => "covering",
        }
    }
}

/// Tiers with strictly increasing allowances (R75).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// The tiers, smallest first.
    pub tiers: Vec<Tier>,
    /// `tiers.jump`.
    pub jump: Jump,
    /// The currency of the prices; empty if there are none.
    pub currency: String,
}

/// What a step costs (R78), with all it was worked out from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Of all amounts.
    pub currency: String,
    /// Price of a license year before, in minor units.
    pub price_old: u64,
    /// Price of a license year after.
    pub price_new: u64,
    /// Days left in the license year, the effective date among them.
    pub days_left: u32,
    /// Days of the license year.
    pub days_in_year: u32,
    /// What is charged.
    pub amount: u64,
}

/// A step on offer, as computed for a date (R79).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The allowance before.
    pub from: Seats,
    /// The allowance after.
    pub to: Seats,
    /// The date it was computed for.
    pub day: Day,
    /// The first date that the charge no longer covers: where the license year or the term ends, whichever is first
    /// (R78); [`Day::MAX`] where the pool has neither.
    pub until: Day,
    /// What it costs. `None`: the ladder has no price for one of the two allowances, or the pool has no license years.
    pub charge: Option<Charge>,
}

impl Ladder {
    /// No tiers.
    pub const NONE: Ladder = Ladder { tiers: Vec::new(), jump: Jump::Next, currency: String::new() };

    /// The next tier after an allowance, with so many people seated (R76).
    pub fn next(&self, allowance: Seats, used: Seats) -> Option<Tier> {
        let mut higher = self.tiers.iter().filter(|tier| tier.seats > allowance);
        match self.jump {
            Jump::Next => higher.next().copied(),
            Jump::Covering => higher.clone().find(|tier| tier.seats >= used).or_else(|| higher.next_back()).copied(),
        }
    }

    /// The step that is on offer on a date (R78, R79), in this license year and before `term_end`; `None` at the top, and
    /// when the term is over.
    pub fn quote(&self, allowance: Seats, used: Seats, year: Option<(Day, Day)>, term_end: Day, day: Day) -> Option<Quote> {
        let tier = self.next(allowance, used).filter(|_| day < term_end)?;
        let until = year.map_or(Day::MAX, |(_, end)| end).min(term_end);
        let price_old = self.tiers.iter().find(|tier| tier.seats == allowance).and_then(|tier| tier.price);
        let charge = year.zip(price_old.zip(tier.price)).map(|((start, end), (price_old, price_new))| {
            let days = |from: Day, to: Day| u32::try_from(i64::from(to.0) - i64::from(from.0)).unwrap_or(0);
            let (days_left, days_in_year) = (days(day, until), days(start, end));
            Charge {
                currency: self.currency.clone(),
                price_old,
                price_new,
                days_left,
                days_in_year,
                amount: pro_rata(price_new.saturating_sub(price_old), days_left, days_in_year),
            }
        });
        Some(Quote { from: allowance, to: tier.seats, day, until, charge })
    }
}

/// `difference × days_left / days_in_year`, rounded half up to the minor unit (R78).
pub fn pro_rata(difference: u64, days_left: u32, days_in_year: u32) -> u64 {
    if days_in_year == 0 {
        return 0;
    }
    let year = u128::from(days_in_year);
    let doubled = 2 * u128::from(difference) * u128::from(days_left) + year;
    u64::try_from(doubled / (2 * year)).unwrap_or(u64::MAX)
}

/// Currencies whose minor unit is not a hundredth, by the digits behind the point.
const DIGITS: [(&str, u32); 23] = [
    ("BHD", 3),
    ("BIF", 0),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

impl Charge {
    /// An amount of its currency, for people: `3402.74 EUR`.
    pub fn text(&self, amount: u64) -> String {
        let digits = DIGITS.iter().find(|(currency, _)| *currency == self.currency).map_or(2, |(_, digits)| *digits);
        let unit = 10u64.pow(digits);
        let (whole, rest, currency) = (amount / unit, amount % unit, &self.currency);
        match digits {
            0 => format!("{whole} {currency}"),
            digits => format!("{whole}.{rest:0width$} {currency}", width = digits as usize),
        }
    }

    /// Whether the amount is what the rest comes to.
    pub fn adds_up(&self) -> bool {
        let Charge { currency: _, price_old, price_new, days_left, days_in_year, amount } = self;
        pro_rata(price_new.saturating_sub(*price_old), *days_left, *days_in_year) == *amount && days_left <= days_in_year
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use crate::base::{Day, Seats};
    use crate::license::term::license_year;
    use crate::license::tier::{Jump, Ladder, Tier, pro_rata};

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a date")
    }

    fn ladder(jump: Jump) -> Ladder {
        let tier = |seats, price| Tier { seats: Seats(seats), price };
        let tiers = vec![tier(1000, Some(1_200_000)), tier(1500, Some(1_650_000)), tier(2000, None)];
        Ladder { tiers, jump, currency: "EUR".into() }
    }

    #[test]
    fn t6_pro_rata() {
        // Anchor, effective, days left, days in the year, charge.
        for (anchor, effective, left, days_in_year, amount) in [
            ("2026-01-01", "2026-01-01", 365, 365, 450_000),
            ("2026-01-01", "2026-03-31", 276, 365, 340_274),
            ("2026-01-01", "2026-12-31", 1, 365, 1_233),
            ("2027-09-01", "2028-02-29", 185, 366, 227_459),
            // The last day of a leap year, and the first of the next.
            ("2024-02-29", "2028-02-28", 1, 366, 1_230),
            ("2024-02-29", "2028-02-29", 365, 365, 450_000),
            ("2028-01-01", "2028-12-31", 1, 366, 1_230),
        ] {
            let year = Some(license_year(day(anchor), day(effective)));
            let ladder = ladder(Jump::Next);
            let quote = ladder.quote(Seats(1000), Seats(1045), year, Day::MAX, day(effective)).expect("a tier");
            let charge = quote.charge.expect("a charge");
            assert_eq!(
                (charge.days_left, charge.days_in_year, charge.amount),
                (left, days_in_year, amount),
                "{anchor} {effective}"
            );
            assert!(charge.adds_up());
            assert_eq!((quote.from, quote.to, quote.day), (Seats(1000), Seats(1500), day(effective)));
            assert_eq!(i64::from(quote.until.0) - i64::from(quote.day.0), i64::from(left));
        }
    }

    #[test]
    fn r78_a_term_that_ends_within_the_license_year_is_charged_to_its_end() {
        let year = Some((day("2026-01-01"), day("2027-01-01")));
        let quote = |term_end: &str, on: &str| {
            ladder(Jump::Next).quote(Seats(1000), Seats(1045), year, day(term_end), day(on)).map(|quote| {
                let charge = quote.charge.expect("a charge");
                assert!(charge.adds_up());
                (quote.until, charge.days_left, charge.days_in_year, charge.amount)
            })
        };
        // 450 000 × 92 / 365 = 113 424.66
        assert_eq!(quote("2026-07-01", "2026-03-31"), Some((day("2026-07-01"), 92, 365, 113_425)));
        assert_eq!(quote("2026-07-01", "2026-06-30"), Some((day("2026-07-01"), 1, 365, 1_233)));
        assert_eq!(quote("2026-07-01", "2026-07-01"), None, "the term is over");
        // A term that goes on is charged for this license year.
        assert_eq!(quote("2029-01-01", "2026-03-31"), Some((day("2027-01-01"), 276, 365, 340_274)));
    }

    #[test]
    fn half_a_unit_is_rounded_up() {
        for (difference, left, year, amount) in
            [(1, 1, 2, 1), (3, 1, 2, 2), (1, 1, 3, 0), (2, 1, 3, 1), (0, 5, 365, 0), (7, 0, 365, 0), (7, 1, 0, 0)]
        {
            assert_eq!(pro_rata(difference, left, year), amount, "{difference} × {left}/{year}");
        }
        assert_eq!(pro_rata(u64::MAX, 366, 366), u64::MAX);
    }

    #[test]
    fn r76_the_next_tier_is_above_the_allowance_not_above_used() {
        for (jump, allowance, used, next) in [
            (Jump::Next, 1000, 1045, Some(1500)),
            (Jump::Next, 1000, 1900, Some(1500)),
            (Jump::Next, 999, 1900, Some(1000)),
            (Jump::Next, 1500, 1600, Some(2000)),
            (Jump::Next, 2000, 2100, None),
            (Jump::Covering, 1000, 1045, Some(1500)),
            (Jump::Covering, 1000, 1500, Some(1500)),
            (Jump::Covering, 1000, 1501, Some(2000)),
            (Jump::Covering, 1000, 9999, Some(2000)),
            (Jump::Covering, 0, 1, Some(1000)),
            (Jump::Covering, 2000, 9999, None),
        ] {
            let tier = ladder(jump).next(Seats(allowance), Seats(used));
            assert_eq!(tier.map(|tier| tier.seats.0), next, "{jump:?} after {allowance} with {used}");
        }
        assert_eq!(Ladder::NONE.next(Seats(5), Seats(9)), None);
    }

    #[test]
    fn nothing_is_charged_that_the_ladder_does_not_say() {
        let quote =
            |allowance, year| ladder(Jump::Next).quote(Seats(allowance), Seats(9999), year, Day::MAX, day("2026-03-31"));
        let year = Some((day("2026-01-01"), day("2027-01-01")));
        // 1200 was bought outside the ladder: what it costs is not known here.
        assert_eq!(quote(1200, year).map(|q| (q.to, q.charge)), Some((Seats(1500), None)));
        // The tier above has no price.
        assert_eq!(quote(1500, year).map(|q| (q.to, q.charge)), Some((Seats(2000), None)));
        // Without license years there is nothing to take a part of, and no end.
        assert_eq!(quote(1000, None).map(|q| (q.until, q.charge)), Some((Day::MAX, None)));
        assert_eq!(quote(2000, year), None);
    }

    proptest! {
        #[test]
        fn pro_rata_never_exceeds_the_difference_and_grows_with_the_days(
            difference in 0u64..u64::MAX, left in 0u32..367, year in 365u32..367,
        ) {
            let left = left.min(year);
            assert!(pro_rata(difference, left, year) <= difference);
            assert!(pro_rata(difference, left.saturating_sub(1), year) <= pro_rata(difference, left, year));
            assert_eq!(pro_rata(difference, year, year), difference);
        }
    }
}
