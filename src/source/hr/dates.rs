//! Dates of HR feeds (hr-sources §1.1): ISO first, one other form only where the settings name it, words for "none".

use crate::base::Day;

/// Cells that say that there is no date, whatever the feed.
const NONE: [&str; 4] = ["null", "0000-00-00", "9999-12-31", "1900-01-01"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
}

/// A form of dates such as `DD/MM/YYYY`. Which of two numbers is the month is configured and never guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateForm {
    order: [Part; 3],
    separator: Option<char>,
}

impl DateForm {
    /// Reads a form: `YYYY`, `MM` and `DD` once each, with `/`, `.` or `-` between them, or with nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let separator = text.chars().find(|c| !c.is_ascii_uppercase());
        if separator.is_some_and(|c| !matches!(c, '/' | '.' | '-')) {
            return None;
        }
        let (mut order, mut rest) = ([Part::Year; 3], text);
        for (at, part) in order.iter_mut().enumerate() {
            if let (1.., Some(separator)) = (at, separator) {
                rest = rest.strip_prefix(separator)?;
            }
            let known = [("YYYY", Part::Year), ("MM", Part::Month), ("DD", Part::Day)];
            (*part, rest) = known.into_iter().find_map(|(word, part)| Some((part, rest.strip_prefix(word)?)))?;
        }
        let all = [Part::Year, Part::Month, Part::Day].iter().all(|part| order.contains(part));
        (rest.is_empty() && all).then_some(Self { order, separator })
    }

    /// The date in a text of this form. With a separator a month or day may have one digit; a time behind it is cut off.
    fn read(self, text: &str) -> Option<Day> {
        let text = text.split([' ', 'T']).next().unwrap_or_default();
        let mut numbers = [0i16; 3];
        let mut rest = text;
        for (at, part) in self.order.into_iter().enumerate() {
            let width = if part == Part::Year { 4 } else { 2 };
            let cell;
            (cell, rest) = match self.separator {
                Some(separator) if at < 2 => rest.split_once(separator)?,
                Some(_) => (rest, ""),
                None => rest.split_at_checked(width)?,
            };
            let fits = cell.len() == width || (cell.len() == 1 && part != Part::Year && self.separator.is_some());
            if !fits || !cell.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            numbers[part as usize] = cell.parse().ok()?;
        }
        let [year, month, day] = numbers;
        if rest.is_empty() { Day::from_ymd(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?) } else { None }
    }
}

/// How dates of one feed are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DateForms {
    /// A form beside ISO.
    pub other: Option<DateForm>,
    /// Cells that mean "none", beside the well-known ones.
    pub none: Vec<String>,
}

impl DateForms {
    /// The date in a cell; `Ok(None)` where the cell says that there is none.
    ///
    /// # Errors
    /// Where the cell is no date.
    pub fn read(&self, cell: &str) -> Result<Option<Day>, NoDate> {
        let date = cut(cell);
        let is_none = |word: &str| word.eq_ignore_ascii_case(cell) || word == date;
        if cell.is_empty() || NONE.into_iter().any(is_none) || self.none.iter().any(|word| is_none(word)) {
            return Ok(None);
        }
        let day = Day::parse(date).or_else(|| self.other?.read(cell));
        day.map(Some).ok_or(NoDate)
    }
}

/// A cell is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDate;

/// A cell without the time or the zone behind an ISO date: the date stands as the feed writes it.
fn cut(cell: &str) -> &str {
    match cell.split_at_checked(10) {
        Some((date, rest)) if rest.starts_with(['T', ' ', 'Z', '+', '-']) => date,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Day;
    use crate::source::hr::dates::{DateForm, DateForms, NoDate};

    fn day(text: &str) -> Result<Option<Day>, NoDate> {
        Ok(Some(Day::parse(text).expect("a date")))
    }

    #[test]
    fn iso_needs_no_setting_and_nothing_else_is_guessed() {
        let forms = DateForms::default();
        for (cell, means) in [
            ("2024-03-01", day("2024-03-01")),
            ("2024-03-01-08:00", day("2024-03-01")),
            ("2024-03-01T10:11:12Z", day("2024-03-01")),
            ("2024-03-01 00:00:00", day("2024-03-01")),
            ("", Ok(None)),
            ("null", Ok(None)),
            ("NULL", Ok(None)),
            ("0000-00-00", Ok(None)),
            ("0000-00-00T00:00:00", Ok(None)),
            ("9999-12-31", Ok(None)),
            ("9999-12-31T00:00:00Z", Ok(None)),
            ("1900-01-01", Ok(None)),
            ("2024-02-30", Err(NoDate)),
            ("2024-13-01", Err(NoDate)),
            ("03/01/2024", Err(NoDate)),
            ("01.03.2024", Err(NoDate)),
            ("45352", Err(NoDate)),
            ("2024-03-01x", Err(NoDate)),
            ("2024-03-0é", Err(NoDate)),
            ("###", Err(NoDate)),
        ] {
            assert_eq!(forms.read(cell), means, "{cell}");
        }
        let own = DateForms { none: vec!["-".to_owned(), "0001-01-01".to_owned()], ..DateForms::default() };
        assert_eq!((own.read("-"), own.read("0001-01-01")), (Ok(None), Ok(None)));
    }

    #[test]
    fn one_other_form_means_what_it_says() {
        for (form, cell, means) in [
            ("MM/DD/YYYY", "03/04/2024", day("2024-03-04")),
            ("DD/MM/YYYY", "03/04/2024", day("2024-04-03")),
            ("MM/DD/YYYY", "3/4/2024", day("2024-03-04")),
            ("MM/DD/YYYY", "3/4/2024 12:00 AM", day("2024-03-04")),
            ("MM/DD/YYYY", "13/04/2024", Err(NoDate)),
            ("MM/DD/YYYY", "03/04/24", Err(NoDate)),
            ("MM/DD/YYYY", "03/04/2024/1", Err(NoDate)),
            ("MM/DD/YYYY", "+3/04/2024", Err(NoDate)),
            ("DD.MM.YYYY", "31.12.2024", day("2024-12-31")),
            ("DD-MM-YYYY", "31-12-2024", day("2024-12-31")),
            ("YYYYMMDD", "20241231", day("2024-12-31")),
            ("YYYYMMDD", "2024123", Err(NoDate)),
            ("YYYYMMDD", "202412311", Err(NoDate)),
            ("YYYYMMDD", "2024-12-31", day("2024-12-31")),
            ("DD/MM/YYYY", "", Ok(None)),
        ] {
            let forms = DateForms { other: DateForm::parse(form), none: Vec::new() };
            assert!(forms.other.is_some(), "{form}");
            assert_eq!(forms.read(cell), means, "{form} {cell}");
        }
        for bad in ["", "DD/MM", "DD/MM/YY", "DD/DD/YYYY", "DD MM YYYY", "DD/MM.YYYY", "dd/mm/yyyy", "DD/MM/YYYY/", "%d/%m/%Y"]
        {
            assert_eq!(DateForm::parse(bad), None, "{bad}");
        }
    }
}
