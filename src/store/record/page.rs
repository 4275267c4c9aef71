//! Open claims of people who follow one another, as the bytes of a page. Of each person it tells what differs from the one before:
//! three claims take some 10 bytes, a key that is a GUID 15. The first person's key is not in it: pages are found by that.

use crate::base::Guid;
use crate::license::Claim;
use crate::store::record::bytes::{DecodeError, Decoder, FORMAT, put_number, put_text};
use crate::store::record::claim::{ORIGIN, put_claim, take_claim};

/// A page that is followed by many others is cut where it has so many bytes: three of them have room in one page of SQLite's.
const BYTES_FULL: usize = 1_280;
/// So long it may become before it is made two: two of these have room there, and PostgreSQL keeps one of them beside its key.
const BYTES_MAX: usize = 1_920;
/// One that is shorter takes in the one behind it.
const BYTES_MIN: usize = BYTES_MAX / 4;

/// A key begins with a byte that tells what it has in common with the key before: of two GUIDs so many bytes, up to 15 …
const GUID: u8 = 0x80;
const GUID_CAPITAL: u8 = 0x90;
/// … of others so many, up to 127.
const SHARED_MAX: usize = 0x7f;

/// Makes pages of people who come in the order of their keys.
#[derive(Default)]
pub(in crate::store) struct PageMaker {
    /// Those who are on no page yet.
    people: Vec<Place>,
    keys: String,
    claims: Vec<Claim>,
    bytes: Vec<u8>,
    page: Vec<u8>,
}

/// Where what belongs to a person ends.
#[derive(Clone, Copy, Default)]
struct Place {
    key: usize,
    claims: usize,
    bytes: usize,
}

impl PageMaker {
    /// Takes up the next person, who has at least one claim.
    pub(in crate::store) fn push(&mut self, key: &str, claims: &[Claim]) {
        let [before, last] = self.last_places();
        put_key(key, &self.keys[before.key..], &mut self.bytes);
        put_claims(claims, &self.claims[before.claims..last.claims], &mut self.bytes);
        self.keys.push_str(key);
        self.claims.extend_from_slice(claims);
        self.people.push(Place { key: self.keys.len(), claims: self.claims.len(), bytes: self.bytes.len() });
    }

    /// Where the last person begins and ends.
    fn last_places(&self) -> [Place; 2] {
        match self.people.as_slice() {
            [] => [Place::default(); 2],
            [only] => [Place::default(), *only],
            [.., before, last] => [*before, *last],
        }
    }

    /// Whether nobody is left.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Whether those who are left make no page as long as one should be.
    pub(in crate::store) fn is_short(&self) -> bool {
        !self.is_empty() && self.bytes.len() < BYTES_MIN
    }

    /// Hands on the next page, by its first key, while enough people stand behind it for two more.
    pub(in crate::store) fn next<E>(&mut self, hand: impl FnOnce(&str, &[u8]) -> Result<(), E>) -> Result<(), E> {
        if self.bytes.len() < 2 * BYTES_MAX {
            return Ok(());
        }
        self.cut(BYTES_FULL, hand)
    }

    /// Hands on those who are left, on one page or two of one length.
    pub(in crate::store) fn rest<E>(&mut self, mut hand: impl FnMut(&str, &[u8]) -> Result<(), E>) -> Result<(), E> {
        if self.bytes.len() > BYTES_MAX {
            let half = self.bytes.len() / 2;
            // Not if most of it is one person's.
            if self.bytes.len() - self.people[self.people_of(half) - 1].bytes >= BYTES_MIN {
                self.cut(half, &mut hand)?;
            }
        }
        if self.is_empty() { Ok(()) } else { self.cut(usize::MAX, hand) }
    }

    /// How many people take at least so many bytes; all, if there are no more.
    fn people_of(&self, bytes: usize) -> usize {
        (self.people.partition_point(|place| place.bytes < bytes) + 1).min(self.people.len())
    }

