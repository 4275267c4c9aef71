//! What hands do meets what rules do: bundles, second pools, pins, people who left (R9, R12, R14, R39, R126, R131, R161).

use rosterd::base::{Actor, Calendar, Instant, RunId};
use rosterd::license::{Because, ClaimState, OnFull, Pin, PinKind, ProductKind, SeatModel};
use rosterd::plan::{Answer, Decision, Plan};
use rosterd::service::RevertAnswer;

use crate::world::{World, day, succeeded};

fn module(world: World, id: &str) -> World {
    world.product(id, ProductKind::Module, SeatModel::Role)
}

fn deny(world: &World, person: &str, pool: &str) -> Answer {
    world.decide(Decision::Pin { pin: world.pin(person, pool, PinKind::Deny), insist: false })
}

fn undo(world: &World, run: RunId) -> Plan {
    match world.service().revert(run, &Actor::operator("test"), true).expect("an answer") {
        RevertAnswer::Planned { run, plan } if succeeded(&run) => (*plan).clone(),
        other => panic!("{other:?}"),
    }
}

fn since(world: &World, person: &str) -> Instant {
    world.service().store().claims_of(&world.policy.customer, person).expect("claims").1[0].since
}

/// `extra` requires `learn`, which `ben` has as part of the bundle `both`.
fn bundled() -> World {
    let mut world = ["learn", "observe", "both", "extra"].into_iter().fold(World::new("north").school("ash"), module);
    world = world
        .role_rule("teacher", "learn")
        .role_rule("teacher", "observe")
        .pool("learn", "d", Some(5), OnFull::Wait)
        .pool("observe", "d", Some(5), OnFull::Wait)
        .pool("both", "d", Some(1), OnFull::Wait)
        .pool("extra", "d", Some(5), OnFull::Wait)
        .person("ben", "teacher", "ash");
    world.policy.products[2].bundle_of = vec!["learn".into(), "observe".into()];
    world.policy.products[3].requires = Some("learn".into());
    assert!(succeeded(&world.night()));
    assert_eq!((world.used("both"), world.used("learn")), (1, 0));
    world
}

#[test]
fn r14_a_hand_counts_a_bundle_as_each_of_its_products() {
    let mut world = bundled();
    assert_eq!(world.assign("ben", "extra"), Answer::Done, "the bundle gives learn");
    assert_eq!(world.state("ben", "extra"), Some(ClaimState::Active));
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(world.state("ben", "extra"), Some(ClaimState::Active), "so say the rules");
    // What hangs on a part of the bundle falls with it (R12).
    assert_eq!(deny(&world, "ben", "both"), Answer::Done);
    assert_eq!((world.state("ben", "both"), world.state("ben", "extra")), (None, Some(ClaimState::Waiting)));
    world.quiet_night();
    assert_eq!((world.used("learn"), world.state("ben", "extra")), (1, Some(ClaimState::Active)));
    world.verify();
}

#[test]
fn r14_a_seat_of_its_own_keeps_what_hangs_on_it_when_the_bundle_goes() {
    let world = bundled();
    assert_eq!(world.assign("ben", "learn"), Answer::Done);
    assert_eq!(world.assign("ben", "extra"), Answer::Done);
    assert_eq!(deny(&world, "ben", "both"), Answer::Done);
    assert_eq!(
        (world.state("ben", "learn"), world.state("ben", "extra")),
        (Some(ClaimState::Active), Some(ClaimState::Active))
    );
    world.verify();
}

