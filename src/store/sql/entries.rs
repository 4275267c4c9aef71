//! Writing what the entries of a batch say: one row per thing, replaced or, for grants, only ever added.

use std::collections::BTreeMap;

use crate::store::sql::transaction::Transaction;

use crate::base::{EpisodeId, Instant, Version};
use crate::license::{Entry, GUARD_DAYS_KEPT, Names, Outcome};
use crate::plan::Notice;
use crate::store::batch::Batch;
use crate::store::record::{NamesAdded, Record, pack};
use crate::store::sql::books::Head;
use crate::store::sql::fault::Fault;
use crate::store::sql::many::Many;
use crate::store::sql::report_rows::{add_request, add_sample, forget_activity};
use crate::store::sql::reuse;

/// Writes all entries. Returns the id that the next episode gets.
pub(in crate::store::sql) fn write(
    tx: &Transaction<'_>,
    head: &Head,
    version: Version,
    batch: &Batch<'_>,
) -> Result<EpisodeId, Fault> {
    let id = head.id;
    let mut next = head.next_episode;
    let mut seen = |episode: EpisodeId| next = next.max(EpisodeId(episode.0.saturating_add(1)));
    // Of these there are several: the last of each is written, all of a table together.
    let (mut terms, mut pools) = (BTreeMap::new(), BTreeMap::new());
    let mut absences: BTreeMap<&str, Option<Vec<u8>>> = BTreeMap::new();
    let (mut grants, mut agreed) = (Vec::new(), Vec::new());
    for entry in batch.entries {
        match entry {
            Entry::PoolDefined(defined) => drop(terms.insert(defined.pool.as_str(), pack(defined))),
            Entry::Granted(grant) => grants.push((grant.id.as_str(), pack(grant))),
            Entry::ExcessAgreed(excess) => agreed.push((excess.id.as_str(), pack(excess))),
            Entry::Pinned(pin) => {
                tx.prepare_cached(
                    "INSERT INTO pins (customer_id, person, pool, body) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (customer_id, person, pool) DO UPDATE SET body = excluded.body",
                )?
                .execute((id, pin.person.as_str(), pin.pool.as_str(), pack(pin)))?;
            }
            Entry::Unpinned { person, pool } => {
                tx.prepare_cached("DELETE FROM pins WHERE customer_id = ?1 AND person = ?2 AND pool = ?3")?.execute((
                    id,
                    person.as_str(),
                    pool.as_str(),
                ))?;
            }
            Entry::Pool { pool, books } => {
                pools.insert(pool.as_str(), pack(books));
                add_sample(tx, id, version, batch.at, pool, books)?;
                if let Some(episode) = &books.episode {
                    seen(episode.id);
                }
            }
            Entry::Episode(episode) => {
                let state = match (episode.closed, episode.outcome) {
                    (_, Some(Outcome::Void)) => 2,
                    (Some(_), _) => 1,
                    (None, _) => 0,
                };
                tx.prepare_cached(
                    "INSERT INTO episodes (customer_id, id, pool, state, body) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (customer_id, id) DO UPDATE SET state = excluded.state, body = excluded.body",
                )?
                .execute((id, episode.id.0.cast_signed(), episode.pool.as_str(), state, pack(episode)))?;
                seen(episode.id);
            }
            Entry::Absent(absence) => drop(absences.insert(absence.person.as_str(), Some(pack(absence)))),
            Entry::Returned(person) | Entry::Purged { person, reason: _ } => {
                if matches!(entry, Entry::Purged { .. }) {
                    tx.prepare_cached("DELETE FROM gone WHERE customer_id = ?1 AND person = ?2")?
                        .execute((id, person.as_str()))?;
                    forget_activity(tx, id, person.as_str())?;
                }
                absences.insert(person.as_str(), None);
            }
            Entry::Adopted(mark) => {
                tx.prepare_cached(
                    "INSERT INTO sources (customer_id, source, snapshot, body) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (customer_id, source) DO UPDATE SET snapshot = excluded.snapshot, body = excluded.body",
                )?
                .execute((id, mark.source.as_str(), mark.snapshot.0, pack(mark)))?;
            }
            Entry::Hold(hold) => {
                tx.prepare_cached(
                    "INSERT INTO holds (customer_id, run, waits, body) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (customer_id, run) DO UPDATE SET waits = excluded.waits, body = excluded.body",
                )?
                .execute((id, hold.run.0.cast_signed(), hold.waits(), pack(hold)))?;
            }
            Entry::GuardDay(day) => {
                tx.prepare_cached("DELETE FROM guard_days WHERE customer_id = ?1 AND day <= ?2")?
                    .execute((id, day.day.0 - GUARD_DAYS_KEPT))?;
                tx.prepare_cached(
                    "INSERT INTO guard_days (customer_id, source, day, body) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (customer_id, source, day) DO UPDATE SET body = excluded.body",
                )?
                .execute((id, day.source.as_str(), day.day.0, pack(day)))?;
            }
            Entry::Reuse(year) => reuse::write(tx, id, year)?,
            Entry::NumberedSeats(moves) => reuse::renumber(tx, id, moves)?,
            Entry::Clock(fact) => {
                let episode = fact.episode.map(|episode| episode.0.cast_signed());
                tx.prepare_cached("INSERT INTO clock (customer_id, episode, step, body) VALUES (?1, ?2, ?3, ?4)")?
                    .execute((id, episode, fact.step.code(), pack(fact)))?;
            }
            Entry::NoticeDelivered(delivery) => {
                let episode = delivery.episode.map(|episode| episode.0.cast_signed());
                let place = (id, &delivery.key, &delivery.channel, episode, pack(delivery));
                tx.prepare_cached(
                    "INSERT INTO deliveries (customer_id, key, channel, episode, body) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(place)?;
            }
            Entry::Orgs(orgs) => {
                let mut put = Many::put(tx, "orgs", &["customer_id", "org"], &["body"])?;
                orgs.iter().try_for_each(|org| put.write((id, org.id.as_str(), pack(org))).map(drop))?;
                put.flush()?;
            }
            Entry::SeatsRequested(request) => add_request(tx, id, request)?,
            Entry::Term(term) => put(tx, "chain", "term", id, term.id.as_str(), &pack(term))?,
            Entry::Phase { pool, phase } => put(tx, "phases", "pool", id, pool.as_str(), &pack(phase))?,
            // These two are facts of the trail alone.
            Entry::Refused { person: _, pool: _, answer: _ }
            | Entry::IdentityConflict { known: _, new: _ }
            | Entry::RolesChanged(_) => {}
        }
    }
    write_absences(tx, id, &absences)?;
    put_all(tx, "terms", id, &terms)?;
    put_all(tx, "pools", id, &pools)?;
    add_all(tx, "grants", id, "grant", &grants)?;
    add_all(tx, "agreed", id, "agreed excess", &agreed)?;
    Ok(next)
}

/// Who is absent since when, and who is not any more.
fn write_absences(tx: &Transaction<'_>, id: i64, absences: &BTreeMap<&str, Option<Vec<u8>>>) -> Result<(), Fault> {
    if absences.is_empty() {
        return Ok(());
    }
    let mut put = Many::put(tx, "absences", &["customer_id", "person"], &["body"])?;
    let mut delete = Many::drop(tx, "absences", &["customer_id", "person"])?;
    for (person, absence) in absences {
        match absence {
            Some(body) => put.write((id, person, body))?,
            None => delete.write((id, person))?,
        };
    }
    put.flush()?;
    delete.flush()?;
    Ok(())
}

/// Records by pool.
fn put_all(tx: &Transaction<'_>, table: &str, id: i64, bodies: &BTreeMap<&str, Vec<u8>>) -> Result<(), Fault> {
    if bodies.is_empty() {
        return Ok(());
    }
    let mut put = Many::put(tx, table, &["customer_id", "pool"], &["body"])?;
    bodies.iter().try_for_each(|(pool, body)| put.write((id, pool, body)).map(drop))?;
    put.flush()?;
    Ok(())
}

fn put(tx: &Transaction<'_>, table: &str, column: &str, id: i64, key: &str, body: &[u8]) -> Result<(), Fault> {
    tx.prepare_cached(&format!(
        "INSERT INTO {table} (customer_id, {column}, body) VALUES (?1, ?2, ?3)
         ON CONFLICT (customer_id, {column}) DO UPDATE SET body = excluded.body"
    ))?
    .execute((id, key, body))?;
    Ok(())
}

/// Records by id, each of which is new.
fn add_all(tx: &Transaction<'_>, table: &str, id: i64, what: &str, bodies: &[(&str, Vec<u8>)]) -> Result<(), Fault> {
    if bodies.is_empty() {
        return Ok(());
    }
    let known = |key: &str| {
        Fault::corrupt(format!("{what} {key}"), "it is recorded already; it is never edited, only corrected by another")
    };
    let mut add = Many::put(tx, table, &["customer_id", "id", "body"], &[])?;
    for (key, body) in bodies {
        if !add.write((id, key, body))? {
            return Err(known(key));
        }
    }
    if add.flush()? {
        return Ok(());
    }
    Err(known(&bodies.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(" or ")))
}

/// The names a batch adds. Those that are stored must be its beginning: positions stay true over all versions.
pub(in crate::store::sql) fn names_added(stored: &Names, batch: &Names) -> Result<NamesAdded, Fault> {
    fn rest<T: PartialEq + Clone>(what: &str, stored: &[T], all: &[T]) -> Result<Vec<T>, Fault> {
        all.strip_prefix(stored)
            .map(<[T]>::to_vec)
            .ok_or_else(|| Fault::corrupt(format!("the names of {what}"), "those of the batch do not begin with those stored"))
    }
    let Names { pools, orgs, reasons } = batch;
    Ok(Names {
        pools: rest("pools", &stored.pools, pools)?,
        orgs: rest("orgs", &stored.orgs, orgs)?,
        reasons: rest("reasons", &stored.reasons, reasons)?,
    })
}

/// Writes the names added, each behind the last of its kind.
pub(in crate::store::sql) fn write_names(
    tx: &Transaction<'_>,
    id: i64,
    stored: &Names,
    added: &NamesAdded,
) -> Result<(), Fault> {
    let mut insert = Many::add(tx, "names", &["customer_id", "kind", "n", "text"])?;
    let Names { pools, orgs, reasons } = added;
    for (n, pool) in (stored.pools.len()..).zip(pools) {
        insert.write((id, 0, n.cast_signed(), pool.as_str()))?;
    }
    for (n, org) in (stored.orgs.len()..).zip(orgs) {
        insert.write((id, 1, n.cast_signed(), org.as_str()))?;
    }
    for (n, reasons) in (stored.reasons.len()..).zip(reasons) {
        insert.write((id, 2, n.cast_signed(), reasons))?;
    }
    insert.flush()?;
    Ok(())
}

/// Writes the notices; one whose key exists is left as it is (R151).
pub(in crate::store::sql) fn write_notices(tx: &Transaction<'_>, id: i64, batch: &Batch<'_>) -> Result<(), Fault> {
    batch.notices.iter().try_for_each(|notice| insert_notice(tx, id, batch.at, notice))
}

/// Writes one notice, unless its key exists.
pub(in crate::store::sql) fn insert_notice(tx: &Transaction<'_>, id: i64, at: Instant, notice: &Notice) -> Result<(), Fault> {
    let Notice { key, kind, pool, source, text } = notice;
    let mut code = Vec::with_capacity(1);
    kind.put(&mut code);
    tx.prepare_cached(
        "INSERT INTO notices (customer_id, key, kind, pool, source, at, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO NOTHING",
    )?
    .execute((
        id,
        key,
        code.first(),
        pool.as_ref().map(|pool| pool.as_str()),
        source.as_ref().map(|source| source.as_str()),
        at.0,
        text,
    ))?;
    Ok(())
}
