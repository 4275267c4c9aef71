//! The days to come, as far as dates that are known already make them. Nothing is written.

use crate::base::{Day, PoolId, ProductId, Version};
use crate::license::{Activity, ClaimState, Ledger};
use crate::plan::{AheadError, Candidate, CandidateWhy, PoolForecast, Prospect, play_ahead, pool_forecast};
use crate::roster::Roster;
use crate::service::activity::ActivityBook;
use crate::service::core::{Customer, MANUAL_SOURCE, Service};
use crate::service::draft::Seeds;
use crate::service::error::ServiceError;
use crate::service::rosters::{people_of_none, united};
use crate::service::runs::Freshness;

/// What becomes of a customer's pools if nothing new arrives and nobody decides anything.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// What it rests on.
    pub freshness: Freshness,
    /// The last day, in the customer's calendar.
    pub last: Day,
    /// Pool by pool, in the order of the settings; pools of which nothing was written down yet are left out.
    pub pools: Vec<(PoolId, ProductId, PoolForecast)>,
}

impl Service {
    /// Plays the next `days` days ahead on the newest books with the newest roster: starts and ends of roles and
    /// enrollments, grants, agreed excesses and terms, and what the clocks of overages make of them. Sources stay as fresh as
    /// they are, removals that are held stay held, and notices of major overages arrive when they are written.
    ///
    /// # Errors
    /// When the books or the roster cannot be read, or do not fit the settings.
    pub fn forecast(&self, customer: &Customer, pool: Option<&PoolId>, days: u32) -> Result<Forecast, ServiceError> {
        let (freshness, is_newest, version, rosters) = self.as_of(customer, None, |books| {
            for mark in books.standing.sources.values() {
                if !books.is_newest() && self.store.snapshot(&mark.snapshot)?.is_none() {
                    return Err(ServiceError::RosterGone { customer: customer.id().clone(), at: books.at });
                }
            }
            let rosters = self.rosters(customer, &books.standing)?;
            Ok((books.freshness()?, books.is_newest(), books.standing.version, rosters))
        })?;
        let now = freshness.as_of;
        let last = customer.day_of(now).plus(i32::try_from(days).unwrap_or(i32::MAX));
        let pools = || customer.policy.pools.iter().filter(|known| pool.is_none_or(|pool| *pool == known.id));
        if version == Version(0) {
            return Ok(Forecast { freshness, last, pools: Vec::new() });
        }
        let (manual, others): (Vec<_>, Vec<_>) = rosters.iter().partition(|(source, _)| source.as_str() == MANUAL_SOURCE);
        let others: Vec<&Roster> = others.into_iter().map(|(_, roster)| roster).collect();
        let by_hand = people_of_none(manual.into_iter().map(|(_, roster)| roster), &others);
        let roster = united(customer.id(), rosters.into_iter().map(|(_, roster)| roster).collect())?;
        let seeds = if is_newest { self.standing_with_seeds(customer, now)?.1 } else { Seeds::default() };
        let (ledger, since) = self.ledger(customer, version)?;
        let activity = self.activity_book(customer, now)?;
        let candidates: Vec<Vec<Candidate>> =
            pools().map(|pool| candidates(customer, &ledger, &activity, &pool.id, customer.day_of(now))).collect();
        let prospect = Prospect {
            policy: &customer.policy,
            roster: &roster,
            by_hand: &by_hand,
            fresh: !freshness.stale,
            stale_after_hours: customer.stale_after_hours,
            grants: seeds.grants,
            agreed: seeds.agreed,
            terms: seeds.terms,
            since,
            now,
            last,
        };
        let ahead = play_ahead(ledger, prospect).map_err(|error| match error {
            AheadError::Plan(cause) => ServiceError::Plan { customer: customer.id().clone(), cause },
            AheadError::Mismatch(why) => ServiceError::Trail { customer: customer.id().clone(), why: why.to_string() },
        })?;
        let told = pools().zip(&candidates).filter_map(|(pool, candidates)| {
            let forecast = pool_forecast(pool, &ahead, candidates, (now, last))?;
            Some((pool.id.clone(), pool.product.clone(), forecast))
        });
        Ok(Forecast { freshness, last, pools: told.collect() })
    }
}

/// Who could be removed from a pool: named seats of people in no team, then seats nobody used for long, the longest first
/// (R144). Where no feed tells, nobody counts as inactive.
fn candidates(customer: &Customer, ledger: &Ledger, activity: &ActivityBook, pool: &PoolId, today: Day) -> Vec<Candidate> {
    let Some(ix) = ledger.names().find_pool(pool) else { return Vec::new() };
    let Some(product) = ledger.terms().get(pool).map(|terms| &terms.product) else { return Vec::new() };
    let mut found = Vec::new();
    for (person, claims) in ledger.people() {
        let Some(claim) = claims.iter().find(|claim| claim.pool == ix && claim.state.consumes()) else { continue };
        let inactive = || activity.of(customer, person, product, today) == Activity::Inactive;
        let why = match claim.state {
            ClaimState::Held => CandidateWhy::Held,
            _ if inactive() => CandidateWhy::Inactive,
            _ => continue,
        };
        found.push((why == CandidateWhy::Inactive, activity.last(person, product), person.to_owned(), why));
    }
    found.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
    found.into_iter().map(|(_, _, person, why)| Candidate { person, why }).collect()
}
