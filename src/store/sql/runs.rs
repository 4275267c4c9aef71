//! Runs, what they found, what they rejected, what they told.

use crate::store::sql::transaction::{Row, Transaction};

use crate::base::{CustomerId, Digest, Instant, RequestId, RunId, SourceId, Version};
use crate::plan::{NoticeKind, Plan};
use crate::store::error::StoreError;
use crate::store::record::{FORMAT, Form, Record, RunBody, pack, unpack};
use crate::store::shape::{FindingRow, NoticeRow, RunRow, RunState, Trigger};
use crate::store::sql::books::{blob, head, head_or_new, unsigned};
use crate::store::sql::door::Door;
use crate::store::sql::fault::Fault;
use crate::store::sql::many::Many;
use crate::store::sql::pg::is_dead;
use crate::store::sql::plans;
use crate::store::sql::process::{self, Life};
use crate::store::sql::requests;
use crate::store::sql::snapshots;

/// Codes of the states of runs that are not over.
const IN_THE_MIDDLE: &str = "0, 1, 4";

const COLUMNS: &str = "r.id, c.name, r.trigger, r.state, r.began, r.ended, r.plan, r.version, r.body";

/// An enum's stored code as a column.
fn code(value: &impl Record) -> Option<u8> {
    let mut bytes = Vec::with_capacity(1);
    value.put(&mut bytes);
    bytes.first().copied()
}

/// Reads an enum's code back.
fn of_code<T: Record>(row: Row<'_>, at: usize, what: &str) -> Result<T, Fault> {
    unpack(&[FORMAT, row.get(at)?]).map_err(Fault::unreadable(|| what.to_owned()))
}

fn row_of(row: Row<'_>) -> Result<RunRow, Fault> {
    let run = RunId(unsigned(row, 0)?);
    let what = || format!("run {run}");
    let RunBody { packages, tally, message, rejected } = unpack(blob(row, 8)?).map_err(Fault::unreadable(what))?;
    Ok(RunRow {
        run,
        customer: CustomerId::new(row.get::<String>(1)?),
        trigger: unpack(blob(row, 2)?).map_err(Fault::unreadable(what))?,
        state: of_code(row, 3, &what())?,
        began: Instant(row.get(4)?),
        ended: row.get::<Option<i64>>(5)?.map(Instant),
        packages,
        plan: row.get::<Option<[u8; 32]>>(6)?.map(Digest),
        version: row.get::<Option<i64>>(7)?.map(|version| Version(version.cast_unsigned())),
        tally,
        message,
        rejected,
    })
}

/// Writes down that a run began, for a request that was taken only if this process still has it.
pub(in crate::store::sql) fn begin(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    trigger: &Trigger,
    at: Instant,
    taken: Option<RequestId>,
) -> Result<RunId, Fault> {
    let head = head_or_new(tx, customer)?;
    if let Some(request) = taken
        && !requests::is_own(tx, request)?
    {
        return Err(StoreError::RequestLost { request }.into());
    }
    let place = (head.id, pack(trigger), code(&RunState::Fetching), at.0, pack(&RunBody::default()), tx.mark()?);
    tx.query_row(
        "INSERT INTO runs (customer_id, trigger, state, began, body, process) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
        place,
        |row| unsigned(row, 0).map(RunId),
    )
}

pub(in crate::store::sql) fn save(tx: &Transaction<'_>, row: &RunRow) -> Result<(), Fault> {
    let head = head_or_new(tx, &row.customer)?;
    write(tx, head.id, row, row.state != RunState::Failed)
}

/// The same with the plan that it made and commits next: what the commit will tell of it is not kept twice.
pub(in crate::store::sql) fn save_planned(door: &impl Door, plan: &Plan, row: &RunRow) -> Result<(), StoreError> {
    let act = |tx: &Transaction<'_>| {
        let head = head_or_new(tx, &row.customer)?;
        let form = if plan.is_empty() { Form::Whole } else { Form::Short };
        plans::save_of(tx, head.id, plan, form)?;
        write(tx, head.id, row, row.state != RunState::Failed)
    };
    door.write(act)
}

