//! How each pool stood when it was last looked at (R145, R152). Operational: what is told of it is a notice.

use std::collections::BTreeMap;

use crate::store::sql::transaction::Transaction;

use crate::base::{CustomerId, Instant, PoolId};
use crate::plan::Notice;
use crate::store::record::{pack, unpack};
use crate::store::shape::{Watch, WatchChange};
use crate::store::sql::books::{blob, head_or_new, text};
use crate::store::sql::entries::insert_notice;
use crate::store::sql::fault::Fault;
use crate::store::sql::many::Many;

pub(in crate::store::sql) fn watches(tx: &Transaction<'_>, customer: &CustomerId) -> Result<BTreeMap<PoolId, Watch>, Fault> {
    let mut all = BTreeMap::new();
    let mut ask =
        tx.prepare_cached("SELECT pool, body FROM watches WHERE customer_id = (SELECT id FROM customers WHERE name = ?1)")?;
    let mut rows = ask.query([customer.as_str()])?;
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
    let mut stored = watches(tx, customer)?;
    let mut put = Many::put(tx, "watches", &["customer_id", "pool"], &["body"])?;
    for WatchChange { pool, before, after, notices } in changes {
        // Of each pool there is one change.
        if stored.remove(pool) != *before {
            continue;
        }
        put.write((id, pool.as_str(), pack(after)))?;
        for notice in notices {
            let key = format!("{}/{}", notice.key, at.0);
            insert_notice(tx, id, at, &Notice { key, ..notice.clone() })?;
        }
    }
    put.flush()?;
    Ok(())
}
