//! One pool in depth: why its balance is what it is (R162).

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::base::{Instant, OrgId, PoolId};
use crate::license::{AgreedExcess, Claim, Entry, Episode, Grant, Names, Pin, Term};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::inspect::{PoolView, pool_views};

/// Everything about one pool.
#[derive(Clone, Debug)]
pub struct PoolDetail {
    /// Its numbers.
    pub view: PoolView,
    /// Its terms, by start; those of the settings are here before the first run.
    pub terms: Vec<Term>,
    /// Its grants, by start and id; those of the settings are here from the first run on.
    pub grants: Vec<Grant>,
    /// Its agreed excesses, by start and id.
    pub agreed: Vec<AgreedExcess>,
    /// Its pins, by person.
    pub pins: Vec<Pin>,
    /// Its episodes, newest first.
    pub episodes: Vec<Episode>,
    /// Used seats by home org.
    pub used_by_org: Vec<(OrgId, u32)>,
}

/// What happened to a pool since an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolMoves {
    /// Seats taken, by why.
    pub seated: BTreeMap<&'static str, u32>,
    /// Seats freed, by why.
    pub freed: BTreeMap<&'static str, u32>,
    /// Grants and agreed excesses written down, by id, with their seats.
    pub granted: Vec<(String, i64)>,
}

impl Service {
    /// Everything about one pool.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such pool.
    pub fn pool_detail(&self, customer: &Customer, pool: &PoolId) -> Result<PoolDetail, ServiceError> {
        let unknown = || ServiceError::Unknown { what: "pool", id: pool.to_string(), hint: None };
        self.as_of(customer, None, |books| {
            let standing = &books.standing;
            let views = pool_views(customer, standing, books.at);
            let view = views.into_iter().find(|view| view.pool == *pool).ok_or_else(unknown)?;
            let mut grants: Vec<Grant> = standing.grants.iter().filter(|grant| grant.pool == *pool).cloned().collect();
            grants.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
            let agreed = standing.agreed.iter().filter(|agreed| agreed.pool == *pool);
            let mut agreed: Vec<AgreedExcess> = agreed.cloned().collect();
            agreed.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
            let used = books.used_by_org()?.into_iter().filter(|(id, ..)| id == pool);
            let mut terms: Vec<Term> = standing.chain.iter().filter(|term| term.pool == *pool).cloned().collect();
            terms.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
            Ok(PoolDetail {
                view,
                terms,
                grants,
                agreed,
                pins: standing.pins.iter().filter(|pin| pin.pool == *pool).cloned().collect(),
                episodes: books.episodes()?.into_iter().filter(|episode| episode.pool == *pool).collect(),
                used_by_org: used.map(|(_, org, seats)| (org, seats)).collect(),
            })
        })
    }

    /// The seats in use of a pool by the reasons they are held for (R162), the most first.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn seats_by_reason(&self, customer: &Customer, pool: &PoolId) -> Result<Vec<(String, u32)>, ServiceError> {
        self.as_of(customer, None, |books| {
            let book = books.whole()?.book;
            let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
            for claim in book.claims.iter().filter(|claim| seated_in(&book.names, claim, pool)) {
                *counts.entry(book.names.reasons_of(claim)).or_default() += 1;
            }
            let mut counts: Vec<(String, u32)> = counts.into_iter().map(|(why, seats)| (why.to_owned(), seats)).collect();
            counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            Ok(counts)
        })
    }

    /// What happened to a pool from an instant on until now, out of the trail.
    ///
    /// # Errors
    /// When the trail cannot be read.
    pub fn pool_moves(&self, customer: &Customer, pool: &PoolId, since: Instant) -> Result<PoolMoves, ServiceError> {
        let mut moves = PoolMoves::default();
        let before = self.store.version_at(customer.id(), Instant(since.0.saturating_sub(1)))?;
        let until = self.version_asked(customer, None)?;
        self.trail(customer, before, &mut |commit| {
            if until.is_some_and(|until| commit.version > until) {
                return ControlFlow::Break(());
            }
            let takes = |claim: &Claim| seated_in(&commit.names, claim, pool);
            for change in &commit.changes {
                let counts = match (change.before.as_deref().is_some_and(takes), takes(&change.after)) {
                    (false, true) => &mut moves.seated,
                    (true, false) => &mut moves.freed,
                    (true, true) | (false, false) => continue,
                };
                *counts.entry(change.because.word()).or_default() += 1;
            }
            for entry in &commit.entries {
                match entry {
                    Entry::Granted(grant) if grant.pool == *pool => moves.granted.push((grant.id.to_string(), grant.seats)),
                    Entry::ExcessAgreed(agreed) if agreed.pool == *pool => {
                        moves.granted.push((agreed.id.to_string(), i64::from(agreed.seats.0)));
                    }
                    _ => {}
                }
            }
            ControlFlow::Continue(())
        })?;
        Ok(moves)
    }

    /// A grant id that nobody has taken yet: `cli-N`, N counting from the number of grants and agreed excesses.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn free_grant_id(&self, customer: &Customer) -> Result<String, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let mut taken: Vec<&str> = standing.grants.iter().map(|grant| grant.id.as_str()).collect();
        taken.extend(standing.agreed.iter().map(|agreed| agreed.id.as_str()));
        // Those of the settings are written down with the next run.
        taken.extend(customer.grants.iter().map(|grant| grant.id.as_str()));
        taken.extend(customer.agreed.iter().map(|agreed| agreed.id.as_str()));
        let mut number = standing.grants.len() + standing.agreed.len() + 1;
        while taken.contains(&format!("cli-{number}").as_str()) {
            number += 1;
        }
        Ok(format!("cli-{number}"))
    }
}

fn seated_in(names: &Names, claim: &Claim, pool: &PoolId) -> bool {
    claim.state.consumes() && names.pool_of(claim) == pool
}
