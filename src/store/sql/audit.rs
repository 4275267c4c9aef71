//! The trail: one row per commit with its hash, its content in chunks. The hash is over the hash before, the header and
//! the content's plain bytes, so nothing in a commit, nor the order of commits, can change unseen.

use crate::store::sql::transaction::Transaction;

use crate::base::{Actor, CustomerId, Digest, Digester, Instant, RunId, TextArena, Version};
use crate::license::{ClaimChange, Entry, Names};
use crate::plan::Plan;
use crate::store::batch::Batch;
use crate::store::error::StoreError;
use crate::store::record::{ChangeReader, ChangeWriter, DecodeError, Decoder, FORMAT, NamesAdded, Record, pack, unpack};
use crate::store::shape::AuditCommit;
use crate::store::sql::archive::Archives;
use crate::store::sql::books::{Head, blob, head, unsigned};
use crate::store::sql::chunks::{Chunks, compress, decompress};
use crate::store::sql::fault::Fault;

/// Names the way the hash is made.
const LABEL: &str = "rosterd audit 1";

/// The part of a commit that is not its content.
struct Header<'a> {
    customer: &'a CustomerId,
    version: Version,
    at: Instant,
    actor: &'a str,
    run: Option<RunId>,
    plan: Option<Digest>,
    verb: &'a str,
}

/// Makes a commit's hash while its content passes by.
struct Hasher {
    digester: Digester,
    bytes: u64,
}

impl Hasher {
    fn new(parent: &Digest, header: &Header<'_>) -> Self {
        let Header { customer, version, at, actor, run, plan, verb } = header;
        let mut packed = vec![FORMAT];
        customer.put(&mut packed);
        version.put(&mut packed);
        at.put(&mut packed);
        run.put(&mut packed);
        plan.put(&mut packed);
        let mut digester = Digester::new(LABEL);
        digester.field(&parent.0).field(&packed).field(actor.as_bytes()).field(verb.as_bytes());
        Self { digester, bytes: 0 }
    }

    fn content(&mut self, bytes: &[u8]) {
        self.digester.stream(bytes);
        self.bytes += bytes.len() as u64;
    }

    fn finish(mut self) -> Digest {
        self.digester.number(self.bytes.cast_signed());
        self.digester.finish()
    }
}

/// A commit as the trail keeps it: its content, packed, and its hash.
pub(in crate::store::sql) struct Told {
    /// Lengths of the plain bytes, and the packed ones.
    chunks: Vec<(isize, Vec<u8>)>,
    pub(in crate::store::sql) hash: Digest,
}

/// Puts a commit in words. Asks the store nothing, so that a large one can be told beside the writing of what it tells.
pub(in crate::store::sql) fn tell(head: &Head, version: Version, batch: &Batch<'_>, added: &NamesAdded) -> Result<Told, Fault> {
    let actor = batch.actor.to_string();
    let (run, plan) = (batch.run, batch.plan);
    let header = Header { customer: batch.customer, version, at: batch.at, actor: &actor, run, plan, verb: batch.verb };
    let mut hasher = Hasher::new(&head.hash, &header);
    let mut all = Vec::new();
    let mut keep = |plain: Vec<u8>| {
        hasher.content(&plain);
        all.push((plain.len().cast_signed(), compress(&plain)?));
        Ok(())
    };
    let mut chunks = Chunks::new(&mut keep);
    chunks.close(&mut pack(added))?;
    let mut content = vec![FORMAT];
    (batch.changes.len() as u64).put(&mut content);
    let mut writer = ChangeWriter::default();
    for change in batch.changes {
        writer.put(change, batch.people, &mut content);
        chunks.pause(&mut content)?;
    }
    (batch.entries.len() as u64).put(&mut content);
    for entry in batch.entries {
        entry.put(&mut content);
        chunks.pause(&mut content)?;
    }
    chunks.close(&mut content)?;
    Ok(Told { chunks: all, hash: hasher.finish() })
}

