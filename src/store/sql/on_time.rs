//! What it takes to be on time: same-day wishes with their deadlines, and pauses of sources.

use crate::store::sql::transaction::{Row, Transaction};

use crate::base::{Actor, CustomerId, Day, Instant, RequestId, SourceId};
use crate::store::shape::{Pause, RequestPlace, SameDayRow, SameDayTaken, SameDayWish, Trigger};
use crate::store::sql::books::{head, head_or_new, unsigned};
use crate::store::sql::fault::Fault;
use crate::store::sql::requests::{position, request};
use crate::store::sql::side_by_side::SideBySide;

/// Takes a wish, if its date has any left (R98). Counting and taking are one transaction.
pub(in crate::store::sql) fn ask_same_day(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    wish: &SameDayWish,
    at: Instant,
) -> Result<SameDayTaken, Fault> {
    let SameDayWish { asked, day, deadline, day_max } = wish;
    let head = head_or_new(tx, customer)?;
    let used = same_day_used_of(tx, head.id, *day)?;
    if used >= *day_max {
        return Ok(SameDayTaken { used, place: None });
    }
    let (id, fresh) = request(tx, customer, &Trigger::SameDay(asked.clone()), at)?;
    tx.prepare_cached("INSERT INTO same_day (customer_id, day, deadline, at, by, request) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute((head.id, day.0, deadline.0, at.0, asked.by.to_string(), id.0.cast_signed()))?;
    let place = RequestPlace { request: id, joined: !fresh, position: position(tx, id)? };
    Ok(SameDayTaken { used: used + 1, place: Some(place) })
}

pub(in crate::store::sql) fn same_day_used(tx: &Transaction<'_>, customer: &CustomerId, day: Day) -> Result<u32, Fault> {
    tx.prepare_cached(
        "SELECT count(*) FROM same_day WHERE customer_id = (SELECT id FROM customers WHERE name = ?1) AND day = ?2",
    )?
    .query_row((customer.as_str(), day.0), |row| row.get(0))
}

/// The same of the customer with this number.
pub(in crate::store::sql) fn same_day_used_of(tx: &Transaction<'_>, id: i64, day: Day) -> Result<u32, Fault> {
    tx.prepare_cached("SELECT count(*) FROM same_day WHERE customer_id = ?1 AND day = ?2")?
        .query_row((id, day.0), |row| row.get(0))
}

pub(in crate::store::sql) fn same_day_open(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Vec<SameDayRow>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT s.id, s.request, s.at, s.deadline, r.ended FROM same_day s JOIN requests r ON r.id = s.request
         WHERE s.customer_id = (SELECT id FROM customers WHERE name = ?1) AND s.settled = 0 ORDER BY s.id",
    )?;
    ask.query_map([customer.as_str()], |row| {
        Ok(SameDayRow {
            number: unsigned(row, 0)?,
            request: RequestId(unsigned(row, 1)?),
            at: Instant(row.get(2)?),
            deadline: Instant(row.get(3)?),
            ended: row.get::<Option<i64>>(4)?.map(Instant),
        })
    })
}

pub(in crate::store::sql) fn settle_same_day(tx: &Transaction<'_>, number: u64) -> Result<(), Fault> {
    tx.prepare_cached("UPDATE same_day SET settled = 1 WHERE id = ?1")?.execute([number.cast_signed()])?;
    Ok(())
}

pub(in crate::store::sql) fn add_pause(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    pause: &Pause,
    by: &Actor,
    at: Instant,
) -> Result<(), Fault> {
    let head = head_or_new(tx, customer)?;
    let Pause { source, from, to, reason } = pause;
    tx.prepare_cached(
        "INSERT INTO pauses (customer_id, source, since, until, reason, at, by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((head.id, source.as_str(), from.0, to.0, reason, at.0, by.to_string()))?;
    Ok(())
}

/// Ends pauses that are not over. The rows stay, with who lifted them.
pub(in crate::store::sql) fn end_pauses(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    source: &SourceId,
    by: &Actor,
    at: Instant,
) -> Result<u32, Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(0) };
    let count = tx
        .prepare_cached(
            "UPDATE pauses SET lifted = ?3, lifted_by = ?4
             WHERE customer_id = ?1 AND source = ?2 AND until > ?3 AND lifted IS NULL",
        )?
        .execute((head.id, source.as_str(), at.0, by.to_string()))?;
    u32::try_from(count).map_err(|_| Fault::corrupt("the pauses", "there are more than 2³²"))
}

pub(in crate::store::sql) fn pauses(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Vec<Pause>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT customer_id, source, since, coalesce(lifted, until), reason FROM pauses
         WHERE customer_id = (SELECT id FROM customers WHERE name = ?1) AND (lifted IS NULL OR lifted > since)
         ORDER BY source, since, id",
    )?;
    ask.query_map([customer.as_str()], pause)
}

/// Those of many customers, each with its customer's place.
pub(in crate::store::sql) fn pauses_of_many(
    tx: &Transaction<'_>,
    asked: &SideBySide,
    mut put: impl FnMut(usize, Pause),
) -> Result<(), Fault> {
    let sql = "SELECT customer_id, source, since, coalesce(lifted, until), reason FROM pauses
               WHERE customer_id BETWEEN ?1 AND ?2 AND (lifted IS NULL OR lifted > since)
               ORDER BY customer_id, source, since, id";
    asked.rows(
        tx,
        sql,
        |first, last| (first, last),
        |place, row| {
            put(place, pause(row)?);
            Ok(())
        },
    )
}

fn pause(row: Row<'_>) -> Result<Pause, Fault> {
    Ok(Pause {
        source: SourceId::new(row.get::<String>(1)?),
        from: Instant(row.get(2)?),
        to: Instant(row.get(3)?),
        reason: row.get(4)?,
    })
}

pub(in crate::store::sql) fn has_notice(tx: &Transaction<'_>, customer: &CustomerId, key: &str) -> Result<bool, Fault> {
    tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM notices WHERE customer_id = (SELECT id FROM customers WHERE name = ?1) AND key = ?2)",
    )?
    .query_row((customer.as_str(), key), |row| row.get(0))
}
