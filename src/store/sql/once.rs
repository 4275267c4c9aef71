//! Idempotency keys of the HTTP door.

use crate::store::sql::transaction::{OptionalExtension, Transaction};

use crate::base::{Digest, Instant};
use crate::store::once::{ONCE_MILLIS, OnceAnswer, OnceRow};
use crate::store::sql::fault::Fault;

pub(in crate::store::sql) fn drop_once(tx: &Transaction<'_>, now: Instant) -> Result<(), Fault> {
    tx.prepare_cached("DELETE FROM once WHERE at < ?1")?.execute([now.0.saturating_sub(ONCE_MILLIS)])?;
    Ok(())
}

pub(in crate::store::sql) fn begin_once(tx: &Transaction<'_>, row: &OnceRow) -> Result<Option<OnceRow>, Fault> {
    let OnceRow { token, key, asked, at, answer: _ } = row;
    drop_once(tx, *at)?;
    let mut begin =
        tx.prepare_cached("INSERT INTO once (token, key, asked, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")?;
    let mut ask = tx.prepare_cached("SELECT asked, at, status, body FROM once WHERE token = ?1 AND key = ?2")?;
    // Whoever asks the same at the same time waits until this one is written down, or finds that it came to nothing.
    while begin.execute((token.cast_signed(), key, asked.0.as_slice(), at.0))? == 0 {
        let known = ask.query_row((token.cast_signed(), key), |row| {
            let (status, body): (Option<u16>, Option<Vec<u8>>) = (row.get(2)?, row.get(3)?);
            let answer = status.map(|status| OnceAnswer { status, body });
            Ok(OnceRow { token: *token, key: key.clone(), asked: Digest(row.get(0)?), at: Instant(row.get(1)?), answer })
        });
        if let Some(known) = known.optional()? {
            return Ok(Some(known));
        }
    }
    Ok(None)
}

pub(in crate::store::sql) fn end_once(
    tx: &Transaction<'_>,
    token: u64,
    key: &str,
    answer: Option<&OnceAnswer>,
) -> Result<(), Fault> {
    let token = token.cast_signed();
    match answer {
        Some(OnceAnswer { status, body }) => tx
            .prepare_cached("UPDATE once SET status = ?3, body = ?4 WHERE token = ?1 AND key = ?2")?
            .execute((token, key, status, body))?,
        None => tx.prepare_cached("DELETE FROM once WHERE token = ?1 AND key = ?2")?.execute((token, key))?,
    };
    Ok(())
}
