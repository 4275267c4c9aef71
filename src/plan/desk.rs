//! The pools as a decision by hand finds them: what they hold and may still give, without reading every claim.

use crate::base::Seats;
use crate::license::{Draws, Names, Phase};
use crate::plan::decision::Desk;
use crate::plan::license_year::YearGate;
use crate::plan::pools::{PoolWork, allowance_now};
use crate::plan::ways::Ways;

/// The pools of the policy as the books say.
pub fn pools_at_desk<'a>(desk: &Desk<'a>, names: &Names, ways: &Ways<'_>) -> Vec<PoolWork<'a>> {
    let mut works = Vec::new();
    for (at, pool) in desk.policy.pools.iter().enumerate() {
        let phase = desk.standing.phases.get(&pool.id).cloned().unwrap_or(Phase::UNBOUND);
        let allowance = allowance_now(pool, &phase, desk.standing, desk.now);
        let mut reserved = vec![Seats(0); pool.reservations.len()];
        let mut direct = Seats(0);
        for (_, org, used) in desk.used_by_org.iter().filter(|(id, _, _)| *id == pool.id) {
            match ways.nearest_by_name(at, org) {
                Some(reservation) => reserved[usize::from(reservation)].0 += used,
                None => direct.0 += used,
            }
        }
        let draws = Draws::new(&pool.reservations, &ways.reservation_parents(at), &reserved, direct, allowance.effective());
        let counts = desk.standing.pools.get(&pool.id).map(|b| b.counts).unwrap_or_default();
        let Some(ix) = names.find_pool(&pool.id) else { continue };
        let mut work = PoolWork::new(pool, ix, desk.standing, counts, allowance, draws, phase);
        work.year = YearGate::of(&pool.id, pool.reuse, desk.standing);
        // Whether seats are held back is as the newest run left it.
        work.held_back = desk.standing.pools.get(&pool.id).map_or(0, |books| books.held_back.0);
        work.provisional_days_max = desk.policy.limits.provisional_business_days_max;
        works.push(work);
    }
    works
}
