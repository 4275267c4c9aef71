//! The contract's clocks at their edges, through the whole path: terms that end inside a window, candidates by their last
//! log-in.

use rosterd::base::{PoolId, Seats};
use rosterd::license::Outcome;
use rosterd::service::TermWish;

use crate::clocks::{at, deliver_at, history, look_at, pool_of, run_at};
use crate::world::{World, day};

/// Nothing is bought yet, and nobody there but somebody whom no rule gives a seat: one more than the teachers of later runs.
fn first_night(world: &mut World) {
    world.grants.clear();
    world.hire("x", "student", "ash");
    run_at(world, "2026-03-02T01:00:00Z", 1);
}

/// Ten seats by a term that ends with this day, at the same ladder as ever.
fn term_until(last_day: &str) -> World {
    let mut world = pool_of(10);
    first_night(&mut world);
    let service = world.service();
    let wish = TermWish {
        pool: PoolId::from("learn"),
        id: None,
        from: Some(day("2026-01-01")),
        to: day(last_day).plus(1),
        seats: Some(Seats(10)),
        basis: None,
        reference: "PO".into(),
    };
    service.renew(&service.customers()[0], &rosterd::base::Actor::operator("test"), &wish).expect("an answer");
    drop(service);
    world
}

fn outcomes(world: &World) -> Vec<(String, Option<Outcome>)> {
    let episodes = world.service().store().episodes(&world.policy.customer).expect("episodes");
    episodes.iter().map(|e| (e.closed.map_or("open".into(), |at| at.to_string()), e.outcome)).collect()
}

#[test]
fn r94_a_term_that_ends_inside_the_24_hours_ends_them_and_nothing_is_billed() {
    // Major on the last day: the window would end on the day after. In London summer time.
    let mut world = term_until("2026-03-31");
    run_at(&mut world, "2026-03-31T12:00:00Z", 13);
    deliver_at(&world, "2026-03-31T13:00:00Z", "overage_major/learn/1/1");
    run_at(&mut world, "2026-04-02T02:30:00Z", 13);
    assert_eq!(outcomes(&world), [("2026-03-31T23:00:00Z".to_owned(), Some(Outcome::TermEnded))]);
    assert_eq!(history(&world), ["2026-03-31T12:00:00Z 1 major", "2026-03-31T23:00:00Z 1 term_ended on day 1"]);
    assert_eq!(world.used("learn"), 12, "grace goes on");
    world.verify();
}

#[test]
fn r67_a_window_that_ends_at_the_terms_last_instant_still_upgrades() {
    let mut world = term_until("2026-03-31");
    run_at(&mut world, "2026-03-30T12:00:00Z", 13);
    deliver_at(&world, "2026-03-30T22:59:59Z", "overage_major/learn/1/1");
    look_at(&world, "2026-03-31T22:59:59Z");
    assert_eq!(outcomes(&world), [("2026-03-31T22:59:59Z".to_owned(), Some(Outcome::Upgraded))]);
    assert_eq!(world.balance("learn"), 3);
    world.verify();
}

#[test]
fn r94_a_term_that_ends_before_the_cure_deadline_ends_the_episode() {
    // On 99 seats 100 people are minor; the tenth business day would be 16 March.
    let mut world = pool_of(99);
    first_night(&mut world);
    let service = world.service();
    let wish = TermWish {
        pool: PoolId::from("learn"),
        id: None,
        from: Some(day("2026-01-01")),
        to: day("2026-03-14"),
        seats: Some(Seats(99)),
        basis: None,
        reference: "PO".into(),
    };
    service.renew(&service.customers()[0], &rosterd::base::Actor::operator("test"), &wish).expect("an answer");
    let next = TermWish { from: None, to: day("2027-01-01"), seats: Some(Seats(99)), ..wish };
    service.renew(&service.customers()[0], &rosterd::base::Actor::operator("test"), &next).expect("an answer");
    drop(service);
    run_at(&mut world, "2026-03-02T02:30:00Z", 101);
    run_at(&mut world, "2026-03-20T02:30:00Z", 101);
    // The second one has a clock of its own: from Saturday 14 March, its eleventh business day is Monday 30 March.
    assert_eq!(outcomes(&world), [("open".to_owned(), None), ("2026-03-14T00:00:00Z".to_owned(), Some(Outcome::TermEnded))]);
    look_at(&world, "2026-03-29T22:59:59Z");
    assert_eq!(world.view("learn").clock.expect("a clock").stage.word(), "minor");
    look_at(&world, "2026-03-29T23:00:00Z");
    assert_eq!(world.view("learn").clock.expect("a clock").stage.word(), "minor_overdue");
    world.verify();
}

fn notice(world: &World, key: &str) -> String {
    world.service().store().notice(&world.policy.customer, key).expect("a store").expect("a notice").text
}

