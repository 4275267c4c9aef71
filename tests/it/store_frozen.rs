//! A PostgreSQL or a node that stands still without being gone, and who goes on beside it: nothing waits without end, and nothing is
//! done twice.

use std::io::Write;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant as Moment};

use postgres::Client;
use rosterd::base::{Day, Instant, RequestId};
use rosterd::plan::{Notice, NoticeKind};
use rosterd::service::StoredLimits;
use rosterd::source::{PlaceTaken, SharedLimits};
use rosterd::store::{
    DaemonMark, Opening, PostgresChoice, RequestRow, RequestState, Routed, RunState, SharedStore, StoreChoice, StoreError,
    Trigger, open,
};

use crate::between::Between;
use crate::cluster::{self, Database};
use crate::store_contract::{Desk, lakes, snapshot};

fn database() -> Option<Database> {
    cluster::is_installed().then(Database::fresh)
}

fn opened(choice: PostgresChoice) -> SharedStore {
    open(&StoreChoice::Postgres(choice), Opening::Writing).unwrap_or_else(|error| panic!("{error:?}"))
}

/// Speaks so seldom that a test does not hear of it.
fn quiet(database: &Database) -> SharedStore {
    opened(PostgresChoice { lease_secs: 3_600, ..database.choice() })
}

/// A node with a request of the lakes' and a run for it that froze long ago, another one that may judge, and the number of the first.
fn frozen(database: &Database) -> (SharedStore, SharedStore, RequestRow, i64) {
    let (quiet, other) = (quiet(database), opened(PostgresChoice { lease_secs: 3, ..database.choice() }));
    quiet.request(&lakes(), &Trigger::Drop, Instant(1)).expect("asks");
    let taken = quiet.take_request(Instant(2)).expect("takes").expect("one");
    quiet.begin_run(&lakes(), &Trigger::Drop, Instant(3)).expect("begins");
    let id = database.raw().query_one("SELECT max(id) FROM nodes", &[]).expect("asks").get(0);
    other.request(&"hills".into(), &Trigger::Drop, Instant(4)).expect("asks");
    let died = format!(
        "UPDATE nodes SET steady = steady - INTERVAL '1 day';
         UPDATE nodes SET seen = seen - INTERVAL '1 hour' WHERE id = {id}"
    );
    database.raw().batch_execute(&died).expect("written");
    (quiet, other, taken, id)
}

