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
    let mut digest = BulkDigester::new("changes of a plan 2");
    let (mut bytes, mut last) = (Vec::with_capacity(BYTES_AT_ONCE), None);
    for change in &plan.changes {
        let person = plan.people.get(change.person).as_bytes();
        // Somebody's changes mostly stand together: then the person is told once.
        if last.replace(person) == Some(person) {
            bytes.extend(u64::MAX.to_le_bytes());
        } else {
            bytes.extend((person.len() as u64).to_le_bytes());
            bytes.extend(person);
        }
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
    // In one piece: each that is appended by itself costs as much again.
    let mut all = [0; 41];
    all[..8].copy_from_slice(&id.0.to_le_bytes());
    all[8..16].copy_from_slice(&since.0.to_le_bytes());
    all[16..24].copy_from_slice(&changed.0.to_le_bytes());
    all[24..28].copy_from_slice(&home.0.to_le_bytes());
    all[28..32].copy_from_slice(&reasons.0.to_le_bytes());
    all[32..36].copy_from_slice(&priority.to_le_bytes());
    all[36..38].copy_from_slice(&pool.0.to_le_bytes());
    all[38..].copy_from_slice(&[*state as u8, *channel as u8, *wait as u8]);
    bytes.extend_from_slice(&all);
}
