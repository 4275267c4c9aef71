//! Words of bodies: dates, instants, texts, each checked as the command line checks them.

use crate::base::{Day, Instant};
use crate::http::problem::Problem;

/// A text of a body is at most so long.
const TEXT_CHARS_MAX: usize = 1000;

/// A date.
///
/// # Errors
/// How to write it.
pub fn day(text: &str) -> Result<Day, Problem> {
    Day::parse(text).ok_or_else(|| Problem::bad_request("write a date as 2026-03-01"))
}

/// An instant.
///
/// # Errors
/// How to write it.
pub fn instant(text: &str) -> Result<Instant, Problem> {
    Instant::parse(text).ok_or_else(|| Problem::bad_request("write an instant as 2026-03-31T07:10:00Z"))
}

/// A text that is to be kept for good, such as a reason or a reference: it says something, on one line.
///
/// # Errors
/// What is wrong with it.
pub fn told(field: &str, text: String) -> Result<String, Problem> {
    if text.chars().any(char::is_control) || text.chars().count() > TEXT_CHARS_MAX || text.trim().is_empty() {
        return Err(Problem::bad_request(format!("{field} is 1 to {TEXT_CHARS_MAX} characters on one line")));
    }
    Ok(text)
}

/// A channel by which a notice arrived.
///
/// # Errors
/// How to write it.
pub fn channel(text: &str) -> Result<&str, Problem> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let is_one = (1..=32).contains(&text.len()) && text.chars().all(fits);
    if is_one { Ok(text) } else { Err(Problem::bad_request("channel is a word in small letters, such as phone or mail")) }
}
