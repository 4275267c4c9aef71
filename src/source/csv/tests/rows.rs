//! Values and rows: what arrives, and what is quarantined under which code.

use crate::source::csv::settings::BulkWithStatus;
use crate::source::csv::tests::build::{PackageBuilder, USERS_1_2_0};

fn v1_1() -> PackageBuilder {
    PackageBuilder::v1_1()
}

#[test]
fn a_sound_1_1_package_arrives_in_order() {
    let recorder = v1_1().read().expect("rows");
    assert_eq!(
        recorder.rows,
        [
            "begin orgs Full",
            "d orgs.csv:2 District district  None",
            "s1 orgs.csv:3 North school N-1 Some(\"d\")",
            "s2 orgs.csv:4 South school  Some(\"d\")",
            "begin sessions Full",
            "y academicSessions.csv:2 2026/27 schoolYear 2026-08-01..2027-07-31 None",
            "t1 academicSessions.csv:3 Fall term 2026-08-15..2026-12-19 Some(\"y\")",
            "begin courses Full",
            "c1 courses.csv:2 Algebra ALG Some(\"y\") d [9,10] [Math,Logic] [M1,L1]",
            "begin classes Full",
            "k1 classes.csv:2 Algebra 1 scheduled A-1 Some(\"c1\") s1 [t1,y] [9] [] []",
            "begin people Full",
            "ana users.csv:2 Ana|Alto|ana@x.example|ana1|n-1 true [5,6] None [\"student@s1\", \"student@s2\"] []",
            "tom users.csv:3 Tom|O\"Tal||tom1| false [] None [\"teacher@s1\"] []",
            "begin enrollments Full",
            "e1 enrollments.csv:2 ana k1 s1 student false 2026-08-15..2026-12-19",
            "e2 enrollments.csv:3 tom k1 s1 teacher true -∞..∞",
        ]
    );
    assert_eq!(recorder.findings, [""; 0]);
}

#[test]
fn both_1_2_user_headers_arrive_alike() {
    let new = PackageBuilder::v1_2();
    let users = new
        .text("users")
        .replace("resourceSourcedIds,", "")
        .replace("PASSWORD-SECRET,,", "PASSWORD-SECRET,")
        .replace("tom1,,Tom,Tal,,,,,,,,,,,,,,,", "tom1,,Tom,Tal,,,,,,,,,,,,,,");
    let (old, newer) = (new.read().expect("1.2.0"), new.clone().set("users", &users).read().expect("1.2.1"));
    assert_eq!(old, newer);
    assert_eq!(old.findings, [""; 0]);
    assert_eq!(old.of("users")[0], "ana users.csv:2 Ana|Alto|ana@x.example|ana1|n-1 true [5] Some(\"s1\") [] []");
    assert_eq!(
        old.of("roles"),
        ["r1 roles.csv:2 ana student s1 true 2026-08-01..2027-07-31", "r2 roles.csv:3 tom ext:coach s1 false -∞..∞"]
    );
}

#[test]
fn secrets_never_arrive_and_are_never_told() {
    let shifted = "bob,,,PASSWORD-SECRET,\"PHONE-SECRET x\",NAME-SECRET,u,,A,B,,,,,,,,";
    let cut = "cid,,,SMS-SECRET,PHONE-SECRET";
    let demographics = "sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,\
        nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,countryOfBirthCode,\
        stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus\nana,,,BIRTH-SECRET\n";
    for package in [v1_1().line("users", shifted).line("users", cut).set("demographics", demographics), PackageBuilder::v1_2()]
    {
        let told = format!("{:?}", package.read().expect("rows"));
        assert!(told.contains("Alto") && !told.contains("SECRET"), "{told}");
    }
}

