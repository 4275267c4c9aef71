//! What a run comes to before it is committed: rosters compared, guards asked, a plan made and looked at twice.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;

use crate::base::{CustomerId, Digest, Instant, PersonKey, RunId, SourceId};
use crate::license::{AgreedExcess, Because, ClaimState, Grant, GuardDay, Hold, SourceMark, Term};
use crate::plan::{
    Approved, GuardLimits, Holding, Judged, Judgment, Needs, Plan, PlanInput, Sight, Standing, Verdict, approval, deferred,
    holding_after, plan_checked, still_held, trip_text,
};
use crate::roster::{Level, Roster, RosterDelta, Watch, diff};
use crate::service::behind::Behind;
use crate::service::core::{Customer, Feed, MANUAL_SOURCE, Service};
use crate::service::error::ServiceError;
use crate::service::guarding::{Alone, Bench, Sentence};
use crate::service::hints::hint;
use crate::service::pauses::RunTerms;
use crate::service::pulled::Pulled;
use crate::service::purge::Marks;
use crate::service::rosters::{people_of_none, united, united_of};
use crate::store::{RunState, RunTally};

/// A plan with the things the service needs to commit it.
pub(crate) struct Draft {
    pub(crate) plan: Plan,
    pub(crate) people: u64,
    pub(crate) state: RunState,
    pub(crate) message: String,
    pub(crate) packages: Vec<String>,
    /// Packages that a guard keeps out as a whole; they are not offered again until they change.
    pub(crate) kept_out: Vec<(SourceId, Digest)>,
}

/// Grants, agreements and terms that are recorded with this run.
#[derive(Default)]
pub(crate) struct Seeds {
    /// As of when.
    pub(crate) at: Instant,
    pub(crate) grants: Vec<Grant>,
    pub(crate) agreed: Vec<AgreedExcess>,
    pub(crate) terms: Vec<Term>,
}

/// The rosters of a run, kept over repeated planning.
pub(crate) struct Drafting {
    pub(crate) before: Roster,
    /// Of `before` only whom the comparison names is left.
    pub(crate) is_thin: bool,
    /// All of `before`, once a guard stopped a run whose comparison is thin.
    whole: Option<Roster>,
    pub(crate) after: Option<Roster>,
    /// Of most people of `after` nothing is there but the key.
    pub(crate) is_bare: bool,
    /// What the people of `after` ought to have: then little else is left of it.
    pub(crate) asked: Option<Asked>,
    /// The same, as far as it was asked when one source alone was read.
    pub(crate) needs: Option<Needs>,
    pub(crate) delta: RosterDelta,
    pub(crate) fresh: Vec<SourceMark>,
    amended: Vec<SourceMark>,
    repeated: Vec<SourceMark>,
    pub(crate) conflicts: Vec<(PersonKey, PersonKey)>,
    by_hand: Vec<PersonKey>,
    /// Each source that was read, where there are several.
    pub(crate) alone: Vec<Alone>,
    /// All rosters in their order, where several were read: one can be kept out without the others.
    places: Vec<Place>,
    /// Which source had somebody who left, where several were read.
    owners: BTreeMap<String, SourceId>,
    row_findings: bool,
    trouble: bool,
    /// Sources whose absences count at once (R131).
    confirmed: Vec<SourceId>,
    /// Sources whose new snapshot does not tell of all people.
    partial: Vec<SourceId>,
    /// Sources that are judged as at the turn of a school year.
    rollover: BTreeSet<SourceId>,
    /// Only some people were taken in, and the guards have spoken.
    pub(crate) narrow: Option<Narrow>,
    /// Whether rows outside memory that all this was made of can still be had.
    watches: Vec<Watch>,
    /// What is still on its way into the store.
    pub(crate) behind: Behind,
}

/// What the people of the newer roster ought to have, and who stayed whole in it because they were withheld.
pub(crate) struct Asked {
    pub(crate) needs: Needs,
    pub(crate) withheld: Vec<PersonKey>,
}

