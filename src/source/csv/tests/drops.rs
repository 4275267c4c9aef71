//! Which packages wait, and when they are complete.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::base::Digest;
use crate::source::api::{RosterSource, Seen, SourceError};
use crate::source::csv::settings::DropKind;
use crate::source::csv::source::CsvSource;
use crate::source::csv::tests::build::{PackageBuilder, Recorder, source_of};

fn drop_source(path: &Path, settle_secs: u64) -> CsvSource {
    source_of(path, DropKind::Drop, |settings| settings.settle_secs = settle_secs)
}

fn names(source: &CsvSource, seen: &Seen) -> Vec<String> {
    source.pending(seen).expect("pending").into_iter().map(|package| package.name).collect()
}

#[test]
fn packages_come_in_the_order_of_their_names() {
    let dir = tempfile::tempdir().expect("dir");
    for name in ["2026-11-03.zip", "2026-11-01.zip"] {
        PackageBuilder::v1_1().zip(&dir.path().join(name));
    }
    PackageBuilder::v1_2().folder(&dir.path().join("2026-11-02"));
    for name in ["readme.txt", "2026-11-04.zip.tmp", "2026-11-05.zip.part", ".hidden.zip"] {
        fs::write(dir.path().join(name), "x").expect("write");
    }
    std::os::unix::fs::symlink(dir.path().join("2026-11-01.zip"), dir.path().join("2026-11-09.zip")).expect("link");
    let source = drop_source(dir.path(), 0);
    assert_eq!(names(&source, &Seen::default()), ["2026-11-01.zip", "2026-11-02", "2026-11-03.zip"]);
    let seen = Seen { newest: Some("2026-11-01.zip".to_owned()), ..Seen::default() };
    assert_eq!(names(&source, &seen), ["2026-11-02", "2026-11-03.zip"]);
    let rejected = source.pending(&seen).expect("pending")[0].digest;
    let seen = Seen { rejected: rejected.into_iter().collect(), ..seen };
    assert_eq!(names(&source, &seen), ["2026-11-03.zip"]);
    PackageBuilder::v1_2().without("courses").folder(&dir.path().join("2026-11-02"));
    assert_eq!(names(&source, &seen), ["2026-11-02", "2026-11-03.zip"]);
}

#[test]
fn one_package_is_offered_until_its_bytes_were_seen() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("roster.zip");
    PackageBuilder::v1_1().zip(&path);
    let source = source_of(&path, DropKind::Package, |_| {});
    let package = source.pending(&Seen::default()).expect("pending").remove(0);
    assert_eq!(package.digest, Some(Digest::of(&fs::read(&path).expect("bytes"))));
    assert_eq!(package.name, "roster.zip");
    let seen = Seen { newest: Some(package.name), digest: package.digest, ..Seen::default() };
    assert_eq!(names(&source, &seen), [""; 0]);
    PackageBuilder::v1_1().line("orgs", "x,,,X,school,,").zip(&path);
    assert_eq!(names(&source, &seen), ["roster.zip"]);
    fs::remove_file(&path).expect("remove");
    assert!(matches!(source.pending(&seen), Err(SourceError::Unreachable { .. })));
}

#[test]
fn two_equal_looks_make_a_package_complete() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("a");
    PackageBuilder::v1_1().folder(&path);
    let source = drop_source(dir.path(), 1);
    assert_eq!(names(&source, &Seen::default()), [""; 0]);
    std::thread::sleep(Duration::from_millis(1100));
    fs::write(path.join("orgs.csv"), "still coming").expect("write");
    assert_eq!(names(&source, &Seen::default()), [""; 0], "it changed since");
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(names(&source, &Seen::default()), ["a"]);
}

#[test]
fn what_rested_long_enough_is_taken_at_first_sight() {
    let dir = tempfile::tempdir().expect("dir");
    let package = dir.path().join("2026-11-01.zip");
    PackageBuilder::v1_1().zip(&package);
    // A copying tool sets the time of modification back; what counts is when the inode changed.
    let file = fs::File::options().write(true).open(&package).expect("open");
    file.set_modified(std::time::UNIX_EPOCH).expect("set");
    let changed = std::os::unix::fs::MetadataExt::ctime(&file.metadata().expect("metadata")) * 1000;
    let at = |secs: i64| Seen { now: Some(crate::base::Instant(changed + secs * 1000)), ..Seen::default() };
    assert!(names(&drop_source(dir.path(), 60), &at(59)).is_empty());
    assert_eq!(names(&drop_source(dir.path(), 60), &at(62)), ["2026-11-01.zip"]);
    assert!(names(&drop_source(dir.path(), 60), &Seen::default()).is_empty(), "without a clock, two looks are needed");
}

