use crate::roster::desk::IntakePolicy;
use crate::roster::finding::{Finding, Level};
use crate::roster::intake::{Intake, RosterIntake};
use crate::roster::model::Roster;
use crate::roster::name::digest_of;
use crate::roster::rows::{Collection, Mode, RowAt};
use crate::roster::testing::{World, classes, clean, district, person, quarantined, roles, rules};

const LENIENT: IntakePolicy = IntakePolicy { lenient: true, courses_optional: true };

fn bad_row(rule: &'static str) -> Finding {
    Finding {
        level: Level::Row,
        rule,
        file: "x.csv".into(),
        row: 9,
        record: String::new(),
        field: String::new(),
        detail: String::new(),
    }
}

const AT: RowAt = RowAt { file: "x.csv", row: 9 };

/// Reads a world fully with one more row that the source could not parse.
fn with_bad(world: &World, before: Option<&Roster>, what: Collection, id: Option<&str>, who: Option<&str>) -> Intake {
    world.read(Mode::Full, before, IntakePolicy::default(), |intake, done| {
        if done == what {
            intake.quarantine(what, AT, id, who, bad_row("bad_date"));
        }
    })
}

#[test]
fn a_full_read_is_canonical() {
    let roster = clean(district().full(None));
    assert_eq!(roster.people.iter().map(|p| roster.text(p.key)).collect::<Vec<_>>(), ["ana", "ben", "cid"]);
    assert_eq!(classes(&roster, "ana"), ["c1", "c2"]);
    assert_eq!(roles(&roster, "ben"), [("teacher", "s1")]);
    assert_eq!(roster.text(roster.org(roster.orgs[1].parent.expect("parent")).id), "d");
    assert_eq!(roster.classes[1].sessions.len(), 2);
    assert_eq!(roster.text(roster.attributes_of(person(&roster, "cid"))[0].value), "north");
    assert_eq!(quarantined(&roster), [""; 0]);
}

#[test]
fn a_full_read_forgets_what_has_no_row_and_keeps_what_never_began() {
    let before = clean(district().full(None));
    let mut world = district();
    world.people.retain(|p| p.head.id != "cid");
    world.roles.retain(|r| r.person != "cid");
    world.enrollments.retain(|e| e.person != "cid");
    let after = clean(world.full(Some(&before)));
    assert_eq!(after.find_person("cid"), None);
    let mut people_only = RosterIntake::new(Some(before.clone()), IntakePolicy::default());
    people_only.begin(Collection::People, Mode::Full);
    world.feed(&mut people_only, Collection::People);
    let after = clean(people_only.finish());
    assert_eq!(after.find_person("cid"), None);
    assert_eq!(classes(&after, "ana"), ["c1", "c2"]);
    assert_eq!(roles(&after, "ana"), [("student", "s1")]);
    let untouched = clean(RosterIntake::new(Some(before.clone()), IntakePolicy::default()).finish());
    assert_eq!(digest_of(&untouched), digest_of(&before));
}

#[test]
fn row_order_does_not_matter() {
    let world = district();
    let roster = clean(world.full(None));
    for seed in 0..20 {
        let other = clean(world.shuffled(seed).full(None));
        assert_eq!(digest_of(&other), digest_of(&roster), "seed {seed}");
        assert_eq!(other.people, roster.people, "handles into the arena, seed {seed}");
        assert_eq!(other.texts.len(), roster.texts.len());
    }
}