/// Appends a commit to the trail.
pub(in crate::store::sql) fn append(
    tx: &Transaction<'_>,
    head: &Head,
    version: Version,
    batch: &Batch<'_>,
    told: Told,
) -> Result<(), Fault> {
    let mut insert =
        tx.prepare_cached("INSERT INTO audit_chunk (customer_id, version, n, bytes, body) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (n, (bytes, packed)) in (0i64..).zip(told.chunks) {
        insert.execute((head.id, version.0.cast_signed(), n, bytes, packed))?;
    }
    tx.prepare_cached(
        "INSERT INTO audit (customer_id, version, at, actor, run, plan, verb, changes, entries, parent_hash, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute((
        head.id,
        version.0.cast_signed(),
        batch.at.0,
        batch.actor.to_string(),
        batch.run.map(|run| run.0.cast_signed()),
        batch.plan.map(|plan| plan.0),
        batch.verb,
        batch.changes.len().cast_signed(),
        batch.entries.len().cast_signed(),
        head.hash.0,
        told.hash.0,
    ))?;
    Ok(())
}

/// Hands on each commit after a version, oldest first, with its hash made again from what is stored.
pub(in crate::store::sql) fn read(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    after: Version,
    each: &mut dyn FnMut(AuditCommit) -> Result<(), StoreError>,
) -> Result<(), Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(()) };
    let mut names = names_until(tx, head.id, after)?;
    let archives = Archives::of(tx, customer)?;
    let mut last = (after, None);
    let mut ask = tx.prepare_long(
        "SELECT version, at, actor, run, plan, verb, parent_hash, hash, changes, entries FROM audit
         WHERE customer_id = ?1 AND version > ?2 ORDER BY version",
        1_024,
    )?;
    let mut rows = ask.query((head.id, after.0.cast_signed()))?;
    while let Some(row) = rows.next()? {
        let version = Version(unsigned(row, 0)?);
        if version.0 != last.0.0 + 1 {
            return Err(Fault::corrupt("the trail", format!("version {} is missing", last.0.0 + 1)));
        }
        let (actor, verb) = (row.get::<String>(2)?, row.get::<String>(5)?);
        let at = Instant(row.get(1)?);
        let run = row.get::<Option<i64>>(3)?.map(|run| RunId(run.cast_unsigned()));
        let plan = row.get::<Option<[u8; 32]>>(4)?.map(Digest);
        let (parent_hash, hash) = (Digest(row.get(6)?), Digest(row.get(7)?));
        let mut hasher = Hasher::new(&parent_hash, &Header { customer, version, at, actor: &actor, run, plan, verb: &verb });
        let content = content(tx, head.id, version, &archives, &mut names, &mut |plain| hasher.content(plain))?;
        let (people, changes, entries) = unpacked(&content, customer, version)?;
        drop(content);
        // These two are for people who look with other tools; they are not in the hash, so they are compared.
        if (unsigned(row, 8)?, unsigned(row, 9)?) != (changes.len() as u64, entries.len() as u64) {
            return Err(Fault::corrupt("the trail", format!("version {version} does not count its content right")));
        }
        let hash_again = hasher.finish();
        let names = names.clone();
        each(AuditCommit {
            version,
            at,
            actor,
            run,
            plan,
            verb,
            names,
            people,
            changes,
            entries,
            parent_hash,
            hash,
            hash_again,
        })?;
        last = (version, Some(hash));
    }
    let ends_well = match last {
        (version, Some(hash)) => version == head.version && hash == head.hash,
        (version, None) => version >= head.version,
    };
    if ends_well {
        return Ok(());
    }
    Err(Fault::corrupt(
        "the trail",
        format!("it ends at version {} and does not lead to the books, which are at {}", last.0, head.version),
    ))
}

/// All names as of a version, from the trail itself.
fn names_until(tx: &Transaction<'_>, id: i64, version: Version) -> Result<Names, Fault> {
    let mut names = Names::default();
    let mut ask = tx.prepare_cached(
        "SELECT bytes, body FROM audit_chunk WHERE customer_id = ?1 AND version <= ?2 AND n = 0 ORDER BY version",
    )?;
    let mut rows = ask.query((id, version.0.cast_signed()))?;
    while let Some(row) = rows.next()? {
        add_names(&mut names, &decompress(blob(row, 1)?, row.get(0)?)?)?;
    }
    Ok(names)
}

