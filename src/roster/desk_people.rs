//! Rows of people.

use crate::base::Text;
use crate::roster::book::Flaw;
use crate::roster::desk::Desk;
use crate::roster::desk_orgs::{conclude, only_ends};
use crate::roster::model::{Attribute, OrgIx, Person, RoleWord};
use crate::roster::rows::{Collection, PersonRow, RowStatus};
use crate::roster::table::{Arrival, Choice, modified_of};

impl Desk {
    /// Takes a person.
    pub(crate) fn person(&mut self, row: &PersonRow<'_>) {
        let (what, head) = (Collection::People, &row.head);
        self.enter(what);
        let slot = match self.people.admit(&mut self.scribe, &mut self.book, what, head) {
            Arrival::Take(slot) => slot,
            Arrival::Double(slot, first) => {
                let flaw = Flaw::double(self.book.at(first));
                if self.policy.lenient && self.merge_orgs(slot, row) {
                    self.book.warn(head.at, head.id, flaw);
                } else {
                    self.book.reject(what, head.at, head.id, flaw);
                    self.concern(slot);
                }
                return;
            }
            Arrival::Outdated | Arrival::Ignored => return,
        };
        if only_ends(self.people.mode, head) {
            self.people.end(slot, head, self.book.place(head.at));
            return;
        }
        let record = self.person_record(slot, row);
        if !conclude(&mut self.people, &mut self.book, what, slot, head, record) {
            self.concern(slot);
        }
    }

    fn person_record(&mut self, slot: u32, row: &PersonRow<'_>) -> Result<Person, Flaw> {
        let primary_org = row.primary_org.filter(|id| !id.is_empty());
        let primary_org = primary_org.map(|id| self.org_named("primaryOrg", id)).transpose()?;
        let roles = self.inline_roles(&[], row)?;
        let first = self.attributes.len();
        for &(name, value) in row.attributes {
            let name = self.names.word(&mut self.scribe, name)?;
            let value = self.scribe.intern(value)?;
            if !self.attributes[first..].iter().any(|known| known.name == name && known.value == value) {
                self.attributes.push(Attribute { name, value });
            }
        }
        let attributes = (first as u32, (self.attributes.len() - first) as u32);
        let Self { scribe, .. } = self;
        Ok(Person {
            key: self.people.id(slot),
            given: scribe.write(row.given)?,
            family: scribe.write(row.family)?,
            email: scribe.write(row.email)?,
            username: scribe.write(row.username)?,
            identifier: scribe.write(row.identifier)?,
            grades: scribe.intern(row.grades)?,
            primary_org,
            enabled: row.enabled,
            ended: row.head.status == RowStatus::Ended,
            quarantined: false,
            modified: modified_of(&row.head),
            roles,
            enrollments: (0, 0),
            attributes,
        })
    }

    /// Notes the roles told in a person's row, together with `more`, each once; returns their slice.
    fn inline_roles(&mut self, more: &[(RoleWord, OrgIx)], row: &PersonRow<'_>) -> Result<(u32, u32), Flaw> {
        let first = self.inline.len();
        self.inline.extend_from_slice(more);
        for role in row.roles {
            let told = (RoleWord(self.words.word(&mut self.scribe, role.role)?), self.org_named("orgs", role.org)?);
            if !self.inline[first..].contains(&told) {
                self.inline.push(told);
            }
        }
        Ok((first as u32, (self.inline.len() - first) as u32))
    }

    /// Some systems write one row per org of a person. Where all else is equal, the rows are one (oneroster-csv §10).
    fn merge_orgs(&mut self, slot: u32, row: &PersonRow<'_>) -> bool {
        let Choice::Row(at) = self.people.choice(slot) else { return false };
        let known = self.people.rows[at as usize].clone();
        let same = |text: Text, cell: &str| self.scribe.get(text) == cell;
        let attributes = &self.attributes[range(known.attributes)];
        let told = &self.inline[range(known.roles)];
        let words = |word: RoleWord| self.scribe.get(self.words.texts()[usize::from(word.0)]);
        let equal = known.enabled == row.enabled
            && known.ended == (row.head.status == RowStatus::Ended)
            && known.modified == modified_of(&row.head)
            && same(known.given, row.given)
            && same(known.family, row.family)
            && same(known.email, row.email)
            && same(known.username, row.username)
            && same(known.identifier, row.identifier)
            && same(known.grades, row.grades)
            && known.primary_org.is_some() == row.primary_org.is_some_and(|id| !id.is_empty())
            && row.attributes.iter().all(|&(name, value)| {
                attributes.iter().any(|a| same(a.value, value) && same(self.names.texts()[usize::from(a.name)], name))
            })
            && attributes.iter().all(|a| {
                row.attributes
                    .iter()
                    .any(|&(name, value)| same(a.value, value) && same(self.names.texts()[usize::from(a.name)], name))
            })
            && told.iter().all(|&(word, _)| row.roles.iter().any(|role| role.role == words(word)))
            && row.roles.iter().all(|role| told.iter().any(|&(word, _)| role.role == words(word)));
        if !equal {
            return false;
        }
        let told = told.to_vec();
        let primary = match row.primary_org.filter(|id| !id.is_empty()).map(|id| self.org_named("primaryOrg", id)) {
            None => None,
            Some(Ok(org)) => Some(org),
            Some(Err(_)) => return false,
        };
        let Ok(roles) = self.inline_roles(&told, row) else { return false };
        // Of two primary orgs the one with the smaller id, so that the order of the rows does not matter.
        let smaller = [known.primary_org, primary].into_iter().flatten().min_by_key(|org| self.owned(self.orgs.id(org.0)));
        let person = &mut self.people.rows[at as usize];
        person.roles = roles;
        person.primary_org = smaller;
        true
    }
}

/// A slice told as first position and length.
pub(crate) fn range((first, len): (u32, u32)) -> std::ops::Range<usize> {
    first as usize..first as usize + len as usize
}
