//! A package read beside what the one before left to know comes to what reading all of it comes to, to the last byte, or to
//! nothing.

use proptest::prelude::*;

use crate::base::PersonKey;
use crate::roster::{
    Bare, Collection, Compared, Comparing, Intake, IntakePolicy, Name, Origins, Renewal, Roster, RosterIntake, Trace, apply,
    digest_of, pack, patch, unpack_keys,
};
use crate::source::csv::package::PackageFiles;
use crate::source::csv::pull::pull;
use crate::source::csv::reread::CsvReread;
use crate::source::csv::settings::{CsvSourceSettings, DropKind};
use crate::source::csv::tests::build::{PackageBuilder, source_settings};

const STEP: usize = 700;

fn opened(package: &PackageBuilder, keep: &str) -> (tempfile::TempDir, CsvSourceSettings, PackageFiles) {
    let place = tempfile::tempdir().expect("dir");
    package.folder(place.path());
    let mut settings = source_settings(place.path(), DropKind::Package);
    settings.keep_metadata = vec![keep.to_owned()];
    let mut files = PackageFiles::open(place.path(), &settings.bounds).expect("opens");
    files.step_bytes = STEP;
    (place, settings, files)
}

/// Reads all of a package.
fn whole(package: &PackageBuilder) -> Option<Intake> {
    let (_place, settings, mut files) = opened(package, "metadata.unit");
    let mut intake = RosterIntake::unaided(true, IntakePolicy::default()).traced();
    pull(&mut files, &settings, &mut intake).ok()?;
    Some(intake.finish())
}

/// The same of one that leaves a trace.
fn traced(package: &PackageBuilder) -> (Roster, Trace) {
    let Intake { roster, trace, findings, .. } = whole(package).expect("it can be read");
    let trace = trace.unwrap_or_else(|| panic!("it leaves a trace: {:?}", findings.counts));
    let name = Name::of(&roster);
    (roster, Trace { name, ..trace })
}

/// A stored roster: what it stands on, if that is another, and what makes it of that.
struct Kept {
    roster: Roster,
    trace: Trace,
    base: Roster,
    patch: Option<Vec<Vec<u8>>>,
}

impl Kept {
    fn whole(package: &PackageBuilder) -> Self {
        let (roster, trace) = traced(package);
        Self { base: roster.clone(), roster, trace, patch: None }
    }

    /// The same upon another one, if its difference from that is small.
    fn upon(self, base: &PackageBuilder) -> Option<Self> {
        let base = whole(base)?.roster;
        let patch = patch(&base, &Origins::of_whole(&base), &self.roster)?;
        Some(Self { base, patch: Some(patch), ..self })
    }

    fn chunks(&self) -> impl FnMut() -> Option<Vec<u8>> + use<> {
        let mut chunks = Vec::new();
        pack(&self.base, &mut |chunk| chunks.push(chunk.to_vec()));
        let mut chunks = chunks.into_iter();
        move || chunks.next()
    }

    /// What is loaded beside the first look at a package.
    fn keys(&self) -> (Roster, Origins) {
        let base = unpack_keys(self.chunks()).expect("it is whole");
        match self.patch.clone() {
            None => (base, Origins::of_whole(&self.base)),
            Some(patch) => {
                let mut patch = patch.into_iter();
                apply(base, || patch.next()).expect("it fits")
            }
        }
    }

    fn compare(&self, after: &Roster, others: &[&PersonKey], bare: Option<Bare>) -> Compared {
        let mut comparing = Comparing::begin(self.chunks()).expect("it is whole");
        if let Some(patch) = self.patch.clone() {
            let mut patch = patch.into_iter();
            comparing.patched(|| patch.next()).expect("it fits");
        }
        comparing.with(after, others, bare).expect("it is whole")
    }

    /// Reads what is new.
    fn renewed(
        &self,
        package: &PackageBuilder,
        keep: &str,
        others: &[&PersonKey],
    ) -> Option<(Intake, Compared, Vec<Option<u32>>)> {
        let (_place, settings, files) = opened(package, keep);
        let mut read = CsvReread::begin(files, &settings, &self.trace).ok()??;
        read.look(&self.trace).ok()??;
        let (keys, origins) = self.keys();
        let (renewal, frame) = Renewal::begin(&keys, read.news())?;
        let mut intake = RosterIntake::new(Some(frame), IntakePolicy::default());
        let news = read.feed(&mut intake)?;
        let mut renewed = renewal.finish((keys, &origins), (news, intake.finish()), others)?;
        let bare = std::mem::take(&mut renewed.bare);
        let mut compared = self.compare(&renewed.roster, others, Some(bare));
        let (intake, same) = renewed.compared(&mut compared, self.trace.clone())?;
        Some((intake, compared, same))
    }
}

