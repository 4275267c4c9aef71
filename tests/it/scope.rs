//! Same-day runs for one person or one org: who is in scope moves, nobody else does, and the next night reads everything.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use rosterd::base::{Actor, Instant, SourceId};
use rosterd::license::{Claim, ClaimState, Hold, HoldState, OnFull, ProductKind, SeatModel, SourceMark};
use rosterd::plan::{GuardLimits, Plan};
use rosterd::roster::{Roster, Scope, diff};
use rosterd::service::{Phase, RevertAnswer, SameDayAnswer, Service};
use rosterd::store::{Asked, Pause, RunRow, RunState, Trigger};

use crate::leaving::change_package;
use crate::world::{World, succeeded};

fn school_world(seats: Option<u32>) -> World {
    World::new("north")
        .school("ash")
        .school("birch")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", seats, OnFull::Wait)
}

fn person(key: &str) -> Asked {
    Asked { scope: Some(Scope::Person(key.into())), ..Asked::by(Actor::operator("ann")) }
}

fn org(id: &str) -> Asked {
    Asked { scope: Some(Scope::Org(id.into())), ..Asked::by(Actor::operator("ann")) }
}

fn confirmed(asked: Asked) -> Asked {
    Asked { confirm_absences: true, ..asked }
}

fn sync(world: &World, asked: Asked) -> RunRow {
    let service = world.service();
    let run = service.sync(&service.customers()[0], &Trigger::SameDay(asked), &|_| ()).expect("a run");
    println!("{} {}", run.state, run.message);
    run
}

/// A run that finds nothing to do.
fn nothing_to_do(world: &World, asked: Asked) {
    let run = sync(world, asked);
    assert!(run.version.is_none() && run.state != RunState::Held, "{} {}", run.state, run.message);
    assert!(run.plan.is_none() || plan(world, &run).is_empty());
}

fn plan(world: &World, run: &RunRow) -> Plan {
    let service = world.service();
    service.run_plan(run).expect("a plan").expect("a plan")
}

/// A new package, without a run.
fn deliver(world: &mut World) {
    world.write_package();
}

fn pending(world: &World) -> usize {
    let service = world.service();
    service.arrivals(&service.customers()[0]).expect("a store").packages.len()
}

fn mark(world: &World) -> SourceMark {
    let service = world.service();
    let standing = service.store().standing(&world.policy.customer).expect("books");
    standing.sources[&SourceId::from("sis")].clone()
}

fn roster(world: &World) -> Roster {
    world.service().snapshot(&world.policy.customer, &mark(world).snapshot).expect("a snapshot")
}

fn holds(world: &World) -> Vec<Hold> {
    world.service().store().holds(&world.policy.customer).expect("holds")
}

type Books = BTreeMap<String, Vec<Claim>>;

fn books(world: &World) -> Books {
    let book = world.service().store().standing(&world.policy.customer).expect("books").book;
    (0..book.people.len()).map(|at| (book.key(at).to_owned(), book.claims_at(at).to_vec())).collect()
}

#[test]
fn a_joiner_gets_the_free_seat_and_waits_for_a_full_pool() {
    for (seats, state) in [(2, ClaimState::Active), (1, ClaimState::Waiting)] {
        let mut world = school_world(Some(seats)).person("ana", "teacher", "ash");
        world.night();
        let first = mark(&world);
        world.hire("ben", "teacher", "ash");
        world.hire("cid", "teacher", "birch");
        world.end("ana");
        deliver(&mut world);
        let run = sync(&world, person("ben"));
        assert!(succeeded(&run), "{}", run.message);
        assert!(run.message.contains("only person ben is taken in"), "{}", run.message);
        let states = |world: &World| ["ana", "ben", "cid"].map(|key| world.state(key, "learn"));
        assert_eq!(states(&world), [Some(ClaimState::Active), Some(state), None]);
        // The mark is that of the package before, and says that it is not alone any more.
        let now = mark(&world);
        assert_ne!(now.snapshot, first.snapshot);
        assert_eq!(now, SourceMark { snapshot: now.snapshot, amended: true, ..first });
        assert_eq!((pending(&world), run.packages.len()), (1, 0));
        nothing_to_do(&world, person("ben"));
        world.verify();
        // The night reads the package as if nobody had looked at it.
        let run = world.quiet_night();
        assert_eq!((run.packages.len(), mark(&world).amended, pending(&world)), (1, false, 0));
        let cid = if seats == 2 { ClaimState::Active } else { ClaimState::Waiting };
        assert_eq!(states(&world), [None, Some(ClaimState::Active), Some(cid)]);
        world.verify();
    }
}

