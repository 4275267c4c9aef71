//! What is left of an older roster once it was compared: the people whose comparison came to something.

use crate::base::{ArenaFull, PersonKey};
use crate::roster::canon::rewrite;
use crate::roster::delta::RosterDelta;
use crate::roster::model::{Class, ClassIx, PersonIx, Roster};
use crate::roster::patch::gather;
use crate::roster::spans::tidy;

/// Leaves of the older roster of a comparison only the people that the comparison names, and those in `others`, with all
/// that is theirs; the comparison's positions are moved along. Of a large roster that changed little hardly anything is
/// left.
///
/// # Errors
/// [`ArenaFull`]; it cannot happen, as the texts are fewer.
pub fn thin(before: Roster, delta: &mut RosterDelta, others: &[&PersonKey]) -> Result<Roster, ArenaFull> {
    let RosterDelta { base: _, now: _, added: _, changed, ended, absent, conflicts, orgs, collections: _ } = delta;
    let named = || {
        let pairs = changed.iter().chain(ended.iter()).chain(conflicts.iter()).map(|(before, _)| *before);
        pairs.chain(absent.iter().copied()).chain(orgs.iter().flat_map(|org| org.removed_people.iter().copied()))
    };
    let mut kept: Vec<PersonIx> = named().chain(others.iter().filter_map(|key| before.find_person(key.as_str()))).collect();
    kept.sort_unstable();
    kept.dedup();
    // Every position was just collected.
    let to = |at: &mut PersonIx| *at = PersonIx(kept.binary_search(at).unwrap_or_default() as u32);
    changed.iter_mut().chain(ended.iter_mut()).chain(conflicts.iter_mut()).for_each(|(before, _)| to(before));
    absent.iter_mut().chain(orgs.iter_mut().flat_map(|org| &mut org.removed_people)).for_each(to);

    some(&before, &kept)
}

/// Of a roster some people (positions, sorted, each once) with all that is theirs and the classes they attend, and all orgs,
/// sessions, courses and words.
///
/// # Errors
/// [`ArenaFull`]; it cannot happen, as the texts are fewer.
pub(crate) fn some(roster: &Roster, kept: &[PersonIx]) -> Result<Roster, ArenaFull> {
    let Roster { texts, role_words, attribute_names, orgs, sessions, courses, classes, people, spans, .. } = roster;
    let mut some = Roster {
        role_words: role_words.clone(),
        attribute_names: attribute_names.clone(),
        orgs: orgs.clone(),
        sessions: sessions.clone(),
        courses: courses.clone(),
        people: kept.iter().map(|&at| people[at.0 as usize].clone()).collect(),
        spans: spans.clone(),
        ..Roster::default()
    };
    gather(&mut some, roster);
    keep_classes(&mut some, classes);
    tidy(&mut some);
    rewrite(&mut some, texts)?;
    Ok(some)
}

/// Gives a roster of some people, whose classes are positions in a longer list, those that they attend.
fn keep_classes(some: &mut Roster, classes: &[Class]) {
    let own = some.enrollments.here(&mut some.spans);
    let mut is_kept = vec![false; classes.len()];
    own.iter().for_each(|enrollment| is_kept[enrollment.class.0 as usize] = true);
    let kept: Vec<usize> = (0..classes.len()).filter(|&at| is_kept[at]).collect();
    let mut to = vec![0; classes.len()];
    (0u32..).zip(&kept).for_each(|(new, &at)| to[at] = new);
    own.iter_mut().for_each(|enrollment| enrollment.class = ClassIx(to[enrollment.class.0 as usize]));
    some.classes = kept.iter().map(|&at| classes[at].clone()).collect();
}

#[cfg(test)]
mod tests {
    use crate::base::PersonKey;
    use crate::roster::delta::diff;
    use crate::roster::model::{Person, Roster};
    use crate::roster::testing::{clean, district};
    use crate::roster::thin::thin;

    #[test]
    fn what_a_comparison_names_is_left() {
        let before = clean(district().full(None));
        let mut world = district();
        world.people.retain(|p| p.head.id != "cid");
        world.roles.retain(|r| r.person != "cid");
        world.enrollments.retain(|e| e.person != "cid");
        let after = clean(world.full(None));
        let delta = diff(&before, &after);
        assert!(before.people.len() > 2);
        for others in [vec![], vec![PersonKey::from("ana"), PersonKey::from("nobody")]] {
            let mut moved = delta.clone();
            let rest = thin(before.clone(), &mut moved, &others.iter().collect::<Vec<_>>()).expect("it fits");
            let keys: Vec<&str> = rest.people.iter().map(|person| rest.text(person.key)).collect();
            assert_eq!(keys, if others.is_empty() { vec!["cid"] } else { vec!["ana", "cid"] });
            let cid = rest.person(moved.absent[0]);
            let was = before.person(delta.absent[0]);
            assert_eq!((rest.text(cid.key), rest.text(cid.email)), ("cid", before.text(was.email)));
            let classes = |roster: &Roster, of: &Person| {
                roster.enrollments_of(of).map(|e| roster.text(roster.class(e.class).id).to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(classes(&rest, cid), classes(&before, was));
            assert_eq!(rest.roles_of(cid), before.roles_of(was));
            let gone = moved.orgs.iter().flat_map(|org| &org.removed_people);
            assert!(gone.into_iter().all(|&at| rest.text(rest.person(at).key) == "cid"));
        }
    }
}
