//! A same-day run for one person or the people of one org (R96): the sources are read as ever, what concerns others is
//! left for the next run of the whole. What was read counts as not read.

use crate::base::{Instant, PersonKey, SourceId, most_similar};
use crate::license::{Absence, Hold, SourceMark};
use crate::plan::{Approval, Case, GuardLimits, Judgment, Standing, approval, judge};
use crate::roster::{IntakeCounts, Roster, RosterDelta, Scope, diff, take_people};
use crate::service::behind::Behind;
use crate::service::core::{Customer, Feed, Service};
use crate::service::error::ServiceError;
use crate::service::linking::{Told, own_keys};
use crate::service::pauses::RunTerms;
use crate::service::pulled::{Fresh, Narrowed, Pulled};
use crate::service::purge::without_strangers;
use crate::service::rosters::{Taken, bad_rows, read_package, without_new_keys};
use crate::service::snapshots::Ground;
use crate::source::Package;

/// Fails if what the scope names is nowhere, in none of the sources that were read.
pub(crate) fn known(scope: &Scope, pulls: &[Pulled]) -> Result<(), ServiceError> {
    let mut narrowed = pulls.iter().filter_map(|pulled| pulled.narrowed.as_ref()).peekable();
    let unread = pulls.iter().any(|pulled| match &pulled.narrowed {
        Some(narrowed) => pulled.error.is_some() || narrowed.trouble.is_some(),
        None => pulled.before.as_ref().is_some_and(|before| scope.is_in(before)),
    });
    if unread || narrowed.peek().is_none() || pulls.iter().any(|pulled| pulled.narrowed.as_ref().is_some_and(|n| n.knows)) {
        return Ok(());
    }
    let hint = narrowed.find_map(|narrowed| narrowed.hint.clone());
    Err(ServiceError::Unknown { what: scope.word(), id: scope.id().to_owned(), hint })
}

impl Narrowed {
    /// Whether what the scope names is anywhere; the first roster is the newest.
    fn look_for(&mut self, scope: &Scope, standing: &Standing, rosters: &[&Roster]) {
        let noted = |person: &PersonKey| standing.absences.iter().any(|absence| absence.person == *person);
        self.knows = rosters.iter().any(|roster| scope.is_in(roster)) || matches!(scope, Scope::Person(key) if noted(key));
        if let (false, Some(newest)) = (self.knows, rosters.first()) {
            self.hint = most_similar(scope.id(), scope.candidates(newest));
        }
    }
}

/// People in scope whom a source is missing already, sorted.
fn noted(scope: &Scope, source: &SourceId, standing: &Standing, rosters: &[&Roster]) -> Vec<PersonKey> {
    let waits = |absence: &&Absence| absence.source == *source && !absence.removed;
    let of_org = |absence: &&Absence| {
        let org = absence.org.as_ref();
        org.is_some_and(|org| rosters.iter().any(|roster| scope.has_org(roster, org.as_str())))
    };
    let is_meant = |absence: &&Absence| matches!(scope, Scope::Person(key) if *key == absence.person) || of_org(absence);
    standing.absences.iter().filter(waits).filter(is_meant).map(|absence| absence.person.clone()).collect()
}

