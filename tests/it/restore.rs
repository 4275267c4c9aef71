//! `rosterd restore`: a backup takes the place of the store, whole or not at all, and only if it is whole itself.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::daemon::{Daemon, assert_sound, lively, until_settled};
use crate::demo::{Demo, Outcome};

const GRANT: &str = "pool grant larkspur lxp --from 2026-09-01 --seats 1 --reference PO";

/// Both customers with their books, and a backup of them.
fn backed_up() -> (Demo, PathBuf) {
    let demo = Demo::new();
    assert_eq!(demo.run("sync northfield --here").code, 6);
    assert_eq!(demo.run("sync larkspur --here").code, 0);
    let copy = backup(&demo, "backup.db");
    (demo, copy)
}

fn backup(demo: &Demo, name: &str) -> PathBuf {
    let copy = demo.path().join(name);
    demo.told(&format!("backup {}", copy.display()));
    copy
}

/// The newest hash of each customer: the same books have the same.
fn hashes(demo: &Demo) -> BTreeMap<String, String> {
    let proofs = demo.json("audit verify");
    assert_eq!(proofs["ok"], true, "{proofs}");
    by_customer(&proofs)
}

fn by_customer(answer: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let rows = answer["customers"].as_array().expect("customers").iter();
    rows.map(|row| (text(&row["customer"]), text(&row["hash"]))).collect()
}

fn restore(demo: &Demo, file: &Path, more: &str) -> Outcome {
    demo.run(format!("restore {} {more}", file.display()).trim())
}

/// What lies beside the store, by name.
fn beside(demo: &Demo) -> Vec<String> {
    let folder = demo.store().parent().expect("a folder").to_owned();
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).expect("it is there").permissions().mode() & 0o777
}

#[test]
fn the_books_are_as_they_were_and_what_was_there_is_kept() {
    let (demo, copy) = backed_up();
    let (then, backup) = (hashes(&demo), fs::read(&copy).expect("a backup"));
    demo.told(GRANT);
    let later = hashes(&demo);
    assert_ne!(then, later);
    let folder = demo.path().join("backups");
    fs::create_dir(&folder).expect("a folder");
    for (name, from) in [("rosterd-20260301T023000Z.db", &copy), ("rosterd-20260101T023000Z.db", &demo.settings_file())] {
        fs::copy(from, folder.join(name)).expect("copied");
    }
    // Shown first; of a folder the newest.
    let (store, whole) = (fs::read(demo.store()).expect("books"), beside(&demo));
    let shown = demo.json(&format!("restore {}", folder.display()));
    assert_eq!((&shown["restored"], &shown["wrong"]), (&false.into(), &serde_json::json!([])), "{shown}");
    assert!(shown["backup"].as_str().is_some_and(|file| file.ends_with("rosterd-20260301T023000Z.db")), "{shown}");
    assert_eq!(by_customer(&shown), then, "{shown}");
    let told = restore(&demo, &copy, "");
    assert!(told.code == 0 && told.out.contains("nothing was changed; the same command with `--yes`"), "{told:?}");
    assert!(fs::read(demo.store()).expect("books") == store && beside(&demo) == whole);

    let done = demo.json(&format!("restore {} --yes", copy.display()));
    assert_eq!((&done["restored"], by_customer(&done)), (&true.into(), then.clone()), "{done}");
    let newest = done["customers"].as_array().expect("rows").iter().map(|row| row["newest"].as_str()).max().flatten();
    assert_eq!(done["as_of"].as_str(), newest, "{done}");
    assert!(newest.is_some(), "{done}");
    assert_eq!(hashes(&demo), then);
    assert_sound(&demo);
    let former = PathBuf::from(done["former"].as_str().expect("a file"));
    assert_eq!((mode(&demo.store()), mode(&former)), (0o600, 0o600));
    let name = former.file_name().expect("a name").to_str().expect("text").to_owned();
    assert_eq!(beside(&demo), ["rosterd.db".to_owned(), name], "no log, no lock, no copy");
    // No daemon ever worked on these books: they can still be played again.
    demo.told(&format!("{GRANT}-2 --as-of 2026-09-20"));
    assert!(fs::read(&copy).expect("a backup") == backup, "the backup is left alone");

    // And back again: the former store is a backup like any other.
    let back = restore(&demo, &former, "--yes");
    assert_eq!(back.code, 0, "{back:?}");
    for said in ["is kept as", "done by hand since then", "may be told again", "next: `rosterd check`, then start the daemon"] {
        assert!(back.out.contains(said), "{said}: {back:?}");
    }
    assert_eq!(hashes(&demo), later);
}

