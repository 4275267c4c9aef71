//! Reverts beside what else holds: the gate of a license year (R85), reservations (R20); and runs that die or break off (R126,
//! R101).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rosterd::base::{Actor, Instant, RunId};
use rosterd::clock::{Clock, SetClock};
use rosterd::license::{Because, ClaimState, OnFull, ProductKind, ReuseRules, SeatModel};
use rosterd::plan::Plan;
use rosterd::service::{ImportAnswer, ImportRequest, RevertAnswer, Service};
use rosterd::store::{Asked, RunState, Trigger};

use crate::world::{World, day, seats, succeeded};

fn by() -> Actor {
    Actor::operator("test")
}

fn world(seats: u32) -> World {
    World::new("north")
        .school("ash")
        .school("elm")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", Some(seats), OnFull::Wait)
}

fn undo(world: &World, run: RunId) -> Plan {
    match world.service().revert(run, &by(), true).expect("an answer") {
        RevertAnswer::Planned { run, plan } => {
            assert!(succeeded(&run), "{} {}", run.state, run.message);
            (*plan).clone()
        }
        other => panic!("{other:?}"),
    }
}

/// Exactly these people are teachers tonight.
fn only(world: &mut World, people: impl Iterator<Item = u32>) -> RunId {
    world.people.values_mut().for_each(|person| person.ended = true);
    for at in people {
        let key = format!("p{at:02}");
        match world.people.get_mut(&key) {
            Some(known) => known.ended = false,
            None => world.hire(&key, "teacher", "ash"),
        }
    }
    let run = world.night();
    assert!(succeeded(&run), "{}", run.message);
    run.run
}

#[test]
fn r85_a_seat_that_a_revert_frees_goes_to_nobody_whom_the_year_shuts_out() {
    let mut world = world(10);
    world.policy.pools[0].anchor = Some(day("2020-03-01"));
    world.policy.pools[0].reuse = ReuseRules { max_per_seat: 1, exceeded_blocks: true, ..ReuseRules::default() };
    // Twenty people in ten seats: as many replacements as may be.
    only(&mut world, 0..10);
    only(&mut world, 10..20);
    only(&mut world, 11..20);
    let run = only(&mut world, (11..20).chain([0]));
    assert_eq!((world.used("learn"), world.state("p00", "learn")), (10, Some(ClaimState::Active)), "who comes back is not new");
    only(&mut world, (11..20).chain([0, 20]));
    assert_eq!(world.state("p20", "learn"), Some(ClaimState::Waiting));
    undo(&world, run);
    assert_eq!((world.used("learn"), world.state("p20", "learn")), (9, Some(ClaimState::Waiting)), "p20 is new to the year");
    world.verify();
    // In a new year there is room.
    world.set_day(day("2027-03-02"));
    world.night();
    assert_eq!(world.state("p20", "learn"), Some(ClaimState::Active));
    world.verify();
}

#[test]
fn r85_whom_a_run_released_comes_back_and_somebody_new_does_not_take_the_place() {
    let mut world = world(10);
    world.policy.pools[0].anchor = Some(day("2020-03-01"));
    world.policy.pools[0].reuse = ReuseRules { max_per_seat: 1, exceeded_blocks: true, ..ReuseRules::default() };
    only(&mut world, 0..10);
    only(&mut world, 10..20);
    let run = only(&mut world, 11..20);
    only(&mut world, (11..20).chain([20]));
    assert_eq!((world.used("learn"), world.state("p20", "learn")), (9, Some(ClaimState::Waiting)));
    let plan = undo(&world, run);
    assert_eq!((world.used("learn"), world.state("p10", "learn")), (10, Some(ClaimState::Active)));
    assert!(plan.changes.iter().all(|change| change.because == Because::Reverted));
    world.verify();
}

#[test]
fn r20_what_a_revert_gives_back_is_nobody_elses_reserved_seat() {
    let mut world = world(10);
    world.policy.pools[0].reservations = vec![("ash".into(), seats(5))];
    // The open part is elm's, whose people come first in every order.
    for at in 0..5 {
        world.hire(&format!("b{at}"), "teacher", "elm");
        world.hire(&format!("y{at}"), "teacher", "ash");
    }
    world.night();
    assert_eq!(world.used("learn"), 10);
    let role = |world: &mut World, key: &str, role: &str| world.people.get_mut(key).expect("there").roles[0].0 = role.into();
    role(&mut world, "b0", "aide");
    role(&mut world, "y0", "aide");
    let run = world.night().run;
    world.hire("z0", "teacher", "elm");
    world.night();
    assert_eq!((world.used("learn"), world.state("z0", "learn")), (9, Some(ClaimState::Active)));
    undo(&world, run);
    assert_eq!(world.state("y0", "learn"), Some(ClaimState::Active), "ash's own seat");
    assert_eq!((world.used("learn"), world.state("b0", "learn")), (10, Some(ClaimState::Waiting)));
    world.verify();
}

