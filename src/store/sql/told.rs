//! What PostgreSQL says, as the store tells it.

use tokio_postgres::error::SqlState;

use crate::store::error::StoreError;

/// Whether the server is away: it was stopped, is starting, or cannot be reached. Nothing it was just told is known to be
/// done.
pub(in crate::store::sql) fn is_away(cause: &tokio_postgres::Error) -> bool {
    match cause.code() {
        Some(code) => is_code_of_away(code),
        // Whatever the server did not say itself happened on the way, but for values that do not fit their columns.
        None => cause.is_closed() || is_io(cause),
    }
}

/// The whole class of connections that fail, as poolers say it too; a server that stops, starts or has no room.
fn is_code_of_away(code: &SqlState) -> bool {
    code.code().starts_with("08")
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::IDLE_SESSION_TIMEOUT,
        ]
        .contains(code)
}

fn is_io(cause: &tokio_postgres::Error) -> bool {
    let mut at: Option<&dyn std::error::Error> = Some(cause);
    while let Some(error) = at {
        if error.is::<std::io::Error>() {
            return true;
        }
        at = error.source();
    }
    cause.to_string().contains("timed out")
}

pub(in crate::store::sql) fn told_by_postgres(cause: tokio_postgres::Error, place: &str) -> StoreError {
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

#[cfg(test)]
mod tests {
    use tokio_postgres::error::SqlState;

    use crate::store::sql::told::is_code_of_away;

    #[test]
    fn a_server_or_a_pooler_that_hangs_up_is_away() {
        // The last two of class 08 are what poolers say: no server behind them, or none in time.
        for code in ["08000", "08003", "08006", "08001", "08P01", "08004", "57P01", "57P02", "57P03", "53300", "25P03", "57P05"]
        {
            assert!(is_code_of_away(&SqlState::from_code(code)), "{code}");
        }
        for code in ["57014", "40001", "55P03", "53100", "25006", "XX000"] {
            assert!(!is_code_of_away(&SqlState::from_code(code)), "{code}");
        }
    }
}
