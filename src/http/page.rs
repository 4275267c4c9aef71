//! Lists in pages. A cursor names the last row of a page and its place, so that the next page begins behind that row even if
//! others came or went, or the row itself did.

use crate::base::Instant;
use crate::http::problem::Problem;
use crate::http::question::{Question, ROWS_MAX};
use crate::http::says::{AS_OF, Ask, Kind};

/// How long a page is to be.
pub const LIMIT: Ask = Ask::new("limit", Kind::Number(1, ROWS_MAX), "At most so many rows; 100 if left out.");
/// Where it begins.
pub const AFTER: Ask = Ask::new("after", Kind::Text, "Go on where a page ended: its `next`.");
/// Both.
pub const PAGE: &[Ask] = &[LIMIT, AFTER];

/// The same of an instant.
pub const PAGE_THEN: &[Ask] = &[AS_OF, LIMIT, AFTER];

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

/// The key of a row of a list that goes up by a number.
pub fn up(number: u64) -> String {
    format!("{number:020}")
}

/// The same of a list that goes down, as one with the newest first does.
pub fn down(number: u64) -> String {
    up(u64::MAX - number)
}

/// The number of such a key.
pub fn down_of(key: &str) -> Option<u64> {
    key.parse().ok().map(|number: u64| u64::MAX - number)
}

/// The key of a row of a list that goes up by an instant.
pub fn since(at: Instant) -> String {
    up(at.0.wrapping_sub(i64::MIN).cast_unsigned())
}

/// The page that is asked for of rows that are in the order of their keys, and the cursor of the next one. A row keeps its key
/// as long as it keeps its place among the others.
///
/// # Errors
/// If the question's cursor is none of ours.
pub fn page<T>(question: &Question, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> Result<(Vec<T>, Option<String>), Problem> {
    let first = match Cursor::of(question)? {
        None => 0,
        Some(cursor) => match rows.iter().position(|row| key(row) == cursor.key) {
            Some(last) => last + 1,
            None => rows.iter().position(|row| key(row) > cursor.key).unwrap_or(rows.len()),
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
    use axum::body::Bytes;
    use axum::http::Request;

    use crate::base::Instant;
    use crate::http::page::{Cursor, PAGE, down, down_of, page, since, up};
    use crate::http::question::Question;
    use crate::http::says::Input;

    #[test]
    fn keys_are_in_the_order_of_their_numbers() {
        let numbers = [0, 9, 10, 99, i64::MAX.cast_unsigned(), u64::MAX];
        assert!(numbers.map(up).is_sorted() && numbers.map(down).iter().rev().is_sorted());
        assert_eq!(numbers.map(|number| down_of(&down(number))), numbers.map(Some));
        assert!([i64::MIN, -1, 0, 1, i64::MAX].map(|at| since(Instant(at))).is_sorted());
        assert_eq!(["", "x", "-1", "99999999999999999999"].map(down_of), [None; 4]);
    }

    /// Every way in which rows of five may stand at each of three pages.
    #[test]
    fn what_stood_all_the_time_is_told_once_and_nothing_twice() {
        const ALL: u32 = 5;
        let rows = |set: u32| (0..ALL).filter(|row| set & (1 << row) != 0).collect::<Vec<_>>();
        let question = |after: &Option<String>| {
            let after = after.as_ref().map_or(String::new(), |after| format!("&after={after}"));
            let (parts, ()) = Request::get(format!("/rows?limit=2{after}")).body(()).expect("a request").into_parts();
            Question::read((PAGE, Input::Nothing), Vec::new(), &parts, Bytes::new())
                .unwrap_or_else(|why| panic!("{}", why.detail))
        };
        for sets in 0..1_u32 << (3 * ALL) {
            let sets = [0, ALL, 2 * ALL].map(|shift| (sets >> shift) & ((1 << ALL) - 1));
            let (mut told, mut after) = (Vec::new(), None);
            for set in sets {
                let paged = page(&question(&after), rows(set), |row| up(u64::from(*row)));
                let (found, next) = paged.unwrap_or_else(|why| panic!("{}", why.detail));
                told.extend(found);
                after = next;
                if after.is_none() {
                    break;
                }
            }
            let once = told.is_sorted_by(|one, other| one < other);
            let stood = rows(sets[0] & sets[1] & sets[2]);
            assert!(once && (after.is_some() || stood.iter().all(|row| told.contains(row))), "{sets:?}: {told:?}");
        }
    }

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
