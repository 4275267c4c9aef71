//! The SQLite store: the contract, and what only a file can do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rosterd::base::{Digest, ErrorChain, Instant, Version};
use rosterd::store::{DaemonMark, Opening, Restoring, SharedStore, StoreChoice, StoreError, open};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::store_contract::{Desk, Harness, lakes, store_contract, trail};

/// A database in a folder of its own.
struct Sqlite {
    folder: TempDir,
}

impl Sqlite {
    fn path(&self) -> PathBuf {
        self.folder.path().join("data/rosterd.db")
    }

    fn try_open(&self) -> Result<SharedStore, StoreError> {
        open(&StoreChoice::Sqlite { path: self.path() }, Opening::Writing)
    }

    /// A connection that knows nothing of the store's rules.
    fn raw(&self) -> Connection {
        Connection::open(self.path()).expect("opens")
    }
}

impl Harness for Sqlite {
    fn fresh() -> Self {
        Self { folder: TempDir::new().expect("a folder") }
    }

    fn open(&self) -> SharedStore {
        self.try_open().expect("opens")
    }

    fn all_die(&self) {
        self.raw().execute("UPDATE runs SET process = 'another-boot pid:[1] 1 1'", []).expect("writes");
    }
}

store_contract!(contract, super::Sqlite);

#[test]
fn folder_and_file_are_for_the_owner_alone() {
    let sqlite = Sqlite::fresh();
    let store = sqlite.open();
    Desk::new().seat("ann", 1).commit(&store, 0).expect("commits");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(sqlite.path().parent().expect("folder")), 0o700);
    assert_eq!(mode(&sqlite.path()), 0o600);
    assert_eq!(mode(&sqlite.path().with_extension("db-wal")), 0o600);
    assert_eq!(store.place(), format!("sqlite:{}", sqlite.path().display()));
}

#[test]
fn a_reader_does_not_wait_for_a_writer() {
    let sqlite = Sqlite::fresh();
    let store = sqlite.open();
    Desk::new().seat("ann", 1).commit(&store, 0).expect("commits");
    let raw = sqlite.raw();
    raw.execute_batch("BEGIN IMMEDIATE; UPDATE customers SET version = 9").expect("writes");
    assert_eq!(store.standing(&lakes()).expect("reads").version, Version(1));
    assert!(store.take_request(Instant(1)).expect("asks").is_none(), "nothing in line needs no lock");
    // Opening beside a busy writer works as well.
    assert_eq!(sqlite.open().version(&lakes()).expect("reads"), Version(1));
    raw.execute_batch("ROLLBACK").expect("ends");
}

#[test]
fn the_trail_cannot_be_edited_by_mistake() {
    let sqlite = Sqlite::fresh();
    Desk::new().seat("ann", 1).commit(&sqlite.open(), 0).expect("commits");
    let raw = sqlite.raw();
    for statement in [
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
        "UPDATE audit_chunk SET n = 5",
        "DELETE FROM audit_chunk",
        "UPDATE names SET text = 'x'",
        "DELETE FROM names",
    ] {
        let refused = raw.execute(statement, []).expect_err(statement);
        assert!(refused.to_string().contains("only"), "{statement}: {refused}");
    }
}

/// Whether a reader of the trail sees that something is wrong.
fn tampering_shows(store: &SharedStore) -> bool {
    let mut sound = true;
    let mut parent = None;
    let read = store.audit(&lakes(), Version(0), &mut |commit| {
        sound &= commit.hash == commit.hash_again && parent.is_none_or(|parent| parent == commit.parent_hash);
        parent = Some(commit.hash);
        Ok(())
    });
    read.is_err() || !sound
}

