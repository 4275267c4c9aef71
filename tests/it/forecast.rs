//! The days to come (`rosterd forecast`): numbers worked out by hand, and, with random worlds, what the daemon then
//! really does when the days are played with no new roster.

use std::collections::BTreeMap;

use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use proptest::{collection::vec, option};
use rosterd::base::{Actor, Calendar, Day, Instant, PoolId, Seats};
use rosterd::license::{
    AutoUpgrade, ClockStep, CureFrom, Jump, Ladder, OnFull, ProductKind, SeatModel, Stage, Term, TermState, Tier,
};
use rosterd::plan::{CandidateWhy, DayAhead, MoveAhead, PoolForecast, Predicate, StageAhead};
use rosterd::service::Service;

use crate::clocks::{at, pool_of, run_at};
use crate::world::{World, day, grant, succeeded};

fn forecast_of(world: &World, pool: &str, days: u32) -> PoolForecast {
    let service = world.service();
    let forecast = service.forecast(&service.customers()[0], Some(&PoolId::from(pool)), days).expect("a forecast");
    assert_eq!(forecast.pools.len(), 1);
    forecast.pools.into_iter().next().expect("the pool").2
}

fn on<'f>(forecast: &'f PoolForecast, date: &str) -> &'f DayAhead {
    forecast.days.iter().find(|known| known.day == day(date)).unwrap_or_else(|| panic!("{date}"))
}

/// Stage, first day, whether it is on, deadline, how many too many.
fn stage(stage: &StageAhead) -> (&'static str, String, bool, String, u32) {
    let deadline = stage.deadline.map_or("-".to_owned(), |deadline| deadline.to_string());
    (stage.stage.stage.word(), stage.day.to_string(), stage.is_on, deadline, stage.cures.excess.0)
}

/// Remove, buy, tier, cost.
fn cures(stage: &StageAhead) -> Vec<(u32, u32, Option<u32>, Option<u64>)> {
    let cure = |cure: &rosterd::license::Cure| (cure.remove.0, cure.buy.0, cure.tier.map(|tier| tier.0), cure.cost());
    stage.cures.options.iter().map(cure).collect()
}

pub fn step_text(step: &ClockStep) -> String {
    match step {
        ClockStep::Stage(fact) => format!("{} {} round {}", fact.stage.word(), fact.why.word(), fact.round),
        ClockStep::Withheld { reasons, .. } => format!("withheld {reasons:?}"),
        ClockStep::Upgraded { from, to, charge, .. } => {
            format!("upgraded {from} to {to} for {:?}", charge.as_ref().map(|charge| charge.amount))
        }
        ClockStep::Settled(settled) => format!("{} on day {}", settled.outcome.word(), settled.elapsed),
        other => format!("{other:?}"),
    }
}

fn moves(forecast: &PoolForecast) -> Vec<String> {
    let text = |what: &MoveAhead| match what {
        MoveAhead::Fact(fact) => step_text(&fact.step),
        MoveAhead::Phase(phase) => phase.state.word().to_owned(),
    };
    forecast.moves.iter().map(|(at, what)| format!("{at} {}", text(what))).collect()
}

