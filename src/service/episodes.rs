//! Overage episodes: listed, shown, exported for a dispute, and what an operator decides about them (R69, R70, R74).

use std::ops::ControlFlow;

use crate::base::{Actor, Day, Digest, EpisodeId, Instant, PoolId, Version};
use crate::license::{
    ClockFact, ClockStep, Delivery, Entry, Episode, Facts, Grant, Outcome, Phase, Pool, Quote, Stage, elapsed, is_frozen,
    license_year, minor_deadline, tier_on_offer, year_anchor,
};
use crate::plan::{Standing, timeline};
use crate::service::books::Books;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::writing::Writing;
use crate::store::{AuditCommit, NoticeRow};

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

/// What the trail tells of an episode.
#[derive(Clone, Debug, Default)]
pub struct EpisodeTrail {
    /// The commits that concern it, with nothing else in them.
    pub commits: Vec<AuditCommit>,
    /// Version and hash of every commit from the one in which it opened on, also of those that do not concern it: each hash
    /// is over the one before, so whoever has the books can prove with `rosterd audit verify` that nothing was put in or
    /// taken out.
    pub chain: Vec<(Version, Digest)>,
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
        self.as_of(customer, None, |books| {
            let all = books.episodes()?;
            let wanted = all.iter().filter(|episode| pool.is_none_or(|pool| *pool == episode.pool));
            Ok(wanted.map(|episode| episode_view(customer, books, &all, episode)).collect())
        })
    }

    /// Everything about an episode.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is none; when the books cannot be read.
    pub fn episode_file(&self, customer: &Customer, id: EpisodeId) -> Result<EpisodeFile, ServiceError> {
        self.as_of(customer, None, |books| {
            let standing = &books.standing;
            let all = books.episodes()?;
            let episode = all.iter().find(|episode| episode.id == id);
            let episode = episode.ok_or_else(|| ServiceError::Unknown { what: "episode", id: id.to_string(), hint: None })?;
            let facts = books.clock(id)?;
            let deliveries = books.deliveries()?;
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
                view: episode_view(customer, books, &all, episode),
                billing: billing.iter().filter(|fact| fact.pool == episode.pool).cloned().collect(),
                notices,
                grants: facts.iter().filter_map(taken).collect(),
                facts,
            })
        })
    }

    /// The commits of the trail in which an episode, its clock, or what its pool has and owes changed: only that of them. With
    /// them the chain that all commits form from the one in which it opened to the last of these.
    ///
    /// # Errors
    /// When the trail cannot be read.
    pub fn episode_trail(&self, customer: &Customer, episode: &Episode) -> Result<EpisodeTrail, ServiceError> {
        let until = episode.closed.unwrap_or(Instant::MAX);
        let concerns = |at: Instant, entry: &Entry| match entry {
            Entry::Episode(other) => other.id == episode.id,
            Entry::Clock(fact) => fact.episode == Some(episode.id) || (fact.episode.is_none() && fact.pool == episode.pool),
            Entry::NoticeDelivered(delivery) => delivery.episode == Some(episode.id),
            Entry::Granted(grant) => grant.pool == episode.pool,
            Entry::ExcessAgreed(agreed) => agreed.pool == episode.pool,
            Entry::Term(term) => term.pool == episode.pool,
            Entry::Phase { pool, .. } => *pool == episode.pool,
            // What the pool came to, cause by cause, while it lasted.
            Entry::Pool { pool, .. } => *pool == episode.pool && (episode.opened..=until).contains(&at),
            _ => false,
        };
        let mut found = EpisodeTrail::default();
        let mut last = Version(0);
        let asked = self.version_asked(customer, None)?;
        self.trail(customer, Version(0), &mut |mut commit| {
            if asked.is_some_and(|asked| commit.version > asked) {
                return ControlFlow::Break(());
            }
            if commit.at >= episode.opened {
                found.chain.push((commit.version, commit.hash));
            }
            commit.entries.retain(|entry| concerns(commit.at, entry));
            if !commit.entries.is_empty() {
                commit.changes.clear();
                last = commit.version;
                found.commits.push(commit);
            }
            ControlFlow::Continue(())
        })?;
        found.chain.retain(|(version, _)| *version <= last);
        Ok(found)
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

    /// Writes down a fact that an operator makes.
    fn write_fact(
        &self,
        customer: &Customer,
        verb: &'static str,
        by: &Actor,
        fact: &dyn Fn(&Standing, Instant) -> Result<Verdict, ServiceError>,
    ) -> Result<ClockAnswer, ServiceError> {
        self.settled(customer)?;
        let (answer, _) = self.write(customer, by, &|standing, now| {
            Ok(match fact(standing, now)? {
                Ok(fact) => {
                    let entries = vec![Entry::Clock(fact)];
                    (ClockAnswer::Done, Some(Writing { verb, entries, ..Writing::default() }))
                }
                Err(answer) => (answer, None),
            })
        })?;
        Ok(answer)
    }
}

fn episode_view(customer: &Customer, books: &Books<'_>, all: &[Episode], episode: &Episode) -> EpisodeView {
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
        clock: pool.filter(|_| episode.closed.is_none()).and_then(|pool| clock_view(pool, &books.standing, books.at)),
        repeat: u32::try_from(all.iter().filter(counts).count()).unwrap_or(u32::MAX),
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
