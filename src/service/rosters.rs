//! Snapshots in and out of the store, and the pull that makes a new one.

use crate::base::{CustomerId, Day, Instant, PersonKey, SourceId, parts};
use crate::license::SourceMark;
use crate::plan::{Needs, Policy, Standing};
use crate::roster::{
    Intake, IntakeCounts, Level, Roster, RosterIntake, Trace, digest_of, hold_conflicts, is_linked, key_conflicts, merge,
};
use crate::service::behind::Behind;
use crate::service::core::{Customer, Feed, MANUAL_SOURCE, Service};
use crate::service::error::ServiceError;
use crate::service::linking::{Told, own_keys};
use crate::service::looks::awaits_look;
use crate::service::pulled::{Fresh, Pulled};
use crate::service::purge::without_strangers;
use crate::service::snapshots::{Ground, Stored};
use crate::source::{Package, Read, Seen, SourceError};

/// What a pull is to tell of the stored roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Whole,
    /// No more than a comparison leaves, if it can be compared without being loaded.
    Compared,
}

/// Whether the rules are asked about everybody who was read, beside other work: these, as of which day.
pub(crate) type Ask<'a> = Option<(&'a Policy, Day)>;

impl Service {
    /// A source as it was last taken in; reads nothing new of it.
    pub(crate) fn stored(&self, customer: &Customer, source: &SourceId, standing: &Standing) -> Result<Pulled, ServiceError> {
        let mark = standing.sources.get(source);
        let before = mark.map(|mark| self.snapshot(customer.id(), &mark.snapshot)).transpose()?;
        Ok(Pulled::nothing_new(source.clone(), before))
    }

