//! Which files of a folder belong to a source, and in which order they came.

/// A pattern of file names. `*` stands for any characters, `?` for one; `YYYY`, `MM` and `DD`, if all three are there, for
/// the parts of a date, by which files are ordered then. Otherwise the names themselves sort by age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Char(char),
    Any,
    One,
    /// Part of a date: 0 year, 1 month, 2 day.
    Date(usize),
}

const DATE: [(&str, usize); 3] = [("YYYY", 0), ("MM", 1), ("DD", 2)];
/// No pattern is longer, in characters: matching tries every split at every `*`.
const CHARS_MAX: usize = 200;
/// More are of no use, and each multiplies the work.
const ANYS_MAX: usize = 4;

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it; fits after the pattern.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.chars().count() > CHARS_MAX {
            return Err(format!("is empty or longer than {CHARS_MAX} characters"));
        }
        if text.contains(['/', '\\']) || text.chars().any(char::is_control) {
            return Err("is a path; it is to be a file name, such as people_*.csv".to_owned());
        }
        let dated = DATE.iter().all(|(word, _)| text.matches(word).count() == 1);
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some((word, part)) = DATE.iter().find(|(word, _)| dated && rest.starts_with(word)) {
                parts.push(Part::Date(*part));
                rest = &rest[word.len()..];
                continue;
            }
            parts.push(match first {
                '*' => Part::Any,
                '?' => Part::One,
                other => Part::Char(other),
            });
            rest = &rest[first.len_utf8()..];
        }
        if parts.iter().filter(|part| **part == Part::Any).count() > ANYS_MAX {
            return Err(format!("has more than {ANYS_MAX} `*`"));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// It as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Under which name a file sorts by age; `None` if it does not belong here.
    pub fn sorts(&self, name: &str) -> Option<String> {
        let chars: Vec<char> = name.chars().collect();
        let mut date = [0u32; 3];
        if !fits(&self.parts, &chars, &mut date) {
            return None;
        }
        if !self.parts.iter().any(|part| matches!(part, Part::Date(_))) {
            return Some(name.to_owned());
        }
        let [year, month, day] = date;
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then(|| format!("{year:04}-{month:02}-{day:02} {name}"))
    }
}

fn fits(parts: &[Part], chars: &[char], date: &mut [u32; 3]) -> bool {
    let Some((part, parts)) = parts.split_first() else { return chars.is_empty() };
    match part {
        Part::Any => (0..=chars.len()).any(|skip| fits(parts, &chars[skip..], date)),
        Part::One => chars.split_first().is_some_and(|(_, chars)| fits(parts, chars, date)),
        Part::Char(char) => chars.split_first().is_some_and(|(first, chars)| first == char && fits(parts, chars, date)),
        Part::Date(which) => {
            let digits = if *which == 0 { 4 } else { 2 };
            let number = chars
                .get(..digits)
                .and_then(|digits| digits.iter().try_fold(0u32, |number, digit| Some(number * 10 + digit.to_digit(10)?)));
            number.is_some_and(|number| {
                date[*which] = number;
                fits(parts, &chars[digits..], date)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::source::fetch::pattern::Pattern;

    #[test]
    fn names_that_belong_and_their_order() {
        let cases = [
            ("*.zip", "a.zip", Some("a.zip")),
            ("*.zip", ".zip", Some(".zip")),
            ("*.zip", "a.zip.part", None),
            ("people_*.csv", "people_2026-11-21.csv", Some("people_2026-11-21.csv")),
            ("people_*.csv", "People_1.csv", None),
            ("p?.csv", "p1.csv", Some("p1.csv")),
            ("p?.csv", "p12.csv", None),
            ("hr-MMDDYYYY.csv", "hr-11212026.csv", Some("2026-11-21 hr-11212026.csv")),
            ("*_DD.MM.YYYY*.txt", "x_y_01.02.2026 (2).txt", Some("2026-02-01 x_y_01.02.2026 (2).txt")),
            ("hr-MMDDYYYY.csv", "hr-21112026.csv", None),
            ("hr-MMDDYYYY.csv", "hr-1121202x.csv", None),
            ("COMMON_*.csv", "COMMON_1.csv", Some("COMMON_1.csv")),
            ("Bär*.csv", "Bären.csv", Some("Bären.csv")),
        ];
        for (pattern, name, sorts) in cases {
            let pattern = Pattern::parse(pattern).expect(pattern);
            assert_eq!(pattern.sorts(name).as_deref(), sorts, "{} {name}", pattern.text());
        }
        for bad in ["", "a/b.csv", "*a*a*a*a*b", "a\nb"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }
}
