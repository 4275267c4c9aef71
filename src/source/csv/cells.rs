//! The cells of one file's rows: looked up by column, read as values, with faults in the words of oneroster-csv §8.

use crate::base::{Day, Instant};
use crate::roster::RowStatus;
use crate::source::csv::fault::shown;
use crate::source::csv::files::{CsvVersion, FileKind};
use crate::source::csv::header::Layout;
use crate::source::csv::scan::Row;
use crate::source::csv::sink::RowSink;
use crate::source::csv::value::{Dates, TimeForm, is_guid, is_list, list, time};

/// What is wrong with a row.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The rule broken.
    pub(crate) rule: &'static str,
    /// The column, by its place in [`FileKind::columns`].
    pub(crate) column: Option<usize>,
    /// The expected form.
    pub(crate) detail: String,
}

/// A value, or why there is none.
pub(crate) type Read<T> = Result<T, Box<Fault>>;
/// Rule, field, what to tell.
type Note = (&'static str, &'static str, &'static str);

/// A fault, boxed so that a good row does not pay for it.
#[cold]
pub(crate) fn fault(rule: &'static str, column: Option<usize>, detail: impl Into<String>) -> Box<Fault> {
    Box::new(Fault { rule, column, detail: detail.into() })
}

/// Reads the cells of one file's rows.
pub(crate) struct Cells<'s> {
    file: FileKind,
    /// Where the columns stand.
    pub(crate) layout: &'s Layout,
    /// The binding's version.
    pub(crate) version: CsvVersion,
    /// Accept known deviations.
    pub(crate) lenient: bool,
    /// Accept classes without a course.
    pub(crate) courses_optional: bool,
    notes: Vec<Note>,
    /// Which (kind of note, column) was told, one bit per column.
    told: [u32; 4],
    dates_first: Dates,
    dates_last: Dates,
    dates_modified: Dates,
}

/// Kinds of notes, each told once per column.
#[derive(Clone, Copy)]
enum NoteKind {
    Word,
    DateOnly,
    LooseTime,
    List,
}

impl<'s> Cells<'s> {
    /// Reads `file` with its columns at the places that `layout` tells.
    pub(crate) fn new(file: FileKind, layout: &'s Layout, version: CsvVersion, lenient: bool, courses_optional: bool) -> Self {
        Self {
            file,
            layout,
            version,
            lenient,
            courses_optional,
            notes: Vec::new(),
            told: [0; 4],
            dates_first: Dates::default(),
            dates_last: Dates::default(),
            dates_modified: Dates::default(),
        }
    }

    /// The same for another thread: what was told once is not told again.
    pub(crate) fn again(&self) -> Self {
        let Self { file, layout, version, lenient, courses_optional, told, .. } = *self;
        Self { told, ..Self::new(file, layout, version, lenient, courses_optional) }
    }

    /// Whether a row left notes.
    #[inline]
    pub(crate) fn has_notes(&self) -> bool {
        !self.notes.is_empty()
    }

    /// The notes: rule, field, what to tell.
    pub(crate) fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    #[cold]
    fn note(&mut self, kind: NoteKind, column: usize, rule: &'static str, detail: &'static str) {
        let bit = 1u32 << column;
        if self.told[kind as usize] & bit == 0 {
            self.told[kind as usize] |= bit;
            self.notes.push((rule, self.file.columns()[column], detail));
        }
    }

