//! Reading what the clocks of overages wrote down, and deliveries of notices.

use crate::store::sql::transaction::Transaction;
use crate::store::sql::value::Params;

use crate::base::{CustomerId, EpisodeId};
use crate::license::{ClockFact, Delivery};
use crate::store::record::{Record, unpack};
use crate::store::sql::fault::Fault;

fn bodies<T: Record>(tx: &Transaction<'_>, what: &str, query: &str, with: impl Params) -> Result<Vec<T>, Fault> {
    let mut ask = tx.prepare_cached(query)?;
    let mut rows = ask.query(with)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(unpack(&row.get::<Vec<u8>>(0)?).map_err(Fault::unreadable(|| what.to_owned()))?);
    }
    Ok(all)
}

/// All facts, those of pools as such first, then by episode; of one episode, its own.
pub(in crate::store::sql) fn facts(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    episode: Option<EpisodeId>,
) -> Result<Vec<ClockFact>, Fault> {
    let query = "SELECT f.body FROM clock f JOIN customers c ON c.id = f.customer_id
                 WHERE c.name = ?1 AND (CAST(?2 AS BIGINT) IS NULL OR f.episode = ?2)
                 ORDER BY f.episode NULLS FIRST, f.n";
    let episode = episode.map(|episode| episode.0.cast_signed());
    bodies(tx, "what a clock wrote", query, (customer.as_str(), episode))
}

/// All deliveries, by notice and channel.
pub(in crate::store::sql) fn deliveries(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Vec<Delivery>, Fault> {
    let query = "SELECT d.body FROM deliveries d JOIN customers c ON c.id = d.customer_id
                 WHERE c.name = ?1 ORDER BY d.key, d.channel";
    bodies(tx, "a delivery", query, (customer.as_str(),))
}