#[test]
fn a_leaver_goes_by_an_explicit_end_and_the_seat_goes_to_the_queue() {
    let mut world = school_world(Some(2));
    ["ana", "ben", "cid"].into_iter().for_each(|key| world.hire(key, "teacher", "ash"));
    world.night();
    assert_eq!(world.seated("learn"), ["ana", "ben"]);
    world.end("ana");
    world.end("ben");
    deliver(&mut world);
    let run = sync(&world, person("ana"));
    assert_eq!((run.tally.released, run.tally.seated, run.state), (1, 1, RunState::Succeeded));
    assert_eq!(world.seated("learn"), ["ben", "cid"]);
    nothing_to_do(&world, person("ana"));
    nothing_to_do(&world, person("cid"));
    assert_eq!(world.quiet_night().tally.released, 1);
    assert_eq!(world.seated("learn"), ["cid"]);
    world.verify();
}

#[test]
fn an_absence_counts_only_when_it_is_confirmed_and_no_look_is_counted_twice() {
    let mut world = school_world(None);
    ["ana", "ben", "cid"].into_iter().for_each(|key| world.hire(key, "teacher", "ash"));
    world.night();
    world.vanish("ana");
    world.vanish("ben");
    deliver(&mut world);
    let run = sync(&world, person("ana"));
    assert!(run.message.contains("1 in scope missing") && run.version.is_none(), "{}", run.message);
    assert_eq!(world.seated("learn"), ["ana", "ben", "cid"]);
    // The night is the first look at both, and the package is looked at once.
    assert_eq!(world.quiet_night().tally.released, 0);
    nothing_to_do(&world, person("ana"));
    // Of the two that were seen missing once, the one is confirmed, without anything new to be read.
    assert_eq!(sync(&world, confirmed(person("ana"))).tally.released, 1);
    world.hire("dan", "teacher", "ash");
    deliver(&mut world);
    assert_eq!(world.seated("learn"), ["ben", "cid"]);
    nothing_to_do(&world, confirmed(person("ana")));
    assert_eq!(world.quiet_night().tally.released, 1, "the second look at ben");
    assert_eq!(world.seated("learn"), ["cid", "dan"]);
    // In one step, from a package that nobody has seen.
    world.vanish("dan");
    world.vanish("cid");
    world.hire("eve", "teacher", "ash");
    deliver(&mut world);
    assert_eq!(sync(&world, confirmed(person("dan"))).tally.released, 1);
    assert_eq!(world.seated("learn"), ["cid"]);
    nothing_to_do(&world, confirmed(person("dan")));
    world.verify();
    // Whoever was taken out by mistake is back with the next package that has them.
    world.hire("dan", "teacher", "ash");
    deliver(&mut world);
    while pending(&world) > 0 {
        world.quiet_night();
    }
    assert_eq!(world.seated("learn"), ["dan", "eve"], "cid is missing for the second time");
    world.verify();
}

