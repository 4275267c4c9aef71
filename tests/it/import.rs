//! People by hand: export, preview, confirm (R133 to R135, T16, T17).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use assert_cmd::Command;
use proptest::collection::btree_map;
use proptest::prelude::{ProptestConfig, Strategy, proptest};
use proptest::sample::select;
use rosterd::base::{Actor, Instant, PersonKey};
use rosterd::clock::Clock;
use rosterd::license::{Cause, Channel, ClaimState, Entry, HoldState, OnFull, ProductKind, SeatModel};
use rosterd::plan::GuardKind;
use rosterd::service::{Import, ImportAnswer, ImportRequest, Kept, KeptWhy, ServiceError, TokenRefusal};
use rosterd::store::{AuditCommit, RunRow, RunState, Trigger};
use tempfile::TempDir;

use crate::world::{World, succeeded};

const HEADER: &str = "key,given_name,family_name,email,username,identifier,enabled,grades,primary_org,roles,status,source";

/// How a file is meant.
#[derive(Clone, Copy, Default)]
struct Meant<'a> {
    synchronize: bool,
    org: Option<&'a str>,
    by: Option<&'a str>,
}

const UPSERT: Meant<'_> = Meant { synchronize: false, org: None, by: None };
const SYNCHRONIZE: Meant<'_> = Meant { synchronize: true, org: None, by: None };

fn request<'a>(text: &'a str, meant: Meant<'a>) -> ImportRequest<'a> {
    let Meant { synchronize, org, by } = meant;
    ImportRequest { file: "people.csv", bytes: text.as_bytes(), synchronize, org, by, actor: Actor::operator("ann") }
}

fn preview(world: &World, text: &str, meant: Meant<'_>) -> Import {
    let service = world.service();
    let import = service.preview_import(&service.customers()[0], &request(text, meant)).expect("a preview");
    println!("preview {}: {} {:?}", import.run.state, import.run.message, import.report);
    for (line, rule, detail) in findings(world, &import) {
        println!("  {line} {rule} {detail}");
    }
    import
}

fn answer(world: &World, text: &str, meant: Meant<'_>, token: &str) -> ImportAnswer {
    let service = world.service();
    service.confirm_import(&service.customers()[0], &request(text, meant), token).expect("an answer")
}

fn confirm(world: &World, text: &str, meant: Meant<'_>, token: &str) -> Import {
    match answer(world, text, meant, token) {
        ImportAnswer::Done(import) => *import,
        ImportAnswer::Refused(why) => panic!("refused: {why:?}"),
    }
}

fn refused(world: &World, text: &str, meant: Meant<'_>, token: &str) -> TokenRefusal {
    match answer(world, text, meant, token) {
        ImportAnswer::Done(import) => panic!("done: {:?}", import.run),
        ImportAnswer::Refused(why) => why,
    }
}

/// Previews and confirms.
fn import(world: &World, text: &str, meant: Meant<'_>) -> Import {
    let token = preview(world, text, meant).token.expect("a token");
    confirm(world, text, meant, &token)
}

fn export(world: &World, org: Option<&str>) -> String {
    let service = world.service();
    let export = service.export_people(&service.customers()[0], org).expect("an export");
    String::from_utf8(export.file).expect("text")
}

/// Line, rule and detail of what a file got wrong.
fn findings(world: &World, import: &Import) -> Vec<(u64, String, String)> {
    let rows = world.service().store().findings(import.run.run, 0, 1000).expect("findings");
    rows.into_iter().map(|f| (f.row, f.rule, f.detail)).collect()
}

fn rules(world: &World, import: &Import) -> Vec<(u64, String)> {
    findings(world, import).into_iter().map(|(line, rule, _)| (line, rule)).collect()
}

fn rule(line: u64, rule: &str) -> (u64, String) {
    (line, rule.to_owned())
}

fn version(world: &World) -> u64 {
    world.service().store().version(&world.policy.customer).expect("a version").0
}

fn without(text: &str, gone: impl Fn(&str) -> bool) -> String {
    let kept = text.split_inclusive("\r\n").filter(|line| !gone(line.split(',').next().unwrap_or_default()));
    kept.collect()
}

fn person(key: &str, roles: &str) -> String {
    format!("{key},Given {key},Family,{key}@example.org,,,true,,,{roles},,\r\n")
}

fn file(rows: impl IntoIterator<Item = String>) -> String {
    let rows: String = rows.into_iter().collect();
    format!("{HEADER}\r\n{rows}")
}

/// A district with two schools; its student information system delivers one teacher, `boss`.
fn district(seats: Option<u32>, on_full: OnFull) -> World {
    let mut world = World::new("north")
        .school("ash")
        .school("birch")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", seats, on_full)
        .person("boss", "teacher", "ash");
    world.policy.limits.removal_percent = 10;
    world.policy.limits.org_removal_percent = 50;
    assert!(succeeded(&world.night()));
    world
}

