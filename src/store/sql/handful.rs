//! Rows of a text and bytes on their way from one thread to another.

/// Rows, one after the other.
#[derive(Default)]
pub(in crate::store::sql) struct Handful {
    texts: String,
    bytes: Vec<u8>,
    /// Where each row ends.
    ends: Vec<(usize, usize)>,
}

impl Handful {
    pub(in crate::store::sql) fn push(&mut self, text: &str, bytes: &[u8]) {
        self.texts.push_str(text);
        self.bytes.extend_from_slice(bytes);
        self.ends.push((self.texts.len(), self.bytes.len()));
    }

    /// Of so many rows it consists.
    pub(in crate::store::sql) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(in crate::store::sql) fn rows(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let starts = std::iter::once(&(0, 0)).chain(&self.ends);
        starts.zip(&self.ends).map(|(from, to)| (&self.texts[from.0..to.0], &self.bytes[from.1..to.1]))
    }
}
