//! The guards of a run, source by source: what one delivers neither hides nor causes a trip of another (R115).

use std::collections::BTreeSet;

use crate::base::{PersonKey, SourceId};
use crate::license::{Absence, GuardDay, Hold};
use crate::plan::{Approval, Approved, Case, GuardLimits, Judgment, Others, Policy, Standing, judge};
use crate::roster::{Roster, RosterDelta};
use crate::service::core::MANUAL_SOURCE;

/// One source that was read, as the guards see it.
pub(crate) struct Alone {
    /// Which source.
    pub(crate) source: SourceId,
    /// Its roster before.
    pub(crate) before: Roster,
    /// Its roster now.
    pub(crate) after: Roster,
    /// What changed in between, in the scope that is judged.
    pub(crate) delta: RosterDelta,
}

impl Alone {
    /// The people whom the source had and has no more.
    pub(crate) fn left(&self) -> impl Iterator<Item = &str> {
        let RosterDelta { ended, absent, .. } = &self.delta;
        let left = ended.iter().map(|(was, _)| was).chain(absent);
        left.map(|&at| self.before.text(self.before.person(at).key))
    }
}

/// What is judged of a run.
pub(crate) struct Bench<'a> {
    pub(crate) standing: &'a Standing,
    pub(crate) policy: &'a Policy,
    pub(crate) limits: GuardLimits,
    pub(crate) now: crate::base::Instant,
    /// The roster of all sources as it would be.
    pub(crate) after: &'a Roster,
    /// The same without what the sources of which nothing is taken in would bring; those were judged before.
    pub(crate) without: Option<(&'a [SourceId], &'a Roster)>,
    /// Known people and the new keys that claim their e-mail.
    pub(crate) conflicts: &'a [(PersonKey, PersonKey)],
    pub(crate) approval: Option<&'a Approved>,
    /// Sources whose packages are approved and wait for those of others that were approved with them.
    pub(crate) deferred: &'a [SourceId],
    /// Sources that are judged as at the turn of a school year (R108).
    pub(crate) rollover: &'a BTreeSet<SourceId>,
}

/// A verdict over one or more sources.
#[derive(Default)]
pub(crate) struct Sentence {
    pub(crate) judgment: Judgment,
    /// Sources of which nothing is taken in, each for what tripped in it alone.
    pub(crate) stopped: Vec<SourceId>,
    /// Whose removal waits, sorted; of those sources, everybody whom they would remove.
    pub(crate) covered: Vec<PersonKey>,
    /// Whom packages remove that were approved as they are.
    pub(crate) approved: Vec<PersonKey>,
    /// By source that is taken in: people before, and removals that passed (R116).
    pub(crate) counted: Vec<(SourceId, u32, u32)>,
    /// People of sources that were not read who wait on, sorted: those who would go, and those who would come.
    pub(crate) others: Others,
}