/// The roster of one source.
enum Place {
    /// It was read: its place among those.
    Read(usize),
    /// It stays as it is.
    Stays(Box<Roster>),
}

/// What the guards said of all sources of a run for some people, and who counts as gone at once.
#[derive(Default)]
pub(crate) struct Narrow {
    verdict: Verdict,
    /// By source: people before, and removals that passed.
    counted: Vec<(SourceId, u32, u32)>,
    gone: Vec<PersonKey>,
    /// Who left, and which source had them.
    left: Vec<(SourceId, PersonKey)>,
}

impl Drafting {
    pub(crate) fn new(customer: &CustomerId, mut pulls: Vec<Pulled>, terms: &RunTerms) -> Result<Self, ServiceError> {
        let complete = pulls.iter().filter(|p| p.error.is_none() && terms.reads(&p.source));
        let narrow = narrow(&pulls, terms);
        // For some people only: of everybody else nothing is confirmed.
        let all = terms.confirms_absences() && narrow.is_none();
        let confirmed = complete.filter(|_| all).map(|p| p.source.clone()).collect();
        let trouble = pulls.iter().any(|p| p.error.is_some() || p.narrowed.as_ref().is_some_and(|n| n.trouble.is_some()));
        let row_findings = pulls.iter().any(|p| p.findings.kept.iter().any(|f| matches!(f.level, Level::Row | Level::Graph)));
        let partial =
            pulls.iter().filter(|p| p.fresh.as_ref().is_some_and(|fresh| fresh.counts.partial)).map(|p| p.source.clone());
        let partial = partial.collect();
        let by_hand = only_by_hand(&pulls);
        let watches = pulls.iter().map(|pulled| pulled.watch.clone()).collect();
        let (mut olds, mut news, mut conflicts) = (Vec::new(), Vec::new(), Vec::new());
        let (mut fresh, mut amended) = (Vec::new(), Vec::new());
        let repeated: Vec<SourceMark> = pulls.iter().filter_map(|p| p.repeated.clone()).collect();
        let compared = pulls.iter_mut().find_map(|p| p.compared.take());
        let needs = pulls.iter_mut().filter_map(|p| p.fresh.as_mut()).find_map(|fresh| fresh.needs.take());
        let is_bare = pulls.iter().filter_map(|p| p.fresh.as_ref()).any(|fresh| fresh.is_bare);
        let any_fresh = pulls.iter().any(|p| p.fresh.is_some());
        // Where each read source stands among the rosters, before and now.
        let mut read_at: Vec<(SourceId, Option<usize>, usize)> = Vec::new();
        for pulled in pulls {
            conflicts.extend(pulled.narrowed.into_iter().flat_map(|narrowed| narrowed.conflicts));
            match pulled.fresh {
                Some(read) => {
                    conflicts.extend(
                        read.conflicts
                            .iter()
                            .map(|(known, new)| (PersonKey::from(known.as_str()), PersonKey::from(new.as_str()))),
                    );
                    let before = pulled.before.is_some().then_some(olds.len());
                    read_at.push((pulled.source, before, news.len()));
                    if read.mark.amended { &mut amended } else { &mut fresh }.push(read.mark);
                    news.push(read.roster);
                    olds.extend(pulled.before);
                }
                None => {
                    if any_fresh {
                        news.extend(pulled.before.clone());
                    }
                    olds.extend(pulled.before);
                }
            }
        }
        // With several sources the guards look at each that was read; with one source it is all there is.
        let mut places = Vec::new();
        let (before, after, alone) = if news.len() > 1 {
            let before = united_of(customer, &olds.iter().collect::<Vec<_>>())?;
            let after = united_of(customer, &news.iter().collect::<Vec<_>>())?;
            let mut reads = BTreeMap::new();
            let mut alone = Vec::with_capacity(read_at.len());
            for (source, old, new) in read_at {
                let before = old.map_or_else(Roster::default, |old| take(&mut olds[old]));
                let after = take(&mut news[new]);
                let delta = diff(&before, &after);
                reads.insert(new, alone.len());
                alone.push(Alone { source, before, after, delta });
            }
            if alone.len() > 1 {
                let place =
                    |(at, roster)| reads.get(&at).map_or_else(|| Place::Stays(Box::new(roster)), |read| Place::Read(*read));
                places.extend(news.into_iter().enumerate().map(place));
            }
            (before, Some(after), alone)
        } else {
            let after = if any_fresh { Some(united(customer, news)?) } else { None };
            (united(customer, olds)?, after, Vec::new())
        };
        let mut owners = BTreeMap::new();
        for (source, key) in alone.iter().flat_map(|one: &Alone| one.left().map(|key| (&one.source, key))) {
            owners.entry(key.to_owned()).or_insert_with(|| source.clone());
        }
        for (source, key) in narrow.iter().flat_map(|narrow| &narrow.left) {
            owners.entry(key.as_str().to_owned()).or_insert_with(|| source.clone());
        }
        let is_thin = compared.is_some();
        let delta = || after.as_ref().map_or_else(RosterDelta::default, |after| diff(&before, after));
        let delta = compared.unwrap_or_else(delta);
        Ok(Self {
            before,
            is_thin,
            whole: None,
            after,
            is_bare,
            asked: None,
            needs,
            delta,
            fresh,
            amended,
            repeated,
            conflicts,
            by_hand,
            alone,
            places,
            owners,
            row_findings,
            trouble,
            confirmed,
            partial,
            rollover: terms.rollover().clone(),
            narrow,
            watches,
            behind: Behind::default(),
        })
    }

