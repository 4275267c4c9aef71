//! Requests: wishes for a run as rows; any process may write one, the daemon takes them one by one.

use crate::store::sql::transaction::{OptionalExtension, Row, Transaction};

use crate::base::{CustomerId, Day, Instant, RequestId, RunId};
use crate::store::error::StoreError;
use crate::store::node::{NodeRow, NodeWork};
use crate::store::record::{pack, unpack};
use crate::store::shape::{RequestRow, RequestState, Trigger};
use crate::store::sql::books::{blob, head_or_new, unsigned};
use crate::store::sql::door::Door;
use crate::store::sql::fault::Fault;

/// Nodes ask for a night within so long of each other.
const MINUTE_MILLIS: i64 = 60_000;

const COLUMNS: &str = "r.id, c.name, r.trigger, r.at, r.state, r.run, r.ended";

fn code(state: RequestState) -> i64 {
    match state {
        RequestState::Queued => 0,
        RequestState::Running => 1,
        RequestState::Done => 2,
    }
}

fn row_of(row: Row<'_>) -> Result<RequestRow, Fault> {
    let request = RequestId(unsigned(row, 0)?);
    let unreadable = |why: String| Fault::corrupt(format!("request {request}"), why);
    Ok(RequestRow {
        request,
        customer: CustomerId::new(row.get::<String>(1)?),
        trigger: unpack(blob(row, 2)?).map_err(|why| unreadable(why.to_string()))?,
        at: Instant(row.get(3)?),
        state: match row.get::<i64>(4)? {
            0 => RequestState::Queued,
            1 => RequestState::Running,
            2 => RequestState::Done,
            state => return Err(unreadable(format!("{state} is no state"))),
        },
        run: row.get::<Option<i64>>(5)?.map(|run| RunId(run.cast_unsigned())),
        ended: row.get::<Option<i64>>(6)?.map(Instant),
    })
}

/// Writes a request or joins one that is still in line (R97).
pub(in crate::store::sql) fn request(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    trigger: &Trigger,
    at: Instant,
) -> Result<(RequestId, bool), Fault> {
    let head = head_or_new(tx, customer)?;
    if let Some((kind, day)) = schedule_of(trigger)
        && let Some(asked) = just_asked(tx, head.id, (kind, day), at)?
    {
        return Ok((asked, false));
    }
    let joined = queued(tx, head.id)?.into_iter().find(|(_, waiting)| waiting.covers(trigger));
    let (id, fresh) = match joined {
        Some((id, _)) => (id, false),
        None => {
            // Nobody waits for what is scheduled, and same-day wishes are rows of their own.
            let settled = *trigger != Trigger::Drop;
            let add = "INSERT INTO requests (customer_id, trigger, at, state, settled) VALUES (?1, ?2, ?3, 0, ?4) RETURNING id";
            (tx.query_row(add, (head.id, pack(trigger), at.0, settled), |row| row.get::<i64>(0))?, true)
        }
    };
    if let Some((kind, day)) = schedule_of(trigger) {
        tx.prepare_cached(
            "INSERT INTO scheduled (customer_id, kind, day, at, request) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (customer_id, kind, day) DO UPDATE SET at = excluded.at, request = excluded.request",
        )?
        .execute((head.id, kind, day.0, at.0, id))?;
    }
    Ok((RequestId(id.cast_unsigned()), fresh))
}

/// Writes or joins a request for a date, unless that was ever done before (R95). Whoever asks at the same time waits for the
/// customer's row, and finds it done.
pub(in crate::store::sql) fn schedule(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    trigger: &Trigger,
    at: Instant,
) -> Result<Option<RequestId>, Fault> {
    head_or_new(tx, customer)?;
    if is_scheduled(tx, customer, trigger)? { Ok(None) } else { request(tx, customer, trigger, at).map(|(id, _)| Some(id)) }
}

/// Whether anything is in line, and whether a node that died has a request: asked before the writer's lock is taken.
pub(in crate::store::sql) fn in_line(tx: &Transaction<'_>) -> Result<(bool, bool), Fault> {
    let queued = "SELECT EXISTS (SELECT 1 FROM requests WHERE state = 0)";
    match tx.is_nobodys("coalesce(r.process, '')") {
        Some((is_nobodys, whose)) => {
            let ask = format!("{queued}, EXISTS (SELECT 1 FROM requests r WHERE r.state = 1 AND {is_nobodys})");
            tx.query_row(&ask, whose, |row| Ok((row.get(0)?, row.get(1)?)))
        }
        None => Ok((tx.query_row(queued, (), |row| row.get(0))?, false)),
    }
}