impl Bench<'_> {
    /// Judges each source by itself, and puts together what comes of it.
    pub(crate) fn judge_all<'s>(
        &self,
        sources: impl Iterator<Item = (&'s SourceId, &'s Roster, &'s Roster, &'s RosterDelta)>,
    ) -> Sentence {
        let mut all = Sentence::default();
        let (mut read, mut rosters) = (Vec::new(), Vec::new());
        for (source, before, after, delta) in sources {
            if self.deferred.contains(source) {
                all.stopped.push(source.clone());
                continue;
            }
            let approval = self.approval.map(|approval| approval.of(source));
            let judgment = self.judge(source, before, after, delta, approval.as_ref());
            let Judgment { verdict, held, withheld, removals, base, passed } = judgment;
            if approval.is_some_and(|approval| approval.whole) {
                all.approved.extend(removals.iter().cloned());
            }
            let sum = &mut all.judgment;
            if verdict.stops_all(&self.limits) {
                all.stopped.push(source.clone());
                all.covered.extend(removals.iter().cloned());
            } else {
                all.counted.push((source.clone(), base, passed));
                sum.held.extend(held);
            }
            // Whom another source has as well gets nothing either before somebody decides (I10).
            sum.withheld.extend(withheld);
            read.push(source);
            rosters.push(after);
            sum.verdict.trips.extend(verdict.trips);
            sum.removals.extend(removals);
            sum.base += base;
            sum.passed += passed;
        }
        // What waits of other sources waits on: this run says nothing of them, nor of those that it keeps out beside others.
        if read.iter().any(|source| !all.stopped.contains(source)) {
            let mut taken = read.iter().map(|source| !all.stopped.contains(source));
            rosters.retain(|_| taken.next().unwrap_or(true));
            read.retain(|source| !all.stopped.contains(source));
        }
        all.others = self.others(&read, &rosters);
        all.judgment.held.extend(all.others.removals.iter().cloned());
        all.judgment.withheld.extend(all.others.additions.iter().cloned());
        all.covered.extend(all.judgment.held.iter().cloned());
        let Judgment { held, withheld, removals, .. } = &mut all.judgment;
        for people in [held, withheld, removals, &mut all.covered, &mut all.approved] {
            people.sort_unstable();
            people.dedup();
        }
        all
    }

    fn others(&self, judged: &[&SourceId], rosters: &[&Roster]) -> Others {
        let Bench { standing, approval, .. } = *self;
        let after = self.without.map_or(self.after, |(_, without)| without);
        let removals = standing.absences.iter().filter(|absence| absence.held && !judged.contains(&&absence.source));
        let removals = removals.map(|absence| absence.person.clone());
        let additions = standing.hold.as_ref().map_or(Vec::new(), Hold::withheld).into_iter();
        let additions = additions.filter(|key| {
            after.active(key.as_str()).is_some() && !rosters.iter().any(|roster| roster.active(key.as_str()).is_some())
        });
        Others {
            removals: removals.filter(|key| approval.is_none_or(|a| a.removals.binary_search(key).is_err())).collect(),
            additions: additions.filter(|key| approval.is_none_or(|a| a.additions.binary_search(key).is_err())).collect(),
        }
    }

    fn judge(
        &self,
        source: &SourceId,
        before: &Roster,
        after: &Roster,
        delta: &RosterDelta,
        approval: Option<&Approval>,
    ) -> Judgment {
        let Bench { standing, policy, limits, now, .. } = *self;
        let all = self.without.filter(|(stopped, _)| !stopped.contains(source)).map_or(self.after, |(_, without)| without);
        // Somebody whom another source has is waited for no more; whoever is back in this one is not new (R117).
        let elsewhere = |key: &PersonKey| all.active(key.as_str()).is_some() && after.active(key.as_str()).is_none();
        let own = |absence: &&Absence| absence.source == *source && !elsewhere(&absence.person);
        let absences: Vec<Absence> = standing.absences.iter().filter(own).cloned().collect();
        let days: Vec<GuardDay> = standing.guard_days.iter().filter(|day| day.source == *source).cloned().collect();
        let conflicts = self.conflicts.iter().filter(|(known, _)| before.find_person(known.as_str()).is_some());
        // A preview of a file by hand that somebody confirmed is the approval that a new source needs (R125).
        let new_source = !standing.sources.contains_key(source) && source.as_str() != MANUAL_SOURCE;
        judge(&Case {
            before,
            after,
            delta,
            conflicts: u32::try_from(conflicts.count()).unwrap_or(u32::MAX),
            absences: &absences,
            limits: if self.rollover.contains(source) { limits.rollover() } else { limits },
            today: policy.calendar.day_of(now),
            days: &days,
            withheld: &standing.hold.as_ref().map_or(Vec::new(), Hold::withheld),
            exceptions: standing.hold.as_ref().map_or(&[], |hold| hold.exceptions.as_slice()),
            new_source,
            approval,
        })
    }
}
