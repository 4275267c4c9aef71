use crate::base::PersonKey;
use crate::roster::delta::diff;
use crate::roster::model::Roster;
use crate::roster::name::digest_of;
use crate::roster::pack::pack;
use crate::roster::scope::{Scope, take_people};
use crate::roster::testing::{World, classes, clean, district, person, roles};

fn keys(keys: &[&str]) -> Vec<PersonKey> {
    keys.iter().map(|&key| PersonKey::from(key)).collect()
}

fn ids(roster: &Roster) -> Vec<&str> {
    roster.people.iter().map(|person| roster.text(person.key)).collect()
}

/// A later read: everybody moved in some way, a school and a class are new, s1 has another parent and c2 ended.
fn later() -> World {
    let mut world = district();
    world.org("s3", "school", Some("d")).org("s4", "school", Some("d"));
    world.orgs.iter_mut().find(|org| org.head.id == "s1").unwrap().parent = Some("s2".into());
    world.classes.iter_mut().find(|class| class.head.id == "c2").unwrap().head.ended = true;
    world.enrollments.retain(|enrollment| enrollment.class != "c2");
    world.session("t2", "term", Some("y")).course("art", "s4", None).class("c3", "s3", Some("art"), "t2");
    world.people.iter_mut().for_each(|person| person.given = format!("Later {}", person.head.id));
    world.role("r4", "ben", "aide", "s4", false);
    world.person("dee", Some("s3")).role("r5", "dee", "student", "s3", true).enroll("e5", "dee", "c3");
    world
}

#[test]
fn the_people_in_scope_are_as_read_and_all_else_is_as_it_was() {
    let (before, after) = (clean(district().full(None)), clean(later().full(None)));
    let taken = take_people(&before, &after, &keys(&["cid", "dee"])).unwrap();
    assert_eq!(ids(&taken), ["ana", "ben", "cid", "dee"]);
    let delta = diff(&before, &taken);
    let name = |at| taken.text(taken.person(at).key);
    assert_eq!(delta.added.iter().map(|&at| name(at)).collect::<Vec<_>>(), ["dee"]);
    assert_eq!(delta.changed.iter().map(|&(_, at)| name(at)).collect::<Vec<_>>(), ["cid"]);
    assert_eq!((roles(&taken, "dee"), classes(&taken, "dee")), (vec![("student", "s3")], vec!["c3"]));
    assert_eq!(taken.text(person(&taken, "cid").given), "Later cid");
    // What dee needs came along: school, class, course, term. What nobody in scope needs did not, s4 but for the course.
    let new = |id: &str| taken.find_org(id).is_some_and(|org| !taken.org(org).ended);
    assert_eq!(["s3", "s4"].map(new), [true, true]);
    assert_eq!((taken.courses.len(), taken.sessions.len(), taken.classes.len()), (2, 3, 3));
    // What was known stays word for word.
    let s1 = taken.org(taken.find_org("s1").unwrap());
    assert_eq!(s1.parent.map(|at| taken.text(taken.org(at).id)), Some("d"));
    assert!(!taken.class(taken.find_class("c2").unwrap()).ended);
    let ben = take_people(&before, &after, &keys(&["ben"])).unwrap();
    assert!(ben.find_org("s3").is_none() && ben.find_class("c3").is_none() && ben.find_org("s4").is_some());
}

#[test]
fn what_ended_before_does_not_come_back_to_life_by_itself() {
    let mut world = district();
    world.orgs.iter_mut().find(|org| org.head.id == "s2").unwrap().head.ended = true;
    world.people.retain(|person| person.head.id != "cid");
    world.roles.retain(|role| role.person != "cid");
    world.classes.retain(|class| class.head.id != "c2");
    world.enrollments.retain(|enrollment| enrollment.class != "c2");
    let (before, after) = (world.full(None).roster, clean(district().full(None)));
    assert!(before.org(before.find_org("s2").unwrap()).ended);
    let taken = take_people(&before, &after, &keys(&["cid"])).unwrap();
    assert!(taken.org(taken.find_org("s2").unwrap()).ended);
    assert_eq!(roles(&taken, "cid"), [("student", "s2")]);
}

#[test]
fn who_is_not_read_any_more_leaves_no_trace() {
    let before = clean(district().full(None));
    let mut world = district();
    world.people.retain(|person| person.head.id != "ben");
    world.roles.retain(|role| role.person != "ben");
    world.enrollments.retain(|enrollment| enrollment.person != "ben");
    let after = clean(world.full(None));
    let taken = take_people(&before, &after, &keys(&["ben"])).unwrap();
    // Nothing else is different here: it is the read itself, byte for byte.
    assert_eq!(digest_of(&taken), digest_of(&after));
    let mut bytes = Vec::new();
    pack(&taken, &mut |chunk| bytes.extend_from_slice(chunk));
    assert!(!bytes.windows(3).any(|window| window == b"ben"));
    let all = take_people(&before, &after, &keys(&["ana", "ben", "cid"])).unwrap();
    assert_eq!(digest_of(&all), digest_of(&after));
    let nobody = take_people(&before, &after, &[]).unwrap();
    assert_eq!(digest_of(&nobody), digest_of(&before));
}

#[test]
fn an_org_has_the_people_who_were_or_are_in_it_or_below() {
    let (before, after) = (clean(district().full(None)), clean(later().full(None)));
    let org = |id: &str| Scope::Org(id.into()).people(&before, &after);
    let rows: [(&str, &[&str]); 6] = [
        ("d", &["ana", "ben", "cid", "dee"]),
        ("s1", &["ana", "ben"]),
        // Later s1 lies below s2.
        ("s2", &["ana", "ben", "cid"]),
        ("s3", &["dee"]),
        ("s4", &["ben"]),
        ("s5", &[]),
    ];
    for (id, people) in rows {
        assert_eq!(org(id), keys(people), "{id}");
        assert_eq!(Scope::Org(id.into()).is_in(&before), ["d", "s1", "s2"].contains(&id), "{id}");
    }
    let person = |key: &str| Scope::Person(key.into()).people(&before, &after);
    assert_eq!([person("dee"), person("eve")], [keys(&["dee"]), keys(&[])]);
    let s2 = Scope::Org("s2".into());
    assert_eq!(
        [(&before, "s1"), (&after, "s1"), (&after, "s2"), (&after, "d")].map(|(r, o)| s2.has_org(r, o)),
        [false, true, true, false]
    );
}
