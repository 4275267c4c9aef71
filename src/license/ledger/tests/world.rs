//! A customer of tests with one pool, whose books are kept by plain counting.

use std::collections::BTreeMap;

use crate::base::{Actor, Calendar, ClaimId, Day, EpisodeId, Instant, Seats, TextArena, Version};
use crate::license::allowance::{allowance_at, changes_between};
use crate::license::band::band;
use crate::license::books::{Allowance, Band, Cause, Causes, Episode, PoolBooks, StateCounts};
use crate::license::causes::{Situation, leading_cause, step};
use crate::license::claim::ClaimState::{self, Active, Released, Waiting};
use crate::license::claim::{Because, Channel, Claim, ClaimChange, Names, OrgNameIx, PoolIx, ReasonsIx, Wait};
use crate::license::clauses::Clauses;
use crate::license::entry::{Entry, Mismatch, PoolTerms};
use crate::license::episode::{Observation, Step, advance, reconsider};
use crate::license::grant::{AgreedExcess, Grant, GrantKind};
use crate::license::ledger::Ledger;
use crate::license::pool::{Audience, OnFull, OverageLimits, Pool};

/// One commit as the trail keeps it.
pub(super) struct Commit {
    pub(super) version: Version,
    pub(super) at: Instant,
    pub(super) names: Names,
    pub(super) people: TextArena,
    pub(super) changes: Vec<ClaimChange>,
    pub(super) entries: Vec<Entry>,
}

impl Commit {
    pub(super) fn apply(&self, ledger: &mut Ledger) -> Result<(), Mismatch> {
        ledger.apply(self.version, self.at, &self.names, &self.people, &self.changes, &self.entries)
    }

    pub(super) fn books(&mut self) -> &mut PoolBooks {
        let books = self.entries.iter_mut().find_map(|e| if let Entry::Pool { books, .. } = e { Some(books) } else { None });
        books.expect("books of the pool")
    }

    pub(super) fn episode(&mut self) -> &mut Episode {
        let episode = self.entries.iter_mut().find_map(|e| if let Entry::Episode(e) = e { Some(e) } else { None });
        episode.expect("an episode")
    }
}

/// A customer with one pool whose books are kept here by plain counting, to be compared with the ledger.
pub(super) struct World {
    pub(super) pool: Pool,
    pub(super) version: Version,
    pub(super) names: Names,
    pub(super) claims: BTreeMap<String, Claim>,
    grants: Vec<Grant>,
    agreed: Vec<AgreedExcess>,
    pub(super) books: PoolBooks,
    pub(super) episodes: Vec<Episode>,
    pub(super) next_claim: u64,
}

impl World {
    pub(super) fn new() -> Self {
        let mut names = Names { pools: Vec::new(), orgs: vec!["north".into()], reasons: vec!["rule:all".into()] };
        names.pool(&"math".into());
        let pool = Pool {
            id: "math".into(),
            product: "math".into(),
            owner: "north".into(),
            audience: Audience::Any,
            unlimited: false,
            on_full: OnFull::Overdraw,
            overage: OverageLimits::CONTRACT,
            clauses: Clauses::CONTRACT,
            reservations: Vec::new(),
            calendar: Calendar::utc(),
            anchor: None,
            renewal: Default::default(),
            reuse: Default::default(),
        };
        let books = PoolBooks {
            counts: StateCounts::default(),
            allowance: Allowance { seats: Some(Seats(0)), agreed: Seats(0) },
            causes: Causes::new(),
            band: Band::Within,
            episode: None,
            held_back: Seats(0),
            provisional: None,
        };
        Self {
            pool,
            version: Version(0),
            names,
            claims: BTreeMap::new(),
            grants: Vec::new(),
            agreed: Vec::new(),
            books,
            episodes: Vec::new(),
            next_claim: 1,
        }
    }

