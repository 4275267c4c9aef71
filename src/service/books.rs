//! The books that an answer rests on: those of the newest commit, or, for an instant that has passed, those the trail
//! tells of it (R159). Whoever asks cannot tell the two apart.

use std::collections::BTreeMap;

use crate::base::{ClaimId, Digest, EpisodeId, Instant, OrgId, PersonKey, PoolId, RunId, Version};
use crate::license::{
    Because, Book, BookPerson, Claim, ClaimState, ClockFact, Delivery, Episode, Ledger, Names, OrgMark, PoolSample, SeatRequest,
};
use crate::plan::{Standing, standing_of, used_by_org};
use crate::roster::Roster;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::rosters::united;
use crate::service::runs::Freshness;
use crate::store::{AuditCommit, ReleasedClaim};

/// How often a question is asked again when somebody commits while it is answered.
const TRIES_MAX: u32 = 20;

/// The books of one customer as of one instant.
pub(crate) struct Books<'s> {
    service: &'s Service,
    customer: &'s Customer,
    /// The instant the answer is for.
    pub(crate) at: Instant,
    /// Without claims and orgs if these are the newest books: ask for those.
    pub(crate) standing: Standing,
    past: Option<Past>,
}

/// What the trail tells beyond a standing.
#[derive(Default)]
struct Past {
    ledger: Ledger,
    last: LastChanges,
}

/// Why each claim is as it is, and in which run it became so.
#[derive(Default)]
pub(crate) struct LastChanges {
    claims: BTreeMap<ClaimId, (Because, Option<RunId>)>,
    released: BTreeMap<ClaimId, ReleasedClaim>,
}

impl LastChanges {
    fn note(&mut self, commit: &AuditCommit) {
        for change in &commit.changes {
            let claim = change.after;
            self.claims.insert(claim.id, (change.because, commit.run));
            if claim.state == ClaimState::Released {
                let released = ReleasedClaim {
                    person: PersonKey::from(commit.people.get(change.person)),
                    claim,
                    pool: commit.names.pool_of(&claim).clone(),
                    home: commit.names.home_of(&claim).clone(),
                    reasons: commit.names.reasons_of(&claim).to_owned(),
                    because: change.because,
                    run: commit.run,
                };
                self.released.insert(claim.id, released);
            } else {
                self.released.remove(&claim.id);
            }
        }
    }

    /// Why a claim is as it is, and the run it became so in.
    pub(crate) fn of(&self, claim: ClaimId) -> Option<(Because, Option<RunId>)> {
        self.claims.get(&claim).copied()
    }

    /// Claims that are released, each as it last was, by id.
    pub(crate) fn released(&self) -> impl Iterator<Item = &ReleasedClaim> {
        self.released.values()
    }
}

