//! Taking a kept attribute out of a roster: what changes every day is no fact of the roster, and no guard is to trip over
//! it.

use crate::base::ArenaFull;
use crate::roster::merge::merge;
use crate::roster::model::Roster;

/// Hands each person's value of an attribute to `each`, and returns the roster as if it had never been kept, byte for
/// byte; `None` if nobody has it.
///
/// # Errors
/// As [`merge`].
pub fn take_attribute(roster: &Roster, name: &str, mut each: impl FnMut(&str, &str)) -> Result<Option<Roster>, ArenaFull> {
    let Some(taken) = roster.attribute_names.iter().position(|&known| roster.text(known) == name) else { return Ok(None) };
    let mut rest = roster.clone();
    rest.attributes.clear();
    for (at, person) in roster.people.iter().enumerate() {
        let first = rest.attributes.len() as u32;
        for attribute in roster.attributes_of(person) {
            if usize::from(attribute.name) == taken {
                each(roster.text(person.key), roster.text(attribute.value));
                continue;
            }
            let mut kept = *attribute;
            kept.name -= u16::from(usize::from(kept.name) > taken);
            rest.attributes.push(kept);
        }
        rest.people[at].attributes = (first, rest.attributes.len() as u32 - first);
    }
    rest.attribute_names.remove(taken);
    // Written anew, text by text: the values are not copied.
    merge(&[&rest]).map(Some)
}

#[cfg(test)]
mod tests {
    use crate::roster::attribute::take_attribute;
    use crate::roster::name::digest_of;
    use crate::roster::testing::{clean, district};

    #[test]
    fn it_is_the_roster_a_read_without_the_column_gives() {
        let plain = district();
        let mut with = district();
        for (at, person) in with.people.iter_mut().enumerate() {
            person.attributes.insert(0, ("metadata.lastLogin".into(), format!("2026-03-0{}", at % 9 + 1)));
        }
        let roster = clean(with.full(None));
        let mut told = Vec::new();
        let rest = take_attribute(&roster, "metadata.lastLogin", |person, value| told.push(format!("{person} {value}")));
        let rest = rest.expect("it fits").expect("somebody has it");
        assert_eq!(digest_of(&rest), digest_of(&clean(plain.full(None))));
        assert_eq!(told.len(), roster.people.len());
        assert!(told.is_sorted(), "by person: {told:?}");
        assert!(!format!("{:?}", rest.texts).contains("2026-03-0"), "nor in the texts behind the handles");
        assert!(take_attribute(&rest, "metadata.lastLogin", |_, _| ()).expect("it fits").is_none());
    }
}
