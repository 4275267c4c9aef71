//! Overage episodes: listed, shown, exported for a dispute, and what an operator decides about them (R69, R70, R74).

use std::ops::ControlFlow;

use crate::base::{Actor, Day, EpisodeId, Instant, PoolId, Version};
use crate::license::{
    ClockFact, ClockStep, Delivery, Entry, Episode, Facts, Grant, Outcome, Phase, Pool, Quote, Stage, elapsed, is_frozen,
    license_year, minor_deadline, tier_on_offer, year_anchor,
};
use crate::plan::{Standing, timeline};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::store::{AuditCommit, Batch, NoticeRow, StoreError};

/// How often a decision is written anew when somebody else commits in between.
const TRIES_MAX: u32 = 200;

/// How an open overage stands by its clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockView {
    /// Its stage.
    pub stage: Stage,
    /// Since when.
    pub since: Instant,
    /// Business days elapsed today (R61).
    pub elapsed: u32,
    /// Day 0 of the clock.
    pub day0: Day,
    /// By when to cure it: the deadline of the minor notice, the start of the major stage, or the end of the cure window.
    /// `None`: the major notice was not delivered yet.
    pub deadline: Option<Instant>,
    /// The upgrade on offer today.
    pub offer: Option<Quote>,
    /// Billing of the pool is frozen.
    pub frozen: bool,
}

/// An episode at a glance.
#[derive(Clone, Debug)]
pub struct EpisodeView {
    /// The episode.
    pub episode: Episode,
    /// How it stands, while it is open.
    pub clock: Option<ClockView>,
    /// Which one of its pool's in the license year, from 1; void ones do not count (R62).
    pub repeat: u32,
}

/// Everything about an episode.
#[derive(Clone, Debug)]
pub struct EpisodeFile {
    /// At a glance.
    pub view: EpisodeView,
    /// What its clock wrote down, in order.
    pub facts: Vec<ClockFact>,
    /// Freezing and unfreezing of the pool's billing.
    pub billing: Vec<ClockFact>,
    /// Its notices, with their deliveries, in the order of the facts.
    pub notices: Vec<(NoticeRow, Vec<Delivery>)>,
    /// Grants that it led to.
    pub grants: Vec<Grant>,
}

/// What came of a decision about an episode or about billing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClockAnswer {
    /// Done.
    Done,
    /// It was so already.
    AlreadySo,
    /// The episode is closed.
    Closed(Outcome),
    /// The episode is not in its major stage: there is nothing to approve.
    NotMajor(Stage),
}

/// A fact to write down, or the answer why not.
type Verdict = Result<ClockFact, ClockAnswer>;