impl Service {
    /// Answers from the books as of `at`; `None`: as of now. While somebody commits, the answer is asked for anew: it is of
    /// one version.
    pub(crate) fn as_of<'s, T>(
        &'s self,
        customer: &'s Customer,
        at: Option<Instant>,
        answer: impl Fn(&Books<'s>) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let books = self.books(customer, at)?;
            let answer = answer(&books)?;
            let still = books.past.is_some() || self.store.version(customer.id())? == books.standing.version;
            if still || tries == TRIES_MAX {
                return Ok(answer);
            }
        }
    }

    /// Hands the books without their claims to `read`.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn read_standing<T>(&self, customer: &Customer, read: impl Fn(&Standing) -> T) -> Result<T, ServiceError> {
        self.as_of(customer, None, |books| match books.is_newest() {
            // What the settings say and no run wrote down yet is not recorded.
            true => Ok(read(&self.store.standing_light(customer.id())?)),
            false => Ok(read(&books.standing)),
        })
    }

    /// All orgs ever delivered, by id.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn orgs(&self, customer: &Customer) -> Result<Vec<OrgMark>, ServiceError> {
        self.as_of(customer, None, |books| books.orgs())
    }

    /// The newest books, looked at as of an instant.
    pub(crate) fn newest_books<'s>(&'s self, customer: &'s Customer, at: Instant) -> Result<Books<'s>, ServiceError> {
        let standing = self.standing_light_with_seeds(customer)?;
        Ok(Books { service: self, customer, at, standing, past: None })
    }

    fn books<'s>(&'s self, customer: &'s Customer, at: Option<Instant>) -> Result<Books<'s>, ServiceError> {
        let until = self.version_asked(customer, at)?;
        let newest = self.newest_books(customer, at.unwrap_or_else(|| self.now()))?;
        if until.is_none_or(|until| until >= newest.standing.version) {
            return Ok(newest);
        }
        let (until, at) = (until.unwrap_or_default(), newest.at);
        let mut past = Past::default();
        let mut broken = None;
        self.replay(customer, until, &mut |commit| {
            past.last.note(&commit);
            let AuditCommit { version, at, names, people, changes, entries, .. } = &commit;
            if broken.is_none() {
                broken = past.ledger.apply(*version, *at, names, people, changes, entries).err();
            }
        })?;
        if let Some(mismatch) = broken {
            return Err(ServiceError::Trail { customer: customer.id().clone(), why: mismatch.to_string() });
        }
        Ok(Books { service: self, customer, at, standing: standing_of(&past.ledger), past: Some(past) })
    }

    /// The newest version of the instant asked about; `None`: the newest of all is meant. A clock that was put back is no
    /// question about the past.
    pub(crate) fn version_asked(&self, customer: &Customer, at: Option<Instant>) -> Result<Option<Version>, ServiceError> {
        let at = at.or_else(|| self.looks_back.then(|| self.now()));
        Ok(at.map(|at| self.store.version_at(customer.id(), at)).transpose()?)
    }

    /// The books as the trail tells them up to a version, and when that one was made.
    pub(crate) fn ledger(&self, customer: &Customer, until: Version) -> Result<(Ledger, Instant), ServiceError> {
        let (mut ledger, mut newest, mut broken) = (Ledger::default(), Instant::MIN, None);
        self.replay(customer, until, &mut |commit| {
            let AuditCommit { version, at, names, people, changes, entries, .. } = &commit;
            newest = newest.max(*at);
            if broken.is_none() {
                broken = ledger.apply(*version, *at, names, people, changes, entries).err();
            }
        })?;
        match broken {
            Some(mismatch) => Err(ServiceError::Trail { customer: customer.id().clone(), why: mismatch.to_string() }),
            None => Ok((ledger, newest)),
        }
    }

    /// Every commit up to a version, oldest first.
    pub(crate) fn replay(
        &self,
        customer: &Customer,
        until: Version,
        each: &mut dyn FnMut(AuditCommit),
    ) -> Result<(), ServiceError> {
        if until == Version(0) {
            return Ok(());
        }
        self.trail(customer, Version(0), &mut |commit| {
            let last = commit.version >= until;
            each(commit);
            if last { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
        })
    }
}

