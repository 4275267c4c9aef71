//! What is left of a roster once everybody was asked what they ought to have: who is there, and where.

use std::mem::take;

use crate::base::{ArenaFull, Text, TextArena};
use crate::roster::canon::rewrite;
use crate::roster::model::{ClassIx, Person, PersonIx, Roster};
use crate::roster::pack::TOUCHED;
use crate::roster::patch::gather;
use crate::roster::spans::tidy;

/// Leaves of a roster all orgs, of everybody the key and whether they ended or are quarantined, and of the people of
/// `whole` (sorted, each once) all that is theirs. Positions of people and orgs stay.
///
/// # Errors
/// [`ArenaFull`]; it cannot happen, as the texts are fewer.
pub fn lean(mut roster: Roster, whole: &[PersonIx]) -> Result<Roster, ArenaFull> {
    let whole_people = whole.iter().map(|&at| roster.person(at).clone()).collect();
    let mut picked = Roster { people: whole_people, spans: take(&mut roster.spans), ..Roster::default() };
    gather(&mut picked, &roster);
    let Roster { texts, role_words, attribute_names, orgs, sessions, courses, classes, mut people, .. } = roster;
    drop((roster.roles, roster.enrollments, roster.attributes));
    people.iter_mut().for_each(|person| *person = bare(person));
    for (at, person) in whole.iter().zip(picked.people) {
        people[at.0 as usize] = person;
    }
    let Roster { roles, spans, enrollments, attributes, .. } = picked;
    let mut rest = Roster {
        role_words,
        attribute_names,
        orgs,
        sessions,
        courses,
        classes,
        people,
        roles,
        spans,
        enrollments,
        attributes,
        ..Roster::default()
    };
    drop_classes(&mut rest);
    tidy(&mut rest);
    let mut people = take(&mut rest.people);
    rewrite(&mut rest, &texts)?;
    rewrite_people(&mut people, whole, (&texts, &mut rest.texts))?;
    rest.people = people;
    Ok(rest)
}

/// Moves the texts of people, most of whom have but a key, from one arena to another.
fn rewrite_people(
    people: &mut [Person],
    whole: &[PersonIx],
    (from, to): (&TextArena, &mut TextArena),
) -> Result<(), ArenaFull> {
    let mut write = |text: &mut Text| to.push(from.get(*text)).map(|moved| *text = moved);
    for some in people.chunks_mut(TOUCHED) {
        from.touch(some.iter().map(|person| person.key));
        some.iter_mut().try_for_each(|person| write(&mut person.key))?;
    }
    for at in whole {
        let Person { given, family, email, username, identifier, grades, .. } = &mut people[at.0 as usize];
        [given, family, email, username, identifier, grades].into_iter().try_for_each(&mut write)?;
    }
    Ok(())
}

/// Leaves out the classes in which nobody is enrolled: of a few people out of many there are few.
fn drop_classes(roster: &mut Roster) {
    let own = roster.enrollments.here(&mut roster.spans);
    let mut used = vec![false; roster.classes.len()];
    own.iter().for_each(|enrollment| used[enrollment.class.0 as usize] = true);
    let (mut to, mut next) = (Vec::with_capacity(used.len()), 0);
    for &used in &used {
        to.push(next);
        next += u32::from(used);
    }
    own.iter_mut().for_each(|enrollment| enrollment.class = ClassIx(to[enrollment.class.0 as usize]));
    let mut used = used.into_iter();
    roster.classes.retain(|_| used.next().unwrap_or_default());
    roster.classes.shrink_to_fit();
}

/// Somebody of whom nothing is known but that they are there.
fn bare(person: &Person) -> Person {
    let none = Text::EMPTY;
    Person {
        given: none,
        family: none,
        email: none,
        username: none,
        identifier: none,
        grades: none,
        primary_org: None,
        roles: (0, 0),
        enrollments: (0, 0),
        attributes: (0, 0),
        ..*person
    }
}

#[cfg(test)]
mod tests {
    use crate::roster::lean::lean;
    use crate::roster::model::PersonIx;
    use crate::roster::testing::{clean, district};
    use crate::roster::unpack::check;

    #[test]
    fn who_is_there_stays_and_of_some_everything() {
        let mut world = district();
        world.people[1].head.ended = true;
        let all = clean(world.full(None));
        for (whole, classes) in [(vec![], 0), (vec![PersonIx(2)], 1), (vec![PersonIx(0), PersonIx(1), PersonIx(2)], 2)] {
            let rest = lean(all.clone(), &whole).expect("it fits");
            check(&rest).expect("it is as canonical as it was");
            assert_eq!((rest.orgs.len(), rest.classes.len()), (all.orgs.len(), classes));
            for (at, (was, is)) in (0u32..).zip(all.people.iter().zip(&rest.people)) {
                assert_eq!(rest.text(is.key), all.text(was.key));
                assert_eq!((is.ended, is.quarantined), (was.ended, was.quarantined));
                let (class, other) = (|e| rest.text(rest.class(e).id), |e| all.text(all.class(e).id));
                if whole.contains(&PersonIx(at)) {
                    assert_eq!(rest.text(is.email), all.text(was.email));
                    assert!(
                        rest.enrollments_of(is).map(|e| class(e.class)).eq(all.enrollments_of(was).map(|e| other(e.class)))
                    );
                    assert!(rest.roles_of(is).iter().map(|r| r.id).eq(all.roles_of(was).iter().map(|r| r.id)));
                } else {
                    assert_eq!((rest.text(is.email), rest.enrollments_of(is).len(), rest.roles_of(is).len()), ("", 0, 0));
                }
            }
        }
    }
}
