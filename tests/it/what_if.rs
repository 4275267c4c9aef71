//! What would have been (`rosterd what-if`): the replay of what was is what was recorded, whatever happened; the replay with
//! other settings comes to numbers worked out by hand.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use rosterd::base::{Actor, EpisodeId, Instant, PoolId};
use rosterd::license::{GapBand, Grant, OnFull, Pool, ProductKind, SeatModel};
use rosterd::plan::Story;
use rosterd::service::{PoolWhatIf, WhatIf, WhatIfAsked};
use rosterd::store::Trigger;

use crate::clocks::{at, deliver_at, look_at, pool_of, run_at};
use crate::forecast::{START, build, gene, minute};
use crate::world::{World, day, grant};

fn asked(world: &World, asked: &WhatIfAsked) -> WhatIf {
    let service = world.service();
    service.what_if(&service.customers()[0], asked).expect("an answer")
}

/// The only pool that is told, with an exact replay of what was.
fn told(world: &World, question: &WhatIfAsked) -> PoolWhatIf {
    let answer = asked(world, question);
    assert_eq!(answer.difference, None);
    assert_eq!(answer.pools.len(), 1);
    answer.pools.into_iter().next().expect("the pool")
}

fn turned(world: &World, turn: impl Fn(&mut Pool)) -> WhatIfAsked {
    let mut pool = world.policy.pools[0].clone();
    turn(&mut pool);
    WhatIfAsked { pools: vec![pool], ..WhatIfAsked::default() }
}

fn bought(seats: i64, from: &str) -> WhatIfAsked {
    let from = Instant(i64::from(day(from).0) * 86_400_000);
    WhatIfAsked { grants: vec![grant("what-if-1", "learn", seats, from, Instant::MAX)], ..WhatIfAsked::default() }
}

fn facts(story: &Story) -> Vec<String> {
    story.facts.iter().map(|fact| format!("{} {}", fact.at, crate::forecast::step_text(&fact.step))).collect()
}

/// T4 up to its upgrade: 1030 of 1000 on 2 March, 1055 on the 4th (in the gap), 1045 on the 5th; the major notice is
/// written at 23:00:30 on 30 March, arrives 8 hours, 9 minutes and 30 seconds later, and a day after that the tier is taken.
fn t4() -> World {
    let mut world = pool_of(1000);
    run_at(&mut world, "2026-03-01T02:30:00Z", 1000);
    run_at(&mut world, "2026-03-02T02:30:00Z", 1030);
    run_at(&mut world, "2026-03-04T02:30:00Z", 1055);
    run_at(&mut world, "2026-03-05T02:30:00Z", 1045);
    look_at(&world, "2026-03-17T00:00:20Z");
    look_at(&world, "2026-03-30T23:00:30Z");
    deliver_at(&world, "2026-03-31T07:10:00Z", "overage_major/learn/1/1");
    look_at(&world, "2026-04-01T07:10:00Z");
    world
}

const AS_IT_WAS: [&str; 5] = [
    "2026-03-02T02:30:00Z minor opened round 1",
    "2026-03-17T00:00:00Z minor_overdue time round 1",
    "2026-03-30T23:00:00Z major time round 1",
    "2026-04-01T07:10:00Z upgraded 1000 to 1500 for Some(452055)",
    "2026-04-01T07:10:00Z upgraded on day 22",
];

#[test]
fn nothing_changed_is_what_was_recorded() {
    let world = t4();
    let answer = asked(&world, &WhatIfAsked::default());
    assert_eq!((answer.difference, answer.commits), (None, 8));
    assert_eq!((answer.from, answer.pools.len()), (at("2026-03-01T02:30:00Z"), 1));
    let pool = &answer.pools[0];
    assert_eq!(facts(&pool.was), AS_IT_WAS);
    assert!(pool.would.is_none());
    let store = world.service();
    assert_eq!(pool.was.episodes, store.store().episodes(&world.policy.customer).expect("episodes"));
    assert_eq!(pool.was.facts, store.store().clock(&world.policy.customer, None).expect("facts"));
    // The same settings once more make no difference either, however in time one looks.
    let again = told(&world, &turned(&world, |_| ()));
    let would = again.would.expect("the other side");
    assert_eq!(facts(&would), AS_IT_WAS);
    assert_eq!((would.episodes, would.levels), (again.was.episodes, again.was.levels));
}

