//! A plan's name: the digest of what it rests on and of all it says (R113).

use crate::base::{Digest, Digester};
use crate::license::Claim;
use crate::plan::action::Plan;
use crate::plan::input::Policy;

/// The digest of a plan under a policy. The plan's own `id` field takes no part.
pub fn plan_id(plan: &Plan, policy: &Policy) -> Digest {
    let mut digest = Digester::new("plan 1");
    digest.field(plan.customer.as_str().as_bytes()).field(&policy.digest.0);
    digest.number(plan.parent.0 as i64).number(plan.at.0);
    for mark in &plan.snapshots {
        digest.field(mark.source.as_str().as_bytes()).field(&mark.package.0).field(&mark.snapshot.0);
    }
    let mut bytes = Vec::with_capacity(160);
    for change in &plan.changes {
        bytes.clear();
        bytes.push(change.because as u8);
        if let Some(before) = &change.before {
            push_claim(&mut bytes, before);
        }
        push_claim(&mut bytes, &change.after);
        digest.field(plan.people.get(change.person).as_bytes()).field(&bytes);
    }
    for withheld in &plan.withheld {
        let product = withheld.product.map_or(-1, i64::from);
        let pool = withheld.pool.map_or(-1, |p| i64::from(p.0));
        digest.field(plan.people.get(withheld.person).as_bytes());
        digest.number(product).number(pool).number(withheld.because as i64);
    }
    // Few, and of many shapes: their written form is exact and stable within a build.
    digest.field(format!("{:?}", plan.entries).as_bytes());
    digest.field(format!("{:?}{:?}{:?}", plan.names, plan.notices, plan.verdict).as_bytes());
    digest.finish()
}

fn push_claim(bytes: &mut Vec<u8>, claim: &Claim) {
    let Claim { id, since, changed, home, reasons, priority, pool, state, channel, wait } = claim;
    bytes.extend(id.0.to_le_bytes());
    bytes.extend(since.0.to_le_bytes());
    bytes.extend(changed.0.to_le_bytes());
    bytes.extend(home.0.to_le_bytes());
    bytes.extend(reasons.0.to_le_bytes());
    bytes.extend(priority.to_le_bytes());
    bytes.extend(pool.0.to_le_bytes());
    bytes.extend([*state as u8, *channel as u8, *wait as u8]);
}
