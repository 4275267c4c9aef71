//! Pulls from Clever and ClassLink that are killed go on where they were, if the district's data is what it was; and what
//! `sync --full` asks for.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;

use crate::fake_classlink::ClassLink;
use crate::fake_clever::Clever;
use crate::fake_http::Reply;
use crate::net_oneroster::district;
use crate::net_program::{rosterd, write_settings};

fn settings(folder: &Path, source: &str) {
    write_settings(folder, "", &[("north", &format!("page_rows = 5\n{source}"))]);
}

fn sync(folder: &Path, more: &[&str]) -> Command {
    let mut command = rosterd(folder, "sync north --here --json");
    command.args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn succeeds(folder: &Path, more: &[&str]) {
    let done = sync(folder, more).output().expect("it ends");
    assert!(done.status.success(), "{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
}

/// Runs a sync that is killed at its `last`-th request.
fn killed_at(clever: &Clever, folder: &Path, last: usize) {
    let (send, receive) = mpsc::channel();
    clever.lies(move |_, before, reply| {
        if before < last {
            return reply;
        }
        let _ = send.send(());
        Reply::hang()
    });
    let mut child = sync(folder, &[]).spawn().expect("rosterd starts");
    receive.recv().expect("the request before the end");
    // The page before it is being put away beside the request.
    std::thread::sleep(Duration::from_millis(700));
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
    clever.is_honest();
}

#[test]
fn a_killed_pull_from_clever_goes_on_where_it_was_unless_new_data_came() {
    let clever = Clever::start();
    clever.has(&district("north"));
    let source = format!(
        "kind = \"clever\"\ndistrict = \"d\"\naddress = \"{}\"\ntoken_address = \"{}\"\nclient_id_file = \"id.secret\"\n\
         client_secret_file = \"word.secret\"",
        clever.server.url(""),
        clever.server.url("/oauth/tokens")
    );
    let folder = tempfile::tempdir().expect("a folder");
    settings(folder.path(), &source);
    // Tokens, the district, three short lists, and three pages of users; it dies at the fourth.
    killed_at(&clever, folder.path(), 8);
    let before = clever.count();
    succeeds(folder.path(), &[]);
    let asked = &clever.server.asked()[before..];
    assert_eq!(clever.asked_since(before)[..3], ["tokens", "districts", "users"]);
    assert_eq!(asked[2].param("starting_after").as_deref(), Some("u14"));
    assert!(!folder.path().join("spool").exists(), "emptied when the run was over");
    let before = clever.count();
    succeeds(folder.path(), &[]);
    assert_eq!(clever.asked_since(before)[..3], ["tokens", "districts", "schools"], "the next run reads anew");

    let folder = tempfile::tempdir().expect("a folder");
    settings(folder.path(), &source);
    killed_at(&clever, folder.path(), 8);
    clever.set(|state| state.district["last_sync"] = json!("2026-03-02T05:00:00.000Z"));
    let before = clever.count();
    succeeds(folder.path(), &[]);
    assert_eq!(clever.asked_since(before)[..3], ["tokens", "districts", "schools"]);
}

#[test]
fn a_full_sync_reads_what_the_revision_says_is_the_same() {
    let classlink = ClassLink::start();
    classlink.has(&district("north"));
    let source = format!(
        "kind = \"classlink\"\ntenant = 8841\naddress = \"{}\"\napi_key_file = \"partner.secret\"",
        classlink.provider.server.url("")
    );
    let folder = tempfile::tempdir().expect("a folder");
    settings(folder.path(), &source);
    let reads = |more: &[&str]| {
        let before = classlink.count();
        succeeds(folder.path(), more);
        classlink.asked_since(before).iter().filter(|word| *word == "users").count()
    };
    assert_eq!(reads(&[]), 7, "six pages, and one to see the end");
    assert_eq!(reads(&[]), 0);
    assert_eq!(reads(&["--full"]), 7);
    assert_eq!(reads(&["--full", "--source", "sis"]), 7);
    assert_eq!(reads(&[]), 0);
    let told = rosterd(folder.path(), "status north --json").output().expect("it ends");
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let source = &told["customers"][0]["sources"][0];
    assert_eq!((source["source"].as_str(), source["trouble"].is_null()), (Some("sis"), true));
    assert!(source["looked_at"].is_string() && source["read_in_full_at"].is_string(), "{source}");
}
