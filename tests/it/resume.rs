//! A pull that is killed goes on where it was, as long as nothing moved; a damaged spool costs reading again and nothing else.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::source::RestVersion;

use crate::fake_http::Reply;
use crate::fake_oneroster::{Provider, segment};
use crate::net_program::{rosterd, write_settings};
use crate::world::World;

fn district() -> World {
    let mut world = World::new("north")
        .school("s1")
        .class("c1", "s1", "Art")
        .product("p", ProductKind::Module, SeatModel::Role)
        .pool("p", "d", Some(40), OnFull::Wait);
    for at in 0..30 {
        let key = format!("u{at:02}");
        world.hire(&key, "student", "s1");
        world.enroll(&key, "c1", None, None);
    }
    world
}

fn connect(provider: &Provider, folder: &Path) {
    let source = format!(
        "kind = \"oneroster_rest\"\naddress = \"{}\"\nversion = \"1.1\"\nauth = \"bearer\"\ntoken_file = \"word.secret\"\n\
         page_rows = 5",
        provider.server.url("/ims/oneroster/v1p1")
    );
    write_settings(folder, "", &[("north", &source)]);
}

fn sync(folder: &Path) -> Child {
    let mut command = rosterd(folder, "sync north --here --json");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("rosterd starts")
}

/// Runs a sync that is killed at its `last`-th request.
fn killed_at(provider: &Provider, folder: &Path, last: usize, headers: fn(Reply) -> Reply) {
    let (send, receive) = mpsc::channel();
    provider.lies(move |_, before, reply| {
        if before < last {
            return headers(reply);
        }
        let _ = send.send(());
        Reply::hang()
    });
    let mut child = sync(folder);
    receive.recv().expect("the request before the end");
    // The page before it is being put away beside the request.
    std::thread::sleep(Duration::from_millis(700));
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
}

/// What a sync asks for, in the words `users 5`, when the provider answers with these headers.
fn asked_by_sync(provider: &Provider, folder: &Path, headers: fn(Reply) -> Reply) -> (Vec<String>, String) {
    let before = provider.server.asked().len();
    provider.lies(move |_, _, reply| headers(reply));
    let done = sync(folder).wait_with_output().expect("it ends");
    assert!(done.status.success(), "{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let asked = provider.server.asked();
    let asked = asked[before..]
        .iter()
        .map(|asked| format!("{} {}", segment(asked), asked.number("offset").expect("an offset")))
        .collect();
    (asked, String::from_utf8(done.stdout).expect("text"))
}

fn without_total(mut reply: Reply) -> Reply {
    reply.headers.retain(|(name, _)| name != "X-Total-Count");
    reply
}

#[test]
fn a_killed_pull_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let provider = Provider::start();
    provider.has(&district(), RestVersion::V1_1);
    connect(&provider, folder.path());
    killed_at(&provider, folder.path(), 11, |reply| reply);
    let (asked, told) = asked_by_sync(&provider, folder.path(), |reply| reply);
    // Two requests each for four collections, then users: three pages were kept, the fourth was asked for when it died. The third
    // is asked for once more, to see whether it moved.
    assert_eq!(asked[..2], ["users 10", "users 15"], "{asked:?}");
    assert!(told.contains("succeeded"), "{told}");
    assert!(!folder.path().join("spool").exists(), "emptied when the run was over");
    let (again, _) = asked_by_sync(&provider, folder.path(), |reply| reply);
    assert_eq!(again[0], "orgs 0", "the next run reads anew");
}

#[test]
fn a_list_that_moved_while_nobody_read_it_is_read_from_its_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    let provider = Provider::start();
    let mut world = district();
    provider.has(&world, RestVersion::V1_1);
    connect(&provider, folder.path());
    killed_at(&provider, folder.path(), 11, |reply| reply);
    // One leaves before the place and one comes behind it: as many as before, and whoever stood behind the place is one further on.
    let (gone, more) = (world.people.keys().nth(3).expect("a person").clone(), world.people.len());
    world.people.remove(&gone);
    world.hire("zz", "teacher", "s1");
    assert_eq!(world.people.len(), more);
    provider.has(&world, RestVersion::V1_1);
    let (asked, told) = asked_by_sync(&provider, folder.path(), |reply| reply);
    assert_eq!(asked[..2], ["users 10", "users 0"], "{asked:?}");
    assert!(told.contains(&format!("\"people\": {more}")), "{told}");
}

#[test]
fn a_pull_whose_pages_prove_nothing_starts_over_and_so_does_one_that_was_overtaken() {
    let folder = tempfile::tempdir().expect("a folder");
    let provider = Provider::start();
    provider.has(&district(), RestVersion::V1_1);
    connect(&provider, folder.path());
    killed_at(&provider, folder.path(), 11, without_total);
    let (asked, _) = asked_by_sync(&provider, folder.path(), without_total);
    assert_eq!(asked[0], "orgs 0", "{asked:?}");

    let folder = tempfile::tempdir().expect("a folder");
    connect(&provider, folder.path());
    killed_at(&provider, folder.path(), 11, |reply| reply.with("x-perm-rev", 1));
    let (asked, _) = asked_by_sync(&provider, folder.path(), |reply| reply.with("x-perm-rev", 2));
    assert_eq!((asked[0].as_str(), asked[1].as_str()), ("users 15", "orgs 0"), "{asked:?}");
}

#[test]
fn a_damaged_spool_costs_reading_again_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let provider = Provider::start();
    provider.has(&district(), RestVersion::V1_1);
    connect(&provider, folder.path());
    killed_at(&provider, folder.path(), 11, |reply| reply);
    for file in ["conf", "db"] {
        fs::write(folder.path().join("spool").join(file), [0xA5; 64]).expect("damage");
    }
    let (asked, told) = asked_by_sync(&provider, folder.path(), |reply| reply);
    assert_eq!(asked[0], "orgs 0", "{asked:?}");
    assert!(told.contains("succeeded") && folder.path().join("spool.damaged").exists());
}