#[test]
fn each_broken_row_has_its_code() {
    let cases: &[(&str, &str, &str)] = &[
        ("orgs", "x,,,,school,,", "orgs.csv:5 required_blank name [x]: a value is required"),
        ("orgs", ",,,X,school,,", "orgs.csv:5 required_blank sourcedId: an id is required"),
        ("orgs", "x y,,,X,school,,", "orgs.csv:5 bad_guid sourcedId: expected 1 to 255 of 0-9 A-Z a-z . - _ / @, found `x y`"),
        (
            "orgs",
            "x,,,X,School,,",
            "orgs.csv:5 bad_enum type [x]: expected one of school, department, district, local, state, national, found `School`",
        ),
        ("orgs", "x,,,X,school,", "orgs.csv:5 row_width [x]: expected 7 cells, found 6"),
        ("orgs", "x", "orgs.csv:5 row_width: expected 7 cells, found 1"),
        (
            "orgs",
            "x,,,X,ext:a,,",
            "orgs.csv:5 bad_enum type [x]: expected one of school, department, district, local, state, national, found `ext:a`",
        ),
        (
            "academicSessions",
            "x,,,X,term,1/05/2023,2023-08-01,,2023",
            "academicSessions.csv:4 bad_date startDate [x]: expected YYYY-MM-DD, found `1/05/2023`",
        ),
        (
            "academicSessions",
            "x,,,X,term,2023-05-01,2023-04-30,,2023",
            "academicSessions.csv:4 bad_date endDate [x]: the end date 2023-04-30 lies before the begin date 2023-05-01",
        ),
        (
            "academicSessions",
            "x,,,X,term,2023-05-01,,,2023",
            "academicSessions.csv:4 required_blank endDate [x]: a value is required",
        ),
        (
            "academicSessions",
            "x,,,X,term,2023-05-01,2023-06-01,,22/23",
            "academicSessions.csv:4 bad_date schoolYear [x]: expected a year, YYYY, found `22/23`",
        ),
        ("courses", "x,,,y,X,,\"9,,10\",d,,", "courses.csv:3 bad_list grades [x]: an item of the list is empty"),
        (
            "classes",
            "x,,,X,,c1,,Scheduled,,s1,t1,,,",
            "classes.csv:3 bad_enum classType [x]: expected one of scheduled, homeroom, found `Scheduled`",
        ),
        ("classes", "x,,,X,,,,scheduled,,s1,t1,,,", "classes.csv:3 required_blank courseSourcedId [x]: an id is required"),
        ("classes", "x,,,X,,c1,,scheduled,,s1,,,,", "classes.csv:3 required_blank termSourcedIds [x]: a value is required"),
        (
            "classes",
            "x,,,X,,c1,,scheduled,,s1,\"t1,\",,,",
            "classes.csv:3 bad_list termSourcedIds [x]: an item of the list is empty",
        ),
        (
            "users",
            "x,,,TRUE,s1,student,u,,A,B,,,,,,,,",
            "users.csv:4 bad_boolean enabledUser [x]: expected `true` or `false`, found `TRUE`",
        ),
        (
            "users",
            "x,,,true,s1,pupil,u,,A,B,,,,,,,,",
            "users.csv:4 bad_enum role [x]: expected one of student, teacher, administrator, aide, guardian, parent, proctor, relative, \
          found something else, 5 characters long",
        ),
        ("users", "x,,,true,,student,u,,A,B,,,,,,,,", "users.csv:4 required_blank orgSourcedIds [x]: a value is required"),
        ("users", "x,,,true,s1,student,,,A,B,,,,,,,,", "users.csv:4 required_blank username [x]: a value is required"),
        ("users", "x,,,true,s1,student,u,, ,B,,,,,,,,", "users.csv:4 required_blank givenName [x]: a value is required"),
        ("users", "x,,,,s1,student,u,,A,B,,,,,,,,", "users.csv:4 required_blank enabledUser [x]: expected `true` or `false`"),
        (
            "enrollments",
            "x,,,k1,s1,ana,Student,,,",
            "enrollments.csv:4 bad_enum role [x]: expected one of student, teacher, administrator, proctor, found `Student`",
        ),
        (
            "enrollments",
            "x,,,k1,s1,Ana Alto,student,,,",
            "enrollments.csv:4 bad_guid userSourcedId [x]: expected 1 to 255 of 0-9 A-Z a-z . - _ / @, found something else, 8 characters long",
        ),
        (
            "enrollments",
            "x,,,k1,s1,ana,student,yes,,",
            "enrollments.csv:4 bad_boolean primary [x]: expected `true` or `false`, found `yes`",
        ),
        (
            "enrollments",
            "x,,,k1,s1,ana,student,,2023-5-1,",
            "enrollments.csv:4 bad_date beginDate [x]: expected YYYY-MM-DD, found `2023-5-1`",
        ),
        (
            "enrollments",
            "x,,2017-05-06 08:01:05,k1,s1,ana,student,,,",
            "enrollments.csv:4 bad_datetime dateLastModified [x]: expected YYYY-MM-DDTHH:MM:SS.sssZ, found `2017-05-06 08:01:05`",
        ),
        (
            "enrollments",
            "x,gone,,k1,s1,ana,student,,,",
            "enrollments.csv:4 bad_enum status [x]: expected one of active, tobedeleted, found `gone`",
        ),
    ];
    for (stem, line, told) in cases {
        let recorder = v1_1().line(stem, line).read().expect("rows");
        assert_eq!(recorder.findings, [*told], "{line}");
        let sound = v1_1().read().expect("rows");
        assert_eq!(recorder.rows, sound.rows, "{line}");
    }
    let long = format!("x,,,{},school,,", "n".repeat(70_000));
    assert_eq!(v1_1().line("orgs", &long).findings(), ["orgs.csv:5 cell_too_long [x]: cell 4 is longer than 65536 bytes"]);
}