    /// Pulls the oldest package of a source that was not taken in yet, and stages its snapshot. `pulls` are those of this run
    /// before it.
    pub(crate) fn pull(
        &self,
        customer: &Customer,
        feed: &Feed,
        standing: &Standing,
        (pulls, wanted): (&[Pulled], Wanted),
        now: Instant,
    ) -> Result<Pulled, ServiceError> {
        let source = feed.source.id().clone();
        let mark = standing.sources.get(&source);
        let load = || mark.map(|mark| self.load(customer.id(), &mark.snapshot)).transpose();
        let stored = || Ok::<_, ServiceError>(load()?.map(|stored| stored.roster));
        let mut pulled = Pulled::nothing_new(source.clone(), None);
        let seen = self.seen_before_reading(customer, &source, standing)?;
        let looked = self.looked(customer, &source, now)?;
        let package = match feed.source.pending(&seen) {
            Ok(packages) => packages.into_iter().next(),
            Err(error) => {
                pulled.error = Some(error);
                pulled.before = stored()?;
                return Ok(pulled);
            }
        };
        let Some(package) = package else {
            pulled.look = mark.filter(|_| feed.source.is_far()).map(|mark| looked.unchanged(mark, None));
            pulled.before = stored()?;
            return Ok(pulled);
        };
        if let Some(mark) = mark.filter(|mark| package.digest.is_some_and(|told| mark.is_of(&told))) {
            pulled.look = feed.source.is_far().then(|| looked.unchanged(mark, seen.cursor));
            if !feed.source.is_live() {
                pulled.repeated = Some(SourceMark { at: now, name: package.name, ..mark.clone() });
            }
            pulled.before = stored()?;
            return Ok(pulled);
        }
        let is_live = feed.source.is_live();
        let is_lone = is_lone(customer, feed, standing);
        let may_compare = wanted == Wanted::Compared && is_lone && mark.is_some();
        // Of several sources the rules are asked when they are one.
        let is_only = customer.sources.len() == 1 && standing.sources.keys().all(|known| *known == source);
        let asks = wanted == Wanted::Compared && is_only;
        let ask = asks.then(|| (&customer.policy, customer.day_of(self.acts_at(standing, now))));
        if let Some(mark) = mark.filter(|_| may_compare && !is_live)
            && let Some((package, intake, beside)) = self.renewed((customer, feed), standing, (mark, &package), ask)?
        {
            let read = Read::default();
            pulled.look = feed.source.is_far().then(|| looked.read(package.told(), &read));
            return self.stage_beside(customer, package, (read, intake), beside, (pulled, now));
        }
        let traces = is_lone && wanted == Wanted::Compared;
        let unaided = read_unaided(feed, &package, (mark.is_some(), traces));
        let package = match feed.source.named(package) {
            Ok(package) => package,
            Err(error) => {
                pulled.error = Some(error);
                pulled.before = stored()?;
                return Ok(pulled);
            }
        };
        let read = match (unaided, mark) {
            (Some((Ok(read), intake)), Some(mark)) if may_compare && intake.is_conclusive => {
                let named = package.clone();
                let named = if is_live { named.named_by(|| digest_of(&intake.roster)) } else { named };
                let told = named.told();
                let is_news = !is_live || !mark.is_of(&told) && !seen.rejected.contains(&told);
                let beside = if is_news { self.beside(customer, standing, (mark, &named), (&intake, ask))? } else { None };
                match beside {
                    Some(beside) => {
                        pulled.look = feed.source.is_far().then(|| looked.read(told, &read));
                        pulled.told = if is_live { told_by(&source, &read, true) } else { Vec::new() };
                        return self.stage_beside(customer, named, (read, intake), beside, (pulled, now));
                    }
                    None => Some((Ok(read), intake)),
                }
            }
            (unaided, _) => unaided,
        };
        let (read, before) = read_best((customer, feed), package, read, &load, &mut pulled)?;
        let (before, ground) = before.map(Stored::split).unzip();
        pulled.before = before;
        let Some(Taken { package, roster, mut counts, read, trace }) = read else { return Ok(pulled) };
        let people = roster.people.len();
        pulled.watch = roster.enrollments.watch();
        if !is_live && feed.source.is_far() {
            pulled.look = Some(looked.read(package.told(), &read));
        } else if is_live {
            let told = package.told();
            pulled.told = told_by(&source, &read, mark.is_some_and(|mark| !mark.is_of(&told)));
            if seen.rejected.contains(&told) {
                return Ok(pulled);
            }
            pulled.look = Some(looked.read(told, &read));
            // An absence is confirmed by looking again, also if all is as it was (R131). Who its people are may depend on
            // what other sources tell now.
            if mark.is_some_and(|mark| mark.is_of(&told)) && !awaits_look(standing, &source) && customer.same_person.is_empty()
            {
                return Ok(pulled);
            }
        }
        let (roster, activity) = self.without_activity(customer, feed, roster, &mut pulled.findings)?;
        let told = Told { findings: &mut pulled.findings, counts: &mut counts };
        let others: Vec<_> = pulls.iter().filter_map(|other| Some((&other.source, other.roster()?))).collect();
        let (roster, strange) = self.linked(customer, (&source, pulled.before.as_ref()), (standing, &others), roster, told)?;
        let roster = without_strangers(customer, standing, pulled.before.as_ref(), roster, customer.day_of(now))?;
        let is_repeated = mark.is_some_and(|mark| feed.source.is_live() && mark.is_of(&package.told()));
        if is_repeated && !awaits_look(standing, &source) && pulled.before.as_ref().map(digest_of) == Some(digest_of(&roster)) {
            return Ok(pulled);
        }
        // New keys of known people are held, unless somebody looked at the package and said that it is right.
        let known = pulled.before.as_ref().filter(|_| !self.is_approved(standing, &package.told()));
        let ground = pulled.before.as_ref().zip(ground.as_ref()).map(|(before, ground)| Ground::Loaded(before, ground));
        // Nothing that comes before the plan reads it: nobody was there to be deleted for good, and a new day waits for it.
        let may_wait = ask.is_some() && standing.sources.is_empty() && standing.absences.is_empty();
        let keeping = Keeping { known, ground, ask, may_wait };
        let mut fresh = self.stage(customer.id(), &source, package, keeping, (roster, counts), now)?;
        fresh.conflicts.extend(strange);
        pulled.watched(customer.id())?;
        let is_as_read = is_lone && fresh.roster.people.len() == people;
        (pulled.fresh, pulled.activity) = (Some(fresh.with_trace(trace.filter(|_| is_as_read))), activity);
        Ok(pulled)
    }

    /// What was taken in, or turned away, from a source before.
    pub(crate) fn seen(&self, customer: &Customer, source: &SourceId, standing: &Standing) -> Result<Seen, ServiceError> {
        let mark = standing.sources.get(source);
        let mut rejected = self.store.rejected(customer.id(), source)?;
        // What was turned away and then approved is offered once more (R120).
        rejected.retain(|digest| !self.is_approved(standing, digest));
        let cursor = mark.map(|mark| self.cursor(customer, standing, mark)).transpose()?.flatten();
        Ok(Seen {
            cursor,
            newest: mark.map(|mark| mark.name.clone()),
            // After some people were taken in by themselves the very same bytes say something new.
            digest: mark.filter(|mark| !mark.amended).map(|mark| mark.package),
            bytes: None,
            rejected,
            now: Some(self.now()),
        })
    }

