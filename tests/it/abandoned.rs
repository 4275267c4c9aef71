//! Runs that nobody works on any more, runs that break off, and names that must go all the same (R99, R101, R130).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use rosterd::base::{Actor, PersonKey};
use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::service::{ForgetAnswer, Phase, ServiceError};
use rosterd::store::{Asked, RequestState, RunState, StoreError, Trigger};

use crate::leaving::{forget, is_named, remove};
use crate::world::{World, succeeded};

fn world() -> World {
    World::new("north")
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", Some(9), OnFull::Wait)
        .person("ana", "teacher", "ash")
        .person("ben", "teacher", "ash")
        .person("zed", "student", "ash")
}

fn by() -> Trigger {
    Trigger::SameDay(Asked::by(Actor::operator("ann")))
}

#[test]
fn a_run_whose_process_died_keeps_no_name() {
    let mut world = world();
    let service = world.service();
    let dead = service.store().begin_run(&world.policy.customer, &by(), service.now()).unwrap();
    world.all_die();
    world.night();
    remove(&mut world, "ana");
    assert!(is_named(&world, "ana"));
    assert!(matches!(forget(&world, "ana"), ForgetAnswer::Forgotten(_)));
    assert!(!is_named(&world, "ana"));
    let row = service.store().run(dead).unwrap().unwrap();
    assert_eq!(row.state, RunState::Failed);
    assert_eq!(row.message, "its process ended while it was fetching; nothing was changed, run it again");
}

#[test]
fn the_minute_closes_what_a_dead_process_left() {
    let world = world();
    let service = world.service();
    let begin = || service.store().begin_run(&world.policy.customer, &by(), service.now()).unwrap();
    let dead = begin();
    world.all_die();
    let living = begin();
    assert!(service.tick().errors.is_empty());
    let states = [dead, living].map(|run| service.store().run(run).unwrap().unwrap().state);
    assert_eq!(states, [RunState::Failed, RunState::Fetching]);
}

/// What somebody else has just read stays until that run is over, which is said; then it goes by itself.
#[test]
fn a_run_under_way_keeps_a_name_no_longer_than_it_lasts() {
    let mut world = world();
    let service = world.service();
    let living = service.store().begin_run(&world.policy.customer, &by(), service.now()).unwrap();
    world.night();
    remove(&mut world, "ana");
    let ForgetAnswer::Forgetting(receipt) = forget(&world, "ana") else { panic!("it is named still") };
    assert_eq!(service.store().version(&world.policy.customer).unwrap(), receipt.version);
    assert!(is_named(&world, "ana"));
    assert!(service.tick().errors.is_empty());
    assert!(is_named(&world, "ana"), "it still runs");
    let mut row = service.store().run(living).unwrap().unwrap();
    (row.state, row.ended) = (RunState::Planned, Some(service.now()));
    service.store().save_run(&row).unwrap();
    assert!(service.tick().errors.is_empty());
    assert!(!is_named(&world, "ana"));
    world.verify();
}

#[test]
fn a_run_that_breaks_off_is_over() {
    for crash in [Phase::Reading, Phase::Planning, Phase::Committing] {
        let mut world = world();
        world.write_package();
        let service = world.service();
        let watch = |phase: Phase| assert!(phase != crash, "a bug");
        let run = || service.sync(&service.customers()[0], &by(), &watch);
        let broken = catch_unwind(AssertUnwindSafe(run)).expect_err("it breaks off");
        assert!(broken.downcast_ref::<&str>().is_some_and(|text| text.contains("a bug")));
        let row = service.store().runs(None, 1).unwrap().remove(0);
        assert_eq!((row.state, row.ended), (RunState::Failed, Some(service.now())), "{crash:?}");
        assert!(row.message.contains("nothing was changed") && row.message.contains("bug"), "{}", row.message);
    }
}

