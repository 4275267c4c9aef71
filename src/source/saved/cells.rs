//! Delimited text as it was received, but for redacted cells. Quotes, separators and line breaks stay as they are; what was
//! in another encoding becomes UTF-8.

use std::io::{self, Read, Write};

use crate::source::delimited::{Dialect, Text};
use crate::source::saved::redaction::{Counts, REDACTED, Redaction};

/// Copies rows; `only` are the columns to keep, where all others are redacted.
pub(crate) fn redact_cells(
    bytes: impl Read,
    dialect: Dialect,
    only: Option<&[&str]>,
    redaction: &Redaction,
    to: &mut dyn Write,
) -> io::Result<Counts> {
    let mut text = Text::lenient(bytes, dialect.encoding);
    let mut copy = Copy {
        dialect,
        only,
        redaction,
        names: Vec::new(),
        in_header: true,
        column: 0,
        cell: String::new(),
        quoted: Quoted::No,
        counts: Counts::new(),
        to,
    };
    loop {
        match text.next() {
            Ok("") => break,
            Ok(piece) => copy.piece(piece)?,
            Err(crate::source::delimited::TextFault::Io(error)) => return Err(error),
            // A lenient text has no other faults.
            Err(crate::source::delimited::TextFault::Malformed { .. }) => break,
        }
    }
    copy.cell_over()?;
    Ok(copy.counts)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    No,
    Open,
    Closed,
}

struct Copy<'c> {
    dialect: Dialect,
    only: Option<&'c [&'c str]>,
    redaction: &'c Redaction,
    /// Names of the columns, and whether each is redacted.
    names: Vec<(String, bool)>,
    in_header: bool,
    column: usize,
    /// The cell as written, quotes and all.
    cell: String,
    quoted: Quoted,
    counts: Counts,
    to: &'c mut dyn Write,
}

impl Copy<'_> {
    fn piece(&mut self, piece: &str) -> io::Result<()> {
        let separator = char::from(self.dialect.separator);
        let quote = self.dialect.quote.map(char::from);
        for c in piece.chars() {
            let is_over = self.quoted != Quoted::Open && (c == separator || c == '\n' || c == '\r');
            if !is_over {
                self.quoted = match self.quoted {
                    Quoted::No if Some(c) == quote && self.cell.is_empty() => Quoted::Open,
                    Quoted::Open if Some(c) == quote => Quoted::Closed,
                    Quoted::Closed if Some(c) == quote => Quoted::Open,
                    same => same,
                };
                self.cell.push(c);
                continue;
            }
            let was_blank = self.column == 0 && self.cell.is_empty();
            self.cell_over()?;
            write!(self.to, "{c}")?;
            if c == separator {
                self.column += 1;
            } else {
                // The header is the first row in which there is something.
                self.in_header &= was_blank;
                if self.in_header {
                    self.names.clear();
                }
                self.column = 0;
            }
        }
        Ok(())
    }

    fn cell_over(&mut self) -> io::Result<()> {
        let cell = std::mem::take(&mut self.cell);
        self.quoted = Quoted::No;
        if self.in_header {
            let name = cell.trim_matches(|c: char| c.is_whitespace() || Some(c) == self.dialect.quote.map(char::from));
            let kept = self.only.is_none_or(|only| only.iter().any(|kept| kept.eq_ignore_ascii_case(name)));
            self.names.push((name.to_owned(), !kept || self.redaction.redacts(name)));
            return self.to.write_all(cell.as_bytes());
        }
        // A cell behind the last column might be any.
        let (name, redacted) = self.names.get(self.column).map_or(("", true), |(name, redacted)| (name.as_str(), *redacted));
        let is_empty = cell.chars().all(|c| c.is_whitespace() || Some(c) == self.dialect.quote.map(char::from));
        if !redacted || is_empty {
            return self.to.write_all(cell.as_bytes());
        }
        *self.counts.entry(name.to_owned()).or_default() += 1;
        self.to.write_all(REDACTED.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use crate::source::delimited::{Dialect, Encoding};
    use crate::source::saved::cells::redact_cells;
    use crate::source::saved::redaction::Redaction;

    #[test]
    fn cells_go_and_all_else_stays() {
        let semicolons =
            Dialect { separator: b';', encoding: Encoding::of("windows-1252").expect("known"), ..Dialect::default() };
        /// Bytes, their dialect, the columns to keep, what is told, what was counted.
        type Case<'c> = (&'c [u8], Dialect, Option<&'c [&'c str]>, &'c str, &'c str);
        let cases: Vec<Case<'_>> = vec![
            (
                b"id,Phone,name\r\n1,\"+49, 1\",\"A \"\"x\"\"\"\r\n2,,B\r\n",
                Dialect::default(),
                None,
                "id,Phone,name\r\n1,[redacted],\"A \"\"x\"\"\"\r\n2,,B\r\n",
                "Phone 1",
            ),
            (
                b"id;\"Birth Date\";n\nZ\xeb;1.2.2010;\"a\nb\"\n3;\"\";c",
                semicolons,
                None,
                "id;\"Birth Date\";n\nZë;[redacted];\"a\nb\"\n3;\"\";c",
                "Birth Date 1",
            ),
            (b"\n\nid,dob\n1,x,extra\n", Dialect::default(), None, "\n\nid,dob\n1,[redacted],[redacted]\n", " 1, dob 1"),
            (
                b"sourcedId,sex,race\n1,f,\n",
                Dialect::default(),
                Some(&["sourcedId"]),
                "sourcedId,sex,race\n1,[redacted],\n",
                "sex 1",
            ),
            (b"id,pin\n1,\"un\nclosed", Dialect::default(), None, "id,pin\n1,[redacted]", "pin 1"),
        ];
        for (bytes, dialect, only, told, counted) in cases {
            let mut to = Vec::new();
            let counts = redact_cells(bytes, dialect, only, &Redaction::default(), &mut to).expect("memory");
            let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
            assert_eq!((String::from_utf8(to).expect("UTF-8").as_str(), counts.join(", ").as_str()), (told, counted));
        }
    }
}
