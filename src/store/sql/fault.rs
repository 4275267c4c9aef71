//! What goes wrong inside a transaction, and how it is told.

use std::fs::File;
use std::io::ErrorKind;

use rusqlite::{ErrorCode, ffi};

use crate::base::CustomerId;
use crate::store::error::StoreError;
use crate::store::record::DecodeError;
use crate::store::sql::told::{is_away, told_by_postgres};

/// A failure before it knows which store it happened in.
#[derive(Debug)]
pub enum Fault {
    /// SQLite said no.
    Lite(rusqlite::Error),
    /// PostgreSQL said no.
    Pg(tokio_postgres::Error),
    /// PostgreSQL said nothing: why that is known. Nobody knows what it did.
    Unheard(String),
    /// There is no row.
    NoRow,
    /// What is stored, or what is to be stored, contradicts itself.
    Corrupt { what: String, why: String },
    /// Already a whole sentence.
    Told(StoreError),
}

impl Fault {
    pub(in crate::store) fn corrupt(what: impl Into<String>, why: impl ToString) -> Self {
        Fault::Corrupt { what: what.into(), why: why.to_string() }
    }

    /// For `map_err` on a decoder's answer.
    pub(in crate::store::sql) fn unreadable(what: impl FnOnce() -> String) -> impl FnOnce(DecodeError) -> Self {
        move |why| Fault::corrupt(what(), why)
    }

    /// Whether the server is away, so that the connection is of no use any more.
    pub(in crate::store) fn is_away(&self) -> bool {
        match self {
            Fault::Pg(cause) => is_away(cause),
            Fault::Unheard(_) => true,
            _ => false,
        }
    }

    pub(in crate::store) fn told(self, place: &str) -> StoreError {
        match self {
            Fault::Told(error) => error,
            Fault::Corrupt { what, why } => StoreError::Corrupt { place: place.into(), what, why },
            Fault::Lite(cause) => told_by_sqlite(cause, place),
            Fault::Pg(cause) => told_by_postgres(cause, place),
            Fault::Unheard(why) => StoreError::Away { place: place.into(), cause: why.into() },
            Fault::NoRow => StoreError::Corrupt { place: place.into(), what: "a row".into(), why: "it is missing".into() },
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(cause: rusqlite::Error) -> Self {
        Fault::Lite(cause)
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(cause: tokio_postgres::Error) -> Self {
        Fault::Pg(cause)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Fault::Told(error)
    }
}

/// What a text or blob of a row stands for, for messages.
pub(in crate::store::sql) fn of(what: &str, customer: &CustomerId) -> String {
    format!("{what} of {customer}")
}

/// The disk failed below SQLite.
#[derive(Debug, thiserror::Error)]
#[error("read or write the disk (SQLite code {code}); check {}", to_check(*.code))]
struct DiskFault {
    code: i32,
    #[source]
    cause: rusqlite::Error,
}

/// A write that is refused although the disk has space is most often a bound that somebody set.
fn to_check(code: i32) -> &'static str {
    if code == ffi::SQLITE_IOERR_WRITE {
        "quotas, the limit of file sizes (ulimit -f), the disk and the system's log"
    } else {
        "the disk and the system's log"
    }
}

/// A disk that fails is made read-only by the system, and whoever has a file open on it then hears of a failed write only.
/// The store's own files are not touched: closing one would give up the locks that this process holds on it.
fn is_read_only(place: &str) -> bool {
    let Some(file) = place.strip_prefix("sqlite:") else { return false };
    let probe = format!("{file}.probe");
    match File::create_new(&probe) {
        Ok(_) => std::fs::remove_file(&probe).is_err_and(|error| error.kind() == ErrorKind::ReadOnlyFilesystem),
        Err(error) => error.kind() == ErrorKind::ReadOnlyFilesystem,
    }
}

fn told_by_sqlite(cause: rusqlite::Error, place: &str) -> StoreError {
    let place = place.to_owned();
    let Some(error) = cause.sqlite_error().copied() else {
        return match cause {
            // A column that is not what the schema says: somebody else wrote it.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => StoreError::Corrupt { place, what: "a row".into(), why: cause.to_string() },
            cause => StoreError::Database { place, cause: Box::new(cause) },
        };
    };
    match error.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            StoreError::Busy { place }
        }
        ErrorCode::DiskFull => StoreError::DiskFull { place },
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly { place },
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            StoreError::Corrupt { place, what: "the database file".into(), why: cause.to_string() }
        }
        // The index of the log could not be made: it is the first file that grows, and so the first to find no space.
        ErrorCode::SystemIoFailure if error.extended_code == ffi::SQLITE_IOERR_SHMSIZE => StoreError::DiskFull { place },
        ErrorCode::SystemIoFailure if is_read_only(&place) => StoreError::ReadOnly { place },
        ErrorCode::SystemIoFailure => {
            StoreError::Disk { place, cause: Box::new(DiskFault { code: error.extended_code, cause }) }
        }
        _ => StoreError::Database { place, cause: Box::new(cause) },
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use crate::base::ErrorChain;
    use crate::store::error::StoreError;
    use crate::store::sql::fault::Fault;

    fn told(code: i32) -> StoreError {
        Fault::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)).told("sqlite:/nowhere/r.db")
    }

    #[test]
    fn sqlites_codes_become_sentences() {
        assert!(matches!(told(ffi::SQLITE_BUSY), StoreError::Busy { .. }));
        assert!(matches!(told(ffi::SQLITE_BUSY_SNAPSHOT), StoreError::Busy { .. }));
        assert!(matches!(told(ffi::SQLITE_FULL), StoreError::DiskFull { .. }));
        assert!(matches!(told(ffi::SQLITE_IOERR_SHMSIZE), StoreError::DiskFull { .. }));
        assert!(ErrorChain(&told(ffi::SQLITE_IOERR_WRITE)).to_string().contains("ulimit -f"));
        assert!(matches!(told(ffi::SQLITE_READONLY_DBMOVED), StoreError::ReadOnly { .. }));
        assert!(matches!(told(ffi::SQLITE_CORRUPT), StoreError::Corrupt { .. }));
        assert!(matches!(told(ffi::SQLITE_NOTADB), StoreError::Corrupt { .. }));
        let disk = told(ffi::SQLITE_IOERR_FSYNC);
        assert_eq!(
            ErrorChain(&disk).to_string().split(": ").take(2).collect::<Vec<_>>(),
            ["use sqlite:/nowhere/r.db", "read or write the disk (SQLite code 1034); check the disk and the system's log"]
        );
        assert!(matches!(told(ffi::SQLITE_CANTOPEN), StoreError::Database { .. }));
    }
}
