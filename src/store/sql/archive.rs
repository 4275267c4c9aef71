//! Old content of the trail in files of its own (R160): a database with one table, so that anybody's tools can read it. What
//! is moved is written, read back and compared before the store lets go of it.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags, params};

use crate::base::{CustomerId, Digest, Instant, Version};
use crate::store::archive::ArchiveRow;
use crate::store::error::StoreError;
use crate::store::sql::books::{blob, head, text, unsigned};
use crate::store::sql::door::Door;
use crate::store::sql::fault::Fault;
use crate::store::sql::process;
use crate::store::sql::transaction::{Row, Transaction};

/// A chunk of a commit: its place in it, the size of what is packed in it, and that.
pub(in crate::store::sql) type Chunk = (i64, u32, Vec<u8>);

const TABLE: &str = "
CREATE TABLE about (customer TEXT NOT NULL, after INTEGER NOT NULL, until INTEGER NOT NULL) STRICT;
CREATE TABLE chunk (
    version INTEGER NOT NULL,
    n INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (version, n)
) STRICT;";

pub(in crate::store::sql) fn rows(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Vec<ArchiveRow>, Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(Vec::new()) };
    let mut ask =
        tx.prepare_cached("SELECT after, until, file, bytes, at FROM archives WHERE customer_id = ?1 ORDER BY until")?;
    let mut rows = ask.query([head.id])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(ArchiveRow {
            after: Version(unsigned(row, 0)?),
            until: Version(unsigned(row, 1)?),
            file: PathBuf::from(text(row, 2)?),
            bytes: unsigned(row, 3)?,
            at: Instant(row.get(4)?),
        });
    }
    Ok(found)
}

/// Moves the content of all commits up to a version, as far as it was not moved before, to a file that is not there yet.
/// `None`: there is nothing to move.
pub(in crate::store::sql) fn write(
    door: &impl Door,
    customer: &CustomerId,
    until: Version,
    file: &Path,
    at: Instant,
) -> Result<Option<ArchiveRow>, StoreError> {
    let failed = |cause: Box<dyn std::error::Error + Send + Sync>| StoreError::Archive { file: file.to_owned(), cause };
    // Whoever reads it later may stand in another folder.
    let file = &std::path::absolute(file).map_err(|cause| failed(Box::new(cause)))?;
    let known = door.read(|tx| rows(tx, customer))?;
    let after = known.last().map_or(Version(0), |row| row.until);
    if until <= after {
        return Ok(None);
    }
    // A trail in pieces on several machines could be read on none of them.
    if door.is_shared()
        && let Some(ArchiveRow { file, .. }) = known.into_iter().next_back().filter(|row| !row.file.exists())
    {
        let cause = "find it here: archives must lie in one folder that all nodes see".into();
        return Err(StoreError::Archive { file, cause });
    }
    let span = (after, until);
    if file.exists() {
        // Whoever died between the file and the row left just what is to be written; anything else is somebody's.
        let is_it = door.read(|tx| compare(tx, customer, span, file)).is_ok();
        is_it.then_some(()).ok_or_else(|| failed(Box::new(io::Error::from(io::ErrorKind::AlreadyExists))))?;
    } else {
        drop_stale(file, at);
        let part = part_of(file);
        let done = write_part(door, customer, span, &part)
            .and_then(|made| finish(&made, &part, file).map_err(|cause| failed(Box::new(cause))));
        if done.is_err() {
            // The first failure is the one to tell.
            let _ = fs::remove_file(&part);
        }
        done?;
    }
    let bytes = file.metadata().map_err(|cause| failed(Box::new(cause)))?.len();
    let row = ArchiveRow { after, until, file: file.to_owned(), bytes, at };
    door.write(|tx| let_go(tx, customer, &row))?;
    Ok(Some(row))
}