/// Whether it could be renewed; then what came of it is what reading all of it comes to.
fn agrees(kept: &Kept, after: &PackageBuilder) -> bool {
    // Nobody asks for who is there and did not change.
    let others = [PersonKey::from("p7"), PersonKey::from("nobody")];
    let others: Vec<&PersonKey> = others[usize::from(kept.roster.find_person("p7").is_some())..].iter().collect();
    let Some((intake, compared, same)) = kept.renewed(after, "metadata.unit", &others) else { return false };
    let (stored, read) = (&kept.roster, whole(after).expect("what could be renewed can be read"));
    assert!(read.is_conclusive && read.stands_beside(stored));
    assert_eq!(read.findings.kept, intake.findings.kept);
    assert_eq!(read.counts, intake.counts);
    let known = read.trace.map(|trace| Trace { name: Name::of(&read.roster), ..trace });
    assert_eq!(known, intake.trace, "the next read knows the same");
    let made = compared.whole(kept.base.clone(), &intake.roster).expect("it is its base");
    assert_eq!((digest_of(&made), &made.spans), (digest_of(&read.roster), &read.roster.spans));
    assert_eq!(intake.roster.enrollments.len() as u64 + compared.bare_enrollments(), read.roster.enrollments.len() as u64);
    let (was, is) = (&kept.trace.name.people, &known.expect("a trace").name.people);
    assert_eq!((same.len(), is.len()), (intake.roster.people.len(), intake.roster.people.len()));
    for (old, is) in same.iter().zip(is) {
        assert!(old.is_none_or(|old| was[old as usize] == *is), "the same to the last byte");
    }
    let plain = kept.compare(&read.roster, &others, None);
    assert_eq!(plain.patch(&read.roster), compared.patch(&intake.roster));
    let has_own: Vec<bool> = Collection::ALL.iter().map(|&what| stored.has_own(what)).collect();
    assert_eq!(has_own, Collection::ALL.map(|what| compared.has_own(what)));
    assert_eq!(plain.delta, compared.delta);
    assert_eq!(digest_of(&plain.rest), digest_of(&compared.rest));
    true
}

/// The rows of a district: those of people, roles and enrollments.
#[derive(Clone, Debug)]
struct District {
    rows: [Vec<String>; 3],
}

impl District {
    fn of(people: usize) -> Self {
        let mut rows = <[Vec<String>; 3]>::default();
        for n in 0..people {
            Self::add(&mut rows, n);
        }
        Self { rows }
    }

    fn add(rows: &mut [Vec<String>; 3], n: usize) {
        let unit = ["", "north", "south"][n % 3];
        rows[0].push(format!("p{n},,,true,n{n},,Given{n},\"F,{n}\",,,p{n}@x.example,,,,{},,,,,,,s1,,{unit}", n % 12 + 1));
        rows[1].push(format!("r{n},,,p{n},primary,{},,,s1,", ["student", "teacher"][n % 2]));
        for m in 0..n % 4 {
            let (class, dates) = (["k1", "k2"][m % 2], [",", "2026-08-15,", "2026-08-15,2026-12-20"][(n + m) % 3]);
            rows[2].push(format!("e{n}-{m},,,{class},s1,p{n},{},,{dates}", ["student", "teacher"][n % 2]));
        }
    }

    fn package(&self) -> PackageBuilder {
        let mut package = PackageBuilder::v1_2().line("classes", "k2,,,Algebra 2,9,c1,A-2,scheduled,,s1,t1,,,");
        for (stem, (rows, more)) in
            ["users", "roles", "enrollments"].into_iter().zip(self.rows.iter().zip([",metadata.unit", "", ""]))
        {
            let head = package.text(stem).lines().next().unwrap_or_default().to_owned() + more + "\n";
            package = package.set(stem, &(head + &rows.iter().map(|row| row.clone() + "\n").collect::<String>()));
        }
        package
    }

