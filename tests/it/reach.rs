//! How far a seat, and whoever gives it away, reaches: whom a pool serves (R13, R20), and whose affair a person is (R163).

use rosterd::base::{AccessRole, Actor, OrgId, PersonKey, PoolId};
use rosterd::license::{Audience, ClaimState, OnFull, PinKind, ProductKind, SeatModel};
use rosterd::plan::{Answer, Decision};
use rosterd::service::TokenWish;

use crate::world::{World, succeeded};

/// Two schools, a pool of each and one of the district; `both` teaches at one and aids at the other.
fn schools() -> World {
    let mut world = World::new("north").school("ash").school("birch");
    for id in ["math", "art"] {
        world = world.product(id, ProductKind::Module, SeatModel::Role);
    }
    world = world
        .role_rule("teacher", "math")
        .role_rule("aide", "art")
        .pool_named("math-ash", "math", "ash", Some(9), OnFull::Wait)
        .pool_named("math-d", "math", "d", Some(9), OnFull::Wait)
        .pool_named("art-birch", "art", "birch", Some(9), OnFull::Wait)
        .person("ann", "teacher", "ash")
        .person("ben", "teacher", "birch")
        .person("kid", "student", "ash")
        .person("both", "teacher", "ash");
    world.hire("both", "aide", "birch");
    assert!(succeeded(&world.night()));
    assert_eq!((world.seated("math-ash").len(), world.used("math-d"), world.seated("art-birch").len()), (2, 1, 1));
    world
}

#[test]
fn r20_a_pool_serves_its_owners_subtree_unless_somebody_insists() {
    let mut world = schools();
    assert_eq!(world.assign("ben", "math-ash"), Answer::NotServed);
    let hand = |to: &str| {
        let (give, take) = (world.pin("ann", "math-ash", PinKind::Deny), world.pin(to, "math-ash", PinKind::Assign));
        world.decide(Decision::Transfer { give, take })
    };
    assert_eq!(hand("ben"), Answer::NotServed);
    assert_eq!(world.state("ann", "math-ash"), Some(ClaimState::Active), "nothing was changed");
    world.verify();
    let pin = world.pin("ben", "math-ash", PinKind::Assign);
    assert_eq!(world.decide(Decision::Pin { pin, insist: true }), Answer::Done);
    assert_eq!((world.state("ben", "math-ash"), world.state("ben", "math-d")), (Some(ClaimState::Active), None));
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(world.state("ben", "math-ash"), Some(ClaimState::Active), "it holds (R9)");
    // Up the tree is another matter: the district's pool serves everybody.
    assert_eq!(world.assign("ann", "math-d"), Answer::Done);
    world.verify();
}

#[test]
fn r13_a_pool_of_educators_is_for_no_student_unless_somebody_insists() {
    let mut world = schools();
    world.policy.pools.iter_mut().for_each(|pool| pool.audience = Audience::Educator);
    assert_eq!(world.assign("kid", "math-ash"), Answer::NotServed);
    let pin = world.pin("kid", "math-ash", PinKind::Assign);
    assert_eq!(world.decide(Decision::Pin { pin, insist: true }), Answer::Done);
    world.verify();
}

#[test]
fn r163_whose_affair_a_person_and_a_pool_are() {
    let mut world = schools();
    let within = |world: &World, person: &str, top: &str, pool: Option<&str>| {
        let service = world.service();
        let (person, pool) = (PersonKey::from(person), pool.map(PoolId::from));
        service.is_person_within(&service.customers()[0], &person, &OrgId::from(top), pool.as_ref()).expect("an answer")
    };
    for (person, top, pool, is_within) in [
        ("ann", "ash", None, true),
        ("ann", "birch", None, false),
        ("ann", "d", None, true),
        ("nobody", "d", None, false),
        ("ann", "nowhere", None, false),
        // Somebody of two schools: each has a say in its own seat alone.
        ("both", "ash", None, true),
        ("both", "birch", None, true),
        ("both", "ash", Some("math-ash"), true),
        ("both", "birch", Some("math-ash"), false),
        ("both", "ash", Some("art-birch"), false),
        ("both", "birch", Some("art-birch"), true),
        // Where there is no seat the roster tells.
        ("both", "birch", Some("math-d"), true),
        ("kid", "ash", Some("math-ash"), true),
        ("kid", "birch", Some("math-ash"), false),
    ] {
        assert_eq!(within(&world, person, top, pool), is_within, "{person} {top} {pool:?}");
    }
    // Whose seat is gone is still of the org, and so is who is gone.
    let pin = world.pin("ann", "math-ash", PinKind::Deny);
    assert_eq!(world.decide(Decision::Pin { pin, insist: false }), Answer::Done);
    assert!(within(&world, "ann", "ash", Some("math-ash")) && !within(&world, "ann", "birch", Some("math-ash")));
    world.vanish("ann");
    (0..3).for_each(|_| assert!(succeeded(&world.night())));
    assert!(within(&world, "ann", "ash", Some("math-ash")) && !within(&world, "ann", "birch", Some("math-ash")));
    let pool = |pool: &str, top: &str| {
        let service = world.service();
        service.is_pool_within(&service.customers()[0], &pool.into(), &OrgId::from(top)).expect("an answer")
    };
    for (id, top, is_within) in [
        ("math-ash", "ash", true),
        ("math-ash", "birch", false),
        ("math-ash", "d", true),
        ("math-d", "ash", true),
        ("math-d", "nowhere", false),
    ] {
        assert_eq!(pool(id, top), is_within, "{id} {top}");
    }
}

/// Neither its text nor a session that it opened is good when its days are over.
#[test]
fn r157_a_token_ends_at_its_instant() {
    let world = schools();
    let service = world.service();
    let (role, name) = (AccessRole::Reporter, "office".to_owned());
    let wish = TokenWish { name, role, customer: None, org: None, days: 2 };
    let (row, text) = service.create_token(&wish, &Actor::operator("ann")).expect("made");
    let is_good = || {
        let by_text = service.caller(&text).expect("a store").is_some();
        let by_number = service.caller_of(row.id).expect("a store").is_some();
        assert_eq!(by_text, by_number);
        by_text
    };
    for (millis, good) in [(-1, true), (0, false), (86_400_000, false)] {
        world.clock.set(row.expires.plus_millis(millis));
        assert_eq!(is_good(), good, "{millis} ms after");
        assert_eq!(service.tokens().expect("a store")[0].1, good);
    }
}
