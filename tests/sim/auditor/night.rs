//! One run (R95, R103, R108, R110): what it reads, and what becomes of everything.

use std::collections::BTreeSet;

use rosterd::base::Instant;

use crate::sim::auditor::books::{Auditor, HoldState};
use crate::sim::auditor::guards::Judgment;
use crate::sim::auditor::importing::is_by_hand;
use crate::sim::auditor::leaving::Going;
use crate::sim::facts::Package;

/// How a run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Night {
    /// No package was ever there.
    Nothing,
    /// The package could not be used; nothing was changed.
    Unusable,
    /// Nothing new: only time passed.
    Quiet,
    /// The same bytes under a new name.
    Repeated,
    /// A guard tripped. Nothing of the package was taken in, or all but what is held.
    Held,
    Taken,
}

impl Auditor {
    /// The package that would be read next: the oldest that is newer than the one taken in last, and was not turned away.
    pub fn next_package(&self, now: Instant) -> Option<&Package> {
        let newest = self.mark.as_ref().map(|(name, _, _)| name.as_str()).unwrap_or_default();
        let fresh = self.packages.iter().filter(|p| p.name.as_str() > newest);
        let offered = fresh.filter(|p| !self.rejected.contains(&p.bytes) || self.is_approved(p.bytes, now));
        offered.min_by_key(|p| p.name.clone())
    }

    pub fn run(&mut self, reads: bool, confirms: bool, now: Instant) -> Night {
        self.trips.clear();
        self.pass_time(now);
        let before = self.clone();
        let night = self.night(reads, confirms, now);
        self.note_released(&before, now);
        night
    }

    fn night(&mut self, reads: bool, confirms: bool, now: Instant) -> Night {
        let package = if reads && !self.is_paused(now) { self.next_package(now).cloned() } else { None };
        let Some(package) = package else {
            if self.mark.is_none() {
                self.sweep_hold(now);
                return Night::Nothing;
            }
            self.pass(now, None, confirms && reads && !self.is_paused(now));
            return Night::Quiet;
        };
        if self.mark.as_ref().is_some_and(|(_, bytes, _)| *bytes == package.bytes) {
            self.mark = Some((package.name, package.bytes, now));
            self.pass(now, None, confirms);
            return Night::Repeated;
        }
        let trusted = self.is_approved(package.bytes, now);
        let Some(read) = self.read(&package, trusted) else {
            self.turn_away(package.bytes);
            self.sweep_hold(now);
            return Night::Unusable;
        };
        let approval = self.approval(now, Some(package.bytes));
        let judgment = self.judge(&read, now, approval.as_ref());
        let held = !judgment.trips.is_empty();
        self.trips = judgment.trips.clone();
        if judgment.stops {
            self.turn_away(package.bytes);
            self.begun = true;
            let used = approval.as_ref().is_some_and(|a| !a.whole);
            let newest = self.hold.as_ref().map(|hold| hold.withheld()).unwrap_or_default();
            let approved = approval.map(|a| if a.whole { judgment.removals.clone() } else { a.removals }).unwrap_or_default();
            self.next_hold(now, used, Some((&judgment, package.bytes)));
            let withheld = if used { self.hold.as_ref().map(|hold| hold.withheld()).unwrap_or_default() } else { newest };
            self.go_on(now, Vec::new(), None, &approved, &withheld, None, false);
        } else {
            self.pass(now, Some((package, read, judgment)), confirms);
        }
        if held { Night::Held } else { Night::Taken }
    }

    fn turn_away(&mut self, bytes: u64) {
        if !self.rejected.contains(&bytes) {
            self.rejected.push(bytes);
        }
    }

    /// Time passes, and a package is taken in if there is one.
    fn pass(&mut self, now: Instant, taken: Option<(Package, crate::sim::auditor::reading::Read, Judgment)>, confirms: bool) {
        self.begun = true;
        let approval = self.approval(now, taken.as_ref().map(|(package, ..)| package.bytes));
        let used = approval.is_some();
        let approved = match (&approval, &taken) {
            (Some(approval), Some((_, _, judgment))) if approval.whole => judgment.removals.clone(),
            (Some(approval), _) => approval.removals.clone(),
            (None, _) => BTreeSet::new(),
        };
        let Some((package, read, judgment)) = taken else {
            self.next_hold(now, used, None);
            let withheld = self.hold.as_ref().map(|hold| hold.withheld()).unwrap_or_default();
            self.go_on(now, Vec::new(), None, &approved, &withheld, None, confirms);
            return;
        };
        self.next_hold(now, used, Some((&judgment, package.bytes)));
        self.note_days(false, now, judgment.base, judgment.passed);
        let told = self.told();
        let gone = told.into_iter().filter(|(key, known)| !known.ended && read.people.get(key).is_none_or(|is| is.ended));
        let gone: Vec<_> = gone.collect();
        self.known.retain(|key, _| is_by_hand(key));
        self.known.extend(read.people);
        self.mark = Some((package.name, package.bytes, now));
        let complete = read.complete.then_some(false);
        self.go_on(now, gone, complete, &approved, &judgment.withheld, Some(&judgment.held), confirms);
    }

    /// R116.
    pub fn note_days(&mut self, by_hand: bool, now: Instant, base: u32, passed: u32) {
        if base > 0 {
            let today = self.today(now);
            self.days.entry((by_hand, today)).or_insert((base, 0)).1 += passed;
        }
    }

    /// Who goes, who gets what, and the books are closed. `held` is `None` where nothing was taken in: what is held stays
    /// so until it is approved.
    #[expect(clippy::too_many_arguments, reason = "each is another fact of one run")]
    pub fn go_on(
        &mut self,
        now: Instant,
        gone: Vec<(String, crate::sim::auditor::books::Known)>,
        complete: Option<bool>,
        approved: &BTreeSet<String>,
        withheld: &BTreeSet<String>,
        held: Option<&BTreeSet<String>>,
        confirms: bool,
    ) {
        let still = || self.missing.iter().filter(|(key, m)| m.held && !approved.contains(*key)).map(|(key, _)| key.clone());
        let held: BTreeSet<String> = held.cloned().unwrap_or_else(|| still().collect());
        let going = Going { now, gone, complete, held: &held, approved, confirms };
        let former = self.settle_missing(&going);
        self.reconcile(now, withheld, &former);
        let open = self.hold.as_ref().is_some_and(|hold| hold.state == HoldState::Open);
        let held_back: Vec<u32> = (0..self.setup.pools.len()).map(|pool| if open { self.held_in(pool) } else { 0 }).collect();
        self.close(now, &held_back);
    }
}