/// The same with 200 people made by hand: `p000` to `p199`, the even ones at ash.
fn two_hundred() -> World {
    let world = district(Some(300), OnFull::Wait);
    let school = |at| if at % 2 == 0 { "teacher@ash" } else { "teacher@birch" };
    let done = import(&world, &file((0..200).map(|at| person(&format!("p{at:03}"), school(at)))), UPSERT);
    assert_eq!((done.run.state, done.report.created.len()), (RunState::Succeeded, 200));
    assert_eq!(world.used("learn"), 201);
    world
}

fn number(key: &str) -> Option<u32> {
    key.strip_prefix('p')?.parse().ok()
}

#[test]
fn t17_unedited_is_an_empty_plan() {
    let world = two_hundred();
    let text = export(&world, None);
    assert_eq!(text.lines().count(), 202);
    for meant in [UPSERT, SYNCHRONIZE] {
        let unedited = preview(&world, &text, meant);
        assert!(unedited.plan.expect("a plan").is_empty());
        assert_eq!((unedited.token, unedited.report.unchanged, unedited.report.of_sources), (None, 200, 1));
        assert_eq!((unedited.run.state, unedited.run.trigger.word()), (RunState::Planned, "import"));
    }
    world.verify();
}

#[test]
fn t17_four_rows_deleted() {
    let world = two_hundred();
    let text = without(&export(&world, None), |key| number(key).is_some_and(|n| n < 4));
    let upsert = preview(&world, &text, UPSERT);
    assert!(upsert.plan.expect("a plan").is_empty(), "nobody absent is touched");
    let before = version(&world);
    let shown = preview(&world, &text, SYNCHRONIZE);
    let four = ["p000", "p001", "p002", "p003"];
    assert_eq!(shown.report.removed, four);
    let plan = shown.plan.expect("a plan");
    assert!(plan.verdict.proceeds());
    assert_eq!((plan.pools[0].before.used().0, plan.pools[0].after.used().0), (201, 197));
    assert_eq!((version(&world), world.used("learn")), (before, 201), "a preview changes nothing");

    let token = shown.token.expect("a token");
    let done = confirm(&world, &text, SYNCHRONIZE, &token);
    assert_eq!((done.run.run, done.run.state, done.run.tally.released), (shown.run.run, RunState::Succeeded, 4));
    assert_eq!((version(&world), world.used("learn")), (before + 1, 197), "seats are free at once");
    assert!(four.iter().all(|key| world.state(key, "learn").is_none()));
    assert_eq!(refused(&world, &text, SYNCHRONIZE, &token), TokenRefusal::Used);

    let service = world.service();
    let row = service.run_row(done.run.run).expect("the run");
    assert_eq!((row.trigger, row.packages), (Trigger::Import(Actor::operator("ann")), vec!["manual:people.csv".to_owned()]));
    let mut trail = Vec::new();
    service
        .trail(&service.customers()[0], rosterd::base::Version(before), &mut |commit| {
            trail.push((commit.actor, commit.verb, commit.run));
            std::ops::ControlFlow::Continue(())
        })
        .expect("a trail");
    assert_eq!(trail, [("operator:ann".to_owned(), "import".to_owned(), Some(done.run.run))]);
    assert!(preview(&world, &text, SYNCHRONIZE).plan.expect("a plan").is_empty());
    assert_eq!(without(&export(&world, None), |_| false), text);
    world.verify();
}

#[test]
fn t17_thirty_rows_deleted_are_held() {
    let world = two_hundred();
    let text = without(&export(&world, None), |key| number(key).is_some_and(|n| n < 30));
    let shown = preview(&world, &text, SYNCHRONIZE);
    assert_eq!(shown.report.removed.len(), 30);
    let trips = shown.plan.expect("a plan").verdict.trips.clone();
    assert_eq!(trips.len(), 1);
    assert_eq!((trips[0].guard, trips[0].removed, trips[0].base, trips[0].limit_percent), (GuardKind::Removal, 30, 200, 10));
    // Confirming records the hold; what it covers stays seated.
    let done = confirm(&world, &text, SYNCHRONIZE, &shown.token.expect("a token"));
    assert_eq!((done.run.state, done.run.tally.released, world.used("learn")), (RunState::Held, 0, 201));
    let standing = world.service().store().standing_light(&world.policy.customer).expect("books");
    assert_eq!(standing.absences.iter().filter(|a| a.held && a.ended && a.source.as_str() == "manual").count(), 30);
    world.verify();
}