#[test]
fn an_org_is_taken_in_with_those_who_come_and_go_and_nobody_else() {
    let mut world = school_world(None);
    world.orgs.push(("wing".into(), Some("birch".into())));
    for (key, school) in [("ana", "ash"), ("ben", "birch"), ("cid", "birch"), ("dan", "ash"), ("eve", "wing"), ("fay", "wing")]
    {
        world.hire(key, "teacher", school);
    }
    world.night();
    let moves = |world: &mut World, key: &str, school: &str| {
        world.people.get_mut(key).unwrap().roles = vec![("teacher".into(), school.into())];
    };
    moves(&mut world, "ana", "birch");
    moves(&mut world, "ben", "ash");
    world.end("cid");
    world.end("dan");
    world.end("eve");
    world.vanish("fay");
    world.hire("gus", "teacher", "wing");
    world.hire("hal", "teacher", "ash");
    // A new class and a new school that somebody in scope needs, and one that nobody there does.
    world.orgs.push(("annex".into(), Some("wing".into())));
    world.orgs.push(("other".into(), Some("d".into())));
    world.hire("ida", "teacher", "annex");
    deliver(&mut world);
    let run = sync(&world, org("birch"));
    assert!(succeeded(&run), "{}", run.message);
    assert_eq!(world.seated("learn"), ["ana", "ben", "dan", "fay", "gus", "ida"]);
    let service = world.service();
    let standing = service.store().standing(&world.policy.customer).unwrap();
    let book = &standing.book;
    let home = |key: &str| {
        let at = (0..book.people.len()).find(|&at| book.key(at) == key).unwrap();
        book.names.home_of(&book.claims_at(at)[0]).to_string()
    };
    assert_eq!(["ana", "ben", "dan", "ida"].map(home), ["birch", "ash", "ash", "annex"]);
    let taken = roster(&world);
    assert!(taken.find_org("annex").is_some() && taken.find_org("other").is_none());
    nothing_to_do(&world, org("birch"));
    assert_eq!(sync(&world, confirmed(org("wing"))).tally.released, 1);
    assert_eq!(world.seated("learn"), ["ana", "ben", "dan", "gus", "ida"]);
    world.verify();
    world.quiet_night();
    assert_eq!(world.seated("learn"), ["ana", "ben", "gus", "hal", "ida"]);
    world.verify();
}

#[test]
fn absences_that_an_org_is_known_for_are_confirmed_with_it() {
    let mut world = school_world(None);
    for (key, school) in [("ana", "ash"), ("ben", "birch"), ("cid", "birch")] {
        world.hire(key, "teacher", school);
    }
    world.night();
    world.vanish("ana");
    world.vanish("ben");
    world.night();
    world.people.get_mut("cid").unwrap().name = "Renamed".into();
    deliver(&mut world);
    assert_eq!(sync(&world, confirmed(org("birch"))).tally.released, 1);
    assert_eq!(world.seated("learn"), ["ana", "cid"]);
    world.verify();
}

/// 100 teachers at ash and 20 at birch, under the standard guards.
fn guarded_world() -> World {
    let mut world = school_world(None);
    world.policy.limits = GuardLimits { bootstrap_approval: false, ..GuardLimits::STANDARD };
    (0..100).for_each(|at| world.hire(&format!("ash{at:03}"), "teacher", "ash"));
    (0..20).for_each(|at| world.hire(&format!("birch{at:03}"), "teacher", "birch"));
    assert!(succeeded(&world.night()));
    world
}

#[test]
fn a_hold_stays_as_it_is_and_keeps_whom_it_covers() {
    let mut world = guarded_world();
    (0..30).for_each(|at| world.end(&format!("ash{at:03}")));
    assert_eq!(world.night().state, RunState::Held);
    let before = holds(&world);
    assert_eq!((before.len(), before[0].removals.len()), (1, 30));
    world.hire("zoe", "teacher", "ash");
    world.end("birch000");
    world.people.get_mut("ash000").unwrap().name = "Renamed".into();
    deliver(&mut world);
    let run = sync(&world, person("zoe"));
    assert!(succeeded(&run), "{}", run.message);
    assert_eq!(world.state("zoe", "learn"), Some(ClaimState::Active));
    // Somebody else leaves, who is not covered.
    assert_eq!(sync(&world, person("birch000")).tally.released, 1);
    // Somebody whom the hold covers stays, confirmed or not.
    for asked in [person("ash000"), confirmed(person("ash000"))] {
        let run = sync(&world, asked);
        assert_eq!((run.tally.released, world.state("ash000", "learn")), (0, Some(ClaimState::Active)), "{}", run.message);
    }
    let told = Hold { told: world.today, ..before[0].clone() };
    assert_eq!(holds(&world), [told], "a run for some people is no word on a hold");
    // What is approved meanwhile is done, and by the next run of the whole at the latest.
    let done = world.service().approve_hold(before[0].run, &Actor::operator("test"), &[], false, &|_| ()).unwrap();
    assert_eq!((done.hold.state, world.used("learn")), (HoldState::Approved, 90));
    world.verify();
}