#[test]
fn an_open_overage_goes_its_way_with_its_cures() {
    // T4's pool: 1000 seats at 12.00, London. Monday 2 March brings 1030 people. 10 business days later the minor notice's
    // deadline passes, after 20 it is major, 24 hours after the notice the next tier is taken.
    let mut world = pool_of(1000);
    run_at(&mut world, "2026-03-01T02:30:00Z", 1000);
    run_at(&mut world, "2026-03-02T02:30:00Z", 1030);
    let forecast = forecast_of(&world, "learn", 90);
    assert_eq!(forecast.days.len(), 91);
    assert_eq!(
        forecast.stages.iter().map(stage).collect::<Vec<_>>(),
        [
            ("minor", "2026-03-02".into(), true, "2026-03-17T00:00:00Z".into(), 30),
            ("minor_overdue", "2026-03-17".into(), false, "2026-03-30T23:00:00Z".into(), 30),
            ("major", "2026-03-31".into(), false, "2026-03-31T23:00:00Z".into(), 30),
        ]
    );
    // The 16th is the 75th day of the year: 291 of 365 days are left. 30 seats at 1200 are 36 000 a year, and 36 000 × 291
    // / 365 = 28 701.4; the tier is 600 000 more a year, × 291 / 365 = 478 356.2. On the 30th, 277 days are left:
    // 27 320.5 and 455 342.5. On the 31st 276: 27 221.9 and 453 698.6.
    for (at, buy, tier) in [(0, 28_701, 478_356), (1, 27_321, 455_342), (2, 27_222, 453_699)] {
        let expected = [(30, 0, None, Some(0)), (0, 30, None, Some(buy)), (0, 0, Some(1500), Some(tier))];
        assert_eq!(cures(&forecast.stages[at]), expected);
        assert_eq!(forecast.stages[at].cures.cheapest, Some(1), "nobody is known who could go");
    }
    // The 24 hours end as London's 1 April begins: 275 days are left (T4).
    assert_eq!(
        moves(&forecast),
        ["2026-03-31T23:00:00Z upgraded 1000 to 1500 for Some(452055)", "2026-03-31T23:00:00Z upgraded on day 22"]
    );
    for (date, stage, limit) in [
        ("2026-03-02", Some(Stage::Minor), 1000),
        ("2026-03-16", Some(Stage::Minor), 1000),
        ("2026-03-17", Some(Stage::MinorOverdue), 1000),
        ("2026-03-31", Some(Stage::Major), 1000),
        ("2026-04-01", None, 1500),
        ("2026-05-31", None, 1500),
    ] {
        let told = on(&forecast, date);
        assert_eq!((told.used, told.stage, told.allowance.seats), (Seats(1030), stage, Some(Seats(limit))), "{date}");
    }
}

/// A pool `learn` of active users in a class, overdrawn, in UTC: no names but those given, with first and last day.
fn class_of(seats: u32, people: &[(&str, Option<&'static str>, Option<&'static str>)]) -> World {
    let world = World::new("north").school("ash").class("algebra", "ash", "math");
    let world = world.product("learn", ProductKind::Module, SeatModel::ActiveUser);
    let mut world = world.rule("all", "learn", 0, Predicate::Everyone).pool("learn", "d", Some(seats), OnFull::Overdraw);
    for (key, first, last) in people {
        world.hire(key, "student", "ash");
        world.enroll(key, "algebra", *first, *last);
    }
    world
}

#[test]
fn dates_of_enrollments_make_the_curve_and_cure_by_themselves() {
    // 3 seats. Two are there; on Thursday 5 March two more begin: 4 of 3, major by size. One ends on the 6th (last day),
    // so that on the 7th it is over; another ends on the 20th.
    let mut world = class_of(
        3,
        &[
            ("a", None, None),
            ("b", None, Some("2026-03-06")),
            ("c", Some("2026-03-05"), None),
            ("d", Some("2026-03-05"), Some("2026-03-20")),
        ],
    );
    world.night();
    let forecast = forecast_of(&world, "learn", 30);
    let used: Vec<(String, u32)> = forecast.days.iter().map(|told| (told.day.to_string(), told.used.0)).collect();
    assert_eq!(used.len(), 31);
    let curve = |from: usize| used[from].clone();
    assert_eq!((curve(0), curve(1), curve(2)), (("2026-03-03".into(), 2), ("2026-03-04".into(), 2), ("2026-03-05".into(), 4)));
    assert_eq!((curve(3), curve(4), curve(5)), (("2026-03-06".into(), 4), ("2026-03-07".into(), 3), ("2026-03-08".into(), 3)));
    assert_eq!((on(&forecast, "2026-03-20").used, on(&forecast, "2026-03-21").used), (Seats(3), Seats(2)));
    // The window ends with the 5th: whoever leaves later is a candidate, and nothing has a price.
    let stages: Vec<_> = forecast.stages.iter().map(stage).collect();
    assert_eq!(stages, [("major", "2026-03-05".into(), false, "2026-03-06T00:00:00Z".into(), 1)]);
    let candidates: Vec<_> = forecast.stages[0].candidates.iter().map(|c| (c.person.as_str(), c.why)).collect();
    assert_eq!(candidates, [("b", CandidateWhy::Leaves(day("2026-03-07")))]);
    assert_eq!(
        (cures(&forecast.stages[0]), forecast.stages[0].cures.cheapest),
        (vec![(1, 0, None, Some(0)), (0, 1, None, None)], Some(0))
    );
    assert_eq!(
        moves(&forecast),
        ["2026-03-06T00:00:00Z withheld [NoHigherTier]", "2026-03-07T00:00:00Z cured on day 1"],
        "there is no ladder; 6 March is the one business day that passed"
    );
}

