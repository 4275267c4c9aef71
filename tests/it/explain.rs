//! Why a person has a seat, or not: the first answer that applies, with its dates (R161); and why a pool's balance is what
//! it is (R162).

use rosterd::license::{OnFull, PinKind, ProductKind, SeatModel};
use rosterd::plan::{Decision, Explanation, Predicate};
use rosterd::service::ServiceError;

use crate::world::{World, day};

/// Access and content, two schools; the content of one pool for Ash alone.
fn academy(access: u32, content: u32) -> World {
    World::new("north")
        .school("ash")
        .school("birch")
        .class("c", "ash", "math")
        .product("access", ProductKind::Access, SeatModel::Role)
        .product("content", ProductKind::Content, SeatModel::Role)
        .role_rule("teacher", "access")
        .role_rule("teacher", "content")
        .pool("access", "d", Some(access), OnFull::Wait)
        .pool("content", "ash", Some(content), OnFull::Wait)
}

fn why(world: &World, person: &str, product: &str) -> Explanation {
    let service = world.service();
    let customer = &service.customers()[0];
    service.explain(customer, person, Some(&product.into())).expect("it is there").remove(0)
}

fn answer(world: &World, person: &str, product: &str) -> (&'static str, String) {
    let Explanation { answer, text, .. } = why(world, person, product);
    (answer, text)
}

#[test]
fn r161_the_answers_in_their_order() {
    let mut world = academy(4, 2);
    for key in ["ann", "bob", "cid", "dan", "eve"] {
        world.hire(key, "teacher", "ash");
    }
    world.hire("sue", "student", "ash");
    world.hire("tom", "teacher", "birch");
    world.night(); // 2 March
    let said = |person: &str, product: &str| answer(&world, person, product);
    assert_eq!(said("nobody", "access"), ("unknown_person", "No source delivers a person with this key.".to_owned()));
    assert_eq!(said("sue", "content"), ("no_entitling_role", "No rule asks for it.".to_owned()));
    assert_eq!(said("ann", "access"), ("active", "Has a seat in access because of rule:teacher-access.".to_owned()));
    assert_eq!(said("eve", "access"), ("waiting", "Waits at position 1 of 2 for a seat in access.".to_owned()));
    assert_eq!(said("tom", "access"), ("waiting", "Waits at position 2 of 2 for a seat in access.".to_owned()));
    assert_eq!(said("eve", "content"), ("needs_access", "Waits in content for a seat of the product it requires.".to_owned()));
    assert_eq!(said("cid", "content"), ("waiting", "Waits at position 1 of 3 for a seat in content.".to_owned()));
    assert_eq!(said("tom", "content"), ("no_pool", "No pool of content serves the person's org.".to_owned()));
    let facts = why(&world, "ann", "access").facts;
    for fact in ["role teacher in ash", "asked for by rule teacher-access", "home org ash", "active since 2026-03-02T02:30:00Z"]
    {
        assert!(facts.iter().any(|told| told.contains(fact)), "{fact}: {facts:?}");
    }

    // Not activated comes before what a pin or a pool would say.
    world.policy.products[1].activated_for = vec!["birch".into()];
    let said = answer(&world, "ann", "content");
    assert_eq!(said.0, "not_activated");
    assert!(said.1.ends_with("The next run frees the seat."), "{}", said.1);
    world.policy.products[1].activated_for = Vec::new();

    let mut pin = world.pin("bob", "access", PinKind::Deny);
    pin.until = day("2026-06-30");
    world.decide(Decision::Pin { pin, insist: false });
    let denied = why(&world, "bob", "access");
    assert_eq!((denied.answer, denied.text.as_str()), ("denied", "A pin keeps the person out of access."));
    assert!(denied.facts.iter().any(|fact| fact.contains("by operator:test until 2026-06-30: because")), "{:?}", denied.facts);
    assert_eq!(answer(&world, "eve", "access").0, "active", "the queue moved up at once");

    // A row that cannot be read comes before waiting, and nothing is taken away.
    world.people.get_mut("ann").unwrap().broken = true;
    world.people.get_mut("cid").unwrap().broken = true;
    world.night(); // 3 March
    let text = "A row of the person could not be read and everything stays as it is: Has a seat in access because of \
                rule:teacher-access.";
    assert_eq!(answer(&world, "ann", "access"), ("quarantined", text.to_owned()));
    let (word, text) = answer(&world, "cid", "content");
    assert_eq!(word, "quarantined");
    assert!(text.contains("everything stays as it is"), "{text}");
    world.people.get_mut("ann").unwrap().broken = false;
    world.people.get_mut("cid").unwrap().broken = false;

    // Ended or absent comes before everything that roles and pools say.
    world.end("ann");
    world.vanish("cid");
    world.people.get_mut("dan").unwrap().locked = true;
    world.night(); // 4 March
    assert_eq!(answer(&world, "dan", "access"), ("disabled", "The account is locked in the source.".to_owned()));
    let ended = why(&world, "ann", "access");
    assert_eq!((ended.answer, ended.text.as_str()), ("ended", "The person was removed: ended by the source."));
    assert!(ended.facts[0].contains("since 2026-03-04"), "{:?}", ended.facts);
    let (word, text) = answer(&world, "cid", "access");
    assert_eq!((word, text.contains("is not confirmed yet")), ("absent", true), "{text}");
    world.verify();
}