#[test]
fn a_quarantined_row_names_its_record_and_person() {
    let some = |id: &str| Some(id.to_owned());
    for (stem, line, id, person) in [
        ("users", "x,,,maybe,s1,student,u,,A,B,,,,,,,,", some("x"), some("x")),
        ("users", "x,,,maybe,s1", some("x"), some("x")),
        ("users", "x z,,,true,s1,student,u,,A,B,,,,,,,,", None, None),
        ("enrollments", "x,,,k1,s1,ana,boss,,,", some("x"), some("ana")),
        ("enrollments", " ,,,k1,s1,ana,student,,,", None, some("ana")),
        ("enrollments", "x,,,k1,s1,ana", some("x"), None),
        ("orgs", "x", None, None),
    ] {
        assert_eq!(v1_1().line(stem, line).read().expect("rows").quarantined, [(id, person)], "{line}");
    }
}

#[test]
fn roles_have_their_own_rules() {
    for (line, told) in [
        (
            "x,,,ana,ext:main,student,,,s1,",
            "roles.csv:4 bad_enum roleType [x]: expected one of primary, secondary, found an `ext:` word",
        ),
        ("x,,,ana,primary,ext:,,,s1,", "found `ext:`"),
        ("x,,,ana,,student,,,s1,", "roles.csv:4 required_blank roleType [x]: expected one of primary, secondary"),
        ("x,,,,primary,student,,,s1,", "roles.csv:4 required_blank userSourcedId [x]: an id is required"),
        ("x,,,ana,primary,student,2026-01-02,2026-01-01,s1,", "the end date 2026-01-01 lies before"),
    ] {
        let found = PackageBuilder::v1_2().line("roles", line).findings();
        assert!(found.len() == 1 && found[0].contains(told), "{found:?}");
    }
}

const STATUS: &str = "x,tobedeleted,2026-05-01T00:00:00.000Z,k1,s1,ana,student,,,";

#[test]
fn a_bulk_file_with_a_status_is_read_as_the_settings_say() {
    let package = v1_1().line("enrollments", STATUS).line("enrollments", &STATUS.replace("x,tobe", "z,tobe"));
    let read = |how: BulkWithStatus| package.read_with(|settings| settings.bulk_with_status = how).expect("rows");
    let changes = read(BulkWithStatus::Delta);
    let switches = |rows: &[String]| rows.iter().filter(|row| row.starts_with("switch")).cloned().collect::<Vec<_>>();
    assert_eq!(switches(&changes.rows), ["switch enrollments Changes"]);
    assert_eq!(changes.of("enrollments")[2], "x enrollments.csv:4 ended @2026-05-01T00:00:00Z ana k1 s1 student false -∞..∞");
    assert_eq!(changes.findings.len(), 1);
    assert!(changes.findings[0].starts_with("warning: enrollments.csv:4 status_in_bulk status: "));
    let full = read(BulkWithStatus::Full);
    assert_eq!(switches(&full.rows), [""; 0]);
    assert_eq!((full.of("enrollments").len(), full.findings.len()), (4, 1));
    let strict = read(BulkWithStatus::Strict);
    assert_eq!(strict.of("enrollments").len(), 2);
    assert_eq!(strict.findings[0], "enrollments.csv:4 status_in_bulk status [x]: it must be blank in every row of a bulk file");
    assert_eq!(strict.findings.len(), 2);
}