    /// What the people of the newer roster ought to have, if that was asked.
    pub(crate) fn needs(&self) -> Option<&Needs> {
        self.asked.as_ref().map(|asked| &asked.needs)
    }

    /// Lets the guards look at one source alone, in the scope that its delta tells.
    pub(crate) fn judged_alone(self, alone: Alone) -> Self {
        Self { alone: vec![alone], ..self }
    }

    pub(crate) fn draft(
        &mut self,
        service: &Service,
        customer: &Customer,
        standing: (Standing, Seeds),
        run: RunId,
    ) -> Result<Draft, ServiceError> {
        let (policy, (standing, seeds)) = (&customer.policy, standing);
        let now = seeds.at;
        self.widen(service, customer.id(), &standing, policy.calendar.day_of(now))?;
        let limits = policy.limits_on(policy.calendar.day_of(now));
        let packages: Vec<_> = self.fresh.iter().map(|mark| (mark.source.clone(), (mark.package, mark.name.clone()))).collect();
        let approval = approval(standing.hold.as_ref(), now, &packages);
        let deferred = match &approval {
            None => deferred(standing.hold.as_ref(), now, &packages),
            Some(_) => Vec::new(),
        };
        let bench = |after| {
            let (approval, conflicts, deferred) = (approval.as_ref(), &self.conflicts, deferred.as_slice());
            let (standing, rollover) = (&standing, &self.rollover);
            Bench { standing, policy, limits, now, after, without: None, conflicts, approval, deferred, rollover }
        };
        let (sentence, without) = match (&self.after, &self.narrow) {
            (_, Some(narrow)) => {
                let judgment = Judgment { verdict: narrow.verdict.clone(), ..Judgment::default() };
                (Sentence { judgment, counted: narrow.counted.clone(), ..Sentence::default() }, None)
            }
            (Some(after), None) => self.judge(customer, bench(after))?,
            (None, None) => Default::default(),
        };
        let judgment = &sentence.judgment;
        // A snapshot that is held as a whole is not taken in: time passes, the roster stays. One source's stops no other's.
        let kept = |source: &SourceId| sentence.stopped.contains(source);
        let stopped = !sentence.stopped.is_empty() && without.is_none();
        let fresh: Vec<SourceMark> = self.fresh.iter().filter(|mark| !kept(&mark.source)).cloned().collect();
        let confirmed: Vec<SourceId> = self.confirmed.iter().filter(|source| !kept(source)).cloned().collect();
        let conflicts = self.conflicts_of(&sentence.stopped);
        if stopped && self.is_thin && self.whole.is_none() {
            self.whole = Some(service.roster(customer, &standing)?);
        }
        let stays = self.whole.as_ref().unwrap_or(&self.before);
        let nothing = RosterDelta::default();
        let (after, delta) = match &without {
            Some((after, delta)) => (Some(after), delta),
            None => (self.after.as_ref(), &self.delta),
        };
        let taken = if stopped { None } else { after };
        // Before the first snapshot of all there are not even orgs: those of the held one are looked at, and nobody in it.
        let orgs_only = match &self.after {
            Some(after) if stopped && standing.sources.is_empty() => Some(Roster { people: Vec::new(), ..after.clone() }),
            _ => None,
        };
        // Where nobody looks at what is held, it stays held until it is approved.
        let held: Vec<PersonKey> = match taken {
            Some(_) if self.narrow.is_none() => judgment.held.clone(),
            _ => still_held(&standing, approval.as_ref()),
        };
        let holding = self.holding(&standing, customer, run, now, limits, approval, stopped, &sentence, packages);
        let episodes = if seeds.grants.is_empty() { Vec::new() } else { service.store.episodes(customer.id())? };
        let former = service.former(customer.id(), &standing, taken.unwrap_or(stays))?;
        let input = PlanInput {
            now,
            today: policy.calendar.day_of(now),
            policy,
            standing: &standing,
            roster: taken.or(orgs_only.as_ref()).unwrap_or(stays),
            before: &self.before,
            delta: if stopped { &nothing } else { delta },
            fresh: &fresh,
            amended: &self.amended,
            repeated: &self.repeated,
            remade: &[],
            former: &former,
            verdict: &judgment.verdict,
            held: &held,
            by_hand: &self.by_hand,
            episodes: &episodes,
            conflicts: if stopped { &[] } else { &conflicts },
            confirmed: if stopped { &[] } else { &confirmed },
            partial: &self.partial,
            owners: &self.owners,
            gone: self.narrow.as_ref().map_or(&[], |narrow| narrow.gone.as_slice()),
            new_grants: &seeds.grants,
            new_agreed: &seeds.agreed,
            new_terms: &seeds.terms,
            holding: &holding,
        };
        let marks = service.remake(customer, &input)?;
        let Marks { fresh, amended, repeated, remade } = &marks;
        let input = PlanInput { fresh, amended, repeated, remade, ..input };
        let needs = self.asked.as_ref().filter(|_| taken.is_some()).map(|asked| &asked.needs);
        let planned = plan_checked(&input, needs);
        let (plan, flaws) = planned.map_err(|cause| ServiceError::Plan { customer: policy.customer.clone(), cause })?;
        if !self.watches.iter().all(Watch::is_whole) {
            return Err(ServiceError::RowsLost { customer: customer.id().clone() });
        }
        if !flaws.is_empty() {
            return Err(ServiceError::Flawed { customer: policy.customer.clone(), flaws });
        }
        let people = input.roster.people.iter().filter(|p| !p.ended).count() as u64;
        let state = outcome(&plan, self.row_findings, self.trouble);
        let message = message(&plan, stopped, &sentence.stopped);
        let packages = self.fresh.iter().chain(&self.repeated).map(|mark| format!("{}:{}", mark.source, mark.name)).collect();
        let kept_out =
            self.fresh.iter().filter(|mark| kept(&mark.source)).map(|mark| (mark.source.clone(), mark.package)).collect();
        Ok(Draft { plan, people, state, message, packages, kept_out })
    }

