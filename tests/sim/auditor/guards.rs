//! What the guards say of a package before anything is done (R114 to R119, R125).

use std::collections::{BTreeMap, BTreeSet};

use rosterd::base::{Day, Instant};

use crate::sim::auditor::books::{Auditor, Known};
use crate::sim::auditor::importing::File;
use crate::sim::auditor::reading::Read;

type Keys = BTreeSet<String>;

/// What somebody approved, as far as it works now (R120).
#[derive(Clone, Debug, Default)]
pub struct Approval {
    pub removals: Keys,
    pub additions: Keys,
    /// The package as it is.
    pub whole: bool,
}

/// What the guards say.
#[derive(Clone, Debug, Default)]
pub struct Judgment {
    pub trips: Vec<&'static str>,
    /// Nothing of the package is taken in.
    pub stops: bool,
    /// Whose removal waits.
    pub held: Keys,
    /// New people who get no seats.
    pub withheld: Keys,
    /// Everybody whom the package removes.
    pub removals: Keys,
    pub base: u32,
    /// Removals that pass without a decision.
    pub passed: u32,
}

/// Percentages, from the rules' defaults and from the rollover profile (R124).
#[derive(Clone, Copy)]
struct Limits {
    removal: u32,
    org: u32,
    rolling: u32,
    growth: u32,
    change: u32,
}

const STANDARD: Limits = Limits { removal: 10, org: 50, rolling: 20, growth: 25, change: 75 };
const ROLLOVER: Limits = Limits { removal: 50, org: 100, rolling: 100, growth: 100, change: 100 };

fn exceeds(part: u32, base: u32, percent: u32, min: u32) -> bool {
    part * 100 > percent * base && part > min
}

fn same(a: &Known, b: &Known) -> bool {
    let sorted = |known: &Known| {
        let mut roles: Vec<_> = known.roles.values().cloned().collect();
        let mut classes: Vec<_> = known.classes.values().cloned().collect();
        roles.sort();
        classes.sort();
        (roles, classes)
    };
    let rest = |known: &Known| Known { roles: BTreeMap::new(), classes: BTreeMap::new(), ..known.clone() };
    rest(a) == rest(b) && sorted(a) == sorted(b)
}

impl Auditor {
    /// Whether the first package after a pause is still to come (R108).
    fn is_after_pause(&self, now: Instant) -> bool {
        let Some((_, _, at)) = &self.mark else { return false };
        self.pauses.iter().any(|(from, to)| from < to && *to <= now && at < to)
    }

    /// Whether the date lies in a window of raised limits (R124).
    fn is_in_window(&self, now: Instant) -> bool {
        let today = self.today(now);
        self.setup.window.is_some_and(|(from, to)| from <= today && today < to)
    }

    fn limits(&self, now: Instant) -> Limits {
        if self.is_in_window(now) || self.is_after_pause(now) { ROLLOVER } else { STANDARD }
    }

    /// Whether undoing a run costs too many their seats: (people, who loses one) of all and by org.
    pub fn removes_too_many(&self, all: (u32, u32), orgs: Vec<(u32, u32)>, now: Instant) -> bool {
        let limits = if self.is_in_window(now) { ROLLOVER } else { STANDARD };
        exceeds(all.1, all.0, limits.removal, 5)
            || orgs.into_iter().any(|(people, gone)| people >= 10 && exceeds(gone, people, limits.org, 5))
    }

    /// The org whose guard counts a person: the primary org, else the smallest org of the roles.
    pub fn org_of(known: &Known) -> Option<String> {
        let smallest = || known.roles.values().map(|(_, org)| org.clone()).min_by_key(|org| (org != "d", org.clone()));
        known.primary.clone().or_else(smallest)
    }