#[test]
fn nothing_is_replaced_that_somebody_works_on() {
    let demo = lively();
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    let copy = backup(&demo, "backup.db");
    let now = hashes(&demo);
    // Whether a backup is whole may be asked at any time.
    assert_eq!(restore(&demo, &copy, "").code, 0);
    let refused = restore(&demo, &copy, "--yes");
    assert_eq!(refused.code, 74, "{refused:?}");
    assert!(refused.err.contains(&format!("process {} on ", daemon.child.id())), "{refused:?}");
    assert!(refused.err.contains("systemctl stop rosterd.service"), "{refused:?}");
    daemon.stop();
    // Nor what any other process has open.
    let other = rusqlite::Connection::open(demo.store()).expect("books");
    let version: i64 = other.query_row("SELECT count(*) FROM customers", [], |row| row.get(0)).expect("read");
    assert_eq!(version, 2);
    let refused = restore(&demo, &copy, "--yes");
    assert_eq!(refused.code, 74, "{refused:?}");
    assert!(refused.err.contains(&format!("process {} (", std::process::id())), "{refused:?}");
    drop(other);
    assert_eq!(hashes(&demo), now);
    assert!(!beside(&demo).iter().any(|name| name.contains("restoring") || name.contains("former")), "{:?}", beside(&demo));
    assert_eq!(restore(&demo, &copy, "--yes").code, 0);
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    daemon.stop();
    assert_sound(&demo);
}

/// A file of another kind each, what is said of it, and that the store stays as it is.
#[test]
fn what_is_not_whole_is_refused_and_named() {
    let (demo, copy) = backed_up();
    let whole = fs::read(&copy).expect("a backup");
    let bytes = |name: &str, bytes: &[u8]| {
        let file = demo.path().join(name);
        fs::write(&file, bytes).expect("written");
        file
    };
    let altered = |name: &str, sql: &str| {
        let file = bytes(name, &whole);
        let raw = rusqlite::Connection::open(&file).expect("books");
        raw.execute_batch(sql).expect("altered");
        raw.close().expect("closed");
        file
    };
    let mut holes = whole.clone();
    let half = holes.len() / 2;
    holes[half..half + 64 * 1024].fill(0xa5);
    let other = demo.path().join("other.db");
    rusqlite::Connection::open(&other)
        .expect("a file")
        .execute_batch("CREATE TABLE t (x); PRAGMA user_version = 1")
        .expect("made");
    let logged = bytes("logged.db", &whole);
    bytes("logged.db-wal", b"frames");
    fs::create_dir(demo.path().join("none")).expect("a folder");
    let refused = |file: &Path, code: i32, said: &str| {
        let (store, names) = (fs::read(demo.store()).expect("books"), beside(&demo));
        for more in ["", "--yes"] {
            let done = restore(&demo, file, more);
            assert_eq!(done.code, code, "{}: {done:?}", file.display());
            assert!(format!("{}{}", done.out, done.err).contains(said), "{}: {done:?}", file.display());
        }
        assert!(fs::read(demo.store()).expect("books") == store && beside(&demo) == names, "{}", file.display());
    };
    refused(&demo.settings_file(), 1, "it is no file of `rosterd backup`");
    refused(&bytes("empty.db", b""), 1, "it is empty");
    refused(&bytes("short.db", &whole[..60]), 1, &format!("it is cut off: 60 bytes of {}", whole.len()));
    refused(&bytes("head.db", &whole[..16]), 1, "it is no file of `rosterd backup`");
    refused(&bytes("cut.db", &whole[..half]), 1, &format!("it is cut off: {half} bytes of {}", whole.len()));
    refused(&bytes("holes.db", &holes), 1, "WRONG  ");
    refused(&altered("newer.db", "PRAGMA user_version = 99"), 1, "its schema is 99, this program knows up to ");
    refused(&altered("none.db", "PRAGMA user_version = 0"), 1, "there are no books in it");
    refused(&other, 1, "it has no table customers");
    refused(&altered("queue.db", "DELETE FROM waiting"), 1, "northfield: the books are not what the trail says");
    refused(&logged, 74, "a log (-wal) lies beside it");
    refused(&demo.store(), 74, "it is the store itself");
    refused(&demo.path().join("absent.db"), 74, "No such file");
    refused(&demo.path().join("none"), 2, "no rosterd-TIME.db is in it");
    assert_eq!(restore(&demo, &copy, "--yes").code, 0, "the whole one is not");
}