/// A commit stands whatever comes after it: its run is not called failed, and names go with the next one.
#[test]
fn names_that_could_not_be_dropped_go_later() {
    let mut world = world();
    world.night();
    world.end("ana");
    world.night();
    world.set_day(crate::world::day("2026-04-02"));
    let raw = world.raw();
    raw.execute_batch("CREATE TRIGGER stuck BEFORE DELETE ON snapshots BEGIN SELECT RAISE(ABORT, 'stuck'); END").unwrap();
    let run = world.run();
    assert!(succeeded(&run) && run.version.is_some(), "{} {}", run.state, run.message);
    assert!(run.message.contains("could not clear old snapshots away") && run.message.contains("stuck"), "{}", run.message);
    assert!(is_named(&world, "ana"));
    // Also to whoever asks for it.
    world.end("ben");
    world.night();
    assert!(matches!(forget(&world, "ben"), ForgetAnswer::Forgetting(_)));
    assert!(is_named(&world, "ben"));
    raw.execute_batch("DROP TRIGGER stuck").unwrap();
    assert_eq!(world.quiet_night().message, "");
    assert!(!is_named(&world, "ana") && !is_named(&world, "ben"));
    world.verify();
}

/// A process that dies between the commit of a purge and what follows it leaves a snapshot whose base names the person.
/// What is planned next must not stand on that base, or it would stay as long as the plan does.
#[test]
fn what_is_staged_before_names_could_go_does_not_keep_them() {
    let mut world = world();
    for at in 0..300 {
        world.hire(&format!("t{at}"), "student", "ash");
    }
    world.night();
    world.vanish("ana");
    for name in ["one", "two"] {
        world.people.get_mut("ben").unwrap().name = name.into();
        world.night();
    }
    let mark = |world: &World| {
        let store = world.service().store().clone();
        let snapshot = store.standing_light(&world.policy.customer).unwrap().sources.values().next().unwrap().snapshot;
        store.snapshot(&snapshot).unwrap().unwrap()
    };
    assert!(mark(&world).base.is_some(), "it is kept as a difference");
    world.set_day(crate::world::day("2026-04-20"));
    let raw = world.raw();
    raw.execute_batch("CREATE TRIGGER stuck BEFORE DELETE ON snapshots BEGIN SELECT RAISE(ABORT, 'stuck'); END").unwrap();
    assert!(world.run().version.is_some());
    assert!(is_named(&world, "ana") && mark(&world).base.is_some());
    world.people.get_mut("ben").unwrap().name = "three".into();
    world.write_package();
    world.service().plan_sync(&world.service().customers()[0], &by(), &|_| ()).unwrap();
    raw.execute_batch("DROP TRIGGER stuck").unwrap();
    assert!(world.service().tick().errors.is_empty());
    assert!(!is_named(&world, "ana"));
    assert_eq!(mark(&world).base, None);
    world.verify();
}

/// A plan was shown on Monday; on Tuesday a run reads the same package, and meanwhile what Monday staged is dropped, since
/// somebody is forgotten. Books that rested on it could never be read again.
#[test]
fn books_do_not_come_to_rest_on_what_was_dropped_meanwhile() {
    let mut world = world();
    world.night();
    remove(&mut world, "ana");
    world.hire("cid", "teacher", "ash");
    world.write_package();
    world.service().plan_sync(&world.service().customers()[0], &by(), &|_| ()).unwrap();
    world.next_day();
    let met = AtomicBool::new(false);
    let meet = |phase: Phase| {
        if phase == Phase::Committing && !met.swap(true, Ordering::SeqCst) {
            let other = world.service();
            let (actor, ana) = (Actor::operator("ann"), PersonKey::from("ana"));
            let answer = other.forget(&other.customers()[0], &actor, &ana, "asked to").unwrap();
            assert!(matches!(answer, ForgetAnswer::Forgetting(_)), "this very run may have read the name: {answer:?}");
        }
    };
    let service = world.service();
    let run = service.sync(&service.customers()[0], &by(), &meet).unwrap();
    assert!(met.into_inner() && succeeded(&run), "{} {}", run.state, run.message);
    assert_eq!(world.seated("learn"), ["ben", "cid"]);
    world.next_day();
    world.hire("dan", "teacher", "ash");
    assert!(succeeded(&world.night()));
    assert_eq!(world.seated("learn"), ["ben", "cid", "dan"]);
    world.verify();
}

