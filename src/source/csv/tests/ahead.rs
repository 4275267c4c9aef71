//! Rows read by many threads come to what rows read one by one come to: the same roster, the same findings.

use proptest::prelude::*;

use crate::roster::{
    ClassRow, Collection, CourseRow, EnrollmentRow, Finding, Intake, IntakePolicy, Mode, OrgRow, PersonRow, RoleRow, Roster,
    RosterIntake, RowAt, SessionRow, digest_of,
};
use crate::source::csv::package::PackageFiles;
use crate::source::csv::pull::pull;
use crate::source::csv::settings::{BulkWithStatus, DropKind};
use crate::source::csv::sink::RowSink;
use crate::source::csv::tests::build::{PackageBuilder, source_settings};

/// An intake that is handed every row by itself.
struct OneByOne(RosterIntake);

macro_rules! hand_on {
    ($($name:ident($row:ty)),*) => {$(
        fn $name(&mut self, row: &$row) {
            self.0.$name(row);
        }
    )*};
}

impl RowSink for OneByOne {
    hand_on!(
        org(OrgRow<'_>),
        session(SessionRow<'_>),
        course(CourseRow<'_>),
        class(ClassRow<'_>),
        person(PersonRow<'_>),
        role(RoleRow<'_>),
        enrollment(EnrollmentRow<'_>)
    );
    fn begin(&mut self, collection: Collection, mode: Mode) {
        self.0.begin(collection, mode);
    }
    fn switch(&mut self, collection: Collection, mode: Mode) {
        self.0.switch(collection, mode);
    }
    fn quarantine(&mut self, collection: Collection, at: RowAt, id: Option<&str>, person: Option<&str>, finding: Finding) {
        self.0.quarantine(collection, at, id, person, finding);
    }
    fn warn(&mut self, finding: Finding) {
        self.0.warn(finding);
    }
}

/// What an intake came to, and whether the package was taken: all that can be seen of it.
type Seen = (Intake, Option<String>);

/// Pulls a package in steps of so many bytes.
fn pulled(
    package: &PackageBuilder,
    step: usize,
    bulk: BulkWithStatus,
    lenient: bool,
    sink: &mut impl RowSink,
) -> Option<String> {
    let place = tempfile::tempdir().expect("dir");
    package.folder(place.path());
    let mut settings = source_settings(place.path(), DropKind::Package);
    (settings.bulk_with_status, settings.lenient) = (bulk, lenient);
    settings.bounds.rows_max = 60;
    settings.keep_metadata = vec!["metadata.unit".to_owned()];
    let mut files = PackageFiles::open(place.path(), &settings.bounds).expect("opens");
    files.step_bytes = step;
    pull(&mut files, &settings, sink).err().map(|stop| format!("{stop:?}"))
}

fn policy(lenient: bool) -> IntakePolicy {
    IntakePolicy { lenient, courses_optional: false }
}

/// Reads ahead, without the stored roster where it can be done without, as a run does.
fn ahead(package: &PackageBuilder, step: usize, bulk: BulkWithStatus, lenient: bool, before: Option<&Roster>) -> Seen {
    let mut intake = RosterIntake::unaided(before.is_some(), policy(lenient));
    let stop = pulled(package, step, bulk, lenient, &mut intake);
    let intake = intake.finish();
    if intake.is_conclusive && before.is_none_or(|before| intake.stands_beside(before)) {
        return (intake, stop);
    }
    let mut intake = RosterIntake::new(before.cloned(), policy(lenient));
    let stop = pulled(package, step, bulk, lenient, &mut intake);
    (intake.finish(), stop)
}

fn one_by_one(package: &PackageBuilder, bulk: BulkWithStatus, lenient: bool, before: Option<&Roster>) -> Seen {
    let mut sink = OneByOne(RosterIntake::new(before.cloned(), policy(lenient)));
    let stop = pulled(package, 1 << 16, bulk, lenient, &mut sink);
    (sink.0.finish(), stop)
}

/// One row of a generated file: which sound row it is made from, and what is done to it.
#[derive(Clone, Debug)]
struct Gene {
    number: u8,
    other: u8,
    oddity: u8,
}

fn genes(most: usize) -> impl Strategy<Value = Vec<Gene>> {
    // Most rows are sound, so that sound batches stand between odd ones.
    let gene = (0..12u8, any::<u8>(), prop_oneof![12 => Just(0), 1 => 1..9u8]);
    prop::collection::vec(gene.prop_map(|(number, other, oddity)| Gene { number, other, oddity }), 1..most)
}

/// Something out of the ordinary, or nothing.
fn odd(line: String, gene: &Gene) -> String {
    match gene.oddity {
        1 => line.replace(",s1", ",nowhere"),
        2 => format!("{line},more"),
        3 => line.replacen(",,,", ",active,2026-01-01T00:00:00.000Z,", 1),
        4 => line.replacen("true", "TRUE", 1),
        5 => line.replacen(",k", ",{k", 1),
        6 => format!("{line}\n"),
        7 => line.replacen(",p", ",q", 1),
        8 => line.replacen(',', "\",", 1),
        _ => line,
    }
}

fn package(users: &[Gene], roles: &[Gene], enrollments: &[Gene]) -> PackageBuilder {
    let mut package = PackageBuilder::v1_2();
    let header = |package: &PackageBuilder, stem: &str| package.text(stem).lines().next().unwrap_or_default().to_owned();
    let mut text = header(&package, "users") + ",metadata.unit\n";
    for (at, gene) in users.iter().enumerate() {
        // Now and then a key stands twice.
        let number = if gene.oddity == 7 { gene.number as usize } else { at };
        let primary = if gene.other % 5 == 0 { "" } else { "s1" };
        let unit = ["", "north", "south"][gene.other as usize % 3];
        let line = format!(
            "p{number},,,true,n{number},,G{},\"F,{number}\",,,,,,,{},,,,,,,{primary},,{unit}",
            gene.other,
            gene.other % 12 + 1
        );
        text += &format!("{}\n", odd(line, gene));
    }
    package = package.set("users", &text);
    let mut text = header(&package, "roles") + "\n";
    for (at, gene) in roles.iter().enumerate() {
        let id = if gene.oddity == 8 { 0 } else { at };
        let word = ["student", "teacher", "ext:coach"][gene.other as usize % 3];
        let kind = if gene.other % 4 == 0 { "primary" } else { "secondary" };
        text += &format!("{}\n", odd(format!("r{id},,,p{},{kind},{word},,,s1,", gene.number), gene));
    }
    package = package.set("roles", &text);
    let mut text = header(&package, "enrollments") + "\n";
    for (at, gene) in enrollments.iter().enumerate() {
        let id = if gene.oddity == 8 && gene.other % 2 == 0 { 0 } else { at };
        let (role, primary) = [("student", ""), ("teacher", "true"), ("teacher", "false")][gene.other as usize % 3];
        text += &format!("{}\n", odd(format!("e{id},,,k1,s1,p{},{role},{primary},2026-08-15,", gene.number), gene));
    }
    package.set("enrollments", &text)
}

proptest! {
    #[test]
    fn many_threads_come_to_what_one_comes_to(
        stored in prop::option::of((genes(14), genes(20), genes(30))),
        users in genes(14),
        roles in genes(20),
        enrollments in genes(70),
        step in 20..600usize,
        bulk in prop_oneof![Just(BulkWithStatus::Strict), Just(BulkWithStatus::Delta), Just(BulkWithStatus::Full)],
        lenient: bool,
    ) {
        let before = stored.map(|(users, roles, enrollments)| {
            one_by_one(&package(&users, &roles, &enrollments), BulkWithStatus::Strict, lenient, None).0.roster
        });
        let package = package(&users, &roles, &enrollments);
        let (read, stop) = ahead(&package, step, bulk, lenient, before.as_ref());
        let (same, same_stop) = one_by_one(&package, bulk, lenient, before.as_ref());
        prop_assert_eq!(&read.findings.kept, &same.findings.kept);
        prop_assert_eq!(&read.findings.counts, &same.findings.counts);
        prop_assert_eq!(&read.counts, &same.counts);
        prop_assert_eq!(stop, same_stop);
        prop_assert_eq!(digest_of(&read.roster), digest_of(&same.roster));
    }
}

#[test]
fn sound_packages_need_no_stored_roster_and_others_do() {
    let sound = Gene { number: 0, other: 1, oddity: 0 };
    let genes = vec![sound.clone(); 40];
    let users: Vec<Gene> = (0..12).map(|number| Gene { number, ..sound.clone() }).collect();
    let whole = package(&users, &genes, &genes);
    let mut intake = RosterIntake::unaided(true, policy(false));
    assert_eq!(pulled(&whole, 64, BulkWithStatus::Strict, false, &mut intake), None);
    let intake = intake.finish();
    assert!(intake.is_conclusive, "{:?}", intake.findings.kept);
    assert_eq!((intake.roster.people.len(), intake.roster.enrollments.len()), (12, 40));
    for broken in [
        whole.clone().line("enrollments", "e1,,,k1,s1,p0,student,,,"),
        whole.clone().line("enrollments", ",,,k1,s1,p0,student,,,"),
        whole.clone().line("users", "p1,,"),
        whole.clone().replace("users", "p0,,", "p0,active,2026-01-01T00:00:00.000Z"),
    ] {
        let mut intake = RosterIntake::unaided(true, policy(false));
        assert_eq!(pulled(&broken, 64, BulkWithStatus::Delta, false, &mut intake), None);
        assert!(!intake.finish().is_conclusive);
    }
    // A bad row that nothing stored is behind needs nothing of it.
    let stored = one_by_one(&whole, BulkWithStatus::Strict, false, None).0.roster;
    for (bad, stands) in
        [("e99,,,k1,s1,nobody", true), ("e99,,,k1,s9,p0", true), ("e7,,,k1,s9,p0", false), ("e99,,,k1,s1,p11", false)]
    {
        let mut read = whole.clone();
        if bad.starts_with("e7") {
            read = read.replace("enrollments", "e7,,,k1,s1,p0", "e97,,,k1,s1,p0");
        }
        if bad.ends_with("p11") {
            let users = read.text("users");
            let gone = users.lines().find(|line| line.starts_with("p11,")).expect("the last person").to_owned() + "\n";
            read = read.replace("users", &gone, "");
        }
        let read = read.line("enrollments", &format!("{bad},student,,,"));
        let mut intake = RosterIntake::unaided(true, policy(false));
        assert_eq!(pulled(&read, 64, BulkWithStatus::Strict, false, &mut intake), None);
        let intake = intake.finish();
        assert!(intake.is_conclusive);
        assert_eq!(intake.stands_beside(&stored), stands, "{bad}");
    }
}
