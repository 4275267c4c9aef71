//! Whole packages: presence, manifests, headers, text rules.

use crate::source::api::{RosterSource, Seen, SourceError};
use crate::source::csv::files::CsvVersion;
use crate::source::csv::settings::DropKind;
use crate::source::csv::tests::build::{PackageBuilder, pull_path, source_of};

fn v1_1() -> PackageBuilder {
    PackageBuilder::v1_1()
}

#[test]
fn the_manifest_and_the_files_must_agree() {
    assert_eq!(
        v1_1().mode("results", "bulk").rejected(),
        "results.csv file_declared_but_missing: the manifest declares it `bulk` and it is not there"
    );
    assert_eq!(
        v1_1().mode("orgs", "absent").rejected(),
        "orgs.csv file_present_but_absent: the manifest declares it `absent` and it is there"
    );
    assert_eq!(
        v1_1().raw("friends.csv", b"x").rejected(),
        "friends.csv file_present_but_absent: the manifest does not declare it and OneRoster has no such file"
    );
    assert!(v1_1().mode("orgs", "some").rejected().contains("manifest_bad_value file.orgs"));
    let found = v1_1().raw("readme.txt", b"x").raw(".DS_Store", b"x").findings();
    assert_eq!(found, ["warning: readme.txt file_name: it is no part of OneRoster and is ignored"]);
}

#[test]
fn all_absent_means_no_updates() {
    let mut package = PackageBuilder::v1_2();
    for stem in ["orgs", "academicSessions", "courses", "classes", "users", "roles", "enrollments"] {
        package = package.without(stem);
    }
    let recorder = package.read().expect("no updates");
    assert_eq!((recorder.rows.len(), recorder.findings.len()), (0, 0));
}

#[test]
fn absent_files_are_not_begun() {
    let recorder = v1_1().without("users").read().expect("rows");
    assert!(!recorder.rows.iter().any(|row| row == "begin people Full"));
    assert!(recorder.rows.iter().any(|row| row == "begin enrollments Full"));
}

#[test]
fn what_builds_on_the_stored_roster_is_told() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("p.zip");
    let is_incremental = |package: PackageBuilder, courses_optional: bool| {
        package.zip(&path);
        let source = source_of(&path, DropKind::Package, |settings| settings.courses_optional = courses_optional);
        let pending = source.pending(&Seen::default()).expect("pending");
        source.is_incremental(&pending[0]).expect("manifest")
    };
    assert!(!is_incremental(v1_1(), false));
    assert!(!is_incremental(PackageBuilder::v1_2(), false));
    assert!(is_incremental(PackageBuilder::v1_2().without("roles"), false));
    assert!(is_incremental(v1_1().mode("orgs", "delta"), false));
    assert!(is_incremental(v1_1().without("courses"), false));
    assert!(!is_incremental(v1_1().without("courses"), true));
}

#[test]
fn other_formats_are_recognized() {
    assert!(v1_1().without_manifest().rejected().contains("manifest_missing: a package without a manifest is OneRoster 1.0"));
    let sds =
        "manifest.csv manifest_missing: this looks like Microsoft SDS, not OneRoster; export OneRoster 1.1 or 1.2 instead";
    assert_eq!(v1_1().without_manifest().raw("Section.csv", b"x\n").rejected(), sds);
    let orgs = "sourcedId,name,type,parentSourcedId\na,A,school,\n";
    assert_eq!(v1_1().without_manifest().set("orgs", orgs).rejected(), sds);
    let users = "sourcedId,username,givenName,familyName,password,activeDirectoryMatchId,email,phone,sms\n";
    assert_eq!(v1_1().without_manifest().set("users", users).rejected(), sds);
    let findings = v1_1().without_manifest().set("orgs", orgs).read_with(|settings| settings.lenient = true);
    assert_eq!(findings.expect_err("SDS")[0].to_string(), sds);
}

#[test]
fn a_lenient_source_reads_a_package_without_a_manifest() {
    let package = v1_1().without_manifest().replace("classes", "termSourcedIds", "termSourcedId");
    let recorder = package.read_with(|settings| settings.lenient = true).expect("rows");
    assert_eq!(recorder.rows, v1_1().read().expect("rows").rows);
    assert_eq!(
        recorder.findings,
        [
            "warning: manifest.csv manifest_missing: there is none; the package is read as OneRoster 1.1 with complete files",
            "warning: classes.csv:1 header_mismatch termSourcedIds: `termSourcedId` is read as `termSourcedIds`",
        ]
    );
}

