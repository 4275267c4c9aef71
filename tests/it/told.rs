//! What is told, how often, and that it is told when it is over (R150, R151).

use rosterd::base::{Actor, OrgId, PersonKey, Version};
use rosterd::license::{Entry, OnFull, ProductKind, RolesChange, SeatModel};
use rosterd::plan::GuardLimits;
use rosterd::store::{NoticeRow, RunState, Store};

use crate::world::{World, succeeded};

fn school(seats: u32) -> World {
    World::new("north").school("ash").product("learn", ProductKind::Module, SeatModel::Role).role_rule("student", "learn").pool(
        "learn",
        "d",
        Some(seats),
        OnFull::Wait,
    )
}

/// Notices of these kinds, oldest first.
fn told(world: &World, kinds: &[&str]) -> Vec<NoticeRow> {
    let mut all = world.service().store().notices(None, 1000).expect("notices");
    all.retain(|notice| kinds.contains(&notice.kind.as_str()));
    all.reverse();
    all
}

/// A hold that nobody has to decide any more is told of, however it ended.
#[test]
fn r151_the_end_of_a_hold_is_told() {
    let held = || {
        let mut world = school(200);
        world.policy.limits = GuardLimits { bootstrap_approval: false, ..GuardLimits::STANDARD };
        (0..100).for_each(|at| world.hire(&format!("p{at:03}"), "student", "ash"));
        assert!(succeeded(&world.night()));
        (0..20).for_each(|at| world.end(&format!("p{at:03}")));
        let run = world.night();
        assert_eq!(run.state, RunState::Held);
        assert_eq!(told(&world, &["hold_closed"]), []);
        (world, run.run)
    };
    let by = Actor::operator("olga");

    let (world, run) = held();
    world.service().approve_hold(run, &by, &[], false, &|_| ()).unwrap();
    let (partly, part_run) = held();
    partly.service().approve_hold(part_run, &by, &[PersonKey::from("p003")], false, &|_| ()).unwrap();
    let (rejected, rejected_run) = held();
    rejected.service().reject_hold(rejected_run, &by).unwrap();
    let (mut late, _) = held();
    late.set_day(late.today.plus(10));
    let service = late.service();
    assert!(service.sweep_hold(&service.customers()[0]).unwrap());
    assert!(!service.sweep_hold(&service.customers()[0]).unwrap(), "once");
    let (mut gone, _) = held();
    (0..20).for_each(|at| gone.people.get_mut(&format!("p{at:03}")).unwrap().ended = false);
    assert!(succeeded(&gone.night()));

    for (world, what) in [
        (&world, "was approved by operator:olga."),
        (&partly, "was approved by operator:olga, but for 1 people"),
        (&rejected, "was rejected by operator:olga"),
        (&late, "ran out at"),
        (&gone, "nothing left to hold"),
    ] {
        let told = told(world, &["hold_closed"]);
        assert_eq!(told.len(), 1, "{what}");
        assert!(told[0].text.contains(what), "{} / {what}", told[0].text);
        world.verify();
    }
}

/// Who waits is named by key in the alert, with position and date: once until nobody waits any more.
#[test]
fn r150_the_alert_names_who_waits() {
    let mut world = school(2);
    (0..26).for_each(|at| world.hire(&format!("p{at:02}"), "student", "ash"));
    world.night();
    let waits = told(&world, &["people_wait"]);
    assert_eq!(waits.len(), 1);
    let text = &waits[0].text;
    for part in ["24 wait for pool learn", "1. p02 (for seat since 2026-", "20. p21", "and 4 more", "report unseated north"] {
        assert!(text.contains(part), "{text} / {part}");
    }
    assert!(!text.contains("p22") && !text.contains("Test"), "keys alone, and no more than twenty: {text}");
    world.hire("z", "student", "ash");
    world.night();
    assert_eq!(told(&world, &["people_wait"]).len(), 1, "somebody waited already");
    world.buy("more", "learn", 50, "2026-01-01");
    world.night();
    (0..60).for_each(|at| world.hire(&format!("q{at:02}"), "student", "ash"));
    world.night();
    let waits = told(&world, &["people_wait"]);
    assert_eq!(waits.len(), 2, "nobody waited in between");
}

/// R158: role assignments and changes are in the trail, before and after, by key.
#[test]
fn r158_a_snapshot_that_changes_roles_says_whose_and_how() {
    let mut world = school(10).school("birch").person("ada", "student", "ash").person("ben", "student", "ash");
    world.night();
    world.people.get_mut("ada").unwrap().roles = vec![("teacher".into(), "birch".into()), ("student".into(), "ash".into())];
    world.people.get_mut("ben").unwrap().name = "another name".into();
    world.hire("cid", "student", "ash");
    world.night();
    world.people.get_mut("ada").unwrap().roles = vec![("teacher".into(), "birch".into())];
    world.night();
    let mut found = Vec::new();
    world
        .store()
        .audit(&world.policy.customer, Version(0), &mut |commit| {
            for entry in commit.entries {
                if let Entry::RolesChanged(changes) = entry {
                    found.push(changes);
                }
            }
            Ok(())
        })
        .unwrap();
    let role = |role: &str, org: &str| (role.to_owned(), OrgId::from(org));
    let both = vec![role("student", "ash"), role("teacher", "birch")];
    let change = |before, after| vec![RolesChange { person: "ada".into(), before, after }];
    assert_eq!(found, [change(vec![role("student", "ash")], both.clone()), change(both, vec![role("teacher", "birch")])]);
    world.verify();
}
