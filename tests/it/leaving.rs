//! Leaving: deactivate, come back, purge, forget (R127 to R131).

use std::fs;

use rosterd::base::{Actor, ClaimId, PersonKey, Version};
use rosterd::license::{Because, ClaimState, Entry, OnFull, ProductKind, SeatModel};
use rosterd::service::{ForgetAnswer, PersonState};
use rosterd::store::{RunRow, RunState, StoreError, Trigger};

use crate::world::{World, day, manifest, succeeded};

fn world(seats: u32) -> World {
    World::new("north").school("ash").product("learn", ProductKind::Module, SeatModel::Role).role_rule("teacher", "learn").pool(
        "learn",
        "d",
        Some(seats),
        OnFull::Wait,
    )
}

fn claim(world: &World, person: &str) -> Option<(ClaimId, ClaimState)> {
    let (_, claims) = world.service().store().claims_of(&world.policy.customer, person).expect("claims");
    claims.first().map(|claim| (claim.id, claim.state))
}

fn because(world: &World, run: &RunRow, person: &str) -> Vec<Because> {
    let plan =
        world.service().store().plan(&world.policy.customer, &run.plan.expect("a plan")).expect("a store").expect("the plan");
    plan.changes.iter().filter(|c| plan.people.get(c.person) == person).map(|c| c.because).collect()
}

fn state(world: &World, person: &str) -> Option<PersonState> {
    let service = world.service();
    let (people, _) = service.people(&service.customers()[0], person, 10).expect("people");
    people.into_iter().find(|view| view.key == person).map(|view| view.state)
}

/// Whether any snapshot that is kept knows the person; each snapshot that was ever adopted is looked for.
pub fn is_named(world: &World, person: &str) -> bool {
    let service = world.service();
    let customer = &service.customers()[0];
    let mut digests = Vec::new();
    service
        .store()
        .audit(customer.id(), Version(0), &mut |commit| {
            digests.extend(commit.entries.iter().filter_map(|entry| match entry {
                Entry::Adopted(mark) => Some(mark.snapshot),
                _ => None,
            }));
            Ok::<(), StoreError>(())
        })
        .expect("the trail");
    assert!(!digests.is_empty());
    digests.iter().filter(|digest| service.store().snapshot(digest).expect("a row").is_some()).any(|digest| {
        let roster = service.snapshot(customer.id(), digest).expect("a roster");
        roster.find_person(person).is_some()
    })
}

pub fn forget(world: &World, person: &str) -> ForgetAnswer {
    let service = world.service();
    let (person, actor) = (PersonKey::from(person), Actor::operator("test"));
    service.forget(&service.customers()[0], &actor, &person, "asked to").expect("an answer")
}

/// The person is away for the two nights that confirm an absence.
pub fn remove(world: &mut World, person: &str) {
    world.vanish(person);
    world.night();
    // Another change, so that the second package is another one.
    world.hire("other", "student", "ash");
    world.night();
}

#[test]
fn whoever_returns_before_the_purge_has_the_same_claim() {
    let mut world = world(2).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    let before = claim(&world, "ana").unwrap();
    assert_eq!(state(&world, "ana"), Some(PersonState::Active));
    world.vanish("ana");
    world.night();
    assert_eq!(state(&world, "ana").unwrap().to_string(), "absent (1 of 2)");
    world.hire("other", "student", "ash");
    world.night();
    assert_eq!((claim(&world, "ana"), world.used("learn")), (None, 1));
    // Removed on 4 March; the purge is 30 days later.
    assert_eq!(state(&world, "ana").unwrap().to_string(), "removed until 2026-04-03");
    world.set_day(day("2026-04-02"));
    world.hire("ana", "teacher", "ash");
    let run = world.night();
    assert_eq!(claim(&world, "ana"), Some(before));
    assert_eq!(because(&world, &run, "ana"), [Because::Returned]);
    assert_eq!((state(&world, "ana"), world.used("learn")), (Some(PersonState::Active), 2));
    let service = world.service();
    let report =
        service.claims_report(&service.customers()[0], &rosterd::service::ClaimFilter::default()).expect("a report").rows;
    let told: Vec<_> = report.iter().map(|row| (row.person.as_str(), row.claim, row.state)).collect();
    assert_eq!(told, [("ana", before.0.0, "active"), ("ben", before.0.0 + 1, "active")], "one row a claim");
    world.verify();
}