impl Service {
    /// Episodes of a customer, newest first; of one pool or of all.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn episodes(&self, customer: &Customer, pool: Option<&PoolId>) -> Result<Vec<EpisodeView>, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let all = self.store.episodes(customer.id())?;
        let wanted = all.iter().filter(|episode| pool.is_none_or(|pool| *pool == episode.pool));
        Ok(wanted.map(|episode| self.episode_view(customer, &standing, &all, episode)).collect())
    }

    /// Everything about an episode.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is none; when the books cannot be read.
    pub fn episode_file(&self, customer: &Customer, id: EpisodeId) -> Result<EpisodeFile, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let all = self.store.episodes(customer.id())?;
        let episode = all.iter().find(|episode| episode.id == id);
        let episode = episode.ok_or_else(|| ServiceError::Unknown { what: "episode", id: id.to_string(), hint: None })?;
        let facts = self.store.clock(customer.id(), Some(id))?;
        let deliveries = self.store.deliveries(customer.id())?;
        let mut notices = Vec::new();
        for key in facts.iter().filter_map(ClockFact::notice) {
            let delivered = deliveries.iter().filter(|delivery| delivery.key == key).cloned().collect();
            notices.extend(self.store.notice(customer.id(), key)?.map(|notice| (notice, delivered)));
        }
        let taken = |fact: &ClockFact| match &fact.step {
            ClockStep::Upgraded { grant, .. } => standing.grants.iter().find(|known| known.id == *grant).cloned(),
            _ => None,
        };
        let billing = standing.clock.get(&None).map_or(&[][..], Vec::as_slice);
        Ok(EpisodeFile {
            view: self.episode_view(customer, &standing, &all, episode),
            billing: billing.iter().filter(|fact| fact.pool == episode.pool).cloned().collect(),
            notices,
            grants: facts.iter().filter_map(taken).collect(),
            facts,
        })
    }

    /// The commits of the trail in which an episode, its clock, or what was bought and billed for its pool changed: only
    /// that of them, with their hashes.
    ///
    /// # Errors
    /// When the trail cannot be read.
    pub fn episode_trail(&self, customer: &Customer, episode: &Episode) -> Result<Vec<AuditCommit>, ServiceError> {
        let concerns = |entry: &Entry| match entry {
            Entry::Episode(other) => other.id == episode.id,
            Entry::Clock(fact) => fact.episode == Some(episode.id) || (fact.episode.is_none() && fact.pool == episode.pool),
            Entry::NoticeDelivered(delivery) => delivery.episode == Some(episode.id),
            Entry::Granted(grant) => grant.pool == episode.pool,
            Entry::ExcessAgreed(agreed) => agreed.pool == episode.pool,
            _ => false,
        };
        let mut commits = Vec::new();
        self.trail(customer, Version(0), &mut |mut commit| {
            commit.entries.retain(concerns);
            if !commit.entries.is_empty() {
                commit.changes.clear();
                commits.push(commit);
            }
            ControlFlow::Continue(())
        })?;
        Ok(commits)
    }

    fn episode_view(&self, customer: &Customer, standing: &Standing, all: &[Episode], episode: &Episode) -> EpisodeView {
        let pool = customer.policy.pools.iter().find(|pool| pool.id == episode.pool);
        let year = pool.and_then(|pool| pool.anchor).map(|anchor| license_year(anchor, episode.opened_day).0);
        let counts = |other: &&Episode| {
            other.pool == episode.pool
                && other.id <= episode.id
                && other.outcome != Some(Outcome::Void)
                && year.is_none_or(|start| other.opened_day >= start)
        };
        EpisodeView {
            episode: episode.clone(),
            clock: pool.filter(|_| episode.closed.is_none()).and_then(|pool| clock_view(pool, standing, self.now())),
            repeat: u32::try_from(all.iter().filter(counts).count()).unwrap_or(u32::MAX),
        }
    }

    /// Approves the upgrade of an episode in its major stage (R70). It happens when the cure window ends, or now if it
    /// ended before.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such episode; when the books cannot be read or written.
    pub fn approve_upgrade(
        &self,
        customer: &Customer,
        id: EpisodeId,
        by: &Actor,
        reason: &str,
    ) -> Result<ClockAnswer, ServiceError> {
        let answer = self.write_fact(customer, "approve_upgrade", by, &|standing, now| {
            let Some(episode) = self.store.episode(customer.id(), id)? else {
                return Err(ServiceError::Unknown { what: "episode", id: id.to_string(), hint: None });
            };
            if let Some(outcome) = episode.outcome {
                return Ok(Err(ClockAnswer::Closed(outcome)));
            }
            let facts = Facts(standing.clock.get(&Some(id)).map_or(&[][..], Vec::as_slice));
            let stage = facts.stages().next_back().map(|(_, stage)| (stage.stage, stage.round));
            let round = match stage {
                Some((Stage::Major, round)) => round,
                other => return Ok(Err(ClockAnswer::NotMajor(other.map_or(Stage::Minor, |(stage, _)| stage)))),
            };
            if facts.is_approved(round) {
                return Ok(Err(ClockAnswer::AlreadySo));
            }
            let step = ClockStep::Approved { round, reason: reason.to_owned() };
            Ok(Ok(ClockFact { pool: episode.pool, episode: Some(id), at: now, recorded: now, by: by.clone(), step }))
        })?;
        // If the window is over already, it happens at once.
        self.sweep(customer)?;
        Ok(answer)
    }

    /// Freezes the billing of a pool, so that nothing is upgraded by itself, or lets it go on (R69).
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such pool; when the books cannot be read or written.
    pub fn freeze_billing(
        &self,
        customer: &Customer,
        pool: &PoolId,
        freeze: bool,
        by: &Actor,
        reason: &str,
    ) -> Result<ClockAnswer, ServiceError> {
        customer.pool(pool)?;
        let verb = if freeze { "freeze_billing" } else { "unfreeze_billing" };
        self.write_fact(customer, verb, by, &|standing, now| {
            let billing = standing.clock.get(&None).map_or(&[][..], Vec::as_slice);
            if is_frozen(billing, pool) == freeze {
                return Ok(Err(ClockAnswer::AlreadySo));
            }
            let reason = reason.to_owned();
            let step = if freeze { ClockStep::Frozen { reason } } else { ClockStep::Unfrozen { reason } };
            Ok(Ok(ClockFact { pool: pool.clone(), episode: None, at: now, recorded: now, by: by.clone(), step }))
        })
    }

    /// Writes down a fact that an operator makes; what is due goes first.
    fn write_fact(
        &self,
        customer: &Customer,
        verb: &'static str,
        by: &Actor,
        fact: &dyn Fn(&Standing, Instant) -> Result<Verdict, ServiceError>,
    ) -> Result<ClockAnswer, ServiceError> {
        for attempt in 1.. {
            let now = self.now();
            self.sweep(customer)?;
            let standing = self.store.standing_light(customer.id())?;
            let fact = match fact(&standing, now)? {
                Ok(fact) => fact,
                Err(answer) => return Ok(answer),
            };
            let batch = Batch {
                customer: customer.id(),
                parent: standing.version,
                at: now,
                actor: by.clone(),
                run: None,
                plan: None,
                verb,
                names: &standing.book.names,
                people: &Default::default(),
                changes: &[],
                entries: &[Entry::Clock(fact)],
                notices: &[],
            };
            match self.store.commit(&batch) {
                Err(StoreError::VersionMoved { .. }) if attempt < TRIES_MAX => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(ClockAnswer::Done),
            }
        }
        Ok(ClockAnswer::AlreadySo)
    }
}