    /// What the guards say of each source that was read, and, where some of them are kept out and others are not, the
    /// roster without what those would bring, with its change. Who is kept out is settled step by step: somebody whom only a
    /// source has that is kept out is not there.
    fn judge(&self, customer: &Customer, bench: Bench<'_>) -> Result<(Sentence, Option<(Roster, RosterDelta)>), ServiceError> {
        let judge = |bench: &Bench<'_>| match (self.alone.as_slice(), self.fresh.first()) {
            ([], Some(mark)) => bench.judge_all([(&mark.source, &self.before, bench.after, &self.delta)].into_iter()),
            (alone, _) => bench.judge_all(alone.iter().map(|one| (&one.source, &one.before, &one.after, &one.delta))),
        };
        let mut sentence = judge(&bench);
        while !sentence.stopped.is_empty() && sentence.stopped.len() < self.alone.len() {
            let stopped = sentence.stopped.clone();
            let after = self.without(customer, &stopped)?;
            sentence = judge(&Bench { without: Some((&stopped, &after)), ..bench });
            if sentence.stopped == stopped {
                let delta = diff(&self.before, &after);
                return Ok((sentence, Some((after, delta))));
            }
        }
        Ok((sentence, None))
    }

    /// All sources together, those that are kept out as they were.
    fn without(&self, customer: &Customer, stopped: &[SourceId]) -> Result<Roster, ServiceError> {
        let roster = |place| match place {
            &Place::Read(at) if stopped.contains(&self.alone[at].source) => &self.alone[at].before,
            &Place::Read(at) => &self.alone[at].after,
            Place::Stays(roster) => roster,
        };
        united_of(customer.id(), &self.places.iter().map(roster).collect::<Vec<_>>())
    }

    /// The new keys that claim an e-mail, but for those of sources that are kept out.
    fn conflicts_of(&self, stopped: &[SourceId]) -> Vec<(PersonKey, PersonKey)> {
        let kept = |known: &PersonKey| {
            let mut of = self.alone.iter().filter(|one| one.before.find_person(known.as_str()).is_some()).peekable();
            of.peek().is_some() && of.all(|one| stopped.contains(&one.source))
        };
        self.conflicts.iter().filter(|(known, _)| !kept(known)).cloned().collect()
    }

    #[expect(clippy::too_many_arguments, reason = "each is another fact of one run")]
    fn holding(
        &self,
        standing: &Standing,
        customer: &Customer,
        run: RunId,
        now: Instant,
        limits: GuardLimits,
        approval: Option<Approved>,
        stopped: bool,
        sentence: &Sentence,
        packages: Vec<(SourceId, (Digest, String))>,
    ) -> Holding {
        let Sentence { judgment, stopped: kept, covered, approved, counted, others } = sentence;
        let calendar = &customer.policy.calendar;
        let newest = standing.hold.as_ref();
        let looked = self.after.is_some() && self.narrow.is_none();
        let taken = looked && !stopped;
        // An approval of packages is used by taking them in; any other one by any run.
        let used = approval.as_ref().is_some_and(|approval| approval.sources.is_empty() || taken);
        let is_read = |feed: &&Feed| packages.iter().any(|(source, _)| source == feed.source.id());
        let hints = customer.sources.iter().filter(is_read).filter_map(hint).collect();
        let judged = looked.then_some(Judged { judgment, covered, stopped: kept, packages, others, hints });
        let sight = Sight { run, now, calendar, ttl_hours: limits.approval_ttl_hours, newest, used, judged };
        let today = calendar.day_of(now);
        let days = counted.iter().filter(|(_, base, _)| limits.rolling_days > 0 && *base > 0);
        let days = days.map(|(source, base, passed)| {
            let known = standing.guard_days.iter().find(|day| day.day == today && day.source == *source);
            let fresh = || GuardDay { source: source.clone(), day: today, base: *base, removed: 0 };
            let known = known.cloned().unwrap_or_else(fresh);
            GuardDay { removed: known.removed.saturating_add(*passed), ..known }
        });
        let mut confirmed = approval.map_or(Vec::new(), |approval| approval.removals);
        confirmed.extend(approved.iter().cloned());
        confirmed.sort_unstable();
        confirmed.dedup();
        holding_after(&sight, confirmed, days.collect(), |after| match taken {
            true => judgment.withheld.clone(),
            false if used || !stopped => after.map_or(Vec::new(), Hold::withheld),
            false => newest.map_or(Vec::new(), Hold::withheld),
        })
    }
}

