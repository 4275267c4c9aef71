//! Decisions by hand, each one commit: pins, transfers, acceptances, grants.

use std::collections::BTreeMap;

use crate::base::{Actor, GrantId, PersonKey, Version};
use crate::license::{Book, BookPerson, Claim, Names};
use crate::plan::{Answer, Decided, Decision, Desk, Standing, decide};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::writing::TRIES_MAX;
use crate::store::{Batch, Receipt, StoreError};

/// A decision and what was written for it.
#[derive(Debug)]
pub struct DecisionDone {
    /// The answer.
    pub answer: Answer,
    /// What it changed.
    pub decided: Decided,
    /// The commit; `None` if there was nothing to write.
    pub receipt: Option<Receipt>,
}

impl DecisionDone {
    /// An answer that nothing was written for.
    pub(crate) fn refused(answer: Answer) -> Self {
        Self { answer, decided: Decided::default(), receipt: None }
    }
}

impl Service {
    /// Decides and commits. A refusal is an answer; it is written to the trail and changes no seat. Somebody else's
    /// commit in between makes it decide anew on the new books, so that two hands never take one seat (R56).
    ///
    /// # Errors
    /// When the books or the roster cannot be read or written.
    pub fn decide(&self, customer: &Customer, actor: &Actor, decision: &Decision) -> Result<DecisionDone, ServiceError> {
        self.decide_on(customer, actor, decision, None)
    }

    /// The same; with a version only on books of that version.
    ///
    /// # Errors
    /// As [`Service::decide`], and [`StoreError::VersionMoved`] if the books are not, or no longer, of that version.
    pub fn decide_on(
        &self,
        customer: &Customer,
        actor: &Actor,
        decision: &Decision,
        version: Option<Version>,
    ) -> Result<DecisionDone, ServiceError> {
        let mut tries = 0;
        loop {
            tries += 1;
            self.settled(customer)?;
            match self.try_decide(customer, actor, decision, version) {
                Err(ServiceError::Store(StoreError::VersionMoved { .. })) if version.is_none() && tries < TRIES_MAX => {}
                done => {
                    if let Ok(DecisionDone { receipt: Some(_), .. }) = &done {
                        // The decision stands, whatever comes of looking at the pools; the next run looks again.
                        let _ = self.watch_pools(customer, self.now());
                    }
                    return done;
                }
            }
        }
    }

    /// Decides under an id, or where none is given under one that nobody has taken.
    ///
    /// # Errors
    /// As [`Service::decide_on`].
    pub fn decide_named(
        &self,
        customer: &Customer,
        actor: &Actor,
        id: Option<&str>,
        version: Option<Version>,
        decision: &dyn Fn(GrantId) -> Decision,
    ) -> Result<DecisionDone, ServiceError> {
        if let Some(id) = id {
            return self.decide_on(customer, actor, &decision(GrantId::from(id)), version);
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let free = self.free_grant_id(customer)?;
            let done = self.decide_on(customer, actor, &decision(GrantId::from(free.as_str())), version)?;
            // Somebody else may take it in between.
            if done.answer != Answer::GrantTaken || tries == TRIES_MAX {
                return Ok(done);
            }
        }
    }

    fn try_decide(
        &self,
        customer: &Customer,
        actor: &Actor,
        decision: &Decision,
        version: Option<Version>,
    ) -> Result<DecisionDone, ServiceError> {
        let now = self.now();
        self.catch_up(customer, now)?;
        let mut standing = self.store.standing_light(customer.id())?;
        if let Some(planned) = version.filter(|version| *version != standing.version) {
            let (customer, now) = (customer.id().clone(), standing.version);
            return Err(StoreError::VersionMoved { customer, planned, now }.into());
        }
        let now = self.acts_at(&standing, now);
        standing.book = self.book_for(customer, decision)?;
        standing.gone = self.store.gone(customer.id())?;
        standing.seats = self.store.numbered_seats(customer.id())?;
        let roster = self.roster(customer, &standing)?;
        let used_by_org = self.store.used_by_org(customer.id())?;
        let episodes = match decision {
            Decision::Grant(_) | Decision::Term { .. } => self.store.episodes(customer.id())?,
            _ => Vec::new(),
        };
        let desk = Desk {
            now,
            policy: &customer.policy,
            standing: &standing,
            roster: &roster,
            used_by_org: &used_by_org,
            episodes: &episodes,
        };
        let (answer, decided) =
            decide(&desk, decision).map_err(|cause| ServiceError::Plan { customer: customer.id().clone(), cause })?;
        if decided.changes.is_empty() && decided.entries.is_empty() {
            return Ok(DecisionDone { answer, decided, receipt: None });
        }
        let words = (&decided.names, &decided.people, decided.changes.as_slice());
        let notices = self.with_candidates(customer, &decided.notices, words);
        let batch = Batch {
            customer: customer.id(),
            parent: standing.version,
            at: now,
            actor: actor.clone(),
            run: None,
            plan: None,
            verb: verb(decision),
            names: &decided.names,
            people: &decided.people,
            changes: &decided.changes,
            entries: &decided.entries,
            notices: &notices,
        };
        let receipt = self.store.commit(&batch)?;
        Ok(DecisionDone { answer, decided, receipt: Some(receipt) })
    }