/// The same of the customer with this number, whose row is locked; if it `goes_on`, only unless the run was closed.
pub(in crate::store::sql) fn write(tx: &Transaction<'_>, customer_id: i64, row: &RunRow, goes_on: bool) -> Result<(), Fault> {
    let RunRow { run, customer, trigger, mut state, began, ended, packages, plan, mut version, tally, mut message, rejected } =
        row.clone();
    let id = run.0.cast_signed();
    if state == RunState::Failed
        && let Some(committed) = committed(tx, run)?
    {
        // Whoever made it was not told that its commit stands. A failed run changed nothing.
        message = format!("version {committed} is committed and the books are whole; after that, {message}");
        (state, version) = (RunState::SucceededWithErrors, Some(committed));
    }
    let touched = tx
        .prepare_cached(&format!(
            "UPDATE runs SET trigger = ?3, state = ?4, began = ?5, ended = ?6, plan = ?7, version = ?8, body = ?9
             WHERE id = ?1 AND customer_id = ?2
               AND (CAST(?10 AS BIGINT) = 0
                    OR NOT (state = ?11 OR (state IN ({IN_THE_MIDDLE}) AND process <> ?12)))"
        ))?
        .execute((
            id,
            customer_id,
            pack(&trigger),
            code(&state),
            began.0,
            ended.map(|ended| ended.0),
            plan.map(|plan| plan.0),
            version.map(|version| version.0.cast_signed()),
            pack(&RunBody { packages, tally, message, rejected: rejected.clone() }),
            goes_on,
            code(&RunState::Failed),
            tx.mark()?,
        ))?;
    if touched != 1 {
        if goes_on {
            must_go_on(tx, run)?;
        }
        return Err(Fault::corrupt(format!("run {run} of {customer}"), "it was never begun"));
    }
    tx.prepare_cached("DELETE FROM rejected WHERE run = ?1")?.execute([id])?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO rejected (customer_id, source, run, digest) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?;
    for (source, digest) in &rejected {
        insert.execute((customer_id, source.as_str(), id, digest.0))?;
    }
    Ok(())
}

/// The newest commit of a run. Its customer's row is locked: what somebody is just committing is waited for.
fn committed(tx: &Transaction<'_>, run: RunId) -> Result<Option<Version>, Fault> {
    let mut ask = tx.prepare_cached("SELECT max(version) FROM audit WHERE run = ?1")?;
    let version = ask.query_row([run.0.cast_signed()], |row| row.get::<Option<i64>>(0))?;
    Ok(version.map(|version| Version(version.cast_unsigned())))
}

/// A run that was closed as failed stays so: whoever worked on it was taken for dead, and somebody else does it again. One in the
/// middle that is another process's will be closed so: whoever began it was struck off and goes on as another one.
pub(in crate::store::sql) fn must_go_on(tx: &Transaction<'_>, run: RunId) -> Result<(), Fault> {
    let mut ask = tx.prepare_cached(&format!(
        "SELECT EXISTS (SELECT 1 FROM runs WHERE id = ?1 AND (state = ?2 OR (state IN ({IN_THE_MIDDLE}) AND process <> ?3)))"
    ))?;
    let is_over = ask.query_row((run.0.cast_signed(), code(&RunState::Failed), tx.mark()?), |row| row.get::<bool>(0))?;
    if is_over { Err(StoreError::RunClosed { run }.into()) } else { Ok(()) }
}

pub(in crate::store::sql) fn run(tx: &Transaction<'_>, run: RunId) -> Result<Option<RunRow>, Fault> {
    let mut ask =
        tx.prepare_cached(&format!("SELECT {COLUMNS} FROM runs r JOIN customers c ON c.id = r.customer_id WHERE r.id = ?1"))?;
    let mut rows = ask.query([run.0.cast_signed()])?;
    rows.next()?.map(row_of).transpose()
}

/// The condition that rows are of a customer, whose name is `?1`, or of anybody.
fn of_whom(table: &str, customer: Option<&CustomerId>) -> String {
    match customer {
        Some(_) => format!("{table}.customer_id = (SELECT id FROM customers WHERE name = ?1)"),
        None => "CAST(?1 AS TEXT) IS NULL".to_owned(),
    }
}

pub(in crate::store::sql) fn runs(
    tx: &Transaction<'_>,
    customer: Option<&CustomerId>,
    before: Option<RunId>,
    limit: u32,
) -> Result<Vec<RunRow>, Fault> {
    let of_whom = of_whom("r", customer);
    let mut ask = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs r JOIN customers c ON c.id = r.customer_id WHERE {of_whom} AND r.id < ?2
         ORDER BY r.id DESC LIMIT ?3"
    ))?;
    let before = before.map_or(i64::MAX, |run| i64::try_from(run.0).unwrap_or(i64::MAX));
    let mut rows = ask.query((customer.map(CustomerId::as_str), before, limit))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(row_of(row)?);
    }
    Ok(all)
}