impl Service {
    /// Reads all that is pending of a source, in order, and takes in the people in scope: the stored snapshot with them as
    /// they are now. The mark stays that of the package taken in last.
    pub(crate) fn pull_people(
        &self,
        customer: &Customer,
        feed: &Feed,
        standing: &Standing,
        (scope, terms): (&Scope, &RunTerms),
        now: Instant,
    ) -> Result<Pulled, ServiceError> {
        let source = feed.source.id().clone();
        let mut pulled = Pulled::nothing_new(source.clone(), None);
        let mut narrowed = Narrowed::default();
        let Some(mark) = standing.sources.get(&source) else {
            narrowed.trouble = Some("it was never taken in, a run of the whole customer comes first".to_owned());
            pulled.narrowed = Some(narrowed);
            return Ok(pulled);
        };
        let read = self.read_on(customer, feed, standing, mark, (&mut pulled, &mut narrowed))?;
        let (before, ground) = self.load(customer.id(), &mark.snapshot)?.split();
        match read {
            Some((package, roster, mut counts)) => {
                let told = Told { findings: &mut pulled.findings, counts: &mut counts };
                let (roster, _) = self.linked(customer, (&source, Some(&before)), (standing, &[]), roster, told)?;
                narrowed.look_for(scope, standing, &[&roster, &before]);
                narrowed.told.push(format!("source {source}: of package {} only {scope} is taken in", package.name));
                let roster = without_strangers(customer, standing, Some(&before), roster, customer.day_of(now))?;
                let read = Read { source: &source, package: &package, before: &before, standing, now };
                let taken =
                    read.take(customer, roster, (scope, terms), &mut narrowed, self.is_approved(standing, &package.told()))?;
                if let Some(roster) = taken {
                    let ground = Some(Ground::Loaded(&before, &ground));
                    let name = self.stage_roster(customer.id(), &source, &roster, ground, now)?;
                    let mark = SourceMark { snapshot: name.digest, amended: true, ..mark.clone() };
                    let (conflicts, needs, is_bare, trace, behind) = (Vec::new(), None, false, None, Behind::default());
                    pulled.fresh = Some(Fresh { mark, roster, counts, conflicts, needs, is_bare, name, trace, behind });
                }
            }
            None if pulled.error.is_none() && narrowed.trouble.is_none() => {
                narrowed.look_for(scope, standing, &[&before]);
                if terms.confirms_absences() {
                    narrowed.gone = noted(scope, &source, standing, &[&before]);
                }
                narrowed.told.push(format!("source {source}: nothing new is there to be read"));
            }
            None => {}
        }
        pulled.before = Some(before);
        pulled.narrowed = Some(narrowed);
        Ok(pulled)
    }

    /// What the source says after all its pending packages; `None` if there are none or one of them cannot be used.
    fn read_on(
        &self,
        customer: &Customer,
        feed: &Feed,
        standing: &Standing,
        mark: &SourceMark,
        (pulled, narrowed): (&mut Pulled, &mut Narrowed),
    ) -> Result<Option<(Package, Roster, IntakeCounts)>, ServiceError> {
        let seen = self.seen(customer, feed.source.id(), standing)?;
        let packages = match feed.source.pending(&seen) {
            Ok(packages) => packages,
            Err(error) => {
                pulled.error = Some(error);
                return Ok(None);
            }
        };
        let mut read: Option<(Package, Roster, IntakeCounts)> = None;
        for package in packages {
            if read.is_none() && package.digest.is_some_and(|told| mark.is_of(&told)) {
                continue;
            }
            let previous = match read.take() {
                Some((_, roster, _)) => roster,
                None => own_keys(customer, self.snapshot(customer.id(), &mark.snapshot)?)?,
            };
            let Some(taken) = read_package(feed, package, Some(previous), pulled) else { return Ok(None) };
            let Taken { package, roster, counts, .. } = taken;
            // Log-ins are news of everybody: the next whole run takes them in.
            let (roster, _) = self.without_activity(customer, feed, roster, &mut pulled.findings)?;
            if feed.source.is_live() && (seen.rejected.contains(&package.told()) || mark.is_of(&package.told())) {
                continue;
            }
            if let Some(bad) = bad_rows(customer, &counts) {
                narrowed.trouble = Some(format!("package {} cannot be relied on, {bad}", package.name));
                return Ok(None);
            }
            read = Some((package, roster, counts));
        }
        if let Some(hold) = standing.hold.as_ref().filter(|hold| hold.is_open(self.now()) && read.is_none())
            && let Some((_, (_, name))) = hold.packages.iter().find(|(of, _)| of == feed.source.id())
        {
            narrowed.trouble = Some(format!("package {name} waits for a decision (`rosterd hold show {}`)", hold.run));
        }
        Ok(read)
    }
}

/// A read of a source, beside what the books rest on.
struct Read<'a> {
    source: &'a SourceId,
    package: &'a Package,
    before: &'a Roster,
    standing: &'a Standing,
    now: Instant,
}

