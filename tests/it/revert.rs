//! Undoing a run (R126, I15).

use std::collections::BTreeMap;

use proptest::prelude::*;
use rosterd::base::{Actor, RunId};
use rosterd::license::{Because, Claim, ClaimState, OnFull, PinKind, ProductKind, SeatModel};
use rosterd::plan::{Answer, Plan};
use rosterd::service::{PersonState, RevertAnswer};
use rosterd::store::{RunRow, RunState};

use crate::world::{World, succeeded};

/// Claims by person, available seats by pool, the queue in order: what a revert restores.
type Books = (BTreeMap<String, Vec<Claim>>, BTreeMap<String, Option<i64>>, Vec<(String, String)>);

fn books(world: &World) -> Books {
    let service = world.service();
    let customer = &service.customers()[0];
    let book = service.store().standing(customer.id()).expect("books").book;
    let claims = (0..book.people.len()).map(|at| (book.key(at).to_owned(), book.claims_at(at).to_vec())).collect();
    let pools = service.pools(customer).expect("pools");
    let balances = pools.into_iter().map(|view| (view.pool.to_string(), view.balance.map(|b| b.0))).collect();
    let queue = service.queue(customer, None).expect("a queue");
    (claims, balances, queue.into_iter().map(|row| (row.pool.to_string(), row.person)).collect())
}

fn revert(world: &World, run: RunId, commit: bool) -> RevertAnswer {
    world.service().revert(run, &Actor::operator("test"), commit).expect("an answer")
}

fn undo(world: &World, run: RunId) -> (RunRow, Plan) {
    match revert(world, run, true) {
        RevertAnswer::Planned { run, plan } => (*run, (*plan).clone()),
        other => panic!("{other:?}"),
    }
}

fn left_alone(plan: &Plan) -> Vec<&str> {
    let left = plan.withheld.iter().filter(|w| w.because == Because::ChangedSince);
    left.map(|w| plan.people.get(w.person)).collect()
}

fn world(seats: u32) -> World {
    World::new("north").school("ash").product("learn", ProductKind::Module, SeatModel::Role).role_rule("teacher", "learn").pool(
        "learn",
        "d",
        Some(seats),
        OnFull::Wait,
    )
}

#[test]
fn right_after_the_run_the_books_are_what_they_were() {
    let mut world = world(2).person("ana", "teacher", "ash").person("ben", "teacher", "ash").person("cid", "teacher", "ash");
    world.night();
    let before = books(&world);
    assert_eq!(before.2, [("learn".to_owned(), "cid".to_owned())]);
    world.end("ana");
    world.hire("dan", "teacher", "ash");
    let run = world.night();
    assert_eq!(world.seated("learn"), ["ben", "cid"]);
    let (done, plan) = undo(&world, run.run);
    assert!(succeeded(&done), "{} {}", done.state, done.message);
    assert_eq!(books(&world), before);
    assert!(plan.changes.iter().all(|change| change.because == Because::Reverted));
    assert_eq!(left_alone(&plan), [""; 0]);
    let service = world.service();
    let undone = service.store().run(run.run).unwrap().unwrap();
    assert_eq!((undone.state, undone.message), (RunState::Reverted, format!("undone by run {}", done.run)));
    assert!(matches!(revert(&world, run.run, true), RevertAnswer::AlreadyReverted));
    world.verify();
    // The roster says what it said: the next run does the same again, with the same claims.
    world.quiet_night();
    assert_eq!(world.seated("learn"), ["ben", "cid"]);
    assert_eq!(world.state("dan", "learn"), Some(ClaimState::Waiting));
    world.verify();
}

#[test]
fn what_changed_since_is_left_alone_and_listed() {
    let mut world = world(3).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    world.end("ana");
    world.hire("cid", "teacher", "ash");
    let run = world.night();
    // cid's seat goes by hand, ana comes back by herself.
    let deny = world.pin("cid", "learn", PinKind::Deny);
    assert_eq!(world.decide(rosterd::plan::Decision::Pin { pin: deny, insist: false }), Answer::Done);
    world.people.get_mut("ana").unwrap().ended = false;
    world.hire("dan", "teacher", "ash");
    world.night();
    let before = books(&world);
    let (done, plan) = undo(&world, run.run);
    assert_eq!(left_alone(&plan), ["ana", "cid"]);
    assert_eq!((done.state, books(&world)), (RunState::SucceededWithErrors, before));
    assert!(done.message.contains("left alone, as changed or held since: 2"), "{}", done.message);
    world.verify();
}

