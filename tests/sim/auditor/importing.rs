//! People by hand (R52, R115, R133, R134): what a file of people comes to. Their keys begin with `m`, so that nobody is told
//! by hand and by the source at once.

use std::collections::{BTreeMap, BTreeSet};

use rosterd::base::Instant;

use crate::sim::auditor::books::{Auditor, Known, State};

/// A file of people, row by row.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// New ones, and what is told of them.
    pub created: BTreeMap<String, Known>,
    /// Known ones of whom something else is told.
    pub updated: BTreeMap<String, Known>,
    /// Known ones who are ended, or not told of in a file that tells of all.
    pub removed: BTreeSet<String>,
    /// Whoever is absent is removed (R133).
    pub synchronize: bool,
    /// No row is about anybody made by hand.
    pub empty: bool,
}

/// What it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Imported {
    /// Nobody of it is left.
    Nothing,
    /// A guard tripped.
    Held,
    /// It can be taken in, with these new people.
    Fine(BTreeSet<String>),
}

pub fn is_by_hand(person: &str) -> bool {
    person.starts_with('m')
}

impl Auditor {
    /// People made by hand, as they stand.
    pub fn made(&self) -> BTreeMap<String, Known> {
        let made = self.known.iter().filter(|(key, known)| is_by_hand(key) && !known.ended);
        made.map(|(key, known)| (key.clone(), known.clone())).collect()
    }

    /// What the source told.
    pub fn told(&self) -> BTreeMap<String, Known> {
        self.known.iter().filter(|(key, _)| !is_by_hand(key)).map(|(key, known)| (key.clone(), known.clone())).collect()
    }

    /// Takes a file in, as far as there is room for those it makes.
    pub fn import(&mut self, file: &File, now: Instant) -> Imported {
        self.pass_time(now);
        let before = self.clone();
        let mut created = file.created.clone();
        loop {
            if before.trips_by_hand(file, created.len() as u32, now) {
                return Imported::Held;
            }
            let mut trial = before.clone();
            trial.take_by_hand(&created, file, now);
            let many = created.len();
            created.retain(|key, _| !trial.is_shut_out(key));
            if created.len() == many {
                if created.is_empty() && file.updated.is_empty() && file.removed.is_empty() {
                    return Imported::Nothing;
                }
                trial.note_released(&before, now);
                *self = trial;
                return Imported::Fine(created.into_keys().collect());
            }
        }
    }

    /// Nobody is made by hand while a product that everybody gets has no seat for them (R52).
    fn is_shut_out(&self, person: &str) -> bool {
        let products = (0..self.setup.products.len()).filter(|&product| self.setup.products[product].auto_assign);
        let mut pools = products.flat_map(|product| self.pools_of(product));
        pools.any(|pool| {
            let claim = self.claims.get(&(person.to_owned(), pool));
            claim.is_some_and(|claim| claim.state == State::Waiting && !claim.wants_access)
        })
    }

    fn take_by_hand(&mut self, created: &BTreeMap<String, Known>, file: &File, now: Instant) {
        (self.begun, self.made_at) = (true, Some(now));
        let base = self.made().len() as u32;
        self.note_days(true, now, base, file.removed.len() as u32);
        // Whoever ended before is written down by now.
        self.known.retain(|key, known| !is_by_hand(key) || !known.ended);
        let gone = file.removed.iter().map(|key| (key.clone(), self.known[key].clone())).collect();
        for key in &file.removed {
            self.known.get_mut(key).expect("it is there").ended = true;
        }
        let number = |key: &String| key[1..].parse().unwrap_or(0);
        self.made_ever = created.keys().map(number).fold(self.made_ever, usize::max);
        self.known.extend(created.iter().chain(&file.updated).map(|(key, known)| (key.clone(), known.clone())));
        let withheld = self.hold.as_ref().map(|hold| hold.withheld()).unwrap_or_default();
        self.go_on(now, gone, Some(true), &BTreeSet::new(), &withheld, None, false);
    }
}
