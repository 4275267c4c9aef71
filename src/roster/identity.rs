//! The same person under a new key? (R4, R5, R7)

use std::cmp::Ordering;

use crate::base::Text;
use crate::roster::model::{Person, PersonIx, Roster};

/// New people whose e-mail belongs to somebody who is absent: (before: the known one, after: the new one), by the new
/// one's key. `added` and `absent` are those of the delta: somebody who ended explicitly is not absent and has freed
/// the e-mail. Nor is it a conflict when both names differ: then a leaver's e-mail went to somebody else (R7). A name
/// that one side does not tell differs from nothing.
pub fn conflicts(before: &Roster, after: &Roster, added: &[PersonIx], absent: &[PersonIx]) -> Vec<(PersonIx, PersonIx)> {
    if added.is_empty() || absent.is_empty() {
        return Vec::new();
    }
    let email = |person: PersonIx| before.text(before.person(person).email);
    let mut known: Vec<PersonIx> = absent.iter().copied().filter(|&person| !email(person).is_empty()).collect();
    known.sort_unstable_by(|&a, &b| compare(email(a), email(b)).then(a.cmp(&b)));
    let mut found = Vec::new();
    for &new in added {
        let person = after.person(new);
        let address = after.text(person.email);
        if address.is_empty() || before.find_person(after.text(person.key)).is_some() {
            continue;
        }
        let first = known.partition_point(|&old| compare(email(old), address) == Ordering::Less);
        let same = known[first..].iter().take_while(|&&old| compare(email(old), address) == Ordering::Equal);
        let old = same.copied().find(|&old| !somebody_else(before, before.person(old), after, person));
        found.extend(old.map(|old| (old, new)));
    }
    found
}

fn somebody_else(before: &Roster, old: &Person, after: &Roster, new: &Person) -> bool {
    let differ = |a: Text, b: Text| {
        let (a, b) = (before.text(a).trim(), after.text(b).trim());
        !a.is_empty() && !b.is_empty() && !a.eq_ignore_ascii_case(b)
    };
    differ(old.given, new.given) && differ(old.family, new.family)
}

fn compare(a: &str, b: &str) -> Ordering {
    a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
}
