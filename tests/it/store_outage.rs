//! What a PostgreSQL that goes away leaves in doubt, and who may judge whom after it.

use std::sync::Barrier;
use std::time::{Duration, Instant as Moment};

use rosterd::base::{Digest, Instant, Version};
use rosterd::service::StoredLimits;
use rosterd::source::{PlaceTaken, SharedLimits};
use rosterd::store::{
    ONCE_MILLIS, OnceRow, Opening, PostgresChoice, RequestState, RunState, SharedStore, StoreChoice, StoreError, Trigger, open,
};

use crate::between::Between;
use crate::cluster::{self, Database};
use crate::store_contract::{Desk, lakes};

/// A database of the test's own, unless there is no server.
fn database() -> Option<Database> {
    cluster::is_installed().then(Database::fresh)
}

fn opened(choice: PostgresChoice) -> SharedStore {
    open(&StoreChoice::Postgres(choice), Opening::Writing).unwrap_or_else(|error| panic!("{error:?}"))
}

#[test]
fn what_may_have_been_begun_is_undone() {
    let Some(database) = database() else { return };
    let between = Between::of(&database);
    let store = opened(between.choice());
    let (request, _) = store.request(&lakes(), &Trigger::Drop, Instant(1)).expect("asks");
    between.lose_commit();
    let taken = store.take_request(Instant(2));
    assert!(matches!(taken, Err(StoreError::Away { .. })), "{taken:?}");
    assert_eq!(store.request_row(request).expect("asks").expect("kept").state, RequestState::Running, "taken all the same");
    between.lose_commit();
    let begun = store.begin_run(&lakes(), &Trigger::Drop, Instant(3));
    assert!(matches!(begun, Err(StoreError::Away { .. })), "{begun:?}");
    let state = || store.runs(None, 9).expect("asks").iter().map(|row| row.state).collect::<Vec<_>>();
    assert_eq!(state(), [RunState::Fetching]);

    let again = store.take_request(Instant(4)).expect("takes").expect("it is in line again");
    assert_eq!((again.request, state()), (request, vec![RunState::Failed]));
    assert!(store.take_request(Instant(5)).expect("asks").is_none(), "what is known to be taken stays so");
}

