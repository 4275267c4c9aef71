//! Guards look at each source by itself (R115), and a hold stops the source it is about and no other one (R119, R125).

use std::collections::BTreeSet;

use rosterd::base::{Actor, PersonKey, RunId};
use rosterd::license::{Hold, HoldState, OnFull, ProductKind, SeatModel};
use rosterd::plan::GuardLimits;
use rosterd::service::{HoldAnswer, HoldDone};
use rosterd::store::RunState;

use crate::looks::with_second_source;
use crate::world::{World, succeeded};

/// Thirty teachers `a00` and so on, with the guards as the rules have them.
fn district(prefix: &str, people: u32) -> World {
    let mut world = World::new("north")
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", None, OnFull::Wait);
    world.policy.limits = GuardLimits { bootstrap_approval: false, ..GuardLimits::STANDARD };
    hire(&mut world, prefix, 0..people);
    world
}

fn hire(world: &mut World, prefix: &str, which: std::ops::Range<u32>) {
    for at in which {
        world.hire(&format!("{prefix}{at:02}"), "teacher", "ash");
    }
}

fn hold(world: &World) -> Hold {
    world.service().store().holds(&world.policy.customer).expect("it is there").remove(0)
}

fn packages(hold: &Hold) -> BTreeSet<&str> {
    hold.packages.iter().map(|(source, _)| source.as_str()).collect()
}

fn approve(world: &World, run: RunId, except: &[&str]) -> HoldDone {
    let except: Vec<PersonKey> = except.iter().map(|key| PersonKey::from(*key)).collect();
    world.service().approve_hold(run, &Actor::operator("ops"), &except, false, &|_| ()).expect("it is there")
}

/// The first source is known, the second one delivers for the first time.
fn with_new_source(people: u32) -> (World, World) {
    let mut world = district("a", 30);
    world.night();
    let mut hr = district("h", people);
    hr.write_package();
    with_second_source(&mut world, &hr);
    world.policy.limits.bootstrap_approval = true;
    (world, hr)
}

#[test]
fn r125_a_new_source_waits_and_the_known_one_goes_on() {
    let (mut world, _hr) = with_new_source(4);
    hire(&mut world, "a", 30..32);
    let run = world.night();
    assert_eq!((run.state, world.used("learn")), (RunState::Held, 32));
    assert!(run.message.contains("nothing of the new snapshot of hr was taken in"), "{}", run.message);
    assert_eq!((packages(&hold(&world)), hold(&world).removals.len()), (BTreeSet::from(["hr"]), 0));

    // The next night the known source goes on, and the new one still waits.
    hire(&mut world, "a", 32..33);
    assert!(succeeded(&world.night()));
    assert_eq!(
        (world.used("learn"), packages(&hold(&world)), hold(&world).state),
        (33, BTreeSet::from(["hr"]), HoldState::Open)
    );

    // Approved while the known source has something new again: each is taken in, one as it is and one as ever.
    hire(&mut world, "a", 33..34);
    world.write_package();
    let hold = hold(&world);
    let preview =
        world.service().hold_preview(&world.service().customers()[0], &hold).expect("it is there").expect("it is there");
    assert_eq!(preview.pools[0].seated.0, 4, "what arrived since is not shown");
    let done = approve(&world, hold.run, &[]);
    assert_eq!((done.answer, done.hold.state, world.used("learn")), (HoldAnswer::Done, HoldState::Approved, 38));
    assert!(done.hold.used.is_some());
    world.quiet_night();
    assert_eq!(world.used("learn"), 38);
    world.verify();
}

