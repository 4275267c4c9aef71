//! Who is missing, and what that means (R115, R127, R130, R131).

use std::collections::{BTreeMap, BTreeSet};

use rosterd::base::Instant;

use crate::sim::auditor::books::{Auditor, Known, Missing};
use crate::sim::auditor::importing::is_by_hand;

/// What a run knows of people who are missing.
pub struct Going<'a> {
    pub now: Instant,
    /// Active before and not any more; empty if nothing was taken in.
    pub gone: Vec<(String, Known)>,
    /// A complete snapshot was taken in, and whether it was made by hand.
    pub complete: Option<bool>,
    pub held: &'a BTreeSet<String>,
    pub approved: &'a BTreeSet<String>,
    /// An admin said that absence counts at once.
    pub confirms: bool,
}

impl Auditor {
    /// Takes those out who are gone; returns what people who are back had left behind.
    pub fn settle_missing(&mut self, going: &Going<'_>) -> BTreeMap<String, Vec<(usize, u64)>> {
        let mut former = BTreeMap::new();
        let mut concerned = Vec::new();
        for person in self.missing.keys().cloned().collect::<Vec<_>>() {
            if self.active(&person).is_some() {
                let back = self.missing.remove(&person).expect("it is there");
                former.insert(person, back.left);
            } else if self.missing[&person].removed.is_none() {
                self.missing.get_mut(&person).expect("it is there").count +=
                    u32::from(going.complete == Some(is_by_hand(&person)));
                concerned.push(person);
            }
        }
        for (person, was) in &going.gone {
            if self.missing.get(person).is_none_or(|missing| missing.removed.is_some()) {
                let org = Self::org_of(was);
                let new = Missing { count: 1, ended: false, held: false, removed: None, org, left: Vec::new() };
                self.missing.insert(person.clone(), new);
                former.remove(person);
                concerned.push(person.clone());
            }
        }
        for person in concerned {
            self.conclude(&person, going);
        }
        self.purge(going.now);
        former
    }

    fn conclude(&mut self, person: &str, going: &Going<'_>) {
        let known = self.known.get(person);
        let (ended, unsure) = (known.is_some_and(|k| k.ended), known.is_some_and(|k| k.unsure));
        let missing = self.missing.get_mut(person).expect("it is there");
        missing.ended |= ended;
        missing.held = going.held.contains(person);
        let confirms = going.confirms && !is_by_hand(person);
        let confirmed = missing.count >= self.setup.confirmations || confirms || going.approved.contains(person);
        if missing.held || unsure || !(missing.ended || confirmed) {
            return;
        }
        missing.removed = Some(going.now);
        let mut left: Vec<(usize, u64)> = Vec::new();
        for pool in 0..self.setup.pools.len() {
            left.extend(self.claims.remove(&(person.to_owned(), pool)).map(|claim| (pool, claim.number)));
        }
        left.sort_by_key(|(_, number)| *number);
        self.missing.get_mut(person).expect("it is there").left = left;
    }

    /// So many days after the removal a person is deleted for good, whether or not a source is up (R130, R132).
    fn purge(&mut self, now: Instant) {
        let Some(days) = self.setup.purge_days else { return };
        let today = self.today(now);
        let due = |at: Instant| self.today(at).0 + days as i32 <= today.0;
        let due: Vec<String> =
            self.missing.iter().filter(|(_, m)| m.removed.is_some_and(due)).map(|(person, _)| person.clone()).collect();
        for person in due {
            self.missing.remove(&person);
            self.known.remove(&person);
            self.purged.push(person);
        }
    }
}
