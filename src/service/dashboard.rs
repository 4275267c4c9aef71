//! The dashboard (R141): each activated product with its seats, and who holds seats of two products (R14).

use std::collections::BTreeMap;

use crate::base::{Balance, Day, ProductId, Seats, percent_used};
use crate::license::{ClaimState, Compliance, Orgs, Product, ProductKind, Stage};
use crate::plan::Standing;
use crate::service::books::Books;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::pool_state::{PoolState, pool_states};
use crate::service::report::Report;
use crate::service::runs::Freshness;

/// So many products are paired with each other unless somebody says which pair is wanted.
const PAIRED_MAX: usize = 4;

/// The dashboard of a customer.
#[derive(Clone, Debug)]
pub struct Dashboard {
    /// How old its numbers are.
    pub freshness: Freshness,
    /// Activated products, in the order of the settings.
    pub products: Vec<ProductSeats>,
    /// People who hold seats of both products of a pair.
    pub combined: Vec<(ProductId, ProductId, u64)>,
}

/// The seats of a product over all its pools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductSeats {
    /// The product.
    pub product: ProductId,
    /// Total Licensed; `None`: unlimited.
    pub total: Option<Seats>,
    /// Currently Assigned.
    pub assigned: Seats,
    /// Available, negative where over; `None`: unlimited.
    pub available: Option<Balance>,
    /// Invited, not yet accepted.
    pub pending: Seats,
    /// Named seats of people in no team.
    pub held: Seats,
    /// People who wait.
    pub waiting: Seats,
    /// Seats whose term is over.
    pub suspended: Seats,
    /// The worst stage of its pools.
    pub stage: Option<Stage>,
    /// The worst status of its pools.
    pub compliance: Compliance,
    /// The first day on which a term without a successor ends.
    pub expires: Option<Day>,
}

impl ProductSeats {
    /// Usage Percentage, with one decimal (R140).
    pub fn percent(&self) -> Option<String> {
        percent_used(self.assigned, self.total)
    }
}

impl Service {
    /// The dashboard. `pair`: the two products of which the people who hold both are counted; else each two of the
    /// customer's modules, if they are few.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn dashboard(&self, customer: &Customer, pair: Option<(ProductId, ProductId)>) -> Result<Dashboard, ServiceError> {
        self.as_of(customer, None, |books| {
            let products = activated(customer, books)?;
            let pairs = match &pair {
                Some(pair) => vec![pair.clone()],
                None => pairs_of(&products),
            };
            let combined = if pairs.is_empty() { Vec::new() } else { combined(customer, &books.whole()?, pairs) };
            let states = pool_states(customer, books)?;
            Ok(Dashboard {
                freshness: books.freshness()?,
                products: products.iter().map(|product| seats_of(&product.id, &states)).collect(),
                combined,
            })
        })
    }

    /// The activated products alone: asks about no person, however many there are.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn product_seats(&self, customer: &Customer) -> Result<Report<ProductSeats>, ServiceError> {
        self.as_of(customer, None, |books| {
            let (products, states) = (activated(customer, books)?, pool_states(customer, books)?);
            let rows = products.iter().map(|product| seats_of(&product.id, &states)).collect();
            Ok(Report { freshness: books.freshness()?, rows })
        })
    }
}

/// The products that are activated for an org that is there.
fn activated<'c>(customer: &'c Customer, books: &Books<'_>) -> Result<Vec<&'c Product>, ServiceError> {
    let marks = books.orgs()?;
    let orgs = Orgs::new(&marks);
    let activated = |product: &&Product| {
        product.activated_for.is_empty() || product.activated_for.iter().any(|org| orgs.find(org.as_str()).is_some())
    };
    Ok(customer.policy.products.iter().filter(activated).collect())
}

fn pairs_of(products: &[&Product]) -> Vec<(ProductId, ProductId)> {
    let modules: Vec<&Product> =
        products.iter().copied().filter(|p| p.kind == ProductKind::Module && p.bundle_of.is_empty()).collect();
    if modules.len() > PAIRED_MAX {
        return Vec::new();
    }
    let pair = |at: usize, other: usize| (modules[at].id.clone(), modules[other].id.clone());
    (0..modules.len()).flat_map(|at| (at + 1..modules.len()).map(move |other| pair(at, other))).collect()
}

fn seats_of(product: &ProductId, states: &[PoolState]) -> ProductSeats {
    let pools: Vec<&PoolState> = states.iter().filter(|state| state.view.product == *product).collect();
    let sum = |of: &dyn Fn(&PoolState) -> u32| Seats(pools.iter().map(|state| of(state)).fold(0, u32::saturating_add));
    let in_state = |claim: ClaimState| sum(&|state| state.view.counts.of(claim).0);
    let limits: Option<Vec<u32>> = pools.iter().map(|state| state.view.allowance.seats.map(|seats| seats.0)).collect();
    let total = limits.map(|limits| Seats(limits.into_iter().fold(0, u32::saturating_add)));
    let assigned = sum(&|state| state.view.used().0);
    ProductSeats {
        product: product.clone(),
        total,
        assigned,
        available: total.map(|total| Balance::of(total, assigned)),
        pending: in_state(ClaimState::Pending),
        held: in_state(ClaimState::Held),
        waiting: in_state(ClaimState::Waiting),
        suspended: in_state(ClaimState::Suspended),
        stage: pools.iter().filter_map(|state| state.conditions.stage).max(),
        compliance: pools.iter().map(|state| state.compliance).min().unwrap_or(Compliance::Compliant),
        expires: pools.iter().filter_map(|state| state.expires()).min(),
    }
}

/// People with a consuming seat of both products; a seat of a bundle counts for each of its parts (R14).
fn combined(customer: &Customer, standing: &Standing, pairs: Vec<(ProductId, ProductId)>) -> Vec<(ProductId, ProductId, u64)> {
    let book = &standing.book;
    let gives: BTreeMap<usize, Vec<&ProductId>> = book
        .names
        .pools
        .iter()
        .enumerate()
        .filter_map(|(at, pool)| {
            let product = &standing.terms.get(pool)?.product;
            let parts = customer.policy.products.iter().find(|p| p.id == *product).map_or(&[][..], |p| &p.bundle_of);
            Some((at, std::iter::once(product).chain(parts).collect()))
        })
        .collect();
    let mut counted: Vec<(ProductId, ProductId, u64)> = pairs.into_iter().map(|(a, b)| (a, b, 0)).collect();
    for at in 0..book.people.len() {
        let seats = || book.claims_at(at).iter().filter(|claim| claim.state.consumes());
        let holds = |product: &ProductId| {
            seats().any(|claim| gives.get(&usize::from(claim.pool.0)).is_some_and(|given| given.contains(&product)))
        };
        for (one, other, people) in &mut counted {
            *people += u64::from(holds(one) && holds(other));
        }
    }
    counted
}