    /// Makes a commit: people into states, and entries; books and episodes follow from them.
    pub(super) fn commit(&mut self, at: i64, moves: &[(&str, ClaimState)], mut entries: Vec<Entry>) -> Commit {
        let mut people = TextArena::default();
        let at = Instant(at);
        self.version.0 += 1;
        if self.version == Version(1) {
            entries.insert(0, Entry::PoolDefined(self.terms()));
        }
        for entry in &entries {
            match entry {
                Entry::Granted(grant) => self.grants.push(grant.clone()),
                Entry::ExcessAgreed(agreed) => self.agreed.push(agreed.clone()),
                _ => {}
            }
        }
        let mut changes = Vec::new();
        for (person, state) in moves {
            let before = self.claims.get(*person).copied();
            let after = match before {
                Some(claim) => Claim { state: *state, changed: at, ..claim },
                None => self.claim(at, *state),
            };
            changes.push(ClaimChange {
                person: people.push(person).expect("room"),
                because: Because::Entitled,
                before: before.map(Box::new),
                after,
            });
            match state {
                Released => self.claims.remove(*person),
                _ => self.claims.insert((*person).to_owned(), after),
            };
        }
        self.settle(at, &mut entries);
        entries.push(Entry::Pool { pool: self.pool.id.clone(), books: self.books.clone() });
        Commit { version: self.version, at, names: self.names.clone(), people, changes, entries }
    }

    fn claim(&mut self, at: Instant, state: ClaimState) -> Claim {
        self.next_claim += 1;
        Claim {
            id: ClaimId(self.next_claim - 1),
            since: at,
            changed: at,
            home: OrgNameIx(0),
            reasons: ReasonsIx(0),
            priority: 0,
            pool: PoolIx(0),
            state,
            channel: Channel::Sync,
            wait: if state == Waiting { Wait::Seat } else { Wait::Nothing },
        }
    }

    pub(super) fn terms(&self) -> PoolTerms {
        let Pool { id, product, unlimited, overage, owner, reservations, .. } = self.pool.clone();
        PoolTerms { pool: id, product, unlimited, overage, owner, reservations }
    }

    /// Works out books and episodes after a commit.
    fn settle(&mut self, at: Instant, entries: &mut Vec<Entry>) {
        let before = Situation { used: self.books.counts.used(), allowance: self.books.allowance };
        let mut counts = StateCounts::default();
        for state in ClaimState::ALL {
            counts.set(state, Seats(self.claims.values().filter(|c| c.state == state).count() as u32));
        }
        let known = |at| allowance_at(&self.pool, &self.grants, &self.agreed, at);
        let after = Situation { used: counts.used(), allowance: known(at) };
        let effective = after.allowance.effective();
        let causes = step(&self.books.causes, before, after, Cause::SyncOverdraw);
        let band = band(after.used, effective, &self.pool.overage);

        let reconsidered = |episode: &Episode| {
            let changes = changes_between(&self.pool, &self.grants, &self.agreed, episode.opened, at);
            reconsider(episode, at, &changes, |at| known(at).effective())
        };
        for episode in &mut self.episodes {
            if let Some(void) = reconsidered(episode) {
                entries.push(Entry::Episode(void.clone()));
                *episode = void;
            }
        }
        let seen = Observation {
            pool: self.pool.id.clone(),
            at,
            day: Day(at.0 as i32),
            used: after.used,
            effective,
            band,
            cause: leading_cause(&causes).unwrap_or(Cause::SyncOverdraw),
        };
        let open = self.episodes.iter().find(|e| e.closed.is_none());
        match advance(open, EpisodeId(self.episodes.len() as u64 + 1), &seen) {
            Step::None => {}
            Step::Opened(episode) | Step::Moved(episode) | Step::Closed(episode) => {
                entries.push(Entry::Episode(episode.clone()));
                self.episodes.truncate(episode.id.0 as usize - 1);
                self.episodes.push(episode);
            }
        }
        let episode = self.episodes.iter().find(|e| e.closed.is_none()).cloned();
        self.books =
            PoolBooks { counts, allowance: after.allowance, causes, band, episode, held_back: Seats(0), provisional: None };
    }
}

pub(super) fn grant(id: &str, seats: i64, from: i64, recorded: i64) -> Entry {
    Entry::Granted(Grant {
        id: id.into(),
        pool: "math".into(),
        seats,
        from: Instant(from),
        to: Instant::MAX,
        recorded: Instant(recorded),
        by: Actor::system(),
        kind: GrantKind::Purchase,
        reference: String::new(),
    })
}

/// Two seats bought and taken; then a third and one who waits.
pub(super) fn two_commits() -> (World, Commit, Commit) {
    let mut world = World::new();
    let first = world.commit(10, &[("ana", Active), ("ben", Active)], vec![grant("order 1", 2, 0, 10)]);
    let second = world.commit(20, &[("cal", Active), ("dan", Waiting)], Vec::new());
    (world, first, second)
}
