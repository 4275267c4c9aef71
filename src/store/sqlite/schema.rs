//! The tables, and how an older file becomes a newer one. Each step is one transaction; a step, once released, never changes.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::store::error::StoreError;
use crate::store::sql::Fault;
use crate::store::sql::{BESIDE, FIRST};

/// Steps from an empty file on; `PRAGMA user_version` counts those that were taken.
const STEPS: [&[&str]; 1] = [&[FIRST, BESIDE]];

/// The newest schema this program knows.
pub(in crate::store::sqlite) const NEWEST: u32 = STEPS.len() as u32;

/// What the file is before anything is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store::sqlite) enum Found {
    /// No table yet.
    Empty,
    /// Of an older program.
    Older(u32),
    /// As this program knows it.
    Newest,
}

/// Looks at the file.
pub(in crate::store::sqlite) fn found(connection: &Connection, place: &str) -> Result<Found, Fault> {
    Ok(found_at(version(connection, place)?, NEWEST))
}

fn found_at(version: u32, newest: u32) -> Found {
    match version {
        0 => Found::Empty,
        at if at < newest => Found::Older(at),
        _ => Found::Newest,
    }
}

/// Brings the file to the newest schema.
pub(in crate::store::sqlite) fn migrate(connection: &mut Connection, place: &str) -> Result<(), Fault> {
    if version(connection, place)? == NEWEST {
        return Ok(());
    }
    loop {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Asked again under the lock: another process may have taken the step meanwhile.
        let at = version(&tx, place)?;
        let Some(step) = STEPS.get(at as usize) else { return Ok(()) };
        take(&tx, step, at + 1)?;
        tx.commit()?;
    }
}

fn take(tx: &Transaction<'_>, step: &[&str], to: u32) -> Result<(), Fault> {
    step.iter().try_for_each(|part| tx.execute_batch(part))?;
    tx.pragma_update(None, "user_version", to)?;
    Ok(())
}

fn version(connection: &Connection, place: &str) -> Result<u32, Fault> {
    let found = connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))?;
    if found > NEWEST {
        return Err(StoreError::SchemaNewer { place: place.into(), found, known: NEWEST }.into());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::schema::{Found, found_at};

    #[test]
    fn an_empty_file_is_no_older_one() {
        assert_eq!((found_at(0, 1), found_at(0, 3)), (Found::Empty, Found::Empty));
        assert_eq!((found_at(2, 3), found_at(3, 3)), (Found::Older(2), Found::Newest));
    }
}