#[test]
fn changes_upsert_end_and_ignore_the_outdated() {
    let mut world = district();
    world.people[0].head.modified = Some(5_000_000);
    world.enrollments[0].head.modified = Some(5_000_000);
    let before = clean(world.full(None));

    let mut change = World::default();
    change.person("ana", Some("s1")).person("dee", Some("s2")).person("nobody", None).person("ben", None);
    change.people[0].head.modified = Some(4_000_000);
    change.people[0].given = "Older".into();
    change.people[2].head.ended = true;
    change.people[3].head.ended = true;
    change.enroll("e1", "ana", "c2").enroll("e3", "", "").enroll("e9", "dee", "c2").enroll("e0", "dee", "gone");
    change.enrollments[0].head.modified = Some(4_000_000);
    change.enrollments[1].head.ended = true;
    change.enrollments[3].head.ended = true;
    let intake = change.changes(&before);
    assert_eq!(rules(&intake), []);
    assert_eq!(intake.counts.of(Collection::People).outdated, 1);
    assert_eq!(intake.counts.of(Collection::Enrollments).outdated, 1);
    let after = intake.roster;
    assert_eq!(after.text(person(&after, "ana").given), "Given ana");
    assert_eq!(classes(&after, "ana"), ["c1", "c2"]);
    assert_eq!(classes(&after, "dee"), ["c2"]);
    assert_eq!(after.find_person("nobody"), None);
    assert!(person(&after, "ben").ended);
    assert_eq!(after.text(person(&after, "ben").family), "Family ben");
    assert!(after.enrollments_of(person(&after, "cid")).next().expect("one").ended);
}

#[test]
fn within_changes_the_later_row_wins_whatever_the_order() {
    let before = clean(district().full(None));
    let mut change = World::default();
    change.person("ana", None).person("ana", None);
    (change.people[0].given, change.people[0].head.modified) = ("First".into(), Some(1_000));
    (change.people[1].given, change.people[1].head.modified) = ("Second".into(), Some(1_001));
    change.enroll("e9", "ben", "c1").enroll("e9", "ben", "c2");
    change.enrollments[0].head.modified = Some(7);
    change.enrollments[1].head.modified = Some(8);
    for reversed in [false, true] {
        if reversed {
            change.people.reverse();
            change.enrollments.reverse();
        }
        let after = clean(change.changes(&before));
        assert_eq!(after.text(person(&after, "ana").given), "Second");
        assert_eq!(classes(&after, "ben"), ["c1", "c2"]);
    }
}

#[test]
fn an_ended_row_of_a_full_read_stays_as_ended() {
    let before = clean(district().full(None));
    let mut world = district();
    world.people[1].head.ended = true;
    world.enrollments[1].head.ended = true;
    world.enrollments[2].head.ended = true;
    world.enrollments[2].class = "gone".into();
    let after = clean(world.full(Some(&before)));
    assert!(person(&after, "ben").ended);
    assert!(after.enrollments_of(person(&after, "ben")).next().expect("one").ended);
    assert!(after.enrollments_of(person(&after, "cid")).next().expect("one").ended);
}

#[test]
fn inline_roles_belong_to_the_persons_row() {
    let mut world = district();
    world.roles.retain(|r| r.person != "ana");
    world.people[0].inline =
        vec![("student".into(), "s2".into()), ("student".into(), "s1".into()), ("student".into(), "s1".into())];
    let before = clean(world.full(None));
    assert_eq!(roles(&before, "ana"), [("student", "s1"), ("student", "s2")]);
    assert!(before.roles_of(person(&before, "ana"))[0].id.is_zero());
    let mut change = World::default();
    change.person("ana", Some("s1")).person("ben", Some("s1"));
    change.people[0].inline = vec![("aide".into(), "s2".into())];
    let after = clean(change.changes(&before));
    assert_eq!(roles(&after, "ana"), [("aide", "s2")]);
    assert_eq!(roles(&after, "ben"), [("teacher", "s1")]);
}

