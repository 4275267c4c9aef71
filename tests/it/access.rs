//! What other systems are told: who may log in, use a product, open an enrollment (R25, R29, R31, T9).

use std::fs;

use assert_cmd::Command;
use rosterd::base::{Calendar, Instant};
use rosterd::license::{ClaimState, OnFull, ProductKind, SeatModel};
use serde_json::Value;

use crate::world::{Enrolled, World, day, succeeded};

/// State and reason of each enrollment of a person, in the order of the classes.
fn enrollments(world: &World, person: &str) -> Vec<(String, &'static str, &'static str)> {
    let service = world.service();
    let answers = service.access(&service.customers()[0], Some(person), |book| {
        let answers = book.of(person).expect("a person");
        answers.enrollments.iter().map(|e| (e.class.to_owned(), e.opening.state(), e.opening.because())).collect()
    });
    answers.expect("answers")
}

/// Whether and why a person may log in, and the same per product.
fn answers(world: &World, person: &str) -> Vec<(bool, &'static str)> {
    let service = world.service();
    let read = service.access(&service.customers()[0], Some(person), |book| {
        let answers = book.of(person).expect("a person");
        let products = answers.products.iter().map(|(_, access)| (access.allowed, access.because));
        [(answers.log_in.allowed, answers.log_in.because)].into_iter().chain(products).collect()
    });
    read.expect("answers")
}

fn school() -> World {
    World::new("north").school("ash").product("learn", ProductKind::Module, SeatModel::Role).role_rule("student", "learn").pool(
        "learn",
        "d",
        Some(10),
        OnFull::Wait,
    )
}

#[test]
fn t9_an_enrollment_opens_from_its_first_day_through_its_last() {
    let mut world = school();
    world.set_day(day("2026-03-10"));
    let table = [
        ("a", None, None, false, "open", "live"),
        ("b", Some("2026-03-10"), None, false, "open", "live"),
        ("c", Some("2026-03-11"), None, false, "not_started", "not_started"),
        ("d", Some("2026-03-01"), Some("2026-03-10"), false, "open", "live"),
        ("e", Some("2026-03-01"), Some("2026-03-09"), false, "ended", "expired"),
        ("f", Some("2026-03-01"), Some("2026-03-31"), true, "ended", "ended_by_source"),
    ];
    world.hire("p", "student", "ash");
    for (class, first, last, ended, ..) in table {
        world = world.class(class, "ash", "Art");
        let enrolled = Enrolled { class: class.into(), first, last, ended };
        world.people.get_mut("p").expect("a person").enrollments.push(enrolled);
    }
    assert!(succeeded(&world.night()));
    world.set_day(day("2026-03-10"));
    // An ended enrollment may be left out of the roster altogether; the others are all there.
    let told = enrollments(&world, "p");
    for (class, _, _, ended, state, because) in table {
        let found = told.iter().find(|(id, ..)| id == class);
        match found {
            Some(found) => assert_eq!(found, &(class.to_owned(), state, because)),
            None => assert!(ended, "{class} is missing"),
        }
    }
    // Only time passes; no run is needed for the answers to move on.
    world.set_day(day("2026-03-11"));
    let told = enrollments(&world, "p");
    let state = |class: &str| told.iter().find(|(id, ..)| id == class).map(|(_, state, because)| (*state, *because));
    assert_eq!(state("c"), Some(("open", "live")));
    assert_eq!(state("d"), Some(("ended", "expired")));
}

#[test]
fn r29_the_date_is_that_of_the_customers_zone() {
    let mut world = school().class("alg", "ash", "Math").class("geo", "ash", "Math");
    world.policy.calendar = Calendar::in_zone("America/New_York").expect("a zone");
    world.hire("p", "student", "ash");
    world.enroll("p", "alg", None, Some("2026-03-10"));
    world.enroll("p", "geo", Some("2026-03-11"), None);
    world.night();
    // Midnight in New York, four hours behind UTC since 8 March.
    for (instant, expected) in [
        ("2026-03-10T23:00:00Z", ["open", "not_started"]),
        ("2026-03-11T03:59:59Z", ["open", "not_started"]),
        ("2026-03-11T04:00:00Z", ["ended", "open"]),
    ] {
        world.clock.set(Instant::parse(instant).expect("an instant"));
        let told = enrollments(&world, "p");
        assert_eq!(told.iter().map(|(_, state, _)| *state).collect::<Vec<_>>(), expected, "{instant}");
    }
}