#[test]
fn the_same_claim_waits_where_the_seat_is_taken() {
    let mut world = world(2).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    let (id, _) = claim(&world, "ana").unwrap();
    world.end("ana");
    world.hire("cid", "teacher", "ash");
    world.hire("dan", "teacher", "ash");
    world.night();
    assert_eq!((world.seated("learn"), claim(&world, "ana")), (vec!["ben".to_owned(), "cid".to_owned()], None));
    world.people.get_mut("ana").unwrap().ended = false;
    world.night();
    assert_eq!(claim(&world, "ana"), Some((id, ClaimState::Waiting)));
    // Away, she did not wait: dan was there all the time and is first (R42).
    let service = world.service();
    let queue = service.queue(&service.customers()[0], None).unwrap();
    assert_eq!(queue.iter().map(|row| row.person.as_str()).collect::<Vec<_>>(), ["dan", "ana"]);
    world.end("ben");
    world.end("cid");
    world.night();
    assert_eq!(claim(&world, "ana"), Some((id, ClaimState::Active)));
    world.verify();
}

#[test]
fn in_every_seat_model_and_with_a_prerequisite() {
    let mut world = World::new("north")
        .school("ash")
        .product("access", ProductKind::Access, SeatModel::Named)
        .product("library", ProductKind::Content, SeatModel::Role)
        .role_rule("teacher", "access")
        .role_rule("teacher", "library")
        .pool("access", "d", Some(5), OnFull::Wait)
        .pool("library", "d", Some(5), OnFull::Wait)
        .person("ana", "teacher", "ash")
        .person("ben", "teacher", "ash");
    world.night();
    let claims = |world: &World| world.service().store().claims_of(&world.policy.customer, "ana").unwrap().1;
    let ids = |world: &World| claims(world).iter().map(|claim| (claim.id, claim.state)).collect::<Vec<_>>();
    let before = ids(&world);
    assert_eq!(before.len(), 2);
    world.end("ana");
    world.night();
    assert_eq!(ids(&world), []);
    world.people.get_mut("ana").unwrap().ended = false;
    world.night();
    assert_eq!(ids(&world), before);
    world.verify();
}

#[test]
fn a_purge_happens_by_date_and_makes_a_new_person() {
    let mut world = world(2).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    let (id, _) = claim(&world, "ana").unwrap();
    world.end("ana");
    world.night();
    assert!(is_named(&world, "ana"), "the tombstone's name is kept for her return");
    // Ended on 3 March, purged on 2 April: not a day before, and without any new package.
    world.set_day(day("2026-04-01"));
    assert_eq!(world.quiet_night().version, None);
    assert!(is_named(&world, "ana"));
    let run = world.quiet_night();
    assert!(run.version.is_some());
    assert!(!is_named(&world, "ana"));
    assert_eq!(state(&world, "ana"), None);
    // The source still tells of her end, night after night: nobody is kept for that.
    world.hire("cid", "student", "ash");
    world.night();
    assert!(!is_named(&world, "ana"));
    assert_eq!(world.quiet_night().version, None, "and nothing is left to do");
    world.people.get_mut("ana").unwrap().ended = false;
    let run = world.night();
    let (new, active) = claim(&world, "ana").unwrap();
    assert!(new > id && active == ClaimState::Active);
    assert_eq!(because(&world, &run, "ana"), [Because::Entitled]);
    world.verify();
}

