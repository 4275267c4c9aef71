//! Whoever writes, whenever and however slowly: dates act first and at their own instants, what they give goes to whoever
//! waits, and nothing is written as of an instant before what stands in the books (R43, R60, R66, R68, I9).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use rosterd::base::{Actor, Instant, PersonKey, PoolId, Seats, SourceId, Version};
use rosterd::clock::Clock;
use rosterd::license::{ClockStep, CureFrom, Entry, OnFull, ProductKind, SeatModel, Stage};
use rosterd::plan::{Answer, Decision};
use rosterd::service::{Customer, ImportAnswer, ImportRequest, Phase, RevertAnswer, Service, ServiceError, TermWish};
use rosterd::store::{AuditCommit, Pause, RunRow, Trigger};

use crate::clocks::{at, deliver_at, history, look_at, pool_of, run_at, staff};
use crate::world::{World, day, succeeded};

/// Something that writes to the books.
type Door = (&'static str, fn(&Service, &Customer));

fn by() -> Actor {
    Actor::operator("ann")
}

/// Asks to forget somebody whom nobody knows.
fn forget(service: &Service, customer: &Customer) {
    let refused = service.forget(customer, &by(), &PersonKey::from("nobody"), "asked");
    assert!(matches!(refused, Err(ServiceError::Unknown { .. })), "{refused:?}");
}

fn request_seats(service: &Service, customer: &Customer) {
    service.request_seats(customer, &PoolId::from("learn"), Seats(1), "", &by()).expect("a request");
}

fn pause(service: &Service, customer: &Customer) {
    let now = service.now();
    let pause = Pause { source: SourceId::from("sis"), from: now, to: now.plus_millis(1), reason: String::new() };
    service.pause(customer, &pause, &by()).expect("a pause");
}

fn freeze(service: &Service, customer: &Customer) {
    service.freeze_billing(customer, &PoolId::from("other"), true, &by(), "talks").expect_err("there is no such pool");
    service.freeze_billing(customer, &PoolId::from("learn"), false, &by(), "over").expect("an answer");
}

/// Lifts a pin that there is not.
fn unpin(service: &Service, customer: &Customer) {
    let decision = Decision::Unpin { person: PersonKey::from("t0000"), pool: PoolId::from("learn") };
    assert_eq!(service.decide(customer, &by(), &decision).expect("an answer").answer, Answer::AlreadySo);
}

fn reject(service: &Service, customer: &Customer) {
    assert!(service.holds(customer).expect("holds").is_empty());
    service.sweep_hold(customer).expect("a look");
}

/// The daemon's minute, and the runs it asks for.
fn minute(service: &Service, _: &Customer) {
    let ticked = service.tick();
    assert!(ticked.errors.is_empty(), "{:?}", ticked.errors);
    while let Some(request) = service.take_request().expect("a turn") {
        let run = service.fulfil(&request, &|_| ()).expect("a run").expect("a run");
        assert!(succeeded(&run), "{} {}", run.state, run.message);
    }
}

const DOORS: [Door; 7] = [
    ("minute", minute),
    ("forget", forget),
    ("request", request_seats),
    ("pause", pause),
    ("freeze", freeze),
    ("unpin", unpin),
    ("hold", reject),
];

fn go(world: &World, when: &str, door: fn(&Service, &Customer)) {
    world.clock.set(at(when));
    let service = world.service();
    door(&service, &service.customers()[0]);
}

fn commits(world: &World) -> Vec<AuditCommit> {
    let service = world.service();
    let mut all = Vec::new();
    let mut read = |commit: AuditCommit| {
        all.push(commit);
        std::ops::ControlFlow::Continue(())
    };
    service.trail(&service.customers()[0], Version(0), &mut read).expect("a trail");
    assert!(all.windows(2).all(|pair| pair[0].at <= pair[1].at), "the trail goes back in time");
    all
}

/// A run that begins, reads while somebody else looks, and goes on later.
fn slow_run(world: &mut World, began: &str, meanwhile: &str, went_on: &str, people: usize) -> RunRow {
    staff(world, people);
    world.clock.set(at(began));
    world.write_package();
    let service = world.service();
    let customer = &service.customers()[0];
    let read = AtomicBool::new(false);
    let watch = |phase| {
        if phase == Phase::Planning && !read.swap(true, Ordering::SeqCst) {
            world.clock.set(at(meanwhile));
            service.sweep(customer).expect("a sweep");
            world.clock.set(at(went_on));
        }
    };
    service.sync(customer, &Trigger::Drop, &watch).expect("a run")
}

#[test]
fn a_slow_run_plans_on_the_tier_that_was_taken_meanwhile() {
    let mut world = pool_of(20);
    run_at(&mut world, "2026-03-02T02:30:00Z", 23);
    deliver_at(&world, "2026-03-03T07:10:00Z", "overage_major/learn/1/1");
    let run = slow_run(&mut world, "2026-03-04T07:09:30Z", "2026-03-04T07:10:00.500Z", "2026-03-04T07:12:00Z", 24);
    assert!(succeeded(&run), "{}", run.message);
    look_at(&world, "2026-03-20T00:00:00Z");
    let expected = [
        "2026-03-02T02:30:00Z 1 major",
        "2026-03-03T02:30:00Z 1 withheld undelivered (late)",
        "2026-03-04T07:10:00Z 1 upgraded 20 to 30 for 9962",
        "2026-03-04T07:10:00Z 1 upgraded on day 2",
    ];
    assert_eq!(history(&world), expected);
    assert_eq!((world.used("learn"), world.balance("learn")), (24, 6));
    commits(&world);
    world.verify();
}

#[test]
fn a_slow_run_plans_on_the_grant_that_began_at_midnight() {
    let mut world = pool_of(20);
    run_at(&mut world, "2026-03-02T02:30:00Z", 21);
    assert_eq!(world.buy("more", "learn", 5, "2026-03-05"), Answer::Done);
    let run = slow_run(&mut world, "2026-03-04T23:59:30Z", "2026-03-05T00:00:10Z", "2026-03-05T00:02:00Z", 22);
    assert!(succeeded(&run), "{}", run.message);
    assert_eq!(history(&world), ["2026-03-02T02:30:00Z 1 minor", "2026-03-05T00:00:00Z 1 allowance_raised on day 3"]);
    assert_eq!((world.used("learn"), world.balance("learn"), world.view("learn").episode), (22, 3, None));
    commits(&world);
    world.verify();
}

/// An overage whose tier is due on Tuesday at 07:10, beside a pool whose term ends on Tuesday at midnight.
fn two_pools() -> World {
    let mut world = pool_of(20).product("observe", ProductKind::Module, SeatModel::Role).role_rule("teacher", "observe").pool(
        "observe",
        "d",
        Some(0),
        OnFull::Wait,
    );
    world.grants.retain(|grant| grant.pool.as_str() != "observe");
    run_at(&mut world, "2026-03-01T02:30:00Z", 20);
    let service = world.service();
    let term = TermWish {
        pool: PoolId::from("observe"),
        id: None,
        from: Some(day("2026-01-01")),
        to: day("2026-03-03"),
        seats: Some(Seats(5)),
        basis: None,
        reference: "PO".into(),
    };
    assert_eq!(service.renew(&service.customers()[0], &by(), &term).expect("an answer").decided.answer, Answer::Done);
    run_at(&mut world, "2026-03-02T02:30:00Z", 23);
    deliver_at(&world, "2026-03-02T07:10:00Z", "overage_major/learn/1/1");
    world
}

/// What clocks and terms came to, whenever it was noticed.
fn came_to(world: &World) -> Vec<String> {
    let mut told: Vec<String> = history(world).iter().map(|line| line.replace(" (late)", "")).collect();
    for commit in commits(world) {
        told.extend(commit.entries.iter().filter_map(|entry| match entry {
            Entry::Phase { pool, phase } => Some(format!("{} {pool} {}", commit.at, phase.state.word())),
            _ => None,
        }));
    }
    told
}

#[test]
fn terms_and_tiers_act_in_the_order_of_time_through_whichever_door_somebody_comes() {
    let hourly = {
        let world = two_pools();
        for hour in 8..72 {
            let when = at("2026-03-02T00:00:00Z").plus_millis(hour * 3_600_000).to_string();
            go(&world, &when, minute);
        }
        came_to(&world)
    };
    assert!(hourly.contains(&"2026-03-03T00:00:00Z observe in_grace".to_owned()), "{hourly:#?}");
    assert!(hourly.contains(&"2026-03-03T07:10:00Z 1 upgraded on day 1".to_owned()), "{hourly:#?}");
    for (name, door) in DOORS {
        let world = two_pools();
        go(&world, "2026-03-04T09:00:00Z", door);
        go(&world, "2026-03-04T23:00:00Z", minute);
        assert_eq!(came_to(&world), hourly, "{name}");
        world.verify();
    }
}

#[test]
fn what_a_date_gives_goes_to_the_queue_through_whichever_door_somebody_comes() {
    for (name, door) in DOORS {
        let mut world = World::new("north").school("ash").product("learn", ProductKind::Module, SeatModel::Role);
        world = world.role_rule("teacher", "learn").pool("learn", "d", Some(5), OnFull::Wait);
        staff(&mut world, 8);
        world.night();
        assert_eq!(world.buy("more", "learn", 3, "2026-03-05"), Answer::Done);
        assert_eq!(world.used("learn"), 5);
        go(&world, "2026-03-05T00:00:10Z", door);
        assert_eq!((world.used("learn"), world.view("learn").waiting()), (8, Seats(0)), "{name}");
        world.verify();
    }
}

fn planned(world: &World) -> RunRow {
    let service = world.service();
    service.plan_sync(&service.customers()[0], &Trigger::Drop, &|_| ()).expect("a plan").run
}

#[test]
fn a_plan_that_is_applied_later_starts_its_clocks_then() {
    for (from, deadline) in [
        (CureFrom::NoticeIssued, Some("2026-03-03T20:00:00Z")),
        (CureFrom::MajorStart, Some("2026-03-03T20:00:00Z")),
        (CureFrom::NoticeDelivered, None),
    ] {
        let mut world = pool_of(20);
        world.policy.pools[0].clauses.major_cure_from = from;
        run_at(&mut world, "2026-03-01T02:30:00Z", 20);
        staff(&mut world, 23);
        world.write_package();
        world.clock.set(at("2026-03-02T09:00:00Z"));
        let plan = planned(&world);
        world.clock.set(at("2026-03-02T20:00:00Z"));
        let service = world.service();
        let done = service.apply_plan(plan.run, &by()).expect("applied");
        assert!(succeeded(&done), "{}", done.message);
        assert_eq!(history(&world), ["2026-03-02T20:00:00Z 1 major"]);
        let customer = &service.customers()[0];
        let file = service.episode_file(customer, rosterd::base::EpisodeId(1)).expect("an episode");
        assert_eq!(file.view.episode.opened, at("2026-03-02T20:00:00Z"));
        assert_eq!(file.view.episode.samples[0].at, at("2026-03-02T20:00:00Z"));
        let ClockStep::Stage(stage) = &file.facts[0].step else { panic!("{:?}", file.facts) };
        assert_eq!((stage.stage, stage.deadline), (Stage::Major, deadline.map(at)), "{from:?}");
        let text = &file.notices[0].0.text;
        assert!(!text.contains("09:00") && deadline.is_none_or(|deadline| text.contains(deadline)), "{text}");
        world.verify();
    }
}

#[test]
fn a_plan_made_while_a_term_was_due_is_not_applied() {
    let mut world = two_pools();
    staff(&mut world, 22);
    world.write_package();
    world.clock.set(at("2026-03-03T06:00:00Z"));
    let plan = planned(&world);
    let service = world.service();
    let stale = service.apply_plan(plan.run, &by()).expect_err("the term ended at midnight");
    assert!(matches!(stale, ServiceError::Stale { .. }), "{stale:?}");
    assert!(came_to(&world).contains(&"2026-03-03T00:00:00Z observe in_grace".to_owned()));
    world.verify();
}

/// A clock that goes on with every look at it.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Instant {
        Instant(self.0.fetch_add(1000, Ordering::SeqCst))
    }
}

