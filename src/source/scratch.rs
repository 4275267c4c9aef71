//! Room for what a read has millions of, in files that nobody else sees: they have no name, and go with the process.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::roster::{Room, Stretch};

/// Room in a folder, which is made when it is needed.
#[derive(Clone, Debug)]
pub struct Scratch {
    folder: PathBuf,
}

/// Files get a name for a moment.
static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Scratch {
    /// Room in this folder.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn file(&self) -> io::Result<File> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let name = format!("rows.{}.{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = self.folder.join(name);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    }
}

impl Room for Scratch {
    fn stretch(&self) -> Option<Box<dyn Stretch>> {
        self.file().ok().map(|file| Box::new(Nameless(file)) as Box<dyn Stretch>)
    }
}

#[derive(Debug)]
struct Nameless(File);

impl Stretch for Nameless {
    fn write(&self, at: u64, bytes: &[u8]) -> bool {
        self.0.write_all_at(bytes, at).is_ok()
    }

    fn read(&self, at: u64, into: &mut [u8]) -> bool {
        self.0.read_exact_at(into, at).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use crate::roster::Room;
    use crate::source::scratch::Scratch;

    #[test]
    fn bytes_come_back_and_no_name_stays_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = Scratch::new(folder.path().join("scratch"));
        let (one, other) = (room.stretch().expect("room"), room.stretch().expect("room"));
        assert!(one.write(3, b"abc") && other.write(0, b"xyzuvw"));
        let mut found = [9; 6];
        assert!(one.read(0, &mut found) && found == *b"\0\0\0abc");
        assert!(!one.read(4, &mut found), "behind its end there is nothing");
        assert_eq!(std::fs::read_dir(folder.path().join("scratch")).expect("a folder").count(), 0);
        assert!(Scratch::new("/proc/none".into()).stretch().is_none());
    }
}