#[test]
fn a_commit_that_nobody_heard_of_is_not_called_failed() {
    let Some(database) = database() else { return };
    let between = Between::of(&database);
    let store = opened(between.choice());
    let run = store.begin_run(&lakes(), &Trigger::Drop, Instant(1)).expect("begins");
    let mut row = store.run(run).expect("asks").expect("kept");
    between.lose_commit();
    between.shut(true);
    let committed = Desk::new().in_run(run).seat("ann", 1).commit(&store, 0);
    assert!(matches!(committed, Err(StoreError::Away { .. })), "{committed:?}");
    between.shut(false);
    (row.state, row.message) = (RunState::Failed, "could not reach it".into());
    while let Err(error) = store.save_run(&row) {
        assert!(matches!(error, StoreError::Away { .. }), "{error:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
    let row = store.run(run).expect("asks").expect("kept");
    assert_eq!((row.state, row.version), (RunState::SucceededWithErrors, Some(Version(1))), "{}", row.message);
}

/// All at once read, so that each has a connection.
fn all_read(store: &SharedStore, readers: usize) {
    let all = Barrier::new(readers);
    std::thread::scope(|scope| {
        for _ in 0..readers {
            scope.spawn(|| {
                let meet = &mut |_| {
                    all.wait();
                    Ok(())
                };
                store.audit(&lakes(), Version(0), meet).expect("reads");
            });
        }
    });
}

#[test]
fn a_restart_is_not_noticed_however_many_connections_idle() {
    let Some(database) = database() else { return };
    let store = opened(PostgresChoice { connections_max: 12, ..database.choice() });
    Desk::new().seat("ann", 1).commit(&store, 0).expect("commits");
    all_read(&store, 12);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    database.raw().query(cut, &[]).expect("cut");
    assert_eq!(store.version(&lakes()).expect("asks"), Version(1));
    // None of the places of the old ones is lost.
    all_read(&store, 12);
}

/// Nobody could say that it lives; whoever is back first must not take the others for dead.
#[test]
fn whoever_was_unheard_itself_does_not_judge() {
    let Some(database) = database() else { return };
    // Speaks so seldom that the test does not hear of it.
    let quiet = opened(PostgresChoice { lease_secs: 3_600, ..database.choice() });
    let other = opened(PostgresChoice { lease_secs: 3, ..database.choice() });
    quiet.request(&lakes(), &Trigger::Drop, Instant(1)).expect("asks");
    let taken = quiet.take_request(Instant(2)).expect("takes").expect("one");
    other.request(&"hills".into(), &Trigger::Drop, Instant(3)).expect("asks");
    let hills = other.take_request(Instant(4)).expect("takes").expect("the other customer's");
    let over = Moment::now();
    database
        .raw()
        .batch_execute("UPDATE nodes SET seen = seen - INTERVAL '1 hour', steady = steady - INTERVAL '1 day'")
        .expect("set");
    assert!(other.take_request(Instant(5)).expect("asks").is_none());
    // Heard without a gap for a whole lease, it may.
    let again = loop {
        if let Some(again) = other.take_request(Instant(6)).expect("asks") {
            break again;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(over.elapsed() >= Duration::from_secs(3), "{:?}", over.elapsed());
    assert_eq!(again.request, taken.request);
    assert_eq!(
        other.request_row(hills.request).expect("asks").expect("kept").state,
        RequestState::Running,
        "its own is its own"
    );
}

#[test]
fn a_key_that_two_ask_under_at_once_is_begun_once() {
    let Some(database) = database() else { return };
    let store = opened(database.choice());
    let row = OnceRow { token: 7, key: "k".into(), asked: Digest::of(b"a"), at: Instant(ONCE_MILLIS), answer: None };
    let (mut first, mut looks) = (database.raw(), database.raw());
    let mut asking = first.transaction().expect("begins");
    let add = "INSERT INTO once (token, key, asked, at) VALUES (7, 'k', $1, $2)";
    asking.execute(add, &[&row.asked.0.as_slice(), &row.at.0]).expect("written");
    let known = std::thread::scope(|scope| {
        let second = scope.spawn(|| store.begin_once(&row));
        cluster::until_blocked(&mut looks);
        asking.commit().expect("commits");
        second.join().expect("no panic")
    });
    assert_eq!(known.expect("waits for the first"), Some(row));
}

/// While a long trail is read the server holds one cursor, not one for each commit.
#[test]
fn what_was_read_is_let_go() {
    let Some(database) = database() else { return };
    let store = opened(database.choice());
    for n in 0..3 {
        Desk::new().seat(&format!("p{n}"), n + 1).commit(&store, n).expect("commits");
    }
    let mut looks = database.raw();
    let ask = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
    let mut last = Vec::new();
    let look = &mut |_| {
        last.push(looks.query_one(ask, &[]).expect("one reads").get::<_, String>(0));
        Ok(())
    };
    store.audit(&lakes(), Version(0), look).expect("reads");
    assert!(last.len() == 3 && last.iter().all(|query| query.starts_with("CLOSE ")), "{last:?}");
}

#[test]
fn a_trail_is_not_scattered_over_machines() {
    let Some(database) = database() else { return };
    let store = opened(database.choice());
    for n in 0..4 {
        Desk::new().seat(&format!("p{n}"), n + 1).commit(&store, n).expect("commits");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    store.archive(&lakes(), Version(1), &at("one"), Instant(9)).expect("moves").expect("something");
    store.archive(&lakes(), Version(2), &at("two"), Instant(9)).expect("moves").expect("something");
    // As another machine sees it.
    std::fs::rename(at("two"), at("elsewhere")).expect("moved");
    let refused = store.archive(&lakes(), Version(3), &at("three"), Instant(9));
    assert!(matches!(&refused, Err(StoreError::Archive { file, .. }) if *file == at("two")), "{refused:?}");
    assert!(!at("three").exists());
    std::fs::rename(at("elsewhere"), at("two")).expect("moved");
    store.archive(&lakes(), Version(3), &at("three"), Instant(9)).expect("moves").expect("something");
}

/// A place at an upstream that could not be given back is given back as soon as it can be, though its node asks for nothing more.
#[test]
fn places_that_are_owed_are_given_back() {
    let Some(database) = database() else { return };
    let between = Between::of(&database);
    let limits = [between.choice(), database.choice()].map(|choice| StoredLimits::new(opened(choice)));
    let take = |limits: &StoredLimits| limits.take("https://sis.example", 1, Duration::ZERO);
    let PlaceTaken::After(number, _) = take(&limits[0]) else { panic!("it is free") };
    assert!(matches!(take(&limits[1]), PlaceTaken::NotYet), "it is taken");
    between.shut(true);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    database.raw().query(cut, &[]).expect("cut");
    limits[0].end(number);
    assert!(!matches!(take(&limits[1]), PlaceTaken::After(..)), "nobody heard of it");
    between.shut(false);
    is_free_again(&limits[1]);
}

fn is_free_again(limits: &StoredLimits) {
    let began = Moment::now();
    while !matches!(limits.take("https://sis.example", 1, Duration::ZERO), PlaceTaken::After(..)) {
        assert!(began.elapsed() < Duration::from_secs(20), "it is not given back");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// So it is where the server lets nobody write for a while.
#[test]
fn places_are_owed_to_a_server_that_is_read_only() {
    let Some(database) = database() else { return };
    let limits = [database.choice(), database.choice()].map(|choice| StoredLimits::new(opened(choice)));
    let PlaceTaken::After(number, _) = limits[0].take("https://sis.example", 1, Duration::ZERO) else { panic!("it is free") };
    let read_only = |is: &str| {
        let mut raw = database.raw();
        raw.batch_execute("SET default_transaction_read_only = off").expect("said");
        let said = format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = {is}', current_database()); END $$;
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()"
        );
        raw.batch_execute(&said).expect("said");
    };
    read_only("on");
    // The first connection that is asked was cut; the next ones hear that they may not.
    limits[0].end(number);
    limits[0].end(number);
    assert!(matches!(limits[0].take("https://sis.example", 1, Duration::ZERO), PlaceTaken::Unheard), "it owes");
    read_only("off");
    is_free_again(&limits[1]);
}
