//! One person told by several sources under keys of their own (R4 to R8).
//!
//! A source's people are known to the books by one key each: usually their own, and where a configured field says that they
//! are people of another source, that one's. Which it was is written down with the person, in the source's own snapshot:
//! so it stays, whatever the fields say later, and goes when the person goes. What cannot be told is a conflict: nobody is
//! made of it, and nobody is changed by it.

use crate::base::{ArenaFull, Text};
use crate::roster::merge::merge;
use crate::roster::model::{Attribute, Person, PersonIx, Roster};

/// The attribute that holds a person's own key in the source, where the books know the person by another.
pub(crate) const OWN_KEY: &str = "own key";

/// By what people of several sources are known to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchBy {
    /// The sources give the same keys.
    Key,
    /// The second identifier, such as a staff number.
    Identifier,
    /// The e-mail, in any case.
    Email,
    /// The log-in name, in any case.
    Username,
}

impl MatchBy {
    /// Its word in settings and findings.
    pub fn word(self) -> &'static str {
        match self {
            MatchBy::Key => "key",
            MatchBy::Identifier => "identifier",
            MatchBy::Email => "email",
            MatchBy::Username => "username",
        }
    }

    fn text(self, person: &Person) -> Text {
        match self {
            MatchBy::Key => person.key,
            MatchBy::Identifier => person.identifier,
            MatchBy::Email => person.email,
            MatchBy::Username => person.username,
        }
    }

    /// Numbers are texts and stay as they are; addresses and log-in names are the same in any case.
    fn same(self, a: &str, b: &str) -> bool {
        match self {
            MatchBy::Key | MatchBy::Identifier => a.trim() == b.trim(),
            MatchBy::Email | MatchBy::Username => a.trim().eq_ignore_ascii_case(b.trim()),
        }
    }

    fn hash(self, text: &str) -> u64 {
        match self {
            MatchBy::Key | MatchBy::Identifier => crate::roster::intern::text_hash(text.trim()),
            MatchBy::Email | MatchBy::Username => crate::roster::intern::text_hash(&text.trim().to_ascii_lowercase()),
        }
    }
}

/// A person of a source of whom it cannot be told who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkConflict {
    /// The key in the source.
    pub own: String,
    /// The keys of those it may be.
    pub known: Vec<String>,
    /// The person was known before and stays as linked then; otherwise nobody is made of the record.
    pub is_kept: bool,
    /// Why, in words.
    pub why: &'static str,
}

/// What linking came to.
#[derive(Debug)]
pub struct Linked {
    /// The people under the keys by which the books know them; `None`: nothing is changed by it.
    pub roster: Option<Roster>,
    /// By own key.
    pub conflicts: Vec<LinkConflict>,
}

/// The people of `read` under the keys by which the books know them. `stored` is what was taken in of the same source,
/// linked; `others` are the other sources' people, linked.
///
/// # Errors
/// As [`merge`].
pub fn link(read: &Roster, stored: Option<&Roster>, others: &[&Roster], by: &[MatchBy]) -> Result<Linked, ArenaFull> {
    let memory = stored.map(Memory::of).unwrap_or_default();
    let others = Others::of(others, by);
    let mut decided: Vec<Decided<'_>> = Vec::with_capacity(read.people.len());
    let mut conflicts = Vec::new();
    for person in &read.people {
        let own = read.text(person.key);
        let (found, why) = others.find(read, person);
        let conflict = |is_kept, why| LinkConflict {
            own: own.to_owned(),
            known: found.iter().map(|&key| key.to_owned()).collect(),
            is_kept,
            why,
        };
        let decision = match (memory.key(own), found.as_slice(), why) {
            (Some(key), [], _) => Decided { own, key: Some(key), is_old: true },
            (Some(key), found, _) => {
                if !found.contains(&key) {
                    conflicts.push(conflict(true, "it is linked to another person, and stays so"));
                }
                Decided { own, key: Some(key), is_old: true }
            }
            (None, [], _) => match others.has_key(own) {
                false => Decided { own, key: Some(own), is_old: false },
                true => {
                    conflicts.push(LinkConflict {
                        own: own.to_owned(),
                        known: vec![own.to_owned()],
                        is_kept: false,
                        why: "another source has somebody of this key, and nothing says that it is the same person",
                    });
                    Decided { own, key: None, is_old: false }
                }
            },
            (None, &[key], None) => Decided { own, key: Some(key), is_old: false },
            (None, _, why) => {
                conflicts.push(conflict(false, why.unwrap_or("several people of other sources match")));
                Decided { own, key: None, is_old: false }
            }
        };
        decided.push(decision);
    }
    part_twins(&mut decided, &mut conflicts);
    conflicts.sort_by(|a, b| a.own.cmp(&b.own));
    if decided.iter().all(|one| one.key == Some(one.own)) {
        return Ok(Linked { roster: None, conflicts });
    }
    let keys: Vec<Option<&str>> = decided.iter().map(|one| one.key).collect();
    Ok(Linked { roster: Some(rekeyed(read, &keys)?), conflicts })
}

/// A stored roster under the source's own keys, as the source told it; `None` if it is that already.
///
/// # Errors
/// As [`merge`].
pub fn unlink(stored: &Roster) -> Result<Option<Roster>, ArenaFull> {
    let Some(name) = own_key_name(stored) else { return Ok(None) };
    let mut own = stored.clone();
    own.attributes.clear();
    for (at, person) in stored.people.iter().enumerate() {
        let first = own.attributes.len() as u32;
        for attribute in stored.attributes_of(person) {
            if attribute.name == name {
                own.people[at].key = attribute.value;
            } else {
                own.attributes.push(*attribute);
            }
        }
        own.people[at].attributes = (first, own.attributes.len() as u32 - first);
    }
    merge(&[&own]).map(Some)
}