impl Books<'_> {
    /// Whether these are the newest books.
    pub(crate) fn is_newest(&self) -> bool {
        self.past.is_none()
    }

    /// How old the numbers are (R148). Of the past only what was taken in is known, not when it was found to be as it was.
    pub(crate) fn freshness(&self) -> Result<Freshness, ServiceError> {
        let (service, customer) = (self.service, self.customer);
        let snapshot = match self.is_newest() {
            true => service.newest_look(customer, &self.standing)?,
            false => customer.newest_snapshot(&self.standing),
        };
        Ok(Freshness::of(customer, self.at, snapshot))
    }

    /// The standing with all claims and orgs.
    pub(crate) fn whole(&self) -> Result<Standing, ServiceError> {
        match &self.past {
            Some(_) => Ok(self.standing.clone()),
            None => Ok(self.service.store.standing(self.customer.id())?),
        }
    }

    /// All orgs ever delivered, by id.
    pub(crate) fn orgs(&self) -> Result<Vec<OrgMark>, ServiceError> {
        match &self.past {
            Some(_) => Ok(self.standing.orgs.clone()),
            None => Ok(self.service.store.orgs(self.customer.id())?),
        }
    }

    /// Used seats by pool and home org, sorted.
    pub(crate) fn used_by_org(&self) -> Result<Vec<(PoolId, OrgId, u32)>, ServiceError> {
        if self.past.is_none() {
            return Ok(self.service.store.used_by_org(self.customer.id())?);
        }
        Ok(used_by_org(&self.standing.book))
    }

    /// Waiting claims, one entry each, in no order that counts.
    pub(crate) fn queue(&self, pool: Option<&PoolId>) -> Result<Book, ServiceError> {
        if self.past.is_none() {
            return Ok(self.service.store.queue(self.customer.id(), pool)?);
        }
        let all = &self.standing.book;
        let mut book = Book { names: all.names.clone(), keys: all.keys.clone(), ..Book::default() };
        let waits =
            |claim: &&Claim| claim.state == ClaimState::Waiting && pool.is_none_or(|pool| all.names.pool_of(claim) == pool);
        for (at, person) in all.people.iter().enumerate() {
            for claim in all.claims_at(at).iter().filter(waits) {
                book.people.push(BookPerson { key: person.key, first: book.claims.len() as u32 });
                book.claims.push(*claim);
            }
        }
        Ok(book)
    }

    /// The open claims of a person.
    pub(crate) fn claims_of(&self, person: &str) -> Result<(Names, Vec<Claim>), ServiceError> {
        match &self.past {
            Some(past) => Ok((self.standing.book.names.clone(), past.ledger.claims_of(person).to_vec())),
            None => Ok(self.service.store.claims_of(self.customer.id(), person)?),
        }
    }

    /// Episodes, newest first.
    pub(crate) fn episodes(&self) -> Result<Vec<Episode>, ServiceError> {
        let Some(past) = &self.past else { return Ok(self.service.store.episodes(self.customer.id())?) };
        let mut episodes: Vec<Episode> = past.ledger.episodes().cloned().collect();
        episodes.reverse();
        Ok(episodes)
    }

    /// What the clock of an episode wrote down.
    pub(crate) fn clock(&self, episode: EpisodeId) -> Result<Vec<ClockFact>, ServiceError> {
        match &self.past {
            Some(past) => Ok(past.ledger.clock().filter(|fact| fact.episode == Some(episode)).cloned().collect()),
            None => Ok(self.service.store.clock(self.customer.id(), Some(episode))?),
        }
    }

    /// Deliveries of notices, by notice and channel.
    pub(crate) fn deliveries(&self) -> Result<Vec<Delivery>, ServiceError> {
        match &self.past {
            Some(past) => Ok(past.ledger.deliveries().cloned().collect()),
            None => Ok(self.service.store.deliveries(self.customer.id())?),
        }
    }

    /// What each pool came to with each commit.
    pub(crate) fn samples(&self) -> Result<BTreeMap<PoolId, Vec<PoolSample>>, ServiceError> {
        match &self.past {
            Some(past) => Ok(past.ledger.samples().clone()),
            None => Ok(self.service.store.samples(self.customer.id())?),
        }
    }

    /// The roster the books rested on.
    ///
    /// # Errors
    /// [`ServiceError::RosterGone`] if it is no longer kept.
    pub(crate) fn roster(&self) -> Result<Roster, ServiceError> {
        let (service, customer) = (self.service, self.customer);
        match self.is_newest() {
            true => service.roster(customer, &self.standing),
            false => self.roster_then(|snapshot| service.snapshot(customer.id(), snapshot)),
        }
    }

    /// The same with one person only.
    ///
    /// # Errors
    /// As [`Books::roster`].
    pub(crate) fn roster_of(&self, key: &str) -> Result<Roster, ServiceError> {
        let (service, customer) = (self.service, self.customer);
        match self.is_newest() {
            true => service.roster_of(customer, &self.standing, key),
            false => self.roster_then(|snapshot| service.snapshot_of(customer.id(), snapshot, key)),
        }
    }

    fn roster_then(&self, load: impl Fn(&Digest) -> Result<Roster, ServiceError>) -> Result<Roster, ServiceError> {
        let mut rosters = Vec::new();
        for mark in self.standing.sources.values() {
            if self.service.store.snapshot(&mark.snapshot)?.is_none() {
                return Err(ServiceError::RosterGone { customer: self.customer.id().clone(), at: self.at });
            }
            rosters.push(load(&mark.snapshot)?);
        }
        united(self.customer.id(), rosters)
    }

    /// Requests for more seats, oldest first.
    pub(crate) fn seat_requests(&self) -> Result<Vec<SeatRequest>, ServiceError> {
        match &self.past {
            Some(past) => Ok(past.ledger.seat_requests().to_vec()),
            None => Ok(self.service.store.seat_requests(self.customer.id())?),
        }
    }

    /// Hands the last changes of all claims, released ones among them, to `read`.
    pub(crate) fn last_changes<T>(&self, read: impl FnOnce(&LastChanges) -> T) -> Result<T, ServiceError> {
        if let Some(past) = &self.past {
            return Ok(read(&past.last));
        }
        let mut last = LastChanges::default();
        self.service.replay(self.customer, self.standing.version, &mut |commit| last.note(&commit))?;
        Ok(read(&last))
    }
}