#[test]
fn r20_right_after_the_run_everybody_is_back() {
    let mut world = world(10);
    world.policy.pools[0].reservations = vec![("ash".into(), seats(5))];
    (0..6).for_each(|at| world.hire(&format!("b{at}"), "teacher", "elm"));
    (0..4).for_each(|at| world.hire(&format!("y{at}"), "teacher", "ash"));
    world.policy.pools[0].on_full = OnFull::Overdraw;
    world.night();
    assert_eq!(world.used("learn"), 10);
    world.policy.pools[0].on_full = OnFull::Wait;
    world.quiet_night();
    world.people.get_mut("b0").expect("there").roles[0].0 = "aide".into();
    let run = world.night().run;
    assert_eq!(world.used("learn"), 9);
    undo(&world, run);
    assert_eq!((world.used("learn"), world.state("b0", "learn")), (10, Some(ClaimState::Active)));
    world.verify();
}

/// The process dies right after the commit: nobody wrote down that the plan is done.
#[test]
fn an_applied_plan_whose_process_died_is_known_to_be_done() {
    let mut world = world(10).person("ana", "teacher", "ash");
    world.night();
    world.hire("ben", "teacher", "ash");
    world.write_package();
    let service = world.service();
    let customer = &service.customers()[0];
    let planned = service.plan_sync(customer, &Trigger::SameDay(Asked::by(by())), &|_| ()).expect("a plan").run;
    let applied = service.apply_plan(planned.run, &by()).expect("applied");
    let imported = {
        let text = "key,given_name,family_name,email,username,identifier,enabled,grades,primary_org,roles,status,source\r\n\
                    cid,C,D,,,,true,,,teacher@ash,,\r\n";
        let (file, bytes) = ("p.csv", text.as_bytes());
        let request = ImportRequest { file, bytes, synchronize: false, org: None, by: None, actor: by() };
        let preview = service.preview_import(customer, &request).expect("a preview");
        let done = service.confirm_import(customer, &request, &preview.token.expect("a token")).expect("an answer");
        assert!(matches!(done, ImportAnswer::Done(_)), "{done:?}");
        preview.run
    };
    for row in [&planned, &imported] {
        assert_eq!((row.state, row.version), (RunState::Planned, None));
        service.store().save_run(row).expect("written");
    }
    world.all_die();
    assert!(service.tick().errors.is_empty());
    let row = service.run_row(planned.run).expect("it is there");
    assert_eq!((row.state, row.version), (RunState::SucceededWithErrors, applied.version));
    assert!(row.message.contains("right after it committed"), "{}", row.message);
    assert_eq!(service.run_row(imported.run).expect("it is there").state, RunState::SucceededWithErrors);
    assert_eq!(world.seated("learn"), ["ana", "ben", "cid"]);
    undo(&world, planned.run);
    undo(&world, imported.run);
    assert_eq!(world.seated("learn"), ["ana"]);
    // A plan that nobody applied stays one.
    let planned = service.plan_sync(customer, &Trigger::SameDay(Asked::by(by())), &|_| ()).expect("a plan").run;
    assert!(service.tick().errors.is_empty());
    assert_eq!(service.run_row(planned.run).expect("it is there").state, RunState::Planned);
    world.verify();
}

/// A clock with a fault in it: asked for the n-th time it panics, once.
struct Faulty {
    clock: Arc<SetClock>,
    left: AtomicU32,
}

impl Clock for Faulty {
    fn now(&self) -> Instant {
        assert!(self.left.fetch_sub(1, Ordering::SeqCst) != 1, "a bug");
        self.clock.now()
    }
}

#[test]
fn a_revert_that_breaks_off_is_over() {
    let mut world = world(10).person("ana", "teacher", "ash");
    let run = world.night().run;
    let clock = Arc::new(Faulty { clock: world.clock.clone(), left: AtomicU32::new(2) });
    let service = Service::new(Arc::new(world.store()), clock, vec![world.customer()]);
    let broken = catch_unwind(AssertUnwindSafe(|| service.revert(run, &by(), false)));
    assert!(broken.is_err(), "it broke off in the middle");
    let row = world.store_runs().remove(0);
    assert_eq!((row.trigger.clone(), row.state), (Trigger::Revert(run, by()), RunState::Failed), "{}", row.message);
    assert!(row.ended.is_some() && row.message.contains("before its commit"), "{}", row.message);
    undo(&world, run);
}

impl World {
    fn store_runs(&self) -> Vec<rosterd::store::RunRow> {
        self.service().store().runs(None, 9).expect("runs")
    }
}
