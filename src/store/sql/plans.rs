//! Plans: immutable, named by their digest, in compressed chunks.

use std::sync::mpsc::sync_channel;

use crate::store::sql::transaction::Transaction;

use crate::base::{CustomerId, Digest, parts};
use crate::license::Entry;
use crate::plan::Plan;
use crate::store::record::{put_plan, take_plan};
use crate::store::sql::books::{blob, head, head_or_new};
use crate::store::sql::chunks::{Chunks, compress, decompress};
use crate::store::sql::claims::CHANGES_LARGE;
use crate::store::sql::fault::Fault;

/// So many chunks may wait to be packed.
const CHUNKS_AHEAD: usize = 1;
/// So many are packed at once.
const TOGETHER: usize = 2;

pub(in crate::store::sql) fn save(tx: &Transaction<'_>, plan: &Plan) -> Result<(), Fault> {
    save_of(tx, head_or_new(tx, &plan.customer)?.id, plan)
}

/// The same of the customer with this number.
pub(in crate::store::sql) fn save_of(tx: &Transaction<'_>, id: i64, plan: &Plan) -> Result<(), Fault> {
    let fresh = tx
        .prepare_cached("INSERT INTO plans (customer_id, id) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute((id, plan.id.0))?;
    if fresh == 0 {
        return Ok(());
    }
    let adopted = plan.entries.iter().filter_map(|entry| if let Entry::Adopted(mark) = entry { Some(mark) } else { None });
    for mark in adopted {
        tx.prepare_cached(
            "INSERT INTO plan_snapshot (customer_id, plan, snapshot) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute((id, plan.id.0, mark.snapshot.0))?;
    }
    let mut insert =
        tx.prepare_cached("INSERT INTO plan_chunk (customer_id, plan, n, bytes, body) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let mut n = 0i64;
    let packed = |plain: Vec<u8>| (plain.len(), compress(&plain));
    let mut keep = |(len, packed): (usize, Result<Vec<u8>, Fault>)| {
        insert.execute((id, plan.id.0, n, len.cast_signed(), packed?))?;
        n += 1;
        Ok::<_, Fault>(())
    };
    if plan.changes.len() < CHANGES_LARGE {
        return make(plan, &mut |plain| keep(packed(plain)));
    }
    // A large one is put in words while what was said is packed and written.
    let (give, got) = sync_channel(CHUNKS_AHEAD);
    let there = move || make(plan, &mut |plain| give.send(plain).map_err(|_| Fault::corrupt("a chunk", "nobody takes it")));
    let (made, kept) = parts::both(there, || parts::in_turn(got.into_iter(), TOGETHER, packed, keep));
    kept.and(made)
}

/// Puts a plan in words, chunk by chunk.
fn make(plan: &Plan, keep: &mut dyn FnMut(Vec<u8>) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut chunks = Chunks::new(keep);
    let mut content = Vec::new();
    put_plan(plan, &mut content, &mut |content| chunks.pause(content))?;
    chunks.close(&mut content)
}

pub(in crate::store::sql) fn plan(tx: &Transaction<'_>, customer: &CustomerId, id: &Digest) -> Result<Option<Plan>, Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(None) };
    let mut ask = tx.prepare_cached("SELECT bytes, body FROM plan_chunk WHERE customer_id = ?1 AND plan = ?2 ORDER BY n")?;
    let mut rows = ask.query((head.id, id.0))?;
    let mut content = Vec::new();
    while let Some(row) = rows.next()? {
        content.extend_from_slice(&decompress(blob(row, 1)?, row.get(0)?)?);
    }
    // A plan has at least its format byte.
    if content.is_empty() {
        return Ok(None);
    }
    take_plan(&content).map(Some).map_err(Fault::unreadable(|| format!("plan {}", id.short())))
}

/// Drops the plans of the customer with this number that are not of its newest `keep` runs, nor of a run under way or whose hold waits. Returns
/// how many.
pub(in crate::store::sql) fn prune(tx: &Transaction<'_>, id: i64, keep: u32) -> Result<u32, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT id FROM plans WHERE customer_id = ?1 AND id NOT IN (
             SELECT plan FROM (SELECT plan FROM runs WHERE customer_id = ?1 ORDER BY id DESC LIMIT ?2) AS newest WHERE plan IS NOT NULL
             UNION ALL
             SELECT plan FROM runs WHERE customer_id = ?1 AND state IN (0, 1, 4) AND plan IS NOT NULL
             UNION ALL
             SELECT plan FROM runs WHERE customer_id = ?1 AND plan IS NOT NULL AND id IN (SELECT run FROM holds WHERE customer_id = ?1 AND waits = 1))",
    )?;
    let drops = ask.query_map((id, keep), |row| row.get::<[u8; 32]>(0))?;
    for plan in &drops {
        for delete in [
            "DELETE FROM plan_chunk WHERE customer_id = ?1 AND plan = ?2",
            "DELETE FROM plan_snapshot WHERE customer_id = ?1 AND plan = ?2",
            "DELETE FROM plans WHERE customer_id = ?1 AND id = ?2",
        ] {
            tx.prepare_cached(delete)?.execute((id, plan))?;
        }
    }
    u32::try_from(drops.len()).map_err(|_| Fault::corrupt("the plans", "there are more than 2³²"))
}
