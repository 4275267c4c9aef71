//! What would have been: a stretch of the trail played again with the settings as they are, which is held against what was
//! recorded, and with other settings. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::base::{Day, GrantId, Instant, PoolId, Seats, Version};
use crate::license::{Charge, Entry, Grant, Pool, Term, charge_of_seats, phase_at, year_anchor};
use crate::plan::{Hands, Policy, Recorded, Replay, Rules, Standing, Story, difference, hands_of};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::runs::Freshness;
use crate::store::AuditCommit;

/// How many facts the record has of an instant.
type Looked = BTreeMap<Instant, usize>;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct WhatIfAsked {
    /// The first day, in the customer's calendar; `None`: from the first commit on.
    pub from: Option<Day>,
    /// The last day; `None`: up to now.
    pub to: Option<Day>,
    /// Pools with other settings.
    pub pools: Vec<Pool>,
    /// Purchases that were not made.
    pub grants: Vec<Grant>,
    /// Purchases that are left out.
    pub without: Vec<GrantId>,
}

/// What would have been.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// What it rests on.
    pub freshness: Freshness,
    /// From when on.
    pub from: Instant,
    /// Until when.
    pub to: Instant,
    /// Commits that were played.
    pub commits: u64,
    /// The first difference between the record and its replay with the settings as they are, if there is one: settings were
    /// others then.
    pub difference: Option<(Version, String)>,
    /// Pool by pool, those with other settings; all if nothing is changed.
    pub pools: Vec<PoolWhatIf>,
}

/// A pool as it was and as it would have been.
#[derive(Clone, Debug)]
pub struct PoolWhatIf {
    /// Which.
    pub pool: PoolId,
    /// As it was.
    pub was: Story,
    /// As it would have been; `None`: nothing was changed.
    pub would: Option<Story>,
    /// What the seats cost that were not bought in fact, at the rate of the pool's tier.
    pub bought: Vec<Option<Charge>>,
    /// Assignments by hand that were refused for want of a seat; they stay refused.
    pub refused: u32,
}

impl Service {
    /// Plays a stretch of the trail again, as it was and with other settings.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if a grant to be left out was never recorded; when the trail cannot be read.
    pub fn what_if(&self, customer: &Customer, asked: &WhatIfAsked) -> Result<WhatIf, ServiceError> {
        let WhatIfAsked { from, to, pools, grants, without } = asked;
        let (freshness, newest, known, agreed, chain) = self.as_of(customer, None, |books| {
            let Standing { version, grants, agreed, chain, .. } = &books.standing;
            Ok((books.freshness()?, *version, grants.clone(), agreed.clone(), chain.clone()))
        })?;
        for id in without {
            if known.iter().all(|grant| grant.id != *id) {
                let hint = crate::base::most_similar(id.as_str(), known.iter().map(|grant| grant.id.as_str()));
                return Err(ServiceError::Unknown { what: "grant", id: id.to_string(), hint });
            }
        }
        let calendar = &customer.policy.calendar;
        let from = from.map_or(Instant::MIN, |day| calendar.start_of(day));
        let to = to.map_or(freshness.as_of, |day| calendar.end_of(day).plus_millis(-1)).min(freshness.as_of);
        let start = self.store.version_at(customer.id(), from.plus_millis(-1))?.min(newest);
        let until = self.store.version_at(customer.id(), to)?.min(newest);
        let (ledger, since) = self.ledger(customer, start)?;
        let begins = from.max(since);

        let touched: BTreeSet<&PoolId> = pools
            .iter()
            .map(|pool| &pool.id)
            .chain(grants.iter().map(|grant| &grant.pool))
            .chain(known.iter().filter(|grant| without.contains(&grant.id)).map(|grant| &grant.pool))
            .collect();
        let mut was = Replay::new(&ledger, begins, since, rules(customer, customer.policy.clone()));
        let mut would = (!touched.is_empty()).then(|| {
            let as_is = customer.policy.pools.iter().filter(|pool| touched.contains(&pool.id));
            let turned = |pool: &Pool| pools.iter().find(|other| other.id == pool.id).unwrap_or(pool).clone();
            let of_pools: Vec<Pool> = as_is.clone().map(turned).collect();
            let on_full_differs =
                as_is.zip(&of_pools).filter(|(one, other)| one.on_full != other.on_full).map(|(pool, _)| pool.id.clone());
            let (hands, mut looked) = self.hands(customer, begins, to)?;
            // What was bought and agreed begins and ends in a commit of its own.
            let edges = known.iter().flat_map(|grant| [grant.from, grant.to]);
            let edges = edges.chain(agreed.iter().flat_map(|agreed| [agreed.from, agreed.to]));
            edges.for_each(|at| _ = looked.entry(at).or_default());
            let rules = Rules {
                on_full_differs: on_full_differs.collect(),
                grants: grants.clone(),
                without: without.clone(),
                hands: Some(hands),
                looked,
                ..rules(customer, Policy { pools: of_pools, ..customer.policy.clone() })
            };
            Ok::<Replay, ServiceError>(Replay::new(&ledger, begins, since, rules))
        });
        let mut would = would.take().transpose()?;
        drop(ledger);

        let (mut first, mut commits, mut began) = (None, 0, None);
        let mut refused: BTreeMap<PoolId, u32> = BTreeMap::new();
        self.trail(customer, start, &mut |commit| {
            if commit.version > until {
                return ControlFlow::Break(());
            }
            began = began.or(Some(commit.at));
            let step = recorded(&commit);
            was.step(&step);
            if first.is_none() {
                first = difference(&commit.entries, &was.made).map(|what| (commit.version, what));
            }
            if let Some(would) = &mut would {
                would.step(&step);
            }
            for entry in &commit.entries {
                if let Entry::Refused { pool, answer, .. } = entry
                    && answer == "pool_exhausted"
                {
                    *refused.entry(pool.clone()).or_default() += 1;
                }
            }
            commits += 1;
            ControlFlow::Continue(())
        })?;
        was.end(to);
        if let Some(would) = &mut would {
            would.end(to);
        }
        // Without a first day it is the first commit that tells from when on.
        let from = if begins == Instant::MIN { began.unwrap_or(to) } else { begins };
        let told = customer.policy.pools.iter().filter(|pool| would.is_none() || touched.contains(&pool.id));
        let told = told.map(|pool| PoolWhatIf {
            was: was.story(&pool.id, begins),
            would: would.as_ref().map(|would| would.story(&pool.id, begins)),
            bought: grants
                .iter()
                .filter(|grant| grant.pool == pool.id && grant.seats > 0)
                .map(|grant| cost(pools.iter().find(|other| other.id == pool.id).unwrap_or(pool), &chain, grant, from, &was))
                .collect(),
            refused: refused.get(&pool.id).copied().unwrap_or_default(),
            pool: pool.id.clone(),
        });
        Ok(WhatIf { freshness, from, to, commits, difference: first, pools: told.collect() })
    }