#[test]
fn what_comes_back_passes_admission() {
    let mut world = world(2).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    let id = world.service().store().claims_of(&world.policy.customer, "ana").unwrap().1[0].id;
    world.people.get_mut("ana").unwrap().roles[0].0 = "aide".into();
    let run = world.night();
    assert_eq!(world.seated("learn"), ["ben"]);
    world.hire("cid", "teacher", "ash");
    world.night();
    let (_, plan) = undo(&world, run.run);
    assert_eq!(world.seated("learn"), ["ben", "cid"]);
    let claim = world.service().store().claims_of(&world.policy.customer, "ana").unwrap().1[0];
    assert_eq!((claim.id, claim.state), (id, ClaimState::Waiting));
    assert_eq!(plan.withheld.iter().map(|w| w.because).collect::<Vec<_>>(), [Because::PoolFull]);
    world.verify();
}

#[test]
fn seats_that_appear_later_go_to_the_queue() {
    let mut world = world(2).person("ana", "teacher", "ash");
    world.night();
    world.hire("ben", "teacher", "ash");
    let run = world.night();
    world.hire("cid", "teacher", "ash");
    world.night();
    assert_eq!(world.state("cid", "learn"), Some(ClaimState::Waiting));
    undo(&world, run.run);
    assert_eq!(world.seated("learn"), ["ana", "cid"], "in the same commit (R43)");
    world.verify();
}

#[test]
fn a_guard_holds_it_and_looking_at_the_plan_approves_it() {
    let mut world = world(50);
    for at in 0..20 {
        world.hire(&format!("p{at:02}"), "teacher", "ash");
    }
    let run = world.night();
    world.policy.limits.removal_percent = 10;
    let (held, plan) = undo(&world, run.run);
    assert_eq!((held.state, held.version, world.used("learn")), (RunState::Held, None, 20));
    assert_eq!(plan.verdict.trips.iter().map(|trip| (trip.base, trip.removed)).collect::<Vec<_>>(), [(20, 20)]);
    assert!(held.message.contains("held by guard removal: 20 of 20 people would go (limit 10 %)"), "{}", held.message);
    let RevertAnswer::Planned { run: planned, .. } = revert(&world, run.run, false) else { panic!() };
    assert_eq!((planned.state, world.used("learn")), (RunState::Planned, 20));
    let applied = world.service().apply_plan(planned.run, &Actor::operator("test")).expect("applied");
    assert_eq!((applied.state, world.used("learn")), (RunState::Succeeded, 0));
    assert_eq!(world.service().store().run(run.run).unwrap().unwrap().state, RunState::Reverted);
    assert!(planned.message.contains("not undone: grant learn-first"), "{}", planned.message);
    world.verify();
}

#[test]
fn a_run_that_changed_nothing_cannot_be_undone() {
    let mut world = world(2).person("ana", "teacher", "ash");
    world.night();
    let run = world.quiet_night();
    assert!(matches!(revert(&world, run.run, true), RevertAnswer::NothingCommitted(RunState::Succeeded)));
    let error = world.service().revert(RunId(999), &Actor::operator("test"), true).unwrap_err();
    assert_eq!(error.to_string(), "find run 999");
}

#[test]
fn absences_and_returns_are_taken_back() {
    let mut world = world(3).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    let people = |world: &World, key: &str| {
        let service = world.service();
        let (found, _) = service.people(&service.customers()[0], key, 5).unwrap();
        found.into_iter().find(|view| view.key == key).map(|view| view.state)
    };
    world.vanish("ana");
    world.night();
    world.hire("cid", "student", "ash");
    let removal = world.night();
    assert!(matches!(people(&world, "ana"), Some(PersonState::Removed { .. })));
    undo(&world, removal.run);
    assert_eq!(people(&world, "ana"), Some(PersonState::Absent { count: 1, of: 2 }));
    assert_eq!(world.seated("learn"), ["ana", "ben"]);
    world.verify();
    // The next complete snapshot counts again.
    world.hire("dan", "student", "ash");
    world.night();
    assert!(matches!(people(&world, "ana"), Some(PersonState::Removed { .. })));
    let tombstone = people(&world, "ana");
    world.hire("ana", "teacher", "ash");
    let back = world.night();
    assert_eq!(people(&world, "ana"), Some(PersonState::Active));
    undo(&world, back.run);
    assert_eq!((people(&world, "ana"), world.seated("learn")), (tombstone, vec!["ben".to_owned()]));
    world.verify();
    // An explicit end that was undone is seen again by the very next run.
    world.end("ben");
    let end = world.night();
    undo(&world, end.run);
    assert!(world.seated("learn").contains(&"ben".to_owned()));
    world.quiet_night();
    assert_eq!(world.seated("learn"), ["ana"]);
    world.verify();
}

