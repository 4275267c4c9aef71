//! Notices on their way out. A notice says of itself whether it was given to its channels, so that none is passed over,
//! whoever commits when.

use crate::store::sql::transaction::{Row, Transaction};

use crate::base::{CustomerId, Instant, PoolId, SourceId};
use crate::plan::Notice;
use crate::store::alert::{AlertRow, AlertStanding, AlertState, Routed};
use crate::store::error::StoreError;
use crate::store::shape::NoticeRow;
use crate::store::sql::books::{head_or_new, unsigned};
use crate::store::sql::door::Door;
use crate::store::sql::entries::insert_notice;
use crate::store::sql::fault::Fault;
use crate::store::sql::runs::notice_row;

fn code(state: AlertState) -> u8 {
    match state {
        AlertState::Waiting => 0,
        AlertState::Accepted => 1,
        AlertState::Delivered => 2,
        AlertState::Dead => 3,
    }
}

pub(in crate::store::sql) fn add_notices(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    notices: &[Notice],
    at: Instant,
) -> Result<(), Fault> {
    let id = head_or_new(tx, customer)?.id;
    notices.iter().try_for_each(|notice| insert_notice(tx, id, at, notice))
}

/// Notices that were not given to their channels yet, oldest first.
pub(in crate::store::sql) fn unrouted(tx: &Transaction<'_>, limit: u32) -> Result<Vec<NoticeRow>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT c.name, o.key, o.kind, o.at, o.text FROM notices o JOIN customers c ON c.id = o.customer_id
         WHERE o.routed = 0 ORDER BY o.n LIMIT ?1",
    )?;
    let mut rows = ask.query([limit])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(notice_row(row)?);
    }
    Ok(all)
}

pub(in crate::store::sql) fn route(tx: &Transaction<'_>, routed: &[Routed], at: Instant, again: bool) -> Result<(), Fault> {
    let twice =
        if again { "DO UPDATE SET state = 0, tries = 0, next = excluded.next, ended = NULL, held = 0" } else { "DO NOTHING" };
    let mut insert = tx.prepare_cached(&format!(
        "INSERT INTO alerts (notice, channel, state, tries, next, error)
         SELECT o.n, ?3, 0, 0, ?4, '' FROM notices o JOIN customers c ON c.id = o.customer_id WHERE c.name = ?1 AND o.key = ?2
         ON CONFLICT (notice, channel) {twice}"
    ))?;
    let mut mark = tx.prepare_cached(
        "UPDATE notices SET routed = 1 WHERE customer_id = (SELECT id FROM customers WHERE name = ?1) AND key = ?2",
    )?;
    for Routed { customer, key, channels } in routed {
        for channel in channels {
            insert.execute((customer.as_str(), key, channel, at.0))?;
        }
        mark.execute((customer.as_str(), key))?;
    }
    Ok(())
}

fn any_due(tx: &Transaction<'_>, now: Instant) -> Result<bool, Fault> {
    let clock = clock(tx);
    let any = format!("SELECT EXISTS (SELECT 1 FROM alerts WHERE state IN (0, 1) AND next <= ?1 AND held <= {clock})");
    let mut ask = tx.prepare_cached(&any)?;
    ask.query_row([now.0], |row| row.get(0))
}

/// The clock by which it is told who has a delivery, where the caller's is `?1`. Several machines ask the server's: whoever is
/// ahead of the others would take what they are just sending.
fn clock(tx: &Transaction<'_>) -> &'static str {
    if tx.pg().is_some() { "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)" } else { "?1" }
}

/// Takes what is due: nobody else gets it before `until`. Of each channel the first `channel_max`, so that one that is slow
/// does not keep others waiting.
pub(in crate::store::sql) fn take(
    door: &impl Door,
    (now, until): (Instant, Instant),
    channel_max: u32,
    limit: u32,
) -> Result<Vec<AlertRow>, StoreError> {
    // Asked every second; while nothing is due it must not hold up other writers.
    if !door.read(|tx| any_due(tx, now))? {
        return Ok(Vec::new());
    }
    door.write(|tx| taken(tx, (now, until), channel_max, limit))
}

fn taken(tx: &Transaction<'_>, (now, until): (Instant, Instant), channel_max: u32, limit: u32) -> Result<Vec<AlertRow>, Fault> {
    let clock = clock(tx);
    // What another node is just taking is not waited for.
    let mut ask = tx.prepare_cached(&format!(
        "SELECT a.id FROM (SELECT id, row_number() OVER (PARTITION BY channel ORDER BY next, id) AS nth
                           FROM alerts WHERE state IN (0, 1) AND next <= ?1 AND held <= {clock}) AS due
         JOIN alerts a ON a.id = due.id WHERE due.nth <= ?2 ORDER BY a.next, a.id LIMIT ?3 {}",
        if tx.locks_rows() { "FOR UPDATE OF a SKIP LOCKED" } else { "" }
    ))?;
    let ids = ask.query_map((now.0, channel_max, limit), |row| row.get::<i64>(0))?;
    let mut hide = tx.prepare_cached(&format!(
        "UPDATE alerts SET next = ?3, held = {clock} + (CAST(?3 AS BIGINT) - CAST(?1 AS BIGINT))
         WHERE id = ?2 AND next <= ?1 AND held <= {clock}"
    ))?;
    let mut read = tx.prepare_cached(&format!("{SELECT} WHERE a.id = ?1"))?;
    let mut taken = Vec::with_capacity(ids.len());
    for id in ids {
        if hide.execute((now.0, id, until.0))? == 0 {
            // Another node was faster.
            continue;
        }
        let mut rows = read.query([id])?;
        if let Some(row) = rows.next()? {
            taken.push(alert_row(row)?);
        }
    }
    Ok(taken)
}

