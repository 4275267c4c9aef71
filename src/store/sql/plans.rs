//! Plans: immutable, named by their digest, in compressed chunks. What the trail tells of one that was committed is kept there
//! alone: of a first night these are millions of changes.

use std::sync::mpsc::sync_channel;

use crate::store::sql::transaction::{OptionalExtension, Transaction};

use crate::base::{CustomerId, Digest, parts};
use crate::license::Entry;
use crate::plan::Plan;
use crate::store::record::{Form, put_plan, take_plan};
use crate::store::sql::audit::committed_as;
use crate::store::sql::books::{blob, head, head_or_new};
use crate::store::sql::chunks::{Chunks, compress, decompress};
use crate::store::sql::claims::CHANGES_LARGE;
use crate::store::sql::fault::Fault;

/// So many chunks may wait to be packed.
const CHUNKS_AHEAD: usize = 1;
/// So many may wait to be written.
const AHEAD: usize = 2;

pub(in crate::store::sql) fn save(tx: &Transaction<'_>, plan: &Plan) -> Result<(), Fault> {
    save_of(tx, head_or_new(tx, &plan.customer)?.id, plan, Form::Whole)
}

/// The same of the customer with this number, or what of it the commit that comes next will not tell.
pub(in crate::store::sql) fn save_of(tx: &Transaction<'_>, id: i64, plan: &Plan, form: Form) -> Result<(), Fault> {
    let add =
        || {
            tx.prepare_cached("INSERT INTO plans (customer_id, id, short) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
                .execute((id, plan.id.0, form == Form::Short))
        };
    if add()? == 0 {
        // Its commit may never have been made: then nothing tells the rest of it.
        if form == Form::Short || is_short(tx, id, &plan.id)? != Some(true) {
            return Ok(());
        }
        delete(tx, id, &plan.id.0)?;
        add()?;
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
    if form == Form::Short || plan.changes.len() < CHANGES_LARGE {
        return make(plan, form, &mut |plain| keep(packed(plain)));
    }
    // A large one is put in words while what was said is packed and written.
    let (give, got) = sync_channel(CHUNKS_AHEAD);
    let there =
        move || make(plan, form, &mut |plain| give.send(plain).map_err(|_| Fault::corrupt("a chunk", "nobody takes it")));
    let (made, kept) = parts::both(there, || parts::in_turn(got.into_iter(), AHEAD, packed, keep));
    kept.and(made)
}

/// `None`: it is not there.
fn is_short(tx: &Transaction<'_>, id: i64, plan: &Digest) -> Result<Option<bool>, Fault> {
    let mut ask = tx.prepare_cached("SELECT short FROM plans WHERE customer_id = ?1 AND id = ?2")?;
    Ok(ask.query_row((id, plan.0), |row| row.get::<i64>(0)).optional()?.map(|short| short != 0))
}

fn delete(tx: &Transaction<'_>, id: i64, plan: &[u8; 32]) -> Result<(), Fault> {
    for statement in [
        "DELETE FROM plan_chunk WHERE customer_id = ?1 AND plan = ?2",
        "DELETE FROM plan_snapshot WHERE customer_id = ?1 AND plan = ?2",
        "DELETE FROM plans WHERE customer_id = ?1 AND id = ?2",
    ] {
        tx.prepare_cached(statement)?.execute((id, plan))?;
    }
    Ok(())
}

/// Puts a plan in words, chunk by chunk.
fn make(plan: &Plan, form: Form, keep: &mut dyn FnMut(Vec<u8>) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut chunks = Chunks::new(keep);
    let mut content = Vec::new();
    put_plan(plan, form, &mut content, &mut |content| chunks.pause(content))?;
    chunks.close(&mut content)
}

/// A plan; `None` too if the commit that was to tell its changes was never made.
pub(in crate::store::sql) fn plan(tx: &Transaction<'_>, customer: &CustomerId, id: &Digest) -> Result<Option<Plan>, Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(None) };
    let Some(is_short) = is_short(tx, head.id, id)? else { return Ok(None) };
    let mut ask = tx.prepare_cached("SELECT bytes, body FROM plan_chunk WHERE customer_id = ?1 AND plan = ?2 ORDER BY n")?;
    let mut rows = ask.query((head.id, id.0))?;
    let mut content = Vec::new();
    while let Some(row) = rows.next()? {
        content.extend_from_slice(&decompress(blob(row, 1)?, row.get(0)?)?);
    }
    let mut plan = take_plan(&content).map_err(Fault::unreadable(|| format!("plan {}", id.short())))?;
    if is_short {
        let Some((people, changes, entries)) = committed_as(tx, customer, &head, &plan)? else { return Ok(None) };
        let start = plan.people.append(&people).map_err(|full| Fault::corrupt(format!("plan {}", id.short()), full))?;
        (plan.changes, plan.entries) = (changes, entries);
        plan.changes.iter_mut().for_each(|change| change.person = change.person.moved(start));
    }
    Ok(Some(plan))
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
    drops.iter().try_for_each(|plan| delete(tx, id, plan))?;
    u32::try_from(drops.len()).map_err(|_| Fault::corrupt("the plans", "there are more than 2³²"))
}