/// Takes the oldest request of a customer that has none running (R99).
pub(in crate::store::sql) fn take(tx: &Transaction<'_>, at: Instant) -> Result<Option<RequestRow>, Fault> {
    let mark = tx.mark()?;
    // What another node is just taking is not waited for, nor is a customer that somebody is just writing for.
    let mut next = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM requests r JOIN customers c ON c.id = r.customer_id
         WHERE r.state = 0 AND NOT EXISTS (SELECT 1 FROM requests o WHERE o.customer_id = r.customer_id AND o.state = 1)
         ORDER BY r.id LIMIT 1 {}",
        if tx.locks_rows() { "FOR UPDATE OF r SKIP LOCKED FOR NO KEY UPDATE OF c SKIP LOCKED" } else { "" }
    ))?;
    // Asked again under the lock: a customer whose other request was taken meanwhile has one running.
    let mut take = tx.prepare_cached(
        "UPDATE requests SET state = 1, taken = ?2, process = ?3
         WHERE id = ?1 AND state = 0
           AND NOT EXISTS (SELECT 1 FROM requests r WHERE r.customer_id = requests.customer_id AND r.state = 1)",
    )?;
    while let Some(row) = next.query_row((), row_of).optional()? {
        if take.execute((row.request.0.cast_signed(), at.0, &mark))? == 1 {
            return Ok(Some(RequestRow { state: RequestState::Running, ..row }));
        }
    }
    Ok(None)
}

/// Puts a request back in line that this process took at an instant, if it did.
pub(in crate::store::sql) fn put_back(tx: &Transaction<'_>, request: RequestId, taken: Instant) -> Result<(), Fault> {
    tx.prepare_cached(
        "UPDATE requests SET state = 0, taken = NULL, process = ''
         WHERE id = ?1 AND state = 1 AND process = ?2 AND taken = ?3",
    )?
    .execute((request.0.cast_signed(), tx.mark()?, taken.0))?;
    Ok(())
}

pub(in crate::store::sql) fn end(
    tx: &Transaction<'_>,
    request: RequestId,
    state: RequestState,
    run: Option<RunId>,
    at: Instant,
) -> Result<(), Fault> {
    let ended = (state == RequestState::Done).then_some(at.0);
    let id = request.0.cast_signed();
    let touched = tx
        .prepare_cached(
            "UPDATE requests SET state = ?2, run = coalesce(?3, run), ended = ?4
             WHERE id = ?1 AND (process IS NULL OR process = ?5)",
        )?
        .execute((id, code(state), run.map(|run| run.0.cast_signed()), ended, tx.mark()?))?;
    if touched == 1 {
        return Ok(());
    }
    // Whoever was taken for dead finds that somebody else has it now: it is theirs to end.
    let known = "SELECT EXISTS (SELECT 1 FROM requests WHERE id = ?1)";
    if tx.query_row(known, [id], |row| row.get(0))? {
        return Ok(());
    }
    Err(Fault::corrupt(format!("request {request}"), "there is none of that number"))
}

pub(in crate::store::sql) fn row(tx: &Transaction<'_>, request: RequestId) -> Result<Option<RequestRow>, Fault> {
    let mut ask = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM requests r JOIN customers c ON c.id = r.customer_id WHERE r.id = ?1"
    ))?;
    let mut rows = ask.query([request.0.cast_signed()])?;
    rows.next()?.map(row_of).transpose()
}

pub(in crate::store::sql) fn running(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Option<RequestRow>, Fault> {
    let mut ask = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM requests r JOIN customers c ON c.id = r.customer_id WHERE c.name = ?1 AND r.state = 1"
    ))?;
    let mut rows = ask.query([customer.as_str()])?;
    rows.next()?.map(row_of).transpose()
}

/// Whether a customer is worked on, or else a request for packages that were dropped is in line for it.
pub(in crate::store::sql) fn drops_in_hand(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Option<RequestState>, Fault> {
    let furthest = tx.query_row(
        "SELECT max(r.state) FROM requests r JOIN customers c ON c.id = r.customer_id
         WHERE c.name = ?1 AND (r.state = 1 OR r.state = 0 AND r.settled = 0 AND r.trigger = ?2)",
        (customer.as_str(), pack(&Trigger::Drop)),
        |row| row.get::<Option<i64>>(0),
    )?;
    Ok(furthest.map(|state| if state == 0 { RequestState::Queued } else { RequestState::Running }))
}

/// Requests for packages that were dropped of which nobody looked yet whether they were in time, oldest first.
pub(in crate::store::sql) fn unsettled_drops(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Vec<RequestRow>, Fault> {
    let mut ask = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM requests r JOIN customers c ON c.id = r.customer_id
         WHERE c.name = ?1 AND r.settled = 0 ORDER BY r.id"
    ))?;
    let mut rows = ask.query([customer.as_str()])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(row_of(row)?);
    }
    Ok(all)
}

pub(in crate::store::sql) fn settle(tx: &Transaction<'_>, request: RequestId) -> Result<(), Fault> {
    tx.prepare_cached("UPDATE requests SET settled = 1 WHERE id = ?1")?.execute([request.0.cast_signed()])?;
    Ok(())
}

/// What of a date another node asked for in the same minute, or that is being worked on.
fn just_asked(tx: &Transaction<'_>, customer: i64, (kind, day): (i64, Day), at: Instant) -> Result<Option<RequestId>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT r.id FROM scheduled s JOIN requests r ON r.id = s.request
         WHERE s.customer_id = ?1 AND s.kind = ?2 AND s.day = ?3 AND (r.state = 1 OR s.at > ?4)",
    )?;
    ask.query_row((customer, kind, day.0, at.0.saturating_sub(MINUTE_MILLIS)), |row| unsigned(row, 0).map(RequestId)).optional()
}