pub(in crate::store::sql) fn save(tx: &Transaction<'_>, row: &AlertRow, taken: Option<Instant>) -> Result<(), Fault> {
    let AlertRow { id, notice: _, pool: _, source: _, channel: _, state, tries, next, ended, error } = row;
    tx.prepare_cached(
        "UPDATE alerts SET state = ?2, tries = ?3, next = ?4, ended = ?5, error = ?6, held = 0
         WHERE id = ?1 AND (CAST(?7 AS BIGINT) IS NULL OR (next = ?7 AND state IN (0, 1)))",
    )?
    .execute((id.cast_signed(), code(*state), tries, next.0, ended.map(|at| at.0), error, taken.map(|until| until.0)))?;
    Ok(())
}

/// Deliveries, newest first, in one state or in all.
pub(in crate::store::sql) fn alerts(
    tx: &Transaction<'_>,
    state: Option<AlertState>,
    limit: u32,
) -> Result<Vec<AlertRow>, Fault> {
    let which = if state.is_some() { "a.state = ?1" } else { "CAST(?1 AS BIGINT) IS NULL" };
    let mut ask = tx.prepare_cached(&format!("{SELECT} WHERE {which} ORDER BY a.id DESC LIMIT ?2"))?;
    let mut rows = ask.query((state.map(code), limit))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(alert_row(row)?);
    }
    Ok(all)
}

/// How deliveries stand, by customer; whose all arrived is not among them.
pub(in crate::store::sql) fn standings(tx: &Transaction<'_>) -> Result<Vec<AlertStanding>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT c.name, count(*) FILTER (WHERE a.state <> 3), min(o.at) FILTER (WHERE a.state <> 3),
             count(*) FILTER (WHERE a.state = 3)
         FROM alerts a JOIN notices o ON o.n = a.notice JOIN customers c ON c.id = o.customer_id
         WHERE a.state IN (0, 1) OR a.state = 3 GROUP BY c.name ORDER BY c.name",
    )?;
    let mut rows = ask.query(())?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(AlertStanding {
            customer: CustomerId::new(row.get::<String>(0)?),
            waiting: unsigned(row, 1)?,
            oldest: row.get::<Option<i64>>(2)?.map(Instant),
            dead: unsigned(row, 3)?,
        });
    }
    Ok(all)
}

/// Forgets deliveries that arrived before one instant, and those given up before another. Returns how many.
pub(in crate::store::sql) fn prune(tx: &Transaction<'_>, delivered: Instant, dead: Instant) -> Result<usize, Fault> {
    tx.prepare_cached("DELETE FROM alerts WHERE (state = 2 AND ended < ?1) OR (state = 3 AND ended < ?2)")?
        .execute((delivered.0, dead.0))
}

const SELECT: &str = "SELECT c.name, o.key, o.kind, o.at, o.text, o.pool, o.source, a.id, a.channel, a.state, a.tries, a.next,
         a.ended, a.error
     FROM alerts a JOIN notices o ON o.n = a.notice JOIN customers c ON c.id = o.customer_id";

fn alert_row(row: Row<'_>) -> Result<AlertRow, Fault> {
    let id = unsigned(row, 7)?;
    let state = row.get::<u8>(9)?;
    let state = AlertState::ALL.into_iter().find(|known| code(*known) == state);
    Ok(AlertRow {
        id,
        notice: notice_row(row)?,
        pool: row.get::<Option<String>>(5)?.map(PoolId::new),
        source: row.get::<Option<String>>(6)?.map(SourceId::new),
        channel: row.get(8)?,
        state: state.ok_or_else(|| Fault::corrupt(format!("alert {id}"), "its state is unknown"))?,
        tries: row.get(10)?,
        next: Instant(row.get(11)?),
        ended: row.get::<Option<i64>>(12)?.map(Instant),
        error: row.get(13)?,
    })
}