#[test]
fn an_import_is_committed_when_it_was_planned() {
    let mut world = pool_of(20);
    run_at(&mut world, "2026-03-01T02:30:00Z", 3);
    let clock = Arc::new(Ticking(AtomicI64::new(at("2026-03-02T09:00:00Z").0)));
    let service = Service::new(Arc::new(world.store()), clock, vec![world.customer()]).looking_back();
    let customer = &service.customers()[0];
    let file = "key,given_name,family_name,email,username,identifier,enabled,grades,primary_org,roles,status,source\n\
                zoe,Zoe,Test,,zoe,,true,,,teacher@ash,active,\n";
    let request =
        ImportRequest { file: "people.csv", bytes: file.as_bytes(), synchronize: false, org: None, by: None, actor: by() };
    let preview = service.preview_import(customer, &request).expect("a preview");
    let token = preview.token.unwrap_or_else(|| panic!("{} {:?}", preview.run.message, preview.report));
    let done = service.confirm_import(customer, &request, &token).expect("an answer");
    let ImportAnswer::Done(done) = done else { panic!("{done:?}") };
    let commit = commits(&world).pop().expect("a commit");
    assert_eq!((commit.verb.as_str(), commit.at), ("import", done.plan.expect("a plan").at));
    assert!(!commit.changes.is_empty() && commit.changes.iter().all(|change| change.after.changed == commit.at));
    world.verify();
}

