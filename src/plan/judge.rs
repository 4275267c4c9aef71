//! The guards at work: looks at what a snapshot would do before anything is done (R114 to R118, R125).

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Day, OrgId, PersonKey};
use crate::license::{Absence, GuardDay};
use crate::plan::guard::{GuardKind, Trip, Verdict};
use crate::plan::limits::GuardLimits;
use crate::roster::{Collection, Person, PersonIx, Roster, RosterDelta};

/// What the guards look at.
pub struct Case<'a> {
    /// The roster the books rest on; positions before the change in `delta` are its.
    pub before: &'a Roster,
    /// The new roster; positions after the change in `delta` are its.
    pub after: &'a Roster,
    /// What changed.
    pub delta: &'a RosterDelta,
    /// New keys that claim a known person's e-mail; they stand in no roster (R5).
    pub conflicts: u32,
    /// Who is missing already; held ones count again.
    pub absences: &'a [Absence],
    /// The thresholds.
    pub limits: GuardLimits,
    /// The local date.
    pub today: Day,
    /// What was removed lately.
    pub days: &'a [GuardDay],
    /// New people who get no seats so far, sorted: they never counted.
    pub withheld: &'a [PersonKey],
    /// People whom a decision keeps as they are, sorted.
    pub exceptions: &'a [PersonKey],
    /// A source delivers for the first time.
    pub new_source: bool,
    /// An approval that works in this run.
    pub approval: Option<&'a Approval>,
}

/// What somebody approved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    /// Whose removal, sorted.
    pub removals: Vec<PersonKey>,
    /// Whose addition, sorted.
    pub additions: Vec<PersonKey>,
    /// The snapshots of this run as they are, but for the exceptions.
    pub whole: bool,
}

/// A verdict with the people it covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgment {
    /// What tripped.
    pub verdict: Verdict,
    /// Whose removal waits, sorted.
    pub held: Vec<PersonKey>,
    /// New people who get no seats, sorted.
    pub withheld: Vec<PersonKey>,
    /// Everybody whom the snapshot removes, sorted.
    pub removals: Vec<PersonKey>,
    /// People before.
    pub base: u32,
    /// Removals that pass without a decision.
    pub passed: u32,
}

struct Bench<'a> {
    case: &'a Case<'a>,
    trips: Vec<Trip>,
    held: BTreeSet<PersonKey>,
    withheld: BTreeSet<PersonKey>,
}

/// Judges a snapshot. Removals count at first sight (R115): people ended explicitly, people newly absent, and people
/// whose removal was held before. What was approved trips nothing, but still counts where others are judged (R121).
pub fn judge(case: &Case<'_>) -> Judgment {
    let mut bench = Bench { case, trips: Vec::new(), held: BTreeSet::new(), withheld: BTreeSet::new() };
    let whole = case.approval.is_some_and(|approval| approval.whole);
    // Somebody who is back is waited for no more.
    let waiting: Vec<&Absence> =
        case.absences.iter().filter(|a| a.held && case.after.active(a.person.as_str()).is_none()).collect();
    let delta = case.delta;
    let newly = delta.ended.iter().map(|(was, _)| was).chain(&delta.absent);
    let mut removals: BTreeSet<PersonKey> = newly.map(|at| bench.key(at)).filter(|key| !bench.was_withheld(key)).collect();
    let never_counted = case.withheld.iter().filter(|key| case.before.active(key.as_str()).is_some()).count();
    let known = removals.len();
    removals.extend(waiting.iter().map(|a| a.person.clone()));
    let base = delta.base.saturating_sub(count(never_counted)) + count(removals.len() - known);
    bench.collections(&removals);
    let undecided: BTreeSet<PersonKey> = removals.iter().filter(|key| !bench.is_approved(key)).cloned().collect();

    let added = bench.additions(base);
    if whole {
        // Somebody looked at all of it: only whom they excepted stays.
        bench.trips.clear();
        bench.held.clone_from(&undecided);
        bench.withheld = added.into_iter().filter(|key| bench.is_excepted(key)).collect();
    } else {
        bench.removals(&removals, &undecided, base, &waiting);
        bench.whole_snapshot(&removals, &added, base);
        bench.exceptions(&undecided, &added, base);
    }

    let passed = undecided.iter().filter(|key| !bench.held.contains(*key)).count();
    Judgment {
        verdict: Verdict { trips: bench.trips },
        held: bench.held.into_iter().collect(),
        withheld: bench.withheld.into_iter().collect(),
        removals: removals.into_iter().collect(),
        base,
        passed: count(passed),
    }
}