    /// One change; `odd` ones are those that a read has to judge.
    fn change(&mut self, (kind, at, file): (u8, usize, usize)) {
        let [people, ..] = self.rows.each_ref().map(Vec::len);
        let list = &mut self.rows[file];
        let at_row = at % list.len().max(1);
        match kind {
            // Somebody left, or came.
            0 => {
                let key = self.rows[0].get(at % people.max(1)).and_then(|row| row.split(',').next()).unwrap_or("p0").to_owned();
                self.rows[0].retain(|row| !row.starts_with(&format!("{key},")));
                self.rows[1..].iter_mut().for_each(|rows| rows.retain(|row| !row.contains(&format!(",{key},"))));
            }
            1 => Self::add(&mut self.rows, 10_000 + at),
            2 => self.rows[0]
                .iter_mut()
                .skip(at % people.max(1))
                .take(1)
                .for_each(|row| *row = row.replacen("Given", "Other", 1)),
            3 => {
                self.rows[2].iter_mut().skip(at % 97).take(2).for_each(|row| *row = row.replacen("2026-08-15", "2026-08-16", 1))
            }
            4 => drop((!self.rows[2].is_empty()).then(|| self.rows[2].remove(at % self.rows[2].len()))),
            5 => list.rotate_left(at_row),
            6 => self.rows[1].iter_mut().skip(at % 89).take(1).for_each(|row| *row = row.replacen("student", "teacher", 1)),
            7 => self.rows[2].push(format!("e-new-{at},,,k1,s1,p{},student,,,", at % people.max(1))),
            8 => list.push(String::new()),
            // What has to be judged.
            9 => list.extend(list.get(at_row).cloned()),
            10 => drop((!list.is_empty()).then(|| list.remove(at_row))),
            11 => list.iter_mut().skip(at_row).take(1).for_each(|row| *row = row.replacen(",p", ",q", 1)),
            12 => list
                .iter_mut()
                .skip(at_row)
                .take(1)
                .for_each(|row| *row = row.replacen(",,,", ",active,2026-01-01T00:00:00.000Z,", 1)),
            13 => self.rows[1].iter_mut().skip(at % 89).take(1).for_each(|row| *row = row.replacen("student", "ext:coach", 1)),
            14 => self.rows[2]
                .iter_mut()
                .skip(at % 89)
                .take(1)
                .for_each(|row| *row = row.replacen(",teacher,,", ",teacher,true,", 1)),
            15 => self.rows[1].iter_mut().skip(at % 89).take(1).for_each(|row| *row = row.replacen(",,,s1,", ",,,s2,", 1)),
            _ => self.rows[0].iter_mut().skip(at % people.max(1)).take(1).for_each(|row| *row = row.replacen("north", "", 1)),
        }
    }
}

proptest! {
    #[test]
    fn what_is_new_is_enough(
        people in 8..120usize,
        first in prop::collection::vec((0..9u8, any::<usize>(), 0..3usize), 0..4),
        changes in prop::collection::vec((0..17u8, any::<usize>(), 0..3usize), 0..6),
    ) {
        let mut district = District::of(people);
        first.into_iter().for_each(|change| district.change(change));
        let before = district.package();
        prop_assume!(whole(&before).is_some_and(|read| read.trace.is_some()));
        changes.into_iter().for_each(|change| district.change(change));
        let after = district.package();
        let stands = agrees(&Kept::whole(&before), &after);
        if let Some(kept) = Kept::whole(&before).upon(&District::of(people).package()) {
            prop_assert_eq!(agrees(&kept, &after), stands);
        }
    }
}

#[test]
fn changes_that_happen_every_night_need_no_second_look() {
    let district = District::of(400);
    assert!(agrees(&Kept::whole(&district.package()), &district.package()), "nothing changed");
    for kind in [0, 1, 2, 3, 4, 6, 7, 8, 16] {
        let mut after = district.clone();
        (0..3).for_each(|n| after.change((kind, 50 + n * 101, 2)));
        assert!(agrees(&Kept::whole(&district.package()), &after.package()), "{kind}");
    }
    // Rows that stand in another order are the same rows.
    let mut after = district.clone();
    after.rows[2][10..30].reverse();
    assert!(agrees(&Kept::whole(&district.package()), &after.package()));
    // So they are whatever their lines end in.
    let before = district.package();
    let text = before.text("enrollments").replace('\n', "\r\n");
    assert!(agrees(&Kept::whole(&before), &before.clone().set("enrollments", text.trim_end())));
}

#[test]
fn where_much_changed_all_is_read() {
    let district = District::of(400);
    for (of_many, is_enough) in [(40, true), (4, false)] {
        let mut after = district.clone();
        after.rows[0].iter_mut().step_by(of_many).for_each(|row| *row = row.replacen("Given", "Other", 1));
        assert_eq!(agrees(&Kept::whole(&district.package()), &after.package()), is_enough, "one of {of_many}");
    }
}

#[test]
fn another_ground_is_read_anew() {
    let district = District::of(40);
    let before = district.package();
    let kept = Kept::whole(&before);
    assert!(kept.renewed(&before, "metadata.unit", &[]).is_some());
    assert!(kept.renewed(&before, "metadata.other", &[]).is_none(), "other settings");
    for (stem, from, to) in [("classes", "Algebra 2", "Algebra 3"), ("orgs", "North", "Norse")] {
        let after = before.clone().replace(stem, from, to);
        assert!(kept.renewed(&after, "metadata.unit", &[]).is_none(), "{stem}");
    }
    assert!(kept.renewed(&before.clone().mode("courses", "delta"), "metadata.unit", &[]).is_none(), "changes");
}
