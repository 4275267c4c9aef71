//! The PostgreSQL store: the contract, and what only a server and several nodes can do.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::time::{Duration, Instant as Moment};

use rosterd::base::{ErrorChain, Instant, Secret, Version};
use rosterd::store::{
    DaemonMark, Opening, PostgresChoice, RequestState, RunState, SharedStore, StoreChoice, StoreError, Trigger, open,
};

use crate::cluster::{self, Database};
use crate::store_contract::{Desk, Harness, lakes, snapshot, store_contract, trail};

/// A database of its own.
struct Postgres {
    database: Database,
}

impl Postgres {
    fn try_open(&self, opening: Opening) -> Result<SharedStore, StoreError> {
        open(&StoreChoice::Postgres(self.database.choice()), opening)
    }

    /// Every connection that is open is cut, as a restart of the server or a firewall would.
    fn cut(&self) {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        self.database.raw().query(cut, &[]).expect("cut");
    }
}

impl Harness for Postgres {
    fn is_available() -> bool {
        cluster::is_installed()
    }

    fn fresh() -> Self {
        Self { database: Database::fresh() }
    }

    fn open(&self) -> SharedStore {
        self.try_open(Opening::Writing).unwrap_or_else(|error| panic!("{error:?}"))
    }

    fn holds_run_out(&self) {
        self.database.raw().batch_execute("UPDATE alerts SET held = 0").expect("written");
    }

    fn all_die(&self) {
        self.database.raw().batch_execute("DELETE FROM nodes").expect("written");
    }
}

store_contract!(contract, super::Postgres);

/// The test's database, unless there is no server.
fn postgres() -> Option<Postgres> {
    cluster::is_installed().then(Postgres::fresh)
}

#[test]
fn whoever_only_looks_makes_no_tables() {
    let Some(postgres) = postgres() else { return };
    assert!(matches!(postgres.try_open(Opening::Existing), Err(StoreError::Absent { .. })));
    let start = Barrier::new(6);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                start.wait();
                assert_eq!(postgres.open().version(&lakes()).expect("asks"), Version(0), "six make them at once");
            });
        }
    });
    assert!(postgres.try_open(Opening::Existing).is_ok());
    postgres.database.raw().batch_execute("UPDATE rosterd SET schema = 99, compatible = 99").expect("written");
    assert!(matches!(postgres.try_open(Opening::Daemon), Err(StoreError::SchemaNewer { found: 99, .. })));
}

#[test]
fn a_connection_that_was_cut_is_made_anew() {
    let Some(postgres) = postgres() else { return };
    let store = postgres.open();
    Desk::new().seat("ann", 1).commit(&store, 0).expect("commits");
    postgres.cut();
    assert_eq!(store.version(&lakes()).expect("reads"), Version(1));
    postgres.cut();
    Desk::new().seat("bob", 2).commit(&store, 1).expect("commits");
    assert_eq!(trail(&store, 0).len(), 2);
}

#[test]
fn a_connection_that_is_cut_in_the_middle_leaves_nothing() {
    let Some(postgres) = postgres() else { return };
    let store = postgres.open();
    Desk::new().seat("ann", 1).commit(&store, 0).expect("commits");
    let read = store.audit(&lakes(), Version(0), &mut |_| {
        postgres.cut();
        Ok(())
    });
    assert!(matches!(read, Err(StoreError::Away { .. })), "{read:?}");
    let row = snapshot(b"roster");
    let mut chunks = (0..20).map(|n| {
        if n == 10 {
            postgres.cut();
        }
        vec![n; 100]
    });
    let staged = store.stage(&row, &mut chunks);
    assert!(matches!(staged, Err(StoreError::Away { .. })), "{staged:?}");
    assert_eq!(store.snapshot(&row.digest).expect("asks"), None);
    store.stage(&row, &mut (0..20).map(|n| vec![n; 100])).expect("stages");
    assert_eq!(store.snapshot(&row.digest).expect("asks").map(|row| row.bytes), Some(2_000));
}