#[test]
fn zero_days_purge_at_once_and_none_never() {
    let mut world = world(2).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.policy.purge_after_days = Some(0);
    world.night();
    let (id, _) = claim(&world, "ana").unwrap();
    world.end("ana");
    world.night();
    assert_eq!((claim(&world, "ana"), world.used("learn")), (None, 1));
    assert!(!is_named(&world, "ana"));
    assert_eq!(state(&world, "ana"), None);
    world.people.get_mut("ana").unwrap().ended = false;
    world.night();
    assert!(claim(&world, "ana").unwrap().0 > id);
    world.verify();

    world.policy.purge_after_days = None;
    world.end("ana");
    world.night();
    world.set_day(day("2046-01-01"));
    world.quiet_night();
    assert_eq!(state(&world, "ana"), Some(PersonState::Removed { until: None }));
    assert!(is_named(&world, "ana"));
    world.verify();
}

#[test]
fn old_snapshots_go_with_the_purge() {
    let mut world = world(2).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    remove(&mut world, "ana");
    assert!(is_named(&world, "ana"), "snapshots of the newest runs are kept");
    world.set_day(day("2026-04-03"));
    world.quiet_night();
    assert!(!is_named(&world, "ana"));
    world.verify();
}

#[test]
fn somebody_removed_twice_at_one_instant_comes_back_to_the_same_claim() {
    let mut world = world(2).school("birch").person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    let before = claim(&world, "ana");
    for org in ["birch", "ash"] {
        world.end("ana");
        world.write_package();
        assert!(succeeded(&world.run()));
        assert_eq!(claim(&world, "ana"), None);
        let ana = world.people.get_mut("ana").unwrap();
        (ana.ended, ana.roles) = (false, vec![("teacher".into(), org.into())]);
        world.write_package();
        assert!(succeeded(&world.run()), "the packages of a day may all come at once");
        assert_eq!(claim(&world, "ana"), before);
    }
    world.verify();
}

/// Math is taught to Ana alone.
fn with_a_class() -> World {
    let mut world = world(2).class("c", "ash", "math").person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.enroll("ana", "c", None, None);
    world
}

#[test]
fn r114_the_only_enrollment_goes_with_whoever_had_it() {
    let mut world = with_a_class();
    world.night();
    world.end("ana");
    assert!(succeeded(&world.night()), "the enrollment is still told");
    // Ana has a tombstone, and her enrollment is a record all the same: a collection that had some has none now.
    world.vanish("ana");
    let run = world.night();
    assert_eq!((run.state, run.message.contains("empty")), (RunState::Held, true), "{}", run.message);
    assert!(run.message.contains("nothing of the new snapshot was taken in"), "{}", run.message);
    world.verify();
}

#[test]
fn r114_the_enrollment_of_somebody_who_never_was_there_is_not_missed() {
    let mut world = with_a_class();
    world.end("ana");
    world.night();
    // Nobody whom the books know ever had an enrollment, and no snapshot names Ana (R130).
    assert!(!is_named(&world, "ana"));
    world.vanish("ana");
    assert!(succeeded(&world.night()));
    world.verify();
}

/// A package of changes: one row of a user.
pub fn change_package(world: &World, name: &str, key: &str, status: &str) {
    let dir = world.dir.path().join("drop").join(name);
    fs::create_dir_all(&dir).expect("a folder");
    let manifest = manifest("delta", |file| ["users", "roles"].contains(&file));
    let at = "2026-03-01T00:00:00.000Z";
    fs::write(dir.join("manifest.csv"), manifest).expect("a file");
    let users = "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns\n";
    fs::write(dir.join("users.csv"), format!("{users}{key},{status},{at},true,{key},,{key},Test,,,,,,,,,,,,,,\n"))
        .expect("a file");
    let roles =
        "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\n";
    fs::write(dir.join("roles.csv"), format!("{roles}r-{key}-0,{status},{at},{key},primary,teacher,,,ash,\n")).expect("a file");
}

