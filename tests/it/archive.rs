//! Retention of the trail (R160): old content lies in a file, and nobody who asks can tell.

use std::fs;
use std::path::PathBuf;

use rosterd::base::{Digest, Instant, Version};
use rosterd::clock::Clock;
use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::service::{Archiving, Service, ServiceError, Verified};
use rosterd::store::{Store, StoreError};

use crate::demo::Demo;
use crate::world::{World, day};

/// Ten nights, each with somebody new and somebody gone, from 2 March 2026 on.
fn ten_nights() -> World {
    let mut world = World::new("north")
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("student", "learn")
        .pool("learn", "d", Some(4), OnFull::Overdraw);
    (0..5).for_each(|at| world.hire(&format!("p{at}"), "student", "ash"));
    for night in 0..10 {
        world.hire(&format!("n{night}"), "student", "ash");
        world.end(&format!("p{}", night % 5));
        world.night();
    }
    world
}

fn folder(world: &World) -> PathBuf {
    let folder = world.dir.path().join("archive");
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn service(world: &World) -> Service {
    world.service().archiving(Some(Archiving { folder: folder(world), keep_days: 365 }))
}

/// Noon of a day so many days after the first night.
fn noon(days: i32) -> Instant {
    Instant(i64::from(day("2026-03-02").plus(days).0) * 86_400_000 + 43_200_000)
}

/// Every commit with its hash as made again, and all questions about every version's instant.
fn everything(world: &World) -> Result<Vec<String>, ServiceError> {
    let service = service(world);
    let customer = &service.customers()[0];
    let mut told = Vec::new();
    service.store().audit(customer.id(), Version(0), &mut |commit| {
        assert_eq!(commit.hash, commit.hash_again);
        told.push(format!("{} {} {:?} {:?}", commit.version, commit.hash, commit.changes, commit.entries));
        Ok(())
    })?;
    for at in (0..12).map(noon) {
        let now = world.clock.now();
        world.clock.set(at);
        let then = world.service();
        let report = then.license_report(&then.customers()[0], None, None);
        world.clock.set(now);
        let report = report?;
        told.push(format!("{:?}", report.rows));
    }
    Ok(told)
}

fn chunks(world: &World) -> u64 {
    world
        .raw()
        .query_row("SELECT count(*) FROM audit_chunk WHERE n > 0", [], |row| row.get::<_, i64>(0))
        .expect("a count")
        .cast_unsigned()
}

#[test]
fn r160_old_content_moves_to_a_file_and_every_answer_stays() {
    let world = ten_nights();
    let before = everything(&world).expect("answers");
    let whole = chunks(&world);
    let service = service(&world);
    let customer = &service.customers()[0];
    assert_eq!(service.archives(customer.id()).expect("rows"), []);

    let plans = |service: &Service| -> Vec<String> {
        let runs = service.store().runs(Some(customer.id()), 50).expect("runs");
        let plans = runs.iter().filter_map(|run| service.store().plan(customer.id(), &run.plan?).expect("a plan"));
        plans.map(|plan| format!("{:?} {:?}", plan.changes, plan.entries)).collect()
    };
    let planned = plans(&service);
    assert_eq!(planned.len(), 10);
    let first = service.archive_trail(customer, noon(4)).expect("moved").expect("something");
    assert_eq!(first.after, Version(0));
    assert!(first.file.is_file() && first.bytes > 0 && first.until.0 >= 4, "{first:?}");
    let some = chunks(&world);
    assert!(some < whole, "{some} of {whole}");
    assert_eq!(everything(&world).expect("answers"), before);
    world.verify();
    assert_eq!(plans(&service), planned, "whose changes went along");

    // Nothing older is left; a later day moves what came since, to a file of its own.
    assert_eq!(service.archive_trail(customer, noon(4)).expect("an answer"), None);
    let second = service.archive_trail(customer, noon(7)).expect("moved").expect("something");
    assert_eq!(second.after, first.until);
    assert!(chunks(&world) < some);
    assert_eq!(everything(&world).expect("answers"), before);
    world.verify();
    assert_eq!(service.archives(customer.id()).expect("rows"), [first.clone(), second]);

    // What was not moved cannot be deleted, nor the names in what was.
    let raw = world.raw();
    for statement in [
        "DELETE FROM audit_chunk WHERE version = 10 AND n = 1",
        "DELETE FROM audit_chunk WHERE version = 1",
        "DELETE FROM audit",
    ] {
        let refused = raw.execute(statement, []).expect_err("append-only").to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }

    // Without its file the past cannot be told: which one is missing is said, and nothing is made up.
    let away = first.file.with_extension("away");
    fs::rename(&first.file, &away).expect("moved");
    let error = everything(&world).expect_err("the file is away");
    let ServiceError::Store(StoreError::Archive { file, cause }) = &error else { panic!("{error:?}") };
    assert_eq!(*file, first.file);
    assert!(cause.to_string().contains(&format!("versions 1 to {}", first.until)), "{cause}");
    fs::rename(&away, &first.file).expect("moved back");
    world.verify();

    // A byte that somebody changed in it breaks the chain.
    let archive = rusqlite::Connection::open(&first.file).expect("opens");
    let body: Vec<u8> =
        archive.query_row("SELECT body FROM chunk WHERE version = 2 AND n = 1", [], |row| row.get(0)).expect("a chunk");
    let other: Vec<u8> =
        archive.query_row("SELECT body FROM chunk WHERE version = 3 AND n = 1", [], |row| row.get(0)).expect("a chunk");
    assert_ne!(Digest::of(&body), Digest::of(&other));
    archive
        .execute("UPDATE chunk SET (bytes, body) = (SELECT bytes, body FROM chunk WHERE version = 3 AND n = 1) WHERE version = 2 AND n = 1", [])
        .expect("written");
    drop(archive);
    match service.verify(customer) {
        Ok(report) => assert!(matches!(report.verified, Verified::Broken { at: Version(2), .. }), "{:?}", report.verified),
        // What is in it may not even be what the commit counted.
        Err(ServiceError::Store(StoreError::Corrupt { why, .. })) => assert!(why.contains("version 2"), "{why}"),
        Err(error) => panic!("{error:?}"),
    }
}

#[test]
fn r160_a_file_that_cannot_be_made_leaves_all_as_it_was() {
    let world = ten_nights();
    let whole = chunks(&world);
    let service = service(&world);
    let customer = &service.customers()[0];
    let until = service.version(customer).expect("a version");
    let taken = folder(&world).join("taken");
    fs::write(&taken, "mine").expect("a file");
    for file in [taken.clone(), folder(&world).join("nowhere/at/all.db")] {
        let refused = service.store().archive(customer.id(), until, &file, service.now());
        assert!(matches!(refused, Err(StoreError::Archive { .. })), "{refused:?}");
    }
    assert_eq!(fs::read_to_string(&taken).expect("still there"), "mine");
    assert_eq!((chunks(&world), service.archives(customer.id()).expect("rows").len()), (whole, 0));
    // Who has no folder keeps everything.
    let plain = world.service();
    assert_eq!(plain.archive_trail(customer, Instant::MAX).expect("an answer"), None);
    world.verify();
}

/// A process that died between the file and the row, or books restored from before it: the file is there and is right.
#[test]
fn r160_a_file_that_is_there_and_right_is_taken_for_what_it_is() {
    let world = ten_nights();
    let before = everything(&world).expect("answers");
    let copy = world.dir.path().join("copy.db");
    world.store().backup(&copy).expect("a copy");
    let (customer, whole) = (world.customer(), chunks(&world));
    let first = service(&world).archive_trail(&customer, noon(4)).expect("moved").expect("something");
    let left = chunks(&world);
    fs::copy(&copy, world.dir.path().join("rosterd.db")).expect("restored");
    assert_eq!((chunks(&world), service(&world).archives(customer.id()).expect("rows").len()), (whole, 0));
    let again = service(&world).archive_trail(&customer, noon(4)).expect("moved").expect("something");
    assert_eq!((&again.file, again.bytes, chunks(&world)), (&first.file, first.bytes, left));
    assert_eq!(everything(&world).expect("answers"), before);
    world.verify();
}

/// What processes that died in the middle left is dropped a day later, and nothing else is.
#[test]
fn r160_what_dead_processes_left_goes_with_the_next_file() {
    let world = ten_nights();
    let service = service(&world);
    let customer = &service.customers()[0];
    // As a kill in the middle leaves them: unlike the name of the file, that of its beginning is made up for the process.
    let file = |name: &str, hours: u64| {
        let path = folder(&world).join(name);
        fs::write(&path, "half").expect("a file");
        let millis = service.now().0.unsigned_abs() - hours * 3_600_000;
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(millis);
        fs::File::options().write(true).open(&path).expect("it is there").set_modified(at).expect("dated");
        path
    };
    let stale = [
        file("north-00000001-00000003.trail.db.0a1b2c3d4e5f-4711-0.part", 25),
        file("north-00000001-00000003.trail.db.0a1b2c3d4e5f-4711-0.part-journal", 25),
        file("south-00000001-00000009.trail.db.ffffffffffff-1-12.part", 2000),
    ];
    let kept = [
        file("north-00000001-00000003.trail.db.0a1b2c3d4e5f-4712-0.part", 23),
        file("notes.part", 2000),
        file("north-00000001-00000003.trail.db.part", 2000),
        file("north-00000001-00000003.trail.db.mine-1-1.part", 2000),
        file("old.trail.db", 2000),
    ];
    let made = service.archive_trail(customer, noon(4)).expect("moved").expect("something");
    assert!(made.file.exists());
    assert!(stale.iter().all(|file| !file.exists()), "{stale:?}");
    assert!(kept.iter().all(|file| file.exists()), "{kept:?}");
    world.verify();
}

/// The daemon moves a month's worth at a time, and keeps `audit.keep_days`.
#[test]
fn r160_the_daemon_moves_what_is_old_once_a_month() {
    let mut world = ten_nights();
    let began = world.today;
    let files = |world: &World| service(world).archives(world.customer().id()).expect("rows").len();
    for (days, count) in [(300, 0), (366, 0), (400, 1), (401, 1), (420, 1)] {
        world.set_day(began.plus(days));
        let ticked = service(&world).tick();
        assert!(ticked.errors.is_empty(), "{:?}", ticked.errors);
        assert_eq!(files(&world), count, "after {days} days");
    }
    let row = service(&world).archives(world.customer().id()).expect("rows").remove(0);
    let newest = service(&world).version(&world.customer()).expect("a version");
    assert!(row.until <= newest && row.until.0 >= 10, "{row:?} of {newest}");
    world.verify();
}

#[test]
fn check_tells_of_archives_that_are_gone() {
    let demo = Demo::new();
    let folder = demo.path().join("archive");
    fs::create_dir(&folder).expect("a folder");
    demo.set("[guard]", &format!("[audit]\narchive_folder = {:?}\n\n[guard]", folder.display().to_string()));
    for night in ["03", "04"] {
        let done = demo.run(&format!("--as-of 2026-09-{night}T07:00:00Z sync northfield --here"));
        assert!([0, 6].contains(&done.code), "{done:?}");
        demo.drop_students(&format!("2026-10-{night}.zip"), &[format!("z-0{night}")]);
    }
    let file = |before: &str| {
        let made = demo.json(&format!("audit archive northfield --before 2026-09-{before}"));
        PathBuf::from(made["made"]["file"].as_str().unwrap_or_else(|| panic!("{made}")))
    };
    let (old, new) = (file("04"), file("05"));
    assert!(!demo.told("check").contains("archives"));
    fs::remove_file(&old).expect("deleted knowingly");
    assert!(demo.told("check").contains(&format!("ok     archives northfield: not here: {}", old.display())));
    fs::remove_file(&new).expect("gone");
    let done = demo.run("check");
    assert!(done.code == 74 && done.out.contains("WRONG  archives northfield"), "{done:?}");
}