#[test]
fn a_double_id_is_rejected_and_its_people_keep_everything() {
    let mut world = district();
    let mut again = world.people[0].clone();
    again.given = "Other".into();
    world.people.push(again);
    world.enrollments.push(world.enrollments[1].clone());
    world.enrollments.last_mut().expect("row").person = "cid".into();
    world.orgs.push(world.orgs[0].clone());
    let intake = world.full(None);
    assert_eq!(
        rules(&intake),
        [("duplicate_sourced_id", "d"), ("duplicate_sourced_id", "ana"), ("duplicate_sourced_id", "e2")]
    );
    assert_eq!(intake.findings.kept[1].detail, "the same id stands in users.csv:2");
    assert_eq!(intake.roster.text(person(&intake.roster, "ana").given), "Given ana");
    assert_eq!(quarantined(&intake.roster), ["ana", "ben", "cid"]);
    assert_eq!(intake.counts.of(Collection::People).quarantined, 1);
}

#[test]
fn lenient_reads_merge_a_person_told_once_per_org() {
    let mut world = district();
    world.roles.clear();
    world.people[0].inline = vec![("student".into(), "s1".into())];
    let mut again = world.people[0].clone();
    again.inline = vec![("student".into(), "s2".into())];
    again.primary_org = Some("s2".into());
    world.people.push(again);
    let both = |world: &World| world.read(Mode::Full, None, LENIENT, |_, _| {});
    let intake = both(&world);
    assert_eq!(rules(&intake), [("duplicate_sourced_id", "ana")]);
    assert_eq!(intake.findings.kept[0].level, Level::Warning);
    assert_eq!(roles(&intake.roster, "ana"), [("student", "s1"), ("student", "s2")]);
    assert_eq!(quarantined(&intake.roster), [""; 0]);
    assert_eq!(digest_of(&both(&world.shuffled(3)).roster), digest_of(&intake.roster));
    world.people.last_mut().expect("row").given = "Other".into();
    assert_eq!(quarantined(&both(&world).roster), ["ana"]);
}

#[test]
fn rows_behind_the_enrollments_are_taken_like_any_others() {
    let whole = district();
    let mut late = World { people: whole.people[2..].to_vec(), classes: whole.classes[1..].to_vec(), ..World::default() };
    late.enroll("e9", "cid", "c1");
    let mut early = whole.clone();
    early.people.truncate(2);
    early.classes.truncate(1);
    early.roles.retain(|role| role.person != "cid");
    early.enrollments.retain(|enrollment| enrollment.person == "ben");
    late.enrollments.extend(whole.enrollments.iter().filter(|e| e.person != "ben").cloned());
    late.roles.extend(whole.roles.iter().filter(|role| role.person == "cid").cloned());
    let both = |mut intake: RosterIntake| {
        for what in Collection::ALL {
            intake.begin(what, Mode::Full);
            early.feed(&mut intake, what);
        }
        Collection::ALL.into_iter().for_each(|what| late.feed(&mut intake, what));
        intake.finish()
    };
    let unaided = both(RosterIntake::unaided(false, IntakePolicy::default()));
    let aided = both(RosterIntake::new(None, IntakePolicy::default()));
    assert!(unaided.is_conclusive);
    assert_eq!(digest_of(&unaided.roster), digest_of(&aided.roster));
    assert_eq!(unaided.roster.people.len(), 3);
}