impl Bench<'_> {
    fn key(&self, at: &PersonIx) -> PersonKey {
        PersonKey::from(self.case.before.text(self.case.before.person(*at).key))
    }

    fn was_withheld(&self, key: &PersonKey) -> bool {
        self.case.withheld.binary_search(key).is_ok()
    }

    fn is_excepted(&self, key: &PersonKey) -> bool {
        self.case.exceptions.binary_search(key).is_ok()
    }

    fn is_approved(&self, key: &PersonKey) -> bool {
        let approved = |approval: &Approval| approval.whole || approval.removals.binary_search(key).is_ok();
        self.case.approval.is_some_and(approved) && !self.is_excepted(key)
    }

    fn trip(&mut self, guard: GuardKind, base: u32, removed: usize, limit_percent: u32) {
        self.trips.push(Trip { guard, org: None, collection: None, base, removed: count(removed), limit_percent });
    }

    /// Empty and shrunken collections (R114, R115). Roles and enrollments of people who go are judged with those people:
    /// that they go along does not stop the rest of a snapshot (R119). So do records of people who ended before: they were
    /// judged when those people went, and that they are told of no more is no news.
    fn collections(&mut self, removals: &BTreeSet<PersonKey>) {
        let limits = self.case.limits;
        let Case { before, after, .. } = *self.case;
        let (gone_before, gone_after) = (self.gone(removals, before), self.gone(removals, after));
        let (ended_before, ended_after) = (ended(before), ended(after));
        for (collection, &(had, has)) in Collection::ALL.into_iter().zip(&self.case.delta.collections) {
            let all = |people: &[&Person], roster| count(people.iter().map(|person| records(roster, person, collection)).sum());
            let base = had.saturating_sub(all(&ended_before, before));
            let stays = base.saturating_sub(all(&gone_before, before));
            let removed = match has {
                0 => had,
                has => {
                    stays.saturating_sub(has.saturating_sub(all(&ended_after, after)).saturating_sub(all(&gone_after, after)))
                }
            };
            let trip = |guard, limit_percent| Trip {
                guard,
                org: None,
                collection: Some(collection),
                base: if has == 0 { had } else { base },
                removed,
                limit_percent,
            };
            if has == 0 && (had > 0 || collection == Collection::People) {
                self.trips.push(trip(GuardKind::Empty, 0));
            } else if collection != Collection::People
                && passes_limit(removed.into(), base.into(), limits.removal_percent, limits.removal_min)
            {
                self.trips.push(trip(GuardKind::Removal, limits.removal_percent));
            }
        }
    }

    /// Those of a roster who go, or who were withheld so far and never counted.
    fn gone<'r>(&self, removals: &BTreeSet<PersonKey>, roster: &'r Roster) -> Vec<&'r Person> {
        let withheld = self.case.withheld.iter().filter(|key| !removals.contains(*key));
        let people = removals.iter().chain(withheld).filter_map(|key| roster.find_person(key.as_str()));
        people.map(|at| roster.person(at)).filter(|person| !person.ended).collect()
    }

    /// All people, the last days, each org (R115, R116).
    fn removals(&mut self, removals: &BTreeSet<PersonKey>, undecided: &BTreeSet<PersonKey>, base: u32, waiting: &[&Absence]) {
        let limits = self.case.limits;
        if undecided.is_empty() {
            return;
        }
        if passes_limit(removals.len() as u64, base.into(), limits.removal_percent, limits.removal_min) {
            self.trip(GuardKind::Removal, base, removals.len(), limits.removal_percent);
            self.held.extend(undecided.iter().cloned());
            return;
        }
        if let Some((start, earlier)) = self.window(base) {
            let all = earlier + undecided.len() as u64;
            if passes_limit(all, start.into(), limits.rolling_percent, limits.removal_min) {
                self.trip(GuardKind::Rolling, start, usize::try_from(all).unwrap_or(usize::MAX), limits.rolling_percent);
                self.held.extend(undecided.iter().cloned());
                return;
            }
        }
        let mut by_org: BTreeMap<&str, (u32, BTreeSet<PersonKey>)> = BTreeMap::new();
        for org in &self.case.delta.orgs {
            let gone: BTreeSet<PersonKey> = org.removed_people.iter().map(|at| self.key(at)).collect();
            let counted = gone.into_iter().filter(|key| !self.was_withheld(key)).collect();
            by_org.insert(&org.org, (org.base, counted));
        }
        for absence in waiting {
            if let Some(org) = &absence.org {
                let (base, gone) = by_org.entry(org.as_str()).or_default();
                *base += u32::from(gone.insert(absence.person.clone()));
            }
        }
        for (org, (base, gone)) in by_org {
            if base >= limits.org_base_min
                && passes_limit(gone.len() as u64, base.into(), limits.org_removal_percent, limits.removal_min)
                && gone.iter().any(|key| undecided.contains(key))
            {
                self.trips.push(Trip {
                    guard: GuardKind::OrgRemoval,
                    org: Some(OrgId::from(org)),
                    collection: None,
                    base,
                    removed: count(gone.len()),
                    limit_percent: limits.org_removal_percent,
                });
                self.held.extend(gone.into_iter().filter(|key| undecided.contains(key)));
            }
        }
    }

    /// The people at the start of the rolling window, and the removals in it before this run; `None`: switched off.
    fn window(&self, base: u32) -> Option<(u32, u64)> {
        let days = i32::try_from(self.case.limits.rolling_days).unwrap_or(i32::MAX);
        if days == 0 {
            return None;
        }
        let first = self.case.today.0.saturating_sub(days - 1);
        let inside = || self.case.days.iter().filter(|day| day.day.0 >= first && day.day <= self.case.today);
        let start = inside().min_by_key(|day| day.day).map_or(base, |day| day.base);
        Some((start, inside().map(|day| u64::from(day.removed)).sum()))
    }

    /// New people, and those who were withheld before and are still there (R117). Somebody who was only missing for a
    /// while is not new. Returns all of them.
    fn additions(&mut self, base: u32) -> BTreeSet<PersonKey> {
        let Case { after, delta, absences, limits, withheld, approval, exceptions, .. } = self.case;
        if base == 0 && withheld.is_empty() && exceptions.is_empty() {
            // The first snapshot: nobody is compared with nobody, however many they are.
            return BTreeSet::new();
        }
        let missing = |key: &PersonKey| {
            let known = absences.binary_search_by(|a| a.person.cmp(key)).ok().map(|at| &absences[at]);
            known.is_some_and(|absence| !absence.removed)
        };
        let new = delta.added.iter().map(|&at| PersonKey::from(after.text(after.person(at).key)));
        let mut added: BTreeSet<PersonKey> = new.filter(|key| !missing(key)).collect();
        added.extend(withheld.iter().filter(|key| after.active(key.as_str()).is_some()).cloned());
        let approved = |key: &PersonKey| {
            approval.is_some_and(|a| a.whole || a.additions.binary_search(key).is_ok()) && !self.is_excepted(key)
        };
        let undecided: Vec<PersonKey> = added.iter().filter(|key| !approved(key)).cloned().collect();
        if base > 0
            && !undecided.is_empty()
            && passes_limit(added.len() as u64, base.into(), limits.growth_percent, limits.growth_min)
        {
            self.trip(GuardKind::Growth, base, added.len(), limits.growth_percent);
            self.withheld.extend(undecided);
        }
        added
    }

    /// Changes that cannot be told apart person by person (R118), and the first snapshot of a source (R125).
    fn whole_snapshot(&mut self, removals: &BTreeSet<PersonKey>, added: &BTreeSet<PersonKey>, base: u32) {
        let limits = self.case.limits;
        let people = |guard, removed, limit_percent| Trip {
            guard,
            org: None,
            collection: Some(Collection::People),
            base,
            removed,
            limit_percent,
        };
        let changed = self.case.delta.changed.len();
        if passes_limit(changed as u64, base.into(), limits.change_percent, limits.removal_min) {
            self.trips.push(people(GuardKind::Change, count(changed), limits.change_percent));
        }
        let pairs = self.case.conflicts + self.pairs(removals, added);
        if passes_limit(pairs.into(), base.into(), limits.removal_percent, limits.removal_min) {
            self.trips.push(people(GuardKind::IdentityFlip, pairs, limits.removal_percent));
        }
        if self.case.new_source && limits.bootstrap_approval {
            self.trip(GuardKind::Bootstrap, base, self.case.delta.added.len(), 0);
        }
    }

    /// New people who share the e-mail or the full name of somebody who goes; each leaver counts once.
    fn pairs(&self, removals: &BTreeSet<PersonKey>, added: &BTreeSet<PersonKey>) -> u32 {
        let Case { before, after, .. } = self.case;
        if count(removals.len().min(added.len())) + self.case.conflicts <= self.case.limits.removal_min {
            return 0;
        }
        let mut goers: BTreeMap<String, u32> = BTreeMap::new();
        let find =
            |roster: &Roster, key: &PersonKey| roster.find_person(key.as_str()).map(|at| marks(roster, roster.person(at)));
        for mark in removals.iter().filter_map(|key| find(before, key)).flatten() {
            *goers.entry(mark).or_default() += 1;
        }
        let mut pairs = 0;
        for marks in added.iter().filter_map(|key| find(after, key)) {
            let known = marks.iter().find(|mark| goers.get(*mark).is_some_and(|left| *left > 0));
            if let Some(left) = known.and_then(|mark| goers.get_mut(mark)) {
                *left -= 1;
                pairs += 1;
            }
        }
        pairs
    }

    /// Whom a decision keeps as they are stays so, however few they are, until somebody decides anew (R120).
    fn exceptions(&mut self, undecided: &BTreeSet<PersonKey>, added: &BTreeSet<PersonKey>, base: u32) {
        let mut kept = 0;
        for person in self.case.exceptions {
            kept += usize::from(undecided.contains(person) && self.held.insert(person.clone()));
            kept += usize::from(added.contains(person) && self.withheld.insert(person.clone()));
        }
        if kept > 0 {
            self.trip(GuardKind::Excepted, base, kept, 0);
        }
    }
}