#[test]
fn tampering_with_the_trail_shows() {
    let tamperings = [
        "UPDATE audit SET actor = 'operator:eve' WHERE version = 2",
        "UPDATE audit SET at = at + 1 WHERE version = 1",
        "UPDATE audit SET run = 7 WHERE version = 2",
        "UPDATE audit SET plan = NULL WHERE version = 3",
        "UPDATE audit SET verb = 'grant' WHERE version = 3",
        "UPDATE audit SET hash = zeroblob(32) WHERE version = 3",
        "UPDATE audit SET parent_hash = zeroblob(32) WHERE version = 2",
        "UPDATE audit SET changes = 0 WHERE version = 2",
        "DELETE FROM audit WHERE version = 2",
        "DELETE FROM audit WHERE version = 3",
        "DELETE FROM audit_chunk WHERE version = 2 AND n = 1",
        "DELETE FROM audit_chunk WHERE version = 1 AND n = 0",
        "UPDATE audit_chunk SET body = (SELECT body FROM audit_chunk WHERE version = 1 AND n = 1),
             bytes = (SELECT bytes FROM audit_chunk WHERE version = 1 AND n = 1) WHERE version = 2 AND n = 1",
        "UPDATE customers SET hash = zeroblob(32)",
        "UPDATE customers SET version = 2",
    ];
    let sqlite = Sqlite::fresh();
    let store = sqlite.open();
    for (parent, person) in (0..).zip(["ann", "bob", "cid"]) {
        Desk::new().seat(person, parent + 1).commit(&store, parent).expect("commits");
    }
    assert!(!tampering_shows(&store));
    drop(store);
    let sound = fs::read(sqlite.path()).expect("reads");
    for tampering in tamperings {
        fs::write(sqlite.path(), &sound).expect("writes");
        tamper(&sqlite, tampering);
        assert!(tampering_shows(&sqlite.open()), "{tampering}");
    }
    // One bit in any byte of any chunk.
    fs::write(sqlite.path(), &sound).expect("writes");
    let raw = sqlite.raw();
    let lengths: Vec<(i64, i64, i64)> = raw
        .prepare("SELECT version, n, length(body) FROM audit_chunk")
        .and_then(|mut ask| ask.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect())
        .expect("reads");
    drop(raw);
    assert_eq!(lengths.len(), 6);
    let (mut flips, mut silent) = (0, Vec::new());
    for (version, n, length) in lengths {
        for at in (1..=length).step_by(3) {
            fs::write(sqlite.path(), &sound).expect("writes");
            let raw = sqlite.raw();
            drop_triggers(&raw);
            let body: Vec<u8> = raw
                .query_row("SELECT body FROM audit_chunk WHERE version = ?1 AND n = ?2", (version, n), |row| row.get(0))
                .expect("reads");
            let mut bad = body.clone();
            bad[usize::try_from(at - 1).expect("small")] ^= 0x10;
            let plain = |bytes: &[u8]| zstd::stream::decode_all(bytes).ok();
            raw.execute("UPDATE audit_chunk SET body = ?3 WHERE version = ?1 AND n = ?2", (version, n, &bad)).expect("writes");
            drop(raw);
            flips += 1;
            // A bit that the compression does not use changes no word of the trail.
            if !tampering_shows(&sqlite.open()) && plain(&bad) != plain(&body) {
                silent.push((version, n, at));
            }
        }
    }
    assert!(flips > 30, "{flips}");
    assert_eq!(silent, []);
}

fn drop_triggers(raw: &Connection) {
    let triggers: Vec<String> = raw
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .and_then(|mut ask| ask.query_map([], |row| row.get(0))?.collect())
        .expect("lists");
    triggers.iter().for_each(|name| raw.execute_batch(&format!("DROP TRIGGER {name}")).expect("drops"));
    raw.execute_batch("PRAGMA foreign_keys = OFF").expect("off");
}

fn tamper(sqlite: &Sqlite, statement: &str) {
    let raw = sqlite.raw();
    drop_triggers(&raw);
    raw.execute_batch(statement).expect(statement);
}

#[test]
fn damage_is_told_not_read() {
    let sqlite = Sqlite::fresh();
    Desk::new().seat("ann", 1).seat("ben", 2).commit(&sqlite.open(), 0).expect("commits");
    tamper(&sqlite, "INSERT INTO claims (customer_id, first, body) SELECT customer_id, 'anna', body FROM claims");
    let (read, changed) = (sqlite.open().standing(&lakes()), Desk::new().seat("ann", 3).commit(&sqlite.open(), 1));
    for told in [read.expect_err("damaged").to_string(), changed.expect_err("damaged").to_string()] {
        assert!(told.contains("the page of claims from person anna on") && told.contains("goes further"), "{told}");
    }
    tamper(&sqlite, "DELETE FROM claims WHERE first = 'anna'; UPDATE claims SET body = x'0101'");
    let told = sqlite.open().standing(&lakes()).expect_err("damaged").to_string();
    assert!(told.contains("the page of claims from person ann on") && told.contains("ends in the middle"), "{told}");
    // A position without a name would be a panic further up.
    tamper(&sqlite, "DELETE FROM names WHERE kind = 1; UPDATE claims SET body = x'0101010102'");
    let told = sqlite.open().standing(&lakes()).expect_err("damaged").to_string();
    assert!(told.contains("no name") && told.contains("person ann"), "{told}");
    fs::write(sqlite.path(), b"this is no database, whatever its name says, and it is long enough").expect("writes");
    let refused = sqlite.try_open();
    assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{:?}", refused.err());
}