#[test]
fn files_of_changes_build_on_a_roster_without_the_purged() {
    let mut world = world(5).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    let (id, _) = claim(&world, "ana").unwrap();
    change_package(&world, "90001", "ana", "tobedeleted");
    world.quiet_night();
    assert_eq!(claim(&world, "ana"), None);
    assert!(is_named(&world, "ana"), "a stored roster keeps who ended");
    world.set_day(day("2026-04-10"));
    world.quiet_night();
    assert!(!is_named(&world, "ana"));
    change_package(&world, "90002", "cid", "active");
    world.quiet_night();
    assert!(!is_named(&world, "ana"));
    assert_eq!(world.seated("learn"), ["ben", "cid"]);
    change_package(&world, "90003", "ana", "active");
    world.quiet_night();
    assert!(claim(&world, "ana").unwrap().0 > id);
    world.verify();
}

#[test]
fn forgetting_is_refused_while_it_would_not_last() {
    let mut world = world(2).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    assert_eq!(forget(&world, "ana"), ForgetAnswer::StillDelivered("sis".into()));
    world.vanish("ana");
    world.night();
    assert_eq!(forget(&world, "ana"), ForgetAnswer::NotRemovedYet);
    world.hire("other", "student", "ash");
    world.night();
    assert!(is_named(&world, "ana"));
    assert!(matches!(forget(&world, "ana"), ForgetAnswer::Forgotten(_)));
    assert!(!is_named(&world, "ana"));
    assert_eq!(state(&world, "ana"), None);
    let service = world.service();
    let nobody = service.forget(&service.customers()[0], &Actor::operator("test"), &PersonKey::from("nobody"), "asked to");
    assert!(nobody.unwrap_err().to_string().contains("find person nobody"));
    world.verify();
}

#[test]
fn the_forgotten_stay_an_id_in_the_trail_and_come_back_as_new() {
    let mut world = world(2).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.people.get_mut("ana").unwrap().email = "ana@example.org".into();
    world.night();
    let (id, _) = claim(&world, "ana").unwrap();
    world.end("ana");
    world.night();
    assert!(matches!(forget(&world, "ana"), ForgetAnswer::Forgotten(_)));
    assert!(!is_named(&world, "ana"));
    assert_eq!(world.service().store().released(&world.policy.customer, Some("ana")).unwrap()[0].claim.id, id);
    // A package that still tells of the end brings nothing back.
    world.hire("cid", "teacher", "ash");
    world.night();
    assert!(!is_named(&world, "ana"));
    world.verify();
    world.people.get_mut("ana").unwrap().ended = false;
    world.night();
    assert!(claim(&world, "ana").unwrap().0 > id);
    // Asked again, the answer says what is in the way now.
    assert_eq!(forget(&world, "ana"), ForgetAnswer::StillDelivered("sis".into()));
    world.verify();
}

/// A plan that was made before somebody was forgotten would bring the name back: it is out of date.
#[test]
fn a_plan_from_before_a_forgetting_is_stale() {
    let mut world = world(2).person("ana", "teacher", "ash").person("ben", "teacher", "ash");
    world.night();
    world.end("ana");
    world.night();
    let by = Trigger::SameDay(rosterd::store::Asked::by(Actor::operator("test")));
    world.set_day(day("2026-05-01"));
    let planned = world.service().plan_sync(&world.service().customers()[0], &by, &|_| ()).expect("a plan").run;
    assert_eq!(planned.state, RunState::Planned);
    assert!(is_named(&world, "ana"), "a plan purges nobody");
    assert!(matches!(forget(&world, "ana"), ForgetAnswer::Forgotten(_)));
    let late = world.service().apply_plan(planned.run, &Actor::operator("test")).expect_err("the books moved");
    assert!(late.to_string().contains("plan again"), "{late}");
    assert!(!is_named(&world, "ana"));
    world.verify();
    // Applied in time, a plan purges.
    world.hire("cid", "teacher", "ash");
    world.end("ben");
    world.night();
    world.set_day(day("2026-07-01"));
    let planned = world.service().plan_sync(&world.service().customers()[0], &by, &|_| ()).expect("a plan").run;
    assert!(is_named(&world, "ben"));
    world.service().apply_plan(planned.run, &Actor::operator("test")).expect("applied");
    assert!(!is_named(&world, "ben"));
    world.verify();
}
