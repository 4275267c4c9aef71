//! A plan's name: the digest of what it rests on and of all it says (R113).

use crate::base::{BulkDigester, Digest, Digester};
use crate::license::Claim;
use crate::plan::action::Plan;
use crate::plan::input::Policy;

/// So many bytes are hashed at once.
const BYTES_AT_ONCE: usize = 1 << 17;

/// The digest of a plan under a policy. The plan's own `id` field takes no part.
pub fn plan_id(plan: &Plan, policy: &Policy) -> Digest {
    let mut digest = Digester::new("plan 1");
    digest.field(plan.customer.as_str().as_bytes()).field(&policy.digest.0);
    digest.number(plan.parent.0 as i64).number(plan.at.0);
    for mark in &plan.snapshots {
        digest.field(mark.source.as_str().as_bytes()).field(&mark.package.0).field(&mark.snapshot.0);
    }
    digest.field(&changes_digest(plan).0);
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

/// Of a first night there are millions.
fn changes_digest(plan: &Plan) -> Digest {
    let mut digest = BulkDigester::new("changes of a plan 1");
    let mut bytes = Vec::with_capacity(BYTES_AT_ONCE);
    for change in &plan.changes {
        let person = plan.people.get(change.person).as_bytes();
        bytes.extend((person.len() as u64).to_le_bytes());
        bytes.extend(person);
        bytes.extend([change.because as u8, u8::from(change.before.is_some())]);
        change.before.iter().for_each(|before| push_claim(&mut bytes, before));
        push_claim(&mut bytes, &change.after);
        if bytes.len() >= BYTES_AT_ONCE {
            digest.stream(&bytes);
            bytes.clear();
        }
    }
    digest.stream(&bytes).finish()
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
