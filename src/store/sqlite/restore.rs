//! A backup takes the place of the store. It is copied beside the store and proved there, before the store is touched; then
//! one rename puts it in place. Whoever dies in the middle leaves the one or the other, whole.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::base::Instant;
use crate::store::api::{DaemonLease, Opening};
use crate::store::error::StoreError;
use crate::store::shape::DaemonMark;
use crate::store::sql::{Fault, tables};
use crate::store::sqlite::backup::{integrity, sync_folder};
use crate::store::sqlite::connect::{connect, folder_of, lock_folder, place_of, probe_path};
use crate::store::sqlite::schema::Found;
use crate::store::sqlite::store::SqliteStore;
use crate::store::sqlite::{holders, lease, schema};

/// What SQLite keeps beside a database; beside another one it would destroy that.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];
/// A question that somebody just asks is over after so long.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// A copy of a backup beside the store that it is to replace; gone when dropped, unless it was put in place.
pub struct Restoring {
    /// The store as the settings name it, which its daemon locks.
    named: PathBuf,
    /// Where it is: what is named may lead there.
    database: PathBuf,
    place: String,
    part: PathBuf,
    backup: PathBuf,
    /// The folder of the store was made for it.
    folder_made: bool,
}

impl Restoring {
    /// Copies a backup beside a store, which may not be there yet. The store is not touched, and others may work on it.
    ///
    /// # Errors
    /// [`StoreError::Restore`] when the file cannot be read, is no whole file of its own, or there is no room for a copy.
    pub fn begin(database: &Path, backup: &Path) -> Result<Self, StoreError> {
        let failed = |cause| told(backup, cause);
        let (found, former) = (fs::metadata(backup).map_err(failed)?, known(database).map_err(failed)?);
        let refusal = if !found.is_file() {
            Some("it is no file")
        } else if former.as_ref().is_some_and(|former| (former.dev(), former.ino()) == (found.dev(), found.ino())) {
            Some("it is the store itself")
        } else if known(&with(backup, "-wal")).map_err(failed)?.is_some_and(|log| log.len() > 0) {
            Some("a log (-wal) lies beside it, so that it is not the whole: `rosterd backup` makes files without one")
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return Err(StoreError::Restore { file: backup.to_owned(), cause: refusal.into() });
        }
        let (named, place) = (database.to_owned(), place_of(database));
        let database = if former.is_some() { fs::canonicalize(database).map_err(failed)? } else { named.clone() };
        let folder_made = make_folder(&database).map_err(failed)?;
        drop_stale(&database);
        let restoring = Self {
            part: with(&database, &format!(".restoring-{}", std::process::id())),
            named,
            database,
            place,
            backup: backup.to_owned(),
            folder_made,
        };
        restoring.copy(former.as_ref()).map_err(failed)?;
        Ok(restoring)
    }