/// Writes the file under a name of this process alone, and reads it back.
fn write_part(door: &impl Door, customer: &CustomerId, span: (Version, Version), part: &Path) -> Result<File, StoreError> {
    let failed = |cause: io::Error| StoreError::Archive { file: part.to_owned(), cause: Box::new(cause) };
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part).map_err(failed)?;
    door.read(|tx| fill(tx, customer, span, part))?;
    door.read(|tx| compare(tx, customer, span, part))?;
    Ok(made)
}

const CHUNKS_AT_ONCE: u32 = 8;

/// The chunks to move: those behind the names, which are needed to read what comes later.
const CHUNKS: &str = "SELECT version, n, bytes, body FROM audit_chunk
    WHERE customer_id = ?1 AND version > ?2 AND version <= ?3 AND n > 0 ORDER BY version, n";

/// Fails if somebody else moved this part of the trail meanwhile: it is not there to be read any more.
fn must_be_here(tx: &Transaction<'_>, customer: &CustomerId, after: Version, file: &Path) -> Result<(), Fault> {
    let moved = rows(tx, customer)?.last().map_or(Version(0), |row| row.until);
    let cause = || "write it: somebody else moved this part of the trail meanwhile (nothing is lost; ask again)".into();
    let is_here = (moved == after).then_some(());
    is_here.ok_or_else(|| Fault::Told(StoreError::Archive { file: file.to_owned(), cause: cause() }))
}

fn fill(tx: &Transaction<'_>, customer: &CustomerId, (after, until): (Version, Version), part: &Path) -> Result<(), Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(()) };
    must_be_here(tx, customer, after, part)?;
    let mut archive = Connection::open(part)?;
    let copy = archive.transaction()?;
    copy.execute_batch(TABLE)?;
    let (after, until) = (after.0.cast_signed(), until.0.cast_signed());
    copy.execute("INSERT INTO about VALUES (?1, ?2, ?3)", params![customer.as_str(), after, until])?;
    {
        let mut insert = copy.prepare("INSERT INTO chunk VALUES (?1, ?2, ?3, ?4)")?;
        let mut ask = tx.prepare_long(CHUNKS, CHUNKS_AT_ONCE)?;
        let mut rows = ask.query((head.id, after, until))?;
        while let Some(row) = rows.next()? {
            insert.execute((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<u32>(2)?, blob(row, 3)?))?;
        }
    }
    copy.commit()?;
    archive.close().map_err(|(_, cause)| cause)?;
    Ok(())
}

/// Reads back what was written.
fn compare(tx: &Transaction<'_>, customer: &CustomerId, (after, until): (Version, Version), part: &Path) -> Result<(), Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(()) };
    must_be_here(tx, customer, after, part)?;
    let archive = open(part)?;
    let mut kept = archive.prepare("SELECT version, n, bytes, body FROM chunk ORDER BY version, n")?;
    let mut kept = kept.query([])?;
    let mut ask = tx.prepare_long(CHUNKS, CHUNKS_AT_ONCE)?;
    let mut rows = ask.query((head.id, after.0.cast_signed(), until.0.cast_signed()))?;
    loop {
        let chunk = |row: Row<'_>| -> Result<(i64, Chunk), Fault> {
            Ok((row.get(0)?, (row.get(1)?, row.get(2)?, blob(row, 3)?.to_vec())))
        };
        let stored = rows.next()?.map(chunk).transpose()?;
        if stored != kept.next()?.map(Row::Lite).map(chunk).transpose()? {
            return Err(Fault::corrupt("the archive", "it does not hold what was written to it"));
        }
        if stored.is_none() {
            return Ok(());
        }
    }
}

