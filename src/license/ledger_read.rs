//! What a ledger came to, for whoever asks.

use std::collections::BTreeMap;

use crate::base::{ClaimId, EpisodeId, PoolId, SourceId, Version};
use crate::license::books::{Absence, Episode, PoolBooks, SourceMark, StateCounts};
use crate::license::chain::{Phase, Term};
use crate::license::claim::{Claim, Names};
use crate::license::clock_fact::{ClockFact, Delivery};
use crate::license::entry::PoolTerms;
use crate::license::grant::{AgreedExcess, Grant, Pin};
use crate::license::high_water::PoolSample;
use crate::license::hold::{GuardDay, Hold};
use crate::license::ledger::Ledger;
use crate::license::org::OrgMark;
use crate::license::reuse_fold::Reuse;
use crate::license::seat_request::SeatRequest;

impl Ledger {
    /// The newest version folded in; 0 if none.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The words behind the claims' positions.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Everybody with an open claim, by key, with the open claims by pool.
    pub fn people(&self) -> impl Iterator<Item = (&str, &[Claim])> {
        self.people.iter().map(|(key, claims)| (&**key, claims.as_slice()))
    }

    /// The open claims of a person; empty if there are none.
    pub fn claims_of(&self, person: &str) -> &[Claim] {
        self.people.get(person).map_or(&[], Vec::as_slice)
    }

    /// Claims of a pool by state, counted from the claims.
    pub fn counts(&self, pool: &PoolId) -> StateCounts {
        self.names.find_pool(pool).and_then(|at| self.counts.get(usize::from(at.0))).copied().unwrap_or_default()
    }

    /// The books of each pool as last written.
    pub fn pools(&self) -> &BTreeMap<PoolId, PoolBooks> {
        &self.pools
    }

    /// The definitions of pools as last written.
    pub fn terms(&self) -> &BTreeMap<PoolId, PoolTerms> {
        &self.terms
    }

    /// All episodes, open and closed, by id.
    pub fn episodes(&self) -> impl Iterator<Item = &Episode> {
        self.episodes.values()
    }

    /// The open episode of a pool.
    pub fn open_episode(&self, pool: &PoolId) -> Option<&Episode> {
        self.episodes.values().rev().find(|e| e.closed.is_none() && e.pool == *pool)
    }

    /// All grants, by id.
    pub fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.grants.values()
    }

    /// All agreed excesses, by id.
    pub fn agreed(&self) -> impl Iterator<Item = &AgreedExcess> {
        self.agreed.values()
    }

    /// The pins that were not lifted, by person and pool.
    pub fn pins(&self) -> impl Iterator<Item = &Pin> {
        self.pins.values()
    }

    /// Who is missing or removed, by person.
    pub fn absences(&self) -> impl Iterator<Item = &Absence> {
        self.absences.values()
    }

    /// What was last taken in, by source.
    pub fn sources(&self) -> &BTreeMap<SourceId, SourceMark> {
        &self.sources
    }

    /// All holds, by the run that opened them.
    pub fn holds(&self) -> impl Iterator<Item = &Hold> {
        self.holds.values()
    }

    /// What was removed lately, by source and date.
    pub fn guard_days(&self) -> impl Iterator<Item = &GuardDay> {
        self.guard_days.values()
    }

    /// What clocks wrote down: of pools as such, then by episode.
    pub fn clock(&self) -> impl Iterator<Item = &ClockFact> {
        self.clock.values().flatten()
    }

    /// Deliveries of notices, by notice and channel.
    pub fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.values()
    }

    /// All orgs ever delivered, by id.
    pub fn orgs(&self) -> impl Iterator<Item = &OrgMark> {
        self.orgs.values()
    }

    /// What each pool came to with each commit that changed it, by pool.
    pub fn samples(&self) -> &BTreeMap<PoolId, Vec<PoolSample>> {
        &self.samples
    }

    /// Requests for more seats, oldest first.
    pub fn seat_requests(&self) -> &[SeatRequest] {
        &self.seat_requests
    }

    /// All terms, by id, as last recorded.
    pub fn chain(&self) -> impl Iterator<Item = &Term> {
        self.chain.values()
    }

    /// Where each pool with terms is in its chain.
    pub fn phases(&self) -> &BTreeMap<PoolId, Phase> {
        &self.phases
    }

    /// The people of pools' license years.
    pub fn reuse(&self) -> &Reuse {
        &self.reuse
    }

    /// The id the next claim gets, at least.
    pub fn next_claim(&self) -> ClaimId {
        ClaimId(self.claim_last.0 + 1)
    }

    /// The id the next episode gets, at least.
    pub fn next_episode(&self) -> EpisodeId {
        EpisodeId(self.episodes.last_key_value().map_or(0, |(id, _)| id.0) + 1)
    }
}