#[test]
fn what_was_bought_begins_and_ends_and_who_waits_comes_in() {
    let mut world = class_of(2, &[("a", None, None), ("b", None, Some("2026-03-10")), ("c", None, None), ("d", None, None)]);
    world.policy.pools[0].on_full = OnFull::Wait;
    let until = |date: &str| Instant(i64::from(day(date).0) * 86_400_000);
    world.grants.push(grant("spring", "learn", 1, until("2026-03-16"), until("2026-03-23")));
    world.night();
    let forecast = forecast_of(&world, "learn", 30);
    // b's last day is the 10th: c comes in on the 11th. The added seat of the 16th is d's; when it ends on the 23rd nobody
    // loses a seat (R54): 3 of 2, major by size.
    for (date, used, waiting, limit) in [
        ("2026-03-10", 2, 2, 2),
        ("2026-03-11", 2, 1, 2),
        ("2026-03-16", 3, 0, 3),
        ("2026-03-22", 3, 0, 3),
        ("2026-03-23", 3, 0, 2),
    ] {
        let told = on(&forecast, date);
        assert_eq!((told.used.0, told.waiting.0, told.allowance.seats), (used, waiting, Some(Seats(limit))), "{date}");
    }
    assert_eq!(stage(&forecast.stages[0]), ("major", "2026-03-23".into(), false, "2026-03-24T00:00:00Z".into(), 1));
}

#[test]
fn a_pool_that_may_be_overdrawn_is_once_there_are_more_seats() {
    // 4 seats and 7 people: up to 120 %, which is 4.8, nobody more. Two seats more on Tuesday 24 March: the queue gets those
    // (R43), and the run of the date, as sync may, one more: 7 of 6 is less than 7.2.
    let people: Vec<String> = (1..=7).map(|at| format!("p{at}")).collect();
    let people: Vec<_> = people.iter().map(|key| (key.as_str(), None, None)).collect();
    let mut world = class_of(4, &people);
    world.policy.pools[0].on_full = OnFull::OverdrawUpTo { percent_max: 120 };
    let from = Instant(i64::from(day("2026-03-24").0) * 86_400_000);
    world.grants.push(grant("more", "learn", 2, from, Instant::MAX));
    world.night();
    let forecast = forecast_of(&world, "learn", 30);
    for (date, used, waiting) in [("2026-03-23", 4, 3), ("2026-03-24", 7, 0)] {
        let told = on(&forecast, date);
        assert_eq!((told.used.0, told.waiting.0), (used, waiting), "{date}");
    }
}

#[test]
fn a_term_that_ends_gives_grace_and_then_no_access() {
    let mut world = class_of(5, &[("a", None, None), ("b", None, None)]);
    world.grants.clear();
    let start = |date: &str| Instant(i64::from(day(date).0) * 86_400_000);
    let term = Term {
        id: "y1".into(),
        pool: "learn".into(),
        from: start("2025-04-01"),
        to: start("2026-04-01"),
        seats: Some(Seats(5)),
        recorded: Instant::MIN,
        by: Actor::operator("settings"),
        reference: "PO".into(),
    };
    world.adjust = Box::new(move |customer| customer.terms = vec![term.clone()]);
    world.night();
    let forecast = forecast_of(&world, "learn", 60);
    // The last day is 31 March, grace the 14 days after it.
    for (date, term, used, suspended) in [
        ("2026-03-31", TermState::Current, 2, 0),
        ("2026-04-01", TermState::InGrace, 2, 0),
        ("2026-04-14", TermState::InGrace, 2, 0),
        ("2026-04-15", TermState::Expired, 0, 2),
    ] {
        let told = on(&forecast, date);
        assert_eq!((told.term, told.used.0, told.suspended.0), (term, used, suspended), "{date}");
    }
    assert_eq!(moves(&forecast), ["2026-04-01T00:00:00Z in_grace", "2026-04-15T00:00:00Z expired"]);
}