fn standings(world: &World) -> Vec<String> {
    let mut told = world.service().store().notices(Some(&world.policy.customer), 100).expect("notices");
    told.retain(|notice| notice.kind == "compliance_changed");
    told.into_iter().rev().map(|notice| notice.text).collect()
}

#[test]
fn how_the_pools_stand_is_told_after_an_apply_a_revert_and_a_date() {
    let mut world = pool_of(20);
    run_at(&mut world, "2026-03-01T02:30:00Z", 10);
    let before = standings(&world).len();
    staff(&mut world, 23);
    world.write_package();
    world.clock.set(at("2026-03-02T09:00:00Z"));
    let plan = planned(&world);
    assert_eq!(standings(&world).len(), before, "a dry run changes nothing");
    world.service().apply_plan(plan.run, &by()).expect("applied");
    assert_eq!(standings(&world)[before..], ["Pool learn is overage_major; it was compliant."]);
    let reverted = world.service().revert(plan.run, &by(), true).expect("an answer");
    let RevertAnswer::Planned { run, .. } = reverted else { panic!("{reverted:?}") };
    assert_eq!(standings(&world).len(), before + 2, "{} {}", run.state, run.message);
    run_at(&mut world, "2026-03-03T02:30:00Z", 24);
    deliver_at(&world, "2026-03-03T10:00:00Z", "overage_major/learn/2/1");
    let before = standings(&world).len();
    look_at(&world, "2026-03-04T10:00:00Z");
    assert_eq!(standings(&world)[before..], ["Pool learn is compliant; it was overage_major."]);
}
