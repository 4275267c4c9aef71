//! What becomes of holds in a run: opened, told of, recomputed, resolved, run out (R119 to R122). No clock, no store:
//! the newest hold and what the guards say go in, the holds as they are afterwards come out.

use crate::base::{Calendar, Day, Digest, Instant, PersonKey, RunId, SourceId};
use crate::license::{Hold, HoldState};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::guard::GuardKind;
use crate::plan::judge::{Approval, Judgment};
use crate::plan::render::trip_text;

/// So many keys are told as a sample.
const SAMPLE: usize = 3;

/// What a run sees.
pub struct Sight<'a> {
    /// The run.
    pub run: RunId,
    /// When.
    pub now: Instant,
    /// The customer's calendar.
    pub calendar: &'a Calendar,
    /// How long a hold can be decided.
    pub ttl_hours: u32,
    /// The newest hold.
    pub newest: Option<&'a Hold>,
    /// The approval of the newest hold is used by this run.
    pub used: bool,
    /// What the guards say of a new snapshot; `None`: there was none.
    pub judged: Option<Judged<'a>>,
}

/// People of sources that were not read, who wait for a decision all the same. Both sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// Who would go.
    pub removals: Vec<PersonKey>,
    /// Who would come.
    pub additions: Vec<PersonKey>,
}

/// Judged snapshots of one or more sources.
pub struct Judged<'a> {
    /// What the guards say.
    pub judgment: &'a Judgment,
    /// Whose removal waits, sorted; of sources of which nothing is taken in, everybody whom they would remove.
    pub covered: &'a [PersonKey],
    /// The sources of which nothing is taken in.
    pub stopped: &'a [SourceId],
    /// The packages they came in: source, digest, name.
    pub packages: Vec<(SourceId, (Digest, String))>,
    /// Whom it says nothing of.
    pub others: &'a Others,
    /// What may be behind it where many are missing, by the ways of the sources' vendors.
    pub hints: Vec<String>,
}

/// What was approved and works in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approved {
    /// Whose removal, sorted.
    pub removals: Vec<PersonKey>,
    /// Whose addition, sorted.
    pub additions: Vec<PersonKey>,
    /// The sources whose packages of this run are taken in as they are, but for the exceptions.
    pub sources: Vec<SourceId>,
}

impl Approved {
    /// What it means for one source.
    pub fn of(&self, source: &SourceId) -> Approval {
        let whole = self.sources.contains(source);
        Approval { removals: self.removals.clone(), additions: self.additions.clone(), whole }
    }
}

/// What was approved and works now, as far as this run can do it: a hold of whole packages needs those packages, all of
/// them, as an approval works once. Packages of other sources are judged as ever.
pub fn approval(newest: Option<&Hold>, now: Instant, fresh: &[(SourceId, (Digest, String))]) -> Option<Approved> {
    let hold = newest.filter(|hold| hold.approval_works(now))?;
    let is_here = |(source, (digest, _)): &(SourceId, (Digest, String))| {
        fresh.iter().any(|(told, (package, _))| (told, package) == (source, digest))
    };
    if !hold.packages.iter().all(is_here) {
        return None;
    }
    let granted = |people: &[PersonKey]| people.iter().filter(|person| !hold.is_excepted(person)).cloned().collect();
    let sources = hold.packages.iter().map(|(source, _)| source.clone()).collect();
    Some(Approved { removals: granted(&hold.removals), additions: granted(&hold.additions), sources })
}

/// The sources whose packages of a run are approved but are not all that was approved: an approval works once, so they wait
/// for the others until its deadline.
pub fn deferred(newest: Option<&Hold>, now: Instant, fresh: &[(SourceId, (Digest, String))]) -> Vec<SourceId> {
    let Some(hold) = newest.filter(|hold| hold.approval_works(now)) else { return Vec::new() };
    let is_held = |(source, (digest, _)): &&(SourceId, (Digest, String))| {
        hold.packages.iter().any(|(told, (package, _))| (told, package) == (source, digest))
    };
    fresh.iter().filter(is_held).map(|(source, _)| source.clone()).collect()
}

