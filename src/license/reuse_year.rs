//! How often seats go from person to person within a license year (R81 to R86).
//!
//! The people who ever had a seat in the year are those who have one now and those who had one and do not: only the
//! latter are kept by key, the rest are counted. Somebody deleted for good stays counted and is no longer kept.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Day, PoolId, Seats};
use crate::license::claim::{ClaimChange, Names};
use crate::license::reuse::ReuseRules;

/// How the replacements of a year compare with what is allowed (R83).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReuseLevel {
    /// Allowed in every reading.
    Fine,
    /// More than the stricter reading allows: the first occupants counted as a use.
    Warning,
    /// More than is allowed.
    Exceeded,
}

impl ReuseLevel {
    /// The level's word.
    pub fn word(self) -> &'static str {
        match self {
            ReuseLevel::Fine => "fine",
            ReuseLevel::Warning => "reuse_warning",
            ReuseLevel::Exceeded => "reuse_exceeded",
        }
    }
}

/// The people of one pool in one license year, as numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReuseYear {
    /// The pool.
    pub pool: PoolId,
    /// The year's first day.
    pub year: Day,
    /// Different people who ever had a seat in it; those who had one when it began are the first of them (R86).
    pub distinct: u32,
    /// The highest allowance in it.
    pub allowance_max: Seats,
    /// The most seats in use at once in it.
    pub used_max: Seats,
}

impl ReuseYear {
    /// The year of a pool once a commit left it with so much used and bought; `known` is what was written down before.
    /// Within a year the numbers only grow; a new one begins with those who have a seat (R86).
    pub fn after(known: Option<&ReuseYear>, pool: &PoolId, year: Day, used: Seats, allowance: Seats) -> Self {
        let known = known.filter(|known| known.year == year);
        Self {
            pool: pool.clone(),
            year,
            distinct: known.map_or(used.0, |known| known.distinct),
            allowance_max: known.map_or(allowance, |known| known.allowance_max.max(allowance)),
            used_max: known.map_or(used, |known| known.used_max.max(used)),
        }
    }

    /// Seats that went to a different person (R82): the first occupants of bought seats are none, nor are people admitted
    /// in an overage.
    pub fn replacements(&self) -> u32 {
        self.distinct.saturating_sub(self.allowance_max.max(self.used_max).0)
    }

    /// So many replacements are allowed.
    pub fn limit(&self, rules: &ReuseRules) -> u64 {
        u64::from(rules.max_per_seat) * u64::from(self.allowance_max.0)
    }

    /// How the replacements compare with what is allowed.
    pub fn level(&self, rules: &ReuseRules) -> ReuseLevel {
        let made = u64::from(self.replacements());
        let strict = u64::from(rules.max_per_seat.saturating_sub(1)) * u64::from(self.allowance_max.0);
        if made > self.limit(rules) {
            ReuseLevel::Exceeded
        } else if made > strict {
            ReuseLevel::Warning
        } else {
            ReuseLevel::Fine
        }
    }
}

/// People who had a seat of a pool in its license year and have none now.
pub type Gone = BTreeMap<PoolId, BTreeSet<Box<str>>>;

/// Whether a change gives a seat (`true`) or takes one (`false`); `None`: neither.
pub fn seat_moves(change: &ClaimChange) -> Option<bool> {
    let was = change.before.as_deref().is_some_and(|before| before.state.consumes());
    let is = change.after.state.consumes();
    (was != is).then_some(is)
}

/// Follows one change of a claim: who loses a seat is gone, who gets one is back or new. Returns whether somebody is new
/// to the year of the claim's pool. Pools that `gone` does not have are not counted.
pub fn follow(gone: &mut Gone, names: &Names, person: &str, change: &ClaimChange) -> bool {
    let (Some(gives), Some(gone)) = (seat_moves(change), gone.get_mut(names.pool_of(&change.after))) else { return false };
    if !gives {
        gone.insert(person.into());
        return false;
    }
    !gone.remove(person)
}

#[cfg(test)]
mod tests {
    use crate::base::{Day, Seats};
    use crate::license::reuse::ReuseRules;
    use crate::license::reuse_year::{ReuseLevel, ReuseYear};

    fn year(distinct: u32, allowance: u32, used: u32) -> ReuseYear {
        let (allowance_max, used_max) = (Seats(allowance), Seats(used));
        ReuseYear { pool: "learn".into(), year: Day(0), distinct, allowance_max, used_max }
    }

    #[test]
    fn t7_replacements_and_levels() {
        let rules = ReuseRules::default();
        use ReuseLevel::{Exceeded, Fine, Warning};
        for (distinct, allowance, used, replacements, level) in [
            (1000, 1000, 1000, 0, Fine),
            (2000, 1000, 1000, 1000, Fine),
            (3000, 1000, 1000, 2000, Fine),
            (3001, 1000, 1000, 2001, Warning),
            (4000, 1000, 1000, 3000, Warning),
            (4001, 1000, 1000, 3001, Exceeded),
            (600, 1000, 500, 0, Fine),
            (1040, 1000, 1040, 0, Fine),
            // The tier was raised to 1500 in the middle of the year.
            (4001, 1500, 1000, 2501, Fine),
            (6001, 1500, 1500, 4501, Exceeded),
            (1, 0, 1, 0, Fine),
            (2, 0, 1, 1, Exceeded),
        ] {
            let year = year(distinct, allowance, used);
            assert_eq!((year.replacements(), year.level(&rules)), (replacements, level), "{distinct} of {allowance}");
        }
        let once = ReuseRules { max_per_seat: 1 };
        assert_eq!(year(1001, 1000, 1000).level(&once), Warning);
        assert_eq!(year(2001, 1000, 1000).level(&once), Exceeded);
        assert_eq!(year(1001, 1000, 1000).level(&ReuseRules { max_per_seat: 0 }), Exceeded);
    }
}
