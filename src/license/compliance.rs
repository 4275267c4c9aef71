//! How a pool stands with its contract, in one word (R145), and when few seats are left (R152).

use crate::base::{Day, Seats};
use crate::license::books::{Allowance, Band};
use crate::license::stage::Stage;

/// How a pool stands, worst first (R145).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compliance {
    /// Term and grace are over.
    Expired,
    /// Over, in the major stage.
    OverageMajor,
    /// Over for more than ten business days.
    OverageMinorOverdue,
    /// Over by more than 105 % and at most 106 %.
    OverageGap,
    /// Over.
    OverageMinor,
    /// The term is over, grace is not.
    InGrace,
    /// Nearly full, about to end, or resting on an old snapshot.
    AtRisk,
    /// Nothing to say.
    Compliant,
}

impl Compliance {
    /// All of them, worst first.
    pub const ALL: [Compliance; 8] = [
        Compliance::Expired,
        Compliance::OverageMajor,
        Compliance::OverageMinorOverdue,
        Compliance::OverageGap,
        Compliance::OverageMinor,
        Compliance::InGrace,
        Compliance::AtRisk,
        Compliance::Compliant,
    ];

    /// The status's word.
    pub fn word(self) -> &'static str {
        match self {
            Compliance::Expired => "expired",
            Compliance::OverageMajor => "overage_major",
            Compliance::OverageMinorOverdue => "overage_minor_overdue",
            Compliance::OverageGap => "overage_gap",
            Compliance::OverageMinor => "overage_minor",
            Compliance::InGrace => "in_grace",
            Compliance::AtRisk => "at_risk",
            Compliance::Compliant => "compliant",
        }
    }
}

/// Where a pool stands in its term (R87 to R93).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermPlace {
    /// The last day of the newest term that began.
    pub last_day: Day,
    /// The next term is written down already.
    pub has_successor: bool,
    /// The last day is over, grace is not.
    pub in_grace: bool,
    /// Grace is over as well.
    pub is_over: bool,
}

/// What the status of a pool depends on.
#[derive(Clone, Copy, Debug)]
pub struct PoolFacts {
    /// Today, in the pool's calendar.
    pub today: Day,
    /// Used seats.
    pub used: Seats,
    /// The allowance now.
    pub allowance: Allowance,
    /// The band as of the newest commit.
    pub band: Band,
    /// The stage of the open episode; `None`: there is none.
    pub stage: Option<Stage>,
    /// Its term; `None`: it has none.
    pub term: Option<TermPlace>,
    /// The numbers rest on an old snapshot (R148).
    pub stale: bool,
}

/// A pool is at risk from this share of its allowance on, in percent.
const FULL_PERCENT: u64 = 95;
/// … and so many days before its term ends.
const END_DAYS: i64 = 30;

/// The worst that applies. An overage without an episode is provisional (R123): a risk, not a breach yet.
pub fn compliance(facts: &PoolFacts) -> Compliance {
    let PoolFacts { today, used, allowance, band, stage, term, stale } = *facts;
    let over = match (stage, band) {
        (Some(Stage::Major), _) => Some(Compliance::OverageMajor),
        (Some(Stage::MinorOverdue), _) => Some(Compliance::OverageMinorOverdue),
        (Some(Stage::Minor), Band::Gap) => Some(Compliance::OverageGap),
        (Some(Stage::Minor), _) => Some(Compliance::OverageMinor),
        (None, _) => None,
    };
    let nearly_full =
        allowance.seats.is_some_and(|seats| used > Seats(0) && u64::from(used.0) * 100 >= u64::from(seats.0) * FULL_PERCENT);
    let ends_soon = term.is_some_and(|term| !term.has_successor && i64::from(term.last_day.0) - i64::from(today.0) <= END_DAYS);
    let term_says = match term {
        Some(TermPlace { is_over: true, .. }) => Some(Compliance::Expired),
        Some(TermPlace { in_grace: true, .. }) => Some(Compliance::InGrace),
        _ => None,
    };
    let risk = (nearly_full || ends_soon || stale).then_some(Compliance::AtRisk);
    [over, term_says, risk].into_iter().flatten().min().unwrap_or(Compliance::Compliant)
}

/// With so many seats left, or fewer, somebody is told (R152). An allowance of 0 has no such mark.
pub fn near_limit_mark(effective: Seats) -> Option<Seats> {
    let percent = |percent: u64| {
        let seats = u64::from(effective.0) * percent / 100;
        Seats(u32::try_from(seats).unwrap_or(u32::MAX))
    };
    match effective.0 {
        0 => None,
        1..=15 => Some(Seats(1)),
        16..=25 => Some(Seats(2)),
        26..=99 => Some(percent(10)),
        100..=999 => Some(percent(8)),
        1000.. => Some(percent(5)),
    }
}

