//! CSV for spreadsheets: UTF-8, CRLF, RFC 4180 quoting, header always; a text that a spreadsheet would take for a formula
//! is neutralized, a number is not (R147).

use std::fmt::Write as _;

/// Whether a character is not shown but obeyed: control characters, those that turn the direction of writing (the rest
/// of a line would be read wrongly), and line ends by other names.
pub fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Lines of CSV.
#[derive(Debug, Default)]
pub struct CsvText {
    text: String,
    in_line: bool,
}

impl CsvText {
    /// Starts with a header.
    pub fn with_header(header: &[&str]) -> Self {
        let mut csv = Self::default();
        header.iter().for_each(|name| csv.text(name));
        csv.end();
        csv
    }

    /// Adds a text. One that starts like a formula gets a `'` in front; what would steer a terminal is taken out.
    pub fn text(&mut self, value: &str) {
        let value: String = value.chars().map(|c| if steers(c) && !"\t\r\n".contains(c) { '\u{fffd}' } else { c }).collect();
        let guard = if value.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        self.comma();
        if value.contains(['"', ',', '\n', '\r']) {
            let _ = write!(self.text, "\"{guard}{}\"", value.replace('"', "\"\""));
        } else {
            let _ = write!(self.text, "{guard}{value}");
        }
    }

    /// Adds a number as it is; an absent one is empty.
    pub fn number(&mut self, value: Option<impl ToString>) {
        self.comma();
        if let Some(value) = value {
            self.text.push_str(&value.to_string());
        }
    }

    /// Ends the line.
    pub fn end(&mut self) {
        self.text.push_str("\r\n");
        self.in_line = false;
    }

    /// What there is so far; empty afterwards.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    fn comma(&mut self) {
        if self.in_line {
            self.text.push(',');
        }
        self.in_line = true;
    }
}

#[cfg(test)]
mod tests {
    use crate::shape::csv::CsvText;

    #[test]
    fn r147_formulas_are_neutralized_and_numbers_are_not() {
        for (value, cell) in [
            ("Ash Primary", "Ash Primary"),
            ("=1+1", "'=1+1"),
            ("+44", "'+44"),
            ("-30", "'-30"),
            ("@sum", "'@sum"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("\u{1b}]0;x\u{7}", "\u{fffd}]0;x\u{fffd}"),
            ("a=b", "a=b"),
            ("St. John, \"Old\" School", "\"St. John, \"\"Old\"\" School\""),
            ("two\nlines", "\"two\nlines\""),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("Größe", "Größe"),
            ("", ""),
        ] {
            let mut csv = CsvText::default();
            csv.text(value);
            assert_eq!(csv.take(), cell, "{value:?}");
        }
        let mut csv = CsvText::default();
        csv.number(Some(-30));
        csv.number(None::<i64>);
        csv.number(Some("105.0"));
        csv.end();
        assert_eq!(csv.take(), "-30,,105.0\r\n");
    }

    #[test]
    fn the_header_is_always_there() {
        let mut csv = CsvText::with_header(&["Name", "User Limit"]);
        csv.text("");
        csv.number(Some(1));
        csv.end();
        assert_eq!(csv.take(), "Name,User Limit\r\n,1\r\n");
    }
}
