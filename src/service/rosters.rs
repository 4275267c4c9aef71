//! Snapshots in and out of the store, and the pull that makes a new one.

use crate::base::{CustomerId, Instant, SourceId};
use crate::license::SourceMark;
use crate::plan::Standing;
use crate::roster::{Findings, Intake, IntakeCounts, Level, Roster, RosterIntake, hold_conflicts, key_conflicts, merge};
use crate::service::core::{Customer, Feed, MANUAL_SOURCE, Service};
use crate::service::error::ServiceError;
use crate::service::purge::without_strangers;
use crate::service::snapshots::{Ground, Stored, unreadable};
use crate::source::{Package, Seen, SourceError};

/// What one source brought.
pub struct Pulled {
    /// The source.
    pub source: SourceId,
    /// The roster the books rest on so far; `None` before the first snapshot.
    pub before: Option<Roster>,
    /// What was read; `None` if there was nothing new.
    pub fresh: Option<Fresh>,
    /// The newest package, if its bytes were taken in before under another name: noted, and no second look at anybody.
    pub repeated: Option<SourceMark>,
    /// Why it could not be read; nothing of it is applied (R103).
    pub error: Option<SourceError>,
    /// The package that could not be taken in; it is not tried again until it changes.
    pub rejected: Option<Package>,
    /// What was found.
    pub findings: Findings,
}

impl Pulled {
    /// The source as it stands.
    pub(crate) fn nothing_new(source: SourceId, before: Option<Roster>) -> Self {
        let findings = Findings::default();
        Self { source, before, fresh: None, repeated: None, error: None, rejected: None, findings }
    }
}

/// A new read of one source.
pub struct Fresh {
    /// What was read and where it is staged.
    pub mark: SourceMark,
    /// Its roster; conflicting keys are kept out of it (R5).
    pub roster: Roster,
    /// Rows seen and quarantined.
    pub counts: IntakeCounts,
    /// Known people and the new keys that claim their e-mail.
    pub conflicts: Vec<(String, String)>,
}

impl Pulled {
    /// Nothing new from a source.
    pub(crate) fn nothing(source: &SourceId, before: Option<Roster>) -> Self {
        Self {
            source: source.clone(),
            before,
            fresh: None,
            repeated: None,
            error: None,
            rejected: None,
            findings: Findings::default(),
        }
    }
}

impl Service {
    /// A source as it was last taken in; reads nothing new of it.
    pub(crate) fn stored(&self, customer: &Customer, feed: &Feed, standing: &Standing) -> Result<Pulled, ServiceError> {
        let source = feed.source.id().clone();
        let mark = standing.sources.get(&source);
        let before = mark.map(|mark| self.snapshot(customer.id(), &mark.snapshot)).transpose()?;
        let findings = Findings::default();
        Ok(Pulled { source, before, fresh: None, repeated: None, error: None, rejected: None, findings })
    }

    /// The roster that the books rest on so far, of one source.
    pub(crate) fn before(&self, customer: &Customer, feed: &Feed, standing: &Standing) -> Result<Option<Roster>, ServiceError> {
        let mark = standing.sources.get(feed.source.id());
        mark.map(|mark| self.snapshot(customer.id(), &mark.snapshot)).transpose()
    }

    /// Pulls the oldest package of a source that was not taken in yet, and stages its snapshot.
    pub(crate) fn pull(
        &self,
        customer: &Customer,
        feed: &Feed,
        standing: &Standing,
        now: Instant,
    ) -> Result<Pulled, ServiceError> {
        let source = feed.source.id().clone();
        let mark = standing.sources.get(&source);
        let load = || mark.map(|mark| self.load(customer.id(), &mark.snapshot)).transpose();
        let stored = || Ok::<_, ServiceError>(load()?.map(|stored| stored.roster));
        let mut pulled = Pulled::nothing_new(source.clone(), None);
        let seen = self.seen(customer, &source, standing)?;
        let package = match feed.source.pending(&seen) {
            Ok(packages) => packages.into_iter().next(),
            Err(error) => {
                pulled.error = Some(error);
                pulled.before = stored()?;
                return Ok(pulled);
            }
        };
        let Some(package) = package else {
            pulled.before = stored()?;
            return Ok(pulled);
        };
        if let Some(mark) = mark.filter(|mark| mark.package == package.digest) {
            pulled.repeated = Some(SourceMark { at: now, name: package.name, ..mark.clone() });
            pulled.before = stored()?;
            return Ok(pulled);
        }
        let (read, intake, before) = self.read(feed, &package, mark.is_some(), &load)?;
        let Intake { roster, findings, counts, .. } = intake;
        let (before, ground) = before.map(Stored::split).unzip();
        pulled.before = before;
        let whole = findings.kept.iter().find(|f| matches!(f.level, Level::Package | Level::File)).cloned();
        pulled.findings = findings;
        let read = match (read, whole) {
            (Ok(()), Some(finding)) => Err(SourceError::Rejected { package: package.name.clone(), findings: vec![finding] }),
            (read, _) => read,
        };
        if let Err(error) = read {
            if let SourceError::Rejected { findings, .. } = &error {
                pulled.rejected = Some(package);
                for finding in findings {
                    pulled.findings.push(finding.clone());
                }
            }
            pulled.error = Some(error);
            return Ok(pulled);
        }
        let roster = without_strangers(customer, standing, pulled.before.as_ref(), roster, customer.day_of(now))?;
        // New keys of known people are held, unless somebody looked at the package and said that it is right.
        let known = pulled.before.as_ref().filter(|_| !self.is_approved(standing, &package.digest));
        let ground = pulled.before.as_ref().zip(ground.as_ref());
        pulled.fresh = Some(self.stage(customer.id(), &source, package, (known, ground), roster, counts, now)?);
        Ok(pulled)
    }

