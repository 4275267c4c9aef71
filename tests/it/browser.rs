//! The dashboard in a real browser: axe on every page, a same-day run and the approval of a hold by clicks. Left out, and
//! said so, where there is no Chromium or no node with the two packages that drive it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rosterd::base::AccessRole;
use rosterd::http::PAGES;
use serde_json::{Value, json};

use crate::daemon::until;
use crate::fake_http::{FakeServer, Reply};
use crate::gate::{Gate, Opened};
use crate::site::Site;

/// Where the packages are put: below what is built.
fn modules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/browser")
}

fn lacking() -> Option<&'static str> {
    let is_there = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|done| done.status.success());
    let has = |package: &str| modules().join("node_modules").join(package).is_dir();
    match () {
        () if !is_there("chromium") => Some("chromium is not installed"),
        () if !is_there("node") => Some("node is not installed"),
        () if !has("playwright-core") || !has("axe-core") => Some("playwright-core and axe-core are not in target/browser"),
        () => None,
    }
}

/// A page of the table: its method and path, and what is looked at of it, each with a name and a path.
type Looked = (&'static str, &'static [(&'static str, &'static str)]);

/// Each page of the table with what is looked at of it. `{hold}`, `{night}`, `{now}` and `{request}` are numbers that are found
/// out.
const LOOKED: [Looked; 21] = [
    ("GET /c/{customer}/requests/{request}", &[("request", "/c/birch/requests/{request}")]),
    (
        "GET /c/{customer}/runs/{run}",
        &[("run-now", "/c/birch/runs/{now}"), ("run", "/c/northfield/runs/{night}"), ("run-held", "/c/northfield/runs/{hold}")],
    ),
    ("GET /", &[("overview", "/")]),
    ("GET /nodes", &[("nodes", "/nodes")]),
    ("GET /c/{customer}", &[("customer", "/c/northfield"), ("customer-new", "/c/aspen"), ("customer-major", "/c/larkspur")]),
    ("GET /c/{customer}/pools/{pool}", &[("pool", "/c/northfield/pools/content-district")]),
    ("GET /c/{customer}/orgs", &[("orgs", "/c/northfield/orgs")]),
    ("GET /c/{customer}/people", &[("people", "/c/northfield/people")]),
    ("GET /c/{customer}/person", &[("person", "/c/northfield/person?key=t-058")]),
    ("GET /c/{customer}/queue", &[("queue", "/c/northfield/queue")]),
    ("GET /c/{customer}/runs", &[("runs", "/c/northfield/runs")]),
    ("GET /c/{customer}/holds", &[("holds", "/c/northfield/holds")]),
    ("GET /c/{customer}/holds/{run}", &[("hold", "/c/northfield/holds/{hold}")]),
    ("GET /c/{customer}/sources", &[("sources", "/c/northfield/sources"), ("sources-new", "/c/aspen/sources")]),
    ("GET /c/{customer}/episodes", &[("episodes", "/c/northfield/episodes")]),
    (
        "GET /c/{customer}/episodes/{episode}",
        &[("episode", "/c/northfield/episodes/1"), ("episode-major", "/c/larkspur/episodes/1")],
    ),
    ("GET /c/{customer}/forecast", &[("forecast", "/c/northfield/forecast?pool=content-district")]),
    ("GET /c/{customer}/reports", &[("reports", "/c/northfield/reports")]),
    ("GET /c/{customer}/notices", &[("notices", "/c/northfield/notices")]),
    ("GET /c/{customer}/audit", &[("audit", "/c/northfield/audit")]),
    ("GET /c/{customer}/audit/{commit}", &[("commit", "/c/northfield/audit/1")]),
];

/// Pages of the table that are looked at otherwise, or are none, and why.
const ELSE: [(&str, &str); 10] = [
    ("GET /c/{customer}/reports/{report}", "each report that the page of all names is looked at"),
    ("POST /c/{customer}/holds/{run}/approve", "the browser turns its pages and approves it"),
    ("POST /c/{customer}/holds/{run}/reject", "it leads on to the hold"),
    ("GET /c/{customer}/holds/{run}/approve", "it leads on to the hold"),
    ("POST /c/{customer}/sync", "it leads on to the request"),
    ("POST /logout", "it leads on to where one signs in"),
    ("GET /c/{customer}/orgs.csv", "a file"),
    ("GET /c/{customer}/reports/{report}/csv", "a file"),
    ("GET /c/{customer}/runs/{run}/progress", "a part of the page of the run"),
    ("GET /c/{customer}/requests/{request}/progress", "a part of the page of the request"),
];

/// Beside the table: pages that say that there is nothing, or not that way.
const WRONG: [(&str, &str, u16); 2] = [("not-there", "/c/nowhere", 404), ("no-run", "/c/northfield/runs/999999", 404)];