#[test]
fn missing_references_are_found_in_every_collection() {
    let mut world = district();
    world.org("s3", "school", Some("gone"));
    world.session("t2", "term", Some("gone"));
    world.course("k1", "gone", None).course("k2", "d", Some("gone"));
    world.class("c3", "gone", Some("math"), "t").class("c4", "s1", Some("gone"), "t").class("c5", "s1", Some("math"), "t,gone");
    world.person("p1", Some("gone")).person("p2", None);
    world.people[4].inline = vec![("student".into(), "gone".into())];
    world.role("x1", "gone", "student", "s1", false).role("x2", "ana", "student", "gone", false);
    world.enroll("y1", "gone", "c1").enroll("y2", "ben", "gone").enroll("y3", "cid", "c1");
    world.enrollments.last_mut().expect("row").school = "gone".into();
    let intake = world.full(None);
    let missing: Vec<_> = intake.findings.kept.iter().map(|f| (f.record.as_str(), f.field.as_str())).collect();
    assert_eq!(
        missing,
        [
            ("s3", "parent"),
            ("t2", "parent"),
            ("k1", "org"),
            ("k2", "schoolYear"),
            ("c3", "school"),
            ("c4", "course"),
            ("c5", "terms"),
            ("p1", "primaryOrg"),
            ("p2", "orgs"),
            ("x1", "user"),
            ("x2", "org"),
            ("y1", "user"),
            ("y2", "class"),
            ("y3", "school")
        ]
    );
    assert!(intake.findings.kept.iter().all(|f| f.rule == "missing_reference" && f.level == Level::Graph));
    assert_eq!(quarantined(&intake.roster), ["ana", "ben", "cid"]);
    assert_eq!(intake.counts.of(Collection::Classes).quarantined, 3);
    world.classes.retain(|c| c.head.id == "c4" || c.head.id == "c1" || c.head.id == "c2");
    let lenient = world.read(Mode::Full, None, LENIENT, |_, _| {});
    let c4 = lenient.roster.find_class("c4").expect("accepted without its course");
    assert_eq!(lenient.roster.class(c4).course, None);
    assert!(lenient.findings.kept.iter().any(|f| f.record == "c4" && f.level == Level::Warning));
}

#[test]
fn kinds_are_checked() {
    let mut world = district();
    world.org("dep", "department", Some("d")).org("ext", "ext:hub", Some("d"));
    world.course("k", "d", Some("t"));
    world.class("c3", "dep", Some("math"), "t").class("c4", "ext", Some("math"), "t");
    world.enroll("y1", "cid", "c1");
    world.enrollments.last_mut().expect("row").school = "dep".into();
    let intake = world.full(None);
    assert_eq!(rules(&intake), [("session_type_mismatch", "k"), ("org_type_mismatch", "c3"), ("org_type_mismatch", "y1")]);
    assert_eq!(quarantined(&intake.roster), ["cid"]);
    let lenient = world.read(Mode::Full, None, LENIENT, |_, _| {});
    assert!(lenient.roster.find_class("c3").is_some());
    assert_eq!(lenient.findings.kept.iter().filter(|f| f.level == Level::Warning).count(), 2);
    assert_eq!(classes(&lenient.roster, "cid"), ["c1", "c2"]);
}

#[test]
fn cycles_reject_their_members_and_nobody_else() {
    let mut world = district();
    world.org("a", "school", Some("b")).org("b", "school", Some("a")).org("x", "school", Some("a")).org(
        "me",
        "school",
        Some("me"),
    );
    world.session("u", "term", Some("v")).session("v", "term", Some("u"));
    let intake = world.full(None);
    let mut found = rules(&intake);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("missing_reference", "x"),
            ("parent_cycle", "a"),
            ("parent_cycle", "b"),
            ("parent_cycle", "me"),
            ("parent_cycle", "u"),
            ("parent_cycle", "v")
        ]
    );
    assert_eq!(intake.roster.orgs.len(), 3);
    assert_eq!(intake.roster.people.len(), 3);

    // The stored tree holds; a row that would close a circle through it is rejected.
    let before = clean(district().full(None));
    let mut change = World::default();
    change.org("d", "district", Some("s1")).org("s2", "school", None);
    let intake = change.changes(&before);
    assert_eq!(rules(&intake), [("parent_cycle", "d")]);
    assert_eq!(intake.roster.orgs[0].parent, None);
    assert_eq!(intake.roster.orgs[2].parent, None);
}

#[test]
fn a_chain_of_orgs_has_an_end() {
    let mut world = World::default();
    world.org("o0", "district", None);
    for at in 1..150 {
        world.org(&format!("o{at}"), "school", Some(&format!("o{}", at - 1)));
    }
    let intake = world.full(None);
    assert_eq!(intake.roster.orgs.len(), 100);
    assert_eq!(intake.counts.of(Collection::Orgs).quarantined, 50);
}

