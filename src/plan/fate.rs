//! Who is missing, and what that means: kept until confirmed, held by a guard, or removed (R115, R130, R131).

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Day, Instant, OrgId, PersonKey};
use crate::license::{Absence, Because};
use crate::plan::action::AbsenceChange;
use crate::plan::input::{PlanInput, Policy};
use crate::roster::PersonIx;

/// What happens to the claims of somebody who is not an active person of the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They stay.
    Keep(Because),
    /// They are released, in every seat model (R130).
    Remove(Because),
}

/// The fates of all who are missing or ended, and what to write down of them.
#[derive(Debug, Default)]
pub struct Fates {
    /// By person key.
    pub by_person: BTreeMap<String, Fate>,
    /// Changes to write down, by person key.
    pub changes: Vec<AbsenceChange>,
}

/// Works out the fates.
pub fn fates(input: &PlanInput<'_>) -> Fates {
    let mut fates = Fates::default();
    for absence in &input.standing.absences {
        let key = absence.person.as_str();
        if input.roster.active(key).is_some() {
            fates.changes.push(AbsenceChange::Returned(absence.person.clone()));
            continue;
        }
        if absence.removed {
            fates.purge_if_due(input, absence);
            continue;
        }
        let complete = |source| !input.partial.contains(source);
        let seen_again = input.fresh.iter().any(|mark| mark.source == absence.source && complete(&mark.source));
        let ended = absence.ended || is_ended(input, key);
        let next = Absence { count: absence.count + u32::from(seen_again), ended, ..absence.clone() };
        fates.decide(input, Some(absence), next);
    }
    let read = || input.fresh.iter().chain(input.amended).next().map(|mark| mark.source.clone());
    let orgs: BTreeMap<PersonIx, &str> =
        input.delta.orgs.iter().flat_map(|org| org.removed_people.iter().map(|&at| (at, org.org.as_str()))).collect();
    let ended = input.delta.ended.iter().map(|&(before, _)| (before, true));
    let absent = input.delta.absent.iter().map(|&before| (before, false));
    for (before, ended) in ended.chain(absent) {
        let key = input.before.text(input.before.person(before).key);
        let known = input.standing.absences.binary_search_by(|a| a.person.as_str().cmp(key)).ok();
        let known = known.map(|at| &input.standing.absences[at]);
        if known.is_some_and(|a| !a.removed) {
            continue;
        }
        let Some(source) = input.owners.get(key).cloned().or_else(read) else { continue };
        let new = Absence {
            person: PersonKey::from(key),
            source,
            org: orgs.get(&before).map(|&org| OrgId::from(org)),
            count: 1,
            since: input.today,
            ended,
            held: false,
            removed: false,
            removed_at: None,
        };
        fates.decide(input, known, new);
    }
    fates.changes.sort_by(|a, b| person(a).cmp(person(b)));
    // Somebody removed earlier, back and gone again in one step is written down once; a purge stands beside the removal
    // it follows.
    fates.changes.dedup_by(|later, first| {
        let purge = matches!(later, AbsenceChange::Purged(_)) && matches!(first, AbsenceChange::Absent(_));
        person(later) == person(first) && !purge && {
            if matches!(first, AbsenceChange::Returned(_) | AbsenceChange::Purged(_)) {
                std::mem::swap(later, first);
            }
            true
        }
    });
    fates
}

/// The day on which somebody removed at an instant is deleted for good; `None`: never (R130).
pub fn purge_day(policy: &Policy, removed_at: Instant) -> Option<Day> {
    let days = i32::try_from(policy.purge_after_days?).unwrap_or(i32::MAX);
    Some(Day(policy.calendar.day_of(removed_at).0.saturating_add(days)))
}

/// Whom the stored snapshots must not name any longer: people who ended, are unknown to the books or are deleted for good
/// by this run, by key. Everybody else who ended has a tombstone, or is about to get one.
pub fn nameless(input: &PlanInput<'_>) -> Vec<PersonKey> {
    let mut ended = input.roster.people.iter().filter(|person| person.ended && !person.quarantined).peekable();
    if ended.peek().is_none() {
        return Vec::new();
    }
    let fates = fates(input);
    let purged: BTreeSet<&str> = fates
        .changes
        .iter()
        .filter(|change| matches!(change, AbsenceChange::Purged(_)))
        .map(|change| person(change).as_str())
        .collect();
    let absences = &input.standing.absences;
    let known = |key: &str| {
        absences.binary_search_by(|absence| absence.person.as_str().cmp(key)).is_ok() || fates.by_person.contains_key(key)
    };
    ended
        .map(|person| input.roster.text(person.key))
        .filter(|key| purged.contains(key) || !known(key))
        .map(PersonKey::from)
        .collect()
}

impl Fates {
    fn decide(&mut self, input: &PlanInput<'_>, known: Option<&Absence>, mut next: Absence) {
        next.held = input.held.binary_search(&next.person).is_ok();
        let fate = if next.held {
            Fate::Keep(Because::HeldByGuard)
        } else if is_unreadable(input, next.person.as_str()) {
            // The end counts once all rows of the person can be read (R104).
            Fate::Keep(Because::Quarantined)
        } else if next.ended {
            Fate::Remove(Because::EndedInSource)
        } else if next.count >= input.policy.absence_confirmations
            || input.confirmed.contains(&next.source)
            || input.gone.binary_search(&next.person).is_ok()
            || input.holding.approved.binary_search(&next.person).is_ok()
        {
            Fate::Remove(Because::AbsenceConfirmed)
        } else {
            Fate::Keep(Because::AbsentUnconfirmed)
        };
        next.removed = matches!(fate, Fate::Remove(_));
        next.removed_at = next.removed.then_some(input.now);
        self.by_person.insert(next.person.as_str().to_owned(), fate);
        if known != Some(&next) {
            self.changes.push(AbsenceChange::Absent(next.clone()));
        }
        self.purge_if_due(input, &next);
    }

    /// By date, in any run: also when no source is up (R130, R132).
    fn purge_if_due(&mut self, input: &PlanInput<'_>, absence: &Absence) {
        let due = absence.removed_at.and_then(|at| purge_day(input.policy, at));
        if due.is_some_and(|due| due <= input.today) {
            self.changes.push(AbsenceChange::Purged(absence.person.clone()));
        }
    }
}

fn person(change: &AbsenceChange) -> &PersonKey {
    match change {
        AbsenceChange::Absent(absence) => &absence.person,
        AbsenceChange::Returned(person) | AbsenceChange::Purged(person) => person,
    }
}

fn is_ended(input: &PlanInput<'_>, key: &str) -> bool {
    input.roster.find_person(key).is_some_and(|at| input.roster.person(at).ended)
}

fn is_unreadable(input: &PlanInput<'_>, key: &str) -> bool {
    input.roster.find_person(key).is_some_and(|at| input.roster.person(at).quarantined)
}