#[test]
fn t17_the_guard_looks_at_the_people_made_by_hand_alone() {
    let mut world = two_hundred();
    for at in 0..400 {
        world.hire(&format!("s{at:03}"), "student", "birch");
    }
    assert!(succeeded(&world.night()));
    let text = without(&export(&world, None), |key| number(key).is_some_and(|n| n < 30));
    let verdict = preview(&world, &text, SYNCHRONIZE).plan.expect("a plan").verdict.clone();
    assert_eq!((verdict.trips[0].base, verdict.trips[0].removed), (200, 30), "30 of 601 would pass");
}

/// The run wrote down that something is held, and nothing else at all.
fn only_a_hold(world: &World, run: &RunRow) {
    let mut commits = Vec::new();
    let mut each = |commit: AuditCommit| {
        commits.push(commit);
        Ok(())
    };
    let version = run.version.expect("a hold is written down");
    let before = rosterd::base::Version(version.0 - 1);
    world.service().store().audit(&world.policy.customer, before, &mut each).expect("a trail");
    let [commit] = commits.as_slice() else { panic!("{} commits", commits.len()) };
    assert!(commit.changes.is_empty(), "{:?}", commit.changes);
    assert!(commit.entries.iter().all(|entry| matches!(entry, Entry::Hold(_))), "{:?}", commit.entries);
    assert!(commit.entries.iter().any(|entry| matches!(entry, Entry::Hold(hold) if hold.state == HoldState::Open)));
}

#[test]
fn t17_a_header_alone_is_held_as_empty() {
    let mut world = two_hundred();
    world.by_hand.protected = vec![PersonKey::from("p007")];
    for by in [None, Some("p008")] {
        let meant = Meant { by, ..SYNCHRONIZE };
        let shown = preview(&world, &file([]), meant);
        let verdict = &shown.plan.as_ref().expect("a plan").verdict;
        assert_eq!(verdict.trips[0].guard, GuardKind::Empty, "whoever is protected");
        let done = confirm(&world, &file([]), meant, &shown.token.expect("a token"));
        assert_eq!((done.run.state, world.used("learn")), (RunState::Held, 201));
        only_a_hold(&world, &done.run);
    }
    assert!(preview(&world, &file([]), UPSERT).plan.expect("a plan").is_empty());
    // Nothing of it was taken in: the next export still has everybody.
    assert_eq!(export(&world, None).lines().count(), 202);
    world.verify();
}

#[test]
fn r119_a_trip_that_stops_all_takes_nothing_in() {
    let mut world = two_hundred();
    world.policy.limits.trip_stops_all = true;
    let text = without(&export(&world, None), |key| number(key).is_some_and(|n| n < 30)) + &person("new", "teacher@ash");
    let done = import(&world, &text, SYNCHRONIZE);
    assert_eq!((done.run.state, world.used("learn")), (RunState::Held, 201));
    only_a_hold(&world, &done.run);
    world.policy.limits.trip_stops_all = false;
    // The same file again: with removals held alone, whoever is new comes in.
    let done = import(&world, &text, SYNCHRONIZE);
    assert_eq!((done.run.state, done.run.tally.seated, world.used("learn")), (RunState::Held, 1, 202));
    // What was held by hand is not let go by a night, nor by another import.
    assert_eq!(world.quiet_night().tally.released, 0);
    let done = import(&world, &file([person("newer", "teacher@ash")]), UPSERT);
    assert_eq!((done.run.tally.seated, done.run.tally.released), (1, 0));
    // Whoever stands in the file again is no removal any more.
    let back = import(&world, &file([person("p000", "teacher@ash")]), UPSERT);
    assert_eq!(
        (back.report.created.as_slice(), world.state("p000", "learn")),
        (["p000".to_owned()].as_slice(), Some(ClaimState::Active))
    );
    world.verify();
}

#[test]
fn r115_people_made_by_hand_do_not_thin_out_the_guard_of_a_source() {
    let mut world = two_hundred();
    (0..19).for_each(|at| world.hire(&format!("s{at:02}"), "teacher", "ash"));
    assert!(succeeded(&world.night()));
    (0..6).for_each(|at| world.end(&format!("s{at:02}")));
    let run = world.night();
    assert_eq!((run.state, run.tally.released, world.used("learn")), (RunState::Held, 0, 220));
    assert!(run.message.contains("6 of 20 people would go"), "{}", run.message);
    // What is held of one source does not hold an import.
    let done = import(&world, &file([person("new", "teacher@ash")]), UPSERT);
    assert_eq!((done.run.state, done.run.tally.seated, world.used("learn")), (RunState::Succeeded, 1, 221));
    world.verify();
}