    /// The copy, and nobody else's: what is done to it is done to nobody.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// What keeps the file from being a store that this program can use, a line each; nothing if it is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn wrong(&self) -> Result<Vec<String>, StoreError> {
        if let Some(wrong) = head_wrong(&self.part).map_err(|cause| told(&self.backup, cause))? {
            return Ok(vec![wrong]);
        }
        match content_wrong(&self.part).map_err(|fault| fault.told(&place_of(&self.backup))) {
            Err(StoreError::Corrupt { what, why, .. }) => Ok(vec![format!("{what}: {why}")]),
            Err(StoreError::SchemaNewer { found, known, .. }) => {
                Ok(vec![format!("its schema is {found}, this program knows up to {known}: use the newer rosterd")])
            }
            other => other,
        }
    }

    /// The copy as a store of its own, in the newest schema, to be proved. It has to be dropped before [`Restoring::finish`].
    ///
    /// # Errors
    /// Those of opening a store.
    pub fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_for(&self.part, Opening::Daemon)
    }

    /// Puts the copy in place. What was there is kept under another name, which comes back.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when somebody works on the store, [`StoreError::Restore`] when the file system does not do it.
    /// In either case the store is as it was.
    pub fn finish(self, mark: &DaemonMark) -> Result<Option<PathBuf>, StoreError> {
        let probe = probe_path(&self.named);
        let was_served = probe.exists();
        // No daemon starts until this is over.
        let lease = self.lease(mark)?;
        let placed = self.place(mark.since);
        if !was_served {
            // These books were never a daemon's: what says so must not stay.
            let _ = fs::remove_file(probe);
        }
        drop(lease);
        placed
    }

    fn lease(&self, mark: &DaemonMark) -> Result<Box<dyn DaemonLease>, StoreError> {
        lease::take(&self.named, &self.place, mark).map_err(|error| match error {
            StoreError::DaemonRunning { place, pid, host, since } => {
                StoreError::InUse { place, by: format!("process {pid} on {host}, since {since},") }
            }
            other => other,
        })
    }

    fn place(&self, at: Instant) -> Result<Option<PathBuf>, StoreError> {
        let failed = |cause| told(&self.backup, cause);
        settle(&self.part).map_err(|fault| fault.told(&place_of(&self.part)))?;
        File::open(&self.part).and_then(|file| file.sync_all()).map_err(failed)?;
        // Nobody begins to work on the former store between the last look at it and the rename.
        let _alone = lock_folder(&self.database, File::try_lock);
        let is_there = self.database.exists();
        if is_there {
            self.close_former()?;
        }
        drop_links(&self.database).map_err(failed)?;
        let former = is_there || BESIDE.iter().any(|end| with(&self.database, end).exists());
        let former = former.then(|| free_name(&self.database, at));
        self.swap(is_there, former.as_deref()).map_err(failed)?;
        Ok(former)
    }

    /// Until the rename the former store is whole under its own name, after it the new one is.
    fn swap(&self, is_there: bool, former: Option<&Path>) -> io::Result<()> {
        let Self { database, part, .. } = self;
        // Logs are left only where the former store is damaged, or lost its database: else they went into it.
        let left: Vec<&str> = BESIDE.into_iter().filter(|end| with(database, end).exists()).collect();
        if let Some(former) = former {
            if is_there {
                fs::hard_link(database, former)?;
            }
            for end in &left {
                fs::hard_link(with(database, end), with(former, end))?;
            }
            sync_folder(database)?;
            for end in &left {
                fs::remove_file(with(database, end))?;
            }
            sync_folder(database)?;
        }
        if is_there {
            fs::rename(part, database)?;
        } else {
            // Unlike a rename this never takes the place of a store that somebody makes just now.
            fs::hard_link(part, database)?;
        }
        sync_folder(database)
    }

    /// Moves the log of the former store into it, so that it is one file. That also tells whether anybody else has it open. A
    /// store that is damaged keeps its log.
    fn close_former(&self) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let by = holders::of(&self.database);
            if by.is_empty() && !matches!(settle(&self.database), Err(fault) if is_busy(&fault)) {
                return Ok(());
            }
            sleep(PAUSE);
        }
        let by = holders::of(&self.database);
        let by = if by.is_empty() { "another process".to_owned() } else { by.join(" and ") };
        Err(StoreError::InUse { place: self.place.clone(), by })
    }

    /// The copy belongs to whom the store belongs: whoever restores it may be another user than the daemon.
    fn copy(&self, former: Option<&Metadata>) -> io::Result<()> {
        let mut source = File::open(&self.backup)?;
        let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.part)?;
        io::copy(&mut source, &mut copy)?;
        let folder;
        let owner = match former {
            Some(former) => former,
            None => {
                folder = folder_of(&self.database).metadata()?;
                &folder
            }
        };
        let own = copy.metadata()?;
        if (own.uid(), own.gid()) != (owner.uid(), owner.gid()) {
            let handed = chown(&self.part, Some(owner.uid()), Some(owner.gid()));
            // Where there is no store yet, a member of the folder's group may make one.
            if own.uid() != owner.uid() && former.is_some() {
                handed?;
            }
        }
        copy.sync_all()
    }
}

impl Drop for Restoring {
    fn drop(&mut self) {
        // Whatever of it is still there was not put in place.
        let _ = fs::remove_file(&self.part);
        for end in BESIDE {
            let _ = fs::remove_file(with(&self.part, end));
        }
        if self.folder_made {
            // Only goes if nothing is in it.
            let _ = fs::remove_dir(folder_of(&self.database));
        }
    }
}

fn told(file: &Path, cause: io::Error) -> StoreError {
    StoreError::Restore { file: file.to_owned(), cause: Box::new(cause) }
}

fn with(file: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(end);
    PathBuf::from(name)
}

