//! Holds, guard days, terms, phases and facts of clocks of every shape.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::base::{Actor, Day, Digest, EpisodeId, GrantId, Instant, PersonKey, PoolId, RunId, Seats, SourceId};
use crate::license::{
    AutoUpgrade, Charge, Clauses, ClockFact, ClockStep, CureCalendar, CureFrom, Delivery, Entry, GapBand, GuardDay, Hold,
    HoldState, Interlock, Jump, Ladder, Outcome, Phase, Quote, Settled, Stage, StageFact, StageWhy, Term, TermState, Tier,
};

fn text() -> impl Strategy<Value = String> {
    "[ab\u{e9}0-9 ]{0,6}"
}

fn instant() -> impl Strategy<Value = Instant> {
    any::<i64>().prop_map(Instant)
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

pub fn hold() -> impl Strategy<Value = Hold> {
    let people = || prop::collection::vec(text().prop_map(PersonKey::new), 0..3);
    let packages = prop::collection::vec((text().prop_map(SourceId::new), (digest(), text())), 0..3);
    (
        (any::<u64>(), digest(), instant(), instant(), prop::collection::vec(text(), 0..3)),
        (people(), people(), people(), packages, any::<bool>()),
        (select(HoldState::ALL.to_vec()), option::of(text()), option::of(instant()), option::of(any::<u64>()), any::<i32>()),
    )
        .prop_map(|((run, plan, opened, deadline, trips), (removals, additions, exceptions, packages, empty), end)| {
            let (state, by, at, used, told) = end;
            Hold {
                run: RunId(run),
                plan,
                opened,
                deadline,
                trips,
                removals,
                additions,
                packages,
                empty,
                state,
                by: by.map(Actor::operator),
                at,
                exceptions,
                used: used.map(RunId),
                told: Day(told),
            }
        })
}

pub fn guard_day() -> impl Strategy<Value = GuardDay> {
    (text(), any::<i32>(), any::<u32>(), any::<u32>()).prop_map(|(source, day, base, removed)| GuardDay {
        source: SourceId::new(source),
        day: Day(day),
        base,
        removed,
    })
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

pub(super) fn clock_fact() -> impl Strategy<Value = ClockFact> {
    ("[a-z]{0,4}", option::of(any::<u64>()), any::<(i64, i64)>(), step()).prop_map(|(pool, episode, (at, recorded), step)| {
        let (pool, episode) = (PoolId::new(pool), episode.map(EpisodeId));
        ClockFact { pool, episode, at: Instant(at), recorded: Instant(recorded), by: Actor::system(), step }
    })
}

pub(super) fn delivery() -> impl Strategy<Value = Delivery> {
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

pub fn terms_entry() -> impl Strategy<Value = Entry> {
    let instants = || (instant(), instant(), instant());
    let term = ((text(), text(), text()), instants(), option::of(any::<u32>())).prop_map(
        |((id, pool, reference), (from, to, recorded), seats)| {
            let (id, pool, by) = (GrantId::new(id), PoolId::new(pool), Actor::operator("ann"));
            Entry::Term(Term { id, pool, from, to, seats: seats.map(Seats), recorded, by, reference })
        },
    );
    let phase = (text(), select(TermState::ALL.to_vec()), option::of(text()), instants()).prop_map(
        |(pool, state, term, (since, term_end, _))| Entry::Phase {
            pool: PoolId::new(pool),
            phase: Phase { state, term: term.map(GrantId::new), since, term_end },
        },
    );
    prop_oneof![term, phase]
}