#[test]
fn r115_roles_are_cells_and_no_collection() {
    let world = two_hundred();
    let text = export(&world, None).replace("teacher@birch,active,manual", ",active,manual");
    let done = import(&world, &text, SYNCHRONIZE);
    assert_eq!((done.run.state, done.report.updated.len(), world.used("learn")), (RunState::Succeeded, 100, 101));
    world.verify();
}

#[test]
fn t17_uploader_and_protected_stay_and_are_told() {
    let mut world = two_hundred();
    world.by_hand.protected = vec![PersonKey::from("p001")];
    let text = without(&export(&world, None), |key| ["p000", "p001", "p002", "boss"].contains(&key));
    let meant = Meant { by: Some("p000"), ..SYNCHRONIZE };
    let done = import(&world, &text, meant);
    assert_eq!(done.report.removed, ["p002"]);
    let kept = |person: &str, why| Kept { person: person.to_owned(), why };
    assert_eq!(done.report.kept, [kept("p000", KeptWhy::Uploader), kept("p001", KeptWhy::Protected)]);
    assert_eq!(done.report.elsewhere, 1, "boss is delivered by another source");
    assert_eq!(world.used("learn"), 200);
    // An explicit end in a row is no way round it.
    let ends = file(["p000", "p001", "p003"].map(|key| format!("{key},,,,,,,,,,ended,\r\n")));
    let done = import(&world, &ends, Meant { synchronize: false, ..meant });
    assert_eq!((done.report.removed.as_slice(), done.report.kept.len()), (["p003".to_owned()].as_slice(), 2));
    assert_eq!(world.state("p000", "learn"), Some(ClaimState::Active));
    let service = world.service();
    let unknown = service.preview_import(&service.customers()[0], &request(&text, Meant { by: Some("p0"), ..meant }));
    assert!(matches!(unknown, Err(ServiceError::Unknown { what: "person", .. })), "who is not there protects nobody");
}

#[test]
fn r134_tokens() {
    let mut world = two_hundred();
    let text = without(&export(&world, None), |key| key == "p000");
    let other = without(&export(&world, None), |key| key == "p001");
    let shown = preview(&world, &text, SYNCHRONIZE);
    let token = shown.token.expect("a token");
    for wrong in ["", "x", "99-0", "1-00000000000000000000000000000000"] {
        assert_eq!(refused(&world, &text, SYNCHRONIZE, wrong), TokenRefusal::Unknown, "{wrong}");
    }
    let forged = format!("{}-{}", shown.run.run, "0".repeat(32));
    assert_eq!(refused(&world, &text, SYNCHRONIZE, &forged), TokenRefusal::OtherFile);
    assert_eq!(refused(&world, &other, SYNCHRONIZE, &token), TokenRefusal::OtherFile);
    for meant in [UPSERT, Meant { org: Some("ash"), ..SYNCHRONIZE }, Meant { by: Some("boss"), ..SYNCHRONIZE }] {
        assert_eq!(refused(&world, &text, meant, &token), TokenRefusal::OtherFile);
    }
    let began = world.clock.now();
    let later = |hours: i64, millis: i64| Instant(began.0 + hours * 3_600_000 + millis);
    world.clock.set(later(72, 1));
    assert_eq!(refused(&world, &text, SYNCHRONIZE, &token), TokenRefusal::Expired);
    // Another commit in between: what was shown may not be so any more.
    world.clock.set(later(1, 0));
    world.buy("more", "learn", 5, "2026-03-01");
    let planned = rosterd::base::Version(version(&world) - 1);
    let moved = TokenRefusal::Moved { planned, now: rosterd::base::Version(version(&world)) };
    assert_eq!(refused(&world, &text, SYNCHRONIZE, &token), moved);
    assert_eq!(world.used("learn"), 201, "no refusal changed anything");
    // Days may pass while nothing changes.
    let token = preview(&world, &text, SYNCHRONIZE).token.expect("a token");
    world.clock.set(later(73, 0));
    assert_eq!(confirm(&world, &text, SYNCHRONIZE, &token).report.removed, ["p000"]);
    assert_eq!(world.used("learn"), 200);
    // A changed setting is another plan.
    let token = preview(&world, &other, SYNCHRONIZE).token.expect("a token");
    world.policy.limits.removal_min = 0;
    world.policy.limits.removal_percent = 0;
    assert_eq!(refused(&world, &other, SYNCHRONIZE, &token), TokenRefusal::Different);
    world.verify();
}