#[test]
fn files_of_the_archive_that_are_gone_are_named() {
    let demo = Demo::new();
    let folder = demo.path().join("archive");
    fs::create_dir(&folder).expect("a folder");
    demo.set("[guard]", &format!("[audit]\narchive_folder = {:?}\n\n[guard]", folder.display().to_string()));
    assert_eq!(demo.run("--as-of 2026-09-03T07:00:00Z sync northfield --here").code, 6);
    let made = demo.json("audit archive northfield --before 2026-09-04");
    let file = PathBuf::from(made["made"]["file"].as_str().unwrap_or_else(|| panic!("{made}")));
    let copy = backup(&demo, "backup.db");
    assert_eq!(restore(&demo, &copy, "--yes").code, 0, "it is there");
    let aside = demo.path().join("aside");
    fs::rename(&file, &aside).expect("away");
    let refused = restore(&demo, &copy, "--yes");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.out.contains(&format!("lies in {}, which is not here", file.display())), "{refused:?}");
    let taken = demo.json(&format!("restore {} --yes --without-archives", copy.display()));
    assert_eq!((&taken["restored"], &taken["customers"][0]["proved"]), (&true.into(), &false.into()), "{taken}");
    fs::rename(&aside, &file).expect("back");
    // One that was altered is found as the trail itself would be.
    rusqlite::Connection::open(&file).expect("an archive").execute("UPDATE chunk SET body = x'00'", []).expect("altered");
    let refused = restore(&demo, &copy, "--yes --without-archives");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.out.contains("WRONG  northfield: "), "{refused:?}");
}

#[test]
fn a_store_that_is_not_there_yet_is_made() {
    let (demo, copy) = backed_up();
    let then = hashes(&demo);
    let folder = demo.store().parent().expect("a folder").to_owned();
    fs::remove_dir_all(&folder).expect("the disk is new");
    assert_eq!(restore(&demo, &copy, "").code, 0);
    assert!(!folder.exists(), "who only looks makes nothing");
    let done = demo.json(&format!("restore {} --yes", copy.display()));
    assert_eq!(done["former"], Value::Null, "{done}");
    assert_eq!((hashes(&demo), mode(&folder), mode(&demo.store())), (then.clone(), 0o700, 0o600));
    assert_eq!(beside(&demo), ["rosterd.db"]);
    // Somebody took the database away and left its log.
    fs::remove_file(demo.store()).expect("away");
    fs::write(demo.store().with_extension("db-wal"), "frames of another database").expect("written");
    let done = demo.json(&format!("restore {} --yes", copy.display()));
    assert_eq!(hashes(&demo), then);
    let log = format!("{}-wal", done["former"].as_str().expect("a name"));
    assert_eq!(fs::read_to_string(log).expect("it is kept"), "frames of another database");
    // Elsewhere, whatever the settings say.
    let look = demo.path().join("look/at.db");
    fs::remove_file(demo.settings_file()).expect("no settings");
    let done = restore(&demo, &copy, &format!("--yes --to {}", look.display()));
    assert_eq!((done.code, mode(&look)), (0, 0o600), "{done:?}");
}

/// What a killed daemon left in its log belongs to the former store, and never to the new one.
#[test]
fn the_log_of_a_killed_daemon_goes_with_its_store() {
    let demo = lively();
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    let (copy, then) = (backup(&demo, "backup.db"), hashes(&demo));
    demo.told(GRANT);
    let later = hashes(&demo);
    let killed_with_log = |daemon: Daemon| {
        daemon.kill();
        let log = fs::metadata(format!("{}-wal", demo.store().display())).expect("a log");
        assert!(log.len() > 0, "what was not moved into the file yet");
    };
    killed_with_log(daemon);
    let done = demo.json(&format!("restore {} --yes", copy.display()));
    assert_eq!(hashes(&demo), then);
    let former = PathBuf::from(done["former"].as_str().expect("a file"));
    assert_eq!(restore(&demo, &former, "--yes").code, 0);
    assert_eq!(hashes(&demo), later, "nothing that was committed is lost");
    // A store that is damaged keeps its log as it is, under its own name.
    let daemon = Daemon::start(&demo);
    daemon.until_logged("daemon_started", 1);
    demo.told(&format!("{GRANT}-2"));
    killed_with_log(daemon);
    let log_of = |file: &str| PathBuf::from(format!("{file}-wal"));
    let store = demo.store().display().to_string();
    fs::write(&store, vec![0xa5; 100_000]).expect("damaged");
    fs::write(log_of(&store), vec![0x5a; 10_000]).expect("damaged");
    let done = demo.json(&format!("restore {} --yes", copy.display()));
    let former = done["former"].as_str().expect("a file");
    assert!(!log_of(&store).exists());
    assert!(fs::read(former).expect("it is kept") == vec![0xa5; 100_000]);
    assert!(fs::read(log_of(former)).expect("its log, too") == vec![0x5a; 10_000]);
    assert_eq!(hashes(&demo), then);
    assert_sound(&demo);
}

