//! A copy of the whole file as of one moment, made beside whoever works on it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::store::error::StoreError;
use crate::store::sql::Fault;
use crate::store::sqlite::connect::{connect, folder_of, place_of};

/// Copies the database to a file that is not there yet, proves the copy sound and only then gives it its name. Returns its
/// size in bytes.
pub(in crate::store::sqlite) fn write(database: &Path, file: &Path) -> Result<u64, StoreError> {
    let failed = |cause: Box<dyn std::error::Error + Send + Sync>| StoreError::Backup { file: file.to_owned(), cause };
    let system = |cause: io::Error| failed(Box::new(cause));
    if file.exists() {
        return Err(system(io::Error::from(io::ErrorKind::AlreadyExists)));
    }
    let part = part_of(file);
    // One that was broken off left it behind.
    match fs::remove_file(&part) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(system(cause)),
        _ => {}
    }
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).map_err(system)?;
    let done = copy(database, &part, &failed).and_then(|()| {
        made.sync_all().and_then(|()| fs::rename(&part, file)).and_then(|()| sync_folder(file)).map_err(system)?;
        Ok(made.metadata().map_err(system)?.len())
    });
    if done.is_err() {
        // The first failure is the one to tell.
        let _ = fs::remove_file(&part);
    }
    done
}

fn copy(
    database: &Path,
    part: &Path,
    failed: &dyn Fn(Box<dyn std::error::Error + Send + Sync>) -> StoreError,
) -> Result<(), StoreError> {
    let source = connect(database, false).map_err(|fault| fault.told(&place_of(database)))?;
    let copied = (|| {
        let mut copy = Connection::open(part)?;
        // All at once: the copy is of one moment, however much is written meanwhile.
        let stepped = Backup::new(&source, &mut copy)?.step(-1)?;
        // One file, without a log beside it.
        copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        let wrong = if stepped == StepResult::Done { integrity(&copy)? } else { vec!["it was not completed".to_owned()] };
        copy.close().map_err(|(_, cause)| cause)?;
        Ok(wrong)
    })();
    match copied.map_err(|fault: Fault| failed(Box::new(fault.told(&place_of(part)))))?.as_slice() {
        [] => Ok(()),
        wrong => Err(failed(format!("the copy is damaged, and so may be the store: {}", wrong.join("; ")).into())),
    }
}

fn part_of(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".part");
    PathBuf::from(name)
}

/// A new name in a folder is on the disk when the folder is.
pub(in crate::store::sqlite) fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(folder_of(file))?.sync_all()
}

/// What is wrong with a file, a line each; nothing if it is sound.
pub(in crate::store::sqlite) fn integrity(connection: &Connection) -> Result<Vec<String>, Fault> {
    let mut wrong = Vec::new();
    let mut ask = connection.prepare("PRAGMA integrity_check(100)")?;
    let mut rows = ask.query([])?;
    while let Some(row) = rows.next()? {
        wrong.push(row.get::<_, String>(0)?);
    }
    wrong.retain(|line| line != "ok");
    let mut ask = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = ask.query([])?;
    while let Some(row) = rows.next()? {
        let (table, parent) = (row.get::<_, String>(0)?, row.get::<_, String>(2)?);
        wrong.push(format!("a row of {table} belongs to no row of {parent}"));
    }
    Ok(wrong)
}