#[test]
fn a_broken_source_is_kept_out_and_the_other_ones_removals_are_judged_by_themselves() {
    let mut world = district("a", 30);
    let mut hr = district("h", 30);
    hr.write_package();
    with_second_source(&mut world, &hr);
    world.night();
    assert_eq!(world.used("learn"), 60);
    // One source ends six of thirty, and of the other one the roles are lost with almost everybody in it unchanged.
    for at in 0..6 {
        world.end(&format!("a{at:02}"));
    }
    hire(&mut world, "a", 30..32);
    for at in 0..25 {
        hr.people.get_mut(&format!("h{at:02}")).expect("it is there").roles.clear();
    }
    hr.write_package();
    let run = world.night();
    assert_eq!((run.state, world.used("learn")), (RunState::Held, 62), "two came, nobody went");
    let held = hold(&world);
    let going: Vec<String> = (0..6).map(|at| format!("a{at:02}")).collect();
    assert_eq!(packages(&held), BTreeSet::from(["hr"]));
    assert_eq!(held.removals.iter().map(ToString::to_string).collect::<Vec<_>>(), going);

    // One decision for both: five of the six go, and the roles with them.
    let done = approve(&world, held.run, &["a00"]);
    assert_eq!((done.answer, done.hold.state), (HoldAnswer::Done, HoldState::PartlyApproved));
    let left: BTreeSet<String> = world.seated("learn").into_iter().collect();
    assert!(left.contains("a00") && !left.contains("a05") && !left.contains("h24"), "{left:?}");
    assert_eq!(left.len(), 30 - 5 + 2 + 5);
    world.verify();
}

/// Ten people of one source are told by another one now, which waits: until it is taken in they are simply gone, and the
/// guard of their source says so.
#[test]
fn whom_only_a_source_has_that_waits_counts_as_gone() {
    let (mut world, mut hr) = with_new_source(1);
    hire(&mut hr, "a", 0..10);
    hr.write_package();
    for at in 0..10 {
        world.vanish(&format!("a{at:02}"));
    }
    world.night();
    let held = hold(&world);
    assert_eq!((packages(&held), held.removals.len(), world.used("learn")), (BTreeSet::from(["hr"]), 10, 30));
    for _ in 0..3 {
        world.quiet_night();
    }
    assert_eq!(world.used("learn"), 30, "what is held waits for the decision");
}

#[test]
fn approved_in_time_people_who_moved_from_one_source_to_another_keep_their_seats() {
    let (mut world, mut hr) = with_new_source(1);
    hire(&mut hr, "a", 0..10);
    hr.write_package();
    world.vanish("a00");
    world.vanish("a01");
    world.night();
    let claims = |world: &World| world.service().store().claims_of(&world.policy.customer, "a00").expect("it is there").1;
    let before = claims(&world);
    assert_eq!(approve(&world, hold(&world).run, &[]).answer, HoldAnswer::Done);
    assert_eq!((world.used("learn"), claims(&world)), (31, before), "the same claim");
    world.quiet_night();
    world.quiet_night();
    assert_eq!(world.used("learn"), 31);
    world.verify();
}

#[test]
fn an_approval_of_two_packages_waits_until_both_are_there() {
    let (mut world, mut hr) = with_new_source(4);
    for at in 0..20 {
        world.people.get_mut(&format!("a{at:02}")).expect("it is there").roles.clear();
    }
    let run = world.night();
    assert_eq!(packages(&hold(&world)), BTreeSet::from(["hr", "sis"]));
    assert!(run.message.contains("nothing of the new snapshot was taken in"), "{}", run.message);
    // The new source is down when somebody approves.
    let folder = hr.dir.path().join("drop");
    let away = hr.dir.path().join("away");
    std::fs::rename(&folder, &away).expect("it is there");
    std::fs::write(&folder, "not a folder").expect("it is there");
    let done = approve(&world, hold(&world).run, &[]);
    assert_eq!((done.answer, done.hold.used, world.used("learn")), (HoldAnswer::Done, None, 30));
    std::fs::remove_file(&folder).expect("it is there");
    std::fs::rename(&away, &folder).expect("it is there");
    world.quiet_night();
    assert_eq!((hold(&world).used.is_some(), world.used("learn")), (true, 10 + 4));
    hire(&mut hr, "h", 4..5);
    hr.write_package();
    assert!(succeeded(&world.night()));
    assert_eq!(world.used("learn"), 15);
    world.verify();
}