/// A person's own records of a collection, ended ones not counted.
fn records(roster: &Roster, person: &Person, collection: Collection) -> usize {
    match collection {
        Collection::People => usize::from(!person.ended),
        Collection::Roles => roster.roles_of(person).iter().filter(|role| !role.ended).count(),
        Collection::Enrollments => roster.enrollments_of(person).filter(|enrollment| !enrollment.ended).count(),
        Collection::Orgs | Collection::Sessions | Collection::Courses | Collection::Classes => 0,
    }
}

/// The people who ended. Of a comparison that was made thin they are left: the books have a tombstone of each.
fn ended(roster: &Roster) -> Vec<&Person> {
    roster.people.iter().filter(|person| person.ended).collect()
}

/// What tells a person apart whatever the key: the e-mail, and the full name where both parts are told.
fn marks(roster: &Roster, person: &Person) -> Vec<String> {
    let text = |text| roster.text(text).trim().to_lowercase();
    let (email, given, family) = (text(person.email), text(person.given), text(person.family));
    let mut marks = Vec::new();
    if !email.is_empty() {
        marks.push(format!("e {email}"));
    }
    if !given.is_empty() && !family.is_empty() {
        marks.push(format!("n {given}\n{family}"));
    }
    marks
}

fn count(people: usize) -> u32 {
    u32::try_from(people).unwrap_or(u32::MAX)
}

/// `removed · 100 > percent · base` and `removed > min` (R115).
pub fn passes_limit(removed: u64, base: u64, percent: u32, min: u32) -> bool {
    removed * 100 > u64::from(percent) * base && removed > u64::from(min)
}