/// How the open overage of a pool stands.
pub(crate) fn clock_view(pool: &Pool, standing: &Standing, now: Instant) -> Option<ClockView> {
    let phase = standing.phases.get(&pool.id).unwrap_or(&Phase::UNBOUND);
    let mut line = timeline(pool, standing, (&standing.grants, &standing.agreed), phase, now);
    // What is due and was not written down yet is told as it will be.
    line.run_to(now);
    let episode = line.episode.as_ref()?;
    let day0 = Facts(line.facts()).continues().map_or(episode.opened_day, |(_, day0)| day0);
    let (fact, stage) = Facts(line.facts()).stages().next_back()?;
    let (calendar, clauses) = (&pool.calendar, &pool.clauses);
    let deadline = match stage.stage {
        // By the calendar as it is now: one that changes moves what has not happened yet.
        Stage::Minor if stage.deadline.is_some() => Some(minor_deadline(clauses, calendar, fact.at)),
        Stage::Minor | Stage::MinorOverdue => Some(line.dates(episode).major),
        Stage::Major => line.window().and_then(|window| window.start.map(|_| window.ends)),
    };
    let last = episode.samples.last()?;
    let seats = crate::license::allowance_in(phase, pool, &standing.grants, &standing.agreed, now).seats;
    let today = calendar.day_of(now);
    let billing = standing.clock.get(&None).map_or(&[][..], Vec::as_slice);
    Some(ClockView {
        stage: stage.stage,
        since: fact.at,
        elapsed: elapsed(clauses, calendar, day0, today),
        day0,
        deadline,
        offer: seats
            .and_then(|seats| tier_on_offer(pool, (phase, year_anchor(pool, &standing.chain)), (seats, last.used), now)),
        frozen: is_frozen(billing, &pool.id),
    })
}
