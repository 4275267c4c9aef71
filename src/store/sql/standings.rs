//! Reading the books whole, or all but the claims.

use std::sync::mpsc::sync_channel;

use crate::base::{ClaimId, CustomerId, EpisodeId, Version, parts};
use crate::license::Book;
use crate::plan::Standing;
use crate::store::error::StoreError;
use crate::store::sql::books::{add_person, blob, bodies, gone_of, head, numbered_seats, overlap, read_page, text};
use crate::store::sql::door::Door;
use crate::store::sql::fault::Fault;
use crate::store::sql::handful::Handful;
use crate::store::sql::light::light;
use crate::store::sql::transaction::Transaction;

/// So many pages of people are handed to another thread at once …
const PAGES_MAX: usize = 64;
/// … while so many of these may wait …
const HANDFULS_AHEAD: usize = 4;
/// … where there are so many claims.
const CLAIMS_MANY: usize = 16_384;
/// For so many claims room is made ahead.
const CLAIMS_EXPECTED_MAX: usize = 16 << 20;

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
    // Each open claim is counted in the books of its pool. Said once instead of a list that is copied as it grows; a count
    // that is wrong must not take all memory.
    let claims: usize = standing.pools.values().map(|books| books.counts.all() as usize).sum();
    standing.book.claims.reserve_exact(claims.min(CLAIMS_EXPECTED_MAX));
    let ask = "SELECT first, body FROM claims WHERE customer_id = ?1 ORDER BY first";
    if claims < CLAIMS_MANY {
        let mut ask = tx.prepare_cached(ask)?;
        let mut rows = ask.query([head.id])?;
        while let Some(row) = rows.next()? {
            add(&mut standing.book, text(row, 0)?, blob(row, 1)?)?;
        }
    } else {
        // Very many are read by another thread than the one that asks for them.
        let (give, got) = sync_channel(HANDFULS_AHEAD);
        let mut book = std::mem::take(&mut standing.book);
        let there = move || {
            got.into_iter()
                .try_for_each(|pages: Handful| pages.rows().try_for_each(|(first, body)| add(&mut book, first, body)))?;
            book.claims.shrink_to_fit();
            book.people.shrink_to_fit();
            Ok::<_, Fault>(book)
        };
        let here = || {
            let mut ask = tx.prepare_stream(ask)?;
            let mut rows = ask.query([head.id])?;
            let mut pages = Handful::default();
            while let Some(row) = rows.next()? {
                pages.push(text(row, 0)?, blob(row, 1)?);
                // Who cannot read one tells so.
                if pages.len() >= PAGES_MAX && give.send(std::mem::take(&mut pages)).is_err() {
                    break;
                }
            }
            drop(give.send(pages));
            drop(give);
            Ok::<_, Fault>(())
        };
        let (read, asked) = parts::both(there, here);
        asked?;
        standing.book = read?;
    }
    Ok(standing)
}

/// Adds the people of the next page.
fn add(book: &mut Book, first: &str, body: &[u8]) -> Result<(), Fault> {
    if book.people.last().is_some_and(|last| book.keys.get(last.key) >= first) {
        return Err(overlap(first));
    }
    read_page(first, body, |person, claims| {
        add_person(book, person, |all| {
            all.extend_from_slice(claims);
            Ok(())
        })?;
        Ok(true)
    })
}
