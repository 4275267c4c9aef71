//! How far the reach of somebody bound to one org goes: over orgs, pools and people (R20, R163).

use crate::base::{OrgId, PersonKey, PoolId};
use crate::license::Orgs;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;

impl Service {
    /// Whether an org lies in the part of the tree below `top`, `top` among it.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn is_org_within(&self, customer: &Customer, org: &OrgId, top: &OrgId) -> Result<bool, ServiceError> {
        let marks = self.store.orgs(customer.id())?;
        let orgs = Orgs::new(&marks);
        let found = orgs.find(org.as_str()).zip(orgs.find(top.as_str()));
        Ok(found.is_some_and(|(org, top)| orgs.is_within(org, top)))
    }

    /// Whether the seats of a pool may be given away by whoever is bound to `top`: its owner lies there, or serves it (R20).
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such pool; when the books cannot be read.
    pub fn is_pool_within(&self, customer: &Customer, pool: &PoolId, top: &OrgId) -> Result<bool, ServiceError> {
        let owner = &customer.pool(pool)?.owner;
        Ok(self.is_org_within(customer, owner, top)? || self.is_org_within(customer, top, owner)?)
    }

    /// Whether a person is the affair of whoever is bound to `top`. Where it is about a pool, the home of the claim on it
    /// tells. Else those of all claims and the roster do: the primary org and the orgs of live roles. Who is gone from the
    /// roster is of where the newest claim was that ended.
    ///
    /// # Errors
    /// When the books or the roster cannot be read.
    pub fn is_person_within(
        &self,
        customer: &Customer,
        person: &PersonKey,
        top: &OrgId,
        pool: Option<&PoolId>,
    ) -> Result<bool, ServiceError> {
        let marks = self.store.orgs(customer.id())?;
        let orgs = Orgs::new(&marks);
        let Some(top) = orgs.find(top.as_str()) else { return Ok(false) };
        let within = |org: &str| orgs.find(org).is_some_and(|org| orgs.is_within(org, top));
        let (names, claims) = self.store.claims_of(customer.id(), person.as_str())?;
        let about = claims.iter().filter(|claim| pool.is_none_or(|pool| names.pool_of(claim) == pool));
        let homes: Vec<bool> = about.map(|claim| within(names.home_of(claim).as_str())).collect();
        if homes.contains(&true) || (pool.is_some() && !homes.is_empty()) {
            return Ok(homes.contains(&true));
        }
        let standing = self.store.standing_light(customer.id())?;
        let roster = self.roster_of(customer, &standing, person.as_str())?;
        let Some(known) = roster.find_person(person.as_str()).map(|at| roster.person(at)) else {
            let ended = self.store.released(customer.id(), Some(person.as_str()))?;
            let newest = ended.iter().max_by_key(|ended| (ended.claim.changed, ended.claim.id));
            return Ok(newest.is_some_and(|newest| within(newest.home.as_str())));
        };
        let today = customer.day_of(self.now());
        let live = roster.roles_of(known).iter().filter(|role| role.live(today)).map(|role| role.org);
        let mut of = known.primary_org.into_iter().chain(live);
        Ok(of.any(|org| within(roster.text(roster.org(org).id))))
    }
}