fn narrow(pulls: &[Pulled], terms: &RunTerms) -> Option<Narrow> {
    terms.scope()?;
    let mut all = Narrow::default();
    for pulled in pulls {
        let Some(narrowed) = &pulled.narrowed else { continue };
        all.verdict.trips.extend(narrowed.verdict.trips.iter().cloned());
        all.gone.extend(narrowed.gone.iter().cloned());
        all.left.extend(narrowed.left.iter().map(|key| (pulled.source.clone(), key.clone())));
        let (base, passed) = narrowed.counted;
        all.counted.extend((passed > 0).then(|| (pulled.source.clone(), base, passed)));
    }
    all.gone.sort_unstable();
    Some(all)
}

/// People whom nothing but a file by hand delivers; those of the file that is taken in and of the one before.
fn only_by_hand(pulls: &[Pulled]) -> Vec<PersonKey> {
    fn rosters(pulled: &Pulled) -> impl Iterator<Item = &Roster> {
        pulled.fresh.iter().map(|fresh| &fresh.roster).chain(&pulled.before)
    }
    let (manual, others): (Vec<&Pulled>, Vec<&Pulled>) = pulls.iter().partition(|p| p.source.as_str() == MANUAL_SOURCE);
    let newest: Vec<&Roster> = others.iter().filter_map(|pulled| rosters(pulled).next()).collect();
    people_of_none(manual.into_iter().flat_map(rosters), &newest)
}

