//! Traces: what the last read of a source left to know its files by, in compressed chunks.

use crate::store::sql::transaction::Transaction;

use crate::base::{CustomerId, SourceId};
use crate::store::api::{Give, Take};
use crate::store::sql::books::head_or_new;
use crate::store::sql::chunks::{compress_each, decompress_rows};
use crate::store::sql::fault::Fault;
use crate::store::sql::purged;

pub(in crate::store::sql) fn save(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    source: &SourceId,
    chunks: Give<'_, Vec<u8>>,
) -> Result<(), Fault> {
    let head = head_or_new(tx, customer)?;
    // Before the new one is there, which takes its room.
    tx.execute("DELETE FROM traces WHERE customer_id = ?1 AND source = ?2", (head.id, source.as_str()))?;
    if purged::is_due(tx, customer)? {
        return Ok(());
    }
    let mut insert =
        tx.prepare_cached("INSERT INTO traces (customer_id, source, n, bytes, body) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let what = || format!("the trace of {source}");
    compress_each(what, chunks, |n, len, body| insert.execute((head.id, source.as_str(), n, len, body)).map(drop))?;
    Ok(())
}

pub(in crate::store::sql) fn read(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    source: &SourceId,
    each: Take<'_, Vec<u8>>,
) -> Result<(), Fault> {
    let mut ask = tx.prepare_stream(
        "SELECT bytes, body FROM traces
         WHERE customer_id = (SELECT id FROM customers WHERE name = ?1) AND source = ?2 ORDER BY n",
    )?;
    decompress_rows(ask.query((customer.as_str(), source.as_str()))?, each)
}
