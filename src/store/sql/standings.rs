//! Reading the books whole, or all but the claims.

use std::sync::mpsc::sync_channel;

use crate::base::{ClaimId, CustomerId, EpisodeId, Version, parts};
use crate::license::Book;
use crate::plan::Standing;
use crate::store::error::StoreError;
use crate::store::record::take_person;
use crate::store::sql::books::{add_person, blob, bodies, gone_of, head, numbered_seats, text, unreadable_person};
use crate::store::sql::door::Door;
use crate::store::sql::fault::Fault;
use crate::store::sql::light::light;
use crate::store::sql::transaction::Transaction;

/// Rows of so many people are handed to another thread at once …
const HANDFUL: usize = 2_048;
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
    let ask = "SELECT person, body FROM claims WHERE customer_id = ?1 ORDER BY person";
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
                .try_for_each(|handful: Handful| handful.rows().try_for_each(|(person, body)| add(&mut book, person, body)))?;
            book.claims.shrink_to_fit();
            book.people.shrink_to_fit();
            Ok::<_, Fault>(book)
        };
        let here = || {
            let mut ask = tx.prepare_stream(ask)?;
            let mut rows = ask.query([head.id])?;
            let mut handful = Handful::default();
            while let Some(row) = rows.next()? {
                handful.push(text(row, 0)?, blob(row, 1)?);
                // Who cannot read one tells so.
                if handful.ends.len() >= HANDFUL && give.send(std::mem::take(&mut handful)).is_err() {
                    break;
                }
            }
            drop(give.send(handful));
            drop(give);
            Ok::<_, Fault>(())
        };
        let (read, asked) = parts::both(there, here);
        asked?;
        standing.book = read?;
    }
    Ok(standing)
}

fn add(book: &mut Book, person: &str, body: &[u8]) -> Result<(), Fault> {
    add_person(book, person, |claims| take_person(body, claims).map_err(unreadable_person(person)))
}

/// Rows on their way to the thread that reads them.
#[derive(Default)]
struct Handful {
    people: String,
    bodies: Vec<u8>,
    /// Where each row ends.
    ends: Vec<(usize, usize)>,
}

impl Handful {
    fn push(&mut self, person: &str, body: &[u8]) {
        self.people.push_str(person);
        self.bodies.extend_from_slice(body);
        self.ends.push((self.people.len(), self.bodies.len()));
    }

    fn rows(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let starts = std::iter::once(&(0, 0)).chain(&self.ends);
        starts.zip(&self.ends).map(|(from, to)| (&self.people[from.0..to.0], &self.bodies[from.1..to.1]))
    }
}
