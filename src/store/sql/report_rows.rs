//! What reports ask for: orgs, samples of pools, requests for seats, and which version was the newest at an instant.

use std::collections::BTreeMap;

use crate::store::sql::transaction::{OptionalExtension, Rows, Transaction};

use crate::base::{CustomerId, Instant, PoolId, ProductId, RunId, Seats, Version};
use crate::license::{OrgMark, PoolBooks, PoolSample, SeatRequest};
use crate::store::record::pack;
use crate::store::shape::ActivityRow;
use crate::store::sql::books::{bodies, head, head_or_new, text, unsigned};
use crate::store::sql::fault::Fault;
use crate::store::sql::many::Many;

/// Writes what a pool came to, if it is not what it came to before.
pub(in crate::store::sql) fn add_sample(
    tx: &Transaction<'_>,
    id: i64,
    version: Version,
    at: Instant,
    pool: &PoolId,
    books: &PoolBooks,
) -> Result<(), Fault> {
    let (used, allowance) = (books.counts.used().0, books.allowance.seats.map(|seats| seats.0));
    tx.prepare_cached(
        "INSERT INTO samples (customer_id, pool, version, at, used, allowance)
         SELECT CAST(?1 AS BIGINT), CAST(?2 AS TEXT), CAST(?3 AS BIGINT), CAST(?4 AS BIGINT), CAST(?5 AS BIGINT), CAST(?6 AS BIGINT)
         WHERE NOT EXISTS (
             SELECT 1 FROM samples WHERE customer_id = ?1 AND pool = ?2
             AND version = (SELECT max(version) FROM samples WHERE customer_id = ?1 AND pool = ?2)
             AND used = ?5 AND allowance IS NOT DISTINCT FROM ?6)",
    )?
    .execute((id, pool.as_str(), version.0.cast_signed(), at.0, used, allowance))?;
    Ok(())
}

pub(in crate::store::sql) fn add_request(tx: &Transaction<'_>, id: i64, request: &SeatRequest) -> Result<(), Fault> {
    tx.prepare_cached("INSERT INTO seat_requests (customer_id, body) VALUES (?1, ?2)")?.execute((id, pack(request)))?;
    Ok(())
}

