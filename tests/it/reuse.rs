//! Reuse of seats within a license year (R81 to R86, T7), through the service.

use rosterd::base::{Actor, PersonKey, Seats};
use rosterd::license::{ClaimState, OnFull, PinKind, ProductKind, ReuseRules, ReuseScope, ReuseYear, SeatModel};
use rosterd::plan::{Answer, Decision};
use rosterd::service::ForgetAnswer;

use crate::world::{World, day, succeeded};

/// A district whose pool has seats and counts its years from 1 March.
fn town(seats: u32, on_full: OnFull) -> World {
    let mut world = World::new("north")
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", Some(seats), on_full);
    world.policy.pools[0].anchor = Some(day("2020-03-01"));
    world
}

impl World {
    fn cohort(&mut self, from: u32, count: u32) {
        self.people.values_mut().for_each(|person| person.ended = true);
        for at in from..from + count {
            let key = format!("p{at:04}");
            match self.people.get_mut(&key) {
                Some(known) => known.ended = false,
                None => self.hire(&key, "teacher", "ash"),
            }
        }
        assert!(succeeded(&self.night()));
    }

    /// Exactly these people are there tonight.
    fn cohort_of(&mut self, people: &[&str]) {
        self.people.values_mut().for_each(|person| person.ended = true);
        for key in people {
            match self.people.get_mut(*key) {
                Some(known) => known.ended = false,
                None => self.hire(key, "teacher", "ash"),
            }
        }
        self.night();
    }

    fn year(&self) -> ReuseYear {
        self.view("learn").reuse.expect("counted")
    }

    fn levels(&self) -> Vec<String> {
        let mut told = self.service().store().notices(None, 100).expect("notices");
        told.retain(|notice| notice.kind.starts_with("reuse"));
        told.iter().rev().map(|notice| notice.kind.to_string()).collect()
    }
}

#[test]
fn t7_cohorts_of_different_people() {
    let mut world = town(20, OnFull::Wait);
    for (cohort, distinct, replacements) in [(0, 20, 0), (1, 40, 20), (2, 60, 40)] {
        world.cohort(cohort * 20, 20);
        assert_eq!((world.year().distinct, world.year().replacements()), (distinct, replacements));
        assert!(world.levels().is_empty(), "{cohort}");
    }
    world.cohort(60, 1);
    assert_eq!((world.year().replacements(), world.levels()), (41, vec!["reuse_warning".to_owned()]));
    world.cohort(61, 19);
    assert_eq!((world.year().distinct, world.year().replacements()), (80, 60));
    assert_eq!(world.levels().len(), 1, "still allowed by the definition");
    world.cohort(80, 1);
    assert_eq!(world.levels(), ["reuse_warning", "reuse_exceeded"]);
    world.verify();
    // More seats: the limit counts from the new number, and nothing is told twice.
    world.buy("more", "learn", 10, "2026-03-05");
    world.cohort(81, 1);
    assert_eq!((world.year().allowance_max, world.view("learn").reuse_limit), (Seats(30), Some(90)));
    assert_eq!(world.levels().len(), 2);
    world.verify();
}

#[test]
fn who_comes_back_is_no_replacement_and_an_overage_is_none() {
    let mut world = town(10, OnFull::Overdraw);
    world.cohort(0, 5);
    world.cohort(0, 5);
    (0..5).for_each(|at| world.end(&format!("p{at:04}")));
    world.cohort(5, 5);
    assert_eq!((world.year().distinct, world.year().replacements()), (10, 0));
    world.cohort(0, 5);
    assert_eq!(world.year().distinct, 10, "the same people");
    world.cohort(0, 14);
    let year = world.year();
    assert_eq!((year.distinct, year.used_max, year.replacements()), (14, Seats(14), 0));
    world.verify();
}

#[test]
fn r86_a_year_begins_with_those_who_have_a_seat_at_its_true_instant() {
    let mut world = town(10, OnFull::Wait);
    world.cohort(0, 10);
    world.cohort(10, 10);
    assert_eq!((world.year().year, world.year().distinct), (day("2026-03-01"), 20));
    // Nobody looks for weeks after the year was over.
    world.set_day(day("2027-04-15"));
    world.cohort(20, 4);
    let year = world.year();
    assert_eq!((year.year, year.distinct, year.replacements()), (day("2027-03-01"), 14, 4));
    world.verify();
}

