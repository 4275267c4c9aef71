//! Writing changes of claims: person by person in the order of the keys, so that the table grows at its end.

use std::collections::BTreeMap;

use crate::store::sql::many::Many;
use crate::store::sql::transaction::{OptionalExtension, Row, Transaction};

use crate::base::{ClaimId, Version};
use crate::license::{Claim, ClaimChange, ClaimState, OrgNameIx, PoolIx};
use crate::store::batch::Batch;
use crate::store::record::{pack_person, put_released, take_person, take_released};
use crate::store::sql::books::{Head, blob, check_positions, person_claims};
use crate::store::sql::fault::Fault;

/// So many changes of the queue are kept back to be written in its order.
const QUEUE_CHANGES_MAX: usize = 65_536;
/// Of so many pools and orgs the used seats are read one by one.
const PLACES_FEW: usize = 32;
/// So many people's rows are read at once, where they are.
const PEOPLE_AHEAD: usize = 2_048;

/// Writes all changes of a batch. Returns the id that the next claim gets.
pub(in crate::store::sql) fn write(
    tx: &Transaction<'_>,
    head: &Head,
    version: Version,
    batch: &Batch<'_>,
) -> Result<ClaimId, Fault> {
    let changes = batch.changes;
    if changes.is_empty() {
        return Ok(head.next_claim);
    }
    let count = u32::try_from(changes.len()).map_err(|_| Fault::corrupt("the batch", "it has more than 2³² changes"))?;
    let key = |at: u32| batch.people.get(changes[at as usize].person);
    // Stable: changes of one person stay in the order of the batch.
    let mut order: Vec<u32> = (0..count).collect();
    order.sort_by(|&a, &b| key(a).cmp(key(b)));

    let mut writer = Writer::new(tx, head, version, batch)?;
    let mut groups = order.chunk_by(|&a, &b| key(a) == key(b));
    loop {
        let next: Vec<&[u32]> = groups.by_ref().take(PEOPLE_AHEAD).collect();
        if next.is_empty() {
            return writer.finish();
        }
        writer.look_ahead(|| next.iter().map(|group| key(group[0])).collect())?;
        for group in next {
            writer.person(key(group[0]), group.iter().map(|&at| &changes[at as usize]))?;
        }
    }
}

struct Writer<'t> {
    tx: &'t Transaction<'t>,
    /// Rows of people that come next, where reading each by itself is dear.
    ahead: Option<BTreeMap<String, Vec<u8>>>,
    id: i64,
    version: i64,
    run: Option<i64>,
    names: &'t crate::license::Names,
    upsert: Many<'t>,
    delete: Many<'t>,
    release: Many<'t>,
    /// The customer has no claims yet: nothing needs to be read.
    fresh: bool,
    /// New claims must not take an id given out before.
    first_new: ClaimId,
    next_claim: ClaimId,
    new_ids: Vec<ClaimId>,
    used: BTreeMap<(PoolIx, OrgNameIx), i64>,
    queue: Vec<QueueChange>,
    row: Vec<Claim>,
    queued: Vec<Claim>,
    body: Vec<u8>,
}

/// A claim that enters or leaves the queue; sorts like the table.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct QueueChange {
    pool: u16,
    rank: i64,
    since: i64,
    person: String,
    claim: u64,
    /// `None`: it leaves.
    body: Option<Vec<u8>>,
}

impl<'t> Writer<'t> {
    fn new(tx: &'t Transaction<'t>, head: &Head, version: Version, batch: &Batch<'t>) -> Result<Self, Fault> {
        let fresh =
            !tx.query_row("SELECT EXISTS (SELECT 1 FROM claims WHERE customer_id = ?1)", [head.id], |row| row.get::<bool>(0))?;
        Ok(Self {
            tx,
            id: head.id,
            version: version.0.cast_signed(),
            run: batch.run.map(|run| run.0.cast_signed()),
            names: batch.names,
            ahead: None,
            upsert: if fresh {
                Many::add(tx, "claims", &["customer_id", "person", "body"])?
            } else {
                Many::put(tx, "claims", &["customer_id", "person"], &["body"])?
            },
            delete: Many::drop(tx, "claims", &["customer_id", "person"])?,
            release: Many::add(tx, "released", &["customer_id", "person", "version", "n", "run", "body"])?,
            fresh,
            first_new: head.next_claim,
            next_claim: head.next_claim,
            new_ids: Vec::new(),
            used: BTreeMap::new(),
            queue: Vec::new(),
            row: Vec::new(),
            queued: Vec::new(),
            body: Vec::new(),
        })
    }

