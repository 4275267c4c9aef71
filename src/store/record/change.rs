//! Long lists of changes as bytes, written and read one at a time: keys share their beginnings with the key before.

use crate::base::{Text, TextArena};
use crate::license::{Because, ClaimChange};
use crate::store::record::bytes::{DecodeError, Decoder, Record, put_number};
use crate::store::record::claim::{ORIGIN, put_claim, take_claim};

const HAS_BEFORE: u8 = 1;
const SAME_PERSON: u8 = 1 << 1;

/// Writes keys, each by what it does not share with the one before.
#[derive(Default)]
pub(in crate::store::record) struct KeyWriter {
    last: String,
}

impl KeyWriter {
    pub(in crate::store::record) fn is_last(&self, key: &str) -> bool {
        self.last == key
    }

    pub(in crate::store::record) fn put(&mut self, key: &str, out: &mut Vec<u8>) {
        let mut shared = self.last.bytes().zip(key.bytes()).take_while(|(a, b)| a == b).count();
        while !key.is_char_boundary(shared) {
            shared -= 1;
        }
        put_number(shared as u64, out);
        put_number((key.len() - shared) as u64, out);
        out.extend_from_slice(&key.as_bytes()[shared..]);
        self.last.truncate(shared);
        self.last.push_str(&key[shared..]);
    }
}

/// Reads keys back into an arena.
#[derive(Default)]
pub(in crate::store::record) struct KeyReader {
    last: String,
    text: Text,
}

impl KeyReader {
    pub(in crate::store::record) fn last(&self) -> Text {
        self.text
    }

    pub(in crate::store::record) fn take(
        &mut self,
        from: &mut Decoder<'_>,
        arena: &mut TextArena,
    ) -> Result<Text, DecodeError> {
        let shared = usize::try_from(from.number()?).map_err(|_| DecodeError::Number)?;
        if !self.last.is_char_boundary(shared) {
            return Err(DecodeError::Text);
        }
        let rest = from.text()?;
        if shared == self.last.len() && rest.is_empty() {
            return Ok(self.text);
        }
        self.last.truncate(shared);
        self.last.push_str(rest);
        self.text = arena.push(&self.last).map_err(|_| DecodeError::Full)?;
        Ok(self.text)
    }
}

/// Writes changes of claims one after the other.
pub(in crate::store) struct ChangeWriter {
    keys: KeyWriter,
    base: crate::license::Claim,
}

impl Default for ChangeWriter {
    fn default() -> Self {
        Self { keys: KeyWriter::default(), base: ORIGIN }
    }
}

impl ChangeWriter {
    pub(in crate::store) fn put(&mut self, change: &ClaimChange, people: &TextArena, out: &mut Vec<u8>) {
        let ClaimChange { person, because, before, after } = change;
        let key = people.get(*person);
        let same = self.keys.is_last(key);
        out.push(if before.is_some() { HAS_BEFORE } else { 0 } | if same { SAME_PERSON } else { 0 });
        because.put(out);
        if !same {
            self.keys.put(key, out);
        }
        if let Some(before) = before {
            put_claim(before, &self.base, out);
            self.base = **before;
        }
        put_claim(after, &self.base, out);
        self.base = *after;
    }
}

/// Reads changes of claims one after the other.
pub(in crate::store) struct ChangeReader {
    keys: KeyReader,
    base: crate::license::Claim,
}

impl Default for ChangeReader {
    fn default() -> Self {
        Self { keys: KeyReader::default(), base: ORIGIN }
    }
}

impl ChangeReader {
    pub(in crate::store) fn take(
        &mut self,
        from: &mut Decoder<'_>,
        people: &mut TextArena,
    ) -> Result<ClaimChange, DecodeError> {
        let head = from.byte()?;
        if head & !(HAS_BEFORE | SAME_PERSON) != 0 {
            return Err(DecodeError::Code { what: "heads of a change", code: head });
        }
        let because = Because::take(from)?;
        let person = if head & SAME_PERSON != 0 { self.keys.last() } else { self.keys.take(from, people)? };
        let before = if head & HAS_BEFORE != 0 {
            self.base = take_claim(from, &self.base)?;
            Some(Box::new(self.base))
        } else {
            None
        };
        self.base = take_claim(from, &self.base)?;
        Ok(ClaimChange { person, because, before, after: self.base })
    }
}