impl Read<'_> {
    /// The stored roster with the people in scope as they were read; `None` if nothing about them is new, or the guards
    /// keep it out.
    fn take(
        &self,
        customer: &Customer,
        read: Roster,
        (scope, terms): (&Scope, &RunTerms),
        narrowed: &mut Narrowed,
        approved: bool,
    ) -> Result<Option<Roster>, ServiceError> {
        let Read { source, before, standing, .. } = *self;
        let known = Some(before).filter(|_| !approved);
        let (read, conflicts) = without_new_keys(customer.id(), known, read)?;
        let limits = customer.policy.limits_on(customer.day_of(self.now));
        let limits = if terms.rollover().contains(source) { limits.rollover() } else { limits };
        let packages = [(source.clone(), (self.package.told(), self.package.name.clone()))];
        let grant = approval(standing.hold.as_ref(), self.now, &packages).map(|approved| approved.of(source));
        // A read that a run of the whole would not take in at all is not taken in for anybody.
        let absences: Vec<Absence> = standing.absences.iter().filter(|a| a.source == *source).cloned().collect();
        let conflicted = u32::try_from(conflicts.len()).unwrap_or(u32::MAX);
        let whole = self.judge(customer, limits, (&read, &diff(before, &read)), (&absences, conflicted), grant.as_ref());
        if whole.verdict.stops_all(&limits) {
            narrowed.verdict = whole.verdict;
            return Ok(None);
        }

        let mut people = scope.people(before, &read);
        people.extend(noted(scope, source, standing, &[before, &read]));
        people.sort_unstable();
        people.dedup();
        narrowed.conflicts = conflicts
            .into_iter()
            .map(|(known, new)| (PersonKey::from(known.as_str()), PersonKey::from(new.as_str())))
            .filter(|(known, new)| {
                [known, new].iter().any(|key| people.binary_search(key).is_ok() || scope.id() == key.as_str())
            })
            .collect();
        let is_missing = |person: &PersonKey| read.find_person(person.as_str()).is_none();
        if terms.confirms_absences() {
            narrowed.gone = people.iter().filter(|person| is_missing(person)).cloned().collect();
        } else {
            let all = people.len();
            people.retain(|person| !is_missing(person));
            if people.len() < all {
                narrowed.told.push(format!(
                    "source {source}: {} in scope missing, which counts when the whole is read, or at once with --confirm-absences",
                    all - people.len()
                ));
            }
        }
        let take = |people: &[PersonKey]| -> Result<(Roster, RosterDelta), ServiceError> {
            let roster = take_people(before, &read, people).map_err(|error| ServiceError::snapshot(customer.id(), &error))?;
            let delta = diff(before, &roster);
            Ok((roster, delta))
        };
        let (mut roster, mut delta) = take(&people)?;
        // Removals that a hold waits for are no business of this run: they neither count here nor are they done.
        let grant = approval(standing.hold.as_ref(), self.now, &[]).map(|approved| approved.of(source));
        let judgment = self.judge(customer, limits, (&roster, &delta), (&[], 0), grant.as_ref());
        narrowed.counted = (judgment.base, judgment.passed);
        if !judgment.verdict.proceeds() {
            if judgment.verdict.stops_all(&limits) {
                narrowed.gone.clear();
                narrowed.verdict = judgment.verdict;
                return Ok(None);
            }
            let kept = |person: &PersonKey| {
                judgment.held.binary_search(person).is_ok() || judgment.withheld.binary_search(person).is_ok()
            };
            people.retain(|person| !kept(person));
            narrowed.gone.retain(|person| !kept(person));
            narrowed.verdict = judgment.verdict;
            (roster, delta) = take(&people)?;
        }
        let left = delta.ended.iter().map(|(was, _)| was).chain(&delta.absent);
        narrowed.left = left.map(|&at| PersonKey::from(before.text(before.person(at).key))).collect();
        Ok(Some(roster).filter(|_| !delta.is_empty()))
    }

    fn judge(
        &self,
        customer: &Customer,
        limits: GuardLimits,
        (after, delta): (&Roster, &RosterDelta),
        (absences, conflicts): (&[Absence], u32),
        approval: Option<&Approval>,
    ) -> Judgment {
        let Read { before, standing, .. } = *self;
        let withheld = standing.hold.as_ref().map_or(Vec::new(), Hold::withheld);
        judge(&Case {
            before,
            after,
            delta,
            conflicts,
            absences,
            limits,
            today: customer.day_of(self.now),
            days: &standing.guard_days,
            withheld: &withheld,
            exceptions: standing.hold.as_ref().map_or(&[], |hold| hold.exceptions.as_slice()),
            new_source: false,
            approval,
        })
    }
}
