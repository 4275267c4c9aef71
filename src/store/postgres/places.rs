//! Places among the requests to an upstream: so many at once and so many a second, whoever asks. No clock but the server's is
//! asked; places of a node that died are free.

use crate::store::place::PlaceGiven;
use crate::store::sql::{Fault, OptionalExtension, Transaction, is_dead};

/// Takes a place, and the next moment at which a request may start. `number` is one that the node gives to no other place.
pub(in crate::store::postgres) fn take(
    tx: &Transaction<'_>,
    lease_secs: u32,
    (upstream, number): (&str, u64),
    (parallel_max, gap_micros): (u32, u64),
) -> Result<PlaceGiven, Fault> {
    let own = tx.node();
    // A place counts as long as its node may come back.
    let is_dead = is_dead(3, 2);
    let taken = format!(
        "SELECT count(*) FROM upstream_places p JOIN nodes n ON n.id = p.node WHERE p.upstream = ?1 AND NOT ({is_dead})"
    );
    // Whoever asks in vain, again and again, locks nothing.
    let is_full = format!("SELECT ({taken}) >= CAST(?4 AS BIGINT)");
    if tx.query_row(&is_full, (upstream, own, lease_secs, parallel_max), |row| row.get(0))? {
        return Ok(PlaceGiven::Full);
    }
    // Whoever asks next waits here; what was given before is seen by what follows.
    let lock = "SELECT 1 FROM upstream_pace WHERE upstream = ?1 FOR UPDATE";
    if tx.query_row(lock, [upstream], |_| Ok(())).optional()?.is_none() {
        let add = "INSERT INTO upstream_pace (upstream, next) VALUES (?1, clock_timestamp()) ON CONFLICT (upstream) DO NOTHING";
        tx.execute(add, [upstream])?;
        tx.query_row(lock, [upstream], |_| Ok(()))?;
    }
    let mut ask = tx.prepare_cached(&format!(
        "WITH left_behind AS (
             DELETE FROM upstream_places p WHERE p.upstream = ?1 AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = p.node)
         ), taken AS (
             INSERT INTO upstream_places (upstream, node, number)
             SELECT ?1, ?2, ?5 WHERE ?4 > ({taken}) RETURNING number
         )
         UPDATE upstream_pace
         SET next = greatest(next, clock_timestamp()) + CAST(?6 AS BIGINT) * INTERVAL '1 microsecond'
         WHERE upstream = ?1 AND EXISTS (SELECT 1 FROM taken)
         RETURNING CAST(extract(epoch FROM next - clock_timestamp()) * 1000000 AS BIGINT)"
    ))?;
    let gap = gap_micros.cast_signed();
    let mut rows = ask.query((upstream, own, lease_secs, parallel_max, number.cast_signed(), gap))?;
    let Some(row) = rows.next()? else { return Ok(PlaceGiven::Full) };
    let until_next: i64 = row.get(0)?;
    Ok(PlaceGiven::After((until_next - gap).max(0).unsigned_abs()))
}

/// Gives a place back.
pub(in crate::store::postgres) fn end(tx: &Transaction<'_>, number: u64) -> Result<(), Fault> {
    tx.execute("DELETE FROM upstream_places WHERE node = ?1 AND number = ?2", (tx.node(), number.cast_signed()))?;
    Ok(())
}

/// Nobody starts a request before a pause is over.
pub(in crate::store::postgres) fn pause(tx: &Transaction<'_>, upstream: &str, micros: u64) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO upstream_pace (upstream, next)
         VALUES (?1, clock_timestamp() + CAST(?2 AS BIGINT) * INTERVAL '1 microsecond')
         ON CONFLICT (upstream) DO UPDATE SET next = greatest(upstream_pace.next, excluded.next)",
        (upstream, micros.cast_signed()),
    )?;
    Ok(())
}
