//! What deaths between two writes, packages that tell little and a clock that is set back must not do.

use std::sync::Arc;

use rosterd::base::{Day, Version};
use rosterd::license::{HoldState, OnFull, ProductKind, SeatModel};
use rosterd::plan::GuardLimits;
use rosterd::service::Service;
use rosterd::store::{RunState, Store, Trigger};

use crate::sim::Dying;
use crate::world::World;

fn school(seats: u32, on_full: OnFull) -> World {
    World::new("north").school("ash").product("learn", ProductKind::Module, SeatModel::Role).role_rule("student", "learn").pool(
        "learn",
        "d",
        Some(seats),
        on_full,
    )
}

/// R101, R125: wherever the process dies while a package is being held, the package can be approved afterwards.
#[test]
fn a_package_is_never_turned_away_without_its_hold() {
    let mut last_died = true;
    for life in 0.. {
        if !last_died {
            assert!(life > 5, "a run writes more often than that");
            return;
        }
        for silently in [false, true] {
            let mut world = school(10, OnFull::Wait).person("ada", "student", "ash");
            world.policy.limits = GuardLimits { bootstrap_approval: true, ..GuardLimits::STANDARD };
            world.write_package();
            let trigger = Trigger::Nightly(world.today);
            let store = Arc::new(Dying::new(Arc::new(world.store()), Some(life), silently));
            let service = Service::new(store.clone(), world.clock.clone(), vec![world.customer()]);
            let _ = service.request_sync(&service.customers()[0], &trigger);
            if let Ok(Some(request)) = service.take_request() {
                let _ = service.fulfil(&request, &|_| ());
            }
            last_died = store.is_dead();

            let service = world.service();
            service.recover(service.now()).unwrap();
            let customer = &service.customers()[0];
            service.request_sync(customer, &trigger).unwrap();
            while let Some(request) = service.take_request().unwrap() {
                service.fulfil(&request, &|_| ()).unwrap();
            }
            let standing = service.store().standing(customer.id()).unwrap();
            let hold = standing.hold.unwrap_or_else(|| panic!("after {life} writes, {silently}: nothing is held"));
            assert_eq!((hold.state, hold.packages.len()), (HoldState::Open, 1), "after {life} writes, {silently}");
            world.verify();
        }
    }
}

/// R110: a large first snapshot is written beside the making of the plan. Where it is not written nothing comes to rest on it.
#[test]
fn a_large_first_snapshot_is_there_before_anything_rests_on_it() {
    let mut world = school(20_000, OnFull::Wait);
    world.policy.limits.bootstrap_approval = false;
    (0..16_500).for_each(|at| world.hire(&format!("p{at:05}"), "student", "ash"));
    world.write_package();
    for life in 1..5 {
        let store = Arc::new(Dying::new(Arc::new(world.store()), Some(life), false));
        let service = Service::new(store.clone(), world.clock.clone(), vec![world.customer()]);
        let ended = service.sync(&service.customers()[0], &Trigger::Nightly(world.today), &|_| ());
        assert!(ended.is_err() && store.is_dead(), "after {life} writes");
        assert_eq!(world.store().version(&world.policy.customer).unwrap(), Version(0), "after {life} writes");
    }
    let run = world.quiet_night();
    assert_eq!((run.state, run.tally.seated, world.used("learn")), (RunState::Succeeded, 16_500, 16_500));
    world.verify();
}

/// R131: only a complete snapshot says anew that somebody is missing.
#[test]
fn a_package_without_people_confirms_no_absence() {
    let mut world = school(10, OnFull::Wait).person("ada", "student", "ash").person("ben", "student", "ash");
    world.policy.limits.bootstrap_approval = false;
    let missing = |world: &World| {
        let absences = world.store().standing(&world.policy.customer).unwrap().absences;
        absences.first().map(|absence| (absence.count, absence.removed))
    };
    world.night();
    world.vanish("ben");
    world.night();
    assert_eq!((missing(&world), world.used("learn")), (Some((1, false)), 2));
    let people = std::mem::take(&mut world.people);
    for _ in 0..3 {
        // Its orgs and classes alone; each package differs from the one before.
        world.orgs.push((format!("new{}", world.today), Some("d".to_owned())));
        assert!(matches!(world.night().state, RunState::Succeeded));
        assert_eq!((missing(&world), world.used("learn")), (Some((1, false)), 2));
    }
    world.people = people;
    world.night();
    assert_eq!((missing(&world), world.used("learn")), (Some((2, true)), 1));
    world.verify();
}

/// I7: a clock that is set back behind a purchase opens an overage again, though not inside of the one that it ended.
#[test]
fn a_clock_set_back_makes_no_overages_that_overlap() {
    let mut world = school(1, OnFull::Overdraw).person("ada", "student", "ash").person("ben", "student", "ash");
    world.night();
    let bought: Day = world.today.plus(1);
    world.set_day(bought);
    world.buy("more", "learn", 5, &bought.to_string());
    world.set_day(bought.plus(-1));
    world.quiet_night();
    let episodes = world.store().episodes(&world.policy.customer).unwrap();
    assert_eq!(episodes.len(), 2);
    assert_eq!(Some(episodes[0].opened), episodes[1].closed, "newest first");
    world.verify();
}

/// R117: whoever was missing for one night and is back is not new, however many are.
#[test]
fn somebody_who_is_back_does_not_wait_with_those_who_are_new() {
    let mut world = school(100, OnFull::Wait);
    world.policy.limits = GuardLimits { bootstrap_approval: false, ..GuardLimits::STANDARD };
    for at in 0..20 {
        world.hire(&format!("p{at:02}"), "student", "ash");
    }
    world.night();
    let back = world.people.remove("p07").expect("it is there");
    world.night();
    world.people.insert("p07".to_owned(), back);
    for at in 0..30 {
        world.hire(&format!("new{at:02}"), "student", "ash");
    }
    assert_eq!(world.night().state, RunState::Held);
    let standing = world.store().standing(&world.policy.customer).unwrap();
    let additions = standing.hold.expect("growth is held").additions;
    assert_eq!(additions.len(), 30);
    assert!(additions.iter().all(|person| person.as_str().starts_with("new")), "{additions:?}");
    assert_eq!((world.used("learn"), standing.absences.len()), (20, 0));
    world.verify();
}
