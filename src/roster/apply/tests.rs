use proptest::prelude::*;

use crate::roster::apply::{apply, apply_one};
use crate::roster::model::Roster;
use crate::roster::name::digest_of;
use crate::roster::pack::pack;
use crate::roster::patch::{Origins, patch};
use crate::roster::testing::{change, clean, district, read, town};
use crate::roster::unpack::unpack;
use crate::roster::unpack_one::unpack_one;
use crate::roster::wire::PackError;

fn packed(roster: &Roster) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(roster, &mut |chunk| bytes.extend_from_slice(chunk));
    bytes
}

fn copy(roster: &Roster) -> Roster {
    let mut bytes = Some(packed(roster));
    unpack(|| bytes.take()).expect("a packed roster")
}

fn applied(base: &Roster, bytes: &[u8], cut: usize) -> Result<(Roster, Origins), PackError> {
    let mut chunks: Vec<Vec<u8>> = bytes.chunks(cut.max(1)).map(<[u8]>::to_vec).rev().collect();
    apply(copy(base), move || chunks.pop())
}

proptest! {
    #[test]
    fn nights_on_one_base_come_back_as_they_were(
        nights in prop::collection::vec(prop::collection::vec((0..15u8, 0..80usize), 0..5), 1..4),
        cut in 1..200usize,
    ) {
        let mut world = town();
        let base = clean(world.full(None));
        let (mut before, mut origins) = (copy(&base), Origins::of_whole(&base));
        for changes in nights {
            changes.into_iter().for_each(|(kind, at)| change(&mut world, kind, at));
            let after = read(&world);
            let Some(chunks) = patch(&before, &origins, &after) else {
                // Too much is new by now.
                break;
            };
            let bytes = chunks.concat();
            let (again, from) = applied(&base, &bytes, cut).expect("it fits its base");
            prop_assert_eq!(digest_of(&again), digest_of(&after));
            prop_assert_eq!(packed(&again), packed(&after));
            (before, origins) = (again, from);
        }
    }

    #[test]
    fn damaged_patches_are_refused_or_harmless(at in 0..1000usize, bit in 0..8u8, keep in 0..1000usize) {
        let base = clean(town().full(None));
        let mut world = town();
        [0, 1, 2, 3, 4, 7, 8].into_iter().zip([3, 9, 70, 5, 6, 7, 8]).for_each(|(kind, at)| change(&mut world, kind, at));
        let bytes = patch(&base, &Origins::of_whole(&base), &read(&world)).expect("little is new").concat();
        let cut = keep % bytes.len();
        prop_assert!(applied(&base, &bytes[..cut], 64).is_err());
        let mut damaged = bytes.clone();
        damaged[at % bytes.len()] ^= 1 << bit;
        if let Ok((roster, _)) = applied(&base, &damaged, 64) {
            // Whatever it is now, it keeps the model's invariants.
            prop_assert_eq!(packed(&copy(&roster)), packed(&roster));
        }
    }
}

#[test]
fn little_is_written_where_little_changed_and_nothing_where_too_much_did() {
    let base = clean(town().full(None));
    let origins = Origins::of_whole(&base);
    let same = patch(&base, &origins, &base).expect("nothing is new").concat();
    assert!(same.len() < packed(&base).len() / 20, "{} of {}", same.len(), packed(&base).len());
    let mut world = town();
    world.people.iter_mut().take(30).for_each(|p| p.given.push('x'));
    assert_eq!(patch(&base, &origins, &clean(world.full(None))), None);
    assert_eq!(applied(&base, &packed(&base), 64).expect_err("no patch"), PackError::Layout(crate::roster::pack::LAYOUT));
    let other = clean(district().full(None));
    assert!(applied(&other, &same, 64).is_err());
}

/// Everything that a roster tells of a person, in words.
fn told(roster: &Roster, key: &str) -> Option<String> {
    let person = roster.person(roster.find_person(key)?);
    let text = |text| roster.text(text);
    let mut told = [person.key, person.given, person.family, person.email, person.username, person.identifier, person.grades]
        .map(text)
        .join("|");
    told += &format!("{:?}", (person.enabled, person.ended, person.quarantined, person.modified));
    told += person.primary_org.map_or("", |org| text(roster.org(org).id));
    for role in roster.roles_of(person) {
        let days = (role.first, role.last, role.primary, role.ended, role.id, role.modified);
        told += &format!("; {} {} {days:?}", roster.role_word(role.role), text(roster.org(role.org).id));
    }
    for link in roster.enrollments_of(person) {
        let class = roster.class(link.class);
        let days = (link.first, link.last, link.primary, link.ended, link.id, link.modified);
        told += &format!("; {} {} {days:?}", roster.role_word(link.role), text(class.id));
    }
    for own in roster.attributes_of(person) {
        told += &format!("; {}={}", text(roster.attribute_names[usize::from(own.name)]), text(own.value));
    }
    Some(told)
}

proptest! {
    /// One person is read as all of them are: from a whole roster, and through a patch.
    #[test]
    fn one_person_is_what_the_whole_says(
        changes in proptest::collection::vec((0u8..11, 0usize..80), 0..6), cut in 1usize..300,
    ) {
        let mut world = town();
        let base = clean(world.full(None));
        changes.iter().for_each(|&(kind, at)| change(&mut world, kind, at));
        let after = read(&world);
        let chunks = || packed(&base).chunks(cut).map(<[u8]>::to_vec).collect::<Vec<_>>().into_iter();
        let news = patch(&base, &Origins::of_whole(&base), &after);
        let keys = base.people.iter().map(|p| base.text(p.key)).chain(after.people.iter().map(|p| after.text(p.key)));
        for key in keys.chain(["", "nobody"]) {
            let mut whole = chunks();
            let one = unpack_one(move || whole.next(), key).expect("a packed roster");
            prop_assert_eq!(told(&one.roster, key), told(&base, key), "{}", key);
            prop_assert!(one.roster.people.len() < 2);
            prop_assert_eq!(one.roster.orgs.len(), base.orgs.len());
            if let Some(news) = &news {
                let mut news = news.clone().into_iter();
                let one = apply_one(one, move || news.next(), key).expect("a patch");
                prop_assert_eq!(told(&one, key), told(&after, key), "{} patched", key);
                prop_assert_eq!(one.classes.len(), after.classes.len());
            }
        }
    }

    #[test]
    fn one_person_out_of_damaged_bytes_is_an_answer_or_an_error(at in 0usize..10_000, bit in 0u8..8) {
        let mut bytes = packed(&clean(town().full(None)));
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let mut bytes = Some(bytes);
        let _ = unpack_one(|| bytes.take(), "p7");
    }
}