#[test]
fn who_is_forgotten_stays_counted_and_nobody() {
    let mut world = town(2, OnFull::Wait);
    world.policy.purge_after_days = None;
    world.cohort(0, 2);
    world.cohort(2, 2);
    let service = world.service();
    let person = PersonKey::from("p0000");
    let answer = service.forget(&service.customers()[0], &Actor::operator("test"), &person, "asked").expect("an answer");
    assert!(matches!(answer, ForgetAnswer::Forgotten(_)), "{answer:?}");
    assert_eq!(world.year().distinct, 4);
    let gone = service.store().standing(&world.policy.customer).expect("books").gone;
    let named: Vec<&str> = gone.values().flatten().map(|person| &**person).collect();
    assert_eq!(named, ["p0001"]);
    world.verify();
    // After that everything is new (R130).
    world.cohort(0, 1);
    assert_eq!(world.year().distinct, 5);
    world.verify();
}

#[test]
fn pools_without_a_year_are_not_counted() {
    let mut world = town(2, OnFull::Wait);
    world.policy.pools[0].anchor = None;
    world.cohort(0, 2);
    assert_eq!(world.view("learn").reuse, None);
    world.verify();
}

/// A town whose pool is used up: each of two seats may go to one other person, and did.
fn used_up(scope: ReuseScope, on_full: OnFull) -> World {
    let mut world = town(2, on_full);
    world.policy.pools[0].reuse = ReuseRules { max_per_seat: 1, scope, exceeded_blocks: true };
    world.cohort(0, 2);
    world.cohort(2, 2);
    assert_eq!((world.year().distinct, world.levels()), (4, vec!["reuse_warning".to_owned()]), "{scope:?}");
    world
}

#[test]
fn r85_who_is_new_waits_until_the_year_rolls_over() {
    for (scope, on_full) in [
        (ReuseScope::Pool, OnFull::Wait),
        (ReuseScope::Seat, OnFull::Wait),
        (ReuseScope::Pool, OnFull::OverdrawUpTo { percent_max: 100 }),
    ] {
        let mut world = used_up(scope, on_full);
        // p0000 comes back, p0004 and p0005 are new.
        world.people.values_mut().for_each(|person| person.ended = true);
        world.people.get_mut("p0000").expect("known").ended = false;
        world.hire("p0004", "teacher", "ash");
        world.hire("p0005", "teacher", "ash");
        world.night();
        assert_eq!(world.seated("learn"), ["p0000"], "{scope:?}");
        assert_eq!(world.state("p0004", "learn"), Some(ClaimState::Waiting));
        assert_eq!(world.balance("learn"), 1, "a seat is free and nobody new gets it");
        let service = world.service();
        let customer = &service.customers()[0];
        let unseated = service.unseated(customer, None).expect("a report").rows;
        let why: Vec<(&str, &str)> = unseated.iter().map(|row| (row.person.as_str(), row.because)).collect();
        assert_eq!(why, [("p0004", "reuse_exceeded"), ("p0005", "reuse_exceeded")]);
        let told = service.explain(customer, "p0004", None).expect("an answer").remove(0);
        assert_eq!(told.answer, "waiting");
        let fact = told.facts.iter().find(|fact| fact.contains("nobody new")).expect("the reason");
        assert!(fact.ends_with("nobody new gets one before 2027-03-01"), "{fact}");
        drop(service);
        // By hand it is refused as well, and written down; nor is a seat handed over to somebody new.
        assert_eq!(world.assign("p0004", "learn"), Answer::ReuseExceeded);
        let (give, take) = (world.pin("p0000", "learn", PinKind::Deny), world.pin("p0005", "learn", PinKind::Assign));
        assert_eq!(world.decide(Decision::Transfer { give, take }), Answer::ReuseExceeded);
        assert_eq!(world.seated("learn"), ["p0000"]);
        world.verify();
        // An operator insists, and the year is over its limit: that is told.
        let insisted = Decision::Pin { pin: world.pin("p0004", "learn", PinKind::Assign), insist: true };
        assert_eq!(world.decide(insisted), Answer::Done);
        assert_eq!(world.levels(), ["reuse_warning", "reuse_exceeded"], "{scope:?}");
        assert_eq!(world.view("learn").causes.len(), 0, "there was a seat");
        world.verify();
        // With the year everything is open, at its own instant.
        world.end("p0000");
        world.set_day(day("2027-03-05"));
        world.night();
        assert_eq!(world.seated("learn"), ["p0004", "p0005"], "{scope:?}");
        assert_eq!(world.year().year, day("2027-03-01"));
        world.verify();
    }
}