#[test]
fn r39_a_seat_in_another_pool_of_the_product_is_a_move() {
    let mut world = module(module(World::new("north").school("ash"), "learn"), "extra")
        .role_rule("teacher", "learn")
        .role_rule("teacher", "extra")
        .pool_named("ash-learn", "learn", "ash", Some(1), OnFull::Wait)
        .pool_named("all-learn", "learn", "d", Some(1), OnFull::Wait)
        .pool("extra", "d", Some(5), OnFull::Wait)
        .person("ana", "teacher", "ash")
        .person("ben", "teacher", "ash")
        .person("cid", "teacher", "ash");
    world.policy.products[1].requires = Some("learn".into());
    world.night();
    assert_eq!((world.seated("ash-learn"), world.seated("all-learn")), (vec!["ana".to_owned()], vec!["ben".to_owned()]));
    let first = since(&world, "ana");
    world.pool_grows();
    assert_eq!(world.assign("ana", "all-learn"), Answer::Done);
    assert_eq!(world.seated("all-learn"), ["ana", "ben"]);
    assert_eq!(world.seated("ash-learn"), ["cid"], "the seat she left goes to the queue in the same commit (R43)");
    assert_eq!((world.state("ana", "extra"), since(&world, "ana")), (Some(ClaimState::Active), first));
    let seated = world.seated("extra");
    world.quiet_night();
    assert_eq!((world.seated("all-learn").len(), world.seated("ash-learn").len()), (2, 1), "the run finds it as it should be");
    assert!(world.seated("extra").len() >= seated.len());
    world.verify();
}

impl World {
    /// One more seat in the pool of all.
    fn pool_grows(&self) {
        // Nobody who waits may have it first.
        assert_eq!(deny(self, "cid", "all-learn"), Answer::Done);
        assert_eq!(self.buy("more", "all-learn", 1, "2026-03-01"), Answer::Done);
    }
}

fn school(seats: u32) -> World {
    module(World::new("north").school("ash"), "learn").role_rule("teacher", "learn").pool(
        "learn",
        "d",
        Some(seats),
        OnFull::Wait,
    )
}

#[test]
fn r9_undoing_a_run_gives_nobody_a_seat_whom_somebody_keeps_out() {
    let mut world = school(3).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    world.people.get_mut("ana").expect("ana").roles[0].0 = "aide".into();
    let run = world.night();
    assert_eq!(world.seated("learn"), ["ben"]);
    assert_eq!(deny(&world, "ana", "learn"), Answer::Done);
    let plan = undo(&world, run.run);
    assert_eq!(world.seated("learn"), ["ben"]);
    assert_eq!(plan.withheld.iter().map(|w| w.because).collect::<Vec<_>>(), [Because::Denied]);
    world.verify();
}

#[test]
fn r131_undoing_a_run_seats_nobody_from_the_queue_who_is_missing() {
    let mut world = school(2).person("ana", "teacher", "ash");
    world.night();
    world.hire("ben", "teacher", "ash");
    let run = world.night();
    world.hire("cid", "teacher", "ash");
    world.hire("dan", "teacher", "ash");
    world.night();
    world.vanish("cid");
    world.night();
    assert_eq!(world.state("cid", "learn"), Some(ClaimState::Waiting), "not confirmed yet");
    undo(&world, run.run);
    assert_eq!(world.seated("learn"), ["ana", "dan"]);
    world.verify();
}

#[test]
fn r161_a_pin_is_over_for_the_explanation_when_it_is_over_for_a_run() {
    let mut world = school(3).person("ana", "teacher", "ash");
    world.policy.pools[0].calendar = Calendar::in_zone("America/Los_Angeles").expect("a zone");
    world.night();
    let until = Pin { until: day("2026-03-04"), ..world.pin("ana", "learn", PinKind::Deny) };
    assert_eq!(world.decide(Decision::Pin { pin: until, insist: false }), Answer::Done);
    let said = |world: &World| {
        let service = world.service();
        service.explain(&service.customers()[0], "ana", None).expect("it is there")[0].answer
    };
    for (now, seated, answer) in [("2026-03-05T02:30:00Z", 0, "denied"), ("2026-03-05T08:30:00Z", 1, "active")] {
        world.clock.set(Instant::parse(now).expect("an instant"));
        world.run();
        assert_eq!((world.used("learn"), said(&world)), (seated, answer), "{now}");
    }
    world.verify();
}
