//! One daemon per store: an operating-system lock on a file beside the database, which falls with its process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::base::Instant;
use crate::store::api::DaemonLease;
use crate::store::error::StoreError;
use crate::store::shape::DaemonMark;
use crate::store::sqlite::connect::{probe_path, told_by_system};

/// Somebody who only asks for the daemon's mark holds the lock for an instant; so one refusal is no proof.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

struct Lease(File);

impl DaemonLease for Lease {}

impl Drop for Lease {
    fn drop(&mut self) {
        // Only tidies up: the lock falls with the file in any case, and a mark without a lock counts for nothing.
        drop(self.0.set_len(0));
        drop(self.0.unlock());
    }
}

/// Takes the lock and writes the mark.
pub(in crate::store::sqlite) fn take(
    database: &Path,
    place: &str,
    mark: &DaemonMark,
) -> Result<Box<dyn DaemonLease>, StoreError> {
    let system = |cause| told_by_system(cause, place);
    let path = probe_path(database);
    let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = open().map_err(system)?;
    for _ in 0..TRIES {
        match file.try_lock() {
            // Whoever had it took the file away: a lock on it keeps nobody out.
            Ok(()) if file.metadata().map_err(system)?.nlink() == 0 => file = open().map_err(system)?,
            Ok(()) => {
                let DaemonMark { pid, host, since } = mark;
                let line = format!("{pid} {} {host}\n", since.0);
                file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(line.as_bytes())).map_err(system)?;
                return Ok(Box::new(Lease(file)));
            }
            Err(TryLockError::WouldBlock) => sleep(PAUSE),
            Err(TryLockError::Error(cause)) => return Err(system(cause)),
        }
    }
    let place = place.to_owned();
    match read(&mut file).map_err(system_of(&place))? {
        Some(DaemonMark { pid, host, since }) => Err(StoreError::DaemonRunning { place, pid, host, since }),
        None => Err(StoreError::Busy { place }),
    }
}

/// The mark of the daemon that holds the lock now.
pub(in crate::store::sqlite) fn holder(database: &Path, place: &str) -> Result<Option<DaemonMark>, StoreError> {
    let mut file = match File::open(probe_path(database)) {
        Ok(file) => file,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(told_by_system(cause, place)),
    };
    for _ in 0..TRIES {
        match file.try_lock_shared() {
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(cause)) => return Err(told_by_system(cause, place)),
        }
        if let Some(mark) = read(&mut file).map_err(system_of(place))? {
            return Ok(Some(mark));
        }
        // It is just writing its mark.
        sleep(PAUSE);
    }
    Err(StoreError::Busy { place: place.into() })
}

fn system_of(place: &str) -> impl Fn(std::io::Error) -> StoreError + '_ {
    move |cause| told_by_system(cause, place)
}

fn read(file: &mut File) -> std::io::Result<Option<DaemonMark>> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    let Some(line) = text.strip_suffix('\n') else { return Ok(None) };
    let mut words = line.splitn(3, ' ');
    let mark = (|| {
        Some(DaemonMark {
            pid: words.next()?.parse().ok()?,
            since: Instant(words.next()?.parse().ok()?),
            host: words.next()?.to_owned(),
        })
    })();
    Ok(mark)
}