/// The holds that change, and what to tell of them. A new hold comes without its plan's digest: the planner fills it in.
pub fn next_holds(sight: &Sight<'_>) -> (Vec<Hold>, Vec<Notice>) {
    let today = sight.calendar.day_of(sight.now);
    let (mut holds, mut notices) = (Vec::new(), Vec::new());
    let closed = |hold: &Hold, state| Hold { state, at: Some(sight.now), ..hold.clone() };
    let mut newest = sight.newest.cloned();
    if let Some(hold) = &mut newest {
        let before = hold.clone();
        if sight.used {
            hold.used = Some(sight.run);
        } else if hold.is_late(sight.now) {
            *hold = closed(hold, HoldState::Expired);
            notices.push(resolution(hold));
        }
        if *hold != before {
            holds.push(hold.clone());
        }
    }
    let open = newest.as_ref().filter(|hold| hold.state == HoldState::Open);
    let Some(judged) = &sight.judged else {
        if let Some(hold) = open.filter(|hold| hold.told < today && sight.calendar.is_business_day(today)) {
            notices.push(notice(hold, sight, today, false));
            holds.push(Hold { told: today, ..hold.clone() });
        }
        return (holds, notices);
    };

    let found = found(sight, judged, newest.as_ref(), today);
    match (open, found) {
        (None, None) => {
            // What was rejected, or ran out, and is gone from the source is no longer kept back.
            let gone = judged.others.additions.is_empty();
            if let Some(hold) = newest.filter(|hold| gone && !hold.withheld().is_empty() && !hold.state.is_approved()) {
                holds.push(closed(&hold, HoldState::ResolvedAtSource));
            }
        }
        (None, Some(found)) => {
            notices.push(notice(&found, sight, today, true));
            holds.push(found);
        }
        (Some(open), None) => {
            let gone = closed(open, HoldState::ResolvedAtSource);
            notices.push(resolution(&gone));
            holds.push(gone);
        }
        (Some(open), Some(found)) if is_part_of(&found, open) => {
            let Hold { trips, removals, additions, packages, empty, .. } = found;
            let mut hold = Hold { trips, removals, additions, packages, empty, ..open.clone() };
            if hold.told < today && sight.calendar.is_business_day(today) {
                notices.push(notice(&hold, sight, today, false));
                hold.told = today;
            }
            if hold != *open {
                holds.push(hold);
            }
        }
        (Some(open), Some(found)) => {
            let found = Hold { opened: open.opened, ..found };
            notices.push(notice(&found, sight, today, true));
            holds.push(closed(open, HoldState::Superseded));
            holds.push(found);
        }
    }
    (holds, notices)
}

/// Nobody and nothing is in it that was not in the other one.
fn is_part_of(hold: &Hold, other: &Hold) -> bool {
    let people = |few: &[PersonKey], many: &[PersonKey]| few.iter().all(|person| many.binary_search(person).is_ok());
    people(&hold.removals, &other.removals)
        && people(&hold.additions, &other.additions)
        && hold.packages.iter().all(|package| other.packages.contains(package))
        && (other.empty || !hold.empty)
}