    /// The same for whoever reads what was not: digests may come after that.
    pub(crate) fn seen_before_reading(
        &self,
        customer: &Customer,
        source: &SourceId,
        standing: &Standing,
    ) -> Result<Seen, ServiceError> {
        // Nothing has no bytes.
        let bytes = standing.sources.get(source).map_or(Some(0), |mark| Some(mark.bytes).filter(|&bytes| bytes > 0));
        Ok(Seen { bytes, ..self.seen(customer, source, standing)? })
    }

    /// Keeps what was read as a snapshot.
    pub(crate) fn stage(
        &self,
        customer: &CustomerId,
        source: &SourceId,
        package: Package,
        Keeping { known, ground, ask, may_wait }: Keeping<'_>,
        (roster, counts): (Roster, IntakeCounts),
        now: Instant,
    ) -> Result<Fresh, ServiceError> {
        let (roster, conflicts) = without_new_keys(customer, known, roster)?;
        let is_long = parts::is_long(roster.people.len());
        let keep = || match may_wait && is_long {
            true => self.stage_behind(customer, source, &roster, now),
            false => Ok((self.stage_roster(customer, source, &roster, ground, now)?, Behind::default())),
        };
        let (needs, kept) = match ask.filter(|_| is_long) {
            Some((policy, today)) => parts::both(|| Needs::new(policy, &roster, today).ok(), keep),
            None => (None, keep()),
        };
        let (name, behind) = kept?;
        let mark = SourceMark {
            source: source.clone(),
            package: package.told(),
            bytes: package.bytes,
            snapshot: name.digest,
            at: now,
            name: package.name,
            amended: false,
        };
        Ok(Fresh { mark, roster, counts, conflicts, needs, is_bare: false, name, trace: None, behind })
    }

    /// The roster the books of a customer rest on: all of its sources' newest snapshots as one (R6).
    ///
    /// # Errors
    /// If a snapshot cannot be read back.
    pub fn roster(&self, customer: &Customer, standing: &Standing) -> Result<Roster, ServiceError> {
        let rosters = self.rosters(customer, standing)?;
        united(customer.id(), rosters.into_iter().map(|(_, roster)| roster).collect())
    }

    /// The same with one person only: nobody else is taken out of the snapshots.
    pub(crate) fn roster_of(&self, customer: &Customer, standing: &Standing, key: &str) -> Result<Roster, ServiceError> {
        let ids = customer.sources.iter().map(|feed| feed.source.id().as_str()).chain([MANUAL_SOURCE]);
        let marks = ids.filter_map(|id| standing.sources.get(&SourceId::from(id)));
        let rosters: Result<_, _> = marks.map(|mark| self.snapshot_of(customer.id(), &mark.snapshot, key)).collect();
        united(customer.id(), rosters?)
    }

    /// The newest snapshot of each source that has one, in the order of the settings; people made by hand come last.
    pub(crate) fn rosters(&self, customer: &Customer, standing: &Standing) -> Result<Vec<(SourceId, Roster)>, ServiceError> {
        let mut rosters = Vec::new();
        for source in customer.sources.iter().map(|feed| feed.source.id().clone()).chain([SourceId::from(MANUAL_SOURCE)]) {
            if let Some(mark) = standing.sources.get(&source) {
                rosters.push((source, self.snapshot(customer.id(), &mark.snapshot)?));
            }
        }
        Ok(rosters)
    }

    /// What was made by hand stands beside what a run pulls; `None` if there never was anything.
    pub(crate) fn by_hand(&self, customer: &Customer, standing: &Standing) -> Result<Option<Pulled>, ServiceError> {
        let pulled = self.stored(customer, &SourceId::from(MANUAL_SOURCE), standing)?;
        Ok(Some(pulled).filter(|pulled| pulled.before.is_some()))
    }
}

