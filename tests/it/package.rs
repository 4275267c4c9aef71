//! The Debian package: made of the program that is tested here, and installed, used, replaced, removed and purged in a Debian
//! root of its own. Left out, and said so, where it cannot be made or installed.

use std::path::Path;
use std::process::Command;

fn lacking() -> Option<&'static str> {
    let does = |program: &str, args: &[&str]| {
        Command::new(program).args(args).output().ok().filter(|done| done.status.success()).map(|done| done.stdout)
    };
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/cargo-deb");
    let has_cargo_deb = tools.is_file() || does("cargo", &["deb", "--version"]).is_some();
    match () {
        () if does("id", &["-u"]).is_none_or(|id| id != b"0\n") => Some("only root installs a package"),
        () if does("dpkg-shlibdeps", &["--version"]).is_none() => Some("dpkg-shlibdeps is not installed (Debian: dpkg-dev)"),
        () if does("mmdebstrap", &["--version"]).is_none() => Some("mmdebstrap is not installed"),
        () if !has_cargo_deb => Some("cargo-deb is not installed"),
        () if does("unshare", &["--mount", "true"]).is_none() => Some("nothing can be mounted here"),
        () => None,
    }
}

#[test]
fn the_package_installs_starts_and_leaves_nothing_behind() {
    if let Some(why) = lacking() {
        eprintln!("left out: {why}");
        return;
    }
    let built = Path::new(env!("CARGO_BIN_EXE_rosterd")).parent().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/package.sh");
    let done = Command::new(script).arg(built).output().expect("it runs");
    let told = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{told}");
    assert!(told.ends_with("the package is sound\n"), "{told}");
}
