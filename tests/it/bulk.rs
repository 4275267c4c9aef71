//! One change of many people made by hand: preview, guards, confirmation, revert (R164).

use std::fs;

use rosterd::base::Actor;
use rosterd::license::{ClaimState, OnFull, ProductKind, SeatModel};
use rosterd::plan::GuardKind;
use rosterd::service::{BulkChange, BulkFile, BulkWhom, Import, ImportAnswer, ImportRequest, RevertAnswer, ServiceError};
use rosterd::store::RunState;

use crate::demo::Demo;
use crate::world::{World, succeeded};

const HEADER: &str = "key,given_name,family_name,email,username,identifier,enabled,grades,primary_org,roles,status,source";

/// A district with `boss` of a source and, made by hand, aides `p0` to `p5`: the even ones at ash.
fn district() -> World {
    let mut world = World::new("north")
        .school("ash")
        .school("birch")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .product("studio", ProductKind::Module, SeatModel::Named)
        .role_rule("aide", "studio")
        .pool("learn", "d", Some(4), OnFull::Wait)
        .pool("studio", "d", Some(10), OnFull::Wait)
        .person("boss", "aide", "ash");
    assert!(succeeded(&world.night()));
    let school = |at: u32| if at.is_multiple_of(2) { "ash" } else { "birch" };
    let rows: String = (0..6).map(|at| format!("p{at},Ann,Family,,,,true,,,aide@{},,\r\n", school(at))).collect();
    let done = confirmed(&world, format!("{HEADER}\r\n{rows}").as_bytes());
    assert_eq!((done.run.state, world.used("studio")), (RunState::Succeeded, 7));
    world
}

fn request(bytes: &[u8]) -> ImportRequest<'_> {
    ImportRequest { file: "bulk", bytes, synchronize: false, org: None, by: None, actor: Actor::operator("ann") }
}

fn preview(world: &World, bytes: &[u8]) -> Import {
    let service = world.service();
    service.preview_import(&service.customers()[0], &request(bytes)).expect("a preview")
}

fn confirmed(world: &World, bytes: &[u8]) -> Import {
    let token = preview(world, bytes).token.expect("a token");
    let service = world.service();
    match service.confirm_import(&service.customers()[0], &request(bytes), &token).expect("an answer") {
        ImportAnswer::Done(import) => *import,
        ImportAnswer::Refused(why) => panic!("{why:?}"),
    }
}

fn file(world: &World, whom: &BulkWhom, change: &BulkChange) -> Result<BulkFile, ServiceError> {
    let service = world.service();
    service.bulk_file(&service.customers()[0], whom, change)
}

fn at(org: &str) -> BulkWhom {
    BulkWhom { org: Some(org.into()), ..BulkWhom::default() }
}

#[test]
fn r164_roles_of_many_come_in_one_commit_and_go_with_its_revert() {
    let mut world = district();
    let whom = BulkWhom { role: Some("aide".into()), ..BulkWhom::default() };
    let change = BulkChange { add_roles: vec![("teacher".into(), "ash".into())], ..BulkChange::default() };
    let bulk = file(&world, &whom, &change).expect("a file");
    assert_eq!((bulk.people, bulk.of_sources.as_slice()), (6, ["boss".to_owned()].as_slice()));
    // The preview changes nothing, and says who would be seated and who would wait.
    let version = world.service().store().version(&world.policy.customer).expect("a version");
    let shown = preview(&world, &bulk.file);
    assert_eq!((shown.report.updated.len(), shown.plan.expect("a plan").changes.len()), (6, 6));
    assert_eq!(world.service().store().version(&world.policy.customer).expect("a version"), version);
    let done = confirmed(&world, &bulk.file);
    assert_eq!((done.run.tally.seated, done.run.tally.waiting, world.used("learn")), (4, 2, 4));
    assert_eq!(world.state("p4", "learn"), Some(ClaimState::Waiting));
    world.verify();
    // Once more changes nothing (R41).
    let again = file(&world, &whom, &change).expect("a file");
    assert_eq!((preview(&world, &again.file).token, preview(&world, &again.file).report.unchanged), (None, 6));
    // The run is undone as any other.
    let service = world.service();
    let answer = service.revert(done.run.run, &Actor::operator("ann"), true).expect("an answer");
    assert!(matches!(&answer, RevertAnswer::Planned { run, .. } if run.state == RunState::Succeeded), "{answer:?}");
    assert_eq!(world.used("learn"), 0);
    let back = BulkChange { remove_roles: vec![("teacher".into(), None)], ..BulkChange::default() };
    confirmed(&world, &file(&world, &whom, &back).expect("a file").file);
    assert!(succeeded(&world.quiet_night()));
    assert_eq!((world.used("learn"), world.used("studio")), (0, 7));
    world.verify();
}

#[test]
fn r39_r164_people_move_and_keep_their_seats() {
    let world = district();
    let before = world.seated("studio");
    let change = BulkChange { transfer: Some(("ash".into(), "birch".into())), ..BulkChange::default() };
    let bulk = file(&world, &at("ash"), &change).expect("a file");
    assert_eq!(bulk.people, 3);
    let done = confirmed(&world, &bulk.file);
    assert_eq!((done.report.updated.len(), done.run.tally.released), (3, 0));
    assert_eq!(world.seated("studio"), before);
    let service = world.service();
    let used = service.store().used_by_org(&world.policy.customer).expect("numbers");
    let of = |org: &str| used.iter().filter(|(_, home, _)| home.as_str() == org).map(|(.., seats)| seats).sum::<u32>();
    assert_eq!((of("ash"), of("birch")), (1, 6), "of the source's person the source tells");
    world.verify();
}

