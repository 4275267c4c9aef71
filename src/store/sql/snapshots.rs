//! Snapshots: immutable, named by their digest, in compressed chunks.

use crate::store::sql::transaction::{OptionalExtension, Statement, Transaction};
use crate::store::sql::value::{Params, Value};

use crate::base::{CustomerId, Digest, Instant, RunId, SourceId};
use crate::license::Entry;
use crate::store::api::{Give, Take};
use crate::store::error::StoreError;
use crate::store::shape::SnapshotRow;
use crate::store::sql::books::{head, head_or_new, unsigned};
use crate::store::sql::chunks::{compress_each, decompress_rows};
use crate::store::sql::fault::Fault;
use crate::store::sql::purged::settle;

pub(in crate::store::sql) fn stage(tx: &Transaction<'_>, row: &SnapshotRow, chunks: Give<'_, Vec<u8>>) -> Result<(), Fault> {
    let SnapshotRow { digest, base, customer, source, at, bytes: _, people, enrollments } = row;
    let head = head_or_new(tx, customer)?;
    alone(tx, digest)?;
    match snapshot(tx, digest)? {
        None => {}
        Some(SnapshotRow { base: Some(_), .. }) if base.is_none() => drop(delete(tx, &[digest.0])?),
        Some(_) => return Ok(()),
    }
    // The chunks come first, for the length is known when the last one is; their reference is looked at in the end.
    let mut insert = tx.prepare_cached("INSERT INTO snapshot_chunk (digest, n, bytes, body) VALUES (?1, ?2, ?3, ?4)")?;
    let what = || format!("snapshot {}", digest.short());
    let bytes = compress_each(what, chunks, |n, len, body| insert.execute((digest.0, n, len, body)).map(drop))?;
    tx.prepare_cached(
        "INSERT INTO snapshots (digest, base, customer_id, source, at, bytes, people, enrollments)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        digest.0,
        base.map(|base| base.0),
        head.id,
        source.as_str(),
        at.0,
        bytes.cast_signed(),
        people.cast_signed(),
        enrollments.cast_signed(),
    ))?;
    Ok(())
}

pub(in crate::store::sql) fn snapshot(tx: &Transaction<'_>, digest: &Digest) -> Result<Option<SnapshotRow>, Fault> {
    let found = tx
        .prepare_cached(
            "SELECT c.name, s.source, s.at, s.bytes, s.people, s.enrollments, s.base
             FROM snapshots s JOIN customers c ON c.id = s.customer_id WHERE s.digest = ?1",
        )?
        .query_row([digest.0], |row| {
            Ok(SnapshotRow {
                digest: *digest,
                customer: CustomerId::new(row.get::<String>(0)?),
                source: SourceId::new(row.get::<String>(1)?),
                at: Instant(row.get(2)?),
                bytes: unsigned(row, 3)?,
                people: unsigned(row, 4)?,
                enrollments: unsigned(row, 5)?,
                base: row.get::<Option<[u8; 32]>>(6)?.map(Digest),
            })
        })
        .optional()?;
    Ok(found)
}

pub(in crate::store::sql) fn chunks(tx: &Transaction<'_>, digest: &Digest, each: Take<'_, Vec<u8>>) -> Result<(), Fault> {
    let mut ask = tx.prepare_stream("SELECT bytes, body FROM snapshot_chunk WHERE digest = ?1 ORDER BY n")?;
    decompress_rows(ask.query([digest.0])?, each)
}

/// Drops what nothing rests on any more: not the books or plans of anybody (equal rosters share one snapshot), not a run
/// that is under way or whose hold waits, not one of the newest runs.
pub(in crate::store::sql) fn prune(tx: &Transaction<'_>, id: i64, keep: u32) -> Result<u32, Fault> {
    let mut ask = tx.prepare_cached(
        "WITH kept_runs AS (
             SELECT plan FROM (SELECT plan FROM runs WHERE customer_id = ?1 ORDER BY id DESC LIMIT ?2) AS newest
             UNION ALL
             SELECT plan FROM runs WHERE customer_id = ?1 AND state IN (0, 1, 4)
             UNION ALL
             SELECT plan FROM runs WHERE customer_id = ?1 AND id IN (SELECT run FROM holds WHERE customer_id = ?1 AND waits = 1)
         )
         SELECT digest FROM snapshots s
         WHERE customer_id = ?1
           AND NOT EXISTS (SELECT 1 FROM sources WHERE sources.snapshot = s.digest)
           AND NOT EXISTS (SELECT 1 FROM snapshots t WHERE t.base = s.digest)
           AND NOT EXISTS (
               SELECT 1 FROM plan_snapshot p
               WHERE p.snapshot = s.digest
                 AND (p.customer_id <> ?1 OR p.plan IN (SELECT plan FROM kept_runs WHERE plan IS NOT NULL)))
           AND NOT EXISTS (
               SELECT 1 FROM runs WHERE customer_id = ?1 AND state IN (0, 1, 4) AND began <= s.at)",
    )?;
    let mut dropped = 0;
    loop {
        let drops = free(tx, &mut ask, (id, keep))?;
        if drops.is_empty() {
            return Ok(dropped);
        }
        // What they stood on may be free now.
        dropped += delete(tx, &drops)?;
    }
}

