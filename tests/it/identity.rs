//! One person told by an HR system and by a school's files is one person (R4 to R8).

use std::sync::Arc;

use rosterd::base::Actor;
use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::roster::{MatchBy, Scope};
use rosterd::service::Customer;
use rosterd::source::HrSource;
use rosterd::store::{Asked, RunRow, RunState, Trigger};

use crate::fake_hr::{Kind, Office};
use crate::net_hr::roster;
use crate::world::{World, succeeded};

/// A district whose files tell teachers and students, and an HR system that tells who is employed: two schools' teachers are in
/// both. Everybody in the files gets `learn`, everybody employed gets `staff`, and whoever is in either gets `access`.
fn district(office: &Office, by: &'static [MatchBy], hr_first: bool) -> World {
    let mut world = World::new("north")
        .school("s1")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .product("staff", ProductKind::Module, SeatModel::Role)
        .product("access", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .role_rule("ext:employee", "staff")
        .role_rule("teacher", "access")
        .role_rule("ext:employee", "access")
        .pool("learn", "d", Some(40), OnFull::Wait)
        .pool("staff", "d", Some(40), OnFull::Wait)
        .pool("access", "d", Some(40), OnFull::Wait);
    world.policy.absence_confirmations = 1;
    // The tree of the HR system hangs under the district.
    let (network, pages, mut settings) = (office.network(), office.pages.clone(), office.settings());
    settings.mapping.orgs.root = "d".into();
    world.adjust = Box::new(move |customer: &mut Customer| {
        let source = Arc::new(HrSource::new(settings.clone(), &network, pages.clone()));
        let intake = rosterd::roster::IntakePolicy::default();
        let feed = rosterd::service::Feed { source, intake, watched: false, activity_column: None };
        customer.sources.insert(if hr_first { 0 } else { 1 }, feed);
        customer.same_person = by.to_vec();
    });
    world
}

/// A teacher in the files, told by e-mail as well.
fn teach(world: &mut World, key: &str, email: &str) {
    world.hire(key, "teacher", "s1");
    world.people.get_mut(key).expect("hired").email = email.into();
}

fn conflicts(world: &World, run: &RunRow) -> Vec<String> {
    let findings = world.service().store().findings(run.run, 0, 50).expect("findings");
    let found = findings.iter().filter(|found| found.rule == "identity_conflict");
    found.map(|found| format!("{} {}: {}", found.source, found.record, found.detail)).collect()
}

const EMAIL: &[MatchBy] = &[MatchBy::Email];

#[test]
fn a_teacher_who_is_employed_takes_one_seat() {
    for hr_first in [false, true] {
        let office = Office::start(Kind::Report);
        let mut world = district(&office, EMAIL, hr_first);
        teach(&mut world, "t1", "ana@north.example");
        teach(&mut world, "t2", "ben@north.example");
        office.put("h1", |one| one.email = "ANA@north.example".into());
        office.put("h9", |one| one.email = "clerk@north.example".into());
        let run = world.night();
        assert_eq!((run.state, conflicts(&world, &run)), (RunState::Succeeded, vec![]), "{}", run.message);
        // The first source of the settings gives the key where both are new.
        let ana = if hr_first { "h1" } else { "t1" };
        let mut all = vec![ana.to_owned(), "h9".into(), "t2".into()];
        all.sort();
        assert_eq!(world.seated("access"), all);
        assert_eq!(
            (world.used("learn"), world.used("staff"), world.used("access")),
            (2, 2, 3),
            "one seat a person and pool (R8)"
        );
        // Nothing new is nothing new.
        let run = world.quiet_night();
        assert!(succeeded(&run) && run.version.is_none(), "{}", run.message);
        // The e-mail changes in both, one after the other: the same person, the same claims (R4).
        office.put("h1", |one| one.email = "ana.new@north.example".into());
        assert!(succeeded(&world.quiet_night()));
        teach(&mut world, "t1", "ana.new@north.example");
        assert!(succeeded(&world.night()));
        assert_eq!(world.seated("access"), all);
        world.verify();
    }
}

#[test]
fn a_person_is_absent_only_when_absent_from_all() {
    let office = Office::start(Kind::Report);
    let mut world = district(&office, EMAIL, false);
    teach(&mut world, "t1", "ana@north.example");
    teach(&mut world, "t2", "ben@north.example");
    teach(&mut world, "t3", "cid@north.example");
    for (id, email) in [("h1", "ana@north.example"), ("h2", "ben@north.example"), ("h9", "clerk@north.example")] {
        office.put(id, |one| one.email = email.into());
    }
    assert!(succeeded(&world.night()));
    let all = ["h9", "t1", "t2", "t3"].map(str::to_owned);
    assert_eq!(world.seated("access"), all);
    // Gone from the files, still employed: no teacher any more, and the same person, under the same key.
    world.vanish("t1");
    assert!(succeeded(&world.night()));
    assert_eq!((world.seated("access"), world.seated("learn")), (all.to_vec(), vec!["t2".to_owned(), "t3".to_owned()]));
    // Left the company by status, still in the files.
    office.put("h2", |one| one.active = false);
    assert!(succeeded(&world.quiet_night()));
    assert_eq!((world.seated("access"), world.seated("staff")), (all.to_vec(), vec!["h9".to_owned(), "t1".to_owned()]));
    // Back in the files under another e-mail, while HR knows the old one: the link stays, and nobody comes twice.
    teach(&mut world, "t1", "other@north.example");
    assert!(succeeded(&world.night()));
    assert_eq!(world.seated("access"), all);
    // Gone from both.
    world.vanish("t1");
    world.write_package();
    office.remove("h1");
    assert!(succeeded(&world.run()));
    world.next_day();
    assert_eq!(world.seated("access"), ["h9", "t2", "t3"].map(str::to_owned));
    world.verify();
}

#[test]
fn who_is_known_by_one_source_keeps_the_key_when_the_other_comes() {
    let office = Office::start(Kind::Report);
    let mut world = district(&office, EMAIL, false);
    teach(&mut world, "t2", "ben@north.example");
    office.put("h1", |one| one.email = "ana@north.example".into());
    assert!(succeeded(&world.night()));
    let claim = world.state("h1", "access");
    // A year later she teaches: the files call her t1, the books go on calling her h1 (R5).
    teach(&mut world, "t1", "ana@north.example");
    let run = world.night();
    assert_eq!((run.state, conflicts(&world, &run)), (RunState::Succeeded, vec![]), "{}", run.message);
    assert_eq!(world.seated("access"), ["h1", "t2"]);
    assert_eq!((world.seated("learn"), world.state("h1", "access")), (vec!["h1".to_owned(), "t2".to_owned()], claim));
    // A row of hers that cannot be read finds what is stored of her under her own key.
    world.people.get_mut("t1").expect("there").broken = true;
    assert!(succeeded(&world.night()));
    assert_eq!(world.seated("learn"), ["h1", "t2"]);
    assert_eq!(roster(&world).people.iter().filter(|person| person.quarantined).count(), 1);
    world.verify();
}

#[test]
fn conflicts_are_listed_and_make_and_change_nobody() {
    let office = Office::start(Kind::Report);
    let mut world = district(&office, &[MatchBy::Identifier, MatchBy::Email], false);
    teach(&mut world, "t1", "shared@north.example");
    teach(&mut world, "t2", "shared@north.example");
    teach(&mut world, "t3", "cid@north.example");
    teach(&mut world, "x7", "eve@north.example");
    office.put("h1", |one| one.email = "shared@north.example".into());
    office.put("h3", |one| one.email = "cid@north.example".into());
    office.put("h4", |one| one.email = "cid@north.example".into());
    office.put("x7", |one| one.email = "somebody@north.example".into());
    office.put("h9", |one| one.email = "clerk@north.example".into());
    for night in 0..3 {
        let run = if night == 0 { world.night() } else { world.quiet_night() };
        assert_eq!(run.state, RunState::SucceededWithErrors, "{}", run.message);
        assert_eq!(
            conflicts(&world, &run),
            [
                "hris h1: several people of other sources match: t1, t2",
                "hris h3: several people of this source match one person: t3",
                "hris h4: several people of this source match one person: t3",
                "hris x7: another source has somebody of this key, and nothing says that it is the same person: x7",
            ],
            "night {night}"
        );
        assert_eq!(world.seated("access"), ["h9", "t1", "t2", "t3", "x7"].map(str::to_owned), "night {night}");
        assert_eq!(world.seated("staff"), ["h9"], "night {night}");
    }
    // Corrected at the source, they are taken in.
    office.put("h1", |one| one.email = "dan@north.example".into());
    office.remove("h4");
    office.remove("x7");
    let run = world.quiet_night();
    assert_eq!((run.state, conflicts(&world, &run)), (RunState::Succeeded, vec![]), "{}", run.message);
    assert_eq!(world.seated("staff"), ["h1", "h9", "t3"].map(str::to_owned));
    world.verify();
}

#[test]
fn without_a_setting_equal_keys_are_one_person_as_ever() {
    let office = Office::start(Kind::Report);
    let mut world = district(&office, &[], false);
    teach(&mut world, "0017", "ana@north.example");
    office.put("0017", |one| one.email = "ana@work.example".into());
    office.put("h9", |_| ());
    let run = world.night();
    assert_eq!((run.state, conflicts(&world, &run)), (RunState::Succeeded, vec![]));
    assert_eq!(world.seated("access"), ["0017", "h9"]);
    let roster = roster(&world);
    let ana = roster.person(roster.find_person("0017").expect("there"));
    assert_eq!((roster.text(ana.email), roster.text(ana.identifier)), ("ana@north.example", ""), "the first source's word");
    assert_eq!(roster.roles_of(ana).len(), 2);
    world.verify();
}

#[test]
fn a_run_for_one_person_knows_who_it_is() {
    let office = Office::start(Kind::Report);
    let mut world = district(&office, EMAIL, false);
    teach(&mut world, "t1", "ana@north.example");
    office.put("h1", |one| one.email = "ana@north.example".into());
    office.put("h9", |_| ());
    assert!(succeeded(&world.night()));
    office.put("h1", |one| one.active = false);
    office.put("h5", |one| one.email = "eve@north.example".into());
    let asked = Asked { scope: Some(Scope::Person("t1".into())), ..Asked::by(Actor::operator("ann")) };
    let service = world.service();
    let run = service.sync(&service.customers()[0], &Trigger::SameDay(asked), &|_| ()).expect("a run");
    assert!(succeeded(&run), "{}", run.message);
    assert_eq!(
        (world.seated("staff"), world.seated("access")),
        (vec!["h9".to_owned()], vec!["h9".to_owned(), "t1".to_owned()])
    );
    world.verify();
}