#[test]
fn r133_a_scope_leaves_all_others_alone() {
    let world = two_hundred();
    let ash = Meant { org: Some("ash"), ..SYNCHRONIZE };
    let text = export(&world, Some("ash"));
    assert_eq!(text.lines().count(), 1 + 100 + 1);
    assert!(preview(&world, &text, ash).plan.expect("a plan").is_empty());
    let fewer = without(&text, |key| key == "p000" || key == "p002");
    let birch = [person("p001", "teacher@ash"), person("new", "teacher@birch"), person("p004", "teacher@birch")];
    let fewer = format!("{}{}", without(&fewer, |key| key == "p004"), birch.concat());
    let done = import(&world, &fewer, ash);
    assert_eq!(done.report.removed, ["p000", "p002"]);
    let lines = fewer.lines().count() as u64;
    let outside = [lines - 2, lines - 1, lines].map(|line| rule(line, "out_of_scope"));
    assert_eq!(rules(&world, &preview(&world, &fewer, ash)), outside);
    assert_eq!(world.used("learn"), 199);
    // 20 of the 98 at ash are too many, though they are not of all 198.
    let fewer = without(&export(&world, Some("ash")), |key| number(key).is_some_and(|n| n < 44));
    let shown = preview(&world, &fewer, ash);
    let trip = shown.plan.expect("a plan").verdict.trips[0].clone();
    assert_eq!((trip.guard, trip.removed, trip.base), (GuardKind::Removal, 20, 98));
    let service = world.service();
    let unknown = service.preview_import(&service.customers()[0], &request(&text, Meant { org: Some("asch"), ..ash }));
    assert!(matches!(unknown, Err(ServiceError::Unknown { what: "org", hint: Some(hint), .. }) if hint == "ash"));
}

#[test]
fn r6_a_source_removes_only_what_it_delivers() {
    let mut world = district(Some(10), OnFull::Wait);
    import(&world, &file([person("hand", "teacher@ash")]), UPSERT);
    let text = export(&world, None);
    let boss = text.lines().find(|line| line.starts_with("boss,")).expect("the row").to_owned();
    assert!(boss.ends_with(",teacher@ash,active,sis"), "{boss}");
    let shown = preview(&world, &without(&text, |key| key == "boss"), SYNCHRONIZE);
    assert_eq!((shown.report.elsewhere, shown.report.removed.len(), shown.token), (1, 0, None));
    let edited = text.replace("boss,boss,", "boss,Renamed,");
    let shown = preview(&world, &edited, UPSERT);
    assert_eq!(rules(&world, &shown), [rule(2, "owned_by_source")]);
    let claimed = text.replace(",sis", ",manual");
    assert_eq!(rules(&world, &preview(&world, &claimed, UPSERT)), [rule(2, "wrong_source")]);
    let claimed = text.replace(",manual", ",sis");
    assert_eq!(rules(&world, &preview(&world, &claimed, UPSERT)), [rule(3, "wrong_source")]);
    // Nights leave what was made by hand alone, whoever comes and goes.
    world.hire("late", "teacher", "birch");
    world.end("boss");
    assert!(succeeded(&world.night()));
    assert_eq!(world.seated("learn"), ["hand", "late"]);
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(world.seated("learn"), ["hand", "late"]);
    // Delivered by both: the source's word counts, and a file by hand removes nobody.
    world.hire("hand", "teacher", "birch");
    assert!(succeeded(&world.night()));
    let shown = preview(&world, &file([person("x", "")]), SYNCHRONIZE);
    assert_eq!((shown.report.elsewhere, shown.report.removed.len()), (2, 0));
    world.verify();
}

#[test]
fn r104_bad_rows_keep_their_people_and_the_rest_proceeds() {
    let world = two_hundred();
    let text = export(&world, None);
    let good = without(&text, |key| ["p000", "p001", "p002", "p003"].contains(&key));
    let bad = [
        person("p000", "teacher@asch"),
        person("p001", "teacher"),
        "p002,,,,,,perhaps,,,,,\r\n".to_owned(),
        person("p004", "student@ash"),
        person("new", "teacher@ash"),
    ];
    let text = format!("{good}{}", bad.concat());
    let line = good.lines().count() as u64;
    let done = import(&world, &text, SYNCHRONIZE);
    assert_eq!(done.run.state, RunState::SucceededWithErrors);
    let told = ["missing_reference", "bad_roles", "bad_boolean", "duplicate_key"];
    let mut told: Vec<_> = (line + 1..).zip(told).map(|(line, word)| rule(line, word)).collect();
    told.sort();
    let mut found = rules(&world, &done);
    found.sort();
    assert_eq!(found, told);
    assert!(findings(&world, &done).iter().any(|(_, _, detail)| detail.contains("did you mean ash?")));
    assert_eq!((done.report.created, done.report.removed), (vec!["new".to_owned()], vec!["p003".to_owned()]));
    assert_eq!(world.used("learn"), 201);
    world.verify();

    // A row that does not say whom it is about could be anybody's: nobody is absent.
    let fewer = without(&export(&world, None), |key| key == "p009");
    let shown = preview(&world, &format!("{fewer},somebody,,,,,,,,,,\r\n"), SYNCHRONIZE);
    assert!(shown.report.absence_untellable && shown.report.removed.is_empty());
}