#[test]
fn the_gap_as_major_starts_a_window_that_leaving_it_stops() {
    let world = t4();
    let told = told(&world, &turned(&world, |pool| pool.clauses.gap_band = GapBand::Major));
    assert_eq!(facts(&told.was), AS_IT_WAS);
    // 1055 of 1000 is in the gap: major on 4 March, its notice arrives at 10:39:30; on the 5th 1045 leaves it (R71) and the
    // episode goes on by time. The second major notice has no example: it arrives at once, and the window ends 24 hours
    // after 23:00:30 on 30 March, when somebody looked: in London that is 1 April as well, and 275 days are left.
    let would = told.would.expect("the other side");
    assert_eq!(
        facts(&would),
        [
            "2026-03-02T02:30:00Z minor opened round 1",
            "2026-03-04T02:30:00Z major band round 1",
            "2026-03-05T02:30:00Z minor band_left round 2",
            "2026-03-17T00:00:00Z minor_overdue time round 1",
            "2026-03-30T23:00:00Z major time round 2",
            "2026-03-31T23:00:30Z upgraded 1000 to 1500 for Some(452055)",
            "2026-03-31T23:00:30Z upgraded on day 22",
        ]
    );
    let major = |story: &Story| story.notices.iter().filter(|(_, notice)| notice.key.starts_with("overage_major")).count();
    assert_eq!((major(&told.was), major(&would)), (1, 2));
    assert_eq!(would.charged().map(|(sum, _)| sum), Some(452_055));
}

#[test]
fn fifty_seats_in_time_would_have_cost_less_than_the_tier() {
    let world = t4();
    let told = told(&world, &bought(50, "2026-03-01"));
    // 1030 fit into 1050; 1055 do not for a day, and 1045 do: day 1 of a minor overage, and no charge.
    let would = told.would.as_ref().expect("the other side");
    assert_eq!(facts(would), ["2026-03-04T02:30:00Z minor opened round 1", "2026-03-05T02:30:00Z cured on day 1"]);
    assert_eq!((told.was.charged().map(|(sum, _)| sum), would.charged().map(|(sum, _)| sum)), (Some(452_055), None));
    // 50 seats at 1200 are 60 000 a year; on 1 March 306 of 365 days are left: 50 301.4.
    let cost: Vec<u64> = told.bought.iter().flatten().map(|charge| charge.amount).collect();
    assert_eq!(cost, [50_301]);
    assert_eq!((told.was.most_over().0, would.most_over().0), (55, 5));
    assert_eq!((would.most().0.0, would.last().0.0), (1055, 1045), "sync seats everybody here, whatever was bought");
}

#[test]
fn other_days_and_other_numbers_move_stages() {
    let world = t4();
    // A holiday on 13 March: everything by time is a business day later; 31 March is the last day before it is major.
    let holiday = turned(&world, |pool| {
        pool.calendar = pool.calendar.clone().with_days_off(&[5, 6], [day("2026-03-13")]);
    });
    let would = told(&world, &holiday).would.expect("the other side");
    assert_eq!(
        facts(&would)[..3],
        [
            "2026-03-02T02:30:00Z minor opened round 1",
            "2026-03-18T00:00:00Z minor_overdue time round 1",
            "2026-03-31T23:00:00Z major time round 1",
        ]
    );
    // Minor up to 103 %: 1030 of 1000 is at the edge, 1055 and 1045 are above 104 % and therefore major.
    let bands = turned(&world, |pool| {
        (pool.overage.minor_percent, pool.overage.major_percent) = (103, 104);
    });
    let would = told(&world, &bands).would.expect("the other side");
    assert_eq!(
        facts(&would)[..3],
        [
            "2026-03-02T02:30:00Z minor opened round 1",
            "2026-03-04T02:30:00Z major band round 1",
            // The notice of 02:30 arrives at 10:39:30, as long after it as the real one did.
            "2026-03-05T10:39:30Z upgraded 1000 to 1500 for Some(496438)",
        ],
        "5 March: 302 of 365 days are left of 600 000"
    );
}

#[test]
fn a_part_of_the_past_starts_from_what_was_so() {
    let world = t4();
    let question = WhatIfAsked {
        from: Some(day("2026-03-10")),
        to: Some(day("2026-03-30")),
        ..turned(&world, |pool| pool.clauses.minor_business_days = 15)
    };
    let told = told(&world, &question);
    assert_eq!(facts(&told.was), [AS_IT_WAS[1]], "30 March ends in London at 23:00, when the major stage begins");
    // Day 16 is Tuesday 24 March. What the clock wrote down before stays.
    assert_eq!(
        facts(&told.would.expect("the other side")),
        [
            "2026-03-17T00:00:00Z CureEnded { notice: \"overage_cure_ended/learn/1\" }",
            "2026-03-24T00:00:00Z minor_overdue time round 1",
        ]
    );
}

