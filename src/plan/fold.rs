//! The books that a replay of the trail comes to, in the shape that plans and reports read (R159).

use std::collections::BTreeMap;

use crate::base::{Instant, PoolId};
use crate::license::{Book, BookPerson, Episode, Ledger, Outcome, last_closed};
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
        reuse: ledger.reuse().years.clone(),
        gone: ledger.reuse().gone.clone(),
        next_claim: ledger.next_claim(),
        next_episode: ledger.next_episode(),
        at: Instant::MIN,
        clock: grouped(ledger.clock(), |fact| Some(fact.episode)),
        deliveries: grouped(ledger.deliveries(), |delivery| delivery.episode),
        former: newest_closed(ledger),
    }
}

fn grouped<'l, T: Clone + 'l, K: Ord>(all: impl Iterator<Item = &'l T>, key: impl Fn(&T) -> Option<K>) -> BTreeMap<K, Vec<T>> {
    let mut groups: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for item in all {
        if let Some(key) = key(item) {
            groups.entry(key).or_default().push(item.clone());
        }
    }
    groups
}

fn newest_closed(ledger: &Ledger) -> BTreeMap<PoolId, Episode> {
    let closed = ledger.episodes().filter(|e| e.closed.is_some() && e.outcome != Some(Outcome::Void));
    closed.map(|episode| (episode.pool.clone(), episode.clone())).collect()
}