/// The processes that work on the store, with what they do.
pub(in crate::store::sql) fn nodes(door: &impl Door) -> Result<Vec<NodeRow>, StoreError> {
    let mut nodes = door.nodes()?;
    if nodes.is_empty() {
        return Ok(nodes);
    }
    for (mark, work) in door.ask(under_way)? {
        if let Some(node) = nodes.iter_mut().find(|node| !door.is_shared() || node.mark == mark) {
            node.work.push(work);
        }
    }
    Ok(nodes)
}

/// What is worked on, with the mark of whoever does.
fn under_way(tx: &Transaction<'_>) -> Result<Vec<(String, NodeWork)>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT coalesce(r.process, ''), c.name, r.id, r.taken FROM requests r JOIN customers c ON c.id = r.customer_id
         WHERE r.state = 1 ORDER BY r.id",
    )?;
    ask.query_map((), |row| {
        let since = row.get::<Option<i64>>(3)?.map_or(Instant::MIN, Instant);
        let (customer, request) = (CustomerId::new(row.get::<String>(1)?), RequestId(unsigned(row, 2)?));
        Ok((row.get(0)?, NodeWork { customer, request, since }))
    })
}

/// A request that a dead process left running.
pub(in crate::store::sql) struct Orphan {
    id: i64,
    customer: CustomerId,
    /// The mark of the process.
    process: Option<String>,
}

/// Requests whose daemon died. A store with one daemon asks when that one begins: then it is all of them.
pub(in crate::store::sql) fn orphans(tx: &Transaction<'_>) -> Result<Vec<Orphan>, Fault> {
    let ask = |rest: &str| {
        format!(
            "SELECT r.id, c.name, r.process FROM requests r JOIN customers c ON c.id = r.customer_id WHERE r.state = 1 {rest} ORDER BY r.id"
        )
    };
    let read = |row: Row<'_>| {
        let (id, customer, process) = (row.get(0)?, CustomerId::new(row.get::<String>(1)?), row.get(2)?);
        Ok(Orphan { id, customer, process })
    };
    match tx.is_nobodys("coalesce(r.process, '')") {
        Some((is_nobodys, whose)) => tx.prepare_cached(&ask(&format!("AND {is_nobodys}")))?.query_map(whose, read),
        None => tx.prepare_cached(&ask(""))?.query_map((), read),
    }
}

/// Puts such a request back in line, in its old place; whether it was still there. Nobody begins a run for it meanwhile.
pub(in crate::store::sql) fn requeue(tx: &Transaction<'_>, orphan: &Orphan) -> Result<bool, Fault> {
    let Orphan { id, customer, process } = orphan;
    head_or_new(tx, customer)?;
    let requeue = "UPDATE requests SET state = 0, taken = NULL, process = ''
                   WHERE id = ?1 AND state = 1 AND process IS NOT DISTINCT FROM ?2";
    Ok(tx.execute(requeue, (id, process))? == 1)
}

/// Whether this process took a request and still has it.
pub(in crate::store::sql) fn is_own(tx: &Transaction<'_>, request: RequestId) -> Result<bool, Fault> {
    let ask = "SELECT EXISTS (SELECT 1 FROM requests WHERE id = ?1 AND state = 1 AND process = ?2)";
    tx.query_row(ask, (request.0.cast_signed(), tx.mark()?), |row| row.get(0))
}

pub(in crate::store::sql) fn is_scheduled(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    trigger: &Trigger,
) -> Result<bool, Fault> {
    let Some((kind, day)) = schedule_of(trigger) else { return Ok(false) };
    tx.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM scheduled
                        WHERE customer_id = (SELECT id FROM customers WHERE name = ?1) AND kind = ?2 AND day = ?3)",
    )?
    .query_row((customer.as_str(), kind, day.0), |row| row.get(0))
}

/// The stored kind of a schedule, and the local date.
fn schedule_of(trigger: &Trigger) -> Option<(i64, Day)> {
    let kind = i64::from(matches!(trigger, Trigger::Dates(_)));
    trigger.scheduled_day().map(|day| (kind, day))
}

/// What is in line for a customer, newest first.
fn queued(tx: &Transaction<'_>, customer: i64) -> Result<Vec<(i64, Trigger)>, Fault> {
    let mut ask =
        tx.prepare_cached("SELECT id, trigger FROM requests WHERE customer_id = ?1 AND state = 0 ORDER BY id DESC")?;
    let mut rows = ask.query([customer])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        all.push((id, unpack(blob(row, 1)?).map_err(Fault::unreadable(|| format!("request {id}")))?));
    }
    Ok(all)
}

/// The place of a request among all that are in line, from 1.
pub(in crate::store::sql) fn position(tx: &Transaction<'_>, request: RequestId) -> Result<u32, Fault> {
    tx.prepare_cached("SELECT count(*) FROM requests WHERE state = 0 AND id <= ?1")?
        .query_row([request.0.cast_signed()], |row| row.get(0))
}
