//! A wish that takes too long is told (R107).

use rosterd::base::{Actor, Instant};
use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::service::{SameDayAnswer, Service};
use rosterd::store::{Asked, NoticeRow, Trigger};

use crate::world::World;

const NOON: &str = "2026-03-05T12:00:00Z";

fn world(target_secs: u32) -> World {
    let mut world = World::new("north");
    world.adjust = Box::new(move |customer| customer.latency_target_secs = target_secs);
    let mut world = world
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", Some(100), OnFull::Overdraw)
        .person("a", "teacher", "ash");
    world.night();
    set(&world, 0);
    // The date of the clock is scheduled and out of the way.
    let service = world.service();
    service.tick();
    work(&service);
    world
}

/// Sets the clock to so many milliseconds after noon.
fn set(world: &World, millis: i64) {
    world.clock.set(Instant(Instant::parse(NOON).expect("an instant").0 + millis));
}

fn work(service: &Service) {
    while let Some(request) = service.take_request().expect("a store") {
        service.fulfil(&request, &|_| ()).expect("a run");
    }
}

fn ask(service: &Service) -> u64 {
    let asked = Asked::by(Actor::operator("ann"));
    match service.request_same_day(&service.customers()[0], &asked).expect("a store") {
        SameDayAnswer::Taken { place, .. } => place.request.0,
        SameDayAnswer::Refused { .. } => panic!("refused"),
    }
}

fn notices(service: &Service) -> Vec<NoticeRow> {
    let mut all = service.store().notices(None, 100).expect("notices");
    all.retain(|notice| notice.kind == "assignment_delay");
    all
}

#[test]
fn r107_a_request_is_told_when_it_took_longer_than_the_target_and_not_before() {
    // (target, over after so many milliseconds, told)
    for (target, took, told) in [(300, 300_999, None), (300, 301_000, Some(301)), (10, 10_500, None), (10, 11_000, Some(11))] {
        for drop in [false, true] {
            let world = world(target);
            let service = world.service();
            let request = match drop {
                true => service.request_sync(&service.customers()[0], &Trigger::Drop).expect("a store").0.0,
                false => ask(&service),
            };
            set(&world, took);
            work(&service);
            set(&world, 3_600_000);
            let ticked = service.tick();
            assert_eq!((ticked.errors.len(), ticked.delayed.len()), (0, usize::from(told.is_some())), "{target} {took}");
            let word = if drop { "drop" } else { "same_day" };
            let expected: Vec<String> = told
                .iter()
                .map(|secs| {
                    let ended = Instant(Instant::parse(NOON).expect("an instant").0 + took);
                    format!(
                        "request {request} ({word}) of {NOON} was over after {secs} s, at {ended}; the target is {target} s"
                    )
                })
                .collect();
            assert_eq!(ticked.delayed.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>(), expected);
            assert_eq!(notices(&service).iter().map(|notice| notice.text.clone()).collect::<Vec<_>>(), expected);
            // Once, whoever asks and however often.
            assert!(service.tick().delayed.is_empty() && world.service().tick().delayed.is_empty());
            assert_eq!(notices(&service).len(), expected.len());
            world.verify();
        }
    }
}

#[test]
fn r107_a_request_that_is_not_over_is_told_as_soon_as_it_is_slow() {
    let world = world(300);
    let service = world.service();
    let request = ask(&service);
    let running = service.take_request().expect("a store").expect("a request");
    set(&world, 300_000);
    assert!(service.tick().delayed.is_empty());
    set(&world, 301_000);
    let delayed = service.tick().delayed;
    assert_eq!(delayed[0].1, format!("request {request} (same_day) of {NOON} is not over after 301 s; the target is 300 s"));
    // What joins it later and what comes of it is the same fact.
    set(&world, 900_000);
    service.fulfil(&running, &|_| ()).expect("a run");
    assert!(service.tick().delayed.is_empty());
    assert_eq!(notices(&service).len(), 1);
    world.verify();
}

#[test]
fn r107_a_wish_that_joined_a_night_has_a_target_and_a_night_has_none() {
    let world = world(300);
    let service = world.service();
    let customer = &service.customers()[0];
    let (night, _) = service.request_sync(customer, &Trigger::Nightly(world.today)).expect("a store");
    set(&world, 3_600_000);
    assert!(service.tick().delayed.is_empty(), "nobody waits for a night");
    let request = ask(&service);
    assert_eq!(request, night.0, "joined");
    set(&world, 3_600_000 + 302_000);
    work(&service);
    let delayed = service.tick().delayed;
    assert_eq!(delayed.len(), 1);
    assert!(delayed[0].1.contains("was over after 302 s"), "from the wish on, not from the night: {delayed:?}");
    world.verify();
}