fn add_names(names: &mut Names, chunk: &[u8]) -> Result<(), Fault> {
    let Names { pools, orgs, reasons } = unpack(chunk).map_err(Fault::unreadable(|| "names of the trail".into()))?;
    names.pools.extend(pools);
    names.orgs.extend(orgs);
    names.reasons.extend(reasons);
    Ok(())
}

/// What the commit of a plan says; `None`: it was never made. It follows the version that the plan was made on.
pub(in crate::store::sql) fn committed_as(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    head: &Head,
    plan: &Plan,
) -> Result<Option<Content>, Fault> {
    let version = Version(plan.parent.0.saturating_add(1));
    let mut ask =
        tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM audit WHERE customer_id = ?1 AND version = ?2 AND plan = ?3)")?;
    if !ask.query_row((head.id, version.0.cast_signed(), plan.id.0), |row| row.get::<bool>(0))? {
        return Ok(None);
    }
    let content = content(tx, head.id, version, &Archives::of(tx, customer)?, &mut Names::default(), &mut |_| ())?;
    unpacked(&content, customer, version).map(Some)
}

/// A commit's content behind its names, which go to `names`; all of it passes `seen`.
fn content(
    tx: &Transaction<'_>,
    id: i64,
    version: Version,
    archives: &Archives,
    names: &mut Names,
    seen: &mut dyn FnMut(&[u8]),
) -> Result<Vec<u8>, Fault> {
    let mut ask =
        tx.prepare_long("SELECT n, bytes, body FROM audit_chunk WHERE customer_id = ?1 AND version = ?2 ORDER BY n", 8)?;
    let mut rows = ask.query((id, version.0.cast_signed()))?;
    let mut content = Vec::new();
    let mut expected = 0;
    let mut take = |n: i64, bytes: u32, body: &[u8]| -> Result<(), Fault> {
        let plain = decompress(body, bytes)?;
        if n != expected {
            return Err(Fault::corrupt("the trail", format!("chunk {expected} of version {version} is missing")));
        }
        seen(&plain);
        match expected {
            0 => add_names(names, &plain)?,
            1 => content = plain,
            _ => content.extend_from_slice(&plain),
        }
        expected += 1;
        Ok(())
    };
    while let Some(row) = rows.next()? {
        take(row.get(0)?, row.get(1)?, blob(row, 2)?)?;
    }
    for (n, bytes, body) in archives.chunks(version)? {
        take(n, bytes, &body)?;
    }
    Ok(content)
}

/// What a commit changes, and the people it names.
pub(in crate::store::sql) type Content = (TextArena, Vec<ClaimChange>, Vec<Entry>);

fn unpacked(content: &[u8], customer: &CustomerId, version: Version) -> Result<Content, Fault> {
    take_content(content).map_err(Fault::unreadable(|| format!("the trail of {customer} at version {version}")))
}

fn take_content(bytes: &[u8]) -> Result<Content, DecodeError> {
    let mut from = Decoder::open(bytes)?;
    let mut people = TextArena::default();
    let mut reader = ChangeReader::default();
    let count = from.count()?;
    let changes = (0..count).map(|_| reader.take(&mut from, &mut people)).collect::<Result<_, _>>()?;
    let entries = Record::take(&mut from)?;
    from.end()?;
    Ok((people, changes, entries))
}

/// Whether somebody did this at `since` or later.
pub(in crate::store::sql) fn has_done(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    actor: &Actor,
    verb: &str,
    since: Instant,
) -> Result<bool, Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(false) };
    tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM audit WHERE customer_id = ?1 AND at >= ?2 AND verb = ?3 AND actor = ?4)")?
        .query_row((head.id, since.0, verb, actor.to_string()), |row| row.get(0))
}
