use crate::base::Day;
use crate::roster::{Intake, IntakePolicy, Mode, Roster, RosterIntake, digest_of};
use crate::source::hr::dates::DateForms;
use crate::source::hr::feed::HrFeed;
use crate::source::hr::mapping::{HrMapping, OrgMapping, RoleMapping};
use crate::source::hr::status::StatusMapping;

const TODAY: Day = Day(20_000); // 2024-10-04

fn mapping() -> HrMapping {
    let some = |name: &str| Some(name.to_owned());
    HrMapping {
        person_id: "id".to_owned(),
        given: some("given"),
        family: None,
        full_name: None,
        email: some("email"),
        username: None,
        identifier: None,
        status: Some(StatusMapping::of("status")),
        start: some("start"),
        end: some("end"),
        end_exclusive: false,
        dates: DateForms::default(),
        orgs: OrgMapping {
            root: "nord".to_owned(),
            root_name: "Nord AG".to_owned(),
            levels: vec!["org".to_owned()],
            separator: Some("/".to_owned()),
        },
        roles: RoleMapping {
            standard: "ext:employee".to_owned(),
            columns: vec!["lead".to_owned()],
            words: vec![("1".to_owned(), "ext:lead".to_owned())],
        },
        keep: vec!["metadata.type".to_owned()],
        calendar: crate::base::Calendar::utc(),
    }
}

