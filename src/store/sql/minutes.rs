//! All customers as of a minute, by one statement.

use std::collections::BTreeMap;

use crate::base::{CustomerId, Day, RunId, Version};
use crate::store::minute::Minute;
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
    // What is no date is no date that was scheduled.
    let day = |at| Ok::<_, Fault>(row.get::<Option<i64>>(at)?.and_then(|day| i32::try_from(day).ok()).map(Day));
    let run = row.get::<Option<i64>>(2)?.map(|run| RunId(run.cast_unsigned()));
    let minute = Minute {
        version: Version(unsigned(row, 1)?),
        newest_run: run.zip(row.get(3)?),
        night: day(4)?,
        date: day(5)?,
        names_purged: row.get(6)?,
        wishes_open: row.get(7)?,
        drops_open: row.get(8)?,
    };
    Ok((CustomerId::new(row.get::<String>(0)?), minute))
}