    /// Everything a package would do, before it is done. `approval` is what was approved of it.
    pub fn judge(&self, read: &Read, now: Instant, approval: Option<&Approval>) -> Judgment {
        let limits = self.limits(now);
        let withheld_before = self.hold.as_ref().map(|hold| hold.withheld()).unwrap_or_default();
        let exceptions = self.hold.as_ref().map(|hold| hold.exceptions.clone()).unwrap_or_default();
        let told = self.told();
        let before: BTreeMap<&String, &Known> = told.iter().filter(|(_, known)| !known.ended).collect();
        let after: BTreeMap<&String, &Known> = read.people.iter().filter(|(_, known)| !known.ended).collect();

        // People who got no seats so far never counted; people whose removal waits still do (R115).
        let counted: Keys = before.keys().filter(|key| !withheld_before.contains(**key)).map(|key| (*key).clone()).collect();
        let waiting: Keys =
            self.missing.iter().filter(|(key, m)| m.held && !after.contains_key(key)).map(|(key, _)| key.clone()).collect();
        let mut removals: Keys = counted.iter().filter(|key| !after.contains_key(key)).cloned().collect();
        removals.extend(waiting.iter().cloned());
        let base = counted.union(&waiting).count() as u32;
        let approved = |key: &String| {
            approval.is_some_and(|a| a.whole || a.removals.contains(key) || a.additions.contains(key))
                && !exceptions.contains(key)
        };
        let undecided: Keys = removals.iter().filter(|key| !approved(key)).cloned().collect();

        let mut judgment = Judgment { removals: removals.clone(), base, ..Judgment::default() };
        self.collections(&before, &after, (&told, &read.people), &removals, &withheld_before, limits, &mut judgment);

        // Who was only missing for a while is not new (R117).
        let mut added = Keys::new();
        if base > 0 || !withheld_before.is_empty() || !exceptions.is_empty() {
            let back = |key: &&&String| self.missing.get(**key).is_some_and(|m| m.removed.is_none());
            added.extend(after.keys().filter(|key| !before.contains_key(**key) && !back(key)).map(|key| (*key).clone()));
            added.extend(withheld_before.iter().filter(|key| after.contains_key(key)).cloned());
        }

        if approval.is_some_and(|approval| approval.whole) {
            judgment.trips.clear();
            judgment.stops = false;
            judgment.held = undecided;
            judgment.withheld = added.intersection(&exceptions).cloned().collect();
            return judgment;
        }

        let undecided_new: Keys = added.iter().filter(|key| !approved(key)).cloned().collect();
        if base > 0 && !undecided_new.is_empty() && exceeds(added.len() as u32, base, limits.growth, 20) {
            judgment.trips.push("growth");
            judgment.withheld = undecided_new;
        }
        self.removals(&removals, &undecided, &waiting, base, limits, now, &mut judgment);

        let changed = before.iter().filter(|(key, was)| after.get(*key).is_some_and(|is| !same(was, is))).count() as u32;
        let mut whole = false;
        if exceeds(changed, base, limits.change, 5) {
            judgment.trips.push("change");
            whole = true;
        }
        let pairs = read.conflicts.len() as u32 + self.pairs(&removals, &added, read);
        if exceeds(pairs, base, limits.removal, 5) {
            judgment.trips.push("identity_flip");
            whole = true;
        }
        if self.mark.is_none() && self.setup.bootstrap_approval {
            judgment.trips.push("bootstrap");
            whole = true;
        }
        for key in &exceptions {
            let kept = (undecided.contains(key) && judgment.held.insert(key.clone()))
                | (added.contains(key) && judgment.withheld.insert(key.clone()));
            if kept && !judgment.trips.contains(&"excepted") {
                judgment.trips.push("excepted");
            }
        }
        judgment.stops |= whole || (self.setup.trip_stops_all && !judgment.trips.is_empty());
        judgment.passed = undecided.difference(&judgment.held).count() as u32;
        judgment
    }

