//! Many short texts in one allocation, named by 8-byte handles.

use std::cmp::Ordering;

/// A text in a [`TextArena`]: only its own arena can read it. Sorts by when it was pushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text {
    start: u32,
    len: u32,
}

impl Text {
    /// The empty text, in every arena.
    pub const EMPTY: Text = Text { start: 0, len: 0 };

    /// Whether it has no characters.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The same text in an arena to which its own was appended at `start`.
    #[inline]
    pub fn moved(self, start: u32) -> Text {
        if self.len == 0 { self } else { Text { start: self.start + start, len: self.len } }
    }
}

/// Texts one after the other. At most 4 GiB; a text that does not fit is refused.
#[derive(Clone, Debug, Default)]
pub struct TextArena {
    bytes: String,
}

impl TextArena {
    /// An empty arena with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: String::with_capacity(bytes) }
    }

    /// Appends a text. Equal texts are stored twice: interning is the caller's choice.
    ///
    /// # Errors
    /// [`ArenaFull`] when the arena would pass 4 GiB.
    #[inline]
    pub fn push(&mut self, text: &str) -> Result<Text, ArenaFull> {
        if text.is_empty() {
            return Ok(Text::EMPTY);
        }
        let start = u32::try_from(self.bytes.len()).map_err(|_| ArenaFull)?;
        let len = u32::try_from(text.len()).map_err(|_| ArenaFull)?;
        start.checked_add(len).ok_or(ArenaFull)?;
        self.bytes.push_str(text);
        Ok(Text { start, len })
    }

    /// Appends all texts of another arena. Returns by how much its handles move ([`Text::moved`]).
    ///
    /// # Errors
    /// [`ArenaFull`] when the arena would pass 4 GiB.
    pub fn append(&mut self, other: &TextArena) -> Result<u32, ArenaFull> {
        let start = u32::try_from(self.bytes.len()).map_err(|_| ArenaFull)?;
        u32::try_from(self.bytes.len() + other.bytes.len()).map_err(|_| ArenaFull)?;
        self.bytes.push_str(&other.bytes);
        Ok(start)
    }

    /// The bytes behind a handle of this arena. Comparing these looks at nothing beside them, which [`TextArena::get`] does to
    /// make sure of whole characters: among many texts in no order that costs as much again.
    #[inline]
    pub fn bytes(&self, text: Text) -> &[u8] {
        &self.bytes.as_bytes()[text.start as usize..][..text.len as usize]
    }

    /// Looks at the ends of each text and at nothing else. Texts of a large arena that are asked for in no order each wait
    /// for memory; of some that are touched together before they are read, all wait at the same time.
    #[inline]
    pub fn touch(&self, texts: impl Iterator<Item = Text>) {
        let bytes = self.bytes.as_bytes();
        let byte = |at: u32| bytes.get(at as usize).copied().unwrap_or_default();
        let ends = |text: Text| byte(text.start) ^ byte(text.start + text.len.saturating_sub(1));
        std::hint::black_box(texts.fold(0, |sum, text| sum ^ ends(text)));
    }

    /// The text behind a handle of this arena.
    #[inline]
    pub fn get(&self, text: Text) -> &str {
        &self.bytes[text.start as usize..(text.start + text.len) as usize]
    }

    /// How two texts sort. One that is compared with itself is not looked at.
    #[inline]
    pub fn compare(&self, a: Text, b: Text) -> Ordering {
        if a == b { Ordering::Equal } else { self.bytes(a).cmp(self.bytes(b)) }
    }

    /// Bytes in use.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was pushed.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// More than 4 GiB of text for one roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hold more than 4 GiB of text for one customer")]
pub struct ArenaFull;
