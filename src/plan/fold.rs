//! The books that a replay of the trail comes to, in the shape that plans and reports read (R159).

use crate::license::{Book, BookPerson, Ledger, last_closed};
use crate::plan::input::Standing;

/// The standing that a ledger came to, with all claims and orgs.
pub fn standing_of(ledger: &Ledger) -> Standing {
    let mut book = Book { names: ledger.names().clone(), ..Book::default() };
    for (key, claims) in ledger.people() {
        // The keys of a ledger fit: the trail they come from holds them all.
        let key = book.keys.push(key).unwrap_or_default();
        book.people.push(BookPerson { key, first: book.claims.len() as u32 });
        book.claims.extend(claims);
    }
    Standing {
        version: ledger.version(),
        book,
        grants: ledger.grants().cloned().collect(),
        agreed: ledger.agreed().cloned().collect(),
        pins: ledger.pins().cloned().collect(),
        pools: ledger.pools().clone(),
        overage_ended: last_closed(ledger.episodes()),
        terms: ledger.terms().clone(),
        absences: ledger.absences().cloned().collect(),
        sources: ledger.sources().clone(),
        hold: ledger.holds().last().cloned(),
        guard_days: ledger.guard_days().cloned().collect(),
        orgs: ledger.orgs().cloned().collect(),
        chain: ledger.chain().cloned().collect(),
        phases: ledger.phases().clone(),
        next_claim: ledger.next_claim(),
        next_episode: ledger.next_episode(),
    }
}