    /// A cell as it is.
    #[inline]
    pub(crate) fn get<'r>(&self, row: &Row<'r>, column: usize) -> &'r str {
        row.get(self.layout.place(column))
    }

    #[inline]
    pub(crate) fn required<'r>(&self, row: &Row<'r>, column: usize) -> Read<&'r str> {
        let text = self.get(row, column);
        if text.trim_start_matches(' ').is_empty() {
            return Err(fault("required_blank", Some(column), "a value is required"));
        }
        Ok(text)
    }

    /// A value may be told where it is an id, a date or a word of a list, except in files of people, where shifted cells
    /// could bring a name or worse into such a column: there only what looks like a slip of spelling is told.
    pub(crate) fn found(&self, column: usize, value: &str, is_personal: bool) -> String {
        const SPELLINGS: [&str; 13] = [
            "true",
            "false",
            "yes",
            "no",
            "0",
            "1",
            "student",
            "teacher",
            "administrator",
            "parent",
            "guardian",
            "active",
            "inactive",
        ];
        let is_slip = SPELLINGS.iter().any(|word| word.eq_ignore_ascii_case(value));
        let is_time = column == 2 && value.chars().all(|c| c.is_ascii_digit() || "-/:.TZ+ ".contains(c));
        if is_slip || is_time || (self.file != FileKind::Users && !is_personal) {
            format!("found `{}`", shown(value))
        } else {
            format!("found something else, {} characters long", value.chars().count())
        }
    }

    /// A required id.
    #[inline]
    pub(crate) fn guid<'r>(&self, row: &Row<'r>, column: usize) -> Read<&'r str> {
        let text = self.get(row, column);
        if is_guid(text) { Ok(text) } else { Err(self.bad_guid(text, column)) }
    }

    /// The id of another record. A sink that knows all ids need not be told that one is no id: it does not know it.
    #[inline]
    pub(crate) fn reference<'r, S: RowSink>(&self, row: &Row<'r>, column: usize, sink: &S) -> Read<&'r str> {
        let text = self.get(row, column);
        if sink.knows_ids() && !text.is_empty() { Ok(text) } else { self.guid(row, column) }
    }

    #[cold]
    fn bad_guid(&self, text: &str, column: usize) -> Box<Fault> {
        if text.trim_start_matches(' ').is_empty() {
            return fault("required_blank", Some(column), "an id is required");
        }
        let is_personal = matches!(self.file, FileKind::Roles | FileKind::Enrollments)
            && matches!(self.file.columns()[column], "userSourcedId" | "sourcedId");
        let found = self.found(column, text, is_personal);
        fault("bad_guid", Some(column), format!("expected 1 to 255 of 0-9 A-Z a-z . - _ / @, {found}"))
    }

    #[inline]
    pub(crate) fn guid_if_any<'r>(&self, row: &Row<'r>, column: usize) -> Read<Option<&'r str>> {
        if self.get(row, column).is_empty() { Ok(None) } else { self.guid(row, column).map(Some) }
    }

    #[inline]
    pub(crate) fn word<'r>(&mut self, row: &Row<'r>, column: usize, words: &[&'static str]) -> Read<&'r str> {
        let text = self.get(row, column);
        match words.iter().find(|word| **word == text) {
            Some(_) => Ok(text),
            None => self.odd_word(text, column, words),
        }
    }

    #[cold]
    fn odd_word<'r>(&mut self, text: &'r str, column: usize, words: &[&'static str]) -> Read<&'r str> {
        if text.trim_start_matches(' ').is_empty() {
            return Err(fault("required_blank", Some(column), format!("expected one of {}", words.join(", "))));
        }
        if self.version == CsvVersion::V1_2 && text.strip_prefix("ext:").is_some_and(|rest| !rest.is_empty()) {
            return Ok(text);
        }
        if self.lenient
            && let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(text))
        {
            self.note(NoteKind::Word, column, "bad_enum", "words are accepted whatever their letter case");
            return Ok(*word);
        }
        let found = self.found(column, text, false);
        Err(fault("bad_enum", Some(column), format!("expected one of {}, {found}", words.join(", "))))
    }

    #[inline]
    pub(crate) fn boolean_if_any(&mut self, row: &Row<'_>, column: usize) -> Read<Option<bool>> {
        match self.get(row, column) {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            "" => Ok(None),
            other => self.odd_boolean(other, column),
        }
    }

    #[cold]
    fn odd_boolean(&mut self, text: &str, column: usize) -> Read<Option<bool>> {
        if self.lenient
            && let Some(value) = [true, false].into_iter().find(|value| value.to_string().eq_ignore_ascii_case(text))
        {
            self.note(NoteKind::Word, column, "bad_boolean", "`TRUE` and `FALSE` are accepted whatever their letter case");
            return Ok(Some(value));
        }
        let found = self.found(column, text, false);
        Err(fault("bad_boolean", Some(column), format!("expected `true` or `false`, {found}")))
    }

    /// The status, which is not blank.
    pub(crate) fn status(&mut self, row: &Row<'_>) -> Read<RowStatus> {
        let text = self.get(row, 1);
        if self.lenient && text.eq_ignore_ascii_case("inactive") {
            self.note(NoteKind::Word, 1, "bad_enum", "`inactive` is read as `tobedeleted`");
            return Ok(RowStatus::Ended);
        }
        // A status has no `ext:` words in any version.
        match text {
            "active" => Ok(RowStatus::Active),
            "tobedeleted" => Ok(RowStatus::Ended),
            _ if text.starts_with("ext:") => {
                Err(fault("bad_enum", Some(1), "expected `active` or `tobedeleted`, found an `ext:` word"))
            }
            _ => self
                .odd_word(text, 1, &["active", "tobedeleted"])
                .map(|word| if word == "active" { RowStatus::Active } else { RowStatus::Ended }),
        }
    }

    /// The time of the last change; a date alone is accepted with a warning if `takes_dates`.
    pub(crate) fn modified(&mut self, row: &Row<'_>, takes_dates: bool) -> Read<Option<Instant>> {
        let text = self.get(row, 2);
        if text.is_empty() {
            return Ok(None);
        }
        match time(&mut self.dates_modified, text) {
            Some((at, TimeForm::Exact)) => Ok(Some(at)),
            Some((at, TimeForm::DateOnly)) if takes_dates || self.lenient => {
                self.note(NoteKind::DateOnly, 2, "bad_datetime", "a date alone is read as the start of that day in UTC");
                Ok(Some(at))
            }
            Some((at, TimeForm::Loose)) if self.lenient => {
                self.note(NoteKind::LooseTime, 2, "bad_datetime", "times are accepted in other forms and read as UTC");
                Ok(Some(at))
            }
            _ => {
                let found = self.found(2, text, false);
                Err(fault("bad_datetime", Some(2), format!("expected YYYY-MM-DDTHH:MM:SS.sssZ, {found}")))
            }
        }
    }

    /// First and last day, both inclusive, of a begin and an exclusive end date; a blank one is open.
    #[inline]
    pub(crate) fn span(&mut self, row: &Row<'_>, begin: usize, end: usize) -> Read<(Day, Day)> {
        let first = match self.get(row, begin) {
            "" => Day::MIN,
            text => self.dates_first.parse(text).ok_or_else(|| self.bad_date(text, begin))?,
        };
        let after = match self.get(row, end) {
            "" => return Ok((first, Day::MAX)),
            text => self.dates_last.parse(text).ok_or_else(|| self.bad_date(text, end))?,
        };
        if after < first {
            let detail = format!("the end date {after} lies before the begin date {first}");
            return Err(fault("bad_date", Some(end), detail));
        }
        Ok((first, after.plus(-1)))
    }

    #[cold]
    fn bad_date(&self, text: &str, column: usize) -> Box<Fault> {
        let found = self.found(column, text, false);
        fault("bad_date", Some(column), format!("expected YYYY-MM-DD, {found}"))
    }

    #[inline]
    pub(crate) fn guids<'r>(&self, row: &Row<'r>, column: usize) -> Read<&'r str> {
        let text = self.required(row, column)?;
        if is_list(text, is_guid) { Ok(text) } else { Err(self.bad_guids(text, column)) }
    }

    #[cold]
    fn bad_guids(&self, text: &str, column: usize) -> Box<Fault> {
        let odd = text.split(',').map(|item| item.trim_matches(' ')).find(|item| !is_guid(item)).unwrap_or_default();
        if odd.is_empty() {
            return fault("bad_list", Some(column), "an item of the list is empty");
        }
        self.bad_guid(odd, column)
    }

    #[inline]
    pub(crate) fn list_if_any<'r>(&mut self, row: &Row<'r>, column: usize, buffer: &'r mut String) -> Read<&'r str> {
        let text = self.get(row, column);
        if text.is_empty() || is_list(text, |_| true) {
            return Ok(list(text, buffer));
        }
        if !self.lenient {
            return Err(fault("bad_list", Some(column), "an item of the list is empty"));
        }
        self.note(NoteKind::List, column, "bad_list", "empty items of lists are accepted");
        Ok(list(text, buffer))
    }
}