/// Four teachers and two seats; those who have none wait.
fn queue() -> World {
    let mut world = World::new("north")
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", Some(2), OnFull::Wait);
    for key in ["ann", "ben", "cid", "dot"] {
        world.hire(key, "teacher", "ash");
    }
    world.night();
    world.end("ann");
    world.night();
    world.hire("eve", "teacher", "ash");
    world.night();
    world
}

#[test]
fn seats_that_were_not_there_go_to_the_queue_and_fewer_leave_people_in_it() {
    let world = queue();
    let numbers = |story: &Story| (story.most().0.0, story.last().0.0, story.most().1.0, story.last().1.0);
    // 2 March: ann and ben of four. On the 3rd ann goes and cid comes in. On the 4th eve joins dot in the queue.
    let one_more = told(&world, &bought(1, "2026-03-03"));
    assert_eq!(numbers(&one_more.was), (2, 2, 2, 2));
    // With a third seat from the 3rd on cid has it at once, and ann's is dot's; eve waits alone.
    assert_eq!(numbers(one_more.would.as_ref().expect("the other side")), (3, 3, 2, 1));
    // One seat less from the beginning: ann has it, then ben.
    let one_less = told(&world, &bought(-1, "2026-03-01"));
    assert_eq!(numbers(one_less.would.as_ref().expect("the other side")), (1, 1, 3, 3));
    // Had sync been free to overdraw, everybody would have been seated, twice over the limit: major at once.
    let overdrawn = told(&world, &turned(&world, |pool| pool.on_full = OnFull::Overdraw));
    let would = overdrawn.would.as_ref().expect("the other side");
    assert_eq!(numbers(would), (4, 4, 0, 0));
    assert_eq!(facts(would)[0], "2026-03-02T02:30:00Z major band round 1");
}

#[test]
fn without_waiting_rooms_and_with_a_purchase_left_out() {
    // Had the pool made people wait, 30 of T4 would have waited, then 55, then 45; and nothing would have been charged.
    let world = t4();
    let waiting = told(&world, &turned(&world, |pool| pool.on_full = OnFull::Wait));
    let would = waiting.would.as_ref().expect("the other side");
    assert_eq!((facts(would).len(), would.most().0.0, would.most().1.0, would.last().1.0), (0, 1000, 55, 45));
    // Without the 1000 seats everybody was major from the first night on.
    let left_out = WhatIfAsked { without: vec!["learn-first".into()], ..WhatIfAsked::default() };
    let would = told(&world, &left_out).would.expect("the other side");
    assert_eq!(facts(&would)[0], "2026-03-01T02:30:00Z major band round 1");
    let unknown = WhatIfAsked { without: vec!["learn-frist".into()], ..WhatIfAsked::default() };
    let service = world.service();
    let error = service.what_if(&service.customers()[0], &unknown).expect_err("there is no such grant");
    assert!(error.to_string().contains("did you mean learn-first?"), "{error}");
}

#[test]
fn settings_that_were_others_are_noticed_and_nothing_is_written() {
    let mut world = t4();
    let before = {
        let service = world.service();
        let report = service.verify(&service.customers()[0]).expect("a report");
        (report.hash, report.commits, service.store().notices(None, 1000).expect("notices").len())
    };
    world.policy.pools[0].clauses.minor_business_days = 12;
    let answer = asked(&world, &WhatIfAsked::default());
    let (version, what) = answer.difference.expect("the replay goes by today's settings");
    assert_eq!(version.0, 5, "{what}");
    let service = world.service();
    let report = service.verify(&service.customers()[0]).expect("a report");
    let after = (report.hash, report.commits, service.store().notices(None, 1000).expect("notices").len());
    assert_eq!(after, before);
}

// ---- whatever happened ----

/// What an operator does on a day.
#[derive(Clone, Copy, Debug)]
enum Hand {
    Buy(u8, i8),
    BuyLate(u8, u8),
    Assign(u8),
    Insist(u8),
    Freeze(bool),
    Approve(u8),
    End(u8),
    Hire(u8),
    Renew(u8),
}

fn hand() -> impl Strategy<Value = Hand> {
    proptest::prop_oneof![
        (0u8..20, -2i8..4).prop_map(|(ahead, seats)| Hand::Buy(ahead, seats)),
        (1u8..15, 1u8..6).prop_map(|(back, seats)| Hand::BuyLate(back, seats)),
        (0u8..14).prop_map(Hand::Assign),
        (0u8..14).prop_map(Hand::Insist),
        any::<bool>().prop_map(Hand::Freeze),
        (1u8..3).prop_map(Hand::Approve),
        (0u8..14).prop_map(Hand::End),
        (0u8..14).prop_map(Hand::Hire),
        (1u8..9).prop_map(Hand::Renew),
    ]
}

