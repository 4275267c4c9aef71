//! Small values in sled, in a folder that can be thrown away at any moment. The only file that names the `sled` crate.
//!
//! The crate loses data on power cuts, cannot always be opened again, and then may panic. Hence: nothing in here is worth
//! anything; what cannot be opened is moved aside, said so, and started empty; a page counts only with its checksum; values
//! stay below 4 KB, since larger ones are kept in files that are never removed; and when no pull is under way the whole
//! folder is deleted, which is the only way to get its room back.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sled::{Config, Db};

use crate::base::Digest;
use crate::telemetry::SpoolLost;

/// Bytes of one value at most; see above.
const CHUNK_BYTES: usize = 3_500;
/// Bytes that sled may keep in memory: little, since every page is written once and read once.
const CACHE_BYTES: u64 = 8 << 20;
/// Bytes of a key that name its pull.
const PULL_BYTES: usize = 16;
/// What nobody touched for so long is of no use to any pull.
const AGE_MAX: Duration = Duration::from_secs(24 * 3600);

/// Why a spool is not used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process uses it.
    #[error("use the spool {}: another process does", .0.display())]
    Busy(PathBuf),
    /// The folder cannot be had.
    #[error("use the spool {}", .path.display())]
    Folder {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

/// Pages by pull and number.
pub struct Spool {
    path: PathBuf,
    /// Held as long as this process uses the folder.
    _lock: File,
    db: Mutex<Option<Db>>,
}

/// The name of a neighbor of the folder.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

impl Spool {
    /// Takes the folder at `path` for this process. What lies there is opened at the first use.
    ///
    /// # Errors
    /// When another process has it, or the folder above cannot be written.
    pub fn open(path: &Path) -> Result<Self, SpoolError> {
        let failed = |cause| SpoolError::Folder { path: path.to_owned(), cause };
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).map_err(failed)?;
        }
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(beside(path, ".lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::Busy(path.to_owned())),
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        let spool = Self { path: path.to_owned(), _lock: lock, db: Mutex::new(None) };
        spool.clear_away().map_err(failed)?;
        Ok(spool)
    }

    /// A page; `None` if it is not there or not whole.
    pub fn page(&self, pull: &str, number: u32) -> Option<Vec<u8>> {
        let mut guard = self.lock();
        if guard.is_none() && !self.path.exists() {
            return None;
        }
        let db = self.db(&mut guard)?;
        let read = || -> Result<Option<Vec<u8>>, sled::Error> {
            let Some(head) = db.get(key(pull, number, 0))? else { return Ok(None) };
            let Some(Head { length, sum, .. }) = read_head(&head) else { return Ok(None) };
            let mut page = Vec::new();
            for chunk in 1..=u32::try_from(length.div_ceil(CHUNK_BYTES)).unwrap_or(u32::MAX) {
                let Some(bytes) = db.get(key(pull, number, chunk))? else { return Ok(None) };
                page.extend_from_slice(&bytes);
            }
            Ok(Some(page).filter(|page| page.len() == length && xxhash_rust::xxh3::xxh3_64(page) == sum))
        };
        let read = read();
        self.kept(&mut guard, read).flatten()
    }

    /// Keeps a page; `false` if it could not be.
    pub fn put(&self, pull: &str, number: u32, page: &[u8]) -> bool {
        let mut guard = self.lock();
        let Some(db) = self.db(&mut guard) else { return false };
        let write = || -> Result<(), sled::Error> {
            // The head last: a page without it is not there.
            db.remove(key(pull, number, 0))?;
            for (chunk, bytes) in (1u32..).zip(page.chunks(CHUNK_BYTES)) {
                db.insert(key(pull, number, chunk), bytes)?;
            }
            let sum = xxhash_rust::xxh3::xxh3_64(page);
            let head = [page.len() as u64, sum, unix_secs()].map(u64::to_be_bytes).concat();
            db.insert(key(pull, number, 0), head)?;
            db.flush().map(drop)
        };
        let written = write();
        self.kept(&mut guard, written).is_some()
    }

    /// Forgets the pages of a pull from a number on, and all pulls that nobody touched for too long. With the last one of all
    /// the folder goes.
    pub fn cut(&self, pull: &str, from: u32) {
        self.cut_at(pull, from, unix_secs());
    }

    fn cut_at(&self, pull: &str, from: u32, now: u64) {
        let mut guard = self.lock();
        if guard.is_none() && !self.path.exists() {
            return;
        }
        let Some(db) = self.db(&mut guard) else { return };
        let remove = || -> Result<bool, sled::Error> {
            for found in db.range(key(pull, from, 0)..=key(pull, u32::MAX, u32::MAX)) {
                db.remove(found?.0)?;
            }
            drop_old(&db, now)?;
            Ok(db.is_empty())
        };
        let removed = remove();
        if self.kept(&mut guard, removed) == Some(true) {
            drop(guard.take());
            if let Err(error) = fs::remove_dir_all(&self.path) {
                self.lost(&error.to_string());
            }
        }
    }

    /// Values are whole or absent, whoever died with the lock.
    fn lock(&self) -> MutexGuard<'_, Option<Db>> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database, opened if it was not; `None` if it cannot be had.
    fn db(&self, guard: &mut MutexGuard<'_, Option<Db>>) -> Option<Db> {
        if guard.is_none() {
            **guard = self.open_db().or_else(|| self.open_db());
        }
        guard.clone()
    }

    /// Opens the database. One that cannot be opened is moved aside, so that the next call starts an empty one.
    fn open_db(&self) -> Option<Db> {
        let marker = beside(&self.path, ".opening");
        let open = || {
            fs::write(&marker, "")?;
            let config = Config::new().path(&self.path).cache_capacity(CACHE_BYTES).flush_every_ms(Some(500));
            let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
            fs::remove_file(&marker)?;
            opened.unwrap_or_else(|_| Err(sled::Error::ReportableBug("it panicked".to_owned()))).map_err(io::Error::other)
        };
        match open() {
            Ok(db) => Some(db),
            Err(error) => {
                self.lost(&error.to_string());
                None
            }
        }
    }

    /// After an error the database is moved aside and not used any more; the next use starts an empty one.
    fn kept<T>(&self, guard: &mut MutexGuard<'_, Option<Db>>, done: Result<T, sled::Error>) -> Option<T> {
        match done {
            Ok(value) => Some(value),
            Err(error) => {
                drop(guard.take());
                self.lost(&error.to_string());
                None
            }
        }
    }

    /// Makes room and says so.
    fn lost(&self, why: &str) {
        let aside = beside(&self.path, ".damaged");
        let _ = fs::remove_dir_all(&aside);
        let moved = fs::rename(&self.path, &aside).is_ok();
        SpoolLost { path: &self.path.display().to_string(), aside: &aside.display().to_string(), moved, why }.emit();
    }

    /// What an earlier process left: half-written snapshots make a database unreadable, a marker says that opening it ended
    /// that process, and what is old is of no use.
    fn clear_away(&self) -> io::Result<()> {
        if !self.path.exists() {
            return Ok(());
        }
        let marker = beside(&self.path, ".opening");
        if marker.exists() {
            fs::remove_file(&marker)?;
            self.lost("opening it ended the process before");
            return Ok(());
        }
        let mut newest: Option<Duration> = None;
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("snap.") && name.ends_with(".generating") {
                fs::remove_file(entry.path())?;
                continue;
            }
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            newest = Some(newest.map_or(age, |known| known.min(age)));
        }
        if newest.is_none_or(|age| age > AGE_MAX) {
            fs::remove_dir_all(&self.path)?;
        }
        Ok(())
    }
}

