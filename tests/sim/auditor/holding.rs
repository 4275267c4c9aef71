//! What becomes of holds (R119 to R122): opened, told of, recomputed, resolved, run out, decided.

use std::collections::BTreeSet;

use rosterd::base::Instant;

use crate::sim::auditor::books::{Auditor, Hold, HoldState};
use crate::sim::auditor::guards::{Approval, Judgment};

/// An approval, and a hold, are good for three days (R120).
const TTL_MILLIS: i64 = 72 * 3_600_000;

/// The answer to a decision on a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldSaid {
    Done,
    NotOpen,
    Expired,
    NeedsAllowEmpty,
}

impl Auditor {
    /// What was approved and works now; a hold of a whole package needs that package.
    pub fn approval(&self, now: Instant, fresh: Option<u64>) -> Option<Approval> {
        let hold = self.hold.as_ref().filter(|hold| hold.approval_works(now))?;
        let whole = hold.package.is_some() && hold.package == fresh;
        if hold.package.is_some() && !whole {
            return None;
        }
        let granted = |people: &BTreeSet<String>| people.difference(&hold.exceptions).cloned().collect();
        Some(Approval { removals: granted(&hold.removals), additions: granted(&hold.additions), whole })
    }

    /// Whether nothing waits for a decision, nor on account of one.
    pub fn rests(&self) -> bool {
        let waits = |hold: &Hold| hold.state == HoldState::Open || (hold.is_approved() && !hold.used);
        self.hold.as_ref().is_none_or(|hold| !waits(hold) && hold.withheld().is_empty() && hold.exceptions.is_empty())
    }

    /// Whether a package was held as a whole and is approved now: it is offered once more.
    pub fn is_approved(&self, bytes: u64, now: Instant) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.approval_works(now) && hold.package == Some(bytes))
    }

    /// The newest hold after a run that used an approval (or not) and judged a package (or not).
    pub fn next_hold(&mut self, now: Instant, used: bool, judged: Option<(&Judgment, u64)>) {
        let today = self.today(now);
        let workday = self.calendar.is_business_day(today);
        if let Some(hold) = &mut self.hold {
            let awaited = hold.state == HoldState::Open || (hold.is_approved() && !hold.used);
            if used {
                hold.used = true;
            } else if awaited && now >= hold.deadline {
                hold.state = HoldState::Expired;
            }
        }
        let Some((judgment, bytes)) = judged else {
            if let Some(hold) = &mut self.hold
                && hold.state == HoldState::Open
                && hold.told < today
                && workday
            {
                hold.told = today;
            }
            return;
        };
        let newest = self.hold.clone();
        let open = newest.clone().filter(|hold| hold.state == HoldState::Open);
        if judgment.trips.is_empty() {
            let settled = |hold: &Hold| hold.state == HoldState::Open || (!hold.withheld().is_empty() && !hold.is_approved());
            if let Some(hold) = self.hold.as_mut().filter(|hold| settled(hold)) {
                hold.state = HoldState::Resolved;
            }
            return;
        }
        let mut found = Hold {
            opened: now,
            deadline: Instant(now.0 + TTL_MILLIS),
            removals: if judgment.stops { judgment.removals.clone() } else { judgment.held.clone() },
            additions: judgment.withheld.clone(),
            package: judgment.stops.then_some(bytes),
            empty: judgment.trips.contains(&"empty"),
            state: HoldState::Open,
            exceptions: BTreeSet::new(),
            used: false,
            told: today,
        };
        if let Some(newest) = &newest {
            let still = |key: &&String| judgment.removals.contains(*key) || judgment.withheld.contains(*key);
            found.exceptions = newest.exceptions.iter().filter(still).cloned().collect();
            if judgment.stops {
                // The roster stays as it was: whoever got no seats goes on without.
                found.additions.extend(newest.withheld());
            }
        }
        self.hold = Some(match open {
            None => found,
            // Smaller or equal: the same hold (R121).
            Some(open)
                if found.removals.is_subset(&open.removals)
                    && found.additions.is_subset(&open.additions)
                    && (found.package.is_none() || found.package == open.package)
                    && (open.empty || !found.empty) =>
            {
                let told = if open.told < today && workday { today } else { open.told };
                let Hold { removals, additions, package, empty, .. } = found;
                Hold { removals, additions, package, empty, told, ..open }
            }
            Some(open) => Hold { opened: open.opened, ..found },
        });
    }

    /// A run that could not use its package looks after the hold all the same.
    pub fn sweep_hold(&mut self, now: Instant) {
        self.next_hold(now, false, None);
    }

    /// Approves the newest hold but for some people, or rejects it. Doing what was approved is a run of its own.
    pub fn decide_hold(&mut self, approve: bool, exceptions: &BTreeSet<String>, allow_empty: bool, now: Instant) -> HoldSaid {
        self.pass_time(now);
        let Some(hold) = self.hold.as_mut().filter(|hold| hold.state == HoldState::Open) else { return HoldSaid::NotOpen };
        if now >= hold.deadline {
            return HoldSaid::Expired;
        }
        if approve && hold.empty && !allow_empty {
            return HoldSaid::NeedsAllowEmpty;
        }
        if approve {
            hold.state = if exceptions.is_empty() { HoldState::Approved } else { HoldState::PartlyApproved };
            hold.exceptions = exceptions.clone();
            hold.deadline = Instant(now.0 + TTL_MILLIS);
        } else {
            hold.state = HoldState::Rejected;
        }
        HoldSaid::Done
    }
}
