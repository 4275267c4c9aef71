//! What PostgreSQL says, as the store tells it.

use postgres::error::SqlState;

use crate::store::error::StoreError;

/// Whether the server is away: it was stopped, is starting, or cannot be reached. Nothing it was just told is known to be
/// done.
pub fn is_away(cause: &postgres::Error) -> bool {
    match cause.code() {
        Some(code) => [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::CONNECTION_FAILURE,
            SqlState::CONNECTION_DOES_NOT_EXIST,
            SqlState::CONNECTION_EXCEPTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(code),
        // Whatever the server did not say itself happened on the way, but for values that do not fit their columns.
        None => cause.is_closed() || is_io(cause),
    }
}

fn is_io(cause: &postgres::Error) -> bool {
    let mut at: Option<&dyn std::error::Error> = Some(cause);
    while let Some(error) = at {
        if error.is::<std::io::Error>() {
            return true;
        }
        at = error.source();
    }
    cause.to_string().contains("timed out")
}

pub(in crate::store::sql) fn told_by_postgres(cause: postgres::Error, place: &str) -> StoreError {
    let place = place.to_owned();
    if is_away(&cause) {
        return StoreError::Away { place, cause: Box::new(cause) };
    }
    let Some(code) = cause.code() else { return StoreError::Database { place, cause: Box::new(cause) } };
    let is = |codes: &[SqlState]| codes.contains(code);
    if is(&[
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
    ]) {
        StoreError::Busy { place }
    } else if is(&[SqlState::DISK_FULL]) {
        StoreError::DiskFull { place }
    } else if is(&[SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::INSUFFICIENT_PRIVILEGE]) {
        StoreError::ReadOnly { place }
    } else if is(&[SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED]) {
        StoreError::Corrupt { place, what: "the database".into(), why: cause.to_string() }
    } else if is(&[SqlState::IO_ERROR]) {
        StoreError::Disk { place, cause: Box::new(cause) }
    } else {
        StoreError::Database { place, cause: Box::new(cause) }
    }
}
