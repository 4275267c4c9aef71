//! What counts as a look at somebody's absence (R131), whose source it is, and packages that wait one behind the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rosterd::base::{Actor, SourceId};
use rosterd::license::{ClaimState, Hold, HoldState, OnFull, ProductKind, SeatModel};
use rosterd::plan::GuardLimits;
use rosterd::roster::{IntakePolicy, Scope};
use rosterd::service::{Feed, Phase};
use rosterd::source::{CsvSource, CsvSourceSettings, DropKind};
use rosterd::store::{Asked, RunState, Trigger};

use crate::world::{World, succeeded};

fn school_world() -> World {
    World::new("north").school("ash").product("learn", ProductKind::Module, SeatModel::Role).role_rule("teacher", "learn").pool(
        "learn",
        "d",
        None,
        OnFull::Wait,
    )
}

/// A second source of the same customer: what `other` writes.
pub fn with_second_source(world: &mut World, other: &World) {
    let folder = other.dir.path().join("drop");
    std::fs::create_dir_all(&folder).expect("a folder");
    world.adjust = Box::new(move |customer| {
        let mut settings = CsvSourceSettings::new(SourceId::from("hr"), folder.clone(), DropKind::Drop);
        settings.settle_secs = 0;
        settings.courses_optional = true;
        settings.bulk_with_status = rosterd::source::BulkWithStatus::Full;
        customer.sources.push(Feed {
            source: Arc::new(CsvSource::new(settings)),
            intake: IntakePolicy { lenient: false, courses_optional: true },
            watched: true,
            activity_column: None,
        });
    });
}

#[test]
fn two_runs_that_meet_on_one_package_look_at_it_once() {
    let mut world = school_world().person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    world.vanish("ana");
    world.write_package();
    // Another process takes the same package in while this one is about to commit.
    let met = AtomicBool::new(false);
    let meet = |phase: Phase| {
        if phase == Phase::Committing && !met.swap(true, Ordering::SeqCst) {
            assert!(succeeded(&world.run()));
        }
    };
    let service = world.service();
    let run = service.sync(&service.customers()[0], &Trigger::Drop, &meet).unwrap();
    assert!(met.into_inner() && succeeded(&run), "{}", run.message);
    assert_eq!((run.tally.released, world.state("ana", "learn")), (0, Some(ClaimState::Active)), "one look is no removal");
    world.verify();
}

#[test]
fn an_absence_is_that_of_the_source_that_had_the_person() {
    let mut world = school_world().person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    let mut hr = school_world().person("cid", "teacher", "ash").person("dan", "teacher", "ash");
    with_second_source(&mut world, &hr);
    hr.write_package();
    world.night();
    assert_eq!(world.seated("learn"), ["ana", "ben", "cid", "dan"]);
    // Both deliver in the same night, and the second one has lost somebody.
    world.people.get_mut("ben").unwrap().name = "Renamed".into();
    hr.vanish("dan");
    hr.write_package();
    world.night();
    // The first one alone delivers again: of the second one's people it says nothing.
    world.people.get_mut("ben").unwrap().name = "Renamed again".into();
    world.night();
    assert_eq!(world.state("dan", "learn"), Some(ClaimState::Active));
    hr.people.get_mut("cid").unwrap().name = "Renamed".into();
    hr.write_package();
    world.quiet_night();
    assert_eq!(world.state("dan", "learn"), None, "its own source said so twice");
    world.verify();
}

#[test]
fn the_last_days_of_one_source_are_no_days_of_another() {
    let mut world = school_world();
    world.policy.limits = GuardLimits { bootstrap_approval: false, org_removal_percent: 100, ..GuardLimits::STANDARD };
    (0..400).for_each(|at| world.hire(&format!("a{at:03}"), "teacher", "ash"));
    let mut hr = school_world();
    (0..40).for_each(|at| hr.hire(&format!("h{at:03}"), "teacher", "ash"));
    with_second_source(&mut world, &hr);
    hr.write_package();
    world.night();
    assert_eq!(world.used("learn"), 440);
    // 38 of 400 go from the one, by its own limit of 10 percent.
    (0..38).for_each(|at| world.end(&format!("a{at:03}")));
    assert!(succeeded(&world.night()));
    // 4 of 40 from the other: its last days hold nothing else.
    (0..4).for_each(|at| hr.end(&format!("h{at:03}")));
    hr.write_package();
    let run = world.quiet_night();
    assert!(succeeded(&run), "{}", run.message);
    // Three more make 7 of 40 within a week, still below 20 percent, and three more are too many.
    (4..7).for_each(|at| hr.end(&format!("h{at:03}")));
    hr.write_package();
    assert!(succeeded(&world.quiet_night()));
    (7..10).for_each(|at| hr.end(&format!("h{at:03}")));
    hr.write_package();
    let run = world.quiet_night();
    assert_eq!((run.state, world.used("learn")), (RunState::Held, 440 - 38 - 7), "{}", run.message);
    world.verify();
}