#[test]
fn a_server_that_is_away_is_told_without_its_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().display().to_string().replace('/', "%2F");
    let url = Secret::new(format!("postgres://rosterd:hunter2@{socket}/books"));
    let choice = PostgresChoice { connect_secs_max: 1, ..PostgresChoice::at(url) };
    let began = Moment::now();
    let error = open(&StoreChoice::Postgres(choice), Opening::Writing).err().expect("nobody listens");
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(matches!(error, StoreError::Away { .. }), "{error:?}");
    let told = ErrorChain(&error).to_string();
    assert!(told.starts_with("reach postgres:/") && !told.contains("hunter2"), "{told}");
}

#[test]
fn the_trail_cannot_be_edited_by_mistake() {
    let Some(postgres) = postgres() else { return };
    let store = postgres.open();
    Desk::new().seat("ann", 1).commit(&store, 0).expect("commits");
    for edit in ["UPDATE audit SET verb = 'x'", "DELETE FROM audit_chunk", "DELETE FROM audit", "UPDATE names SET text = 'x'"] {
        let refused = postgres.database.raw().batch_execute(edit).expect_err("refused");
        let refused = refused.as_db_error().expect("the server's word").message().to_owned();
        assert!(refused.contains("append-only") || refused.contains("only grow"), "{edit}: {refused}");
    }
    postgres.database.raw().batch_execute("INSERT INTO pools VALUES (77, 'p0', '')").expect("written");
    assert_eq!(store.integrity().expect("checks"), ["1 rows of pools belong to no row of customers"]);
}

/// What a process does that was stopped for longer than a lease, and wakes.
#[test]
fn whoever_was_taken_for_dead_cannot_commit() {
    let Some(postgres) = postgres() else { return };
    let (sleeper, other) = (postgres.open(), postgres.open());
    let (request, _) = sleeper.request(&lakes(), &Trigger::Drop, Instant(1)).expect("asks");
    sleeper.take_request(Instant(2)).expect("takes").expect("one");
    let run = sleeper.begin_run(&lakes(), &Trigger::Drop, Instant(3)).expect("begins");
    assert!(other.take_request(Instant(4)).expect("asks").is_none(), "whoever has it lives");
    postgres.all_die();

    let again = other.take_request(Instant(5)).expect("asks").expect("it is free");
    assert_eq!(again.request, request);
    assert_eq!(other.run(run).expect("asks").expect("kept").state, RunState::Failed);
    let (desk, own) = (Desk::new(), other.begin_run(&lakes(), &Trigger::Drop, Instant(6)).expect("begins"));

    let late = Desk::new().in_run(run).seat("ann", 1).commit(&sleeper, 0);
    assert!(matches!(late, Err(StoreError::RunClosed { run: closed }) if closed == run), "{late:?}");
    let mut row = sleeper.run(run).expect("asks").expect("kept");
    row.state = RunState::Committing;
    assert!(matches!(sleeper.save_run(&row), Err(StoreError::RunClosed { .. })), "nor can it say that it goes on");
    sleeper.end_request(request, RequestState::Queued, None, Instant(7)).expect("it is not its own any more");
    assert_eq!(sleeper.request_row(request).expect("asks").expect("kept").state, RequestState::Running);

    desk.in_run(own).seat("ann", 1).commit(&other, 0).expect("commits");
    other.end_request(request, RequestState::Done, Some(own), Instant(8)).expect("ends");
    assert_eq!(other.request_row(request).expect("asks").expect("kept").run, Some(own));
    assert_eq!(trail(&sleeper, 0).len(), 1);
    // Awake, it works on as another node.
    let next = sleeper.begin_run(&lakes(), &Trigger::Drop, Instant(9)).expect("begins");
    Desk::new().in_run(next).seat("ben", 2).commit(&sleeper, 1).expect("commits");
}