#[test]
fn a_store_in_postgresql_has_its_own_means() {
    let (demo, copy) = backed_up();
    let refused = demo
        .program()
        .args(["restore", copy.to_str().expect("text"), "--yes"])
        .envs([("ROSTERD__STORE__KIND", "postgres"), ("ROSTERD__STORE__URL", "postgres://rosterd:hunter2@127.0.0.1:1/none")])
        .output()
        .expect("it runs");
    let said = String::from_utf8(refused.stderr).expect("text");
    assert_eq!(refused.status.code(), Some(2), "{said}");
    for word in ["pg_restore", "store copy --from sqlite:FILE --to postgres:"] {
        assert!(said.contains(word), "{said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}

/// Killed at any moment: the one store or the other, whole, and the next try succeeds.
#[test]
fn a_kill_in_the_middle_leaves_the_one_or_the_other() {
    let (demo, old) = backed_up();
    let before = hashes(&demo);
    demo.told(GRANT);
    let (new, after) = (backup(&demo, "new.db"), hashes(&demo));
    let began = Instant::now();
    assert_eq!(restore(&demo, &old, "--yes").code, 0);
    let whole = began.elapsed();
    let rounds: u32 = std::env::var("ROSTERD_KILLS").map_or(24, |kills| kills.parse().expect("ROSTERD_KILLS is a number"));
    let (mut stayed, mut moved) = (0, 0);
    // Most of the time goes into proving; what counts comes at the end, which is looked for by what the kills before met.
    let mut end = whole;
    for round in 1..=rounds {
        let is_old = hashes(&demo) == before;
        let (file, left, aim) = if is_old { (&new, &before, &after) } else { (&old, &after, &before) };
        let mut child = demo.program().args(["restore", file.to_str().expect("text"), "--yes"]).spawn().expect("it starts");
        let part = if round % 3 == 0 { whole * round / rounds } else { end };
        std::thread::sleep(part + Duration::from_micros(u64::from(round) * 137));
        child.kill().expect("killed");
        child.wait().expect("it ended");
        let now = hashes(&demo);
        assert!(now == *left || now == *aim, "round {round}: {now:?}");
        let is_left = now == *left;
        (stayed, moved) = (stayed + u32::from(is_left), moved + u32::from(!is_left));
        if round % 3 != 0 {
            end = if is_left { end + end / 8 } else { end - end / 16 };
        }
        assert_sound_store(&demo);
    }
    println!("{stayed} kills came before, {moved} after the books were replaced");
    assert!(stayed > 0, "no kill came in time");
    assert!(moved > 0, "every kill came before the books were replaced");
    assert_eq!(restore(&demo, &old, "--yes").code, 0);
    assert_eq!(hashes(&demo), before);
    assert!(
        !beside(&demo).iter().any(|name| name.contains("restoring")),
        "what the killed ones left is gone: {:?}",
        beside(&demo)
    );
}

/// The file is for whom the store is for, whoever restores it.
#[test]
fn the_store_stays_its_owners() {
    const OWNER: u32 = 4711;
    let (demo, copy) = backed_up();
    let folder = demo.store().parent().expect("a folder").to_owned();
    if chown(&folder, Some(OWNER), Some(OWNER)).and_then(|()| chown(demo.store(), Some(OWNER), Some(OWNER))).is_err() {
        eprintln!("LEFT OUT: only root can give a file away; nobody looks whose a restored store is");
        return;
    }
    let owner = || {
        let meta = fs::metadata(demo.store()).expect("it is there");
        (meta.uid(), meta.gid(), mode(&demo.store()))
    };
    assert_eq!(restore(&demo, &copy, "--yes").code, 0);
    assert_eq!(owner(), (OWNER, OWNER, 0o600));
    fs::remove_file(demo.store()).expect("gone");
    assert_eq!(restore(&demo, &copy, "--yes").code, 0);
    assert_eq!(owner(), (OWNER, OWNER, 0o600), "the folder says whose it is");
}

fn assert_sound_store(demo: &Demo) {
    let wrong = demo.books().integrity().expect("it opens");
    assert!(wrong.is_empty(), "{wrong:?}");
}
