//! Connections: one writer behind a lock, a few readers, and what a transaction is.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, JoinHandle, sleep};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::base::parts;
use crate::store::api::Opening;
use crate::store::error::StoreError;
use crate::store::sql::Fault;
use crate::store::sqlite::schema;
use crate::store::sqlite::schema::Found;

/// How long a writer waits for another process; a district's first night takes less.
const WAIT: Duration = Duration::from_secs(60);
/// Readers kept open for the next question.
const READERS_KEPT: usize = 4;
/// A log of so many pages is moved into the file by whoever writes, as SQLite has it.
const LOG_PAGES_MAX: u32 = 1_000;
/// A log of so many bytes takes long to move.
const LOG_BYTES_LONG: u64 = 32 << 20;
/// So often a log that grows by much is put on the disk.
const PUT_OUT_EVERY: Duration = Duration::from_millis(100);
/// Statements kept prepared per connection.
const STATEMENTS_KEPT: usize = 64;

/// The file and the connections to it.
pub struct SqliteFile {
    path: PathBuf,
    place: String,
    /// Before the writer: fields close in this order, and only a writer that closes last clears the log away.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Connection>,
    /// Moves a long log into the file.
    mover: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for SqliteFile {
    fn drop(&mut self) {
        // Its connection has to be gone before the writer's.
        self.end_mover();
    }
}

impl SqliteFile {
    /// Opens the file; makes and migrates it as far as `opening` allows.
    pub(in crate::store::sqlite) fn open(path: &Path, opening: Opening) -> Result<Self, StoreError> {
        let place = place_of(path);
        if opening == Opening::Existing {
            match path.metadata() {
                Ok(_) => {}
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Err(StoreError::Absent { place }),
                Err(cause) => return Err(told_by_system(cause, &place)),
            }
        } else {
            make(path).map_err(|cause| told_by_system(cause, &place))?;
        }
        // Until the writer is there, which keeps the file from being replaced.
        let _apart = lock_folder(&path.canonicalize().unwrap_or_else(|_| path.to_owned()), File::try_lock_shared);
        let opened = connect(path, true).and_then(|mut writer| {
            match (schema::found(&writer, &place)?, opening) {
                // Somebody is just making it, or died while doing so.
                (Found::Empty, Opening::Existing) => return Err(StoreError::Absent { place: place.clone() }.into()),
                (Found::Older(found), Opening::Existing | Opening::Writing) => {
                    return Err(StoreError::SchemaOlder { place: place.clone(), found, known: schema::NEWEST }.into());
                }
                _ => {}
            }
            prepare_writer(&writer)?;
            schema::migrate(&mut writer, &place)?;
            Ok(writer)
        });
        let writer = match opened {
            Ok(writer) => writer,
            Err(fault) => return Err(unless_read_only(fault, path, &place)),
        };
        let (readers, mover) = (Mutex::default(), Mutex::default());
        Ok(Self { path: path.to_owned(), place, writer: Mutex::new(writer), readers, mover })
    }

    pub(in crate::store::sqlite) fn place(&self) -> &str {
        &self.place
    }

    pub(in crate::store::sqlite) fn path(&self) -> &Path {
        &self.path
    }

    /// Answers a question from one consistent snapshot of the file. Never waits for a writer.
    pub(in crate::store::sqlite) fn read<T>(
        &self,
        ask: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let answer = (|| {
            let reader = match kept {
                Some(reader) => reader,
                None => connect(&self.path, false)?,
            };
            let tx = Transaction::new_unchecked(&reader, TransactionBehavior::Deferred)?;
            let answer = ask(&tx)?;
            tx.finish()?;
            Ok((answer, reader))
        })();
        let (answer, reader) = answer.map_err(|fault: Fault| fault.told(&self.place))?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_KEPT {
            readers.push(reader);
        }
        Ok(answer)
    }