/// The newest run that was more than a look, among those of late.
pub(in crate::store::sql) fn last_real(tx: &Transaction<'_>, id: i64) -> Result<Option<RunRow>, Fault> {
    let mut ask = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs r JOIN customers c ON c.id = r.customer_id WHERE r.customer_id = ?1 ORDER BY r.id DESC LIMIT 50"
    ))?;
    let mut rows = ask.query([id])?;
    while let Some(row) = rows.next()? {
        let run = row_of(row)?;
        if run.is_more_than_a_look() {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// Runs in the middle whose process died, oldest first; with `unseen` also those whose process cannot be seen from here. And
/// plans that were applied, by a process of which nothing is known, and whose row does not say so. And whether a node died that
/// nobody struck off yet.
pub(in crate::store::sql) fn orphans(tx: &Transaction<'_>, unseen: bool) -> Result<(Vec<RunId>, bool), Fault> {
    let in_the_middle = format!("SELECT r.id, r.process FROM runs r WHERE r.state IN ({IN_THE_MIDDLE})");
    let applied = format!(
        "SELECT r.id, '' FROM runs r
         WHERE r.state = {} AND r.version IS NULL AND EXISTS (SELECT 1 FROM audit a WHERE a.run = r.id)",
        code(&RunState::Planned).unwrap_or_default()
    );
    let (mut orphans, mut any_dead) = (Vec::new(), false);
    if let Some((is_nobodys, whose)) = tx.is_nobodys("r.process") {
        let dead = is_dead(1, 2);
        let ask = format!(
            "{in_the_middle} AND {is_nobodys} UNION ALL {applied}
             UNION ALL SELECT CAST(NULL AS BIGINT), '' WHERE EXISTS (SELECT 1 FROM nodes n WHERE {dead})"
        );
        for run in tx.prepare_cached(&ask)?.query_map(whose, |row| row.get::<Option<i64>>(0))? {
            any_dead |= run.is_none();
            orphans.extend(run.map(|run| RunId(run.cast_unsigned())));
        }
    } else {
        let read = |row: Row<'_>| Ok((RunId(unsigned(row, 0)?), row.get::<String>(1)?));
        for (run, of) in tx.prepare_cached(&in_the_middle)?.query_map((), read)? {
            let life = process::life(&of);
            if life == Life::Dead || (unseen && life == Life::Unknown) {
                orphans.push(run);
            }
        }
        orphans.extend(tx.prepare_cached(&applied)?.query_map((), read)?.into_iter().map(|(run, _)| run));
    }
    orphans.sort_unstable();
    Ok((orphans, any_dead))
}

/// Closes a run that a dead process left in the middle; whether it was still to be done. One whose commit is in the trail was not
/// in vain, and is not called failed: a failed run changed nothing.
pub(in crate::store::sql) fn close_orphan(tx: &Transaction<'_>, orphan: RunId, at: Instant) -> Result<bool, Fault> {
    let Some(RunRow { customer, .. }) = run(tx, orphan)? else { return Ok(false) };
    let head = head_or_new(tx, &customer)?;
    let (Some(mut row), committed) = (run(tx, orphan)?, committed(tx, orphan)?) else { return Ok(false) };
    let applied = row.state == RunState::Planned && row.version.is_none() && committed.is_some();
    if row.state.is_over() && !applied {
        // Somebody else closed it meanwhile, or whoever had it woke.
        return Ok(false);
    }
    if let (false, Some((is_nobodys, (lease, node)))) = (applied, tx.is_nobodys("r.process")) {
        let ask = format!("SELECT EXISTS (SELECT 1 FROM runs r WHERE r.id = ?3 AND {is_nobodys})");
        if !tx.query_row(&ask, (lease, node, orphan.0.cast_signed()), |row| row.get::<bool>(0))? {
            // Its node was heard again before anybody struck it off.
            return Ok(false);
        }
    }
    row.ended = Some(at.max(row.began));
    if let Some(version) = committed {
        row.state = RunState::SucceededWithErrors;
        row.version = Some(version);
        row.message = format!("its process ended right after it committed version {version}; the books are whole");
    } else {
        row.message = format!("its process ended while it was {}; nothing was changed, run it again", row.state);
        row.state = RunState::Failed;
    }
    write(tx, head.id, &row, false)?;
    Ok(true)
}

pub(in crate::store::sql) fn save_findings(tx: &Transaction<'_>, run: RunId, findings: &[FindingRow]) -> Result<(), Fault> {
    tx.prepare_cached("DELETE FROM findings WHERE run = ?1")?.execute([run.0.cast_signed()])?;
    const COLUMNS: [&str; 10] = ["run", "n", "source", "level", "rule", "file", "row", "record", "field", "detail"];
    let mut insert = Many::add(tx, "findings", &COLUMNS)?;
    for FindingRow { number, source, level, rule, file, row, record, field, detail } in findings {
        insert.write((
            run.0.cast_signed(),
            number.cast_signed(),
            source.as_str(),
            level,
            rule,
            file,
            row.cast_signed(),
            record,
            field,
            detail,
        ))?;
    }
    insert.flush()?;
    Ok(())
}

/// Drops snapshots and plans that nothing rests on but runs older than the newest, and what was found beside them. Returns how
/// many of both.
pub(in crate::store::sql) fn prune(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    (snapshot_runs, plan_runs): (u32, u32),
) -> Result<(u32, u32), Fault> {
    let Some(head) = head(tx, customer)? else { return Ok((0, 0)) };
    for table in ["findings", "activity_planned"] {
        let delete = format!(
            "DELETE FROM {table} WHERE run IN (
                 SELECT id FROM runs WHERE customer_id = ?1 AND state NOT IN ({IN_THE_MIDDLE}) ORDER BY id DESC LIMIT 1000000000000 OFFSET ?2)"
        );
        tx.prepare_cached(&delete)?.execute((head.id, plan_runs))?;
    }
    Ok((snapshots::prune(tx, head.id, snapshot_runs)?, plans::prune(tx, head.id, plan_runs)?))
}

pub(in crate::store::sql) fn findings(
    tx: &Transaction<'_>,
    run: RunId,
    after: u64,
    limit: u32,
) -> Result<Vec<FindingRow>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT n, source, level, rule, file, row, record, field, detail FROM findings
         WHERE run = ?1 AND n > ?2 ORDER BY n LIMIT ?3",
    )?;
    ask.query_map((run.0.cast_signed(), after.cast_signed(), limit), |row| {
        Ok(FindingRow {
            number: unsigned(row, 0)?,
            source: SourceId::new(row.get::<String>(1)?),
            level: row.get(2)?,
            rule: row.get(3)?,
            file: row.get(4)?,
            row: unsigned(row, 5)?,
            record: row.get(6)?,
            field: row.get(7)?,
            detail: row.get(8)?,
        })
    })
}

