use crate::roster::desk::IntakePolicy;
use crate::roster::intake::RosterIntake;
use crate::roster::link::{Linked, MatchBy, is_linked, link, unlink};
use crate::roster::merge::merge;
use crate::roster::model::Roster;
use crate::roster::name::digest_of;
use crate::roster::rows::{Collection, InlineRole, Mode, OrgRow, PersonRow, RowAt, RowHead, RowStatus};
use crate::roster::testing::clean;

/// People: key, identifier, e-mail, log-in name.
type Row = [&'static str; 4];

fn roster(rows: &[Row]) -> Roster {
    let mut intake = RosterIntake::new(None, IntakePolicy::default());
    let head = |id| RowHead { at: RowAt { file: "x", row: 1 }, id, status: RowStatus::Active, modified: None };
    intake.begin(Collection::Orgs, Mode::Full);
    intake.org(&OrgRow { head: head("d"), name: "D", kind: "district", identifier: "", parent: None });
    intake.begin(Collection::People, Mode::Full);
    for [key, identifier, email, username] in rows {
        intake.person(&PersonRow {
            head: head(key),
            enabled: true,
            given: "Given",
            family: "Family",
            email,
            username,
            identifier,
            grades: "",
            primary_org: None,
            roles: &[InlineRole { role: key, org: "d" }],
            attributes: &[("metadata.of", key)],
        });
    }
    clean(intake.finish())
}

/// Keys, each with the role that names the own key; and conflicts.
fn told(read: &Roster, linked: &Linked) -> (Vec<String>, Vec<String>) {
    let roster = linked.roster.as_ref().unwrap_or(read);
    let person = |person: &crate::roster::model::Person| {
        let role = roster.role_word(roster.roles_of(person)[0].role);
        format!("{} was {role}", roster.text(person.key))
    };
    let conflict = |c: &crate::roster::link::LinkConflict| {
        format!("{} of {}{}", c.own, c.known.join(","), if c.is_kept { " kept" } else { "" })
    };
    (roster.people.iter().map(person).collect(), linked.conflicts.iter().map(conflict).collect())
}

const BY: [MatchBy; 2] = [MatchBy::Identifier, MatchBy::Email];

#[test]
fn people_are_matched_or_told() {
    let sis = roster(&[
        ["s1", "0017", "ana@x", "ana"],
        ["s2", "0018", "ben@x", "ben"],
        ["s3", "", "cid@x", "cid"],
        ["s4", "0020", "shared@x", "dan"],
        ["s5", "0021", "shared@x", "eve"],
        ["17", "", "", ""],
    ]);
    type Case = (&'static str, Row, &'static [&'static str], &'static [&'static str]);
    let cases: [Case; 11] = [
        ("by identifier", ["h", "0017", "", ""], &["s1 was h"], &[]),
        ("numbers are texts", ["h", "17", "", ""], &["h was h"], &[]),
        ("by e-mail, in any case", ["h", "", " CID@x", ""], &["s3 was h"], &[]),
        ("by both", ["h", "0018", "ben@x", ""], &["s2 was h"], &[]),
        ("the e-mail is new, the number is not", ["h", "0018", "benjamin@x", ""], &["s2 was h"], &[]),
        ("by nothing", ["h", "9", "new@x", ""], &["h was h"], &[]),
        ("not by a field that is not configured", ["h", "", "", "ana"], &["h was h"], &[]),
        ("two fields say two people", ["h", "0017", "ben@x", ""], &[], &["h of s1,s2"]),
        ("a shared e-mail", ["h", "", "shared@x", ""], &[], &["h of s4,s5"]),
        ("the stronger field says that it is somebody else", ["h", "0099", "ana@x", ""], &[], &["h of s1"]),
        ("a key that somebody else has", ["17", "", "", ""], &[], &["17 of 17"]),
    ];
    for (what, row, people, conflicts) in cases {
        let hr = roster(&[row]);
        let linked = link(&hr, None, &[&sis], &BY).expect("it fits");
        let (found, odd) = told(&hr, &linked);
        assert_eq!(
            (found.as_slice(), odd.as_slice()),
            (
                &people.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>()[..],
                &conflicts.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>()[..]
            ),
            "{what}"
        );
    }
    let same = roster(&[["17", "", "", ""]]);
    let linked = link(&same, None, &[&sis], &[MatchBy::Key]).expect("it fits");
    assert!(linked.roster.is_none() && linked.conflicts.is_empty(), "the same key is the same person where that is configured");
}

#[test]
fn a_link_stays_whatever_the_fields_say_later() {
    let sis = roster(&[["s1", "0017", "ana@x", ""], ["s2", "0018", "ben@x", ""]]);
    let hr = roster(&[["h1", "0017", "", ""], ["h2", "", "", ""]]);
    let linked = link(&hr, None, &[&sis], &BY).expect("it fits");
    let stored = linked.roster.as_ref().expect("changed");
    assert_eq!(told(&hr, &linked).0, ["h2 was h2", "s1 was h1"]);
    assert!(is_linked(stored) && !is_linked(&hr));
    // What the source told comes back byte for byte.
    assert_eq!(digest_of(&unlink(stored).expect("it fits").expect("linked")), digest_of(&hr));
    assert!(unlink(&hr).expect("it fits").is_none());
    // The other source has lost its person, or another number: here it stays as it was.
    let others = [roster(&[]), roster(&[["s1", "0099", "", ""]]), roster(&[["s1", "0017", "", ""]])];
    for other in &others {
        let again = link(&hr, Some(stored), &[other], &BY).expect("it fits");
        assert_eq!(told(&hr, &again), (vec!["h2 was h2".to_owned(), "s1 was h1".to_owned()], vec![]));
        assert_eq!(digest_of(again.roster.as_ref().expect("linked")), digest_of(stored));
    }
    // The fields now say another person: told, and kept.
    let moved = roster(&[["h1", "0018", "", ""], ["h2", "", "", ""]]);
    let again = link(&moved, Some(stored), &[&sis], &BY).expect("it fits");
    assert_eq!(told(&moved, &again), (vec!["h2 was h2".to_owned(), "s1 was h1".to_owned()], vec!["h1 of s2 kept".to_owned()]));
    // Without any configured field links stay as well.
    let again = link(&hr, Some(stored), &[&sis], &[]).expect("it fits");
    assert_eq!(digest_of(again.roster.as_ref().expect("linked")), digest_of(stored));
}

#[test]
fn whoever_was_known_first_gives_the_key() {
    let hr = roster(&[["h1", "0017", "", ""]]);
    let sis = roster(&[["s1", "0017", "", ""], ["s2", "", "", ""]]);
    let linked = link(&sis, None, &[&hr], &BY).expect("it fits");
    assert_eq!(told(&sis, &linked).0, ["h1 was s1", "s2 was s2"]);
    let union = merge(&[linked.roster.as_ref().expect("linked"), &hr]).expect("it fits");
    assert_eq!(union.people.len(), 2);
    let one = union.person(union.find_person("h1").expect("there"));
    let roles: Vec<&str> = union.roles_of(one).iter().map(|role| union.role_word(role.role)).collect();
    assert_eq!(roles, ["h1", "s1"], "both sources' roles");
}

#[test]
fn several_people_of_one_source_are_never_made_one() {
    let sis = roster(&[["s1", "0017", "ana@x", ""]]);
    let hr = roster(&[["h1", "0017", "", ""], ["h2", "0017", "", ""], ["h3", "", "", ""]]);
    let linked = link(&hr, None, &[&sis], &BY).expect("it fits");
    assert_eq!(told(&hr, &linked), (vec!["h3 was h3".to_owned()], vec!["h1 of s1".to_owned(), "h2 of s1".to_owned()]));
    // One of them was known before: the other one is left out.
    let first = roster(&[["h1", "0017", "", ""]]);
    let stored = link(&first, None, &[&sis], &BY).expect("it fits").roster.expect("linked");
    let linked = link(&hr, Some(&stored), &[&sis], &BY).expect("it fits");
    assert_eq!(told(&hr, &linked), (vec!["h3 was h3".to_owned(), "s1 was h1".to_owned()], vec!["h2 of s1".to_owned()]));
}

#[test]
fn what_one_source_leaves_empty_another_fills() {
    let sis = roster(&[["a", "", "ana@x", ""]]);
    let hr = roster(&[["a", "0017", "other@x", "ana"], ["b", "", "", ""]]);
    let union = merge(&[&sis, &hr]).expect("it fits");
    let one = union.person(union.find_person("a").expect("there"));
    assert_eq!([one.identifier, one.email, one.username].map(|text| union.text(text)), ["0017", "ana@x", "ana"]);
    assert_eq!(union.attributes_of(one).len(), 1, "of an attribute that both tell, the first one's value");
    let again = merge(&[&hr, &sis]).expect("it fits");
    let one = again.person(again.find_person("a").expect("there"));
    assert_eq!(again.text(one.email), "other@x");
}