#[test]
fn one_leaver_among_many_goes_and_the_night_holds_the_rest() {
    let mut world = guarded_world();
    (0..30).for_each(|at| world.end(&format!("ash{at:03}")));
    deliver(&mut world);
    assert_eq!(sync(&world, person("ash007")).tally.released, 1);
    assert!(holds(&world).is_empty());
    let run = world.quiet_night();
    assert_eq!((run.state, run.tally.released, world.used("learn")), (RunState::Held, 0, 119));
    assert_eq!(holds(&world)[0].removals.len(), 29);
    world.verify();
}

#[test]
fn an_orgs_own_guard_keeps_its_leavers_and_lets_the_rest_through() {
    let mut world = guarded_world();
    (0..11).for_each(|at| world.end(&format!("birch{at:03}")));
    world.hire("zoe", "teacher", "birch");
    world.hire("yan", "teacher", "ash");
    deliver(&mut world);
    let run = sync(&world, org("birch"));
    assert_eq!((run.state, run.tally.released, run.tally.seated), (RunState::Held, 0, 1));
    assert!(run.message.contains("org_removal"), "{}", run.message);
    assert!(holds(&world).is_empty(), "what is kept back is decided when the whole is read");
    assert_eq!((world.used("learn"), world.state("zoe", "learn")), (121, Some(ClaimState::Active)));
    assert_eq!(sync(&world, org("birch")).version, None);
    let run = world.quiet_night();
    assert_eq!((run.state, holds(&world)[0].removals.len(), world.used("learn")), (RunState::Held, 11, 122));
    world.verify();
}

#[test]
fn removals_of_some_people_count_where_the_last_days_are_judged() {
    let mut world = guarded_world();
    world.policy.limits.removal_min = 2;
    world.policy.limits.rolling_percent = 3;
    (0..3).for_each(|at| world.end(&format!("ash{at:03}")));
    deliver(&mut world);
    let removed: Vec<u64> = (0..3).map(|at| sync(&world, person(&format!("ash{at:03}"))).tally.released).collect();
    assert_eq!(removed, [1, 1, 1]);
    world.quiet_night();
    // 3 and 1 of 120 are more than 3 percent of them.
    world.end("ash050");
    let run = world.night();
    assert_eq!((run.state, run.tally.released), (RunState::Held, 0));
    assert!(run.message.contains("rolling"), "{}", run.message);
    world.verify();
}

#[test]
fn what_the_whole_would_not_be_taken_in_for_nobody_is_taken_in_for() {
    let mut world = guarded_world();
    let before = books(&world);
    // Nobody is left: the read cannot be right (R114).
    let keys: Vec<String> = world.people.keys().cloned().collect();
    keys.iter().for_each(|key| world.end(key));
    deliver(&mut world);
    for asked in [person("ash000"), org("birch")] {
        let run = sync(&world, asked);
        assert_eq!((run.state, run.version), (RunState::Held, None));
        assert!(run.message.contains("empty"), "{}", run.message);
    }
    assert!(holds(&world).is_empty());
    assert_eq!(books(&world), before);
    assert_eq!(pending(&world), 1, "it is not turned away either");
    // The night holds it as a whole; after that there is nothing to read, and the answer says why.
    let run = world.quiet_night();
    assert_eq!(run.state, RunState::Held);
    let waits = sync(&world, person("ash000"));
    assert_eq!(waits.state, RunState::Failed);
    assert!(waits.message.contains(&format!("hold show {}", run.run)), "{}", waits.message);
    assert_eq!(books(&world), before);
    world.verify();
}