pub(in crate::store::sql) fn rejected(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    source: &SourceId,
) -> Result<Vec<Digest>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT digest FROM rejected WHERE customer_id = (SELECT id FROM customers WHERE name = ?1) AND source = ?2
         GROUP BY digest ORDER BY max(run) DESC, digest",
    )?;
    ask.query_map((customer.as_str(), source.as_str()), |row| row.get(0).map(Digest))
}

pub(in crate::store::sql) fn notices(
    tx: &Transaction<'_>,
    customer: Option<&CustomerId>,
    limit: u32,
) -> Result<Vec<NoticeRow>, Fault> {
    let of_whom = of_whom("o", customer);
    let mut ask = tx.prepare_cached(&format!(
        "SELECT c.name, o.key, o.kind, o.at, o.text FROM notices o JOIN customers c ON c.id = o.customer_id
         WHERE {of_whom} ORDER BY o.n DESC LIMIT ?2"
    ))?;
    let mut rows = ask.query((customer.map(CustomerId::as_str), limit))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(notice_row(row)?);
    }
    Ok(all)
}

/// The newest notices of a customer, newest first.
pub(in crate::store::sql) fn notices_of(tx: &Transaction<'_>, id: i64, limit: u32) -> Result<Vec<NoticeRow>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT c.name, o.key, o.kind, o.at, o.text FROM notices o JOIN customers c ON c.id = o.customer_id
         WHERE o.customer_id = ?1 ORDER BY o.n DESC LIMIT ?2",
    )?;
    let mut rows = ask.query((id, limit))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(notice_row(row)?);
    }
    Ok(all)
}

pub(in crate::store::sql) fn notice_row(row: Row<'_>) -> Result<NoticeRow, Fault> {
    Ok(NoticeRow {
        customer: CustomerId::new(row.get::<String>(0)?),
        key: row.get(1)?,
        kind: of_code::<NoticeKind>(row, 2, "a notice")?.word().to_owned(),
        at: Instant(row.get(3)?),
        text: row.get(4)?,
    })
}

/// The notice with this key.
pub(in crate::store::sql) fn notice(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    key: &str,
) -> Result<Option<NoticeRow>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT c.name, o.key, o.kind, o.at, o.text FROM notices o JOIN customers c ON c.id = o.customer_id
         WHERE c.name = ?1 AND o.key = ?2",
    )?;
    let mut rows = ask.query((customer.as_str(), key))?;
    rows.next()?.map(notice_row).transpose()
}