fn holds(world: &World) -> Vec<Hold> {
    world.service().store().holds(&world.policy.customer).expect("holds")
}

/// Two sources of 40 people each under the standard guards, both taken in.
fn two_sources() -> (World, World) {
    let mut world = school_world();
    world.policy.limits = GuardLimits { bootstrap_approval: false, ..GuardLimits::STANDARD };
    (0..40).for_each(|at| world.hire(&format!("s{at:03}"), "teacher", "ash"));
    let mut hr = school_world();
    (0..40).for_each(|at| hr.hire(&format!("h{at:03}"), "teacher", "ash"));
    with_second_source(&mut world, &hr);
    hr.write_package();
    world.night();
    assert_eq!(world.used("learn"), 80);
    (world, hr)
}

#[test]
fn the_new_people_of_one_source_are_held_whatever_the_other_has() {
    let (mut world, mut hr) = two_sources();
    // Keys that stand before and between everybody else's.
    (0..21).for_each(|at| hr.hire(&format!("a{at:03}"), "teacher", "ash"));
    hr.write_package();
    let run = world.quiet_night();
    assert_eq!((run.state, run.tally.seated, world.used("learn")), (RunState::Held, 0, 80), "{}", run.message);
    let additions = holds(&world).remove(0).additions;
    assert_eq!(additions.iter().map(|key| key.as_str().to_owned()).collect::<Vec<_>>(), {
        (0..21).map(|at| format!("a{at:03}")).collect::<Vec<_>>()
    });
    // The other source delivers: nobody has decided anything by that.
    world.people.get_mut("s000").unwrap().name = "Renamed".into();
    world.hire("zoe", "teacher", "ash");
    let run = world.night();
    assert_eq!((run.tally.seated, world.state("zoe", "learn"), world.used("learn")), (1, Some(ClaimState::Active), 81));
    let all = holds(&world);
    assert_eq!((all.len(), all[0].state, all[0].additions.len()), (1, HoldState::Open, 21));
    let done = world.service().approve_hold(all[0].run, &Actor::operator("test"), &[], false, &|_| ()).unwrap();
    assert_eq!((done.hold.state, world.used("learn")), (HoldState::Approved, 102));
    world.verify();
}

#[test]
fn the_held_removals_of_one_source_wait_on_while_another_delivers() {
    let (mut world, mut hr) = two_sources();
    (0..8).for_each(|at| hr.end(&format!("h{at:03}")));
    hr.write_package();
    assert_eq!(world.quiet_night().state, RunState::Held);
    let opened = holds(&world).remove(0);
    assert_eq!(opened.removals.len(), 8);
    world.end("s000");
    assert_eq!(world.night().tally.released, 1);
    let all = holds(&world);
    assert_eq!((all.len(), all[0].run, all[0].state, &all[0].removals), (1, opened.run, HoldState::Open, &opened.removals));
    assert_eq!(world.used("learn"), 79);
    // Approved, the next run does it, and be it one that reads the other source.
    world.end("s001");
    world.write_package();
    let done = world.service().approve_hold(opened.run, &Actor::operator("test"), &[], false, &|_| ()).unwrap();
    assert_eq!((done.hold.state, world.used("learn")), (HoldState::Approved, 70));
    world.verify();
}

#[test]
fn two_sources_that_deliver_together_are_judged_each_by_itself() {
    let (mut world, mut hr) = two_sources();
    // 8 of 40, and of 80 as few as the limit allows.
    (0..8).for_each(|at| hr.end(&format!("h{at:03}")));
    hr.write_package();
    world.end("s000");
    let run = world.night();
    assert_eq!((run.state, run.tally.released, world.used("learn")), (RunState::Held, 1, 79), "{}", run.message);
    assert!(run.message.contains("8 of 40 people would go"), "{}", run.message);
    world.verify();
}