/// Whether people of a stored roster go by keys that are not the source's own.
pub fn is_linked(stored: &Roster) -> bool {
    own_key_name(stored).is_some()
}

fn own_key_name(roster: &Roster) -> Option<u16> {
    let at = roster.attribute_names.iter().position(|&name| roster.text(name) == OWN_KEY)?;
    u16::try_from(at).ok()
}

/// What became of one person: the key of the books, or none.
struct Decided<'a> {
    own: &'a str,
    key: Option<&'a str>,
    is_old: bool,
}

/// Of several people of one source that would be one, those stay that were known before; else none.
fn part_twins(decided: &mut [Decided<'_>], conflicts: &mut Vec<LinkConflict>) {
    let mut order: Vec<(&str, usize)> = (0..decided.len()).filter_map(|at| Some((decided[at].key?, at))).collect();
    order.sort_unstable();
    for twins in order.chunk_by(|a, b| a.0 == b.0).filter(|twins| twins.len() > 1) {
        for &(_, at) in twins {
            let one = &mut decided[at];
            if one.is_old {
                continue;
            }
            let known = one.key.take().into_iter().map(str::to_owned).collect();
            let why = "several people of this source match one person";
            conflicts.push(LinkConflict { own: one.own.to_owned(), known, is_kept: false, why });
        }
    }
}

/// The same people under other keys, those without one left out.
fn rekeyed(read: &Roster, keys: &[Option<&str>]) -> Result<Roster, ArenaFull> {
    let mut linked = read.clone();
    linked.people.clear();
    linked.attributes.clear();
    let name = read.attribute_names.len() as u16;
    let own_key = linked.texts.push(OWN_KEY)?;
    linked.attribute_names.push(own_key);
    for (person, key) in read.people.iter().zip(keys) {
        let Some(key) = key else { continue };
        let first = linked.attributes.len() as u32;
        linked.attributes.extend_from_slice(read.attributes_of(person));
        let mut person = person.clone();
        if *key != read.text(person.key) {
            linked.attributes.push(Attribute { name, value: person.key });
            person.key = linked.texts.push(key)?;
        }
        person.attributes = (first, linked.attributes.len() as u32 - first);
        linked.people.push(person);
    }
    merge(&[&linked])
}

/// Which key each person of a source went by, by own key.
#[derive(Default)]
struct Memory<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Memory<'a> {
    fn of(stored: &'a Roster) -> Self {
        let name = own_key_name(stored);
        let pair = |person: &Person| {
            let key = stored.text(person.key);
            let own = stored.attributes_of(person).iter().find(|attribute| Some(attribute.name) == name);
            (own.map_or(key, |own| stored.text(own.value)), key)
        };
        let mut pairs: Vec<_> = stored.people.iter().map(pair).collect();
        pairs.sort_unstable();
        Self(pairs)
    }

    fn key(&self, own: &str) -> Option<&'a str> {
        self.0.binary_search_by_key(&own, |pair| pair.0).ok().map(|at| self.0[at].1)
    }
}

/// A field's hash, the roster's number, and the person.
type Entry = (u64, u32, PersonIx);

/// The people of other sources, by what they may be known by.
struct Others<'a> {
    rosters: &'a [&'a Roster],
    by: Vec<(MatchBy, Vec<Entry>)>,
}

impl<'a> Others<'a> {
    fn of(rosters: &'a [&'a Roster], by: &[MatchBy]) -> Self {
        let index = |by: MatchBy| {
            let mut entries = Vec::new();
            for (at, roster) in (0u32..).zip(rosters) {
                for (number, person) in (0u32..).zip(&roster.people) {
                    let text = roster.text(by.text(person)).trim();
                    if !text.is_empty() {
                        entries.push((by.hash(text), at, PersonIx(number)));
                    }
                }
            }
            entries.sort_unstable();
            (by, entries)
        };
        Self { rosters, by: by.iter().map(|&by| index(by)).collect() }
    }

    fn has_key(&self, key: &str) -> bool {
        self.rosters.iter().any(|roster| roster.find_person(key).is_some())
    }

    /// The keys of people who match, sorted; and why they do not count, if they do not: a field that says more says that it
    /// is somebody else.
    fn find(&self, read: &Roster, person: &Person) -> (Vec<&'a str>, Option<&'static str>) {
        let (mut found, mut why) = (Vec::new(), None);
        for (at, (by, entries)) in self.by.iter().enumerate() {
            let text = read.text(by.text(person)).trim();
            if text.is_empty() {
                continue;
            }
            let hash = by.hash(text);
            let first = entries.partition_point(|entry| entry.0 < hash);
            for &(_, roster, other) in entries[first..].iter().take_while(|entry| entry.0 == hash) {
                let roster = self.rosters[roster as usize];
                let other = roster.person(other);
                if !by.same(text, roster.text(by.text(other))) {
                    continue;
                }
                let differs = self.by[..at].iter().filter(|(by, _)| *by != MatchBy::Key).any(|(by, _)| {
                    let (a, b) = (read.text(by.text(person)).trim(), roster.text(by.text(other)).trim());
                    !a.is_empty() && !b.is_empty() && !by.same(a, b)
                });
                if differs {
                    why = Some("one field says that it is this person, and a stronger one that it is not");
                }
                found.push(roster.text(other.key));
            }
        }
        found.sort_unstable();
        found.dedup();
        (found, why)
    }
}

#[cfg(test)]
mod tests;