/// An end that can never be written is told and given up, and others go on.
#[test]
fn an_end_that_cannot_be_written_stands_in_nobodys_way() {
    let world = world();
    let service = world.service();
    let store = service.store();
    let ask = |customer: &str| store.request(&customer.into(), &Trigger::Drop, service.now()).unwrap().0;
    let (first, second) = (ask("north"), ask("south"));
    assert_eq!(service.take_request().unwrap().unwrap().request, first);
    let raw = world.raw();
    let stuck = format!(
        "CREATE TRIGGER stuck BEFORE UPDATE ON requests WHEN OLD.id = {first} AND NEW.state = 2
         BEGIN SELECT RAISE(ABORT, 'stuck'); END"
    );
    raw.execute_batch(&stuck).unwrap();
    service.give_up(first).expect_err("it is stuck");
    service.take_request().expect_err("what is left over comes first");
    raw.execute_batch(&format!("PRAGMA foreign_keys = OFF; DELETE FROM requests WHERE id = {first}")).unwrap();
    assert_eq!(service.take_request().unwrap().unwrap().request, second);
}

/// Another node took this one for dead and closed its run; what this one has to say of it then nobody wants to know.
#[test]
fn a_run_that_somebody_else_closed_stands_in_nobodys_way() {
    let mut world = world();
    world.write_package();
    let service = world.service();
    let other = world.service();
    let close = |phase: Phase| {
        if phase == Phase::Planning {
            world.all_die();
            assert_eq!(other.store().close_orphans(service.now(), true).unwrap().len(), 1);
        }
    };
    let planned = service.plan_sync(&service.customers()[0], &by(), &close);
    assert!(matches!(planned, Err(ServiceError::Store(StoreError::RunClosed { .. }))));
    assert_eq!(service.store().runs(None, 1).unwrap()[0].state, RunState::Failed);
    let request = service.request_sync(&service.customers()[0], &by()).unwrap().0;
    assert_eq!(service.take_request().unwrap().unwrap().request, request);
}

/// What the database says to it nobody foresaw: it is tried for some time, and then given up.
#[test]
fn an_end_that_the_database_refuses_is_given_up() {
    let world = world();
    let service = world.service();
    let ask = |customer: &str| service.store().request(&customer.into(), &Trigger::Drop, service.now()).unwrap().0;
    let (first, second) = (ask("north"), ask("south"));
    assert_eq!(service.take_request().unwrap().unwrap().request, first);
    let stuck = "CREATE TRIGGER stuck BEFORE UPDATE ON requests WHEN NEW.state = 2 BEGIN SELECT RAISE(ABORT, 'stuck'); END";
    world.raw().execute_batch(stuck).unwrap();
    service.give_up(first).expect_err("it is stuck");
    let refused = (0..100).take_while(|_| service.take_request().is_err()).count();
    assert!((2..50).contains(&refused), "{refused}");
    assert_eq!(service.store().request_row(second).unwrap().unwrap().state, RequestState::Running);
}

/// The same package under another name, while the note beside its commit cannot be made.
#[test]
fn a_run_whose_commit_stands_is_not_called_failed() {
    let mut world = world();
    world.write_package();
    assert!(succeeded(&world.run()));
    world.write_package();
    let stuck = "CREATE TRIGGER stuck BEFORE UPDATE ON rests BEGIN SELECT RAISE(ABORT, 'stuck'); END";
    world.raw().execute_batch(stuck).unwrap();
    let run = world.run();
    assert!(succeeded(&run) && run.version.is_some() && run.plan.is_none(), "{} {}", run.state, run.message);
    assert!(run.message.contains("could not note that nothing is left to be done"), "{}", run.message);
    world.verify();
}