    /// The queue, and all claims of the people a decision is about, as one book.
    fn book_for(&self, customer: &Customer, decision: &Decision) -> Result<Book, ServiceError> {
        let concerned: Vec<&PersonKey> = match decision {
            Decision::Pin { pin, .. } => vec![&pin.person],
            Decision::Unpin { person, .. } | Decision::Accept { person, .. } => vec![person],
            Decision::Transfer { give, take } => vec![&give.person, &take.person],
            Decision::Grant(_) | Decision::AgreedExcess(_) | Decision::Term { .. } => Vec::new(),
        };
        let (mut names, mut people) = self.people_waiting(customer)?;
        for person in concerned {
            let (known, claims) = self.store.claims_of(customer.id(), person.as_str())?;
            names = known;
            people.insert(person.as_str().to_owned(), claims);
        }
        Ok(book(names, people))
    }
}

impl Service {
    /// The queue as a book.
    pub(crate) fn queue_book(&self, customer: &Customer) -> Result<Book, ServiceError> {
        let (names, people) = self.people_waiting(customer)?;
        Ok(book(names, people))
    }

    /// Who waits. The queue's book is in queue order, one entry a claim: here it is wanted by person.
    fn people_waiting(&self, customer: &Customer) -> Result<(Names, BTreeMap<String, Vec<Claim>>), ServiceError> {
        let queue = self.store.queue(customer.id(), None)?;
        let mut people: BTreeMap<String, Vec<Claim>> = BTreeMap::new();
        for at in 0..queue.people.len() {
            people.entry(queue.key(at).to_owned()).or_default().extend(queue.claims_at(at));
        }
        Ok((queue.names, people))
    }

    /// The books of a customer with the claims of one person only.
    pub(crate) fn standing_of_person(&self, customer: &Customer, key: &str) -> Result<Standing, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let (names, claims) = self.store.claims_of(customer.id(), key)?;
        Ok(Standing { book: book_of(names, key, claims), ..standing })
    }
}

/// A book of one person's claims.
pub(crate) fn book_of(names: Names, key: &str, claims: Vec<Claim>) -> Book {
    book(names, BTreeMap::from([(key.to_owned(), claims)]))
}

/// A book of these people's claims; people without any are left out.
fn book(names: Names, people: BTreeMap<String, Vec<Claim>>) -> Book {
    let mut book = Book { names, ..Book::default() };
    for (key, mut claims) in people {
        if claims.is_empty() {
            continue;
        }
        claims.sort_by_key(|c| (c.pool, c.id));
        // The keys of a queue fit: the books they come from hold them all.
        let key = book.keys.push(&key).unwrap_or_default();
        book.people.push(BookPerson { key, first: book.claims.len() as u32 });
        book.claims.append(&mut claims);
    }
    book
}

fn verb(decision: &Decision) -> &'static str {
    match decision {
        Decision::Pin { .. } => "pin",
        Decision::Unpin { .. } => "unpin",
        Decision::Transfer { .. } => "transfer",
        Decision::Accept { .. } => "accept",
        Decision::Grant(_) => "grant",
        Decision::AgreedExcess(_) => "agreed_excess",
        Decision::Term { .. } => "term",
    }
}
