//! Looks at sources that are asked over the network.

use crate::store::sql::transaction::{Row, Transaction};

use crate::base::{CustomerId, Digest, Instant, SourceId};
use crate::store::shape::SourceLook;
use crate::store::sql::books::head_or_new;
use crate::store::sql::fault::Fault;
use crate::store::sql::side_by_side::SideBySide;

pub(in crate::store::sql) fn save_look(tx: &Transaction<'_>, customer: &CustomerId, look: &SourceLook) -> Result<(), Fault> {
    let SourceLook { source, package, cursor, full_at, at } = look;
    let head = head_or_new(tx, customer)?;
    tx.prepare_cached(
        "INSERT INTO looks (customer_id, source, package, cursor, full_at, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (customer_id, source) DO UPDATE
         SET package = excluded.package, cursor = excluded.cursor, full_at = excluded.full_at, at = excluded.at",
    )?
    .execute((head.id, source.as_str(), package.0, cursor, full_at.0, at.0))?;
    Ok(())
}

pub(in crate::store::sql) fn looks(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Vec<SourceLook>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT customer_id, source, package, cursor, full_at, at FROM looks
         WHERE customer_id = (SELECT id FROM customers WHERE name = ?1) ORDER BY source",
    )?;
    ask.query_map([customer.as_str()], look)
}

/// Those of many customers, each with its customer's place.
pub(in crate::store::sql) fn many(
    tx: &Transaction<'_>,
    asked: &SideBySide,
    mut put: impl FnMut(usize, SourceLook),
) -> Result<(), Fault> {
    let sql = "SELECT customer_id, source, package, cursor, full_at, at FROM looks WHERE customer_id BETWEEN ?1 AND ?2
               ORDER BY customer_id, source";
    asked.rows(
        tx,
        sql,
        |first, last| (first, last),
        |place, row| {
            put(place, look(row)?);
            Ok(())
        },
    )
}

fn look(row: Row<'_>) -> Result<SourceLook, Fault> {
    Ok(SourceLook {
        source: SourceId::new(row.get::<String>(1)?),
        package: Digest(row.get(2)?),
        cursor: row.get(3)?,
        full_at: Instant(row.get(4)?),
        at: Instant(row.get(5)?),
    })
}
