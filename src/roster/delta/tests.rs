use crate::roster::delta::{OrgDelta, diff};
use crate::roster::identity::conflicts;
use crate::roster::merge::merge;
use crate::roster::model::{OrgIx, PersonIx, Roster};
use crate::roster::name::digest_of;
use crate::roster::rows::Collection;
use crate::roster::testing::{World, classes, clean, district, person, quarantined, roles};
use crate::roster::tree::OrgTree;

fn keys(roster: &Roster, people: impl IntoIterator<Item = PersonIx>) -> Vec<&str> {
    people.into_iter().map(|at| roster.text(roster.person(at).key)).collect()
}

#[test]
fn stamps_ids_and_handles_are_no_change() {
    let before = clean(district().full(None));
    let mut world = district();
    // New records shift all handles; new stamps and record ids mean nothing.
    world.org("a0", "school", None).class("a1", "a0", None, "").person("a2", None);
    world.role("a3", "a2", "aaa", "a0", false);
    world.people.iter_mut().for_each(|p| p.head.modified = Some(9_000_000));
    world.enrollments.iter_mut().for_each(|e| e.head.id.push('x'));
    let after = clean(world.full(None));
    let delta = diff(&before, &after);
    assert_eq!(keys(&after, delta.added.iter().copied()), ["a2"]);
    assert_eq!((delta.changed.len(), delta.ended.len(), delta.absent.len()), (0, 0, 0));
    assert_eq!((delta.base, delta.now), (3, 4));
    assert!(diff(&after, &after).is_empty());
}

#[test]
fn every_part_of_a_person_counts() {
    let before = clean(district().full(None));
    let changes: [fn(&mut World); 7] = [
        |w| w.people[0].given = "New".into(),
        |w| w.people[0].email = "new@example.org".into(),
        |w| w.people[0].attributes[0].1 = "south".into(),
        |w| w.people[0].primary_org = None,
        |w| w.roles[0].role = "aide".into(),
        |w| w.enrollments[0].class = "c2".into(),
        |w| w.enrollments[0].last = crate::base::Day(20_001),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut world = district();
        change(&mut world);
        let after = clean(world.full(None));
        let delta = diff(&before, &after);
        assert_eq!(keys(&before, delta.changed.iter().map(|c| c.0)), ["ana"], "change {at}");
        assert!(!delta.is_empty());
    }
}

#[test]
fn ends_absences_and_returns() {
    let before = clean(district().full(None));
    let mut world = district();
    world.people[0].head.ended = true;
    world.people.retain(|p| p.head.id != "cid");
    world.roles.retain(|r| r.person != "cid");
    world.enrollments.retain(|e| e.person != "cid");
    let after = clean(world.full(None));
    let delta = diff(&before, &after);
    assert_eq!(keys(&before, delta.ended.iter().map(|e| e.0)), ["ana"]);
    assert_eq!(keys(&before, delta.absent.iter().copied()), ["cid"]);
    let s = |org: &str, base, removed: &[u32]| OrgDelta {
        org: org.into(),
        base,
        removed_people: removed.iter().copied().map(PersonIx).collect(),
    };
    assert_eq!(delta.orgs, [s("s1", 2, &[0]), s("s2", 1, &[2])]);
    assert_eq!(delta.collections[Collection::People as usize], (3, 1));
    assert_eq!(delta.collections[Collection::Enrollments as usize], (4, 3));
    let back = diff(&after, &before);
    assert_eq!(keys(&before, back.added.iter().copied()), ["ana", "cid"]);
    assert_eq!(back.base, 1);
}

#[test]
fn home_is_the_primary_org_or_the_smallest_path() {
    let mut world = district();
    // Paths: `d/s1`, `d/s2`, `a`: the id `z` lies under `a`, whose path comes first.
    world.org("a", "district", None).org("z", "school", Some("a"));
    world.people.iter_mut().for_each(|p| p.primary_org = None);
    world.role("r9", "ana", "aide", "z", false);
    let before = clean(world.full(None));
    let delta = diff(&before, &Roster::default());
    let bases: Vec<_> = delta.orgs.iter().map(|o| (o.org.as_str(), o.base)).collect();
    assert_eq!(bases, [("s1", 1), ("s2", 1), ("z", 1)]);
    assert_eq!(delta.absent.len(), 3);
}