    /// When people acted on major notices, as far as it was recorded by an instant, and of which instants it is known when
    /// somebody looked, with the number of facts of each.
    fn hands(
        &self,
        customer: &Customer,
        from: Instant,
        to: Instant,
    ) -> Result<(BTreeMap<PoolId, Hands>, Looked), ServiceError> {
        let mut facts = self.store.clock(customer.id(), None)?;
        facts.retain(|fact| fact.recorded <= to);
        let mut deliveries = self.store.deliveries(customer.id())?;
        deliveries.retain(|delivery| delivery.recorded <= to);
        let mut looked = Looked::new();
        for fact in facts.iter().filter(|fact| fact.recorded > from) {
            *looked.entry(fact.at).or_default() += 1;
        }
        Ok((hands_of(&facts, &deliveries, from), looked))
    }
}

fn rules(customer: &Customer, policy: Policy) -> Rules {
    Rules {
        policy,
        stale_after_hours: customer.stale_after_hours,
        grants: Vec::new(),
        without: Vec::new(),
        on_full_differs: BTreeSet::new(),
        hands: None,
        looked: Looked::new(),
    }
}

fn recorded(commit: &AuditCommit) -> Recorded<'_> {
    let AuditCommit { version, at, verb, names, people, changes, entries, .. } = commit;
    Recorded { version: *version, at: *at, verb, names, people, changes, entries }
}

/// What seats that were not bought would have cost, from their first day in the stretch on.
fn cost(pool: &Pool, chain: &[Term], grant: &Grant, begins: Instant, was: &Replay) -> Option<Charge> {
    let (seats, from) = (Seats(u32::try_from(grant.seats).ok()?), grant.from.max(begins));
    let levels = was.levels.get(&pool.id).map_or(&[][..], Vec::as_slice);
    let level = levels.iter().rfind(|level| level.at <= from).or(levels.first());
    let place = (&phase_at(chain, pool, from), year_anchor(pool, chain));
    charge_of_seats(pool, place, (level.and_then(|level| level.effective), seats), from)
}
