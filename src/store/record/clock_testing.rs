//! Facts of clocks and deliveries of every shape.

use proptest::option;
use proptest::prelude::*;

use crate::base::{Actor, Day, EpisodeId, GrantId, Instant, PoolId, Seats};
use crate::license::{
    AutoUpgrade, Charge, Clauses, ClockFact, ClockStep, CureCalendar, CureFrom, Delivery, Entry, GapBand, Interlock, Jump,
    Ladder, Outcome, Quote, Settled, Stage, StageFact, StageWhy, Tier,
};

pub(super) fn clocks_entry() -> impl Strategy<Value = Entry> {
    prop_oneof![clock_fact().prop_map(Entry::Clock), delivery().prop_map(Entry::NoticeDelivered)]
}

fn quote() -> impl Strategy<Value = Quote> {
    let charge = (any::<[u64; 3]>(), any::<(u32, u32)>(), "[A-Z]{0,3}").prop_map(|(money, days, currency)| Charge {
        currency,
        price_old: money[0],
        price_new: money[1],
        days_left: days.0,
        days_in_year: days.1,
        amount: money[2],
    });
    (any::<(u32, u32, i32, i32)>(), option::of(charge)).prop_map(|((from, to, day, until), charge)| Quote {
        from: Seats(from),
        to: Seats(to),
        day: Day(day),
        until: Day(until),
        charge,
    })
}

fn clauses() -> impl Strategy<Value = Clauses> {
    let tier = (any::<u32>(), option::of(any::<u64>())).prop_map(|(seats, price)| Tier { seats: Seats(seats), price });
    (
        (0usize..3, 0usize..2, 0usize..3, 0usize..3, 0usize..2),
        any::<(bool, u32, u32, u32, u32, u32)>(),
        prop::collection::vec(tier, 0..3),
    )
        .prop_map(|((gap, calendar, from, upgrade, jump), (first, merge, minor, major, cure, hours), tiers)| Clauses {
            gap_band: GapBand::WORDS[gap].1,
            count_first_day: first,
            merge_gap_business_days: merge,
            minor_business_days: minor,
            major_after_business_days: major,
            cure_business_days: cure,
            major_cure_hours: hours,
            major_cure_calendar: CureCalendar::WORDS[calendar].1,
            major_cure_from: CureFrom::WORDS[from].1,
            auto_upgrade: AutoUpgrade::WORDS[upgrade].1,
            ladder: Ladder { tiers, jump: Jump::WORDS[jump].1, currency: "EUR".into() },
        })
}

fn step() -> impl Strategy<Value = ClockStep> {
    let stage = (0usize..3, 0usize..4, any::<u32>(), option::of("[a-z/]{0,9}"), option::of(any::<i64>()), option::of(quote()))
        .prop_map(|(stage, why, round, notice, deadline, offer)| {
            let (stage, why, deadline) = (Stage::ALL[stage], StageWhy::ALL[why], deadline.map(Instant));
            ClockStep::Stage(StageFact { stage, why, round, notice, deadline, offer })
        });
    let settled = (any::<(i32, i32, u32)>(), prop::collection::vec(0u16..7, 0..3), prop::collection::vec(any::<i32>(), 0..3))
        .prop_flat_map(|(days, weekend, holidays)| {
            clauses().prop_map(move |clauses| {
                ClockStep::Settled(Settled {
                    outcome: Outcome::Upgraded,
                    day0: Day(days.0),
                    day: Day(days.1),
                    elapsed: days.2,
                    zone: "Europe/London".into(),
                    weekend: weekend.clone(),
                    holidays: holidays.iter().copied().map(Day).collect(),
                    clauses,
                    notice: "n".into(),
                })
            })
        });
    let notice = "[a-z/]{0,9}";
    prop_oneof![
        stage,
        settled,
        any::<(u64, i32)>().prop_map(|(of, day0)| ClockStep::Continues { of: EpisodeId(of), day0: Day(day0) }),
        notice.prop_map(|notice| ClockStep::GapEntered { notice }),
        notice.prop_map(|notice| ClockStep::CureEnded { notice }),
        notice.prop_map(|notice| ClockStep::Voided { notice }),
        notice.prop_map(|reason| ClockStep::Frozen { reason }),
        notice.prop_map(|reason| ClockStep::Unfrozen { reason }),
        (any::<u32>(), notice).prop_map(|(round, reason)| ClockStep::Approved { round, reason }),
        (any::<u32>(), prop::collection::vec(0usize..7, 0..4), option::of(quote()), notice).prop_map(
            |(round, reasons, offer, notice)| ClockStep::Withheld {
                round,
                reasons: reasons.into_iter().map(|at| Interlock::ALL[at]).collect(),
                offer,
                notice,
            }
        ),
        (any::<(u32, u32, u32)>(), quote(), notice).prop_map(|((round, from, to), quote, notice)| ClockStep::Upgraded {
            round,
            grant: GrantId::from("g"),
            from: Seats(from),
            to: Seats(to),
            charge: quote.charge,
            notice,
        }),
    ]
}

fn clock_fact() -> impl Strategy<Value = ClockFact> {
    ("[a-z]{0,4}", option::of(any::<u64>()), any::<(i64, i64)>(), step()).prop_map(|(pool, episode, (at, recorded), step)| {
        let (pool, episode) = (PoolId::new(pool), episode.map(EpisodeId));
        ClockFact { pool, episode, at: Instant(at), recorded: Instant(recorded), by: Actor::system(), step }
    })
}

fn delivery() -> impl Strategy<Value = Delivery> {
    ("[a-z/]{0,9}", option::of(any::<u64>()), "[a-z]{0,5}", any::<(i64, i64)>()).prop_map(
        |(key, episode, channel, (at, recorded))| Delivery {
            key,
            episode: episode.map(EpisodeId),
            channel,
            at: Instant(at),
            recorded: Instant(recorded),
            by: Actor::operator("ann"),
        },
    )
}
