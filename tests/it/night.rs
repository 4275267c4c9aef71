//! The benchmark's nights at a small size: the data is what it claims to be, and `rosterd` takes it in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::books::Books;
use crate::cluster;
use crate::data::{District, ENROLLMENTS_EACH, Night, Written};
use crate::measure;

type Rows = BTreeMap<String, BTreeMap<String, String>>;

fn rows(package: &Path, file: &str) -> Rows {
    let mut reader = csv::Reader::from_path(package.join(format!("{file}.csv"))).expect("the file is there");
    let header: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let mut rows = Rows::new();
    for record in reader.records() {
        let record = record.expect("as many cells as the header, in UTF-8");
        let row: BTreeMap<String, String> = header.iter().cloned().zip(record.iter().map(str::to_owned)).collect();
        assert!(rows.insert(row["sourcedId"].clone(), row).is_none(), "an id of {file} occurs twice");
    }
    rows
}

#[test]
fn two_nights_are_whole_and_differ_as_announced() {
    let folder = tempfile::tempdir().unwrap();
    let district = District::of(3_000);
    let (first, again, second) = (folder.path().join("1"), folder.path().join("again"), folder.path().join("2"));
    let told = district.write(Night::First, &first).unwrap();
    assert_eq!(district.write(Night::First, &again).unwrap(), told);
    let told_second = district.write(Night::Changed, &second).unwrap();
    for entry in fs::read_dir(&first).unwrap() {
        let name = entry.unwrap().file_name();
        assert_eq!(fs::read(first.join(&name)).unwrap(), fs::read(again.join(&name)).unwrap(), "{name:?} differs");
    }

    for (package, told) in [(&first, &told), (&second, &told_second)] {
        let (orgs, users, roles) = (rows(package, "orgs"), rows(package, "users"), rows(package, "roles"));
        let (classes, courses) = (rows(package, "classes"), rows(package, "courses"));
        let enrollments = rows(package, "enrollments");
        assert_eq!((users.len() as u64, enrollments.len() as u64), (told.people, told.enrollments));
        assert_eq!(classes.len() as u64, told.classes);
        assert!(
            classes.values().all(|c| courses.contains_key(&c["courseSourcedId"]) && orgs.contains_key(&c["schoolSourcedId"]))
        );
        assert!(roles.values().all(|r| users.contains_key(&r["userSourcedId"]) && orgs.contains_key(&r["orgSourcedId"])));
        let mut pairs = BTreeSet::new();
        let mut live = BTreeSet::new();
        for e in enrollments.values() {
            assert!(users.contains_key(&e["userSourcedId"]));
            assert_eq!(classes[&e["classSourcedId"]]["schoolSourcedId"], e["schoolSourcedId"]);
            assert!(pairs.insert((&e["userSourcedId"], &e["classSourcedId"])), "somebody is twice in one class");
            if e["endDate"].is_empty() {
                live.insert(&e["userSourcedId"]);
            }
        }
        assert_eq!(live.len() as u64, told.lxp);
        assert!(told.lxp < told.people);
        assert_eq!(roles.values().filter(|r| r["role"] != "aide").count() as u64, told.learn);
        assert_eq!(users.values().filter(|u| !u["grades"].is_empty()).count() as u64, told.reader);
        let names: BTreeSet<&str> = users.values().map(|u| u["familyName"].as_str()).collect();
        assert!(names.contains("Smith, Jr.") && names.contains("Nguyễn"));
    }

    let (before, after) = (rows(&first, "users"), rows(&second, "users"));
    let left = before.keys().filter(|key| !after.contains_key(*key)).count() as u64;
    let new = after.keys().filter(|key| !before.contains_key(*key)).count() as u64;
    assert_eq!((left, new), (told_second.left, told_second.new));
    assert_eq!(new, 3);
    let (roles_before, roles_after) = (rows(&first, "roles"), rows(&second, "roles"));
    let renamed = after.iter().filter(|(key, user)| before.get(*key).is_some_and(|b| b != *user)).count();
    let other_role = roles_after.iter().filter(|(key, role)| roles_before.get(*key).is_some_and(|b| b != *role)).count();
    assert!((15..=45).contains(&(renamed + other_role)), "{renamed} renamed, {other_role} with another role of 3000");
    assert!(renamed > 0 && other_role > 0);
}

#[test]
fn schools_are_few_huge_ones_and_many_small_ones() {
    let folder = tempfile::tempdir().unwrap();
    let Written { people, enrollments, .. } = District::of(70_000).write(Night::First, folder.path()).unwrap();
    assert_eq!((people, enrollments), (70_000, 70_000 * ENROLLMENTS_EACH));
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for user in rows(folder.path(), "users").into_values() {
        *sizes.entry(user["primaryOrgSourcedId"].clone()).or_default() += 1;
    }
    let (largest, smallest) = (sizes.values().max().copied().unwrap(), sizes.values().min().copied().unwrap());
    assert!(largest > 5 * smallest, "{largest} and {smallest}");
}

/// The benchmark's way to PostgreSQL.
#[test]
fn three_nights_on_a_server_pass() {
    if !cluster::is_installed() {
        return;
    }
    let (folder, books) = (tempfile::tempdir().unwrap(), Books::server().unwrap());
    let rosterd = Path::new(env!("CARGO_BIN_EXE_rosterd"));
    let done = measure::nights(2_000, folder.path(), rosterd, &books, false, |line| println!("{line}")).unwrap();
    for night in &done.nights {
        let log = fs::read_to_string(&night.log).unwrap();
        assert!(night.status.success(), "{} ended with {}:\n{log}", night.label, night.status);
        assert!(night.store_bytes > 0 && !night.server_cpu.is_zero(), "{} was not on the server:\n{log}", night.label);
    }
}

#[test]
fn three_nights_of_twenty_thousand_people_pass() {
    let rosterd = Path::new(env!("CARGO_BIN_EXE_rosterd"));
    for zipped in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let done = measure::nights(20_000, folder.path(), rosterd, &Books::File, zipped, |line| println!("{line}")).unwrap();
        println!("{} people, parsed in {:?}, unzipped in {:?}", done.people, done.parse, done.unzip);
        println!("{}", measure::table(&done.nights.iter().collect::<Vec<_>>()));
        for night in &done.nights {
            let log = fs::read_to_string(&night.log).unwrap();
            assert!(night.status.success(), "{} ended with {}:\n{log}", night.label, night.status);
            assert!(night.store_bytes > 0, "{} left no store:\n{log}", night.label);
        }
        let [first, _, changed] = &done.nights;
        // A night on which little changed is kept as its difference from the one before.
        assert!(changed.store_bytes < first.store_bytes * 5 / 4, "{} after {}", changed.store_bytes, first.store_bytes);
    }
}