    /// Collections that came back empty or much smaller (R114, R115): what people who go take with them is judged with
    /// those people.
    #[expect(clippy::too_many_arguments, reason = "each is another fact of one package")]
    fn collections(
        &self,
        before: &BTreeMap<&String, &Known>,
        after: &BTreeMap<&String, &Known>,
        (known, told): (&BTreeMap<String, Known>, &BTreeMap<String, Known>),
        removals: &Keys,
        withheld: &Keys,
        limits: Limits,
        judgment: &mut Judgment,
    ) {
        let live = |known: &Known| known.classes.values().filter(|e| !e.ended).count() as u32;
        let links: [&dyn Fn(&Known) -> u32; 2] = [&|known| known.roles.len() as u32, &live];
        if after.is_empty() {
            judgment.trips.push("empty");
            judgment.stops = true;
        }
        for count in links {
            let all = |people: &BTreeMap<&String, &Known>| people.values().map(|known| count(known)).sum::<u32>();
            let staying = |people: &BTreeMap<&String, &Known>| {
                let stays = people.iter().filter(|(key, _)| !removals.contains(**key) && !withheld.contains(**key));
                stays.map(|(_, known)| count(known)).sum::<u32>()
            };
            // Records of people who were ended are records all the same (R114).
            let any = |people: &BTreeMap<String, Known>| people.values().any(|known| count(known) > 0);
            let had = all(before);
            if any(known) && !any(told) {
                judgment.trips.push("empty");
                judgment.stops = true;
            } else if exceeds(staying(before).saturating_sub(staying(after)), had, limits.removal, 5) {
                judgment.trips.push("removal of links");
                judgment.stops = true;
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "each is another fact of one package")]
    fn removals(
        &self,
        removals: &Keys,
        undecided: &Keys,
        waiting: &Keys,
        base: u32,
        limits: Limits,
        now: Instant,
        judgment: &mut Judgment,
    ) {
        if undecided.is_empty() {
            return;
        }
        if exceeds(removals.len() as u32, base, limits.removal, 5) {
            judgment.trips.push("removal");
            judgment.held = undecided.clone();
            return;
        }
        let (start, earlier) = self.last_week(false, self.today(now), base);
        if exceeds(earlier + undecided.len() as u32, start, limits.rolling, 5) {
            judgment.trips.push("rolling");
            judgment.held = undecided.clone();
            return;
        }
        let mut orgs: BTreeMap<String, (u32, Keys)> = BTreeMap::new();
        for (key, known) in self.told().iter().filter(|(_, known)| !known.ended) {
            let Some(org) = Self::org_of(known) else { continue };
            let (people, gone) = orgs.entry(org).or_default();
            *people += 1;
            if removals.contains(key) {
                gone.insert(key.clone());
            }
        }
        for key in waiting {
            if let Some(org) = &self.missing[key].org {
                let (people, gone) = orgs.entry(org.clone()).or_default();
                *people += u32::from(gone.insert(key.clone()));
            }
        }
        for (people, gone) in orgs.into_values() {
            let any = gone.iter().any(|key| undecided.contains(key));
            if people >= 10 && any && exceeds(gone.len() as u32, people, limits.org, 5) {
                judgment.trips.push("org_removal");
                judgment.held.extend(gone.intersection(undecided).cloned());
            }
        }
    }

    /// People at the start of the last seven days, and who was removed since (R116).
    fn last_week(&self, by_hand: bool, today: Day, base: u32) -> (u32, u32) {
        let inside = || self.days.range((by_hand, today.plus(-6))..=(by_hand, today));
        let start = inside().next().map_or(base, |(_, (base, _))| *base);
        (start, inside().map(|(_, (_, removed))| removed).sum())
    }

    /// Whether a guard holds a file by hand that makes `created` people.
    pub fn trips_by_hand(&self, file: &File, created: u32, now: Instant) -> bool {
        let (limits, base, removed) = (self.limits(now), self.made().len() as u32, file.removed.len() as u32);
        let changes = created + file.updated.len() as u32 + removed > 0;
        let emptied = (file.synchronize && file.empty && base > 0) || (changes && base + created == removed);
        let (start, earlier) = self.last_week(true, self.today(now), base);
        let rolls = removed > 0 && exceeds(earlier + removed, start, limits.rolling, 5);
        emptied || rolls || exceeds(removed, base, limits.removal, 5)
    }

    /// New people with the e-mail or the name of somebody who goes (R118).
    fn pairs(&self, removals: &Keys, added: &Keys, read: &Read) -> u32 {
        let mut goers: Vec<&Known> = removals.iter().filter_map(|key| self.known.get(key)).collect();
        let mut pairs = 0;
        for new in added.iter().filter_map(|key| read.people.get(key)) {
            let alike = |goer: &&Known| {
                goer.email.eq_ignore_ascii_case(&new.email) || (goer.given == new.given && goer.family == new.family)
            };
            if let Some(at) = goers.iter().position(alike) {
                goers.remove(at);
                pairs += 1;
            }
        }
        pairs
    }
}
