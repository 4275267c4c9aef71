//! What pools are and have, their clocks and terms; of people and names nothing. Of many customers at once.

use crate::base::PoolId;
use crate::license::{ClockFact, Delivery, Episode, Phase, PoolBooks, PoolTerms, ReuseYear, SourceMark};
use crate::plan::Standing;
use crate::store::record::{CONTINUES, Record, unpack};
use crate::store::sql::fault::Fault;
use crate::store::sql::side_by_side::SideBySide;
use crate::store::sql::transaction::Transaction;

/// In the order in which they are asked for. Versions and counters of ids are the customers' rows'.
pub(in crate::store::sql) fn standings_of_pools(tx: &Transaction<'_>, asked: &SideBySide) -> Result<Vec<Standing>, Fault> {
    let mut all = vec![Standing::default(); asked.len()];
    let of = |table: &str, key: &str| {
        format!("SELECT customer_id, body FROM {table} WHERE customer_id BETWEEN ?1 AND ?2 ORDER BY customer_id, {key}")
    };
    asked.records(tx, &of("grants", "id"), |at, grant| all[at].grants.push(grant))?;
    asked.records(tx, &of("agreed", "id"), |at, agreed| all[at].agreed.push(agreed))?;
    asked.records(tx, &of("chain", "term"), |at, term| all[at].chain.push(term))?;
    asked.records(tx, &of("terms", "pool"), |at, terms: PoolTerms| {
        all[at].terms.insert(terms.pool.clone(), terms);
    })?;
    asked.records(tx, &of("sources", "source"), |at, mark: SourceMark| {
        all[at].sources.insert(mark.source.clone(), mark);
    })?;
    by_pool(tx, asked, "pools", |at, pool, books: PoolBooks| drop(all[at].pools.insert(pool, books)))?;
    by_pool(tx, asked, "phases", |at, pool, phase: Phase| drop(all[at].phases.insert(pool, phase)))?;
    by_pool(tx, asked, "reuse", |at, pool, year: ReuseYear| drop(all[at].reuse.insert(pool, year)))?;
    let newest_holds = "SELECT h.customer_id, h.body FROM holds h JOIN
        (SELECT customer_id, max(run) AS run FROM holds WHERE customer_id BETWEEN ?1 AND ?2 GROUP BY customer_id) n
        ON h.customer_id = n.customer_id AND h.run = n.run";
    asked.records(tx, newest_holds, |at, hold| all[at].hold = Some(hold))?;
    // Facts of open episodes and of pools as such, and whose clocks closed ones went on with.
    let facts = format!(
        "SELECT customer_id, body FROM clock f WHERE customer_id BETWEEN ?1 AND ?2
         AND (episode IS NULL OR step = {CONTINUES} OR {OPEN}) ORDER BY customer_id, n",
        OPEN = open("f"),
    );
    asked.records(tx, &facts, |at, fact: ClockFact| all[at].clock.entry(fact.episode).or_default().push(fact))?;
    let deliveries = format!(
        "SELECT customer_id, body FROM deliveries d WHERE customer_id BETWEEN ?1 AND ?2 AND {OPEN}
         ORDER BY customer_id, key, channel",
        OPEN = open("d"),
    );
    asked.records(tx, &deliveries, |at, delivery: Delivery| {
        if let Some(episode) = delivery.episode {
            all[at].deliveries.entry(episode).or_default().push(delivery);
        }
    })?;
    // The newest closed episode of each pool, void ones left out.
    let former = "SELECT e.customer_id, e.body FROM episodes e JOIN
        (SELECT customer_id, max(id) AS id FROM episodes WHERE customer_id BETWEEN ?1 AND ?2 AND state = 1
         GROUP BY customer_id, pool) n
        ON e.customer_id = n.customer_id AND e.id = n.id";
    asked.records(tx, former, |at, episode: Episode| {
        all[at].former.insert(episode.pool.clone(), episode);
    })?;
    Ok(all)
}

/// Whether the episode of a row is open.
fn open(table: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM episodes e
         WHERE e.customer_id = {table}.customer_id AND e.id = {table}.episode AND e.state = 0)"
    )
}

fn by_pool<T: Record>(
    tx: &Transaction<'_>,
    asked: &SideBySide,
    table: &str,
    mut put: impl FnMut(usize, PoolId, T),
) -> Result<(), Fault> {
    let sql = format!("SELECT customer_id, pool, body FROM {table} WHERE customer_id BETWEEN ?1 AND ?2");
    asked.rows(
        tx,
        &sql,
        |first, last| (first, last),
        |at, row| {
            let pool = PoolId::from(row.get::<&str>(1)?);
            let record =
                unpack(row.get::<&[u8]>(2)?).map_err(Fault::unreadable(|| format!("a record of {table} of pool {pool}")))?;
            put(at, pool, record);
            Ok(())
        },
    )
}
