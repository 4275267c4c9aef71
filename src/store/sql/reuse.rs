//! The people of pools' license years: who is gone follows from the changes of each batch, like everything else.

use std::collections::BTreeMap;

use crate::store::sql::transaction::{OptionalExtension, Transaction};

use crate::base::{PersonKey, PoolId};
use crate::license::{NumberedSeat, ReuseYear, SeatMoves, seat_moves};
use crate::store::batch::Batch;
use crate::store::record::pack;
use crate::store::sql::books::reuse_years;
use crate::store::sql::fault::Fault;
use crate::store::sql::many::Many;

/// Follows the changes of a batch. Pools whose people are not counted cost one look, and so does it while nobody is gone.
pub(in crate::store::sql) fn follow_changes(tx: &Transaction<'_>, id: i64, batch: &Batch<'_>) -> Result<(), Fault> {
    let years = if batch.changes.is_empty() { BTreeMap::new() } else { reuse_years(tx, id)? };
    if years.is_empty() {
        return Ok(());
    }
    let counted: Vec<bool> = batch.names.pools.iter().map(|pool| years.contains_key(pool)).collect();
    let some: bool =
        tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM gone WHERE customer_id = ?1)")?.query_row([id], |row| row.get(0))?;
    // Whoever went and came back in one batch did what came last.
    let mut moves = BTreeMap::new();
    for change in batch.changes.iter().filter(|change| counted[usize::from(change.after.pool.0)]) {
        let key = (batch.people.get(change.person), batch.names.pool_of(&change.after).as_str());
        match seat_moves(change) {
            Some(false) => {
                moves.insert(key, true);
            }
            Some(true) if some => {
                moves.insert(key, false);
            }
            Some(true) => {
                moves.remove(&key);
            }
            None => {}
        }
    }
    let mut add = Many::put(tx, "gone", &["customer_id", "person", "pool"], &[])?;
    let mut remove = Many::drop(tx, "gone", &["customer_id", "person", "pool"])?;
    for ((person, pool), gone) in moves {
        if gone { &mut add } else { &mut remove }.write((id, person, pool))?;
    }
    add.flush()?;
    remove.flush()?;
    Ok(())
}

/// Writes what became of numbered seats.
pub(in crate::store::sql) fn renumber(tx: &Transaction<'_>, id: i64, moves: &SeatMoves) -> Result<(), Fault> {
    if moves.anew {
        unnumber(tx, id, &moves.pool)?;
    }
    let mut put = tx.prepare_cached(
        "INSERT INTO numbered_seats (customer_id, pool, number, people, person) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (customer_id, pool, number) DO UPDATE SET people = excluded.people, person = excluded.person",
    )?;
    for NumberedSeat { number, people, person } in &moves.seats {
        put.execute((id, moves.pool.as_str(), number, people, person.as_ref().map(PersonKey::as_str)))?;
    }
    Ok(())
}

fn unnumber(tx: &Transaction<'_>, id: i64, pool: &PoolId) -> Result<(), Fault> {
    tx.prepare_cached("DELETE FROM numbered_seats WHERE customer_id = ?1 AND pool = ?2")?.execute((id, pool.as_str()))?;
    Ok(())
}

/// Writes a year; a new one begins with nobody gone.
pub(in crate::store::sql) fn write(tx: &Transaction<'_>, id: i64, year: &ReuseYear) -> Result<(), Fault> {
    let known: Option<i32> = tx
        .prepare_cached("SELECT year FROM reuse WHERE customer_id = ?1 AND pool = ?2")?
        .query_row((id, year.pool.as_str()), |row| row.get(0))
        .optional()?;
    if known != Some(year.year.0) {
        tx.prepare_cached("DELETE FROM gone WHERE customer_id = ?1 AND pool = ?2")?.execute((id, year.pool.as_str()))?;
    }
    if year.people_max.is_none() {
        unnumber(tx, id, &year.pool)?;
    }
    tx.prepare_cached(
        "INSERT INTO reuse (customer_id, pool, year, body) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (customer_id, pool) DO UPDATE SET year = excluded.year, body = excluded.body",
    )?
    .execute((id, year.pool.as_str(), year.year.0, pack(year)))?;
    Ok(())
}
