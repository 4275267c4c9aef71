//! What is told of runs: that they fail, that a night is overdue, that a hold waits; each once, reminded of, and closed (R151).

use rosterd::base::Actor;
use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::plan::GuardLimits;
use rosterd::service::Service;
use rosterd::store::{RunState, Trigger};

use crate::clocks::at;
use crate::world::World;

const COURSE: [&str; 6] = ["hold_opened", "hold_closed", "run_failed", "run_recovered", "sync_overdue", "sync_resumed"];

fn district(remind: u32) -> World {
    let mut world = World::new("north").school("ash").product("learn", ProductKind::Module, SeatModel::Role);
    world = world.role_rule("teacher", "learn").pool("learn", "d", Some(50), OnFull::Wait);
    world.adjust = Box::new(move |customer| {
        customer.nightly = Some("0 2 * * *".to_owned());
        customer.reports.remind_business_days = remind;
    });
    for n in 0..20 {
        world.hire(&format!("t{n:02}"), "teacher", "ash");
    }
    world
}

/// The notices of the course, oldest first.
fn told(service: &Service) -> Vec<String> {
    let mut told = service.store().notices(None, 1_000).expect("notices");
    told.reverse();
    told.into_iter().filter(|notice| COURSE.contains(&notice.kind.as_str())).map(|notice| notice.key).collect()
}

fn tick(service: &Service) {
    let ticked = service.tick();
    assert!(ticked.errors.is_empty(), "{:?}", ticked.errors);
}

fn sync(world: &World, service: &Service, when: &str) -> RunState {
    world.clock.set(at(when));
    let run = service.sync(&service.customers()[0], &Trigger::Drop, &|_| ()).expect("a run");
    println!("{when} run {} {} {}", run.run, run.state, run.message);
    run.state
}

#[test]
fn r151_a_streak_of_failures_is_one_alert_with_reminders_and_an_end() {
    let mut world = district(5);
    world.clock.set(at("2026-03-02T02:00:00Z"));
    world.write_package();
    let service = world.service();
    assert!(sync(&world, &service, "2026-03-02T02:00:00Z") != RunState::Failed);
    tick(&service);
    assert!(told(&service).is_empty(), "{:?}", told(&service));
    let broken = |name: &str| std::fs::write(world.drop_folder().join(name), format!("no zip {name}")).expect("written");
    broken("2026-03-03.zip");
    assert_eq!(sync(&world, &service, "2026-03-02T03:00:00Z"), RunState::Failed);
    tick(&service);
    tick(&service);
    tick(&world.service());
    // A run that finds nothing mends nothing; one that fails again is the same streak.
    assert_ne!(sync(&world, &service, "2026-03-02T04:00:00Z"), RunState::Failed);
    tick(&service);
    broken("2026-03-04.zip");
    assert_eq!(sync(&world, &service, "2026-03-02T05:00:00Z"), RunState::Failed);
    tick(&service);
    assert_eq!(told(&service), ["run_failed/1"]);
    let key = told(&service)[0].clone();
    world.clock.set(at("2026-03-09T05:00:00Z"));
    tick(&service);
    assert!(told(&service).contains(&format!("{key}/1")), "five business days later: {:?}", told(&service));
    for name in ["2026-03-03.zip", "2026-03-04.zip"] {
        std::fs::remove_file(world.drop_folder().join(name)).expect("removed");
    }
    world.clock.set(at("2026-03-09T06:00:00Z"));
    world.write_package();
    assert_ne!(sync(&world, &service, "2026-03-09T06:00:00Z"), RunState::Failed);
    tick(&service);
    tick(&world.service());
    let ends: Vec<String> = told(&service).into_iter().filter(|key| key.starts_with("run_recovered")).collect();
    assert_eq!(ends, [key.replace("run_failed", "run_recovered")]);
    world.verify();
}

#[test]
fn a_night_that_nobody_made_is_overdue_once_until_a_run_is_done() {
    let mut world = district(0);
    world.clock.set(at("2026-03-02T02:00:00Z"));
    world.write_package();
    let service = world.service();
    tick(&service);
    assert!(told(&service).is_empty(), "who was not there had no night to miss");
    sync(&world, &service, "2026-03-02T02:05:00Z");
    // The next night is due on 3 March at 2:00; twelve hours later somebody has to know.
    for (when, overdue) in [
        ("2026-03-02T14:30:00Z", 0),
        ("2026-03-03T13:59:00Z", 0),
        ("2026-03-03T14:00:00Z", 1),
        ("2026-03-03T14:01:00Z", 1),
        ("2026-03-05T14:00:00Z", 1),
    ] {
        world.clock.set(at(when));
        tick(&service);
        tick(&world.service());
        assert_eq!(told(&service).len(), overdue, "{when}: {:?}", told(&service));
    }
    let key = told(&service)[0].clone();
    assert!(key.starts_with("sync_overdue/"), "{key}");
    sync(&world, &service, "2026-03-05T15:00:00Z");
    tick(&service);
    tick(&world.service());
    assert_eq!(told(&service), [key.clone(), key.replace("overdue", "resumed")]);
    // Overdue once more is another time.
    world.clock.set(at("2026-03-06T14:00:00Z"));
    tick(&service);
    assert_eq!(told(&service).len(), 3);
    assert_ne!(told(&service)[2], key);
    world.verify();
}

#[test]
fn a_schedule_that_rests_is_not_overdue_and_0_hours_are_never() {
    for (nightly, hours, overdue) in [("0 2 * * MON", 12, 0), ("0 2 * * *", 0, 0), ("0 2 * * *", 12, 1), ("0 2 * * *", 96, 0)] {
        let mut world = district(0);
        world.adjust = Box::new(move |customer| {
            customer.nightly = Some(nightly.to_owned());
            customer.reports.sync_overdue_hours = hours;
        });
        world.clock.set(at("2026-03-02T02:00:00Z"));
        world.write_package();
        let service = world.service();
        sync(&world, &service, "2026-03-02T02:05:00Z");
        world.clock.set(at("2026-03-05T20:00:00Z"));
        tick(&service);
        assert_eq!(told(&service).len(), overdue, "{nightly} {hours}");
    }
}

#[test]
fn r151_a_hold_that_is_over_is_told_to_be() {
    let mut world = district(0);
    world.clock.set(at("2026-03-02T02:00:00Z"));
    world.write_package();
    sync(&world, &world.service(), "2026-03-02T02:05:00Z");
    world.policy.absence_confirmations = 1;
    world.policy.limits = GuardLimits { bootstrap_approval: false, ..GuardLimits::STANDARD };
    for n in 0..15 {
        world.vanish(&format!("t{n:02}"));
    }
    world.clock.set(at("2026-03-03T02:00:00Z"));
    world.write_package();
    let service = world.service();
    assert_eq!(sync(&world, &service, "2026-03-03T02:05:00Z"), RunState::Held);
    tick(&service);
    let opened = told(&service);
    assert_eq!(opened.len(), 1, "{opened:?}");
    let run = service.store().holds(service.customers()[0].id()).expect("holds")[0].run;
    service.reject_hold(run, &Actor::operator("ann")).expect("a decision");
    tick(&service);
    tick(&world.service());
    assert_eq!(told(&service), [opened[0].clone(), format!("hold_closed/{run}/rejected")]);
    let notices = service.store().notices(None, 5).expect("notices");
    assert_eq!(notices[0].text, format!("The hold of run {run} was rejected by operator:ann: everybody keeps what they have."));
    world.verify();
}