/// How a roster that was read is kept.
#[derive(Default)]
pub(crate) struct Keeping<'a> {
    /// The roster whose people new keys may not take over, if they may not.
    pub(crate) known: Option<&'a Roster>,
    /// What the snapshot may stand on.
    pub(crate) ground: Option<Ground<'a>>,
    /// What the rules are asked meanwhile.
    pub(crate) ask: Ask<'a>,
    /// A large one may be written behind the run. Then it stands on nothing.
    pub(crate) may_wait: bool,
}

/// What a live source says of itself, in the words of a run's message.
fn told_by(source: &SourceId, read: &Read, is_news: bool) -> Vec<String> {
    let of_news = Some(&read.told_of_news).filter(|told| is_news && !told.is_empty());
    read.told.iter().chain(of_news).map(|told| format!("source {source}: {told}")).collect()
}

/// A package that was read to its end.
pub(crate) struct Taken {
    /// It, with its digest.
    pub(crate) package: Package,
    /// What it comes to on top of the stored roster.
    pub(crate) roster: Roster,
    /// Rows seen and quarantined.
    pub(crate) counts: IntakeCounts,
    /// What the source says of the read.
    pub(crate) read: Read,
    /// What it leaves to know for the next one.
    pub(crate) trace: Option<Trace>,
}

/// Whether nothing but two snapshots of one source has to be looked at.
fn is_lone(customer: &Customer, feed: &Feed, standing: &Standing) -> bool {
    let is_only = customer.sources.len() == 1 && standing.sources.keys().all(|known| known == feed.source.id());
    is_only && customer.same_person.is_empty() && feed.activity_column.is_none()
}

/// A read that did without the stored roster.
type Unaided = (Result<Read, SourceError>, Intake);

/// Reads a package to its end without the stored roster, as most can be that are complete and sound. `None`: it is needed,
/// and to be read with it. A live source that was asked is not asked again: what it said is told also where it was needed.
fn read_unaided(feed: &Feed, package: &Package, (has_stored, traces): (bool, bool)) -> Option<Unaided> {
    let is_live = feed.source.is_live();
    if is_live && !feed.source.feeds_again() || !matches!(feed.source.is_incremental(package), Ok(false)) {
        return None;
    }
    let intake = RosterIntake::unaided(has_stored, feed.intake).with_room(feed.source.room());
    let mut intake = if traces { intake.traced() } else { intake };
    let read = feed.source.pull(package, &mut intake);
    let intake = intake.finish();
    (is_live || intake.is_conclusive).then_some((read, intake))
}

/// What was read unaided, or the package read with the stored roster if that was needed after all, a second time if need be;
/// nobody is asked twice. And the stored roster.
fn read_best(
    (customer, feed): (&Customer, &Feed),
    package: Package,
    unaided: Option<Unaided>,
    load: &dyn Fn() -> Result<Option<Stored>, ServiceError>,
    pulled: &mut Pulled,
) -> Result<(Option<Taken>, Option<Stored>), ServiceError> {
    let mut told = None;
    match unaided {
        Some((Ok(read), intake)) if !intake.is_conclusive => told = Some(read),
        Some((read, intake)) => {
            let before = load()?;
            let stands = |stored: &Roster| {
                Ok::<_, ServiceError>(match is_linked(stored) {
                    true => intake.stands_beside(&own_keys(customer, stored.clone())?),
                    false => intake.stands_beside(stored),
                })
            };
            if read.is_err() || before.as_ref().map(|stored| stands(&stored.roster)).transpose()?.unwrap_or(true) {
                return Ok((taken(package, read, intake, pulled), before));
            }
            told = read.ok().filter(|_| feed.source.is_live());
        }
        None => {}
    }
    // The intake uses the stored roster up; a second look at the store is cheaper than two copies of a large one at once.
    let previous = load()?.map(|stored| own_keys(customer, stored.roster)).transpose()?;
    let read = match told {
        Some(told) => feed_package(feed, package, told, previous, pulled),
        None => read_package(feed, package, previous, pulled),
    };
    Ok((read, load()?))
}

/// Reads a package to its end on top of the stored roster, in which people go by the source's own keys. `None`: it could
/// not be, and `pulled` says why (R103).
pub(crate) fn read_package(feed: &Feed, package: Package, previous: Option<Roster>, pulled: &mut Pulled) -> Option<Taken> {
    let is_first = previous.is_none();
    let mut intake = RosterIntake::new(previous, feed.intake);
    let read = match feed.source.is_incremental(&package) {
        Ok(true) if is_first => Err(SourceError::needs_full(&package)),
        Ok(_) => feed.source.pull(&package, &mut intake),
        Err(error) => Err(error),
    };
    taken(package, read, intake.finish(), pulled)
}