#[test]
fn r105_too_many_bad_rows_hold_the_file_and_a_bad_file_fails() {
    let mut world = two_hundred();
    world.bad_percent_max = 5;
    let text = export(&world, None).replace("teacher@birch", "teacher@nowhere");
    let shown = preview(&world, &text, SYNCHRONIZE);
    assert_eq!((shown.run.state, shown.token.clone()), (RunState::Held, None));
    assert!(shown.run.message.contains("100 of 201 people are bad"), "{}", shown.run.message);
    assert_eq!(rules(&world, &shown).len(), 100);
    let shown = preview(&world, "key,name\r\na,b\r\n", SYNCHRONIZE);
    assert_eq!((shown.run.state, shown.token.clone(), shown.plan.is_none()), (RunState::Failed, None, true));
    assert!(shown.run.message.contains("people.csv bad_header"), "{}", shown.run.message);
    assert_eq!(rules(&world, &shown), [rule(0, "bad_header")]);
    assert_eq!(world.used("learn"), 201);
}

#[test]
fn r5_another_key_with_the_same_email_is_no_delete_and_create() {
    let world = two_hundred();
    let text = export(&world, None);
    let renamed = text.replace("p000,Given", "q000,Given");
    let shown = preview(&world, &renamed, SYNCHRONIZE);
    assert_eq!(rules(&world, &shown), [rule(3, "identity_conflict")]);
    assert_eq!(shown.report.kept, [Kept { person: "p000".into(), why: KeptWhy::SameEmail }]);
    assert!(shown.report.created.is_empty() && shown.report.removed.is_empty());
    // Somebody else altogether may have it (R7).
    let handed_on = text.replace("p000,Given p000,Family", "q000,Other,Person");
    let done = import(&world, &handed_on, SYNCHRONIZE);
    assert_eq!((done.report.created, done.report.removed), (vec!["q000".to_owned()], vec!["p000".to_owned()]));
    assert_eq!(world.used("learn"), 201);
}

#[test]
fn r130_whoever_comes_back_is_seated_again() {
    let world = two_hundred();
    let text = export(&world, None);
    import(&world, &without(&text, |key| key == "p000"), SYNCHRONIZE);
    assert_eq!(world.state("p000", "learn"), None);
    let done = import(&world, &text, SYNCHRONIZE);
    assert_eq!(done.report.created, ["p000"]);
    assert_eq!((world.state("p000", "learn"), export(&world, None)), (Some(ClaimState::Active), text));
    world.verify();
}

fn academy(auto_assign: bool) -> World {
    let mut world = World::new("north")
        .school("ash")
        .product("access", ProductKind::Access, SeatModel::Role)
        .product("content", ProductKind::Content, SeatModel::Role)
        .pool("access", "d", Some(100), OnFull::Overdraw)
        .pool("content", "d", Some(1), OnFull::Overdraw)
        .person("boss", "teacher", "ash");
    world.policy.products.iter_mut().for_each(|product| product.auto_assign = product.id.as_str() == "access" || auto_assign);
    assert!(succeeded(&world.night()));
    world
}

#[test]
fn t16_creation_by_hand_is_coupled_to_auto_assign() {
    let mut world = academy(true);
    assert_eq!((world.used("access"), world.balance("content")), (1, 0));
    let ann = file([person("ann", "teacher@ash")]);
    let shown = preview(&world, &ann, UPSERT);
    assert!(shown.plan.as_ref().is_some_and(|plan| plan.is_empty()) && shown.token.is_none());
    let blocked = "blocked_by=content: 1 of 1 seats are used".to_owned();
    assert_eq!(findings(&world, &shown), [(2, "pool_exhausted".to_owned(), blocked)]);
    assert_eq!((shown.report.created.len(), shown.report.refused), (0, 1));
    // Sync of three new people overdraws.
    ["s1", "s2", "s3"].iter().for_each(|key| world.hire(key, "student", "ash"));
    assert!(succeeded(&world.night()));
    assert_eq!(world.balance("content"), -3);
    assert_eq!(world.view("content").causes.get(&Cause::SyncOverdraw), Some(&3));
    let notices = world.service().store().notices(None, 10).expect("notices");
    assert_eq!(notices.iter().filter(|notice| notice.kind == "negative_balance").count(), 1);
    world.buy("two", "content", 2, "2026-03-01");
    assert_eq!(world.balance("content"), -1);
    assert_eq!(preview(&world, &ann, UPSERT).report.refused, 1);
    world.buy("two-more", "content", 2, "2026-03-01");
    assert_eq!(world.balance("content"), 1);
    // Exactly one of three is admitted, the first in the queue's order; the others are not made at all.
    let three = file(["cat", "ann", "bob"].map(|key| person(key, "teacher@ash")));
    let done = import(&world, &three, UPSERT);
    assert_eq!((done.report.created, done.report.refused), (vec!["ann".to_owned()], 2));
    assert_eq!((world.balance("content"), world.used("access")), (0, 5));
    assert_eq!(world.state("bob", "access"), None);
    // A holder is never refused (R41).
    let changed = file([person("ann", "student@ash")]);
    assert_eq!(import(&world, &changed, UPSERT).report.updated, ["ann"]);
    world.verify();
}

