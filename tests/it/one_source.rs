//! What concerns one source is no business of another one: the guards' profile after a pause (R108, R124), packages that cannot
//! be relied on (R105). And what a run told, whoever wrote to the books meanwhile.

use std::fs;

use rosterd::base::{Actor, SourceId};
use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::plan::GuardLimits;
use rosterd::service::{Import, ImportAnswer, ImportRequest, Phase};
use rosterd::store::{Pause, RunState, Trigger};

use crate::looks::with_second_source;
use crate::world::{World, succeeded};

fn district(prefix: &str, people: u32) -> World {
    let mut world = World::new("north")
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", Some(200), OnFull::Wait);
    world.policy.limits = GuardLimits { bootstrap_approval: false, ..GuardLimits::STANDARD };
    (0..people).for_each(|at| world.hire(&format!("{prefix}{at:03}"), "teacher", "ash"));
    world
}

/// Two sources, both taken in; the second one, `hr`, was paused for a day that is over, and has said nothing since.
fn after_a_pause() -> (World, World) {
    let (mut world, mut hr) = (district("a", 100), district("h", 100));
    hr.write_package();
    with_second_source(&mut world, &hr);
    world.night();
    assert_eq!(world.used("learn"), 200);
    let service = world.service();
    let now = service.now();
    let pause = Pause { source: SourceId::from("hr"), from: now, to: now.plus_millis(3_600_000), reason: "rollover".into() };
    service.pause(&service.customers()[0], &pause, &Actor::operator("ann")).expect("paused");
    world.next_day();
    (world, hr)
}

#[test]
fn r108_a_pause_of_one_source_raises_the_guards_of_no_other_one() {
    let (mut world, mut hr) = after_a_pause();
    (0..12).for_each(|at| world.end(&format!("a{at:03}")));
    let run = world.night();
    assert_eq!((run.state, world.used("learn")), (RunState::Held, 200), "12 of 100: {}", run.message);
    assert!(run.message.contains("source hr: first run after a pause"), "{}", run.message);
    // The paused one is judged as at the turn of a school year, once.
    (0..40).for_each(|at| hr.end(&format!("h{at:03}")));
    hr.write_package();
    world.night();
    assert_eq!(world.used("learn"), 160);
    (40..52).for_each(|at| hr.end(&format!("h{at:03}")));
    hr.write_package();
    let run = world.night();
    assert_eq!((run.state, world.used("learn")), (RunState::Held, 160), "{}", run.message);
    assert!(!run.message.contains("after a pause"), "{}", run.message);
    world.verify();
}

#[test]
fn r108_nor_those_of_a_file_by_hand() {
    let (world, _hr) = after_a_pause();
    let service = world.service();
    let customer = &service.customers()[0];
    let file = |people: std::ops::Range<u32>| -> String {
        let header = "key,given_name,family_name,email,username,identifier,enabled,grades,primary_org,roles,status,source\r\n";
        let rows = people.map(|at| format!("m{at:03},Ana,B,,,,true,,,teacher@ash,,\r\n"));
        header.to_owned() + &rows.collect::<String>()
    };
    let import = |text: &str| -> Import {
        let actor = Actor::operator("ann");
        let request = ImportRequest { file: "p.csv", bytes: text.as_bytes(), synchronize: true, org: None, by: None, actor };
        let token = service.preview_import(customer, &request).expect("a preview").token.expect("a token");
        match service.confirm_import(customer, &request, &token).expect("an answer") {
            ImportAnswer::Done(done) => *done,
            ImportAnswer::Refused(why) => panic!("{why:?}"),
        }
    };
    let first = import(&file(0..100));
    assert_ne!(first.run.state, RunState::Failed, "{}", first.run.message);
    let second = import(&file(12..100));
    assert_eq!(second.run.state, RunState::Held, "12 of 100: {}", second.run.message);
}

#[test]
fn r105_a_package_with_too_many_bad_rows_holds_its_own_source() {
    let (mut world, mut hr) = (district("a", 20), district("h", 20));
    (world.bad_percent_max, world.policy.absence_confirmations) = (5, 1);
    hr.write_package();
    with_second_source(&mut world, &hr);
    world.night();
    assert_eq!(world.used("learn"), 40);
    for night in 0..2 {
        world.end(&format!("a{night:03}"));
        (0..5 + night).for_each(|at| hr.people.get_mut(&format!("h{at:03}")).expect("there").broken = true);
        hr.vanish("h019");
        hr.write_package();
        let run = world.night();
        assert_eq!((run.state, world.used("learn")), (RunState::SucceededWithErrors, 39 - night), "{}", run.message);
        assert!(run.message.contains("source hr: package") && run.message.contains("roles are bad"), "{}", run.message);
        assert_eq!(run.rejected.iter().map(|(source, _)| source.as_str()).collect::<Vec<_>>(), ["hr"]);
    }
    // Alone it holds the run.
    hr.people.get_mut("h007").expect("there").broken = true;
    hr.write_package();
    let run = world.quiet_night();
    assert_eq!((run.state, world.used("learn")), (RunState::Held, 38), "{}", run.message);
    assert!(run.message.ends_with("nothing was changed"), "{}", run.message);
    world.verify();
}

#[test]
fn what_is_wrong_with_several_sources_is_told_of_each() {
    let (mut world, mut hr) = (district("a", 20), district("h", 20));
    world.bad_percent_max = 5;
    hr.write_package();
    with_second_source(&mut world, &hr);
    world.night();
    (0..5).for_each(|at| world.people.get_mut(&format!("a{at:03}")).expect("there").broken = true);
    hr.write_package();
    let newest = fs::read_dir(hr.dir.path().join("drop")).expect("listed").map(|entry| entry.expect("an entry").path()).max();
    fs::remove_file(newest.expect("a package").join("users.csv")).expect("removed");
    let run = world.night();
    assert_eq!((run.state, world.used("learn")), (RunState::Held, 40));
    assert!(
        run.message.contains("source sis: package") && run.message.contains("source hr: could not accept"),
        "{}",
        run.message
    );
    let mut rejected: Vec<&str> = run.rejected.iter().map(|(source, _)| source.as_str()).collect();
    rejected.sort_unstable();
    assert_eq!(rejected, ["hr", "sis"]);
}

#[test]
fn what_a_run_told_is_known_though_somebody_else_committed_meanwhile() {
    let mut world = district("a", 20);
    world.night();
    (0..6).for_each(|at| world.end(&format!("a{at:03}")));
    world.write_package();
    let service = world.service();
    let met = std::sync::Once::new();
    let meet = |phase: Phase| {
        if phase == Phase::Committing {
            met.call_once(|| {
                world.clock.set(service.now().plus_millis(1_000));
                world.buy("more", "learn", 5, "2026-03-01");
                world.clock.set(service.now().plus_millis(1_000));
            });
        }
    };
    let run = service.sync(&service.customers()[0], &Trigger::Drop, &meet).expect("a run");
    assert!(met.is_completed() && run.state == RunState::Held, "{} {}", run.state, run.message);
    let kinds = |run| service.notices_of(run).expect("notices").into_iter().map(|notice| notice.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&run), ["hold_opened"]);
    world.next_day();
    let quiet = world.run();
    assert!(succeeded(&quiet) || quiet.state == RunState::Held);
    assert!(kinds(&quiet).iter().all(|kind| kind == "hold_opened"), "a reminder at most: {:?}", kinds(&quiet));
}
