//! What a package says (R4, R5, R7, R104, R105).

use std::collections::BTreeMap;

use crate::sim::auditor::books::{Auditor, Known};
use crate::sim::auditor::importing::is_by_hand;
use crate::sim::facts::{Bad, Form, Package};

/// People by key, after a package was read.
pub type People = BTreeMap<String, Known>;

/// A package that was read.
pub struct Read {
    pub people: People,
    /// Known people whose e-mail came with a new key, and that key (R5).
    pub conflicts: Vec<(String, String)>,
    /// It tells of all people there are: whoever is not in it is absent (R131).
    pub complete: bool,
}

/// More than 5 % (R105).
fn too_many(bad: u32, rows: u32) -> bool {
    bad * 100 > rows * 5
}

impl Auditor {
    /// Reads a package; `None`: it cannot be used, and nothing of it is applied (R103, R105). `trusted`: somebody looked
    /// at it and approved it, so that new keys are new people.
    pub fn read(&self, package: &Package, trusted: bool) -> Option<Read> {
        match package.form {
            Form::Torn | Form::HeaderOnly => return None,
            // The first package must be complete.
            Form::OrgsOnly if self.mark.is_none() => return None,
            Form::OrgsOnly => {
                let sure = |(key, known): (&String, &Known)| (key.clone(), Known { unsure: false, ..known.clone() });
                return Some(Read { people: self.told().iter().map(sure).collect(), conflicts: Vec::new(), complete: false });
            }
            Form::Whole => {}
        }
        let mut people = People::new();
        let (mut own, mut own_bad, mut roles, mut roles_bad, mut classes, mut classes_bad) = (0, 0, 0, 0, 0, 0);
        for (key, told) in &package.people {
            let stored = self.known.get(key);
            own += u32::from(told.bad != Bad::Lost);
            own_bad += u32::from(told.bad == Bad::Own);
            // Rows of somebody nobody knows lead nowhere.
            let found = match told.bad {
                Bad::Lost => false,
                Bad::Own => stored.is_some(),
                Bad::Nothing | Bad::Role(_) | Bad::Class(_) => true,
            };
            let bad_role = |row: u32| !found || told.bad == Bad::Role(row);
            let bad_class = |row: u32, ended: bool| (!found && !ended) || told.bad == Bad::Class(row);
            roles += told.roles.len() as u32;
            classes += told.classes.len() as u32;
            let mut known = match (told.bad, stored) {
                (Bad::Own | Bad::Lost, Some(stored)) => {
                    Known { roles: BTreeMap::new(), classes: BTreeMap::new(), ..stored.clone() }
                }
                (Bad::Own | Bad::Lost, None) => {
                    roles_bad += told.roles.len() as u32;
                    classes_bad += told.classes.values().filter(|e| !e.ended).count() as u32;
                    continue;
                }
                _ => Known { roles: BTreeMap::new(), classes: BTreeMap::new(), ..Known::of(told) },
            };
            // A row that is not written cannot be bad.
            known.unsure = match told.bad {
                Bad::Nothing => false,
                Bad::Role(row) => told.roles.contains_key(&row),
                Bad::Class(row) => told.classes.contains_key(&row),
                Bad::Own | Bad::Lost => true,
            };
            for (row, role) in &told.roles {
                let bad = bad_role(*row);
                roles_bad += u32::from(bad);
                let kept = if bad { stored.and_then(|s| s.roles.get(row)) } else { Some(role) };
                known.roles.extend(kept.map(|role| (*row, role.clone())));
            }
            for (row, class) in &told.classes {
                let bad = bad_class(*row, class.ended);
                classes_bad += u32::from(bad);
                let kept = if bad { stored.and_then(|s| s.classes.get(row)) } else { Some(class) };
                known.classes.extend(kept.map(|class| (*row, class.clone())));
            }
            people.insert(key.clone(), known);
        }
        if too_many(own_bad, own) || too_many(roles_bad, roles) || too_many(classes_bad, classes) {
            return None;
        }
        // Whoever ended and is unknown to the books is nobody: deleted for good, or never here (R130).
        people
            .retain(|key, known| !known.ended || known.unsure || self.active(key).is_some() || self.missing.contains_key(key));
        let mut conflicts = Vec::new();
        if !trusted {
            conflicts = self.conflicts(&people);
            for (known, new) in &conflicts {
                people.remove(new);
                people.insert(known.clone(), Known { unsure: true, ..self.known[known].clone() });
            }
        }
        Some(Read { people, conflicts, complete: true })
    }

    /// New keys with the e-mail of somebody who is absent and has not ended. Where both names differ, a leaver's e-mail
    /// went to somebody else (R7).
    fn conflicts(&self, people: &People) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (new, told) in people.iter().filter(|(key, told)| !told.ended && !self.known.contains_key(*key)) {
            let absent = |(key, known): &(&String, &Known)| !known.ended && !is_by_hand(key) && !people.contains_key(*key);
            let mut absent = self.known.iter().filter(absent);
            let same = |known: &Known| {
                !told.email.is_empty()
                    && known.email.eq_ignore_ascii_case(&told.email)
                    && (known.given == told.given || known.family == told.family)
            };
            found.extend(absent.find(|(_, known)| same(known)).map(|(key, _)| (key.clone(), new.clone())));
        }
        found
    }
}