/// What the browser itself leads to: signing in, refused, too often; two of a hold; what is not for a role.
const LED_TO: usize = 6;

#[test]
fn every_page_of_the_table_is_looked_at() {
    let table: BTreeSet<String> = PAGES.iter().map(|page| format!("{} {}", page.method, page.path)).collect();
    let told = LOOKED.iter().map(|(page, _)| page).chain(ELSE.iter().map(|(page, _)| page));
    let told: Vec<String> = told.map(|page| (*page).to_owned()).collect();
    assert_eq!((told.len(), told.into_iter().collect::<BTreeSet<_>>()), (table.len(), table));
}

/// A customer who reads from this server.
fn birch(server: &FakeServer) -> String {
    format!(
        "[[customer]]\nid = \"birch\"\nname = \"Birch Hill\"\n\n[[customer.source]]\nid = \"sis\"\nkind = \"oneroster_rest\"\n\
         address = \"{}\"\nversion = \"1.1\"\nauth = \"bearer\"\ntoken = \"word\"\n",
        server.url("/ims/oneroster/v1p1")
    )
}

/// What is to be looked at, with its numbers.
fn looked(site: &Site, numbers: &[(&str, u64)]) -> Vec<Value> {
    let filled = |path: &str| {
        numbers.iter().fold(path.to_owned(), |path, (name, number)| path.replace(&format!("{{{name}}}"), &number.to_string()))
    };
    let mut pages: Vec<Value> = Vec::new();
    for (name, path) in LOOKED.iter().flat_map(|(_, pages)| *pages) {
        pages.push(json!({"name": name, "path": filled(path), "status": 200}));
    }
    let mut browser = site.signed_in(&site.token(AccessRole::Reporter, ""));
    let all = browser.get("/c/northfield/reports").body;
    let named = all.split("href=\"/c/northfield/reports/").skip(1).filter_map(|rest| rest.split('"').next());
    let reports: BTreeSet<&str> = named.collect();
    assert!(reports.len() >= 8, "{reports:?}");
    for report in reports {
        pages.push(
            json!({"name": format!("report-{report}"), "path": format!("/c/northfield/reports/{report}"), "status": 200}),
        );
    }
    pages.extend(WRONG.map(|(name, path, status)| json!({"name": name, "path": path, "status": status})));
    pages
}

#[test]
fn a_browser_finds_its_way_and_axe_finds_nothing() {
    if let Some(why) = lacking() {
        eprintln!("left out: {why}");
        return;
    }
    // A customer whose source does not answer yet: what is under way stays so.
    let gate = Arc::new(Gate::default());
    let before = Arc::clone(&gate);
    let silent = FakeServer::start(move |_, _| {
        before.pass();
        Reply::new(404, "")
    });
    let closed = Opened(&gate);
    let site = Site::open_with("", &birch(&silent));
    site.end_students(100..240);
    let hold = site.held_run();
    let request = site.demo.json("sync birch")["request"].as_u64().expect("a request");
    let night = site.demo.json("runs northfield --limit 1000")["runs"].as_array().and_then(|runs| runs.last()?["run"].as_u64());
    let mut now = None;
    until("the run of that request is under way", || {
        let all = site.demo.json("runs birch");
        now = all["runs"][0]["run"].as_u64();
        now.map(drop).ok_or_else(|| all.to_string())
    });
    let numbers = [("hold", hold), ("request", request), ("night", night.expect("a night")), ("now", now.expect("a run"))];
    let pages = looked(&site, &numbers);
    let profile = tempfile::tempdir().expect("a folder");
    let drive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/drive.mjs");
    let mut node = Command::new("node");
    node.arg(drive).env("ADDRESS", &site.address).env("TOKEN", site.token(AccessRole::Operator, ""));
    node.env("REPORTER", site.token(AccessRole::Reporter, "")).env("HOLD", format!("/c/northfield/holds/{hold}"));
    node.env("PAGES", json!(pages).to_string());
    node.env("MODULES", modules()).env("CHROMIUM", "/usr/bin/chromium").env("PROFILE", profile.path());
    if let Some(shots) = std::env::var_os("ROSTERD_SHOTS") {
        std::fs::create_dir_all(&shots).expect("a folder");
        node.env("SHOTS", shots);
    }
    let done = node.output().expect("node runs");
    let told = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{told}");
    let all = format!("axe and width: {} pages looked at", pages.len() + LED_TO);
    for part in [all.as_str(), "same-day run: /c/larkspur/runs/", "partly approved", "signed out"] {
        assert!(told.contains(part), "{part} is not in: {told}");
    }
    drop(closed);
    site.daemon.stop();
}