#[test]
fn two_primary_roles_are_both_rejected() {
    let before = clean(district().full(None));
    let mut world = district();
    world.role("r9", "ana", "aide", "s1", true).role("r8", "ana", "aide", "s2", true);
    let intake = world.full(Some(&before));
    assert_eq!(intake.findings.counts.get("two_primary_roles"), Some(&2));
    assert_eq!(roles(&intake.roster, "ana"), [("student", "s1"), ("aide", "s2")]);
    assert_eq!(quarantined(&intake.roster), ["ana"]);
    let mut change = World::default();
    change.role("r9", "ana", "aide", "s1", true);
    let intake = change.changes(&before);
    assert_eq!(roles(&intake.roster, "ana"), [("student", "s1")]);
    assert_eq!(intake.counts.of(Collection::Roles).quarantined, 1);
}

#[test]
fn a_primary_org_needs_a_role_where_roles_have_rows() {
    let mut world = district();
    world.people[0].primary_org = Some("s2".into());
    let intake = world.full(None);
    // Nobody stored: the person is unknown, and so are role and enrollments.
    assert_eq!(
        rules(&intake),
        [
            ("primary_org_without_role", "ana"),
            ("missing_reference", ""),
            ("missing_reference", "e1"),
            ("missing_reference", "e4")
        ]
    );
    assert_eq!(intake.roster.find_person("ana"), None);
    let before = clean(district().full(None));
    let intake = world.full(Some(&before));
    assert_eq!(rules(&intake), [("primary_org_without_role", "ana")]);
    let ana = person(&intake.roster, "ana");
    assert_eq!(intake.roster.text(intake.roster.org(ana.primary_org.expect("org")).id), "s1");
    assert!(ana.quarantined);
    world.roles.clear();
    assert_eq!(rules(&world.full(None)), []);
}

#[test]
fn warnings_cost_nothing() {
    let mut world = district();
    world.classes[0].codes = "MA,PH".into();
    for at in [0, 1] {
        world.enrollments[at].role = "teacher".into();
        world.enrollments[at].primary = true;
    }
    let intake = world.full(None);
    assert_eq!(rules(&intake), [("subject_lists_differ", "c1"), ("two_primary_teachers", "")]);
    assert!(intake.findings.kept.iter().all(|f| f.level == Level::Warning));
    assert!(Collection::ALL.iter().all(|&c| intake.counts.of(c).quarantined == 0));
}

#[test]
fn a_bad_row_leaves_what_is_stored() {
    let before = clean(district().full(None));
    let mut world = district();
    world.people[0].primary_org = Some("gone".into());
    world.people[0].given = "New".into();
    world.enrollments[1].class = "gone".into();
    world.classes.retain(|c| c.head.id != "c2");
    world.enrollments.retain(|e| e.head.id != "e4" && e.head.id != "e3");
    let intake = with_bad(&world, Some(&before), Collection::Enrollments, Some("e3"), None);
    let after = &intake.roster;
    assert_eq!(after.text(person(after, "ana").given), "Given ana");
    assert_eq!(classes(after, "ana"), ["c1"]);
    assert_eq!(classes(after, "ben"), ["c1"]);
    assert_eq!(classes(after, "cid"), ["c2"], "the class of a stored enrollment stays with it");
    assert_eq!(quarantined(after), ["ana", "ben", "cid"]);
    // The next good read clears the marks.
    let next = clean(district().full(Some(after)));
    assert_eq!(digest_of(&next), digest_of(&before));
}

#[test]
fn a_bad_row_makes_its_person_present() {
    let before = clean(district().full(None));
    let mut world = district();
    world.people.retain(|p| p.head.id != "cid");
    world.roles.retain(|r| r.person != "cid");
    world.enrollments.retain(|e| e.person != "cid");
    let by_id = with_bad(&world, Some(&before), Collection::People, Some("cid"), None);
    assert!(person(&by_id.roster, "cid").quarantined);
    let by_name = with_bad(&world, Some(&before), Collection::Enrollments, None, Some("cid"));
    assert_eq!(classes(&by_name.roster, "cid"), ["c2"]);
    assert_eq!(quarantined(&by_name.roster), ["cid"]);
    assert_eq!(by_name.counts.of(Collection::Enrollments).unidentified, 1);
    assert_eq!(by_name.counts.of(Collection::Enrollments).quarantined, 1);
    assert_eq!(by_name.counts.of(Collection::Enrollments).rows, 3 + 1);
}

