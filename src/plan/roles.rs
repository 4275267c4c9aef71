//! Whose roles a new snapshot changed, for the trail (R158): role and org, no more of a person than the key.

use crate::base::{OrgId, PersonKey};
use crate::license::RolesChange;
use crate::plan::input::PlanInput;
use crate::roster::{Person, Roster};

/// The changes of known people, in the order of their keys. Whoever is new has no roles before, and whoever leaves loses
/// them: the claims and absences of the commit tell of both.
pub(crate) fn roles_changed(input: &PlanInput<'_>) -> Vec<RolesChange> {
    if input.fresh.is_empty() && input.amended.is_empty() {
        return Vec::new();
    }
    let mut changes: Vec<RolesChange> = Vec::new();
    for &(before, after) in &input.delta.changed {
        let (old, new) = (input.before.person(before), input.roster.person(after));
        let (had, has) = (roles(input.before, old), roles(input.roster, new));
        if had != has {
            changes.push(RolesChange { person: PersonKey::from(input.roster.text(new.key)), before: had, after: has });
        }
    }
    changes.sort_unstable_by(|a, b| a.person.cmp(&b.person));
    changes
}

/// Role and org, each pair once, sorted.
fn roles(roster: &Roster, person: &Person) -> Vec<(String, OrgId)> {
    let role = |role: &crate::roster::Role| {
        (roster.role_word(role.role).to_owned(), OrgId::from(roster.text(roster.org(role.org).id)))
    };
    let mut roles: Vec<(String, OrgId)> = roster.roles_of(person).iter().map(role).collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}
