//! The pools as a decision by hand finds them: what they hold and may still give, without reading every claim.

use crate::license::Names;
use crate::plan::decision::Desk;
use crate::plan::license_year::YearGate;
use crate::plan::pools::{PoolWork, Stock};
use crate::plan::terms::phases_recorded;
use crate::plan::ways::Ways;

/// The pools of the policy as the books say.
pub fn pools_at_desk<'a>(desk: &Desk<'a>, names: &Names, ways: &Ways<'_>) -> Vec<PoolWork<'a>> {
    let phases = phases_recorded(desk.policy, desk.standing);
    let works = desk.policy.pools.iter().enumerate().zip(phases).filter_map(|((at, pool), phase)| {
        let counts = desk.standing.pools.get(&pool.id).map(|books| books.counts).unwrap_or_default();
        let mut stock = Stock::empty(ways.reservation_parents(at));
        stock.counts = counts;
        for (_, org, used) in desk.used_by_org.iter().filter(|(id, _, _)| *id == pool.id) {
            stock.take(ways.nearest_by_name(at, org), *used);
        }
        let mut work = PoolWork::new((desk.policy, at), desk.standing, names, (phase, &stock), desk.now)?;
        work.year = YearGate::of(&pool.id, pool.reuse, desk.standing);
        Some(work)
    });
    works.collect()
}