/// Whether a pool is at its mark; more than the mark must be left before it counts as a new crossing.
pub fn is_near_limit(used: Seats, effective: Option<Seats>) -> bool {
    let Some(effective) = effective else { return false };
    near_limit_mark(effective).is_some_and(|mark| effective.0.saturating_sub(used.0) <= mark.0)
}

#[cfg(test)]
mod tests {
    use crate::base::{Day, Seats};
    use crate::license::books::{Allowance, Band};
    use crate::license::compliance::{Compliance, PoolFacts, TermPlace, compliance, is_near_limit, near_limit_mark};
    use crate::license::stage::Stage;

    fn facts() -> PoolFacts {
        PoolFacts {
            today: Day(1000),
            used: Seats(50),
            allowance: Allowance { seats: Some(Seats(100)), agreed: Seats(0) },
            band: Band::Within,
            stage: None,
            term: None,
            stale: false,
        }
    }

    #[test]
    fn r145_the_worst_that_applies() {
        let ends =
            |days, in_grace, is_over| Some(TermPlace { last_day: Day(1000 + days), has_successor: false, in_grace, is_over });
        let over = |band, stage| PoolFacts { band, stage: Some(stage), used: Seats(106), ..facts() };
        let used = |used, seats: Option<u32>| PoolFacts {
            used: Seats(used),
            allowance: Allowance { seats: seats.map(Seats), agreed: Seats(0) },
            ..facts()
        };
        let renewed = ends(3, false, false).map(|term| TermPlace { has_successor: true, ..term });
        for (name, case, expected) in [
            ("half used", facts(), Compliance::Compliant),
            ("94 %", used(94, Some(100)), Compliance::Compliant),
            ("95 %", used(95, Some(100)), Compliance::AtRisk),
            ("949 of 999 is less than 95 %", used(949, Some(999)), Compliance::Compliant),
            ("nothing bought, nothing used", used(0, Some(0)), Compliance::Compliant),
            ("unlimited", used(9999, None), Compliance::Compliant),
            ("stale", PoolFacts { stale: true, ..facts() }, Compliance::AtRisk),
            ("ends in 31 days", PoolFacts { term: ends(31, false, false), ..facts() }, Compliance::Compliant),
            ("ends in 30 days", PoolFacts { term: ends(30, false, false), ..facts() }, Compliance::AtRisk),
            ("ends soon, renewed", PoolFacts { term: renewed, ..facts() }, Compliance::Compliant),
            ("grace", PoolFacts { term: ends(-3, true, false), ..facts() }, Compliance::InGrace),
            ("over", PoolFacts { term: ends(-30, false, true), ..facts() }, Compliance::Expired),
            ("minor", over(Band::Minor, Stage::Minor), Compliance::OverageMinor),
            ("gap", over(Band::Gap, Stage::Minor), Compliance::OverageGap),
            ("gap, overdue", over(Band::Gap, Stage::MinorOverdue), Compliance::OverageMinorOverdue),
            ("major", over(Band::Major, Stage::Major), Compliance::OverageMajor),
            ("major by time", over(Band::Minor, Stage::Major), Compliance::OverageMajor),
            ("provisional", PoolFacts { band: Band::Minor, used: Seats(101), ..facts() }, Compliance::AtRisk),
            (
                "minor in grace",
                PoolFacts { term: ends(-3, true, false), ..over(Band::Minor, Stage::Minor) },
                Compliance::OverageMinor,
            ),
            (
                "major, but the term is over",
                PoolFacts { term: ends(-30, false, true), ..over(Band::Major, Stage::Major) },
                Compliance::Expired,
            ),
        ] {
            assert_eq!(compliance(&case), expected, "{name}");
        }
        assert!(Compliance::ALL.is_sorted(), "worst first");
    }

    #[test]
    fn r152_marks_by_the_size_of_the_pool() {
        for (effective, mark) in [
            (0, None),
            (1, Some(1)),
            (15, Some(1)),
            (16, Some(2)),
            (25, Some(2)),
            (26, Some(2)),
            (30, Some(3)),
            (99, Some(9)),
            (100, Some(8)),
            (999, Some(79)),
            (1000, Some(50)),
            (4_000_000_000, Some(200_000_000)),
        ] {
            assert_eq!(near_limit_mark(Seats(effective)), mark.map(Seats), "of {effective}");
        }
        for (used, effective, near) in [
            (8, Some(10), false),
            (9, Some(10), true),
            (10, Some(10), true),
            (13, Some(10), true),
            (91, Some(100), false),
            (92, Some(100), true),
            (0, Some(1), true),
            (0, Some(0), false),
            (5, None, false),
        ] {
            assert_eq!(is_near_limit(Seats(used), effective.map(Seats)), near, "{used} of {effective:?}");
        }
    }
}