    /// Reads the rows of the people that come next at once, where that is cheaper than one by one.
    fn look_ahead(&mut self, people: impl FnOnce() -> Vec<&'t str>) -> Result<(), Fault> {
        if let (false, Some(session)) = (self.fresh, self.tx.pg()) {
            let ask = "SELECT person, body FROM claims WHERE customer_id = ?1 AND person = ANY (?2)";
            let rows = session.query_texts(ask, self.id, &people())?;
            let rows = rows.iter().map(|row| Ok((Row::Pg(row).get(0)?, Row::Pg(row).get(1)?)));
            self.ahead = Some(rows.collect::<Result<_, Fault>>()?);
        }
        Ok(())
    }

    /// The row of a person, into `row`; whether there is one.
    fn read(&mut self, person: &str) -> Result<bool, Fault> {
        let Some(ahead) = &self.ahead else { return person_claims(self.tx, self.id, person, &mut self.row) };
        let Some(body) = ahead.get(person) else { return Ok(false) };
        take_person(body, &mut self.row).map_err(Fault::unreadable(|| format!("the claims of person {person}")))?;
        Ok(true)
    }

    /// All changes of one person, in order.
    fn person<'c>(&mut self, person: &str, changes: impl Iterator<Item = &'c ClaimChange>) -> Result<(), Fault> {
        self.row.clear();
        let stored = !self.fresh && self.read(person)?;
        self.queued.clear();
        self.queued.extend(self.row.iter().filter(|claim| claim.state == ClaimState::Waiting));
        for (n, change) in changes.enumerate() {
            self.apply(person, n, change)?;
        }
        self.row.sort_unstable_by_key(|claim| (claim.pool, claim.id));
        if !self.row.is_empty() {
            pack_person(&self.row, &mut self.body);
            self.upsert.write((self.id, person, &self.body))?;
        } else if stored {
            self.delete.write((self.id, person))?;
        }
        self.requeue(person)
    }

    fn apply(&mut self, person: &str, n: usize, change: &ClaimChange) -> Result<(), Fault> {
        let ClaimChange { person: _, because, before, after } = change;
        check_positions(after, self.names, person)?;
        let bad = |why: String| Err(Fault::corrupt(format!("claim {} of person {person}", after.id), why));
        let at = self.row.iter().position(|claim| claim.id == after.id);
        match (before.as_deref(), at) {
            (Some(before), _) if before.id != after.id => {
                return bad(format!("the change would make it of claim {}", before.id));
            }
            (None, None) if after.id < self.first_new => {
                return bad(format!("it would be new, but ids below {} were given out before", self.first_new));
            }
            (None, None) => self.new_ids.push(after.id),
            (Some(before), None) if before.state == ClaimState::Released => {
                if self.last_released(person, before.id)? != Some(*before) {
                    return bad(format!("it was not released as the change says, {before:?}"));
                }
            }
            (Some(before), None) => return bad(format!("the change says it was {before:?}, stored is none")),
            (None, Some(at)) => return bad(format!("the change says it is new, stored is {:?}", self.row[at])),
            (Some(before), Some(at)) if self.row[at] != *before => {
                return bad(format!("the change says it was {before:?}, stored is {:?}", self.row[at]));
            }
            (Some(_), Some(_)) => {}
        }
        if let Some(before) = before.as_deref().filter(|before| before.state.consumes()) {
            *self.used.entry((before.pool, before.home)).or_default() -= 1;
        }
        if after.state.consumes() {
            *self.used.entry((after.pool, after.home)).or_default() += 1;
        }
        self.next_claim = self.next_claim.max(ClaimId(after.id.0.saturating_add(1)));
        match (at, after.state) {
            (Some(at), ClaimState::Released) => drop(self.row.remove(at)),
            (Some(at), _) => self.row[at] = *after,
            (None, ClaimState::Released) => {}
            (None, _) => self.row.push(*after),
        }
        if after.state == ClaimState::Released {
            put_released(after, *because, &mut self.body);
            self.release.write((self.id, person, self.version, n.cast_signed(), self.run, &self.body))?;
        }
        Ok(())
    }

    fn last_released(&mut self, person: &str, claim: ClaimId) -> Result<Option<Claim>, Fault> {
        self.release.flush()?;
        let mut ask = self
            .tx
            .prepare_cached("SELECT body FROM released WHERE customer_id = ?1 AND person = ?2 ORDER BY version DESC, n DESC")?;
        let mut rows = ask.query((self.id, person))?;
        while let Some(row) = rows.next()? {
            let (released, _) =
                take_released(blob(row, 0)?).map_err(Fault::unreadable(|| format!("a released claim of person {person}")))?;
            if released.id == claim {
                return Ok(Some(released));
            }
        }
        Ok(None)
    }

    /// Notes what entered, left or moved in the queue.
    fn requeue(&mut self, person: &str) -> Result<(), Fault> {
        let waits = |claim: &&Claim| claim.state == ClaimState::Waiting;
        for left in self.queued.iter().filter(|claim| !self.row.contains(claim)) {
            self.queue.push(QueueChange::of(left, person, None));
        }
        for entered in self.row.iter().filter(waits).filter(|claim| !self.queued.contains(claim)) {
            let mut body = Vec::new();
            pack_person(std::slice::from_ref(entered), &mut body);
            self.queue.push(QueueChange::of(entered, person, Some(body)));
        }
        if self.queue.len() >= QUEUE_CHANGES_MAX { self.write_queue() } else { Ok(()) }
    }

    fn write_queue(&mut self) -> Result<(), Fault> {
        // Leaving sorts before entering where both have one place.
        self.queue.sort_unstable();
        const PLACE: [&str; 6] = ["customer_id", "pool", "rank", "since", "person", "claim"];
        let mut delete = Many::drop(self.tx, "waiting", &PLACE)?;
        let mut insert = Many::add(self.tx, "waiting", &[&PLACE[..], &["body"]].concat())?;
        for QueueChange { pool, rank, since, person, claim, body } in self.queue.drain(..) {
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
        self.write_queue()?;
        for written in [&mut self.upsert, &mut self.delete, &mut self.release] {
            written.flush()?;
        }
        self.new_ids.sort_unstable();
        if let Some(twice) = self.new_ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Fault::corrupt(format!("claim {}", twice[0]), "the batch gives this id to two new claims"));
        }
        self.write_used()?;
        Ok(self.next_claim)
    }

    fn write_used(&self) -> Result<(), Fault> {
        const PLACE: [&str; 3] = ["customer_id", "pool", "org"];
        let stored = self.stored_used()?;
        let mut put = Many::put(self.tx, "used_by_org", &PLACE, &["used"])?;
        let mut drop = Many::drop(self.tx, "used_by_org", &PLACE)?;
        for (&(pool, org), &more) in self.used.iter().filter(|(_, more)| **more != 0) {
            let used = stored.get(&(pool, org)).copied().unwrap_or(0) + more;
            let written = match used {
                ..0 => false,
                0 => drop.write((self.id, pool.0, org.0))?,
                1.. => put.write((self.id, pool.0, org.0, used))?,
            };
            if !written {
                let pool = &self.names.pools[usize::from(pool.0)];
                return Err(Fault::corrupt(format!("the seats used by org in pool {pool}"), "they would go below zero"));
            }
        }
        put.flush()?;
        drop.flush()?;
        Ok(())
    }

    /// The seats used by org so far: of all pools and orgs, or of those few that change.
    fn stored_used(&self) -> Result<BTreeMap<(PoolIx, OrgNameIx), i64>, Fault> {
        let mut stored = BTreeMap::new();
        if self.fresh {
            return Ok(stored);
        }
        if self.used.len() > PLACES_FEW {
            let mut ask = self.tx.prepare_cached("SELECT pool, org, used FROM used_by_org WHERE customer_id = ?1")?;
            let mut rows = ask.query([self.id])?;
            while let Some(row) = rows.next()? {
                stored.insert((PoolIx(row.get(0)?), OrgNameIx(row.get(1)?)), row.get(2)?);
            }
            return Ok(stored);
        }
        let mut ask =
            self.tx.prepare_cached("SELECT used FROM used_by_org WHERE customer_id = ?1 AND pool = ?2 AND org = ?3")?;
        for &(pool, org) in self.used.keys() {
            let used = ask.query_row((self.id, pool.0, org.0), |row| row.get(0)).optional()?;
            stored.extend(used.map(|used| ((pool, org), used)));
        }
        Ok(stored)
    }
}

impl QueueChange {
    fn of(claim: &Claim, person: &str, body: Option<Vec<u8>>) -> Self {
        Self {
            pool: claim.pool.0,
            rank: -i64::from(claim.priority),
            since: claim.since.0,
            person: person.to_owned(),
            claim: claim.id.0,
            body,
        }
    }
}