/// How a run ends (R109): success is never claimed when somebody who ought to have a seat has none.
pub(crate) fn outcome(plan: &Plan, findings: bool, trouble: bool) -> RunState {
    if !plan.verdict.proceeds() {
        return RunState::Held;
    }
    let unserved = plan.withheld.iter().any(|w| {
        matches!(
            w.because,
            Because::PoolFull
                | Because::NeedsAccess
                | Because::NoPool
                | Because::Quarantined
                | Because::IdentityConflict
                | Because::NoTerm
                | Because::InGrace
        )
    });
    if unserved || findings || trouble { RunState::SucceededWithErrors } else { RunState::Succeeded }
}

pub(crate) fn tally(plan: &Plan, people: u64, findings: u64) -> RunTally {
    let mut tally = RunTally { people, findings, withheld: plan.withheld.len() as u64, ..RunTally::default() };
    for change in &plan.changes {
        let was = change.before.as_deref().is_some_and(|b| b.state.consumes());
        match (was, change.after.state.consumes()) {
            (false, true) => tally.seated += 1,
            (true, false) => tally.released += 1,
            (true, true) | (false, false) => tally.changed += 1,
        }
    }
    tally.waiting = plan.pools.iter().map(|p| u64::from(p.after.of(ClaimState::Waiting).0)).sum();
    tally
}

/// One line that an operator can act on.
fn message(plan: &Plan, stopped: bool, kept: &[SourceId]) -> String {
    let mut parts: Vec<String> = plan.verdict.trips.iter().map(|trip| format!("held by guard {}", trip_text(trip))).collect();
    if stopped {
        parts.push("nothing of the new snapshot was taken in".to_owned());
    } else if !kept.is_empty() {
        let sources: Vec<&str> = kept.iter().map(SourceId::as_str).collect();
        parts.push(format!("nothing of the new snapshot of {} was taken in", sources.join(", ")));
    }
    for pool in plan.pools.iter().filter(|p| p.balance.is_some_and(|b| b.0 < 0)) {
        parts.push(format!("pool {} at {}", pool.pool, pool.balance.unwrap_or_default()));
    }
    parts.join("; ")
}