#[test]
fn nothing_is_written_and_the_same_question_has_the_same_answer() {
    let mut world = class_of(1, &[("a", None, None), ("b", None, Some("2026-03-20"))]);
    world.night();
    let state = |world: &World| {
        let service = world.service();
        let customer = &service.customers()[0];
        let report = service.verify(customer).expect("a report");
        let runs = service.store().runs(None, 100).expect("runs").len();
        (report.hash, report.commits, runs, service.store().notices(None, 1000).expect("notices").len())
    };
    let before = state(&world);
    let one = forecast_of(&world, "learn", 90);
    assert_eq!(one, forecast_of(&world, "learn", 90));
    assert_eq!(state(&world), before);
    let empty = World::new("north").product("learn", ProductKind::Module, SeatModel::Role);
    let empty = empty.pool("learn", "d", Some(1), OnFull::Wait);
    let service = empty.service();
    let forecast = service.forecast(&service.customers()[0], None, 90).expect("a forecast");
    assert!(forecast.pools.is_empty(), "nothing was written down yet");
}

// ---- against what the daemon does ----

/// A random pool with random dates.
#[derive(Clone, Debug)]
pub struct Gene {
    people: Vec<(i32, i32, bool)>,
    seats: u32,
    on_full: u8,
    zone: u8,
    auto_upgrade: u8,
    cure_from: u8,
    cover: bool,
    grants: Vec<(i32, u8, u8)>,
    agreed: Option<(i32, u8)>,
    term_end: Option<i32>,
    renewed: Option<bool>,
    second: Option<u8>,
}

pub fn gene() -> impl Strategy<Value = Gene> {
    let people = vec((-40i32..70, 0i32..60, any::<bool>()), 1..14);
    let first = (people, 1u32..12, 0u8..3, 0u8..3, 0u8..3, 0u8..3, any::<bool>());
    let second = (
        vec((1i32..60, 1u8..40, 1u8..4), 0..3),
        option::of((1i32..50, 1u8..4)),
        option::of(5i32..55),
        option::of(any::<bool>()),
        option::of(0u8..5),
    );
    (first, second).prop_map(|(first, second)| {
        let (people, seats, on_full, zone, auto_upgrade, cure_from, cover) = first;
        let (grants, agreed, term_end, renewed, second) = second;
        Gene { people, seats, on_full, zone, auto_upgrade, cure_from, cover, grants, agreed, term_end, renewed, second }
    })
}

pub const START: &str = "2026-02-23";
const DAYS: i32 = 60;