#[test]
fn a_backlog_is_taken_in_at_once_each_package_by_itself() {
    let mut world = school_world().person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    world.vanish("ana");
    world.write_package();
    world.people.get_mut("ben").unwrap().name = "Renamed".into();
    world.write_package();
    world.hire("cid", "teacher", "ash");
    world.write_package();
    let service = world.service();
    let customer = &service.customers()[0];
    service.request_sync(customer, &Trigger::Nightly(world.today)).unwrap();
    let mut runs = Vec::new();
    while let Some(request) = service.take_request().unwrap() {
        runs.extend(service.fulfil(&request, &|_| ()).unwrap());
    }
    assert_eq!(runs.iter().map(|run| run.packages.len()).collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(runs.iter().map(|run| run.trigger.word()).collect::<Vec<_>>(), ["nightly", "drop", "drop"]);
    // Each was a look of its own (R131).
    assert_eq!(world.seated("learn"), ["ben", "cid"]);
    assert!(service.arrivals(customer).unwrap().is_empty());
    world.verify();
}

#[test]
fn a_backlog_does_not_go_round_in_circles() {
    let mut world = school_world().person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    for name in ["one", "two", "three"] {
        world.people.get_mut("ben").unwrap().name = name.into();
        world.write_package();
    }
    // Settings that do not fit: the package waits on, and the run is not made again and again.
    world.policy.pools[0].owner = "nowhere".into();
    let service = world.service();
    let customer = &service.customers()[0];
    service.request_sync(customer, &Trigger::Drop).unwrap();
    let mut runs = 0;
    while let Some(request) = service.take_request().unwrap() {
        assert_eq!(service.fulfil(&request, &|_| ()).unwrap().unwrap().state, RunState::Failed);
        runs += 1;
    }
    assert_eq!(runs, 1);
    // Nor does a wish for one source, or for some people, read on.
    world.policy.pools[0].owner = "d".into();
    let service = world.service();
    let customer = &service.customers()[0];
    let asked = Asked { source: Some("sis".into()), ..Asked::by(Actor::operator("ann")) };
    service.request_sync(customer, &Trigger::SameDay(asked)).unwrap();
    let mut packages = 0;
    while let Some(request) = service.take_request().unwrap() {
        packages += service.fulfil(&request, &|_| ()).unwrap().unwrap().packages.len();
    }
    assert_eq!((packages, service.arrivals(customer).unwrap().packages.len()), (3, 0));
    world.verify();
}

#[test]
fn a_pool_taken_out_of_the_settings_is_told_before_it_frees_anybody() {
    let mut world = school_world().person("ana", "teacher", "ash");
    world.night();
    let retired = |world: &World| {
        let service = world.service();
        service.retired_pools(&service.customers()[0]).expect("books")
    };
    assert_eq!(retired(&world), []);
    let pool = world.policy.pools.remove(0);
    assert_eq!(retired(&world), [(pool.id, rosterd::base::Seats(1))]);
    world.quiet_night();
    assert_eq!(retired(&world), []);
    world.verify();
}

#[test]
fn one_person_is_taken_in_from_every_source_that_has_them() {
    let (mut world, mut hr) = two_sources();
    let person = |key: &str| Asked { scope: Some(Scope::Person(key.into())), ..Asked::by(Actor::operator("ann")) };
    let sync = |world: &World, asked: Asked| {
        let service = world.service();
        service.sync(&service.customers()[0], &Trigger::SameDay(asked), &|_| ()).expect("a run")
    };
    world.hire("zoe", "teacher", "ash");
    world.end("s000");
    world.write_package();
    hr.hire("yan", "teacher", "ash");
    hr.vanish("h000");
    hr.vanish("h001");
    hr.write_package();
    let run = sync(&world, person("yan"));
    assert_eq!((run.tally.seated, run.tally.released, world.used("learn")), (1, 0, 81), "{}", run.message);
    let confirmed = Asked { confirm_absences: true, ..person("h000") };
    assert_eq!((sync(&world, confirmed.clone()).tally.released, world.used("learn")), (1, 80));
    assert_eq!(sync(&world, confirmed).version, None);
    // Read from the other source alone, nobody knows anything new.
    let elsewhere = Asked { source: Some(SourceId::from("sis")), ..person("zoe") };
    assert_eq!((sync(&world, elsewhere).tally.seated, world.used("learn")), (1, 81));
    let run = sync(&world, person("nobody-at-all"));
    assert_eq!((run.state, run.message.as_str()), (RunState::Failed, "could not find person nobody-at-all"));
    let service = world.service();
    assert_eq!(service.arrivals(&service.customers()[0]).expect("a store").packages.len(), 2);
    // The night reads both: one end, and the first look at the other who is missing.
    let run = world.quiet_night();
    assert_eq!((run.tally.released, world.used("learn"), world.state("h001", "learn").is_some()), (1, 80, true));
    world.verify();
}
