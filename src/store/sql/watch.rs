//! How each pool stood when it was last looked at (R145, R152). Operational: what is told of it is a notice.

use std::collections::BTreeMap;

use crate::store::sql::transaction::{OptionalExtension, Transaction};

use crate::base::{CustomerId, Instant, PoolId};
use crate::plan::Notice;
use crate::store::record::{pack, unpack};
use crate::store::shape::{Watch, WatchChange};
use crate::store::sql::books::{blob, head, head_or_new, text};
use crate::store::sql::entries::insert_notice;
use crate::store::sql::fault::Fault;

pub(in crate::store::sql) fn watches(tx: &Transaction<'_>, customer: &CustomerId) -> Result<BTreeMap<PoolId, Watch>, Fault> {
    let mut all = BTreeMap::new();
    let Some(head) = head(tx, customer)? else { return Ok(all) };
    let mut ask = tx.prepare_cached("SELECT pool, body FROM watches WHERE customer_id = ?1")?;
    let mut rows = ask.query([head.id])?;
    while let Some(row) = rows.next()? {
        let watch = unpack(blob(row, 1)?).map_err(Fault::unreadable(|| "a watch".to_owned()))?;
        all.insert(PoolId::from(text(row, 0)?), watch);
    }
    Ok(all)
}

/// Writes changes and their notices. One whose pool somebody else looked at in between is left out: it is told already.
pub(in crate::store::sql) fn save_watches(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    changes: &[WatchChange],
    at: Instant,
) -> Result<(), Fault> {
    let id = head_or_new(tx, customer)?.id;
    for WatchChange { pool, before, after, notices } in changes {
        let stored: Option<Vec<u8>> = tx
            .prepare_cached("SELECT body FROM watches WHERE customer_id = ?1 AND pool = ?2")?
            .query_row((id, pool.as_str()), |row| row.get(0))
            .optional()?;
        if stored != before.as_ref().map(pack) {
            continue;
        }
        tx.prepare_cached(
            "INSERT INTO watches (customer_id, pool, body) VALUES (?1, ?2, ?3) ON CONFLICT (customer_id, pool) DO UPDATE SET body = excluded.body",
        )?
        .execute((id, pool.as_str(), pack(after)))?;
        for notice in notices {
            let key = format!("{}/{}", notice.key, at.0);
            insert_notice(tx, id, at, &Notice { key, ..notice.clone() })?;
        }
    }
    Ok(())
}