#[test]
fn integrity_tells_rows_without_an_owner() {
    let sqlite = Sqlite::fresh();
    Desk::new().seat("ann", 1).commit(&sqlite.open(), 0).expect("commits");
    tamper(&sqlite, "DELETE FROM customers");
    let wrong = sqlite.open().integrity().expect("checks");
    assert!(wrong.iter().any(|line| line == "a row of claims belongs to no row of customers"), "{wrong:?}");
}

#[test]
fn a_newer_schema_is_refused() {
    let sqlite = Sqlite::fresh();
    drop(sqlite.open());
    sqlite.raw().execute_batch("PRAGMA user_version = 4711").expect("sets");
    let refused = sqlite.try_open().err().expect("refused");
    assert!(matches!(refused, StoreError::SchemaNewer { found: 4711, .. }), "{refused}");
    assert!(refused.to_string().contains("4711"));
}

#[test]
fn many_may_open_a_new_file_at_once() {
    let sqlite = Sqlite::fresh();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..12).map(|_| scope.spawn(|| sqlite.open().version(&lakes()))).collect();
        threads.into_iter().for_each(|thread| assert_eq!(thread.join().expect("no panic").expect("opens"), Version(0)));
    });
    assert_eq!(sqlite.open().integrity().expect("checks"), [""; 0]);
}

#[test]
fn one_daemon_at_a_time() {
    let sqlite = Sqlite::fresh();
    let (one, two) = (sqlite.open(), sqlite.open());
    let mark = |pid| DaemonMark { pid, host: "rack 7".into(), since: Instant(1_770_000_000_000) };
    let lease = one.become_daemon(&mark(41)).expect("the first");
    assert_eq!(two.daemon().expect("asks"), Some(mark(41)));
    let refused = two.become_daemon(&mark(42)).err().expect("refused");
    assert!(matches!(&refused, StoreError::DaemonRunning { pid: 41, host, .. } if host == "rack 7"), "{refused}");
    assert!(refused.to_string().contains("process 41 on rack 7"), "{refused}");
    assert_eq!(one.daemon().expect("asks"), Some(mark(41)), "asking and failing take nothing away");
    drop(lease);
    assert_eq!(two.daemon().expect("asks"), None);
    let lease = two.become_daemon(&mark(42)).expect("the next");
    assert_eq!(one.daemon().expect("asks"), Some(mark(42)));
    drop(lease);
    // A daemon that was killed leaves its mark, but no lock.
    fs::write(sqlite.path().with_extension("db.daemon"), "41 1770000000000 rack 7\n").expect("writes");
    assert_eq!(one.daemon().expect("asks"), None);
    drop(one.become_daemon(&mark(43)).expect("a stale mark keeps nobody out"));
}

/// Between the last look at a store and the rename that puts another one in its place nobody begins to work on it.
#[test]
fn a_store_is_not_opened_while_another_one_takes_its_place() {
    let (one, other) = (Sqlite::fresh(), Sqlite::fresh());
    let of_lakes = |store: &SharedStore| store.version(&lakes()).expect("reads");
    drop(one.open());
    Desk::new().seat("ann", 1).commit(&other.open(), 0).expect("commits");
    let folder = fs::File::open(one.path().parent().expect("a folder")).expect("opens");
    let is_waiting = |done: bool| assert!(!done, "it waits for whoever has the folder");
    std::thread::scope(|scope| {
        // Somebody opens it; the other one is in place before the folder is free.
        folder.lock().expect("locks");
        let opened = scope.spawn(|| one.open());
        std::thread::sleep(Duration::from_millis(200));
        is_waiting(opened.is_finished());
        fs::rename(other.path(), one.path()).expect("renamed");
        folder.unlock().expect("unlocks");
        assert_eq!(of_lakes(&opened.join().expect("no panic")), Version(1));
        // And whoever restores waits for who is just opening it.
        let backup = one.folder.path().join("backup.db");
        fs::copy(one.path(), &backup).expect("copied");
        folder.lock_shared().expect("locks");
        let restoring = Restoring::begin(&one.path(), &backup).expect("begins");
        let mark = DaemonMark { pid: 7, host: "here".into(), since: Instant(7) };
        let restored = scope.spawn(move || restoring.finish(&mark));
        std::thread::sleep(Duration::from_millis(200));
        is_waiting(restored.is_finished());
        folder.unlock().expect("unlocks");
        assert!(restored.join().expect("no panic").expect("restored").is_some());
    });
    // Somebody else who keeps the folder locked, such as a shell's `flock`, keeps nobody out.
    folder.lock().expect("locks");
    assert_eq!(of_lakes(&one.open()), Version(1));
}

