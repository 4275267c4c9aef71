//! One change of many people made by hand (R164). It becomes the file that somebody would have edited for it, and goes the
//! way of every such file: a preview with its plan and its guards, a confirmation, a run that can be undone.

use std::collections::BTreeSet;

use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::import_rows::Ground;
use crate::service::people_file::{PersonCells, write};

/// Whom it is about: everybody who fits all that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkWhom {
    /// These people; empty: all.
    pub people: BTreeSet<String>,
    /// Who has this role.
    pub role: Option<String>,
    /// Whose home lies in this org or below it.
    pub org: Option<String>,
}

/// What becomes of them, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkChange {
    /// Roles they lose: role and org; without an org, everywhere.
    pub remove_roles: Vec<(String, Option<String>)>,
    /// Roles they get: role and org.
    pub add_roles: Vec<(String, String)>,
    /// They move from one org to another, with their roles there (R39).
    pub transfer: Option<(String, String)>,
    /// They are archived, or back: an archived person has no access, the seat goes by the seat model, and records stay
    /// (R127).
    pub archive: Option<bool>,
}

/// A change of many as a file of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkFile {
    /// The file, as [`Service::preview_import`] takes it. Holds names and e-mails.
    pub file: Vec<u8>,
    /// People in it.
    pub people: u64,
    /// People whom another source delivers: what is so of them is told there.
    pub of_sources: Vec<String>,
}

impl Service {
    /// The rows of everybody made by hand whom a change is about, changed.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] for a person or an org that is not there; when the roster cannot be read.
    pub fn bulk_file(&self, customer: &Customer, whom: &BulkWhom, change: &BulkChange) -> Result<BulkFile, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let rosters = self.rosters(customer, &standing)?;
        let unknown = |person: &String| ServiceError::Unknown { what: "person", id: person.clone(), hint: None };
        if rosters.is_empty() {
            return match whom.people.first() {
                Some(person) => Err(unknown(person)),
                None => Ok(BulkFile { file: write(std::iter::empty()), people: 0, of_sources: Vec::new() }),
            };
        }
        let ground = Ground::new(customer, rosters, whom.org.as_deref())?;
        if let Some(person) = whom.people.iter().find(|person| !ground.knows(person)) {
            return Err(unknown(person));
        }
        let fits = |person: &PersonCells| {
            (whom.people.is_empty() || whom.people.contains(&person.key))
                && whom.role.as_ref().is_none_or(|role| person.roles.iter().any(|(_, held)| held == role))
        };
        let (mine, others): (Vec<PersonCells>, Vec<PersonCells>) =
            ground.people().filter(fits).partition(|person| ground.is_by_hand(person));
        let people = mine.len() as u64;
        let file = write(mine.into_iter().map(|person| change.of(person)));
        Ok(BulkFile { file, people, of_sources: others.into_iter().map(|person| person.key).collect() })
    }
}

impl BulkChange {
    /// A person after the change.
    fn of(&self, mut person: PersonCells) -> PersonCells {
        let Self { remove_roles, add_roles, transfer, archive } = self;
        let lost = |(org, role): &(String, String)| {
            remove_roles.iter().any(|(word, place)| word == role && place.as_ref().is_none_or(|place| place == org))
        };
        person.roles.retain(|held| !lost(held));
        person.roles.extend(add_roles.iter().map(|(role, org)| (org.clone(), role.clone())));
        if let Some((from, to)) = transfer {
            let places = person.roles.iter_mut().map(|(org, _)| org).chain([&mut person.primary_org]);
            places.filter(|org| *org == from).for_each(|org| org.clone_from(to));
        }
        person.roles.sort_unstable();
        person.roles.dedup();
        if let Some(archive) = archive {
            person.enabled = !archive;
        }
        person
    }
}

#[cfg(test)]
mod tests {
    use crate::service::bulk::BulkChange;
    use crate::service::people_file::PersonCells;

    fn person(roles: &[(&str, &str)]) -> PersonCells {
        PersonCells {
            key: "p".into(),
            given: String::new(),
            family: String::new(),
            email: String::new(),
            username: String::new(),
            identifier: String::new(),
            enabled: true,
            grades: String::new(),
            primary_org: "ash".into(),
            roles: roles.iter().map(|(org, role)| ((*org).to_owned(), (*role).to_owned())).collect(),
            ended: false,
            source: "manual".into(),
        }
    }

    #[test]
    fn r164_roles_come_and_go_and_people_move() {
        let change = BulkChange {
            remove_roles: vec![("aide".into(), None), ("teacher".into(), Some("birch".into()))],
            add_roles: vec![("teacher".into(), "ash".into())],
            transfer: Some(("ash".into(), "cedar".into())),
            archive: Some(true),
        };
        let before = person(&[("ash", "aide"), ("birch", "aide"), ("birch", "teacher"), ("cedar", "teacher")]);
        let after = change.of(before.clone());
        assert_eq!(after, PersonCells { primary_org: "cedar".into(), enabled: false, ..person(&[("cedar", "teacher")]) });
        assert_eq!(BulkChange::default().of(before.clone()), before);
        assert!(BulkChange { archive: Some(false), ..BulkChange::default() }.of(after).enabled);
    }
}
