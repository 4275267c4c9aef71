//! Reading the books whole, or all but the claims.

use crate::base::{ClaimId, CustomerId, EpisodeId, TextArena, Version};
use crate::plan::Standing;
use crate::store::error::StoreError;
use crate::store::record::take_person;
use crate::store::sql::books::{add_person, blob, bodies, gone_of, head, numbered_seats, text, unreadable_person};
use crate::store::sql::door::Door;
use crate::store::sql::fault::Fault;
use crate::store::sql::light::light;
use crate::store::sql::transaction::Transaction;

/// Rows of so many people are held at once.
const PEOPLE_AT_ONCE: u32 = 8_192;

/// Of a customer without books.
pub(in crate::store::sql) fn empty_standing() -> Standing {
    Standing { next_claim: ClaimId(1), next_episode: EpisodeId(1), ..Standing::default() }
}

/// Everything but the claims, if need be as it was read before.
pub(in crate::store::sql) fn standing_light(door: &impl Door, customer: &CustomerId) -> Result<Standing, StoreError> {
    if let Some(recent) = door.recent() {
        let Some(head) = door.ask(|tx| head(tx, customer))? else { return Ok(empty_standing()) };
        if let Some(known) = recent.known(customer, &head.hash) {
            return Ok(known);
        }
    }
    // Somebody may have committed since.
    let Some((head, standing)) = door.ask(|tx| light(tx, customer))? else { return Ok(empty_standing()) };
    if let Some(recent) = door.recent() {
        recent.keep(customer, head.hash, &standing);
    }
    Ok(standing)
}

/// Everything, in one pass over the claims in the order of their people.
pub(in crate::store::sql) fn standing(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Standing, Fault> {
    let Some((head, mut standing)) = light(tx, customer)? else { return Ok(empty_standing()) };
    if head.version == Version::default() {
        // All that follows is written by commits.
        return Ok(standing);
    }
    standing.gone = gone_of(tx, head.id, standing.reuse.keys().cloned())?;
    standing.seats = numbered_seats(tx, customer)?;
    standing.orgs = bodies(tx, "orgs", "org", customer)?;
    let book = &mut standing.book;
    // One cheap look ahead instead of several copies of a growing list.
    let (people, bytes) = tx
        .prepare_cached("SELECT count(*), coalesce(sum(octet_length(person)), 0) FROM claims WHERE customer_id = ?1")?
        .query_row([head.id], |row| Ok((row.get::<u32>(0)?, row.get::<u32>(1)?)))?;
    book.keys = TextArena::with_capacity(bytes as usize);
    book.people.reserve_exact(people as usize);
    let ask = "SELECT person, body FROM claims WHERE customer_id = ?1 ORDER BY person";
    let mut ask = if people <= PEOPLE_AT_ONCE { tx.prepare_cached(ask)? } else { tx.prepare_long(ask, PEOPLE_AT_ONCE)? };
    let mut rows = ask.query([head.id])?;
    while let Some(row) = rows.next()? {
        let person = text(row, 0)?;
        add_person(book, person, |claims| take_person(blob(row, 1)?, claims).map_err(unreadable_person(person)))?;
    }
    book.claims.shrink_to_fit();
    Ok(standing)
}