#[test]
fn an_incomplete_package_changes_nothing_and_is_not_turned_away() {
    let mut world = school_world(None).person("ana", "teacher", "ash");
    world.night();
    world.hire("ben", "teacher", "ash");
    deliver(&mut world);
    world.hire("cid", "teacher", "ash");
    deliver(&mut world);
    let drop = world.dir.path().join("drop");
    let newest = fs::read_dir(&drop).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    let roles = fs::read_to_string(newest.join("roles.csv")).unwrap();
    fs::remove_file(newest.join("roles.csv")).unwrap();
    let run = sync(&world, person("ben"));
    assert_eq!((run.state, run.version, run.rejected.len()), (RunState::Failed, None, 0), "{}", run.message);
    assert_eq!(world.seated("learn"), ["ana"]);
    fs::write(newest.join("roles.csv"), roles).unwrap();
    assert!(succeeded(&sync(&world, person("cid"))));
    assert_eq!((world.seated("learn"), pending(&world)), (vec!["ana".to_owned(), "cid".to_owned()], 2));
    world.verify();
}

#[test]
fn files_of_changes_are_read_to_the_newest_and_none_is_skipped() {
    let mut world = school_world(None).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    change_package(&world, "90001", "ana", "tobedeleted");
    change_package(&world, "90002", "ben", "tobedeleted");
    change_package(&world, "90003", "cid", "active");
    change_package(&world, "90004", "dan", "active");
    assert_eq!(sync(&world, person("cid")).tally.seated, 1);
    assert_eq!(sync(&world, person("ben")).tally.released, 1);
    assert_eq!((world.seated("learn"), pending(&world)), (vec!["ana".to_owned(), "cid".to_owned()], 4));
    nothing_to_do(&world, person("cid"));
    let mut nights = 0;
    while pending(&world) > 0 {
        world.quiet_night();
        nights += 1;
        assert_eq!(world.state("cid", "learn"), Some(ClaimState::Active), "after {nights}");
    }
    assert_eq!((nights, world.seated("learn")), (4, vec!["cid".to_owned(), "dan".to_owned()]));
    world.verify();
}

#[test]
fn the_bytes_taken_in_before_say_something_new_after_an_amendment() {
    let mut world = school_world(None).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    world.end("ana");
    world.write_package();
    assert_eq!(sync(&world, person("ana")).tally.released, 1);
    // The source takes its word back, and delivers the first package once more.
    let drop = world.dir.path().join("drop");
    fs::remove_dir_all(fs::read_dir(&drop).unwrap().map(|entry| entry.unwrap().path()).max().unwrap()).unwrap();
    world.people.get_mut("ana").unwrap().ended = false;
    world.night();
    assert_eq!((world.seated("learn"), mark(&world).amended), (vec!["ana".to_owned(), "ben".to_owned()], false));
    world.verify();
}

#[test]
fn a_pause_leaves_the_source_unread_for_everybody() {
    let mut world = school_world(None).person("ana", "teacher", "ash");
    world.night();
    world.hire("ben", "teacher", "ash");
    deliver(&mut world);
    world.adjust = Box::new(|customer| {
        let pause = Pause { source: "sis".into(), from: Instant::MIN, to: Instant::MAX, reason: "rollover".into() };
        customer.pauses = vec![pause];
    });
    let run = sync(&world, person("ben"));
    assert!(run.message.contains("paused until"), "{}", run.message);
    assert_eq!((run.version, world.state("ben", "learn")), (None, None));
    world.adjust = Box::new(|_| ());
    assert!(succeeded(&sync(&world, person("ben"))));
    assert_eq!(world.state("ben", "learn"), Some(ClaimState::Active));
    world.verify();
}

#[test]
fn the_first_run_after_a_pause_is_still_to_come() {
    let mut world = guarded_world();
    world.adjust = Box::new(|customer| {
        let (from, to) = (Instant::parse("2026-03-03T00:00:00Z"), Instant::parse("2026-03-04T00:00:00Z"));
        let pause = Pause { source: "sis".into(), from: from.unwrap(), to: to.unwrap(), reason: "rollover".into() };
        customer.pauses = vec![pause];
    });
    world.next_day();
    world.next_day();
    (0..30).for_each(|at| world.end(&format!("ash{at:03}")));
    deliver(&mut world);
    assert_eq!(sync(&world, person("ash000")).tally.released, 1);
    let run = world.quiet_night();
    assert!(run.message.contains("first run after a pause"), "{}", run.message);
    assert_eq!((run.tally.released, world.used("learn")), (29, 90));
    world.verify();
}