/// Whoever was taken for dead commits while its run is being closed.
#[test]
fn a_run_is_closed_as_it_is_once_its_commit_is_over() {
    let Some(postgres) = postgres() else { return };
    let (sleeper, other) = (postgres.open(), postgres.open());
    let runs = [(); 2].map(|()| sleeper.begin_run(&lakes(), &Trigger::Drop, Instant(3)).expect("begins"));
    postgres.all_die();
    let (mut commits, mut looks) = (postgres.database.raw(), postgres.database.raw());
    let mut commit = commits.transaction().expect("begins");
    commit
        .batch_execute(&format!(
            "UPDATE customers SET version = 1;
             INSERT INTO audit SELECT id, 1, 4, 'cli:ann', {}, NULL, 'sync', 0, 0, hash, hash FROM customers;
             UPDATE runs SET state = 3 WHERE id = {}",
            runs[0], runs[1]
        ))
        .expect("written");
    let closed = std::thread::scope(|scope| {
        let closes = scope.spawn(|| other.close_orphans(Instant(5), false).expect("closes"));
        cluster::until_blocked(&mut looks);
        commit.commit().expect("commits");
        closes.join().expect("no panic")
    });
    assert_eq!(closed, runs[..1], "the other one ended meanwhile");
    let row = other.run(runs[0]).expect("asks").expect("kept");
    assert_eq!((row.state, row.version), (RunState::SucceededWithErrors, Some(Version(1))), "{}", row.message);
}

#[test]
fn a_node_lives_as_long_as_it_says_so() {
    let Some(postgres) = postgres() else { return };
    let choice = PostgresChoice { lease_secs: 3, ..postgres.database.choice() };
    let open = || open(&StoreChoice::Postgres(choice.clone()), Opening::Daemon).unwrap_or_else(|error| panic!("{error:?}"));
    let (one, two) = (open(), open());
    let mark = |pid| DaemonMark { pid, host: format!("node-{pid}"), since: Instant(7) };
    let lease = one.become_daemon(&mark(1)).expect("a daemon");
    let _other = two.become_daemon(&mark(2)).expect("several work on one database");
    assert_eq!(two.daemon().expect("asks"), Some(mark(1)), "the oldest");
    assert!(one.was_served());
    one.request(&lakes(), &Trigger::Drop, Instant(1)).expect("asks");
    one.take_request(Instant(2)).expect("takes").expect("one");
    // Longer than a lease, said anew all the time.
    std::thread::sleep(Duration::from_millis(4_500));
    assert!(two.take_request(Instant(3)).expect("asks").is_none(), "it lives");
    drop((lease, one));
    assert_eq!(two.daemon().expect("asks"), Some(mark(2)));
    assert!(two.take_request(Instant(4)).expect("asks").is_some(), "whoever goes leaves its work to others");
}

#[test]
fn a_roster_of_two_customers_is_staged_once() {
    let Some(postgres) = postgres() else { return };
    let handles = [postgres.open(), postgres.open()];
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for n in 0..8_usize {
            let (store, start) = (&handles[n % 2], &start);
            scope.spawn(move || {
                let digest = rosterd::base::Digest::of(b"the same");
                let row = rosterd::store::SnapshotRow {
                    digest,
                    base: None,
                    customer: rosterd::base::CustomerId::new(format!("c{n}")),
                    source: "sis".into(),
                    at: Instant(1),
                    bytes: 0,
                    people: 0,
                    enrollments: 0,
                };
                start.wait();
                store.stage(&row, &mut std::iter::once(vec![7; 10])).expect("stages, or finds it there");
            });
        }
    });
    let kept: BTreeSet<i64> =
        postgres.database.raw().query("SELECT n FROM snapshot_chunk", &[]).expect("asks").iter().map(|r| r.get(0)).collect();
    assert_eq!(kept.len(), 1);
}
