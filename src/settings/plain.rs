//! Files with many customers, which lie side by side in their text: each can be read by itself, in one go, into a tree that
//! borrows from the text.
//!
//! Invariant: what is made of a customer's text is what the layers make of it, or nothing. So this knows how settings are written as
//! a rule: headers of tables, bare keys, texts of one line, whole numbers, flags, dates, lists and tables in one piece. Of
//! anything else (a dotted key, a text of several lines, a table above that has no header) and of any mistake it makes nothing; then the
//! whole file is read by the layers, which also tell what is wrong. A text that can be read ends where a statement ends, so the
//! next one starts where one starts, and each begins with the header of a customer.

use std::borrow::Cow;

use crate::base::Day;
use crate::settings::tree::{Node, Table};

const HEADER: &str = "[[customer]]";
/// Fewer customers are read with the rest.
const MANY: usize = 64;
/// A table with more entries is none that settings know.
const ENTRIES_MAX: usize = 256;
/// Lists and tables inside of one another.
const DEPTH_MAX: u32 = 32;

/// The text before the first customer, and that of each customer; `None` where there are few.
pub fn customers_apart(text: &str) -> Option<(&str, Vec<&str>)> {
    let starts = text.match_indices(HEADER).map(|(at, _)| at);
    let starts: Vec<usize> = starts.filter(|&at| at == 0 || text.as_bytes()[at - 1] == b'\n').collect();
    if starts.len() < MANY {
        return None;
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    Some((&text[..starts[0]], starts.iter().zip(ends).map(|(&start, end)| &text[start..end]).collect()))
}

/// The customer of a text in which there is nothing else.
pub fn customer_of(text: &str) -> Option<Table<'_>> {
    let mut reader = Reader { text, at: 0 };
    let mut customer = Table::default();
    if reader.header()? != (vec!["customer"], true) {
        return None;
    }
    reader.entries(&mut customer)?;
    while reader.peek().is_some() {
        let (path, is_item) = reader.header()?;
        reader.entries(opened(&mut customer, &path, is_item)?)?;
    }
    Some(customer)
}