#[test]
fn who_is_nowhere_is_told_with_a_suggestion() {
    let mut world = school_world(None).person("ana-lopez", "teacher", "ash");
    let run = sync(&world, person("ana-lopez"));
    assert_eq!(run.state, RunState::Failed);
    assert!(run.message.contains("never taken in"), "{}", run.message);
    world.night();
    world.hire("ben-ito", "teacher", "ash");
    deliver(&mut world);
    let rows = [
        (person("ben-itoh"), "could not find person ben-itoh; did you mean ben-ito?"),
        (person("ana-lopes"), "could not find person ana-lopes; did you mean ana-lopez?"),
        (person("xxxxxxxx"), "could not find person xxxxxxxx"),
        (org("brich"), "could not find org brich; did you mean birch?"),
    ];
    for (asked, told) in rows {
        let run = sync(&world, asked);
        assert_eq!((run.state, run.version, run.message.as_str()), (RunState::Failed, None, told));
    }
    world.quiet_night();
    let run = sync(&world, person("ben-itoh"));
    assert_eq!(run.message, "could not find person ben-itoh; did you mean ben-ito?", "with nothing new to read, too");
    assert!(succeeded(&sync(&world, person("ben-ito"))));
    let elsewhere = Asked { source: Some("hr".into()), ..person("ben-ito") };
    let service = world.service();
    let error = service.request_same_day(&service.customers()[0], &elsewhere).unwrap_err();
    assert!(error.to_string().contains("find source hr"), "{error}");
    world.verify();
}

#[test]
fn a_new_key_with_a_known_e_mail_is_kept_out_as_ever() {
    let mut world = school_world(None).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.people.get_mut("ana").unwrap().email = "ana@example.org".into();
    world.night();
    let mut ana = world.people.remove("ana").unwrap();
    ana.name = "ana".into();
    world.people.insert("ana2".into(), ana);
    deliver(&mut world);
    for asked in [person("ana2"), person("ana"), confirmed(person("ana"))] {
        let run = sync(&world, asked);
        assert_eq!((run.tally.seated, run.tally.released, run.state), (0, 0, RunState::SucceededWithErrors), "{}", run.message);
        assert_eq!(world.seated("learn"), ["ana", "ben"]);
    }
    world.quiet_night();
    assert_eq!(world.seated("learn"), ["ana", "ben"]);
    world.verify();
}

#[test]
fn undoing_gives_back_what_the_run_took() {
    let mut world = school_world(Some(2));
    ["ana", "ben", "cid"].into_iter().for_each(|key| world.hire(key, "teacher", "ash"));
    world.night();
    let before = books(&world);
    world.end("ana");
    world.hire("dan", "teacher", "ash");
    deliver(&mut world);
    let run = sync(&world, person("ana"));
    assert_eq!(world.seated("learn"), ["ben", "cid"]);
    let answer = world.service().revert(run.run, &Actor::operator("test"), true).unwrap();
    assert!(matches!(answer, RevertAnswer::Planned { .. }));
    assert_eq!(books(&world), before);
    // As after any run that was undone, the next one does the same again.
    world.quiet_night();
    assert_eq!(
        (world.seated("learn"), world.state("dan", "learn")),
        (vec!["ben".to_owned(), "cid".to_owned()], Some(ClaimState::Waiting))
    );
    world.verify();
}

