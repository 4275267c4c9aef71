//! Looks at sources that are asked over the network.

use crate::store::sql::transaction::Transaction;

use crate::base::{CustomerId, Digest, Instant, SourceId};
use crate::store::shape::SourceLook;
use crate::store::sql::books::{head, head_or_new};
use crate::store::sql::fault::Fault;

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
    let Some(head) = head(tx, customer)? else { return Ok(Vec::new()) };
    let mut ask =
        tx.prepare_cached("SELECT source, package, cursor, full_at, at FROM looks WHERE customer_id = ?1 ORDER BY source")?;
    ask.query_map([head.id], |row| {
        Ok(SourceLook {
            source: SourceId::new(row.get::<String>(0)?),
            package: Digest(row.get(1)?),
            cursor: row.get(2)?,
            full_at: Instant(row.get(3)?),
            at: Instant(row.get(4)?),
        })
    })
}
