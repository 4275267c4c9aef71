//! Proves the books: replays the trail from its first entry and compares the outcome with what is stored (R159, I12).

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::base::{CustomerId, Digest, Instant, PoolId, Version};
use crate::license::{ClockFact, Delivery, Episode, Hold, Ledger, Mismatch, PoolSample, SeatRequest};
use crate::plan::Standing;
use crate::service::audit_lists::{Lists, Releases, first_difference};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::store::StoreError;

/// What a verification came to.
#[derive(Clone, Debug)]
pub struct AuditReport {
    /// Commits replayed.
    pub commits: u64,
    /// Changes of claims replayed.
    pub changes: u64,
    /// The newest hash of the chain.
    pub hash: Digest,
    /// When the newest commit was made; `None`: there is none.
    pub newest: Option<Instant>,
    /// Whether the books are proved.
    pub verified: Verified,
}

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The trail is whole and the stored books are what it says.
    Clean,
    /// The chain is broken: an entry was altered, lost or put in.
    Broken {
        /// At which version.
        at: Version,
        /// How it shows.
        why: String,
    },
    /// The trail is whole and does not lead to the stored books, or contradicts itself.
    Different(Mismatch),
}

impl Service {
    /// Replays the trail of a customer and compares pools, claims, episodes and everything else with the stored state,
    /// naming the first difference.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn verify(&self, customer: &Customer) -> Result<AuditReport, ServiceError> {
        self.verify_books(customer.id())
    }

    /// Customers that have books and are not in the settings, sorted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn strangers(&self) -> Result<Vec<CustomerId>, ServiceError> {
        let mut written = self.store.customers()?;
        written.retain(|id| !self.customers().iter().any(|customer| customer.id() == id));
        Ok(written)
    }

    /// The same for books whose customer may have left the settings.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn verify_books(&self, customer: &CustomerId) -> Result<AuditReport, ServiceError> {
        let stored = self.stored_books(customer)?;
        let standing = &stored.standing;
        let mut releases = Releases::default();
        let mut ledger = Ledger::default();
        let mut report =
            AuditReport { commits: 0, changes: 0, hash: Digest::default(), newest: None, verified: Verified::Clean };
        self.store.audit(customer, Version(0), &mut |commit| {
            // A commit of the daemon may come in meanwhile: the comparison is with the standing read first.
            if report.verified != Verified::Clean || commit.version > standing.version {
                return Ok::<(), StoreError>(());
            }
            let broken = |why: String| Verified::Broken { at: commit.version, why };
            if commit.parent_hash != report.hash {
                report.verified = broken("it does not follow from the entry before it".to_owned());
            } else if commit.hash != commit.hash_again {
                report.verified = broken("its content does not come to its hash".to_owned());
            } else if let Err(mismatch) =
                ledger.apply(commit.version, commit.at, &commit.names, &commit.people, &commit.changes, &commit.entries)
            {
                report.verified = Verified::Different(mismatch);
            }
            releases.take(&commit);
            report.commits += 1;
            report.changes += commit.changes.len() as u64;
            report.hash = commit.hash;
            report.newest = Some(commit.at);
            Ok(())
        })?;
        if report.verified == Verified::Clean {
            report.verified = compare(&ledger, &stored);
        }
        if report.verified == Verified::Clean
            && let Some((what, trail, stored)) = stored.lists.difference(&ledger, releases)
        {
            report.verified = Verified::Different(Mismatch::Record { at: standing.version, what, trail, stored });
        }
        Ok(report)
    }

    /// Everything that the trail must lead to, as of one version.
    fn stored_books(&self, customer: &CustomerId) -> Result<Stored, ServiceError> {
        loop {
            let stored = Stored {
                standing: self.store.standing(customer)?,
                episodes: self.store.episodes(customer)?,
                holds: self.store.holds(customer)?,
                samples: self.store.samples(customer)?,
                seat_requests: self.store.seat_requests(customer)?,
                lists: Lists::read(&self.store, customer)?,
                clock: self.store.clock(customer, None)?,
                deliveries: self.store.deliveries(customer)?,
            };
            if self.store.version(customer)? == stored.standing.version {
                return Ok(stored);
            }
        }
    }
}