#[test]
fn r85_more_seats_are_new_seats_and_fill_the_queue_in_the_same_commit() {
    // Two more seats allow the pool two more replacements; with numbers the two used up stay closed.
    for (scope, seated) in [(ReuseScope::Pool, 3), (ReuseScope::Seat, 2)] {
        let mut world = used_up(scope, OnFull::Wait);
        world.cohort_of(&["p0004", "p0005", "p0006"]);
        assert!(world.seated("learn").is_empty(), "{scope:?}");
        world.buy("more", "learn", 2, "2026-03-05");
        assert_eq!(world.seated("learn"), ["p0004", "p0005", "p0006"][..seated], "{scope:?}");
        world.verify();
    }
}

#[test]
fn r84_a_seat_is_used_up_on_its_own() {
    let mut world = town(3, OnFull::Wait);
    world.policy.pools[0].reuse = ReuseRules { max_per_seat: 2, scope: ReuseScope::Seat, exceeded_blocks: true };
    world.cohort_of(&["a", "b", "c"]);
    // One desk changes hands every week: the pool as a whole is far from its limit of six, the seat is not.
    for (at, person) in ["d", "e"].into_iter().enumerate() {
        world.cohort_of(&["a", "b", person]);
        assert_eq!(world.year().people_max, Some(at as u32 + 2), "{person}");
    }
    assert_eq!(world.levels(), ["reuse_warning"], "that seat is closed now");
    world.cohort_of(&["a", "b", "f"]);
    assert_eq!((world.seated("learn"), world.year().replacements()), (vec!["a".to_owned(), "b".to_owned()], 2));
    world.verify();
    // The least used free seat first: b leaves, and f gets that one.
    world.cohort_of(&["a", "f"]);
    assert_eq!((world.seated("learn"), world.year().people_max), (vec!["a".to_owned(), "f".to_owned()], Some(3)));
    // Who had a seat in the year comes back to the closed one.
    world.cohort_of(&["a", "d", "f"]);
    assert_eq!(world.seated("learn"), ["a", "d", "f"]);
    assert_eq!(world.year().people_max, Some(3));
    world.verify();
}

#[test]
fn r84_flagged_only_a_closed_seat_is_the_last_to_be_given_and_told() {
    let mut world = town(1, OnFull::Wait);
    world.policy.pools[0].reuse = ReuseRules { max_per_seat: 1, scope: ReuseScope::Seat, exceeded_blocks: false };
    for person in ["a", "b", "c"] {
        world.cohort_of(&[person]);
        assert_eq!(world.seated("learn"), [person]);
    }
    assert_eq!(world.levels(), ["reuse_warning", "reuse_exceeded"]);
    let service = world.service();
    let report = service.reuse_report(&service.customers()[0]).expect("a report").rows.remove(0);
    assert_eq!((report.year.people_max, report.level.word()), (Some(3), "reuse_exceeded"));
    world.verify();
}

#[test]
fn r84_numbers_begin_and_end_with_the_settings() {
    let mut world = town(3, OnFull::Wait);
    world.cohort_of(&["a", "b"]);
    world.cohort_of(&["b", "c"]);
    assert_eq!(world.year().people_max, None);
    world.policy.pools[0].reuse.scope = ReuseScope::Seat;
    // A decision does not know everybody: it gives no numbers.
    assert_eq!(world.decide(Decision::Pin { pin: world.pin("c", "learn", PinKind::Deny), insist: false }), Answer::Done);
    assert_eq!(world.year().people_max, None);
    world.quiet_night();
    assert_eq!((world.year().people_max, world.year().distinct), (Some(1), 3));
    world.verify();
    world.cohort_of(&["b", "d"]);
    world.policy.pools[0].reuse.scope = ReuseScope::Pool;
    world.quiet_night();
    assert_eq!(world.year().people_max, None);
    assert!(world.service().store().numbered_seats(&world.policy.customer).expect("seats").is_empty());
    world.verify();
}
