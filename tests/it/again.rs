//! The same package again, and nights without one: no plan is made, and the run says what a plan would have said (R102).

use rosterd::license::{OnFull, PinKind, ProductKind, SeatModel};
use rosterd::plan::Decision;
use rosterd::store::{RunRow, RunState, Trigger};

use crate::world::World;

/// Three teachers for two seats, one of whom waits; a fourth cannot be read.
fn world() -> World {
    let mut world = World::new("north")
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", Some(2), OnFull::Wait);
    for key in ["ana", "ben", "cid"] {
        world.hire(key, "teacher", "ash");
    }
    world
}

/// What a run that makes a plan says; nothing is committed.
fn planned(world: &World) -> RunRow {
    let service = world.service();
    let planned = service.plan_sync(&service.customers()[0], &Trigger::Nightly(world.today), &|_| ()).expect("a plan");
    let plan = planned.plan.expect("there is something to plan from");
    assert!(plan.changes.is_empty() && plan.absences.is_empty(), "{plan:?}");
    planned.run
}

fn says(run: &RunRow) -> (u64, u64, u64, u64, &str, &[String]) {
    (run.tally.people, run.tally.waiting, run.tally.withheld, run.tally.findings, &run.message, &run.packages)
}

#[test]
fn nothing_new_is_said_as_a_plan_would_say_it() {
    let mut world = world();
    for renewed in [true, false] {
        world.write_package();
        let first = world.run();
        assert_eq!((first.state, first.plan.is_some()), (RunState::SucceededWithErrors, true));
        if renewed {
            world.write_package();
        }
        let asked = planned(&world);
        let again = world.run();
        assert_eq!((says(&again), again.state), (says(&asked), first.state));
        assert_eq!((again.tally.people, again.tally.waiting), (if renewed { 3 } else { 4 }, 1));
        assert_eq!((again.plan, again.version.is_some()), (None, renewed), "a package's new name is noted");
        assert_eq!(world.run().plan, None, "and so on");
        assert_eq!(world.seated("learn"), ["ana", "ben"]);
        // The next round starts with something to do.
        world.hire("dan", "aide", "ash");
    }
    world.verify();
}

#[test]
fn whatever_moved_is_planned_for() {
    let mut world = world();
    let plans = |world: &World, what: &str| {
        assert!(world.run().plan.is_some(), "{what}");
        assert_eq!(world.run().plan, None, "after {what}");
    };
    world.write_package();
    plans(&world, "the first package");
    world.next_day();
    plans(&world, "a date");
    world.hire("eva", "aide", "ash");
    world.write_package();
    plans(&world, "another package");
    world.buy("po-2", "learn", 1, "2026-03-01");
    assert_eq!(world.used("learn"), 3);
    plans(&world, "a purchase");
    world.decide(Decision::Pin { pin: world.pin("eva", "learn", PinKind::Deny), insist: false });
    plans(&world, "a pin");
    world.policy.limits.removal_min += 1;
    plans(&world, "other settings");
    world.vanish("cid");
    world.write_package();
    plans(&world, "somebody missing");
    world.write_package();
    assert_eq!(world.run().plan, None, "the same bytes are no second look at anybody");
    assert_eq!(world.used("learn"), 3);
    world.verify();
}

#[test]
fn a_row_that_cannot_be_read_is_told_once() {
    let mut world = world();
    world.people.get_mut("ana").expect("ana").broken = true;
    world.write_package();
    let first = world.run();
    assert!(first.tally.findings > 0);
    let asked = planned(&world);
    let again = world.run();
    assert_eq!((says(&again), again.plan), (says(&asked), None));
    world.verify();
}

#[test]
fn with_an_open_overage_every_run_is_planned() {
    let mut world = world();
    world.policy.pools[0].on_full = OnFull::Overdraw;
    world.write_package();
    world.run();
    assert_eq!(world.balance("learn"), -1);
    assert!(world.run().plan.is_some());
    assert!(world.run().plan.is_some());
}