struct Stored {
    standing: Standing,
    episodes: Vec<Episode>,
    holds: Vec<Hold>,
    samples: BTreeMap<PoolId, Vec<PoolSample>>,
    seat_requests: Vec<SeatRequest>,
    lists: Lists,
    clock: Vec<ClockFact>,
    deliveries: Vec<Delivery>,
}

fn compare(ledger: &Ledger, stored: &Stored) -> Verified {
    let Stored { standing, episodes, holds, samples, seat_requests, clock, deliveries, lists: _ } = stored;
    let at = standing.version;
    let differ = |what: String, trail: &dyn Debug, stored: &dyn Debug| {
        Verified::Different(Mismatch::Record { at, what, trail: format!("{trail:?}"), stored: format!("{stored:?}") })
    };
    if ledger.version() != at {
        return differ("the version".to_owned(), &ledger.version(), &at);
    }
    let book = &standing.book;
    let mut trail = ledger.people().filter(|(_, claims)| !claims.is_empty());
    for place in 0..book.people.len() {
        let (key, stored) = (book.key(place), book.claims_at(place));
        let Some((person, claims)) = trail.next() else {
            return differ(format!("the claims of person {key}"), &"none", &stored);
        };
        let mut claims = claims.to_vec();
        claims.sort_by_key(|c| (c.pool, c.id));
        if person != key {
            return differ("the next person with claims".to_owned(), &person, &key);
        }
        if claims != stored {
            return differ(format!("the claims of person {key}"), &claims, &stored);
        }
    }
    if let Some((person, claims)) = trail.next() {
        return differ(format!("the claims of person {person}"), &claims, &"none");
    }
    for (pool, books) in ledger.pools() {
        if standing.pools.get(pool) != Some(books) {
            return differ(format!("the books of pool {pool}"), books, &standing.pools.get(pool));
        }
    }
    let mut stored_episodes = episodes.clone();
    stored_episodes.sort_by_key(|e| e.id);
    // Where nobody was seated yet the trail begins numbers, and there is none to keep.
    let numbered = ledger.reuse().seats.iter().filter(|(_, seats)| seats.count() > 0);
    let differences = [
        first_difference("episodes", ledger.episodes(), stored_episodes.iter()),
        first_difference("pools", ledger.pools().keys(), standing.pools.keys()),
        first_difference("grants", ledger.grants(), standing.grants.iter()),
        first_difference("agreed excesses", ledger.agreed(), standing.agreed.iter()),
        first_difference("pins", ledger.pins(), standing.pins.iter()),
        first_difference("missing people", ledger.absences(), standing.absences.iter()),
        first_difference("sources", ledger.sources().iter(), standing.sources.iter()),
        first_difference("holds", ledger.holds(), holds.iter().rev()),
        first_difference("clocks of overages", ledger.clock(), clock.iter()),
        first_difference("deliveries of notices", ledger.deliveries(), deliveries.iter()),
        first_difference("removals by day", ledger.guard_days(), standing.guard_days.iter()),
        first_difference("terms", ledger.chain(), standing.chain.iter()),
        first_difference("phases of pools", ledger.phases().iter(), standing.phases.iter()),
        first_difference("license years", ledger.reuse().years.iter(), standing.reuse.iter()),
        first_difference("people gone in license years", ledger.reuse().gone.iter(), standing.gone.iter()),
        first_difference("numbered seats", numbered, standing.seats.iter()),
        first_difference("pool definitions", ledger.terms().iter(), standing.terms.iter()),
        first_difference("orgs", ledger.orgs(), standing.orgs.iter()),
        first_difference("samples of pools", ledger.samples().iter(), samples.iter()),
        first_difference("requests for seats", ledger.seat_requests().iter(), seat_requests.iter()),
    ];
    match differences.into_iter().flatten().next() {
        Some((what, trail, stored)) => Verified::Different(Mismatch::Record { at, what, trail, stored }),
        None => Verified::Clean,
    }
}
