//! Nodes are renewed one after the other: a node beside a database of the next version, faked here.

use rosterd::base::Instant;
use rosterd::store::{Opening, RequestState, SharedStore, StoreChoice, StoreError, Trigger, open};

use crate::cluster::{self, Database};
use crate::store_contract::{Desk, lakes, trail};

fn try_open(database: &Database, opening: Opening) -> Result<SharedStore, StoreError> {
    open(&StoreChoice::Postgres(database.choice()), opening)
}

/// What the next version's first node does to the database.
fn upgrade(database: &Database, compatible: u32) {
    let mut raw = database.raw();
    raw.batch_execute("ALTER TABLE pools ADD COLUMN of_the_next_version BIGINT").expect("altered");
    raw.batch_execute(&format!("UPDATE rosterd SET schema = schema + 1, compatible = {compatible}")).expect("written");
}

#[test]
fn a_node_works_on_beside_a_newer_schema_that_only_added_something() {
    if !cluster::is_installed() {
        return;
    }
    let database = Database::fresh();
    let running = try_open(&database, Opening::Daemon).expect("opens");
    Desk::new().seat("ann", 1).commit(&running, 0).expect("commits");
    upgrade(&database, 1);
    Desk::new().seat("bob", 2).commit(&running, 1).expect("goes on");
    for opening in [Opening::Existing, Opening::Writing, Opening::Daemon] {
        let fresh = try_open(&database, opening).expect("a node of this version may also start anew");
        assert_eq!(trail(&fresh, 0).len(), 2);
    }
}

#[test]
fn a_node_that_the_newer_schema_shuts_out_does_nothing_more() {
    if !cluster::is_installed() {
        return;
    }
    let database = Database::fresh();
    let running = try_open(&database, Opening::Daemon).expect("opens");
    Desk::new().seat("ann", 1).commit(&running, 0).expect("commits");
    let (request, _) = running.request(&lakes(), &Trigger::Drop, Instant(1)).expect("asks");
    running.take_request(Instant(2)).expect("takes").expect("one");
    upgrade(&database, 2);
    let refused = Desk::new().seat("bob", 2).commit(&running, 1);
    assert!(matches!(refused, Err(StoreError::SchemaNewer { found: 2, known: 1, .. })), "{refused:?}");
    let refused = running.end_request(request, RequestState::Done, None, Instant(3));
    assert!(matches!(refused, Err(StoreError::SchemaNewer { .. })), "{refused:?}");
    let told = try_open(&database, Opening::Daemon).err().expect("refused").to_string();
    assert!(told.contains("its schema is 2, this program knows up to 1 (use the newer rosterd)"), "{told}");
    // What it has written is whole, and what it worked on is still there for a newer node.
    let state: i64 = database.raw().query_one("SELECT state FROM requests", &[]).expect("asks").get(0);
    assert_eq!(state, 1);
}

#[test]
fn a_newer_node_does_not_trip_up_older_ones_that_live() {
    if !cluster::is_installed() {
        return;
    }
    let database = Database::fresh();
    let older = try_open(&database, Opening::Daemon).expect("opens");
    Desk::new().seat("ann", 1).commit(&older, 0).expect("commits");
    // Seen from the next version: this program's only step is one that older nodes cannot go on beside.
    let mut raw = database.raw();
    raw.batch_execute("UPDATE nodes SET schema = 0; UPDATE rosterd SET schema = 0").expect("written");
    let refused = try_open(&database, Opening::Daemon).err().expect("refused");
    assert!(matches!(refused, StoreError::OlderNodes { nodes: 1, known: 1, .. }), "{refused:?}");
    assert!(refused.to_string().contains("1 nodes of an older rosterd work on it (stop them first"), "{refused}");
    assert_eq!(trail(&older, 0).len(), 1, "nothing was touched");
}
