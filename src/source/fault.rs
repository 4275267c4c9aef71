//! Errors of sources that read files, in few words.

use std::io;

use crate::source::api::SourceError;

/// Something cannot be reached.
pub(crate) fn unreachable(what: String, cause: io::Error) -> SourceError {
    SourceError::Unreachable { what, cause }
}

/// Why a file is not taken, as a cause.
pub(crate) fn because(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}
