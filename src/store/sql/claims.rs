//! Writing changes of claims: person by person in the order of the keys, so that each page is met once and tables grow at their
//! ends.

use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;

use crate::store::sql::many::Many;
use crate::store::sql::transaction::{OptionalExtension, Transaction};

use crate::base::{ClaimId, Version, parts};
use crate::license::{Claim, OrgNameIx, PoolIx};
use crate::store::batch::Batch;
use crate::store::record::{put_released, take_released};
use crate::store::sql::books::{Head, blob};
use crate::store::sql::fault::Fault;
use crate::store::sql::handful::Handful;
use crate::store::sql::pages::Pages;
use crate::store::sql::reckoning::{Beside, Order, QueueChange, Reckoning, beside};

/// So many changes of the queue are kept back to be written in its order.
const QUEUE_CHANGES_MAX: usize = 65_536;
/// Of so many pools and orgs the used seats are read one by one …
const PLACES_FEW: usize = 32;
/// … and of so many where each takes a journey.
const PLACES_FEW_AFAR: usize = 8;
/// So many people's pages are read at once, where they are.
const PEOPLE_AHEAD: usize = 2_048;
/// So many handfuls of pages may wait to be written.
const HANDFULS_AHEAD: usize = 4;
/// Pages of so many changes are worth a second thread, where nothing is stored that they must be held against.
pub(in crate::store::sql) const CHANGES_LARGE: usize = 100_000;

/// Writes all changes of a batch. Returns the id that the next claim gets.
pub(in crate::store::sql) fn write(
    tx: &Transaction<'_>,
    head: &Head,
    version: Version,
    batch: &Batch<'_>,
) -> Result<ClaimId, Fault> {
    if batch.changes.is_empty() {
        return Ok(head.next_claim);
    }
    let writer = Writer::new(tx, head, version, batch)?;
    if writer.fresh && batch.changes.len() >= CHANGES_LARGE { writer.write_beside() } else { writer.write_in_turn() }
}

struct Writer<'t> {
    tx: &'t Transaction<'t>,
    batch: &'t Batch<'t>,
    id: i64,
    version: i64,
    pages: Pages<'t>,
    release: Many<'t>,
    /// The customer has no claims yet: nothing needs to be read.
    fresh: bool,
    first_new: ClaimId,
    reckoning: Reckoning<'t>,
    body: Vec<u8>,
}

impl<'t> Writer<'t> {
    fn new(tx: &'t Transaction<'t>, head: &Head, version: Version, batch: &'t Batch<'t>) -> Result<Self, Fault> {
        let fresh =
            !tx.query_row("SELECT EXISTS (SELECT 1 FROM claims WHERE customer_id = ?1)", [head.id], |row| row.get::<bool>(0))?;
        Ok(Self {
            tx,
            batch,
            id: head.id,
            version: version.0.cast_signed(),
            pages: Pages::of(tx, head.id, fresh)?,
            release: Many::add(tx, "released", &["customer_id", "person", "version", "n", "run", "body"])?,
            fresh,
            first_new: head.next_claim,
            reckoning: Reckoning::new(batch, head.next_claim),
            body: Vec::new(),
        })
    }

    /// Person by person, held against what is stored.
    fn write_in_turn(self) -> Result<ClaimId, Fault> {
        let order = Order::of(self.batch)?;
        self.write_others(&order, 0)
    }

    /// Pages of people who have none yet: they are made while those before them are written.
    fn write_beside(mut self) -> Result<ClaimId, Fault> {
        let (batch, first_new) = (self.batch, self.first_new);
        let (give, got) = sync_channel(HANDFULS_AHEAD);
        // Nobody takes them any more if one could not be written.
        let make = move || beside(batch, first_new, |pages, queue| give.send((pages, queue)).is_ok());
        let write = || got.into_iter().try_for_each(|(pages, queue)| self.write_pages(&pages, queue));
        let (made, written) = parts::both(make, write);
        written?;
        let Beside { order, done, mut reckoning, maker } = made?;
        reckoning.queue = std::mem::take(&mut self.reckoning.queue);
        self.reckoning = reckoning;
        self.pages.go_on(maker);
        self.write_others(&order, done)
    }

    fn write_pages(&mut self, pages: &Handful, queue: Vec<QueueChange>) -> Result<(), Fault> {
        pages.rows().try_for_each(|(first, body)| self.pages.write(first, body))?;
        self.reckoning.queue.extend(queue);
        self.write_queue(QUEUE_CHANGES_MAX)
    }

    /// Writes all but the first so many changes.
    fn write_others(mut self, order: &Order<'_>, done: usize) -> Result<ClaimId, Fault> {
        let mut groups = order.groups(done);
        loop {
            let next: Vec<&[u32]> = groups.by_ref().take(PEOPLE_AHEAD).collect();
            if next.is_empty() {
                return self.finish();
            }
            let batch = self.batch;
            self.pages.look_ahead(next.iter().map(|group| key(batch, group)))?;
            for group in next {
                self.person(group)?;
            }
        }
    }

