//! Tokens of the HTTP door.

use crate::store::sql::transaction::{OptionalExtension, Row, Transaction};

use crate::base::{AccessRole, CustomerId, Digest, Instant, OrgId};
use crate::store::sql::books::{text, unsigned};
use crate::store::sql::fault::Fault;
use crate::store::token::TokenRow;

const COLUMNS: &str = "id, name, role, customer, org, digest, created, by, expires, revoked";

pub(in crate::store::sql) fn add_token(tx: &Transaction<'_>, token: &TokenRow) -> Result<u64, Fault> {
    let TokenRow { id: _, name, role, customer, org, digest, created, by, expires, revoked } = token;
    let row = (
        name,
        role.word(),
        customer.as_ref().map(CustomerId::as_str),
        org.as_ref().map(OrgId::as_str),
        digest.0.as_slice(),
        created.0,
        by,
        expires.0,
        revoked.map(|at| at.0),
    );
    tx.query_row(
        "INSERT INTO tokens (name, role, customer, org, digest, created, by, expires, revoked)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id",
        row,
        |row| unsigned(row, 0),
    )
}

pub(in crate::store::sql) fn tokens(tx: &Transaction<'_>) -> Result<Vec<TokenRow>, Fault> {
    let mut ask = tx.prepare_cached(&format!("SELECT {COLUMNS} FROM tokens ORDER BY id"))?;
    let mut rows = ask.query(())?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(of(row)?);
    }
    Ok(all)
}

pub(in crate::store::sql) fn token(tx: &Transaction<'_>, id: u64) -> Result<Option<TokenRow>, Fault> {
    let mut ask = tx.prepare_cached(&format!("SELECT {COLUMNS} FROM tokens WHERE id = ?1"))?;
    let mut rows = ask.query([id.cast_signed()])?;
    rows.next()?.map(of).transpose()
}

pub(in crate::store::sql) fn revoke_token(tx: &Transaction<'_>, id: u64, at: Instant) -> Result<bool, Fault> {
    let good: Option<i64> = tx
        .prepare_cached("SELECT expires FROM tokens WHERE id = ?1 AND revoked IS NULL")?
        .query_row([id.cast_signed()], |row| row.get(0))
        .optional()?;
    let Some(expires) = good else { return Ok(false) };
    tx.prepare_cached("UPDATE tokens SET revoked = ?2 WHERE id = ?1")?.execute((id.cast_signed(), at.0))?;
    Ok(at.0 < expires)
}

fn of(row: Row<'_>) -> Result<TokenRow, Fault> {
    let word = text(row, 2)?;
    let role = AccessRole::parse(word).ok_or_else(|| Fault::corrupt("a token", format!("no role is called {word}")))?;
    Ok(TokenRow {
        id: unsigned(row, 0)?,
        name: text(row, 1)?.to_owned(),
        role,
        customer: row.get::<Option<String>>(3)?.map(|id| CustomerId::from(id.as_str())),
        org: row.get::<Option<String>>(4)?.map(|id| OrgId::from(id.as_str())),
        digest: Digest(row.get(5)?),
        created: Instant(row.get(6)?),
        by: text(row, 7)?.to_owned(),
        expires: Instant(row.get(8)?),
        revoked: row.get::<Option<i64>>(9)?.map(Instant),
    })
}
