//! Words to handles: a fixed fast hash, texts stored once, and small vocabularies.

use hashbrown::HashTable;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::base::{ArenaFull, Text, TextArena};
use crate::roster::model::RecordHash;

/// The hash of all look-ups; it decides nothing but the place in a table.
#[inline]
pub(crate) fn text_hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

impl RecordHash {
    /// Changing it makes every stored roster forget which record a change file means.
    const SEED: u64 = 0x726f_7374_6572_0001;

    /// The hash of a record's id: never zero, which marks a role told in the person's own row.
    pub fn of(id: &str) -> Self {
        let hash = xxh3_64_with_seed(id.as_bytes(), Self::SEED).max(1);
        Self([(hash >> 32) as u32, hash as u32])
    }

    /// The 64 bits as one number.
    pub(crate) fn bits(self) -> u64 {
        u64::from(self.0[0]) << 32 | u64::from(self.0[1])
    }

    /// Whether there is no id: a role told in the person's own row.
    pub(crate) fn is_zero(self) -> bool {
        self.bits() == 0
    }
}

/// Writes texts into an arena, those that repeat only once.
#[derive(Debug, Default)]
pub(crate) struct Scribe {
    arena: TextArena,
    known: HashTable<Text>,
}

impl Scribe {
    /// Goes on writing in an arena.
    pub(crate) fn new(arena: TextArena) -> Self {
        Self { arena, known: HashTable::new() }
    }

    /// The texts so far.
    pub(crate) fn arena(&self) -> &TextArena {
        &self.arena
    }

    /// The text behind a handle.
    pub(crate) fn get(&self, text: Text) -> &str {
        self.arena.get(text)
    }

    /// Appends all texts of an arena. Returns by how much its handles move.
    pub(crate) fn append(&mut self, texts: &TextArena) -> Result<u32, ArenaFull> {
        self.arena.append(texts)
    }

    /// Appends a text that is not expected again.
    pub(crate) fn write(&mut self, text: &str) -> Result<Text, ArenaFull> {
        self.arena.push(text)
    }

    /// The handle of a text that repeats; appended at its first occurrence.
    pub(crate) fn intern(&mut self, text: &str) -> Result<Text, ArenaFull> {
        if text.is_empty() {
            return Ok(Text::EMPTY);
        }
        let hash = text_hash(text);
        if let Some(&known) = self.known.find(hash, |&known| self.arena.get(known) == text) {
            return Ok(known);
        }
        let new = self.arena.push(text)?;
        self.known.insert_unique(hash, new, |&known| text_hash(self.arena.get(known)));
        Ok(new)
    }

    /// Forgets all texts; their memory is for the next ones.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.known.clear();
    }

    /// The arena.
    pub(crate) fn into_arena(self) -> TextArena {
        self.arena
    }
}

/// A small vocabulary: role words, attribute names.
#[derive(Debug, Default)]
pub(crate) struct Words {
    texts: Vec<Text>,
    index: HashTable<u16>,
}

/// Why a word has no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoWord {
    /// More than 65 536 different words.
    TooMany,
    /// No room for its text.
    Full,
}

impl Words {
    /// Starts with the words of `texts`, at their positions.
    pub(crate) fn new(texts: Vec<Text>, arena: &TextArena) -> Self {
        let mut index = HashTable::new();
        for (at, &text) in texts.iter().enumerate() {
            index.insert_unique(text_hash(arena.get(text)), at as u16, |&at| text_hash(arena.get(texts[usize::from(at)])));
        }
        Self { texts, index }
    }

    /// The texts by position.
    pub(crate) fn texts(&self) -> &[Text] {
        &self.texts
    }

    /// The position of a word that is there.
    pub(crate) fn find(&self, scribe: &Scribe, word: &str) -> Option<u16> {
        self.index.find(text_hash(word), |&at| scribe.get(self.texts[usize::from(at)]) == word).copied()
    }

    /// The position of a word, which may be new.
    pub(crate) fn word(&mut self, scribe: &mut Scribe, word: &str) -> Result<u16, NoWord> {
        if let Some(at) = self.find(scribe, word) {
            return Ok(at);
        }
        let hash = text_hash(word);
        let at = u16::try_from(self.texts.len()).map_err(|_| NoWord::TooMany)?;
        self.texts.push(scribe.write(word).map_err(|ArenaFull| NoWord::Full)?);
        self.index.insert_unique(hash, at, |&at| text_hash(scribe.get(self.texts[usize::from(at)])));
        Ok(at)
    }
}
