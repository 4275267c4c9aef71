//! Upstreams that fail. They belong to no customer: several read from one.

use crate::store::sql::transaction::{OptionalExtension, Transaction};

use crate::base::Instant;
use crate::store::outage::OutageRow;
use crate::store::sql::fault::Fault;

pub(in crate::store::sql) fn outage(tx: &Transaction<'_>, upstream: &str) -> Result<Option<OutageRow>, Fault> {
    let mut ask = tx.prepare_cached("SELECT failures, since, opened, rest_secs, error FROM outages WHERE upstream = ?1")?;
    let found = ask.query_row([upstream], |row| {
        Ok(OutageRow {
            upstream: upstream.to_owned(),
            failures: row.get(0)?,
            since: Instant(row.get(1)?),
            opened: Instant(row.get(2)?),
            rest_secs: u64::from(row.get::<u32>(3)?),
            error: row.get(4)?,
        })
    });
    found.optional()
}

pub(in crate::store::sql) fn save(tx: &Transaction<'_>, row: &OutageRow) -> Result<(), Fault> {
    let OutageRow { upstream, failures, since, opened, rest_secs, error } = row;
    let rest_secs = u32::try_from(*rest_secs).unwrap_or(u32::MAX);
    tx.prepare_cached(
        "INSERT INTO outages (upstream, failures, since, opened, rest_secs, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (upstream) DO UPDATE SET failures = excluded.failures, since = excluded.since, opened = excluded.opened,
             rest_secs = excluded.rest_secs, error = excluded.error",
    )?
    .execute((upstream, failures, since.0, opened.0, rest_secs, error))?;
    Ok(())
}

pub(in crate::store::sql) fn drop(tx: &Transaction<'_>, upstream: &str) -> Result<(), Fault> {
    tx.prepare_cached("DELETE FROM outages WHERE upstream = ?1")?.execute([upstream])?;
    Ok(())
}
