//! A roster without certain people: nothing of them stays behind, not even their texts.

use crate::base::ArenaFull;
use crate::roster::merge::merge;
use crate::roster::model::{Person, Roster};

/// The roster without the people that `goes` picks; `None` if it picks nobody. It is as canonical as the roster was, so
/// that the same people always give the same bytes (I5).
///
/// # Errors
/// As [`merge`].
pub fn without_people(roster: &Roster, mut goes: impl FnMut(&Person) -> bool) -> Result<Option<Roster>, ArenaFull> {
    if !roster.people.iter().any(&mut goes) {
        return Ok(None);
    }
    let mut rest = roster.clone();
    rest.people.retain(|person| !goes(person));
    // Written anew, text by text: what only they had said is not copied.
    merge(&[&rest]).map(Some)
}

#[cfg(test)]
mod tests {
    use crate::roster::forget::without_people;
    use crate::roster::name::digest_of;
    use crate::roster::pack::pack;
    use crate::roster::testing::{clean, district};

    #[test]
    fn nothing_of_them_stays_behind() {
        let all = clean(district().full(None));
        let ben = |roster: &crate::roster::model::Roster| {
            let mut bytes = Vec::new();
            pack(roster, &mut |chunk| bytes.extend_from_slice(chunk));
            ["Given ben", "Family ben", "ben@example.org"].map(|text| bytes.windows(text.len()).any(|w| w == text.as_bytes()))
        };
        assert_eq!(ben(&all), [true; 3]);
        let rest = without_people(&all, |person| all.text(person.key) == "ben").expect("it fits").expect("ben was in it");
        assert_eq!(ben(&rest), [false; 3]);
        assert!(!format!("{:?}", rest.texts).contains("ben"), "nor in the texts behind the handles");
        assert!(without_people(&rest, |person| rest.text(person.key) == "ben").expect("it fits").is_none());
    }

    #[test]
    fn it_is_the_roster_a_read_without_them_gives() {
        let all = clean(district().full(None));
        let rest = without_people(&all, |person| all.text(person.key) == "cid").expect("it fits").expect("cid was in it");
        let mut world = district();
        world.people.retain(|p| p.head.id != "cid");
        world.roles.retain(|r| r.person != "cid");
        world.enrollments.retain(|e| e.person != "cid");
        assert_eq!(digest_of(&rest), digest_of(&clean(world.full(None))));
    }
}