pub fn build(gene: &Gene) -> World {
    let text = |offset: i32| &*Box::leak(day(START).plus(offset).to_string().into_boxed_str());
    let zone = ["UTC", "Europe/London", "America/New_York"][usize::from(gene.zone)];
    let mut world = World::new("north").school("ash").class("algebra", "ash", "math");
    world.policy.calendar = Calendar::in_zone(zone).expect("a zone").with_days_off(&[5, 6], [day("2026-04-03")]);
    let on_full = [OnFull::Overdraw, OnFull::Wait, OnFull::OverdrawUpTo { percent_max: 120 }][usize::from(gene.on_full)];
    let mut world = world
        .product("access", ProductKind::Access, SeatModel::Role)
        .product("learn", ProductKind::Content, SeatModel::ActiveUser)
        .rule("all", "access", 0, Predicate::Everyone)
        .rule("pupils", "learn", 0, Predicate::Everyone)
        .pool("access", "d", gene.second.map(|few| 8 + u32::from(few)), OnFull::Wait)
        .pool("learn", "d", Some(gene.seats), on_full);
    for (at, (first, long, open)) in gene.people.iter().enumerate() {
        let key = format!("p{at:02}");
        world.hire(&key, "student", "ash");
        world.enroll(&key, "algebra", Some(text(*first)), (!open).then(|| text(first + long)));
    }
    let calendar = world.policy.calendar.clone();
    let start = |offset: i32| calendar.start_of(day(START).plus(offset));
    let tier = |seats: u32| Tier { seats: Seats(seats), price: Some(u64::from(seats) * 1200) };
    let tiers = vec![tier(gene.seats), tier(gene.seats + 3), tier(gene.seats + 9)];
    let pool = world.policy.pools.last_mut().expect("the pool");
    pool.anchor = Some(day("2025-09-01"));
    pool.clauses.ladder = Ladder { tiers, jump: if gene.cover { Jump::Covering } else { Jump::Next }, currency: "EUR".into() };
    pool.clauses.auto_upgrade = [AutoUpgrade::Apply, AutoUpgrade::Propose, AutoUpgrade::Off][usize::from(gene.auto_upgrade)];
    pool.clauses.major_cure_from =
        [CureFrom::NoticeDelivered, CureFrom::NoticeIssued, CureFrom::MajorStart][usize::from(gene.cure_from)];
    for (at, (from, long, seats)) in gene.grants.iter().enumerate() {
        let to = from + i32::from(*long);
        world.grants.push(grant(&format!("g{at}"), "learn", i64::from(*seats), start(*from), start(to)));
    }
    let mut terms = Vec::new();
    if let Some(end) = gene.term_end {
        world.grants.retain(|grant| grant.id.as_str() != "learn-first");
        let term = |id: &str, from: i32, to: i32, seats: Option<u32>| Term {
            id: id.into(),
            pool: "learn".into(),
            from: start(from),
            to: start(to),
            seats: seats.map(Seats),
            recorded: Instant::MIN,
            by: Actor::operator("settings"),
            reference: "PO".into(),
        };
        terms.push(term("y1", -100, end, Some(gene.seats)));
        terms.extend(gene.renewed.map(|told| term("y2", end + 3, end + 365, told.then_some(gene.seats.saturating_sub(1)))));
    }
    world.agreed.extend(gene.agreed.map(|(from, seats)| rosterd::license::AgreedExcess {
        id: "letter".into(),
        pool: "learn".into(),
        seats: Seats(u32::from(seats)),
        from: start(from),
        to: start(from + 12),
        recorded: Instant::MIN,
        by: Actor::operator("test"),
        reference: "letter".into(),
    }));
    world.adjust = Box::new(move |customer| {
        customer.stale_after_hours = 24 * 366;
        customer.terms.clone_from(&terms);
    });
    world
}

/// A minute of the daemon with the runs it asks for; notices of major overages arrive at once.
pub fn minute(service: &Service) {
    let customer = &service.customers()[0];
    for _ in 0..2 {
        let ticked = service.tick();
        assert!(ticked.errors.is_empty(), "{:?}", ticked.errors);
        while let Some(request) = service.take_request().expect("a turn") {
            let run = service.fulfil(&request, &|_| ()).expect("a run").expect("a run");
            assert!(succeeded(&run), "{} {}", run.state, run.message);
        }
        let delivered = service.store().deliveries(customer.id()).expect("deliveries");
        let notices = service.store().notices(None, 1000).expect("notices");
        let missing = notices.iter().filter(|notice| notice.kind == "overage_major");
        for notice in missing.filter(|notice| delivered.iter().all(|known| known.key != notice.key)) {
            service.deliver(customer, &notice.key, "assumed", None, &Actor::system()).expect("an answer");
        }
    }
}

