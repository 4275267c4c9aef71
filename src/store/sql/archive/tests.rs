use std::fs::{self, File};
use std::path::Path;

use crate::base::{Actor, CustomerId, Instant, Version};
use crate::license::Names;
use crate::store::api::Store;
use crate::store::batch::Batch;
use crate::store::error::StoreError;
use crate::store::sql::archive::{finish, is_part, part_of, write_part};
use crate::store::sqlite::SqliteStore;

fn commit(store: &SqliteStore, customer: &CustomerId, parent: u64) {
    let batch = Batch {
        customer,
        parent: Version(parent),
        at: Instant(1),
        actor: Actor::system(),
        run: None,
        plan: None,
        verb: "test",
        names: &Names::default(),
        people: &Default::default(),
        changes: &[],
        entries: &[],
        notices: &[],
    };
    store.commit(&batch).expect("commits");
}

/// Two processes looked at the same time how far the trail was moved, and one of them was faster.
#[test]
fn what_was_moved_meanwhile_is_not_written_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&folder.path().join("r.db")).expect("a store");
    let customer = CustomerId::from("lakes");
    (0..3).for_each(|parent| commit(&store, &customer, parent));
    let span = (Version(0), Version(2));
    let part = |name: &str| part_of(&folder.path().join(name));
    write_part(&store.door, &customer, span, &part("one")).expect("both could");
    let file = folder.path().join("a.trail.db");
    store.archive(&customer, Version(2), &file, Instant(9)).expect("moves").expect("something");
    let late = write_part(&store.door, &customer, span, &part("two"));
    assert!(matches!(late, Err(StoreError::Archive { .. })), "{late:?}");
}

#[test]
fn a_file_is_never_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let read = |path: &Path| fs::read_to_string(path).expect("it is there");
    fs::write(at("kept"), "all of it").expect("written");
    fs::write(at("part"), "nothing").expect("written");
    let made = File::open(at("part")).expect("it is there");
    finish(&made, &at("part"), &at("kept")).expect_err("somebody else made it");
    assert_eq!(read(&at("kept")), "all of it");
    finish(&made, &at("part"), &at("new")).expect("made");
    assert_eq!((read(&at("new")).as_str(), at("part").exists()), ("nothing", false));
    assert_ne!(part_of(&at("kept")), part_of(&at("kept")), "two threads may do the same");
}

#[test]
fn what_is_dropped_is_what_was_called_so_here() {
    let name = |file: &str| part_of(Path::new(file)).file_name().expect("a name").to_str().expect("text").to_owned();
    let own = name("/a/north-00000001-00000003.trail.db");
    assert!(is_part(&own) && is_part(&format!("{own}-journal")), "{own}");
    for other in
        ["north.trail.db", "north.trail.db.part", "a.db.x-1-1.part", "a.db.0a-1.part", "a.part", "a.db.0a-1-1.part.bak"]
    {
        assert!(!is_part(other), "{other}");
    }
}