fn known(file: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(file) {
        Ok(found) => Ok(Some(found)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// Makes the folder of a store, for this user alone. Says whether it did.
fn make_folder(database: &Path) -> io::Result<bool> {
    let folder = folder_of(database);
    let is_there = folder.exists();
    if !is_there {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    Ok(!is_there)
}

/// The files beside a store that are called like it and then like this, each with the rest of its name.
fn called(database: &Path, like: &str) -> Vec<(PathBuf, String)> {
    let Some(begin) = database.file_name().and_then(|name| name.to_str()).map(|name| format!("{name}{like}")) else {
        return Vec::new();
    };
    let entries = fs::read_dir(folder_of(database)).into_iter().flatten().flatten();
    let named = entries.filter_map(|entry| Some((entry.path(), entry.file_name().to_str()?.strip_prefix(&begin)?.to_owned())));
    named.collect()
}

/// Removes copies that killed processes left. Only saves space.
fn drop_stale(database: &Path) {
    for (file, rest) in called(database, ".restoring-") {
        let pid = rest.split('-').next().and_then(|pid| pid.parse::<u32>().ok());
        let is_dead = |pid: u32| pid == std::process::id() || !Path::new("/proc").join(pid.to_string()).exists();
        if pid.is_some_and(is_dead) {
            let _ = fs::remove_file(file);
        }
    }
}

/// Who was killed right before the rename left the store a second name, which is no former one's.
fn drop_links(database: &Path) -> io::Result<()> {
    let Some(store) = known(database)? else { return Ok(()) };
    for (file, _) in called(database, ".former-") {
        if known(&file)?.is_some_and(|found| (found.dev(), found.ino()) == (store.dev(), store.ino())) {
            fs::remove_file(file)?;
        }
    }
    Ok(())
}

/// `rosterd.db.former-20260301T023000Z`, or the first free one after it.
fn free_name(database: &Path, at: Instant) -> PathBuf {
    let seconds = Instant(at.0 - at.0.rem_euclid(1000)).to_string();
    let time: String = seconds.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let is_free = |name: &PathBuf| !name.exists() && BESIDE.iter().all(|end| !with(name, end).exists());
    let mut name = with(database, &format!(".former-{time}"));
    for number in 2.. {
        if is_free(&name) {
            break;
        }
        name = with(database, &format!(".former-{time}-{number}"));
    }
    name
}

/// What the first page of a file says against it.
fn head_wrong(file: &Path) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut opened = File::open(file)?;
    (&mut opened).take(100).read_to_end(&mut head)?;
    let bytes = opened.metadata()?.len();
    if bytes == 0 {
        return Ok(Some("it is empty".to_owned()));
    }
    let word = |at: usize, width: usize| {
        head.get(at..at + width).map(|bytes| bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)))
    };
    // The size of a page, 1 for 65536, and how many there are, as the format of these files says.
    let (Some(page), Some(pages), true) = (word(16, 2), word(28, 4), head.starts_with(b"SQLite format 3\0")) else {
        return Ok(Some("it is no file of `rosterd backup`".to_owned()));
    };
    let told = pages * if page == 1 { 65_536 } else { page };
    Ok((bytes < told).then(|| format!("it is cut off: {bytes} bytes of {told} are there")))
}

/// What is wrong inside.
fn content_wrong(file: &Path) -> Result<Vec<String>, Fault> {
    let connection = connect(file, true)?;
    let found = schema::found(&connection, &place_of(file))?;
    if found == Found::Empty {
        return Ok(vec!["there are no books in it".to_owned()]);
    }
    let wrong = integrity(&connection)?;
    if !wrong.is_empty() {
        return Ok(wrong);
    }
    let mut ask = connection.prepare("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)")?;
    for table in tables() {
        // An older schema may know fewer: the one that every store has tells it from other programs' files.
        let is_asked = table.name == "customers" || found == Found::Newest;
        if is_asked && !ask.query_row([table.name], |row| row.get::<_, bool>(0))? {
            return Ok(vec![format!("it has no table {}: it is no store of rosterd", table.name)]);
        }
    }
    Ok(Vec::new())
}

/// One file, without a log beside it, if nobody else has it open.
fn settle(file: &Path) -> Result<(), Fault> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::ZERO)?;
    // A log that cannot be used is not thrown away, either.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let mode: String = connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    connection.close().map_err(|(_, cause)| cause)?;
    if mode == "delete" { Ok(()) } else { Err(StoreError::Busy { place: place_of(file) }.into()) }
}

fn is_busy(fault: &Fault) -> bool {
    match fault {
        Fault::Lite(cause) => {
            matches!(cause.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
        }
        Fault::Told(StoreError::Busy { .. }) => true,
        _ => false,
    }
}
