//! The license contract over time, played through the whole path: overages turn into stages, notices, cure windows and
//! upgrades by themselves, each at its true instant, and the trail proves it (R53, R58 to R80; T4, T5, T13).

use rosterd::base::{Actor, Calendar, EpisodeId, Instant, PoolId, Seats};
use rosterd::license::{
    AutoUpgrade, Clauses, ClockStep, CureFrom, Jump, Ladder, OnFull, Outcome, ProductKind, SeatModel, Stage, Tier,
};
use rosterd::plan::Answer;
use rosterd::service::{ClockAnswer, DeliveryAnswer, Service, ServiceError, Verified};
use rosterd::store::Trigger;

use crate::world::{World, day, grant, succeeded};

pub fn at(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

/// A pool `learn` in London with so many seats, overdrawn by sync, with the ladder 1×, 1.5×, 2× at 12.00 a seat and year.
pub fn pool_of(seats: u32) -> World {
    let mut world = World::new("north").school("ash").product("learn", ProductKind::Module, SeatModel::Role);
    world.policy.calendar = Calendar::in_zone("Europe/London").expect("a zone");
    let mut world = world.role_rule("teacher", "learn").pool("learn", "d", Some(seats), OnFull::Overdraw);
    let tier = |seats: u32| Tier { seats: Seats(seats), price: Some(u64::from(seats) * 1200) };
    let pool = &mut world.policy.pools[0];
    pool.anchor = Some(day("2026-01-01"));
    let tiers = vec![tier(seats), tier(seats + seats / 2), tier(seats * 2)];
    pool.clauses = Clauses { ladder: Ladder { tiers, jump: Jump::Next, currency: "EUR".into() }, ..Clauses::CONTRACT };
    world.adjust = Box::new(|customer| customer.stale_after_hours = 24 * 366);
    world
}

/// So many teachers are there.
pub fn staff(world: &mut World, count: usize) {
    let keys: Vec<String> = world.people.keys().cloned().collect();
    for key in keys.iter().skip(count) {
        world.end(key);
    }
    for at in world.people.values().filter(|person| !person.ended).count()..count {
        world.hire(&format!("t{at:04}"), "teacher", "ash");
    }
}

/// A nightly run at an instant.
pub fn run_at(world: &mut World, when: &str, count: usize) {
    staff(world, count);
    world.clock.set(at(when));
    world.write_package();
    let service = world.service();
    let run = service.sync(&service.customers()[0], &Trigger::Drop, &|_| ()).expect("a run");
    assert!(succeeded(&run), "{}", run.message);
}

pub fn look_at(world: &World, when: &str) {
    world.clock.set(at(when));
    let service = world.service();
    service.sweep(&service.customers()[0]).expect("a sweep");
}

pub fn deliver_at(world: &World, when: &str, key: &str) -> DeliveryAnswer {
    world.clock.set(at(when));
    let service = world.service();
    service.deliver(&service.customers()[0], key, "phone", None, &Actor::operator("ann")).expect("an answer")
}

/// What the clocks wrote down: instant, episode, step; late ones marked.
pub fn history(world: &World) -> Vec<String> {
    let facts = world.service().store().clock(&world.policy.customer, None).expect("facts");
    let line = |fact: &rosterd::license::ClockFact| {
        let what = match &fact.step {
            ClockStep::Stage(stage) => stage.stage.word().to_owned(),
            ClockStep::Withheld { reasons, .. } => {
                format!("withheld {}", reasons.iter().map(|reason| reason.word()).collect::<Vec<_>>().join(" "))
            }
            ClockStep::Upgraded { from, to, charge, .. } => {
                format!("upgraded {from} to {to} for {}", charge.as_ref().map_or(0, |charge| charge.amount))
            }
            ClockStep::Settled(settled) => format!("{} on day {}", settled.outcome.word(), settled.elapsed),
            other => format!("{other:?}"),
        };
        let late = if fact.is_late() { " (late)" } else { "" };
        format!("{} {} {what}{late}", fact.at, fact.episode.map_or(0, |id| id.0))
    };
    facts.iter().map(line).collect()
}

pub fn kinds(world: &World) -> Vec<String> {
    let notices = world.service().store().notices(Some(&world.policy.customer), 100).expect("notices");
    // How pools stand, and near their limit, is told besides.
    let other = |kind: &str| kind == "compliance_changed" || kind == "near_limit";
    notices.into_iter().rev().map(|notice| notice.kind).filter(|kind| !other(kind)).collect()
}

fn text_of(world: &World, key: &str) -> String {
    world.service().store().notice(&world.policy.customer, key).expect("a store").unwrap_or_else(|| panic!("{key}")).text
}

const T4: [&str; 3] = ["2026-03-02T02:30:00Z 1 minor", "2026-03-17T00:00:00Z 1 minor_overdue", "2026-03-30T23:00:00Z 1 major"];

fn t4_until_major() -> World {
    let mut world = pool_of(1000);
    run_at(&mut world, "2026-03-01T02:30:00Z", 1000);
    run_at(&mut world, "2026-03-02T02:30:00Z", 1030);
    run_at(&mut world, "2026-03-04T02:30:00Z", 1055);
    run_at(&mut world, "2026-03-05T02:30:00Z", 1045);
    world
}

#[test]
fn t4_one_episode_through_its_life() {
    let world = t4_until_major();
    assert_eq!(
        text_of(&world, "overage_minor/learn/1"),
        "Pool learn uses 1030 of 1000 seats since 2026-03-02: 30 to remove, or as many to buy. Cure it by the end of \
         2026-03-16. Candidates to remove: 1030 people with seats, their activity unknown. On offer: 1500 seats, for \
         5013.70 EUR until 2026-12-31 (305 of 365 days), computed for 2026-03-02."
    );
    let view = world.view("learn");
    let clock = view.clock.expect("a clock");
    assert_eq!((clock.stage, clock.elapsed, clock.deadline), (Stage::Minor, 3, Some(at("2026-03-17T00:00:00Z"))));
    look_at(&world, "2026-03-16T23:59:59Z");
    assert_eq!(history(&world), T4[..1]);
    look_at(&world, "2026-03-17T00:00:00Z");
    assert_eq!(history(&world), T4[..2]);
    assert!(text_of(&world, "overage_overdue/learn/1").contains("from 2026-03-31 on it is major. An upgrade is proposed."));
    look_at(&world, "2026-03-30T22:59:59Z");
    assert_eq!(history(&world), T4[..2]);
    look_at(&world, "2026-03-30T23:00:30Z");
    assert_eq!(history(&world), T4);
    assert!(text_of(&world, "overage_major/learn/1/1").contains("Cure it within 24 hours of the delivery of this notice."));
    assert_eq!(world.view("learn").clock.expect("a clock").deadline, None, "the notice did not arrive yet");
    assert!(matches!(deliver_at(&world, "2026-03-31T07:10:00Z", "overage_major/learn/1/1"), DeliveryAnswer::Done(_)));
    assert_eq!(world.view("learn").clock.expect("a clock").deadline, Some(at("2026-04-01T07:10:00Z")));
    look_at(&world, "2026-04-01T07:09:59.999Z");
    assert_eq!(world.view("learn").allowance.seats, Some(Seats(1000)));
    look_at(&world, "2026-04-01T07:10:00Z");
    let mut expected: Vec<String> = T4.iter().map(|line| (*line).to_owned()).collect();
    expected.push("2026-04-01T07:10:00Z 1 upgraded 1000 to 1500 for 452055".into());
    expected.push("2026-04-01T07:10:00Z 1 upgraded on day 22".into());
    assert_eq!(history(&world), expected);
    let store = world.service();
    let store = store.store();
    let episode = store.episode(&world.policy.customer, EpisodeId(1)).expect("a store").expect("an episode");
    assert_eq!((episode.closed, episode.outcome), (Some(at("2026-04-01T07:10:00Z")), Some(Outcome::Upgraded)));
    assert_eq!(
        episode.samples.iter().map(|s| (s.used.0, s.band.word())).collect::<Vec<_>>(),
        [(1030, "minor"), (1055, "gap"), (1045, "minor"),]
    );
    let standing = store.standing_light(&world.policy.customer).expect("books");
    let taken = standing.grants.iter().find(|grant| grant.id.as_str() == "upgrade-1-1").expect("the grant");
    assert_eq!((taken.seats, taken.from, taken.to), (500, at("2026-04-01T07:10:00Z"), Instant::MAX), "no term ends it");
    assert_eq!(
        text_of(&world, "overage_upgraded/learn/1/1"),
        "Pool learn was raised from 1000 to 1500 seats at 2026-04-01T07:10:00Z (grant upgrade-1-1). The charge is 4520.55 \
         EUR: 18000.00 EUR instead of 12000.00 EUR a year, 275 of 365 days."
    );
    let told = ["negative_balance", "overage_minor", "overage_overdue", "overage_major", "overage_upgraded"];
    assert_eq!(kinds(&world)[..5], told);
    assert_eq!(kinds(&world)[5..], ["overage_closed", "balance_restored"]);
    assert_eq!((world.balance("learn"), world.view("learn").episode), (455, None));
    // Nothing more happens, however often somebody looks.
    let version = store.version(&world.policy.customer).expect("a version");
    look_at(&world, "2026-05-01T00:00:00Z");
    assert_eq!(store.version(&world.policy.customer).expect("a version"), version);
    world.verify();
}

#[test]
fn t4_variant_cured_within_the_window() {
    let mut world = t4_until_major();
    look_at(&world, "2026-03-31T07:00:00Z");
    deliver_at(&world, "2026-03-31T07:10:00Z", "overage_major/learn/1/1");
    run_at(&mut world, "2026-04-01T06:00:00Z", 1000);
    look_at(&world, "2026-04-02T06:00:00Z");
    assert_eq!(
        history(&world),
        [
            T4[0],
            "2026-03-17T00:00:00Z 1 minor_overdue (late)",
            "2026-03-30T23:00:00Z 1 major (late)",
            "2026-04-01T06:00:00Z 1 cured on day 22",
        ]
    );
    assert_eq!(world.view("learn").allowance.seats, Some(Seats(1000)));
    world.verify();
}

#[test]
fn t5_late_evaluation_gives_the_same_dates() {
    let world = t4_until_major();
    look_at(&world, "2026-03-13T12:00:00Z");
    // The daemon was down from 13 March to 1 April.
    look_at(&world, "2026-04-01T09:00:00Z");
    assert_eq!(
        history(&world),
        [
            "2026-03-02T02:30:00Z 1 minor",
            "2026-03-17T00:00:00Z 1 minor_overdue (late)",
            "2026-03-30T23:00:00Z 1 major (late)",
            // By then somebody should have seen to the delivery.
            "2026-03-31T23:00:00Z 1 withheld undelivered (late)",
        ]
    );
    let notice = text_of(&world, "overage_major/learn/1/1");
    assert!(notice.starts_with("Late, as of 2026-03-30T23:00:00Z: "), "{notice}");
    look_at(&world, "2026-04-01T09:01:00Z");
    assert_eq!(kinds(&world).iter().filter(|kind| *kind == "overage_major").count(), 1, "told once");
    // The 24 hours run from the delivery of the late notice.
    deliver_at(&world, "2026-04-01T10:00:00Z", "overage_major/learn/1/1");
    look_at(&world, "2026-04-02T09:59:59Z");
    assert_eq!(world.balance("learn"), -45);
    look_at(&world, "2026-04-03T12:00:00Z");
    assert_eq!(
        history(&world)[4..],
        ["2026-04-02T10:00:00Z 1 upgraded 1000 to 1500 for 450411 (late)", "2026-04-02T10:00:00Z 1 upgraded on day 23 (late)",]
    );
    world.verify();
}

#[test]
fn t13_a_late_purchase_voids_the_episode_and_supersedes_its_notices() {
    let mut world = pool_of(100);
    run_at(&mut world, "2026-03-02T02:30:00Z", 100);
    run_at(&mut world, "2026-03-03T02:30:00Z", 104);
    world.clock.set(at("2026-03-05T09:00:00Z"));
    assert_eq!(world.buy("late", "learn", 10, "2026-03-01"), Answer::Done);
    let service = world.service();
    let customer = &service.customers()[0];
    let file = service.episode_file(customer, EpisodeId(1)).expect("an episode");
    assert_eq!(file.view.episode.outcome, Some(Outcome::Void));
    assert_eq!(file.view.episode.cause.word(), "stale_allowance");
    assert_eq!(history(&world), ["2026-03-03T02:30:00Z 1 minor", "2026-03-05T09:00:00Z 1 void on day 0"]);
    assert_eq!(world.balance("learn"), 6);
    let notices = service.notices(customer, 10).expect("notices");
    let superseded: Vec<(&str, bool)> = notices.iter().map(|n| (n.notice.kind.as_str(), n.superseded)).collect();
    assert!(superseded.contains(&("overage_minor", true)), "{superseded:?}");
    look_at(&world, "2026-05-05T09:00:00Z");
    assert_eq!(history(&world).len(), 2, "no clock runs on");
    world.verify();
}

#[test]
fn r53_a_late_purchase_voids_a_closed_episode_too() {
    let mut world = pool_of(100);
    run_at(&mut world, "2026-03-03T02:30:00Z", 104);
    run_at(&mut world, "2026-03-04T02:30:00Z", 100);
    world.clock.set(at("2026-03-05T09:00:00Z"));
    assert_eq!(world.buy("late", "learn", 10, "2026-03-01"), Answer::Done);
    let history = history(&world);
    assert_eq!(history[..2], ["2026-03-03T02:30:00Z 1 minor", "2026-03-04T02:30:00Z 1 cured on day 1"]);
    assert!(history[2].starts_with("2026-03-05T09:00:00Z 1 Voided"), "{history:?}");
    assert!(text_of(&world, "overage_void/learn/1").contains("superseded"));
    world.verify();
}

#[test]
fn r43_r67_the_queue_fills_in_the_commit_that_takes_the_tier() {
    let mut world = pool_of(100);
    world.policy.pools[0].on_full = OnFull::OverdrawUpTo { percent_max: 110 };
    run_at(&mut world, "2026-03-02T02:30:00Z", 125);
    assert_eq!((world.used("learn"), world.view("learn").waiting()), (110, Seats(15)));
    deliver_at(&world, "2026-03-02T10:00:00Z", "overage_major/learn/1/1");
    look_at(&world, "2026-03-05T10:00:00Z");
    assert_eq!((world.used("learn"), world.view("learn").waiting(), world.balance("learn")), (125, Seats(0), 25));
    let service = world.service();
    let mut commits = Vec::new();
    service
        .store()
        .audit(&world.policy.customer, rosterd::base::Version(0), &mut |commit| {
            commits.push((commit.verb.clone(), commit.changes.len(), commit.entries.len()));
            Ok(())
        })
        .expect("the trail");
    let (verb, changes, _) = commits.last().expect("a commit");
    assert_eq!((verb.as_str(), *changes), ("overage_clock", 15));
    assert_eq!(
        history(&world)[1..],
        ["2026-03-03T10:00:00Z 1 upgraded 100 to 150 for 49973 (late)", "2026-03-03T10:00:00Z 1 upgraded on day 1 (late)",]
    );
    world.verify();
}

#[test]
fn r69_an_open_hold_and_a_stale_snapshot_and_a_freeze_keep_the_tier_away() {
    let mut world = pool_of(100);
    world.adjust = Box::new(|customer| customer.stale_after_hours = 36);
    world.policy.limits.removal_percent = 1;
    world.policy.limits.removal_min = 0;
    run_at(&mut world, "2026-03-02T02:30:00Z", 110);
    deliver_at(&world, "2026-03-02T10:00:00Z", "overage_major/learn/1/1");
    // Two leave: a guard holds them.
    staff(&mut world, 108);
    world.clock.set(at("2026-03-02T11:00:00Z"));
    world.write_package();
    let service = world.service();
    let customer = &service.customers()[0];
    let run = service.sync(customer, &Trigger::Drop, &|_| ()).expect("a run");
    assert_eq!(run.state, rosterd::store::RunState::Held);
    look_at(&world, "2026-03-03T10:00:00Z");
    assert_eq!(history(&world)[1..], ["2026-03-03T10:00:00Z 1 withheld open_hold"]);
    // Told once, whoever looks.
    look_at(&world, "2026-03-03T11:00:00Z");
    assert_eq!(history(&world).len(), 2);
    world.clock.set(at("2026-03-03T12:00:00Z"));
    let frozen = service.freeze_billing(customer, &PoolId::from("learn"), true, &Actor::operator("ann"), "in talks");
    assert_eq!(frozen.expect("an answer"), ClockAnswer::Done);
    service.reject_hold(run.run, &Actor::operator("ann")).expect("rejected");
    look_at(&world, "2026-03-04T12:00:00Z");
    assert_eq!(
        history(&world)[1..].iter().filter(|line| line.contains("withheld")).cloned().collect::<Vec<_>>(),
        [
            "2026-03-03T10:00:00Z 1 withheld open_hold",
            "2026-03-03T12:00:00Z 1 withheld billing_frozen",
            "2026-03-03T23:00:00.001Z 1 withheld stale_snapshot (late)",
        ]
    );
    assert_eq!(world.balance("learn"), -10);
    let again = service.freeze_billing(customer, &PoolId::from("learn"), true, &Actor::operator("ann"), "in talks");
    assert_eq!(again.expect("an answer"), ClockAnswer::AlreadySo);
    world.clock.set(at("2026-03-04T13:00:00Z"));
    service.freeze_billing(customer, &PoolId::from("learn"), false, &Actor::operator("ann"), "over").expect("an answer");
    look_at(&world, "2026-03-04T14:00:00Z");
    assert_eq!(world.balance("learn"), -10, "the snapshot is stale");
    world.policy.limits.removal_percent = 100;
    world.people.get_mut("t0001").expect("a person").name = "Renamed".into();
    staff(&mut world, 108);
    world.clock.set(at("2026-03-04T15:00:00Z"));
    world.write_package();
    let service = world.service();
    service.sync(&service.customers()[0], &Trigger::Drop, &|_| ()).expect("a run");
    look_at(&world, "2026-03-04T16:00:00Z");
    assert!(
        history(&world).iter().any(|line| line.starts_with("2026-03-04T15:00:00Z 1 upgraded 100 to 150")),
        "{:?}",
        history(&world)
    );
    world.verify();
}

#[test]
fn r70_a_proposed_upgrade_awaits_approval() {
    let mut world = pool_of(100);
    world.policy.pools[0].clauses.auto_upgrade = AutoUpgrade::Propose;
    world.policy.pools[0].clauses.major_cure_from = CureFrom::MajorStart;
    run_at(&mut world, "2026-03-02T02:30:00Z", 110);
    let service = world.service();
    let customer = &service.customers()[0];
    let (ann, id) = (Actor::operator("ann"), EpisodeId(1));
    deliver_at(&world, "2026-03-02T10:00:00Z", "overage_major/learn/1/1");
    look_at(&world, "2026-03-03T02:30:00Z");
    assert_eq!(kinds(&world).last().map(String::as_str), Some("upgrade_proposed"));
    assert!(matches!(service.approve_upgrade(customer, EpisodeId(9), &ann, "yes"), Err(ServiceError::Unknown { .. })));
    world.clock.set(at("2026-03-03T09:00:00Z"));
    assert_eq!(service.approve_upgrade(customer, id, &ann, "agreed by phone").expect("an answer"), ClockAnswer::Done);
    assert_eq!((world.balance("learn"), world.view("learn").episode), (40, None));
    assert!(history(&world).contains(&"2026-03-03T09:00:00Z 1 upgraded 100 to 150 for 49973".to_owned()));
    let answer = service.approve_upgrade(customer, id, &ann, "again").expect("an answer");
    assert_eq!(answer, ClockAnswer::Closed(Outcome::Upgraded));
    run_at(&mut world, "2026-03-04T02:30:00Z", 155);
    let answer = service.approve_upgrade(customer, EpisodeId(2), &ann, "early").expect("an answer");
    assert_eq!(answer, ClockAnswer::NotMajor(Stage::Minor));
    world.verify();
}

#[test]
fn deliveries_are_facts_and_are_refused_where_they_cannot_be() {
    let mut world = pool_of(100);
    run_at(&mut world, "2026-03-02T02:30:00Z", 110);
    let key = "overage_major/learn/1/1";
    let service = world.service();
    let customer = &service.customers()[0];
    let ann = Actor::operator("ann");
    world.clock.set(at("2026-03-02T09:00:00Z"));
    for wrong in ["2026-03-02T02:29:59Z", "2026-03-02T09:00:01Z"] {
        let answer = service.deliver(customer, key, "mail", Some(at(wrong)), &ann).expect("an answer");
        assert!(matches!(answer, DeliveryAnswer::NotThen { .. }), "{wrong}: {answer:?}");
    }
    assert!(matches!(
        service.deliver(customer, "overage_major/learn/1/2", "mail", None, &ann),
        Err(ServiceError::Unknown { .. })
    ));
    let first = service.deliver(customer, key, "mail", Some(at("2026-03-02T08:00:00Z")), &ann).expect("an answer");
    assert!(matches!(first, DeliveryAnswer::Done(_)));
    // The first arrival counts; another channel later changes nothing.
    assert!(matches!(deliver_at(&world, "2026-03-02T20:00:00Z", key), DeliveryAnswer::Done(_)));
    assert!(matches!(deliver_at(&world, "2026-03-02T21:00:00Z", key), DeliveryAnswer::AlreadySo(_)));
    look_at(&world, "2026-03-03T08:00:00Z");
    assert!(history(&world)[1].starts_with("2026-03-03T08:00:00Z 1 upgraded"));
    // A notice that starts no clock is delivered as well.
    let other = service.store().notices(Some(customer.id()), 50).expect("notices");
    let other = other.iter().find(|notice| notice.kind == "negative_balance").expect("told");
    assert!(matches!(service.deliver(customer, &other.key, "mail", None, &ann).expect("an answer"), DeliveryAnswer::Done(_)));
    world.verify();
}

#[test]
fn a_delivery_written_down_late_bills_nothing_backwards() {
    let mut world = pool_of(100);
    run_at(&mut world, "2026-03-02T02:30:00Z", 110);
    world.clock.set(at("2026-03-05T09:00:00Z"));
    let service = world.service();
    let (customer, ann) = (&service.customers()[0], Actor::operator("ann"));
    let key = "overage_major/learn/1/1";
    service.deliver(customer, key, "phone", Some(at("2026-03-02T08:00:00Z")), &ann).expect("an answer");
    look_at(&world, "2026-03-05T09:01:00Z");
    assert_eq!(
        history(&world)[1..3],
        ["2026-03-03T02:30:00Z 1 withheld undelivered (late)", "2026-03-05T09:00:00Z 1 upgraded 100 to 150 for 49644",]
    );
    world.verify();
}

#[test]
fn holidays_added_later_move_open_deadlines_and_no_closed_episode() {
    let mut world = pool_of(100);
    run_at(&mut world, "2026-02-02T02:30:00Z", 103);
    look_at(&world, "2026-02-17T01:00:00Z");
    run_at(&mut world, "2026-02-20T02:30:00Z", 100);
    run_at(&mut world, "2026-03-02T02:30:00Z", 103);
    let closed = |world: &World| {
        let service = world.service();
        let file = service.episode_file(&service.customers()[0], EpisodeId(1)).expect("an episode");
        format!("{:?}{:?}", file.facts, file.view.episode)
    };
    let before = closed(&world);
    let calendar = world.policy.calendar.clone().with_days_off(&[5, 6], [day("2026-02-10"), day("2026-03-10")]);
    world.policy.calendar = calendar.clone();
    world.policy.pools[0].calendar = calendar;
    look_at(&world, "2026-03-17T12:00:00Z");
    let shown = |world: &World| world.view("learn").clock.and_then(|clock| clock.deadline);
    assert_eq!(shown(&world), Some(at("2026-03-18T00:00:00Z")), "what is shown moves with the calendar");
    assert_eq!(history(&world).last().map(String::as_str), Some("2026-03-02T02:30:00Z 2 minor"));
    look_at(&world, "2026-03-18T00:00:00Z");
    assert_eq!(history(&world).last().map(String::as_str), Some("2026-03-18T00:00:00Z 2 minor_overdue"));
    assert_eq!(closed(&world), before);
    assert!(before.contains("holidays: []"), "the calendar of then is kept with it");
    world.verify();
}

#[test]
fn an_allowance_that_ends_opens_an_overage_at_that_instant_without_a_roster() {
    let mut world = pool_of(100);
    let ends = grant("summer", "learn", 10, Instant::MIN, at("2026-03-09T00:00:00Z"));
    world.grants.push(ends);
    run_at(&mut world, "2026-03-02T02:30:00Z", 104);
    assert_eq!(world.balance("learn"), 6);
    look_at(&world, "2026-03-20T12:00:00Z");
    assert_eq!(history(&world), ["2026-03-09T00:00:00Z 1 minor (late)"]);
    let service = world.service();
    let episode = service.store().episode(&world.policy.customer, EpisodeId(1)).expect("a store").expect("an episode");
    assert_eq!((episode.opened, episode.cause.word()), (at("2026-03-09T00:00:00Z"), "allowance_reduced"));
    look_at(&world, "2026-03-24T00:00:00Z");
    assert_eq!(history(&world)[1..], ["2026-03-24T00:00:00Z 1 minor_overdue"]);
    world.verify();
}

#[test]
fn a_dry_run_and_a_tick_tell_the_same_and_only_the_tick_writes() {
    let mut world = pool_of(100);
    run_at(&mut world, "2026-03-02T02:30:00Z", 103);
    world.clock.set(at("2026-03-17T09:00:00Z"));
    let service = world.service();
    let customer = &service.customers()[0];
    service.plan_sync(customer, &Trigger::Drop, &|_| ()).expect("a plan");
    assert_eq!(history(&world).len(), 1);
    let ticked = service.tick();
    assert!(ticked.errors.is_empty());
    let told: Vec<&str> = ticked.told.iter().map(|(_, notice)| notice.kind.word()).collect();
    assert_eq!(told, ["overage_overdue"]);
    assert!(service.tick().told.is_empty());
    world.verify();
}

#[test]
fn the_trail_proves_stages_and_deliveries() {
    let mut world = pool_of(100);
    run_at(&mut world, "2026-03-02T02:30:00Z", 110);
    deliver_at(&world, "2026-03-02T10:00:00Z", "overage_major/learn/1/1");
    look_at(&world, "2026-03-03T10:00:00Z");
    world.verify();
    let file = world.dir.path().join("rosterd.db");
    for (table, told) in [("deliveries", "deliveries of notices"), ("clock", "clocks of overages")] {
        let copy = tempfile::tempdir().expect("a folder");
        for name in ["rosterd.db", "rosterd.db-wal"] {
            let from = file.with_file_name(name);
            if from.exists() {
                std::fs::copy(&from, copy.path().join(name)).expect("a copy");
            }
        }
        let broken = rusqlite::Connection::open(copy.path().join("rosterd.db")).expect("a store");
        broken.execute_batch(&format!("DROP TRIGGER {table}_kept; DELETE FROM {table};")).expect("forged");
        drop(broken);
        let store = rosterd::store::SqliteStore::open(&copy.path().join("rosterd.db")).expect("a store");
        let service = Service::new(std::sync::Arc::new(store), world.clock.clone(), vec![world.customer()]);
        match service.verify(&service.customers()[0]).expect("a report").verified {
            Verified::Different(mismatch) => assert!(mismatch.to_string().contains(told), "{mismatch}"),
            other => panic!("{table}: {other:?}"),
        }
    }
}
