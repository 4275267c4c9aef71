//! Who counts as present (hr-sources §1.1).

use crate::base::Day;

/// Words of a status column, in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusMapping {
    /// The column.
    pub column: String,
    /// Words of people who are there.
    pub active: Vec<String>,
    /// Words of people who are not.
    pub inactive: Vec<String>,
    /// Whether people whose cell is empty are there; `None`: such a row is wrong.
    pub empty: Option<bool>,
}

impl StatusMapping {
    /// Words that most feeds use.
    pub const ACTIVE: [&str; 5] = ["active", "true", "1", "yes", "y"];
    /// And the others.
    pub const INACTIVE: [&str; 8] = ["inactive", "terminated", "deleted", "disabled", "false", "0", "no", "n"];

    /// A column with the well-known words, and no empty cells.
    pub fn of(column: &str) -> Self {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self { column: column.to_owned(), active: owned(&Self::ACTIVE), inactive: owned(&Self::INACTIVE), empty: None }
    }

    /// Whether a cell says that the person is there; `None` where no word fits.
    pub fn is_active(&self, cell: &str) -> Option<bool> {
        if cell.is_empty() {
            return self.empty;
        }
        let among = |words: &[String]| words.iter().any(|word| same_word(word, cell));
        if among(&self.active) { Some(true) } else { among(&self.inactive).then_some(false) }
    }
}

/// Equal but for case, in any script.
pub(crate) fn same_word(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!a.is_ascii() && a.to_lowercase() == b.to_lowercase())
}

/// What a row says of its person's stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// There, from the first to the last day; the first day may be to come.
    Stays {
        /// The first day, [`Day::MIN`] if unset.
        first: Day,
        /// The last day, inclusive; [`Day::MAX`] if unset.
        last: Day,
    },
    /// Left: by status or by date.
    Left,
}

/// The end lies before the start, and the person is said to be there: which of the three is wrong cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndBeforeStart;

/// Puts status and dates together. `last` is the last day worked.
///
/// # Errors
/// [`EndBeforeStart`].
pub fn presence(is_active: bool, first: Option<Day>, last: Option<Day>, today: Day) -> Result<Presence, EndBeforeStart> {
    let (first, last) = (first.unwrap_or(Day::MIN), last.unwrap_or(Day::MAX));
    match is_active {
        false => Ok(Presence::Left),
        true if last < first => Err(EndBeforeStart),
        true if last < today => Ok(Presence::Left),
        true => Ok(Presence::Stays { first, last }),
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Day;
    use crate::source::hr::status::{EndBeforeStart, Presence, StatusMapping, presence};

    #[test]
    fn words_in_any_case_and_language_and_no_others() {
        let mut status = StatusMapping::of("Status");
        for (cell, means) in [
            ("Active", Some(true)),
            ("TRUE", Some(true)),
            ("1", Some(true)),
            ("y", Some(true)),
            ("Terminated", Some(false)),
            ("False", Some(false)),
            ("0", Some(false)),
            ("On Leave", None),
            ("", None),
        ] {
            assert_eq!(status.is_active(cell), means, "{cell}");
        }
        status.active.push("Übernommen".to_owned());
        status.empty = Some(true);
        assert_eq!((status.is_active("übernommen"), status.is_active("")), (Some(true), Some(true)));
    }

    #[test]
    fn present_today() {
        let day = |n: i32| Some(Day(n));
        let (today, stays) = (Day(100), |first, last| Ok(Presence::Stays { first, last }));
        for (is_active, first, last, means) in [
            (true, None, None, stays(Day::MIN, Day::MAX)),
            (true, day(50), None, stays(Day(50), Day::MAX)),
            (true, day(100), None, stays(Day(100), Day::MAX)),
            // Future-dated: pending, and told with the day.
            (true, day(101), None, stays(Day(101), Day::MAX)),
            (true, day(50), day(130), stays(Day(50), Day(130))),
            // The last day worked is still worked.
            (true, None, day(100), stays(Day::MIN, Day(100))),
            (true, day(50), day(99), Ok(Presence::Left)),
            (false, None, None, Ok(Presence::Left)),
            (false, day(130), None, Ok(Presence::Left)),
            (false, day(50), day(130), Ok(Presence::Left)),
            // Hired again, and the old end still stands there.
            (true, day(50), day(40), Err(EndBeforeStart)),
            (true, day(130), day(40), Err(EndBeforeStart)),
            (false, day(50), day(40), Ok(Presence::Left)),
        ] {
            assert_eq!(presence(is_active, first, last, today), means, "{is_active} {first:?} {last:?}");
        }
    }
}