#[test]
fn r31_only_a_seat_in_a_state_that_gives_access_lets_a_person_in() {
    let mut world = World::new("north")
        .school("ash")
        .product("door", ProductKind::Access, SeatModel::Role)
        .product("library", ProductKind::Content, SeatModel::Role)
        .product("studio", ProductKind::Module, SeatModel::Named)
        .product("paint", ProductKind::Module, SeatModel::Role)
        .product("suite", ProductKind::Module, SeatModel::Role)
        .role_rule("student", "door")
        .role_rule("student", "library")
        .role_rule("teacher", "library")
        .role_rule("ext:artist", "studio")
        .role_rule("ext:painter", "paint")
        .pool("door", "d", Some(2), OnFull::Wait)
        .pool("library", "d", Some(1), OnFull::Wait)
        .pool("studio", "d", Some(5), OnFull::Wait)
        .pool("paint", "d", Some(5), OnFull::Wait)
        .pool("suite", "d", Some(5), OnFull::Wait);
    world.policy.products[0].needs_acceptance = true;
    world.policy.products[4].bundle_of = vec!["paint".into()];
    for (key, role) in [("s1", "student"), ("s2", "student"), ("s3", "student"), ("t", "teacher"), ("w", "ext:artist")] {
        world.hire(key, role, "ash");
    }
    world.hire("z", "ext:painter", "ash");
    assert!(succeeded(&world.night()));
    let no = |because| (false, because);
    assert_eq!(answers(&world, "s1")[0], no("pending"), "an invitation that was not accepted opens nothing");
    assert_eq!(answers(&world, "s3")[..2], [no("waiting"); 2]);
    assert_eq!(
        answers(&world, "t"),
        [no("no_seat"), no("no_seat"), no("waiting"), no("no_seat"), no("no_seat"), no("no_seat")]
    );
    assert_eq!(
        answers(&world, "w"),
        [no("no_seat"), no("no_seat"), no("no_seat"), (true, "active"), no("no_seat"), no("no_seat")]
    );
    assert_eq!(answers(&world, "z")[4..], [(true, "active"); 2], "a bundle's seat is one of each of its products (R14)");

    for person in ["s1", "s2"] {
        let accept = rosterd::plan::Decision::Accept { person: person.into(), pool: "door".into() };
        world.decide(accept);
    }
    world.quiet_night();
    assert_eq!(answers(&world, "s1")[..3], [(true, "active"); 3]);
    assert_eq!(answers(&world, "s2")[..3], [(true, "active"), (true, "active"), no("waiting")]);

    // The account is locked: the named seat stays (R34) and opens nothing.
    world.people.get_mut("w").expect("a person").locked = true;
    world.people.get_mut("s1").expect("a person").locked = true;
    world.night();
    assert_eq!(world.state("w", "studio"), Some(ClaimState::Active));
    assert_eq!(answers(&world, "w"), [no("locked"); 6]);
    assert_eq!(answers(&world, "s1"), [no("locked"); 6]);
    // A named seat of somebody who is in no team any more is held (R33).
    world.people.get_mut("w").expect("a person").locked = false;
    world.people.get_mut("w").expect("a person").roles = vec![("guardian".into(), "ash".into())];
    world.night();
    assert_eq!(answers(&world, "w")[3], no("held"));
    // Removed: nothing is open, and the person is still told of until the purge.
    world.end("s2");
    world.night();
    assert_eq!(answers(&world, "s2"), [no("removed"); 6]);
    let service = world.service();
    let people = service.access(&service.customers()[0], None, |book| book.people().join(" ")).expect("people");
    assert_eq!(people, "s1 s2 s3 t w z");
    let nobody = service.access(&service.customers()[0], Some("x"), |book| book.of("x").is_none()).expect("an answer");
    assert!(nobody);
}

