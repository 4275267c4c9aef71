//! Lists in pages. A cursor names the last row of a page and its place, so that the next page begins behind that row even if
//! others came or went; if the row itself is gone, it begins at that place.

use crate::http::problem::Problem;
use crate::http::question::{Question, ROWS_MAX};
use crate::http::says::{Ask, Kind};

/// How long a page is to be.
pub const LIMIT: Ask = Ask::new("limit", Kind::Number(1, ROWS_MAX), "At most so many rows; 100 if left out.");
/// Where it begins.
pub const AFTER: Ask = Ask::new("after", Kind::Text, "Go on where a page ended: its `next`.");
/// Both.
pub const PAGE: &[Ask] = &[LIMIT, AFTER];

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// How many rows there were up to its end.
    pub place: usize,
    /// The key of its last row.
    pub key: String,
}

impl Cursor {
    /// The cursor of a question, if it goes on where another page ended.
    ///
    /// # Errors
    /// If it is none of ours.
    pub fn of(question: &Question) -> Result<Option<Self>, Problem> {
        let wrong = || Problem::bad_request("after is not a cursor that a page ended with");
        question.text("after").map(|text| Self::read(text).ok_or_else(wrong)).transpose()
    }

    fn read(text: &str) -> Option<Self> {
        let bytes: Option<Vec<u8>> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
            .collect();
        let text = String::from_utf8(bytes?).ok()?;
        let (place, key) = text.split_once(' ')?;
        Some(Self { place: place.parse().ok()?, key: key.to_owned() })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        format!("{} {}", self.place, self.key).bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The page that is asked for of rows that are always in the same order, and the cursor of the next one.
///
/// # Errors
/// If the question's cursor is none of ours.
pub fn page<T>(question: &Question, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> Result<(Vec<T>, Option<String>), Problem> {
    let first = match Cursor::of(question)? {
        None => 0,
        Some(cursor) => match rows.iter().position(|row| key(row) == cursor.key) {
            Some(last) => last + 1,
            None => cursor.place.min(rows.len()),
        },
    };
    rows.drain(..first);
    let more = rows.len() > question.limit();
    rows.truncate(question.limit());
    let last = rows.last().filter(|_| more);
    let next = last.map(|last| Cursor { place: first + rows.len(), key: key(last) }.to_string());
    Ok((rows, next))
}

#[cfg(test)]
mod tests {
    use crate::http::page::Cursor;

    #[test]
    fn cursors_come_back_and_others_do_not() {
        for (place, key) in [(0, ""), (7, "learn/ana ü"), (100, "a b")] {
            let cursor = Cursor { place, key: key.to_owned() };
            assert_eq!(Cursor::read(&cursor.to_string()), Some(cursor));
        }
        for text in ["", "7", "zz", "3", "+1+2", "ff", "ü", "3020ff"] {
            assert_eq!(Cursor::read(text), None, "{text}");
        }
    }
}