fn act(world: &mut World, hand: Hand, nth: usize) {
    let now = rosterd::clock::Clock::now(&*world.clock);
    let by = Actor::operator("test");
    let buy = |world: &World, from: Instant, seats: i64| {
        let bought = Grant { recorded: now, ..grant(&format!("hand-{nth}"), "learn", seats, from, Instant::MAX) };
        world.decide(rosterd::plan::Decision::Grant(bought));
    };
    let days = |days: u8| i64::from(days) * 86_400_000;
    let service = world.service();
    let customer = &service.customers()[0];
    let key = |person: u8| format!("p{person:02}");
    match hand {
        Hand::Buy(ahead, seats) => buy(world, now.plus_millis(days(ahead)), i64::from(seats)),
        Hand::BuyLate(back, seats) => buy(world, now.plus_millis(-days(back)), i64::from(seats)),
        Hand::Assign(person) => drop(world.assign(&key(person), "learn")),
        Hand::Insist(person) => {
            let pin = world.pin(&key(person), "learn", rosterd::license::PinKind::Assign);
            world.decide(rosterd::plan::Decision::Pin { pin, insist: true });
        }
        Hand::Freeze(freeze) => {
            service.freeze_billing(customer, &PoolId::from("learn"), freeze, &by, "because").expect("an answer");
        }
        Hand::Approve(episode) => drop(service.approve_upgrade(customer, EpisodeId(u64::from(episode)), &by, "because")),
        Hand::End(person) if world.people.contains_key(&key(person)) => {
            world.end(&key(person));
            world.write_package();
            let service = world.service();
            service.sync(&service.customers()[0], &Trigger::Drop, &|_| ()).expect("a run");
        }
        Hand::Hire(person) => {
            world.hire(&format!("h{person:02}"), "student", "ash");
            world.enroll(&format!("h{person:02}"), "algebra", None, None);
            world.write_package();
            let service = world.service();
            service.sync(&service.customers()[0], &Trigger::Drop, &|_| ()).expect("a run");
        }
        Hand::Renew(seats) => {
            let wish = rosterd::service::TermWish {
                pool: PoolId::from("learn"),
                id: None,
                from: Some(customer.day_of(now).plus(2)),
                to: customer.day_of(now).plus(30),
                seats: Some(rosterd::base::Seats(u32::from(seats))),
                basis: None,
                reference: "PO".into(),
            };
            service.renew(customer, &by, &wish).expect("an answer");
        }
        Hand::End(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_replay_of_what_was_is_what_was_recorded(gene in gene(), hands in vec((0i32..36, hand()), 0..7)) {
        let mut world = build(&gene);
        world.clock.set(at("2026-02-23T12:00:00Z"));
        world.write_package();
        let service = world.service();
        service.sync(&service.customers()[0], &Trigger::Drop, &|_| ()).expect("a run");
        for offset in 1..36 {
            for hour in [0, 5, 12] {
                world.clock.set(Instant((i64::from(day(START).0 + offset) * 24 + hour) * 3_600_000 + 30_000));
                // Some days nobody looks.
                if offset % 7 != 3 {
                    minute(&service);
                }
                for (nth, (_, hand)) in hands.iter().enumerate().filter(|(_, (on, _))| hour == 12 && *on == offset) {
                    act(&mut world, *hand, nth);
                }
            }
        }
        world.verify();
        let answer = asked(&world, &WhatIfAsked::default());
        assert_eq!(answer.difference, None);
        assert_eq!(answer.commits, service.version(&service.customers()[0]).expect("a version").0);
        let store = service.store();
        let mut episodes: Vec<_> = answer.pools.iter().flat_map(|pool| pool.was.episodes.clone()).collect();
        let mut recorded = store.episodes(&world.policy.customer).expect("episodes");
        episodes.sort_by_key(|episode| episode.id);
        recorded.sort_by_key(|episode| episode.id);
        assert_eq!(episodes, recorded);
        // The same settings make no difference on the other side either.
        let again = asked(&world, &WhatIfAsked { pools: world.policy.pools.clone(), ..WhatIfAsked::default() });
        for pool in again.pools {
            let would = pool.would.expect("the other side");
            assert_eq!((facts(&would), would.levels), (facts(&pool.was), pool.was.levels));
        }
        // Notices too, but for those that tell of other things than overages and balances.
        for (told, notice) in answer.pools.iter().flat_map(|pool| &pool.was.notices) {
            let known = store.notice(&world.policy.customer, &notice.key).expect("a store").expect(&notice.key);
            assert_eq!((known.at, &known.text), (*told, &notice.text), "{}", notice.key);
        }
    }
}
