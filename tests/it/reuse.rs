//! Reuse of seats within a license year (R81 to R83, R86, T7), through the service.

use rosterd::base::{Actor, PersonKey, Seats};
use rosterd::license::{OnFull, ProductKind, ReuseYear, SeatModel};
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