    /// Writes, whole or not at all. The lock is taken at once, so that what is read inside is still so at the end.
    pub(in crate::store::sqlite) fn write<T>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.settle(&writer, false);
        write_by(&mut writer, act).map_err(|fault: Fault| fault.told(&self.place))
    }

    /// The same for very much: what that leaves in the log is moved into the file beside what follows.
    pub(in crate::store::sqlite) fn write_much<T>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let done = writer.pragma_update(None, "wal_autocheckpoint", 0).map_err(Fault::from);
        let (end, ended) = sync_channel(0);
        let log = log_of(&self.path);
        let there = move || put_out(&log, &ended);
        let ((), done) = parts::both(there, || {
            let _end = end;
            done.and_then(|()| write_by(&mut writer, act))
        });
        if done.is_ok() && log_of(&self.path).metadata().is_ok_and(|log| log.len() >= LOG_BYTES_LONG) {
            self.move_log(|log| log.query_row("PRAGMA wal_checkpoint", [], |_| Ok(())));
        }
        self.settle(&writer, true);
        done.map_err(|fault| fault.told(&self.place))
    }

    /// Has the writer move the log again, as soon as nobody else does: else the first small write after a large one would, while
    /// it is waited for. What was written stands, whatever comes of it.
    fn settle(&self, writer: &Connection, much: bool) {
        let mut mover = self.mover.lock().unwrap_or_else(PoisonError::into_inner);
        match &*mover {
            None if !much => return,
            Some(thread) if !thread.is_finished() => return,
            _ => *mover = None,
        }
        drop(writer.pragma_update(None, "wal_autocheckpoint", LOG_PAGES_MAX));
    }

    /// Works on the log beside what follows, after whoever works on it already. It only ever saves time: whoever writes next, or
    /// closes the file, moves what is left.
    fn move_log(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static) {
        let mut mover = self.mover.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, path) = (mover.take(), self.path.clone());
        let moves = move || {
            drop(before.map(JoinHandle::join));
            let moved = connect(&path, true).and_then(|log| Ok(work(&log)?));
            drop(moved);
        };
        *mover = Builder::new().name("rosterd-log".into()).spawn(moves).ok();
    }

    fn end_mover(&self) {
        let mover = self.mover.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(mover.map(JoinHandle::join));
    }

    /// Moves what a large commit left in the log into the file and cuts the log off, if nobody is reading or writing just then.
    /// Only ever saves space.
    pub(in crate::store::sqlite) fn tidy(&self) {
        self.move_log(|log| {
            log.busy_timeout(Duration::ZERO)?;
            log.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        });
    }
}

fn write_by<T>(writer: &mut Connection, act: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
    let tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let answer = act(&tx)?;
    tx.commit()?;
    Ok(answer)
}

/// Puts a log on the disk while more of it is written, so that the commit does not wait for all of it at once. Whether that went
/// well is for the commit to ask, whose own file is told of what went wrong, too. Of SQLite's files only the log may be opened
/// beside it: to close another one gives up the locks on it.
fn put_out(log: &Path, ended: &Receiver<()>) {
    let Ok(log) = File::open(log) else { return };
    while ended.recv_timeout(PUT_OUT_EVERY) == Err(RecvTimeoutError::Timeout) {
        drop(log.sync_data());
    }
}

/// The log beside a file.
fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// What a file is called in messages.
pub(in crate::store::sqlite) fn place_of(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// The folder that a file lies in.
pub(in crate::store::sqlite) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A lock on the folder of a database, until it is dropped; it leaves no file. With it whoever begins to work on the store and
/// whoever puts another one in its place wait for each other. Each is done in a moment: who has the lock for longer is
/// somebody else, and is not waited for.
pub(in crate::store::sqlite) fn lock_folder(database: &Path, lock: fn(&File) -> Result<(), TryLockError>) -> Option<File> {
    const TRIES_MAX: u32 = 500;
    let folder = File::open(folder_of(database)).ok()?;
    for _ in 0..TRIES_MAX {
        match lock(&folder) {
            Ok(()) => return Some(folder),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(10)),
            Err(TryLockError::Error(_)) => return None,
        }
    }
    None
}

