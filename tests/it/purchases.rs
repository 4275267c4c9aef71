//! What is bought says something of the past and of days to come, whoever records it: a hand, the settings, a renewal
//! (R53, R54, T13).

use rosterd::base::{Actor, EpisodeId, GrantId, Instant, PoolId, Seats};
use rosterd::license::{AgreedExcess, ClockStep, OnFull, Outcome, ProductKind, SeatModel, Term};
use rosterd::plan::{Answer, Decision};
use rosterd::service::{TermFix, TermWish};
use rosterd::store::RunState;

use crate::clocks::{at, history, pool_of, run_at, staff};
use crate::world::{World, day, grant};

/// Texts of the notices of a kind, oldest first.
fn told(world: &World, kind: &str) -> Vec<String> {
    let mut told = world.service().store().notices(Some(&world.policy.customer), 100).expect("notices");
    told.retain(|notice| notice.kind == kind);
    told.into_iter().rev().map(|notice| notice.text).collect()
}

/// (kind, superseded) of all notices of overages, oldest first.
fn superseded(world: &World) -> Vec<(String, bool)> {
    let service = world.service();
    let notices = service.notices(&service.customers()[0], 100).expect("notices").into_iter().rev();
    let told = notices.map(|view| (view.notice.kind, view.superseded));
    told.filter(|(kind, _)| kind.starts_with("overage")).collect()
}

fn outcome(world: &World) -> Option<Outcome> {
    let service = world.service();
    service.store().episode(&world.policy.customer, EpisodeId(1)).expect("a store").expect("an episode").outcome
}

#[test]
fn t13_a_late_purchase_of_the_settings_voids_a_closed_episode() {
    let mut world = pool_of(100);
    run_at(&mut world, "2026-03-03T02:30:00Z", 104);
    run_at(&mut world, "2026-03-04T02:30:00Z", 100);
    assert_eq!(outcome(&world), Some(Outcome::Cured));
    world.grants.push(grant("late", "learn", 10, at("2026-03-01T00:00:00Z"), Instant::MAX));
    run_at(&mut world, "2026-03-05T02:30:00Z", 100);
    assert_eq!(outcome(&world), Some(Outcome::Void));
    let expected = [("overage_minor", true), ("overage_closed", true), ("overage_void", false)];
    assert_eq!(superseded(&world), expected.map(|(kind, is)| (kind.to_owned(), is)));
    assert_eq!(history(&world).len(), 3);
    run_at(&mut world, "2026-03-06T02:30:00Z", 100);
    assert_eq!(history(&world).len(), 3, "once");
    world.verify();
}

#[test]
fn t13_the_notice_that_says_void_is_not_superseded_itself() {
    let mut world = pool_of(100);
    run_at(&mut world, "2026-03-03T02:30:00Z", 104);
    world.clock.set(at("2026-03-05T09:00:00Z"));
    assert_eq!(world.buy("late", "learn", 10, "2026-03-01"), Answer::Done);
    assert_eq!(superseded(&world), [("overage_minor".to_owned(), true), ("overage_closed".to_owned(), false)]);
}

fn term(id: &str, from: &str, to: &str, seats: u32) -> Term {
    Term {
        id: GrantId::from(id),
        pool: PoolId::from("learn"),
        from: at(&format!("{from}T00:00:00Z")),
        to: at(&format!("{to}T00:00:00Z")),
        seats: Some(Seats(seats)),
        recorded: Instant::MIN,
        by: Actor::operator("settings"),
        reference: String::new(),
    }
}

fn school(seats: u32, on_full: OnFull) -> World {
    let world = World::new("north").school("ash").product("learn", ProductKind::Module, SeatModel::Role);
    let mut world = world.role_rule("teacher", "learn").pool("learn", "d", Some(seats), on_full);
    world.grants.retain(|grant| grant.seats > 0);
    world
}

#[test]
fn r54_a_smaller_next_term_of_the_settings_is_told_by_the_run_that_records_it() {
    let mut world = school(0, OnFull::Wait);
    world.adjust = Box::new(|customer| customer.terms = vec![term("first", "2026-01-01", "2026-07-01", 10)]);
    staff(&mut world, 8);
    world.night();
    assert_eq!((world.used("learn"), told(&world, "shortfall_ahead")), (8, Vec::new()));
    world.adjust = Box::new(|customer| {
        customer.terms = vec![term("first", "2026-01-01", "2026-07-01", 10), term("second", "2026-07-01", "2027-01-01", 6)];
    });
    world.quiet_night();
    let expected = ["Pool learn will have 6 seats from 2026-07-01 on; 8 are used today: 2 too few."];
    assert_eq!(told(&world, "shortfall_ahead"), expected);
    world.quiet_night();
    assert_eq!(told(&world, "shortfall_ahead").len(), 1, "once");
    world.verify();
}

