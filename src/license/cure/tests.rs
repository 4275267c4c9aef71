use crate::base::{Calendar, Day, Instant, Seats};
use crate::license::books::Allowance;
use crate::license::chain::{Phase, TermState};
use crate::license::clauses::Clauses;
use crate::license::cure::{Cure, Shortage};
use crate::license::pool::{Audience, OnFull, OverageLimits, Pool};
use crate::license::tier::{Jump, Ladder, Tier};

fn pool(priced: bool) -> Pool {
    let tier = |seats, price| Tier { seats: Seats(seats), price: priced.then_some(price) };
    let tiers = vec![tier(1000, 1_200_000), tier(1500, 1_650_000)];
    Pool {
        id: "learn".into(),
        product: "learn".into(),
        owner: "north".into(),
        audience: Audience::Any,
        unlimited: false,
        on_full: OnFull::Overdraw,
        overage: OverageLimits::CONTRACT,
        clauses: Clauses { ladder: Ladder { tiers, jump: Jump::Next, currency: "EUR".into() }, ..Clauses::CONTRACT },
        reservations: Vec::new(),
        calendar: Calendar::utc(),
        anchor: Day::parse("2026-01-01"),
        renewal: Default::default(),
        reuse: Default::default(),
    }
}

fn shortage(pool: &Pool, used: u32, allowance: u32, removable: u32) -> Shortage<'_> {
    Shortage {
        pool,
        used: Seats(used),
        allowance: Allowance { seats: Some(Seats(allowance)), agreed: Seats(0) },
        by_band: false,
        at: Instant::parse("2026-03-31T23:59:59Z").expect("an instant"),
        phase: &Phase::UNBOUND,
        anchor: pool.anchor,
        removable: Seats(removable),
    }
}

/// Remove, buy, tier, cost, whether it suffices.
fn told(cure: &Cure) -> (u32, u32, Option<u32>, Option<u64>, bool) {
    (cure.remove.0, cure.buy.0, cure.tier.map(|tier| tier.0), cure.cost(), cure.suffices)
}

#[test]
fn each_way_has_its_price_and_the_cheapest_is_the_one_that_can_be_done() {
    let (priced, unpriced) = (pool(true), pool(false));
    // 31 March: 276 of 365 days are left. Thirty seats are 1 200 000 × 30 / 1000 = 36 000 a year, 36 000 × 276 / 365 =
    // 27 221.9 for the rest of it; ten are 12 000 and 9 073.97; the tier is 450 000 × 276 / 365 = 340 273.97 (T6).
    let (remove, buy) = ((30, 0, None, Some(0), true), (0, 30, None, Some(27_222), true));
    let tier = (0, 0, Some(1500), Some(340_274), true);
    for (name, case, options, cheapest) in [
        ("nobody is known", shortage(&priced, 1030, 1000, 0), vec![remove, buy, tier], Some(1)),
        ("all are known", shortage(&priced, 1030, 1000, 31), vec![remove, buy, tier], Some(0)),
        (
            "twenty are known",
            shortage(&priced, 1030, 1000, 20),
            vec![remove, (20, 10, None, Some(9_074), true), buy, tier],
            Some(1),
        ),
        (
            "nothing has a price",
            shortage(&unpriced, 1030, 1000, 0),
            vec![remove, (0, 30, None, None, true), (0, 0, Some(1500), None, true)],
            None,
        ),
        // The next tier is above the allowance, not above used (R76). 600 seats: 720 000 a year, × 276 / 365 = 544 438.36.
        (
            "the next tier does not do",
            shortage(&priced, 1600, 1000, 0),
            vec![(600, 0, None, Some(0), true), (0, 600, None, Some(544_438), true), (0, 0, Some(1500), Some(340_274), false)],
            Some(1),
        ),
        // 499 seats at 1200: 598 800 a year, × 276 / 365 = 452 791.2; the tier is cheaper.
        (
            "the tier is cheaper",
            shortage(&priced, 1499, 1000, 0),
            vec![(499, 0, None, Some(0), true), (0, 499, None, Some(452_791), true), tier],
            Some(2),
        ),
        ("it is over by then", shortage(&priced, 1000, 1000, 5), vec![], None),
    ] {
        let cures = case.cures();
        assert_eq!(cures.options.iter().map(told).collect::<Vec<_>>(), options, "{name}");
        assert_eq!(cures.cheapest, cheapest, "{name}");
        assert_eq!(cures.excess.0, case.used.0 - 1000, "{name}");
        assert!(cures.options.iter().filter_map(|cure| cure.charge.as_ref()).all(|charge| charge.adds_up()), "{name}");
    }
}

#[test]
fn r71_leaving_the_major_band_is_enough_where_only_the_size_is_major() {
    let pool = pool(true);
    // 1061 of 1000 is major, 1060 is the gap; with 1001 seats 1061 × 100 ≤ 106 × 1001 = 106 106.
    let case = Shortage { by_band: true, ..shortage(&pool, 1061, 1000, 1) };
    let cures = case.cures();
    assert_eq!((cures.excess, cures.cheapest), (Seats(1), Some(0)));
    assert_eq!(told(&cures.options[1]).1, 1);
    assert_eq!(Shortage { by_band: false, ..case }.cures().excess, Seats(61));
}

#[test]
fn small_pools_and_agreed_excesses() {
    let pool = pool(true);
    for (allowance, agreed, used, excess) in [(0, 0, 1, 1), (1, 0, 2, 1), (19, 0, 20, 1), (20, 0, 22, 2), (100, 8, 110, 2)] {
        let allowance = Allowance { seats: Some(Seats(allowance)), agreed: Seats(agreed) };
        let cures = Shortage { allowance, ..shortage(&pool, used, 0, 0) }.cures();
        assert_eq!(cures.excess, Seats(excess), "{used} of {allowance:?}");
        assert_eq!(cures.options[1].buy, Seats(excess));
    }
    let unlimited = Allowance { seats: None, agreed: Seats(0) };
    assert_eq!(Shortage { allowance: unlimited, ..shortage(&pool, 9, 0, 0) }.cures().options, []);
}

#[test]
fn a_term_that_ends_within_the_license_year_is_paid_to_its_end() {
    let pool = pool(true);
    let term_end = Instant::parse("2026-07-01T00:00:00Z").expect("an instant");
    let phase = Phase { state: TermState::Current, term: Some("t1".into()), since: Instant::MIN, term_end };
    // 31 March to 30 June are 92 days: 36 000 × 92 / 365 = 9 073.97 for thirty seats, 450 000 × 92 / 365 = 113 424.66.
    let cures = Shortage { phase: &phase, ..shortage(&pool, 1030, 1000, 0) }.cures();
    assert_eq!(cures.options.iter().map(Cure::cost).collect::<Vec<_>>(), [Some(0), Some(9_074), Some(113_425)]);
    // Nothing is sold for a term that is over.
    let late = Shortage { at: term_end, phase: &phase, ..shortage(&pool, 1030, 1000, 0) }.cures();
    assert_eq!(late.options.iter().map(Cure::cost).collect::<Vec<_>>(), [Some(0), None]);
}