    /// Reads a package, and the stored roster of its source. Most packages are complete and sound: their roster is made
    /// without the stored one. Any other package is read with it, if need be a second time.
    fn read(
        &self,
        feed: &Feed,
        package: &Package,
        has_stored: bool,
        stored: &dyn Fn() -> Result<Option<Stored>, ServiceError>,
    ) -> Result<(Result<(), SourceError>, Intake, Option<Stored>), ServiceError> {
        let incremental = feed.source.is_incremental(package);
        if let Ok(false) = incremental {
            let mut intake = RosterIntake::unaided(has_stored, feed.intake);
            let read = feed.source.pull(package, &mut intake);
            let intake = intake.finish();
            if intake.is_conclusive {
                let before = stored()?;
                let rests = |stored: &Stored| intake.unbegun.iter().any(|&what| stored.roster.has_own(what));
                if !before.as_ref().is_some_and(rests) {
                    return Ok((read, intake, before));
                }
            }
        }
        // The intake uses the stored roster up; a second look at the store is cheaper than two copies of a large one at once.
        let mut intake = RosterIntake::new(stored()?.map(|stored| stored.roster), feed.intake);
        let read = match incremental {
            Ok(true) if !has_stored => Err(SourceError::needs_full(package)),
            Ok(_) => feed.source.pull(package, &mut intake),
            Err(error) => Err(error),
        };
        Ok((read, intake.finish(), stored()?))
    }

    /// What was taken in, or turned away, from a source before.
    pub(crate) fn seen(&self, customer: &Customer, source: &SourceId, standing: &Standing) -> Result<Seen, ServiceError> {
        let mark = standing.sources.get(source);
        let mut rejected = self.store.rejected(customer.id(), source)?;
        // What was turned away and then approved is offered once more (R120).
        rejected.retain(|digest| !self.is_approved(standing, digest));
        Ok(Seen {
            newest: mark.map(|mark| mark.name.clone()),
            digest: mark.map(|mark| mark.package),
            rejected,
            now: Some(self.now()),
        })
    }

    /// Keeps what was read as a snapshot. `before` is the roster whose people new keys may not take over, if they may not,
    /// and what the snapshot may stand on.
    #[expect(clippy::too_many_arguments, reason = "each is another fact of one snapshot")]
    pub(crate) fn stage(
        &self,
        customer: &CustomerId,
        source: &SourceId,
        package: Package,
        (before, ground): (Option<&Roster>, Option<Ground<'_>>),
        mut roster: Roster,
        counts: IntakeCounts,
        now: Instant,
    ) -> Result<Fresh, ServiceError> {
        let mut conflicts = Vec::new();
        if let Some(before) = before {
            let found = key_conflicts(before, &roster);
            conflicts = found
                .iter()
                .map(|&(known, new)| {
                    let key = |roster: &Roster, at| roster.text(roster.person(at).key).to_owned();
                    (key(before, known), key(&roster, new))
                })
                .collect();
            if !found.is_empty() {
                roster = hold_conflicts(before, &roster, &found).map_err(|error| unreadable(customer, &error))?;
            }
        }
        let digest = self.stage_roster(customer, source, &roster, ground, now)?;
        let mark =
            SourceMark { source: source.clone(), package: package.digest, snapshot: digest, at: now, name: package.name };
        Ok(Fresh { mark, roster, counts, conflicts })
    }

    /// The roster the books of a customer rest on: all of its sources' newest snapshots as one (R6).
    ///
    /// # Errors
    /// If a snapshot cannot be read back.
    pub fn roster(&self, customer: &Customer, standing: &Standing) -> Result<Roster, ServiceError> {
        let rosters = self.rosters(customer, standing)?;
        united(customer.id(), rosters.into_iter().map(|(_, roster)| roster).collect())
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
        let source = SourceId::from(MANUAL_SOURCE);
        let Some(mark) = standing.sources.get(&source) else { return Ok(None) };
        Ok(Some(Pulled::nothing_new(source, Some(self.snapshot(customer.id(), &mark.snapshot)?))))
    }
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
    merge(rosters).map_err(|error| unreadable(customer, &error))
}
