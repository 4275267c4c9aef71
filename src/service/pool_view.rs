//! One pool in depth: why its balance is what it is (R162).

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::base::{Instant, OrgId, PoolId, Version};
use crate::license::{AgreedExcess, Claim, Entry, Episode, Grant, Names, Pin, Term};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::inspect::PoolView;

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
        customer.pool(pool)?;
        let unknown = || ServiceError::Unknown { what: "pool", id: pool.to_string(), hint: None };
        let view = self.pools(customer)?.into_iter().find(|view| view.pool == *pool).ok_or_else(unknown)?;
        let standing = self.standing_light_with_seeds(customer)?;
        let mut terms: Vec<Term> = standing.chain.into_iter().filter(|term| term.pool == *pool).collect();
        terms.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        let mut grants: Vec<Grant> = standing.grants.into_iter().filter(|grant| grant.pool == *pool).collect();
        grants.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        let mut agreed: Vec<AgreedExcess> = standing.agreed.into_iter().filter(|agreed| agreed.pool == *pool).collect();
        agreed.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        let used = self.store.used_by_org(customer.id())?;
        Ok(PoolDetail {
            view,
            terms,
            grants,
            agreed,
            pins: standing.pins.into_iter().filter(|pin| pin.pool == *pool).collect(),
            episodes: self.store.episodes(customer.id())?.into_iter().filter(|episode| episode.pool == *pool).collect(),
            used_by_org: used.into_iter().filter(|(id, ..)| id == pool).map(|(_, org, seats)| (org, seats)).collect(),
        })
    }

    /// What happened to a pool from an instant on, out of the trail.
    ///
    /// # Errors
    /// When the trail cannot be read.
    pub fn pool_moves(&self, customer: &Customer, pool: &PoolId, since: Instant) -> Result<PoolMoves, ServiceError> {
        let mut moves = PoolMoves::default();
        self.trail(customer, Version(0), &mut |commit| {
            if commit.at < since {
                return ControlFlow::Continue(());
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
