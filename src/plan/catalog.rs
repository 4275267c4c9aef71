//! The customer's products and pools by position, and how products hang on each other.

use crate::license::{Names, PoolIx};
use crate::plan::input::Policy;

/// Look-ups by position.
#[derive(Debug)]
pub struct Catalog {
    /// By product: the product it requires (R12).
    pub requires: Vec<Option<u16>>,
    /// By product: the members of the bundle; empty: not a bundle (R14).
    pub members: Vec<Vec<u16>>,
    /// Products that are bundles.
    pub bundles: Vec<u16>,
    /// Products so that each comes after the one it requires, otherwise in their own order.
    pub order: Vec<u16>,
    pool_by_name: Vec<Option<u16>>,
    product_by_name: Vec<Option<u16>>,
}

impl Catalog {
    /// Of a policy; `names` must hold its pools.
    pub fn new(policy: &Policy, names: &Names) -> Self {
        let product = |id: &crate::base::ProductId| {
            policy.products.iter().position(|p| p.id == *id).and_then(|at| u16::try_from(at).ok())
        };
        let requires: Vec<Option<u16>> = policy.products.iter().map(|p| p.requires.as_ref().and_then(product)).collect();
        let members: Vec<Vec<u16>> = policy.products.iter().map(|p| p.bundle_of.iter().filter_map(product).collect()).collect();
        let bundles = (0u16..).zip(&members).filter(|(_, m)| !m.is_empty()).map(|(at, _)| at).collect();
        let pool_by_name: Vec<Option<u16>> = names
            .pools
            .iter()
            .map(|id| policy.pools.iter().position(|p| p.id == *id).and_then(|at| u16::try_from(at).ok()))
            .collect();
        let product_by_name =
            pool_by_name.iter().map(|at| at.and_then(|at| product(&policy.pools[usize::from(at)].product))).collect();
        let order = by_requirement(&requires);
        Self { requires, members, bundles, order, pool_by_name, product_by_name }
    }

    /// The position in the policy of a pool of the names; `None` if it is gone from the settings.
    pub fn pool(&self, pool: PoolIx) -> Option<usize> {
        self.pool_by_name.get(usize::from(pool.0)).copied().flatten().map(usize::from)
    }

    /// The product of a pool of the names.
    pub fn product(&self, pool: PoolIx) -> Option<u16> {
        self.product_by_name.get(usize::from(pool.0)).copied().flatten()
    }

    /// Whether a seat of a pool of the names satisfies the demand for a product: its own, or as a bundle (R14).
    pub fn gives(&self, pool: PoolIx, product: u16) -> bool {
        let own = self.product(pool);
        own == Some(product) || own.is_some_and(|own| self.members[usize::from(own)].contains(&product))
    }
}

fn by_requirement(requires: &[Option<u16>]) -> Vec<u16> {
    let depth = |mut at: u16| {
        let mut depth = 0;
        while let Some(next) = requires[usize::from(at)] {
            depth += 1;
            at = next;
            if depth > requires.len() {
                break; // the settings refuse circles
            }
        }
        depth
    };
    let mut order: Vec<u16> = (0u16..).take(requires.len()).collect();
    order.sort_by_key(|&at| depth(at));
    order
}
