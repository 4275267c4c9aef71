//! I14: releasing, re-affirming and reading are never refused for lack of seats, however full a pool is and however it
//! came to be so.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rosterd::base::{ClaimId, PersonKey, PoolId, Seats};
use rosterd::license::{ClaimState, OnFull, PinKind, ProductKind, SeatModel};
use rosterd::plan::{Answer, Decision};
use rosterd::service::ClaimFilter;

use crate::world::World;

/// How a pool became as full as it is.
#[derive(Clone, Debug)]
struct Gene {
    people: usize,
    seats: u32,
    /// Taken away once people have them.
    cut: i64,
    /// Given although there was none.
    insisted: usize,
    on_full: u8,
    model: u8,
    invites: bool,
    reserved: u32,
    /// Who is released first, and how each one is.
    turn: usize,
    ways: Vec<u8>,
}

fn gene() -> impl Strategy<Value = Gene> {
    let pool = (0u32..5, 0i64..5, 0u8..3, 0u8..3, any::<bool>(), 0u32..3);
    (2usize..8, 0usize..3, 0usize..8, proptest::collection::vec(0u8..4, 8), pool).prop_map(
        |(people, insisted, turn, ways, (seats, cut, on_full, model, invites, reserved))| Gene {
            people,
            seats,
            cut,
            insisted,
            on_full,
            model,
            invites,
            reserved,
            turn,
            ways,
        },
    )
}

fn key(at: usize) -> String {
    format!("p{at}")
}

fn world(gene: &Gene) -> World {
    let on_full = [OnFull::Wait, OnFull::Overdraw, OnFull::OverdrawUpTo { percent_max: 150 }][usize::from(gene.on_full)];
    let model = [SeatModel::Role, SeatModel::Named, SeatModel::ActiveUser][usize::from(gene.model)];
    let mut world = World::new("north")
        .school("ash")
        .school("birch")
        .class("c", "ash", "math")
        .product("learn", ProductKind::Module, model)
        .role_rule("teacher", "learn")
        .pool("learn", "d", Some(gene.seats), on_full);
    world.policy.products[0].needs_acceptance = gene.invites;
    world.policy.pools[0].reservations = vec![("birch".into(), Seats(gene.reserved.min(gene.seats)))];
    for at in 0..gene.people {
        world.hire(&key(at), "teacher", ["ash", "birch"][at % 2]);
        world.enroll(&key(at), "c", None, None);
    }
    // Somebody stays whatever is released, so that no collection becomes empty (R114).
    world.hire("aide", "aide", "ash");
    world.enroll("aide", "c", None, None);
    world.night();
    for at in 0..gene.insisted {
        let pin = world.pin(&key(gene.people - 1 - at % gene.people), "learn", PinKind::Assign);
        world.decide(Decision::Pin { pin, insist: true });
    }
    world.buy("cut", "learn", -gene.cut, "2026-03-01");
    world
}

/// Who holds a seat, with its claim.
fn holders(world: &World) -> BTreeMap<String, (ClaimId, ClaimState)> {
    let standing = world.service().store().standing(&world.policy.customer).expect("it is there");
    let book = &standing.book;
    let claim = |at: usize| {
        let held = book.claims_at(at).iter().find(|claim| claim.state.consumes())?;
        Some((book.key(at).to_owned(), (held.id, held.state)))
    };
    (0..book.people.len()).filter_map(claim).collect()
}

/// All that can be asked is answered, and tells the same number.
fn read_all(world: &World, used: usize) {
    let service = world.service();
    let customer = &service.customers()[0];
    let pool = PoolId::from("learn");
    assert_eq!(service.pools(customer).expect("it is there")[0].used(), Seats(used as u32));
    assert_eq!(service.license_report(customer, None, None).expect("it is there").rows[0].used, used as u64);
    assert_eq!(service.dashboard(customer, None).expect("it is there").products.len(), 1);
    let rows = service.claims_report(customer, &ClaimFilter::default()).expect("it is there").rows;
    assert_eq!(rows.iter().filter(|row| ["pending", "active", "held"].contains(&row.state)).count(), used);
    let waiting = service.queue(customer, Some(&pool)).expect("it is there");
    assert_eq!(waiting.len(), rows.iter().filter(|row| row.state == "waiting").count());
    for person in world.people.keys() {
        assert_eq!(service.explain(customer, person, None).expect("it is there").len(), 1);
    }
}

fn reaffirm(world: &mut World) {
    let before = holders(world);
    let used = world.used("learn");
    for (person, (_, state)) in &before {
        assert_eq!(world.assign(person, "learn"), Answer::AlreadySo, "{person} has it already");
        if *state == ClaimState::Pending {
            let (person, pool) = (PersonKey::from(person.as_str()), PoolId::from("learn"));
            assert_eq!(world.decide(Decision::Accept { person, pool }), Answer::Done);
        }
    }
    // The same people told again, with other names, and told once more.
    for person in world.people.values_mut() {
        person.name += "x";
    }
    world.night();
    world.quiet_night();
    let claims = |all: BTreeMap<String, (ClaimId, ClaimState)>| all.into_values().map(|(id, _)| id).collect::<BTreeSet<_>>();
    assert!(claims(holders(world)).is_superset(&claims(before)), "the same claims");
    assert!(world.used("learn") >= used);
}

/// Releases somebody in one of the ways there are; everybody else stays.
fn release(world: &mut World, person: &str, way: u8) {
    let before = holders(world);
    match way {
        0 => {
            let pin = world.pin(person, "learn", PinKind::Deny);
            assert_eq!(world.decide(Decision::Pin { pin, insist: false }), Answer::Done);
        }
        1 => {
            // The seat goes to somebody who needs none of the pool's own: as many are used as before.
            let used = world.used("learn");
            let transfer = Decision::Transfer {
                give: world.pin(person, "learn", PinKind::Deny),
                take: world.pin("aide", "learn", PinKind::Assign),
            };
            let same_part = world.people[person].roles[0].1 == "ash";
            let said = world.decide(transfer);
            if before.contains_key("aide") {
                assert_eq!(said, Answer::AlreadySo);
                return;
            }
            assert!(said == Answer::Done || !same_part, "a seat that stays in its part of the pool is the same seat: {said:?}");
            if said != Answer::Done {
                return;
            }
            assert!(world.used("learn") >= used);
        }
        2 => {
            world.end(person);
            world.night();
        }
        _ => {
            world.vanish(person);
            world.night();
            world.people.values_mut().for_each(|other| other.name += "y");
            world.night();
        }
    }
    let after = holders(world);
    assert!(!after.contains_key(person), "{person} is released");
    for (other, (id, _)) in before.iter().filter(|(other, _)| *other != person) {
        assert_eq!(after.get(other).map(|(id, _)| id), Some(id), "{other} keeps the seat");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 64, ..ProptestConfig::with_cases(12) })]

    /// I14.
    #[test]
    fn nothing_but_new_seats_is_refused_for_lack_of_seats(gene in gene()) {
        let mut world = world(&gene);
        read_all(&world, holders(&world).len());
        reaffirm(&mut world);
        read_all(&world, holders(&world).len());
        let mut leaving: Vec<String> = holders(&world).into_keys().filter(|person| person != "aide").collect();
        let turn = gene.turn % leaving.len().max(1);
        leaving.rotate_left(turn);
        for (person, way) in leaving.iter().zip(gene.ways) {
            release(&mut world, person, way);
            read_all(&world, holders(&world).len());
        }
        world.verify();
    }
}