#[test]
fn a_plan_for_one_person_is_applied_as_it_was_shown() {
    let mut world = school_world(None).person("ana", "teacher", "ash");
    world.night();
    world.hire("ben", "teacher", "ash");
    world.hire("cid", "teacher", "ash");
    deliver(&mut world);
    let service = world.service();
    let planned = service.plan_sync(&service.customers()[0], &Trigger::SameDay(person("ben")), &|_| ()).unwrap();
    let plan = planned.plan.unwrap();
    assert_eq!((plan.changes.len(), plan.snapshots.len(), planned.run.state), (1, 1, RunState::Planned));
    assert_eq!(world.seated("learn"), ["ana"]);
    // Runs that find nothing clear old snapshots away, and not this one.
    let customer = &service.customers()[0];
    (0..8).for_each(|_| drop(service.sync(customer, &Trigger::Dates(world.today), &|_| ()).unwrap()));
    assert!(succeeded(&service.apply_plan(planned.run.run, &Actor::operator("test")).unwrap()));
    assert_eq!((world.seated("learn"), mark(&world).amended), (vec!["ana".to_owned(), "ben".to_owned()], true));
    assert!(roster(&world).find_person("cid").is_none());
    world.verify();
}

#[test]
fn a_crash_at_any_step_leaves_all_or_nothing_and_the_run_is_made_again() {
    for crash in [Phase::Reading, Phase::Planning, Phase::Committing] {
        let mut world = school_world(Some(1)).person("ana", "teacher", "ash");
        world.night();
        let before = books(&world);
        world.end("ana");
        world.hire("ben", "teacher", "ash");
        deliver(&mut world);
        let service = world.service();
        let asked = Trigger::SameDay(org("ash"));
        let (request, _) = service.request_sync(&service.customers()[0], &asked).unwrap();
        let taken = service.take_request().unwrap().unwrap();
        let watch = |phase: Phase| assert!(phase != crash, "the process ends here");
        // As the store writes it: fetching, planning, committing.
        let crashed = match crash {
            Phase::Reading => 0,
            Phase::Planning => 1,
            Phase::Committing => 4,
        };
        catch_unwind(AssertUnwindSafe(|| service.fulfil(&taken, &watch))).expect_err("a crash");
        // A process that dies writes nothing more.
        let undone = "UPDATE runs SET state = ?1, ended = NULL WHERE id = (SELECT max(id) FROM runs)";
        assert_eq!(world.raw().execute(undone, [crashed]).unwrap(), 1);
        let state = service.store().runs(None, 1).unwrap().remove(0).state;
        assert!(matches!(state, RunState::Fetching | RunState::Planning | RunState::Committing), "{state}");
        world.all_die();
        assert_eq!((books(&world), mark(&world).amended), (before, false));
        let service = world.service();
        assert_eq!(service.recover(service.now()).unwrap(), (1, 1));
        let again = service.take_request().unwrap().unwrap();
        assert_eq!((again.request, &again.trigger), (request, &asked));
        let run = service.fulfil(&again, &|_| ()).unwrap().unwrap();
        assert_eq!((run.tally.released, run.tally.seated), (1, 1));
        assert_eq!(world.seated("learn"), ["ben"]);
        world.verify();
    }
}

#[test]
fn a_wish_for_some_joins_one_for_all_and_never_the_other_way_round() {
    let trigger = |asked: &Asked| Trigger::SameDay(asked.clone());
    let all = Asked::by(Actor::operator("ann"));
    let sis = |asked: &Asked| Asked { source: Some("sis".into()), ..asked.clone() };
    let rows = [
        (all.clone(), person("ana"), true),
        (all.clone(), org("ash"), true),
        (all.clone(), confirmed(person("ana")), false),
        (confirmed(all.clone()), confirmed(person("ana")), true),
        (person("ana"), all.clone(), false),
        (person("ana"), person("ana"), true),
        (person("ana"), person("ben"), false),
        (person("ash"), org("ash"), false),
        (org("ash"), person("ana"), false),
        (org("ash"), org("birch"), false),
        (person("ana"), sis(&person("ana")), true),
        (sis(&person("ana")), person("ana"), false),
        (sis(&all), sis(&person("ana")), true),
    ];
    for (waiting, wish, joins) in rows {
        assert_eq!(trigger(&waiting).covers(&trigger(&wish)), joins, "{wish:?} joins {waiting:?}");
    }
    assert!(Trigger::Nightly(rosterd::base::Day(1)).covers(&trigger(&person("ana"))));
    assert!(!trigger(&person("ana")).covers(&Trigger::Drop));

    // In line: each counts, and only equal ones share a place.
    let mut world = school_world(None).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    let service = world.service();
    let customer = &service.customers()[0];
    let ask = |asked: Asked| match service.request_same_day(customer, &asked).unwrap() {
        SameDayAnswer::Taken { place, quota, .. } => (place.joined, place.position, quota.used),
        SameDayAnswer::Refused { quota } => panic!("refused: {quota:?}"),
    };
    assert_eq!(ask(person("ana")), (false, 1, 1));
    assert_eq!(ask(person("ben")), (false, 2, 2));
    assert_eq!(ask(person("ana")), (true, 1, 3));
    assert_eq!(ask(all), (false, 3, 4));
    assert_eq!(ask(org("ash")), (true, 3, 5));
    let stored = work(&service);
    let scopes: Vec<Option<String>> = stored.iter().map(|run| run.trigger.scope().map(ToString::to_string)).collect();
    assert_eq!(scopes, [Some("person ana".to_owned()), Some("person ben".to_owned()), None]);
    world.verify();
}