#[test]
fn a_time_without_a_status_leaves_a_bulk_file_complete() {
    let recorder = v1_1().line("enrollments", "x,,2026-05-01,k1,s1,ana,student,,,").read().expect("rows");
    assert!(!recorder.rows.iter().any(|row| row.starts_with("switch")));
    assert_eq!(recorder.of("enrollments")[2], "x enrollments.csv:4 @2026-05-01T00:00:00Z ana k1 s1 student false -∞..∞");
    assert_eq!(
        recorder.findings,
        ["warning: enrollments.csv:4 bad_datetime dateLastModified: a date alone is read as the start of that day in UTC"]
    );
}

#[test]
fn a_delta_file_needs_status_and_time() {
    let package = v1_1().mode("orgs", "delta").set(
        "orgs",
        "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\na,active,2026-05-01T00:00:00.000Z,A,school,,\n\
         b,,2026-05-01T00:00:00.000Z,B,school,,\nc,active,,C,school,,\nd,tobedeleted,2026-05-01T00:00:00.000Z,D,school,,\n",
    );
    let recorder = package.mode("orgs", "delta").read().expect("rows");
    assert_eq!(recorder.rows[0], "begin orgs Changes");
    assert_eq!(
        recorder.of("orgs"),
        ["a orgs.csv:2 @2026-05-01T00:00:00Z A school  None", "d orgs.csv:5 ended @2026-05-01T00:00:00Z D school  None"]
    );
    let detail = "every row of a delta file needs a status and the time of its last change";
    assert_eq!(
        recorder.findings,
        [
            format!("orgs.csv:3 status_missing_in_delta status [b]: {detail}"),
            format!("orgs.csv:4 status_missing_in_delta dateLastModified [c]: {detail}"),
        ]
    );
}

#[test]
fn a_lenient_source_accepts_and_warns_once() {
    let package = v1_1()
        .line("users", "x,,,TRUE,s1,Student,u,,A,B,,,,,,,,")
        .line("users", "z,inactive,2017-05-06 08:01:05,FALSE,s1,TEACHER,u,,A,B,,,,,,,,")
        .line("enrollments", "x,,,k1,s1,ana,student,,1/05/2023,");
    let recorder = package.read_with(|settings| settings.lenient = true).expect("rows");
    assert_eq!(
        recorder.of("users")[2..],
        [
            "x users.csv:4 A|B||u| true [] None [\"student@s1\"] []",
            "z users.csv:5 ended @2017-05-06T08:01:05Z A|B||u| false [] None [\"teacher@s1\"] []",
        ]
    );
    let told: Vec<&str> = recorder.findings.iter().map(|told| told.split(": ").take(2).last().unwrap_or_default()).collect();
    assert_eq!(
        told,
        [
            "users.csv:4 bad_boolean enabledUser",
            "users.csv:4 bad_enum role",
            "users.csv:5 status_in_bulk status",
            "users.csv:5 bad_enum status",
            "users.csv:5 bad_datetime dateLastModified",
            "expected YYYY-MM-DD, found `1/05/2023`",
        ]
    );
}

#[test]
fn metadata_columns_are_handed_on_where_asked_for() {
    let users = format!(
        "{USERS_1_2_0},metadata.x,metadata.program\nana,,,true,a,,A,B,,,,,,,,,,,,,,,,no,\"a, \"\"b\"\"\"\nbob,,,true,a,,A,B,,,,,,,,,,,,,,,,no,\n"
    );
    let package = PackageBuilder::v1_2().set("users", &users);
    let recorder = package.read_with(|settings| settings.keep_metadata = vec!["metadata.program".to_owned()]).expect("rows");
    assert!(recorder.of("users")[0].ends_with("[(\"metadata.program\", \"a, \\\"b\\\"\")]"), "{:?}", recorder.of("users"));
    assert!(recorder.of("users")[1].ends_with(" []"));
}

#[test]
fn a_class_without_a_course_passes_where_courses_are_optional() {
    let package = v1_1().line("classes", "x,,,X,,,,homeroom,,s1,t1,,,");
    let recorder = package.read_with(|settings| settings.courses_optional = true).expect("rows");
    assert_eq!(recorder.of("classes")[1], "x classes.csv:3 X homeroom  None s1 [t1] [] [] []");
}