/// Keys sort by pull, page and chunk.
fn key(pull: &str, number: u32, chunk: u32) -> Vec<u8> {
    let Digest(name) = Digest::of(pull.as_bytes());
    [&name[..PULL_BYTES], &number.to_be_bytes(), &chunk.to_be_bytes()].concat()
}

/// What the first chunk of a page says.
struct Head {
    length: usize,
    sum: u64,
    /// When it was put, in seconds since 1970.
    at: u64,
}

fn read_head(head: &[u8]) -> Option<Head> {
    let (numbers, []) = head.as_chunks::<8>() else { return None };
    let &[length, sum, at] = numbers else { return None };
    let [length, sum, at] = [length, sum, at].map(u64::from_be_bytes);
    Some(Head { length: usize::try_from(length).ok()?, sum, at })
}

#[expect(
    clippy::disallowed_methods,
    reason = "what may be thrown away at any moment goes by the machine's time, as its files do"
)]
fn unix_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// Forgets pulls whose last whole page was put too long ago, and those without any. A page that was being put when the process
/// died has no head.
fn drop_old(db: &Db, now: u64) -> Result<(), sled::Error> {
    let mut from = Vec::new();
    while let Some(first) = db.range(from.as_slice()..).next() {
        let name = first?.0.iter().take(PULL_BYTES).copied().collect::<Vec<u8>>();
        let end = [name.as_slice(), &[0xFF; 9]].concat();
        let (mut page, mut head) = (end.clone(), None);
        while head.is_none()
            && let Some(last) = db.range(name.as_slice()..page.as_slice()).next_back()
        {
            page = [&last?.0[..PULL_BYTES + 4], &[0; 4]].concat();
            head = db.get(&page)?.and_then(|head| read_head(&head));
        }
        if head.is_none_or(|head| head.at + AGE_MAX.as_secs() < now) {
            for found in db.range(name.as_slice()..end.as_slice()) {
                db.remove(found?.0)?;
            }
        }
        from = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::spool::pages::{Spool, SpoolError, beside, key, unix_secs};

    #[test]
    fn pages_are_kept_over_a_restart_and_the_folder_goes_with_the_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("spool");
        let pages: Vec<Vec<u8>> = (0..5u32).map(|n| (0..n * 3_500 + n).map(|at| (at % 251) as u8).collect()).collect();
        {
            let spool = Spool::open(&path).expect("a spool");
            assert!(!path.exists(), "opened at the first use");
            assert_eq!(spool.page("a", 0), None);
            for (number, page) in (0..).zip(&pages) {
                assert!(spool.put("a", number, page));
            }
            assert!(spool.put("b", 7, b"other"));
            assert!(matches!(Spool::open(&path), Err(SpoolError::Busy(_))), "one process at a time");
        }
        let spool = Spool::open(&path).expect("a spool");
        for (number, page) in (0..).zip(&pages) {
            assert_eq!(spool.page("a", number).as_ref(), Some(page));
        }
        assert!(spool.put("a", 3, b"new"));
        assert_eq!(spool.page("a", 3).as_deref(), Some(&b"new"[..]));
        spool.cut("a", 2);
        assert_eq!((spool.page("a", 1).as_ref(), spool.page("a", 2), spool.page("a", 4)), (Some(&pages[1]), None, None));
        spool.cut("a", 0);
        assert_eq!(spool.page("b", 7).as_deref(), Some(&b"other"[..]));
        spool.cut("b", 0);
        assert!(!path.exists());
    }

    #[test]
    fn a_pull_that_nobody_goes_on_with_is_forgotten_a_day_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(&folder.path().join("spool")).expect("a spool");
        let hours = |count: u64| unix_secs() + count * 3600;
        for (pull, number) in [("broken off", 0), ("broken off", 1), ("another", 0), ("done", 0)] {
            assert!(spool.put(pull, number, &[7; 9_000]));
        }
        spool.cut_at("done", 0, hours(23));
        assert!(spool.page("broken off", 1).is_some() && spool.page("done", 0).is_none());
        spool.cut_at("done", 0, hours(25));
        assert!([0, 1].iter().all(|number| spool.page("broken off", *number).is_none()));
        assert!(spool.page("another", 0).is_none() && !folder.path().join("spool").exists());
    }

    #[test]
    fn a_page_that_a_crash_cut_off_keeps_no_pull_for_ever() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(&folder.path().join("spool")).expect("a spool");
        let hours = |count: u64| unix_secs() + count * 3600;
        for (pull, number) in [("cut off", 0), ("cut off", 1), ("never whole", 0), ("done", 0)] {
            assert!(spool.put(pull, number, &[7; 9_000]));
        }
        // The head of a page is written last.
        for (pull, number) in [("cut off", 1), ("never whole", 0)] {
            let db = spool.db(&mut spool.lock()).expect("a database");
            db.remove(key(pull, number, 0)).expect("removed");
        }
        spool.cut_at("done", 0, hours(23));
        assert!(spool.page("cut off", 0).is_some() && spool.page("cut off", 1).is_none());
        spool.cut_at("done", 0, hours(25));
        assert!(!folder.path().join("spool").exists(), "nothing is left");
    }

    #[test]
    fn what_cannot_be_opened_is_moved_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("spool");
        {
            let spool = Spool::open(&path).expect("a spool");
            assert!(spool.put("a", 0, b"page"));
        }
        for file in ["conf", "db"] {
            fs::write(path.join(file), [0xA5; 64]).expect("damage");
        }
        fs::write(path.join("snap.00000.generating"), "half").expect("damage");
        let spool = Spool::open(&path).expect("a spool");
        assert_eq!(spool.page("a", 0), None);
        assert!(spool.put("a", 0, b"again"));
        assert_eq!(spool.page("a", 0).as_deref(), Some(&b"again"[..]));
        assert!(beside(&path, ".damaged").exists());
        drop(spool);
        // A process that died while it opened the spool leaves its marker.
        fs::write(beside(&path, ".opening"), "").expect("a marker");
        let spool = Spool::open(&path).expect("a spool");
        assert_eq!(spool.page("a", 0), None);
    }
}