#[test]
fn versions_can_be_refused() {
    let findings = v1_1().read_with(|settings| settings.versions = vec![CsvVersion::V1_2]).expect_err("refused");
    assert_eq!(findings[0].rule, "manifest_unknown_version");
}

#[test]
fn all_header_faults_are_told_at_once_and_nothing_is_delivered() {
    let findings = v1_1()
        .replace("orgs", "dateLastModified", "dataLastModified")
        .replace("courses", "title", "status")
        .replace("enrollments", "classSourcedId", "courseSourcedId,classSourcedId")
        .read()
        .expect_err("headers");
    let told: Vec<String> = findings.iter().map(|finding| format!("{} {}", finding.rule, finding.file)).collect();
    assert_eq!(told, ["header_duplicate courses.csv", "header_mismatch enrollments.csv", "header_mismatch orgs.csv"]);
}

#[test]
fn files_of_lower_case_and_wrong_content_are_named() {
    let roles = PackageBuilder::v1_2().text("roles");
    let package = PackageBuilder::v1_2().mode("userProfiles", "bulk").raw("userprofiles.csv", roles.as_bytes());
    assert_eq!(
        package.rejected(),
        "userProfiles.csv:1 header_mismatch profileType: column 5: expected `profileType`, found `roleType`"
    );
    let package = v1_1()
        .mode("courseResources", "bulk")
        .raw("courseResourses.csv", b"sourcedId,status,dateLastModified,title,courseSourcedId,resourceSourcedId\na,,,T,c1,r\n");
    assert_eq!(package.findings(), ["warning: courseResourses.csv file_name: it is read as `courseResources.csv`"]);
}

#[test]
fn a_file_without_rows_never_means_that_all_are_gone() {
    let header = |text: &str| text.split_inclusive('\n').next().unwrap_or_default().to_owned();
    let users = v1_1().text("users");
    for text in [header(&users), header(&users).replace('\n', ""), header(&users) + "\r\n\n"] {
        let told = v1_1().set("users", &text).rejected();
        assert_eq!(told, "users.csv no_rows: the file has a header and no rows; a file without records is declared `absent`");
    }
    assert!(v1_1().set("users", "").rejected().starts_with("users.csv:1 header_mismatch sourcedId"));
    let late = header(&users) + &"\n".repeat(40_000) + "ana,,,true,s1,student,a,,A,B,,,,,,,,";
    assert_eq!(v1_1().set("users", &late).read().expect("rows").of("users").len(), 1);
}

#[test]
fn a_file_cut_inside_a_row_never_means_that_the_rest_is_gone() {
    let users = v1_1().text("users");
    let row = users.rfind("tom,").expect("row");
    for end in [row + 3, row + 8, row + 16] {
        let told = v1_1().set("users", &users[..end]).rejected();
        assert_eq!(told, "users.csv:3 row_width: the file ends inside this row: it was cut off", "{end}");
    }
    let quote = users.find("\"5, 6").expect("quote");
    let told = v1_1().set("users", &users[..quote + 3]).rejected();
    assert_eq!(told, "users.csv:2 quote_error: a line break stands inside a cell, or a quote is never closed");
}

#[test]
fn line_ends_and_marks_are_forgiven() {
    let sound = v1_1().read().expect("rows");
    for (from, to) in [("\n", "\r\n"), ("\n", "\n\n")] {
        let users = v1_1().text("users").replace(from, to);
        let recorder = v1_1().set("users", &users).read().expect("rows");
        assert_eq!(recorder.of("users").len(), 2);
        assert_eq!(recorder.findings, [""; 0]);
    }
    let bare = v1_1().text("enrollments").trim_end().to_owned();
    assert_eq!(v1_1().set("enrollments", &bare).read().expect("rows"), sound);
    let marked = format!("\u{feff}{}", v1_1().text("orgs"));
    assert_eq!(v1_1().set("orgs", &marked).read().expect("rows"), sound);
}