/// Drops what no books rest on of all that was staged up to the newest purge, held runs and newest runs or not; only what
/// another run under way has read stays, until it is asked again.
pub(in crate::store::sql) fn drop_all(tx: &Transaction<'_>, customer: &CustomerId, run: Option<RunId>) -> Result<u32, Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(0) };
    let mut ask = tx.prepare_cached(
        "SELECT digest FROM snapshots s
         WHERE customer_id = ?1
           AND at <= (SELECT at FROM purged WHERE customer_id = ?1)
           AND NOT EXISTS (SELECT 1 FROM sources WHERE sources.snapshot = s.digest)
           AND NOT EXISTS (SELECT 1 FROM snapshots t WHERE t.base = s.digest)
           AND NOT EXISTS (
               SELECT 1 FROM runs
               WHERE customer_id = ?1 AND state IN (0, 1, 4) AND began <= s.at AND id IS DISTINCT FROM ?2)",
    )?;
    let run = run.map(|run| run.0.cast_signed());
    let mut dropped = 0;
    loop {
        let drops = free(tx, &mut ask, (head.id, run))?;
        if drops.is_empty() {
            break;
        }
        dropped += delete(tx, &drops)?;
    }
    // Another customer may have staged an equal roster first: plans from before the purge do not keep that one either.
    tx.prepare_cached(
        "DELETE FROM plan_snapshot WHERE customer_id = ?1
         AND snapshot NOT IN (SELECT digest FROM snapshots WHERE customer_id = ?1)",
    )?
    .execute([head.id])?;
    settle(tx, head.id, run)?;
    Ok(dropped)
}

/// Books must not come to rest on a snapshot that was dropped since it was read.
pub(in crate::store::sql) fn must_be_kept(tx: &Transaction<'_>, customer: &CustomerId, entries: &[Entry]) -> Result<(), Fault> {
    let mut ask = tx.prepare_cached(if tx.locks_rows() {
        "SELECT 1 FROM snapshots WHERE digest = ?1 FOR KEY SHARE"
    } else {
        "SELECT 1 FROM snapshots WHERE digest = ?1"
    })?;
    for entry in entries {
        if let Entry::Adopted(mark) = entry
            && ask.query_row([mark.snapshot.0], |row| row.get::<i64>(0)).optional()?.is_none()
        {
            let (customer, snapshot) = (customer.clone(), mark.snapshot);
            return Err(StoreError::SnapshotGone { customer, snapshot }.into());
        }
    }
    Ok(())
}

/// Whoever stages a roster does so alone: two customers may have the same.
fn alone(tx: &Transaction<'_>, digest: &Digest) -> Result<(), Fault> {
    if let Some(session) = tx.pg() {
        let key = digest.0.iter().take(8).fold(0_i64, |key, &byte| (key << 8) | i64::from(byte));
        session.ask("SELECT CAST(pg_advisory_xact_lock(?1) AS TEXT)", &[Value::Integer(key)])?;
    }
    Ok(())
}

/// What nothing rests on. Where others write meanwhile it is locked, and asked again: books may have come to rest on it.
fn free(tx: &Transaction<'_>, ask: &mut Statement<'_>, with: impl Params) -> Result<Vec<[u8; 32]>, Fault> {
    let mut seen = ask.query_map(&with, |row| row.get::<[u8; 32]>(0))?;
    if tx.locks_rows() && !seen.is_empty() {
        let mut lock = tx.prepare_cached("SELECT 1 FROM snapshots WHERE digest = ?1 FOR UPDATE")?;
        for digest in &seen {
            lock.query_row([*digest], |row| row.get::<i64>(0)).optional()?;
        }
        let still = ask.query_map(&with, |row| row.get::<[u8; 32]>(0))?;
        seen.retain(|digest| still.contains(digest));
    }
    Ok(seen)
}

fn delete(tx: &Transaction<'_>, drops: &[[u8; 32]]) -> Result<u32, Fault> {
    for digest in drops {
        tx.prepare_cached("DELETE FROM snapshot_chunk WHERE digest = ?1")?.execute([digest])?;
        tx.prepare_cached("DELETE FROM snapshots WHERE digest = ?1")?.execute([digest])?;
    }
    u32::try_from(drops.len()).map_err(|_| Fault::corrupt("the snapshots", "there are more than 2³²"))
}
