//! Reading what the clocks of overages wrote down, and deliveries of notices.

use std::collections::BTreeMap;

use crate::store::sql::transaction::{OptionalExtension, Transaction};
use crate::store::sql::value::Params;

use crate::base::{CustomerId, EpisodeId, Instant, PoolId};
use crate::license::{ClockFact, Delivery, Episode};
use crate::store::record::{CONTINUES, Record, unpack};
use crate::store::sql::fault::Fault;

type Facts = BTreeMap<Option<EpisodeId>, Vec<ClockFact>>;

fn bodies<T: Record>(tx: &Transaction<'_>, what: &str, query: &str, with: impl Params) -> Result<Vec<T>, Fault> {
    let mut ask = tx.prepare_cached(query)?;
    let mut rows = ask.query(with)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(unpack(&row.get::<Vec<u8>>(0)?).map_err(Fault::unreadable(|| what.to_owned()))?);
    }
    Ok(all)
}

/// When the newest version was committed. A clock that was set back does not set the books back.
pub(in crate::store::sql) fn committed(tx: &Transaction<'_>, id: i64) -> Result<Instant, Fault> {
    let at = tx.prepare_cached("SELECT at FROM customers WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?;
    Ok(at.map_or(Instant::MIN, Instant))
}

/// Facts of open episodes and of pools as such, and whose clocks closed ones went on with.
pub(in crate::store::sql) fn open_facts(tx: &Transaction<'_>, id: i64) -> Result<Facts, Fault> {
    let query = "SELECT body FROM clock WHERE customer_id = ?1 AND (episode IS NULL OR step = ?2
                 OR episode IN (SELECT id FROM episodes WHERE customer_id = ?1 AND state = 0)) ORDER BY n";
    let mut facts = Facts::new();
    for fact in bodies::<ClockFact>(tx, "what a clock wrote", query, (id, CONTINUES))? {
        facts.entry(fact.episode).or_default().push(fact);
    }
    Ok(facts)
}

/// Deliveries of notices of open episodes.
pub(in crate::store::sql) fn open_deliveries(
    tx: &Transaction<'_>,
    id: i64,
) -> Result<BTreeMap<EpisodeId, Vec<Delivery>>, Fault> {
    let query = "SELECT body FROM deliveries WHERE customer_id = ?1
                 AND episode IN (SELECT id FROM episodes WHERE customer_id = ?1 AND state = 0) ORDER BY key, channel";
    let mut deliveries: BTreeMap<EpisodeId, Vec<Delivery>> = BTreeMap::new();
    for delivery in bodies::<Delivery>(tx, "a delivery", query, (id,))? {
        if let Some(episode) = delivery.episode {
            deliveries.entry(episode).or_default().push(delivery);
        }
    }
    Ok(deliveries)
}

/// The newest closed episode of each pool, void ones left out.
pub(in crate::store::sql) fn former(tx: &Transaction<'_>, id: i64) -> Result<BTreeMap<PoolId, Episode>, Fault> {
    let query = "SELECT body FROM episodes WHERE customer_id = ?1 AND id IN
                 (SELECT max(id) FROM episodes WHERE customer_id = ?1 AND state = 1 GROUP BY pool)";
    let all: Vec<Episode> = bodies(tx, "an episode", query, (id,))?;
    Ok(all.into_iter().map(|episode| (episode.pool.clone(), episode)).collect())
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