/// Makes the folder and the file, for this user alone.
fn make(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

pub(in crate::store::sqlite) fn connect(path: &Path, writes: bool) -> Result<Connection, Fault> {
    let access = if writes { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Else a statement is planned anew for each value that it is given, which takes longer than most answers.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    // What is deleted is overwritten: a name that is forgotten is not left in free pages.
    connection.pragma_update(None, "secure_delete", true)?;
    if !writes {
        connection.pragma_update(None, "query_only", true)?;
    }
    Ok(connection)
}

fn prepare_writer(writer: &Connection) -> Result<(), Fault> {
    switch_to_wal(writer)?;
    writer.pragma_update(None, "synchronous", "FULL")?;
    writer.pragma_update(None, "journal_size_limit", 64 << 20)?;
    Ok(())
}

/// SQLite does not wait by itself when several processes switch a new file at once; hence the tries.
fn switch_to_wal(writer: &Connection) -> Result<(), Fault> {
    const TRIES_MAX: u32 = 500;
    for tries in 1.. {
        match writer.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => return Err(Fault::corrupt("the database file", format!("its journal stays in {mode} mode"))),
            Err(error) if tries < TRIES_MAX && error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// SQLite only says that it cannot open its log; whether that is for want of rights, a look at the folder tells.
fn unless_read_only(fault: Fault, path: &Path, place: &str) -> StoreError {
    let cannot_open = matches!(&fault, Fault::Lite(cause)
        if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen));
    let probe = probe_path(path);
    if cannot_open && let Err(cause) = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(probe) {
        return told_by_system(cause, place);
    }
    fault.told(place)
}

/// The file beside the database that its daemon locks.
pub(in crate::store::sqlite) fn probe_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".daemon");
    PathBuf::from(name)
}

/// What the operating system says when a file cannot be made or opened.
pub(in crate::store::sqlite) fn told_by_system(cause: io::Error, place: &str) -> StoreError {
    let place = place.to_owned();
    match cause.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { place },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull { place },
        _ => StoreError::Database { place, cause: Box::new(cause) },
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;
    use std::time::Duration;

    use crate::store::api::Opening;
    use crate::store::sqlite::connect::{LOG_BYTES_LONG, LOG_PAGES_MAX, SqliteFile, log_of};

    #[test]
    fn a_long_log_is_moved_beside_what_follows_and_a_short_one_by_who_writes() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = SqliteFile::open(&folder.path().join("r.db"), Opening::Writing).expect("opens");
        file.write(|tx| Ok(tx.execute_batch("CREATE TABLE large (body BLOB)")?)).expect("writes");
        let insert = "INSERT INTO large (body) VALUES (zeroblob(?1))";
        file.write_much(|tx| Ok(tx.execute(insert, [LOG_BYTES_LONG.cast_signed()])?)).expect("writes");
        file.tidy();
        while file.mover.lock().expect("nobody panicked").as_ref().is_some_and(|thread| !thread.is_finished()) {
            sleep(Duration::from_millis(5));
        }
        assert_eq!(log_of(&file.path).metadata().expect("there").len(), 0, "it was cut off");
        let pages = file.write(|tx| Ok(tx.pragma_query_value(None, "wal_autocheckpoint", |row| row.get::<_, u32>(0))?));
        assert_eq!(pages.expect("asks"), LOG_PAGES_MAX);
        let pages = file.write_much(|tx| Ok(tx.pragma_query_value(None, "wal_autocheckpoint", |row| row.get::<_, u32>(0))?));
        assert_eq!(pages.expect("asks"), 0);
        let pages = file.write(|tx| Ok(tx.pragma_query_value(None, "wal_autocheckpoint", |row| row.get::<_, u32>(0))?));
        assert_eq!(pages.expect("asks"), LOG_PAGES_MAX, "a short log has no mover");
    }
}