    /// Hands on a page of so many bytes, and forgets who is on it. There is somebody.
    fn cut<E>(&mut self, bytes: usize, hand: impl FnOnce(&str, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let count = self.people_of(bytes);
        let (first, end) = (self.people[0], self.people[count - 1]);
        self.page.clear();
        self.page.push(FORMAT);
        put_number(count as u64, &mut self.page);
        // Nobody is before the first one any more.
        put_claims(&self.claims[..first.claims], &[], &mut self.page);
        self.page.extend_from_slice(&self.bytes[first.bytes..end.bytes]);
        hand(&self.keys[..first.key], &self.page)?;
        self.people.drain(..count);
        self.keys.drain(..end.key);
        self.claims.drain(..end.claims);
        self.bytes.drain(..end.bytes);
        for Place { key, claims, bytes } in &mut self.people {
            (*key, *claims, *bytes) = (*key - end.key, *claims - end.claims, *bytes - end.bytes);
        }
        Ok(())
    }
}

fn put_key(key: &str, before: &str, out: &mut Vec<u8>) {
    let shared = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
    if let Some(guid) = Guid::of(key.as_bytes()) {
        let shared = Guid::of(before.as_bytes()).map_or(0, |before| shared(&before.bytes, &guid.bytes)).min(15);
        out.push(if guid.is_capital { GUID_CAPITAL } else { GUID } | shared as u8);
        out.extend_from_slice(&guid.bytes[shared..]);
        return;
    }
    let shared = key.floor_char_boundary(shared(key.as_bytes(), before.as_bytes()).min(SHARED_MAX));
    out.push(shared as u8);
    put_text(&key[shared..], out);
}

fn put_claims(claims: &[Claim], before: &[Claim], out: &mut Vec<u8>) {
    put_number(claims.len() as u64, out);
    let mut last = None;
    for (at, claim) in claims.iter().enumerate() {
        put_claim(claim, &base(at, last, before), out);
        last = Some(claim);
    }
}

/// What a claim is told against: it came when the person's last one came, and otherwise is like the other person's.
fn base(at: usize, last: Option<&Claim>, before: &[Claim]) -> Claim {
    match (last, before.get(at)) {
        (None, None) => ORIGIN,
        (Some(like), None) | (None, Some(like)) => *like,
        (Some(last), Some(like)) => Claim { id: last.id, since: last.since, home: last.home, ..*like },
    }
}

/// Reads a page, person by person.
pub(in crate::store) struct PageReader<'a> {
    from: Decoder<'a>,
    left: usize,
    key: String,
    /// The key, if it is one.
    guid: Option<Guid>,
    claims: Vec<Claim>,
    before: Vec<Claim>,
    /// The key is the page's, and nothing was read yet.
    is_new: bool,
}

impl<'a> PageReader<'a> {
    /// A page by its first key.
    pub(in crate::store) fn open(first: &str, page: &'a [u8]) -> Result<Self, DecodeError> {
        let mut from = Decoder::open(page)?;
        let left = from.count()?;
        let (key, guid) = (first.to_owned(), Guid::of(first.as_bytes()));
        Ok(Self { from, left, key, guid, claims: Vec::new(), before: Vec::new(), is_new: true })
    }

    /// The next person and the claims of theirs; `None`: there are no more, and nothing else is on the page.
    pub(in crate::store) fn next(&mut self) -> Result<Option<(&str, &[Claim])>, DecodeError> {
        if self.left == 0 {
            // There is no page without people.
            return if self.is_new { Err(DecodeError::Number) } else { self.from.end().map(|()| None) };
        }
        self.left -= 1;
        if !std::mem::take(&mut self.is_new) {
            self.take_key()?;
        }
        std::mem::swap(&mut self.claims, &mut self.before);
        self.claims.clear();
        let count = self.from.count()?;
        for at in 0..count {
            let base = base(at, self.claims.last(), &self.before);
            self.claims.push(take_claim(&mut self.from, &base)?);
        }
        if count == 0 { Err(DecodeError::Number) } else { Ok(Some((&self.key, &self.claims))) }
    }

    fn take_key(&mut self) -> Result<(), DecodeError> {
        let head = self.from.byte()?;
        if head >= GUID {
            let (is_capital, shared) = (head & 0x70 == GUID_CAPITAL & 0x70, usize::from(head & 0x0f));
            if !is_capital && head & 0x70 != 0 {
                return Err(DecodeError::Code { what: "keys", code: head });
            }
            let mut bytes = self.guid.unwrap_or_default().bytes;
            bytes[shared..].copy_from_slice(self.from.bytes(16 - shared)?);
            let guid = Guid { bytes, is_capital };
            let text = guid.text();
            let text = std::str::from_utf8(&text).map_err(|_| DecodeError::Text)?;
            if text <= self.key.as_str() {
                return Err(DecodeError::Order);
            }
            self.key.clear();
            self.key.push_str(text);
            self.guid = Some(guid);
            return Ok(());
        }
        let (shared, rest) = (usize::from(head), self.from.text()?);
        let old = self.key.get(shared..).ok_or(DecodeError::Text)?;
        if rest <= old {
            return Err(DecodeError::Order);
        }
        self.key.truncate(shared);
        self.key.push_str(rest);
        self.guid = Guid::of(self.key.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