#[test]
fn r161_seat_models_tell_their_own_reasons_with_dates() {
    let mut world = World::new("studio")
        .school("ash")
        .class("c", "ash", "math")
        .product("named", ProductKind::Module, SeatModel::Named)
        .product("lxp", ProductKind::Module, SeatModel::ActiveUser)
        .rule("in-team", "named", 0, Predicate::LiveEnrollment(Default::default()))
        .role_rule("student", "lxp")
        .pool("named", "d", Some(5), OnFull::Wait)
        .pool("lxp", "d", Some(5), OnFull::Wait)
        .person("ann", "student", "ash")
        .person("bob", "student", "ash");
    world.policy.products[0].needs_acceptance = true;
    world.enroll("ann", "c", None, Some("2026-03-03"));
    world.night();
    assert_eq!(answer(&world, "ann", "named").0, "pending");
    world.decide(Decision::Accept { person: "ann".into(), pool: "named".into() });
    assert_eq!(answer(&world, "ann", "named"), ("active", "Has a seat in named because of rule:in-team.".to_owned()));
    assert_eq!(answer(&world, "ann", "lxp").0, "active");
    assert_eq!(answer(&world, "bob", "lxp"), ("not_active_user", "No enrollment is live.".to_owned()));
    world.set_day(day("2026-03-04"));
    world.quiet_night();
    let held = why(&world, "ann", "named");
    assert_eq!(held.answer, "held", "{held:?}");
    let over = "0 of 1 enrollments live on 2026-03-05, the last one ended on 2026-03-03";
    assert!(held.facts.iter().any(|fact| fact == over), "{:?}", held.facts);
    assert_eq!(answer(&world, "ann", "lxp").0, "not_active_user");
    world.verify();
}

#[test]
fn a_question_about_the_past_is_answered_as_then() {
    let mut world = academy(1, 0).person("ann", "teacher", "ash").person("bob", "teacher", "ash");
    world.night(); // 2 March
    world.end("ann");
    world.night(); // 3 March
    world.set_day(day("2026-03-02"));
    assert_eq!(answer(&world, "ann", "access").0, "active");
    assert_eq!(answer(&world, "bob", "access").1, "Waits at position 1 of 1 for a seat in access.");
    world.set_day(day("2026-03-04"));
    assert_eq!((answer(&world, "ann", "access").0, answer(&world, "bob", "access").0), ("ended", "active"));
    world.set_day(day("2026-03-01"));
    assert_eq!(answer(&world, "ann", "access").1, "No package was taken in yet, so nobody is known.");
    // A roster that is no longer kept is not made up.
    world.set_day(day("2026-03-05"));
    for at in 0..10 {
        world.hire(&format!("t{at}"), "teacher", "birch");
        world.night();
    }
    world.set_day(day("2026-03-02"));
    let service = world.service();
    let gone = service.explain(&service.customers()[0], "ann", None).unwrap_err();
    assert!(matches!(gone, ServiceError::RosterGone { .. }), "{gone}");
}

#[test]
fn r162_a_balance_is_explained() {
    let mut world = academy(2, 5);
    for key in ["ann", "bob", "cid"] {
        world.hire(key, "teacher", "ash");
    }
    world.night(); // 2 March
    world.buy("more", "access", 3, "2026-03-01");
    world.end("ann");
    world.hire("sam", "aide", "ash");
    world.night(); // 3 March
    world.assign("sam", "access");
    let service = world.service();
    let customer = &service.customers()[0];
    let pool = "access".into();
    let since = customer.policy.calendar.start_of(day("2026-03-03"));
    let moves = service.pool_moves(customer, &pool, since).unwrap();
    assert_eq!(moves.granted, [("more".to_owned(), 3)]);
    assert_eq!(moves.freed, [("ended_in_source", 1)].into());
    let seated: u32 = moves.seated.values().sum();
    let detail = service.pool_detail(customer, &pool).unwrap();
    // Two of two were used that morning; three were bought, one was freed.
    assert_eq!(3 + 1 - i64::from(seated), detail.view.balance.unwrap().0);
    let reasons = service.seats_by_reason(customer, &pool).unwrap();
    assert_eq!(reasons.iter().map(|(_, seats)| seats).sum::<u32>(), detail.view.used().0);
    assert_eq!(reasons[0].0, "rule:teacher-access");
    assert!(reasons.iter().any(|(why, seats)| why == "pin" && *seats == 1), "{reasons:?}");
    let grants: i64 = detail.grants.iter().map(|grant| grant.seats).sum();
    assert_eq!(grants, i64::from(detail.view.allowance.seats.unwrap().0));
}