/// The folder that the child below is to open; set by its parent.
const FOLDER: &str = "ROSTERD_TEST_READ_ONLY_FOLDER";

/// Root may write everywhere, so these are asked by a process of this binary that runs as nobody.
#[test]
fn a_read_only_folder_is_told() {
    let sqlite = Sqlite::fresh();
    Desk::new().seat("ann", 1).commit(&sqlite.open(), 0).expect("commits");
    let folder = sqlite.path().parent().expect("folder").to_owned();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("sets");
    mode(sqlite.folder.path(), 0o755);
    for (folder_mode, file_mode) in [(0o555, 0o444), (0o555, 0o666)] {
        mode(&sqlite.path(), file_mode);
        mode(&folder, folder_mode);
        let mut child = Command::new("/proc/self/exe");
        child.args(["--exact", "store_sqlite::opens_what_it_is_told", "--ignored"]).env(FOLDER, &folder).current_dir("/");
        if fs::write(folder.join("probe"), b"").is_ok() {
            child.uid(65_534).gid(65_534);
        }
        let output = child.output().expect("starts");
        mode(&folder, 0o755);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the child ran its test");
    }
}

#[test]
#[ignore = "runs as the child of a_read_only_folder_is_told"]
fn opens_what_it_is_told() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("started by its parent"));
    for path in [folder.join("rosterd.db"), folder.join("new.db"), folder.join("deeper/new.db")] {
        let refused = open(&StoreChoice::Sqlite { path: path.clone() }, Opening::Writing).err().expect("refused");
        assert!(matches!(&refused, StoreError::ReadOnly { .. }), "{}", ErrorChain(&refused));
        assert!(refused.to_string().contains(&path.display().to_string()), "{refused}");
    }
}

#[test]
fn a_trace_takes_the_room_of_the_one_before() {
    let sqlite = Sqlite::fresh();
    let store = sqlite.open();
    let mut pages = Vec::new();
    for night in 0..5u32 {
        let chunk =
            |n: u32| (0..8_000u32).flat_map(|at| Digest::of(&[night, n, at].map(u32::to_le_bytes).concat()).0).collect();
        store.save_trace(&lakes(), &"sis".into(), &mut (0..8).map(chunk)).expect("saves");
        pages.push(sqlite.raw().query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).expect("asks"));
    }
    assert!(pages[0] > 400 && pages.iter().all(|&count| count <= pages[0] + 2), "{pages:?}");
}

#[test]
fn long_histories_are_cut_into_chunks() {
    let sqlite = Sqlite::fresh();
    let store = sqlite.open();
    let key = |n: u64| format!("{:032x}", u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    let desk = (1..=150_000).fold(Desk::new(), |desk, id| desk.seat(&key(id), id));
    desk.commit(&store, 0).expect("commits");
    let chunks: i64 = sqlite.raw().query_row("SELECT count(*) FROM audit_chunk", [], |row| row.get(0)).expect("reads");
    assert!(chunks >= 3, "{chunks}");
    let trail = trail(&store, 0);
    assert_eq!((trail[0].changes.len(), trail[0].hash), (150_000, trail[0].hash_again));
    let people: Vec<_> = trail[0].changes.iter().map(|change| trail[0].people.get(change.person)).collect();
    assert!(people.iter().zip(1..).all(|(&person, id)| person == key(id)), "in the order of the batch");
    assert_eq!(store.standing(&lakes()).expect("reads").book.people.len(), 150_000);
}