    /// All changes of one person, in order.
    fn person(&mut self, group: &[u32]) -> Result<(), Fault> {
        let person = key(self.batch, group);
        self.reckoning.row.clear();
        self.pages.take(person, &mut self.reckoning.row)?;
        let (tx, id) = (self.tx, self.id);
        self.reckoning.person(group, |claim| last_released(tx, id, person, claim))?;
        let run = self.batch.run.map(|run| run.0.cast_signed());
        for (n, claim, because) in &self.reckoning.released {
            put_released(claim, *because, &mut self.body);
            self.release.write((id, person, self.version, n.cast_signed(), run, &self.body))?;
        }
        self.pages.give(person, &self.reckoning.row)?;
        self.write_queue(QUEUE_CHANGES_MAX)
    }

    /// Writes what changes in the queue, if that is so many at least.
    fn write_queue(&mut self, at_least: usize) -> Result<(), Fault> {
        let queue = &mut self.reckoning.queue;
        if queue.len() < at_least {
            return Ok(());
        }
        // Leaving sorts before entering where both have one place.
        queue.sort_unstable();
        const PLACE: [&str; 6] = ["customer_id", "pool", "rank", "since", "person", "claim"];
        let mut delete = Many::drop(self.tx, "waiting", &PLACE)?;
        let mut insert = Many::add(self.tx, "waiting", &[&PLACE[..], &["body"]].concat())?;
        for QueueChange { pool, rank, since, person, claim, body } in queue.drain(..) {
            let claim = claim.cast_signed();
            let written = match body {
                Some(body) => insert.write((self.id, pool, rank, since, &person, claim, body))?,
                None => delete.write((self.id, pool, rank, since, &person, claim))?,
            };
            if !written {
                return Err(Fault::corrupt(format!("claim {claim} of person {person}"), "it waits, but not in the queue"));
            }
        }
        if delete.flush()? && insert.flush()? {
            return Ok(());
        }
        Err(Fault::corrupt("the queue", "somebody waits, but not in it"))
    }

    fn finish(mut self) -> Result<ClaimId, Fault> {
        self.write_queue(0)?;
        self.pages.finish()?;
        self.release.flush()?;
        let Reckoning { new_ids, next_claim, .. } = &mut self.reckoning;
        new_ids.sort_unstable();
        if let Some(twice) = new_ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Fault::corrupt(format!("claim {}", twice[0]), "the batch gives this id to two new claims"));
        }
        let next_claim = *next_claim;
        self.write_used()?;
        Ok(next_claim)
    }

    fn write_used(&self) -> Result<(), Fault> {
        const PLACE: [&str; 3] = ["customer_id", "pool", "org"];
        // In the order of the table.
        let changed = self.reckoning.used.changed();
        let stored = self.stored_used(&changed)?;
        let mut put = Many::put(self.tx, "used_by_org", &PLACE, &["used"])?;
        let mut drop = Many::drop(self.tx, "used_by_org", &PLACE)?;
        for ((pool, org), more) in changed {
            let used = stored.get(&(pool, org)).copied().unwrap_or(0) + more;
            let written = match used {
                ..0 => false,
                0 => drop.write((self.id, pool.0, org.0))?,
                1.. => put.write((self.id, pool.0, org.0, used))?,
            };
            if !written {
                let pool = &self.batch.names.pools[usize::from(pool.0)];
                return Err(Fault::corrupt(format!("the seats used by org in pool {pool}"), "they would go below zero"));
            }
        }
        put.flush()?;
        drop.flush()?;
        Ok(())
    }

    /// The seats used by org so far: of all pools and orgs, or of those few that change.
    fn stored_used(&self, changed: &BTreeMap<(PoolIx, OrgNameIx), i64>) -> Result<BTreeMap<(PoolIx, OrgNameIx), i64>, Fault> {
        let mut stored = BTreeMap::new();
        if self.fresh {
            return Ok(stored);
        }
        if changed.len() > if self.tx.pg().is_some() { PLACES_FEW_AFAR } else { PLACES_FEW } {
            let mut ask = self.tx.prepare_cached("SELECT pool, org, used FROM used_by_org WHERE customer_id = ?1")?;
            let mut rows = ask.query([self.id])?;
            while let Some(row) = rows.next()? {
                stored.insert((PoolIx(row.get(0)?), OrgNameIx(row.get(1)?)), row.get(2)?);
            }
            return Ok(stored);
        }
        let mut ask =
            self.tx.prepare_cached("SELECT used FROM used_by_org WHERE customer_id = ?1 AND pool = ?2 AND org = ?3")?;
        for &(pool, org) in changed.keys() {
            let used = ask.query_row((self.id, pool.0, org.0), |row| row.get(0)).optional()?;
            stored.extend(used.map(|used| ((pool, org), used)));
        }
        Ok(stored)
    }
}

/// The person whose changes these are.
fn key<'b>(batch: &Batch<'b>, changes: &[u32]) -> &'b str {
    batch.people.get(batch.changes[changes[0] as usize].person)
}

/// A claim as it was released last.
fn last_released(tx: &Transaction<'_>, id: i64, person: &str, claim: ClaimId) -> Result<Option<Claim>, Fault> {
    let mut ask =
        tx.prepare_cached("SELECT body FROM released WHERE customer_id = ?1 AND person = ?2 ORDER BY version DESC, n DESC")?;
    let mut rows = ask.query((id, person))?;
    while let Some(row) = rows.next()? {
        let (released, _) =
            take_released(blob(row, 0)?).map_err(Fault::unreadable(|| format!("a released claim of person {person}")))?;
        if released.id == claim {
            return Ok(Some(released));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