/// Asks until there is one.
fn taken(store: &SharedStore) -> RequestRow {
    let began = Moment::now();
    loop {
        if let Some(taken) = store.take_request(Instant(9)).expect("takes") {
            return taken;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "nothing is taken");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// In the middle of copying rows, with the lakes' row locked.
fn hold_lakes<T>(raw: &mut Client, name: &str, meanwhile: impl FnOnce() -> T) -> T {
    let mut holds = raw.transaction().expect("begins");
    holds.batch_execute(&format!("SET LOCAL application_name = '{name}'")).expect("named");
    holds.query("SELECT 1 FROM customers WHERE name = 'lakes' FOR NO KEY UPDATE", &[]).expect("locked");
    let mut copies = holds.copy_in("COPY pools FROM STDIN").expect("copies");
    copies.write_all(b"77\t").expect("sent");
    copies.flush().expect("sent");
    meanwhile()
}

#[test]
fn a_node_that_froze_in_the_middle_holds_up_its_own_customer_alone() {
    let Some(database) = database() else { return };
    let (_quiet, other, lost, id) = frozen(&database);
    assert_eq!(lost.customer, lakes(), "the row that is held");
    let mut raw = database.raw();
    // The server may not end it: it is called something else.
    hold_lakes(&mut raw, "somebody", || {
        let asked = Moment::now();
        assert_eq!(other.take_request(Instant(5)).expect("takes").expect("one").customer.as_str(), "hills");
        assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
        assert!(other.take_request(Instant(6)).expect("asks").is_none());
        assert_eq!((other.close_orphans(Instant(7), true).expect("asks"), other.requeue_orphans().expect("asks")), (vec![], 0));
        assert!(asked.elapsed() < Duration::from_secs(20), "whoever starts anew does not wait long: {:?}", asked.elapsed());
    });
    let mut raw = database.raw();
    hold_lakes(&mut raw, &format!("rosterd node {id}"), || {
        let again = taken(&other);
        assert_eq!(again.request, lost.request, "its session was ended");
    });
    assert_eq!(other.runs(Some(&lakes()), 9).expect("asks")[0].state, RunState::Failed);
}

#[test]
fn what_a_living_node_writes_is_not_ended() {
    let Some(database) = database() else { return };
    let (one, other) = (opened(database.choice()), opened(database.choice()));
    one.request(&lakes(), &Trigger::Drop, Instant(1)).expect("asks");
    other.request(&"hills".into(), &Trigger::Drop, Instant(1)).expect("asks");
    // Somebody else is dead, so that there is something to be struck off, and `other` may judge.
    let dead = "UPDATE nodes SET steady = steady - INTERVAL '1 day';
                INSERT INTO nodes (host, pid, since, daemon, schema, seen)
                SELECT 'gone', 7, 0, 1, schema, clock_timestamp() - INTERVAL '1 hour' FROM rosterd";
    database.raw().batch_execute(dead).expect("written");
    let mut names = Vec::new();
    let row = snapshot(b"roster");
    let mut chunks = (0..3).map(|n| {
        let ask = "SELECT application_name FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name LIKE 'rosterd node %'";
        names.extend(database.raw().query(ask, &[]).expect("asks").iter().map(|row| row.get::<_, String>(0)));
        assert_eq!(other.close_orphans(Instant(2), false).expect("strikes off whoever is dead"), []);
        vec![n; 100]
    });
    one.stage(&row, &mut chunks).expect("goes on");
    let id: i64 = database.raw().query_one("SELECT min(id) FROM nodes", &[]).expect("asks").get(0);
    assert_eq!(names, vec![format!("rosterd node {id}"); 3]);
    let left: i64 = database.raw().query_one("SELECT count(*) FROM nodes WHERE host = 'gone'", &[]).expect("asks").get(0);
    assert_eq!(left, 0, "whoever is dead was struck off");
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_not_waited_for_without_end() {
    let Some(database) = database() else { return };
    let between = Between::of(&database);
    let choice = PostgresChoice { lease_secs: 3, statement_secs_max: 1, ..between.choice() };
    let store = opened(choice.clone());
    let mark = DaemonMark { pid: 7, host: "node-7".into(), since: Instant(7) };
    let _lease = store.become_daemon(&mark).expect("a daemon");
    assert_eq!(store.readiness().expect("asks"), Some(mark.clone()));
    between.freeze(true);
    let within = |secs: u64, what: &str, act: &dyn Fn()| {
        let began = Moment::now();
        act();
        assert!(began.elapsed() < Duration::from_secs(secs), "{what} took {:?}", began.elapsed());
    };
    let is_away = |told: Option<StoreError>| assert!(matches!(told, Some(StoreError::Away { .. })), "{told:?}");
    within(20, "a question", &|| is_away(store.version(&lakes()).err()));
    within(20, "a write", &|| is_away(store.request(&lakes(), &Trigger::Drop, Instant(1)).err()));
    within(20, "a start", &|| is_away(open(&StoreChoice::Postgres(choice.clone()), Opening::Daemon).err()));
    within(5, "readiness", &|| is_away(store.readiness().err()));
    between.freeze(false);
    let began = Moment::now();
    while store.readiness().ok().flatten() != Some(mark.clone()) {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", store.readiness());
        std::thread::sleep(Duration::from_millis(50));
    }
    // What was said to the frozen server may have been done; nothing is broken by it.
    assert_eq!(taken(&store_with(&store)).customer, lakes());
}

/// In which the lakes want something.
fn store_with(store: &SharedStore) -> SharedStore {
    let began = Moment::now();
    while let Err(error) = store.request(&lakes(), &Trigger::Drop, Instant(2)) {
        assert!(matches!(error, StoreError::Away { .. }) && began.elapsed() < Duration::from_secs(20), "{error:?}");
    }
    Arc::clone(store)
}

#[test]
fn whoever_asks_whether_a_node_is_ready_hears_of_that_node() {
    let Some(database) = database() else { return };
    let open = || opened(PostgresChoice { lease_secs: 3, ..database.choice() });
    let (one, two) = (open(), open());
    let mark = |pid| DaemonMark { pid, host: format!("node-{pid}"), since: Instant(7) };
    let _lease = one.become_daemon(&mark(1)).expect("a daemon");
    assert_eq!(two.daemon().expect("asks"), Some(mark(1)));
    assert_eq!(two.readiness().expect("asks"), None, "the other one is a daemon");
    // Struck off, it is a node again as soon as it finds out.
    let mut raw = database.raw();
    raw.batch_execute("DELETE FROM nodes").expect("written");
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(one.readiness().expect("asks"), Some(mark(1)));
    let nodes: i64 = raw.query_one("SELECT count(*) FROM nodes WHERE daemon = 1 AND pid = 1", &[]).expect("asks").get(0);
    assert_eq!(nodes, 1);
    let unready = |why: &str| {
        std::thread::sleep(Duration::from_millis(1_100));
        let told = one.readiness().expect_err(why).to_string();
        assert!(told.starts_with("reach postgres:"), "{told}");
    };
    raw.batch_execute("UPDATE rosterd SET schema = 99, compatible = 99").expect("written");
    unready("its program is too old");
    raw.batch_execute("UPDATE rosterd SET schema = 1, compatible = 1").expect("written");
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(one.readiness().expect("asks"), Some(mark(1)));
    let name: String = raw.query_one("SELECT current_database()", &[]).expect("asks").get(0);
    raw.batch_execute(&format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = on")).expect("altered");
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    raw.query(cut, &[]).expect("cut");
    unready("nothing can be written");
}

#[test]
fn whoever_lost_a_request_begins_no_run_for_it() {
    let Some(database) = database() else { return };
    let (sleeper, other) = (opened(database.choice()), opened(database.choice()));
    let (request, _) = sleeper.request(&lakes(), &Trigger::Drop, Instant(1)).expect("asks");
    sleeper.take_request(Instant(2)).expect("takes").expect("one");
    database.raw().batch_execute("DELETE FROM nodes").expect("written");
    assert_eq!(other.take_request(Instant(3)).expect("takes").expect("it is free").request, request);
    let late = sleeper.begin_run(&lakes(), &Trigger::Drop, Instant(4));
    assert!(matches!(late, Err(StoreError::RequestLost { request: lost }) if lost == request), "{late:?}");
    sleeper.end_request(request, RequestState::Queued, None, Instant(5)).expect("finds that somebody else has it");
    assert_eq!(sleeper.request_row(request).expect("asks").expect("kept").state, RequestState::Running);
    // Whatever it does for the customer without a request is its own.
    sleeper.begin_run(&lakes(), &Trigger::Drop, Instant(6)).expect("begins");
}

#[test]
fn whoever_was_struck_off_commits_nothing_even_before_its_run_is_closed() {
    let Some(database) = database() else { return };
    let sleeper = opened(database.choice());
    let run = sleeper.begin_run(&lakes(), &Trigger::Drop, Instant(1)).expect("begins");
    database.raw().batch_execute("DELETE FROM nodes").expect("written");
    let late = Desk::new().in_run(run).seat("ann", 1).commit(&sleeper, 0);
    assert!(matches!(late, Err(StoreError::RunClosed { run: closed }) if closed == run), "{late:?}");
    let mut row = sleeper.run(run).expect("asks").expect("kept");
    row.state = RunState::Succeeded;
    assert!(matches!(sleeper.save_run(&row), Err(StoreError::RunClosed { .. })));
    assert_eq!(sleeper.close_orphans(Instant(2), false).expect("closes"), [run]);
}

/// The node is struck off in the middle of a transaction, and finds out by its heartbeat.
#[test]
fn a_transaction_is_of_one_node_to_its_end() {
    let Some(database) = database() else { return };
    let store = opened(PostgresChoice { lease_secs: 3, ..database.choice() });
    store.request(&lakes(), &Trigger::Drop, Instant(1)).expect("asks");
    let (mut holds, mut looks) = (database.raw(), database.raw());
    let id: i64 = looks.query_one("SELECT id FROM nodes", &[]).expect("asks").get(0);
    let mut held = holds.transaction().expect("begins");
    held.query("SELECT 1 FROM customers FOR NO KEY UPDATE", &[]).expect("locked");
    let run = std::thread::scope(|scope| {
        let begins = scope.spawn(|| store.begin_run(&lakes(), &Trigger::Drop, Instant(2)).expect("begins"));
        cluster::until_blocked(&mut looks);
        looks.batch_execute("DELETE FROM nodes").expect("written");
        while looks.query_one("SELECT count(*) FROM nodes WHERE id > $1", &[&id]).expect("asks").get::<_, i64>(0) == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        held.commit().expect("commits");
        begins.join().expect("no panic")
    });
    let mark: String = looks.query_one("SELECT process FROM runs", &[]).expect("asks").get(0);
    assert_eq!(mark, format!("node {id}"), "of the node that it was begun by, not of the next one");
    assert_eq!(store.close_orphans(Instant(3), false).expect("closes"), [run]);
}

#[test]
fn a_date_is_asked_for_once_whoever_ticks() {
    let Some(database) = database() else { return };
    let stores = [opened(database.choice()), opened(database.choice())];
    // One asks, does it and is through before the other one asks.
    for (n, trigger) in [Trigger::Nightly(Day(3)), Trigger::Dates(Day(3))].into_iter().enumerate() {
        let day = 1_000_000 * (1 + i64::try_from(n).expect("small"));
        let first = stores[0].schedule(&lakes(), &trigger, Instant(day)).expect("asks").expect("nobody did");
        let taken = stores[0].take_request(Instant(day)).expect("takes").expect("one");
        assert_eq!(taken.request, first);
        stores[0].end_request(first, RequestState::Done, None, Instant(day + 1)).expect("ends");
        assert_eq!(stores[1].schedule(&lakes(), &trigger, Instant(day + 2)).expect("asks"), None, "{trigger:?}");
        // Whoever has a reason to ask again finds what was asked within the minute.
        assert_eq!(stores[1].request(&lakes(), &trigger, Instant(day + 2)).expect("asks"), (first, false), "{trigger:?}");
    }
    let days = 20;
    let start = Barrier::new(2);
    let asked: Vec<Vec<Option<RequestId>>> = std::thread::scope(|scope| {
        let ask = |store| {
            let start = &start;
            move || {
                let each = (0..days).flat_map(|day| [Trigger::Nightly(Day(10 + day)), Trigger::Dates(Day(10 + day))]);
                each.map(|trigger| {
                    start.wait();
                    let store: &SharedStore = store;
                    let asked = store.schedule(&lakes(), &trigger, Instant(5_000_000)).expect("asks");
                    while let Some(taken) = store.take_request(Instant(5_000_001)).expect("takes") {
                        store.end_request(taken.request, RequestState::Done, None, Instant(5_000_002)).expect("ends");
                    }
                    asked
                })
                .collect()
            }
        };
        let both = [scope.spawn(ask(&stores[0])), scope.spawn(ask(&stores[1]))];
        both.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    for (one, other) in asked[0].iter().zip(&asked[1]) {
        assert!(one.is_some() != other.is_some(), "{one:?} {other:?}");
    }
    let dates: i64 = database.raw().query_one("SELECT count(*) FROM scheduled", &[]).expect("asks").get(0);
    assert_eq!(dates, i64::from(days) * 2 + 2);
}

/// After an outage nobody was heard, and everybody's places are taken all the same.
#[test]
fn places_count_until_their_node_is_dead() {
    let Some(database) = database() else { return };
    let (quiet, other) = (quiet(&database), opened(PostgresChoice { lease_secs: 3, ..database.choice() }));
    let limits = [quiet, other.clone()].map(StoredLimits::new);
    let take = |limits: &StoredLimits| limits.take("https://sis.example", 1, Duration::ZERO);
    assert!(matches!(take(&limits[0]), PlaceTaken::After(..)), "it is free");
    other.request(&lakes(), &Trigger::Drop, Instant(1)).expect("is a node");
    let mut raw = database.raw();
    raw.batch_execute("UPDATE nodes SET seen = seen - INTERVAL '1 hour', steady = steady - INTERVAL '1 day'").expect("set");
    assert_eq!(take(&limits[1]), PlaceTaken::NotYet, "whoever has it may still be at it");
    let began = Moment::now();
    while !matches!(take(&limits[1]), PlaceTaken::After(..)) {
        assert!(began.elapsed() < Duration::from_secs(20), "heard for a whole lease, it may judge");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    // Whatever is wrong with the database, others ask the upstream, too.
    raw.batch_execute("UPDATE rosterd SET schema = 99, compatible = 99").expect("written");
    assert_eq!(take(&limits[1]), PlaceTaken::Unheard);
}

#[test]
fn notices_leave_once_however_far_clocks_are_apart() {
    const BEHIND: i64 = -300_000;
    let Some(database) = database() else { return };
    let stores = [opened(database.choice()), opened(database.choice())];
    let keys: Vec<String> = (0..60).map(|n| format!("n{n}")).collect();
    let notice = |key: &String| Notice {
        key: key.clone(),
        kind: NoticeKind::NegativeBalance,
        pool: None,
        source: None,
        text: "below zero".into(),
    };
    let notices: Vec<Notice> = keys.iter().map(notice).collect();
    stores[0].add_notices(&lakes(), &notices, Instant(0)).expect("writes");
    let routed = |key: &String| Routed { customer: lakes(), key: key.clone(), channels: vec!["ops".into()] };
    let routed: Vec<Routed> = keys.iter().map(routed).collect();
    stores[0].route_notices(&routed, Instant(BEHIND), false).expect("writes");
    let take = |store: &SharedStore, now: i64, max| {
        let taken = store.take_alerts(Instant(now), Instant(now + 60_000), max, 60).expect("takes");
        taken.into_iter().map(|row| row.notice.key).collect::<Vec<_>>()
    };
    let first = take(&stores[0], BEHIND, 20);
    assert_eq!(first.len(), 20);
    let start = Barrier::new(2);
    let mut all: Vec<String> = std::thread::scope(|scope| {
        let both = [(&stores[0], BEHIND), (&stores[1], 0)].map(|(store, now)| {
            let (start, take) = (&start, &take);
            scope.spawn(move || {
                start.wait();
                (0..10).flat_map(|_| take(store, now, 5)).collect::<Vec<_>>()
            })
        });
        both.into_iter().flat_map(|one| one.join().expect("no panic")).collect()
    });
    all.extend(first);
    all.sort_unstable();
    let mut expected = keys;
    expected.sort_unstable();
    assert_eq!(all, expected, "each once");
}

#[test]
fn each_minute_is_one_nodes() {
    let Some(database) = database() else { return };
    let stores = [(); 4].map(|()| opened(database.choice()));
    let start = Barrier::new(stores.len());
    let taken = || -> usize {
        std::thread::scope(|scope| {
            let all = stores.each_ref().map(|store| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    usize::from(store.take_minute().expect("asks"))
                })
            });
            all.into_iter().map(|one| one.join().expect("no panic")).sum()
        })
    };
    assert_eq!((taken(), taken()), (1, 0));
    // Whoever had the last one may be gone: the next one is anybody's.
    database.raw().batch_execute("UPDATE rosterd SET minute = minute - INTERVAL '1 minute'").expect("written");
    assert_eq!((taken(), taken()), (1, 0));
}
