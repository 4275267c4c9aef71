use proptest::prelude::{Strategy, proptest};
use proptest::sample::select;

use crate::base::{Calendar, Day};
use crate::license::clauses::{AutoUpgrade, Clauses, CureCalendar, CureFrom, GapBand};
use crate::license::clock_fact::{ClockFact, ClockStep};
use crate::license::episode::overlapping;
use crate::license::tier::Jump;
use crate::license::timeline::tests::sim::{Event, Sim, at, ladder};

fn events() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let one = proptest::prop_oneof![
        6 => (96u32..116).prop_map(Event::Run),
        2 => (100u32..260).prop_map(Event::Run),
        5 => proptest::strategy::Just(Event::Deliver),
        1 => proptest::bool::ANY.prop_map(Event::Freeze),
        1 => proptest::strategy::Just(Event::Approve),
        1 => (-6i64..12, 0i64..400).prop_map(|(seats, hours)| Event::Buy(seats, hours)),
        1 => (1i64..72).prop_map(Event::Hold),
        1 => proptest::bool::ANY.prop_map(Event::Provisional),
    ];
    proptest::collection::vec((0i64..60 * 24 * 4, one), 1..24).prop_map(|mut events| {
        events.sort_by_key(|(quarter, _)| *quarter);
        events
    })
}

fn some_clauses() -> impl Strategy<Value = Clauses> {
    (
        select(vec![GapBand::Minor, GapBand::Major, GapBand::Warn]),
        // From when the notice was written is left out: that is when somebody looked (T5).
        select(vec![CureFrom::NoticeDelivered, CureFrom::MajorStart]),
        select(vec![CureCalendar::Clock, CureCalendar::Business]),
        select(vec![AutoUpgrade::Apply, AutoUpgrade::Apply, AutoUpgrade::Propose, AutoUpgrade::Off]),
        select(vec![Jump::Next, Jump::Covering]),
        (0u32..4, 0u32..12, 10u32..24, 0u32..12, 0u32..60),
        proptest::bool::ANY,
    )
        .prop_map(|(gap_band, major_cure_from, major_cure_calendar, auto_upgrade, jump, days, count_first_day)| Clauses {
            gap_band,
            count_first_day,
            merge_gap_business_days: days.0,
            minor_business_days: days.1,
            major_after_business_days: days.2.max(days.1),
            cure_business_days: days.3,
            major_cure_hours: days.4,
            major_cure_calendar,
            major_cure_from,
            auto_upgrade,
            ladder: ladder(&[100, 110, 150, 200], jump),
        })
}

proptest! {
    /// I9, I7, I8: whoever looks, and however often, the history is the same; every fact is proved on the way.
    #[test]
    fn i9_looking_hourly_daily_or_once_gives_one_history(events in events(), clauses in some_clauses()) {
        const HOUR: i64 = 3_600_000;
        let begin = at("2026-03-02T02:30:00Z");
        let end = begin.plus_millis(75 * 24 * HOUR);
        let run = |every_hours: i64| {
            let mut sim = Sim::new(clauses.clone(), 100);
            let mut look = 0;
            for (quarter, event) in &events {
                let when = begin.plus_millis(quarter * 15 * 60_000);
                while every_hours > 0 && begin.plus_millis(look * every_hours * HOUR) < when {
                    sim.look(begin.plus_millis(look * every_hours * HOUR));
                    look += 1;
                }
                sim.happen(when, event);
            }
            while every_hours > 0 && begin.plus_millis(look * every_hours * HOUR) < end {
                sim.look(begin.plus_millis(look * every_hours * HOUR));
                look += 1;
            }
            sim.look(end);
            sim
        };
        let (hourly, daily, once) = (run(1), run(24), run(0));
        assert_eq!(once.history(), hourly.history(), "once and hourly");
        assert_eq!(once.history(), daily.history(), "once and daily");
        assert_eq!(once.episodes, hourly.episodes);
        assert_eq!(once.episodes, daily.episodes);
        let seats = |sim: &Sim| sim.grants.iter().map(|g| (g.from, g.seats)).collect::<Vec<_>>();
        assert_eq!(seats(&once), seats(&hourly));
        assert_eq!(overlapping(&once.episodes), None, "I7");
        let late = |sim: &Sim| sim.all.iter().any(ClockFact::is_late);
        assert!(!late(&hourly) || hourly.all.iter().filter(|f| f.is_late()).all(|f| f.recorded.0 - f.at.0 <= HOUR));
    }

    /// I17: the same 28 years later, on the same weekdays and clock changes, is the same history 28 years later, deadlines
    /// and prices among it.
    #[test]
    fn i17_the_same_events_28_years_later_are_the_same_history_28_years_later(events in events(), clauses in some_clauses()) {
        const DAYS: i32 = 28 * 365 + 7;
        let run = |days: i32| {
            let calendar = Calendar::in_zone("Europe/London").expect("a zone");
            let anchor = Day::parse("2026-01-01").expect("a day").plus(days);
            let mut sim = Sim::new(clauses.clone(), 100).where_days_are(calendar, &anchor.to_string());
            let begin = at("2026-03-02T02:30:00Z").plus_millis(i64::from(days) * 86_400_000);
            for (quarter, event) in &events {
                sim.happen(begin.plus_millis(quarter * 15 * 60_000), event);
            }
            sim.look(begin.plus_millis(75 * 24 * 3_600_000));
            let deadline = |fact: &ClockFact| match &fact.step {
                ClockStep::Stage(stage) => stage.deadline.map(|at| at.plus_millis(-i64::from(days) * 86_400_000)),
                _ => None,
            };
            (sim.history_before(days), sim.all.iter().map(deadline).collect::<Vec<_>>())
        };
        assert_eq!(run(0), run(DAYS));
    }
}