fn finish(made: &File, part: &Path, file: &Path) -> io::Result<()> {
    made.sync_all()?;
    // Unlike a new name this never takes the place of a file that somebody else made meanwhile.
    fs::hard_link(part, file)?;
    fs::remove_file(part)?;
    // A new name in a folder is on the disk when the folder is.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn let_go(tx: &Transaction<'_>, customer: &CustomerId, row: &ArchiveRow) -> Result<(), Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(()) };
    let ArchiveRow { after, until, file, bytes, at } = row;
    must_be_here(tx, customer, *after, file)?;
    let file = file.to_str().ok_or_else(|| Fault::corrupt("the archive's name", "it is not UTF-8"))?;
    let (after, until) = (after.0.cast_signed(), until.0.cast_signed());
    tx.execute(
        "INSERT INTO archives (customer_id, after, until, file, bytes, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (head.id, after, until, file, bytes.cast_signed(), at.0),
    )?;
    tx.execute(
        "DELETE FROM audit_chunk WHERE customer_id = ?1 AND version > ?2 AND version <= ?3 AND n > 0",
        (head.id, after, until),
    )?;
    Ok(())
}

/// A name that no other process uses, on whatever machine, nor another thread of this one.
fn part_of(file: &Path) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut name = OsString::from(file);
    let (process, number) = (Digest::of(process::mark().as_bytes()), NUMBER.fetch_add(1, Ordering::SeqCst));
    name.push(format!(".{}-{}-{number}.part", process.short(), std::process::id()));
    PathBuf::from(name)
}

/// Removes what processes that died while they wrote an archive left in its folder, on whatever machine they were: who lives writes
/// to its own all the time. Only saves space.
fn drop_stale(file: &Path, now: Instant) {
    const STALE_MILLIS: i64 = 86_400_000;
    let stale = UNIX_EPOCH + Duration::from_millis(now.plus_millis(-STALE_MILLIS).0.max(0).unsigned_abs());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_old = || entry.metadata().and_then(|meta| meta.modified()).is_ok_and(|at| at < stale);
        if entry.file_name().to_str().is_some_and(is_part) && is_old() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file is called as [`part_of`] calls them, or is what the database keeps beside such a one.
fn is_part(name: &str) -> bool {
    let name = name.strip_suffix("-journal").unwrap_or(name);
    let mark = name.strip_suffix(".part").and_then(|name| name.rsplit_once(".db.")).map(|(_, mark)| mark);
    mark.is_some_and(|mark| {
        let words: Vec<&str> = mark.split('-').collect();
        words.len() == 3 && words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}

fn open(file: &Path) -> Result<Connection, Fault> {
    Ok(Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?)
}

/// The archives of a customer, each opened when it is first needed.
pub(in crate::store::sql) struct Archives {
    rows: Vec<ArchiveRow>,
    opened: RefCell<Option<(Version, Connection)>>,
}

impl Archives {
    pub(in crate::store::sql) fn of(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Self, Fault> {
        Ok(Self { rows: rows(tx, customer)?, opened: RefCell::default() })
    }

    /// The chunks of a commit that were moved; none if they were not.
    pub(in crate::store::sql) fn chunks(&self, version: Version) -> Result<Vec<Chunk>, Fault> {
        let Some(row) = self.rows.iter().find(|row| row.after < version && version <= row.until) else {
            return Ok(Vec::new());
        };
        let failed = |cause: Box<dyn std::error::Error + Send + Sync>| {
            Fault::Told(StoreError::Archive { file: row.file.clone(), cause })
        };
        let mut opened = self.opened.borrow_mut();
        if opened.as_ref().is_none_or(|(until, _)| *until != row.until) {
            if !row.file.exists() {
                let (first, last) = (row.after.0 + 1, row.until);
                return Err(failed(format!("find it: the trail of versions {first} to {last} lies in it; put it back").into()));
            }
            *opened = Some((row.until, open(&row.file).map_err(|fault| failed(Box::new(fault.told("the archive"))))?));
        }
        let Some((_, archive)) = opened.as_ref() else { return Ok(Vec::new()) };
        let read = || -> Result<Vec<Chunk>, rusqlite::Error> {
            let mut ask = archive.prepare_cached("SELECT n, bytes, body FROM chunk WHERE version = ?1 ORDER BY n")?;
            ask.query_map([version.0.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        };
        read().map_err(|cause| failed(Box::new(cause)))
    }
}

#[cfg(test)]
mod tests;
