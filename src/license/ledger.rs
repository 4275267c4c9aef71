//! The books as the trail alone tells them (R159, I12): every commit is folded in, and proven while it is.
//!
//! A ledger knows claims, entries and rules, but no store. Fold all commits of a customer from the first, then compare
//! what it holds with what is stored. A mismatch ends it: after an error the ledger is half-way and good for nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{
    ClaimId, Day, EpisodeId, GrantId, Instant, OrgId, PersonKey, PoolId, RunId, Seats, SourceId, TextArena, Version,
};
use crate::license::allowance::allowance_of;
use crate::license::books::{Absence, Allowance, Episode, PoolBooks, SourceMark, StateCounts};
use crate::license::chain::{Phase, Term, TermState, overlapping_terms};
use crate::license::claim::{Claim, ClaimChange, ClaimState, Names, PoolIx};
use crate::license::clock_fact::{ClockFact, Delivery};
use crate::license::clock_proof::{prove_delivery, prove_fact};
use crate::license::entry::{Entry, Mismatch, PoolTerms};
use crate::license::episode::overlapping;
use crate::license::grant::{AgreedExcess, Grant, Pin};
use crate::license::high_water::PoolSample;
use crate::license::hold::{GUARD_DAYS_KEPT, GuardDay, Hold};
use crate::license::mismatch::{claim_mismatch, grow, pool_mismatch, record};
use crate::license::org::OrgMark;
use crate::license::proof::{Flaw, prove_books, prove_episode};
use crate::license::reuse_fold::Reuse;
use crate::license::seat_request::SeatRequest;
use crate::license::transition::may_become;

/// A customer's books, folded from the trail.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub(super) version: Version,
    pub(super) names: Names,
    /// Open claims; inside a person sorted by pool, of which each has one (I2). Nobody is in it without a claim.
    pub(super) people: BTreeMap<Box<str>, Vec<Claim>>,
    /// Claims by state, by position of the pool.
    pub(super) counts: Vec<StateCounts>,
    /// Released claims as they were last released: one may come back to its person (R126, R130) until the purge.
    pub(super) released: BTreeMap<Box<str>, Vec<Claim>>,
    pub(super) claim_last: ClaimId,
    pub(super) terms: BTreeMap<PoolId, PoolTerms>,
    pub(super) grants: BTreeMap<GrantId, Grant>,
    pub(super) agreed: BTreeMap<GrantId, AgreedExcess>,
    pub(super) pins: BTreeMap<(PersonKey, PoolId), Pin>,
    pub(super) pools: BTreeMap<PoolId, PoolBooks>,
    pub(super) episodes: BTreeMap<EpisodeId, Episode>,
    pub(super) absences: BTreeMap<PersonKey, Absence>,
    pub(super) sources: BTreeMap<SourceId, SourceMark>,
    pub(super) holds: BTreeMap<RunId, Hold>,
    pub(super) guard_days: BTreeMap<(SourceId, Day), GuardDay>,
    /// What clocks wrote down, by episode; of pools as such under `None`.
    pub(super) clock: BTreeMap<Option<EpisodeId>, Vec<ClockFact>>,
    /// By notice and channel.
    pub(super) deliveries: BTreeMap<(String, String), Delivery>,
    pub(super) orgs: BTreeMap<OrgId, OrgMark>,
    pub(super) samples: BTreeMap<PoolId, Vec<PoolSample>>,
    pub(super) seat_requests: Vec<SeatRequest>,
    pub(super) chain: BTreeMap<GrantId, Term>,
    pub(super) phases: BTreeMap<PoolId, Phase>,
    pub(super) reuse: Reuse,
}