/// The hold that a judged snapshot asks for.
fn found(sight: &Sight<'_>, judged: &Judged<'_>, newest: Option<&Hold>, today: Day) -> Option<Hold> {
    let Judged { judgment, covered, stopped, packages, others, hints } = judged;
    let open = newest.filter(|hold| hold.state == HoldState::Open);
    // Packages of other sources wait on: this run says nothing of them.
    let other = |(source, _): &&(SourceId, (Digest, String))| packages.iter().all(|(fresh, _)| fresh != source);
    let carried: Vec<_> = open.map_or(Vec::new(), |hold| hold.packages.iter().filter(other).cloned().collect());
    // So do their people.
    let waits_on = open.is_some_and(|hold| {
        let covered = |few: &[PersonKey], many: &[PersonKey]| few.iter().any(|person| many.binary_search(person).is_ok());
        !carried.is_empty() || covered(&others.removals, &hold.removals) || covered(&others.additions, &hold.additions)
    });
    if judgment.verdict.proceeds() && !waits_on {
        return None;
    }
    let mut hold = Hold {
        run: sight.run,
        plan: Digest::default(),
        opened: sight.now,
        deadline: Instant(sight.now.0.saturating_add(i64::from(sight.ttl_hours) * 3_600_000)),
        trips: judgment.verdict.trips.iter().map(trip_text).chain(hints.iter().cloned()).collect(),
        removals: covered.to_vec(),
        additions: judgment.withheld.clone(),
        packages: packages.iter().filter(|(source, _)| stopped.contains(source)).cloned().collect(),
        empty: judgment.verdict.trips.iter().any(|trip| trip.guard == GuardKind::Empty),
        state: HoldState::Open,
        by: None,
        at: None,
        exceptions: Vec::new(),
        used: None,
        told: today,
    };
    if let Some(newest) = newest {
        let still = |person: &&PersonKey| {
            [&judgment.removals, &judgment.withheld, &others.removals].iter().any(|all| all.binary_search(person).is_ok())
        };
        hold.exceptions = newest.exceptions.iter().filter(still).cloned().collect();
        if packages.len() == stopped.len() {
            // The books' own roster stays: whoever got no seats there goes on without.
            hold.additions.extend(newest.withheld());
        }
    }
    if let Some(open) = open.filter(|_| waits_on) {
        hold.trips.extend(open.trips.iter().filter(|trip| !hold.trips.contains(trip)).cloned().collect::<Vec<_>>());
        hold.removals.extend(others.removals.iter().cloned());
    }
    if let Some(open) = open.filter(|_| !carried.is_empty()) {
        hold.removals.extend(open.removals.iter().cloned());
        hold.empty |= open.empty;
        hold.packages.extend(carried);
        hold.packages.sort();
    }
    for people in [&mut hold.removals, &mut hold.additions] {
        people.sort_unstable();
        people.dedup();
    }
    Some(hold)
}

/// What is told of a hold that nobody has to decide any more (R151). Of one that a newer one took the place of nothing is: the
/// newer one is told of.
pub fn resolution(hold: &Hold) -> Notice {
    let Hold { run, state, .. } = hold;
    let by = hold.by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
    let text = match state {
        HoldState::Approved => format!("The hold of run {run} was approved{by}."),
        HoldState::PartlyApproved => {
            format!("The hold of run {run} was approved{by}, but for {} people.", hold.exceptions.len())
        }
        HoldState::Rejected => format!("The hold of run {run} was rejected{by}: everybody keeps what they have."),
        HoldState::Expired => format!("The hold of run {run} ran out at {}: everybody keeps what they have.", hold.deadline),
        HoldState::ResolvedAtSource => format!("The hold of run {run} is over: a newer snapshot has nothing left to hold."),
        HoldState::Open | HoldState::Superseded => format!("The hold of run {run} is {}.", state.word()),
    };
    let source = hold.packages.first().map(|(source, _)| source.clone());
    Notice { key: format!("hold_closed/{run}/{}", state.word()), kind: NoticeKind::HoldClosed, pool: None, source, text }
}

/// What is told of a hold when it opens, and once a business day after that (R122).
fn notice(hold: &Hold, sight: &Sight<'_>, today: Day, opens: bool) -> Notice {
    let run = hold.run;
    let key = if opens { format!("hold/{run}") } else { format!("hold/{run}/{today}") };
    let age = today.0 - sight.calendar.day_of(hold.opened).0;
    let since = if opens && age == 0 { "is held".to_owned() } else { format!("is held since {age} days") };
    let sample = |people: &[PersonKey]| {
        let keys: Vec<&str> = people.iter().take(SAMPLE).map(PersonKey::as_str).collect();
        let more = if people.len() > SAMPLE { ", …" } else { "" };
        if keys.is_empty() { String::new() } else { format!(" ({}{more})", keys.join(", ")) }
    };
    let (go, come) = (sample(&hold.removals), sample(&hold.additions));
    Notice {
        key,
        kind: NoticeKind::HoldOpened,
        pool: None,
        source: hold.packages.first().map(|(source, _)| source.clone()),
        text: format!(
            "Run {run} {since} by {}: {} removals{go} and {} additions{come} wait; decide until {} (`rosterd hold show {run}`).",
            hold.trips.join("; "),
            hold.removals.len(),
            hold.additions.len(),
            hold.deadline
        ),
    }
}

#[cfg(test)]
mod tests;