fn work(service: &Service) -> Vec<RunRow> {
    let mut runs = Vec::new();
    while let Some(request) = service.take_request().expect("a store") {
        runs.extend(service.fulfil(&request, &|_| ()).expect("a run"));
    }
    runs
}

/// What happens to one of six people before a package is delivered.
#[derive(Clone, Copy, Debug)]
enum Change {
    Hire,
    Move,
    End,
    Vanish,
    Rename,
}

fn change(world: &mut World, key: &str, change: Change, at: usize) {
    match change {
        Change::Hire => {
            world.people.remove(key);
            world.hire(key, "teacher", "ash");
        }
        Change::Move => {
            world.people.remove(key);
            world.hire(key, "teacher", "birch");
        }
        Change::Rename => world.people.entry(key.into()).or_default().name = format!("Name {at}"),
        Change::End if world.people.contains_key(key) => world.end(key),
        Change::Vanish => world.vanish(key),
        Change::End => {}
    }
}

fn changes() -> impl Strategy<Value = Vec<(usize, Change)>> {
    let change =
        prop_oneof![Just(Change::Hire), Just(Change::Move), Just(Change::End), Just(Change::Vanish), Just(Change::Rename)];
    prop::collection::vec((0usize..6, change), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Runs for some people in between leave everybody else where they are, and no night reads less for them.
    #[test]
    fn others_do_not_move_and_the_nights_come_to_the_same(
        nights in prop::collection::vec((changes(), prop::collection::vec((0usize..8, any::<bool>()), 0..3)), 1..5),
    ) {
        let start = || {
            let mut world = school_world(Some(3)).person("constant", "student", "ash");
            (0..4).for_each(|at| world.hire(&format!("p{at}"), "teacher", "ash"));
            world.night();
            world
        };
        let (mut world, mut twin) = (start(), start());
        for (at, (changed, wishes)) in nights.into_iter().enumerate() {
            for (who, what) in changed {
                change(&mut world, &format!("p{who}"), what, at);
                change(&mut twin, &format!("p{who}"), what, at);
            }
            world.write_package();
            for (who, confirm) in wishes {
                let asked = match who { 6 => org("ash"), 7 => org("birch"), who => person(&format!("p{who}")) };
                let asked = if confirm { confirmed(asked) } else { asked };
                let before = roster(&world);
                sync(&world, asked.clone());
                let after = roster(&world);
                if let Some(Scope::Person(only)) = &asked.scope {
                    let delta = diff(&before, &after);
                    let came = delta.added.iter().map(|&at| after.text(after.person(at).key));
                    let moved = delta.changed.iter().chain(&delta.ended).map(|&(_, at)| after.text(after.person(at).key));
                    let went = delta.absent.iter().map(|&at| before.text(before.person(at).key));
                    prop_assert!(came.chain(moved).chain(went).all(|key| key == only.as_str()));
                }
                nothing_to_do(&world, asked);
            }
            world.quiet_night();
            twin.night();
            prop_assert!(diff(&roster(&world), &roster(&twin)).is_empty());
            prop_assert_eq!(mark(&world).package, mark(&twin).package);
            world.verify();
        }
    }
}