impl Ledger {
    /// Folds in the next commit: made at `at`, `people` and `names` are what its changes point into. Proves that
    /// every change starts from what the trail had (I2 included), that ids are new and states follow each other, that
    /// episodes keep their past and do not overlap (I7), and that the books of each pool are what claims and grants
    /// come to (I1, I3). A pool whose claims change state needs its books in the same commit.
    ///
    /// # Errors
    /// The first [`Mismatch`]: the trail's side is what was folded so far, the stored side is what this commit says.
    pub fn apply(
        &mut self,
        version: Version,
        at: Instant,
        names: &Names,
        people: &TextArena,
        changes: &[ClaimChange],
        entries: &[Entry],
    ) -> Result<(), Mismatch> {
        if version.0 != self.version.0 + 1 {
            return Err(record(version)(Flaw::new("version", self.version.0 + 1, version)));
        }
        self.version = version;
        self.adopt_names(names).map_err(record(version))?;

        let mut touched = vec![false; self.counts.len()];
        let mut ids = Vec::new();
        for change in changes {
            let person = people.get(change.person);
            self.change(person, change, &mut touched, &mut ids)
                .map_err(|flaw| claim_mismatch(version, person, change.after.id, flaw))?;
        }
        self.number(ids).map_err(record(version))?;

        let mut episodes_of = BTreeSet::new();
        for entry in entries {
            if let Entry::Episode(episode) = entry {
                episodes_of.insert(&episode.pool);
            }
            self.enter(at, entry).map_err(record(version))?;
        }
        for pool in episodes_of {
            if let Some((one, other)) = overlapping(self.episodes.values().filter(|e| e.pool == *pool)) {
                let flaw = Flaw::new(format!("episodes of {pool}"), "one after the other", format!("{one} overlaps {other}"));
                return Err(record(version)(flaw));
            }
        }

        for entry in entries {
            if let Entry::Pool { pool, books } = entry {
                self.prove(pool, at, books).map_err(pool_mismatch(version, pool))?;
                if let Some(position) = self.names.find_pool(pool) {
                    touched[usize::from(position.0)] = false;
                }
            }
        }
        match touched.iter().position(|touched| *touched) {
            Some(position) => {
                let flaw = Flaw::new("books", "changed by claims", "not in this commit");
                Err(pool_mismatch(version, &self.names.pools[position])(flaw))
            }
            None => Ok(()),
        }
    }

    /// Names only grow at the end, so that positions stay true.
    fn adopt_names(&mut self, names: &Names) -> Result<(), Flaw> {
        let Names { pools, orgs, reasons } = names;
        grow("pool names", &mut self.names.pools, pools)?;
        grow("org names", &mut self.names.orgs, orgs)?;
        grow("reason names", &mut self.names.reasons, reasons)?;
        self.counts.resize(pools.len(), StateCounts::default());
        Ok(())
    }

    fn change(&mut self, key: &str, change: &ClaimChange, touched: &mut [bool], ids: &mut Vec<ClaimId>) -> Result<(), Flaw> {
        let ClaimChange { person: _, because: _, before, after } = change;
        self.name_check(after)?;
        let held = self.people.get(key).map_or(&[][..], Vec::as_slice);
        let place = held.iter().position(|claim| claim.id == after.id);
        let gone = self.released.get(key).map_or(&[][..], Vec::as_slice);
        let known = place.map(|at| &held[at]).or_else(|| gone.iter().find(|claim| claim.id == after.id));
        if known != before.as_deref() {
            let side = |claim: Option<&Claim>| claim.map_or("none".into(), |claim| self.describe(claim));
            return Err(Flaw::new("before", side(known), side(before.as_deref())));
        }
        let state_before = before.as_ref().map(|claim| claim.state);
        let moved_pool = before.as_ref().is_some_and(|claim| claim.pool != after.pool);
        if moved_pool || !may_become(state_before, after.state) {
            let from = before.as_ref().map_or("no claim".into(), |claim| self.describe(claim));
            return Err(Flaw::new("after", format!("what may follow {from}"), self.describe(after)));
        }
        if place.is_none() {
            if let Some(other) = held.iter().find(|claim| claim.pool == after.pool) {
                return Err(Flaw::new("after", self.describe(other), self.describe(after)));
            }
            if before.is_none() {
                ids.push(after.id);
            }
        }
        if state_before != Some(after.state) {
            let pool = usize::from(after.pool.0);
            touched[pool] = true;
            if let Some(state) = state_before {
                self.counts[pool].leave(state);
            }
            self.counts[pool].enter(after.state);
        }
        self.reuse.change(&self.names, key, change);
        self.put(key, place, after);
        Ok(())
    }

    /// Puts a claim in its place, or takes it out when it is released.
    fn put(&mut self, key: &str, place: Option<usize>, claim: &Claim) {
        if claim.state == ClaimState::Released {
            let gone = self.released.entry(key.into()).or_default();
            gone.reserve_exact(1);
            gone.push(*claim);
        } else if place.is_none()
            && let Some(gone) = self.released.get_mut(key)
        {
            gone.retain(|other| other.id != claim.id);
            if gone.is_empty() {
                self.released.remove(key);
            }
        }
        let Some(held) = self.people.get_mut(key) else {
            self.people.insert(key.into(), vec![*claim]);
            return;
        };
        match place {
            Some(at) if claim.state == ClaimState::Released => {
                held.remove(at);
                if held.is_empty() {
                    self.people.remove(key);
                }
            }
            Some(at) => held[at] = *claim,
            None => {
                let at = held.partition_point(|other| other.pool < claim.pool);
                held.reserve_exact(1);
                held.insert(at, *claim);
            }
        }
    }

