//! The license report and the claims report (R136 to R140, R143).

use std::collections::BTreeSet;

use crate::base::{OrgId, PoolId, ProductId, Seats, percent_used};
use crate::license::{allowance_in, phase_at};
use crate::roster::{OrgIx, OrgTree};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;

/// One row of the license report: an org with its subtree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseRow {
    /// The org.
    pub org: OrgId,
    /// Its name.
    pub name: String,
    /// Seats available to it; `None`: it owns and reserves none, or one of its pools is unlimited.
    pub limit: Option<u64>,
    /// Seats in use by people whose home org it is, or one below it.
    pub used: u64,
}

impl LicenseRow {
    /// limit − used.
    pub fn remaining(&self) -> Option<i64> {
        self.limit.map(|limit| limit as i64 - self.used as i64)
    }

    /// With one decimal, half up (R140).
    pub fn percent(&self) -> Option<String> {
        let limit = u32::try_from(self.limit?).unwrap_or(u32::MAX);
        percent_used(Seats(u32::try_from(self.used).unwrap_or(u32::MAX)), Some(Seats(limit)))
    }
}

/// One row of the claims report (R143).
#[derive(Clone, Debug)]
pub struct ClaimRow {
    /// Claim id.
    pub claim: u64,
    /// Path of the home org.
    pub org_path: String,
    /// Product.
    pub product: String,
    /// Pool.
    pub pool: String,
    /// Person key.
    pub person: String,
    /// State.
    pub state: &'static str,
    /// Reasons.
    pub reasons: String,
    /// Since.
    pub since: crate::base::Instant,
    /// Released at.
    pub released: Option<crate::base::Instant>,
    /// Why it was released.
    pub because: Option<&'static str>,
    /// The run that released it.
    pub run: Option<u64>,
}

impl Service {
    /// The license report of an org (the first root if `None`): the org itself, then its children by name (R137). Of
    /// one product or over all of them.
    ///
    /// # Errors
    /// When the books cannot be read, or there is no such org or product.
    pub fn license_report(
        &self,
        customer: &Customer,
        org: Option<&OrgId>,
        product: Option<&ProductId>,
    ) -> Result<Vec<LicenseRow>, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let roster = self.roster(customer, &standing)?;
        let tree = OrgTree::new(&roster);
        let top = match org {
            Some(org) => roster.find_org(org.as_str()).ok_or_else(|| ServiceError::Unknown {
                what: "org",
                id: org.to_string(),
                hint: crate::base::most_similar(org.as_str(), roster.orgs.iter().map(|o| roster.text(o.id))),
            })?,
            None => match tree.roots().first() {
                Some(&root) => root,
                None => return Ok(Vec::new()),
            },
        };
        let now = self.now();
        let of_product = |pool: &PoolId| {
            customer
                .policy
                .pools
                .iter()
                .find(|p| p.id == *pool)
                .is_some_and(|p| product.is_none_or(|wanted| p.product == *wanted))
        };
        let mut used = vec![0u64; roster.orgs.len()];
        for (pool, org, seats) in self.store.used_by_org(customer.id())? {
            if of_product(&pool)
                && let Some(at) = roster.find_org(org.as_str())
            {
                used[at.0 as usize] += u64::from(seats);
            }
        }
        let row = |org: OrgIx| {
            let mut limit = None;
            let mut unlimited = false;
            for pool in customer.policy.pools.iter().filter(|p| of_product(&p.id)) {
                let owner = roster.find_org(pool.owner.as_str());
                if owner.is_some_and(|owner| tree.is_within(owner, org)) {
                    let phase = phase_at(&standing.chain, pool, now);
                    match allowance_in(&phase, pool, &standing.grants, &standing.agreed, now).seats {
                        Some(seats) => *limit.get_or_insert(0) += u64::from(seats.0),
                        None => unlimited = true,
                    }
                    continue;
                }
                for (reserved, seats) in &pool.reservations {
                    if roster.find_org(reserved.as_str()).is_some_and(|r| tree.is_within(r, org)) {
                        *limit.get_or_insert(0) += u64::from(seats.0);
                    }
                }
            }
            LicenseRow {
                org: OrgId::from(roster.text(roster.org(org).id)),
                name: roster.text(roster.org(org).name).to_owned(),
                limit: limit.filter(|_| !unlimited),
                used: tree.subtree(org).iter().map(|below| used[below.0 as usize]).sum(),
            }
        };
        let mut children: Vec<LicenseRow> =
            tree.children(top).iter().filter(|c| !roster.org(**c).ended).map(|&child| row(child)).collect();
        children.sort_by_cached_key(|r| (r.name.to_lowercase(), r.org.clone()));
        Ok(std::iter::once(row(top)).chain(children).collect())
    }

    /// Every claim, open and released, by person, pool and number (R143), filtered by pool where one is given.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn claims_report(&self, customer: &Customer, pool: Option<&PoolId>) -> Result<Vec<ClaimRow>, ServiceError> {
        let standing = self.store.standing(customer.id())?;
        let roster = self.roster(customer, &standing)?;
        let tree = OrgTree::new(&roster);
        let path =
            |home: &OrgId| roster.find_org(home.as_str()).map_or_else(|| home.to_string(), |org| tree.path(org).to_owned());
        let product = |pool: &PoolId| {
            customer.policy.pools.iter().find(|p| p.id == *pool).map_or(String::new(), |p| p.product.to_string())
        };
        let wanted = |candidate: &PoolId| pool.is_none_or(|p| p == candidate);
        let book = &standing.book;
        let mut rows = Vec::new();
        for at in 0..book.people.len() {
            for claim in book.claims_at(at).iter().filter(|c| wanted(book.names.pool_of(c))) {
                let pool = book.names.pool_of(claim);
                rows.push(ClaimRow {
                    claim: claim.id.0,
                    org_path: path(book.names.home_of(claim)),
                    product: product(pool),
                    pool: pool.to_string(),
                    person: book.key(at).to_owned(),
                    state: claim.state.word(),
                    reasons: book.names.reasons_of(claim).to_owned(),
                    since: claim.since,
                    released: None,
                    because: None,
                    run: None,
                });
            }
        }
        // A claim that came back is told as it is now; one that went several times as it went last.
        let mut told: BTreeSet<u64> = book.claims.iter().map(|claim| claim.id.0).collect();
        for released in self.store.released(customer.id(), None)?.into_iter().rev() {
            if wanted(&released.pool) && told.insert(released.claim.id.0) {
                rows.push(ClaimRow {
                    claim: released.claim.id.0,
                    org_path: path(&released.home),
                    product: product(&released.pool),
                    pool: released.pool.to_string(),
                    person: released.person.to_string(),
                    state: released.claim.state.word(),
                    reasons: released.reasons,
                    since: released.claim.since,
                    released: Some(released.claim.changed),
                    because: Some(released.because.word()),
                    run: released.run.map(|r| r.0),
                });
            }
        }
        rows.sort_by(|a, b| (&a.person, &a.pool, a.claim).cmp(&(&b.person, &b.pool, b.claim)));
        Ok(rows)
    }
}
