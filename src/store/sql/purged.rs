//! Who is deleted for good must be named by no snapshot that is kept (R130). A snapshot that must stay for the moment, since
//! a run under way may rest on it, is remembered until it can go. Nothing rests on a trace, whose hashes tell of people, too: it
//! goes at once.

use crate::store::sql::transaction::Transaction;

use crate::base::{CustomerId, Instant};
use crate::license::Entry;
use crate::store::sql::fault::Fault;

/// Notes with a commit that purges somebody that everything staged so far must go, and what runs under way will stage of
/// what they read before it. Traces are gone with it, and none is kept until it is done with.
pub(in crate::store::sql) fn note(tx: &Transaction<'_>, id: i64, at: Instant, entries: &[Entry]) -> Result<(), Fault> {
    if !entries.iter().any(|entry| matches!(entry, Entry::Purged { .. })) {
        return Ok(());
    }
    tx.prepare_cached(
        "INSERT INTO purged (customer_id, at)
         SELECT CAST(?1 AS BIGINT), max(at) FROM (
             SELECT CAST(?2 AS BIGINT) AS at
             UNION ALL SELECT at FROM snapshots WHERE customer_id = ?1
             UNION ALL SELECT began FROM runs WHERE customer_id = ?1 AND state IN (0, 1, 4)
             UNION ALL SELECT at FROM purged WHERE customer_id = ?1) AS known
         WHERE true
         ON CONFLICT (customer_id) DO UPDATE SET at = excluded.at",
    )?
    .execute((id, at.0))?;
    tx.execute("DELETE FROM traces WHERE customer_id = ?1", [id])?;
    Ok(())
}

/// Whether snapshots are left that must go.
pub(in crate::store::sql) fn is_due(tx: &Transaction<'_>, customer: &CustomerId) -> Result<bool, Fault> {
    tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM purged WHERE customer_id = (SELECT id FROM customers WHERE name = ?1))")?
        .query_row([customer.as_str()], |row| row.get(0))
}

/// Forgets about it once none is left, and no run but `run` is under way that began before.
pub(in crate::store::sql) fn settle(tx: &Transaction<'_>, id: i64, run: Option<i64>) -> Result<(), Fault> {
    tx.prepare_cached(
        "DELETE FROM purged
         WHERE customer_id = ?1
           AND NOT EXISTS (
               SELECT 1 FROM snapshots s
               WHERE s.customer_id = ?1 AND s.at <= purged.at
                 AND NOT EXISTS (SELECT 1 FROM sources WHERE sources.snapshot = s.digest))
           AND NOT EXISTS (SELECT 1 FROM runs WHERE customer_id = ?1 AND state IN (0, 1, 4) AND began <= purged.at AND id IS DISTINCT FROM ?2)",
    )?
    .execute((id, run))?;
    Ok(())
}