    fn name_check(&self, claim: &Claim) -> Result<(), Flaw> {
        let Names { pools, orgs, reasons } = &self.names;
        let PoolIx(pool) = claim.pool;
        let known = usize::from(pool) < pools.len()
            && (claim.home.0 as usize) < orgs.len()
            && (claim.reasons.0 as usize) < reasons.len();
        if known { Ok(()) } else { Err(Flaw::new("positions", "within the names", format!("{claim:?}"))) }
    }

    /// New ids of one commit: each once, all above those of earlier commits. In which order is the planner's business.
    fn number(&mut self, mut ids: Vec<ClaimId>) -> Result<(), Flaw> {
        ids.sort_unstable();
        if let Some(first) = ids.first().filter(|first| **first <= self.claim_last) {
            return Err(Flaw::new("id of a new claim", format!("above {}", self.claim_last), first));
        }
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Flaw::new("id of a new claim", "given once", format!("{} given twice", pair[0])));
        }
        self.claim_last = ids.last().copied().unwrap_or(self.claim_last);
        Ok(())
    }

    fn enter(&mut self, at: Instant, entry: &Entry) -> Result<(), Flaw> {
        match entry {
            Entry::PoolDefined(terms) => {
                self.terms.insert(terms.pool.clone(), terms.clone());
            }
            Entry::Granted(grant) => {
                self.once(&grant.id)?;
                self.grants.insert(grant.id.clone(), grant.clone());
            }
            Entry::ExcessAgreed(agreed) => {
                self.once(&agreed.id)?;
                self.agreed.insert(agreed.id.clone(), agreed.clone());
            }
            Entry::Pinned(pin) => {
                self.pins.insert((pin.person.clone(), pin.pool.clone()), pin.clone());
            }
            Entry::Unpinned { person, pool } => {
                if self.pins.remove(&(person.clone(), pool.clone())).is_none() {
                    return Err(Flaw::new(format!("pin of {person} on {pool}"), "none", "lifted"));
                }
            }
            Entry::Pool { pool, books } => {
                let sample = PoolSample { at, used: books.counts.used(), allowance: books.allowance.seats };
                let samples = self.samples.entry(pool.clone()).or_default();
                if samples.last().is_none_or(|last| PoolSample { at, ..*last } != sample) {
                    samples.push(sample);
                }
                self.pools.insert(pool.clone(), books.clone());
            }
            Entry::Episode(episode) => {
                let before = self.episodes.get(&episode.id);
                if before.is_none() && episode.id < self.next_episode() {
                    return Err(Flaw::new("id of a new episode", format!("{} or above", self.next_episode()), episode.id));
                }
                prove_episode(before, episode)?;
                self.episodes.insert(episode.id, episode.clone());
            }
            Entry::Absent(absence) => {
                self.absences.insert(absence.person.clone(), absence.clone());
            }
            Entry::Returned(person) => {
                if self.absences.remove(person).is_none() {
                    return Err(Flaw::new(format!("absence of {person}"), "none", "returned"));
                }
            }
            Entry::Purged { person, reason: _ } => {
                self.absences.remove(person);
                self.released.remove(person.as_str());
                self.reuse.purge(person);
            }
            Entry::Adopted(mark) => {
                self.sources.insert(mark.source.clone(), mark.clone());
            }
            Entry::Hold(hold) => {
                self.holds.insert(hold.run, hold.clone());
            }
            Entry::GuardDay(day) => {
                self.guard_days.retain(|_, kept| kept.day.0 > day.day.0 - GUARD_DAYS_KEPT);
                self.guard_days.insert((day.source.clone(), day.day), day.clone());
            }
            Entry::Clock(fact) => {
                let episode = fact.episode.and_then(|id| self.episodes.get(&id));
                let facts = self.clock.entry(fact.episode).or_default();
                prove_fact(fact, episode, facts, |id| self.grants.get(id))?;
                facts.push(fact.clone());
            }
            Entry::NoticeDelivered(delivery) => {
                let facts = self.clock.get(&delivery.episode).map_or(&[][..], Vec::as_slice);
                prove_delivery(delivery, facts)?;
                let place = (delivery.key.clone(), delivery.channel.clone());
                if self.deliveries.insert(place, delivery.clone()).is_some() {
                    return Err(Flaw::new(format!("delivery of {}", delivery.key), "written before", "written again"));
                }
            }
            Entry::Orgs(orgs) => self.orgs.extend(orgs.iter().map(|org| (org.id.clone(), org.clone()))),
            Entry::SeatsRequested(request) => self.seat_requests.push(request.clone()),
            Entry::Term(term) => self.record_term(term)?,
            Entry::Phase { pool, phase } => {
                let fits = match &phase.term {
                    Some(id) => self.chain.get(id).is_some_and(|term| term.pool == *pool && term.to == phase.term_end),
                    None => matches!(phase.state, TermState::Unbound | TermState::NotStarted),
                };
                if !fits {
                    return Err(Flaw::new(format!("phase of pool {pool}"), "one of its terms", format!("{phase:?}")));
                }
                self.phases.insert(pool.clone(), phase.clone());
            }
            Entry::Reuse(year) => self.reuse.record(year, self.pools.get(&year.pool))?,
            Entry::NumberedSeats(moves) => self.reuse.renumber(moves)?,
            // They tell what was not done; the books do not change.
            Entry::Refused { .. } | Entry::IdentityConflict { .. } | Entry::RolesChanged(_) => {}
        }
        Ok(())
    }

    fn record_term(&mut self, term: &Term) -> Result<(), Flaw> {
        if let Some(other) = self.chain.get(&term.id).filter(|known| known.pool != term.pool) {
            return Err(Flaw::new(format!("term {}", term.id), format!("of pool {}", other.pool), format!("of {}", term.pool)));
        }
        self.chain.insert(term.id.clone(), term.clone());
        let all: Vec<Term> = self.chain.values().cloned().collect();
        match overlapping_terms(&all, &term.pool) {
            Some((one, other)) => {
                Err(Flaw::new(format!("terms of {}", term.pool), "one after the other", format!("{one} overlaps {other}")))
            }
            None => Ok(()),
        }
    }

    fn once(&self, id: &GrantId) -> Result<(), Flaw> {
        let taken = self.grants.contains_key(id) || self.agreed.contains_key(id);
        if taken { Err(Flaw::new(format!("grant {id}"), "recorded before", "recorded again")) } else { Ok(()) }
    }

    fn prove(&self, pool: &PoolId, at: Instant, books: &PoolBooks) -> Result<(), Flaw> {
        let terms = self.terms.get(pool).ok_or_else(|| Flaw::new("definition", "none", "books"))?;
        let counts = self.counts(pool);
        let phase = self.phases.get(pool).unwrap_or(&Phase::UNBOUND);
        let allowance = match phase.counting(at) {
            Some(at) => allowance_of(pool, terms.unlimited, self.grants.values(), self.agreed.values(), at),
            None if counts.used().0 > 0 => return Err(Flaw::new("seats in use without a term", 0, counts.used())),
            None => Allowance { seats: (!terms.unlimited).then_some(Seats(0)), agreed: Seats(0) },
        };
        let ix = self.names.find_pool(pool);
        let has_seat =
            |person: &str| self.claims_of(person).iter().any(|claim| Some(claim.pool) == ix && claim.state.consumes());
        self.reuse.prove_seats(pool, counts.used().0, has_seat)?;
        prove_books(terms, counts, allowance, self.open_episode(pool), books)
    }

    /// A claim on one line.
    fn describe(&self, claim: &Claim) -> String {
        let Claim { id, since, changed, home, reasons, priority, pool, state, channel, wait } = claim;
        let pool = self.names.pools.get(usize::from(pool.0)).map_or("?", |p| p.as_str());
        let home = self.names.orgs.get(home.0 as usize).map_or("?", |o| o.as_str());
        let reasons = self.names.reasons.get(reasons.0 as usize).map_or("?", String::as_str);
        let (state, channel) = (state.word(), channel.word());
        format!(
            "{id} in {pool} {state} (since {since}, changed {changed}, home {home}, {reasons}, priority {priority}, {channel}, waits for {wait:?})"
        )
    }
}

#[cfg(test)]
mod tests;