/// Takes in once more, on top of the stored roster, what a source said that is not asked again.
fn feed_package(feed: &Feed, package: Package, told: Read, previous: Option<Roster>, pulled: &mut Pulled) -> Option<Taken> {
    let mut intake = RosterIntake::new(previous, feed.intake);
    let unkept = || SourceError::Unusable {
        upstream: feed.source.id().to_string(),
        why: "what it said was not kept; the next run asks it again".to_owned(),
    };
    let fed = feed.source.feed_again(&mut intake).unwrap_or_else(|| Err(unkept()));
    taken(package, fed.map(|()| told), intake.finish(), pulled)
}

/// What a read came to.
pub(crate) fn taken(package: Package, read: Result<Read, SourceError>, intake: Intake, pulled: &mut Pulled) -> Option<Taken> {
    let Intake { roster, findings, counts, trace, .. } = intake;
    let whole = findings.kept.iter().find(|f| matches!(f.level, Level::Package | Level::File)).cloned();
    pulled.findings = findings;
    let read = match (read, whole) {
        (Ok(_), Some(finding)) => Err(SourceError::Rejected { package: package.name.clone(), findings: vec![finding] }),
        (read, _) => read,
    };
    let error = match read {
        Ok(read) => return Some(Taken { package: package.named_by(|| digest_of(&roster)), roster, counts, read, trace }),
        Err(error) => error,
    };
    if let SourceError::Rejected { findings, .. } = &error {
        pulled.rejected = package.digest.is_some().then_some(package);
        for finding in findings {
            pulled.findings.push(finding.clone());
        }
    }
    pulled.error = Some(error);
    None
}

/// Which collections of a read have too many bad rows, in words (R105).
pub(crate) fn bad_rows(customer: &Customer, counts: &IntakeCounts) -> Option<String> {
    let bad = counts.too_bad(customer.bad_percent_max).into_iter();
    let words: Vec<String> = bad
        .map(|collection| {
            let of = counts.of(collection);
            format!("{} of {} {}", of.quarantined, of.rows, collection.word())
        })
        .collect();
    (!words.is_empty()).then(|| format!("{} are bad, more than {} %", words.join(", "), customer.bad_percent_max))
}

/// What was read, without new keys that claim the e-mail of known people; and both keys of each (R5).
pub(crate) fn without_new_keys(
    customer: &CustomerId,
    before: Option<&Roster>,
    roster: Roster,
) -> Result<(Roster, Vec<(String, String)>), ServiceError> {
    let Some(before) = before else { return Ok((roster, Vec::new())) };
    let found = key_conflicts(before, &roster);
    if found.is_empty() {
        return Ok((roster, Vec::new()));
    }
    let key = |roster: &Roster, at| roster.text(roster.person(at).key).to_owned();
    let conflicts = found.iter().map(|&(known, new)| (key(before, known), key(&roster, new))).collect();
    let roster = hold_conflicts(before, &roster, &found).map_err(|error| ServiceError::snapshot(customer, &error))?;
    Ok((roster, conflicts))
}

/// The people of some rosters whom none of the others has, sorted.
pub(crate) fn people_of_none<'r>(rosters: impl Iterator<Item = &'r Roster>, others: &[&Roster]) -> Vec<PersonKey> {
    let mut keys = Vec::new();
    for roster in rosters {
        let here = roster.people.iter().filter(|person| !person.ended).map(|person| roster.text(person.key));
        keys.extend(here.filter(|key| others.iter().all(|other| other.active(key).is_none())).map(PersonKey::from));
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Several rosters as one; a single one as it is.
pub(crate) fn united(customer: &CustomerId, mut rosters: Vec<Roster>) -> Result<Roster, ServiceError> {
    if rosters.len() > 1 {
        return united_of(customer, &rosters.iter().collect::<Vec<_>>());
    }
    Ok(rosters.pop().unwrap_or_default())
}

/// Several rosters as one, which they outlive.
pub(crate) fn united_of(customer: &CustomerId, rosters: &[&Roster]) -> Result<Roster, ServiceError> {
    merge(rosters).map_err(|error| ServiceError::snapshot(customer, &error))
}