#[test]
fn without_an_access_product_any_seat_lets_a_person_in() {
    let mut world = school();
    world.hire("p", "student", "ash");
    world.hire("q", "teacher", "ash");
    world.night();
    assert_eq!(answers(&world, "p"), [(true, "active"); 2]);
    assert_eq!(answers(&world, "q"), [(false, "no_seat"); 2]);
}

#[test]
fn the_command_line_answers_and_exports() {
    let mut world = school().class("alg", "ash", "Math").class("old", "ash", "Math");
    world.hire("p", "student", "ash");
    world.enroll("p", "alg", Some("2026-01-05"), Some("2026-03-02"));
    world.enroll("p", "old", None, Some("2026-03-01"));
    world.hire("q", "teacher", "ash");
    world.enroll("q", "alg", None, None);
    world.write_package();
    world.run();
    let file = world.dir.path().join("rosterd.toml");
    let settings = "[store]\npath = \"rosterd.db\"\n[[customer]]\nid = \"north\"\n[[customer.source]]\nid = \"sis\"\n\
                    kind = \"oneroster_csv\"\npath = \"drop\"\n[[customer.product]]\nid = \"learn\"\n[[customer.pool]]\nid = \"learn\"\n\
                    product = \"learn\"\nowner = \"d\"\n[[customer.rule]]\nid = \"r\"\nproduct = \"learn\"\nwhen = { role = [\"student\"] }\n";
    fs::write(&file, settings).expect("written");
    let rosterd = |command: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_rosterd"));
        program.args(command.split(' ')).args(["--as-of", "2026-03-02T12:00:00Z", "--config"]).arg(&file);
        let done = program.output().expect("it runs");
        (done.status.code().expect("it exits"), String::from_utf8(done.stdout).expect("text"))
    };
    let json = |command: &str| -> (i32, Value) {
        let (code, out) = rosterd(&format!("{command} --json"));
        (code, serde_json::from_str(&out).expect("JSON"))
    };
    let (code, table) = rosterd("access north p");
    assert_eq!(code, 0);
    for line in [
        "p may log in: active. On 2026-03-02 in UTC:",
        "learn    yes     active",
        "alg    student  2026-01-05  2026-03-02  open   live",
        "old    student              2026-03-01  ended  expired",
    ] {
        assert!(table.contains(line), "{line}\n{table}");
    }
    let (code, one) = json("access north p old");
    assert_eq!(
        (code, &one["open"], &one["log_in"], &one["as_of"]),
        (1, &false.into(), &true.into(), &"2026-03-02T12:00:00Z".into())
    );
    assert_eq!(one["enrollments"].as_array().map(Vec::len), Some(1));
    assert_eq!(json("access north p alg").0, 0);
    assert_eq!(json("access north p nothing").0, 1);
    let (code, closed) = json("access north q alg");
    assert_eq!(
        (code, &closed["open"], &closed["enrollments"][0]["state"]),
        (1, &false.into(), &"open".into()),
        "no seat, no log-in"
    );
    assert_eq!(rosterd("access north nobody").0, 66);
    assert_eq!(rosterd("access north p --csv").0, 2);
    assert_eq!(rosterd("access north --csv --json").0, 2);

    let (_, lines) = rosterd("access north");
    let people: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(people.len(), 2);
    assert_eq!(people[0]["enrollments"][1]["last"], "2026-03-01");
    assert_eq!(people[1]["products"][0], serde_json::json!({"product": "learn", "access": false, "because": "no_seat"}));
    let (_, csv) = rosterd("access north --csv");
    assert_eq!(
        csv,
        "person,what,id,role,answer,because,first,last\r\n\
         p,log_in,,,yes,active,,\r\n\
         p,product,learn,,yes,active,,\r\n\
         p,enrollment,alg,student,open,live,2026-01-05,2026-03-02\r\n\
         p,enrollment,old,student,ended,expired,,2026-03-01\r\n\
         q,log_in,,,no,no_seat,,\r\n\
         q,product,learn,,no,no_seat,,\r\n\
         q,enrollment,alg,student,open,live,,\r\n"
    );
}