#[test]
fn other_encodings_are_named() {
    let utf16: Vec<u8> = std::iter::once(0xfeff).chain(v1_1().text("orgs").encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(v1_1().raw("orgs.csv", &utf16).rejected(), "orgs.csv:1 not_utf8: it is UTF-16; save it as UTF-8");
    let latin1 = [v1_1().text("users").as_bytes(), b"x,,,true,s1,student,u,,Ren\xe9,B,,,,,,,,\n"].concat();
    assert!(v1_1().raw("users.csv", &latin1).rejected().starts_with("users.csv:4 not_utf8: bytes that are not UTF-8"));
    // Far behind the first block too.
    let mut long = v1_1().text("users");
    for number in 0..40_000 {
        long.push_str(&format!("p{number},,,true,s1,student,u,,A,B,,,,,,,,\n"));
    }
    let long = [long.as_bytes(), b"\xff\n"].concat();
    assert!(v1_1().raw("users.csv", &long).rejected().starts_with("users.csv:40004 not_utf8"));
}

#[test]
fn broken_quotes_reject_the_file_with_their_line() {
    for (line, at) in
        [("x,,,A\"B,school,,", 5), ("x,,,\"A\nB\",school,,", 5), ("x,,,\"A\"B,school,,", 5), ("x,,,A\rB,school,,", 5)]
    {
        let told = v1_1().line("orgs", line).rejected();
        assert!(told.starts_with(&format!("orgs.csv:{at} quote_error: ")), "{told}");
    }
}

#[test]
fn many_rows_arrive_over_many_blocks() {
    let mut users = v1_1().text("users");
    for number in 0..30_000 {
        users.push_str(&format!("p{number},,,true,\"s1, s2\",student,ü{number},,\"Gi\"\"ven\",Family,,,,,,,,\n"));
    }
    let recorder = v1_1().set("users", &users).read().expect("rows");
    assert_eq!(recorder.of("users").len(), 30_002);
    assert_eq!(
        recorder.of("users")[30_001],
        "p29999 users.csv:30003 Gi\"ven|Family||ü29999| true [] None [\"student@s1\", \"student@s2\"] []"
    );
}

#[test]
fn bounds_hold() {
    let package = v1_1();
    let told = |change: &dyn Fn(&mut crate::source::csv::settings::CsvBounds)| {
        package.read_with(|settings| change(&mut settings.bounds)).expect_err("bound")[0].to_string()
    };
    assert_eq!(told(&|bounds| bounds.rows_max = 1), "orgs.csv zip_too_large: more than 1 rows");
    assert!(told(&|bounds| bounds.entries_max = 3).starts_with("zip_too_large: "));
    assert!(told(&|bounds| bounds.entry_bytes_max = 300).contains("zip_too_large: "));
    assert!(told(&|bounds| bounds.package_bytes_max = 1000).contains("zip_too_large: "));
    let name: String = (0..200_000u64).map(|n| format!("{:06}", n.wrapping_mul(2_654_435_761) % 1_000_003)).collect();
    let long = package.clone().line("orgs", &format!("x,,,{name},school,,"));
    assert_eq!(long.rejected(), "orgs.csv zip_too_large: line 5 is longer than 1048576 bytes");
}

#[test]
fn a_package_that_changes_under_the_reader_is_not_taken() {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("p.zip");
    v1_1().zip(&path);
    let source = source_of(&path, DropKind::Package, |_| {});
    let pending = source.pending(&Seen::default()).expect("pending");
    v1_1().line("orgs", "x,,,X,school,,").zip(&path);
    let mut recorder = crate::source::csv::tests::build::Recorder::default();
    let error = source.pull_into(&pending[0], &mut recorder).expect_err("changed");
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
    assert!(recorder.rows.is_empty());
    assert!(pull_path(&path, |_| {}).is_ok());
}

#[test]
fn a_check_is_one_line() {
    let dir = tempfile::tempdir().expect("dir");
    let drop_dir = source_of(dir.path(), DropKind::Drop, |_| {});
    assert!(drop_dir.check().expect("empty").ends_with("reachable, no package there yet"));
    PackageBuilder::v1_2().zip(&dir.path().join("1.zip"));
    v1_1().mode("users", "delta").folder(&dir.path().join("2"));
    let line = drop_dir.check().expect("line");
    assert!(
        line.ends_with(
            "newest package 2, OneRoster 1.1, orgs bulk, academicSessions bulk, courses bulk, classes bulk, users delta, \
             enrollments bulk"
        ),
        "{line}"
    );
    let nowhere = source_of(&dir.path().join("nowhere"), DropKind::Package, |_| {});
    assert!(matches!(nowhere.check(), Err(SourceError::Unreachable { .. })));
}