#[test]
fn r64_r144_candidates_are_named_the_least_recently_active_first() {
    let mut world = pool_of(10);
    run_at(&mut world, "2026-03-01T02:30:00Z", 10);
    let import = |world: &World, text: &str| {
        let service = world.service();
        let answer = service.import_activity(&service.customers()[0], "log.csv", text.as_bytes()).expect("an answer");
        assert_eq!((answer.taken, answer.bad), (true, 0), "{:?}", answer.findings);
    };
    import(&world, "person,last_login\nt0000,2026-02-27\nt0001,2025-11-02\nt0002,2026-01-15\nt0003,2026-01-15\n");
    run_at(&mut world, "2026-03-02T02:30:00Z", 11);
    let text = notice(&world, "overage_major/learn/1/1");
    // Who never logged in, by key; then the oldest log-in; the newcomer of this very commit among them.
    assert!(
        text.contains(
            "Candidates to remove: 11 people with seats, by their last log-in, the least recently active first: \
             t0004 (never), t0005 (never), t0006 (never), t0007 (never), t0008 (never), t0009 (never), t0010 (never), \
             t0001 (2025-11-02), t0002 (2026-01-15), t0003 (2026-01-15), t0000 (2026-02-27). On offer"
        ),
        "{text}"
    );
    world.verify();
}

#[test]
fn r144_r156_unknown_stays_unknown_and_no_more_than_twenty_are_named() {
    let mut world = pool_of(100);
    world.adjust = Box::new(|customer| {
        customer.stale_after_hours = 24 * 366;
        customer.reports.activity.recent_days = 30;
    });
    run_at(&mut world, "2026-03-01T02:30:00Z", 100);
    run_at(&mut world, "2026-03-02T02:30:00Z", 101);
    assert!(notice(&world, "overage_minor/learn/1").contains("101 people with seats, their activity unknown."));
    let service = world.service();
    service.import_activity(&service.customers()[0], "log.csv", b"person,last_login\nt0000,2026-02-27\n").expect("taken");
    // The stage that time brings is told by the clock, with what is known by then; a feed that is silent for long is none.
    look_at(&world, "2026-03-17T00:00:00Z");
    let told = service.store().notices(None, 10).expect("notices");
    let text = &told.iter().find(|notice| notice.kind == "overage_overdue").expect("overdue").text;
    assert!(text.contains("t0001 (never)") && text.contains("t0020 (never) and 81 more"), "{text}");
    assert!(text.contains("(`rosterd report claims north --pool learn`)"), "{text}");
    look_at(&world, "2026-04-10T00:00:00Z");
    let told = service.store().notices(None, 10).expect("notices");
    let text = &told.iter().find(|notice| notice.kind == "overage_major").expect("major").text;
    assert!(text.contains("people with seats, their activity unknown."), "{text}");
    world.verify();
}

#[test]
fn r151_an_overage_that_goes_on_is_told_again_every_five_business_days() {
    let mut world = pool_of(100);
    world.adjust = Box::new(|customer| {
        customer.stale_after_hours = 24 * 366;
        customer.reports.remind_business_days = 5;
    });
    run_at(&mut world, "2026-03-01T02:30:00Z", 100);
    run_at(&mut world, "2026-03-02T02:30:00Z", 101);
    let reminded = |when: &str| {
        world.clock.set(at(when));
        let service = world.service();
        assert!(service.tick().errors.is_empty());
        let told = service.store().notices(None, 1000).expect("notices");
        told.into_iter().filter(|notice| notice.kind == "overage_reminder").map(|notice| notice.text).collect::<Vec<_>>()
    };
    assert!(reminded("2026-03-08T23:59:59Z").is_empty());
    let first = "Pool learn still uses 101 of 100 seats; minor since 2026-03-02: 1 to remove, or as many to buy (`rosterd \
                 episode show`).";
    assert_eq!(reminded("2026-03-09T00:00:00Z"), [first]);
    assert_eq!(reminded("2026-03-13T12:00:00Z").len(), 1, "once");
    assert_eq!(reminded("2026-03-16T00:00:00Z").len(), 2);
    // Overdue since the 17th, which tells by itself; of what was missed only the latest is told.
    assert_eq!(reminded("2026-03-23T12:00:00Z").len(), 2);
    let told = reminded("2026-03-30T12:00:00Z");
    assert_eq!(told.len(), 3);
    assert!(told[0].contains("minor_overdue since 2026-03-17"), "{told:?}");
    run_at(&mut world, "2026-03-30T14:00:00Z", 100);
    world.clock.set(at("2026-05-04T12:00:00Z"));
    assert!(world.service().tick().errors.is_empty());
    assert_eq!(
        world.service().store().notices(None, 1000).expect("notices").iter().filter(|n| n.kind == "overage_reminder").count(),
        3
    );
    world.verify();
}
