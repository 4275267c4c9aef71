//! Places among the requests to an upstream: so many at once and so many a second, whoever asks. No clock but the server's is
//! asked; places of a node that died are free.

use crate::store::place::PlaceGiven;
use crate::store::sql::{Fault, Transaction};

/// Takes a place, and the next moment at which a request may start. `number` is one that the node gives to no other place.
pub(in crate::store::postgres) fn take(
    tx: &Transaction<'_>,
    node: i64,
    lease_secs: u32,
    (upstream, number): (&str, u64),
    (parallel_max, gap_micros): (u32, u64),
) -> Result<PlaceGiven, Fault> {
    // Whoever asks next waits here; what was given before is seen by what follows.
    tx.execute(
        "INSERT INTO upstream_pace (upstream, next) VALUES (?1, clock_timestamp())
         ON CONFLICT (upstream) DO UPDATE SET next = upstream_pace.next",
        [upstream],
    )?;
    let mut ask = tx.prepare_cached(
        "WITH left_behind AS (
             DELETE FROM upstream_places p WHERE p.upstream = ?1 AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = p.node)
         ), taken AS (
             INSERT INTO upstream_places (upstream, node, number)
             SELECT ?1, ?2, ?3 WHERE ?4 > (
                 SELECT count(*) FROM upstream_places p JOIN nodes n ON n.id = p.node
                 WHERE p.upstream = ?1 AND n.seen >= clock_timestamp() - CAST(?6 AS BIGINT) * INTERVAL '1 second')
             RETURNING number
         )
         UPDATE upstream_pace
         SET next = greatest(next, clock_timestamp()) + CAST(?5 AS BIGINT) * INTERVAL '1 microsecond'
         WHERE upstream = ?1 AND EXISTS (SELECT 1 FROM taken)
         RETURNING CAST(extract(epoch FROM next - clock_timestamp()) * 1000000 AS BIGINT)",
    )?;
    let gap = gap_micros.cast_signed();
    let mut rows = ask.query((upstream, node, number.cast_signed(), i64::from(parallel_max), gap, i64::from(lease_secs)))?;
    let Some(row) = rows.next()? else { return Ok(PlaceGiven::Full) };
    let until_next: i64 = row.get(0)?;
    Ok(PlaceGiven::After((until_next - gap).max(0).unsigned_abs()))
}

/// Gives a place back.
pub(in crate::store::postgres) fn end(tx: &Transaction<'_>, node: i64, number: u64) -> Result<(), Fault> {
    tx.execute("DELETE FROM upstream_places WHERE node = ?1 AND number = ?2", (node, number.cast_signed()))?;
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
