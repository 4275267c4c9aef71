//! All customers as of a minute, by one statement.

use std::collections::BTreeMap;

use crate::base::{CustomerId, Day, RunId, Version};
use crate::store::minute::Minute;
use crate::store::record::{FORMAT, unpack};
use crate::store::sql::books::unsigned;
use crate::store::sql::fault::Fault;
use crate::store::sql::transaction::{Row, Transaction};

/// Those that have a row.
pub(in crate::store::sql) fn minutes(tx: &Transaction<'_>) -> Result<BTreeMap<CustomerId, Minute>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT c.name, c.version, r.id, r.state,
             (SELECT max(day) FROM scheduled WHERE customer_id = c.id AND kind = 0),
             (SELECT max(day) FROM scheduled WHERE customer_id = c.id AND kind = 1),
             EXISTS (SELECT 1 FROM purged WHERE customer_id = c.id),
             EXISTS (SELECT 1 FROM same_day WHERE customer_id = c.id AND settled = 0),
             EXISTS (SELECT 1 FROM requests WHERE customer_id = c.id AND settled = 0)
         FROM customers c LEFT JOIN runs r ON r.id = (SELECT max(id) FROM runs WHERE customer_id = c.id)",
    )?;
    Ok(ask.query_map((), minute)?.into_iter().collect())
}

fn minute(row: Row<'_>) -> Result<(CustomerId, Minute), Fault> {
    let newest_run = match row.get::<Option<i64>>(2)? {
        Some(run) => {
            let state = unpack(&[FORMAT, row.get(3)?]).map_err(Fault::unreadable(|| format!("run {run}")))?;
            Some((RunId(run.cast_unsigned()), state))
        }
        None => None,
    };
    let minute = Minute {
        version: Version(unsigned(row, 1)?),
        newest_run,
        night: row.get::<Option<i32>>(4)?.map(Day),
        date: row.get::<Option<i32>>(5)?.map(Day),
        names_purged: row.get(6)?,
        wishes_open: row.get(7)?,
        drops_open: row.get(8)?,
    };
    Ok((CustomerId::new(row.get::<String>(0)?), minute))
}
