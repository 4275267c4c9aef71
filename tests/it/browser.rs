//! The dashboard in a real browser: axe on every page, a same-day run and the approval of a hold by clicks. Left out, and
//! said so, where there is no Chromium or no node with the two packages that drive it.

use std::path::{Path, PathBuf};
use std::process::Command;

use rosterd::base::AccessRole;

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

#[test]
fn a_browser_finds_its_way_and_axe_finds_nothing() {
    if let Some(why) = lacking() {
        eprintln!("left out: {why}");
        return;
    }
    let site = Site::open("");
    site.end_students(100..240);
    site.held_run();
    let profile = tempfile::tempdir().expect("a folder");
    let drive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/drive.mjs");
    let mut node = Command::new("node");
    node.arg(drive).env("ADDRESS", &site.address).env("TOKEN", site.token(AccessRole::Operator, ""));
    node.env("MODULES", modules()).env("CHROMIUM", "/usr/bin/chromium").env("PROFILE", profile.path());
    if let Some(shots) = std::env::var_os("ROSTERD_SHOTS") {
        std::fs::create_dir_all(&shots).expect("a folder");
        node.env("SHOTS", shots);
    }
    let done = node.output().expect("node runs");
    let told = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{told}");
    for part in ["axe and width: 162 pages looked at", "same-day run: /c/larkspur/runs/", "partly approved", "signed out"] {
        assert!(told.contains(part), "{part} is not in: {told}");
    }
    site.daemon.stop();
}