#[test]
fn a_new_key_with_a_known_email_is_a_conflict_unless_it_is_somebody_else() {
    let before = clean(district().full(None));
    let renewed = |given: &str, family: &str, email: &str, keep_old: Option<bool>| {
        let mut world = district();
        if let Some(ended) = keep_old {
            world.people[0].head.ended = ended;
        } else {
            world.people.remove(0);
            world.roles.retain(|r| r.person != "ana");
            world.enrollments.retain(|e| e.person != "ana");
        }
        world.person("ana-2", None);
        let new = world.people.last_mut().expect("row");
        (new.given, new.family, new.email) = (given.into(), family.into(), email.into());
        let after = clean(world.full(None));
        let delta = diff(&before, &after);
        assert_eq!(delta.conflicts, conflicts(&before, &after, &delta.added, &delta.absent));
        delta.conflicts.len()
    };
    assert_eq!(renewed("Given ana", "Family ana", "ANA@example.org", None), 1);
    assert_eq!(renewed("Given ana", "Married", "ana@example.org", None), 1, "one name the same");
    assert_eq!(renewed("", "", "ana@example.org", None), 1, "no names told");
    assert_eq!(renewed("Other", "Person", "ana@example.org", None), 0, "a freed address (R7)");
    assert_eq!(renewed("Given ana", "Family ana", "", None), 0);
    assert_eq!(renewed("Given ana", "Family ana", "ana@example.org", Some(true)), 0, "explicitly ended");
    assert_eq!(renewed("Given ana", "Family ana", "ana@example.org", Some(false)), 0, "still there");
}

#[test]
fn the_tree_knows_who_is_within_whom() {
    let mut world = World::default();
    world.org("b", "district", None).org("b-x", "district", None).org("a", "school", Some("b"));
    world.org("z", "school", Some("b")).org("q", "school", Some("a"));
    world.orgs[3].head.ended = true;
    let roster = clean(world.full(None));
    let tree = OrgTree::new(&roster);
    let org = |id: &str| roster.find_org(id).expect("org");
    let ids = |orgs: &mut dyn Iterator<Item = OrgIx>| orgs.map(|o| roster.text(roster.org(o).id)).collect::<Vec<_>>();
    assert_eq!(ids(&mut tree.roots().iter().copied()), ["b", "b-x"]);
    assert_eq!(ids(&mut tree.children(org("b")).iter().copied()), ["a", "z"]);
    assert_eq!(ids(&mut tree.ancestors(org("q"))), ["a", "b"]);
    assert_eq!(ids(&mut tree.subtree(org("b")).iter().copied()), ["b", "a", "q", "z"]);
    assert_eq!(tree.path(org("q")), "b/a/q");
    assert_eq!((tree.depth(org("b")), tree.depth(org("q"))), (0, 2));
    assert!(tree.is_within(org("q"), org("b")) && tree.is_within(org("b"), org("b")));
    assert!(!tree.is_within(org("b"), org("q")) && !tree.is_within(org("b-x"), org("b")));
    // In byte order `b-x` comes before `b/a`, though its tree comes after.
    let mut by_rank: Vec<OrgIx> = (0..5).map(OrgIx).collect();
    by_rank.sort_by_key(|&o| tree.path_rank(o));
    assert_eq!(by_rank.iter().map(|&o| tree.path(o)).collect::<Vec<_>>(), ["b", "b-x", "b/a", "b/a/q", "b/z"]);
}

#[test]
fn sources_are_united_and_the_first_counts_most() {
    let mut first = district();
    first.people[0].head.ended = true;
    first.people[1].head.ended = true;
    first.people[2].given = "First".into();
    let mut second = district();
    second.people.remove(1);
    second.roles.retain(|r| r.person != "ben");
    second.enrollments.retain(|e| e.person != "ben");
    second.org("s9", "school", None).person("dee", Some("s9")).role("r9", "dee", "aide", "s9", true);
    second.role("r8", "cid", "aide", "s9", false).enroll("e9", "cid", "c1");
    let (first, mut second) = (clean(first.full(None)), clean(second.full(None)));
    second.people[1].quarantined = true;
    let both = merge(&[&first, &second]).expect("fits");
    assert!(!person(&both, "ana").ended, "active in one is active");
    assert!(person(&both, "ben").ended, "ended in all that have it");
    assert_eq!(both.text(person(&both, "cid").given), "First");
    assert_eq!(quarantined(&both), ["cid"]);
    assert_eq!(roles(&both, "cid"), [("student", "s2"), ("aide", "s9")]);
    assert_eq!(classes(&both, "cid"), ["c1", "c2"]);
    assert_eq!(classes(&both, "ana"), ["c1", "c2"], "the same enrollment from both is one");
    assert_eq!(roles(&both, "dee"), [("aide", "s9")]);
    let alone = merge(&[&first]).expect("fits");
    assert_eq!(digest_of(&alone), digest_of(&first));
}