/// The table that a header opens: a new one, below tables that have a header of their own.
fn opened<'c, 't>(customer: &'c mut Table<'t>, path: &[&'t str], is_item: bool) -> Option<&'c mut Table<'t>> {
    let (key, above) = path.strip_prefix(&["customer"])?.split_last()?;
    let mut table = customer;
    for key in above {
        table = open(table.get_mut(key)?)?;
    }
    // Asked for twice, as what is found cannot be given back where nothing is found.
    if is_item && table.get(key).is_some() {
        let Some(Node::List(items)) = table.get_mut(key) else { return None };
        open(items.last_mut()?)?;
        open(items.push_mut(Node::Table(Table::default())))
    } else if is_item {
        open(put(table, Cow::Borrowed(key), Node::List(vec![Node::Table(Table::default())]))?)
    } else {
        open(put(table, Cow::Borrowed(key), Node::Table(Table::default()))?)
    }
}

/// The table of a header, or that of the last one in a list of them.
fn open<'n, 't>(node: &'n mut Node<'t>) -> Option<&'n mut Table<'t>> {
    let node = if let Node::List(items) = node { items.last_mut()? } else { node };
    if let Node::Table(table) = node { Some(table).filter(|table| !table.is_whole()) } else { None }
}

fn put<'c, 't>(table: &'c mut Table<'t>, key: Cow<'t, str>, node: Node<'t>) -> Option<&'c mut Node<'t>> {
    if table.len() >= ENTRIES_MAX || table.get(&key).is_some() {
        return None;
    }
    Some(table.push(key, node))
}

/// Goes through the bytes of a text. What is a character of several bytes is part of a text in quotes or of a comment.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// All bytes that fit.
    fn word(&mut self, fits: impl Fn(u8) -> bool) -> &'t str {
        let rest = &self.text.as_bytes()[self.at..];
        let len = rest.iter().position(|byte| !fits(*byte)).unwrap_or(rest.len());
        self.at += len;
        &self.text[self.at - len..self.at]
    }

    fn key(&mut self) -> Option<&'t str> {
        let key = self.word(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        (!key.is_empty()).then_some(key)
    }

    /// Blanks, a comment, and the end of the line or of the text.
    fn line_end(&mut self) -> Option<()> {
        self.blanks();
        if self.peek() == Some(b'#') {
            self.word(is_text);
        }
        match self.next() {
            None | Some(b'\n') => Some(()),
            Some(b'\r') => self.take(b'\n'),
            Some(_) => None,
        }
    }

    /// Lines without an entry.
    fn gaps(&mut self) -> Option<()> {
        self.blanks();
        while let Some(b'#' | b'\r' | b'\n') = self.peek() {
            self.line_end()?;
            self.blanks();
        }
        Some(())
    }

    /// The words of a header, and whether it opens an item of a list.
    fn header(&mut self) -> Option<(Vec<&'t str>, bool)> {
        self.take(b'[')?;
        let is_item = self.peek() == Some(b'[');
        self.at += usize::from(is_item);
        let mut path = Vec::with_capacity(4);
        loop {
            path.push(self.key()?);
            match self.next()? {
                b'.' => {}
                b']' => break,
                _ => return None,
            }
        }
        if is_item {
            self.take(b']')?;
        }
        self.line_end()?;
        Some((path, is_item))
    }

    /// The entries of a table, up to the next header or to the end.
    fn entries(&mut self, table: &mut Table<'t>) -> Option<()> {
        loop {
            self.gaps()?;
            if let None | Some(b'[') = self.peek() {
                return Some(());
            }
            self.entry(table, DEPTH_MAX)?;
            self.line_end()?;
        }
    }

    fn entry(&mut self, table: &mut Table<'t>, depth: u32) -> Option<()> {
        let key = self.key()?;
        self.blanks();
        self.take(b'=')?;
        self.blanks();
        let value = self.value(depth)?;
        put(table, Cow::Borrowed(key), value).map(|_| ())
    }

    fn value(&mut self, depth: u32) -> Option<Node<'t>> {
        let deeper = depth.checked_sub(1)?;
        match self.peek()? {
            b'"' | b'\'' => self.quoted().map(Node::Text),
            b'[' => self.list(deeper),
            b'{' => self.table(deeper),
            _ => self.bare(),
        }
    }

    /// `true`, `false`, a whole number in plain digits, a date.
    fn bare(&mut self) -> Option<Node<'t>> {
        let word = self.word(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.' | b':'));
        let digits = word.strip_prefix('-').unwrap_or(word);
        match word {
            "true" => Some(Node::Flag(true)),
            "false" => Some(Node::Flag(false)),
            _ if digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0')) => {
                word.parse().ok().map(Node::Number)
            }
            _ => Day::parse(word).map(|_| Node::Text(Cow::Borrowed(word))),
        }
    }

    fn list(&mut self, depth: u32) -> Option<Node<'t>> {
        self.take(b'[')?;
        let mut items = Vec::new();
        loop {
            self.gaps()?;
            if self.peek()? == b']' {
                break;
            }
            items.push(self.value(depth)?);
            self.gaps()?;
            if self.peek()? == b']' {
                break;
            }
            self.take(b',')?;
        }
        self.take(b']')?;
        Some(Node::List(items))
    }

    fn table(&mut self, depth: u32) -> Option<Node<'t>> {
        self.take(b'{')?;
        let mut table = Table::in_one_piece();
        self.blanks();
        if self.peek()? != b'}' {
            loop {
                self.blanks();
                self.entry(&mut table, depth)?;
                self.blanks();
                if self.peek()? == b'}' {
                    break;
                }
                self.take(b',')?;
            }
        }
        self.take(b'}')?;
        Some(Node::Table(table))
    }

    /// A text in quotes, on one line.
    fn quoted(&mut self) -> Option<Cow<'t, str>> {
        let quote = self.next()?;
        let part = self.word(|byte| is_text(byte) && byte != quote && byte != b'\\');
        // Three quotes begin a text of several lines.
        if part.is_empty() && self.text.as_bytes()[self.at..].starts_with(&[quote, quote]) {
            return None;
        }
        if self.peek()? == quote {
            self.at += 1;
            return Some(Cow::Borrowed(part));
        }
        let mut whole = part.to_owned();
        loop {
            match self.next()? {
                byte if byte == quote => return Some(Cow::Owned(whole)),
                b'\\' if quote == b'"' => whole.push(self.escaped()?),
                b'\\' => whole.push('\\'),
                _ => return None,
            }
            whole.push_str(self.word(|byte| is_text(byte) && byte != quote && byte != b'\\'));
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let digits = match self.next()? {
            byte @ (b'"' | b'\\') => return Some(char::from(byte)),
            b'n' => return Some('\n'),
            b'r' => return Some('\r'),
            b't' => return Some('\t'),
            b'u' => 4,
            b'U' => 8,
            _ => return None,
        };
        let code = self.text.get(self.at..self.at + digits)?;
        self.at += digits;
        let is_hex = code.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u32::from_str_radix(code, 16).ok()).flatten().and_then(char::from_u32)
    }
}

/// Whether a byte may be in a text or in a comment.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || byte >= b' ' && byte != 0x7f
}

#[cfg(test)]
mod tests;