/// What the clocks wrote down after so many facts: instant, pool, step.
fn facts(service: &Service) -> Vec<String> {
    let facts = service.store().clock(service.customers()[0].id(), None).expect("facts");
    facts.iter().map(|fact| format!("{} {} {:?} {}", fact.at, fact.pool, fact.episode, step_text(&fact.step))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_days_come_as_they_were_forecast(gene in gene()) {
        let mut world = build(&gene);
        world.clock.set(at("2026-02-23T12:00:00Z"));
        world.write_package();
        let service = world.service();
        let run = service.sync(&service.customers()[0], &rosterd::store::Trigger::Drop, &|_| ()).expect("a run");
        assert!(succeeded(&run), "{}", run.message);
        minute(&service);
        let known = facts(&service);
        let forecast = service.forecast(&service.customers()[0], None, DAYS as u32).expect("a forecast");
        let expected: BTreeMap<(PoolId, Day), DayAhead> = forecast
            .pools
            .iter()
            .flat_map(|(pool, _, told)| told.days.iter().map(|day| ((pool.clone(), day.day), *day)))
            .collect();
        let mut told: Vec<String> = forecast
            .pools
            .iter()
            .flat_map(|(_, _, told)| &told.moves)
            .filter_map(|(at, what)| match what {
                MoveAhead::Fact(fact) => Some(format!("{at} {} {:?} {}", fact.pool, fact.episode, step_text(&fact.step))),
                MoveAhead::Phase(_) => None,
            })
            .collect();
        for (pool, _, forecast) in &forecast.pools {
            let coming = forecast.stages.iter().filter(|stage| !stage.is_on);
            told.extend(coming.map(|stage| {
                let StageAhead { at, stage: fact, .. } = stage;
                let round = fact.round;
                format!("{at} {pool} {} {} round {round}", fact.stage.word(), fact.why.word())
            }));
        }
        // The day of every instant at which something can happen: midnights of the zones, noon and late evening.
        let first = day(START);
        for offset in 0..=DAYS {
            for hour in [0, 4, 5, 12, 23] {
                let now = Instant((i64::from(first.0 + offset) * 24 + hour) * 3_600_000);
                if now <= at("2026-02-23T12:00:00Z") {
                    continue;
                }
                // What was so when the date before ended.
                world.clock.set(now);
                let calendar = &world.policy.calendar;
                let today = calendar.day_of(now);
                if calendar.start_of(today) == now {
                    compare(&service, &expected, today.plus(-1));
                }
                minute(&service);
            }
        }
        let after: Vec<String> = facts(&service).into_iter().filter(|fact| !known.contains(fact)).collect();
        let plain = |line: &String| {
            let parts: Vec<&str> = line.split(' ').filter(|part| !part.starts_with("Some(EpisodeId") && *part != "None").collect();
            parts.join(" ")
        };
        let until = Instant((i64::from(first.0 + DAYS) * 24) * 3_600_000).to_string();
        let within = |lines: Vec<String>| {
            let mut lines: Vec<String> = lines.iter().map(plain).filter(|line| *line < until).collect();
            lines.sort();
            lines
        };
        assert_eq!(within(told), within(after));
        world.verify();
    }
}

/// How the pools stand now is how the forecast said they would at the end of a day.
fn compare(service: &Service, expected: &BTreeMap<(PoolId, Day), DayAhead>, day: Day) {
    for view in service.pools(&service.customers()[0]).expect("pools") {
        let Some(told) = expected.get(&(view.pool.clone(), day)) else { continue };
        let standing = service.store().standing_light(service.customers()[0].id()).expect("books");
        let books = &standing.pools[&view.pool];
        let count = |state| books.counts.of(state);
        let phase = standing.phases.get(&view.pool).map_or(TermState::Unbound, |phase| phase.state);
        let is = (
            books.counts.used(),
            count(rosterd::license::ClaimState::Waiting),
            count(rosterd::license::ClaimState::Suspended),
            books.allowance,
            books.band,
            phase,
        );
        let said = (told.used, told.waiting, told.suspended, told.allowance, told.band, told.term);
        assert_eq!(is, said, "pool {} at the end of {day}", view.pool);
    }
}
