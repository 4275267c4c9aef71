//! What the newest run of a customer came to that left nothing to be done.

use crate::store::sql::transaction::{OptionalExtension, Transaction};

use crate::base::{CustomerId, Digest, Instant, Version};
use crate::store::rest::RestRow;
use crate::store::sql::books::{head_or_new, unsigned};
use crate::store::sql::fault::Fault;

pub(in crate::store::sql) fn save_rest(tx: &Transaction<'_>, customer: &CustomerId, rest: &RestRow) -> Result<(), Fault> {
    let RestRow { version, at, settings, people, waiting, withheld, unserved, message } = rest;
    let head = head_or_new(tx, customer)?;
    let numbers = (people.cast_signed(), waiting.cast_signed(), withheld.cast_signed());
    tx.prepare_cached(
        "INSERT INTO rests (customer_id, version, at, settings, people, waiting, withheld, unserved, message)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (customer_id) DO UPDATE SET version = excluded.version, at = excluded.at, settings = excluded.settings,
             people = excluded.people, waiting = excluded.waiting, withheld = excluded.withheld,
             unserved = excluded.unserved, message = excluded.message",
    )?
    .execute((head.id, version.0.cast_signed(), at.0, settings.0, numbers.0, numbers.1, numbers.2, unserved, message))?;
    Ok(())
}

pub(in crate::store::sql) fn rest(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Option<RestRow>, Fault> {
    let mut ask = tx.prepare_cached(
        "SELECT version, at, settings, people, waiting, withheld, unserved, message FROM rests
         WHERE customer_id = (SELECT id FROM customers WHERE name = ?1)",
    )?;
    let found = ask.query_row([customer.as_str()], |row| {
        Ok(RestRow {
            version: Version(unsigned(row, 0)?),
            at: Instant(row.get(1)?),
            settings: Digest(row.get(2)?),
            people: unsigned(row, 3)?,
            waiting: unsigned(row, 4)?,
            withheld: unsigned(row, 5)?,
            unserved: row.get(6)?,
            message: row.get(7)?,
        })
    });
    found.optional()
}