#[test]
fn a_revert_is_a_run_and_can_be_undone_itself() {
    let mut world = world(2).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    world.end("ana");
    let run = world.night();
    let after = books(&world);
    let (done, _) = undo(&world, run.run);
    assert_ne!(books(&world), after);
    undo(&world, done.run);
    assert_eq!(books(&world), after);
    world.verify();
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Hire(u8, bool),
    Vanish(u8),
    End(u8),
    Back(u8),
    Buy(u8, i8),
    Tolerate(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..9u8, any::<bool>()).prop_map(|(person, teacher)| Step::Hire(person, teacher)),
        2 => (0..9u8).prop_map(Step::Vanish),
        2 => (0..9u8).prop_map(Step::End),
        3 => (0..9u8).prop_map(Step::Back),
        1 => (0..3u8, -2..3i8).prop_map(|(pool, seats)| Step::Buy(pool, seats)),
        1 => (0..9u8).prop_map(Step::Tolerate),
    ]
}

const POOLS: [&str; 3] = ["access", "library", "lxp"];

fn small_world() -> World {
    World::new("north")
        .school("ash")
        .school("birch")
        .product("access", ProductKind::Access, SeatModel::Named)
        .product("library", ProductKind::Content, SeatModel::Role)
        .product("lxp", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "access")
        .role_rule("student", "access")
        .role_rule("teacher", "library")
        .role_rule("student", "lxp")
        .pool("access", "d", Some(5), OnFull::Wait)
        .pool("library", "d", Some(3), OnFull::Wait)
        .pool("lxp", "d", Some(2), OnFull::Overdraw)
        .person("keeper", "teacher", "birch")
}

fn play(world: &mut World, steps: &[Step], night: usize) {
    for (at, step) in steps.iter().enumerate() {
        let key = |person: u8| format!("p{person}");
        match *step {
            Step::Hire(person, teacher) => {
                world.people.remove(&key(person));
                world.hire(
                    &key(person),
                    if teacher { "teacher" } else { "student" },
                    if person % 2 == 0 { "ash" } else { "birch" },
                );
            }
            Step::Vanish(person) => world.people.remove(&key(person)).map_or((), |_| ()),
            Step::End(person) => world.people.get_mut(&key(person)).map_or((), |person| person.ended = true),
            Step::Back(person) => world.people.get_mut(&key(person)).map_or((), |person| person.ended = false),
            Step::Buy(pool, seats) if seats != 0 => {
                world.buy(&format!("g-{night}-{at}"), POOLS[usize::from(pool)], seats.into(), "2026-01-01");
            }
            Step::Buy(..) => {}
            Step::Tolerate(person) => {
                world.assign(&key(person), "lxp");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// I15: with nothing in between, a revert restores claims, balances and queue, whatever the run did; episodes keep
    /// their history, the trail proves it all, and life goes on.
    #[test]
    fn i15_a_revert_right_after_the_run_restores_the_books(
        nights in prop::collection::vec(prop::collection::vec(step(), 1..7), 2..5),
        more in prop::collection::vec(step(), 1..5),
    ) {
        let mut world = small_world();
        world.night();
        let mut last = None;
        for (night, steps) in nights.iter().enumerate() {
            play(&mut world, steps, night);
            let before = books(&world);
            let run = world.night();
            if run.version.is_some() {
                last = Some((before, run));
            } else {
                last = None;
            }
        }
        if let Some((before, run)) = last {
            let service = world.service();
            let episodes = service.store().episodes(&world.policy.customer).unwrap();
            let after = books(&world);
            let (done, plan) = undo(&world, run.run);
            prop_assert_eq!(left_alone(&plan).len(), 0);
            prop_assert_eq!(&books(&world), &before, "{}", done.message);
            let kept = service.store().episodes(&world.policy.customer).unwrap();
            for episode in episodes {
                let same = kept.iter().find(|other| other.id == episode.id).expect("it is kept");
                prop_assert!(same.samples.starts_with(&episode.samples));
            }
            world.verify();
            if done.version.is_some() {
                undo(&world, done.run);
                prop_assert_eq!(books(&world), after, "undone twice is done");
            }
        }
        world.verify();
        play(&mut world, &more, 99);
        world.night();
        world.quiet_night();
        world.verify();
    }
}