#[test]
fn companions_make_a_package_complete_at_once() {
    let dir = tempfile::tempdir().expect("dir");
    let source = drop_source(dir.path(), 3600);
    PackageBuilder::v1_1().zip(&dir.path().join("a.zip"));
    assert_eq!(names(&source, &Seen::default()), [""; 0]);
    fs::write(dir.path().join("a.done"), "").expect("write");
    assert_eq!(names(&source, &Seen::default()), ["a.zip"]);
    PackageBuilder::v1_1().folder(&dir.path().join("b"));
    fs::write(dir.path().join("b.done"), "").expect("write");
    fs::write(dir.path().join("b.sha256"), "of what?").expect("write");
    let path = dir.path().join("c.zip");
    PackageBuilder::v1_2().zip(&path);
    let digest = Digest::of(&fs::read(&path).expect("bytes"));
    fs::write(dir.path().join("c.zip.sha256"), format!("{digest}  c.zip\n")).expect("write");
    assert_eq!(names(&source, &Seen::default()), ["a.zip", "b", "c.zip"]);
}

#[test]
fn a_wrong_sha256_holds_the_package_and_is_told() {
    let dir = tempfile::tempdir().expect("dir");
    let source = drop_source(dir.path(), 0);
    for name in ["a.zip", "b.zip"] {
        PackageBuilder::v1_1().zip(&dir.path().join(name));
    }
    fs::write(dir.path().join("a.sha256"), Digest::of(b"other").to_string()).expect("write");
    let error = source.pending(&Seen::default()).expect_err("differs");
    let SourceError::Unreachable { what, cause } = error else { panic!("{error:?}") };
    assert!(what.ends_with("a.zip") && cause.to_string().contains("SHA-256"), "{what}: {cause}");
    fs::write(dir.path().join("a.sha256"), "soon").expect("write");
    assert!(source.pending(&Seen::default()).is_err());
    let right = Digest::of(&fs::read(dir.path().join("a.zip")).expect("bytes"));
    fs::write(dir.path().join("a.sha256"), right.to_string()).expect("write");
    assert_eq!(names(&source, &Seen::default()), ["a.zip", "b.zip"]);
    // A later one that is not complete does not hold back an earlier one.
    fs::write(dir.path().join("b.sha256"), "soon").expect("write");
    assert_eq!(names(&source, &Seen::default()), ["a.zip"]);
}

#[test]
fn an_incomplete_package_holds_back_later_ones() {
    let dir = tempfile::tempdir().expect("dir");
    let source = drop_source(dir.path(), 3600);
    for name in ["a.zip", "b.zip"] {
        PackageBuilder::v1_1().zip(&dir.path().join(name));
    }
    fs::write(dir.path().join("b.done"), "").expect("write");
    assert_eq!(names(&source, &Seen::default()), [""; 0]);
    fs::write(dir.path().join("a.done"), "").expect("write");
    assert_eq!(names(&source, &Seen::default()), ["a.zip", "b.zip"]);
}

#[test]
fn the_digest_of_another_folder_comes_with_its_rows() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("a");
    PackageBuilder::v1_2().line("orgs", "x,,,X,school,,").folder(&path);
    fs::write(path.join("notes.txt"), "beside the rows").expect("write");
    let bytes: u64 = fs::read_dir(&path).expect("dir").map(|file| file.expect("file").metadata().expect("file").len()).sum();
    let source = || drop_source(dir.path(), 0);
    let found = |seen: &Seen| source().pending(seen).expect("pending").remove(0);
    let package = found(&Seen::default());
    let rejected = vec![Digest::of(b"another")];
    for seen in [Seen { bytes: Some(bytes), ..Seen::default() }, Seen { bytes: Some(1), rejected, ..Seen::default() }] {
        assert_eq!(found(&seen), package, "it may be known by it");
    }
    let seen = Seen { bytes: Some(bytes + 1), ..Seen::default() };
    for is_read in [true, false] {
        let source = source();
        let unnamed = source.pending(&seen).expect("pending").remove(0);
        assert_eq!((unnamed.digest, unnamed.bytes), (None, bytes));
        if is_read {
            source.pull_into(&unnamed, &mut Recorder::default()).expect("it is sound");
        }
        assert_eq!(source.named(unnamed).expect("it is as it was"), package);
        assert_eq!(source.pending(&Seen { bytes: Some(bytes), ..Seen::default() }).expect("pending")[0], package);
    }
    let source = source();
    let unnamed = source.pending(&seen).expect("pending").remove(0);
    fs::write(path.join("orgs.csv"), "another").expect("write");
    assert!(source.pull_into(&unnamed, &mut Recorder::default()).is_err());
    assert!(matches!(source.named(unnamed), Err(SourceError::Unreachable { .. })));
}
