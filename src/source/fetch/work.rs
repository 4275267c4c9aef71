//! A folder for files on their way: of one process, and gone with it.
//!
//! Each process has one of its own and holds a lock beside it. What a process that died left behind is recognized by its
//! lock, which nobody holds any more, and is removed by whoever comes next.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A lock that is younger may be about to be taken.
const YOUNG: Duration = Duration::from_secs(60);

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// See the module.
pub(crate) struct Work {
    base: PathBuf,
    folder: PathBuf,
    held: Mutex<Option<File>>,
}

impl Work {
    /// A folder of its own below `base`; nothing is made yet.
    pub(crate) fn below(base: &Path) -> Self {
        let name = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Self { base: base.to_owned(), folder: base.join(name), held: Mutex::default() }
    }

    /// Where it is, whether it is there or not.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes it, if it is not there.
    pub(crate) fn open(&self) -> io::Result<()> {
        let mut held = self.held();
        if held.is_some() {
            return Ok(());
        }
        private_folder(&self.base)?;
        self.sweep();
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(self.lock())?;
        lock.lock()?;
        *held = Some(lock);
        // Of a process of the same number, long ago.
        let _ = fs::remove_dir_all(&self.folder);
        private_folder(&self.folder)
    }

    /// Removes it with all that is in it.
    pub(crate) fn clear(&self) {
        if let Some(lock) = self.held().take() {
            // What cannot be removed now is swept away later.
            let _ = fs::remove_dir_all(&self.folder).and_then(|()| fs::remove_file(self.lock()));
            drop(lock);
        }
    }

    fn lock(&self) -> PathBuf {
        self.folder.with_extension("lock")
    }

    fn held(&self) -> MutexGuard<'_, Option<File>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whatever goes wrong here, goes wrong for what is of no use to anybody.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.base) else { return };
        for path in
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension().is_some_and(|e| e == "lock"))
        {
            let Ok(lock) = File::open(&path) else { continue };
            let age = lock.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|at| at.elapsed().ok());
            if age.is_some_and(|age| age > YOUNG) && lock.try_lock().is_ok() {
                let _ = fs::remove_dir_all(path.with_extension("")).or_else(gone).and_then(|()| fs::remove_file(&path));
            }
        }
    }
}

fn gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// What lies here is personal.
fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

impl Drop for Work {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use crate::source::fetch::work::Work;

    #[test]
    fn a_folder_goes_with_its_process_and_what_a_dead_one_left_is_swept_away() {
        let place = tempfile::tempdir().expect("a folder");
        let base = place.path().join("files");
        let (living, other) = (Work::below(&base), Work::below(&base));
        assert!(!base.exists(), "nothing before it is needed");
        living.open().expect("made");
        fs::write(living.folder().join("a.zip"), "a").expect("written");
        let age = |file: &fs::File| {
            let now = file.metadata().and_then(|metadata| metadata.modified()).expect("a time");
            file.set_modified(now - Duration::from_secs(120)).expect("set");
        };
        for name in ["dead", "starting"] {
            fs::create_dir(base.join(name)).expect("made");
            let lock = fs::File::create(base.join(name).with_extension("lock")).expect("made");
            if name == "dead" {
                age(&lock);
            }
        }
        age(&fs::File::open(living.folder().with_extension("lock")).expect("there"));
        other.open().expect("made");
        assert!(living.folder().join("a.zip").exists() && base.join("starting").exists());
        assert!(!base.join("dead").exists() && !base.join("dead.lock").exists());
        living.clear();
        drop(other);
        let mut left: Vec<_> = fs::read_dir(&base).expect("listed").map(|entry| entry.expect("an entry").file_name()).collect();
        left.sort();
        assert_eq!(left, ["starting", "starting.lock"]);
    }
}