/// Cells in the order of the columns: id, given, email, start, end, status, org, lead, type.
type Row = [&'static str; 9];

fn read(previous: Option<&Roster>, mode: Mode, rows: &[Row]) -> Intake {
    let mapping = mapping();
    let mut intake = RosterIntake::new(previous.cloned(), IntakePolicy::default());
    let mut feed = HrFeed::new(&mapping, "rows", mode, TODAY, &mut intake);
    assert_eq!(feed.columns().names(), ["id", "given", "email", "start", "end", "status", "org", "lead", "type"]);
    rows.iter().for_each(|row| feed.survey(row));
    feed.people();
    (1..).zip(rows).for_each(|(number, row)| feed.person(number, row));
    feed.finish();
    intake.finish()
}

/// Everybody: key, org, roles with their days relative to today, and marks.
fn people(roster: &Roster) -> Vec<String> {
    let told = |person: &crate::roster::Person| {
        let org = person.primary_org.map_or("-", |org| roster.text(roster.org(org).id));
        let day = |day: Day| match day {
            Day::MIN => "-".to_owned(),
            Day::MAX => "+".to_owned(),
            day => (day.0 - TODAY.0).to_string(),
        };
        let roles = roster.roles_of(person).iter().map(|role| {
            let ended = if role.ended { " ended" } else { "" };
            format!(" {} {}..{}{ended}", roster.role_word(role.role), day(role.first), day(role.last))
        });
        let marks = [(person.ended, " ended"), (person.quarantined, " quarantined")];
        let marks: String = marks.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
        format!("{} {org}{}{marks}", roster.text(person.key), roles.collect::<String>())
    };
    roster.people.iter().map(told).collect()
}

fn rules(intake: &Intake) -> Vec<String> {
    let told = |f: &crate::roster::Finding| format!("{}:{} {} {} [{}]", f.file, f.row, f.rule, f.field, f.record);
    intake.findings.kept.iter().map(told).collect()
}

const ANA: Row = ["0017", "Ana", "ana@nord.example", "2024-01-08", "", "Active", "North/Sales", "1", "Intern"];
const BEN: Row = ["0018", "Ben", "", "2024-10-05", "", "active", "North", "", ""];
const CID: Row = ["0019", "Cid", "", "", "2024-10-03", "active", "South", "", ""];
const DAN: Row = ["0020", "Dan", "", "", "2024-10-30", "1", "", "0", ""];
const EVE: Row = ["0021", "Eve", "", "", "", "Terminated", "South", "", ""];

#[test]
fn rows_become_people_orgs_and_roles() {
    let intake = read(None, Mode::Full, &[ANA, BEN, CID, DAN, EVE]);
    assert_eq!(rules(&intake), [""; 0]);
    let roster = &intake.roster;
    assert_eq!(
        people(roster),
        [
            "0017 nord/North/Sales ext:employee -270..+ ext:lead -270..+",
            "0018 nord/North ext:employee 1..+",
            "0019 nord/South ended",
            "0020 nord ext:employee -..26",
            "0021 nord/South ended",
        ]
    );
    let orgs: Vec<_> = roster.orgs.iter().map(|o| (roster.text(o.id), roster.text(o.name), roster.text(o.kind))).collect();
    assert_eq!(
        orgs,
        [
            ("nord", "Nord AG", "company"),
            ("nord/North", "North", "department"),
            ("nord/North/Sales", "Sales", "department"),
            ("nord/South", "South", "department"),
        ]
    );
    assert!(roster.orgs[1..].iter().all(|org| org.parent.is_some()));
    assert_eq!(roster.text(roster.attributes_of(&roster.people[0])[0].value), "Intern");
    let again = read(Some(roster), Mode::Full, &[EVE, DAN, ANA, CID, BEN]);
    assert_eq!(digest_of(&again.roster), digest_of(roster), "the order of rows does not matter");
}

#[test]
fn absence_and_bad_rows() {
    let before = read(None, Mode::Full, &[ANA, BEN, DAN]).roster;
    let after = read(Some(&before), Mode::Full, &[ANA]);
    assert_eq!(people(&after.roster).len(), 1, "who has no row is absent");
    let mut odd = BEN;
    odd[5] = "On Leave";
    let after = read(Some(&before), Mode::Full, &[ANA, odd]);
    assert_eq!(rules(&after), ["rows:2 unknown_status status [0018]"]);
    assert_eq!(people(&after.roster)[1], "0018 nord/North ext:employee 1..+ quarantined", "keeps everything");
    assert_eq!(after.counts.of(crate::roster::Collection::People).quarantined, 1);
    let mut nameless = BEN;
    nameless[0] = "1,23457E+05";
    let after = read(Some(&before), Mode::Full, &[nameless]);
    assert_eq!(rules(&after), ["rows:1 spreadsheet_damage id []"]);
    assert_eq!(people(&after.roster).len(), 3, "nobody is absent while a row may be anybody's");
}

#[test]
fn equal_rows_are_one_and_different_rows_of_a_key_are_told() {
    let intake = read(None, Mode::Full, &[ANA, BEN, ANA]);
    assert_eq!((rules(&intake), people(&intake.roster).len()), (Vec::new(), 2));
    let before = intake.roster;
    let mut other = ANA;
    other[6] = "South";
    let intake = read(Some(&before), Mode::Full, &[other, BEN, ANA]);
    assert_eq!(rules(&intake), ["rows:3 duplicate_sourced_id  [0017]"]);
    assert!(people(&intake.roster)[0].ends_with("quarantined"), "{:?}", people(&intake.roster));
}

#[test]
fn changes_change_and_end_and_touch_nobody_else() {
    let before = read(None, Mode::Full, &[ANA, BEN, DAN]).roster;
    let (mut moved, mut left) = (ANA, DAN);
    (moved[6], moved[7], left[5]) = ("South", "0", "deleted");
    let after = read(Some(&before), Mode::Changes, &[moved, left]);
    assert_eq!(rules(&after), [""; 0]);
    let told = people(&after.roster);
    assert_eq!(told[1], "0018 nord/North ext:employee 1..+");
    assert_eq!(told[0], "0017 nord/South ext:lead -270..+ ended ext:employee -270..+");
    assert_eq!(told[2], "0020 nord ext:employee -..26 ended ended");
    let again = read(Some(&after.roster), Mode::Changes, &[moved, left]);
    assert_eq!(digest_of(&again.roster), digest_of(&after.roster));
}