pub(in crate::store::sql) fn orgs(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Vec<OrgMark>, Fault> {
    bodies(tx, "orgs", "org", customer)
}

pub(in crate::store::sql) fn seat_requests(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Vec<SeatRequest>, Fault> {
    bodies(tx, "seat_requests", "id", customer)
}

pub(in crate::store::sql) fn samples(
    tx: &Transaction<'_>,
    customer: &CustomerId,
) -> Result<BTreeMap<PoolId, Vec<PoolSample>>, Fault> {
    let mut all: BTreeMap<PoolId, Vec<PoolSample>> = BTreeMap::new();
    let Some(head) = head(tx, customer)? else { return Ok(all) };
    let mut ask =
        tx.prepare_cached("SELECT pool, at, used, allowance FROM samples WHERE customer_id = ?1 ORDER BY pool, version")?;
    let mut rows = ask.query([head.id])?;
    while let Some(row) = rows.next()? {
        let sample =
            PoolSample { at: Instant(row.get(1)?), used: Seats(row.get(2)?), allowance: row.get::<Option<u32>>(3)?.map(Seats) };
        all.entry(PoolId::from(text(row, 0)?)).or_default().push(sample);
    }
    Ok(all)
}

pub(in crate::store::sql) fn version_at(tx: &Transaction<'_>, customer: &CustomerId, at: Instant) -> Result<Version, Fault> {
    let newest = tx
        .prepare_cached(
            "SELECT version FROM audit WHERE customer_id = (SELECT id FROM customers WHERE name = ?1) AND at <= ?2
             ORDER BY version DESC LIMIT 1",
        )?
        .query_row((customer.as_str(), at.0), |row| unsigned(row, 0))
        .optional()?;
    Ok(Version(newest.unwrap_or(0)))
}

/// Keeps log-ins; of each person and product the newest. Returns how many rows changed.
pub(in crate::store::sql) fn put_activity(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    rows: &[ActivityRow],
    at: Instant,
) -> Result<u64, Fault> {
    let id = head_or_new(tx, customer)?.id;
    let mut put = Many::put_newer(tx, "activity", &["customer_id", "person", "product"], &["at"], "at")?;
    newest(rows).into_iter().try_for_each(|((person, product), at)| put.write((id, person, product, at)).map(drop))?;
    put.flush()?;
    let changed = put.touched();
    tx.prepare_cached(
        "INSERT INTO activity_feeds (customer_id, at) VALUES (?1, ?2)
         ON CONFLICT (customer_id) DO UPDATE SET at = excluded.at WHERE excluded.at > activity_feeds.at",
    )?
    .execute((id, at.0))?;
    Ok(changed)
}

/// Keeps log-ins that a dry run read.
pub(in crate::store::sql) fn plan_activity(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    run: RunId,
    rows: &[ActivityRow],
) -> Result<(), Fault> {
    let id = head_or_new(tx, customer)?.id;
    let (run, table) = (run.0.cast_signed(), "activity_planned");
    let mut put = Many::put_newer(tx, table, &["run", "person", "product"], &["customer_id", "at"], "at")?;
    newest(rows).into_iter().try_for_each(|((person, product), at)| put.write((run, person, product, id, at)).map(drop))?;
    put.flush()?;
    Ok(())
}

/// The newest log-in of each person and product: no row may come twice where rows are sent together.
fn newest(rows: &[ActivityRow]) -> BTreeMap<(&str, &str), i64> {
    let mut newest = BTreeMap::new();
    for ActivityRow { person, product, at } in rows {
        let product = product.as_ref().map_or("", |product| product.as_str());
        let known = newest.entry((person.as_str(), product)).or_insert(at.0);
        *known = at.0.max(*known);
    }
    newest
}

pub(in crate::store::sql) fn planned_activity(tx: &Transaction<'_>, run: RunId) -> Result<Vec<ActivityRow>, Fault> {
    let mut ask =
        tx.prepare_cached("SELECT person, product, at FROM activity_planned WHERE run = ?1 ORDER BY person, product")?;
    activity_rows(ask.query([run.0.cast_signed()])?)
}

pub(in crate::store::sql) fn activity(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Vec<ActivityRow>, Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(Vec::new()) };
    let mut ask =
        tx.prepare_cached("SELECT person, product, at FROM activity WHERE customer_id = ?1 ORDER BY person, product")?;
    activity_rows(ask.query([head.id])?)
}

fn activity_rows(mut rows: Rows<'_>) -> Result<Vec<ActivityRow>, Fault> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let product = Some(text(row, 1)?).filter(|product| !product.is_empty());
        all.push(ActivityRow {
            person: text(row, 0)?.to_owned(),
            product: product.map(ProductId::from),
            at: Instant(row.get(2)?),
        });
    }
    Ok(all)
}

pub(in crate::store::sql) fn activity_fed(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Option<Instant>, Fault> {
    tx.prepare_cached("SELECT at FROM activity_feeds WHERE customer_id = (SELECT id FROM customers WHERE name = ?1)")?
        .query_row([customer.as_str()], |row| row.get(0).map(Instant))
        .optional()
}

/// Lets the log-ins of somebody who is deleted for good leave.
pub(in crate::store::sql) fn forget_activity(tx: &Transaction<'_>, id: i64, person: &str) -> Result<(), Fault> {
    for table in ["activity", "activity_planned"] {
        let delete = format!("DELETE FROM {table} WHERE customer_id = ?1 AND person = ?2");
        tx.prepare_cached(&delete)?.execute((id, person))?;
    }
    Ok(())
}