#[test]
fn r127_r164_who_is_archived_has_no_access_and_the_seat_goes_by_the_seat_model() {
    let world = district();
    let teacher = BulkChange { add_roles: vec![("teacher".into(), "ash".into())], ..BulkChange::default() };
    let few = BulkWhom { people: ["p0".to_owned(), "p1".to_owned()].into(), ..BulkWhom::default() };
    confirmed(&world, &file(&world, &few, &teacher).expect("a file").file);
    let archive = |archive| BulkChange { archive: Some(archive), ..BulkChange::default() };
    confirmed(&world, &file(&world, &few, &archive(true)).expect("a file").file);
    // The role's seat is free; the named one stays, and so does the person.
    assert_eq!((world.state("p0", "learn"), world.used("learn"), world.used("studio")), (None, 0, 7));
    let service = world.service();
    let customer = &service.customers()[0];
    let may = service.access(customer, Some("p0"), |access| access.of("p0").is_some_and(|person| person.log_in.allowed));
    assert!(!may.expect("an answer"));
    assert_eq!(service.people(customer, "p0", 1).expect("people").1, 1);
    confirmed(&world, &file(&world, &few, &archive(false)).expect("a file").file);
    assert_eq!((world.used("learn"), world.used("studio")), (2, 7));
    world.verify();
}

#[test]
fn r118_r164_a_guard_holds_a_change_of_too_many() {
    let mut world = district();
    world.policy.limits.change_percent = 75;
    let change = BulkChange { transfer: Some(("ash".into(), "birch".into())), ..BulkChange::default() };
    let few = file(&world, &at("ash"), &change).expect("a file");
    assert!(preview(&world, &few.file).plan.expect("a plan").verdict.proceeds(), "three of six");
    let all = BulkChange { add_roles: vec![("teacher".into(), "birch".into())], ..BulkChange::default() };
    let bulk = file(&world, &at("d"), &all).expect("a file");
    let shown = preview(&world, &bulk.file);
    let trips = &shown.plan.expect("a plan").verdict.trips;
    assert_eq!(trips.iter().map(|trip| trip.guard).collect::<Vec<_>>(), [GuardKind::Change]);
}

#[test]
fn r164_who_is_named_must_be_there() {
    let world = district();
    let nobody = BulkWhom { people: ["p9".to_owned()].into(), ..BulkWhom::default() };
    let change = BulkChange { archive: Some(true), ..BulkChange::default() };
    assert!(matches!(file(&world, &nobody, &change), Err(ServiceError::Unknown { what: "person", .. })));
    assert!(matches!(file(&world, &at("oak"), &change), Err(ServiceError::Unknown { what: "org", .. })));
    // An org that is not there is refused row by row, as in every file.
    let whom = BulkWhom { people: ["p0".to_owned()].into(), ..BulkWhom::default() };
    let change = BulkChange { add_roles: vec![("teacher".into(), "oak".into())], ..BulkChange::default() };
    assert_eq!(preview(&world, &file(&world, &whom, &change).expect("a file").file).report.refused, 1);
}

#[test]
fn r164_from_the_command_line() {
    let demo = Demo::new();
    // Others wait in this district, which every run tells.
    let done = |command: &str| {
        let outcome = demo.run(&format!("{command} --json"));
        assert!([0, 6].contains(&outcome.code), "{outcome:?}");
        serde_json::from_str::<serde_json::Value>(&outcome.out).expect("JSON")
    };
    done("sync northfield --here");
    let people = demo.path().join("people.csv");
    let rows = (0..3).map(|at| format!("h{at},Ann,Family,,,,true,,,aide@nf-ash,,\r\n")).collect::<String>();
    fs::write(&people, format!("{HEADER}\r\n{rows}")).expect("written");
    let import = format!("people import northfield {}", people.display());
    let token = demo.json(&import)["token"].as_str().expect("a token").to_owned();
    done(&format!("{import} --confirm {token}"));
    let bulk = "people bulk northfield --role aide --org nf-ash --add-role teacher@nf-birch --remove-role aide";
    let shown = demo.json(bulk);
    assert_eq!(shown["report"]["updated"], serde_json::json!(["h0", "h1", "h2"]));
    let token = shown["token"].as_str().expect("a token");
    assert_eq!(demo.run(&format!("{bulk} --org nf --confirm {token}")).code, 2, "said twice");
    let other = demo.run(&format!("people bulk northfield --role aide --org nf-birch --archive --confirm {token}"));
    assert!(other.out.contains("token_of_another_file"), "{other:?}");
    let told = done(&format!("{bulk} --confirm {token}"));
    assert!(told["run"]["version"].is_u64() && told["token"].is_null(), "{told}");
    assert_eq!(told["report"]["updated"], shown["report"]["updated"]);
    assert!(demo.told("people northfield h1").contains("teacher@nf-birch"));
    // By a file of keys, and nobody is nobody.
    let keys = demo.path().join("keys.txt");
    fs::write(&keys, "h0\n h2 \n\n").expect("written");
    let archive = format!("people bulk northfield --keys {} --archive", keys.display());
    assert_eq!(demo.json(&archive)["report"]["updated"], serde_json::json!(["h0", "h2"]));
    fs::write(&keys, "\n").expect("written");
    assert_eq!(demo.run(&archive).code, 2);
    assert_eq!(demo.run("people bulk northfield --archive").code, 2, "of whom?");
    assert_eq!(demo.run("people bulk northfield --role aide").code, 2, "what?");
    assert_eq!(demo.run("people bulk northfield --person h9 --archive").code, 66);
    let told = demo.told("people bulk northfield --role teacher --transfer nf-ash:nf-birch --limit 2");
    assert!(told.contains("of other sources left alone"), "{told}");
}
