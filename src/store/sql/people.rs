//! People with their open claims, as pages tell them.

use crate::license::Claim;
use crate::store::sql::books::read_page;
use crate::store::sql::fault::Fault;

/// People of a page, in the order of their keys.
#[derive(Default)]
pub(in crate::store::sql) struct People {
    keys: String,
    claims: Vec<Claim>,
    /// Where the key and the claims of each end.
    ends: Vec<(usize, usize)>,
}

impl People {
    pub(in crate::store::sql) fn clear(&mut self) {
        self.keys.clear();
        self.claims.clear();
        self.ends.clear();
    }

    /// Adds those of a page.
    pub(in crate::store::sql) fn add_page(&mut self, first: &str, body: &[u8]) -> Result<(), Fault> {
        read_page(first, body, |key, claims| {
            self.keys.push_str(key);
            self.claims.extend_from_slice(claims);
            self.ends.push((self.keys.len(), self.claims.len()));
            Ok(true)
        })
    }

    /// The person at a position.
    pub(in crate::store::sql) fn get(&self, at: usize) -> Option<(&str, &[Claim])> {
        let end = self.ends.get(at)?;
        let (key, claims) = at.checked_sub(1).map_or((0, 0), |before| self.ends[before]);
        Some((&self.keys[key..end.0], &self.claims[claims..end.1]))
    }
    /// The last one's key.
    pub(in crate::store::sql) fn last(&self) -> Option<&str> {
        self.get(self.ends.len().checked_sub(1)?).map(|(key, _)| key)
    }
}