#[test]
fn t16_without_auto_assign_or_coupling_access_comes_alone() {
    let world = academy(false);
    let ann = file([person("ann", "teacher@ash")]);
    assert_eq!(import(&world, &ann, UPSERT).report.created, ["ann"]);
    assert_eq!((world.state("ann", "access"), world.state("ann", "content")), (Some(ClaimState::Active), None));

    let mut world = academy(true);
    world.by_hand.coupled_create = false;
    assert_eq!(import(&world, &ann, UPSERT).report.created, ["ann"]);
    assert_eq!(world.state("ann", "access"), Some(ClaimState::Active));
    // By hand nothing is overdrawn, on this day or any later one (R47).
    let waits = |world: &World| (world.state("ann", "content"), world.balance("content"));
    assert_eq!(waits(&world), (Some(ClaimState::Waiting), 0));
    world.hire("s1", "student", "ash");
    assert!(succeeded(&world.night()));
    assert_eq!(waits(&world), (Some(ClaimState::Waiting), -1));
    let (_, claims) = world.service().store().claims_of(&world.policy.customer, "ann").expect("claims");
    assert!(claims.iter().all(|claim| claim.channel == Channel::Manual));
    world.verify();
}

#[test]
fn r52_whom_one_product_refuses_makes_room_in_another() {
    let mut world = World::new("north").school("ash").person("boss", "teacher", "ash");
    for product in ["first", "second"] {
        world = world.product(product, ProductKind::Module, SeatModel::Role);
    }
    world = world.pool("first", "d", Some(2), OnFull::Wait).pool("second", "d", Some(3), OnFull::Wait);
    world.policy.products.iter_mut().for_each(|product| product.auto_assign = true);
    assert!(succeeded(&world.night()));
    let done = import(&world, &file(["a", "b", "c"].map(|key| person(key, "teacher@ash"))), UPSERT);
    assert_eq!((done.report.created.clone(), done.report.refused), (vec!["a".to_owned()], 2));
    assert!(findings(&world, &done).iter().all(|(_, _, detail)| detail.starts_with("blocked_by=first")));
    assert_eq!((world.used("first"), world.used("second")), (2, 2));
}

#[test]
fn r133_a_customer_may_have_nobody_but_people_made_by_hand() {
    let mut world = World::new("north")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "acme", Some(2), OnFull::Wait);
    world.by_hand_only = true;
    let rows = [person("a", "teacher@acme"), person("b", "student@acme"), person("c", "teacher@acne")];
    let done = import(&world, &file(rows), UPSERT);
    assert_eq!((done.report.created.len(), rules(&world, &done)), (2, vec![rule(4, "missing_reference")]));
    assert_eq!(world.seated("learn"), ["a"]);
    assert!(succeeded(&world.quiet_night()));
    let text = export(&world, Some("acme"));
    assert!(preview(&world, &text, SYNCHRONIZE).plan.expect("a plan").is_empty());
    assert_eq!(import(&world, &without(&text, |key| key == "a"), SYNCHRONIZE).report.removed, ["a"]);
    assert_eq!(world.used("learn"), 0);
    world.verify();
}

fn name() -> impl Strategy<Value = String> {
    let chars = vec!['=', '+', '-', '@', '\'', '"', ',', ';', '\n', '\t', ' ', 'a', 'Z', 'é', '名', '🎓'];
    proptest::collection::vec(select(chars), 0..7).prop_map(|chars| chars.into_iter().collect())
}

fn key() -> impl Strategy<Value = String> {
    let chars = vec!['=', '-', '\'', '"', ',', '@', 'a', 'b', 'é', '7'];
    proptest::collection::vec(select(chars), 1..5).prop_map(|chars| chars.into_iter().collect())
}

