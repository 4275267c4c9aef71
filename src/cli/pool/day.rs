//! Dates on the command line.

use crate::base::Day;

/// A date as the command line takes it.
///
/// # Errors
/// How to write it.
pub fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "write a date as 2026-03-01".to_owned())
}