#[test]
fn r54_the_shortfall_ahead_counts_whom_the_purchase_seats() {
    let mut world = school(5, OnFull::Wait);
    staff(&mut world, 8);
    world.night();
    let until = at("2026-07-01T00:00:00Z");
    let more = grant("more", "learn", 3, at("2026-03-01T00:00:00Z"), until);
    assert_eq!(world.decide(Decision::Grant(more)), Answer::Done);
    let expected = ["Pool learn will have 5 seats from 2026-07-01 on; 8 are used today: 3 too few."];
    assert_eq!((world.used("learn"), told(&world, "shortfall_ahead")), (8, expected.map(str::to_owned).to_vec()));
    // The same from the settings.
    let mut world = school(5, OnFull::Wait);
    staff(&mut world, 8);
    world.night();
    world.grants.push(grant("more", "learn", 3, at("2026-03-01T00:00:00Z"), until));
    world.quiet_night();
    assert_eq!((world.used("learn"), told(&world, "shortfall_ahead")), (8, expected.map(str::to_owned).to_vec()));
    world.verify();
}

fn wish(seats: Option<u32>, from: Option<&str>, to: &str) -> TermWish {
    let (pool, seats) = (PoolId::from("learn"), seats.map(Seats));
    TermWish { pool, id: None, from: from.map(day), to: day(to), seats, basis: None, reference: "PO".into() }
}

fn renew(world: &World, wish: &TermWish) -> GrantId {
    let service = world.service();
    let done = service.renew(&service.customers()[0], &Actor::operator("test"), wish).expect("an answer");
    assert_eq!(done.decided.answer, Answer::Done);
    assert!(done.run.is_none_or(|run| run.state != RunState::Failed));
    done.term.id
}

#[test]
fn r54_a_renewal_that_names_no_seats_is_looked_at_too() {
    let mut world = school(0, OnFull::Wait).person("sue", "student", "ash");
    world.night();
    renew(&world, &wish(Some(5), Some("2026-01-01"), "2026-07-01"));
    let agreed = AgreedExcess {
        id: GrantId::from("letter"),
        pool: PoolId::from("learn"),
        seats: Seats(3),
        from: at("2026-03-01T00:00:00Z"),
        to: at("2026-07-01T00:00:00Z"),
        recorded: at("2026-03-02T02:30:00Z"),
        by: Actor::operator("test"),
        reference: "letter".into(),
    };
    assert_eq!(world.decide(Decision::AgreedExcess(agreed)), Answer::Done);
    staff(&mut world, 9);
    world.night();
    assert_eq!(world.used("learn"), 8);
    renew(&world, &wish(None, None, "2027-01-01"));
    let expected = ["Pool learn will have 5 seats from 2026-07-01 on; 8 are used today: 3 too few."];
    assert_eq!(told(&world, "shortfall_ahead"), expected);
    world.verify();
}

#[test]
fn r54_a_term_that_seats_people_now_and_too_few_later_is_told_when_it_is_recorded() {
    let mut world = school(2, OnFull::Wait);
    staff(&mut world, 6);
    world.night();
    // The next one first, then the larger one until it begins.
    renew(&world, &wish(Some(3), Some("2026-07-01"), "2027-01-01"));
    assert_eq!(told(&world, "shortfall_ahead"), Vec::<String>::new());
    renew(&world, &wish(Some(4), Some("2026-03-01"), "2026-07-01"));
    assert_eq!(world.used("learn"), 6);
    let expected = ["Pool learn will have 5 seats from 2026-07-01 on; 6 are used today: 1 too few."];
    assert_eq!(told(&world, "shortfall_ahead"), expected);
    world.verify();
}

#[test]
fn r53_a_correction_in_two_parts_voids_an_episode_once() {
    let mut world = pool_of(20).person("sue", "student", "ash");
    world.grants.clear();
    run_at(&mut world, "2026-03-01T02:30:00Z", 1);
    let id = renew(&world, &wish(Some(20), Some("2026-02-01"), "2026-07-01"));
    run_at(&mut world, "2026-03-02T02:30:00Z", 24);
    run_at(&mut world, "2026-03-03T02:30:00Z", 21);
    assert_eq!(outcome(&world), Some(Outcome::Cured));
    world.clock.set(at("2026-03-05T09:00:00Z"));
    let service = world.service();
    let fix = TermFix { id, from: Some(day("2026-01-01")), to: None, seats: Some(Seats(30)), reference: "letter".into() };
    let customer = &service.customers()[0];
    let done = service.correct_term(customer, &Actor::operator("test"), &PoolId::from("learn"), &fix).expect("an answer");
    assert_eq!(done.decided.answer, Answer::Done);
    assert_eq!(outcome(&world), Some(Outcome::Void));
    let file = service.episode_file(customer, EpisodeId(1)).expect("an episode");
    let voided = file.facts.iter().filter(|fact| matches!(fact.step, ClockStep::Voided { .. })).count();
    assert_eq!((voided, told(&world, "overage_void").len()), (1, 1));
    world.verify();
}