fn cell(text: &str) -> String {
    let guard = if text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn r135_the_export_round_trips(people in btree_map(key(), (name(), name(), select(vec!["", "teacher@ash", "student@birch;teacher@ash"])), 1..6)) {
        let world = district(None, OnFull::Wait);
        let rows = people.iter().map(|(key, (given, family, roles))| {
            format!("{},{},{},,,,,,,{roles},,\r\n", cell(key), cell(given), cell(family))
        });
        let done = import(&world, &file(rows), SYNCHRONIZE);
        assert_eq!(done.report.created, people.keys().cloned().collect::<Vec<_>>());
        let text = export(&world, None);
        let shown = preview(&world, &text, SYNCHRONIZE);
        assert!(shown.plan.expect("a plan").is_empty());
        assert_eq!((shown.report.unchanged, shown.report.refused), (people.len() as u64, 0));
        let mut names = BTreeMap::new();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        for row in reader.records().map(|row| row.expect("a row")).filter(|row| &row[11] == "manual") {
            let guarded = row.iter().take(3).all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
            assert!(guarded, "{row:?}");
            names.insert(row[0].to_owned(), ());
        }
        assert_eq!(names.len(), people.len());
    }
}

/// Settings of one customer with nothing but people by hand, and the program on them.
struct Place(TempDir);

impl Place {
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_rosterd"));
        program.env_clear().env("USER", "ann").current_dir(self.0.path());
        let done = program.args(arguments).args(["--config", "rosterd.toml"]).output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (done.status.code().expect("an exit"), text(done.stdout), text(done.stderr))
    }
}

#[test]
fn the_commands() {
    let place = Place(tempfile::tempdir().expect("a folder"));
    let at = |name: &str| place.0.path().join(name);
    let settings = "[store]\npath = \"rosterd.db\"\n[[customer]]\nid = \"acme\"\nprotected = [\"a\"]\n\
                    [[customer.product]]\nid = \"learn\"\n[[customer.pool]]\nid = \"main\"\nproduct = \"learn\"\nowner = \"acme\"\n\
                    [[customer.pool.grant]]\nid = \"po\"\nseats = 3\nfrom = \"2026-01-01\"\n\
                    [[customer.rule]]\nid = \"teachers\"\nproduct = \"learn\"\nwhen = { role = [\"teacher\"] }\n";
    fs::write(at("rosterd.toml"), settings).expect("a file");
    fs::write(at("new.csv"), file(["a", "b", "c"].map(|key| person(key, "teacher@acme")))).expect("a file");

    let (code, out, _) = place.run(&["people", "import", "acme", "new.csv"]);
    assert!(out.contains("3 created: a, b, c"), "{out}");
    let token = out.split("`--confirm ").nth(1).and_then(|rest| rest.split('`').next()).expect("a token").to_owned();
    assert_eq!(code, 0);
    let (code, out, _) = place.run(&["people", "import", "acme", "new.csv", "--confirm", &token]);
    assert!(out.contains("run 1 of acme: succeeded (import, by operator:ann)"), "{out}");
    assert_eq!(code, 0);
    let (code, out, _) = place.run(&["people", "import", "acme", "new.csv", "--confirm", &token]);
    assert!(out.starts_with("refused (token_used)"), "{out}");
    assert_eq!(code, 1);

    let (code, out, _) = place.run(&["people", "export", "acme", "--out", "people.csv"]);
    assert_eq!((code, out.as_str()), (0, "3 rows written to people.csv; 3 made by hand\n"));
    assert_eq!(fs::metadata(at("people.csv")).expect("the file").permissions().mode() & 0o777, 0o600);
    let (_, printed, _) = place.run(&["people", "export", "acme"]);
    assert_eq!(fs::read_to_string(at("people.csv")).expect("the file"), printed);
    let (code, out, _) = place.run(&["people", "import", "acme", "people.csv", "--synchronize"]);
    assert!(code == 0 && out.ends_with("nothing to do\n"), "{out}");

    fs::write(at("few.csv"), file([person("b", "teacher@acme")])).expect("a file");
    let (code, out, _) = place.run(&["people", "import", "acme", "few.csv", "--synchronize", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, json["report"]["removed"].to_string()), (0, "[\"c\"]".to_owned()));
    assert_eq!(json["report"]["kept"].to_string(), "[{\"person\":\"a\",\"why\":\"protected\"}]");
    let (code, out, _) = place.run(&[
        "people",
        "import",
        "acme",
        "new.csv",
        "--synchronize",
        "--confirm",
        json["token"].as_str().expect("a token"),
        "--json",
    ]);
    assert!(code == 1 && out.contains("\"token_of_another_file\""), "{out}");
    let (code, _, err) = place.run(&["people", "import", "acme", "none.csv"]);
    assert!(code == 2 && err.contains("could not use the file none.csv: "), "{err}");
    let (code, out, _) = place.run(&["people", "acme"]);
    assert!(code == 0 && out.contains("3 of 3 people shown"), "{out}");
    assert_eq!(place.run(&["people"]).0, 2);
    assert!(Path::new(&at("rosterd.db")).exists());
}