#[test]
fn rows_without_an_id_make_nobody_absent() {
    let before = clean(district().full(None));
    let mut world = district();
    world.people.retain(|p| p.head.id != "cid");
    world.roles.retain(|r| r.person != "cid" && r.person != "ben");
    world.enrollments.retain(|e| e.head.id == "e1");
    let people = with_bad(&world, Some(&before), Collection::People, None, None);
    assert_eq!(quarantined(&people.roster), ["cid"]);
    world.people = district().people;
    let roles_bad = with_bad(&world, Some(&before), Collection::Roles, None, None);
    assert_eq!(quarantined(&roles_bad.roster), ["ben", "cid"]);
    assert_eq!(roles(&roles_bad.roster, "ben"), [("teacher", "s1")]);
    assert_eq!(classes(&roles_bad.roster, "ben"), [""; 0]);
    let enrollments = with_bad(&world, Some(&before), Collection::Enrollments, None, None);
    assert_eq!(quarantined(&enrollments.roster), ["ana", "ben", "cid"]);
    assert_eq!(classes(&enrollments.roster, "cid"), ["c2"]);
}

#[test]
fn a_bad_class_or_org_cascades_to_people() {
    let mut world = district();
    world.classes.remove(0);
    let class = with_bad(&world, None, Collection::Classes, Some("c1"), None);
    assert_eq!(quarantined(&class.roster), ["ana", "ben"]);
    assert_eq!(class.counts.of(Collection::Enrollments).quarantined, 2);
    let mut world = district();
    world.orgs.remove(2);
    let org = with_bad(&world, None, Collection::Orgs, Some("s2"), None);
    assert_eq!(org.roster.find_class("c2"), None);
    assert_eq!(org.roster.find_person("cid"), None);
    assert_eq!(quarantined(&org.roster), ["ana"]);
    let unreadable_twice = with_bad(&district(), None, Collection::People, Some("ana"), None);
    assert_eq!(unreadable_twice.roster.find_person("ana"), None, "nothing certain is known of a new person");
}

#[test]
fn a_file_that_turns_out_to_hold_changes_may_say_an_id_again() {
    let (mut first, mut then) = (district(), district());
    (first.roles[0].head.modified, first.enrollments[1].head.modified) = (Some(5_000), Some(5_000));
    for (at, newer) in [5_000, 4_000, 6_000].into_iter().enumerate() {
        (then.roles[at].head.modified, then.roles[at].role) = (Some(newer), "aide".into());
        (then.enrollments[at].head.modified, then.enrollments[at].role) = (Some(newer), "aide".into());
    }
    let read = first.read(Mode::Full, None, IntakePolicy::default(), |intake, what| {
        if matches!(what, Collection::Roles | Collection::Enrollments) {
            intake.switch(what, Mode::Changes);
            then.feed(intake, what);
        }
    });
    let roster = &read.roster;
    assert_eq!(["ana", "ben", "cid"].map(|key| roles(roster, key)[0].0), ["aide", "aide", "aide"]);
    let attends = |key: &str| {
        let own = roster.enrollments_of(&roster.people[roster.find_person(key).expect("there").0 as usize]);
        own.map(|enrollment| roster.role_word(enrollment.role)).collect::<Vec<_>>()
    };
    // What is older says nothing; what has no time comes before whatever has one.
    assert_eq!(["ana", "ben", "cid"].map(attends), [vec!["aide", "student"], vec!["student"], vec!["aide"]]);
}
